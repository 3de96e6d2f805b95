"""The images of a batch, with the names of their results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import isdir
from pathlib import Path
from typing import get_args

from zim_app.core.batch.journal import FOLDER
from zim_app.core.export_options import ExportKind
from zim_app.core.folders import is_image_file, is_unread_image_file, list_tree
from zim_app.core.naming import sanitise
from zim_model.errors import ZimError, msg

_RESULT_STEM = re.compile(rf"(?P<name>.+)-({'|'.join(get_args(ExportKind))})(-\d+)?")
"""Stem of a file that is exported beside its image under the default name."""
EARLIER_RESULTS = ZimError(
    msg("The folder holds the results of an earlier batch."),
    msg("Give it as the input folder to process them."),
)


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


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A file or folder in the input folder that a batch cannot or need not process.

    Attributes:
        relative: its path from the input folder, with slashes.
        error: the reason, and what to do about it.
        harmless: whether that is no failure.
    """

    relative: str
    error: ZimError
    harmless: bool


@dataclass(frozen=True, slots=True)
class FolderScan:
    """What an input folder holds."""

    jobs: tuple[Job, ...]
    obstacles: tuple[Obstacle, ...]


def folder_jobs(folder: Path, output: Path, *, recursive: bool) -> tuple[Job, ...]:
    """The images of a folder, in natural order, see :func:`scan_folder`."""
    return scan_folder(folder, output, recursive=recursive).jobs


def scan_folder(
    folder: Path, output: Path, *, recursive: bool, may_be_empty: bool = False
) -> FolderScan:
    """The images of a folder, in natural order, and what else is to be reported.

    Args:
        folder: the input folder.
        output: the output folder, which is left out if it lies inside.
        recursive: include subfolders; results keep the tree.
        may_be_empty: whether having no images is no error.

    Raises:
        ZimError: the folder is missing or unreadable, has no images, or is the output
            folder itself.
    """
    if not folder.is_dir():
        raise ZimError(
            msg("There is no folder {folder}.", folder=folder),
            msg("Check the spelling."),
        )
    own = output.resolve()
    if folder.resolve() == own:
        raise ZimError(
            msg("The output folder is the input folder."),
            msg("Choose another, such as {folder}.", folder=folder / "cutouts"),
        )
    obstacles: list[Obstacle] = []

    def add(path: Path, error: ZimError, *, harmless: bool) -> None:
        relative = path.relative_to(folder).as_posix()
        obstacles.append(Obstacle(relative, error, harmless))

    def is_excluded(inner: Path) -> bool:
        if inner.resolve() == own:
            return True
        if isdir(inner / FOLDER):  # false in a folder that may not be read
            add(inner, EARLIER_RESULTS, harmless=True)
            return True
        return False

    tree = list_tree(folder, recursive=recursive, is_excluded=is_excluded)
    for inner, error in tree.unreadable:
        add(inner, error, harmless=False)
    images = list(filter(is_image_file, tree.files))
    originals = {(path.parent, path.stem): path.name for path in images}
    paths = []
    for path in images:
        original = _original_of(path, originals)
        if original is None:
            paths.append(path)
        else:
            add(path, _own_result_error(original), harmless=True)
    unread = list(filter(is_unread_image_file, tree.files))
    for path in unread:
        add(path, _unread_format_error(path), harmless=True)
    if not (paths or may_be_empty):
        raise _no_image_error(folder, unread, recursive=recursive)
    pairs = ((path, path.relative_to(folder).as_posix()) for path in paths)
    return FolderScan(_unique_names(pairs), tuple(obstacles))


def _original_of(path: Path, originals: Mapping[tuple[Path, str], str]) -> str | None:
    """Name of the image that ``path`` is a result of, going by its name.

    Results lie beside their image or in a folder beside it; between the image's name
    and the kind there may be that of the object.
    """
    match = _RESULT_STEM.fullmatch(path.stem)
    name = match["name"] if match else ""
    while name:
        for folder in (path.parent, path.parent.parent):
            if (folder, name) in originals:
                return originals[folder, name]
        name = name.rpartition("-")[0]
    return None


def _own_result_error(original: str) -> ZimError:
    return ZimError(
        msg("It is a result, going by its name, of {original}.", original=original),
        msg("Rename it if it is a photo of its own."),
    )


def _unread_format_error(path: Path) -> ZimError:
    return ZimError(
        msg("Files in the format {suffix} are not read.", suffix=path.suffix.lower()),
        msg("Convert it to JPEG, PNG or TIFF."),
    )


def _no_image_error(folder: Path, unread: list[Path], *, recursive: bool) -> ZimError:
    message = msg("There is no photo in {folder}.", folder=folder)
    if unread:
        message = msg(
            "There is no photo in {folder} that can be read; {name} is in another "
            "format.",
            folder=folder,
            name=unread[0].name,
        )
    return ZimError(
        message,
        msg("JPEG, PNG, TIFF, WebP, BMP and GIF files are read.")
        if recursive
        else msg(
            "JPEG, PNG, TIFF, WebP, BMP and GIF files are read. Say --recursive to "
            "look in the folders in it."
        ),
    )


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
