"""A line of text that is shortened to the room that is left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """Draws its text with an ellipsis where it is too long, and takes no room for it.

    ``text()`` is the whole text.  (That of superqt would delay the first paint.)

    Args:
        mode: where the ellipsis is.

    **Threads**: the window's only.
    """

    def __init__(
        self,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Ignored, policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)

    @property
    def shown_text(self) -> str:
        """What is drawn of the text."""
        width = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), self._mode, width)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.style().drawItemText(
            QPainter(self),
            self.contentsRect(),
            self.alignment().value,
            self.palette(),
            self.isEnabled(),
            self.shown_text,
            self.foregroundRole(),
        )
