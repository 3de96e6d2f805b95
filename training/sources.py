"""Where training samples come from: pictures with one object to find.

Every scene is a pure function of the random generator that draws it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.procedural import render
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class Source:
    """How one family of pictures is used.

    Attributes:
        weight: share of the samples (relative).
        band: pixels around an object's edge that are not worth learning from.
    """

    weight: float
    band: int = 0


SEG_SOURCES = {
    "sbd": Source(0.22, 1),
    "voc": Source(0.16),
    "bsds": Source(0.18, 1),
    "coco": Source(0.18, 4),
    "davis": Source(0.07),
    "davis2": Source(0.03),
    "things": Source(0.05),
    "bag": Source(0.04),
    "human": Source(0.04, 1),
    "horse": Source(0.03),
    "pets": Source(0.04),
    "figaro": Source(0.03, 3),
    "celebhair": Source(0.015, 3),
    "pets128": Source(0.02),
    "ccp": Source(0.05, 1),
    "car": Source(0.03),
    "leaf": Source(0.015),
    "dogcat": Source(0.03, 2),
    "food": Source(0.015, 1),
    "camvid": Source(0.01, 1),
    "cwfid": Source(0.01),
}
MATTE, CUTOUT, PROCEDURAL = Source(0.14), Source(0.10), Source(0.08)
MERGED = 0.12
"""Share of the targets in maps of many regions that are a region and a neighbour."""

Weights = Literal["open", "all"]
"""Which pictures weights may be trained on: those that leave the weights free for any
use, or also those whose terms say research only."""
MANIFEST = "MANIFEST.json"


class Manifest:
    """What a data folder's manifest says of its files.

    Args:
        root: the folder of training pictures; the manifest lies in it or above it, and
            names files relative to where it lies.

    Raises:
        ZimError: the manifest is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.path: Path | None = None
        self._rows: dict[Path, dict[str, object]] = {}
        for folder in (root, root.parent):
            path = folder / MANIFEST
            if not path.is_file():
                continue
            try:
                rows = json.loads(path.read_text("utf-8"))["files"]
                self._rows = {folder / row["file"]: row for row in rows}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ZimError(
                    f"{path} is no manifest ({error!r}).", "Copy it again."
                ) from error
            self.path = path
            return

    def is_open(self, image: Path) -> bool:
        """Whether weights trained on a picture may be used for anything."""
        return self._rows.get(image, {}).get("weights") == "open"

    def background(self, image: Path) -> int | None:
        """The label of a picture's background, if its map has one."""
        label = self._rows.get(image, {}).get("background_label")
        return label if isinstance(label, int) else None


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """A picture with its regions.

    Attributes:
        image: (H, W, 3) uint8.
        labels: (H, W) uint8, 0 unknown.  With ``single``, 1 is an object and 2 all
            that is not, which may be many regions.
        single: only one object was labelled.
    """

    image: ByteArray
    labels: ByteArray
    single: bool


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with one object to find.

    Attributes:
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1].
        known: (H, W) bool, false where alpha says nothing.
        others: (H, W) bool, other objects.
        exact: alpha is a matte, not a hard label.
        labels: (H, W) uint8, all regions of the picture, 0 unknown, if they are known.
        single: only one object was labelled, see :class:`LabelMap`; what is cut out of
            a picture stays what the picture was.
        subject: the object is what the picture shows above all.
    """

    image: ByteArray
    alpha: FloatArray
    known: BoolArray
    others: BoolArray
    exact: bool
    labels: ByteArray | None = None
    single: bool = True
    subject: bool = False

    def cut(self, part: tuple[slice, slice]) -> Scene:
        """Take some rows and columns of every map; negative steps mirror."""
        return replace(
            self,
            image=np.ascontiguousarray(self.image[part]),
            alpha=np.ascontiguousarray(self.alpha[part]),
            known=np.ascontiguousarray(self.known[part]),
            others=np.ascontiguousarray(self.others[part]),
            labels=None if self.labels is None else self.labels[part],
        )

    def label_map(self) -> LabelMap:
        """All regions of the picture, or the object and what surrounds it."""
        if self.labels is not None:
            return LabelMap(self.image, self.labels, self.single)
        labels = np.where(self.alpha > 0.5, 1, np.where(self.others, 3, 2))
        return LabelMap(self.image, labels.astype(np.uint8), self.single)


COMPOSED = 288
"""Side of the scenes that are put together of cut-outs or drawn, in pixels."""
HELD_OUT = 50
"""One labelled picture (or video) in so many is never trained on but shown."""
LONGEST = 512
"""Pictures are kept at most so long, in pixels; the network sees less."""


@lru_cache(maxsize=6000)
def _read(
    path: Path, mode: Literal["RGB", "L", "labels"], longest: int = LONGEST
) -> ByteArray:
    """A picture of at most so many pixels; labels are never interpolated."""
    try:
        with Image.open(path) as file:
            labels = mode == "labels"
            picture = file if labels else file.convert(mode)
            scale = min(1.0, longest / max(picture.size))
            size = (
                max(1, round(picture.width * scale)),
                max(1, round(picture.height * scale)),
            )
            method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX
            return np.asarray(picture.resize(size, method), np.uint8)
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


class Pictures:
    """The pictures of a training folder, by source.

    Args:
        root: a folder with ``matte``, ``cutout``, ``seg`` and ``background``; an image
            ``NAME.jpg|png`` has ``NAME.alpha.png`` or ``NAME.labels.png`` beside it.
        held_out: give the labelled pictures and mattes that training never draws, one
            in HELD_OUT of them, instead of the others.
        longest: mattes and labelled pictures are kept at most so long, in pixels.
        weights: ``open`` takes only pictures that the manifest calls open.
        composed: side of the scenes that are put together, in pixels.

    Raises:
        ZimError: the folder holds no pictures to train on, or no manifest says which
            are open.
    """

    def __init__(
        self,
        root: Path,
        *,
        held_out: bool = False,
        longest: int = LONGEST,
        weights: Weights = "all",
        composed: int = COMPOSED,
    ) -> None:
        self.composed = composed
        self.held_out, self.longest, self.weights = held_out, longest, weights
        self.manifest = Manifest(root)
        if weights == "open" and self.manifest.path is None:
            raise ZimError(
                f"{root} has no {MANIFEST}, so no picture is known to be open.",
                'Add it, or train with weights = "all".',
            )
        self.pools: list[tuple[str, Source, list[Path]]] = []
        for name, source in SEG_SOURCES.items():
            self._add(f"seg/{name}", source, root / "seg", f"{name}__*.labels.png")
        self._add("matte", MATTE, root / "matte", "*.alpha.png")
        if held_out:
            self.backgrounds = []
            self._weigh()
            return
        self._add("cutout", CUTOUT, root / "cutout", "*.alpha.png", split=False)
        self.backgrounds = self._usable(sorted((root / "background").glob("*.*")))
        if not self.pools or not self.backgrounds:
            raise ZimError(
                f"{root} holds no training pictures.",
                "It needs matte/, cutout/, seg/, background/: training/README.md.",
            )
        self.pools.append(("procedural", PROCEDURAL, self.backgrounds))
        self._weigh()

    def __bool__(self) -> bool:
        return bool(self.pools)

    def _weigh(self) -> None:
        weights = np.array([source.weight for _, source, _ in self.pools])
        self.shares = weights / weights.sum()

    def _add(
        self, kind: str, source: Source, folder: Path, pattern: str, split: bool = True
    ) -> None:
        found = sorted(folder.glob(pattern))
        if self.weights == "open":
            suffix = pattern.rpartition("*")[2]
            found = [
                p for p in found if self.manifest.is_open(_image_beside(p, suffix))
            ]
        if split:
            found = [p for p in found if is_held_out(_family(p)) is self.held_out]
        if found:
            self.pools.append((kind, source, found))

    def _usable(self, images: list[Path]) -> list[Path]:
        if self.weights == "all":
            return images
        return [image for image in images if self.manifest.is_open(image)]

    def scene(self, rng: np.random.Generator) -> Scene:
        """Draw a picture and one object in it."""
        return self.scene_from(rng, *self.drawn_pool(rng, {}))

    def drawn_pool(
        self, rng: np.random.Generator, more: Mapping[str, float]
    ) -> tuple[str, Source, list[Path]]:
        """Draw a source: its kind, how it is used, and its files.

        Args:
            more: factors for the shares of some kinds.
        """
        shares = self.shares * [more.get(kind, 1.0) for kind, _, _ in self.pools]
        kind, source, paths = self.pools[
            rng.choice(len(self.pools), p=shares / shares.sum())
        ]
        if kind.startswith("seg/davis"):  # by video, or long videos would dominate
            videos = sorted({_family(path) for path in paths})
            video = videos[rng.integers(len(videos))]
            paths = [path for path in paths if _family(path) == video]
        return kind, source, paths

    def scene_from(
        self, rng: np.random.Generator, kind: str, source: Source, paths: list[Path]
    ) -> Scene:
        """Draw a picture of a source, and one object in it."""
        path = paths[rng.integers(len(paths))]
        if kind == "matte":
            return _matte_scene(path, self.longest)
        if kind == "cutout":
            return self._cutout_scene(rng, path)
        if kind == "procedural":
            return self._procedural_scene(rng, path)
        background = self.manifest.background(_image_beside(path, ".labels.png"))
        return _label_scene(rng, path, source.band, self.longest, background)

    def labelled(self, rng: np.random.Generator, paths: list[Path]) -> LabelMap:
        """Draw a picture with its label map."""
        path = paths[rng.integers(len(paths))]
        image, labels = (
            _read(_image_beside(path, ".labels.png"), "RGB"),
            _read(path, "labels"),
        )
        return LabelMap(image, labels, _is_single(np.bincount(labels.ravel())))

    def _background(self, rng: np.random.Generator, size: int) -> ByteArray:
        """A random square of a background photograph."""
        path = self.backgrounds[rng.integers(len(self.backgrounds))]
        picture = _read(path, "RGB")
        side = int(min(picture.shape[:2]) * rng.uniform(0.5, 1))
        y = int(rng.integers(picture.shape[0] - side + 1))
        x = int(rng.integers(picture.shape[1] - side + 1))
        crop = picture[y : y + side, x : x + side]
        square = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(square, np.uint8)

    def _procedural_scene(self, rng: np.random.Generator, texture: Path) -> Scene:
        background = self._background(rng, self.composed)
        if rng.random() < 0.35:
            image, alphas = render.render_scene(rng, background, 3)
            visible = [a for a in alphas if a.max() > 0.5] or alphas
            pick = int(rng.integers(len(visible)))
            alpha = visible[pick]
            others = np.zeros(alpha.shape, bool)
            for i, other in enumerate(visible):
                if i != pick:
                    others |= other > 0.5
        else:
            image, alpha, _ = render.render(rng, background)
            others = np.zeros(alpha.shape, bool)
        return Scene(image, alpha, np.ones(alpha.shape, bool), others, True)

    def _cutout_scene(self, rng: np.random.Generator, path: Path) -> Scene:
        """One to three cut-outs on a background, the last one on top as the object."""
        size = self.composed
        image = np.asarray(self._background(rng, size), np.float32)
        others = np.zeros((size, size), bool)
        alpha = np.zeros((size, size), np.float32)
        cutouts = next(paths for kind, _, paths in self.pools if kind == "cutout")
        extra = int(rng.choice(3, p=(0.5, 0.3, 0.2)))
        chain = [cutouts[rng.integers(len(cutouts))] for _ in range(extra)] + [path]
        for item in chain:
            others |= alpha > 0.5
            colours, alpha = _placed_cutout(rng, item, size)
            image = np.asarray(image + alpha[..., None] * (colours - image), np.float32)
        pixels = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        known = np.ones(alpha.shape, bool)
        return Scene(pixels, alpha, known, others, True, subject=not extra)


def _family(path: Path) -> str:
    """What one draws from as a whole: a video, or just a picture."""
    for source, separator in (("davis__", "_"), ("davis2__", "-")):
        if path.name.startswith(source):
            return path.name.rsplit(separator, 1)[0]
    return path.name.partition(".")[0]


def is_held_out(name: str) -> bool:
    """Whether a picture, or all pictures of one family, are never trained on."""
    return zlib.crc32(name.encode()) % HELD_OUT == 0


def _image_beside(path: Path, suffix: str) -> Path:
    stem = path.name.removesuffix(suffix)
    for extension in (".jpg", ".png", ".webp"):
        candidate = path.with_name(stem + extension)
        if candidate.exists():
            return candidate
    raise ZimError(f"{path} has no image beside it.", "Remove it or add the image.")


def _matte_scene(path: Path, longest: int) -> Scene:
    image = _read(_image_beside(path, ".alpha.png"), "RGB", longest)
    alpha = np.asarray(_read(path, "L", longest) / 255, np.float32)
    nothing = np.zeros(alpha.shape, bool)
    return Scene(image, alpha, ~nothing, nothing, True, subject=True)


def _label_scene(
    rng: np.random.Generator,
    path: Path,
    band: int,
    longest: int,
    background: int | None,
) -> Scene:
    """One region of a label map; 0 is void, and so is a band around the region.

    Args:
        background: the label of the rest of the picture, never an object.
    """
    image = _read(_image_beside(path, ".labels.png"), "RGB", longest)
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
    single = _is_single(counts)
    alone = background is not None or single
    rivals = np.delete(objects, region).max(initial=0) if background is not None else 0
    subject = alone and bool(objects[region] > max(4 * rivals, 0.03 * labels.size))
    if not single and rng.random() < MERGED:
        mask, subject = mask | _neighbour(rng, labels, mask, objects), False
    known = labels > 0
    if band:
        edge = cv2.morphologyEx(
            mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2 * band + 1,) * 2)
        )
        known = known & (edge == 0)
    alpha, others = mask.astype(np.float32), ~mask & known
    return Scene(image, alpha, known, others, False, labels, single, subject)


def _neighbour(
    rng: np.random.Generator,
    labels: ByteArray,
    mask: BoolArray,
    objects: npt.NDArray[np.int64],
) -> BoolArray:
    """An object that touches a region, or nothing where none does."""
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0
    touched = np.bincount(labels[grown & ~mask], minlength=len(objects))
    beside = np.flatnonzero((touched > 0) & (objects > 0))
    if not len(beside):
        return np.zeros_like(mask)
    return np.asarray(labels == beside[rng.integers(len(beside))])


def _is_single(counts: npt.NDArray[np.int64]) -> bool:
    """Whether only an object and its surroundings are labelled.

    Args:
        counts: pixels of each label, 0 being unknown.
    """
    return bool(np.count_nonzero(counts[1:]) < 3)


def _placed_cutout(
    rng: np.random.Generator, path: Path, size: int
) -> tuple[FloatArray, FloatArray]:
    """A cut-out scaled, turned and shifted into a square: colours 0-255 and alpha."""
    colours = _read(_image_beside(path, ".alpha.png"), "RGB")
    alpha = _read(path, "L")
    rows = np.flatnonzero((alpha > 8).any(1))
    columns = np.flatnonzero((alpha > 8).any(0))
    if len(rows):
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colours, alpha = colours[part], alpha[part]
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
    if rng.random() < 0.3:  # smoke and sparks come in white
        tinted = colours * rng.uniform(0.4, 1.0, 3)
        colours = tinted.astype(np.uint8)
    warped = cv2.warpAffine(
        colours, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE
    )
    moved = cv2.warpAffine(alpha, matrix, (size, size))
    return np.asarray(warped, np.float32), np.asarray(moved / 255, np.float32)
