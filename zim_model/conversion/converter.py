"""From a coarse label to a matte: the label converter, ready to use.

>>> converter = Converter.load("converter-tiny")          # doctest: +SKIP
>>> alpha = converter.convert(image, mask)                # doctest: +SKIP

The network gets the label's object with a margin, reduced to its input size where it is
larger; the matte is upsampled along the image's own edges, and far from the label's
edge the label is kept.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from zim_model.arguments import check_pixels, check_plane
from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray, mask_bounds
from zim_model.conversion.config import STRIDES, ConverterConfig
from zim_model.conversion.cues import label_cue_maps
from zim_model.conversion.network import ConverterNetwork, fuse_scales
from zim_model.conversion.weights import load_converter
from zim_model.errors import PromptError, msg
from zim_model.imported_mask import (
    DEFAULT_CONVERTER,
    THRESHOLD_LEVEL,
    check_mask_size,
)
from zim_model.matting.guided_upsampling import guided_upsample
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.runtime.devices import resolve_device
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.threads import tune_threads
from zim_model.weights.tensors import fingerprint

OPAQUE_FROM = 0.025
"""Alpha this close to 0 and 1 is set to it."""
BELIEVED, FADED = 64, 96
"""Pixels of the network's input from the label's edge: the prediction is used up to
the first, and the label from the second on."""


class Converter:
    """A label converter with its weights; thread-safe.

    Attributes:
        network: in evaluation mode.
        fingerprint: digest of configuration and weights, hexadecimal; equal ones give
            equal mattes.
    """

    def __init__(self, network: ConverterNetwork, device: str = "cpu") -> None:
        if device == "cpu":
            tune_malloc()
            tune_threads()
        self.fingerprint = fingerprint(network)
        # torch's stubs lack this overload.
        self.network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.device = torch.device(device)

    @classmethod
    def load(
        cls, name_or_path: str | Path = DEFAULT_CONVERTER, device: str | None = "cpu"
    ) -> Converter:
        """Open a converter.

        Args:
            name_or_path: ``"converter-tiny"``, or a ``.safetensors`` file that
                ``training.train_converter`` made.
            device: where it runs, as torch names it; None takes the best available.

        Raises:
            DeviceError: this machine has no such device.
            WeightsError: there is none of that name, or the file is missing, damaged or
                of another architecture.
        """
        return cls(load_converter(name_or_path), resolve_device(device))

    @property
    def config(self) -> ConverterConfig:
        """The architecture."""
        config: ConverterConfig = self.network.config
        return config

    def convert(
        self,
        image: ByteArray,
        mask: npt.NDArray[np.bool_ | np.uint8],
        cancelled: CancelCheck = never_cancelled,
    ) -> WordArray:
        """Convert a coarse mask to a matte.

        Args:
            image: (H, W, 3) uint8 RGB.
            mask: (H, W) bool, or uint8 where 128 and more is the object.
            cancelled: polled between the steps.

        Returns:
            (H, W) uint16, 65535 opaque.

        Raises:
            ImageError: the shapes or types do not fit.
            PromptError: the mask is empty.
            Cancelled: ``cancelled`` became true.
        """
        label = _check_inputs(image, mask)
        out = np.zeros(label.shape, np.uint16)
        if label.all():  # without an edge there is nothing to refine
            return np.full_like(out, ALPHA_MAX)
        part, scale = self._crop_rect(label)
        pixels, hard = _downscale(image[part], label[part], scale)
        raise_if_cancelled(cancelled)
        alpha = self.predict(pixels, hard)
        raise_if_cancelled(cancelled)
        out[part] = guided_upsample(
            _keep_label_far_from_edge(alpha, hard),
            np.ascontiguousarray(image[part]),
            guided=True,
            guide=pixels,
        )
        return out

    def predict(self, pixels: ByteArray, label: BoolArray) -> FloatArray:
        """The network's own prediction at its input's size.

        Args:
            pixels: (h, w, 3) uint8 RGB.
            label: (h, w) bool.

        Returns:
            (h, w) float32 in [0, 1].
        """
        height, width = label.shape
        planes = label_cue_maps(pixels, label) if self.config.cues else label[None]
        if self.config.square:
            side = max(self.config.image_size, *_padded_size(height, width))
            size = (side, side)
        else:
            size = _padded_size(height, width)
        normal = (pixels - PIXEL_MEAN) / PIXEL_STD
        image = _to_tensor(normal.transpose(2, 0, 1), size, self.device)
        given = _to_tensor(np.asarray(planes, np.float32), size, self.device)
        with torch.inference_mode():
            alpha = fuse_scales(self.network(image, given))[-1][0, 0, :height, :width]
            alpha = ((alpha - OPAQUE_FROM) / (1 - 2 * OPAQUE_FROM)).clamp(0, 1)
        return np.asarray(alpha.float().cpu().numpy(), np.float32)

    def _crop_rect(self, label: BoolArray) -> tuple[tuple[slice, slice], float]:
        """The part of the image for the network, and its reduction."""
        height, width = label.shape
        bounds = mask_bounds(label)
        assert bounds is not None, "an empty label has no crop"
        left, top, right, bottom = bounds
        longest = max(bottom - top, right - left)
        # Rounding up the margins may add a pixel or two.
        room = self.config.image_size - 2 * self.config.margin - 4
        scale = min(
            1.0, max(room / longest, self.config.image_size / max(height, width))
        )
        margin = int(np.ceil(self.config.margin / scale))
        part = np.s_[
            max(0, top - margin) : min(height, bottom + margin),
            max(0, left - margin) : min(width, right + margin),
        ]
        return part, scale


def binarise(mask: npt.NDArray[np.bool_ | np.uint8]) -> BoolArray:
    """The object of a mask (H, W): true, or 128 and more of a byte."""
    return np.asarray(mask if mask.dtype == np.bool_ else mask >= THRESHOLD_LEVEL, bool)


def _check_inputs(
    image: ByteArray, mask: npt.NDArray[np.bool_ | np.uint8]
) -> BoolArray:
    check_pixels(image)
    check_plane(mask, "mask", (np.bool_, np.uint8))
    check_mask_size(mask.shape, image.shape[:2])
    label = binarise(mask)
    if not label.any():
        raise PromptError(
            msg("The mask is empty: no pixel of it is as bright as half of white."),
            msg("Give a mask that is white on the object and black elsewhere."),
        )
    return label


def _downscale(
    image: ByteArray, label: BoolArray, scale: float
) -> tuple[ByteArray, BoolArray]:
    """Both at the network's scale; a label too thin for it is kept in part."""
    if scale == 1:
        return np.ascontiguousarray(image), np.ascontiguousarray(label)
    height, width = label.shape
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(label.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    hard = share > 0.5
    return np.asarray(pixels, np.uint8), hard if hard.any() else share > 0


def _padded_size(height: int, width: int) -> tuple[int, int]:
    step = STRIDES[-1]
    return -(-height // step) * step, -(-width // step) * step


def _to_tensor(
    planes: FloatArray, size: tuple[int, int], device: torch.device
) -> torch.Tensor:
    """(1, C, *size) from (C, h, w), padded by replicating the border."""
    rows, columns = (s - n for s, n in zip(size, planes.shape[1:], strict=True))
    padded = np.pad(planes, ((0, 0), (0, rows), (0, columns)), mode="edge")
    tensor = torch.from_numpy(np.ascontiguousarray(padded, np.float32))[None]
    return tensor.to(device).contiguous(memory_format=torch.channels_last)


def _keep_label_far_from_edge(alpha: FloatArray, label: BoolArray) -> FloatArray:
    """The prediction near the label's edge, the label beyond; (h, w) in [0, 1]."""
    inside = label.astype(np.uint8)
    distance = np.maximum(
        *(
            cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_3)
            for side in (inside, 1 - inside)
        )
    )
    trust = np.clip((FADED - distance) / (FADED - BELIEVED), 0, 1)
    if label.all():  # reduced, its edge was lost
        trust = np.ones_like(trust)
    return np.asarray(label + trust * (alpha - label), np.float32)
