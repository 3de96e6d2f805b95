"""Decode BMP files of Windows and OS/2, with alpha masks and embedded profiles.

Layout: Microsoft, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import cast

import numpy as np

from zim_app.core.decoders.base import (
    INCHES,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
    unsupported,
    valid_dpi,
)
from zim_app.core.decoders.pillow import decode_samples
from zim_app.core.pixels import PixelArray, strips
from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import msg

MAGIC = b"BM"

_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_COMPRESSIONS = {
    _RGB: (1, 2, 4, 8, 16, 24, 32),
    _RLE8: (8,),
    _RLE4: (4,),
    _BITFIELDS: (16, 32),
    _ALPHA_BITFIELDS: (16, 32),
}
_MASKS_555 = (0x7C00, 0x3E0, 0x1F, 0)
_MASKS_888 = (0xFF0000, 0xFF00, 0xFF, 0)
_EMBEDDED = 0x4D424544
"""The colour space type of a file with an ICC profile."""
_START = 14
"""Bytes before the header that has a size of its own."""


@dataclass(slots=True)
class _Header:
    size: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    colours: int
    offset: int
    masks: tuple[int, int, int, int]

    @property
    def row_bytes(self) -> int:
        """Bytes of a row with its padding."""
        return (self.width * self.bits + 31) // 32 * 4


def decode_bmp(data: bytes, name: str) -> DecodedImage:
    """Decode a BMP file.

    Raises:
        ImageError: it is too large, or of a variant that is not read.
        Damaged, OSError: its pixels are damaged.
    """
    header = _read_header(data, name)
    metadata = _read_metadata(data, header)
    if header.compression in (_RLE8, _RLE4):
        indices = _decode_runs(data, header)
        return metadata.image(_palette(data, header)[indices], "RGB")
    rows = _rows(data, header)
    if header.bits <= 8:
        return metadata.image(_palette(data, header)[_indices(rows, header)], "RGB")
    if header.bits == 24:
        colour = rows[:, : 3 * header.width].reshape(header.height, -1, 3)[..., ::-1]
        return metadata.image(np.ascontiguousarray(colour), "RGB")
    colour, alpha = _split_fields(rows, header)
    return metadata.image(colour, "RGB", alpha)


# --- The container --------------------------------------------------------------------


def _read_header(data: bytes, name: str) -> _Header:
    offset, size = unpack("<II", data, 10)
    if size == 12:
        width, height, _, bits = unpack("<HHHH", data, _START + 4)
        header = _Header(size, width, height, False, bits, _RGB, 0, offset, _MASKS_555)
    else:
        fields = data[_START + 4 : _START + min(size, 40)].ljust(36, b"\0")
        width, height, _, bits, compression, _, _, _, colours, _ = struct.unpack(
            "<iiHHIIiiII", fields
        )
        header = _Header(
            *(size, width, abs(height), height < 0, bits, compression, colours, offset),
            (0, 0, 0, 0),
        )
    check_size(name, header.width, header.height)
    is_os2 = size not in (12, 40, 52, 56, 108, 124)
    known = header.bits in _COMPRESSIONS.get(header.compression, ())
    if not known or (is_os2 and header.compression >= _BITFIELDS):
        raise unsupported(
            name,
            msg(
                "it is a BMP of {bits} bits with compression {number}",
                bits=header.bits,
                number=header.compression,
            ),
        )
    header.masks = _masks(data, header)
    return header


def _masks(data: bytes, header: _Header) -> tuple[int, int, int, int]:
    if header.compression not in (_BITFIELDS, _ALPHA_BITFIELDS):
        return _MASKS_555 if header.bits == 16 else _MASKS_888
    # Header of 40 bytes: the masks follow it; a longer one has them at that place.
    has_alpha = header.size >= 56 or header.compression == _ALPHA_BITFIELDS
    masks = unpack(f"<{3 + has_alpha}I", data, _START + 40)
    for mask in masks:
        field = mask // (mask & -mask) if mask else 0
        if field & (field + 1) or mask >> header.bits:
            raise Damaged("its masks are invalid")
    return cast("tuple[int, int, int, int]", (*masks, 0)[:4])


def _read_metadata(data: bytes, header: _Header) -> Metadata:
    metadata = Metadata()
    if header.size >= 40:
        metadata.dpi = valid_dpi(unpack("<ii", data, _START + 24), INCHES)
    if header.size >= 124 and unpack("<I", data, _START + 56)[0] == _EMBEDDED:
        start, length = unpack("<II", data, _START + 112)
        profile = data[_START + start : _START + start + length]
        metadata.set_profile(profile if len(profile) == length else None)
    return metadata


def _palette(data: bytes, header: _Header) -> ByteArray:
    """(256, 3) colours; black for indices without one."""
    entry = 3 if header.size == 12 else 4
    count = header.colours or 1 << header.bits
    end = _START + header.size + entry * min(count, 256)
    stored = data[_START + header.size : min(end, header.offset)]
    stored = stored[: len(stored) // entry * entry]
    table = np.zeros((256, 3), np.uint8)
    entries = np.frombuffer(stored, np.uint8).reshape(-1, entry)
    table[: len(entries)] = entries[:, 2::-1]
    return table


# --- Pixels ---------------------------------------------------------------------------


def _rows(data: bytes, header: _Header) -> ByteArray:
    """(H, bytes of a row) uint8, the upper row first."""
    count = header.height * header.row_bytes
    padding = header.row_bytes - (header.width * header.bits + 7) // 8
    stored = data[header.offset : header.offset + count]
    if len(stored) < count - padding:
        raise Damaged("its pixels are incomplete")
    stored = stored.ljust(count, b"\0")
    rows = np.frombuffer(stored, np.uint8).reshape(header.height, header.row_bytes)
    return rows if header.top_down else rows[::-1]


def _indices(rows: ByteArray, header: _Header) -> ByteArray:
    if header.bits == 8:
        return rows[:, : header.width]
    bits = np.unpackbits(rows, axis=1).reshape(header.height, -1, header.bits)
    weights = 1 << np.arange(header.bits - 1, -1, -1, dtype=np.uint8)
    return cast(ByteArray, (bits[:, : header.width] * weights).sum(2, dtype=np.uint8))


def _split_fields(
    rows: ByteArray, header: _Header
) -> tuple[PixelArray, WordArray | None]:
    """Colours and alpha of pixels of 16 or 32 bits, as the masks say."""
    words = np.ascontiguousarray(rows).view(f"<u{header.bits // 8}")[:, : header.width]
    shape = (header.height, header.width)
    widths = [mask.bit_count() for mask in header.masks]
    dtype = np.uint16 if max(widths[:3]) > 8 else np.uint8
    colour = np.zeros((*shape, 3), dtype)
    alpha = np.zeros(shape, np.uint16) if header.masks[3] else None
    for block in strips(*shape):
        for channel, mask in enumerate(header.masks[:3]):
            if mask:
                colour[block, :, channel] = _scale(words[block], mask, dtype)
        if alpha is not None:
            alpha[block] = _scale(words[block], header.masks[3], np.uint16)
    if alpha is not None and not alpha.any():  # of programs that leave it unset
        alpha = None
    return colour, alpha


def _scale(words: PixelArray, mask: int, dtype: type) -> PixelArray:
    """The field of a mask, from its own range to that of a type."""
    shift, largest = (mask & -mask).bit_length() - 1, mask // (mask & -mask)
    top = np.iinfo(dtype).max
    field = (words.astype(np.uint64) & mask) >> shift
    return cast(PixelArray, ((field * top + largest // 2) // largest).astype(dtype))


def _decode_runs(data: bytes, header: _Header) -> ByteArray:
    """(H, W) indices of a file with run lengths."""
    runs = data[header.offset :]
    # A palette of greys makes Pillow's pixels the indices.
    greys = bytes(v for n in range(256) for v in (n, n, n, 0))[: 4 << header.bits]
    if header.bits == 4:
        greys = bytes(v for n in range(16) for v in (n, n, n, 0))
    height = -header.height if header.top_down else header.height
    fields = (40, header.width, height, 1, header.bits, header.compression)
    info = struct.pack("<IiiHHIIiiII", *fields, len(runs), 0, 0, 1 << header.bits, 0)
    offset = _START + len(info) + len(greys)
    start = MAGIC + struct.pack("<IHHI", offset + len(runs), 0, 0, offset)
    pixels, _ = decode_samples(start + info + greys + runs, "BMP")
    if pixels.shape[:2] != (header.height, header.width):
        raise Damaged("its size is contradictory")
    return pixels[..., 0]
