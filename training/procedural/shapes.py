"""Alphas of the procedural objects: hair, fur, leaves, lace, smoke, blur and glass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.procedural.outlines import (
    CoverageCanvas,
    ObjectPose,
    Points,
    blob,
    grow_curves,
    object_parts,
    random_outline,
    scatter,
    taper_curves,
    widen_curves,
)
from training.procedural.textures import FloatMap, noise


@dataclass(frozen=True, slots=True)
class RenderedShape:
    """An object without colours.

    ``alpha`` is (H, W) float32 in [0, 1], ``shade`` (H, W) float32 multiplies the
    colours, and each of ``layers``, (H, W) float32 in [0, 1], covers those below it
    with another material.
    """

    alpha: FloatMap
    shade: FloatMap
    layers: tuple[FloatMap, ...] = ()


def _blur(alpha: FloatMap, sigma: float) -> FloatMap:
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma), np.float32)


def _inner_depth(cover: FloatMap) -> FloatMap:
    """Compute the distance in pixels to the nearest uncovered pixel, (H, W)."""
    inside = (cover > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    # Without any uncovered pixel OpenCV's distance is unbounded.
    return np.minimum(depth, np.float32(max(cover.shape)))


def _draw_hair(
    rng: np.random.Generator, pose: ObjectPose, body: FloatMap, hairs: Points
) -> RenderedShape:
    """Draw hairs (M, K, 2) in pixels over a body's alpha (H, W), each with its tone."""
    count = len(hairs)
    opacity = np.sort(rng.uniform(rng.uniform(0.35, 1), 1, count)) * 255
    cover = CoverageCanvas(pose.shape).fill(hairs, opacity.astype(np.int64)).coverage()
    tones = np.clip(rng.normal(128, rng.uniform(4, 40), count), 1, 255)
    drawn = CoverageCanvas(pose.shape, scale=1, level=128).fill(
        hairs, tones.astype(np.int64)
    )
    shade = drawn.coverage() * np.float32(255 / 128)
    return RenderedShape(1 - (1 - body) * (1 - cover), shade)


def _body(rng: np.random.Generator, pose: ObjectPose, outline: Points) -> FloatMap:
    """Draw the slightly soft alpha (H, W) of a body whose edge hairs will cover."""
    cover = CoverageCanvas(pose.shape).fill(outline).coverage()
    sigma = max(0.4, pose.radius * rng.uniform(0, 0.05))
    return _blur(cover, sigma)


def _hair_width(rng: np.random.Generator, pose: ObjectPose) -> float:
    """Draw the typical width of a hair in pixels, mostly below 1."""
    thin = math.exp(rng.uniform(math.log(0.2), math.log(1.6)))
    return thin * math.sqrt(min(pose.shape) / 256)


def _comb_headings(
    rng: np.random.Generator, normals: Points, comb: float
) -> NDArray[np.float64]:
    """Blend headings (N,) from outward normals (comb 0) to one direction (comb 1)."""
    outward = np.arctan2(normals[:, 1], normals[:, 0])
    wind = rng.uniform(0, 2 * math.pi)
    off = np.angle(np.exp(1j * (wind - outward)))
    heading: NDArray[np.float64] = outward + comb * off
    return heading


def draw_strands(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw long hair in bundles over a soft body, with some single hairs."""
    outline = pose.to_pixels(blob(rng) * rng.uniform(0.4, 0.8))
    bundles = int(rng.integers(20, 70))
    sizes = np.full(bundles, int(rng.integers(8, 20)))
    sizes[: bundles // 3] = rng.integers(1, 4)  # single hairs
    points, normals = scatter(rng, outline, bundles)
    heading = _comb_headings(rng, normals, rng.uniform(0, 1))
    heading += rng.normal(0, rng.uniform(0.1, 0.4), bundles)
    length = pose.radius * rng.uniform(0.35, 1.3) * rng.uniform(0.5, 1.3, bundles)
    bend = rng.normal(0, rng.uniform(0.2, 1.4), bundles)
    owner = np.repeat(np.arange(bundles), sizes)
    count = len(owner)
    spread = pose.radius * rng.uniform(0.03, 0.16)
    hairs = grow_curves(
        points[owner] - normals[owner] * spread + rng.normal(0, spread, (count, 2)),
        heading[owner] + rng.normal(0, rng.uniform(0.04, 0.25), count),
        length[owner] * rng.uniform(0.7, 1.1, count),
        bend=bend[owner] + rng.normal(0, 0.15, count),
        wave=rng.uniform(0, 0.9) * rng.uniform(0.6, 1.2, count),
        turns=rng.uniform(0.7, 3.5),
        phase=rng.uniform(0, 2 * math.pi, bundles)[owner] + rng.normal(0, 0.3, count),
        steps=18,
    )
    width = _hair_width(rng, pose) * rng.uniform(0.6, 1.4, count)
    return _draw_hair(rng, pose, _body(rng, pose, outline), taper_curves(hairs, width))


def draw_fur(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw a body with dense short hairs along its boundary."""
    outline = pose.to_pixels(random_outline(rng) * 0.9)
    return _draw_hair(rng, pose, _body(rng, pose, outline), _fringe(rng, pose, outline))


def _fringe(rng: np.random.Generator, pose: ObjectPose, outline: Points) -> Points:
    """Make short hairs (M, K, 2) along an outline (N, 2), both in pixels."""
    length = pose.radius * math.exp(rng.uniform(math.log(0.06), math.log(0.35)))
    edge = np.diff(outline, axis=0, append=outline[:1])
    width = _hair_width(rng, pose)
    hair_count = np.linalg.norm(edge, axis=1).sum() / width * rng.uniform(0.7, 2)
    count = int(np.clip(hair_count, 200, 1600))
    points, normals = scatter(rng, outline, count)
    heading = _comb_headings(rng, normals, rng.uniform(0, 0.75))
    # Tufts: neighbouring hairs lean in the same direction.
    tuft = noise(rng, pose.shape, cell=pose.radius * 0.25, octaves=2) - np.float32(0.5)
    xs = np.clip(points[:, 0], 0, pose.shape[1] - 1).astype(np.int64)
    ys = np.clip(points[:, 1], 0, pose.shape[0] - 1).astype(np.int64)
    hairs = grow_curves(
        points - normals * rng.random((count, 1)) ** 2 * length,
        heading + rng.uniform(0.5, 3) * tuft[ys, xs] + rng.normal(0, 0.15, count),
        length * rng.uniform(0.4, 1.3, count) * (1 + tuft[ys, xs]),
        bend=rng.normal(0, 0.5, count),
        steps=7,
    )
    return taper_curves(hairs, width * rng.uniform(0.7, 1.8, count))


def draw_leaves(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw twigs with overlapping pointed leaves, some with bites."""
    twigs = int(rng.integers(1, 5))
    per_twig = int(rng.integers(6, 16))
    start = np.tile(rng.uniform(-0.2, 0.2, (1, 2)), (twigs, 1))
    heading = rng.uniform(0, 2 * math.pi) + np.arange(twigs) * (2 * math.pi / twigs)
    heading = heading + rng.normal(0, 0.3, twigs)
    if twigs == 1:
        start = start - np.stack([np.cos(heading), np.sin(heading)], axis=1)
    length = np.full(twigs, 2.0 if twigs == 1 else 1.1)
    stems = grow_curves(
        start, heading, length, bend=rng.normal(0, 0.6, twigs), steps=24
    )
    sites = rng.integers(3, 24, (twigs, per_twig))
    roots = np.take_along_axis(stems, sites[..., None], axis=1).reshape(-1, 2)
    count = len(roots)
    side = np.where(rng.random(count) < 0.5, 1.0, -1.0) * rng.uniform(0.4, 1.3, count)
    size = rng.uniform(0.3, 0.7) * rng.uniform(0.6, 1.2, count)
    spine = grow_curves(
        roots,
        np.repeat(heading, per_twig) + side,
        size,
        bend=rng.normal(0, 0.4, count),
        steps=15,
    )
    along = np.linspace(0, 1, 15) ** rng.uniform(0.6, 1.1)
    profile = np.sin(math.pi * along) ** rng.uniform(0.7, 1.4)
    breadth = size * rng.uniform(0.24, 0.6)
    blades = widen_curves(spine, breadth[:, None] * profile)
    stalks = taper_curves(stems, rng.uniform(0.015, 0.05), tip=0.3)
    veins = pose.to_pixels(taper_curves(spine, breadth * 0.06))
    tones = CoverageCanvas(pose.shape, scale=1).fill(pose.to_pixels(stalks), 90)
    cover = CoverageCanvas(pose.shape).fill(pose.to_pixels(stalks))
    eaten = rng.uniform(0, 0.6)
    for blade, rib, line in zip(pose.to_pixels(blades), veins, spine, strict=True):
        cover.fill(blade)
        tones.fill(blade, rng.integers(85, 175, 1)).fill(rib, rng.integers(70, 220, 1))
        if rng.random() < eaten:
            bite = blob(rng, 24) * rng.uniform(0.02, 0.09) + line[rng.integers(4, 12)]
            cover.fill(pose.to_pixels(bite), 0)
    shade = np.maximum(tones.coverage(), np.float32(0.2)) * np.float32(2)
    return RenderedShape(cover.coverage(), shade)


def draw_lace(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw perforated cloth: net, eyelets or mesh, with solid motifs and a hem."""
    cloth = (
        CoverageCanvas(pose.shape).fill(pose.to_pixels(random_outline(rng))).coverage()
    )
    height, width = pose.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    period = max(5.0, min(pose.shape) * math.exp(rng.uniform(-3.7, -2.4)))
    warp = np.float32(rng.uniform(0, 3) * period)
    xs += warp * noise(rng, pose.shape, cell=min(pose.shape) / 2, octaves=2)
    ys += warp * noise(rng, pose.shape, cell=min(pose.shape) / 2, octaves=2)
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
    motif = noise(rng, pose.shape, cell=period * rng.uniform(3, 7), octaves=2)
    motif = np.clip((motif - np.float32(rng.uniform(0.55, 0.9))) * 15, 0, 1)
    depth = _inner_depth(cloth)
    hem = np.clip(np.float32(rng.uniform(0, 5)) - depth, 0, 1)
    tulle = np.float32(rng.choice([0.0, 0.0, rng.uniform(0.08, 0.45)]))
    solid = np.maximum.reduce([thread, motif, hem])
    alpha = cloth * (tulle + (1 - tulle) * solid)
    shade = np.float32(0.75) + np.float32(0.3) * solid
    return RenderedShape(alpha.astype(np.float32), shade)


def draw_smoke(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw translucent smoke, cloud or steam: noise inside a soft hull."""
    soft = pose.radius * rng.uniform(0.2, 0.45)
    hull = (
        CoverageCanvas(pose.shape, scale=1)
        .fill(pose.to_pixels(blob(rng) * 1.1))
        .coverage()
    )
    hull = _blur(hull, soft)
    detail = noise(
        rng,
        pose.shape,
        cell=pose.radius * rng.uniform(0.5, 1.2),
        octaves=7,
        gain=rng.uniform(0.45, 0.65),
    )
    detail = _swirl(rng, detail, pose.radius * rng.uniform(0, 0.35))
    gain = np.float32(rng.uniform(1.5, 4))
    wisps = np.float32(rng.uniform(1, 2.4))
    density = np.clip(hull * 1.6 + (detail - 1) * wisps, 0, None)
    opacity = np.float32(rng.uniform(0.55, 1))
    alpha = opacity * (1 - np.exp(-gain * density))
    shade = np.float32(0.8) + np.float32(0.4) * detail
    return RenderedShape(alpha.astype(np.float32), shade)


def _swirl(rng: np.random.Generator, values: FloatMap, reach: float) -> FloatMap:
    """Warp a map (H, W) by smooth noise of up to ``reach`` pixels."""
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


def draw_soft_shape(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw a shape with defocus or motion blur, or with a partly sharp edge."""
    sharp = (
        CoverageCanvas(pose.shape).fill(pose.to_pixels(random_outline(rng))).coverage()
    )
    reach = pose.radius * math.exp(rng.uniform(math.log(0.03), math.log(0.25)))
    if rng.random() < 0.35:
        alpha = _motion_blur(sharp, reach * 2, rng.uniform(0, math.pi))
    else:
        alpha = _blur(sharp, max(reach / 2, 0.8))
        if rng.random() < 0.5:
            mix = noise(rng, pose.shape, cell=pose.radius, octaves=1)
            alpha = alpha * mix + sharp * (1 - mix)
    return RenderedShape(alpha, np.ones(pose.shape, np.float32))


def _motion_blur(alpha: FloatMap, length: float, angle: float) -> FloatMap:
    size = max(3, int(length) | 1)
    kernel = np.zeros((size, size), np.float32)
    middle = (size - 1) / 2
    dx, dy = math.cos(angle) * middle, math.sin(angle) * middle
    start = round(middle - dx), round(middle - dy)
    cv2.line(kernel, start, (round(middle + dx), round(middle + dy)), 1.0, 1)
    return np.asarray(cv2.filter2D(alpha, -1, kernel / kernel.sum()), np.float32)


def draw_solid_object(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw an object with several parts, such as head and limbs, and sharp edges."""
    parts = object_parts(rng)
    canvas = CoverageCanvas(pose.shape)
    shade = np.ones(pose.shape, np.float32)
    layers = []
    depth_share = np.float32(rng.uniform(0.1, 0.6))
    for part in parts:
        polygon = pose.to_pixels(part)
        canvas.fill(polygon)
        mask = CoverageCanvas(pose.shape, scale=1).fill(polygon).coverage()
        depth = _inner_depth(mask)
        swell = np.sqrt(depth / max(float(depth.max()), 1e-6))
        shade += mask * (1 + depth_share * (swell - np.float32(0.7)) - shade)
        layers.append(mask)
    alpha = _blur(canvas.coverage(), rng.uniform(0.25, 0.9))
    if rng.random() < 0.3:
        longest = pose.to_pixels(max(parts, key=lambda part: float(np.ptp(part))))
        with_hair = _draw_hair(rng, pose, alpha, _fringe(rng, pose, longest))
        alpha, shade = with_hair.alpha, shade * with_hair.shade
    return RenderedShape(alpha, shade, tuple(layers))


def draw_glass(rng: np.random.Generator, pose: ObjectPose) -> RenderedShape:
    """Draw a transparent body with low alpha inside and high alpha at the rim."""
    hull = (
        CoverageCanvas(pose.shape).fill(pose.to_pixels(random_outline(rng))).coverage()
    )
    rim = np.exp(
        -_inner_depth(hull) / np.float32(pose.radius * rng.uniform(0.04, 0.15))
    )
    base = np.float32(rng.uniform(0.12, 0.5))
    glare = noise(rng, pose.shape, cell=pose.radius * 0.8, octaves=2)
    glare = np.clip((glare - np.float32(rng.uniform(0.65, 0.8))) * 6, 0, 1)
    dense = np.float32(rng.uniform(0.6, 0.95)) * rim
    alpha = hull * np.clip(np.maximum(base + dense, glare * np.float32(0.9)), 0, 1)
    shade = np.float32(0.7) + np.float32(0.9) * glare + np.float32(0.2) * rim
    return RenderedShape(alpha.astype(np.float32), shade.astype(np.float32))
