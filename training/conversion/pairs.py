"""Training pairs of the label converter: mattes, and labels kept as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from training.datasets.table import Pair, Pool, TrainingData
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

    def summary(self) -> str:
        """The sources and their numbers of images."""


class FolderPairSource:
    """The pairs of a folder or TOML file, see :class:`SceneReader`.

    Coarse pairs are those of COARSE_SOURCE_WEIGHTS in a training folder, and those of
    label maps that a TOML file lists with ``band = 0``.

    Args:
        data, held_out: see :class:`SceneReader`.

    Raises:
        ZimError: the folder holds no mattes.
    """

    def __init__(self, data: Path | TrainingData, *, held_out: bool = False) -> None:
        self.scenes = SceneReader(data, held_out=held_out, longest=MAX_SIDE)
        self.mattes: dict[str, list[Pool]] = {}
        self.coarse: list[tuple[Pool, float]] = []
        for pool in self.scenes.pools:
            if pool.kind == "regions":  # as inexact as the coarse masks to learn
                continue
            if pool.kind != "labels":
                self.mattes.setdefault(pool.kind, []).append(pool)
            elif weight := _coarse_weight(pool):
                self.coarse.append((pool, weight))
        order = list(COARSE_SOURCE_WEIGHTS)
        self.coarse.sort(
            key=lambda each: [*order, _source(each[0])].index(_source(each[0]))
        )

    def __bool__(self) -> bool:
        return bool(self.mattes)

    @property
    def has_coarse(self) -> bool:
        return bool(self.coarse)

    def summary(self) -> str:
        names = {
            kind: sum(len(pool.pairs) for pool in pools)
            for kind, pools in self.mattes.items()
            if kind != "procedural"
        }
        names |= {pool.name: len(pool.pairs) for pool, _ in self.coarse}
        return ", ".join(f"{name} {count}" for name, count in names.items())

    def draw_matte_pair(self, rng: np.random.Generator) -> TrainingPair:
        kinds = {
            kind: KIND_WEIGHTS[kind] for kind in KIND_WEIGHTS if kind in self.mattes
        }
        pools = self.mattes[_draw_source(rng, kinds)]
        weights = [pool.entry.weight for pool in pools]
        pool = pools[_draw_number(rng, weights)] if len(pools) > 1 else pools[0]
        pairs: Sequence[Pair] = pool.pairs
        if pool.kind == "matte" and not pool.listed:
            pairs = _draw_source_pairs(rng, pairs)
        scene = self.scenes.draw_scene_from(rng, pool, pairs)
        return TrainingPair(scene.image, scene.alpha)

    def draw_coarse_pair(self, rng: np.random.Generator) -> TrainingPair:
        number = _draw_number(rng, [weight for _, weight in self.coarse])
        scene = self.scenes.draw_scene_from(rng, self.coarse[number][0])
        return TrainingPair(scene.image, scene.alpha)


def _coarse_weight(pool: Pool) -> float:
    """Relative frequency of a source of label maps as targets of their own."""
    if pool.listed:
        return 0.0 if pool.entry.band else pool.entry.weight
    return COARSE_SOURCE_WEIGHTS.get(_source(pool), 0.0)


def _source(pool: Pool) -> str:
    return pool.name.rpartition("/")[2]


def _draw_number(rng: np.random.Generator, weights: Sequence[float]) -> int:
    values = np.array(weights)
    return int(rng.choice(len(values), p=values / values.sum()))


def _draw_source(rng: np.random.Generator, weights: dict[str, float]) -> str:
    return list(weights)[_draw_number(rng, list(weights.values()))]


def _draw_source_pairs(rng: np.random.Generator, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of one source of MATTE_SOURCE_WEIGHTS, or of all others."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        source = pair[1].name.partition("__")[0]
        groups.setdefault(source if source in MATTE_SOURCE_WEIGHTS else "", []).append(
            pair
        )
    return groups[
        _draw_source(
            rng, {name: MATTE_SOURCE_WEIGHTS.get(name, 1.0) for name in groups}
        )
    ]
