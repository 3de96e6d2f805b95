"""Runs :class:`~zim_model.network.tiny.ZimTiny` with PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import EncodedView
from zim_model.backends.prompt_maps import prompt_maps
from zim_model.backends.torch_backend import check_finite
from zim_model.backends.view import View, align, resize_view, spread
from zim_model.network.efficientnet_lite import PADDING_GREY, scaled_pixels
from zim_model.network.tiny import ZimTiny
from zim_model.prompts import PromptSet
from zim_model.runtime.devices import (
    Precision,
    device_name,
    resolve_device,
    torch_dtype,
    usable_precision,
)
from zim_model.runtime.malloc import tune_malloc
from zim_model.weights.tensors import fingerprint


@dataclass(frozen=True, slots=True, eq=False)
class TinyFeatures:
    """The network's image input, (1, 3, S, S): all that prompts do not change."""

    image: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the tensor takes."""
        return self.image.numel() * self.image.element_size()


@dataclass(frozen=True, slots=True, eq=False)
class DetailFeatures:
    """What the detail stage makes of an image: (1, C, D/2, D/2), (1, C', D/4, D/4)."""

    fine: Tensor
    middle: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the tensors take."""
        tensors = (self.fine, self.middle)
        return sum(t.numel() * t.element_size() for t in tensors)


class TinyBackend:
    """A :class:`~zim_model.backends.backend.Backend` for zim-tiny.

    The whole network runs for every prompt set; encoding only scales the pixels.
    """

    def __init__(
        self, model: ZimTiny, device: str | None = None, precision: Precision = "auto"
    ) -> None:
        """Move the model to ``device``, by default the best of this machine.

        Args:
            precision: see :func:`zim_model.runtime.devices.usable_precision`.  Weights
                stay fp32; half precision is torch's autocast.

        Raises:
            DeviceError: this machine has no such device.
        """
        name = resolve_device(device)
        precision = usable_precision(name, precision)
        self.device = torch.device(name)
        self.dtype = torch_dtype(precision)
        self.config = model.config
        self.fingerprint = f"{fingerprint(model)}/{name}/{precision}"
        if self.device.type == "cpu":
            tune_malloc()
        self.model = model.to(self.device).channels_last().eval()
        self.device_label = f"{device_name(name)} ({precision})"

    @torch.inference_mode()
    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.Backend`.

        A view of the detail stage's input side gives that stage's features.
        """
        pixels = resize_view(self.config, image, view)
        side = view.image_size
        padded = np.full((side, side, 3), PADDING_GREY, np.uint8)
        padded[: pixels.shape[0], : pixels.shape[1]] = pixels
        tensor = torch.from_numpy(padded).permute(2, 0, 1)[None].to(self.device)
        scaled = scaled_pixels(tensor)
        detail = self.model.detail
        if detail is None or side != self.config.detail_size:
            return EncodedView(view, TinyFeatures(scaled))
        scaled = scaled.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            features = detail.encode(scaled)
        return EncodedView(view, DetailFeatures(*features))

    @torch.inference_mode()
    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.backend.RefiningBackend`."""
        detail, features = self.model.detail, encoded.features
        assert detail is not None
        assert isinstance(features, DetailFeatures)
        side = self.config.image_size // self.config.mask_stride
        view = replace(encoded.view, image_size=self.config.image_size)
        grid = spread(alpha, view, self.config.mask_stride)
        padded = torch.zeros(1, 1, side, side)
        padded[0, 0, : grid.shape[0], : grid.shape[1]] = torch.from_numpy(grid)
        logits = torch.logit(padded, 1e-5).to(self.device)
        with self._autocast():
            finer = detail((features.fine, features.middle), logits)
        refined: FloatArray = self._aligned(finer, encoded.view)[0, 0]
        return refined

    def _aligned(self, logits: Tensor, view: View) -> FloatArray:
        """Logits (N, C, h, w) on a grid that covers the view exactly."""
        rows, columns = view.cells(self.config.mask_stride)
        cropped = logits[..., :rows, :columns].float()
        check_finite(cropped, self.dtype, self.config.name)
        return align(cropped.cpu().numpy(), view, self.config.mask_stride)

    def _autocast(self) -> torch.autocast:
        half = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype, enabled=half)

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.backend.Backend`.

        Args:
            mask_input: (1, S/2, S/2) logits of the previous prediction, or None.
        """
        logits, scores = self._decode(encoded, [prompts], mask_input)
        return self._aligned(logits, encoded.view)[0], scores[0]

    def decode_many(
        self, encoded: EncodedView, sets: Sequence[PromptSet]
    ) -> tuple[FloatArray, FloatArray]:
        """Results of :meth:`decode` for N prompt sets, (N, 4, h, w) and (N, 4)."""
        logits, scores = self._decode(encoded, sets)
        return self._aligned(logits, encoded.view), scores

    @torch.inference_mode()
    def _decode(
        self,
        encoded: EncodedView,
        sets: Sequence[PromptSet],
        mask_input: FloatArray | None = None,
    ) -> tuple[Tensor, FloatArray]:
        """Logits (N, 4, S/2, S/2) of the padded input, and predicted IoU (N, 4)."""
        assert isinstance(encoded.features, TinyFeatures)
        side, count = self.config.image_size, len(sets)
        maps = torch.zeros(count, 4, side, side)
        for i, prompts in enumerate(sets):
            maps[i, :3] = torch.from_numpy(prompt_maps(prompts, side))
        height, width = encoded.view.input_size
        if mask_input is not None:
            previous = torch.from_numpy(mask_input)[None].sigmoid()
            previous = F.interpolate(previous, scale_factor=2, mode="bilinear")
            maps[:, 3:, :height, :width] = previous[..., :height, :width]
        image = encoded.features.image.expand(count, -1, -1, -1)
        image, maps = (
            each.to(self.device).contiguous(memory_format=torch.channels_last)
            for each in (image, maps)
        )
        with self._autocast():
            logits, iou = self.model(image, maps)
        scores: FloatArray = iou.float().cpu().numpy()
        return logits, scores
