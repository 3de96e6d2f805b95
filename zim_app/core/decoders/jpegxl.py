"""Decode JPEG XL files (ISO/IEC 18181) with imagecodecs.

Boxes and the header of the codestream are read here, for what imagecodecs does not
tell: the size, the turn and the colours.  A file that was made from a JPEG without loss
is turned back into that JPEG.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import imagecodecs
import numpy as np

from zim_app.core.colour import (
    SRGB_PRIMARIES,
    SRGB_WHITE,
    Space,
    floats_to_light,
    make_profile,
    srgb_decoding,
)
from zim_app.core.decoders import jpeg
from zim_app.core.decoders.base import (
    MAX_TEXT,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unsupported,
)
from zim_app.core.decoders.light import image_of_light
from zim_app.core.pixels import (
    convert_depth,
    to_full_range,
    unpremultiply,
)
from zim_model.arrays import WordArray
from zim_model.errors import Message, msg

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
MAGICS = (CODESTREAM, CONTAINER)

_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width by height, of the numbers that a header has for usual ones."""
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5
_RGB, _GREY = 0, 1
_CUSTOM = 2
_WHITES = {1: SRGB_WHITE, 10: (1 / 3, 1 / 3), 11: (0.314, 0.351)}
_PRIMARIES = {
    1: SRGB_PRIMARIES,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_BT709, _LINEAR, _SRGB, _DCI = 1, 8, 13, 17


@dataclass(slots=True)
class _Boxes:
    """The parts of a container that are used."""

    codestream: bytes = b""
    exif: bytes | None = b""
    from_jpeg: bool = False


@dataclass(slots=True)
class _Header:
    """What the header of a codestream says.

    Attributes:
        width: in pixels, as stored.
        height: in pixels, as stored.
        orientation: 1 to 8 as in EXIF.
        bits: of a sample.
        extra: types of the extra channels.
        premultiplied: whether the colours were multiplied by alpha.
        space: number of the colour space.
        has_icc: whether the colours are those of an ICC profile.
        white: x and y.
        primaries: x and y of red, green and blue.
        gamma: of the encoding, the light's exponent; None for a named curve.
        transfer: number of the named curve.
    """

    width: int
    height: int
    orientation: int = 1
    bits: int = 8
    extra: list[int] = field(default_factory=list)
    premultiplied: bool = False
    space: int = _RGB
    has_icc: bool = False
    white: tuple[float, ...] = SRGB_WHITE
    primaries: tuple[float, ...] = SRGB_PRIMARIES
    gamma: float | None = None
    transfer: int = _SRGB

    @property
    def is_srgb(self) -> bool:
        """Whether the colours are those of sRGB."""
        own = (*self.white, *(self.primaries if self.space == _RGB else ()))
        named = self.gamma is None and self.transfer == _SRGB
        return named and np.allclose(
            own, (*SRGB_WHITE, *SRGB_PRIMARIES)[: len(own)], atol=1e-4
        )


def decode_jpegxl(data: bytes, name: str) -> DecodedImage:
    """Decode the first picture of a JPEG XL file, at 8 or 16 bits.

    Raises:
        ImageError: it is too large, or of a variant that is not read.
        Damaged, imagecodecs.JpegxlError: it is damaged.
    """
    boxes = _read_boxes(data)
    header = _read_header(boxes.codestream)
    check_size(name, header.width, header.height)
    if boxes.from_jpeg:
        original = imagecodecs.jpegxl_decode_jpeg(data, numthreads=1)
        return jpeg.decode_jpeg(bytes(original), name)
    reason = _reason_against(header)
    if reason is not None:
        raise unsupported(
            name, reason, msg("Save it as sRGB, or as PNG or TIFF, first.")
        )
    metadata = Metadata()
    metadata.read_exif(boxes.exif)
    metadata.orientation = header.orientation  # the only valid place for it
    pixels = imagecodecs.jpegxl_decode(
        boxes.codestream, index=0, keeporientation=True, numthreads=1
    )
    if pixels.shape[:2] != (header.height, header.width):
        raise Damaged("its size is contradictory")
    return _to_image(pixels, header, metadata)


# --- The container --------------------------------------------------------------------


def _read_boxes(data: bytes) -> _Boxes:
    if data.startswith(CODESTREAM):
        return _Boxes(data)
    boxes, parts, position = _Boxes(), list[bytes](), 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        start = position + 8
        if size == 1:
            size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        end = position + size if size else len(data)
        if end < start:
            raise Damaged("its boxes are invalid")
        body = data[start:end]
        if end > len(data) and kind in (b"jxlc", b"jxlp"):
            raise Damaged("it ends too early")
        if kind == b"jxlc":
            parts = [body]
        elif kind == b"jxlp":
            parts.append(body[4:])
        elif kind == b"Exif":
            boxes.exif = _exif(body)
        elif kind == b"brob" and body.startswith(b"Exif"):
            boxes.exif = _exif(_unpack(body[4:]))
        elif kind == b"jbrd":
            boxes.from_jpeg = True
        position = end
    boxes.codestream = b"".join(parts)
    if not boxes.codestream.startswith(CODESTREAM):
        raise Damaged("its pixels are missing")
    return boxes


def _exif(body: bytes) -> bytes | None:
    """The EXIF block of a box; None for a damaged one."""
    return body[4 + int.from_bytes(body[:4], "big") :] or None


def _unpack(packed: bytes) -> bytes:
    """A text that Brotli compressed; nothing for one that is damaged or too long."""
    try:
        return bytes(imagecodecs.brotli_decode(packed, out=bytearray(MAX_TEXT)))
    except imagecodecs.BrotliError:
        return b""


# --- The header -----------------------------------------------------------------------


class _Bits:
    """Reads numbers, the lowest bit first (ISO/IEC 18181-1, annex B)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data[:_HEADER], "little")
        self._left = 8 * min(len(data), _HEADER)

    def take(self, count: int) -> int:
        """A number of so many bits."""
        if count > self._left:
            raise Damaged("its header ends too early")
        result = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return result

    def flag(self) -> bool:
        return self.take(1) == 1

    def number(self, *choices: tuple[int, int]) -> int:
        """U32: two bits choose an offset and the number of bits that are added."""
        offset, count = choices[self.take(2)]
        return offset + self.take(count)

    def kind(self) -> int:
        return self.number((0, 0), (1, 0), (2, 4), (18, 6))

    def point(self) -> tuple[float, float]:
        """Coordinates of a chromaticity, x and y."""
        x, y = (
            self.number((0, 19), (1 << 19, 19), (1 << 20, 20), (1 << 21, 21))
            for _ in range(2)
        )
        return _signed(x) / 1e6, _signed(y) / 1e6


_HEADER = 1 << 14
"""Bytes of a codestream that are searched for the colours."""


def _signed(value: int) -> int:
    return -(value // 2) - 1 if value % 2 else value // 2


def _read_header(codestream: bytes) -> _Header:
    bits = _Bits(codestream[len(CODESTREAM) :])
    header = _Header(*_read_size(bits))
    if bits.flag():  # all as usual
        return header
    if bits.flag():
        header.orientation = 1 + bits.take(3)
        if bits.flag():  # the size that it is to be shown at
            _read_size(bits)
        if bits.flag():
            _skip_preview(bits)
        if bits.flag():
            _skip_animation(bits)
    header.bits = _read_depth(bits)
    bits.flag()
    for _ in range(bits.number((0, 0), (1, 0), (2, 4), (1, 12))):
        _read_extra(bits, header)
    bits.flag()  # XYB
    _read_colours(bits, header)
    return header


def _read_size(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        if small:
            return 8 * (bits.take(5) + 1)
        return bits.number((1, 9), (1, 13), (1, 18), (1, 30))

    height = side()
    ratio = bits.take(3)
    across, down = _RATIOS[ratio]
    return (height * across // down if ratio else side()), height


def _skip_preview(bits: _Bits) -> None:
    by_eight = bits.flag()
    choices = ((16, 0), (32, 0), (1, 5), (33, 9))
    if not by_eight:
        choices = ((1, 6), (65, 8), (321, 10), (1345, 12))
    bits.number(*choices)
    if bits.take(3) == 0:
        bits.number(*choices)


def _skip_animation(bits: _Bits) -> None:
    bits.number((100, 0), (1000, 0), (1, 10), (1, 30))
    bits.number((1, 0), (1001, 0), (1, 8), (1, 10))
    bits.number((0, 0), (0, 3), (0, 16), (0, 32))
    bits.flag()


def _read_depth(bits: _Bits) -> int:
    if bits.flag():  # floats
        depth = bits.number((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
        return depth
    return bits.number((8, 0), (10, 0), (12, 0), (1, 6))


def _read_extra(bits: _Bits, header: _Header) -> None:
    if bits.flag():
        header.extra.append(_ALPHA)
        return
    kind = bits.kind()
    header.extra.append(kind)
    _read_depth(bits)
    bits.number((0, 0), (3, 0), (4, 0), (1, 3))
    for _ in range(bits.number((0, 0), (0, 4), (16, 5), (48, 10))):
        bits.take(8)
    if kind == _ALPHA:
        header.premultiplied |= bits.flag()
    elif kind == _SPOT:
        bits.take(4 * 16)
    elif kind == _CFA:
        bits.number((1, 0), (0, 2), (3, 4), (19, 8))


def _read_colours(bits: _Bits, header: _Header) -> None:
    if bits.flag():  # sRGB
        return
    header.has_icc = bits.flag()
    header.space = bits.kind()
    if header.has_icc or header.space not in (_RGB, _GREY):
        return
    white = bits.kind()
    header.white = bits.point() if white == _CUSTOM else _WHITES.get(white, ())
    if header.space == _RGB:
        primaries = bits.kind()
        header.primaries = _PRIMARIES.get(primaries, ())
        if primaries == _CUSTOM:
            header.primaries = (*bits.point(), *bits.point(), *bits.point())
    if bits.flag():
        header.gamma = bits.take(24) / 1e7
    else:
        header.transfer = bits.kind()


def _reason_against(header: _Header) -> Message | None:
    """Why a picture is of a variant that is not read, else None."""
    if header.has_icc:
        return msg("it has a colour profile, which is not read from JPEG XL")
    if header.space not in (_RGB, _GREY) or _BLACK in header.extra:
        return msg("its colours are neither RGB nor grey")
    if not header.white or not header.primaries or header.gamma == 0:
        return msg("its colours are unknown")
    if header.gamma is None and header.transfer not in (_BT709, _LINEAR, _SRGB, _DCI):
        return msg("its colours are of high dynamic range or of a wide gamut")
    return None


# --- Colours --------------------------------------------------------------------------


def _profile(header: _Header) -> bytes:
    """An ICC profile of the colours that the header describes."""
    curve: dict[str, Any] = {}
    if header.gamma is not None:
        curve["gamma"] = 1 / header.gamma
    elif header.transfer in (_LINEAR, _DCI):
        curve["gamma"] = 1.0 if header.transfer == _LINEAR else 2.6
    else:
        values = np.linspace(0, 1, 4096)
        decoding = srgb_decoding if header.transfer == _SRGB else _bt709_decoding
        curve["transferfunction"] = decoding(values).astype(np.float32)
    is_grey = header.space == _GREY
    return make_profile(header.white, None if is_grey else header.primaries, **curve)


def _bt709_decoding(values: Any) -> Any:
    return np.where(
        values < 0.081, values / 4.5, ((values + 0.099) / 1.099) ** (1 / 0.45)
    )


def _to_image(pixels: Any, header: _Header, metadata: Metadata) -> DecodedImage:
    """Split samples into colour, not premultiplied, and alpha."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    space: Space = "GRAY" if header.space == _GREY else "RGB"
    count = 1 if space == "GRAY" else 3
    colour = pixels[..., 0] if count == 1 else pixels[..., :3]
    has_alpha = _ALPHA in header.extra and pixels.shape[2] > count
    alpha = pixels[..., count] if has_alpha else None
    if pixels.dtype.kind == "f":
        return image_of_light(
            *(metadata, colour, alpha),
            premultiplied=header.premultiplied,
            convert=partial(floats_to_light, icc=_profile(header), space=space),
        )
    if not header.is_srgb:
        metadata.set_profile(_profile(header))
    colour = to_full_range(colour, header.bits)
    if alpha is not None:
        alpha = to_full_range(alpha, header.bits)
        if header.premultiplied:
            colour = unpremultiply(colour, alpha, colour.dtype.type)
        alpha = cast(WordArray, convert_depth(alpha, np.uint16))
    return metadata.image(np.ascontiguousarray(colour), space, alpha)
