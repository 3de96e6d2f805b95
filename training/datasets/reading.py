"""Pictures and targets of published data sets as training pairs."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from training.conversion.pairs import LONGEST, Pair
from training.datasets.layouts import DATA_SETS, Entry, entries
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError

SMALLEST, LARGEST = 0.003, 0.85
"""Shares of the picture that an object of a label map may cover."""
CACHED = 256
"""Pictures that a process keeps; several objects share one."""


@lru_cache(maxsize=CACHED)
def _opened(path: Path, mode: str, longest: int) -> ByteArray:
    """A picture of at most so many pixels; label maps are never interpolated."""
    labels = mode == "labels"
    try:
        with Image.open(path) as file:
            picture: Image.Image = file if labels else _converted(file, mode)
            scale = min(1.0, longest / max(picture.size))
            size = tuple(max(1, round(side * scale)) for side in picture.size)
            method = Image.Resampling.NEAREST if labels else Image.Resampling.BOX
            return np.asarray(picture.resize((size[0], size[1]), method))
    except (OSError, ValueError, SyntaxError) as error:
        raise ZimError(f"{path} cannot be read: {error}.", "Remove it.") from error


def _converted(file: Image.Image, mode: str) -> Image.Image:
    if mode == "L" and file.mode.startswith("I"):  # 16 bits
        wide = np.asarray(file, np.float32) / 257
        return Image.fromarray(wide.round().clip(0, 255).astype(np.uint8))
    if mode == "L" and file.mode in ("RGBA", "LA"):
        return file.getchannel("A")
    return file.convert(mode)


def read_pair(
    entry: Entry, rng: np.random.Generator, longest: int = LONGEST
) -> Pair | None:
    """Open a picture with its matte, or with one object of its label map.

    Args:
        entry: which files.
        rng: chooses the object.
        longest: larger pictures are reduced.

    Returns:
        None if the label map holds no object of a fit size.

    Raises:
        ZimError: a file cannot be read, or the two are of different sizes.
    """
    image = _opened(entry.image, "RGB", longest)
    if entry.labels == "matte":
        matte = _opened(entry.target, "L", longest)
        _same_size(entry, image, matte)
        return Pair(image, np.asarray(matte / np.float32(255), np.float32))
    labels = _opened(entry.target, "labels", longest)
    _same_size(entry, image, labels)
    mask = _object(object_ids(labels, entry), rng)
    return None if mask is None else Pair(image, mask.astype(np.float32))


def object_ids(labels: ByteArray, entry: Entry) -> np.ndarray:
    """One integer (H, W) for each object of a label map of ADE20K, 0 for none.

    Raises:
        ZimError: the file is no such map.
    """
    wide = labels.astype(np.int64)
    if entry.labels == "ade-classes":
        if labels.ndim != 2:
            raise ZimError(f"{entry.target} is no map of classes.", "Remove it.")
        return wide
    if labels.ndim != 3:
        raise ZimError(f"{entry.target} is no map of objects.", "Remove it.")
    if entry.labels == "ade-instances":  # class in red, number in green
        return np.where(wide[..., 0] > 0, wide[..., 0] * 256 + wide[..., 1], 0)
    # The full set: class in red and green; blue tells objects apart.
    kind = wide[..., 0] // 10 * 256 + wide[..., 1]
    return np.where(kind > 0, kind * 256 + wide[..., 2], 0)


def _object(ids: np.ndarray, rng: np.random.Generator) -> BoolArray | None:
    found, counts = np.unique(ids, return_counts=True)
    share = counts / ids.size
    fit = found[(found > 0) & (share > SMALLEST) & (share < LARGEST)]
    return np.asarray(ids == rng.choice(fit)) if len(fit) else None


def _same_size(entry: Entry, image: ByteArray, target: ByteArray) -> None:
    if image.shape[:2] != target.shape[:2]:
        raise ZimError(
            f"{entry.image} and {entry.target} are of different shapes:"
            f" {image.shape[1]} x {image.shape[0]} and"
            f" {target.shape[1]} x {target.shape[0]}.",
            "Remove them.",
        )


def read_table(path: Path) -> PublishedPairs:
    """The pairs that a TOML file names.

    Its table ``data`` has the folder of each data set, relative to the file; its table
    ``shares``, which may be missing, how often sets are drawn::

        [data]
        aim-500 = "AIM-500"
        ade20k = "/data/ADE20K_2021_17_01"

        [shares]
        aim-500 = 2.0
        ade20k = 1.0

    Raises:
        ZimError: the file is missing or malformed, or see :class:`PublishedPairs`.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ZimError(f"{path} cannot be read: {error}.") from error
    data, shares = tables.get("data"), tables.get("shares", {})
    if not isinstance(data, dict) or not isinstance(shares, dict):
        raise ZimError(f"{path} has no table [data].", 'Such as: aim-500 = "AIM-500"')
    for name, folder in data.items():
        if not isinstance(folder, str):
            raise ZimError(f"{path}: {name} = {folder!r} is no folder.")
    for name, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, (int, float)) or share < 0:
            raise ZimError(f"{path}: the share {name} = {share!r} is no number.")
    roots = {name: path.parent / folder for name, folder in data.items()}
    return PublishedPairs(roots, {name: float(v) for name, v in shares.items()})


class PublishedPairs:
    """The pairs of published data sets, each set by its share.

    Args:
        roots: folder of each data set, by its name of DATA_SETS.
        shares: how often a set is drawn (relative); else by its number of pairs.

    Raises:
        ZimError: a set is unknown or lies elsewhere, or none has mattes.
    """

    def __init__(self, roots: dict[str, Path], shares: dict[str, float]) -> None:
        unknown = sorted(set(shares) - set(roots))
        if unknown:
            raise ZimError(f"There are shares of no data: {', '.join(unknown)}.")
        self.sets = {name: entries(name, root) for name, root in roots.items()}
        self.shares = {
            name: shares.get(name, float(len(found)))
            for name, found in self.sets.items()
        }
        if not self._of_kind(coarse=False):
            raise ZimError("There are no mattes among the data sets.", "Add one.")

    def _of_kind(self, *, coarse: bool) -> list[str]:
        return [
            name
            for name in self.sets
            if DATA_SETS[name].coarse is coarse and self.shares[name] > 0
        ]

    @property
    def has_coarse(self) -> bool:
        return bool(self._of_kind(coarse=True))

    def matte(self, rng: np.random.Generator) -> Pair | None:
        return self._drawn(rng, coarse=False)

    def coarse(self, rng: np.random.Generator) -> Pair | None:
        return self._drawn(rng, coarse=True)

    def _drawn(self, rng: np.random.Generator, *, coarse: bool) -> Pair | None:
        names = self._of_kind(coarse=coarse)
        shares = np.array([self.shares[name] for name in names])
        found = self.sets[names[rng.choice(len(names), p=shares / shares.sum())]]
        return read_pair(found[rng.integers(len(found))], rng)
