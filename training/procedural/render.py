"""Procedural matting samples: drawn objects with an exact alpha over any photograph.

Photographs with exact mattes are rare and mostly not free.  These pictures teach what
they would: hair, fur, leaves, lace, smoke, blur, glass and objects of many colours,
none of which can be told from the background by colour alone.

>>> rng = np.random.default_rng(0)
>>> background = np.full((64, 96, 3), 128, np.uint8)
>>> image, alpha, foreground = render(rng, background, "fur")
>>> image.shape, alpha.shape, foreground.shape
((64, 96, 3), (64, 96), (64, 96, 3))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from training.procedural import shapes
from training.procedural.outlines import Spot
from training.procedural.shapes import Shape
from training.procedural.textures import FloatMap, Picture, light, paint, random_palette


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of object is drawn, and how often."""

    draw: Callable[[np.random.Generator, Spot], Shape]
    frequency: float
    fill: float = 1.0
    """How much of the circle of its `Spot` it usually covers."""
    calm: float = 0.0
    """Probability of a material without a bold pattern."""
    camouflage: float = 0.3
    """Probability of the background's own colours."""
    focus: bool = True
    """Whether it may be slightly out of focus on top of what it draws."""


KINDS: dict[str, Kind] = {
    "object": Kind(shapes.solid_object, 0.24, fill=0.6),
    "strands": Kind(shapes.strands, 0.18, calm=0.8),
    "fur": Kind(shapes.fur, 0.18, calm=0.6),
    "soft_shape": Kind(shapes.soft_shape, 0.12, focus=False),
    "leaves": Kind(shapes.leaves, 0.1, fill=0.35, calm=0.8),
    "lace": Kind(shapes.lace, 0.07, fill=0.85, calm=0.6),
    "smoke": Kind(shapes.smoke, 0.06, calm=1.0, camouflage=0.05, focus=False),
    "glass": Kind(shapes.glass, 0.05, calm=1.0, camouflage=0.05),
}

_AREA = (0.05, 0.7)
_TYPICAL_AREA = (0.07, 0.55)


class Sample(NamedTuple):
    """One picture with its exact answer.

    ``image`` and ``foreground`` are (H, W, 3) uint8 sRGB, ``alpha`` is (H, W) float32
    in [0, 1].  The foreground is defined everywhere, also where alpha is 0.
    """

    image: Picture
    alpha: FloatMap
    foreground: Picture


def composite(
    foreground: Picture, background: Picture, alpha: FloatMap, *, linear: bool = False
) -> Picture:
    """``alpha * F + (1 - alpha) * B``, rounded, (H, W, 3) uint8.

    With ``linear`` the sum is taken in linear light (gamma 2.2), as a lens does it.
    """
    front, back = foreground.astype(np.float32), background.astype(np.float32)
    weight = alpha[..., None]
    if linear:
        mixed = weight * _decoded(front) + (1 - weight) * _decoded(back)
        mixed = np.float32(255) * np.power(np.clip(mixed, 0, 1), np.float32(1 / 2.2))
    else:
        mixed = weight * front + (1 - weight) * back
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _decoded(colours: FloatMap) -> FloatMap:
    linear: FloatMap = np.power(colours / np.float32(255), np.float32(2.2))
    return linear


def render(
    rng: np.random.Generator,
    background: Picture,
    kind: str | None = None,
    *,
    texture: Picture | None = None,
    linear_light: float = 0.2,
) -> Sample:
    """Draw one object over ``background``, (H, W, 3) uint8.

    ``kind`` names an entry of `KINDS`, or None to draw one.  ``texture`` is another
    photograph whose crops serve as materials.  With probability ``linear_light`` the
    composite is made in linear light.  Between 5% and 70% of the picture has alpha
    above 0.1.  The same ``rng`` state gives the same sample.
    """
    shape = background.shape[0], background.shape[1]
    chosen = KINDS[kind] if kind else _random_kind(rng)
    low, high = (math.log(share) for share in _TYPICAL_AREA)
    share = math.exp(rng.uniform(low, high))
    centre = rng.uniform(0.25, 0.75, 2) * shape[::-1]
    drawn = _drawn(rng, chosen, shape, share, (float(centre[0]), float(centre[1])))
    foreground = _coloured(rng, drawn, chosen, background, texture)
    linear = bool(rng.random() < linear_light)
    image = composite(foreground, background, drawn.alpha, linear=linear)
    return Sample(image, drawn.alpha, foreground)


def render_scene(
    rng: np.random.Generator,
    background: Picture,
    count: int,
    *,
    texture: Picture | None = None,
) -> tuple[Picture, list[FloatMap]]:
    """Draw ``count`` different objects over ``background``, later ones in front.

    Returns the image, (H, W, 3) uint8, and for every object what can be *seen* of it,
    (H, W) float32 in [0, 1]: the alphas of one pixel add up to 1 at most.  Objects are
    placed where there is room, so that none hides most of another one.
    """
    shape = background.shape[0], background.shape[1]
    image = background
    seen: list[FloatMap] = []
    for _ in range(count):
        for _attempt in range(8):
            kind = _random_kind(rng)
            share = rng.uniform(0.35, 0.7) / (count + 1)
            drawn = _drawn(rng, kind, shape, share, _free_place(rng, seen, shape))
            hidden = [float((drawn.alpha * one).sum() / one.sum()) for one in seen]
            if max(hidden, default=0) < 0.4:
                break
        foreground = _coloured(rng, drawn, kind, background, texture)
        image = composite(foreground, image, drawn.alpha)
        seen = [one * (1 - drawn.alpha) for one in seen] + [drawn.alpha]
    return image, seen


def _random_kind(rng: np.random.Generator) -> Kind:
    kinds = list(KINDS.values())
    return kinds[rng.choice(len(kinds), p=[kind.frequency for kind in kinds])]


def _free_place(
    rng: np.random.Generator, taken: list[FloatMap], shape: tuple[int, int]
) -> tuple[float, float]:
    """Of some random places, x and y, the one with most room around it."""
    places = rng.uniform(0.12, 0.88, (12, 2)) * shape[::-1]
    if not taken:
        return float(places[0, 0]), float(places[0, 1])
    empty = (np.add.reduce(taken) < 0.1).astype(np.uint8)
    room = cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_3)
    best = np.argmax([room[int(y), int(x)] for x, y in places])
    return float(places[best, 0]), float(places[best, 1])


def _drawn(
    rng: np.random.Generator,
    kind: Kind,
    shape: tuple[int, int],
    share: float,
    centre: tuple[float, float],
) -> Shape:
    """Draw a shape that covers about ``share`` of the picture, and at least 5%."""
    radius = math.sqrt(share * shape[0] * shape[1] / math.pi / kind.fill)
    spot = Spot(shape, *centre, radius, _random_angle(rng))
    for _ in range(6):
        drawn = kind.draw(rng, spot)
        area = float((drawn.alpha > 0.1).mean())
        if max(_AREA[0], 0.6 * share) <= area <= min(_AREA[1], 1.7 * share):
            return _defocused(rng, drawn) if kind.focus else drawn
        # Most likely it hung over the border: nearer to the middle, and resized.
        scale = min(max(math.sqrt(share / max(area, 1e-3)), 0.6), 1.6)
        spot = replace(
            spot,
            x=(spot.x + shape[1] / 2) / 2,
            y=(spot.y + shape[0] / 2) / 2,
            radius=spot.radius * scale,
        )
    middle = replace(spot, x=shape[1] / 2, y=shape[0] / 2, radius=radius)
    return shapes.soft_shape(rng, middle)


def _random_angle(rng: np.random.Generator) -> float:
    """Upright half of the time, as most things in photographs are."""
    if rng.random() < 0.5:
        return float(rng.normal(0, 0.25))
    return float(rng.uniform(0, 2 * math.pi))


def _defocused(rng: np.random.Generator, drawn: Shape) -> Shape:
    """Put an object slightly out of focus now and then."""
    if rng.random() > 0.2:
        return drawn
    sigma = rng.uniform(0.5, 1.6) * min(drawn.alpha.shape) / 256
    blurred = cv2.GaussianBlur(drawn.alpha, (0, 0), sigma)
    return replace(drawn, alpha=np.clip(blurred, 0, 1))


def _coloured(
    rng: np.random.Generator,
    drawn: Shape,
    kind: Kind,
    background: Picture,
    texture: Picture | None,
) -> Picture:
    """Materials, shade and light of a shape, (H, W, 3) uint8."""
    shape = drawn.alpha.shape[0], drawn.alpha.shape[1]
    calm = bool(rng.random() < kind.calm)

    def palette() -> FloatMap:
        return random_palette(rng, background, camouflage=kind.camouflage)

    palettes = [palette(), palette()]
    colours = paint(rng, shape, palettes[0], texture, calm=calm)
    for layer in drawn.layers:
        x, y, width, height = cv2.boundingRect((layer > 0).astype(np.uint8))
        if not width:
            continue
        part = np.s_[y : y + height, x : x + width]
        choice = palettes[rng.integers(2)]
        cover = paint(rng, (height, width), choice, texture, calm=calm)
        colours[part] += layer[part][..., None] * (cover - colours[part])
        if rng.random() < 0.4:
            palettes[rng.integers(2)] = palette()
    colours *= (drawn.shade * light(rng, shape))[..., None]
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)
