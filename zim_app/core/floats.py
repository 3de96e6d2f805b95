"""Encoders of light in floats, as compositors use them: OpenEXR and TIFF.

Colours are light with the primaries of sRGB.  In OpenEXR they are multiplied by alpha,
as its specification says; in TIFF they are not, which is tagged, as in its files of
whole numbers.  A matte holds alpha itself, which has no curve.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import tifffile

from zim_app.core.colour import linear_srgb, rgb_to_light
from zim_app.core.decoders.exr import SRGB, read_exr
from zim_app.core.decoders.tiff import read_floats
from zim_app.core.pixels import PixelArray, convert_depth
from zim_app.core.rasters import TIFF_OPTIONS, Tags
from zim_model.arrays import FloatArray

_ROWS = 16
"""Rows of a block of EXR's compression ZIP, which is number 3."""
_ZIP = b"\x03"
_EFFORT = 4
"""Of zlib, as in the OpenEXR library."""
_HALF, _FLOAT = 1, 2


def write_exr(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode (H, W) alpha, (H, W, 3) or (H, W, 4) straight colours as OpenEXR."""
    channels = _exr_channels(pixels, tags)
    height, width = pixels.shape[:2]
    header = _exr_header(channels, width, height, tags)
    rows = np.concatenate(
        [
            part.view(np.uint8).reshape(height, width * part.itemsize)
            for _, part in sorted(channels.items())
        ],
        axis=1,
    )
    blocks = [_pack(rows[top : top + _ROWS]) for top in range(0, height, _ROWS)]
    position = len(header) + 8 * len(blocks)
    offsets = []
    for block in blocks:
        offsets.append(position)
        position += 8 + len(block)
    stream.write(header + struct.pack(f"<{len(offsets)}Q", *offsets))
    for number, block in enumerate(blocks):
        stream.write(struct.pack("<ii", number * _ROWS, len(block)))
        stream.write(block)


def check_exr(path: Path, pixels: PixelArray, tags: Tags) -> None:
    """Read an OpenEXR file back.

    Raises:
        ValueError: it does not hold what :func:`write_exr` was given.
    """
    found, expected = (
        read_exr(path.read_bytes(), path.name),
        _exr_channels(pixels, tags),
    )
    if found.keys() != expected.keys():
        raise ValueError("its channels differ")
    for name, part in expected.items():
        if found[name].dtype != part.dtype or not np.array_equal(found[name], part):
            raise ValueError(f"its channel {name} differs")


def write_float_tiff(stream: IO[bytes], pixels: PixelArray, tags: Tags) -> None:
    """Encode (H, W) alpha, (H, W, 3) or (H, W, 4) straight colours as floats."""
    tifffile.imwrite(
        stream,
        _straight(pixels, tags),
        photometric="minisblack" if pixels.ndim == 2 else "rgb",
        extrasamples=["unassalpha"] if pixels.shape[2:] == (4,) else None,
        iccprofile=None if pixels.ndim == 2 else linear_srgb(),
        resolution=tags.dpi,
        resolutionunit="INCH" if tags.dpi else None,
        **TIFF_OPTIONS,
    )


def check_float_tiff(path: Path, pixels: PixelArray, tags: Tags) -> None:
    """Read a TIFF file of floats back.

    Raises:
        ValueError: it does not hold what :func:`write_float_tiff` was given.
    """
    found, expected = read_floats(path), _straight(pixels, tags)
    if not np.array_equal(found.reshape(expected.shape), expected):
        raise ValueError("its colours or its alpha differ")


def _straight(pixels: PixelArray, tags: Tags) -> FloatArray:
    """Light and alpha, float32, of the shape of the pixels."""
    if pixels.ndim == 2:
        return _unit(pixels)
    light = rgb_to_light(pixels[..., :3], tags.icc)
    if pixels.shape[2] == 3:
        return light
    return np.concatenate([light, _unit(pixels[..., 3:])], axis=2)


def _unit(values: PixelArray) -> FloatArray:
    words = convert_depth(values, np.uint16)
    return np.asarray(words / np.float32(65535), np.float32)


def _exr_channels(pixels: PixelArray, tags: Tags) -> dict[str, FloatArray]:
    """Channels by name; colours are multiplied by alpha."""
    dtype: Any = np.float32 if tags.float_bits == 32 else np.float16
    values = _straight(pixels, tags)
    if values.ndim == 2:
        return {"Y": values.astype(dtype)}
    if values.shape[2] == 4:
        values[..., :3] *= values[..., 3:]
    names = "RGBA"[: values.shape[2]]
    return {
        name: np.ascontiguousarray(values[..., n], dtype)
        for n, name in enumerate(names)
    }


def _exr_header(
    channels: dict[str, FloatArray], width: int, height: int, tags: Tags
) -> bytes:
    kind = _FLOAT if tags.float_bits == 32 else _HALF
    listed = b"".join(
        name.encode() + struct.pack("<xiIii", kind, 0, 1, 1)
        for name in sorted(channels)
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = [
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", _ZIP),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", bytes(8)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        ("software", "string", b"zim-studio"),
    ]
    if len(channels) > 1:
        attributes.append(
            ("chromaticities", "chromaticities", struct.pack("<8f", *SRGB))
        )
    if tags.dpi:
        attributes.append(("xDensity", "float", struct.pack("<f", tags.dpi[0])))
    parts = [b"v/1\x01", struct.pack("<I", 2)]
    for name, form, body in attributes:
        parts.append(b"%s\0%s\0" % (name.encode(), form.encode()))
        parts.append(struct.pack("<I", len(body)) + body)
    return b"".join([*parts, b"\0"])


def _pack(rows: Any) -> bytes:
    """A block: its bytes apart by place, as differences, compressed."""
    flat = rows.reshape(-1)
    apart = np.concatenate([flat[::2], flat[1::2]])
    # Whole numbers of 8 bits wrap around, as the format wants.
    apart[1:] = apart[1:] - apart[:-1] + np.uint8(128)
    packed = zlib.compress(apart.tobytes(), _EFFORT)
    # What does not shrink is stored as it is.
    return packed if len(packed) < flat.size else flat.tobytes()
