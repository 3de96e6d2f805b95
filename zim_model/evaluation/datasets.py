"""Data sets in their published layouts.

:func:`open_dataset` detects which of LAYOUTS a folder has and lists its cases; no image
is read for that.  A further layout is a further entry of the table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from zim_model.errors import ZimError, msg
from zim_model.evaluation.cases import Case
from zim_model.evaluation.folder_pairs import (
    HQ_SETS,
    IMAGE_SUFFIXES,
    ReadLayout,
    by_stem,
    find_image,
    has_folders,
    image_files,
    pair_files,
    read_hq_sets,
)
from zim_model.evaluation.mask_pairs import read_label_pairs, read_mask_pairs
from zim_model.runtime.atomic_files import read_error

__all__ = [
    "HQ_SETS",
    "IMAGE_SUFFIXES",
    "LAYOUTS",
    "LIST",
    "SUBSETS",
    "Case",
    "Dataset",
    "EvaluatedRegion",
    "Layout",
    "image_files",
    "open_dataset",
    "pairs_beside",
]

LIST = "data_list.txt"
SUBSETS = ("fine", "coarse")
MATTE_MARK, LABELS_MARK = ".alpha", ".labels"
"""End of the names, before the suffix, of a matte and of a label map that lie beside
their image."""
TARGET_MARKS = (MATTE_MARK, LABELS_MARK, ".fine")

EvaluatedRegion = Literal["image", "trimap", "band"]
"""Where the ``(DIM)`` errors count: everywhere, in the unknown region of the data
set's own trimaps, or in that of trimaps made from the ground truth."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The cases of a folder.

    Attributes:
        name: for display and for the journal.
        root: the folder.
        layout: name of its layout.
        cases: in a stable order.
        problems: sentences on incomplete cases, which are left out.
        masks: whether the ground truth is a binary mask.
        region: where the ``(DIM)`` errors count.
    """

    name: str
    root: Path
    layout: str
    cases: tuple[Case, ...]
    problems: tuple[str, ...] = ()
    masks: bool = False
    region: EvaluatedRegion = "band"

    @property
    def subsets(self) -> tuple[str, ...]:
        """The subsets, in order."""
        return tuple(dict.fromkeys(c.subset for c in self.cases if c.subset))

    def cases_by_image(self) -> tuple[tuple[Case, ...], ...]:
        """The cases of each image together, the images in order of first use."""
        groups: dict[Path, list[Case]] = {}
        for case in self.cases:
            groups.setdefault(case.image, []).append(case)
        return tuple(map(tuple, groups.values()))


@dataclass(frozen=True, slots=True)
class Layout:
    """A published arrangement of files.

    Attributes:
        name: on the command line.
        title: the data set's.
        description: the files of such a folder, for messages.
        read: lists the cases below a folder; none where it has another layout.
        masks, region: see :class:`Dataset`.
        detected: whether it is tried where none is named.
    """

    name: str
    title: str
    description: str
    read: Callable[[Path], ReadLayout]
    masks: bool = False
    region: EvaluatedRegion = "band"
    detected: bool = True


def open_dataset(root: str | os.PathLike[str], layout: str | None = None) -> Dataset:
    """The data set in a folder.

    Args:
        layout: name of one of LAYOUTS; None takes the first that fits.

    Raises:
        ZimError: there is no such folder or layout, or no case in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise ZimError(
            msg("{root} is no folder.", root=root),
            msg("Give the folder of a data set."),
        )
    names = [each.name for each in LAYOUTS]
    if layout is not None and layout not in names:
        raise ZimError(
            msg("There is no layout {layout!r}.", layout=layout),
            msg("Known: {names}.", names=", ".join(names)),
        )
    for each in LAYOUTS:
        if layout != each.name and (layout or not each.detected):
            continue
        try:
            cases, problems = each.read(root)
        except OSError as error:
            raise read_error(root, error) from error
        if cases or problems:
            return Dataset(
                root.resolve().name,
                root,
                each.name,
                tuple(cases),
                tuple(problems),
                each.masks,
                each.region,
            )
    expected = "; ".join(
        f"{e.name} ({e.description})" for e in LAYOUTS if layout in (None, e.name)
    )
    raise ZimError(
        msg("{root} holds no images with mattes.", root=root),
        msg("Expected: {expected}.", expected=expected),
    )


# --- MicroMat-3K ----------------------------------------------------------------------


def _read_micromat(root: Path) -> ReadLayout:
    for base in (root, root / "MicroMat3K"):
        if (base / LIST).is_file():
            return _cases_in_list(base)
        if has_folders(base, "img", "matte"):
            return _cases_by_name(base), []
    return [], []


def _cases_in_list(base: Path) -> ReadLayout:
    """The cases of ``data_list.txt``: image, matte, prompts and segmentation a line."""
    cases: list[Case] = []
    problems: list[str] = []
    taken: set[str] = set()
    text = (base / LIST).read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        where = f"{base / LIST}, line {number}"
        if len(fields) != 4:
            problems.append(f"{where}: {len(fields)} fields instead of 4.")
            continue
        paths = [_inside(base, field) for field in fields]
        if None in paths:
            problems.append(f"{where}: a path leads out of the data set.")
            continue
        image, matte, prompts, seg = (path for path in paths if path is not None)
        subset = next((each for each in SUBSETS if each in line), "")
        name = _matte_name(base, matte)
        if name in taken:
            problems.append(f"{where}: {name} is listed twice.")
            continue
        taken.add(name)
        cases.append(Case(name, image, matte, subset, seg, prompts))
    return cases, problems


def _inside(base: Path, field: str) -> Path | None:
    """A listed path, below the folder or below the one around it; None if outside."""
    path = Path(field)
    parts = path.parts
    if path.is_absolute() or ".." in parts or "\0" in field:
        return None
    if not parts or parts == (base.name,):  # the folder itself
        return None
    return base.parent / field if parts[:1] == (base.name,) else base / field


def _matte_name(base: Path, matte: Path) -> str:
    parts = matte.relative_to(base if matte.is_relative_to(base) else base.parent)
    names = parts.with_suffix("").parts
    return "/".join(names[1:] if names[0] == "matte" and len(names) > 1 else names)


def _cases_by_name(base: Path) -> list[Case]:
    """The cases by the names of the mattes: ``matte/fine/0001_01.png``."""
    images = by_stem(base / "img")
    cases = []
    for matte in image_files(base / "matte", deep=True):
        inner = matte.relative_to(base / "matte")
        subset = next((each for each in SUBSETS if each in str(inner)), "")
        prompts = base / "prompt" / inner.with_suffix(".json")
        seg = base / "seg" / inner
        image = find_image(matte.stem, images) or base / "img" / matte.name
        cases.append(
            Case(
                inner.with_suffix("").as_posix(),
                image,
                matte,
                subset,
                seg if seg.is_file() else None,
                prompts if (base / "prompt").is_dir() else None,
            )
        )
    return cases


def _read_side_by_side(root: Path) -> ReadLayout:
    """Mattes beside their images: ``photo.jpg`` and ``photo.alpha.png``."""
    pairs, problems = pairs_beside(root, MATTE_MARK)
    cases = [Case(x.stem.removesuffix(MATTE_MARK), image, x) for image, x in pairs]
    return cases, problems if cases else []


def pairs_beside(folder: Path, mark: str) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Images with their targets beside them: ``photo.jpg`` and ``photo.alpha.png``.

    Args:
        folder: folder of both.
        mark: of the targets' names before the suffix, one of TARGET_MARKS.

    Returns:
        Image and target of each pair, by the targets' names; sentences on targets
        without an image, and on images without any target.
    """
    files = [(path, path.stem) for path in image_files(folder)]
    # Of several images of one name the first counts, such as a.jpg of a.jpg and a.png.
    images = {s: path for path, s in reversed(files) if not s.endswith(TARGET_MARKS)}
    pairs, problems = [], []
    used = {
        stem.removesuffix(each)
        for _, stem in files
        for each in TARGET_MARKS
        if stem.endswith(each)
    }
    for target, stem in files:
        if stem.endswith(mark):
            image = images.get(stem.removesuffix(mark))
            if image is None:
                problems.append(f"{target} has no image beside it.")
            else:
                pairs.append((image, target))
    problems += [
        f"{image} has no {stem}{mark}.png beside it."
        for stem, image in sorted(images.items())
        if stem not in used
    ]
    return pairs, problems


def _paired_layout(
    bases: Sequence[str], images: str, mattes: str, trimaps: str = ""
) -> Callable[[Path], ReadLayout]:
    return partial(pair_files, bases, images, mattes, trimaps)


LAYOUTS = (
    Layout(
        "micromat",
        "MicroMat-3K",
        "img/, matte/fine/, matte/coarse/, prompt/, seg/, data_list.txt",
        _read_micromat,
    ),
    Layout(
        "p3m",
        "P3M-500-NP",
        "P3M-500-NP/ with original_image/, mask/, trimap/",
        _paired_layout(
            (
                "",
                "P3M-500-NP",
                "validation/P3M-500-NP",
                "P3M-10k/validation/P3M-500-NP",
            ),
            "original_image",
            "mask",
            "trimap",
        ),
        region="image",
    ),
    Layout(
        "am2k",
        "AM-2K",
        "validation/ with original/, mask/, trimap/",
        _paired_layout(
            ("validation", "AM-2[kK]/validation"), "original", "mask", "trimap"
        ),
        region="image",
    ),
    Layout(
        "aim500",
        "AIM-500",
        "original/, mask/, trimap/, usr/",
        _paired_layout(("", "AIM-500"), "original", "mask", "trimap"),
        region="image",
    ),
    Layout(
        "hqsam",
        "HQ-SAM's four sets",
        "DIS5K/ and thin_object_detection/, two or more of its sets",
        read_hq_sets,
        masks=True,
        region="image",
    ),
    Layout(
        "dis",
        "DIS5K",
        "DIS-VD/ (or DIS-TE1/ ...) with im/, gt/",
        _paired_layout(("", "DIS-*", "DIS5K/DIS-*"), "im", "gt"),
        masks=True,
        region="image",
    ),
    Layout(
        "hrsod",
        "HRSOD",
        "HRSOD/ with images/, masks_max255/",
        _paired_layout(
            ("", "HRSOD", "thin_object_detection/HRSOD"), "images", "masks_max255"
        ),
        masks=True,
        region="image",
    ),
    Layout(
        "thinobject",
        "ThinObject5K",
        "ThinObject5K/ with images_test/, masks_test/",
        _paired_layout(
            ("", "ThinObject5K", "thin_object_detection/ThinObject5K"),
            "images_test",
            "masks_test",
        ),
        masks=True,
        region="image",
    ),
    Layout(
        "masks",
        "Images and masks",
        "images/ with masks/ of the same names, also DICOM and NIfTI",
        read_mask_pairs,
        masks=True,
        region="image",
    ),
    Layout(
        "labels",
        "Images and label maps",
        "images/ with labels/ or masks/, each number an object",
        read_label_pairs,
        masks=True,
        region="image",
        detected=False,
    ),
    Layout(
        "coift",
        "COIFT",
        "COIFT/ with images/, masks/",
        _paired_layout(("", "COIFT", "thin_object_detection/COIFT"), "images", "masks"),
        masks=True,
        region="image",
    ),
    Layout(
        "pairs",
        "Folder pair",
        "images/, mattes/ and if you like trimaps/, prompts/",
        _paired_layout(("",), "images", "mattes", "trimaps"),
        region="trimap",
    ),
    Layout(
        "beside",
        "Mattes beside their images",
        "photo.jpg with photo.alpha.png beside it",
        _read_side_by_side,
    ),
)
"""In the order in which a folder is tried."""
