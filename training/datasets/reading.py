"""Training pairs of published data sets."""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from training.conversion.pairs import MAX_SIDE, TrainingPair
from training.datasets import ade20k
from training.datasets.layouts import PUBLISHED_DATASETS, DatasetEntry, list_entries
from training.datasets.table import (
    DataEntry,
    Pool,
    TrainingData,
    held_out_families,
)
from training.manifest import Manifest
from training.reading import CURE, read_alpha, read_photo, resized
from training.run_config import read_toml
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError
from zim_model.evaluation.reading import read_grey
from zim_model.json_values import is_number

MIN_OBJECT_SHARE, MAX_OBJECT_SHARE = 0.003, 0.85
"""Smallest and largest share of the image that an object of a label map covers."""
CACHE_SIZE = 256
"""Label maps cached per process; several objects share one."""


@lru_cache(maxsize=CACHE_SIZE)
def _read_planes(path: Path) -> ByteArray:
    """A label map of one or three planes, downscaled by nearest neighbours."""
    planes = read_grey(path)
    if planes.max(initial=0) > 255:
        raise ZimError(f"{path} is not a label map of 8 bits.", CURE)
    return resized(planes.astype(np.uint8), MAX_SIDE, Image.Resampling.NEAREST)


def read_pair(entry: DatasetEntry, rng: np.random.Generator) -> TrainingPair | None:
    """Read an image with its matte, or with one coarse object of its label map.

    Args:
        entry: the two files; images larger than MAX_SIDE are downscaled.
        rng: chooses the object.

    Returns:
        The pair; None if the label map has no object of suitable size.

    Raises:
        ZimError: a file cannot be read, or the two are of different sizes.
    """
    image = read_photo(entry.image, MAX_SIDE)
    if entry.labels == "matte":
        matte = read_alpha(entry.target, MAX_SIDE)
        _same_size(entry, image, matte)
        return TrainingPair(image, np.asarray(matte / np.float32(255), np.float32))
    labels = _read_planes(entry.target)
    _same_size(entry, image, labels)
    mask = _object(coarse_object_ids(labels, entry), rng)
    return None if mask is None else TrainingPair(image, mask.astype(np.float32))


def coarse_object_ids(labels: ByteArray, entry: DatasetEntry) -> np.ndarray:
    """Return the object number (H, W) of each pixel of an ADE20K label map.

    It is 0 where there is no object, or one of a category with a fine outline, see
    :mod:`training.datasets.ade20k`.

    Raises:
        ZimError: the file is not such a map, or the description of its objects is
            missing.
    """
    wide = labels.astype(np.int64)
    if entry.labels == "ade-classes":
        if labels.ndim != 2:
            raise ZimError(f"{entry.target} is not a map of classes.", "Remove it.")
        return _keep_coarse(wide, wide, dict(enumerate(ade20k.SCENE_PARSING, 1)))
    if labels.ndim != 3:
        raise ZimError(f"{entry.target} is not a map of objects.", "Remove it.")
    if entry.labels == "ade-instances":  # category in red, number in green
        category = wide[..., 0]
        ids = np.where(category > 0, category * 256 + wide[..., 1], 0)
        return _keep_coarse(ids, category, dict(enumerate(ade20k.INSTANCES, 1)))
    # The full set: category in red and green, object in blue.
    category = wide[..., 0] // 10 * 256 + wide[..., 1]
    ids = np.where(category > 0, category * 256 + wide[..., 2], 0)
    objects = ade20k.by_object(entry.target)
    if objects is not None:
        return _keep_coarse(ids, wide[..., 2], objects)
    return _keep_coarse(ids, category, ade20k.full_categories(entry.target))


def _keep_coarse(
    ids: np.ndarray, numbers: np.ndarray, names: dict[int, str]
) -> np.ndarray:
    """``ids`` where the name of ``numbers`` is a coarse category, else 0."""
    coarse = [number for number, name in names.items() if name in ade20k.COARSE]
    return np.where(np.isin(numbers, coarse), ids, 0)


def _object(ids: np.ndarray, rng: np.random.Generator) -> BoolArray | None:
    values, counts = np.unique(ids, return_counts=True)
    fraction = counts / ids.size
    fit = values[
        (values > 0) & (fraction > MIN_OBJECT_SHARE) & (fraction < MAX_OBJECT_SHARE)
    ]
    return np.asarray(ids == rng.choice(fit)) if len(fit) else None


def _same_size(entry: DatasetEntry, image: ByteArray, target: ByteArray) -> None:
    if image.shape[:2] != target.shape[:2]:
        raise ZimError(
            f"{entry.image} and {entry.target} are of different sizes:"
            f" {image.shape[1]} x {image.shape[0]} and"
            f" {target.shape[1]} x {target.shape[0]}.",
            "Remove them.",
        )


def _family(entry: DatasetEntry) -> str:
    """Name of the image of a pair, which may have several mattes."""
    return entry.image.name.partition(".")[0]


def read_table(path: Path) -> PublishedPairSource:
    """Open the data sets listed in a TOML file.

    The table ``data`` has the folder of each data set, relative to the file; the
    optional table ``shares`` has relative frequencies::

        [data]
        aim-500 = "AIM-500"
        ade20k = "/data/ADE20K_2021_17_01"

        [shares]
        aim-500 = 2.0
        ade20k = 1.0

    Raises:
        ZimError: the file is missing or malformed, or see
            :class:`PublishedPairSource`.
    """
    tables = read_toml(path)
    data, weights = tables.get("data"), tables.get("shares", {})
    if not isinstance(data, dict) or not isinstance(weights, dict):
        raise ZimError(f"{path} has no table [data].", 'Such as: aim-500 = "AIM-500"')
    for name, folder in data.items():
        if not isinstance(folder, str):
            raise ZimError(f"{path}: {name} = {folder!r} is not a folder.")
    for name, weight in weights.items():
        if not is_number(weight, 0):
            raise ZimError(f"{path}: the share {name} = {weight!r} is not a number.")
    roots = {name: path.parent / folder for name, folder in data.items()}
    return PublishedPairSource(roots, {name: float(v) for name, v in weights.items()})


class PublishedPairSource:
    """The training pairs of published data sets.

    Args:
        roots: folder of each data set, by its key of PUBLISHED_DATASETS.
        weights: relative frequencies of the data sets; the default is their number of
            pairs.

    Attributes:
        held_out: the pairs of each data set that :meth:`split` has left out.

    Raises:
        ZimError: a data set is unknown or not found, or none has mattes.
    """

    def __init__(self, roots: dict[str, Path], weights: dict[str, float]) -> None:
        unknown = sorted(set(weights) - set(roots))
        if unknown:
            raise ZimError(
                f"[shares] has data sets that are not in [data]: {', '.join(unknown)}."
            )
        self.sets = {name: list_entries(name, root) for name, root in roots.items()}
        self.weights = {
            name: weights.get(name, float(len(entries)))
            for name, entries in self.sets.items()
        }
        self.held_out: dict[str, list[DatasetEntry]] = {}
        self._check_mattes()

    def _check_mattes(self) -> None:
        if not self._sources_of_kind(coarse=False):
            raise ZimError("None of the data sets has mattes.", "Add one.")

    def without(self, faulty: set[Path]) -> PublishedPairSource:
        """The pairs but for those of some targets.

        Raises:
            ZimError: no mattes are left.
        """
        rest = copy(self)
        rest.sets = {
            name: [each for each in entries if each.target not in faulty]
            for name, entries in self.sets.items()
        }
        rest.weights = {
            name: weight if rest.sets[name] else 0.0
            for name, weight in self.weights.items()
        }
        rest._check_mattes()
        return rest

    def split(self) -> PublishedPairSource:
        """The pairs without those that are held out for validation.

        Mattes of one image are held out together, see
        :func:`~training.datasets.table.held_out_families`; labels are not held out.
        """
        mattes = {name: self.sets[name] for name in self._sources_of_kind(coarse=False)}
        families = held_out_families(
            {_family(entry) for entries in mattes.values() for entry in entries}
        )
        rest = copy(self)
        rest.sets, rest.held_out = dict(self.sets), {}
        for name, entries in mattes.items():
            own = [entry for entry in entries if _family(entry) in families]
            if 0 < len(own) < len(entries):  # a data set keeps something to train on
                rest.held_out[name] = own
                rest.sets[name] = [x for x in entries if _family(x) not in families]
        return rest

    def validation_data(self) -> TrainingData:
        """The held-out mattes as data that are all for validation."""
        pools = (
            Pool(
                DataEntry(kind="matte", name=name, split="val"),
                tuple((entry.image, entry.target) for entry in entries),
                Manifest(entries[0].image.parent),
            )
            for name, entries in self.held_out.items()
        )
        return TrainingData(Path(), tuple(pools))

    def _sources_of_kind(self, *, coarse: bool) -> list[str]:
        return [
            name
            for name in self.sets
            if PUBLISHED_DATASETS[name].coarse is coarse and self.weights[name] > 0
        ]

    @property
    def has_coarse(self) -> bool:
        return bool(self._sources_of_kind(coarse=True))

    def summary(self) -> str:
        return ", ".join(f"{name} {len(each)}" for name, each in self.sets.items())

    def draw_matte_pair(self, rng: np.random.Generator) -> TrainingPair | None:
        return self._draw(rng, coarse=False)

    def draw_coarse_pair(self, rng: np.random.Generator) -> TrainingPair | None:
        return self._draw(rng, coarse=True)

    def _draw(self, rng: np.random.Generator, *, coarse: bool) -> TrainingPair | None:
        names = self._sources_of_kind(coarse=coarse)
        weights = np.array([self.weights[name] for name in names])
        entries = self.sets[names[rng.choice(len(names), p=weights / weights.sum())]]
        return read_pair(entries[rng.integers(len(entries))], rng)
