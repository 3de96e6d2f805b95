"""A handle to drag the cut-out into another program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QPoint, QSize, Qt, QUrl, Slot
from PySide6.QtGui import QDrag, QImage, QMouseEvent, QPixmap
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from zim_app.gui.files.export_controller import ExportController
from zim_app.gui.icons import glyph

SIDE = 24


class DragHandle(QLabel):
    """Writes a PNG file when it is pressed, and drags it.

    The file is complete before the drag starts, because some programs read it before
    the drop.

    Args:
        export: writes the file.

    **Threads**: the window's only.
    """

    def __init__(self, export: ExportController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._export = export
        self._pressed: QPoint | None = None
        self._moved = False
        self._file: Path | None = None
        self._thumbnail = QPixmap()
        self.setFixedSize(QSize(SIDE + 8, SIDE + 8))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(
            self.tr("Drag the cut-out from here into a folder or another program")
        )
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._paint()
        export.file_ready.connect(self._on_file_ready)

    def _paint(self) -> None:
        colour = self.palette().buttonText().color().name()
        self.setPixmap(glyph("drag-variant", SIDE, colour))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._export.ready:
            self._pressed = event.position().toPoint()
            self._moved, self._file = False, None
            self._export.make_file()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        distance = (event.position().toPoint() - self._pressed).manhattanLength()
        self._moved = self._moved or distance >= QApplication.startDragDistance()
        self._start_if_ready()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None

    @Slot(object, object)
    def _on_file_ready(self, path: Path, thumbnail: QImage) -> None:
        if self._pressed is not None:
            self._file, self._thumbnail = path, QPixmap.fromImage(thumbnail)
            self._start_if_ready()

    def _start_if_ready(self) -> None:
        if self._file is None or not self._moved:
            return
        self._pressed = None
        drag = QDrag(self)
        drag.setMimeData(file_data(self._file))
        drag.setPixmap(self._thumbnail)
        self.run(drag)

    def run(self, drag: QDrag) -> None:
        """Run the drag until the drop; the event loop continues meanwhile."""
        drag.exec(Qt.DropAction.CopyAction)


def file_data(path: Path) -> QMimeData:
    """MIME data of a dragged file."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    return data
