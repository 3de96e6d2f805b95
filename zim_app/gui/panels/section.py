"""A part of a panel that can be folded away below its title."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

_STYLE = """
QToolButton {
    font-weight: bold; border: 1px solid transparent; border-radius: 3px;
}
QToolButton:focus { border-color: palette(highlight); }
"""


class Section(QWidget):
    """A title with an arrow, and widgets below it; a click or Space folds them away.

    Folded widgets are out of the tab order.

    **Signals**: ``toggled(opened)``.

    **Threads**: the window's only.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, *widgets: QWidget) -> None:
        super().__init__()
        self.header = QToolButton()
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setChecked(True)
        self.header.setAutoRaise(True)
        self.header.setToolTip(self.tr("Show or fold away this part of the panel"))
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        policy = QSizePolicy.Policy
        self.header.setSizePolicy(policy.MinimumExpanding, policy.Fixed)
        self.header.setStyleSheet(_STYLE)
        self.header.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.header.toggled.connect(self._on_header_toggled)
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in widgets:
            column.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(self._body)
        self._on_header_toggled(True)

    @property
    def opened(self) -> bool:
        """Whether the widgets are shown."""
        return self.header.isChecked()

    def set_opened(self, opened: bool) -> None:
        """Show the widgets, or fold them away."""
        self.header.setChecked(opened)

    @Slot(bool)
    def _on_header_toggled(self, opened: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self.header.setArrowType(arrow)
        state = self.tr("open") if opened else self.tr("folded away")
        self.header.setAccessibleName(f"{self.header.text()}, {state}")
        self._body.setVisible(opened)
        self.updateGeometry()  # else the panel learns of it only later
        self.toggled.emit(opened)
