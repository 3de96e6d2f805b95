"""ICC profiles, built byte by byte, and pixels, for making image files."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

D50 = (0.9642, 1.0, 0.8249)
P3_COLORANTS = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
SRGB_COLORANTS = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.71410),
)
GAMMA = 2.2


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def profile(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC version 2 profile by the book (ICC.1:2001-04)."""
    description = b"zim test profile\0"
    tags = {
        b"desc": b"desc\0\0\0\0"
        + struct.pack(">I", len(description))
        + description
        + bytes(78),
        b"cprt": b"text\0\0\0\0public domain\0",
        b"wtpt": xyz(D50),
    } | tags
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += padded
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"", 0x02400000, kind, space, pcs)
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += fixed(*D50)
    return header.ljust(128, b"\0") + table + body


def curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def matrix_profile(
    colorants: tuple[tuple[float, float, float], ...], gamma: float = GAMMA
) -> bytes:
    tags = {}
    for channel, colorant in zip("rgb", colorants, strict=True):
        tags[f"{channel}XYZ".encode()] = xyz(colorant)
        tags[f"{channel}TRC".encode()] = curve(gamma)
    return profile(b"mntr", b"RGB ", b"XYZ ", tags)


def cmyk_inks() -> bytes:
    """Four inks by their Lab corners; cyan is (55, -37, -50) as on coated paper."""
    corners = b""
    for inks in product((0, 1), repeat=4):
        lightness, a, b = 100.0 - 24 * sum(inks), 0.0, 0.0
        if inks == (1, 0, 0, 0):
            lightness, a, b = 55.0, -37.0, -50.0
        corners += bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return profile(
        b"prtr", b"CMYK", b"Lab ", {b"A2B0": table + ramp * 4 + corners + ramp * 3}
    )


def convert_p3(values: np.ndarray) -> np.ndarray:
    """Colour science in six lines: P3 with a gamma to 8-bit sRGB, both 0 to 255."""
    light = (values / 255) ** GAMMA @ np.array(P3_COLORANTS)
    light = np.clip(light @ np.linalg.inv(np.array(SRGB_COLORANTS)), 0, 1)
    encoded = np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )
    return encoded * 255


@pytest.fixture(scope="session")
def p3_profile() -> bytes:
    """Display P3 primaries with a plain 2.2 gamma."""
    return matrix_profile(P3_COLORANTS)


@pytest.fixture(scope="session")
def p3_to_srgb() -> Callable[[np.ndarray], np.ndarray]:
    """The conversion of that profile, computed without a colour library."""
    return convert_p3


@pytest.fixture(scope="session")
def linear_grey_profile() -> bytes:
    """Grey whose values are proportional to light."""
    return profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve(1.0)})


@pytest.fixture(scope="session")
def linear_profile() -> bytes:
    """sRGB's primaries with values that are proportional to light."""
    return matrix_profile(SRGB_COLORANTS, 1.0)


@pytest.fixture(scope="session")
def cmyk_profile() -> bytes:
    """Four inks; cyan alone is Lab (55, -37, -50)."""
    return cmyk_inks()


@pytest.fixture
def colours() -> np.ndarray:
    """(6, 9, 3) uint16, every pixel different and using the low byte."""
    return np.random.default_rng(7).integers(0, 65536, (6, 9, 3), dtype=np.uint16)
