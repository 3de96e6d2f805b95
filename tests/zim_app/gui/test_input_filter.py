"""Wheel, keys and clicks on numbers, sliders and lists, also those of dialogs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.panels.fields import COMMIT_DELAY_MS

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def cut(opened, qtbot, settle):
    """The window with a matte and the panel Refine."""
    opened.activateWindow()
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle()
    return opened


@pytest.fixture
def contrast(cut):
    """The number of the first slider of the panel Refine."""
    [field] = [
        box
        for box in cut.findChildren(QAbstractSpinBox)
        if box.accessibleName() == "Contrast"
    ]
    field.setFocus()
    return field


def turn_wheel(widget: QWidget) -> None:
    """Turn it towards the user over a widget, as the system would tell the window."""
    window = widget.window()
    at = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(at), QPoint(0, -120))


class Inputs(QDialog):
    """One input of each kind in an area that scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.slider = QSpinBox(), QSlider(Qt.Orientation.Horizontal)
        self.names = QComboBox()
        self.names.addItems(["a", "b", "c"])
        self.number.setValue(50)
        self.slider.setValue(50)
        self.names.setCurrentIndex(1)
        content = QWidget()
        inner = QVBoxLayout(content)
        for widget in self.inputs:
            inner.addWidget(widget)
        inner.addStretch()
        content.setMinimumHeight(2000)
        self.area = QScrollArea()
        self.area.setWidget(content)
        QVBoxLayout(self).addWidget(self.area)
        self.area.setFocus()

    @property
    def inputs(self):
        return self.number, self.slider, self.names

    @property
    def values(self):
        return self.number.value(), self.slider.value(), self.names.currentIndex()


@pytest.fixture
def dialog(window, qtbot):
    dialog = Inputs()
    qtbot.addWidget(dialog)
    dialog.resize(300, 300)
    dialog.show()
    dialog.activateWindow()
    dialog.area.setFocus()
    return dialog


# --- wheel ----------------------------------------------------------------------------


def test_the_wheel_scrolls_over_inputs_without_focus(dialog):
    before, bar = dialog.values, dialog.area.verticalScrollBar()
    for widget in dialog.inputs:
        bar.setValue(0)
        turn_wheel(widget)
        assert bar.value() > 0
        assert dialog.values == before
        assert not widget.hasFocus()


def test_the_wheel_changes_an_input_with_focus(dialog):
    for index, widget in enumerate(dialog.inputs):
        before = dialog.values
        widget.setFocus()
        turn_wheel(widget)
        changed = [a != b for a, b in zip(dialog.values, before, strict=True)]
        assert changed == [n == index for n in range(3)]


def test_inputs_that_were_polished_before_the_window_was_made_are_kept_from_it(
    next_window, qtbot
):
    dialog = Inputs()
    qtbot.addWidget(dialog)
    for widget in dialog.inputs:
        widget.ensurePolished()
    next_window()
    dialog.show()
    dialog.activateWindow()
    before = dialog.values
    for widget in dialog.inputs:
        dialog.area.setFocus()
        turn_wheel(widget)
        assert not widget.hasFocus()
    assert dialog.values == before


def test_the_wheel_changes_no_refinement(cut):
    boxes = [w for w in cut.findChildren(QAbstractSpinBox) if w.isVisible()]
    boxes += [w for w in cut.findChildren(QComboBox) if w.isVisible()]
    cut.canvas.setFocus()
    before, finish = [box.text() for box in boxes[:4]], cut.document.state.recipe
    for box in boxes:
        turn_wheel(box)
        assert cut.canvas.hasFocus()
    assert [box.text() for box in boxes[:4]] == before
    assert cut.document.state.recipe == finish


def test_no_input_of_the_window_takes_the_focus_by_the_wheel(cut):
    kinds = (QAbstractSpinBox, QComboBox, QSlider)
    shown = [w for kind in kinds for w in cut.findChildren(kind) if w.isVisible()]
    assert len(shown) > 5
    assert {w.focusPolicy() for w in shown} <= {
        Qt.FocusPolicy.StrongFocus,
        Qt.FocusPolicy.TabFocus,
        Qt.FocusPolicy.NoFocus,
    }


# --- keys -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY.Key_Return, KEY.Key_Enter, KEY.Key_Escape])
def test_the_focus_goes_back_to_the_canvas(cut, contrast, qtbot, settle, key):
    contrast.selectAll()
    qtbot.keyClicks(contrast, "40")
    qtbot.keyClick(contrast, key)
    settle()
    assert cut.canvas.hasFocus()
    assert contrast.value() == (0 if key == KEY.Key_Escape else 40)


def test_a_slider_gives_the_focus_back_too(cut, qtbot):
    slider = next(s for s in cut.findChildren(QSlider) if s.isVisible())
    slider.setFocus()
    qtbot.keyClick(slider, KEY.Key_Escape)
    assert cut.canvas.hasFocus()


def test_shortcuts_work_while_a_number_has_the_focus(cut, contrast, qtbot, settle):
    contrast.selectAll()
    qtbot.keyClicks(contrast, "40")
    qtbot.keyClick(contrast, KEY.Key_Return)
    settle()
    contrast.setFocus()
    qtbot.keyClick(contrast, KEY.Key_Z, CONTROL)
    settle()
    assert cut.document.state.recipe.finish.contrast == 0
    assert contrast.value() == 0
    zoom = cut.canvas.zoom
    qtbot.keyClick(contrast, KEY.Key_Plus, CONTROL)
    assert cut.canvas.zoom > zoom
    mode = cut.canvas.mode
    qtbot.keyClick(contrast, KEY.Key_F)  # the next view
    assert cut.canvas.mode != mode


def test_undo_takes_back_what_was_just_typed(cut, contrast, qtbot, settle):
    contrast.selectAll()
    qtbot.keyClicks(contrast, "40")
    qtbot.keyClick(contrast, KEY.Key_Return)
    settle()
    contrast.setFocus()
    contrast.selectAll()
    qtbot.keyClicks(contrast, "70")  # and no Return
    qtbot.keyClick(contrast, KEY.Key_Z, CONTROL)
    settle()
    assert cut.document.state.recipe.finish.contrast == 0.4
    assert contrast.value() == 40
    qtbot.keyClick(contrast, KEY.Key_Y, CONTROL)
    settle()
    assert cut.document.state.recipe.finish.contrast == 0.7


def test_undo_takes_back_a_slider_that_was_just_moved(cut, qtbot, settle):
    slider = cut.tools.refine.fields["contrast"].slider
    slider.setFocus()
    steps = cut.document.undo_stack.count()
    qtbot.keyClick(slider, KEY.Key_Right)
    qtbot.keyClick(slider, KEY.Key_Z, CONTROL)
    settle()
    qtbot.wait(2 * COMMIT_DELAY_MS)
    assert cut.document.state.recipe.finish.contrast == 0
    assert slider.value() == 0
    assert cut.document.undo_stack.index() == steps
    assert cut.document.state.recipe.has_prompts, "the click stays"


def test_a_shortcut_has_what_was_typed(cut, contrast, qtbot, settle):
    contrast.selectAll()
    qtbot.keyClicks(contrast, "30")
    qtbot.keyClick(contrast, KEY.Key_F)
    settle()
    assert cut.document.state.recipe.finish.contrast == 0.3


def test_a_number_takes_what_it_needs(cut, contrast, qtbot):
    mode = cut.canvas.mode
    contrast.selectAll()
    qtbot.keyClicks(contrast, "25")
    qtbot.keyClick(contrast, KEY.Key_Backspace)
    assert contrast.text().startswith("2")
    assert cut.canvas.mode == mode, "2 was typed, and is no shortcut"


def test_return_in_a_dialog_is_the_dialogs(dialog, qtbot):
    dialog.number.setFocus()
    qtbot.keyClick(dialog.number, KEY.Key_Escape)
    assert not dialog.isVisible()


# --- mouse ----------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", Qt.Orientation)
@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_slider_jumps_to_the_click(window, qtbot, orientation, fraction):
    slider = QSlider(orientation)
    qtbot.addWidget(slider)
    slider.setRange(0, 1000)
    slider.resize(30, 300)
    if orientation == Qt.Orientation.Horizontal:
        slider.resize(300, 30)
    slider.show()
    across = QPoint(round(300 * fraction), 15)
    horizontal = orientation == Qt.Orientation.Horizontal
    at = across if horizontal else across.transposed()
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=at)
    expected = fraction if horizontal else 1 - fraction
    assert slider.value() == pytest.approx(1000 * expected, abs=25)
