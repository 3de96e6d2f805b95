"""Downloads, additions and removals of models on worker threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from zim_app.gui.workers.warmup import import_torch
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.errors import Cancelled, ZimError
from zim_model.request import CancelCheck
from zim_model.weights.catalogue import ModelInfo
from zim_model.weights.download import DownloadProgress, ProgressCallback, download
from zim_model.weights.installed import InstalledModel, remove_model

FetchModel = Callable[[ModelInfo, ProgressCallback, CancelCheck], InstalledModel]
"""Function that downloads a model, see :func:`zim_model.weights.download.download`."""


@dataclass(frozen=True, slots=True)
class Download:
    """A current or waiting download.

    Attributes:
        stop: set to cancel it; polled by the worker thread.
        progress: latest progress; None while it waits.
    """

    stop: threading.Event
    progress: DownloadProgress | None = None


class ModelWorker(QObject):
    """Downloads, adds and removes models; one download at a time.

    Args:
        fetch: downloads a model; the default is the only use of the network in the
            studio.

    **Signals**

    - ``changed(name)``: the state of that model's download has changed.
    - ``installed(name)``, ``removed(name)``: a model was installed or removed.
    - ``failed(name, error)``: a :class:`ZimError`; the name is empty for a file that
      was to be added.
    - ``adding_changed(busy)``: whether a file is being added.

    **Threads**: lives on the window's thread.  Progress is emitted on the worker
    thread and arrives through the event loop.
    """

    changed = Signal(str)
    installed = Signal(str)
    removed = Signal(str)
    failed = Signal(str, object)
    adding_changed = Signal(bool)
    _progressed = Signal(str, object)

    def __init__(
        self, fetch: FetchModel = download, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.downloads: dict[str, Download] = {}
        self._fetch = fetch
        self._network = WorkerThread("downloads", parent=self)
        self._disk = WorkerThread("models", parent=self)
        self._progressed.connect(self._on_progressed)
        for thread in (self._network, self._disk):
            thread.finished.connect(self._on_task_finished)
        self._disk.running_changed.connect(self._on_disk_running_changed)

    @property
    def idle(self) -> bool:
        """Whether no task is running or waiting."""
        return self._network.idle and self._disk.idle

    def download(self, info: ModelInfo) -> None:
        """Download a model, or resume its download."""
        if info.name in self.downloads:
            return
        stop = threading.Event()
        self.downloads[info.name] = Download(stop)
        on_progress = partial(self._progressed.emit, info.name)
        work = partial(self._fetch, info, on_progress, stop.is_set)
        self._network.submit(WorkerTask("download", info.name, work))
        self.changed.emit(info.name)

    def cancel(self, name: str) -> None:
        """Stop a download; the received bytes are kept."""
        if name in self.downloads:
            self.downloads[name].stop.set()
            self.changed.emit(name)

    def add(self, path: Path) -> None:
        """Check a file or folder and install it."""
        self._disk.submit(WorkerTask("add", "", partial(_add, path)))

    def remove(self, name: str) -> None:
        """Delete an installed model, or its partial download."""
        self._disk.submit(WorkerTask("remove", name, partial(remove_model, name)))

    def close(self) -> None:
        """Stop the downloads and wait for the threads."""
        for entry in self.downloads.values():
            entry.stop.set()
        self._network.close()
        self._disk.close()

    @Slot(str, object)
    def _on_progressed(self, name: str, progress: DownloadProgress) -> None:
        current = self.downloads.get(name)
        if current is not None:
            self.downloads[name] = Download(current.stop, progress)
            self.changed.emit(name)

    @Slot()
    def _on_disk_running_changed(self) -> None:
        running = self._disk.running
        self.adding_changed.emit(running is not None and running.kind == "add")

    @Slot(object, object, object)
    def _on_task_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        name: str = task.subject
        if task.kind == "download":
            del self.downloads[name]
            self.changed.emit(name)
        if error is None:
            if task.kind == "remove":
                self.removed.emit(name)
            else:
                self.installed.emit(result.name)
        elif isinstance(error, ZimError):
            self.failed.emit(name, error)
        elif not isinstance(error, Cancelled):
            raise error


def _add(path: Path) -> InstalledModel:
    import_torch()
    from zim_model.install import install_from_disk

    return install_from_disk(path)
