"""Imported masks as data of an object: small, frozen, serialisable.

Nothing here is slow to import; see :mod:`zim_model.inference.mask_composition` for how
the engine uses them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from zim_model.arrays import ByteArray
from zim_model.errors import ImageError, ZimError, msg

DEFAULT_CONVERTER = "converter-tiny"
MAX_BYTES = 8 << 20
"""Most bytes of a stored mask; one without noise takes a small part of it."""
THRESHOLD_LEVEL = 128
"""Grey level from which a pixel belongs to the object, for the converter."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY = (8, 0)
"""PNG's bit depth and colour type for 8-bit grey."""


@dataclass(frozen=True, slots=True)
class ImportedMask:
    """A mask of a whole image, from which a matte is made instead of predicted.

    Attributes:
        png: an 8-bit grey PNG of the image's size, white on the object.
        refine: whether the label converter makes the matte from it; else it is the
            matte.
        converter: the name of that converter, see
            :mod:`zim_model.conversion.converter`.
    """

    png: bytes
    refine: bool = True
    converter: str = DEFAULT_CONVERTER

    @classmethod
    def from_level(cls, level: ByteArray, *, refine: bool = True) -> ImportedMask:
        """Store a mask; losslessly, unless it is as noisy as a photo.

        Args:
            level: (H, W) uint8, 255 on the object.
            refine: see the attribute.  The converter binarises the mask, so a noisy one
                is stored binarised then.

        Raises:
            ImageError: the mask is too noisy to be used as it is.
        """
        png = _encode_png(level)
        if len(png) > MAX_BYTES and refine:
            png = _encode_png(
                np.where(level >= THRESHOLD_LEVEL, np.uint8(255), np.uint8(0))
            )
        if len(png) > MAX_BYTES:
            raise ImageError(
                msg(
                    "The mask takes {size} MB; at most {limit} can be kept.",
                    size=len(png) >> 20,
                    limit=MAX_BYTES >> 20,
                ),
                msg("Give a mask with less noise, or refine it with the converter."),
            )
        return cls(png, refine)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        width, height = struct.unpack(">II", self.png[16:24])
        return height, width

    def check_size(self, height: int, width: int) -> None:
        """Check that this is a mask of an image of that size.

        Raises:
            ImageError: it is not.
        """
        check_mask_size(self.size, (height, width))

    def decode(self) -> ByteArray:
        """The mask, (H, W) uint8, 255 on the object.

        Raises:
            ImageError: it is damaged.
        """
        import cv2

        try:
            coverage = cv2.imdecode(
                np.frombuffer(self.png, np.uint8), cv2.IMREAD_UNCHANGED
            )
        except cv2.error:
            coverage = None
        if (
            coverage is None
            or coverage.shape != self.size
            or coverage.dtype != np.uint8
        ):
            raise ImageError(
                msg("The mask of this object is damaged."), msg("Import it again.")
            )
        return np.asarray(coverage, np.uint8)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return {
            "png": base64.b64encode(self.png).decode("ascii"),
            "sha256": hashlib.sha256(self.png).hexdigest(),
            "refine": self.refine,
            "converter": self.converter,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ImportedMask:
        """Read the result of :meth:`to_json`.

        Raises:
            ZimError: the data has another form, or is damaged.
        """
        try:
            text, digest = data["png"], data["sha256"]
            refine, converter = data["refine"], data["converter"]
            png = base64.b64decode(text, validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise ZimError(
                msg("A mask cannot be read: {error}.", error=repr(error))
            ) from error
        if len(png) > MAX_BYTES or not _is_grey_png(png):
            raise ZimError(msg("A mask is no grey PNG, or too large."))
        if hashlib.sha256(png).hexdigest() != digest:
            raise ZimError(msg("A mask is damaged: its digest is another."))
        if not isinstance(refine, bool):
            raise ZimError(
                msg("A mask's refine is {refine!r}.", refine=refine),
                msg("Use true or false."),
            )
        # A name only: a recipe must not choose which file is opened.
        if not isinstance(converter, str) or not _NAME.fullmatch(converter):
            raise ZimError(
                msg(
                    "A mask's converter is {converter!r}, which is no name.",
                    converter=converter,
                )
            )
        return cls(png, refine, converter)


def _encode_png(level: ByteArray) -> bytes:
    import cv2

    done, data = cv2.imencode(".png", level, (cv2.IMWRITE_PNG_COMPRESSION, 6))
    if not done or level.ndim != 2:
        raise ImageError(
            msg("An array of shape {shape} is no mask.", shape=level.shape)
        )
    return bytes(data)


def _is_grey_png(png: bytes) -> bool:
    if len(png) < 33 or not png.startswith(_SIGNATURE) or png[12:16] != b"IHDR":
        return False
    return (png[24], png[25]) == _GREY and min(struct.unpack(">II", png[16:24])) > 0


def check_mask_size(mask: tuple[int, ...], image: tuple[int, ...]) -> None:
    """Check that a mask and its image have the same height and width.

    Raises:
        ImageError: they have not.
    """
    if mask != image:
        raise ImageError(
            msg(
                "The mask is {mask_width} x {mask_height} pixels and the photo "
                "{width} x {height}.",
                mask_width=mask[1],
                mask_height=mask[0],
                width=image[1],
                height=image[0],
            ),
            msg("Give a mask of the photo's own size."),
        )
