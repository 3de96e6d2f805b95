"""Binary masks from files: what another program says is the object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zim_app.core.images import Image, load_image
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ImageError, ZimError

THRESHOLD = 50
"""Percent of white, or of opacity, from which on a pixel is the object's."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """A mask read from a file.

    Attributes:
        mask: (H, W) bool, true on the object.
        between: share of the pixels, 0 to 1, that were neither black nor white (or
            neither clear nor opaque), which the threshold decided.
        transparency: whether the file's transparency was taken, not its brightness.
        level: (H, W) uint8, how white or how opaque the file is.
    """

    mask: BoolArray
    between: float
    transparency: bool
    level: ByteArray


def load_mask(path: Path, image: Image, threshold: int = THRESHOLD) -> MaskFile:
    """Read the mask of a picture.

    A file with transparency is taken by its opacity, as a cut-out is; another by its
    brightness, white being the object.

    Args:
        path: of any format that pictures may have.
        picture: what it is a mask of.
        threshold: 1 to 100, percent from which on a pixel is the object's.

    Raises:
        ZimError: the threshold is out of range.
        ImageError: the file cannot be read, its size is not the picture's, or nothing
            of it reaches the threshold.
    """
    if not 1 <= threshold <= 100:
        raise ZimError(f"The threshold is {threshold}.", "It must be from 1 to 100.")
    read = load_image(path)
    if (read.height, read.width) != (image.height, image.width):
        raise ImageError(
            f"{path.name} is {read.width} x {read.height} pixels and {image.name}"
            f" {image.width} x {image.height}.",
            "Give a mask of the picture's own size.",
        )
    transparency = read.source_alpha is not None
    if read.source_alpha is not None:
        level = read.source_alpha / np.float32(65535)
    else:
        level = read.rgb.max(2) / np.float32(255)
    mask = np.asarray(level >= threshold / 100)
    if not mask.any():
        what = "opaque" if transparency else "of white"
        raise ImageError(
            f"{path.name} is an empty mask: no pixel is {threshold} % {what} or more.",
            "Give a mask that is white on the object, or a lower threshold.",
        )
    between = float(((level > 0) & (level < 1)).mean())
    grey = np.rint(level * np.float32(255)).astype(np.uint8)
    return MaskFile(mask, between, transparency, grey)
