"""Opens images, folders and projects, on the worker thread."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtGui import QImage

from zim_app.core.folders import list_images
from zim_app.gui.files.opening_preview import read_preview
from zim_app.gui.workers.warmup import import_readers
from zim_model.arrays import ByteArray
from zim_model.errors import ImageError, ZimError, msg
from zim_model.matting.pyramid import image_pyramid

if TYPE_CHECKING:
    from zim_app.core.greys import GreyView
    from zim_app.core.images import Image
    from zim_app.core.project import Project, ReferenceMatch
    from zim_app.core.saved_work import ObjectStack
    from zim_app.core.session_store import SessionStore
    from zim_model.medical.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class OpenedImage:
    """An opened image with its saved objects.

    Attributes:
        image: the image, from a file or the clipboard.
        levels: its display pyramid.
        stack: objects of its session or project; None if there are none.
        exported: whether that state was exported.
        siblings: all images in its folder, itself included, in order.
        project: the project file that it was opened from, or None.
        match: how the image compares with the project's reference.
        problem: why its session could not be read, or None.
        earlier: objects of the session of other pixels in the same file, or None.
    """

    image: Image
    levels: tuple[ByteArray, ...]
    stack: ObjectStack | None = None
    exported: bool = False
    siblings: tuple[Path, ...] = ()
    project: Path | None = None
    match: ReferenceMatch = "same"
    problem: ZimError | None = None
    earlier: ObjectStack | None = None


@dataclass(frozen=True, slots=True)
class ImageMissing:
    """A project whose image was not found.

    Attributes:
        path: path of the project.
        project: its content.
        replacement: an image of another size at its path, or None.
    """

    path: Path
    project: Project
    replacement: Path | None = None


def open_image(
    path: Path, store: SessionStore, on_preview: Callable[[QImage], object]
) -> OpenedImage:
    """Read an image, or the first one in a folder, and its session.

    Args:
        path: of the image or folder.
        store: of the sessions.
        on_preview: called with a small picture of a large photo, before it is read.
    """
    import_readers()
    from zim_app.core.images import load_image

    if path.is_dir():
        images = list_images(path)
        if not images:
            raise ImageError(
                msg("There is no photo in the folder {name}.", name=path.name),
                msg("Choose a folder with JPEG, PNG, TIFF, WebP, BMP or GIF files."),
            )
        path = images[0]
    preview = read_preview(path)
    if preview is not None:
        on_preview(preview)
    image = load_image(path)
    view = None if image.greys is None else _last_view(path, store)
    return _with_session(load_image(path, view) if view else image, store)


def _last_view(path: Path, store: SessionStore) -> GreyView | None:
    """The view of grey values that a file was last worked on in, if one was chosen."""
    session = store.find(path.resolve())
    return session.view if session else None


def open_slice(path: Path, view: GreyView, store: SessionStore) -> OpenedImage:
    """Read an image in a view of its grey values, and the session of that view."""
    from zim_app.core.images import load_image

    return _with_session(load_image(path, view), store)


def open_window(opened: Image, window: Window | None) -> OpenedImage:
    """An open image in another window of its grey values; no file is read."""
    from zim_app.core.images import with_window

    image = with_window(opened, window)
    siblings = list_images(image.path.parent) if image.path else ()
    return OpenedImage(image, image_pyramid(image.rgb), siblings=siblings)


def open_pasted(data: bytes | QImage, name: str, store: SessionStore) -> OpenedImage:
    """Open an image from the clipboard: an encoded file or pixels."""
    import_readers()
    from zim_app.core.images import Image, load_image

    if isinstance(data, bytes):
        with tempfile.TemporaryDirectory(prefix="zim-studio-") as folder:
            file = Path(folder) / "pasted"
            file.write_bytes(data)
            image = replace(load_image(file), path=None, name=name)
    else:
        colour, alpha = _pixels(data)
        image = Image.from_array(colour, name, alpha)
    return _with_session(image, store)


def _pixels(image: QImage) -> tuple[ByteArray, ByteArray]:
    """Straight colours (H, W, 3) and alpha (H, W) of a ``QImage``."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
    return pixels[..., :3].copy(), pixels[..., 3].copy()


def _with_session(image: Image, store: SessionStore) -> OpenedImage:
    session, problem = None, None
    try:
        session = store.load(image.key)
    except ZimError as error:
        problem = error
    siblings = list_images(image.path.parent) if image.path else ()
    return OpenedImage(
        image,
        image_pyramid(image.rgb),
        session.stack if session else None,
        session.exported if session else False,
        siblings,
        problem=problem,
        earlier=None if session else _earlier_objects(image, store),
    )


def _earlier_objects(image: Image, store: SessionStore) -> ObjectStack | None:
    """Objects that the file had before its pixels were changed, if they still fit."""
    session = store.find(image.path.resolve()) if image.path else None
    if session is None or session.digest == image.key or not session.stack.is_edited:
        return None
    try:
        for scene_object in session.stack.objects:
            scene_object.recipe.validate(image.height, image.width)
    except ZimError:  # the image has another size
        return None
    return session.stack


def open_project(
    path: Path, located: Path | None, store: SessionStore
) -> OpenedImage | ImageMissing:
    """Read a project and its image.

    Args:
        path: path of the project.
        located: path of the image as located by the user, or None.
        store: sessions, which have the last known paths of images.
    """
    import_readers()
    from zim_app.core.images import load_image
    from zim_app.core.project import find_image_file, read_project

    project = read_project(path)
    file = located or find_image_file(path, project.reference)
    file = file or _last_known_file(project.reference.digest, store)
    if file is None:
        return ImageMissing(path, project)
    image = load_image(file, project.reference.view)
    match = project.reference.match(image)
    if match == "other":
        return ImageMissing(path, project, file)
    opened = _with_session(image, store)
    return replace(
        opened, stack=project.stack, exported=False, project=path, match=match
    )


def _last_known_file(digest: str, store: SessionStore) -> Path | None:
    """The path in the session of that image, if the file still exists."""
    try:
        session = store.load(digest)
    except ZimError:
        return None
    path = session.path if session else None
    return path if path is not None and isfile(path) else None
