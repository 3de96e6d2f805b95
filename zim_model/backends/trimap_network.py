"""Trimap networks: alpha of an image where a trimap leaves it unknown."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zim_model.arguments import check_pixels, check_plane
from zim_model.arrays import BACKGROUND, FOREGROUND, ByteArray, FloatArray
from zim_model.backends.torch_backend import check_finite
from zim_model.network.vitmatte import MULTIPLE, VitMatte
from zim_model.request import CancelCheck, never_cancelled, raise_if_cancelled
from zim_model.runtime.devices import (
    Precision,
    device_name,
    resolve_device,
    torch_dtype,
    usable_precision,
)
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.threads import tune_threads
from zim_model.weights.trimap import find_trimap_network
from zim_model.weights.vitmatte_checkpoint import load_vitmatte


class TrimapNetwork:
    """Runs a :class:`~zim_model.network.vitmatte.VitMatte` with PyTorch.

    Args:
        network: moved to the device.
        device: as torch names it; None takes the best of this machine.
        precision: see :func:`zim_model.runtime.devices.usable_precision`.  Weights stay
            fp32; half precision is torch's autocast.

    Raises:
        DeviceError: this machine has no such device.
    """

    def __init__(
        self,
        network: VitMatte,
        device: str | None = None,
        precision: Precision = "auto",
    ) -> None:
        name = resolve_device(device)
        precision = usable_precision(name, precision)
        self.device = torch.device(name)
        self.dtype = torch_dtype(precision)
        self.device_label = f"{device_name(name)} ({precision})"
        if self.device.type == "cpu":
            tune_malloc()
            tune_threads()
        self.network = network.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = "",
        device: str | None = None,
        precision: Precision = "auto",
    ) -> TrimapNetwork:
        """A trimap network with its weights.

        Args:
            name_or_path: an installed network or a weight file; empty takes the first
                installed one.

        Raises:
            WeightsError: there is none, or its file cannot be used.
            DeviceError: this machine has no such device.
        """
        path = find_trimap_network(str(name_or_path)).path
        return cls(load_vitmatte(path), device, precision)

    @torch.inference_mode()
    def predict(
        self,
        image: ByteArray,
        trimap: ByteArray,
        cancelled: CancelCheck = never_cancelled,
    ) -> FloatArray:
        """Alpha of an image, or of a part of one.

        Time and memory grow with the number of pixels, whatever is known.

        Args:
            image: (h, w, 3) uint8 sRGB.
            trimap: (h, w) uint8: 0 on the background, 255 on the foreground; 128, or
                any other value, where alpha is unknown.
            cancelled: polled between the blocks of the network.

        Returns:
            (h, w) float32 in [0, 1], exactly 0 and 1 where the trimap says so.

        Raises:
            ImageError: image or trimap are of other shapes or types.
            PrecisionOverflow: the prediction is not finite in half precision.
            WeightsError: it is not finite in full precision.
            Cancelled: ``cancelled`` became true.
        """
        check_pixels(image)
        height, width = image.shape[:2]
        check_plane(trimap, "trimap", (np.uint8,), (height, width))
        planes = network_input(image, trimap).to(self.device)
        planes = planes.contiguous(memory_format=torch.channels_last)
        half = self.dtype != torch.float32
        with torch.autocast(self.device.type, self.dtype, enabled=half):
            logits = self.network(planes, partial(raise_if_cancelled, cancelled))
        logits = logits[0, 0, :height, :width].float()
        check_finite(logits, self.dtype, self.network.config.name)
        alpha = np.array(logits.sigmoid().cpu().numpy(), np.float32)
        alpha[trimap == BACKGROUND] = 0
        alpha[trimap == FOREGROUND] = 1
        return alpha


def network_input(image: ByteArray, trimap: ByteArray) -> Tensor:
    """The input of ViTMatte, as its published processor makes it.

    Args:
        image: (h, w, 3) uint8 sRGB.
        trimap: (h, w) uint8.

    Returns:
        (1, 4, H, W) float32, padded with zeros at the bottom and on the right.
    """
    height, width = trimap.shape
    planes = np.empty((1, 4, height, width), np.float32)
    planes[0, :3] = image.transpose(2, 0, 1)
    planes[0, :3] /= 127.5  # mean and deviation are half of the range
    planes[0, :3] -= 1
    np.divide(trimap, np.float32(255), out=planes[0, 3])
    return F.pad(
        torch.from_numpy(planes), (0, -width % MULTIPLE, 0, -height % MULTIPLE)
    )
