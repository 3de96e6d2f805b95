"""File layouts of published data sets: pairs of images and mattes or label maps.

Each reader lists the pairs of files in the unpacked folder of a data set; no file is
opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os.path import isdir
from pathlib import Path
from typing import Literal

from zim_model.errors import ZimError
from zim_model.evaluation.datasets import IMAGE_SUFFIXES, image_files

Labels = Literal["matte", "ade-full", "ade-instances", "ade-classes"]


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """An image file and its target file.

    Attributes:
        image: photograph or composite.
        target: its alpha, or a label map.
        labels: type of the target: ``matte``, or one of ADE20K's label maps.
    """

    image: Path
    target: Path
    labels: Labels = "matte"


@dataclass(frozen=True, slots=True)
class PublishedDataset:
    """A published data set.

    Attributes:
        title: published name.
        layout: folders by which it is recognised; one is enough.
        read: lists the entries of its folder; the second argument is the split,
            ``train`` or ``test``.
        coarse: its labels are targets of their own, see ``stl``.
    """

    title: str
    layout: tuple[str, ...]
    read: Callable[[Path, str], Iterator[DatasetEntry]]
    coarse: bool = False


def _pair_files(images: Path, mattes: Path) -> Iterator[DatasetEntry]:
    """Yield pairs of files with the same stem; mattes without an image are skipped."""
    for matte in image_files(mattes) if mattes.is_dir() else ():
        image = _find_image(images / matte.stem)
        if image is not None:
            yield DatasetEntry(image, matte)


def _find_image(stem: Path) -> Path | None:
    for extension in (".jpg", ".jpeg", *IMAGE_SUFFIXES):
        path = stem.with_name(stem.name + extension)
        if path.is_file():
            return path
    return None


def _aim_500(root: Path, split: str) -> Iterator[DatasetEntry]:
    # Published as a test set; ZIM's label converter is trained on all of it.
    del split
    yield from _pair_files(root / "original", root / "mask")


def _am_2k(root: Path, split: str) -> Iterator[DatasetEntry]:
    part = root / ("train" if split == "train" else "validation")
    yield from _pair_files(part / "original", part / "mask")


def _p3m_10k(root: Path, split: str) -> Iterator[DatasetEntry]:
    if split == "train":
        yield from _pair_files(
            root / "train" / "blurred_image", root / "train" / "mask"
        )
        return
    for name, images in (
        ("P3M-500-P", "blurred_image"),
        ("P3M-500-NP", "original_image"),
    ):
        part = root / "validation" / name
        yield from _pair_files(part / images, part / "mask")


def _rwp_636(root: Path, split: str) -> Iterator[DatasetEntry]:
    del split
    yield from _pair_files(root / "image", root / "alpha")


def _him_2k(root: Path, split: str) -> Iterator[DatasetEntry]:
    """Yield entries of a layout with a folder of alphas per image, one per person."""
    del split
    for kind in ("natural", "comp"):
        for folder in sorted((root / "alphas" / kind).glob("*")):
            image = _find_image(root / "images" / kind / folder.name)
            if image is not None and folder.is_dir():
                yield from (
                    DatasetEntry(image, alpha) for alpha in sorted(folder.glob("*.png"))
                )


def _refmatte(root: Path, split: str) -> Iterator[DatasetEntry]:
    """Yield entries whose ``NAME_0.png``, ... are the alphas of ``NAME.jpg``."""
    part = root / split
    for matte in sorted((part / "mask").glob("*.png")):
        name, _, number = matte.stem.rpartition("_")
        image = _find_image(part / "img" / name) if number.isdecimal() else None
        if image is not None:
            yield DatasetEntry(image, matte)


def _ade20k(root: Path, split: str) -> Iterator[DatasetEntry]:
    """Yield entries of the full set (``*_seg.png``) or of the 2016 challenge."""
    part = "training" if split == "train" else "validation"
    full = root / "images" / "ADE" / part
    if full.is_dir():
        for path in sorted(full.rglob("*_seg.png")):
            image = _find_image(path.with_name(path.name.removesuffix("_seg.png")))
            if image is not None:
                yield DatasetEntry(image, path, "ade-full")
        return
    for name, labels in (
        ("annotations_instance", "ade-instances"),
        ("annotations", "ade-classes"),
    ):
        if (root / name / part).is_dir():
            pairs = _pair_files(root / "images" / part, root / name / part)
            # ``labels`` is a plain string to mypy.
            yield from (DatasetEntry(e.image, e.target, labels) for e in pairs)  # type: ignore[arg-type]
            return


PUBLISHED_DATASETS = {
    "aim-500": PublishedDataset("AIM-500", ("original",), _aim_500),
    "am-2k": PublishedDataset(
        "AM-2K", ("train/original", "validation/original"), _am_2k
    ),
    "p3m-10k": PublishedDataset(
        "P3M-10K", ("train/blurred_image", "validation"), _p3m_10k
    ),
    "rwp-636": PublishedDataset("RealWorldPortrait-636", ("alpha",), _rwp_636),
    "him-2k": PublishedDataset("HIM2K", ("alphas",), _him_2k),
    "refmatte": PublishedDataset("RefMatte", ("train/mask", "test/mask"), _refmatte),
    "ade20k": PublishedDataset(
        "ADE20K", ("images/ADE", "images/training"), _ade20k, True
    ),
}
"""The data sets by their names in configurations."""


def list_entries(name: str, root: Path, split: str = "train") -> list[DatasetEntry]:
    """List the entries of a data set.

    Args:
        name: a key of PUBLISHED_DATASETS.
        root: its unpacked folder, or the parent of that.
        split: ``train`` or ``test``, if the data set has both.

    Raises:
        ZimError: there is no such data set, or the folder has another layout.
    """
    data_set = PUBLISHED_DATASETS.get(name)
    if data_set is None:
        raise ZimError(
            f"Unknown data set {name!r}.",
            f"Known: {', '.join(PUBLISHED_DATASETS)}.",
        )
    if not isdir(root):
        raise ZimError(f"{root} is not a folder.", f"Unpack {data_set.title} there.")
    for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
        if any((folder / part).is_dir() for part in data_set.layout):
            entries = list(data_set.read(folder, split))
            if entries:
                return entries
    raise ZimError(
        f"{root} does not hold {data_set.title}: there are no images with targets for"
        f" {split} in its layout.",
        f"Expected a folder with {' or '.join(data_set.layout)}.",
    )
