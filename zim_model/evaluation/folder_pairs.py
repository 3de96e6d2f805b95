"""Images and mattes in two folders, paired by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from zim_model.evaluation.cases import Case

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
ReadLayout = tuple[list[Case], list[str]]
"""Cases and problems."""


def pair_files(
    bases: Sequence[str], images: str, mattes: str, trimaps: str, root: Path
) -> ReadLayout:
    """Images and mattes of the same names in two folders.

    Args:
        bases: patterns of folders below ``root`` that hold the two; the first that
            matches counts, and what its ``*`` stands for names the subsets.
        trimaps: folder of trimaps, where there is one.
    """
    for pattern in bases:
        matches = [root] if not pattern else sorted(root.glob(pattern))
        matches = [base for base in matches if has_folders(base, images, mattes)]
        if not matches:
            continue
        cases: list[Case] = []
        problems: list[str] = []
        for base in matches:
            subset = base.name if "*" in pattern else ""
            given = by_stem(base / trimaps) if trimaps else {}
            found = by_stem(base / images)
            own = []
            for matte in image_files(base / mattes):
                image = find_image(matte.stem, found)
                if image is None:
                    problems.append(f"{matte} has no image in {base / images}.")
                    continue
                name = f"{subset}/{matte.stem}" if subset else matte.stem
                trimap = given.get(matte.stem)
                own.append(Case(name, image, matte, subset, trimap=trimap))
            used = {case.image for case in own}
            problems += [
                f"{path} has no matte in {base / mattes}."
                for path in found.values()
                if path not in used
            ]
            prompts = base / "prompts"
            if prompts.is_dir():
                own = [_with_prompts(case, prompts) for case in own]
            cases += own
        return cases, problems
    return [], []


HQ_SETS = {
    "DIS": ("DIS5K/DIS-VD", "im", "gt"),
    "COIFT": ("thin_object_detection/COIFT", "images", "masks"),
    "HRSOD": ("thin_object_detection/HRSOD", "images", "masks_max255"),
    "ThinObject": (
        "thin_object_detection/ThinObject5K",
        *("images_test", "masks_test"),
    ),
}
"""The four sets that HQ-SAM is evaluated on: folder below the downloads' one, and the
folders of images and masks."""


def read_hq_sets(root: Path) -> ReadLayout:
    """The cases of two or more of HQ_SETS, each set a subset; of one, none."""
    cases: list[Case] = []
    problems: list[str] = []
    for name, (folder, images, masks) in HQ_SETS.items():
        own, wrong = pair_files((folder,), images, masks, "", root)
        problems += wrong
        for case in own:
            cases.append(replace(case, name=f"{name}/{case.name}", subset=name))
    several = len({case.subset for case in cases}) > 1
    return (cases, problems) if several else ([], [])


def _with_prompts(case: Case, folder: Path) -> Case:
    path = folder / f"{case.matte.stem}.json"
    return replace(case, prompts=path) if path.is_file() else case


def has_folders(base: Path, *names: str) -> bool:
    """Whether there are all of some folders in another."""
    return all((base / name).is_dir() for name in names)


def image_files(folder: Path, *, deep: bool = False) -> list[Path]:
    """The image files in a folder, by name; hidden ones are no images."""
    matches = folder.rglob("*") if deep else folder.iterdir()
    return sorted(
        path
        for path in matches
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def by_stem(folder: Path) -> dict[str, Path]:
    """The image files in a folder by their names without suffix."""
    if not folder.is_dir():
        return {}
    return {path.stem: path for path in image_files(folder)}


def find_image(stem: str, images: dict[str, Path]) -> Path | None:
    """The image of a matte: of the same name, or of that before ``_number``."""
    image, _, number = stem.rpartition("_")
    if stem in images:
        return images[stem]
    return images.get(image) if number.isdecimal() else None
