"""Where the converter's training pairs come from: mattes, and labels to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from training.sources import Pictures
from zim_model.arrays import ByteArray, FloatArray

LONGEST = 1024
"""Pictures are kept at most so long: alpha's detail is what is learnt."""
KINDS = {"matte": 0.55, "cutout": 0.2, "procedural": 0.25}
"""Shares of the mattes (relative)."""
MATTES = {"ccp": 0.4}
"""Share of the mattes of a source (relative) to the 1 of all other sources together."""
COARSE = {"things": 0.3, "bag": 0.25, "car": 0.15, "leaf": 0.1, "davis": 0.2}
"""Sources of objects whose label is as good as a matte, with shares (relative)."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A picture with a matte, or with a label that is to be kept as it is.

    Attributes:
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1].
    """

    image: ByteArray
    alpha: FloatArray


class Pairs(Protocol):
    """A collection of training pairs; a draw is a pure function of the generator."""

    def matte(self, rng: np.random.Generator) -> Pair | None:
        """Draw a picture with its matte; None if what was drawn is of no use.

        Raises:
            ZimError: the picture is damaged.
        """

    def coarse(self, rng: np.random.Generator) -> Pair | None:
        """Draw a picture with a label of 0 and 1 that is to be kept as it is.

        Raises:
            ZimError: the picture is damaged.
        """

    @property
    def has_coarse(self) -> bool:
        """Whether there are labels to be kept."""


class FolderPairs:
    """The pairs of a training folder as :class:`Pictures` reads it.

    Args:
        root: a folder with ``matte``, ``cutout``, ``seg`` and ``background``.
        held_out: see :class:`Pictures`.

    Raises:
        ZimError: the folder holds no mattes.
    """

    def __init__(self, root: Path, *, held_out: bool = False) -> None:
        self.pictures = Pictures(root, held_out=held_out, longest=LONGEST)
        self.pools = {kind: (src, paths) for kind, src, paths in self.pictures.pools}
        self.mattes = {k: share for k, share in KINDS.items() if k in self.pools}
        self.labels = {
            f"seg/{name}": share
            for name, share in COARSE.items()
            if f"seg/{name}" in self.pools
        }

    def __bool__(self) -> bool:
        return bool(self.mattes)

    @property
    def has_coarse(self) -> bool:
        return bool(self.labels)

    def matte(self, rng: np.random.Generator) -> Pair:
        kind = _drawn(rng, self.mattes)
        source, paths = self.pools[kind]
        if kind == "matte":
            paths = _of_one_source(rng, paths)
        scene = self.pictures.scene_from(rng, kind, source, paths)
        return Pair(scene.image, scene.alpha)

    def coarse(self, rng: np.random.Generator) -> Pair:
        kind = _drawn(rng, self.labels)
        source, paths = self.pools[kind]
        scene = self.pictures.scene_from(rng, kind, source, paths)
        return Pair(scene.image, scene.alpha)


def _drawn(rng: np.random.Generator, shares: dict[str, float]) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[rng.choice(len(weights), p=weights / weights.sum())]


def _of_one_source(rng: np.random.Generator, paths: Sequence[Path]) -> list[Path]:
    """The files of one source of mattes, or of all that have no share of their own."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        source = path.name.partition("__")[0]
        groups.setdefault(source if source in MATTES else "", []).append(path)
    return groups[_drawn(rng, {name: MATTES.get(name, 1.0) for name in groups})]
