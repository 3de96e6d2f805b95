"""Reading and writing pictures off the window's thread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage, QImageReader

from zim_app.gui.background import Lane, Task
from zim_app.gui.document import Document
from zim_app.gui.pyramid import picture_levels
from zim_app.gui.start_page import THUMBNAIL
from zim_app.gui.warmup import import_readers
from zim_model.arrays import ByteArray, WordArray

if TYPE_CHECKING:
    from zim_app.core.images import Picture


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A picture from a file and its display pyramid."""

    picture: Picture
    levels: tuple[ByteArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What an export wrote: the file, and the place in the history."""

    path: Path
    document: Document
    index: int


class FileWork(QObject):
    """Opens pictures, the latest wish wins, and exports, of which none is dropped.

    **Signals**

    - ``opened(opened)``: an :class:`Opened`, unless another is wanted by now.
    - ``saved(saved)``: a :class:`Saved`.
    - ``failed(error)``: any exception that the work raised.
    - ``thumbnail_read(path, image)``: a ``QImage`` for the start page.
    - ``activity_changed()``: ``activities`` has changed.

    **Threads**: lives on the window's thread and works on two others.
    """

    opened = Signal(object)
    saved = Signal(object)
    failed = Signal(object)
    thumbnail_read = Signal(object, object)
    activity_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._opener = Lane("opening", waiting=1, parent=self)
        self._jobs = Lane("files", parent=self)
        for lane in (self._opener, self._jobs):
            lane.finished.connect(self._on_lane_finished)
            lane.running_changed.connect(self.activity_changed)

    @property
    def idle(self) -> bool:
        """Whether nothing is read or written."""
        return self._opener.idle and self._jobs.idle

    @property
    def activities(self) -> list[str]:
        """The kinds of work that run now: "open", "export", ..."""
        running = (self._opener.running, self._jobs.running)
        return [task.kind for task in running if task is not None]

    def warm_up(self, thumbnails: Iterable[Path]) -> None:
        """Read thumbnails, and load what the first picture will need."""
        for path in thumbnails:
            self._jobs.submit(Task("thumbnail", path, partial(read_thumbnail, path)))
        self._jobs.submit(Task("import", None, import_readers))

    def open(self, path: Path) -> None:
        """Read a picture."""
        self._opener.submit(Task("open", path, partial(_read_picture, path)))

    def export(self, document: Document, path: Path) -> None:
        """Write the cut-out as it is now, if there is one."""
        state = document.state
        if state.matte is not None and not state.pending:
            work = partial(_write_cutout, document.picture, state.matte.alpha, path)
            saved = Saved(path, document, document.undo_stack.index())
            self._jobs.submit(Task("export", saved, work))

    def close(self) -> None:
        """Finish all exports, and return when the threads have ended."""
        self._opener.close()
        self._jobs.close()

    @Slot(object, object, object)
    def _on_lane_finished(
        self, task: Task, result: Any, error: Exception | None
    ) -> None:
        if error is not None:
            self.failed.emit(error)
        elif task.kind == "open" and self._opener.idle:  # else a later one is wanted
            self.opened.emit(result)
        elif task.kind == "export":
            self.saved.emit(task.subject)
        elif task.kind == "thumbnail":
            self.thumbnail_read.emit(task.subject, result)


# -- On the worker threads; what is slow to import is imported here ---------------


def _read_picture(path: Path) -> Opened:
    import_readers()
    from zim_app.core.images import load_picture

    picture = load_picture(path)
    return Opened(picture, picture_levels(picture.rgb))


def _write_cutout(picture: Picture, alpha: WordArray, path: Path) -> None:
    from zim_app.core.export import Target, export

    export(picture, [Target(alpha)], path)


def read_thumbnail(path: Path) -> QImage:
    """The middle of a picture at the size of a thumbnail."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    cover = Qt.AspectRatioMode.KeepAspectRatioByExpanding
    size = reader.size().scaled(THUMBNAIL, cover)
    reader.setScaledSize(size)
    left = (size.width() - THUMBNAIL.width()) // 2
    top = (size.height() - THUMBNAIL.height()) // 2
    return reader.read().copy(left, top, THUMBNAIL.width(), THUMBNAIL.height())
