"""The first pixels of a large photo, on the screen while all of it is read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsView, QWidget

from zim_app.gui.canvas.viewport import FIT_MARGIN, SURROUND
from zim_model.errors import ImageError

LEAST_SIDE = 900
"""Shorter side of the small picture, in pixels, at least: a 24 megapixel photo is
decoded at a quarter of its size, in a third of the time of all of it."""
LEAST_BYTES = 2_000_000
"""Size of a file that takes long enough to read."""
PAINT_MS = 20
"""Until a shown picture has been painted, and nothing delays it any more."""
SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))
"""Of files that are decoded at a fraction of their size in a fraction of the time."""


def read_preview(path: Path) -> QImage | None:
    """A small picture of a large JPEG file, upright; None for all others.

    Called on a worker thread.
    """
    from zim_app.core import thumbnails

    try:
        if path.suffix.lower() not in SUFFIXES or path.stat().st_size < LEAST_BYTES:
            return None
        pixels = thumbnails.read_reduced_jpeg(path, LEAST_SIDE)
    except (OSError, ImageError):  # reading all of it says why
        return None
    if pixels is None:
        return None
    rows, columns, _ = pixels.shape
    kind = QImage.Format.Format_RGB888
    return QImage(pixels.data, columns, rows, 3 * columns, kind).copy()


class OpeningPreview(QWidget):
    """Covers the canvas with a small picture, at the place where the photo will be.

    Args:
        parent: what shows the canvas or the start page.

    **Signals**

    - ``read(path, image)``: emitted on any thread, with the result of
      :func:`read_preview`.
    - ``shown(on)``: true when the small picture was painted, and the photo is still
      being read; false when the photo will not be shown.
    """

    read = Signal(object, QImage)
    shown = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("openingPreview")
        self.setCursor(Qt.CursorShape.WaitCursor)
        self._image = QImage()
        self._path: Path | None = None
        self._parent = parent
        self.read.connect(self._on_read)
        parent.installEventFilter(self)
        self.hide()

    def begin(self, path: Path) -> None:
        """Show the small picture of a file, once it is read."""
        self._path = path

    def end(self) -> None:
        """Hide it: the photo is there, or another one is opened."""
        self._path = None
        self.hide()

    def drop(self) -> None:
        """Hide it: the photo will not be there."""
        self.end()
        self.shown.emit(False)

    @Slot(object, QImage)
    def _on_read(self, path: Path, image: QImage) -> None:
        if path != self._path:  # another one was opened meanwhile
            return
        self._image = image
        self.setGeometry(self._parent.rect())
        self.raise_()
        self.show()
        QTimer.singleShot(PAINT_MS, self, self._tell_shown)

    @Slot()
    def _tell_shown(self) -> None:
        if self.isVisible():
            self.shown.emit(True)

    def picture_rect(self) -> QRect:
        """Where the picture is drawn, as the canvas fits a photo."""
        room = self.size() - QSize(2 * FIT_MARGIN, 2 * FIT_MARGIN)
        size = self._image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(self.rect().center())
        return place

    def paintEvent(self, event: QPaintEvent) -> None:
        """See Qt."""
        painter = QPainter(self)
        canvas = self._parent.findChild(QGraphicsView)
        painter.fillRect(self.rect(), canvas.backgroundBrush() if canvas else SURROUND)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.picture_rect(), self._image)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the size of the parent."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._parent.rect())
        return super().eventFilter(watched, event)
