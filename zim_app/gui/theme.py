"""Light and dark: neutral greys, so that colours of images are judged correctly.

The program uses its own palettes on every system: a tinted grey beside an image would
change the perception of its colours.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette, QStyleHints
from PySide6.QtWidgets import QApplication

from zim_app.gui.settings import preferences

_ROLE = QPalette.ColorRole

LIGHT = {
    _ROLE.Window: "#efefef",
    _ROLE.WindowText: "#1a1a1a",
    _ROLE.Base: "#ffffff",
    _ROLE.AlternateBase: "#f5f5f5",
    _ROLE.Text: "#1a1a1a",
    _ROLE.PlaceholderText: "#767676",
    _ROLE.Button: "#e6e6e6",
    _ROLE.ButtonText: "#1a1a1a",
    _ROLE.BrightText: "#ffffff",
    _ROLE.Light: "#ffffff",
    _ROLE.Midlight: "#cacaca",
    _ROLE.Mid: "#b8b8b8",
    _ROLE.Dark: "#9f9f9f",
    _ROLE.Shadow: "#767676",
    _ROLE.Highlight: "#1f74d6",
    _ROLE.HighlightedText: "#ffffff",
    _ROLE.Accent: "#1f74d6",
    _ROLE.Link: "#1a63b8",
    _ROLE.LinkVisited: "#6b3fa0",
    _ROLE.ToolTipBase: "#ffffff",
    _ROLE.ToolTipText: "#1a1a1a",
}
DARK = {
    _ROLE.Window: "#2b2b2b",
    _ROLE.WindowText: "#e6e6e6",
    _ROLE.Base: "#1f1f1f",
    _ROLE.AlternateBase: "#262626",
    _ROLE.Text: "#e6e6e6",
    _ROLE.PlaceholderText: "#969696",
    _ROLE.Button: "#383838",
    _ROLE.ButtonText: "#e6e6e6",
    _ROLE.BrightText: "#ffffff",
    _ROLE.Light: "#5a5a5a",
    _ROLE.Midlight: "#4a4a4a",
    _ROLE.Mid: "#3f3f3f",
    _ROLE.Dark: "#171717",
    _ROLE.Shadow: "#0a0a0a",
    _ROLE.Highlight: "#2f74c0",
    _ROLE.HighlightedText: "#ffffff",
    _ROLE.Accent: "#4a9cff",
    _ROLE.Link: "#6cb0ff",
    _ROLE.LinkVisited: "#c09bff",
    _ROLE.ToolTipBase: "#383838",
    _ROLE.ToolTipText: "#e6e6e6",
}
_FAINT = (_ROLE.WindowText, _ROLE.Text, _ROLE.ButtonText)
_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


def make_palette(*, dark: bool) -> QPalette:
    """The palette of the dark or the light theme."""
    palette = QPalette()
    for role, colour in (DARK if dark else LIGHT).items():
        palette.setColor(role, QColor(colour))
    faint = QColor("#7d7d7d" if dark else "#9a9a9a")
    for role in _FAINT:
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    muted = QColor("#4a4a4a" if dark else "#c0c0c0")
    palette.setColor(QPalette.ColorGroup.Disabled, _ROLE.Highlight, muted)
    return palette


class Theme(QObject):
    """Applies the light or dark theme, by the user's or else the system's setting.

    Args:
        app: receives the palette.
        hints: source of the system's colour scheme; None is Qt's.

    **Threads**: the window's only.
    """

    def __init__(self, app: QApplication, hints: QStyleHints | None = None) -> None:
        super().__init__(app)
        self._app = app
        self._hints = hints or app.styleHints()
        # Without it, children of a widget with a style sheet keep their old colours.
        app.setAttribute(
            Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles
        )
        # Fusion takes all its colours from the palette, on every system.
        app.setStyle("Fusion")
        self._hints.colorSchemeChanged.connect(self._on_scheme_changed)
        preferences.changed.connect(self._on_preference_changed)
        self._apply()

    @property
    def dark(self) -> bool:
        """Whether the dark theme applies."""
        scheme = _SCHEMES.get(preferences.value("theme"), self._hints.colorScheme())
        return scheme == Qt.ColorScheme.Dark

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "theme":
            self._apply()

    @Slot()
    def _on_scheme_changed(self) -> None:
        self._set_palette()

    def _set_palette(self) -> None:
        palette = make_palette(dark=self.dark)
        self._app.setPalette(palette)
        if self.dark:  # an empty box would be nearly invisible
            palette.setColor(_ROLE.Base, palette.color(_ROLE.Light))
        for kind in ("QCheckBox", "QRadioButton"):
            # The stub asks for bytes, which PySide refuses.
            self._app.setPalette(palette, kind)  # type: ignore[arg-type]

    def _apply(self) -> None:
        """Set the scheme, also of window frames and file dialogs, and the palette."""
        scheme = _SCHEMES.get(preferences.value("theme"))
        if scheme is None:
            self._hints.unsetColorScheme()
        else:
            self._hints.setColorScheme(scheme)
        self._set_palette()
