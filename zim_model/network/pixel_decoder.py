"""Fusion of image and prompt features at strides 2, 4, 8 and 16.

Every block here convolves concatenated maps, some of which depend on the image alone.
A convolution is a sum over its input channels: in inference the image maps' term of it,
with the batch norm folded in, is computed once per image instead of once per click, and
replaces the maps, which are wider.

Shapes: V views, B prompt sets, S input side, G = S / 16, C embed_dim.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import ZimConfig
from zim_model.network.encoder import ConvBnRelu, ResidualBlock
from zim_model.network.fused_upsample import upsample_conv_relu
from zim_model.network.region_head import REGION_CUES

MIN_FUSED_SIDE = 64
"""Side of the smallest map for which :func:`upsample_conv_relu` is faster."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageTerm:
    """The image maps' term of a :class:`FusionConv`, (V, F, h, w)."""

    value: Tensor


class FusionConv(ConvBnRelu):
    """A :class:`~zim_model.network.encoder.ConvBnRelu` of concatenated maps.

    Args:
        widths: channels of each map.
        outputs: number of output channels.
        known: index of the map that depends on the image alone.
    """

    def __init__(self, widths: tuple[int, ...], outputs: int, image_map: int) -> None:
        super().__init__(sum(widths), outputs)
        self.image_map_index = image_map
        start = sum(widths[:image_map])
        self._channels = slice(start, start + widths[image_map])

    def image_term(self, image_map: Tensor) -> ImageTerm:
        """The term of the image map (V, K, h, w); in evaluation mode only."""
        weight, shift = self._fold_batch_norm()
        return ImageTerm(
            F.conv2d(image_map, weight[:, self._channels], shift, padding=1)
        )

    def forward(self, *maps: Tensor | ImageTerm) -> Tensor:
        """Maps (B, K_i, h, w), the image map possibly as its term, to (B, F, h, w)."""
        term = maps[self.image_map_index]
        others = [m for m in maps if isinstance(m, Tensor)]
        if not isinstance(term, ImageTerm):
            # Untyped in torch.
            out: Tensor = super().forward(torch.cat(others, 1))  # type: ignore[no-untyped-call]
            return out
        out = F.conv2d(_concat(others), self._prompt_weight(), padding=1)
        return out.add_(term.value).relu_()

    def forward_upsampled(
        self, coarse: Tensor, *skip_maps: Tensor | ImageTerm
    ) -> Tensor:
        """Like :meth:`forward`, with the last map (B, K, h/2, w/2) to be upsampled.

        Where that is faster, with an image term on a CPU, the upsampled map is never
        made.
        """
        term = skip_maps[self.image_map_index]
        if not isinstance(term, ImageTerm) or not _fused_is_faster(coarse):
            return self.forward(*skip_maps, _upsample2(coarse))
        others = [m for m in skip_maps if isinstance(m, Tensor)]
        rest = self._prompt_weight()
        split = rest.shape[1] - coarse.shape[1]
        image_map = term.value.expand(len(coarse), -1, -1, -1)
        if others:
            image_map = image_map + F.conv2d(
                _concat(others), rest[:, :split], padding=1
            )
        return upsample_conv_relu(image_map, coarse, rest[:, split:])

    def _prompt_weight(self) -> Tensor:
        """The folded weight of all maps but the image map."""
        weight, _ = self._fold_batch_norm()
        start, stop = self._channels.start, self._channels.stop
        return torch.cat([weight[:, :start], weight[:, stop:]], 1)

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


def _concat(maps: Sequence[Tensor]) -> Tensor:
    """Concatenated maps; a single one is not copied."""
    return maps[0] if len(maps) == 1 else torch.cat(list(maps), 1)


def image_terms(blocks: Iterable[nn.Module], maps: Sequence[Tensor]) -> list[ImageTerm]:
    """The image term of each block."""
    fusions = [block for block in blocks if isinstance(block, FusionConv)]
    return [fusion.image_term(x) for fusion, x in zip(fusions, maps, strict=True)]


class CueEncoder(nn.Module):
    """Dense cue maps and detail features to prompt features at strides 2, 4, 8, 16.

    Clicks, box and colour models as maps are much easier to learn from than tokens;
    they are fused with the image at every level instead of once.
    """

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        dim, details = config.embed_dim, config.decoder_details
        a, b, c = config.cue_widths
        maps = config.cue_channels
        if config.region_channels is not None:
            maps += len(REGION_CUES) + 1  # and an earlier prediction
        self.first = FusionConv((maps, details[0]), a, image_map=1)
        self.down = nn.ModuleList(
            [ConvBnRelu(a, b, 2), ConvBnRelu(b, c, 2), ConvBnRelu(c, dim, 2)]
        )
        self.mix = nn.ModuleList(
            [
                FusionConv((b, details[1]), b, image_map=1),
                FusionConv((c, details[2]), c, image_map=1),
                FusionConv((dim, dim), dim, image_map=1),
            ]
        )
        self.last = nn.Sequential(ResidualBlock(dim), ResidualBlock(dim))

    def forward(
        self, cues: Tensor, skip_maps: list[Tensor] | list[ImageTerm]
    ) -> tuple[list[Tensor], Tensor]:
        """Cues (B, K, S/2, S/2) to features at strides 2, 4, 8, dense (B, C, G, G).

        Args:
            skip_maps: D0, D1, D2 and the embeddings, or the result of
                :meth:`image_terms`.
        """
        x = self.first(cues, skip_maps[0])
        levels = [x]
        for down, mix, image_map in zip(
            self.down, self.mix, skip_maps[1:], strict=True
        ):
            x = mix(down(x), image_map)
            levels.append(x)
        return levels[:3], self.last(x)

    def image_terms(self, skip_maps: list[Tensor]) -> list[ImageTerm]:
        """The image terms of details and embeddings."""
        return image_terms((self.first, *self.mix), skip_maps)


class HierarchicalPixelDecoder(nn.Module):
    """ZIM's pixel decoder: fuses details at strides 8, 4, 2 (paper, section 3.2)."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        details = config.decoder_details[::-1]
        cues = config.cue_widths[::-1]
        coarse = (config.embed_dim, *config.fusion_channels[:2])
        self.fusions = nn.ModuleList()
        for i, outputs in enumerate(config.fusion_channels):
            middle = (cues[i],) if config.cue_channels else ()
            widths = (details[i], *middle, coarse[i])
            self.fusions.append(FusionConv(widths, outputs, image_map=0))

    def forward(
        self,
        image: Tensor,
        details: list[Tensor] | list[ImageTerm],
        cues: list[Tensor],
    ) -> Tensor:
        """Image tokens (B, C, G, G) to features (B, F, S/2, S/2).

        Args:
            details: D0, D1, D2, or the result of :meth:`image_terms`.
            cues: cue features at strides 2, 4, 8, or empty.
        """
        x = image
        for i, fusion in enumerate(self.fusions):
            assert isinstance(fusion, FusionConv)
            middle = [cues[2 - i]] if cues else []
            x = fusion.forward_upsampled(x, details[2 - i], *middle)
        return x

    def image_terms(self, details: list[Tensor]) -> list[ImageTerm]:
        """The image terms of D0, D1, D2, at strides 2, 4, 8."""
        return image_terms(self.fusions[::-1], details)
