"""What the controllers share of the main window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QStackedWidget, QWidget

from zim_app.gui.document import Document
from zim_app.gui.files.autosave import Autosave
from zim_app.gui.files.open_job import OpenedImage
from zim_app.gui.notices import Banner
from zim_app.gui.panels.folder_strip import FolderStrip
from zim_app.gui.status_bar import StatusBar
from zim_app.gui.workers.file_worker import FileWorker
from zim_app.gui.workers.inference_queue import InferenceQueue


class Studio(Protocol):
    """The interface of the main window for controllers.

    Attributes:
        widget: the window, as parent of dialogs and to be activated or closed.
        pages: shows the start page or the canvas.
        banner: messages over the canvas.
        status: the status bar.
        strip: the images of the open folder.
        file_worker: reads and writes files, on its own threads.
        queue: requests to the engine, which runs on its own thread.
        sessions: saves every image's session automatically.
        document: the open document, or None.

    **Threads**: the window's only.
    """

    pages: QStackedWidget
    banner: Banner
    status: StatusBar
    strip: FolderStrip
    file_worker: FileWorker
    queue: InferenceQueue
    sessions: Autosave

    @property
    def widget(self) -> QWidget:
        """The window."""

    @property
    def document(self) -> Document | None:
        """The open document."""

    def show_document(self, opened: OpenedImage) -> Document:
        """Make an opened image the current document, and return it."""

    def open_path(
        self, path: Path, *, on_done: Callable[[Document], object] | None = None
    ) -> None:
        """Open an image, folder or project in the background; the latest call wins.

        Args:
            path: the file or folder.
            on_done: called with the document when its session is restored.
        """

    def report(self, error: Exception, *, topic: str = "") -> None:
        """Show a :class:`ZimError`; raise any other exception, for the crash report."""
