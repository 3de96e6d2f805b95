"""The files of published data sets: which picture goes with which matte or label.

Each reader takes the folder that a data set unpacks to, or the folder around it, and
lists pairs of files; nothing is opened yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zim_model.errors import ZimError

IMAGES = (".jpg", ".jpeg", ".png")
Labels = Literal["matte", "ade-full", "ade-instances", "ade-classes"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture and the file that says what is in it.

    Attributes:
        image: a photograph or a composite.
        target: its alpha, or a label map.
        labels: what the target is: a ``matte``, or one of ADE20K's label maps.
    """

    image: Path
    target: Path
    labels: Labels = "matte"


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published data set.

    Attributes:
        title: as its authors call it.
        layout: the folders that tell it, the first that exists is read.
        read: lists the entries of such a folder; the second argument is the split,
            ``train`` or ``test``.
        coarse: its targets are labels that are to be kept as they are.
    """

    title: str
    layout: tuple[str, ...]
    read: Callable[[Path, str], Iterator[Entry]]
    coarse: bool = False


def _paired(images: Path, mattes: Path) -> Iterator[Entry]:
    """Files of the same name; a matte without a picture is left out."""
    for matte in sorted(mattes.glob("*.png")):
        image = _with_extension(images / matte.stem)
        if image is not None:
            yield Entry(image, matte)


def _with_extension(stem: Path) -> Path | None:
    for extension in IMAGES:
        path = stem.with_name(stem.name + extension)
        if path.is_file():
            return path
    return None


def _aim_500(root: Path, split: str) -> Iterator[Entry]:
    # Its authors give it for testing; the label converter's learn from all of it.
    del split
    yield from _paired(root / "original", root / "mask")


def _am_2k(root: Path, split: str) -> Iterator[Entry]:
    part = root / ("train" if split == "train" else "validation")
    yield from _paired(part / "original", part / "mask")


def _p3m_10k(root: Path, split: str) -> Iterator[Entry]:
    if split == "train":
        yield from _paired(root / "train" / "blurred_image", root / "train" / "mask")
        return
    for name, images in (
        ("P3M-500-P", "blurred_image"),
        ("P3M-500-NP", "original_image"),
    ):
        part = root / "validation" / name
        yield from _paired(part / images, part / "mask")


def _rwp_636(root: Path, split: str) -> Iterator[Entry]:
    del split
    yield from _paired(root / "image", root / "alpha")


def _him_2k(root: Path, split: str) -> Iterator[Entry]:
    """A folder of alphas for each picture, one a person."""
    del split
    for kind in ("natural", "comp"):
        for folder in sorted((root / "alphas" / kind).glob("*")):
            image = _with_extension(root / "images" / kind / folder.name)
            if image is not None and folder.is_dir():
                yield from (
                    Entry(image, alpha) for alpha in sorted(folder.glob("*.png"))
                )


def _refmatte(root: Path, split: str) -> Iterator[Entry]:
    """``NAME_0.png`` and so on are the alphas of the things in ``NAME.jpg``."""
    part = root / split
    for matte in sorted((part / "mask").glob("*.png")):
        name, _, number = matte.stem.rpartition("_")
        image = _with_extension(part / "img" / name) if number.isdecimal() else None
        if image is not None:
            yield Entry(image, matte)


def _ade20k(root: Path, split: str) -> Iterator[Entry]:
    """The full set, ``*_seg.png`` beside the pictures, or the challenge of 2016."""
    part = "training" if split == "train" else "validation"
    full = root / "images" / "ADE" / part
    if full.is_dir():
        for path in sorted(full.rglob("*_seg.png")):
            image = _with_extension(path.with_name(path.name.removesuffix("_seg.png")))
            if image is not None:
                yield Entry(image, path, "ade-full")
        return
    for name, labels in (
        ("annotations_instance", "ade-instances"),
        ("annotations", "ade-classes"),
    ):
        if (root / name / part).is_dir():
            pairs = _paired(root / "images" / part, root / name / part)
            yield from (Entry(e.image, e.target, labels) for e in pairs)  # type: ignore[arg-type]
            return


DATA_SETS = {
    "aim-500": DataSet("AIM-500", ("original",), _aim_500),
    "am-2k": DataSet("AM-2K", ("train/original", "validation/original"), _am_2k),
    "p3m-10k": DataSet("P3M-10K", ("train/blurred_image", "validation"), _p3m_10k),
    "rwp-636": DataSet("RealWorldPortrait-636", ("alpha",), _rwp_636),
    "him-2k": DataSet("HIM2K", ("alphas",), _him_2k),
    "refmatte": DataSet("RefMatte", ("train/mask", "test/mask"), _refmatte),
    "ade20k": DataSet("ADE20K", ("images/ADE", "images/training"), _ade20k, True),
}
"""Every data set by the name that configurations call it."""


def entries(name: str, root: Path, split: str = "train") -> list[Entry]:
    """The pairs of files of a data set.

    Args:
        name: a key of DATA_SETS.
        root: where it was unpacked to; one folder around it is forgiven.
        split: ``train`` or ``test``, where a data set has both.

    Raises:
        ZimError: there is no such data set, or the folder has another layout.
    """
    data_set = DATA_SETS.get(name)
    if data_set is None:
        raise ZimError(
            f"There is no data set called {name!r}.", f"Known: {', '.join(DATA_SETS)}."
        )
    if not root.is_dir():
        raise ZimError(f"{root} is no folder.", f"Unpack {data_set.title} there.")
    for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
        if any((folder / part).is_dir() for part in data_set.layout):
            found = list(data_set.read(folder, split))
            if found:
                return found
    raise ZimError(
        f"{root} does not hold {data_set.title}: no pictures with targets for"
        f" {split} where its authors put them.",
        f"Expected a folder with {' or '.join(data_set.layout)}.",
    )
