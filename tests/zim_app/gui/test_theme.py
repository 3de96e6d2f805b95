"""Both themes: neutral, readable, switched live."""

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from zim_app.gui.icons import icon
from zim_app.gui.settings import preferences
from zim_app.gui.theme import Theme, make_palette

ROLE, GROUP = QPalette.ColorRole, QPalette.ColorGroup
COLOURED = {ROLE.Highlight, ROLE.Accent, ROLE.Link, ROLE.LinkVisited}
READABLE = (
    (ROLE.WindowText, ROLE.Window),
    (ROLE.Text, ROLE.Base),
    (ROLE.Text, ROLE.AlternateBase),
    (ROLE.ButtonText, ROLE.Button),
    (ROLE.ToolTipText, ROLE.ToolTipBase),
    (ROLE.HighlightedText, ROLE.Highlight),
    (ROLE.Link, ROLE.Base),
    (ROLE.PlaceholderText, ROLE.Base),
)


@pytest.fixture
def theme(qapp):
    palette = qapp.palette()
    theme = Theme(qapp)
    yield theme
    theme.deleteLater()
    qapp.setPalette(palette)


def luminance(colour: QColor) -> float:
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    linear = [
        x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_greys_are_neutral(dark):
    palette = make_palette(dark=dark)
    for group in (GROUP.Active, GROUP.Inactive, GROUP.Disabled):
        for role in set(ROLE) - COLOURED - {ROLE.NoRole, ROLE.NColorRoles}:
            colour = palette.color(group, role)
            assert colour.red() == colour.green() == colour.blue(), role


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_the_contrast_that_wcag_requires(dark):
    palette = make_palette(dark=dark)
    for text, ground in READABLE:
        bright, dim = sorted(
            (luminance(palette.color(text)), luminance(palette.color(ground))),
            reverse=True,
        )
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, text


def test_switching_repaints_the_window_and_its_icons(theme, window, qtbot):
    action = window.actions_by_id["open"]
    for name, dark in (("light", False), ("dark", True), ("light", False)):
        preferences.set_value("theme", name)
        assert theme.dark == dark
        palette = make_palette(dark=dark)
        # Also inside a widget with a style sheet, as the tool bar is.
        widgets = (window, window.status, window._tool_bar, window.start_page)

        def repainted(palette=palette, widgets=widgets):
            colours = {w.palette().color(ROLE.Window).name() for w in widgets}
            return colours == {palette.color(ROLE.Window).name()}

        qtbot.waitUntil(repainted)
        colour = palette.color(ROLE.ButtonText).name()
        image = icon("folder-open-outline", colour).pixmap(20, 20).toImage()
        assert action.icon().pixmap(20, 20).toImage() == image


class System(QObject):
    """Stands in for Qt's style hints: a system whose scheme can change."""

    colorSchemeChanged = Signal(Qt.ColorScheme)  # noqa: N815

    def __init__(self):
        super().__init__()
        self.scheme = Qt.ColorScheme.Light
        self.forced = None

    def colorScheme(self):
        return self.forced or self.scheme

    def setColorScheme(self, scheme):
        self.forced = scheme

    def unsetColorScheme(self):
        self.forced = None

    def change(self, scheme):
        self.scheme = scheme
        self.colorSchemeChanged.emit(scheme)


@pytest.mark.parametrize("kind", ["QCheckBox", "QRadioButton"])
def test_an_empty_box_is_visible(theme, kind):
    for name in ("dark", "light", "dark"):
        preferences.set_value("theme", name)
        palette = QApplication.palette(kind)
        box, around, mark = (
            luminance(palette.color(role)) + 0.05
            for role in (ROLE.Base, ROLE.Window, ROLE.Text)
        )
        assert box / around > (1.9 if name == "dark" else 1.1)
        assert max(box, mark) / min(box, mark) > 4.5


def test_the_system_decides_unless_the_user_does(theme, qapp):
    theme.deleteLater()
    system = System()
    theme = Theme(qapp, system)

    def is_dark():
        return qapp.palette().color(ROLE.Window).lightness() < 128

    assert not is_dark()
    system.change(Qt.ColorScheme.Dark)
    assert is_dark()
    preferences.set_value("theme", "light")
    assert not is_dark()
    assert system.forced == Qt.ColorScheme.Light, "for the frame of the window"
    system.change(Qt.ColorScheme.Dark)
    assert not is_dark()
    preferences.set_value("theme", "system")
    assert is_dark()
    assert system.forced is None
    theme.deleteLater()
