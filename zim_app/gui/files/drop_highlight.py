"""Shows where dragged files can be dropped, and what the drop will do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QMainWindow

from zim_app.gui.canvas.markers import ACCENT

_SHOWN_BY = (QEvent.Type.DragEnter, QEvent.Type.DragMove)
_HIDDEN_BY = (QEvent.Type.DragLeave, QEvent.Type.Drop)


class DropHighlight(QLabel):
    """A frame over the window's centre while files are dragged over the window.

    Args:
        window: whose drag events are followed; it accepts them itself.
        can_drop: whether MIME data can be dropped.
        takes_masks: whether files dropped with Shift become masks now.

    **Threads**: the window's only.
    """

    def __init__(
        self,
        window: QMainWindow,
        can_drop: Callable[[QMimeData], bool],
        takes_masks: Callable[[], bool],
    ) -> None:
        super().__init__(window)
        self._window, self._can_drop = window, can_drop
        self._takes_masks = takes_masks
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        colour = ACCENT.name()
        self.setStyleSheet(
            f"border: 3px dashed {colour}; border-radius: 8px; color: white;"
            "background: rgba(0, 0, 0, 130); font-size: 18pt;"
        )
        self.hide()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _HIDDEN_BY:
            self.hide()
        elif (
            event.type() in _SHOWN_BY
            and isinstance(event, QDropEvent)
            and self._can_drop(event.mimeData())
        ):
            self._show(event)
        return False

    def _show(self, event: QDropEvent) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if shift and self._takes_masks():
            self.setText(self.tr("Import as a mask of this photo"))
        elif self._takes_masks():
            self.setText(self.tr("Open – with Shift: import as a mask"))
        else:
            self.setText(self.tr("Open"))
        centre = self._window.centralWidget() or self._window
        self.setGeometry(centre.geometry())
        self.show()
        self.raise_()
