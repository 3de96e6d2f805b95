"""What the window says by itself: a banner for news, a thin bar for work."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer, QVariantAnimation, Signal, Slot
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from zim_app.gui.icons import glyph, icon
from zim_app.gui.markers import ACCENT

BUSY_DELAY_MS = 150
"""Work that takes less is not shown, so that nothing flickers."""
SUCCESS_MS = 6000

_STYLES = {
    "error": ("alert-circle-outline", "#8c2f2f"),
    "success": ("check-circle-outline", "#2a6b43"),
}


class Banner(QFrame):
    """A message over the canvas that stops nobody: errors stay until closed.

    **Signals**: ``closed()``.

    **Threads**: the window's only.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self._icon = QLabel()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setIcon(icon("close", "#ffffff"))
        close.setAutoRaise(True)
        close.setToolTip(self.tr("Close this message"))
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self.label, 1)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.hide()

    @property
    def text(self) -> str:
        """What the banner says; empty while it is hidden."""
        return "" if self.isHidden() else self.label.text()

    def show_error(self, message: str, hint: str = "") -> None:
        """Say what went wrong and what to do about it, until it is dismissed."""
        self._timer.stop()
        self._show("error", f"{message}\n{hint}".strip())

    def show_success(self, message: str) -> None:
        """Say that something is done, for some seconds."""
        self._show("success", message)
        self._timer.start(SUCCESS_MS)

    @Slot()
    def dismiss(self) -> None:
        """Hide the banner."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def _show(self, kind: str, text: str) -> None:
        name, colour = _STYLES[kind]
        self._icon.setPixmap(glyph(name, 24, "#ffffff"))
        self.setStyleSheet(
            f"#banner {{ background: {colour}; border-radius: 6px; }}"
            "#banner QLabel { color: white; }"
        )
        self.label.setText(text)
        self.show()
        self.raise_()


class BusyBar(QWidget):
    """A thin stripe that runs to and fro while something is worked on.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(3)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(BUSY_DELAY_MS)
        self._delay.timeout.connect(self.show)
        self._run = QVariantAnimation(self)
        self._run.setStartValue(0.0)
        self._run.setEndValue(1.0)
        self._run.setDuration(1400)
        self._run.setLoopCount(-1)
        self._run.valueChanged.connect(self.update)
        self.hide()

    def set_busy(self, busy: bool) -> None:
        """Show the stripe if this lasts, or hide it."""
        if not busy:
            self._delay.stop()
            self.hide()
        elif not self.isVisible() and not self._delay.isActive():
            self._delay.start()

    def showEvent(self, event: QShowEvent) -> None:
        self.raise_()
        self._run.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._run.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 90))
        length = self.width() * 0.3
        left = (self.width() + length) * float(self._run.currentValue()) - length
        painter.fillRect(QRectF(left, 0, length, self.height()), ACCENT)
