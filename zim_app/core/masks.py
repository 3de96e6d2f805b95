"""Binary masks of objects, read from files of other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zim_app.core.colour import srgb_to_light
from zim_app.core.images import Image, load_image
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.errors import ImageError, ZimError, msg

THRESHOLD = 50
"""Least brightness or opacity, in percent, of a pixel of the object."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """A mask read from a file.

    Attributes:
        mask: (H, W) bool, true on the object.
        between: fraction of the pixels, 0 to 1, that were neither black nor white (or
            neither clear nor opaque), to which the threshold was applied.
        transparency: whether the file's transparency was used, not its brightness.
        level: (H, W) uint8, the file's brightness or opacity.
    """

    mask: BoolArray
    between: float
    transparency: bool
    level: ByteArray


def load_mask(path: Path, image: Image, threshold: int = THRESHOLD) -> MaskFile:
    """Read the mask of an image.

    Of a file with transparency, such as a cut-out, the opacity is used; of any other
    file the brightness, where white is the object.  A file whose only values are 0 and
    1, as programs write the numbers of classes, counts as one of black and white.

    Args:
        path: of any format that images can have.
        image: the image that the mask belongs to.
        threshold: 1 to 100, least percentage of a pixel of the object.

    Raises:
        ZimError: the threshold is out of range.
        ImageError: the file cannot be read, its size differs from the image's, or no
            pixel reaches the threshold.
    """
    if not 1 <= threshold <= 100:
        raise ZimError(
            msg("The threshold is {threshold}.", threshold=threshold),
            msg("It must be from 1 to 100."),
        )
    read = load_image(path)
    if (read.height, read.width) != (image.height, image.width):
        raise ImageError(
            msg(
                "{name} is {width} x {height} pixels and {photo} {photo_width} x "
                "{photo_height}.",
                name=path.name,
                width=read.width,
                height=read.height,
                photo=image.name,
                photo_width=image.width,
                photo_height=image.height,
            ),
            msg("Give a mask of the photo's own size."),
        )
    transparency = read.source_alpha is not None
    level = _level(read)
    mask = np.asarray(level >= threshold / 100)
    if not mask.any():
        what = msg("opaque") if transparency else msg("of white")
        raise ImageError(
            msg(
                "{name} is an empty mask: no pixel is {threshold} % {what} or more.",
                name=path.name,
                threshold=threshold,
                what=what,
            ),
            msg("Give a mask that is white on the object, or a lower threshold."),
        )
    between = float(((level > 0) & (level < 1)).mean())
    grey = np.rint(level * np.float32(255)).astype(np.uint8)
    return MaskFile(mask, between, transparency, grey)


def _level(read: Image) -> FloatArray:
    """Brightness or opacity, (H, W) float32 from 0 to 1."""
    if read.source_alpha is not None:
        values = read.source_alpha
        brightest = int(values.max())  # the opacity 1 of 255 is 257 of 65535
        full = brightest if brightest in (1, 257) else 65535
    elif read.linear:  # the file's own numbers, as of an alpha channel
        return srgb_to_light(read.source.max(2).astype(np.uint16, copy=False))
    elif read.source.max() == 1:
        values, full = read.source.max(2), 1
    else:
        values, full = read.rgb.max(2), 255
    return np.asarray(values / np.float32(full), np.float32)
