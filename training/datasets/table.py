"""Data to train on: a folder, or a TOML file that lists folders.

Each ``[[data]]`` of the file is a data set::

    [[data]]
    path = "my_photos"     # relative to the file; "seg/sbd__*" takes files by name
    kind = "matte"         # see KINDS; without it the folder's content tells
    weight = 2.0           # relative frequency of its samples
    band = 0               # pixels along the edges of label maps that do not count

A folder is one entry; a training folder has the entries of ``training_folder.toml``.
A file belongs to the first entry that matches it.
"""

from __future__ import annotations

import math
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from training.datasets.layouts import PUBLISHED_DATASETS, list_entries
from training.manifest import Manifest
from training.run_config import TYPES, read_toml
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import (
    LABELS_MARK,
    MATTE_MARK,
    image_files,
    open_dataset,
    pairs_beside,
)
from zim_model.runtime.atomic_files import read_error

TEMPLATE = Path(__file__).with_name("training_folder.toml")
FOLDERS = ("matte", "cutout", "seg", "background")
"""Of a training folder, which any of the first three tells."""
KINDS = {
    "folder": "a training folder: matte/, cutout/, seg/, background/",
    "matte": "photos with mattes, in any layout that `zim-studio evaluate` reads",
    "cutout": "photos with mattes, to be composited on backgrounds",
    "labels": "photos with label maps, photo.jpg and photo.labels.png",
    "regions": "photos with label maps of regions found without labels",
    "background": "photos without the object, for composites",
    "procedural": "rendered objects; it has no path",
    **{
        name: f"{data.title} as it is published"
        for name, data in PUBLISHED_DATASETS.items()
        if not data.coarse
    },
}
"""Kinds of entries; a published data set is one of kind ``matte``."""
REGION_KINDS = ("labels", "regions")
"""Kinds whose targets are maps of regions."""
SPLIT_KINDS = ("matte", "labels")
"""Kinds of which a part is held out."""
TRAINED_KINDS = (*SPLIT_KINDS, "regions", "cutout", "procedural")
"""Kinds that have objects to train on."""
SPLITS = ("", "train", "val")
HELD_OUT = 50
"""One image (or video) in HELD_OUT is held out."""
SMALL_HELD_OUT, MIN_FAMILIES = 10, 5
"""Of a small data set, of whose mattes that would be none, one in SMALL_HELD_OUT is (of
its labels, without mattes); not below MIN_FAMILIES images."""
MAX_BAND = 100
Pair = tuple[Path, Path]
"""An image and its target; a background is its own target."""


@dataclass(frozen=True, slots=True)
class DataEntry:
    """One ``[[data]]`` of a TOML file.

    Attributes:
        path: folder; its last part may be the beginning of file names and ``*``.
        kind: one of KINDS; "" is told by the content of the folder.
        name: of the source, for messages; "" takes the path.
        weight: relative frequency; 0 leaves it out.
        band: width in pixels of the band along an object's edge that is ignored.
        split: ``val`` holds all pairs out for validation, ``train`` none; "" some.
        open: whether the images leave the weights free for any use; None asks the
            manifest.
        background: label of the background in label maps, which is never an object;
            None asks the manifest.
        video: separator of a video's name from the frame's; frames of one video are
            held out together, and videos drawn with equal frequency.
    """

    path: str = ""
    kind: str = ""
    name: str = ""
    weight: float = 1.0
    band: int = 0
    split: str = ""
    open: bool | None = None
    background: int | None = None
    video: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """The pairs of one source.

    Attributes:
        entry: how they are used, with its kind and name.
        pairs: in a stable order; those of kind ``procedural`` are the backgrounds.
        manifest: licences of the files.
        exact: the targets are mattes, not binary masks.
        listed: the entry is the user's own, not one of a training folder.
    """

    entry: DataEntry
    pairs: tuple[Pair, ...]
    manifest: Manifest
    exact: bool = True
    listed: bool = True

    @property
    def kind(self) -> str:
        """Kind of the entry."""
        return self.entry.kind

    @property
    def name(self) -> str:
        """Name of the entry."""
        return self.entry.name

    def is_open(self, image: Path) -> bool:
        """Whether an image's licence allows any use of trained weights."""
        own = self.entry.open
        return self.manifest.is_open(image) if own is None else own

    def background(self, image: Path) -> int | None:
        """The background label of an image's label map, None if it has none."""
        own = self.entry.background
        return self.manifest.background(image) if own is None else own

    def family(self, target: Path) -> str:
        """Name of the image or video that a file belongs to."""
        if self.entry.video:
            return target.name.rsplit(self.entry.video, 1)[0]
        return target.name.partition(".")[0]

    def having(self, keep: Callable[[Pair], bool]) -> Pool:
        """The pool with some of the pairs."""
        return replace(self, pairs=tuple(filter(keep, self.pairs)))


@dataclass(frozen=True)
class TrainingData:
    """All sources of a run.

    Attributes:
        path: the folder or TOML file.
        pools: the sources, without empty ones.
        notes: sentences on what is used otherwise than one may expect.
        problems: sentences on files that are left out.
    """

    path: Path
    pools: tuple[Pool, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def files(self) -> Iterable[tuple[Pool, Pair]]:
        """All pairs with their pools."""
        return ((pool, pair) for pool in self.pools for pair in pool.pairs)

    def without(self, faulty: set[Path]) -> TrainingData:
        """The data without the pairs of these files."""
        if not faulty:
            return self
        pools = [pool.having(lambda pair: not faulty & {*pair}) for pool in self.pools]
        return replace(self, pools=tuple(pool for pool in pools if pool.pairs))

    @cached_property
    def _chosen(self) -> dict[str, set[str]]:
        """Families that are held out of small data sets, by kind."""
        families: dict[str, set[str]] = {}
        for pool, (_, target) in self.files():
            if pool.kind in SPLIT_KINDS and not pool.entry.split:
                families.setdefault(pool.kind, set()).add(pool.family(target))
        if not families:
            return {}
        kind = SPLIT_KINDS[0] if SPLIT_KINDS[0] in families else SPLIT_KINDS[1]
        return {kind: held_out_families(families[kind])}

    @cached_property
    def _has_own_split(self) -> bool:
        return any(pool.entry.split == "val" for pool in self.pools)

    def is_held_out(self, pool: Pool, pair: Pair) -> bool:
        """Whether a pair is for validation, not for training."""
        if pool.entry.split or pool.kind not in SPLIT_KINDS or self._has_own_split:
            return pool.entry.split == "val"
        family = pool.family(pair[1])
        return is_held_out(family) or family in self._chosen.get(pool.kind, ())


def name_number(name: str) -> int:
    """A number that follows from a name alone, also from one that is not UTF-8."""
    return zlib.crc32(name.encode("utf-8", "surrogateescape"))


def held_out_families(families: set[str]) -> set[str]:
    """Those of all images and videos that are held out; of a very small set none."""
    chosen = set(filter(is_held_out, families))
    if chosen or len(families) < MIN_FAMILIES:
        return chosen
    count = math.ceil(len(families) / SMALL_HELD_OUT)
    return {*sorted(families, key=name_number)[:count]}


def is_held_out(family: str) -> bool:
    """Whether an image or video of a large data set is held out."""
    return name_number(family) % HELD_OUT == 0


def open_data(path: Path) -> TrainingData:
    """List the data of a folder or of a TOML file; no image is opened.

    Raises:
        ZimError: the file is malformed, a folder is missing or of no known layout, or
            there is no image to train on.
    """
    found = _Found()
    if path.suffix == ".toml":
        for number, entry in enumerate(read_entries(path), 1):
            if not found.add(entry, path.parent) and entry.weight:
                raise ZimError(
                    f"{path}, entry {number}: {entry.path} has no files of its own.",
                    "Check path and kind; a file belongs to the first entry that"
                    " matches it.",
                )
    else:
        found.add(DataEntry(), path)
    pools = tuple(found.pools)
    if all(pool.kind in ("background", "procedural") for pool in pools):
        raise no_images(path)
    return TrainingData(path, pools, tuple(found.notes), tuple(found.problems))


def no_images(path: Path) -> ZimError:
    """The error that there is nothing to train on."""
    return ZimError(
        f"{path} has no training images.",
        "Expected photo.jpg with photo.alpha.png beside it, images/ and mattes/, or"
        " matte/, cutout/, seg/, background/; see training/README.md.",
    )


def read_entries(path: Path) -> list[DataEntry]:
    """The ``[[data]]`` entries of a TOML file.

    Raises:
        ZimError: the file is missing or malformed, or an entry has an unknown key, kind
            or a value out of range.
    """
    rows = read_toml(path).get("data")
    if isinstance(rows, dict):
        raise ZimError(
            f"{path} has [data] in place of [[data]].", "Write [[data]], one each."
        )
    if not isinstance(rows, list) or not rows:
        raise ZimError(
            f"{path} lists no data.", 'Add [[data]] with path = "FOLDER"; one each.'
        )
    return [
        _entry(f"{path}, entry {number}", row) for number, row in enumerate(rows, 1)
    ]


def _entry(where: str, row: Any) -> DataEntry:
    types = {each.name: str(each.type).partition(" |")[0] for each in fields(DataEntry)}
    if not isinstance(row, dict):
        raise ZimError(f"{where} is not a table.", 'Such as: path = "my_photos"')
    for key, value in row.items():
        if key not in types:
            raise ZimError(
                f"{where} has the unknown key {key}.", f"Known: {', '.join(types)}."
            )
        boolean = isinstance(value, bool)
        if not isinstance(value, TYPES[types[key]]) or boolean is not (key == "open"):
            raise ZimError(f"{where}: {key} = {value!r} is not of type {types[key]}.")
    entry = DataEntry(**row)
    for key, known in (("kind", ("", *KINDS)), ("split", SPLITS)):
        if getattr(entry, key) not in known:
            raise ZimError(
                f"{where}: {key} = {getattr(entry, key)!r} is unknown.",
                f"Known: {', '.join(filter(None, known))}.",
            )
    if not 0 <= entry.weight < 1e9 or not 0 <= entry.band <= MAX_BAND:
        raise ZimError(
            f"{where}: weight must be 0 or more, and band from 0 to {MAX_BAND}."
        )
    if entry.background is not None and not 0 <= entry.background <= 255:
        raise ZimError(
            f"{where}: background = {entry.background} is no label.",
            "Give one from 0 to 255, or omit it if no label is the background.",
        )
    if (entry.kind == "procedural") is bool(entry.path):
        raise ZimError(f"{where} needs a path, except for the kind procedural.")
    return entry


@dataclass
class _Found:
    """Collects the pools of entries."""

    pools: list[Pool] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    taken: set[Path] = field(default_factory=set)
    manifests: dict[Path, Manifest] = field(default_factory=dict)
    beside: dict[tuple[Path, str], tuple[list[Pair], list[str]]] = field(
        default_factory=dict
    )

    def add(self, entry: DataEntry, base: Path) -> bool:
        """Add an entry, whose path is relative to ``base``; whether it has files.

        One of kind ``procedural`` needs none.
        """
        if entry.weight == 0:
            return False
        if entry.kind == "procedural":
            named = replace(entry, name=entry.name or entry.kind)
            self.pools.append(Pool(named, ((base, base),), self._manifest(base)))
            return True
        taken = len(self.taken)
        folder, prefix = _folder_of(entry, base)
        try:
            kind = entry.kind or _detect_kind(folder)
            if kind == "folder":
                self._add_training_folder(entry, folder)
            else:
                named = replace(
                    entry, kind=kind, name=entry.name or entry.path or folder.name
                )
                root = folder.parent if folder.name in FOLDERS else folder
                self._add_pairs(
                    named, folder, prefix, self._manifest(root), listed=True
                )
        except OSError as error:
            raise read_error(folder, error) from error
        return len(self.taken) > taken

    def _manifest(self, root: Path) -> Manifest:
        if root not in self.manifests:
            self.manifests[root] = Manifest(root)
        return self.manifests[root]

    def _add_training_folder(self, entry: DataEntry, root: Path) -> None:
        manifest = self._manifest(root)
        for own in read_entries(TEMPLATE):
            used = replace(
                own,
                weight=own.weight * entry.weight,
                split=entry.split,
                open=entry.open,
                name="/".join(
                    filter(None, (entry.name or entry.path, own.name or own.path))
                ),
            )
            if own.kind == "procedural":
                self.pools.append(Pool(used, ((root, root),), manifest))
                continue
            folder, prefix = _folder_of(own, root, missing=True)
            if folder.is_dir():
                self._add_pairs(used, folder, prefix, manifest, listed=False)

    def _add_pairs(
        self,
        entry: DataEntry,
        folder: Path,
        prefix: str,
        manifest: Manifest,
        *,
        listed: bool,
    ) -> None:
        """Add the pool of an entry of a kind with files, unless it is empty."""
        pairs, problems, exact = self._list_pairs(entry, folder, prefix)
        pairs = [pair for pair in pairs if pair[1] not in self.taken]
        self.taken.update(target for _, target in pairs)
        self.problems = list(dict.fromkeys((*self.problems, *problems)))
        if entry.kind in PUBLISHED_DATASETS:
            entry = replace(entry, kind="matte")
        if not pairs:
            return
        if not (listed or prefix) and entry.kind == "labels":  # what no entry names
            sources = Counter(target.name.partition("__")[0] for _, target in pairs)
            counts = ", ".join(f"{name} ({n})" for name, n in sources.most_common())
            self.notes.append(
                f"{folder}: sources without a weight of their own have {entry.weight:g}"
                f" together: {counts}. List them as [[data]] of a TOML file to change"
                " that."
            )
        self.pools.append(Pool(entry, tuple(pairs), manifest, exact, listed))

    def _list_pairs(
        self, entry: DataEntry, folder: Path, prefix: str
    ) -> tuple[list[Pair], list[str], bool]:
        """Pairs, sentences on incomplete ones, and whether the targets are mattes."""
        if entry.kind in PUBLISHED_DATASETS:
            found = list_entries(entry.kind, folder)
            return [(each.image, each.target) for each in found], [], True
        if entry.kind == "background":
            images = [x for x in image_files(folder) if x.name.startswith(prefix)]
            return [(image, image) for image in images], [], True
        mark = LABELS_MARK if entry.kind in REGION_KINDS else MATTE_MARK
        pairs, problems = self._pairs_beside(folder, mark)
        if pairs or prefix or mark == LABELS_MARK or folder.name in FOLDERS:
            chosen = [x for x in pairs if x[1].name.startswith(prefix)]
            return chosen, problems, mark == MATTE_MARK
        try:
            data = open_dataset(folder)
        except ZimError as error:
            raise no_images(folder) from error
        named = [(case.image, case.matte) for case in data.cases]
        return named, list(data.problems), not data.masks

    def _pairs_beside(self, folder: Path, mark: str) -> tuple[list[Pair], list[str]]:
        if (folder, mark) not in self.beside:
            self.beside[folder, mark] = pairs_beside(folder, mark)
        return self.beside[folder, mark]


def _folder_of(
    entry: DataEntry, base: Path, *, missing: bool = False
) -> tuple[Path, str]:
    """Folder of an entry, and the beginning of the file names that count."""
    path = Path(os.path.abspath(base / entry.path))  # links are kept
    prefix = ""
    if path.name.endswith("*"):
        path, prefix = path.parent, path.name[:-1]
    if not missing and not os.path.isdir(path):  # also of names that are too long
        raise ZimError(f"{path} is not a folder.", "Check the path of the data.")
    return path, prefix


def _detect_kind(folder: Path) -> str:
    if any((folder / name).is_dir() for name in FOLDERS[:3]):
        return "folder"
    marked = any(path.stem.endswith(LABELS_MARK) for path in image_files(folder))
    mattes = any(path.stem.endswith(MATTE_MARK) for path in image_files(folder))
    return "labels" if marked and not mattes else "matte"
