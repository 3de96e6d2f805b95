"""Project files (.zimproj): the objects of one image, and a reference to its file.

A reference has a relative path and a digest of the pixels, so that a folder with a
project can be moved, and an image that was moved or changed is recognised.  For
security the path must lie inside the project's folder: a project from somebody else
cannot open other files.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

import numpy as np

from zim_app.core.export import ExportTarget, export
from zim_app.core.greys import GreyView
from zim_app.core.images import Image, load_image
from zim_app.core.naming import sanitise
from zim_app.core.saved_work import ObjectStack, read_field, read_json, write_json
from zim_model.errors import ZimError, msg

KIND, VERSION = msg("zim-studio project"), 1

ReferenceMatch = Literal["same", "changed", "other"]
"""Comparison of an image with a project's reference: equal pixels, other pixels of the
same size (coordinates are valid still), or another size."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Reference of a project to its image.

    Attributes:
        name: of the image, shown to the user.
        path: of its file, relative to the project's folder, with slashes; None if it
            lies outside.
        width: in pixels.
        height: in pixels.
        digest: :attr:`Image.key`.
        view: of grey values, None unless the user has chosen one.
    """

    name: str
    path: str | None
    width: int
    height: int
    digest: str
    view: GreyView | None = None

    def match(self, image: Image) -> ReferenceMatch:
        """Compare an image with the referenced one."""
        if image.key == self.digest:
            return "same"
        same_size = (image.width, image.height) == (self.width, self.height)
        return "changed" if same_size else "other"

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return {
            "name": self.name,
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "digest": self.digest,
            **({"view": self.view.to_json()} if self.view else {}),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ImageReference:
        """Read the JSON form of :meth:`to_json`.

        Raises:
            ZimError: a field is malformed, which the message names, or the path leads
                out of the project's folder.
        """
        path = read_field(data, "path", object)
        if path is not None and (not isinstance(path, str) or not _stays_inside(path)):
            raise ZimError(
                msg(
                    "The photo's path {path!r} leads out of the project's folder.",
                    path=str(path)[:80],
                ),
                msg("Open the photo itself, and save the project again."),
            )
        digest = read_field(data, "digest", str)
        if not re.fullmatch(r"[0-9a-f]{8,128}", digest):
            raise ZimError(
                msg("The photo's digest is malformed: {digest!r}.", digest=digest[:40])
            )
        width, height = read_field(data, "width", int), read_field(data, "height", int)
        if width < 1 or height < 1:
            raise ZimError(
                msg(
                    "The photo's size is {width} x {height}.",
                    width=width,
                    height=height,
                )
            )
        view = GreyView.from_json(data.get("view"))
        return cls(read_field(data, "name", str), path, width, height, digest, view)


@dataclass(frozen=True, slots=True)
class Project:
    """The content of a project file."""

    reference: ImageReference
    stack: ObjectStack


def read_project(path: Path) -> Project:
    """Read a project file.

    Raises:
        ZimError: the file cannot be read, is not a project, is of a newer version, or
            a field is malformed; the message names file and field.
    """
    data = read_json(path, KIND, VERSION)
    try:
        reference = ImageReference.from_json(read_field(data, "picture", dict))
        return Project(reference, ObjectStack.from_json(data))
    except ZimError as error:
        message = msg(
            "{name} cannot be used. {reason}", name=path.name, reason=error.message
        )
        raise ZimError(message, error.hint) from error


def write_project(path: Path, image: Image, stack: ObjectStack) -> Project:
    """Write a project file, atomically.

    An image without a file, such as a pasted one, is written as PNG next to the
    project.

    Args:
        path: of the project, in a folder that exists.
        image: the image of the objects.
        stack: the objects.

    Returns:
        The content of the file.

    Raises:
        ZimError: a file cannot be written.
    """
    file = image.path or _write_pasted_image(path, image)
    reference = ImageReference(
        image.name,
        relative_path(file, path.parent),
        image.width,
        image.height,
        image.key,
        image.view,
    )
    content = {"picture": reference.to_json(), **stack.to_json()}
    write_json(path, KIND, VERSION, content)
    return Project(reference, stack)


def find_image_file(project: Path, reference: ImageReference) -> Path | None:
    """Path of a project's image; None if there is no such file."""
    if reference.path is None:
        return None
    path = project.parent / reference.path
    return path if isfile(path) else None


def relative_path(file: Path, folder: Path) -> str | None:
    """Path of a file relative to a folder, with slashes; None if it lies outside."""
    try:
        relative = file.resolve().relative_to(folder.resolve()).as_posix()
    except (OSError, ValueError):
        return None
    return relative if _stays_inside(relative) else None


def _stays_inside(path: str) -> bool:
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    whole = bool(path) and "\0" not in path and "\\" not in path
    rooted = posix.is_absolute() or windows.drive or windows.root
    return whole and not rooted and ".." not in posix.parts


def _write_pasted_image(project: Path, image: Image) -> Path:
    """Write an image without a file next to a project, unless that was done before."""
    stem = sanitise(f"{project.stem}-picture") or "picture"
    path = project.with_name(f"{stem}.png")
    if path.exists() and _is_same_image(path, image):
        return path
    return save_image(path, image, taken=())


def _is_same_image(path: Path, image: Image) -> bool:
    try:
        return load_image(path).key == image.key
    except ZimError:
        return False


def save_image(
    path: Path, image: Image, *, taken: Container[Path] | None = None
) -> Path:
    """Write all of an image as PNG, lossless, and return the file.

    Args:
        taken: see :func:`~zim_app.core.export.export`.

    Raises:
        ZimError: the file cannot be written.
    """
    opaque = np.full((image.height, image.width), 65535, np.uint16)
    return export(image, [ExportTarget(opaque)], path, taken=taken)
