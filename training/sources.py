"""Scenes for training: images with one object, read from a training folder.

Every scene is a pure function of the random generator.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.manifest import MANIFEST, Manifest
from training.procedural import render
from zim_model.arrays import BoolArray, ByteArray, FloatArray, mask_bounds
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class SceneSource:
    """How a source of images is used.

    Attributes:
        weight: relative frequency.
        ignored_band: width in pixels of the band along an object's edge that is
            ignored.
    """

    weight: float
    ignored_band: int = 0


SEG_SOURCES = {
    "sbd": SceneSource(0.22, 1),
    "voc": SceneSource(0.16),
    "bsds": SceneSource(0.18, 1),
    "coco": SceneSource(0.18, 4),
    "davis": SceneSource(0.07),
    "davis2": SceneSource(0.03),
    "things": SceneSource(0.05),
    "bag": SceneSource(0.04),
    "human": SceneSource(0.04, 1),
    "horse": SceneSource(0.03),
    "pets": SceneSource(0.04),
    "figaro": SceneSource(0.03, 3),
    "celebhair": SceneSource(0.015, 3),
    "pets128": SceneSource(0.02),
    "ccp": SceneSource(0.05, 1),
    "car": SceneSource(0.03),
    "leaf": SceneSource(0.015),
    "dogcat": SceneSource(0.03, 2),
    "food": SceneSource(0.015, 1),
    "camvid": SceneSource(0.01, 1),
    "cwfid": SceneSource(0.01),
}
MATTE, CUTOUT, PROCEDURAL = SceneSource(0.14), SceneSource(0.10), SceneSource(0.08)
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
    """

    image: ByteArray
    alpha: FloatArray
    valid: BoolArray
    other_objects: BoolArray
    exact: bool
    subject: bool = False
    merged: tuple[BoolArray, ...] = ()

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


COMPOSED = 288
"""Side of the scenes that are put together of cut-outs or drawn, in pixels."""
HELD_OUT = 50
"""One labelled image (or video) in HELD_OUT is held out."""
MAX_SIDE = 512
"""Longest side in pixels that images are downscaled to."""


@lru_cache(maxsize=6000)
def _read(
    path: Path, mode: Literal["RGB", "L", "labels"], longest: int = MAX_SIDE
) -> ByteArray:
    """Read an image downscaled to ``longest``; label maps use nearest neighbours."""
    try:
        with Image.open(path) as file:
            labels = mode == "labels"
            image = file if labels else file.convert(mode)
            scale = min(1.0, longest / max(image.size))
            size = (
                max(1, round(image.width * scale)),
                max(1, round(image.height * scale)),
            )
            method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX
            return np.asarray(image.resize(size, method), np.uint8)
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


class SceneReader:
    """Reads the images of a training folder and draws scenes from them.

    Args:
        root: a folder with ``matte``, ``cutout``, ``seg`` and ``background``; an image
            ``NAME.jpg|png`` has ``NAME.alpha.png`` or ``NAME.labels.png`` next to it.
        held_out: draw from the held-out labelled images and mattes, one in HELD_OUT,
            instead of the others.
        longest: longest side in pixels that mattes and labelled images are downscaled
            to.
        weights: ``open`` uses only images that are open according to the manifest.
        composed: side in pixels of scenes that are composited or drawn.

    Raises:
        ZimError: the folder has no training images, or ``weights`` is ``open`` and
            there is no manifest.
    """

    def __init__(
        self,
        root: Path,
        *,
        held_out: bool = False,
        longest: int = MAX_SIDE,
        weights: Weights = "all",
        composed: int = COMPOSED,
    ) -> None:
        self.composed = composed
        self.held_out, self.longest, self.weights = held_out, longest, weights
        self.manifest = Manifest(root)
        if weights == "open" and self.manifest.path is None:
            raise ZimError(
                f"{root} has no {MANIFEST}, so no image is known to be open.",
                'Add it, or train with weights = "all".',
            )
        self.pools: list[tuple[str, SceneSource, list[Path]]] = []
        for name, source in SEG_SOURCES.items():
            self._add(f"seg/{name}", source, root / "seg", f"{name}__*.labels.png")
        self._add("matte", MATTE, root / "matte", "*.alpha.png")
        if held_out:
            self.backgrounds = []
            self._set_probabilities()
            return
        self._add("cutout", CUTOUT, root / "cutout", "*.alpha.png", split=False)
        self.backgrounds = self._usable(sorted((root / "background").glob("*.*")))
        if not self.pools or not self.backgrounds:
            raise ZimError(
                f"{root} has no training images.",
                "Expected matte/, cutout/, seg/, background/, see training/README.md.",
            )
        self.pools.append(("procedural", PROCEDURAL, self.backgrounds))
        self._set_probabilities()

    def __bool__(self) -> bool:
        return bool(self.pools)

    def _set_probabilities(self) -> None:
        weights = np.array([source.weight for _, source, _ in self.pools])
        self.probabilities = weights / weights.sum()

    def _add(
        self,
        kind: str,
        source: SceneSource,
        folder: Path,
        pattern: str,
        split: bool = True,
    ) -> None:
        files = sorted(folder.glob(pattern))
        if self.weights == "open":
            suffix = pattern.rpartition("*")[2]
            files = [p for p in files if self.manifest.is_open(_find_image(p, suffix))]
        if split:
            files = [p for p in files if is_held_out(_family(p)) is self.held_out]
        if files:
            self.pools.append((kind, source, files))

    def _usable(self, images: list[Path]) -> list[Path]:
        if self.weights == "all":
            return images
        return [image for image in images if self.manifest.is_open(image)]

    def draw_scene(self, rng: np.random.Generator) -> Scene:
        """Draw an image with one object."""
        return self.draw_scene_from(rng, *self._draw_pool(rng))

    def _draw_pool(
        self, rng: np.random.Generator
    ) -> tuple[str, SceneSource, list[Path]]:
        """Draw a pool of images: its kind, source and files."""
        shares = self.probabilities / self.probabilities.sum()
        kind, source, paths = self.pools[rng.choice(len(self.pools), p=shares)]
        if kind.startswith("seg/davis"):  # by video, as long videos would dominate
            videos = sorted({_family(path) for path in paths})
            video = videos[rng.integers(len(videos))]
            paths = [path for path in paths if _family(path) == video]
        return kind, source, paths

    def draw_scene_from(
        self,
        rng: np.random.Generator,
        kind: str,
        source: SceneSource,
        paths: list[Path],
    ) -> Scene:
        """Draw an image of a source with one object."""
        path = paths[rng.integers(len(paths))]
        if kind == "matte":
            return _matte_scene(path, self.longest)
        if kind == "cutout":
            return self._cutout_scene(rng, path)
        if kind == "procedural":
            return self._procedural_scene(rng, path)
        background = self.manifest.background(_find_image(path, ".labels.png"))
        return _label_scene(rng, path, source.ignored_band, self.longest, background)

    def _background(self, rng: np.random.Generator, size: int) -> ByteArray:
        """Draw a random square crop of a background photo."""
        path = self.backgrounds[rng.integers(len(self.backgrounds))]
        image = _read(path, "RGB")
        side = int(min(image.shape[:2]) * rng.uniform(0.5, 1))
        y = int(rng.integers(image.shape[0] - side + 1))
        x = int(rng.integers(image.shape[1] - side + 1))
        crop = image[y : y + side, x : x + side]
        square = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(square, np.uint8)

    def _procedural_scene(self, rng: np.random.Generator, texture: Path) -> Scene:
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

    def _cutout_scene(self, rng: np.random.Generator, path: Path) -> Scene:
        """Composite 1 to 3 cut-outs on a background; the object is the top one."""
        size = self.composed
        image = np.asarray(self._background(rng, size), np.float32)
        other_objects = np.zeros((size, size), bool)
        alpha = np.zeros((size, size), np.float32)
        cutouts = next(paths for kind, _, paths in self.pools if kind == "cutout")
        extra = int(rng.choice(3, p=(0.5, 0.3, 0.2)))
        chain = [cutouts[rng.integers(len(cutouts))] for _ in range(extra)] + [path]
        for item in chain:
            other_objects |= alpha > 0.5
            colours, alpha = _place_cut_out(rng, item, size)
            image = np.asarray(image + alpha[..., None] * (colours - image), np.float32)
        pixels = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        valid = np.ones(alpha.shape, bool)
        return Scene(pixels, alpha, valid, other_objects, True, subject=not extra)


def _family(path: Path) -> str:
    """Return the name of the video or image that a file belongs to."""
    for source, separator in (("davis__", "_"), ("davis2__", "-")):
        if path.name.startswith(source):
            return path.name.rsplit(separator, 1)[0]
    return path.name.partition(".")[0]


def is_held_out(name: str) -> bool:
    """Return whether the images of a family are held out."""
    return zlib.crc32(name.encode()) % HELD_OUT == 0


def _find_image(path: Path, suffix: str) -> Path:
    stem = path.name.removesuffix(suffix)
    for extension in (".jpg", ".png", ".webp"):
        candidate = path.with_name(stem + extension)
        if candidate.exists():
            return candidate
    raise ZimError(f"{path} has no image next to it.", "Remove it or add the image.")


def _matte_scene(path: Path, longest: int) -> Scene:
    image = _read(_find_image(path, ".alpha.png"), "RGB", longest)
    alpha = np.asarray(_read(path, "L", longest) / 255, np.float32)
    nothing = np.zeros(alpha.shape, bool)
    return Scene(image, alpha, ~nothing, nothing, True, subject=True)


def _label_scene(
    rng: np.random.Generator,
    path: Path,
    ignored_band: int,
    longest: int,
    background: int | None,
) -> Scene:
    """Draw one region of a label map; label 0 and a band along its edge are invalid.

    Args:
        rng: random generator.
        path: file of the label map.
        ignored_band: width in pixels of the band.
        longest: longest side that the image is downscaled to.
        background: label of the background, which is never an object.
    """
    image = _read(_find_image(path, ".labels.png"), "RGB", longest)
    labels = _read(path, "labels", longest)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    objects = counts.copy()
    if background is not None and background < len(objects):
        objects[background] = 0
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
    rng: np.random.Generator, path: Path, size: int
) -> tuple[FloatArray, FloatArray]:
    """Scale, rotate and shift a cut-out into a square: colours 0-255 and alpha."""
    colours = _read(_find_image(path, ".alpha.png"), "RGB")
    alpha = _read(path, "L")
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
