"""Controls for the canvas of an export, as rows of a form."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale, QObject, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QWidget,
)

from zim_app.core.canvas import MAX_CANVAS, MAX_PERCENT, Canvas
from zim_app.gui.number_boxes import NumberBox, WholeNumberBox
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

CHOICES = {
    "canvas": (
        ("none", QT_TRANSLATE_NOOP("CanvasControls", "None")),
        ("square", QT_TRANSLATE_NOOP("CanvasControls", "Square around the object")),
        ("ratio", QT_TRANSLATE_NOOP("CanvasControls", "Aspect ratio")),
        ("px", QT_TRANSLATE_NOOP("CanvasControls", "Size in pixels")),
    ),
    "padding_unit": (("%", "%"), ("px", "px")),
    "align": (
        ("centre", QT_TRANSLATE_NOOP("CanvasControls", "Centred")),
        ("bottom", QT_TRANSLATE_NOOP("CanvasControls", "Standing at the bottom")),
    ),
}
"""Values and texts of the lists; texts are translated in "CanvasControls"."""
SIZES = {"ratio": (4, 5), "px": (2000, 2000)}
"""Proposed width and height."""
BETWEEN = {"ratio": ":", "px": "×"}
"""What is written between width and height."""


class CanvasControls(QObject):
    """The rows of a form that show a canvas; rows without effect are hidden.

    Args:
        form: gets the rows, at its end.

    **Signals**: ``changed()``: :attr:`canvas` may have changed.

    **Threads**: the window's only.
    """

    changed = Signal()

    def __init__(self, form: QFormLayout, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._sizes = dict(SIZES)
        self._mode = "none"
        self._make_controls()
        self._size = _row(self.width, self.between, self.height)
        self._padding_row = _row(self.padding, self.padding_unit, self.align)
        form.addRow(self.tr("Canvas"), _row(self.mode, self._size))
        form.addRow(self.tr("Padding"), self._padding_row)
        form.addRow("", self.enlarge)
        self._connect()
        self._update()

    def _make_controls(self) -> None:
        self.mode = _list(
            "canvas", self.tr("Area of the file that the object is placed on")
        )
        self.width, self.height = WholeNumberBox(), WholeNumberBox()
        self.between = QLabel()
        for side in (self.width, self.height):
            side.setRange(1, MAX_CANVAS)
        self.width.setToolTip(self.tr("Width of the canvas"))
        self.height.setToolTip(self.tr("Height of the canvas"))
        self.padding = _ShortNumber()
        self.padding.setToolTip(
            self.tr("Least room between the object and each side of the canvas")
        )
        self.padding_unit = _list(
            "padding_unit",
            self.tr("Percent of the canvas's shorter side, or pixels of the file"),
        )
        self.align = _list("align", self.tr("Where the object is on the canvas"))
        self.enlarge = QCheckBox(self.tr("Enlarge small objects"))
        self.enlarge.setToolTip(
            self.tr("Fill the canvas also where the object has fewer pixels than that")
        )

    def _connect(self) -> None:
        self.mode.currentIndexChanged.connect(self._on_mode_changed)
        self.padding_unit.currentIndexChanged.connect(self._update)
        self.align.currentIndexChanged.connect(self.changed)
        for number in (self.width, self.height, self.padding):
            number.valueChanged.connect(self.changed)
        self.enlarge.toggled.connect(self.changed)

    @property
    def canvas(self) -> Canvas | None:
        """The chosen canvas, which may be invalid; None if there is none."""
        mode = self.mode.currentData()
        if mode == "none":
            return None
        size = (1, 1)
        if mode != "square":
            size = (self.width.value(), self.height.value())
        return Canvas(
            *size,
            unit="px" if mode == "px" else "ratio",
            padding=self.padding.value(),
            padding_unit=self.padding_unit.currentData(),
            align=self.align.currentData(),
            enlarge=mode == "px" and self.enlarge.isChecked(),
        )

    def show_canvas(self, canvas: Canvas | None) -> None:
        """Show a canvas; None leaves the values that it hides."""
        mode = "none"
        if canvas is not None:
            square = (canvas.unit, canvas.width, canvas.height) == ("ratio", 1, 1)
            mode = "square" if square else canvas.unit
        self.mode.setCurrentIndex(self.mode.findData(mode))
        if canvas is None:
            return
        if mode != "square":
            self.width.setValue(canvas.width)
            self.height.setValue(canvas.height)
        unit = self.padding_unit.findData(canvas.padding_unit)
        self.padding_unit.setCurrentIndex(unit)
        self._update()
        self.padding.setValue(canvas.padding)
        self.align.setCurrentIndex(self.align.findData(canvas.align))
        self.enlarge.setChecked(canvas.enlarge)

    @Slot()
    def _on_mode_changed(self) -> None:
        if self._mode in self._sizes:
            self._sizes[self._mode] = (self.width.value(), self.height.value())
        self._mode = self.mode.currentData()
        if self._mode in self._sizes:
            width, height = self._sizes[self._mode]
            self.width.setValue(width)
            self.height.setValue(height)
        self._update()

    @Slot()
    def _update(self) -> None:
        mode, percent = self._mode, self.padding_unit.currentData() == "%"
        self._size.setVisible(mode in self._sizes)
        self.between.setText(BETWEEN.get(mode, ""))
        self._form.setRowVisible(self._padding_row, mode != "none")
        self._form.setRowVisible(self.enlarge, mode == "px")
        self.padding.setDecimals(2 if percent else 0)
        self.padding.setMaximum(MAX_PERCENT if percent else MAX_CANVAS)
        self.changed.emit()


class _ShortNumber(NumberBox):
    """Shows 7.5 and 5 in place of 7.50 and 5.00."""

    def textFromValue(self, value: float) -> str:
        locale = self.locale()
        locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
        return locale.toString(value, "g", 7)


def _list(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setToolTip(tip)
    for value, text in CHOICES[name]:
        box.addItem(QCoreApplication.translate("CanvasControls", text), value)
    return box


def _row(*widgets: QWidget) -> QWidget:
    """Widgets in a row; lists stretch."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget, 1 if isinstance(widget, QComboBox) else 0)
    return row
