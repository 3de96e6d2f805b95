"""Reading and writing files off the window's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage, QImageReader

from zim_app.gui.files.start_page import THUMBNAIL
from zim_app.gui.workers.warmup import import_readers
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread

SILENT_KINDS = ("save_session", "note_run")
"""Jobs that nobody waits for."""


class FileWorker(QObject):
    """Opens pictures, the latest wish wins, and does jobs, of which none is dropped.

    **Signals**

    - ``opened(opened)``: what the work of :meth:`open` returned, unless another is
      wanted by now.
    - ``job_done(task, result)``: a :class:`WorkerTask` of :meth:`submit` has ended.
    - ``job_failed(task, error)``: likewise, with any exception that it raised.
    - ``failed(error)``: any exception that opening raised.
    - ``thumbnail_read(path, image)``: a ``QImage`` for the start page.
    - ``activity_changed()``: ``activities`` has changed.

    **Threads**: lives on the window's thread and works on two others.
    """

    opened = Signal(object)
    job_done = Signal(object, object)
    job_failed = Signal(object, object)
    failed = Signal(object)
    thumbnail_read = Signal(object, object)
    activity_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled: WorkerTask | None = None
        self._opener = WorkerThread("opening", waiting=1, parent=self)
        self._jobs = WorkerThread("files", parent=self)
        for thread in (self._opener, self._jobs):
            thread.finished.connect(self._on_thread_finished)
            thread.running_changed.connect(self.activity_changed)

    @property
    def idle(self) -> bool:
        """Whether nothing is read or written."""
        return self._opener.idle and self._jobs.idle

    @property
    def activities(self) -> list[str]:
        """The kinds of work that run now: "open", "export", ..."""
        running = (self._opener.running, self._jobs.running)
        return [task.kind for task in running if task and task.kind not in SILENT_KINDS]

    def warm_up(self, thumbnails: Iterable[Path]) -> None:
        """Read thumbnails, and load what the first picture will need."""
        for path in thumbnails:
            self._jobs.submit(
                WorkerTask("thumbnail", path, partial(read_thumbnail, path))
            )
        self._jobs.submit(WorkerTask("import", None, import_readers))

    def open(self, subject: Any, work: Callable[[], Any]) -> None:
        """Read a picture; its wish replaces one that waits."""
        self._opener.submit(WorkerTask("open", subject, work))

    def cancel_open(self) -> None:
        """Drop the picture that is being read, and one that waits."""
        self._cancelled = self._opener.running
        self._opener.drop_waiting()

    def submit(self, kind: str, subject: Any, work: Callable[[], Any]) -> None:
        """Do a job after those submitted before."""
        self._jobs.submit(WorkerTask(kind, subject, work))

    def close(self) -> None:
        """Finish all jobs, and return when the threads have ended."""
        self._opener.close()
        self._jobs.close()

    @Slot(object, object, object)
    def _on_thread_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        if task is self._cancelled:
            self._cancelled = None
        elif task.kind == "open":
            if error is not None:
                self.failed.emit(error)
            elif self._opener.idle:  # else a later one is wanted
                self.opened.emit(result)
        elif error is not None:
            self.job_failed.emit(task, error)
        elif task.kind == "thumbnail":
            self.thumbnail_read.emit(task.subject, result)
        else:
            self.job_done.emit(task, result)


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
