"""Procedural matting samples: rendered objects with exact alpha over photos.

Photos with exact mattes are rare, and most have restrictive licences.  These samples
cover hair, fur, leaves, lace, smoke, blur, glass and objects of many colours that
cannot be separated from the background by colour alone.

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
from training.procedural.outlines import ObjectPose
from training.procedural.shapes import RenderedShape
from training.procedural.textures import (
    ColourImage,
    FloatMap,
    draw_light,
    paint_texture,
    random_palette,
)


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """One kind of object: its renderer, frequency and material parameters."""

    draw: Callable[[np.random.Generator, ObjectPose], RenderedShape]
    weight: float
    fill: float = 1.0
    """Share of the circle of its `ObjectPose` that it usually covers."""
    calm: float = 0.0
    """Probability of a material without a bold pattern."""
    camouflage: float = 0.3
    """Probability of colours taken from the background."""
    focus: bool = True
    """Whether to defocus it at random."""


OBJECT_KINDS: dict[str, ObjectKind] = {
    "object": ObjectKind(shapes.draw_solid_object, 0.24, fill=0.6),
    "strands": ObjectKind(shapes.draw_strands, 0.18, calm=0.8),
    "fur": ObjectKind(shapes.draw_fur, 0.18, calm=0.6),
    "soft_shape": ObjectKind(shapes.draw_soft_shape, 0.12, focus=False),
    "leaves": ObjectKind(shapes.draw_leaves, 0.1, fill=0.35, calm=0.8),
    "lace": ObjectKind(shapes.draw_lace, 0.07, fill=0.85, calm=0.6),
    "smoke": ObjectKind(
        shapes.draw_smoke, 0.06, calm=1.0, camouflage=0.05, focus=False
    ),
    "glass": ObjectKind(shapes.draw_glass, 0.05, calm=1.0, camouflage=0.05),
}

_AREA = (0.05, 0.7)
_TYPICAL_AREA = (0.07, 0.55)


class RenderedScene(NamedTuple):
    """A rendered image with its exact alpha and foreground.

    ``image`` and ``foreground`` are (H, W, 3) uint8 sRGB, ``alpha`` is (H, W) float32
    in [0, 1].  The foreground is defined in all pixels, also where alpha is 0.
    """

    image: ColourImage
    alpha: FloatMap
    foreground: ColourImage


def composite(
    foreground: ColourImage,
    background: ColourImage,
    alpha: FloatMap,
    *,
    linear: bool = False,
) -> ColourImage:
    """Compute ``alpha * F + (1 - alpha) * B``, rounded, (H, W, 3) uint8.

    With ``linear`` the composite is computed in linear light (gamma 2.2).
    """
    front, back = foreground.astype(np.float32), background.astype(np.float32)
    weight = alpha[..., None]
    if linear:
        mixed = weight * _srgb_to_linear(front) + (1 - weight) * _srgb_to_linear(back)
        mixed = np.float32(255) * np.power(np.clip(mixed, 0, 1), np.float32(1 / 2.2))
    else:
        mixed = weight * front + (1 - weight) * back
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _srgb_to_linear(colours: FloatMap) -> FloatMap:
    linear: FloatMap = np.power(colours / np.float32(255), np.float32(2.2))
    return linear


def render(
    rng: np.random.Generator,
    background: ColourImage,
    kind: str | None = None,
    *,
    linear_light: float = 0.2,
) -> RenderedScene:
    """Render one object over ``background``, (H, W, 3) uint8.

    ``kind`` is a key of `OBJECT_KINDS`, or None for a random one.  With probability
    ``linear_light`` the composite is computed in linear light.  5% to 70% of the image
    have alpha above 0.1.  The result is a pure function of the arguments and the state
    of ``rng``.
    """
    size = background.shape[0], background.shape[1]
    chosen = OBJECT_KINDS[kind] if kind else _random_kind(rng)
    low, high = (math.log(share) for share in _TYPICAL_AREA)
    share = math.exp(rng.uniform(low, high))
    centre = rng.uniform(0.25, 0.75, 2) * size[::-1]
    shape = _draw_shape(rng, chosen, size, share, (float(centre[0]), float(centre[1])))
    foreground = _shade(rng, shape, chosen, background)
    linear = bool(rng.random() < linear_light)
    image = composite(foreground, background, shape.alpha, linear=linear)
    return RenderedScene(image, shape.alpha, foreground)


def render_scene(
    rng: np.random.Generator,
    background: ColourImage,
    count: int,
) -> tuple[ColourImage, list[FloatMap]]:
    """Render ``count`` different objects over ``background``, later ones in front.

    Returns the image, (H, W, 3) uint8, and the *visible* alpha of each object, (H, W)
    float32 in [0, 1]; the sum of a pixel is at most 1.  Objects are placed in free
    areas, so that none hides most of another one.
    """
    size = background.shape[0], background.shape[1]
    image = background
    visible: list[FloatMap] = []
    for _ in range(count):
        for _attempt in range(8):
            kind = _random_kind(rng)
            share = rng.uniform(0.35, 0.7) / (count + 1)
            shape = _draw_shape(rng, kind, size, share, _free_place(rng, visible, size))
            hidden = [float((shape.alpha * one).sum() / one.sum()) for one in visible]
            if max(hidden, default=0) < 0.4:
                break
        foreground = _shade(rng, shape, kind, background)
        image = composite(foreground, image, shape.alpha)
        visible = [one * (1 - shape.alpha) for one in visible] + [shape.alpha]
    return image, visible


def _random_kind(rng: np.random.Generator) -> ObjectKind:
    kinds = list(OBJECT_KINDS.values())
    return kinds[rng.choice(len(kinds), p=[kind.weight for kind in kinds])]


def _free_place(
    rng: np.random.Generator, taken: list[FloatMap], size: tuple[int, int]
) -> tuple[float, float]:
    """Return x and y of the random position that is farthest from other objects."""
    places = rng.uniform(0.12, 0.88, (12, 2)) * size[::-1]
    if not taken:
        return float(places[0, 0]), float(places[0, 1])
    empty = (np.add.reduce(taken) < 0.1).astype(np.uint8)
    room = cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_3)
    best = np.argmax([room[int(y), int(x)] for x, y in places])
    return float(places[best, 0]), float(places[best, 1])


def _draw_shape(
    rng: np.random.Generator,
    kind: ObjectKind,
    size: tuple[int, int],
    share: float,
    centre: tuple[float, float],
) -> RenderedShape:
    """Render a shape that covers about ``share`` of the image, and at least 5%."""
    radius = math.sqrt(share * size[0] * size[1] / math.pi / kind.fill)
    pose = ObjectPose(size, *centre, radius, _random_angle(rng))
    for _ in range(6):
        shape = kind.draw(rng, pose)
        area = float((shape.alpha > 0.1).mean())
        if max(_AREA[0], 0.6 * share) <= area <= min(_AREA[1], 1.7 * share):
            return _defocus(rng, shape) if kind.focus else shape
        # Probably cut off by the border: move it inwards and resize it.
        scale = min(max(math.sqrt(share / max(area, 1e-3)), 0.6), 1.6)
        pose = replace(
            pose,
            x=(pose.x + size[1] / 2) / 2,
            y=(pose.y + size[0] / 2) / 2,
            radius=pose.radius * scale,
        )
    middle = replace(pose, x=size[1] / 2, y=size[0] / 2, radius=radius)
    return shapes.draw_soft_shape(rng, middle)


def _random_angle(rng: np.random.Generator) -> float:
    """Draw an angle in radians, close to upright half of the time."""
    if rng.random() < 0.5:
        return float(rng.normal(0, 0.25))
    return float(rng.uniform(0, 2 * math.pi))


def _defocus(rng: np.random.Generator, shape: RenderedShape) -> RenderedShape:
    """Blur the alpha slightly with a probability of 20%."""
    if rng.random() > 0.2:
        return shape
    sigma = rng.uniform(0.5, 1.6) * min(shape.alpha.shape) / 256
    blurred = cv2.GaussianBlur(shape.alpha, (0, 0), sigma)
    return replace(shape, alpha=np.clip(blurred, 0, 1))


def _shade(
    rng: np.random.Generator,
    shape: RenderedShape,
    kind: ObjectKind,
    background: ColourImage,
) -> ColourImage:
    """Colour a shape with materials, shade and light, (H, W, 3) uint8."""
    size = shape.alpha.shape[0], shape.alpha.shape[1]
    calm = bool(rng.random() < kind.calm)

    def palette() -> FloatMap:
        return random_palette(rng, background, camouflage=kind.camouflage)

    palettes = [palette(), palette()]
    colours = paint_texture(rng, size, palettes[0], calm=calm)
    for layer in shape.layers:
        x, y, width, height = cv2.boundingRect((layer > 0).astype(np.uint8))
        if not width:
            continue
        part = np.s_[y : y + height, x : x + width]
        choice = palettes[rng.integers(2)]
        cover = paint_texture(rng, (height, width), choice, calm=calm)
        colours[part] += layer[part][..., None] * (cover - colours[part])
        if rng.random() < 0.4:
            palettes[rng.integers(2)] = palette()
    colours *= (shape.shade * draw_light(rng, size))[..., None]
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)
