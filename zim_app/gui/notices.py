"""A banner for messages, a thin bar for running work, and the progress of a job."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, QTimer, QVariantAnimation, Signal, Slot
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QWidget,
)

from zim_app.gui.accessibility import speak
from zim_app.gui.canvas.markers import ACCENT
from zim_app.gui.icon_button import IconButton
from zim_app.gui.icons import glyph, icon
from zim_app.gui.language import translate_message

_LOG = logging.getLogger(__name__)

BUSY_DELAY_MS = 150
"""Delay until the busy bar appears, so that short work does not make it flicker."""
PROGRESS_DELAY_MS = 500
"""Delay until progress is shown."""
SUCCESS_MS = 6000
_LONG_WORD = 60

_STYLE_SHEET = """
#banner {{ background: {}; border-radius: 6px; }}
#banner QLabel {{ color: white; }}
#banner QToolButton {{ color: white; border: 1px solid transparent; }}
#banner QToolButton {{ border-radius: 4px; }}
#banner QToolButton:focus {{ border-color: rgba(255, 255, 255, 160); }}
#banner QToolButton {{ padding: 4px 8px; }}
#banner QToolButton:hover {{ background: rgba(255, 255, 255, 50); }}
#banner QToolButton:pressed {{ background: rgba(0, 0, 0, 50); }}
"""
_STYLES = {
    "error": ("alert-circle-outline", "#8c2f2f"),
    "warning": ("alert-outline", "#7d5a00"),
    "success": ("check-circle-outline", "#2a6b43"),
    "info": ("information-outline", "#2b5078"),
}


def insert_break_points(text: str) -> str:
    """Insert break points into long words, such as paths, so that labels can wrap them.

    Otherwise one long path would widen the whole window.
    """
    return re.sub(rf"\S{{{_LONG_WORD},}}", lambda m: "\u200b".join(m[0]), text)


@dataclass(frozen=True, slots=True)
class BannerMessage:
    """One message of the banner.

    Attributes:
        kind: a key of the styles, such as "error".
        text: the text.
        action_text: text of a button; empty for none.
        callback: called when the button is clicked.
        topic: groups messages for :meth:`Banner.remove_topic`.
    """

    kind: str
    text: str
    action_text: str = ""
    callback: Callable[[], object] | None = None
    topic: str = ""


class Banner(QFrame):
    """Non-modal messages over the canvas; errors stay until they are closed.

    The newest message is on top; closing it shows the one below, so that no error is
    lost.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: list[BannerMessage] = []
        self.setObjectName("banner")
        self._icon = QLabel()
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action_button = self._button()
        self.action_button.clicked.connect(self._run_action)
        self.clear_button = self._button()
        self.clear_button.setToolTip(self.tr("Close all messages"))
        self.clear_button.setAccessibleName(self.clear_button.toolTip())
        self.clear_button.clicked.connect(self.clear)
        self.close_button = self._button()
        self.close_button.setIcon(icon("close", "#ffffff"))
        self.close_button.setToolTip(self.tr("Close this message"))
        self.close_button.setAccessibleName(self.close_button.toolTip())
        self.close_button.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon)
        layout.addWidget(self.label, 1)
        for button in (self.action_button, self.clear_button, self.close_button):
            layout.addWidget(button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.hide()

    def _button(self) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    @property
    def text(self) -> str:
        """Text of the top message; empty while the banner is hidden."""
        return self._messages[-1].text if self._messages else ""

    def show_error(
        self,
        message: str,
        hint: str = "",
        action_text: str = "",
        callback: Callable[[], object] | None = None,
        *,
        topic: str = "",
    ) -> None:
        """Show an error and a hint until it is closed.

        A button with ``action_text`` closes the message and calls ``callback``.
        Messages of a :class:`ZimError` are translated here.
        """
        _LOG.warning("%s %s", message, hint)
        text = f"{translate_message(message)}\n{translate_message(hint)}".strip()
        self._add(BannerMessage("error", text, action_text, callback, topic))

    def show_info(
        self,
        message: str,
        action_text: str = "",
        callback: Callable[[], object] | None = None,
        *,
        topic: str = "",
    ) -> None:
        """Show an information until it is closed."""
        self._add(BannerMessage("info", message, action_text, callback, topic))

    def show_warning(self, message: str, *, topic: str = "") -> None:
        """Show a warning until it is closed."""
        self._add(BannerMessage("warning", message, topic=topic))

    def show_success(
        self,
        message: str,
        action_text: str = "",
        callback: Callable[[], object] | None = None,
    ) -> None:
        """Show a success for some seconds, replacing earlier ones."""
        self._messages = [old for old in self._messages if old.kind != "success"]
        self._add(BannerMessage("success", message, action_text, callback))

    @Slot()
    def dismiss(self) -> None:
        """Close the top message."""
        self._messages = self._messages[:-1]
        self._show()

    @Slot()
    def clear(self) -> None:
        """Close all messages."""
        self._messages = self._messages[:1]
        self.dismiss()

    def remove_topic(self, topic: str) -> None:
        """Remove all messages of a topic, because it no longer applies."""
        self._messages = [
            message for message in self._messages if message.topic != topic
        ]
        self._show()

    @Slot()
    def _run_action(self) -> None:
        callback = self._messages[-1].callback
        self.dismiss()
        if callback is not None:
            callback()

    def _add(self, message: BannerMessage) -> None:
        """Add a message on top; one with the same text is removed."""
        other_notices = [old for old in self._messages if old.text != message.text]
        self._messages = [*other_notices, message]
        self._show()
        speak(self, message.text)

    def _show(self) -> None:
        self._timer.stop()
        if not self._messages:
            self.hide()
            return
        message = self._messages[-1]
        name, colour = _STYLES[message.kind]
        self._icon.setPixmap(glyph(name, 24, "#ffffff"))
        self.setStyleSheet(_STYLE_SHEET.format(colour))
        self.label.setText(insert_break_points(message.text))
        self.action_button.setText(message.action_text)
        self.action_button.setToolTip(message.action_text)
        self.action_button.setVisible(bool(message.action_text))
        self.clear_button.setText(self.tr("Close all {}").format(len(self._messages)))
        self.clear_button.setVisible(len(self._messages) > 1)
        if message.kind == "success":
            self._timer.start(SUCCESS_MS)
        self.show()
        self.raise_()


class BusyBar(QWidget):
    """A thin animated bar while work runs.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(3)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(BUSY_DELAY_MS)
        self._delay.timeout.connect(self.show)
        self._run = QVariantAnimation(self)
        self._run.setStartValue(0.0)
        self._run.setEndValue(1.0)
        self._run.setDuration(1400)
        self._run.setLoopCount(-1)
        self._run.valueChanged.connect(self.update)
        self.hide()

    def set_busy(self, busy: bool) -> None:
        """Show the bar after a delay, or hide it."""
        if not busy:
            self._delay.stop()
            self.hide()
        elif not self.isVisible() and not self._delay.isActive():
            self._delay.start()

    def showEvent(self, event: QShowEvent) -> None:
        self.raise_()
        self._run.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._run.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 90))
        length = self.width() * 0.3
        left = (self.width() + length) * float(self._run.currentValue()) - length
        painter.fillRect(QRectF(left, 0, length, self.height()), ACCENT)


class JobProgress(QWidget):
    """A progress bar and a cancel button, hidden for short jobs.

    Args:
        tip: tool tip of the bar.
        cancel_tip: tool tip of the button.

    **Signals**

    - ``cancelled()``: the user cancels the job.
    - ``progressed(fraction)``: to be emitted by the job, on any thread, with 0 to 1.

    **Threads**: the window's, except for ``progressed``.
    """

    cancelled = Signal()
    progressed = Signal(float)

    def __init__(
        self, tip: str, cancel_tip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setFixedWidth(140)
        self.bar.setToolTip(tip)
        self.button = IconButton("close-circle-outline", cancel_tip)
        self.button.clicked.connect(self.cancelled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.addWidget(self.bar)
        layout.addWidget(self.button)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(PROGRESS_DELAY_MS)
        self._delay.timeout.connect(self.show)
        self.progressed.connect(self._on_progressed)
        self.hide()

    def start(self) -> None:
        """Show the progress after a delay."""
        if not self.isVisible() and not self._delay.isActive():
            self.bar.setValue(0)
            self._delay.start()

    def stop(self) -> None:
        """Hide the progress."""
        self._delay.stop()
        self.hide()

    @Slot(float)
    def _on_progressed(self, fraction: float) -> None:
        self.bar.setValue(round(100 * fraction))
