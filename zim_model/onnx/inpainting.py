"""Inpainting networks, such as LaMa, as ONNX graphs: they draw what fills a hole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from zim_model.arrays import (
    BoolArray,
    Bounds,
    ByteArray,
    FloatArray,
    mask_bounds,
)
from zim_model.errors import WeightsError, msg
from zim_model.onnx.sessions import open_session, providers_of, run_graph

SIDE = 512
"""Of the input of a graph that takes any size; LaMa was trained with 256."""
CONTEXT = 2.0
"""Side of the square that the network sees, in sides of the hole."""
MOST_HIDDEN = 0.75
"""Of that square: a larger one is taken while more of it is hidden."""
_PLANES = {"image": 3, "mask": 1}
"""The inputs, and how many planes each has."""


class InpaintingNetwork:
    """An inpainting network that is loaded.

    Its graph has the inputs ``image``, (1, 3, h, w) float32 from 0 to 1, and ``mask``,
    (1, 1, h, w) float32, 1 in the hole, of a fixed size or of any.  Its output is the
    filled image, (1, 3, h, w), from 0 to 255 or from 0 to 1.

    Args:
        path: the ONNX file.
        device: ``cpu``, ``cuda:0`` or ``mps``; None takes the best that is usable.

    Raises:
        WeightsError: the file is damaged or of another kind, or ONNX Runtime is not
            installed.
        DeviceError: ONNX Runtime cannot use that device here.
    """

    def __init__(self, path: Path, device: str | None = None) -> None:
        self._path = path
        self._session = open_session(path, providers_of(device))
        self._size = self._check_graph()

    def _check_graph(self) -> tuple[int, int]:
        """The height and width that the graph takes."""
        inputs = {each.name: each for each in self._session.get_inputs()}
        fits = inputs.keys() == _PLANES.keys() and all(
            each.type == "tensor(float)"
            and len(each.shape) == 4
            and each.shape[1] in (_PLANES[name], None)
            for name, each in inputs.items()
        )
        if not fits:
            found = ", ".join(
                f"{each.name} {list(each.shape)}" for each in inputs.values()
            )
            raise WeightsError(
                msg(
                    "{path} is no inpainting network: it takes {found}.",
                    path=self._path,
                    found=found or "-",
                ),
                msg(
                    "Give a graph with the inputs image (1 x 3 x H x W) and mask "
                    "(1 x 1 x H x W) of 32-bit numbers, as LaMa is published."
                ),
            )
        height, width = (
            side if isinstance(side, int) and side > 0 else SIDE
            for side in inputs["image"].shape[2:]
        )
        return height, width

    def fill(
        self, image: ByteArray, hole: BoolArray, usable: BoolArray | None = None
    ) -> ByteArray:
        """An image with its hole filled; other pixels are unchanged.

        Args:
            image: (H, W, 3) uint8 sRGB.
            hole: (H, W), not empty.
            usable: (H, W), what the network may see, some of it outside the hole; None
                for all of that.  The rest is hidden from it, as the hole is.

        Raises:
            WeightsError: the network fails, or gives no image.
        """
        hidden = hole if usable is None else hole | ~usable
        left, top, right, bottom = _seen(hole, hidden)
        part = slice(top, bottom), slice(left, right)
        drawn = self._run(image[part], hidden[part])
        height, width = bottom - top, right - left
        resized = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_CUBIC)
        out = image.copy()
        out[part][hole[part]] = np.rint(resized[hole[part]].clip(0, 255))
        return out

    def _run(self, image: ByteArray, hidden: BoolArray) -> FloatArray:
        """(h, w, 3) from 0 to 255 at the network's size."""
        height, width = self._size
        shrinks = image.shape[0] > height
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        pixels = cv2.resize(image, (width, height), interpolation=method)
        mask = cv2.resize(
            hidden.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
        )
        planes = pixels.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
        holes = (mask > 0).astype(np.float32)[None, None]
        given = {"image": planes, "mask": holes}
        return self._image_of(run_graph(self._session, self._path, given))

    def _image_of(self, output: Any) -> FloatArray:
        if np.shape(output) != (1, 3, *self._size) or not np.isfinite(output).all():
            raise WeightsError(
                msg("The output of {path} is no image.", path=self._path),
                msg("Inpainting networks give 1 x 3 x H x W finite numbers."),
            )
        drawn = np.ascontiguousarray(output[0].transpose(1, 2, 0), np.float32)
        # Exports differ; an image of 0 to 255 that is darker than 2 is black.
        return drawn * np.float32(255) if drawn.max() <= 2 else drawn


def _seen(hole: BoolArray, hidden: BoolArray) -> Bounds:
    """The bounds of what the network sees: a square, where it fits into the image."""
    left, top, right, bottom = mask_bounds(hole) or (0, 0, 0, 0)
    side = max(SIDE, round(CONTEXT * max(right - left, bottom - top)))
    height, width = hole.shape
    while True:
        x0, x1 = _span((left + right) // 2, side, width)
        y0, y1 = _span((top + bottom) // 2, side, height)
        if side >= max(hole.shape) or hidden[y0:y1, x0:x1].mean() <= MOST_HIDDEN:
            return x0, y0, x1, y1
        side *= 2


def _span(centre: int, side: int, length: int) -> tuple[int, int]:
    """A part of a line of ``length`` with its centre as near as it fits."""
    side = min(side, length)
    start = min(max(0, centre - side // 2), length - side)
    return start, start + side
