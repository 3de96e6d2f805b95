"""The status bar: pointer position, running work, and timings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from zim_app.core.packed_mattes import AnyMatte, alpha_at
from zim_app.gui.accessibility import speak
from zim_app.gui.desktop import open_outside
from zim_app.gui.elided_label import ElidedLabel
from zim_app.gui.icons import glyph
from zim_app.gui.language import format_number, translate_message
from zim_model.finish import STANDARD_FINISH, Finish
from zim_model.request import ALPHA_MAX, Request, Timings

PRESETS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Zoom factors of the menu."""
SUCCESS_MS = 10_000
SUCCESS = QColor("#2e9e5b")
"""Green that contrasts with light and dark backgrounds."""
WARNING = QColor("#e08a00")
"""Amber that contrasts with light and dark backgrounds."""


class SuccessNotice(QWidget):
    """One line on what was done, with a button, for some seconds.

    Attributes:
        text: the whole line; empty if there is none.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._callback: Callable[[], object] | None = None
        self.text = ""
        self._icon, self._label = QLabel(), ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._icon.setPixmap(glyph("check-circle-outline", 16, SUCCESS.name()))
        # It takes the room that is left: no text makes the window wider.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QToolButton()
        self.button.setAutoRaise(True)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._run_action)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SUCCESS_MS)
        self._timer.timeout.connect(self.clear)
        self.clear()

    def show_text(
        self, text: str, action_text: str, callback: Callable[[], object] | None
    ) -> None:
        """Replace the text, and start its time anew."""
        self.text = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        speak(self, text)
        self.button.setText(action_text)
        self.button.setToolTip(action_text)
        self._callback = callback
        self._show(True)
        self._timer.start()

    @Slot()
    def clear(self) -> None:
        """Remove the text."""
        self._timer.stop()
        self.text = ""
        self.setToolTip("")
        self._callback = None
        self._show(False)

    def _show(self, shown: bool) -> None:
        # The widget itself stays, so that what is beside it does not move.
        self._icon.setVisible(shown)
        self._label.setVisible(shown)
        self.button.setVisible(shown and self._callback is not None)
        self._label.setText(self.text)

    @Slot()
    def _run_action(self) -> None:
        callback = self._callback
        self.clear()
        if callback is not None:
            callback()


class StatusBar(QStatusBar):
    """Pointer, alpha and zoom on the left; activity, model and times on the right.

    Between them is what was done, for some seconds.

    A click on the zoom opens a menu of zoom factors.

    **Signals**

    - ``zoom_requested(zoom)``: screen pixels per image pixel.
    - ``fit_requested()``: the whole image should be shown.

    **Threads**: the window's only.
    """

    zoom_requested = Signal(float)
    fit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._encode_ms = 0.0
        self.pointer = self._add("x 00000  y 00000", self.tr("Pixel under the pointer"))
        self.alpha = self._add(
            "alpha 0.00", self.tr("Opacity under the pointer, 0 to 1")
        )
        self.zoom = self._zoom_button()
        self.success = SuccessNotice()
        self.addWidget(self.success, 1)
        self.activity = QLabel()
        self.stop_button = QToolButton()
        self.stop_button.setAutoRaise(True)
        self.stop_button.setIconSize(QSize(16, 16))
        self.stop_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stop_button.hide()
        self.warning = QLabel()
        self.warning.hide()
        self.model = QLabel()
        self.times = QLabel()
        self.times.setToolTip(self.tr("Time to encode the photo and to answer a click"))
        self.addPermanentWidget(self.activity)
        self.addPermanentWidget(self.stop_button)
        for label in (self.warning, self.model, self.times):
            self.addPermanentWidget(label)
        for label in (self.activity, self.warning, self.model, self.times):
            label.setContentsMargins(8, 0, 8, 0)
        self.warning.setContentsMargins(8, 0, 0, 0)

    def show_success(
        self,
        text: str,
        action_text: str = "",
        callback: Callable[[], object] | None = None,
    ) -> None:
        """Tell for some seconds what was done, with a button for what may follow."""
        self.success.show_text(text, action_text, callback)

    def show_saved(self, text: str, folder: Path) -> None:
        """Tell for some seconds what was saved, with a button for its folder."""
        self.show_success(text, self.tr("Open folder"), partial(open_outside, folder))

    def show_pointer(self, position: QPointF | None, matte: AnyMatte | None) -> None:
        """Show a position in image pixels, and the alpha there; None clears both."""
        self.pointer.setText("")
        self.alpha.setText("")
        if position is None:
            return
        x, y = int(position.x()), int(position.y())
        self.pointer.setText(self.tr("x {}  y {}").format(x, y))
        alpha = alpha_at(matte, y, x) if matte is not None else None
        if alpha is not None:
            number = format_number(alpha / ALPHA_MAX, 2)
            self.alpha.setText(self.tr("alpha {}").format(number))

    def show_zoom(self, zoom: float) -> None:
        """Show the zoom factor."""
        percent = zoom * 100
        number = format_number(percent, 0 if percent >= 10 else 1)
        self.zoom.setText(self.tr("{} %").format(number))

    def show_timings(self, request: Request, timings: Timings) -> None:
        """Show how long the last encoding and the request took."""
        # Cached features cost nothing: show the time of the last encoding instead.
        self._encode_ms = timings.encode_ms or self._encode_ms
        self._show_model(request.recipe.model, timings)
        times = [self.tr("encode {:.0f} ms").format(self._encode_ms)]
        if timings.click_ms:
            recipe = request.recipe
            plain = recipe.finish in (Finish(), STANDARD_FINISH)
            clicked = bool(recipe.prompts.points) and plain
            clicked = clicked and not recipe.options.refines_edge
            text = self.tr("click {:.0f} ms") if clicked else self.tr("matte {:.0f} ms")
            times.append(text.format(timings.click_ms))
        self.times.setText(" · ".join(times))

    def _zoom_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("0000 %")
        button.setMinimumWidth(button.sizeHint().width())
        button.setText("")
        button.setAutoRaise(True)
        button.setToolTip(self.tr("Screen pixels per pixel; click to choose"))
        button.setAccessibleName(self.tr("Zoom"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for zoom in PRESETS:
            text = self.tr("{} %").format(round(zoom * 100))
            menu.addAction(text).triggered.connect(
                partial(self.zoom_requested.emit, zoom)
            )
        menu.addSeparator()
        fit = menu.addAction(self.tr("Fit to window"))
        fit.triggered.connect(self.fit_requested)
        button.setMenu(menu)
        self.addWidget(button)
        return button

    def _show_model(self, model: str, timings: Timings) -> None:
        """Show model and device, with a warning if there are notes on degradations."""
        if timings.device:  # strokes alone need no model
            self.model.setText(f"{model} · {timings.device}")
        tip = self.tr("Model, and the device that really ran (precision)")
        warn = bool(timings.notes)
        self.warning.setVisible(warn)
        self.warning.setPixmap(glyph("alert", 16, WARNING.name()))
        self.model.setStyleSheet("font-weight: bold;" if warn else "")
        tip = "\n".join([tip, *map(translate_message, timings.notes)])
        self.warning.setToolTip(tip)
        self.model.setToolTip(tip)

    def _add(self, widest: str, tip: str) -> QLabel:
        label = QLabel(widest)
        label.setContentsMargins(8, 0, 0, 0)
        label.setMinimumWidth(label.sizeHint().width())
        label.setToolTip(tip)
        label.setText("")
        self.addWidget(label)
        return label
