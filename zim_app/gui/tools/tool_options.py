"""The bar above the canvas with the tool's instructions and options."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QSize, Qt, Slot
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.elided_label import ElidedLabel
from zim_app.gui.icons import icon
from zim_app.gui.panels.fields import (
    ONE_LINE_SLIDER,
    SHORT_SLIDER,
    SliderField,
    SliderScale,
)
from zim_app.gui.settings import window_state
from zim_app.gui.tools.brush import LARGEST_RADIUS, SMALLEST_RADIUS
from zim_app.gui.tools.gestures import Tool, ToolOptions
from zim_app.gui.tools.key_options import KeyOptions
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

SIGNS = (
    (
        True,
        "plus-circle-outline",
        QT_TRANSLATE_NOOP("ToolOptions", "Positive"),
        QT_TRANSLATE_NOOP("ToolOptions", "The line is on the object"),
    ),
    (
        False,
        "minus-circle-outline",
        QT_TRANSLATE_NOOP("ToolOptions", "Negative"),
        QT_TRANSLATE_NOOP("ToolOptions", "The line is not on the object"),
    ),
)

BRUSHES = (
    (
        "add",
        "plus",
        QT_TRANSLATE_NOOP("ToolOptions", "Add"),
        QT_TRANSLATE_NOOP("ToolOptions", "Painted areas become opaque"),
    ),
    (
        "erase",
        "eraser",
        QT_TRANSLATE_NOOP("ToolOptions", "Erase"),
        QT_TRANSLATE_NOOP("ToolOptions", "Painted areas become transparent"),
    ),
    (
        "soften",
        "blur",
        QT_TRANSLATE_NOOP("ToolOptions", "Soften"),
        QT_TRANSLATE_NOOP("ToolOptions", "Edges that are painted over become softer"),
    ),
    (
        "refine",
        "auto-fix",
        QT_TRANSLATE_NOOP("ToolOptions", "Refine edge"),
        QT_TRANSLATE_NOOP(
            "ToolOptions",
            "Hair, fur and leaves that are painted over are solved from their colours",
        ),
    ),
)


class OptionSwitch(QWidget):
    """A row of exclusive buttons.

    **Threads**: the window's only.
    """

    def __init__(self, owner: ToolOptionsBar, option: str, choices: Any) -> None:
        super().__init__()
        self.buttons: dict[Any, QToolButton] = {}
        self._icons: dict[QToolButton, str] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for value, name, text, tip in choices:
            button = QToolButton()
            button.setText(_tr(text))
            button.setToolTip(_tr(tip))
            button.setCheckable(True)
            button.setAutoRaise(True)
            button.setIconSize(QSize(18, 18))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(owner.choose, option, value))
            group.addButton(button)
            row.addWidget(button)
            self.buttons[value] = button
            self._icons[button] = name

    def show_value(self, value: object) -> None:
        """Check the button of that value."""
        self.buttons[value].setChecked(True)

    def set_compact(self, compact: bool) -> None:
        """Leave out the texts, or show them again."""
        styles = Qt.ToolButtonStyle
        both, short = styles.ToolButtonTextBesideIcon, styles.ToolButtonIconOnly
        for button in self.buttons.values():
            button.setToolButtonStyle(short if compact else both)

    def paint_icons(self, palette: QPalette) -> None:
        """Draw the icons in the palette's colours."""
        colour = palette.color(QPalette.ColorRole.ButtonText).name()
        for button, name in self._icons.items():
            button.setIcon(icon(name, colour))


def _tr(text: str) -> str:
    return QCoreApplication.translate("ToolOptions", text)


class BrushOptions(QWidget):
    """Effect, size, hardness and strength of the brush.

    **Threads**: the window's only.
    """

    def __init__(self, owner: ToolOptionsBar) -> None:
        super().__init__()
        self.brush = OptionSwitch(owner, "brush", BRUSHES)
        self.diameter = SliderField(
            self.tr("Size"),
            self.tr("Diameter of the brush, in pixels of the photo: [ and ]"),
            SliderScale(
                2 * SMALLEST_RADIUS, 2 * LARGEST_RADIUS, 40, unit=" px", curve=3
            ),
            one_line=True,
        )
        self.hardness = SliderField(
            self.tr("Hardness"),
            self.tr("100 % has a sharp edge: Shift + [ and Shift + ]"),
            SliderScale(0, 100, 80, unit=" %"),
            one_line=True,
        )
        self.strength = SliderField(
            self.tr("Strength"),
            self.tr("Effect of one stroke"),
            SliderScale(1, 100, 100, unit=" %"),
            one_line=True,
        )
        self.tolerance = SliderField(
            self.tr("Colours"),
            self.tr(
                "100 % adds and erases whatever the colour; less keeps to colours"
                " like those under the middle of the brush"
            ),
            SliderScale(1, 100, 100, unit=" %"),
            one_line=True,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.brush)
        for field in self._fields:
            row.addWidget(field)
        for field, option, fraction in (
            (self.diameter, "radius", 0.5),
            (self.hardness, "hardness", 0.01),
            (self.strength, "strength", 0.01),
        ):
            field.changing.connect(partial(owner.choose_fraction, option, fraction))
        self.tolerance.changing.connect(
            lambda percent: owner.set_option("tolerance", _tolerance(percent))
        )

    @property
    def _fields(self) -> tuple[SliderField, ...]:
        return self.diameter, self.hardness, self.strength, self.tolerance

    def set_compact(self, compact: bool) -> None:
        """Leave out texts and shorten the sliders, or show all again."""
        self.brush.set_compact(compact)
        for field in self._fields:
            field.slider.setFixedWidth(SHORT_SLIDER if compact else ONE_LINE_SLIDER)

    def show_options(self, options: ToolOptions) -> None:
        """Show the options."""
        self.brush.show_value(options.brush)
        self.diameter.set_value(2 * options.radius)
        self.hardness.set_value(100 * options.hardness)
        self.strength.set_value(100 * options.strength)
        self.tolerance.set_value(_percent(options.tolerance))
        self.tolerance.setEnabled(options.brush in ("add", "erase"))


def _tolerance(percent: float) -> float:
    """The tolerance of strokes, 0 being none, for the slider's value."""
    return 0.0 if percent >= 100 else percent / 100


def _percent(tolerance: float) -> float:
    return 100 * tolerance or 100.0


class _OptionStrip(QWidget):
    """Title, options and hint in a row, the options compact where space is short.

    Its size hint is its minimum size, that of the compact row, so that the bar always
    shows it.
    """

    def __init__(
        self,
        title: QLabel,
        parts: Sequence[OptionSwitch | BrushOptions | KeyOptions],
        hint: QLabel,
    ) -> None:
        super().__init__()
        self._parts = parts
        self._widths = (0, 0)  # of the compact and of the full row
        self._compact = False
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        row.setSpacing(12)
        row.addWidget(title)
        for part in parts:
            row.addWidget(part)
        row.addWidget(hint, 1)
        # Of the same height with every tool, so that the image does not move.
        self.setFixedHeight(super().sizeHint().height())

    def show_parts(self, shown: Container[QWidget]) -> None:
        """Show only those options."""
        for part in self._parts:
            part.setVisible(part in shown)
        self._set_compact(True)
        shortest = super().minimumSizeHint().width()
        self._set_compact(False)
        self._widths = shortest, super().sizeHint().width()
        self._fit()
        self.updateGeometry()

    def _set_compact(self, compact: bool) -> None:
        self._compact = compact
        for part in self._parts:
            part.set_compact(compact)
        for widget in self.findChildren(QWidget):
            widget.updateGeometry()  # else sizes of nested rows are remembered ones

    def _fit(self) -> None:
        compact = self.width() < self._widths[1]
        if compact != self._compact:
            self._set_compact(compact)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._widths[0], super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class ToolOptionsBar(QToolBar):
    """Shows the instructions and options of the current tool.

    **Threads**: the window's only.
    """

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tool_options")
        self.setWindowTitle(self.tr("Tool options"))
        self.setMovable(False)
        self._canvas = canvas
        self.title, self.hint = QLabel(), ElidedLabel()
        self.sign = OptionSwitch(self, "positive", SIGNS)
        self.brush = BrushOptions(self)
        self.key = KeyOptions(canvas)
        self._parts = {
            "scribble": self.sign,
            "brush": self.brush,
            "colour_key": self.key,
        }
        self._setup_labels()
        parts = (self.sign, self.brush, self.key)
        strip = self._strip = _OptionStrip(self.title, parts, self.hint)
        strip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(strip)
        canvas.set_options(replace(canvas.options, **window_state.brush()))
        canvas.tool_changed.connect(self._on_canvas_tool_changed)
        canvas.options_changed.connect(self._on_canvas_options_changed)
        self._on_canvas_tool_changed(canvas.tool)
        self._on_canvas_options_changed(canvas.options)

    def _setup_labels(self) -> None:
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)

    def choose(self, option: str, value: object) -> None:
        """Set a field of the :class:`ToolOptions`, and go on with the canvas."""
        self.set_option(option, value)
        self._canvas.setFocus()

    def choose_fraction(self, option: str, fraction: float, value: float) -> None:
        """Set a numeric field to ``value`` times ``fraction``."""
        self.set_option(option, value * fraction)

    def set_option(self, option: str, value: Any) -> None:
        """Set a field of the :class:`ToolOptions`."""
        self._canvas.set_options(replace(self._canvas.options, **{option: value}))

    def paint_icons(self, palette: QPalette) -> None:
        """Draw the icons in the palette's colours."""
        self.sign.paint_icons(palette)
        self.brush.brush.paint_icons(palette)

    @Slot(object)
    def _on_canvas_tool_changed(self, tool: Tool) -> None:
        translate = QCoreApplication.translate
        self.title.setText(translate("Tool", tool.text))
        self.hint.setText(translate("Tool", tool.tip))
        self.hint.setToolTip(self.hint.text())
        part = self._parts.get(tool.id)
        self._strip.show_parts(() if part is None else (part,))

    @Slot(object)
    def _on_canvas_options_changed(self, options: ToolOptions) -> None:
        self.sign.show_value(options.positive)
        self.brush.show_options(options)
        self.key.show_options(options)
        window_state.set_brush(options.hardness, options.strength)
