"""Decode the first picture of GIF files (GIF89a)."""

from __future__ import annotations

import struct

import numpy as np

from zim_app.core.decoders.base import (
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
)
from zim_app.core.decoders.pillow import decode_samples
from zim_model.arrays import ByteArray
from zim_model.errors import msg

MAGICS = (b"GIF87a", b"GIF89a")


def decode_gif(data: bytes, name: str) -> DecodedImage:
    """Decode a GIF file; what the first frame leaves out of the canvas is transparent.

    Raises:
        ImageError: it is too large.
        Damaged, OSError: its pixels are damaged.
    """
    width, height, flags = unpack("<HHB", data, 6)
    palette, position = _palette(data, 13, flags)
    clear: int | None = None
    while (kind := data[position : position + 1]) != b",":
        if kind != b"!":
            raise Damaged("its pixels are missing")
        blocks, end = _blocks(data, position + 2)
        if data[position + 1 : position + 2] == b"\xf9" and len(blocks) >= 4:
            clear = blocks[3] if blocks[0] & 1 else None
        position = end
    left, top, columns, rows, flags = unpack("<HHHHB", data, position + 1)
    check_size(name, columns, rows)
    width, height = max(width, left + columns), max(height, top + rows)
    check_size(name, width, height)
    own, position = _palette(data, position + 10, flags)
    metadata = Metadata()
    _, end = _blocks(data, position + 1)
    if end >= len(data):
        metadata.ignored.append(msg("end marker"))
    indices = _decode_frame(columns, rows, flags, data[position:end])
    return _to_image(
        indices, own or palette, clear, (height, width), (top, left), metadata
    )


def _palette(data: bytes, position: int, flags: int) -> tuple[bytes, int]:
    """The palette at a position, which may be empty, and its end."""
    length = 3 << (flags & 7) + 1 if flags & 128 else 0
    if len(data) < position + length:
        raise Damaged("it ends too early")
    return data[position : position + length], position + length


def _blocks(data: bytes, position: int) -> tuple[bytes, int]:
    """The first block of data at a position, and the end of all."""
    size = unpack("B", data, position)[0]
    first = data[position + 1 : position + 1 + size]
    while size:
        position += 1 + size
        if position >= len(data):  # the pixels may be complete all the same
            return first, len(data)
        size = data[position]
    return first, position + 1


def _decode_frame(width: int, height: int, flags: int, coded: bytes) -> ByteArray:
    """(H, W) indices of the frame alone, on a canvas of its size."""
    # The grey palette of Pillow's own makes no difference to indices.
    header = MAGICS[1] + struct.pack("<HHBBB", width, height, 0xF7, 0, 0)
    greys = bytes(value for grey in range(256) for value in (grey,) * 3)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, flags & 64)
    pixels, mode = decode_samples(header + greys + frame + coded + b"\0;", "GIF")
    if mode not in ("L", "P") or pixels.shape[:2] != (height, width):
        raise Damaged("its size is contradictory")
    return pixels[..., 0]


def _to_image(
    indices: ByteArray,
    palette: bytes,
    clear: int | None,
    canvas: tuple[int, int],
    place: tuple[int, int],
    metadata: Metadata,
) -> DecodedImage:
    table = np.zeros((256, 3), np.uint8)
    if palette:
        table[: len(palette) // 3] = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    else:
        table[:] = np.arange(256)[:, None]
    opacity = np.full(256, 65535, np.uint16)
    if clear is not None:
        opacity[clear] = 0
    if indices.shape == canvas:
        alpha = None if clear is None else opacity[indices]
        return metadata.image(table[indices], "RGB", alpha)
    colour = np.zeros((*canvas, 3), np.uint8)
    alpha = np.zeros(canvas, np.uint16)
    rows = slice(place[0], place[0] + indices.shape[0])
    columns = slice(place[1], place[1] + indices.shape[1])
    colour[rows, columns], alpha[rows, columns] = table[indices], opacity[indices]
    return metadata.image(colour, "RGB", alpha)
