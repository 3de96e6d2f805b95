"""The row below the candidates that compares the chosen one with another."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QWidget

from zim_app.gui.canvas.onion_skin import FIRST, SECOND
from zim_app.gui.icon_button import IconButton

_STEPS = 100
_SWATCH = QSize(10, 16)


class ComparisonRow(QWidget):
    """Turns a comparison on, and sets its other candidate and its blend.

    Attributes:
        chosen: index of the chosen candidate.

    **Signals**: ``toggled(on)``; ``changed()``: ``on``, ``other`` or ``blend``.

    **Threads**: the window's only.
    """

    toggled = Signal(bool)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chosen = 0
        self.button = IconButton(
            "vector-difference",
            self.tr("Compare the chosen candidate with another one"),
        )
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_button_toggled)
        self._first = QLabel()
        self._first.setToolTip(self.tr("Colour of what only the chosen candidate has"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setToolTip(
            self.tr("Blends from the chosen candidate on the left to the other one")
        )
        self.slider.setAccessibleName(self.tr("Blend of the two candidates"))
        self.slider.valueChanged.connect(self.changed)
        self.others = QComboBox()
        self.others.setToolTip(self.tr("The other candidate, and its colour"))
        self.others.setAccessibleName(self.tr("Other candidate"))
        self.others.activated.connect(self.changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self._first)
        row.addWidget(self.slider, 1)
        row.addWidget(self.others)
        self._first.setPixmap(_swatch(FIRST))
        self.others.setIconSize(_SWATCH)
        self.show_candidates(0, 0)
        self._on_button_toggled(False)

    @property
    def on(self) -> bool:
        """Whether candidates are compared."""
        return self.button.isChecked()

    def set_on(self, on: bool) -> None:
        """Turn the comparison on or off; it stays off without two candidates."""
        self.button.setChecked(on and self.button.isEnabled())
        self.toggled.emit(self.on)

    @property
    def other(self) -> int | None:
        """Index of the other candidate; None if there is none."""
        index = self.others.currentData()
        return None if index is None else int(index)

    @property
    def blend(self) -> float:
        """From 0, the chosen candidate alone, to 1, the other one alone."""
        return self.slider.value() / _STEPS

    def show_candidates(self, count: int, chosen: int) -> None:
        """Offer candidates to compare with the chosen one.

        Args:
            count: number of candidates; the comparison ends if there are not two.
            chosen: index of the chosen one.  If it was the other one, they swap.
        """
        other, before = self.other, self.chosen
        if other == chosen:
            other = before
        self.chosen = chosen
        with QSignalBlocker(self.others):
            self.others.clear()
            for index in range(count):
                if index != chosen:
                    self.others.addItem(_icon(SECOND), str(index + 1), index)
            self.others.setCurrentIndex(max(self.others.findData(other), 0))
        self.button.setEnabled(count > 1)
        if count < 2:
            self.set_on(False)

    @Slot(bool)
    def _on_button_toggled(self, on: bool) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(_STEPS // 2)
        for widget in (self._first, self.slider, self.others):
            widget.setEnabled(on)
        self.toggled.emit(on)
        self.changed.emit()


def _swatch(colour: QColor) -> QPixmap:
    pixmap = QPixmap(_SWATCH)
    pixmap.fill(colour)
    return pixmap


def _icon(colour: QColor) -> QIcon:
    return QIcon(_swatch(colour))
