"""The movable line of the wipe."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QRegion,
)
from PySide6.QtWidgets import QWidget

WIDTH, KNOB = 26, 40
"""Width and height of the handle in the middle of the line, in view pixels."""
_LINE_GRIP = 9
"""Width of the draggable area above and below the handle."""
_STEP, _LARGE_STEP = 0.01, 0.1
_SHADOW = QColor(0, 0, 0, 150)
_LINE = QColor(255, 255, 255)


class WipeHandle(QWidget):
    """A vertical line across its parent, with a handle in the middle.

    It is moved by dragging or, with the focus, by the arrow keys (with Shift in large
    steps), Home and End.  Initially it is hidden, and in the middle.

    **Signals**: ``moved()``: ``position`` changed.

    **Threads**: the window's only.
    """

    moved = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._position_fraction = 0.5
        self._grabbed: float | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName(self.tr("Line between before and after"))
        self.setToolTip(self.tr("Drag, or move with the arrow keys"))
        self.hide()

    @property
    def position(self) -> float:
        """X of the line, in pixels of the parent."""
        return round(self._position_fraction * self._parent.width())

    def move_to(self, position: float) -> None:
        """Move the line to x in pixels of the parent, clipped to it."""
        width = max(self._parent.width(), 1)
        self._position_fraction = min(max(position / width, 0.0), 1.0)
        self.fit()
        self.moved.emit()

    def fit(self) -> None:
        """Adapt the geometry to the parent's size."""
        height = self._parent.height()
        self.setGeometry(round(self.position) - WIDTH // 2, 0, WIDTH, height)
        grip = QRect((WIDTH - _LINE_GRIP) // 2, 0, _LINE_GRIP, height)
        self.setMask(QRegion(grip) | QRegion(self._knob().toAlignedRect()))

    def _knob(self) -> QRectF:
        return QRectF(0, (self.height() - KNOB) / 2, WIDTH, KNOB)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            pointer = self.mapToParent(event.position())
            self._grabbed = pointer.x() - self.position

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None:
            self.move_to(self.mapToParent(event.position()).x() - self._grabbed)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        step = _LARGE_STEP if shift else _STEP
        fractions = {
            Qt.Key.Key_Left: self._position_fraction - step,
            Qt.Key.Key_Right: self._position_fraction + step,
            Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: 1.0,
        }
        if event.key() in fractions:
            self.move_to(fractions[Qt.Key(event.key())] * self._parent.width())
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = WIDTH / 2
        for colour, width in ((_SHADOW, 3.0), (_LINE, 1.0)):
            painter.fillRect(
                QRectF(middle - width / 2, 0, width, self.height()), colour
            )
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        painter.setPen(QPen(accent if self.hasFocus() else _SHADOW, 2))
        painter.setBrush(_LINE)
        painter.drawRoundedRect(self._knob().adjusted(2, 2, -2, -2), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0x40, 0x40, 0x40))
        centre = self._knob().center()
        for side in (-1, 1):
            tip = centre + QPointF(side * 8, 0)
            base = centre + QPointF(side * 3, 0)
            up = QPointF(0, 5)
            painter.drawPolygon(QPolygonF([tip, base - up, base + up]))
