"""The images of a batch, with the names of their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zim_app.core.folders import find_images, is_image_file, list_images
from zim_app.core.naming import sanitise
from zim_model.errors import ZimError, msg


@dataclass(frozen=True, slots=True)
class Job:
    """One image of a batch.

    Attributes:
        path: of the image.
        relative: its path from the input folder, with slashes; identifies it in
            journals and reports.
        folder: of its results, relative to the output folder; "" for itself.
        name: value of ``{name}`` in the names of its results; unique, ignoring case,
            among the images with results in the same folder.
    """

    path: Path
    relative: str
    folder: str
    name: str


def folder_jobs(folder: Path, output: Path, *, recursive: bool) -> tuple[Job, ...]:
    """The images of a folder, in natural order.

    Args:
        folder: the input folder.
        output: the output folder, which is left out if it lies inside.
        recursive: include subfolders; results keep the tree.

    Raises:
        ZimError: the folder is missing or unreadable, has no images, or is the output
            folder itself.
    """
    if not folder.is_dir():
        raise ZimError(
            msg("There is no folder {folder}.", folder=folder),
            msg("Check the spelling."),
        )
    if folder.resolve() == output.resolve():
        raise ZimError(
            msg("The output folder is the input folder."),
            msg("Choose another, such as {folder}.", folder=folder / "cutouts"),
        )
    paths = list_images(folder)
    if recursive:
        paths = find_images(folder, excluded=[output.resolve()])
    if not paths:
        raise ZimError(
            msg("There is no photo in {folder}.", folder=folder),
            msg("JPEG, PNG, TIFF, WebP, BMP and GIF files are read.")
            if recursive
            else msg(
                "JPEG, PNG, TIFF, WebP, BMP and GIF files are read. Say --recursive to "
                "look in the folders in it."
            ),
        )
    return _unique_names((path, path.relative_to(folder).as_posix()) for path in paths)


def image_jobs(paths: Sequence[Path]) -> tuple[Job, ...]:
    """Jobs for image files of any folders; all results go to one folder.

    Raises:
        ZimError: there is no image file.
    """
    paths = list(
        dict.fromkeys(path.absolute() for path in paths if is_image_file(path))
    )
    if not paths:
        raise ZimError(
            msg("There is no photo."), msg("Choose some photos, or a folder.")
        )
    one_folder = len({path.parent for path in paths}) == 1
    pairs = ((path, path.name if one_folder else path.as_posix()) for path in paths)
    return tuple(replace(job, folder="") for job in _unique_names(pairs, flat=True))


def _unique_names(
    pairs: Iterable[tuple[Path, str]], *, flat: bool = False
) -> tuple[Job, ...]:
    """Make the names of jobs unique by adding the suffix, then a number.

    Of two images with the same stem both get their suffix, so that a name depends less
    on which other images are in the folder.
    """
    rows = []
    for path, relative in pairs:
        folder = "" if flat else relative.rpartition("/")[0]
        rows.append((path, relative, folder, sanitise(path.stem) or "picture"))
    stems = Counter((folder, name.casefold()) for *_, folder, name in rows)
    taken: set[tuple[str, str]] = set()
    jobs = []
    for path, relative, folder, stem in rows:
        name = stem
        if stems[folder, stem.casefold()] > 1:
            name = sanitise(f"{stem}-{path.suffix[1:].lower()}")
        base, number = name, 2
        while _name_is_taken(folder, name, stem, taken, stems):
            name, number = f"{base}-{number}", number + 1
        taken.add((folder, name.casefold()))
        jobs.append(Job(path, relative, folder, name))
    return tuple(jobs)


def _name_is_taken(
    folder: str,
    name: str,
    stem: str,
    taken: set[tuple[str, str]],
    stems: Counter[tuple[str, str]],
) -> bool:
    """Whether a name is taken, or is the unique stem of another image."""
    key = folder, name.casefold()
    reserved = name.casefold() != stem.casefold() and stems[key] == 1
    return key in taken or reserved
