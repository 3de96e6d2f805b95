"""Scenes for training: images with one object, read from a training folder.

Every scene is a pure function of the random generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from training.datasets.table import (
    SPLIT_KINDS,
    TRAINED_KINDS,
    Pair,
    Pool,
    TrainingData,
    is_held_out,
    open_data,
)
from training.manifest import MANIFEST
from training.procedural import render
from training.procedural.textures import paint_texture, random_palette
from training.reading import CURE, read_alpha, read_labels, read_photo
from training.regions import REST
from zim_model.arrays import BoolArray, ByteArray, FloatArray, mask_bounds
from zim_model.errors import ImageError, ZimError

__all__ = ["SceneReader", "is_held_out", "open_data"]

COMPOSED = 288
"""Side of the scenes that are put together of cut-outs or drawn, in pixels."""
MAX_SIDE = 512
"""Longest side in pixels that images are downscaled to."""
MERGED_REGIONS_SHARE = 0.12
"""Share of the targets from maps of many regions that merge two neighbours."""

Weights = Literal["open", "all"]
"""Which images to train on: ``open`` only those whose licence allows any use of the
weights, ``all`` also those for research only."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image with the alpha of one object.

    Attributes:
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1].
        valid: (H, W) bool, false where alpha is undefined.
        other_objects: (H, W) bool.
        exact: alpha is a matte, not a hard label.
        subject: the object is the main subject of the image.
        merged: masks (H, W) bool of the objects that were merged, at least two; empty
            if the object is one.
        region: it is a region that was found without labels, see
            :mod:`training.regions`.
    """

    image: ByteArray
    alpha: FloatArray
    valid: BoolArray
    other_objects: BoolArray
    exact: bool
    subject: bool = False
    merged: tuple[BoolArray, ...] = ()
    region: bool = False

    def crop(self, region: tuple[slice, slice]) -> Scene:
        """Crop all maps to some rows and columns; a negative step flips."""
        return replace(
            self,
            image=np.ascontiguousarray(self.image[region]),
            alpha=np.ascontiguousarray(self.alpha[region]),
            valid=np.ascontiguousarray(self.valid[region]),
            other_objects=np.ascontiguousarray(self.other_objects[region]),
            merged=tuple(np.ascontiguousarray(mask[region]) for mask in self.merged),
        )


class SceneReader:
    """Reads the images of a training folder and draws scenes from them.

    Args:
        data: what :func:`open_data` gives, or the path of a folder or TOML file.
        held_out: draw from the held-out labelled images and mattes instead of the
            others, see :meth:`TrainingData.is_held_out`.
        longest: longest side in pixels that mattes and labelled images are downscaled
            to.
        weights: ``open`` uses only images that are open according to the manifest or
            to their entry.
        composed: side in pixels of scenes that are composited or drawn.

    Raises:
        ZimError: the folder has no training images, or none is known to be open; it is
            another kind of data.
    """

    def __init__(
        self,
        data: object,
        *,
        held_out: bool = False,
        longest: int = MAX_SIDE,
        weights: Weights = "all",
        composed: int = COMPOSED,
    ) -> None:
        if isinstance(data, Path):
            data = open_data(data)
        if not isinstance(data, TrainingData):
            raise ZimError(
                "A table [data] is for the label converter alone.",
                "List the data sets as [[data]], each with its name as kind.",
            )
        self.composed, self.longest = composed, longest
        if weights == "open":
            _check_licences(data)
        usable = [
            pool if pool.kind == "procedural" else _part(data, pool, held_out, weights)
            for pool in data.pools
        ]
        self.backgrounds = [
            image
            for pool in usable
            if pool.kind == "background"
            for image, _ in pool.pairs
        ]
        self.closed = 0
        if weights == "open":
            images = [pool.is_open(image) for pool, (image, _) in data.files()]
            self.closed = images.count(False)
        kinds = SPLIT_KINDS if held_out else TRAINED_KINDS
        self.pools = [pool for pool in usable if pool.kind in kinds and pool.pairs]
        if not held_out and all(pool.kind == "procedural" for pool in self.pools):
            raise ZimError(
                f"{data.path} has no training images that may be used.",
                'All are held out, or of a licence that weights = "open" excludes.',
            )
        weight = np.array([pool.entry.weight for pool in self.pools])
        self.probabilities = weight / weight.sum()

    def __bool__(self) -> bool:
        return bool(self.pools)

    def summary(self) -> str:
        """What is drawn: images of each source and their share of the samples."""
        parts = [
            f"{'rendered objects' if pool.kind == 'procedural' else pool.name}"
            f" {'' if pool.kind == 'procedural' else len(pool.pairs)} ({share:.1%})"
            for pool, share in zip(self.pools, self.probabilities, strict=True)
        ]
        count = len(self.backgrounds)
        parts.append(f"backgrounds: {f'{count} photos' if count else 'painted ones'}")
        closed = f"; {self.closed} left out for their licence" if self.closed else ""
        return ", ".join(parts).replace("  ", " ") + closed

    def draw_scene(self, rng: np.random.Generator) -> Scene:
        """Draw an image with one object."""
        pool = self.pools[rng.choice(len(self.pools), p=self.probabilities)]
        pairs = pool.pairs
        if pool.entry.video:  # as long videos would dominate
            videos = sorted({pool.family(target) for _, target in pairs})
            video = videos[rng.integers(len(videos))]
            pairs = tuple(pair for pair in pairs if pool.family(pair[1]) == video)
        return self.draw_scene_from(rng, pool, pairs)

    def draw_scene_from(
        self,
        rng: np.random.Generator,
        pool: Pool,
        pairs: Sequence[Pair] | None = None,
    ) -> Scene:
        """Draw an image of a source, or of some pairs of it, with one object."""
        pairs = pool.pairs if pairs is None else pairs
        if pool.kind == "procedural":
            rng.integers(max(1, len(self.backgrounds)))  # keeps samples as they were
            return self._procedural_scene(rng)
        pair = pairs[int(rng.integers(len(pairs)))]
        if pool.kind == "cutout":
            return self._cutout_scene(rng, pair)
        return self.scene_of(rng, pool, pair)

    def scene_of(self, rng: np.random.Generator, pool: Pool, pair: Pair) -> Scene:
        """The scene of a matte, or of one region of a label map."""
        band = pool.entry.band
        if pool.kind == "regions":
            scene = _label_scene(rng, pair, band, self.longest, REST)
            return replace(scene, subject=False, region=True)
        if pool.kind == "labels":
            background = pool.background(pair[0])
            return _label_scene(rng, pair, band, self.longest, background)
        return _matte_scene(pair, self.longest, exact=pool.exact)

    def _background(self, rng: np.random.Generator, size: int) -> ByteArray:
        """Draw a random square crop of a background photo, or a texture without any."""
        if not self.backgrounds:
            colours = rng.integers(0, 256, (4, 4, 3), np.uint8)
            palette = random_palette(rng, colours)
            return np.asarray(paint_texture(rng, (size, size), palette), np.uint8)
        path = self.backgrounds[rng.integers(len(self.backgrounds))]
        image = read_photo(path, MAX_SIDE)
        side = int(min(image.shape[:2]) * rng.uniform(0.5, 1))
        y = int(rng.integers(image.shape[0] - side + 1))
        x = int(rng.integers(image.shape[1] - side + 1))
        crop = image[y : y + side, x : x + side]
        square = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(square, np.uint8)

    def _procedural_scene(self, rng: np.random.Generator) -> Scene:
        background = self._background(rng, self.composed)
        if rng.random() < 0.35:
            image, alphas = render.render_scene(rng, background, 3)
            visible = [a for a in alphas if a.max() > 0.5] or alphas
            pick = int(rng.integers(len(visible)))
            alpha = visible[pick]
            other_objects = np.zeros(alpha.shape, bool)
            for i, other in enumerate(visible):
                if i != pick:
                    other_objects |= other > 0.5
        else:
            image, alpha, _ = render.render(rng, background)
            other_objects = np.zeros(alpha.shape, bool)
        return Scene(image, alpha, np.ones(alpha.shape, bool), other_objects, True)

    def _cutout_scene(self, rng: np.random.Generator, pair: Pair) -> Scene:
        """Composite 1 to 3 cut-outs on a background; the object is the top one."""
        size = self.composed
        image = np.asarray(self._background(rng, size), np.float32)
        other_objects = np.zeros((size, size), bool)
        alpha = np.zeros((size, size), np.float32)
        cutouts = next(pool.pairs for pool in self.pools if pool.kind == "cutout")
        extra = int(rng.choice(3, p=(0.5, 0.3, 0.2)))
        chain = [cutouts[rng.integers(len(cutouts))] for _ in range(extra)] + [pair]
        for item in chain:
            other_objects |= alpha > 0.5
            colours, alpha = _place_cut_out(rng, item, size)
            image = np.asarray(image + alpha[..., None] * (colours - image), np.float32)
        pixels = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        valid = np.ones(alpha.shape, bool)
        return Scene(pixels, alpha, valid, other_objects, True, subject=not extra)


def _part(data: TrainingData, pool: Pool, held_out: bool, weights: Weights) -> Pool:
    """The pairs of a pool that are for training, or held out, and may be used."""
    return pool.having(
        lambda pair: (
            (weights == "all" or pool.is_open(pair[0]))
            and data.is_held_out(pool, pair) is held_out
        )
    )


def _check_licences(data: TrainingData) -> None:
    """Check that some images can be known to be open.

    Raises:
        ZimError: there is neither a manifest nor an entry that says so.
    """
    if any(pool.entry.open or pool.manifest.path for pool in data.pools):
        return
    raise ZimError(
        f"{data.path} has no {MANIFEST}, so no image is known to be open.",
        'For images of your own train with weights = "all", or list them in a TOML file'
        " with open = true.",
    )


def read_target(
    pair: Pair, longest: int, *, labels: bool
) -> tuple[ByteArray, ByteArray]:
    """The image (H, W, 3) and the matte or label map (H, W) of a pair, uint8.

    Raises:
        ImageError: one cannot be read, or they are of different sizes.
    """
    image, path = pair
    pixels = read_photo(image, longest)
    target = (read_labels if labels else read_alpha)(path, longest)
    if pixels.shape[:2] != target.shape:
        raise ImageError(f"{image} and {path} are of different sizes.", CURE)
    return pixels, target


def _matte_scene(pair: Pair, longest: int, *, exact: bool = True) -> Scene:
    image, matte = read_target(pair, longest, labels=False)
    alpha = np.asarray(matte / 255, np.float32)
    nothing = np.zeros(alpha.shape, bool)
    return Scene(image, alpha, ~nothing, nothing, exact, subject=True)


def _label_scene(
    rng: np.random.Generator,
    pair: Pair,
    ignored_band: int,
    longest: int,
    background: int | None,
) -> Scene:
    """Draw one region of a label map; label 0 and a band along its edge are invalid.

    Alpha is 0 everywhere if the map has no object.

    Args:
        rng: random generator.
        pair: the image and its label map.
        ignored_band: width in pixels of the band.
        longest: longest side that the image is downscaled to.
        background: label of the background, which is never an object.
    """
    image, labels = read_target(pair, longest, labels=True)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    objects = counts.copy()
    if background is not None and background < len(objects):
        objects[background] = 0
    if not objects.any():
        nothing = np.zeros(labels.shape, bool)
        alpha = nothing.astype(np.float32)
        return Scene(image, alpha, labels > 0, nothing, False)
    share = objects / labels.size
    usable = np.flatnonzero((share > 0.004) & (share < 0.85))
    if not len(usable):
        usable = np.array([int(share.argmax())])
    weights = np.sqrt(share[usable])
    if set(usable) <= {1, 2} and len(usable) == 2 and background is None:
        weights = np.array([0.92, 0.08])  # an object and its background
    region = int(usable[rng.choice(len(usable), p=weights / max(weights.sum(), 1e-9))])
    mask = labels == region
    # One object and its surroundings.
    single = bool(np.count_nonzero(counts[1:]) < 3)
    alone = background is not None or single
    rivals = np.delete(objects, region).max(initial=0) if background is not None else 0
    subject = alone and bool(objects[region] > max(4 * rivals, 0.03 * labels.size))
    if not single and rng.random() < MERGED_REGIONS_SHARE:
        mask, subject = mask | _neighbour(rng, labels, mask, objects), False
    valid = labels > 0
    if ignored_band:
        edge = cv2.morphologyEx(
            mask.astype(np.uint8),
            cv2.MORPH_GRADIENT,
            np.ones((2 * ignored_band + 1,) * 2),
        )
        valid = valid & (edge == 0)
    alpha, other_objects = mask.astype(np.float32), ~mask & valid
    return Scene(image, alpha, valid, other_objects, False, subject)


def _neighbour(
    rng: np.random.Generator,
    labels: ByteArray,
    mask: BoolArray,
    objects: npt.NDArray[np.int64],
) -> BoolArray:
    """Draw an object adjacent to a region; an empty mask if there is none."""
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
    touched = np.bincount(labels[grown & ~mask], minlength=len(objects))
    beside = np.flatnonzero((touched > 0) & (objects > 0))
    if not len(beside):
        return np.zeros_like(mask)
    return np.asarray(labels == beside[rng.integers(len(beside))])


def _place_cut_out(
    rng: np.random.Generator, pair: Pair, size: int
) -> tuple[FloatArray, FloatArray]:
    """Scale, rotate and shift a cut-out into a square: colours 0-255 and alpha."""
    colours, alpha = read_target(pair, MAX_SIDE, labels=False)
    bounds = mask_bounds(alpha > 8)
    if bounds is not None:
        left, top, right, bottom = bounds
        region = np.s_[top:bottom, left:right]
        colours, alpha = colours[region], alpha[region]
    height, width = alpha.shape
    scale = size * rng.uniform(0.3, 0.95) / max(height, width)
    if scale < 0.7:  # warpAffine alone would alias
        small = (max(1, int(width * scale)), max(1, int(height * scale)))
        colours, alpha = (
            np.asarray(cv2.resize(m, small, interpolation=cv2.INTER_AREA), np.uint8)
            for m in (colours, alpha)
        )
        width, height, scale = *small, 1.0
    turn = float(rng.normal(0, 12))
    centre = (width / 2, height / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, turn, scale), np.float64)
    free = np.maximum(size - np.array([width, height]) * scale, 0) / 2
    matrix[:, 2] += size / 2 - np.array([width, height]) / 2
    matrix[:, 2] += rng.uniform(-1, 1, 2) * (free + 0.05 * size)
    if rng.random() < 0.3:  # smoke and sparks are published in white
        tinted = colours * rng.uniform(0.4, 1.0, 3)
        colours = tinted.astype(np.uint8)
    warped = cv2.warpAffine(
        colours, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE
    )
    moved = cv2.warpAffine(alpha, matrix, (size, size))
    return np.asarray(warped, np.float32), np.asarray(moved / 255, np.float32)
