"""Fill a hole of an image with what surrounds it, by its own patches.

The hole is filled from coarse to fine (Wexler et al. 2007): every patch that touches it
looks for the known patch most like it, and every pixel becomes the mean of what the
matches of the patches over it say.  Patches count more where they match well and where
they lie near the hole's edge.  Two channels beside the colours hold how much detail
there is, averaged at the finest scale, so that coarse scales do not choose smooth
patches for grass (Newson et al. 2014).

What is found is from where each pixel of the hole is copied, not its colour: a photo of
12 megapixels is searched at a smaller size and copied at its own, sharp and at its own
depth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray, Bounds, ByteArray, FloatArray, mask_bounds
from zim_model.errors import ZimError, msg
from zim_model.matting.patch_match import (
    RADIUS,
    SIDE,
    Field,
    Indexes,
    PatchMatcher,
    distance_costs,
    grow,
    interior,
    patches_at,
)
from zim_model.matting.pull_push import interpolate
from zim_model.request import CancelCheck, never_cancelled, raise_if_cancelled
from zim_model.runtime.threads import single_blas_thread

Pixels = npt.NDArray[np.unsignedinteger[Any]]
"""(H, W, 3) uint8 or uint16."""

SEARCHED_PIXELS = 420_000
"""Most pixels of the surroundings that are searched; larger ones are scaled down."""
SEARCHED_HOLE = 45_000
"""Most pixels of the hole that are searched for."""
SURROUNDINGS = 1.0
"""Searched on each side of the hole, in longer sides of it."""
LEAST_SURROUNDINGS = 96
"""The same in pixels, for small holes."""
COARSEST_DEPTH = 3.0
"""Of the hole on the coarsest level: the largest distance from its edge, in pixels."""
LEAST_SIDE = 4 * SIDE
"""Of an image on a level that is not the finest."""
ITERATIONS = (20, 8, 5)
"""Most, of matching and averaging: on the coarsest level, between, on the finest."""
ROUNDS = 2
"""Of PatchMatch in each iteration."""
NEARNESS = 1.3
"""Factor by which patches lose weight for each pixel farther from the hole's edge."""
FARTHEST = 40
"""Pixels after which that ends."""
DETAIL_WEIGHT = 2.0
"""Of the channels of detail, relative to those of colour."""
DETAIL_SIDE = 9
"""Side of the window in which detail is averaged, in pixels of the finest level."""
EDGE_LIMIT = 24.0
"""Largest correction of colours at the hole's edge, of 255: a larger difference is a
structure that ends there, not light."""


class HoleTooLargeError(ZimError):
    """Around a hole too little of the image is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """From where the pixels of a hole are copied.

    Attributes:
        hole: (H, W) of the image.
        bounds: of the searched surroundings in the image.
        shape: (h, w) at which was searched.
        sources: (h * w) flat indexes at that size: what each place is copied from; its
            own index where nothing is copied.
    """

    hole: BoolArray
    bounds: Bounds
    shape: tuple[int, int]
    sources: Indexes

    def apply(self, pixels: Pixels) -> Pixels:
        """A copy of an image of the hole's size with the hole filled.

        Args:
            pixels: (H, W, 3) uint8 or uint16, of the searched image at any depth and in
                any colour space.
        """
        left, top, right, bottom = self.bounds
        out = pixels.copy()
        crop = out[top:bottom, left:right]
        hole = self.hole[top:bottom, left:right]
        places = np.flatnonzero(hole)
        copied = self._copied(pixels[top:bottom, left:right], places)
        largest = float(np.iinfo(pixels.dtype).max)
        copied += self._light(crop, hole, EDGE_LIMIT / 255 * largest).reshape(-1, 3)[
            places
        ]
        crop[hole] = np.clip(np.rint(copied), 0, largest).astype(pixels.dtype)
        return out

    def _copied(self, crop: Pixels, places: Indexes) -> FloatArray:
        """What is copied to places of the crop, (n, 3) float32.

        Between the four searched places around it a pixel is the mean of what is copied
        for each.
        """
        height, width = crop.shape[:2]
        rows, columns = self.shape
        v, u = (
            ((position + 0.5) * (small / large) - 0.5).astype(np.float32)
            for position, small, large in (
                (places // width, rows, height),
                (places % width, columns, width),
            )
        )
        v0, u0 = np.floor(v).astype(np.intp), np.floor(u).astype(np.intp)
        v -= v0
        u -= u0
        steps = self._steps(height, width)
        flat = crop.reshape(-1, 3)
        out = np.zeros((len(places), 3), np.float32)
        for dv, weight_v in ((0, 1 - v), (1, v)):
            row = np.clip(v0 + dv, RADIUS, rows - RADIUS - 1) * columns
            for du, weight_u in ((0, 1 - u), (1, u)):
                column = np.clip(u0 + du, RADIUS, columns - RADIUS - 1)
                source = places + steps[row + column]
                weight = (weight_v * weight_u)[:, None]
                out += weight * flat.take(source, axis=0, mode="clip")
        return out

    def _steps(self, height: int, width: int) -> Indexes:
        """(h * w) from each searched place to its source, in a crop of that size."""
        rows, columns = self.shape
        own = np.arange(rows * columns)
        dy = (self.sources // columns - own // columns) * (height / rows)
        dx = (self.sources % columns - own % columns) * (width / columns)
        steps = np.rint(dy).astype(np.intp) * width + np.rint(dx).astype(np.intp)
        return np.asarray(steps, np.intp)

    def _light(self, crop: Pixels, hole: BoolArray, limit: float) -> FloatArray:
        """What is added to copied colours so that they meet those at the hole's edge.

        The difference there is continued smoothly into the hole.

        Returns:
            (h, w, 3) float32 of the crop's size.
        """
        height, width = hole.shape
        rows, columns = self.shape
        reach = 2 * max(1, round(height / rows)) + 1
        near = cv2.dilate(hole.view(np.uint8), np.ones((reach, reach), np.uint8))
        ring = np.flatnonzero(near.view(np.bool_) & ~hole)
        difference = crop.reshape(-1, 3)[ring] - self._copied(crop, ring)
        fits = np.abs(difference).max(1) < limit
        ring, difference = ring[fits], difference[fits]
        cell = (ring // width * rows // height) * columns
        cell += ring % width * columns // width
        size = rows * columns
        count = np.bincount(cell, minlength=size)
        sums = [np.bincount(cell, channel, size) for channel in difference.T]
        means = np.stack(sums, 1) / np.maximum(count, 1)[:, None]
        smooth = interpolate(
            means.reshape(rows, columns, 3).astype(np.float32),
            (count > 0).reshape(rows, columns),
        )
        resized = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The searched surroundings at one scale.

    Attributes:
        channels: (h, w, 5) float32: L, a, b, and the horizontal and vertical detail.
        hole: (h, w) what is filled.
        known: (h, w) what may be copied.
    """

    channels: FloatArray
    hole: BoolArray
    known: BoolArray

    def halved(self) -> _Level:
        """The level of half the size, rounded up."""
        height, width = self.hole.shape
        odd = ((0, height % 2), (0, width % 2))
        channels = np.pad(self.channels, (*odd, (0, 0)), "edge")
        hole, known = np.pad(self.hole, odd), np.pad(self.known, odd)
        weight = (~hole).astype(np.float32)
        sums = _quarters(channels * weight[..., None]).sum(2)
        counts = _quarters(weight).sum(2)
        return _Level(
            sums / np.maximum(counts, 1)[..., None],
            np.asarray(_quarters(hole).any(2)),
            np.asarray(_quarters(known).all(2)),
        )


def _quarters(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(h / 2, w / 2, 4, ...) the pixels of each square of four."""
    return np.stack([values[dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)], axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """What a fill looks like so far.

    Attributes:
        bounds: of the searched surroundings in the image.
        colours: (h, w, 3) uint8 sRGB, of these, at the size at which is searched.
        hole: (h, w), where it differs from the image.
    """

    bounds: Bounds
    colours: ByteArray
    hole: BoolArray


def find_fill(
    image: ByteArray,
    hole: BoolArray,
    *,
    usable: BoolArray | None = None,
    seed: int = 0,
    on_draft: Callable[[Draft], object] = lambda _: None,
    cancelled: CancelCheck = never_cancelled,
) -> Fill:
    """What the hole of an image is filled with.

    Args:
        image: (H, W, 3) uint8 sRGB.
        hole: (H, W), not empty.
        usable: (H, W), what may be copied; None for all outside the hole.
        seed: of the random numbers; the same seed gives the same fill.
        on_draft: called after each level but the last.
        cancelled: polled between iterations.

    Raises:
        HoleTooLargeError: too little is known to fill the hole from.
        Cancelled: ``cancelled`` became true.
    """
    bounds = _surroundings(hole)
    left, top, right, bottom = bounds
    part = slice(top, bottom), slice(left, right)
    known = ~hole[part] if usable is None else ~hole[part] & usable[part]
    levels = _levels(image[part], hole[part], known)
    shape = levels[0].hole.shape
    random = np.random.default_rng(seed)
    coarser: tuple[_Level, Field] | None = None
    with single_blas_thread():  # products are short
        for number in reversed(range(len(levels))):
            iterations = ITERATIONS[1]
            if number in (0, len(levels) - 1):
                iterations = ITERATIONS[2 if number == 0 else 0]
            level = levels[number]
            level, field = _fill_level(level, coarser, iterations, random, cancelled)
            coarser = level, field
            if number > 0:
                colours = _colours(level, 2**number, shape)
                on_draft(Draft(bounds, colours, levels[0].hole))
    return Fill(hole, bounds, shape, _sources(level, field))


def _colours(level: _Level, scale: int, shape: tuple[int, int]) -> ByteArray:
    """The colours of a level, (h, w, 3) uint8 sRGB, at the size of the finest one."""
    rgb = cv2.cvtColor(np.ascontiguousarray(level.channels[..., :3]), cv2.COLOR_LAB2RGB)
    height, width = level.hole.shape
    size = scale * width, scale * height
    large = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
    large = large[: shape[0], : shape[1]]
    return np.asarray(np.rint(large.clip(0, 1) * 255), np.uint8)


def _surroundings(hole: BoolArray) -> Bounds:
    """The bounds of what is searched."""
    bounds = mask_bounds(hole)
    assert bounds is not None
    left, top, right, bottom = bounds
    side = max(right - left, bottom - top)
    reach = max(LEAST_SURROUNDINGS, round(SURROUNDINGS * side))
    height, width = hole.shape
    return (
        max(0, left - reach),
        max(0, top - reach),
        min(width, right + reach),
        min(height, bottom + reach),
    )


def _levels(image: ByteArray, hole: BoolArray, known: BoolArray) -> list[_Level]:
    """The pyramid, the finest level first.

    Raises:
        HoleTooLargeError: too little is known to fill the hole from.
    """
    scale = min(
        1.0,
        (SEARCHED_PIXELS / hole.size) ** 0.5,
        (SEARCHED_HOLE / np.count_nonzero(hole)) ** 0.5,
    )
    height, width = (max(SIDE, round(side * scale)) for side in hole.shape)
    size = width, height
    missing, unknown = (
        cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        for part in (hole, ~known)
    )
    rgb = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab: FloatArray = np.asarray(
        cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32
    )
    level = _Level(np.dstack([lab, _detail(lab[..., 0], ~missing)]), missing, ~unknown)
    levels = [level]
    if not _centres(level.known).any():
        raise HoleTooLargeError(
            msg("The hole leaves nothing of the photo to fill it from."),
            msg("Make the hole, or its margin, smaller, or remove less at once."),
        )
    while min(level.hole.shape) >= 2 * LEAST_SIDE and _depth(level) > COARSEST_DEPTH:
        level = level.halved()
        if not _centres(level.known).any():
            break
        levels.append(level)
    return levels


def _detail(lightness: FloatArray, known: BoolArray) -> FloatArray:
    """(h, w, 2) the mean horizontal and vertical slope of the known pixels around."""
    slopes = []
    weight = cv2.erode(known.view(np.uint8), np.ones((3, 3), np.uint8))
    weight = weight.astype(np.float32)
    window = DETAIL_SIDE, DETAIL_SIDE
    total = cv2.blur(weight, window)
    for dx, dy in ((1, 0), (0, 1)):
        slope = np.abs(cv2.Sobel(lightness, cv2.CV_32F, dx, dy, scale=1 / 8))
        mean = cv2.blur(slope * weight, window) / np.maximum(total, 1e-6)
        slopes.append(DETAIL_WEIGHT * mean)
    return np.dstack(slopes)


def _depth(level: _Level) -> float:
    """The largest distance from the hole's edge, in pixels."""
    return float(cv2.distanceTransform(level.hole.view(np.uint8), cv2.DIST_L2, 3).max())


def _centres(known: BoolArray) -> BoolArray:
    """The centres of the patches that are known as a whole."""
    return ~grow(~known) & interior(known.shape)


def _targets(hole: BoolArray) -> Indexes:
    return np.flatnonzero(grow(hole) & interior(hole.shape))


def _fill_level(
    level: _Level,
    coarser: tuple[_Level, Field] | None,
    iterations: int,
    random: np.random.Generator,
    cancelled: CancelCheck,
) -> tuple[_Level, Field]:
    """A level with its hole filled, and its field, from those of the coarser one."""
    targets = _targets(level.hole)
    channels = level.channels.copy()
    start = None
    if coarser is None:
        _peel(level, channels)
    else:
        start = _finer(level, *coarser, targets)
        flat = np.ones(len(targets), np.float32)
        _average(level, channels, Field(targets, start, flat))
    matcher = PatchMatcher(channels, targets, _centres(level.known), random)
    for _ in range(iterations):
        raise_if_cancelled(cancelled)
        field = matcher.match(channels, start, ROUNDS)
        _average(level, channels, field)
        if start is not None and np.array_equal(start, field.sources):
            break
        start = field.sources
    return replace(level, channels=channels), field


def _peel(level: _Level, channels: FloatArray) -> None:
    """Fill the hole of a small level from its edge inwards, pixel by pixel.

    Each ring is copied from the known patches that are most like what the patches over
    it already hold (onion peel).
    """
    height, width = level.hole.shape
    flat = channels.reshape(level.hole.size, -1)
    sources = np.flatnonzero(_centres(level.known))
    known = patches_at(channels, sources)
    filled = ~level.hole
    while not filled.all():
        window = np.ones((3, 3), np.uint8)
        near = cv2.dilate(filled.view(np.uint8), window).view(np.bool_)
        ring = np.flatnonzero(near & ~filled)
        rows = np.clip(ring // width, RADIUS, height - RADIUS - 1)
        columns = np.clip(ring % width, RADIUS, width - RADIUS - 1)
        centres = rows * width + columns
        holds = patches_at(filled[..., None].astype(np.float32), centres)
        holds = np.repeat(holds, flat.shape[1], axis=1)
        sought = patches_at(channels, centres) * holds
        costs = holds @ (known * known).T - 2 * (sought @ known.T)
        costs += distance_costs(centres, sources, level.hole.shape)
        nearest = np.argmin(costs, 1)
        flat[ring] = flat[sources[nearest] + ring - centres]
        filled.ravel()[ring] = True


def _finer(level: _Level, coarse: _Level, field: Field, targets: Indexes) -> Indexes:
    """The matches of a coarser level's field, at twice the size."""
    height, width = level.hole.shape
    rows, columns = coarse.hole.shape
    lookup = _lookup(field, coarse.hole.size)
    y, x = targets // width, targets % width
    row = np.clip(y // 2, RADIUS, rows - RADIUS - 1)
    column = np.clip(x // 2, RADIUS, columns - RADIUS - 1)
    index = lookup[row * columns + column]
    source = field.sources[index]
    source_y = 2 * (source // columns - row) + y
    source_x = 2 * (source % columns - column) + x
    found = source_y * width + source_x
    usable = (index >= 0) & (source_y >= 0) & (source_y < height)
    usable &= (source_x >= 0) & (source_x < width)
    centres = _centres(level.known).ravel()
    usable &= centres[np.where(usable, found, 0)]
    fallback = np.flatnonzero(centres)[0]
    return np.asarray(np.where(usable, found, fallback), np.intp)


def _lookup(field: Field, size: int) -> Indexes:
    """The number of the target at each place; -1 where there is none."""
    lookup = np.full(size, -1, np.intp)
    lookup[field.targets] = np.arange(len(field.targets))
    return lookup


def _average(level: _Level, channels: FloatArray, field: Field) -> None:
    """Fill the hole with the means of what the matches of the patches over it say."""
    places = np.flatnonzero(level.hole)
    flat = channels.reshape(level.hole.size, -1)
    weight, offsets = _weights(level, field)
    sums = np.zeros((len(places), flat.shape[1]), np.float32)
    total = np.zeros(len(places), np.float32)
    copied = flat.copy()
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            over = _moved(places, level.hole.shape, dy, dx)
            share = weight[over]
            source = np.where(share > 0, places + offsets[over], 0)
            sums += share[:, None] * copied.take(source, axis=0)
            total += share
    flat[places] = sums / total[:, None]


def _moved(places: Indexes, shape: tuple[int, int], dy: int, dx: int) -> Indexes:
    height, width = shape
    rows = np.clip(places // width + dy, 0, height - 1)
    columns = np.clip(places % width + dx, 0, width - 1)
    return np.asarray(rows * width + columns, np.intp)


def _weights(level: _Level, field: Field) -> tuple[FloatArray, Indexes]:
    """(h * w) weights of the patches centred there, and the way to their matches."""
    shape = level.hole.shape
    size = level.hole.size
    distances = np.full(size, np.float32(np.inf))
    distances[field.targets] = field.distances
    window = np.ones((SIDE, SIDE), np.uint8)
    best = cv2.erode(distances.reshape(shape), window).ravel()[field.targets]
    worse = (field.distances - best) / (best + 1e-3)
    depth = cv2.distanceTransform(level.hole.view(np.uint8), cv2.DIST_L2, 3)
    depth = np.minimum(depth.ravel()[field.targets], FARTHEST)
    weight = np.zeros(size, np.float32)
    weight[field.targets] = np.exp(-worse) * NEARNESS**-depth + 1e-12
    offsets = np.zeros(size, np.intp)
    offsets[field.targets] = field.sources - field.targets
    return weight, offsets


def _sources(level: _Level, field: Field) -> Indexes:
    sources = np.arange(level.hole.size)
    sources[field.targets] = field.sources
    return sources
