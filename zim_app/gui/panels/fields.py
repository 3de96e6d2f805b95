"""A slider with a number, which previews while it moves and commits when it stops."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QWidget,
)

from zim_app.gui.number_boxes import NumberBox

STEPS = 1000
ONE_LINE_SLIDER, SHORT_SLIDER = 90, 44
"""Width of the slider in a field of one line, and where space is short, in pixels."""
COMMIT_DELAY_MS = 400
"""Milliseconds after the last change by keys or wheel until a value is committed."""


@dataclass(frozen=True, slots=True)
class SliderScale:
    """Maps the positions of a slider to values.

    Attributes:
        low, high: the range.
        default: the value that a double click restores.
        decimals: of the number.
        unit: suffix of the number.
        curve: 1 is linear; larger exponents give small values more room.
    """

    low: float
    high: float
    default: float
    decimals: int = 0
    unit: str = ""
    curve: float = 1.0

    def position(self, value: float) -> int:
        """The position of a value, 0 to ``STEPS``."""
        fraction = (value - self.low) / (self.high - self.low)
        return round(STEPS * math.pow(min(max(fraction, 0.0), 1.0), 1 / self.curve))

    def value(self, position: int) -> float:
        """The value at a slider position, rounded to the decimals."""
        fraction = math.pow(position / STEPS, self.curve)
        return round(self.low + (self.high - self.low) * fraction, self.decimals)


class SliderField(QWidget):
    """Name, slider and number in one line or two; a double click resets the value.

    **Signals**

    - ``changing(value)``: the value while it is still being changed.
    - ``changed(value)``: another value was committed.

    **Threads**: the window's only.
    """

    changing = Signal(float)
    changed = Signal(float)

    def __init__(
        self,
        name: str,
        tip: str,
        scale: SliderScale,
        *,
        one_line: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.scale = scale
        self._committed_value = scale.default
        self.label, self.slider = QLabel(name), QSlider(Qt.Orientation.Horizontal)
        self.number = NumberBox()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COMMIT_DELAY_MS)
        self._timer.timeout.connect(self.commit_pending)
        self._setup_widgets(name, self.tr("{}. Double-click resets it.").format(tip))
        self._lay_out(one_line)
        self.set_value(scale.default)

    def _setup_widgets(self, name: str, tip: str) -> None:
        self.slider.setRange(0, STEPS)
        self.slider.setSingleStep(STEPS // 100)
        self.slider.setPageStep(STEPS // 10)
        self.slider.valueChanged.connect(self._on_slider_value_changed)
        self.slider.sliderReleased.connect(self.commit_pending)
        self.number.setRange(self.scale.low, self.scale.high)
        self.number.setDecimals(self.scale.decimals)
        self.number.setSingleStep(max(10.0**-self.scale.decimals, 0.01))
        self.number.setSuffix(self.scale.unit)
        self.number.setKeyboardTracking(False)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.number.valueChanged.connect(self._on_number_value_changed)
        self.number.editingFinished.connect(self.commit_pending)
        self.label.setBuddy(self.number)
        for widget in (self.label, self.slider, self.number):
            widget.setToolTip(tip)
        for control in (self.slider, self.number):
            control.setAccessibleName(name.replace("&", ""))
            control.setAccessibleDescription(tip)
        self.label.installEventFilter(self)
        self.slider.installEventFilter(self)

    def _lay_out(self, one_line: bool) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(0)
        layout.addWidget(self.label, 0, 0)
        if one_line:
            self.slider.setFixedWidth(ONE_LINE_SLIDER)
            layout.addWidget(self.slider, 0, 1)
            layout.addWidget(self.number, 0, 2)
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        else:
            layout.setColumnStretch(0, 1)
            layout.addWidget(self.number, 0, 1)
            layout.addWidget(self.slider, 1, 0, 1, 2)

    @property
    def value(self) -> float:
        """The value on display."""
        return self.number.value()

    @property
    def moving(self) -> bool:
        """Whether a change is not yet committed."""
        return self.slider.isSliderDown() or self._timer.isActive()

    def set_value(self, value: float) -> None:
        """Show a value without a signal, unless the user is changing it."""
        if self.moving:
            return
        self._committed_value = value
        self._show(value)

    def reset(self) -> None:
        """Restore the default."""
        self._commit(self.scale.default)
        self.commit_pending()

    @Slot()
    def commit_pending(self) -> None:
        """Commit the shown value now."""
        self._timer.stop()
        if self.value != self._committed_value:
            self._committed_value = self.value
            self.changed.emit(self.value)

    def _show(self, value: float) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.number):
            self.number.setValue(value)
            self.slider.setValue(self.scale.position(value))

    def _commit(self, value: float) -> None:
        self._show(value)
        self.changing.emit(self.value)
        if not self.slider.isSliderDown():
            self._timer.start()

    @Slot(int)
    def _on_slider_value_changed(self, position: int) -> None:
        self._commit(self.scale.value(position))

    @Slot(float)
    def _on_number_value_changed(self, value: float) -> None:
        self._commit(value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)
