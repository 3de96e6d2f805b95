"""The bar of everything-mode at the bottom of the canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QKeyCombination, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from zim_app.gui.canvas.keyboard_cursor import ARROWS
from zim_app.gui.canvas.markers import ACCENT
from zim_app.gui.everything.selection import FoundSelection

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
    """Shows the number of found objects and the progress of the search; has buttons.

    It has the same colours in both themes, since it lies over an image.

    **Signals**: ``cancel_requested()``, ``continue_requested()``,
    ``merge_requested()``, ``add_picked_requested()``, ``add_all_requested()``,
    ``leave_requested()``: a button was pressed.
    ``step_requested(step)``: an arrow key asks for the next (1) or previous (-1) found
    object.  ``pick_requested(merge)``: a key asks to pick the highlighted one, or to
    add it to the newest pick.

    **Threads**: the window's only.
    """

    cancel_requested = Signal()
    continue_requested = Signal()
    merge_requested = Signal()
    add_picked_requested = Signal()
    add_all_requested = Signal()
    leave_requested = Signal()
    step_requested = Signal(int)
    pick_requested = Signal(bool)

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setObjectName("everything")
        self.setStyleSheet(_STYLE_SHEET)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._progress = 0.0
        self._searching = False
        self.label = QLabel()
        self.cancel_button = self._button(
            self.tr("Cancel search"), self.tr("Stop here and keep what was found")
        )
        self.continue_button = self._button(
            self.tr("Go on"), self.tr("Search the rest of the photo")
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
        layout = self._layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10 + _STRIPE, 10, 10)
        layout.addWidget(self.label)
        layout.addSpacing(8)
        for button, signal in (
            (self.cancel_button, self.cancel_requested),
            (self.continue_button, self.continue_requested),
            (self.merge_button, self.merge_requested),
            (self.add_button, self.add_picked_requested),
            (self.all_button, self.add_all_requested),
            (self.leave_button, self.leave_requested),
        ):
            button.clicked.connect(signal)
            layout.addWidget(button)
        key, shift = Qt.Key, Qt.KeyboardModifier.ShiftModifier
        self._keys: dict[QKeyCombination, Callable[[], object]] = {
            QKeyCombination(key.Key_M): self.merge_button.click,
            QKeyCombination(key.Key_Return): self.add_button.click,
            QKeyCombination(key.Key_Enter): self.add_button.click,
            QKeyCombination(key.Key_A): self.all_button.click,
            QKeyCombination(key.Key_P): partial(self.pick_requested.emit, False),
            QKeyCombination(shift, key.Key_P): partial(self.pick_requested.emit, True),
            QKeyCombination(key.Key_Right): partial(self.step_requested.emit, 1),
            QKeyCombination(key.Key_Down): partial(self.step_requested.emit, 1),
            QKeyCombination(key.Key_Left): partial(self.step_requested.emit, -1),
            QKeyCombination(key.Key_Up): partial(self.step_requested.emit, -1),
        }
        canvas.installEventFilter(self)
        self.hide()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def show_selection(self, selection: FoundSelection, *, searching: bool) -> None:
        """Update the text, and enable what is possible."""
        self._progress, self._searching = selection.progress, searching
        self.label.setText(self._summary_text(selection))
        self.cancel_button.setVisible(searching)
        self.continue_button.setVisible(not searching and not selection.finished)
        self.merge_button.setEnabled(len(selection.picks) > 1)
        self.add_button.setEnabled(bool(selection.picks))
        self.all_button.setEnabled(bool(selection.objects))
        self._layout.activate()
        self._reposition()
        self.update()

    def _summary_text(self, selection: FoundSelection) -> str:
        count, picked = len(selection.objects), len(selection.picks)
        if picked:
            text = self.tr("{} found, {} picked")
        elif self._searching:
            text = self.tr("Searching… {} found")
        elif not selection.finished:
            text = self.tr("Search stopped, {} found")
        elif count:
            text = self.tr("{} found: click to pick, Shift+click to merge")
        else:
            text = self.tr("Nothing found")
        return text.format(count, picked)

    def _reposition(self) -> None:
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
            self._reposition()
        elif isinstance(event, QKeyEvent):
            return self._take_key(event)
        return False

    def _take_key(self, event: QKeyEvent) -> bool:
        """Do what a key of the mode stands for; it overrides an action's key."""
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        do = self._keys.get(QKeyCombination(modifiers, Qt.Key(event.key())))
        if do is None:
            return False
        event.accept()
        # A key that is held down steps on, but picks or adds only once.
        repeated = event.isAutoRepeat() and event.key() not in ARROWS
        if event.type() == QEvent.Type.KeyPress and not repeated:
            do()
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._searching:
            painter = QPainter(self)
            inner = QRectF(8, 5, self.width() - 16, _STRIPE)
            painter.fillRect(inner, QColor(255, 255, 255, 50))
            inner.setWidth(inner.width() * self._progress)
            painter.fillRect(inner, ACCENT)
