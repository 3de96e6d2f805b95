"""Encode PNG files (ISO/IEC 15948): each row filtered, deflated by libdeflate."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO, cast

import imagecodecs
import numpy as np
import numpy.typing as npt

from zim_app.core.pixels import PixelArray
from zim_model.arrays import ByteArray

EFFORT = 1
"""Of libdeflate: a third of the time of zlib's level 3, and files that are smaller."""
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""By the number of channels: grey, RGB, RGBA."""
_SUB, _UP = 1, 2
"""Filters: difference to the pixel on the left, and to the one above."""
_CHUNK_BYTES = 1 << 20
"""Of compressed data in a chunk; between chunks a writer may be cancelled."""
_INCHES = 0.0254


def encode_png(
    stream: IO[bytes],
    pixels: PixelArray,
    icc: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write (H, W), (H, W, 3) or (H, W, 4) pixels at their own depth, 8 or 16 bits.

    The same arguments give the same bytes on every machine.

    Args:
        stream: written to in parts of about a megabyte.
        pixels: uint8 or uint16.
        icc: colour profile.
        dpi: horizontal and vertical pixels per inch.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    depth = 8 * pixels.itemsize
    stream.write(b"\x89PNG\r\n\x1a\n")
    header = (width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    _write_chunk(stream, b"IHDR", struct.pack(">IIBBBBB", *header))
    if icc:
        _write_chunk(stream, b"iCCP", b"ICC Profile\0\0" + deflate(icc))
    if dpi:
        x, y = (round(number / _INCHES) for number in dpi)  # pixels per metre
        _write_chunk(stream, b"pHYs", struct.pack(">IIB", x, y, 1))
    data = memoryview(deflate(_filtered(pixels)))
    for start in range(0, len(data), _CHUNK_BYTES):
        _write_chunk(stream, b"IDAT", data[start : start + _CHUNK_BYTES])
    _write_chunk(stream, b"IEND", b"")


def deflate(data: bytes | ByteArray) -> bytes | bytearray:
    """Compress into zlib's format (RFC 1950), with libdeflate."""
    return imagecodecs.deflate_encode(cast(bytes, data), level=EFFORT)


def _write_chunk(stream: IO[bytes], kind: bytes, body: bytes | memoryview) -> None:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    stream.write(struct.pack(">I4s", len(body), kind))
    stream.write(body)
    stream.write(struct.pack(">I", checksum))


def _filtered(pixels: PixelArray) -> ByteArray:
    """Rows of bytes, each after its filter: (H, 1 + bytes of a row) uint8.

    Of two filters a row takes the one with the smaller sum of absolute differences, the
    heuristic of the standard.
    """
    height = len(pixels)
    row_bytes, pixel_bytes = pixels.nbytes // height, pixels[0, 0].nbytes
    out = np.empty((height, 1 + row_bytes), np.uint8)
    above = np.zeros(row_bytes, np.uint8)
    for rows in _blocks(height, row_bytes):
        block = pixels[rows].astype(pixels.dtype.newbyteorder(">"), copy=False)
        raw = np.ascontiguousarray(block).view(np.uint8).reshape(-1, row_bytes)
        up, left = np.empty_like(raw), np.empty_like(raw)
        np.subtract(raw[0], above, out=up[0])
        np.subtract(raw[1:], raw[:-1], out=up[1:])
        left[:, :pixel_bytes] = raw[:, :pixel_bytes]
        np.subtract(
            raw[:, pixel_bytes:], raw[:, :-pixel_bytes], out=left[:, pixel_bytes:]
        )
        takes_up = _cost(up) < _cost(left)
        out[rows, 0] = np.where(takes_up, _UP, _SUB)
        out[rows, 1:] = np.where(takes_up[:, None], up, left)
        above = raw[-1]
    return out


def _blocks(height: int, row_bytes: int) -> Iterator[slice]:
    """Rows that stay in a processor's cache."""
    step = max(1, (1 << 18) // row_bytes)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def _cost(differences: ByteArray) -> npt.NDArray[np.uint32]:
    """The sum of each row's absolute differences, which wrap around at 256."""
    magnitudes: ByteArray = np.abs(differences.view(np.int8)).view(np.uint8)
    return np.asarray(magnitudes.sum(1, dtype=np.uint32))
