"""Shows the open photo in the window of grey values that the user chooses."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMainWindow

from zim_app.core.greys import GreyView
from zim_app.gui.document import Document
from zim_app.gui.files.grey_bar import GreyBar
from zim_app.gui.files.open_job import OpenedImage, open_window
from zim_app.gui.studio import Studio


class GreyController(QObject):
    """The bar of grey values, shown for images that have more than 8 bits of them.

    **Signals**

    - ``slice_requested(path, view)``: another slice of the file is to be opened.
    - ``window_shown(opened)``: the open image in another window, an
      :class:`OpenedImage` without objects.

    **Threads**: the window's; pixels are computed on the thread that opens files.
    """

    slice_requested = Signal(object, object)
    window_shown = Signal(object)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self.bar = GreyBar()
        self.bar.view_requested.connect(self._on_view_requested)
        if isinstance(studio.widget, QMainWindow):
            studio.widget.addToolBar(Qt.ToolBarArea.BottomToolBarArea, self.bar)
        self.bar.hide()

    def follow(self, document: Document) -> None:
        """Show the grey values of a document that was opened, or hide the bar."""
        greys = document.image.greys
        if greys is not None:
            self.bar.show_greys(greys)
        self.bar.setVisible(greys is not None)

    def reset(self) -> None:
        """Show the grey values of the open document again, after another choice."""
        if self._studio.document is not None:
            self.follow(self._studio.document)

    @Slot(object)
    def _on_view_requested(self, view: GreyView) -> None:
        document = self._studio.document
        if document is None or document.image.greys is None:
            return
        image = document.image
        if view.slice != document.image.greys.view.slice and image.path is not None:
            self.slice_requested.emit(image.path, view)
            return
        work = partial(open_window, image, view.window)
        on_done = partial(self._on_computed, document)
        self._studio.file_worker.open(work, self, on_done, self._studio.report)

    def _on_computed(self, document: Document, opened: OpenedImage) -> None:
        if document is self._studio.document:
            self.window_shown.emit(opened)
