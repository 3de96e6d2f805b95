"""The window on small screens, in every language and with every tool."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PIL import Image
from PySide6.QtCore import QLocale, QPoint, QSize, Qt
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QApplication, QDialog, QScrollArea, QToolButton

from zim_app.gui import language
from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.tools.toolbox import TOOLS

SMALL = (1024, 660)
"""A screen of 1024 x 700 pixels, less the frame of the window."""


@pytest.fixture(params=["en", "de"])
def shown(request, qapp, next_window, tmp_path, qtbot):
    """A window with an image, and the strip of its folder, in a language."""
    before = QLocale()
    preferences.set_value("language", request.param)
    translators = language.install_translators(qapp)
    for name in "ab":
        Image.new("RGB", (80, 60)).save(tmp_path / f"{name}.png")
    window = next_window()
    window.open_path(tmp_path / "a.png")
    qtbot.waitUntil(lambda: window.idle)
    assert window.strip.isVisible()
    yield window
    for translator in translators:
        qapp.removeTranslator(translator)
    QLocale.setDefault(before)


def test_the_window_fits_a_small_screen_with_every_tool(shown, qtbot):
    tops, titles = set(), set()
    for tool in TOOLS:
        shown.actions_by_id[f"tool_{tool.id}"].trigger()
        shown.resize(*SMALL)
        qtbot.waitUntil(lambda: shown.idle)
        assert (shown.width(), shown.height()) == SMALL
        tops.add(shown.canvas.mapTo(shown, QPoint()).y())
        titles.add(shown.tools.options_bar.title.text())
    assert len(titles) == len(TOOLS)
    assert len(tops) == 1, "the image does not move when the tool changes"


@pytest.mark.parametrize(
    ("screen", "size"), [((1366, 768), (1200, 728)), ((2560, 1440), (1200, 800))]
)
def test_the_first_window_fits_its_screen(screen, size):
    available = SimpleNamespace(availableSize=lambda: QSize(*screen))
    assert window_state.first_size(available).toTuple() == size


def test_news_in_the_status_bar_moves_nothing(shown, qtbot):
    shown.resize(*SMALL)
    before = shown.canvas.geometry(), shown.minimumSizeHint()
    shown.status.show_success("Saved " + "a long name " * 40, "Open folder", print)
    qtbot.waitUntil(shown.status.success.button.isVisible)
    assert (shown.canvas.geometry(), shown.minimumSizeHint()) == before


def test_options_lose_their_texts_only_where_space_is_short(shown, qtbot):
    shown.actions_by_id["tool_brush"].trigger()
    buttons = shown.tools.options_bar.brush.brush.buttons.values()
    for width, texts in ((1600, True), (800, False), (1600, True)):
        shown.resize(width, 660)
        styles = {button.toolButtonStyle() for button in buttons}
        expected = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        assert (styles == {expected}) == texts
    for button in buttons:
        assert button.toolTip(), "an icon alone is explained"


def test_the_start_page_goes_on_with_recent_images(next_window, tmp_path, qtbot):
    for name in "abcd":
        Image.new("RGB", (80, 60)).save(tmp_path / f"{name}.png")
        window_state.add_recent_path(tmp_path / f"{name}.png")
    (tmp_path / "c.png").unlink()
    window = next_window()
    buttons = window.start_page.findChildren(QToolButton)
    names = [button.text() for button in buttons]
    assert names[:3] == ["d.png", "b.png", "a.png"]
    qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.idle)
    assert window.document.image.path == tmp_path / "b.png"


def test_all_refinement_is_seen_on_a_usual_screen(shown, qtbot):
    shown.resize(1366, 768)
    refine = shown.tools.refine
    bar = refine.findChild(QScrollArea).verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_the_buttons_of_the_refinement_are_seen_on_a_small_screen(shown, qtbot):
    shown.resize(*SMALL)
    qtbot.waitUntil(lambda: shown.idle)
    refine = shown.tools.refine
    buttons = (refine.reset_button, refine.copy_button, refine.keep_button)
    for button in buttons:
        assert button.visibleRegion().boundingRect() == button.rect()


def test_a_hint_without_room_ends_in_an_ellipsis(shown, qtbot):
    hint = shown.tools.options_bar.hint
    shown.resize(*SMALL)
    qtbot.waitUntil(lambda: shown.idle)
    hint.setText(3 * hint.text())
    assert hint.shown_text.endswith("\N{HORIZONTAL ELLIPSIS}")
    assert not hint.text().endswith("\N{HORIZONTAL ELLIPSIS}")
    before = hint.grab().toImage()
    hint.setText(hint.text()[: len(hint.shown_text) - 2])
    assert hint.grab().toImage() != before


@pytest.mark.parametrize("id_", ["batch", "evaluate", "cheat_sheet", "models"])
def test_a_dialog_fits_its_screen(shown, qtbot, monkeypatch, id_):
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(1024, 700))
    shown.actions_by_id[id_].trigger()
    kinds = (QDialog, EvaluationWindow)
    [dialog] = [
        each
        for each in QApplication.topLevelWidgets()
        if isinstance(each, kinds) and each.isVisible()
    ]
    assert dialog.width() <= SMALL[0]
    assert dialog.height() <= SMALL[1]
    for area in dialog.findChildren(QScrollArea):
        assert area.horizontalScrollBar().maximum() == 0
    dialog.close()
