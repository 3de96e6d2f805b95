"""Image files of folders, in natural order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zim_model.errors import ImageError, msg
from zim_model.medical.volume import is_medical_name
from zim_model.runtime.atomic_files import describe_os_error

_SUFFIXES = """
    .jpg .jpeg .jpe .jfif .jif .mpo .png .apng .tif .tiff .webp .bmp .gif .avif
    .heic .heif .hif .jxl .exr .dcm .dicom .nii
"""
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
_OTHER_SUFFIXES = """
    .jp2 .j2k .jpf .jpx .psd .psb .xcf .kra .ora .hdr
    .svg .ico .tga .pcx .ppm .pgm .pbm .pnm .pfm .dds .qoi .dng .nef .nrw .cr2 .cr3 .crw
    .arw .srf .sr2 .raf .orf .rw2 .pef .srw .x3f .3fr .iiq .raw
"""
OTHER_IMAGE_SUFFIXES = frozenset(_OTHER_SUFFIXES.split())
"""Formats of images, some of which are not read; batches name such files."""


@dataclass(frozen=True, slots=True)
class FolderTree:
    """The files below a folder.

    Attributes:
        files: not hidden, in natural order, folder by folder.
        unreadable: folders inside that cannot be read, with the errors.
    """

    files: tuple[Path, ...]
    unreadable: tuple[tuple[Path, ImageError], ...]


def list_images(folder: Path) -> tuple[Path, ...]:
    """Files of a folder with a suffix of an image format, in natural order.

    Raises:
        ImageError: the folder cannot be read.
    """
    return tuple(filter(is_image_file, _list_folder(folder)[0]))


def list_tree(
    folder: Path, *, recursive: bool, is_excluded: Callable[[Path], bool]
) -> FolderTree:
    """The files of a folder; symbolic links to folders are not followed.

    Args:
        folder: the root.
        recursive: include its subfolders.
        is_excluded: whether a subfolder is left out.

    Raises:
        ImageError: the root cannot be read; of a folder inside, the error is returned.
    """
    files, subfolders = _list_folder(folder)
    waiting = subfolders[::-1] if recursive else []
    unreadable = []
    while waiting:
        inner = waiting.pop()
        if is_excluded(inner):
            continue
        try:
            inner_files, subfolders = _list_folder(inner)
        except ImageError as error:
            unreadable.append((inner, error))
        else:
            files += inner_files
            waiting += subfolders[::-1]
    return FolderTree(tuple(files), tuple(unreadable))


def _list_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Files and subfolders of a folder that are not hidden, in natural order."""
    files, subfolders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if _may_be_file(entry):
                    files.append(Path(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    subfolders.append(Path(entry.path))
    except OSError as error:
        raise _unreadable_error(folder, error) from error
    return sorted(files, key=natural_key), sorted(subfolders, key=natural_key)


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file, or a link to where nothing can be seen."""
    try:
        return entry.is_file()
    except OSError:  # reported when it is read
        return True


def _unreadable_error(folder: Path, error: OSError) -> ImageError:
    reason, cure = describe_os_error(error)
    return ImageError(
        msg(
            "The folder {folder} cannot be read: {reason}.",
            folder=folder,
            reason=reason,
        ),
        cure,
    )


def is_image_file(path: Path) -> bool:
    """Whether a file has a suffix of an image format and is not hidden."""
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in IMAGE_SUFFIXES or is_medical_name(path)


def is_unread_image_file(path: Path) -> bool:
    """Whether a file is an image of a format that is not read, by its suffix."""
    return path.suffix.lower() in OTHER_IMAGE_SUFFIXES - IMAGE_SUFFIXES


def natural_key(path: Path | str) -> list[tuple[int, int, str]]:
    """Sort key of a file name; digits compare as numbers, so that 2 precedes 10."""
    name = path if isinstance(path, str) else path.name
    parts = re.split(r"(\d+)", name.casefold())
    return [(1, int(x), x) if x.isdecimal() else (0, 0, x) for x in parts]
