"""Noise, palettes and textures of the procedural objects."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]
"""(H, W) or (H, W, 3) float32."""

ColourImage = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB."""

# Colours of hair, fur, skin, leaves, cloth and smoke.
_NATURAL = np.array(
    [
        (28, 22, 20), (62, 42, 30), (104, 70, 44), (150, 108, 66), (206, 172, 120),
        (232, 214, 180), (148, 60, 32), (90, 90, 92), (190, 188, 184), (244, 242, 238),
        (224, 180, 150), (172, 120, 90), (96, 62, 46), (52, 86, 34), (104, 140, 48),
        (168, 180, 72), (196, 120, 30), (176, 40, 36), (40, 60, 110), (110, 140, 176),
    ],
    dtype=np.float32,
)  # fmt: skip


def noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    cell: float,
    octaves: int = 4,
    gain: float = 0.5,
) -> FloatMap:
    """Compute smooth value noise, (H, W) float32, normalised to [0, 1].

    ``cell`` is the size in pixels of the largest features; each octave halves it and
    has ``gain`` times the weight of the previous one.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        step = cell / 2**octave
        if step < 1:
            break
        grid = rng.random(
            (math.ceil(height / step) + 2, math.ceil(width / step) + 2),
            dtype=np.float32,
        )
        layer = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        total += np.float32(gain**octave) * layer
    low, high = float(total.min()), float(total.max())
    return (total - np.float32(low)) / np.float32(max(high - low, 1e-6))


def ramp(shape: tuple[int, int], angle: float) -> FloatMap:
    """Compute a linear gradient along ``angle`` (radians), (H, W) float32, 0 to 1."""
    height, width = shape
    dx, dy = math.cos(angle), math.sin(angle)
    xs = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(dx * width)
    ys = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(dy * height)
    span = abs(dx) * width + abs(dy) * height
    field = (xs[None, :] + ys[:, None]) / np.float32(span) + np.float32(0.5)
    return np.asarray(field, np.float32)


def random_palette(
    rng: np.random.Generator, background: ColourImage, *, camouflage: float = 0.3
) -> FloatMap:
    """Draw the three colours of one material, (3, 3) float32 in [0, 255].

    With probability ``camouflage`` they are taken from background pixels, so that
    colour alone does not separate the object.
    """
    draw = rng.random()
    if draw < camouflage:
        ys = rng.integers(background.shape[0], size=3)
        xs = rng.integers(background.shape[1], size=3)
        colours = background[ys, xs] + rng.normal(0, 14, (3, 3))
    elif draw < camouflage + 0.4:
        base = _NATURAL[rng.integers(len(_NATURAL))]
        colours = base * rng.uniform(0.65, 1.3, (3, 1)) + rng.normal(0, 10, (3, 3))
    else:
        base = rng.uniform(0, 255, 3)
        spread = rng.choice([12.0, 40.0, 90.0])
        colours = base + rng.normal(0, spread, (3, 3))
    return np.clip(colours, 0, 255).astype(np.float32)


def _periodic_wave(turns: FloatMap, height: float = 0.5) -> FloatMap:
    """Compute a sine of ``turns`` periods around 0.5, clipped to [0, 1]."""
    swing = np.sin(turns * np.float32(2 * math.pi)) * np.float32(height)
    return np.asarray(np.clip(swing + np.float32(0.5), 0, 1), np.float32)


def _plain(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    return noise(rng, shape, cell=4 * cell, octaves=1) * np.float32(0.3)


def _gradient(
    rng: np.random.Generator, shape: tuple[int, int], cell: float
) -> FloatMap:
    return ramp(shape, rng.uniform(0, 2 * math.pi))


def _clouds(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    return noise(rng, shape, cell=2 * cell, octaves=6, gain=rng.uniform(0.45, 0.75))


def _marble(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    turns = rng.uniform(2, 6)
    field = noise(rng, shape, cell=2 * cell, octaves=5)
    return _periodic_wave(field * np.float32(turns))


def _stripes(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    span = math.hypot(*shape)
    field = ramp(shape, rng.uniform(0, math.pi)) * np.float32(span / cell)
    field += noise(rng, shape, cell=3 * cell, octaves=2) * np.float32(rng.uniform(0, 2))
    return _periodic_wave(field, rng.uniform(0.5, 4))


def _checks(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    return (_stripes(rng, shape, cell) + _stripes(rng, shape, cell)) * np.float32(0.5)


def _spots(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    field = noise(rng, shape, cell=cell, octaves=2)
    edge = rng.uniform(0.45, 0.65)
    return np.asarray(np.clip((field - np.float32(edge)) * 12, 0, 1), np.float32)


def _streaks(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> FloatMap:
    """Compute noise stretched along one direction, as brushed fur or wood."""
    side = math.ceil(math.hypot(*shape))
    fine = noise(rng, (side // 8 + 1, side), cell=max(2.0, cell / 4), octaves=3)
    drawn_out = cv2.resize(fine, (side, side), interpolation=cv2.INTER_LINEAR)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 180), 1)
    turn[0, 2] -= (side - shape[1]) / 2
    turn[1, 2] -= (side - shape[0]) / 2
    turned = cv2.warpAffine(
        drawn_out, turn, shape[::-1], borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned, np.float32)


_Pattern = Callable[[np.random.Generator, tuple[int, int], float], FloatMap]
_CALM: tuple[_Pattern, ...] = (_plain, _gradient, _clouds, _streaks, _streaks)
_BOLD: tuple[_Pattern, ...] = (_marble, _stripes, _checks, _spots)


def paint_texture(
    rng: np.random.Generator,
    shape: tuple[int, int],
    palette: FloatMap,
    *,
    calm: bool = False,
) -> FloatMap:
    """Paint one material, (H, W, 3) float32 in [0, 255].

    ``palette`` is (3, 3).  A ``calm`` material has no bold pattern.
    """
    cell = min(shape) * math.exp(rng.uniform(math.log(0.03), math.log(0.4)))
    choices = _CALM if calm else _CALM + _BOLD
    pattern = choices[rng.integers(len(choices))](rng, shape, cell)
    stops = np.linspace(0, 255, len(palette))
    table = np.stack(
        [np.interp(np.arange(256), stops, palette[:, c]) for c in range(3)], axis=1
    ).astype(np.float32)
    colours = table[(np.clip(pattern, 0, 1) * 255).astype(np.uint8)]
    grain = noise(rng, shape, cell=rng.uniform(1.5, 5), octaves=2)
    strength = rng.choice([4.0, 16.0, 40.0])
    colours += (grain - np.float32(0.5))[..., None] * np.float32(strength)
    return np.clip(colours, 0, 255)


def draw_light(rng: np.random.Generator, shape: tuple[int, int]) -> FloatMap:
    """Make a random illumination, (H, W) float32 around 1: gradient and soft noise."""
    slope = np.float32(rng.uniform(0, 0.7))
    blotch = np.float32(rng.uniform(0, 0.35))
    field = ramp(shape, rng.uniform(0, 2 * math.pi)) - np.float32(0.5)
    cloud = noise(rng, shape, cell=min(shape) / 2, octaves=2) - np.float32(0.5)
    return np.float32(rng.uniform(0.8, 1.15)) + slope * field + blotch * cloud
