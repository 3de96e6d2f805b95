"""TIFF files written value by value, after the TIFF 6.0 and BigTIFF specifications."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np

WHITE_ZERO, BLACK_ZERO, RGB, PALETTE, INKS = 0, 1, 2, 3, 5
ASSOCIATED, STRAIGHT, OTHER = 1, 2, 0

COMPRESSIONS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "none": (1, bytes),
    "lzw": (5, imagecodecs.lzw_encode),
    "deflate": (8, zlib.compress),
    "packbits": (32773, imagecodecs.packbits_encode),
    "lzma": (34925, imagecodecs.lzma_encode),
    "zstd": (50000, imagecodecs.zstd_encode),
}
_CODES = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 16: "Q", 7: "s"}


@dataclass(frozen=True)
class Variant:
    """How samples are stored."""

    photometric: int = RGB
    bits: int = 8
    planar: bool = False
    order: str = "<"
    big: bool = False
    compression: str = "none"
    predictor: bool = False
    extra: tuple[int, ...] = ()
    rows_per_strip: int = 5
    sample_format: int = 1


Tag = tuple[int, int, Sequence[int] | bytes]
"""Number, type and values."""


def tiff_file(samples: np.ndarray, variant: Variant, tags: Sequence[Tag] = ()) -> bytes:
    """A file of one page.

    Args:
        samples: (H, W, S) integers of ``variant.bits`` bits.
        variant: how they are stored.
        tags: in addition to those that the variant needs.
    """
    height, width, count = samples.shape
    planes = np.split(samples, count, axis=2) if variant.planar else [samples]
    strips = [
        _strip(plane[top : top + variant.rows_per_strip], variant)
        for plane in planes
        for top in range(0, height, variant.rows_per_strip)
    ]
    number, _ = COMPRESSIONS[variant.compression]
    offset_type = 16 if variant.big else 4
    offsets, position = [], 16 if variant.big else 8
    for strip in strips:
        offsets.append(position)
        position += len(strip) + len(strip) % 2
    entries: list[Tag] = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [variant.bits] * count),
        (259, 3, [number]),
        (262, 3, [variant.photometric]),
        (273, offset_type, offsets),
        (277, 3, [count]),
        (278, 4, [variant.rows_per_strip]),
        (279, offset_type, [len(strip) for strip in strips]),
        (284, 3, [2 if variant.planar else 1]),
    ]
    if variant.predictor:
        entries.append((317, 3, [2]))
    if variant.extra:
        entries.append((338, 3, variant.extra))
    if variant.sample_format != 1:
        entries.append((339, 3, [variant.sample_format] * count))
    body = b"".join(strip + bytes(len(strip) % 2) for strip in strips)
    return (
        _header(position, variant)
        + body
        + directory([*entries, *tags], position, variant)
    )


def _header(first: int, variant: Variant) -> bytes:
    mark = b"II" if variant.order == "<" else b"MM"
    if variant.big:
        return mark + struct.pack(f"{variant.order}HHHQ", 43, 8, 0, first)
    return mark + struct.pack(f"{variant.order}HI", 42, first)


def directory(entries: Sequence[Tag], position: int, variant: Variant) -> bytes:
    """An image file directory at a position, with its values behind it."""
    order, room = variant.order, 8 if variant.big else 4
    count_code, entry_bytes = ("Q", 20) if variant.big else ("H", 12)
    start = struct.calcsize(order + count_code)
    end = position + start + entry_bytes * len(entries) + room
    rows, values = b"", b""
    for number, kind, content in sorted(entries, key=lambda entry: entry[0]):
        packed, count = _values(kind, content, order)
        rows += struct.pack(
            f"{order}HH{'Q' if variant.big else 'I'}", number, kind, count
        )
        if len(packed) <= room:
            rows += packed.ljust(room, b"\0")
        else:
            rows += struct.pack(
                f"{order}{'Q' if variant.big else 'I'}", end + len(values)
            )
            values += packed + bytes(len(packed) % 2)
    head = struct.pack(order + count_code, len(entries))
    return head + rows + bytes(room) + values


def _values(kind: int, content: Sequence[int] | bytes, order: str) -> tuple[bytes, int]:
    if isinstance(content, bytes):
        return content, len(content)
    code = _CODES[kind]
    packed = struct.pack(f"{order}{code[0] * len(content)}", *content)
    return packed, len(content) // len(code)


def _strip(samples: np.ndarray, variant: Variant) -> bytes:
    bits, largest = variant.bits, (1 << variant.bits) - 1
    values = samples.astype(np.int64)
    if variant.predictor:
        values[:, 1:] = (values[:, 1:] - values[:, :-1]) & largest
    if bits in (8, 16):
        packed = values.astype(f"{variant.order}u{bits // 8}").tobytes()
    else:  # rows begin at bytes, the first sample in the highest bits
        places = np.arange(bits - 1, -1, -1)
        flat = values.reshape(len(values), -1, 1) >> places & 1
        packed = np.packbits(
            flat.reshape(len(values), -1).astype(np.uint8), axis=1
        ).tobytes()
    return COMPRESSIONS[variant.compression][1](packed)
