"""Decode the first picture of WebP files (RFC 9649), animated ones included."""

from __future__ import annotations

import struct
from typing import cast

import numpy as np

from zim_app.core.decoders.base import (
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
)
from zim_app.core.decoders.pillow import decode_samples
from zim_app.core.pixels import convert_depth
from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import msg

MAGIC = b"RIFF"
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_ALPHA = 16
"""The flag for transparency of the VP8X chunk."""

_Chunk = tuple[bytes, bytes]


def decode_webp(data: bytes, name: str) -> DecodedImage:
    """Decode a WebP file; a first frame smaller than the canvas is placed on it.

    Raises:
        ImageError: it is too large.
        Damaged, OSError: its pixels are damaged.
    """
    chunks, complete = _chunks(data, 12)
    metadata = Metadata()
    canvas, place, still = None, (0, 0), [x for x in chunks if x[0] in _PIXELS]
    for kind, body in chunks:
        if kind == b"VP8X":
            canvas = (_number(body, 4) + 1, _number(body, 7) + 1)
            check_size(name, *canvas)
        elif kind == b"ANMF":
            place = (2 * _number(body, 0), 2 * _number(body, 3))
            still = [x for x in _chunks(body, 16)[0] if x[0] in _PIXELS]
            break
    _read_metadata(chunks, metadata)
    if not complete:
        metadata.ignored.append(msg("end marker"))
    pixels = _decode_frame(still, name)
    if canvas is not None and (place != (0, 0) or pixels.shape[1::-1] != canvas):
        pixels = _place(pixels, canvas, place)
    if pixels.shape[2] == 3:
        return metadata.image(pixels, "RGB")
    alpha = cast(WordArray, convert_depth(pixels[..., 3], np.uint16))
    return metadata.image(pixels[..., :3], "RGB", alpha)


def _chunks(data: bytes, position: int) -> tuple[list[_Chunk], bool]:
    """The whole chunks from a position on, and whether the last one is complete."""
    chunks: list[_Chunk] = []
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length]
        if len(body) < length:
            if kind in (*_PIXELS, b"ANMF") and not any(
                x[0] in (b"VP8 ", b"VP8L", b"ANMF") for x in chunks
            ):
                raise Damaged("it ends too early")
            return chunks, False
        chunks.append((kind, body))
        position += 8 + length + length % 2
    return chunks, True


def _number(body: bytes, offset: int) -> int:
    """A number of 24 bits."""
    low, high = unpack("<HB", body, offset)
    return cast(int, low + (high << 16))


def _frame_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8L":
        bits = unpack("<I", body, 1)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = unpack("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _decode_frame(still: list[_Chunk], name: str) -> ByteArray:
    """(H, W, 3 or 4) pixels of one frame."""
    coded = [x for x in still if x[0] != b"ALPH"][:1]
    if not coded:
        raise Damaged("its pixels are missing")
    width, height = _frame_size(*coded[0])
    check_size(name, width, height)
    alpha = [x for x in still if x[0] == b"ALPH"][:1] if coded[0][0] == b"VP8 " else []
    if alpha:
        header = bytes([_ALPHA, 0, 0, 0]) + b"".join(
            (side - 1).to_bytes(3, "little") for side in (width, height)
        )
        coded = [(b"VP8X", header), *alpha, *coded]
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(part)) + part + bytes(len(part) % 2)
        for kind, part in coded
    )
    return decode_samples(MAGIC + struct.pack("<I", len(body)) + body, "WEBP")[0]


def _place(
    pixels: ByteArray, canvas: tuple[int, int], place: tuple[int, int]
) -> ByteArray:
    """A frame on the transparent canvas."""
    width, height = canvas
    left, top = place
    result = np.zeros((height, width, 4), np.uint8)
    target = result[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    part = pixels[: target.shape[0], : target.shape[1]]
    target[..., :3] = part[..., :3]
    target[..., 3] = part[..., 3] if pixels.shape[2] == 4 else 255
    return result


def _read_metadata(chunks: list[_Chunk], metadata: Metadata) -> None:
    for kind, body in chunks:
        if kind == b"ICCP":
            metadata.set_profile(body)
        elif kind == b"EXIF":
            metadata.read_exif(body)
        elif kind == b"XMP ":
            metadata.read_xmp(body)
