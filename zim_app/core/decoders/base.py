"""What decoders share: their result, metadata, limits and errors."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from PIL.ExifTags import Base

from zim_app.core.colour import Space
from zim_app.core.greys import Greys
from zim_app.core.pixels import PixelArray
from zim_model.arrays import WordArray
from zim_model.errors import ImageError, Message, msg

MAX_PIXELS = 150_000_000
"""Larger images are refused before they are decoded."""

MAX_DPI = 65535
"""Largest resolution of JPEG and PSD; a larger one is invalid and ignored."""

MAX_PROFILE = 255 * 65519
"""Bytes of the largest ICC profile that JPEG can hold; a larger one is ignored."""

MAX_TEXT = 1 << 20
"""Bytes of a text (EXIF or XMP) that is searched for the orientation."""

ORIENTATION = 274  # the EXIF and TIFF tag
UNITS = {2: 1.0, 3: 2.54}
"""Factors from the resolution units of EXIF and TIFF (inch, cm) to pixels per inch."""
INCHES = 0.0254
"""Metres in an inch."""

_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])["<]')


class Damaged(Exception):
    """The pixels of a file are damaged; the text says how."""


@dataclass(slots=True)
class DecodedImage:
    """A file's pixels as stored.

    Attributes:
        colour: uint8 or uint16; (H, W) grey, (H, W, 3) RGB or (H, W, 4) CMYK with 0
            for no ink; not premultiplied.
        space: the colour space.
        alpha: (H, W) uint16, or None.
        icc: the embedded profile, not validated.
        dpi: horizontal and vertical pixels per inch.
        orientation: 1 to 8 as in EXIF; 1 is upright.
        ignored: the parts of the file, beside the pixels, that are damaged.
        linear: whether the file stores light, of which the colours were made.
        greys: the values that ``colour`` shows in a window; None of other files.
    """

    colour: PixelArray
    space: Space
    alpha: WordArray | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    ignored: tuple[Message, ...] = ()
    linear: bool = False
    greys: Greys | None = None


@dataclass(slots=True)
class Metadata:
    """What a file says about its pixels, collected while its container is read.

    Attributes:
        icc: the embedded profile, not validated.
        dpi: horizontal and vertical pixels per inch.
        orientation: 1 to 8 as in EXIF; None if the file has none.
        ignored: the damaged parts.
    """

    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int | None = None
    ignored: list[Message] = field(default_factory=list)
    _exif_dpi: tuple[float, float] | None = None
    _xmp_orientation: int | None = None

    def image(
        self, colour: PixelArray, space: Space, alpha: WordArray | None = None
    ) -> DecodedImage:
        """The decoded image of these pixels."""
        return DecodedImage(
            colour,
            space,
            alpha,
            icc=self.icc,
            # WebP has no other place for the resolution than EXIF.
            dpi=self.dpi or self._exif_dpi,
            orientation=self.orientation or self._xmp_orientation or 1,
            ignored=tuple(dict.fromkeys(self.ignored)),
        )

    def read_exif(self, data: bytes | None) -> None:
        """Take orientation and resolution from an EXIF block; None is a damaged one."""
        if data is None:
            self.ignored.append(msg("EXIF data"))
            return
        try:
            exif = Image.Exif()
            exif.load(data)
            orientation = exif.get(ORIENTATION)
            scale = UNITS.get(exif.get(Base.ResolutionUnit, 2), 0.0)
            sides = [exif.get(Base.XResolution), exif.get(Base.YResolution)]
        except Exception:  # Pillow raises many classes for damaged blocks
            self.ignored.append(msg("EXIF data"))
            return
        self.orientation = self.orientation or valid_orientation(orientation)
        self._exif_dpi = self._exif_dpi or valid_dpi(sides, scale)

    def read_xmp(self, data: bytes) -> None:
        """Take the orientation from an XMP packet, for files without EXIF."""
        found = _XMP_ORIENTATION.search(data)
        if found is not None:
            self._xmp_orientation = int(found[1])

    def set_profile(self, icc: bytes | None) -> None:
        """Take an ICC profile; None for one that cannot be read."""
        if icc is None or len(icc) > MAX_PROFILE:
            self.ignored.append(msg("colour profile"))
        elif icc:
            self.icc = icc


def valid_dpi(sides: Any, scale: float = 1.0) -> tuple[float, float] | None:
    """Two numbers times ``scale`` as pixels per inch; None if they are no resolution.

    Files without a resolution often have 1 pixel per inch.
    """
    try:
        x, y = (float(side) * scale for side in sides)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return (x, y) if all(1 < number <= MAX_DPI for number in (x, y)) else None


def valid_orientation(value: Any) -> int | None:
    """An orientation as in EXIF, 1 to 8, else None."""
    return value if isinstance(value, int) and 1 <= value <= 8 else None


def check_size(name: str, width: int, height: int) -> None:
    """Check the size that a file's header states, before anything is allocated.

    Raises:
        ImageError: it has more than ``MAX_PIXELS``.
        Damaged: it is empty.
    """
    if width <= 0 or height <= 0:
        raise Damaged(f"its size is {width} x {height}")
    if width * height > MAX_PIXELS:
        raise ImageError(
            msg(
                "{name} has {pixels:.0f} million pixels ({width} x {height}); the "
                "limit is {limit} million.",
                name=name,
                pixels=width * height / 1e6,
                width=width,
                height=height,
                limit=MAX_PIXELS // 1_000_000,
            ),
            msg("Crop it or make it smaller first."),
        )


def unsupported(name: str, reason: str, hint: str | None = None) -> ImageError:
    """The error for a valid file of a variant that is not read."""
    return ImageError(
        msg("{name} cannot be used: {reason}.", name=name, reason=reason),
        hint or msg("Save it as 8-bit or 16-bit RGB first."),
    )


def unpack(form: str, data: bytes, offset: int = 0) -> tuple[Any, ...]:
    """``struct.unpack_from``.

    Raises:
        Damaged: the data ends before.
    """
    try:
        return struct.unpack_from(form, data, offset)
    except struct.error as error:
        raise Damaged("it ends too early") from error
