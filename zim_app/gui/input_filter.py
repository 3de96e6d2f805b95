"""How numbers, sliders and lists take the mouse and the keyboard, everywhere alike."""

from __future__ import annotations

from typing import TypeGuard

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QDoubleSpinBox,
    QScrollBar,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

_KEY = Qt.Key
_NUMBER_SIGNS = frozenset("0123456789+-.,%")
_NUMBER_KEYS = frozenset(
    {
        *(_KEY.Key_Left, _KEY.Key_Right, _KEY.Key_Home, _KEY.Key_End),
        *(_KEY.Key_Up, _KEY.Key_Down, _KEY.Key_PageUp, _KEY.Key_PageDown),
        *(_KEY.Key_Backspace, _KEY.Key_Delete),
    }
)
"""Keys without Ctrl or Alt that a number needs while it is typed."""
_CLIPBOARD_KEYS = frozenset({_KEY.Key_A, _KEY.Key_C, _KEY.Key_V, _KEY.Key_X})
"""Keys with Ctrl that it needs."""
_MODIFIER_KEYS = frozenset(
    {_KEY.Key_Control, _KEY.Key_Shift, _KEY.Key_Alt, _KEY.Key_AltGr, _KEY.Key_Meta}
)
_LEAVING_KEYS = frozenset({_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Escape})
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_TYPE = QEvent.Type
_FILTERED = frozenset(
    {
        *(_TYPE.Wheel, _TYPE.Show, _TYPE.MouseButtonPress),
        *(_TYPE.ShortcutOverride, _TYPE.KeyPress),
    }
)
"""A window has thousands of others until it is shown, which are passed on at once."""


class InputFilter(QObject):
    """Event filter of the application.

    - The wheel changes no number, slider or list without focus: what is around it
      scrolls.
    - Return and Escape in a panel of the window give the focus back to the canvas.
    - A number takes the keys that it needs; all others are the window's shortcuts.
    - A slider jumps to the click.

    Args:
        window: the main window; in dialogs Return and Escape are the dialog's.
        canvas: gets the focus.
    """

    def __init__(self, window: QWidget, canvas: QWidget) -> None:
        super().__init__(window)
        self._window, self._canvas = window, canvas
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in _FILTERED:
            return False
        match kind:
            case _TYPE.Wheel:
                return _is_input(watched) and _refuse_without_focus(watched, event)
            case _TYPE.Show:  # a style may polish widgets before there is a filter
                if _is_input(watched):
                    _keep_focus_from_wheel(watched)
            case _TYPE.MouseButtonPress:
                if isinstance(watched, QSlider) and isinstance(event, QMouseEvent):
                    _jump(watched, event)
            case _TYPE.ShortcutOverride:
                if self._is_in_panel(watched) and isinstance(event, QKeyEvent):
                    return _override_shortcut(watched, event)
            case _TYPE.KeyPress:
                if self._is_in_panel(watched) and isinstance(event, QKeyEvent):
                    return self._leave(watched, event)
        return False

    def _is_in_panel(self, watched: QObject) -> TypeGuard[QWidget]:
        if not _is_input(watched):
            return False
        top = watched.window()
        return top is self._window or isinstance(top, QDockWidget)

    def _leave(self, watched: QWidget, event: QKeyEvent) -> bool:
        if event.key() not in _LEAVING_KEYS or not self._canvas.isVisible():
            return False
        if event.key() == _KEY.Key_Escape:
            _drop_typed_text(watched)
        self._canvas.setFocus()
        return True


def _is_input(watched: QObject) -> TypeGuard[QWidget]:
    kinds = QAbstractSpinBox | QAbstractSlider | QComboBox
    return isinstance(watched, kinds) and not isinstance(watched, QScrollBar)


def _refuse_without_focus(watched: QWidget, event: QEvent) -> bool:
    if watched.hasFocus():
        return False
    event.ignore()  # so that it goes on to the parent
    return True


def _keep_focus_from_wheel(watched: QWidget) -> None:
    if watched.focusPolicy() == Qt.FocusPolicy.WheelFocus:
        watched.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _override_shortcut(watched: QWidget, event: QKeyEvent) -> bool:
    """Whether the widget is not asked about a key that is a shortcut, too."""
    if event.key() in _LEAVING_KEYS:
        event.accept()
        return True
    if isinstance(watched, QSlider) and event.modifiers() & _COMMANDS:
        watched.sliderReleased.emit()  # what its keys have done is done
    if not isinstance(watched, QAbstractSpinBox):
        return False
    if event.modifiers() & _COMMANDS:
        needed = event.key() in _CLIPBOARD_KEYS
    else:
        needed = event.key() in _NUMBER_KEYS or event.text() in _NUMBER_SIGNS
    if needed:
        return False
    if event.key() not in _MODIFIER_KEYS:
        watched.interpretText()  # so that an export has what was typed
        watched.editingFinished.emit()  # and an undo takes it back
    event.ignore()
    return True


def _drop_typed_text(watched: QWidget) -> None:
    match watched:
        case QSpinBox() as whole:
            whole.setValue(whole.value())
        case QDoubleSpinBox() as number:
            number.setValue(number.value())


def _jump(slider: QSlider, event: QMouseEvent) -> None:
    """Move the handle below the pointer, so that the press takes hold of it."""
    if event.button() != Qt.MouseButton.LeftButton:
        return
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    style, control = slider.style(), QStyle.ComplexControl.CC_Slider
    part = QStyle.SubControl
    handle = style.subControlRect(control, option, part.SC_SliderHandle, slider)
    point = event.position().toPoint()
    if handle.contains(point):
        return
    groove = style.subControlRect(control, option, part.SC_SliderGroove, slider)
    along, span = point.x() - groove.x(), groove.width() - handle.width()
    half = handle.width() // 2
    if slider.orientation() == Qt.Orientation.Vertical:
        along, span = point.y() - groove.y(), groove.height() - handle.height()
        half = handle.height() // 2
    value = QStyle.sliderValueFromPosition(
        slider.minimum(), slider.maximum(), along - half, span, option.upsideDown
    )
    slider.setSliderPosition(value)
