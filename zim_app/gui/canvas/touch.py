"""Fingers on a touch screen: one uses the tool, two move and zoom the view."""

from __future__ import annotations

import math
from typing import Protocol

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, Qt, QTimer, Slot
from PySide6.QtGui import (
    QEventPoint,
    QInputDevice,
    QMouseEvent,
    QPointingDevice,
    QTouchEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

SETTLE_MS = 100
"""Milliseconds that one finger waits for a second one, while it rests."""
_KINDS = (
    *(QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate),
    *(QEvent.Type.TouchEnd, QEvent.Type.TouchCancel),
)
_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


class TouchTarget(Protocol):
    """The methods of a view that fingers use; positions are in view pixels."""

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""

    def viewport(self) -> QWidget:
        """The widget that gets the events."""

    def to_image(self, position: QPointF) -> QPointF:
        """Image position of a view position."""

    def set_zoom(self, zoom: float, position: QPointF | None = None) -> None:
        """Zoom around a view position."""

    def move_to(self, image_position: QPointF, position: QPointF) -> None:
        """Scroll an image position to a view position."""

    def interrupt(self) -> None:
        """Cancel the gesture of the left button."""


class TouchInput(QObject):
    """Turns touch events of a view into those of the left button, or into a pinch.

    A finger presses the button when it moves, rests for ``SETTLE_MS`` or is lifted, so
    that two fingers that land one after the other do nothing to the document.  A second
    finger that comes later cancels what the first one began.  Two or more fingers zoom
    by their distance and move the view with their centre, until all are lifted.

    **Threads**: the window's only.
    """

    def __init__(self, view: TouchTarget, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._device: QPointingDevice | None = None  # while one finger is down
        self._modifiers = Qt.KeyboardModifier.NoModifier
        self._start = self._last = QPointF()
        self._pressed = False
        self._pinch: _Pinch | None = None
        self._fingers: tuple[int, ...] = ()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._press)
        self._since_tap, self._tap = QElapsedTimer(), QPointF()
        view.viewport().setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() not in _KINDS or not isinstance(event, QTouchEvent):
            return False
        if event.deviceType() != QInputDevice.DeviceType.TouchScreen:
            return False  # touch pads have wheel events and native gestures
        event.accept()
        if event.type() == QEvent.Type.TouchCancel:
            self._cancel()
        else:
            self._follow(event)
        return True

    def _follow(self, event: QTouchEvent) -> None:
        released = QEventPoint.State.Released
        fingers = [p for p in event.points() if p.state() != released]
        if self._pinch is None and len(fingers) < 2:
            self._follow_finger(event, fingers)
        elif fingers:
            self._follow_pinch(fingers)
        else:
            self._end()

    # -- One finger -------------------------------------------------------------------

    def _follow_finger(self, event: QTouchEvent, fingers: list[QEventPoint]) -> None:
        if event.type() == QEvent.Type.TouchBegin:
            self._device, self._modifiers = event.pointingDevice(), event.modifiers()
            self._start = self._last = fingers[0].position()
            self._settle.start()
        elif self._device is None:  # the system took the touch away
            return
        elif fingers:
            self._last = fingers[0].position()
            way = (self._last - self._start).manhattanLength()
            if self._pressed:
                self._send(QEvent.Type.MouseMove, self._last, _NONE, _LEFT)
            elif way >= QApplication.startDragDistance():
                self._press()
                self._send(QEvent.Type.MouseMove, self._last, _NONE, _LEFT)
        else:
            self._press()
            self._send(QEvent.Type.MouseButtonRelease, self._last, _LEFT, _NONE)
            self._end()

    @Slot()
    def _press(self) -> None:
        self._settle.stop()
        if self._pressed or self._device is None:
            return
        self._pressed = True
        kind = QEvent.Type.MouseButtonPress
        if self._is_second_tap():
            kind = QEvent.Type.MouseButtonDblClick
        self._send(kind, self._start, _LEFT, _LEFT)

    def _is_second_tap(self) -> bool:
        """Whether the finger is where another tap just was."""
        interval = QApplication.doubleClickInterval()
        reach = 2 * QApplication.startDragDistance()
        quick = self._since_tap.isValid() and self._since_tap.elapsed() <= interval
        second = quick and (self._start - self._tap).manhattanLength() <= reach
        self._since_tap.restart()
        if second:
            self._since_tap.invalidate()  # a third tap is a first one
        self._tap = self._start
        return second

    def _send(
        self,
        kind: QEvent.Type,
        position: QPointF,
        button: Qt.MouseButton,
        buttons: Qt.MouseButton,
    ) -> None:
        assert self._device is not None
        target, keys = self._view.viewport(), self._modifiers
        place = target.mapToGlobal(position)
        event = QMouseEvent(kind, position, place, button, buttons, keys, self._device)
        QApplication.sendEvent(target, event)

    # -- More fingers -----------------------------------------------------------------

    def _follow_pinch(self, fingers: list[QEventPoint]) -> None:
        self._settle.stop()
        if self._pressed:
            self._pressed = False
            self._view.interrupt()
        ids = tuple(sorted(finger.id() for finger in fingers))
        positions = [finger.position() for finger in fingers]
        if self._pinch is None or ids != self._fingers:
            self._pinch, self._fingers = _Pinch(self._view, positions), ids
        self._pinch.move(positions)

    def _cancel(self) -> None:
        if self._pressed:
            self._view.interrupt()
        self._end()

    def _end(self) -> None:
        """Forget the fingers; none of them points anywhere any more."""
        self._settle.stop()
        self._device = self._pinch = None
        self._pressed, self._fingers = False, ()
        parent = self._view.viewport().parentWidget()
        if parent is not None:
            QApplication.sendEvent(parent, QEvent(QEvent.Type.Leave))


class _Pinch:
    """Keeps the image below the same fingers while these move."""

    def __init__(self, view: TouchTarget, fingers: list[QPointF]) -> None:
        self._view = view
        centre, self._spread = _centre_and_spread(fingers)
        self._zoom, self._anchor = view.zoom, view.to_image(centre)

    def move(self, fingers: list[QPointF]) -> None:
        """Show the image for other positions of the fingers, in view pixels."""
        centre, spread = _centre_and_spread(fingers)
        if self._spread and spread:
            self._view.set_zoom(self._zoom * spread / self._spread, centre)
        self._view.move_to(self._anchor, centre)


def _centre_and_spread(fingers: list[QPointF]) -> tuple[QPointF, float]:
    """The mean of positions, and their mean distance from it; 0 for one finger."""
    centre = sum(fingers, QPointF()) / len(fingers)
    distances = [math.hypot(p.x() - centre.x(), p.y() - centre.y()) for p in fingers]
    return centre, sum(distances) / len(fingers)
