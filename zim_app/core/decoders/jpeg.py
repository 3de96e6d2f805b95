"""Decode the first picture of JPEG files (ITU-T T.81), MPO included.

The decoder gets the segments that pixels depend on, without those of applications.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

import numpy as np

from zim_app.core.decoders.base import (
    UNITS,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
    unsupported,
    valid_dpi,
)
from zim_app.core.decoders.pillow import decode_samples
from zim_model.arrays import ByteArray
from zim_model.errors import msg

MAGIC = b"\xff\xd8\xff"

_JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
"""Says that three components are YCbCr; without a resolution."""
_END = b"\xff\xd9"
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_READ_SOF = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive, all with Huffman coding."""
_SOS, _EOI, _APP, _COM = 0xDA, 0xD9, range(0xE0, 0xF0), 0xFE
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_IN_SCAN = np.isin(np.arange(256), [0x00, 0xFF, *range(0xD0, 0xD8)])
"""Bytes after a 255 in a scan: it has restart markers, and 255, 0 for a byte of 255."""
_FIRST_CHUNK, _LARGEST_CHUNK = 1 << 12, 1 << 20
"""Bytes in which the end of a scan is searched at a time, more and more of them: a file
may have many small scans."""
_PADDING = 16
"""Zero bytes at the end of a file that no scan ends with: of a broken copy."""


@dataclass(slots=True)
class _Picture:
    """The segments that pixels depend on, and the metadata of the others."""

    metadata: Metadata
    segments: list[bytes | memoryview] = field(default_factory=list)
    icc_parts: dict[int, bytes] = field(default_factory=dict)
    icc_count: int = 0
    is_complete: bool = False
    missing_bits: dict[int, list[int]] = field(default_factory=dict)
    """Component to the lowest bit that has not been sent, per coefficient."""

    @property
    def orientation(self) -> int:
        """1 to 8, see EXIF."""
        return self.metadata.image(np.zeros((1, 1), np.uint8), "GRAY").orientation

    def still(self, *tail: bytes) -> bytes:
        return b"".join([b"\xff\xd8", *self.segments, *tail])


def decode_jpeg(data: bytes, name: str) -> DecodedImage:
    """Decode a JPEG file.

    Raises:
        ImageError: it is too large, or of a variant that is not read.
        Damaged, OSError, SyntaxError: its pixels are damaged.
    """
    picture = _read_segments(data, name)
    if picture.is_complete:
        pixels, mode = decode_samples(picture.still(_END), "JPEG")
    else:
        pixels, mode = _decode_without_end(picture)
        picture.metadata.ignored.append(msg("end marker"))
    if mode == "L":
        return picture.metadata.image(pixels[..., 0], "GRAY")
    return picture.metadata.image(pixels, "CMYK" if mode == "CMYK" else "RGB")


def still_picture(data: bytes, name: str) -> tuple[bytes, int]:
    """A file of the pixels alone, and the orientation, for thumbnails.

    Raises:
        ImageError, Damaged: as :func:`decode_jpeg`, or the end marker is missing.
    """
    picture = _read_segments(data, name)
    if not picture.is_complete:
        raise Damaged("its end marker is missing")
    return picture.still(_END), picture.orientation


def coarse_picture(data: bytes, name: str) -> tuple[bytes, int]:
    """The least of a file that has all components, and the orientation.

    Of most progressive files that is a tenth, which holds the mean of each 8 x 8
    pixels; of others it is all of the :func:`still_picture`.

    Raises:
        ImageError, Damaged: as :func:`decode_jpeg`.
    """
    picture = _read_segments(data, name, coarse=True)
    return picture.still(_END), picture.orientation


def _decode_without_end(picture: _Picture) -> tuple[ByteArray, str]:
    """Decode a file without end marker if all its pixels are there.

    A decoder replaces missing bits in silence.  The pixels are complete if they do not
    depend on what follows: decoded with a tail and with its complement, they are equal.
    """
    if any(bit for bits in picture.missing_bits.values() for bit in bits):
        raise Damaged("its last scans are missing")
    still = picture.still()
    (first, mode), (second, _) = (
        decode_samples(still + tail * 64 + _END, "JPEG") for tail in (b"\x55", b"\xaa")
    )
    if not np.array_equal(first, second):
        raise Damaged("its pixels are incomplete")
    return first, mode


# --- The container --------------------------------------------------------------------


def _read_segments(data: bytes, name: str, *, coarse: bool = False) -> _Picture:
    """Read the segments up to the end, or until all components have had a scan."""
    picture = _Picture(Metadata())
    position, components = 2, 0
    while True:
        found = _NEXT_MARKER.search(data, position)
        if found is None:
            break
        kind, position = found[1][0], found.end()
        if kind == _EOI:
            picture.is_complete = True
            break
        if kind in (0x01, 0xD8) or 0xD0 <= kind <= 0xD7:  # without content
            continue
        length = unpack(">H", data, position)[0]
        body = data[position + 2 : position + length]
        position += max(2, length)
        if kind in _APP or kind == _COM:
            _read_application(picture, kind, body)
            continue
        if position > len(data):
            raise Damaged("it ends too early")
        if kind in _SOF:
            components = _check_frame(name, kind, body)
        header = b"\xff" + bytes([kind]) + struct.pack(">H", length)
        picture.segments += [header, body]
        if kind == _SOS:
            if not components:
                raise Damaged("a scan comes before its header")
            _note_scan(picture, body)
            end = _find_scan_end(data, position)
            scan = memoryview(data)[position:end]  # copied once, into the still
            position += len(scan)
            picture.segments.append(scan if end else _without_padding(bytes(scan)))
            if coarse and len(picture.missing_bits) >= components:
                break
    if not picture.missing_bits:
        raise Damaged("its pixels are missing")
    _join_profile(picture)
    return picture


def _find_scan_end(data: bytes, start: int) -> int | None:
    """Where the marker after a scan begins; None where the file ends before."""
    position, size = start, _FIRST_CHUNK
    while position < len(data):
        # A marker may lie across the end of a chunk.
        count = min(size + 1, len(data) - position)
        chunk = np.frombuffer(data, np.uint8, count, position)
        marks = np.flatnonzero(chunk[:-1] == 0xFF)
        marks = marks[~_IN_SCAN[chunk[marks + 1]]]
        if marks.size:
            end = position + int(marks[0])
            while end > start and data[end - 1] == 0xFF:  # markers may be padded
                end -= 1
            return end
        position, size = position + size, min(2 * size, _LARGEST_CHUNK)
    return None


def _check_frame(name: str, kind: int, body: bytes) -> int:
    """Check that the frame is one that is read, and return its components."""
    depth, height, width, components = unpack(">BHHB", body)
    if kind not in _READ_SOF:
        raise unsupported(
            name,
            msg("it is a JPEG with lossless, hierarchical or arithmetic coding"),
            msg("Save it as an ordinary JPEG first."),
        )
    if depth != 8:
        raise unsupported(name, msg("it is a JPEG of {depth} bits", depth=depth))
    check_size(name, width, height)
    return int(components)


def _note_scan(picture: _Picture, body: bytes) -> None:
    """Note which bits of which coefficients a scan sends."""
    count = unpack(">B", body)[0]
    components = unpack(f">{2 * count}B", body, 1)[::2]
    first, last, bits = unpack(">BBB", body, 1 + 2 * count)
    for component in components:
        missing = picture.missing_bits.setdefault(component, [16] * 64)
        for coefficient in range(first, min(last, 63) + 1):
            missing[coefficient] = bits & 15


def _without_padding(scan: bytes) -> bytes:
    """The scan of a file that ends in it, without what filled up a broken copy."""
    kept = scan.rstrip(b"\0")
    if len(scan) - len(kept) < _PADDING:
        return scan.rstrip(b"\xff")  # half of a marker
    return kept + b"\0" if kept.endswith(b"\xff") else kept


def _read_application(picture: _Picture, kind: int, body: bytes) -> None:
    metadata = picture.metadata
    if kind == 0xE0 and body.startswith(b"JFIF"):
        if len(body) < 14:
            metadata.ignored.append(msg("JFIF header"))
        else:
            unit, *sides = struct.unpack_from(">BHH", body, 7)
            scale = UNITS.get(unit + 1)  # 1 is inch and 2 cm, unlike in EXIF
            metadata.dpi = valid_dpi(sides, scale) if scale and unit else None
        picture.segments.append(_JFIF)
    elif kind == 0xE1 and body.startswith(b"Exif\0"):
        metadata.read_exif(body)
    elif kind == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
        metadata.read_xmp(body)
    elif kind == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) >= 14:
        picture.icc_parts.setdefault(body[12], body[14:])
        picture.icc_count = body[13]
    elif kind == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        picture.segments.append(b"\xff\xee" + struct.pack(">H", len(body) + 2) + body)


def _join_profile(picture: _Picture) -> None:
    if not picture.icc_parts:
        return
    numbers = range(1, picture.icc_count + 1)
    complete = sorted(picture.icc_parts) == list(numbers)
    parts = [picture.icc_parts[n] for n in numbers] if complete else []
    picture.metadata.set_profile(b"".join(parts) if complete else None)
