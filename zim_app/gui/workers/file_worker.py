"""Reads and writes files off the window's thread."""

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
"""Kinds of jobs that are not shown to the user."""


class FileWorker(QObject):
    """Opens images, of which the latest wins, and runs jobs, of which none is dropped.

    **Signals**

    - ``opened(opened)``: the result of :meth:`open`, unless it was superseded.
    - ``job_done(task, result)``: a :class:`WorkerTask` of :meth:`submit` succeeded.
    - ``job_failed(task, error)``: a job raised any exception.
    - ``failed(error)``: opening raised any exception.
    - ``thumbnail_read(path, image)``: a ``QImage`` for the start page.
    - ``activity_changed()``: ``activities`` may have changed.

    **Threads**: belongs to the window's thread; work runs on two others.
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
        """Whether no job runs or waits."""
        return self._opener.idle and self._jobs.idle

    @property
    def activities(self) -> list[str]:
        """Kinds of the running work: "open", "export", ..."""
        running = (self._opener.running, self._jobs.running)
        return [task.kind for task in running if task and task.kind not in SILENT_KINDS]

    def warm_up(self, thumbnails: Iterable[Path]) -> None:
        """Read thumbnails, and import what the first image will need."""
        for path in thumbnails:
            self._jobs.submit(
                WorkerTask("thumbnail", path, partial(read_thumbnail, path))
            )
        self._jobs.submit(WorkerTask("import", None, import_readers))

    def open(self, subject: Any, work: Callable[[], Any]) -> None:
        """Open an image by calling ``work``; it replaces a waiting one."""
        self._opener.submit(WorkerTask("open", subject, work))

    def cancel_open(self) -> None:
        """Drop the image that is being opened, and a waiting one."""
        self._cancelled = self._opener.running
        self._opener.drop_waiting()

    def submit(self, kind: str, subject: Any, work: Callable[[], Any]) -> None:
        """Run a job after those submitted before."""
        self._jobs.submit(WorkerTask(kind, subject, work))

    def close(self) -> None:
        """Finish all jobs, stop the threads and wait for their end."""
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
            elif self._opener.idle:  # else it was superseded
                self.opened.emit(result)
        elif error is not None:
            self.job_failed.emit(task, error)
        elif task.kind == "thumbnail":
            self.thumbnail_read.emit(task.subject, result)
        else:
            self.job_done.emit(task, result)


def read_thumbnail(path: Path) -> QImage:
    """The centre of an image, scaled and cropped to a thumbnail."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    cover = Qt.AspectRatioMode.KeepAspectRatioByExpanding
    size = reader.size().scaled(THUMBNAIL, cover)
    reader.setScaledSize(size)
    left = (size.width() - THUMBNAIL.width()) // 2
    top = (size.height() - THUMBNAIL.height()) // 2
    return reader.read().copy(left, top, THUMBNAIL.width(), THUMBNAIL.height())
