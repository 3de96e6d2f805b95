"""Decode OpenEXR files (openexr.com, File Layout) with the OpenEXR library.

The header is read here: which channels are colours, and what size is decoded.  Colours
are light, multiplied by alpha; those outside the display window are left out, as
compositors do.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zim_app.core.colour import SRGB_PRIMARIES, SRGB_WHITE
from zim_app.core.decoders.base import (
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unpack,
    unsupported,
    valid_dpi,
)
from zim_app.core.decoders.light import Convert, image_of_light
from zim_model.arrays import FloatArray
from zim_model.errors import msg

MAGIC = b"v/1\x01"

SRGB = (*SRGB_PRIMARIES, *SRGB_WHITE)
"""Chromaticities as EXR has them; these are its default."""

_MAX_HEADER = 16 << 20
_DEEP = 0x800
"""The flag of files with several samples a pixel."""
_TYPES = {1: np.float16, 2: np.float32}
"""EXR's numbers for types of samples; 0, whole numbers, are no colours."""
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)

_Window = tuple[int, int, int, int]


@dataclass(slots=True)
class _Header:
    """What the header of the first part says.

    Attributes:
        channels: number of the type, and step in x and y, by name.
        data: left, top, right and bottom, inclusive, of the stored pixels.
        display: of the image.
        chromaticities: as :data:`SRGB`, or None.
        density: pixels per inch, or None.
    """

    channels: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    data: _Window | None = None
    display: _Window | None = None
    chromaticities: tuple[float, ...] | None = None
    density: float | None = None


def decode_exr(data: bytes, name: str) -> DecodedImage:
    """Decode the colours and the alpha of the first part, as 16-bit sRGB.

    Raises:
        ImageError: it is too large, or has no channels of colour that are read.
        Damaged, OSError: it is damaged.
    """
    header = _read_header(data, name)
    colours, alpha = _choose_channels(header, name)
    stored = _decode(data, (*colours, alpha) if alpha else colours, header)
    channels = {key: _placed(part, header) for key, part in stored.items()}
    metadata = Metadata()
    density = header.density
    metadata.dpi = valid_dpi((density, density)) if density else None
    colour = channels[colours[0]]
    if len(colours) == 3:
        colour = np.stack([channels[each] for each in colours], axis=-1)
    return image_of_light(
        *(metadata, colour, channels[alpha] if alpha else None),
        premultiplied=True,
        convert=_primaries(header, metadata) if len(colours) == 3 else None,
    )


def read_exr(data: bytes, name: str) -> Mapping[str, FloatArray]:
    """All channels as stored, (H, W) float16 or float32 by name, of the data window.

    Raises:
        ImageError, Damaged, OSError: as :func:`decode_exr`.
    """
    header = _read_header(data, name)
    return _decode(data, tuple(header.channels), header)


# --- The header -----------------------------------------------------------------------


def _read_header(data: bytes, name: str) -> _Header:
    version = unpack("<I", data, 4)[0]
    if version & _DEEP:
        raise unsupported(
            name,
            msg("it has several depths a pixel"),
            msg("Flatten it in the compositor first."),
        )
    header, position = _Header(), 8
    while data[position : position + 1] != b"\0":
        key, position = _text(data, position)
        _, position = _text(data, position)
        size = unpack("<I", data, position)[0]
        position += 4
        body = data[position : position + size]
        position += size
        if len(body) < size or position > _MAX_HEADER:
            raise Damaged("its header ends too early")
        _read_attribute(header, key, body)
    if header.data is None or header.display is None or not header.channels:
        raise Damaged("its header is incomplete")
    for left, top, right, bottom in (header.data, header.display):
        check_size(name, right - left + 1, bottom - top + 1)
    return header


def _text(data: bytes, position: int) -> tuple[str, int]:
    """A text that a zero ends, and where the next value begins."""
    end = data.find(b"\0", position, position + 256)
    if end < 0:
        raise Damaged("its header is invalid")
    return data[position:end].decode("utf-8", "replace"), end + 1


def _read_attribute(header: _Header, key: str, body: bytes) -> None:
    if key == "channels":
        position = 0
        while position < len(body) and body[position]:
            channel, position = _text(body, position)
            kind, _, across, down = unpack("<iIii", body, position)
            header.channels[channel] = (kind, across, down)
            position += 16
    elif key == "dataWindow":
        header.data = unpack("<4i", body)
    elif key == "displayWindow":
        header.display = unpack("<4i", body)
    elif key == "chromaticities":
        header.chromaticities = unpack("<8f", body)
    elif key == "xDensity":
        header.density = unpack("<f", body)[0]


def _choose_channels(header: _Header, name: str) -> tuple[tuple[str, ...], str | None]:
    """Names of red, green and blue, or of grey, and of alpha or None.

    Those of the image itself; else of the first layer that has colours.
    """
    known = header.channels
    prefixes = {key.rpartition(".")[0] for key in known}
    for prefix in sorted(prefixes, key=lambda each: (each != "", each)):
        dot = f"{prefix}." if prefix else ""
        for letters in ("RGB", "Y", "A"):
            names = tuple(dot + letter for letter in letters)
            if all(known.get(each, (0, 0, 0)) in _READ for each in names):
                alpha = dot + "A"
                has_alpha = letters != "A" and known.get(alpha) in _READ
                return names, alpha if has_alpha else None
    raise unsupported(
        name,
        msg("its channels are {names}", names=", ".join(list(known)[:8])),
        msg("Write red, green and blue, each at full size, as halves or floats."),
    )


_READ = {(kind, 1, 1) for kind in _TYPES}


# --- Pixels ---------------------------------------------------------------------------


def _decode(
    data: bytes, names: tuple[str, ...], header: _Header
) -> dict[str, FloatArray]:
    import OpenEXR

    assert header.data is not None
    left, top, right, bottom = header.data
    shape = (bottom - top + 1, right - left + 1)
    with contextlib.closing(OpenEXR.InputFile(io.BytesIO(data))) as file:
        stored = file.channels(list(names))
    result = {}
    for key, part in zip(names, stored, strict=True):
        dtype: Any = _TYPES[header.channels[key][0]]
        result[key] = np.frombuffer(part, dtype).reshape(shape)
    return result


def _placed(pixels: FloatArray, header: _Header) -> FloatArray:
    """The pixels of the display window; black and transparent where none are stored."""
    if header.data == header.display:
        return pixels
    assert header.data is not None
    assert header.display is not None
    left, top, right, bottom = header.display
    result = np.zeros((bottom - top + 1, right - left + 1), pixels.dtype)
    x, y = header.data[0] - left, header.data[1] - top
    target = result[max(0, y) : max(0, y + pixels.shape[0]), max(0, x) :]
    part = pixels[max(0, -y) :, max(0, -x) :]
    height, width = (min(a, b) for a, b in zip(target.shape, part.shape, strict=True))
    target[:height, :width] = part[:height, :width]
    return result


# --- Colours --------------------------------------------------------------------------


def _primaries(header: _Header, metadata: Metadata) -> Convert | None:
    """The conversion to sRGB's primaries; None where the file has these."""
    own = header.chromaticities
    if own is None or np.allclose(own, SRGB, atol=1e-3):
        return None
    try:
        matrix = np.linalg.inv(_to_xyz(SRGB)) @ _adaptation(own) @ _to_xyz(own)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        matrix = np.full((3, 3), np.nan)
    if not np.isfinite(matrix).all():
        metadata.ignored.append(msg("chromaticities"))
        return None
    rows = matrix.astype(np.float32).T
    return lambda light: np.asarray(light @ rows, np.float32)


def _xyz(x: float, y: float) -> Any:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(chromaticities: tuple[float, ...]) -> Any:
    """The matrix from RGB of these primaries to CIE XYZ (SMPTE RP 177)."""
    red, green, blue, white = (
        _xyz(*map(float, chromaticities[at : at + 2])) for at in (0, 2, 4, 6)
    )
    primaries = np.stack([red, green, blue], axis=1)
    return primaries * np.linalg.solve(primaries, white)


def _adaptation(chromaticities: tuple[float, ...]) -> Any:
    """The matrix in XYZ from a white to that of sRGB (Bradford)."""
    own, srgb = (
        _BRADFORD @ _xyz(*map(float, each[6:8])) for each in (chromaticities, SRGB)
    )
    return np.linalg.inv(_BRADFORD) @ np.diag(srgb / own) @ _BRADFORD
