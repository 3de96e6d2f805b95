"""Image files of folders, in natural order."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from zim_model.errors import ImageError, msg
from zim_model.runtime.atomic_files import describe_os_error

IMAGE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
        *(".avif", ".heic", ".heif", ".hif"),
    )
)


def list_images(folder: Path) -> tuple[Path, ...]:
    """Files of a folder with a suffix of an image format, in natural order.

    Raises:
        ImageError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            files = [Path(entry.path) for entry in entries if entry.is_file()]
    except OSError as error:
        raise _unreadable_error(folder, error) from error
    return tuple(sorted(filter(is_image_file, files), key=natural_key))


def find_images(folder: Path, excluded: Collection[Path] = ()) -> tuple[Path, ...]:
    """Image files of a folder and its subfolders; symbolic links are not followed.

    Args:
        folder: the root.
        excluded: resolved paths of folders to leave out.

    Raises:
        ImageError: a folder cannot be read.
    """
    images: list[Path] = []
    for parent, subfolders, _ in os.walk(folder, onerror=_raise_unreadable):
        subfolders[:] = sorted(
            (name for name in subfolders if _is_searched(Path(parent, name), excluded)),
            key=natural_key,
        )
        images += list_images(Path(parent))
    return tuple(images)


def _is_searched(folder: Path, excluded: Collection[Path]) -> bool:
    return not folder.name.startswith(".") and folder.resolve() not in excluded


def _raise_unreadable(error: OSError) -> None:
    raise _unreadable_error(Path(error.filename), error) from error


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
    hidden = path.name.startswith(".")
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden


def natural_key(path: Path | str) -> list[tuple[int, int, str]]:
    """Sort key of a file name; digits compare as numbers, so that 2 precedes 10."""
    name = path if isinstance(path, str) else path.name
    parts = re.split(r"(\d+)", name.casefold())
    return [(1, int(x), x) if x.isdecimal() else (0, 0, x) for x in parts]
