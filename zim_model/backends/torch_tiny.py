"""Zim-tiny's network with PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import SizedFeatures
from zim_model.network.efficientnet_lite import scaled_pixels
from zim_model.network.tiny import DetailStage, ZimTiny
from zim_model.runtime.devices import (
    Precision,
    device_name,
    resolve_device,
    torch_dtype,
    usable_precision,
)
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.threads import tune_threads
from zim_model.weights.tensors import fingerprint


@dataclass(frozen=True, slots=True, eq=False)
class DetailTensors:
    """What the detail stage makes of an image: (1, C, D/2, D/2), (1, C', D/4, D/4)."""

    fine: Tensor
    middle: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the tensors take."""
        tensors = (self.fine, self.middle)
        return sum(t.numel() * t.element_size() for t in tensors)


class TorchTiny:
    """A :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""

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
        self.is_half = self.dtype != torch.float32
        self.config = model.config
        self.fingerprint = f"{fingerprint(model)}/{name}/{precision}"
        if self.device.type == "cpu":
            tune_malloc()
            tune_threads()
        self.model = model.to(self.device).channels_last().eval()
        self.device_label = f"{device_name(name)} ({precision})"

    @torch.inference_mode()
    def predict(
        self, pixels: ByteArray, maps: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        drawn = torch.from_numpy(maps).to(self.device)
        drawn = drawn.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            logits, iou = self.model(self._input(pixels), drawn)
        return _array(logits), _array(iou)

    @torch.inference_mode()
    def detail_features(self, pixels: ByteArray) -> DetailTensors:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        with self._autocast():
            return DetailTensors(*self._detail.encode(self._input(pixels)))

    @torch.inference_mode()
    def refine(self, features: SizedFeatures, logits: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        tensors = cast(DetailTensors, features)
        coarse = torch.from_numpy(logits)[None, None].to(self.device)
        with self._autocast():
            finer = self._detail((tensors.fine, tensors.middle), coarse)
        refined: FloatArray = _array(finer)[0, 0]
        return refined

    @property
    def _detail(self) -> DetailStage:
        assert self.model.detail is not None
        return self.model.detail

    def _input(self, pixels: ByteArray) -> Tensor:
        tensor = torch.from_numpy(pixels).to(self.device).permute(2, 0, 1)[None]
        return scaled_pixels(tensor).contiguous(memory_format=torch.channels_last)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.is_half)


def _array(tensor: Tensor) -> FloatArray:
    return cast(FloatArray, tensor.float().cpu().numpy())
