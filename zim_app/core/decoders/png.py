"""Decode the still picture of PNG files (ISO/IEC 15948), animated ones included.

The checksum of every chunk is checked here.  Native decoders get header, palette and
image data alone: libpng, and Pillow for palettes and fewer than 8 bits.
Transparency, profile, resolution and orientation are read from their chunks.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import cast

import imagecodecs
import numpy as np

from zim_app.core.decoders.base import (
    INCHES,
    MAX_PROFILE,
    MAX_TEXT,
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
    valid_dpi,
)
from zim_app.core.decoders.pillow import decode_samples
from zim_app.core.pixels import PixelArray, convert_depth
from zim_model.arrays import WordArray
from zim_model.errors import msg

MAGIC = b"\x89PNG\r\n\x1a\n"

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
_DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGB_ALPHA: (8, 16),
}
_RAW_EXIF = re.compile(rb"\s*exif\s+\d+\s+([0-9a-fA-F\s]*)\0*$")
"""EXIF as ImageMagick writes it into a text."""


@dataclass(slots=True)
class _Header:
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: int

    @classmethod
    def read(cls, body: bytes) -> _Header:
        width, height, depth, colour, method, filters, interlaced = unpack(
            ">IIBBBBB", body
        )
        known = depth in _DEPTHS.get(colour, ()) and interlaced in (0, 1)
        if not known or method or filters:
            raise Damaged("its header is invalid")
        return cls(width, height, depth, colour, interlaced)


@dataclass(slots=True)
class _Chunks:
    """The chunks of the still picture, and the metadata of the others."""

    header: _Header
    header_body: bytes
    palette: bytes = b""
    transparency: bytes | None = None
    data: list[bytes] = field(default_factory=list)
    metadata: Metadata = field(default_factory=Metadata)


def decode_png(data: bytes, name: str) -> DecodedImage:
    """Decode a PNG file.

    Raises:
        ImageError: it is too large.
        Damaged, zlib.error: its pixels are damaged.
    """
    chunks = _read_chunks(data, name)
    header = chunks.header
    if header.colour == PALETTE and not chunks.palette:
        raise Damaged("its palette is missing")
    still = b"".join(
        (
            MAGIC,
            chunk(b"IHDR", chunks.header_body),
            # Suggested palettes of true colour pictures are of no use.
            chunk(b"PLTE", chunks.palette) if header.colour == PALETTE else b"",
            chunk(b"IDAT", b"".join(chunks.data)),
            chunk(b"IEND", b""),
        )
    )
    chunks.data.clear()
    pixels = _decode_pixels(still, header)
    if pixels.shape[:2] != (header.height, header.width):
        raise Damaged("its size is contradictory")
    return _to_image(pixels, chunks)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its length and checksum."""
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


# --- The container --------------------------------------------------------------------


def _read_chunks(data: bytes, name: str) -> _Chunks:
    if data[12:16] != b"IHDR":
        raise Damaged("its header is missing")
    body = data[16:29]
    chunks = _Chunks(_Header.read(body), body)
    check_size(name, chunks.header.width, chunks.header.height)
    if unpack(">I", data, 29)[0] != zlib.crc32(data[12:29]):
        raise Damaged("the checksum of its header is wrong")
    position, complete = 33, False
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            if kind in (b"IDAT", b"PLTE", b"tRNS"):
                raise Damaged("it ends too early")
            break
        body = data[position + 8 : end - 4]
        checksum = zlib.crc32(body, zlib.crc32(kind))
        _read_chunk(chunks, kind, body, checksum == unpack(">I", data, end - 4)[0])
        position = end
        if kind == b"IEND":
            complete = True
            break
    if not complete:
        chunks.metadata.ignored.append(msg("end marker"))
    return chunks


def _read_chunk(chunks: _Chunks, kind: bytes, body: bytes, sound: bool) -> None:
    metadata = chunks.metadata
    if kind in (b"IDAT", b"PLTE", b"tRNS"):
        if not sound:
            raise Damaged(f"the checksum of its {kind.decode()} chunk is wrong")
        if kind == b"IDAT":
            chunks.data.extend([body] if body else [])
        elif kind == b"PLTE":
            chunks.palette = body[: len(body) // 3 * 3][: 3 * 256]
        else:
            chunks.transparency = body
    elif kind == b"iCCP":
        metadata.set_profile(_profile(body) if sound else None)
    elif kind == b"eXIf":
        metadata.read_exif(body if sound else None)
    elif kind == b"pHYs":
        if sound and len(body) == 9:
            *sides, unit = struct.unpack(">IIB", body)
            metadata.dpi = valid_dpi(sides, INCHES) if unit == 1 else None
        else:
            metadata.ignored.append(msg("resolution"))
    elif kind in (b"iTXt", b"zTXt", b"tEXt"):
        _read_text(metadata, kind, body)


def _profile(body: bytes) -> bytes | None:
    _, separator, packed = body.partition(b"\0")
    if not separator or packed[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        return unpacker.decompress(packed[1:], MAX_PROFILE + 1) or None
    except zlib.error:
        return None


def _read_text(metadata: Metadata, kind: bytes, body: bytes) -> None:
    """Find the orientation in the texts that can have it; no other text is needed."""
    keyword, _, text = body.partition(b"\0")
    if keyword not in (b"Raw profile type exif", b"XML:com.adobe.xmp"):
        return
    try:
        if kind == b"zTXt":
            text = zlib.decompressobj().decompress(text[1:], MAX_TEXT)
        elif kind == b"iTXt":
            packed = text[:1] == b"\1"
            text = text[2:].split(b"\0", 2)[2]
            if packed:
                text = zlib.decompressobj().decompress(text, MAX_TEXT)
    except (zlib.error, IndexError):
        metadata.ignored.append(msg("text"))
        return
    if keyword == b"XML:com.adobe.xmp":
        metadata.read_xmp(text[:MAX_TEXT])
    elif found := _RAW_EXIF.match(text[:MAX_TEXT]):
        digits = b"".join(found[1].split())
        metadata.read_exif(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))


# --- Pixels ---------------------------------------------------------------------------


def _decode_pixels(still: bytes, header: _Header) -> PixelArray:
    """Samples (H, W, S) uint8 or uint16, red first; greys of few bits as 8 bits."""
    if header.depth < 8 or header.colour == PALETTE:  # which libpng would look up
        return decode_samples(still, "PNG")[0]
    pixels: PixelArray = imagecodecs.png_decode(still)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _to_image(pixels: PixelArray, chunks: _Chunks) -> DecodedImage:
    header, metadata = chunks.header, chunks.metadata
    if header.colour == PALETTE:
        return _look_up(pixels[..., 0], chunks)
    if header.colour == GREY_ALPHA:
        alpha = convert_depth(pixels[..., 1], np.uint16)
        return metadata.image(pixels[..., 0], "GRAY", cast(WordArray, alpha))
    if header.colour == RGB_ALPHA:
        alpha = convert_depth(pixels[..., 3], np.uint16)
        return metadata.image(pixels[..., :3], "RGB", cast(WordArray, alpha))
    clear = _clear_pixels(pixels, chunks)
    if header.colour == GREY:
        return metadata.image(pixels[..., 0], "GRAY", clear)
    return metadata.image(pixels[..., :3], "RGB", clear)


def _look_up(indices: PixelArray, chunks: _Chunks) -> DecodedImage:
    table = np.zeros((256, 3), np.uint8)
    palette = np.frombuffer(chunks.palette, np.uint8).reshape(-1, 3)
    table[: len(palette)] = palette
    alpha = None
    if chunks.transparency:
        opacity = np.full(256, 65535, np.uint16)
        values = np.frombuffer(chunks.transparency[:256], np.uint8)
        opacity[: len(values)] = values * np.uint16(257)
        alpha = opacity[indices]
    return chunks.metadata.image(table[indices], "RGB", alpha)


def _clear_pixels(pixels: PixelArray, chunks: _Chunks) -> WordArray | None:
    """Alpha from the one colour that tRNS declares transparent; compared exactly."""
    header, body = chunks.header, chunks.transparency
    if body is None:
        return None
    count = _CHANNELS[header.colour]
    if len(body) < 2 * count:
        chunks.metadata.ignored.append(msg("transparent colour"))
        return None
    top = (1 << header.depth) - 1
    key = np.array(struct.unpack_from(f">{count}H", body)) & top
    if header.depth < 8:  # greys are scaled to 8 bits
        key = key * (255 // top)
    clear = (pixels[..., :count] == key).all(-1)
    return np.where(clear, np.uint16(0), np.uint16(65535))
