"""Reads and writes files off the window's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage
from shiboken6 import isValid

from zim_app.core import isolation
from zim_app.gui.files.start_page import THUMBNAIL
from zim_app.gui.workers.warmup import import_readers
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.errors import ImageError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

WRITING_KINDS = frozenset({"export", "save_project", "training_pair"})
"""Jobs that write the user's files: their failure must be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class JobCallbacks:
    """What is called when a job has ended, on the thread of the worker's owner.

    Attributes:
        receiver: once this object is destroyed, nothing is called.
        on_done: called with the job's result, or None.
        on_failed: called with any exception that the job raised.
    """

    receiver: QObject
    on_done: Callable[[Any], object] | None
    on_failed: Callable[[Exception], object]


class FileWorker(QObject):
    """Opens images, of which the latest wins, and runs jobs, of which none is dropped.

    **Signals**

    - ``thumbnail_read(path, image)``: a ``QImage`` for the start page.
    - ``activity_changed()``: ``activities`` may have changed.
    - ``written(success)``: a job of WRITING_KINDS has ended.

    **Threads**: belongs to the window's thread; work runs on two others.
    """

    thumbnail_read = Signal(object, object)
    activity_changed = Signal()
    written = Signal(bool)

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
    def is_writing(self) -> bool:
        """Whether a job of WRITING_KINDS runs or waits."""
        return any(task.kind in WRITING_KINDS for task in self._jobs.unfinished)

    @property
    def activities(self) -> list[str]:
        """Kinds of the running work: "open", "export", ..."""
        running = (self._opener.running, self._jobs.running)
        return [task.kind for task in running if task]

    def warm_up(self, thumbnails: Iterable[Path]) -> None:
        """Read thumbnails, and import what the first image will need."""
        self.submit("import", _prepare_readers, self, None, _raise)
        for path in thumbnails:
            on_done = partial(self.thumbnail_read.emit, path)
            work = partial(read_thumbnail, path)
            self.submit("thumbnail", work, self, on_done, _raise)

    def open(
        self,
        work: Callable[[], Result],
        receiver: QObject,
        on_done: Callable[[Result], object],
        on_failed: Callable[[Exception], object],
    ) -> None:
        """Open an image by calling ``work``; it replaces a waiting one.

        Args:
            work: runs on the worker thread; must not change shared state.
            receiver: of the callbacks, see :class:`JobCallbacks`.
            on_done: called with the result, unless it was cancelled or superseded.
            on_failed: called with any exception, unless it was cancelled.
        """
        callbacks = JobCallbacks(receiver, on_done, on_failed)
        self._opener.submit(WorkerTask("open", callbacks, work))

    def cancel_open(self) -> None:
        """Drop the image that is being opened, and a waiting one."""
        self._cancelled = self._opener.running
        self._opener.drop_waiting()

    def submit(
        self,
        kind: str,
        work: Callable[[], Result],
        receiver: QObject,
        on_done: Callable[[Result], object] | None,
        on_failed: Callable[[Exception], object],
    ) -> None:
        """Run a job after those submitted before.

        Args:
            kind: for ``activities``.
            work: runs on the worker thread; must not change shared state.
            receiver: of the callbacks, see :class:`JobCallbacks`.
            on_done: called with the result, or None.
            on_failed: called with any exception.
        """
        callbacks = JobCallbacks(receiver, on_done, on_failed)
        self._jobs.submit(WorkerTask(kind, callbacks, work))

    def close(self) -> None:
        """Finish all jobs, stop the threads and wait for their end."""
        self._opener.close()
        self._jobs.close()

    @Slot(object, object, object)
    def _on_thread_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        callbacks: JobCallbacks = task.subject
        if task is self._cancelled:
            self._cancelled = None
        elif not isValid(callbacks.receiver):
            if error is not None:
                log.error(
                    "%s failed, and nobody waits for it", task.kind, exc_info=error
                )
        elif error is not None:
            callbacks.on_failed(error)
        elif task.kind == "open" and not self._opener.idle:
            return  # it was superseded
        elif callbacks.on_done is not None:
            callbacks.on_done(result)
        if task.kind in WRITING_KINDS:
            self.written.emit(error is None)


def _raise(error: Exception) -> None:
    raise error


def _prepare_readers() -> None:
    isolation.warm_up()  # another process, which starts meanwhile
    import_readers()


def read_thumbnail(path: Path) -> QImage:
    """The centre of an image, scaled and cropped; null if it cannot be read."""
    from zim_app.core import thumbnails

    width, height = THUMBNAIL.width(), THUMBNAIL.height()
    try:
        pixels = thumbnails.read_thumbnail(path, 2 * max(width, height))
    except ImageError:
        return QImage()
    rows, columns, _ = pixels.shape
    kind = QImage.Format.Format_RGB888
    image = QImage(pixels.tobytes(), columns, rows, 3 * columns, kind)
    cover = Qt.AspectRatioMode.KeepAspectRatioByExpanding
    smooth = Qt.TransformationMode.SmoothTransformation
    image = image.scaled(THUMBNAIL, cover, smooth)
    left, top = (image.width() - width) // 2, (image.height() - height) // 2
    return image.copy(left, top, width, height)
