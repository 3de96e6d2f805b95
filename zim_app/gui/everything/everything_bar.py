"""The bar of everything-mode at the bottom of the canvas."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from zim_app.gui.canvas.markers import ACCENT
from zim_app.gui.everything.selection import Regions

MARGIN = 16
_STRIPE = 3
_STYLE_SHEET = """
#everything { background: rgba(28, 28, 28, 235); border-radius: 8px; }
#everything QLabel { color: white; }
#everything QPushButton {
    color: white; background: rgba(255, 255, 255, 28);
    border: 1px solid transparent; border-radius: 4px; padding: 5px 12px;
}
#everything QPushButton:hover { background: rgba(255, 255, 255, 55); }
#everything QPushButton:pressed { background: rgba(0, 0, 0, 80); }
#everything QPushButton:focus { border-color: rgba(255, 255, 255, 140); }
#everything QPushButton:disabled { color: rgba(255, 255, 255, 90); }
#everything #primary:enabled { background: #1f74d6; }
#everything #primary:enabled:hover { background: #2f84e6; }
"""


class EverythingBar(QFrame):
    """Says what was found and how far the search is; offers what can be done.

    It looks the same in both themes, as it lies over a picture.

    **Signals**: ``cancelled()``, ``continued()``, ``merge_wanted()``,
    ``picked_wanted()``, ``all_wanted()``, ``left()``: the buttons.

    **Threads**: the window's only.
    """

    cancelled = Signal()
    continued = Signal()
    merge_wanted = Signal()
    picked_wanted = Signal()
    all_wanted = Signal()
    left = Signal()

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("everything")
        self.setStyleSheet(_STYLE_SHEET)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._fraction = 0.0
        self._searching = False
        self.label = QLabel()
        self.cancel_button = self._button(
            self.tr("Cancel search"), self.tr("Stop here and keep what was found")
        )
        self.continue_button = self._button(
            self.tr("Go on"), self.tr("Search the rest of the picture")
        )
        self.merge_button = self._button(
            self.tr("Merge picked"),
            self.tr("Make one object of all that is picked (M)"),
        )
        self.add_button = self._button(
            self.tr("Add picked as objects"),
            self.tr("Make an object of each that is picked (Enter, double click)"),
        )
        self.add_button.setObjectName("primary")
        self.all_button = self._button(
            self.tr("Add all"),
            self.tr("Make an object of each that was found (A)"),
        )
        self.leave_button = self._button(
            self.tr("Close"), self.tr("Go back without adding anything (Esc)")
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10 + _STRIPE, 10, 10)
        layout.addWidget(self.label)
        layout.addSpacing(8)
        for button, signal in (
            (self.cancel_button, self.cancelled),
            (self.continue_button, self.continued),
            (self.merge_button, self.merge_wanted),
            (self.add_button, self.picked_wanted),
            (self.all_button, self.all_wanted),
            (self.leave_button, self.left),
        ):
            button.clicked.connect(signal)
            layout.addWidget(button)
        self._keys = {
            Qt.Key.Key_M: self.merge_button,
            Qt.Key.Key_Return: self.add_button,
            Qt.Key.Key_Enter: self.add_button,
            Qt.Key.Key_A: self.all_button,
        }
        canvas.installEventFilter(self)
        self.hide()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def show_regions(self, regions: Regions, *, searching: bool) -> None:
        """Say what there is, and offer what can be done with it."""
        self._fraction, self._searching = regions.fraction, searching
        self.label.setText(self._said(regions))
        self.cancel_button.setVisible(searching)
        self.continue_button.setVisible(not searching and not regions.finished)
        self.merge_button.setEnabled(len(regions.picks) > 1)
        self.add_button.setEnabled(bool(regions.picks))
        self.all_button.setEnabled(bool(regions.found))
        self.layout().activate()
        self._place()
        self.update()

    def _said(self, regions: Regions) -> str:
        count, picked = len(regions.found), len(regions.picks)
        if picked:
            text = self.tr("{} found, {} picked")
        elif self._searching:
            text = self.tr("Searching… {} found")
        elif not regions.finished:
            text = self.tr("Search stopped, {} found")
        elif count:
            text = self.tr("{} found: click to pick, Shift+click to merge")
        else:
            text = self.tr("Nothing found")
        return text.format(count, picked)

    def _place(self) -> None:
        canvas = self.parentWidget()
        assert canvas is not None
        size = self.sizeHint()
        width = min(size.width(), canvas.width() - 2 * MARGIN)
        self.setGeometry(
            (canvas.width() - width) // 2,
            canvas.height() - size.height() - MARGIN,
            width,
            size.height(),
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not self.isVisible():
            return False
        if event.type() == QEvent.Type.Resize:
            self._place()
        elif isinstance(event, QKeyEvent) and not (
            event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        ):
            return self._take_key(event)
        return False

    def _take_key(self, event: QKeyEvent) -> bool:
        """Press the button of a key, which may be an action's at other times."""
        button = self._keys.get(Qt.Key(event.key()))
        if button is None:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            button.click()
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._searching:
            painter = QPainter(self)
            inner = QRectF(8, 5, self.width() - 16, _STRIPE)
            painter.fillRect(inner, QColor(255, 255, 255, 50))
            inner.setWidth(inner.width() * self._fraction)
            painter.fillRect(inner, ACCENT)
