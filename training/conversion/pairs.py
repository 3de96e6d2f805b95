"""Training pairs of the label converter: mattes, and labels kept as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from training.sources import SceneReader
from zim_model.arrays import ByteArray, FloatArray

MAX_SIDE = 1024
"""Longest side in pixels that images are downscaled to; mattes need the detail."""
KIND_WEIGHTS = {"matte": 0.55, "cutout": 0.2, "procedural": 0.25}
"""Relative frequencies of the kinds of mattes."""
MATTE_SOURCE_WEIGHTS = {"ccp": 0.4}
"""Relative frequencies of matte sources; all others together have 1."""
COARSE_SOURCE_WEIGHTS = {
    "things": 0.3,
    "bag": 0.25,
    "car": 0.15,
    "leaf": 0.1,
    "davis": 0.2,
}
"""Relative frequencies of the sources whose labels are accurate enough as targets."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingPair:
    """An image with a matte, or with a label that is its own target.

    Attributes:
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1].
    """

    image: ByteArray
    alpha: FloatArray


class PairSource(Protocol):
    """A source of training pairs; each draw is a pure function of the generator."""

    def draw_matte_pair(self, rng: np.random.Generator) -> TrainingPair | None:
        """Draw an image with its matte; None if it is unusable.

        Raises:
            ZimError: the image is damaged.
        """

    def draw_coarse_pair(self, rng: np.random.Generator) -> TrainingPair | None:
        """Draw an image with a label of 0 and 1 that is its own target.

        Raises:
            ZimError: the image is damaged.
        """

    @property
    def has_coarse(self) -> bool:
        """Whether there are coarse pairs."""


class FolderPairSource:
    """The pairs of a training folder, see :class:`SceneReader`.

    Args:
        root: a folder with ``matte``, ``cutout``, ``seg`` and ``background``.
        held_out: see :class:`SceneReader`.

    Raises:
        ZimError: the folder holds no mattes.
    """

    def __init__(self, root: Path, *, held_out: bool = False) -> None:
        self.scenes = SceneReader(root, held_out=held_out, longest=MAX_SIDE)
        self.pools = {kind: (src, paths) for kind, src, paths in self.scenes.pools}
        self.mattes = {
            k: weight for k, weight in KIND_WEIGHTS.items() if k in self.pools
        }
        self.labels = {
            f"seg/{name}": weight
            for name, weight in COARSE_SOURCE_WEIGHTS.items()
            if f"seg/{name}" in self.pools
        }

    def __bool__(self) -> bool:
        return bool(self.mattes)

    @property
    def has_coarse(self) -> bool:
        return bool(self.labels)

    def draw_matte_pair(self, rng: np.random.Generator) -> TrainingPair:
        kind = _draw_source(rng, self.mattes)
        source, paths = self.pools[kind]
        if kind == "matte":
            paths = _draw_source_paths(rng, paths)
        scene = self.scenes.draw_scene_from(rng, kind, source, paths)
        return TrainingPair(scene.image, scene.alpha)

    def draw_coarse_pair(self, rng: np.random.Generator) -> TrainingPair:
        kind = _draw_source(rng, self.labels)
        source, paths = self.pools[kind]
        scene = self.scenes.draw_scene_from(rng, kind, source, paths)
        return TrainingPair(scene.image, scene.alpha)


def _draw_source(rng: np.random.Generator, weights: dict[str, float]) -> str:
    values = np.array(list(weights.values()))
    return list(weights)[rng.choice(len(values), p=values / values.sum())]


def _draw_source_paths(rng: np.random.Generator, paths: Sequence[Path]) -> list[Path]:
    """Return the files of one source of MATTE_SOURCE_WEIGHTS, or of all others."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        source = path.name.partition("__")[0]
        groups.setdefault(source if source in MATTE_SOURCE_WEIGHTS else "", []).append(
            path
        )
    return groups[
        _draw_source(
            rng, {name: MATTE_SOURCE_WEIGHTS.get(name, 1.0) for name in groups}
        )
    ]
