"""What opening a picture, a folder or a project does on the worker's thread."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

from zim_app.core.folders import pictures_in
from zim_app.gui.workers.warmup import import_readers
from zim_model.arrays import ByteArray
from zim_model.errors import ImageError, ZimError
from zim_model.matting.pyramid import picture_levels

if TYPE_CHECKING:
    from zim_app.core.images import Picture
    from zim_app.core.project import Match, Project
    from zim_app.core.saved_work import Work
    from zim_app.core.session_store import SessionStore


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A picture, and what was done to it before.

    Attributes:
        picture: from a file or the clipboard.
        levels: its display pyramid.
        work: from its session or project; None if there is none.
        exported: whether that work was exported as it is.
        siblings: all pictures in its folder, itself included, in order.
        project: the project file that it was opened by.
        match: how the picture compares with the project's.
        problem: why its session could not be read.
    """

    picture: Picture
    levels: tuple[ByteArray, ...]
    work: Work | None = None
    exported: bool = False
    siblings: tuple[Path, ...] = ()
    project: Path | None = None
    match: Match = "same"
    problem: ZimError | None = None


@dataclass(frozen=True, slots=True)
class PictureMissing:
    """A project whose picture is not where it should be.

    Attributes:
        path: of the project.
        project: what it holds.
        found: a picture of another size in its place, if there is one.
    """

    path: Path
    project: Project
    found: Path | None = None


def read_picture(path: Path, store: SessionStore) -> Opened:
    """Read a picture, or the first one in a folder, and its session."""
    import_readers()
    from zim_app.core.images import load_picture

    if path.is_dir():
        found = pictures_in(path)
        if not found:
            raise ImageError(
                f"There is no picture in the folder {path.name}.",
                "Choose a folder with JPEG, PNG, TIFF, WebP, BMP or GIF files.",
            )
        path = found[0]
    return _with_session(load_picture(path), store)


def read_pasted(data: bytes | QImage, name: str, store: SessionStore) -> Opened:
    """Take a picture from the clipboard: an encoded file or pixels."""
    import_readers()
    from zim_app.core.images import Picture, load_picture

    if isinstance(data, bytes):
        with tempfile.TemporaryDirectory(prefix="zim-studio-") as folder:
            file = Path(folder) / "pasted"
            file.write_bytes(data)
            picture = replace(load_picture(file), path=None, name=name)
    else:
        colour, alpha = _pixels(data)
        picture = Picture.from_array(colour, name, alpha)
    return _with_session(picture, store)


def _pixels(image: QImage) -> tuple[ByteArray, ByteArray]:
    """Colours (H, W, 3) and alpha (H, W), straight, of a picture from Qt."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
    return pixels[..., :3].copy(), pixels[..., 3].copy()


def _with_session(picture: Picture, store: SessionStore) -> Opened:
    session, problem = None, None
    try:
        session = store.load(picture.key)
    except ZimError as error:
        problem = error
    siblings = pictures_in(picture.path.parent) if picture.path else ()
    return Opened(
        picture,
        picture_levels(picture.rgb),
        session.work if session else None,
        session.exported if session else False,
        siblings,
        problem=problem,
    )


def read_project_and_picture(
    path: Path, located: Path | None, store: SessionStore
) -> Opened | PictureMissing:
    """Read a project and its picture.

    Args:
        path: of the project.
        located: where the user says that the picture is.
        store: knows where pictures were seen last.
    """
    import_readers()
    from zim_app.core.images import load_picture
    from zim_app.core.project import picture_file, read_project

    project = read_project(path)
    file = located or picture_file(path, project.picture)
    file = file or _seen_last(project.picture.digest, store)
    if file is None:
        return PictureMissing(path, project)
    picture = load_picture(file)
    match = project.picture.match(picture)
    if match == "other":
        return PictureMissing(path, project, file)
    opened = _with_session(picture, store)
    return replace(opened, work=project.work, exported=False, project=path, match=match)


def _seen_last(digest: str, store: SessionStore) -> Path | None:
    """The file that our own session of that picture names, if it is still there."""
    try:
        session = store.load(digest)
    except ZimError:
        return None
    path = session.path if session else None
    return path if path is not None and path.is_file() else None
