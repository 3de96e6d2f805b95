"""Image files of every format, changed in their structure and their bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageCms, features

from tests.fuzz.mutation import WHOLE, mutate_bytes, number_bytes
from tests.fuzz.reader import Reader
from tests.zim_app.core.decoders import test_png as png
from tests.zim_app.core.decoders.tiff_files import COMPRESSIONS, Variant, tiff_file

MEMORY = 3 << 29
"""A header that is below the limit of pixels may ask for more, and is refused then."""
BOMB = 30_000_000
"""Bytes that compress to a thousandth."""
Mutation = Callable[[Random, bytes], bytes]


def _pixels(bands: int = 3) -> np.ndarray:
    shape = (24, 32, bands) if bands > 1 else (24, 32)
    return np.random.default_rng(bands).integers(0, 256, shape, np.uint8)


@lru_cache
def _profile() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def _saved(mode: str, file_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(_pixels(4)).convert("RGBA").convert(mode)
    image.save(stream, file_format, **options)
    return stream.getvalue()


def _exif() -> bytes:
    exif = Image.Exif()
    exif[274], exif[282], exif[296] = 6, 300.0, 2
    return bytes(exif.tobytes())


# -- PNG -------------------------------------------------------------------------------


@lru_cache
def _png_files() -> list[bytes]:
    extra = png.chunk(b"gAMA", struct.pack(">I", 55555)) + png.chunk(
        b"eXIf", _exif()[6:]
    )
    extra += png.chunk(b"iCCP", b"x\0\0" + zlib.compress(_profile()))
    extra += png.chunk(b"pHYs", struct.pack(">IIB", 3000, 3000, 1))
    extra += png.chunk(b"tRNS", bytes(6)) + png.chunk(
        b"zTXt", b"a\0\0" + zlib.compress(b"b")
    )
    palette = png.chunk(b"PLTE", bytes(range(48)))
    files = [
        png.png(
            *(png.noise(kind, depth), kind, depth),
            interlaced=interlaced,
            before=(palette if kind == png.PALETTE else b"") + extra,
        )
        for kind, depth in png.CASES
        for interlaced in (False, True)
    ]
    frames = [Image.fromarray(_pixels()), Image.fromarray(255 - _pixels())]
    stream = io.BytesIO()
    frames[0].save(stream, "PNG", save_all=True, append_images=frames[1:])
    return [*files, stream.getvalue()]


def _mutate_png(rng: Random, data: bytes) -> bytes:
    """Chunks changed, repeated, moved or left out, most with right checksums."""
    chunks, position = [], 8
    while position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        chunks.append((kind, data[position + 8 : position + 8 + size]))
        position += 12 + size
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(chunks))
        kind, body = chunks[at]
        match rng.randrange(6):
            case 0:
                del chunks[at]
            case 1:
                chunks.insert(rng.randrange(len(chunks) + 1), chunks[at])
            case 2 if kind == b"IHDR":
                side = rng.randrange(2) * 4
                body = body[:side] + number_bytes(rng, 4) + body[side + 4 :]
                chunks[at] = kind, body
            case 3 if rng.random() < 0.1:
                bomb = b"x\0\0" + zlib.compress(bytes(BOMB))
                name = rng.choice((b"iCCP", b"zTXt", b"IDAT"))
                chunks.insert(1, (name, bomb[3:] if name == b"IDAT" else bomb))
            case 4 if kind in (b"IDAT", b"iCCP"):
                chunks[at] = kind, zlib.compress(mutate_bytes(rng, body * 3))
            case _:
                chunks[at] = kind, mutate_bytes(rng, body)
        if not chunks:
            break
    result = data[:8] + b"".join(png.chunk(kind, body) for kind, body in chunks)
    return mutate_bytes(rng, result) if rng.random() < 0.1 else result


# -- JPEG ------------------------------------------------------------------------------


@lru_cache
def _jpeg_files() -> list[bytes]:
    plain = {"exif": _exif(), "icc_profile": _profile(), "dpi": (300, 300)}
    return [
        _saved(mode, "JPEG", progressive=progressive, **options)
        for mode in ("RGB", "L", "CMYK")
        for progressive in (False, True)
        for options in ({}, plain)
    ]


def _mutate_jpeg(rng: Random, data: bytes) -> bytes:
    """Segments changed, with their lengths right or wrong; or none of the end."""
    segments, position = [], 2
    while data[position : position + 1] == b"\xff" and data[position + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", data, position + 2)
        segments.append(data[position : position + 2 + size])
        position += 2 + size
    rest = data[position:]
    at = rng.randrange(len(segments))
    marker, body = segments[at][:2], segments[at][4:]
    match rng.randrange(6):
        case 0:
            del segments[at]
        case 1:
            segments.insert(rng.randrange(len(segments)), segments[at])
        case 2:
            segments[at] = marker + number_bytes(rng, 2) + body
        case 3:
            rest = rng.choice((rest[:-2], rest[: len(rest) // 2], rest + rest))
        case 4:
            rest = mutate_bytes(rng, rest)
        case _:
            body = mutate_bytes(rng, body)[:65000]
            segments[at] = marker + struct.pack(">H", len(body) + 2) + body
    return data[:2] + b"".join(segments) + rest


# -- TIFF ------------------------------------------------------------------------------


@lru_cache
def _tiff_files() -> list[bytes]:
    rgb = _pixels()[:11, :13]
    variants = [
        Variant(bits=bits, planar=planar, order=order, big=big, compression=name)
        for bits in (8, 16)
        for planar in (False, True)
        for order, big in (("<", False), (">", False), ("<", True))
        for name in COMPRESSIONS
    ]
    files = [tiff_file(rgb.astype(int), variant, _tags()) for variant in variants]
    extra = Variant(extra=(1,), predictor=True, compression="lzw")
    files.append(tiff_file(_pixels(4)[:11, :13].astype(int), extra))
    palette = np.arange(3 * 256, dtype=int) * 80
    grey = _pixels(1)[:11, :13, None].astype(int)
    files.append(tiff_file(grey, Variant(3), [(320, 3, palette.tolist())]))
    files.append(tiff_file(_pixels(4)[:11, :13].astype(int), Variant(5)))
    return [*files, _saved("RGB", "TIFF", compression="jpeg"), _saved("1", "TIFF")]


def _tags() -> list[Any]:
    return [(274, 3, [6]), (34675, 7, _profile()), (282, 5, [300, 1]), (296, 3, [2])]


def _mutate_tiff(rng: Random, data: bytes) -> bytes:
    """Entries of the directory with other numbers, types, counts and offsets."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"\x2b\0", b"\0\x2b")
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        size, head = (20, 8) if big else (12, 2)
        at = start + head + size * rng.randrange(min(count, 60))
        field, width = rng.choice(((0, 2), (2, 2), (4, 4), (size - 4, 4), (8, 4)))
        number = rng.choice((*WHOLE, *range(20), 256, 34675, 34712, 50706))
        number &= (1 << 8 * width) - 1
        place = "little" if order == "<" else "big"
        changed[at + field : at + field + width] = number.to_bytes(width, place)
    return bytes(changed)


# -- Others ----------------------------------------------------------------------------


@lru_cache
def _bmp_files() -> list[bytes]:
    files = [_saved(mode, "BMP") for mode in ("RGB", "L", "1", "P", "RGBA")]
    rgb = bytearray(files[0])
    for compression in (1, 2, 3, 4, 6):
        for bits in (4, 8, 16, 32):
            struct.pack_into("<HI", rgb, 28, bits, compression)
            files.append(bytes(rgb))
    return files


@lru_cache
def _gif_files() -> list[bytes]:
    frames = [Image.fromarray(_pixels()).convert("P"), Image.new("P", (8, 8))]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], loop=0)
    small = b"GIF89a\x03\0\x02\0\x80\0\0\xff\0\0\0\xff\0,"
    small += b"\x01\0\x01\0\x01\0\x01\0\0\x02\x02L\x01\0;"
    return [stream.getvalue(), _saved("P", "GIF", transparency=3), small]


@lru_cache
def _webp_files() -> list[bytes]:
    meta = {"exif": _exif(), "icc_profile": _profile()}
    files = [
        _saved(mode, "WEBP", lossless=lossless, **options)
        for mode in ("RGB", "RGBA")
        for lossless in (False, True)
        for options in ({}, meta)
    ]
    stream = io.BytesIO()
    frame = Image.fromarray(_pixels(4))
    frame.save(stream, "WEBP", save_all=True, append_images=[frame])
    return [*files, stream.getvalue()]


@lru_cache
def _avif_files() -> list[bytes]:
    if not features.check("avif"):
        return [b"\0\0\0\x1cftypavif" + bytes(100)]
    meta = {"exif": _exif(), "icc_profile": _profile()}
    return [_saved(mode, "AVIF", **meta) for mode in ("RGB", "RGBA")]


def _mutate_boxes(rng: Random, data: bytes) -> bytes:
    """Lengths of chunks or boxes, most often; else any bytes."""
    kinds = (b"RIFF", b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
    kinds += (b"ftyp", b"meta", b"iloc", b"iinf", b"iprp", b"ispe", b"av1C", b"colr")
    found = [data.find(kind) for kind in kinds if kind in data]
    if found and rng.random() < 0.5:
        at = rng.choice(found) + rng.choice((-4, 4, 8, 12))
        return data[: max(at, 0)] + number_bytes(rng, 4) + data[max(at, 0) + 4 :]
    return mutate_bytes(rng, data, rng.choice((0, 12)))


_OTHERS = (b"8BPS", b"%PDF-1.4", b"\0\0\1\0", b"P6\n", b"v/1\1", b"<svg/>", b"PK\3\4")
_OTHERS += (b"FUJIFILMCCD-RAW ", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypcrx ", b"IIRO")
_OTHERS += (
    b"II*\0\x10\0\0\0CR\2\0",
    b"MM\0*",
    b"II+\0",
    b"GIF87a",
    b"RIFF",
    b"BM",
    b"",
)


@lru_cache
def _other_files() -> list[bytes]:
    heads = [head + bytes(range(256)) for head in _OTHERS]
    dng = tiff_file(
        _pixels()[:11, :13].astype(int), Variant(), [(50706, 1, b"\1\4\0\0")]
    )
    return [*heads, dng, b"", b"\0", b"\xff\xd8\xff"]


# -- Reading ---------------------------------------------------------------------------


def _make(
    files: Callable[[], list[bytes]], change: Mutation, rng: Random, folder: Path
) -> Path:
    data = rng.choice(files())
    data = mutate_bytes(rng, data) if rng.random() < 0.3 else change(rng, data)
    path = folder / rng.choice(("a.png", "a.jpg", "a.tif", "a", "a.CR2"))
    path.write_bytes(data)
    return path


def _read(path: Path) -> None:
    from zim_app.core.decoding import read_size
    from zim_app.core.images import load_image
    from zim_app.core.masks import load_mask
    from zim_app.core.thumbnails import read_thumbnail
    from zim_model.errors import ZimError

    size = read_size(path)
    image = load_image(path)
    assert size in (None, image.rgb.shape[:2])
    assert max(read_thumbnail(path, 16).shape[:2]) <= 16
    try:
        load_mask(path, image)
    except ZimError:
        return


def _make_any(rng: Random, folder: Path) -> Path:
    return _make(*rng.choice(_FORMATS)[1:], rng, folder)


def _read_for_evaluation(path: Path) -> None:
    from zim_model.errors import ZimError
    from zim_model.evaluation.reading import read_image, read_matte, read_trimap

    for read in (read_matte, read_trimap):
        try:
            read(path)
        except ZimError:
            continue
    read_image(path)


_FORMATS = (
    ("png", _png_files, _mutate_png),
    ("jpeg", _jpeg_files, _mutate_jpeg),
    ("tiff", _tiff_files, _mutate_tiff),
    ("bmp", _bmp_files, mutate_bytes),
    ("gif", _gif_files, mutate_bytes),
    ("webp", _webp_files, _mutate_boxes),
    ("avif", _avif_files, _mutate_boxes),
    ("other-formats", _other_files, mutate_bytes),
)
READERS = (
    *(
        Reader(name, partial(_make, files, change), _read, memory=MEMORY)
        for name, files, change in _FORMATS
    ),
    Reader("evaluation-image", _make_any, _read_for_evaluation, memory=MEMORY),
)
