"""A tool button whose icon follows the theme."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence, QPalette
from PySide6.QtWidgets import QToolButton, QWidget

from zim_app.gui.icons import icon


class IconButton(QToolButton):
    """A tool button with an icon, and a tool tip that names its key.

    Args:
        name: name of the icon, see :func:`zim_app.gui.icons.icon`.
        tip: what the button does.
        handler: called on clicks.
        keys: shortcut, in the notation of :class:`QKeySequence`.
        text: beside the icon; empty shows only the icon.

    **Threads**: the window's only.
    """

    def __init__(
        self,
        name: str,
        tip: str,
        handler: Callable[[], object] | None = None,
        *,
        keys: str = "",
        text: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._keys = QKeySequence(keys)
        if keys:
            self.setShortcut(self._keys)
        self.setAutoRaise(not text)
        self.set_text(text)
        self.set_tip(tip)
        if handler is not None:
            self.clicked.connect(handler)
        self._paint_icon()

    def set_tip(self, tip: str) -> None:
        """Set the tool tip, followed by the key."""
        shown = self._keys.toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(f"{tip} ({shown})" if shown else tip)
        self.setAccessibleName(self.text() or tip)

    def set_text(self, text: str) -> None:
        """Set the text beside the icon."""
        self.setText(text)
        if text:
            style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            self.setToolButtonStyle(style)
        if not self._keys.isEmpty():  # setText removes the shortcut
            self.setShortcut(self._keys)

    def _paint_icon(self) -> None:
        group, role = QPalette.ColorGroup, QPalette.ColorRole.ButtonText
        colour = self.palette().color(group.Active, role).name()
        faint = self.palette().color(group.Disabled, role).name()
        self.setIcon(icon(self._name, colour, faint))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint_icon()
