"""Random outlines of procedural objects, and their antialiased rasterisation.

Outlines are closed polygons in *unit coordinates*: centred on the origin, with a radius
of about 1.  An `ObjectPose` transforms them to pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.procedural.textures import FloatMap

Points = NDArray[np.float64]
"""(N, 2) float64, x then y."""

_SUPERSAMPLING = 3
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class ObjectPose:
    """Position, size and rotation of an object in an image of ``shape`` (H, W).

    ``x``, ``y`` and ``radius`` are pixels, ``angle`` is radians.
    """

    shape: tuple[int, int]
    x: float
    y: float
    radius: float
    angle: float

    def to_pixels(self, unit: Points) -> Points:
        """Transform unit coordinates (..., 2) to pixels (..., 2)."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        turned = unit @ np.array([[cos, sin], [-sin, cos]])
        positions: Points = turned * self.radius + (self.x, self.y)
        return positions


class CoverageCanvas:
    """A supersampled canvas for polygons in pixels of the final image."""

    def __init__(
        self, shape: tuple[int, int], scale: int = _SUPERSAMPLING, level: int = 0
    ) -> None:
        self._shape = shape
        self._scale = scale
        self._pixels = np.full((shape[0] * scale, shape[1] * scale), level, np.uint8)

    def fill(
        self, polygons: Points, values: int | NDArray[np.int64] = 255
    ) -> CoverageCanvas:
        """Fill polygons (M, N, 2) or (N, 2), each with its value from 0 to 255."""
        polygons = polygons[None] if polygons.ndim == 2 else polygons
        # Pixel centres are at integers in OpenCV, at .5 in image coordinates.
        fixed = (polygons * self._scale - 0.5) * (1 << _SUBPIXEL_BITS)
        fixed = np.clip(fixed, -(2**18), 2**18).astype(np.int32)
        levels = np.broadcast_to(values, len(fixed)).tolist()
        for polygon, level in zip(fixed, levels, strict=True):
            cv2.fillPoly(
                self._pixels, [polygon], level, cv2.LINE_AA, shift=_SUBPIXEL_BITS
            )
        return self

    def coverage(self) -> FloatMap:
        """Downscale to the image size: (H, W) float32 in [0, 1]."""
        small = cv2.resize(
            self._pixels, self._shape[::-1], interpolation=cv2.INTER_AREA
        )
        return small.astype(np.float32) / np.float32(255)


def blob(rng: np.random.Generator, count: int = 96) -> Points:
    """Make a random smooth closed curve, (count, 2)."""
    turn = np.linspace(0, 2 * math.pi, count, endpoint=False)
    wobble = rng.uniform(0.05, 0.3)
    radius = np.ones(count)
    for order in range(2, 7):
        size = rng.normal(0, wobble / (order - 1))
        radius += size * np.cos(order * turn + rng.uniform(0, 2 * math.pi))
    radius = np.clip(radius, 0.3, 1.8)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius[:, None]


def superellipse(rng: np.random.Generator, count: int = 96) -> Points:
    """Make a random superellipse, from lozenge to rounded box, (count, 2)."""
    turn = np.linspace(0, 2 * math.pi, count, endpoint=False)
    power = 2 / rng.uniform(1.4, 6)
    cos, sin = np.cos(turn), np.sin(turn)
    aspect = math.exp(rng.uniform(-0.6, 0.6))
    return np.stack(
        [
            np.sign(cos) * np.abs(cos) ** power * aspect,
            np.sign(sin) * np.abs(sin) ** power / aspect,
        ],
        axis=1,
    )


def random_polygon(rng: np.random.Generator) -> Points:
    """Make a random polygon with 3 to 8 corners around the origin."""
    count = int(rng.integers(3, 9))
    turn = (np.arange(count) + rng.uniform(0, 0.7, count)) * (2 * math.pi / count)
    radius = rng.uniform(0.6, 1.3, count)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius[:, None]


def random_outline(rng: np.random.Generator) -> Points:
    """Make a random outline: a blob (half of the time), superellipse or polygon."""
    makers = (blob, blob, superellipse, random_polygon)
    unit = makers[rng.integers(len(makers))](rng)
    stretch = math.exp(rng.uniform(-0.3, 0.3))
    stretched: Points = unit * (stretch, 1 / stretch)
    return stretched


def grow_curves(
    roots: Points,
    headings: NDArray[np.float64],
    lengths: NDArray[np.float64],
    *,
    bend: NDArray[np.float64] | float = 0.0,
    wave: NDArray[np.float64] | float = 0.0,
    turns: NDArray[np.float64] | float = 1.0,
    phase: NDArray[np.float64] | float = 0.0,
    steps: int = 14,
) -> Points:
    """Make curves (N, steps, 2) that start at ``roots`` and turn by ``bend`` in total.

    All angles are in radians.  ``wave`` is the amplitude of an oscillation of the
    heading, ``turns`` its number of periods and ``phase`` its phase.
    """
    along = np.linspace(0, 1, steps)[None]

    def column(value: NDArray[np.float64] | float) -> NDArray[np.float64]:
        spread: NDArray[np.float64] = np.broadcast_to(value, len(roots))
        return spread[:, None]

    angle = column(headings) + column(bend) * along
    swing = column(turns) * along * 2 * math.pi + column(phase)
    angle = angle + column(wave) * np.sin(swing) * along
    pace = column(lengths) / (steps - 1)
    walk = np.stack([np.cos(angle), np.sin(angle)], axis=2) * pace[..., None]
    walk[:, 0] = 0
    moved: Points = roots[:, None] + np.cumsum(walk, axis=1)
    return moved


def widen_curves(curves: Points, breadth: NDArray[np.float64]) -> Points:
    """Make polygons (N, 2 * steps, 2) around curves (N, steps, 2).

    ``breadth`` (N, steps) is the full width in the unit of the curves.
    """
    tangent = np.gradient(curves, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=2, keepdims=True), 1e-9)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=2)
    offset = normal * (breadth[..., None] / 2)
    return np.concatenate([curves + offset, (curves - offset)[:, ::-1]], axis=1)


def taper_curves(
    curves: Points, widths: NDArray[np.float64] | float, *, tip: float = 0.0
) -> Points:
    """Make polygons around curves that taper from ``widths`` to ``widths * tip``."""
    profile = 1 - (1 - tip) * np.linspace(0, 1, curves.shape[1]) ** 1.5
    root = np.broadcast_to(widths, len(curves))
    return widen_curves(curves, root[:, None] * profile)


def scatter(
    rng: np.random.Generator, outline: Points, count: int
) -> tuple[Points, Points]:
    """Sample points (count, 2) on an outline, with outward unit normals."""
    following = np.roll(outline, -1, axis=0)
    edge = following - outline
    length = np.linalg.norm(edge, axis=1)
    pick = rng.choice(len(outline), size=count, p=length / length.sum())
    points = outline[pick] + edge[pick] * rng.random((count, 1))
    normal = np.stack([edge[pick, 1], -edge[pick, 0]], axis=1)
    normal /= np.maximum(length[pick, None], 1e-9)
    x, y = outline.T
    area = float(np.sum(x * following[:, 1] - following[:, 0] * y))
    return points, normal * math.copysign(1, area)


def object_parts(rng: np.random.Generator) -> list[Points]:
    """Make random outlines of an object's parts, back to front, in unit coordinates."""
    body = random_outline(rng) * 0.7 * rng.uniform((0.6, 0.7), (1.1, 1.2))
    behind: list[Points] = []
    front: list[Points] = []

    def add_part(part: Points) -> None:
        (behind if rng.random() < 0.6 else front).append(part)

    mirrored = rng.random() < 0.5
    for _ in range(int(rng.integers(0, 4))):
        limb = _limb(rng, body)
        add_part(limb)
        if mirrored:
            add_part(limb * (-1, 1))
    if rng.random() < 0.6:  # a head, perhaps with ears
        centre = body[np.argmin(body[:, 1])] + (0, -rng.uniform(0.05, 0.25))
        size = rng.uniform(0.2, 0.42)
        for sign in (-1, 1) if rng.random() < 0.5 else ():
            lift = (sign * size * rng.uniform(0.5, 0.8), -size * rng.uniform(0.6, 1))
            ear = superellipse(rng, 32) if mirrored else random_polygon(rng)
            behind.append(ear * size * rng.uniform(0.25, 0.5) + centre + lift)
        front.append(superellipse(rng) * size + centre)
    if rng.random() < 0.25:
        add_part(_handle(rng) + body[rng.integers(len(body))])
    patches = [
        blob(rng, 32) * rng.uniform(0.08, 0.3) + body[rng.integers(len(body))] * 0.45
        for _ in range(int(rng.integers(0, 3)))
    ]
    return [*behind, body, *patches, *front]


def _limb(rng: np.random.Generator, body: Points) -> Points:
    points, normals = scatter(rng, body, 1)
    curve = grow_curves(
        points - normals * 0.15,
        np.arctan2(normals[:, 1], normals[:, 0]) + rng.normal(0, 0.5, 1),
        rng.uniform(0.35, 1.1, 1),
        bend=rng.normal(0, 0.9, 1),
        steps=20,
    )
    width = rng.uniform(0.07, 0.35)
    return taper_curves(curve, width, tip=rng.uniform(0.2, 1.1)).reshape(-1, 2)


def _handle(rng: np.random.Generator) -> Points:
    """Make a ring as one polygon: outer boundary, then inner boundary reversed."""
    turn = np.linspace(0, 2 * math.pi, 40)
    ring = np.stack([np.cos(turn), np.sin(turn) * rng.uniform(0.6, 1.4)], axis=1)
    size = rng.uniform(0.2, 0.4)
    return np.concatenate([ring, ring[::-1] * rng.uniform(0.5, 0.8)]) * size
