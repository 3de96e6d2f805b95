"""Icons, numbers and colours in every theme and language."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QLocale, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QToolButton

from zim_app.gui.files.drag_handle import DragHandle
from zim_app.gui.files.export_dialog import ExportDialog
from zim_app.gui.language import format_number
from zim_app.gui.panels.object_rows import row_parts
from zim_app.gui.settings import preferences
from zim_app.gui.settings.settings_dialog import SettingsDialog
from zim_app.gui.theme import make_palette


@pytest.fixture
def set_dark(qapp):
    before = qapp.palette()
    yield lambda dark: qapp.setPalette(make_palette(dark=dark))
    qapp.setPalette(before)


@pytest.fixture
def cut(opened, qtbot, settle):
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle()
    return opened


def lightness(image: QImage) -> float | None:
    """Mean lightness of grey ink, 0 to 255; None where there is none."""
    points = ((x, y) for y in range(image.height()) for x in range(image.width()))
    inks = [image.pixelColor(*point) for point in points]
    greys = [ink.lightness() for ink in inks if ink.alpha() > 200 and not ink.hue() > 0]
    return sum(greys) / len(greys) if greys else None


def test_every_icon_follows_the_theme(cut, set_dark):
    set_dark(False)
    cut.actions_by_id["export"].trigger()
    cut.show_settings()
    dialogs = [cut.findChild(kind) for kind in (ExportDialog, SettingsDialog)]
    pictures = [*cut.tools.candidates.buttons, *cut.start_page.buttons.values()]
    icons = {
        button.toolTip(): button.icon
        for widget in (cut, *dialogs)
        for button in widget.findChildren(QToolButton)
        if button.toolTip()
        and not button.icon().isNull()
        and button not in (*pictures, cut.view.button, cut.banner.close_button)
    }
    del icons[dialogs[0].form.colour.toolTip()]
    assert len(icons) > 20

    def look():
        QApplication.processEvents()
        [handle] = cut.findChildren(DragHandle)
        images = {tip: icon().pixmap(20, 20) for tip, icon in icons.items()}
        images["drag"] = handle.pixmap()
        return {tip: lightness(image.toImage()) for tip, image in images.items()}

    light = look()
    set_dark(True)
    dark = look()
    kept = [tip for tip in light if light[tip] and dark[tip] < light[tip] + 50]
    assert not kept
    for dialog in dialogs:
        dialog.reject()


def test_the_objects_colour_is_seen_on_the_selected_row(cut, set_dark):
    set_dark(False)
    panel = cut.objects
    index = panel.list.model().index(0)
    rect = row_parts(panel.list.visualRect(index))["swatch"]
    shown = panel.list.viewport().grab(QRect(rect)).toImage()
    colours = {
        shown.pixelColor(x, y).rgb()
        for x in range(shown.width())
        for y in range(shown.height())
    }
    own = QColor(cut.document.state.object.colour).rgb()
    assert own in colours
    assert QColor("white").rgb() in colours, "a ring between two blues"


@pytest.mark.parametrize(("language", "text"), [("en", "0.50"), ("de", "0,50")])
def test_numbers_are_written_as_the_language_does(language, text):
    before = QLocale()
    QLocale.setDefault(QLocale(language))
    assert format_number(0.5, 2) == text
    assert format_number(12345.0, 0) == "12345"
    QLocale.setDefault(before)


def test_a_model_that_is_gone_is_told_once(window, settle, photo, qtbot):
    preferences.set_value("model", "my-own")
    for _ in range(2):
        window.open_path(photo)
        settle()
    assert "The model my-own is not installed; zim-tiny is used" in window.banner.text
    assert window.document.state.recipe.model == "zim-tiny"
    window.banner.dismiss()
    assert window.banner.isHidden()
    window.open_path(photo)
    settle()
    assert window.banner.isHidden()
