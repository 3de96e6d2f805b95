"""Training samples: a picture, an object's alpha, and prompts, from any source.

Every sample is a pure function of (seed, number), so that a run can stop and go on at
any step and workers need no common state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from training import procedural
from training.prompt_sampling import bounding_box, jittered, sample_clicks
from zim_model.backends import prompt_tokens
from zim_model.config import ZimConfig
from zim_model.cues import cue_maps
from zim_model.errors import ZimError
from zim_model.prompts import Point, PromptSet
from zim_model.transforms import View, choose_view, normalised, resized_view

ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

PROMPTS_PER_VIEW = 2
MAX_POINTS = 8
MAX_TOKENS = MAX_POINTS + 2
OBJECT_VIEW = 0.6
"""Share of samples that show a box's surroundings; the others show all the picture."""


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
    "bsds": Source(0.14, 1),
    "davis": Source(0.09),
    "coco": Source(0.12, 2),
    "things": Source(0.06),
    "bag": Source(0.05),
    "human": Source(0.05, 1),
    "figaro": Source(0.03, 3),
    "celebhair": Source(0.015, 3),
    "pets128": Source(0.03),
    "ccp": Source(0.03, 1),
    "car": Source(0.03),
    "leaf": Source(0.02),
    "dogcat": Source(0.03, 2),
    "food": Source(0.02, 1),
    "camvid": Source(0.01, 1),
}
MATTE, CUTOUT, PROCEDURAL = Source(0.14), Source(0.14), Source(0.12)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with one object to find.

    Attributes:
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1].
        known: (H, W) bool, false where alpha says nothing.
        others: (H, W) bool, other objects.
        exact: alpha is a matte, not a hard label.
    """

    image: ByteArray
    alpha: FloatArray
    known: BoolArray
    others: BoolArray
    exact: bool


@lru_cache(maxsize=6000)
def _read(path: Path, mode: str, longest: int = 512) -> npt.NDArray[np.generic]:
    """A picture of at most ``longest`` pixels; labels are never interpolated."""
    try:
        with Image.open(path) as picture:
            if mode:
                picture = picture.convert(mode)
            scale = longest / max(picture.size)
            if scale < 1:
                size = (
                    max(1, round(picture.width * scale)),
                    max(1, round(picture.height * scale)),
                )
                method = Image.Resampling.BOX if mode else Image.Resampling.NEAREST
                picture = picture.resize(size, method)
            return np.asarray(picture)
    except (OSError, ValueError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


class Pictures:
    """The pictures of a training folder, by source.

    Args:
        root: a folder with ``matte``, ``cutout``, ``seg`` and ``background``; an image
            ``NAME.jpg|png`` has ``NAME.alpha.png`` or ``NAME.labels.png`` beside it.

    Raises:
        ZimError: the folder holds no pictures to train on.
    """

    def __init__(self, root: Path) -> None:
        self.pools: list[tuple[str, Source, list[Path]]] = []
        for name, source in SEG_SOURCES.items():
            self._add(f"seg/{name}", source, root / "seg", f"{name}__*.labels.png")
        self._add("matte", MATTE, root / "matte", "*.alpha.png")
        self._add("cutout", CUTOUT, root / "cutout", "*.alpha.png")
        self.backgrounds = sorted((root / "background").glob("*.*"))
        if not self.pools or not self.backgrounds:
            raise ZimError(
                f"{root} holds no training pictures.",
                "It needs matte/, cutout/, seg/ and background/; see training/README.md.",
            )
        self.pools.append(("procedural", PROCEDURAL, self.backgrounds))
        weights = np.array([source.weight for _, source, _ in self.pools])
        self.shares = weights / weights.sum()

    def _add(self, kind: str, source: Source, folder: Path, pattern: str) -> None:
        found = sorted(folder.glob(pattern))
        if found:
            self.pools.append((kind, source, found))

    def scene(self, rng: np.random.Generator) -> Scene:
        """Draw a picture and one object in it."""
        kind, source, paths = self.pools[rng.choice(len(self.pools), p=self.shares)]
        if kind.startswith("seg/davis"):  # by video, or long videos would dominate
            videos = sorted({path.name.rsplit("_", 1)[0] for path in paths})
            video = videos[rng.integers(len(videos))]
            paths = [path for path in paths if path.name.startswith(video)]
        path = paths[rng.integers(len(paths))]
        if kind == "matte":
            return _matte_scene(path)
        if kind == "cutout":
            return self._cutout_scene(rng, path)
        if kind == "procedural":
            return self._procedural_scene(rng, path)
        return _label_scene(rng, path, source.band)

    def _background(self, rng: np.random.Generator, size: int) -> ByteArray:
        """A random square of a background photograph."""
        path = self.backgrounds[rng.integers(len(self.backgrounds))]
        picture = _read(path, "RGB")
        side = int(min(picture.shape[:2]) * rng.uniform(0.5, 1))
        y = int(rng.integers(picture.shape[0] - side + 1))
        x = int(rng.integers(picture.shape[1] - side + 1))
        crop = picture[y : y + side, x : x + side]
        return np.asarray(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA))

    def _procedural_scene(self, rng: np.random.Generator, texture: Path) -> Scene:
        background = self._background(rng, 256)
        if rng.random() < 0.35:
            image, alphas = procedural.render_scene(rng, background, 3)
            visible = [a for a in alphas if a.max() > 0.5] or alphas
            pick = int(rng.integers(len(visible)))
            alpha = visible[pick]
            others = np.zeros(alpha.shape, bool)
            for i, other in enumerate(visible):
                if i != pick:
                    others |= other > 0.5
        else:
            image, alpha, _ = procedural.render(rng, background)
            others = np.zeros(alpha.shape, bool)
        return Scene(image, alpha, np.ones(alpha.shape, bool), others, True)

    def _cutout_scene(self, rng: np.random.Generator, path: Path) -> Scene:
        """One to three cut-outs on a background, the last one on top as the object."""
        size = 288
        image = self._background(rng, size).astype(np.float32)
        others = np.zeros((size, size), bool)
        alpha = np.zeros((size, size), np.float32)
        cutouts = next(paths for kind, _, paths in self.pools if kind == "cutout")
        extra = int(rng.choice(3, p=(0.5, 0.3, 0.2)))
        chain = [cutouts[rng.integers(len(cutouts))] for _ in range(extra)] + [path]
        for item in chain:
            others |= alpha > 0.5
            colours, alpha = _placed_cutout(rng, item, size)
            image += alpha[..., None] * (colours - image)
        pixels = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        return Scene(pixels, alpha, np.ones(alpha.shape, bool), others, True)


def _image_beside(path: Path, suffix: str) -> Path:
    stem = path.name.removesuffix(suffix)
    for extension in (".jpg", ".png"):
        candidate = path.with_name(stem + extension)
        if candidate.exists():
            return candidate
    raise ZimError(f"{path} has no image beside it.", "Remove it or add the image.")


def _matte_scene(path: Path) -> Scene:
    image = _read(_image_beside(path, ".alpha.png"), "RGB")
    alpha = _read(path, "L").astype(np.float32) / 255
    nothing = np.zeros(alpha.shape, bool)
    return Scene(np.asarray(image, np.uint8), alpha, ~nothing, nothing, True)


def _label_scene(rng: np.random.Generator, path: Path, band: int) -> Scene:
    """One region of a label map; 0 is void, and so is a band around the region."""
    image = np.asarray(_read(_image_beside(path, ".labels.png"), "RGB"), np.uint8)
    labels = np.asarray(_read(path, ""))
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    share = counts / labels.size
    usable = np.flatnonzero((share > 0.004) & (share < 0.85))
    if not len(usable):
        usable = np.array([int(counts.argmax())])
    weights = np.sqrt(share[usable])
    if set(usable) <= {1, 2} and len(usable) == 2:  # object and its background
        weights = np.array([0.92, 0.08])
    region = usable[rng.choice(len(usable), p=weights / weights.sum())]
    mask = labels == region
    known = labels > 0
    if band:
        edge = cv2.morphologyEx(
            mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2 * band + 1,) * 2)
        )
        known = known & (edge == 0)
    return Scene(image, mask.astype(np.float32), known, ~mask & known, False)


def _placed_cutout(
    rng: np.random.Generator, path: Path, size: int
) -> tuple[FloatArray, FloatArray]:
    """A cut-out scaled, turned and shifted into a square: colours 0-255 and alpha."""
    colours = _read(_image_beside(path, ".alpha.png"), "RGB")
    alpha = np.asarray(_read(path, "L"))
    rows = np.flatnonzero((alpha > 8).any(1))
    columns = np.flatnonzero((alpha > 8).any(0))
    if len(rows):
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colours, alpha = colours[part], alpha[part]
    height, width = alpha.shape
    scale = size * rng.uniform(0.3, 0.95) / max(height, width)
    if scale < 0.7:  # warpAffine alone would alias
        small = (max(1, int(width * scale)), max(1, int(height * scale)))
        colours = cv2.resize(colours, small, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
        height, width, scale = *alpha.shape, 1.0
    turn = float(rng.normal(0, 12))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    free = np.maximum(size - np.array([width, height]) * scale, 0) / 2
    matrix[:, 2] += size / 2 - np.array([width, height]) / 2
    matrix[:, 2] += rng.uniform(-1, 1, 2) * (free + 0.05 * size)
    if rng.random() < 0.3:  # smoke and sparks come in white
        tint = rng.uniform(0.4, 1.0, 3)
        colours = (colours * tint).astype(np.uint8)
    warped = cv2.warpAffine(
        colours, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE
    )
    moved = cv2.warpAffine(alpha, matrix, (size, size))
    return warped.astype(np.float32), moved.astype(np.float32) / 255


def augmented(rng: np.random.Generator, scene: Scene) -> Scene:
    """Flip, crop and change colours; the object stays in the picture."""
    image, alpha = scene.image, scene.alpha
    maps = [image, alpha, scene.known, scene.others]
    if rng.random() < 0.5:
        maps = [m[:, ::-1] for m in maps]
    box = bounding_box(maps[1] > 0.5) if (maps[1] > 0.5).any() else None
    if box is not None and rng.random() < 0.5:
        height, width = maps[1].shape
        keep = rng.uniform(0, 1, 4)
        x0, y0 = int(box.x0 * keep[0]), int(box.y0 * keep[1])
        x1 = int(np.ceil(width - (width - box.x1) * keep[2]))
        y1 = int(np.ceil(height - (height - box.y1) * keep[3]))
        maps = [m[y0:y1, x0:x1] for m in maps]
    image, alpha, known, others = (np.ascontiguousarray(m) for m in maps)
    if rng.random() < 0.7:
        image = _recoloured(rng, image)
    return Scene(image, alpha, known, others, scene.exact)


def _recoloured(rng: np.random.Generator, image: ByteArray) -> ByteArray:
    ramp = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4)
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.92, 1.08, 3)
    shift = rng.uniform(-0.08, 0.08)
    table = np.clip((ramp[:, None] * gain + shift) * 255, 0, 255).astype(np.uint8)
    out = cv2.LUT(image, table[None])
    if rng.random() < 0.1:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
        out = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 10), out.shape)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    return np.asarray(out, np.uint8)


def draw_prompts(
    rng: np.random.Generator, scene: Scene, *, with_box: bool
) -> PromptSet:
    """Prompts in image pixels for the object of a scene, which must not be empty."""
    mask = scene.alpha > 0.5
    if not with_box:
        return PromptSet(
            sample_clicks(rng, mask, scene.others, max_points=MAX_POINTS), None
        )
    box = jittered(rng, bounding_box(scene.alpha > 0.1), *mask.shape)
    points: tuple[Point, ...] = ()
    if rng.random() < 0.4:
        first = bool(rng.random() < 0.5)
        points = sample_clicks(
            rng, mask, scene.others, max_points=5, first_positive=first
        )
    return PromptSet(points, box)


class Samples(Dataset[dict[str, Tensor]]):
    """Views with prompts, ready for the network.

    Item i holds, for P prompt sets on one view of side S: ``image`` (3, S, S),
    ``coords`` (P, T, 2), ``labels`` (P, T), ``cues`` (P, K, S/2, S/2), ``target`` and
    ``weight`` (P, S/m, S/m) at the network's mask stride m, ``exact`` (P,).
    """

    def __init__(
        self, pictures: Pictures, config: ZimConfig, sizes: Sequence[int], seed: int
    ) -> None:
        """Sample i has the input side ``sizes[i]``."""
        self.pictures, self.config = pictures, config
        self.sizes, self.seed = sizes, seed

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        size = int(self.sizes[index])
        attempt = 0
        while True:
            rng = np.random.default_rng((self.seed, index, attempt))
            scene = augmented(rng, self.pictures.scene(rng))
            if (scene.alpha > 0.5).sum() >= 48 and min(scene.alpha.shape) >= 16:
                return self._sample(rng, scene, size)
            attempt += 1

    def _sample(
        self, rng: np.random.Generator, scene: Scene, size: int
    ) -> dict[str, Tensor]:
        height, width = scene.alpha.shape
        with_box = rng.random() < OBJECT_VIEW
        prompts = [
            draw_prompts(rng, scene, with_box=with_box)
            for _ in range(PROMPTS_PER_VIEW)
        ]
        view = choose_view(self.config, prompts[0], height, width)
        view = View(view.left, view.top, view.right, view.bottom, size)
        pixels = resized_view(self.config, scene.image, view)
        tokens, cues = [], []
        for prompt in prompts:
            inside = view.apply(prompt)
            tokens.append(prompt_tokens(inside, MAX_TOKENS))
            cues.append(cue_maps(pixels, inside, size // 2))
        target, weight = self._targets(scene, view, size)
        count = len(prompts)
        return {
            "image": torch.from_numpy(normalised(pixels, size)),
            "coords": torch.from_numpy(np.stack([t[0] for t in tokens])),
            "labels": torch.from_numpy(np.stack([t[1] for t in tokens])),
            "cues": torch.from_numpy(np.stack(cues)),
            "target": torch.from_numpy(target).expand(count, -1, -1),
            "weight": torch.from_numpy(weight).expand(count, -1, -1),
            "exact": torch.full((count,), float(scene.exact)),
        }

    def _targets(
        self, scene: Scene, view: View, size: int
    ) -> tuple[FloatArray, FloatArray]:
        """Alpha and weight at the network's output size; 0 in the padding."""
        stride = self.config.mask_stride
        side = size // stride
        height, width = (max(1, v // stride) for v in view.input_size)
        part = np.s_[view.top : view.bottom, view.left : view.right]
        out = np.zeros((2, side, side), np.float32)
        for plane, values in zip(
            out, (scene.alpha, scene.known.astype(np.float32)), strict=True
        ):
            plane[:height, :width] = cv2.resize(
                values[part], (width, height), interpolation=cv2.INTER_AREA
            )
        return out[0], (out[1] > 0.5).astype(np.float32)
