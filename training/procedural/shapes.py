"""Mattes of the procedural pictures: hair, fur, leaves, lace, smoke, blur and glass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.procedural.outlines import (
    Points,
    Sheet,
    Spot,
    blob,
    grow,
    object_parts,
    random_outline,
    scatter,
    taper,
    widen,
)
from training.procedural.textures import FloatMap, noise


@dataclass(frozen=True, slots=True)
class Shape:
    """An object before it has colours.

    ``alpha`` is (H, W) float32 in [0, 1], ``shade`` (H, W) float32 multiplies the
    colours, and every one of ``layers``, (H, W) float32 in [0, 1], covers what lies
    below it with a material of its own.
    """

    alpha: FloatMap
    shade: FloatMap
    layers: tuple[FloatMap, ...] = ()


def _blurred(alpha: FloatMap, sigma: float) -> FloatMap:
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma), np.float32)


def _depth(cover: FloatMap) -> FloatMap:
    """Distance in pixels to the nearest uncovered pixel, (H, W)."""
    inside = (cover > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    # Without any uncovered pixel the distance is without limit.
    return np.minimum(depth, np.float32(max(cover.shape)))


def _hairy(
    rng: np.random.Generator, spot: Spot, body: FloatMap, hairs: Points
) -> Shape:
    """Hairs (M, K, 2) in pixels over a body's alpha (H, W), each with its tone."""
    count = len(hairs)
    opacity = np.sort(rng.uniform(rng.uniform(0.35, 1), 1, count)) * 255
    cover = Sheet(spot.shape).fill(hairs, opacity.astype(np.int64)).coverage()
    tones = np.clip(rng.normal(128, rng.uniform(4, 40), count), 1, 255)
    drawn = Sheet(spot.shape, scale=1, level=128).fill(hairs, tones.astype(np.int64))
    shade = drawn.coverage() * np.float32(255 / 128)
    return Shape(1 - (1 - body) * (1 - cover), shade)


def _body(rng: np.random.Generator, spot: Spot, outline: Points) -> FloatMap:
    """Alpha of a body whose hairs hide its edge, (H, W): a little soft."""
    cover = Sheet(spot.shape).fill(outline).coverage()
    sigma = max(0.4, spot.radius * rng.uniform(0, 0.05))
    return _blurred(cover, sigma)


def _hair_width(rng: np.random.Generator, spot: Spot) -> float:
    """Typical width of one hair in pixels: under a pixel more often than over."""
    thin = math.exp(rng.uniform(math.log(0.2), math.log(1.6)))
    return thin * math.sqrt(min(spot.shape) / 256)


def _combed(
    rng: np.random.Generator, normals: Points, comb: float
) -> NDArray[np.float64]:
    """Headings (N,) between the outward normals (comb 0) and one wind (comb 1)."""
    outward = np.arctan2(normals[:, 1], normals[:, 0])
    wind = rng.uniform(0, 2 * math.pi)
    off = np.angle(np.exp(1j * (wind - outward)))
    heading: NDArray[np.float64] = outward + comb * off
    return heading


def strands(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw long hair in bundles over a soft body, with single flying hairs."""
    outline = spot.place(blob(rng) * rng.uniform(0.4, 0.8))
    bundles = int(rng.integers(20, 70))
    sizes = np.full(bundles, int(rng.integers(8, 20)))
    sizes[: bundles // 3] = rng.integers(1, 4)  # the flying ones
    points, normals = scatter(rng, outline, bundles)
    heading = _combed(rng, normals, rng.uniform(0, 1))
    heading += rng.normal(0, rng.uniform(0.1, 0.4), bundles)
    length = spot.radius * rng.uniform(0.35, 1.3) * rng.uniform(0.5, 1.3, bundles)
    bend = rng.normal(0, rng.uniform(0.2, 1.4), bundles)
    owner = np.repeat(np.arange(bundles), sizes)
    count = len(owner)
    spread = spot.radius * rng.uniform(0.03, 0.16)
    hairs = grow(
        points[owner] - normals[owner] * spread + rng.normal(0, spread, (count, 2)),
        heading[owner] + rng.normal(0, rng.uniform(0.04, 0.25), count),
        length[owner] * rng.uniform(0.7, 1.1, count),
        bend=bend[owner] + rng.normal(0, 0.15, count),
        wave=rng.uniform(0, 0.9) * rng.uniform(0.6, 1.2, count),
        turns=rng.uniform(0.7, 3.5),
        phase=rng.uniform(0, 2 * math.pi, bundles)[owner] + rng.normal(0, 0.3, count),
        steps=18,
    )
    width = _hair_width(rng, spot) * rng.uniform(0.6, 1.4, count)
    return _hairy(rng, spot, _body(rng, spot, outline), taper(hairs, width))


def fur(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw a body with dense short hairs along its boundary."""
    outline = spot.place(random_outline(rng) * 0.9)
    return _hairy(rng, spot, _body(rng, spot, outline), _fringe(rng, spot, outline))


def _fringe(rng: np.random.Generator, spot: Spot, outline: Points) -> Points:
    """Short hairs (M, K, 2) along an outline (N, 2), both in pixels."""
    length = spot.radius * math.exp(rng.uniform(math.log(0.06), math.log(0.35)))
    edge = np.diff(outline, axis=0, append=outline[:1])
    width = _hair_width(rng, spot)
    wanted = np.linalg.norm(edge, axis=1).sum() / width * rng.uniform(0.7, 2)
    count = int(np.clip(wanted, 200, 1600))
    points, normals = scatter(rng, outline, count)
    heading = _combed(rng, normals, rng.uniform(0, 0.75))
    # Tufts: neighbours lean the same way.
    tuft = noise(rng, spot.shape, cell=spot.radius * 0.25, octaves=2) - np.float32(0.5)
    xs = np.clip(points[:, 0], 0, spot.shape[1] - 1).astype(np.int64)
    ys = np.clip(points[:, 1], 0, spot.shape[0] - 1).astype(np.int64)
    hairs = grow(
        points - normals * rng.random((count, 1)) ** 2 * length,
        heading + rng.uniform(0.5, 3) * tuft[ys, xs] + rng.normal(0, 0.15, count),
        length * rng.uniform(0.4, 1.3, count) * (1 + tuft[ys, xs]),
        bend=rng.normal(0, 0.5, count),
        steps=7,
    )
    return taper(hairs, width * rng.uniform(0.7, 1.8, count))


def leaves(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw twigs with overlapping pointed leaves, some of them eaten."""
    twigs = int(rng.integers(1, 5))
    per_twig = int(rng.integers(6, 16))
    start = np.tile(rng.uniform(-0.2, 0.2, (1, 2)), (twigs, 1))
    heading = rng.uniform(0, 2 * math.pi) + np.arange(twigs) * (2 * math.pi / twigs)
    heading = heading + rng.normal(0, 0.3, twigs)
    if twigs == 1:
        start = start - np.stack([np.cos(heading), np.sin(heading)], axis=1)
    length = np.full(twigs, 2.0 if twigs == 1 else 1.1)
    stems = grow(start, heading, length, bend=rng.normal(0, 0.6, twigs), steps=24)
    sites = rng.integers(3, 24, (twigs, per_twig))
    roots = np.take_along_axis(stems, sites[..., None], axis=1).reshape(-1, 2)
    count = len(roots)
    side = np.where(rng.random(count) < 0.5, 1.0, -1.0) * rng.uniform(0.4, 1.3, count)
    size = rng.uniform(0.3, 0.7) * rng.uniform(0.6, 1.2, count)
    spine = grow(
        roots,
        np.repeat(heading, per_twig) + side,
        size,
        bend=rng.normal(0, 0.4, count),
        steps=15,
    )
    way = np.linspace(0, 1, 15) ** rng.uniform(0.6, 1.1)
    profile = np.sin(math.pi * way) ** rng.uniform(0.7, 1.4)
    breadth = size * rng.uniform(0.24, 0.6)
    blades = widen(spine, breadth[:, None] * profile)
    stalks = taper(stems, rng.uniform(0.015, 0.05), tip=0.3)
    veins = spot.place(taper(spine, breadth * 0.06))
    tones = Sheet(spot.shape, scale=1).fill(spot.place(stalks), 90)
    cover = Sheet(spot.shape).fill(spot.place(stalks))
    eaten = rng.uniform(0, 0.6)
    for blade, rib, line in zip(spot.place(blades), veins, spine, strict=True):
        cover.fill(blade)
        tones.fill(blade, rng.integers(85, 175, 1)).fill(rib, rng.integers(70, 220, 1))
        if rng.random() < eaten:
            bite = blob(rng, 24) * rng.uniform(0.02, 0.09) + line[rng.integers(4, 12)]
            cover.fill(spot.place(bite), 0)
    shade = np.maximum(tones.coverage(), np.float32(0.2)) * np.float32(2)
    return Shape(cover.coverage(), shade)


def lace(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw cloth full of holes: net, eyelets or mesh, with solid motifs and a hem."""
    cloth = Sheet(spot.shape).fill(spot.place(random_outline(rng))).coverage()
    height, width = spot.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    period = max(5.0, min(spot.shape) * math.exp(rng.uniform(-3.7, -2.4)))
    warp = np.float32(rng.uniform(0, 3) * period)
    xs += warp * noise(rng, spot.shape, cell=min(spot.shape) / 2, octaves=2)
    ys += warp * noise(rng, spot.shape, cell=min(spot.shape) / 2, octaves=2)
    fan = int(rng.choice([2, 2, 3]))
    turns = rng.uniform(0, math.pi) + np.arange(fan) * (math.pi / fan)
    pitch = np.float32(2 * math.pi / period)
    waves = [
        np.cos(pitch * (xs * np.float32(math.cos(t)) + ys * np.float32(math.sin(t))))
        for t in turns
    ]
    # Threads along the crests of every wave, or eyelets where the waves add up.
    if rng.random() < 0.5:
        level = np.maximum.reduce(waves) - np.float32(rng.uniform(0.55, 0.93))
    else:
        level = np.float32(rng.uniform(-0.1, 0.7)) - sum(waves) / np.float32(fan)
    sharpness = np.float32(period / (2 * math.pi))
    thread = np.clip(np.float32(0.5) + level * sharpness * np.float32(1.3), 0, 1)
    motif = noise(rng, spot.shape, cell=period * rng.uniform(3, 7), octaves=2)
    motif = np.clip((motif - np.float32(rng.uniform(0.55, 0.9))) * 15, 0, 1)
    depth = _depth(cloth)
    hem = np.clip(np.float32(rng.uniform(0, 5)) - depth, 0, 1)
    tulle = np.float32(rng.choice([0.0, 0.0, rng.uniform(0.08, 0.45)]))
    solid = np.maximum.reduce([thread, motif, hem])
    alpha = cloth * (tulle + (1 - tulle) * solid)
    shade = np.float32(0.75) + np.float32(0.3) * solid
    return Shape(alpha.astype(np.float32), shade)


def smoke(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw translucent smoke, cloud or steam: noise inside a soft hull."""
    soft = spot.radius * rng.uniform(0.2, 0.45)
    hull = Sheet(spot.shape, scale=1).fill(spot.place(blob(rng) * 1.1)).coverage()
    hull = _blurred(hull, soft)
    detail = noise(
        rng,
        spot.shape,
        cell=spot.radius * rng.uniform(0.5, 1.2),
        octaves=7,
        gain=rng.uniform(0.45, 0.65),
    )
    detail = _swirl(rng, detail, spot.radius * rng.uniform(0, 0.35))
    gain = np.float32(rng.uniform(1.5, 4))
    wisps = np.float32(rng.uniform(1, 2.4))
    density = np.clip(hull * 1.6 + (detail - 1) * wisps, 0, None)
    opacity = np.float32(rng.uniform(0.55, 1))
    alpha = opacity * (1 - np.exp(-gain * density))
    shade = np.float32(0.8) + np.float32(0.4) * detail
    return Shape(alpha.astype(np.float32), shade)


def _swirl(rng: np.random.Generator, values: FloatMap, reach: float) -> FloatMap:
    """Push a map (H, W) around by smooth noise, up to ``reach`` pixels."""
    shape = (values.shape[0], values.shape[1])
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    cell = max(4.0, reach * 2)
    xs += (noise(rng, shape, cell=cell, octaves=3) - np.float32(0.5)) * (2 * reach)
    ys += (noise(rng, shape, cell=cell, octaves=3) - np.float32(0.5)) * (2 * reach)
    moved = cv2.remap(
        values,
        xs.astype(np.float32),
        ys.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(moved, np.float32)


def soft_shape(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw a shape out of focus, moving, or sharp at one side and soft at the other."""
    sharp = Sheet(spot.shape).fill(spot.place(random_outline(rng))).coverage()
    reach = spot.radius * math.exp(rng.uniform(math.log(0.03), math.log(0.25)))
    if rng.random() < 0.35:
        alpha = _motion_blur(sharp, reach * 2, rng.uniform(0, math.pi))
    else:
        alpha = _blurred(sharp, max(reach / 2, 0.8))
        if rng.random() < 0.5:
            mix = noise(rng, spot.shape, cell=spot.radius, octaves=1)
            alpha = alpha * mix + sharp * (1 - mix)
    return Shape(alpha, np.ones(spot.shape, np.float32))


def _motion_blur(alpha: FloatMap, length: float, angle: float) -> FloatMap:
    size = max(3, int(length) | 1)
    kernel = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    dx, dy = math.cos(angle) * middle, math.sin(angle) * middle
    start = round(middle - dx), round(middle - dy)
    cv2.line(kernel, start, (round(middle + dx), round(middle + dy)), 1.0, 1)
    return np.asarray(cv2.filter2D(alpha, -1, kernel / kernel.sum()), np.float32)


def solid_object(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw an object of several parts, as head and limbs, with crisp edges."""
    parts = object_parts(rng)
    sheet = Sheet(spot.shape)
    shade = np.ones(spot.shape, np.float32)
    layers = []
    depth_share = np.float32(rng.uniform(0.1, 0.6))
    for part in parts:
        polygon = spot.place(part)
        sheet.fill(polygon)
        mask = Sheet(spot.shape, scale=1).fill(polygon).coverage()
        depth = _depth(mask)
        swell = np.sqrt(depth / max(float(depth.max()), 1e-6))
        shade += mask * (1 + depth_share * (swell - np.float32(0.7)) - shade)
        layers.append(mask)
    alpha = _blurred(sheet.coverage(), rng.uniform(0.25, 0.9))
    if rng.random() < 0.3:
        longest = spot.place(max(parts, key=lambda part: float(np.ptp(part))))
        haired = _hairy(rng, spot, alpha, _fringe(rng, spot, longest))
        alpha, shade = haired.alpha, shade * haired.shade
    return Shape(alpha, shade, tuple(layers))


def glass(rng: np.random.Generator, spot: Spot) -> Shape:
    """Draw a transparent body, thin in the middle and dense at the rim."""
    hull = Sheet(spot.shape).fill(spot.place(random_outline(rng))).coverage()
    rim = np.exp(-_depth(hull) / np.float32(spot.radius * rng.uniform(0.04, 0.15)))
    base = np.float32(rng.uniform(0.12, 0.5))
    glare = noise(rng, spot.shape, cell=spot.radius * 0.8, octaves=2)
    glare = np.clip((glare - np.float32(rng.uniform(0.65, 0.8))) * 6, 0, 1)
    dense = np.float32(rng.uniform(0.6, 0.95)) * rim
    alpha = hull * np.clip(np.maximum(base + dense, glare * np.float32(0.9)), 0, 1)
    shade = np.float32(0.7) + np.float32(0.9) * glare + np.float32(0.2) * rim
    return Shape(alpha.astype(np.float32), shade.astype(np.float32))
