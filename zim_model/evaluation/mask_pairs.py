"""Images with masks of the same names, as sets of medical images mostly come.

``images/scan.png`` belongs to ``masks/scan.png``; also to ``scan_mask.png`` and the
like.  Suffixes may differ, and files may be DICOM or NIfTI ones of one slice.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zim_model.errors import ZimError, msg
from zim_model.evaluation.cases import MASK, Case
from zim_model.evaluation.reading import read_label_map
from zim_model.medical.volume import MEDICAL_SUFFIXES, file_stem

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"),
    *MEDICAL_SUFFIXES,
)
MARKS = ("_mask", "_seg", "_segmentation", "_label", "_gt")
"""Ends of masks' names that their images lack."""
IMAGES, MASKS, LABELS = "images", "masks", "labels"
MAX_LABELS = 255
"""Most numbers of one label map; a file with more is no label map."""
OWN_LAYOUT = "coift"
"""Name, in any case, of the folder of a published set with the same two folders."""


def read_mask_pairs(root: Path) -> tuple[list[Case], list[str]]:
    """The cases of ``images/`` and ``masks/``; no file is read.

    Raises:
        ZimError: there are both folders, but no two files of one name.
    """
    if root.resolve().name.lower() == OWN_LAYOUT:
        return [], []
    pairs, problems = _pairs(root, MASKS)
    cases = [Case(file_stem(mask), image, mask, label=MASK) for image, mask in pairs]
    return cases, problems


def read_label_pairs(root: Path) -> tuple[list[Case], list[str]]:
    """The cases of ``images/`` and ``labels/``, else ``masks/``: one for each number.

    The maps are read; 0 is background.

    Raises:
        ZimError: there are both folders, but no two files of one name.
    """
    folder = LABELS if (root / LABELS).is_dir() else MASKS
    pairs, problems = _pairs(root, folder)
    cases = []
    for image, labels in pairs:
        try:
            numbers = np.unique(read_label_map(labels))
        except ZimError as error:
            problems.append(error.text)
            continue
        own = [int(number) for number in numbers if number > 0]
        if len(own) > MAX_LABELS:
            problems.append(
                f"{labels} has {len(own)} numbers: it is no label map. Save it without"
                " smoothing."
            )
            continue
        cases += [
            Case(f"{file_stem(labels)}/{each}", image, labels, label=each)
            for each in own
        ]
    return cases, problems


def _pairs(root: Path, folder: str) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Images and masks, and sentences on files that lack the other."""
    images, masks = root / IMAGES, root / folder
    if not (images.is_dir() and masks.is_dir()):
        return [], []
    by_stem, problems = _by_stem(images)
    masks_by_stem, more = _by_stem(masks)
    problems += more
    pairs = []
    for mask in masks_by_stem.values():
        image = _find_image(file_stem(mask), by_stem)
        if image is None:
            problems.append(f"{mask} has no image in {images}: give both one name.")
        else:
            pairs.append((image, mask))
    if not pairs:
        raise ZimError(
            msg(
                "{images} and {masks} have no two files of one name.",
                images=images,
                masks=masks,
            ),
            msg(
                "Name each mask as its image: {images}/scan.png and {masks}/scan.png;"
                " of volumes, make slices first: zim-studio slices.",
                images=IMAGES,
                masks=folder,
            ),
        )
    used = {image for image, _ in pairs}
    problems += [
        f"{path} has no mask in {masks}: give both one name."
        for path in by_stem.values()
        if path not in used
    ]
    return pairs, problems


def _by_stem(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The first file of each stem, and sentences on the further ones."""
    by_stem: dict[str, Path] = {}
    problems = []
    for path in _files(folder):
        first = by_stem.setdefault(file_stem(path), path)
        if first != path:
            problems.append(f"{path} has the name of {first.name}: it is left out.")
    return by_stem, problems


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".")
    )


def _find_image(stem: str, images: dict[str, Path]) -> Path | None:
    """The image of a mask: of the same name, or of that before one of MARKS."""
    names = (stem, *(stem.removesuffix(mark) for mark in MARKS))
    return next((images[name] for name in names if name in images), None)
