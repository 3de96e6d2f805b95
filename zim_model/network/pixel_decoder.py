"""Fusion of image features at strides 2, 4 and 8 with what prompts make of them.

Every block here convolves two concatenated maps, one of which depends on the image
alone.  A convolution is a sum over its input channels: in inference that map's term of
it, with the batch norm folded in, is computed once per image instead of once per click,
and replaces the map, which is wider.

Shapes: V views, B prompt sets, S input side, G = S / 16, C embed_dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import ZimConfig
from zim_model.network.encoder import ConvBnRelu
from zim_model.network.fused_upsample import upsample_conv_relu

MIN_FUSED_SIDE = 64
"""Side of the smallest map for which :func:`upsample_conv_relu` is faster."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageTerm:
    """The image map's term of a :class:`FusionConv`, (V, F, h, w)."""

    value: Tensor


class FusionConv(ConvBnRelu):
    """A :class:`~zim_model.network.encoder.ConvBnRelu` of two concatenated maps.

    Args:
        image_channels: channels of the map that depends on the image alone.
        coarse_channels: channels of the map of the prompts, at half the size.
        outputs: number of output channels.
    """

    def __init__(self, image_channels: int, coarse_channels: int, outputs: int) -> None:
        super().__init__(image_channels + coarse_channels, outputs)
        self._image_channels = image_channels

    def image_term(self, image_map: Tensor) -> ImageTerm:
        """The term of the image map (V, K, h, w); in evaluation mode only."""
        weight, shift = self._fold_batch_norm()
        own = weight[:, : self._image_channels]
        return ImageTerm(F.conv2d(image_map, own, shift, padding=1))

    def fuse(self, image_map: Tensor | ImageTerm, coarse: Tensor) -> Tensor:
        """Fuse the image's map (B, K, h, w) and an upsampled one (B, K', h/2, w/2).

        There may be one map for several prompt sets, as in training: (V, K, h, w) where
        V divides B.  With an image term on a CPU, the upsampled map is never made where
        that is faster.

        Returns:
            (B, F, h, w).
        """
        if not isinstance(image_map, ImageTerm):
            if len(image_map) != len(coarse):
                return self._fuse_shared(image_map, coarse)
            out: Tensor = self(torch.cat([image_map, _upsample2(coarse)], 1))
            return out
        weight, _ = self._fold_batch_norm()
        weight = weight[:, self._image_channels :].contiguous()
        if _fused_is_faster(coarse):
            term = image_map.value.expand(len(coarse), -1, -1, -1)
            return upsample_conv_relu(term, coarse, weight)
        out = F.conv2d(_upsample2(coarse), weight, padding=1)
        return out.add_(image_map.value).relu_()

    def _fuse_shared(self, image_map: Tensor, coarse: Tensor) -> Tensor:
        """As :meth:`fuse`, with the image's term of the sum computed once per image."""
        conv, *norm_and_relu = self
        assert isinstance(conv, nn.Conv2d)
        own, other = conv.weight.tensor_split([self._image_channels], 1)
        term = F.conv2d(image_map, own, padding=1)
        out = F.conv2d(_upsample2(coarse), other, padding=1)
        out = out + term.repeat_interleave(len(coarse) // len(image_map), 0)
        for layer in norm_and_relu:
            out = layer(out)
        return out

    def _fold_batch_norm(self) -> tuple[Tensor, Tensor]:
        """The convolution's weight and bias with the batch norm folded in."""
        conv, norm = self[0], self[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight: Tensor = conv.weight * scale[:, None, None, None]
        return weight, norm.bias - norm.running_mean * scale


def _fused_is_faster(coarse: Tensor) -> bool:
    """Whether :func:`upsample_conv_relu` is faster than its parts for a map."""
    exact = coarse.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return coarse.device.type == "cpu" and exact and coarse.shape[-1] >= MIN_FUSED_SIDE


def _upsample2(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class HierarchicalPixelDecoder(nn.Module):
    """ZIM's pixel decoder: fuses details at strides 8, 4, 2 (paper, section 3.2)."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        details = config.detail_channels[::-1]
        coarse = (config.embed_dim, *config.fusion_channels[:2])
        self.fusions = nn.ModuleList(
            FusionConv(*channels)
            for channels in zip(details, coarse, config.fusion_channels, strict=True)
        )

    def forward(self, image: Tensor, details: list[Tensor] | list[ImageTerm]) -> Tensor:
        """Image tokens (B, C, G, G) to features (B, F, S/2, S/2).

        Args:
            details: D0, D1, D2, or the result of :meth:`image_terms`.
        """
        x = image
        for i, fusion in enumerate(self.fusions):
            assert isinstance(fusion, FusionConv)
            x = fusion.fuse(details[2 - i], x)
        return x

    def image_terms(self, details: list[Tensor]) -> list[ImageTerm]:
        """The image terms of D0, D1, D2, at strides 2, 4, 8."""
        fusions = cast("list[FusionConv]", list(self.fusions[::-1]))
        return [
            fusion.image_term(detail)
            for fusion, detail in zip(fusions, details, strict=True)
        ]
