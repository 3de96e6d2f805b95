"""A line of text that is shortened to the room that is left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_HEAD = 3
"""Letters at the beginning of a file name that are always shown."""


def elided_file_name(metrics: QFontMetrics, name: str, width: int) -> str:
    """A file name that takes ``width`` pixels at most.

    Of one that is too long the first letters and as much as fits of its end are shown:
    the files of a folder often begin alike, and differ in a number at the end.
    """
    if metrics.horizontalAdvance(name) <= width:
        return name
    head = f"{name[:_HEAD]}…"
    room = width - metrics.horizontalAdvance(head)
    left = Qt.TextElideMode.ElideLeft
    return head + metrics.elidedText(name[_HEAD:], left, room).removeprefix("…")


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
