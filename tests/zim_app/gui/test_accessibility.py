"""Screen readers and the keyboard: names, the tab order, and what is announced."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QLabel,
    QLineEdit,
    QWidget,
)

from zim_app.gui import accessibility
from zim_app.gui.commands.cheat_sheet import CheatSheet
from zim_app.gui.crash import CrashDialog
from zim_app.gui.files.mask_dialogs import MaskDialog, PairDialog
from zim_app.gui.notices import Banner
from zim_app.gui.panels.object_texts import object_summary, prompt_summary
from zim_app.gui.settings.settings_dialog import SettingsDialog
from zim_model.prompts import Box, Point, Scribble
from zim_model.recipe import Recipe

COMPOUND = (QAbstractSpinBox, QComboBox, QLineEdit)
NO_FOCUS = Qt.FocusPolicy.NoFocus


# -- Names ------------------------------------------------------------------------


def is_part(widget: QWidget) -> bool:
    """Whether it belongs to another control, or hands its focus on."""
    parent = widget.parentWidget()
    while parent is not None and not parent.isWindow():
        if isinstance(parent, COMPOUND):
            return True
        parent = parent.parentWidget()
    inside = isinstance(parent, QWidget) and isinstance(parent.parent(), QComboBox)
    return inside or widget.focusProxy() is not None


def is_empty_message(widget: QWidget) -> bool:
    banner = widget.parent()
    return isinstance(banner, Banner) and not banner.text


def name_of(widget: QWidget, labels: list[QLabel]) -> str:
    """The name that screen readers get on every system."""
    if isinstance(widget, QComboBox):  # some systems take the chosen entry for it
        buddies = [label.text() for label in labels if label.buddy() is widget]
        return widget.accessibleName() or "".join(buddies)
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface else ""


def nameless(root: QWidget) -> list[str]:
    """Buttons and widgets that can have the focus but have no name."""
    labels = root.findChildren(QLabel)
    return [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}: "
        f"{widget.toolTip()}"
        for widget in [root, *root.findChildren(QWidget)]
        if (widget.focusPolicy() != NO_FOCUS or isinstance(widget, QAbstractButton))
        and not widget.objectName().startswith("qt_")
        and not is_part(widget)
        and not is_empty_message(widget)
        and not name_of(widget, labels)
    ]


@pytest.fixture
def cut(opened, engine, tmp_path, monkeypatch, qtbot, settle):
    """The window with all panels, a matte with candidates, and a second photo."""
    solve, candidates = engine.solve, (np.zeros((60, 80), np.uint8),) * 4
    monkeypatch.setattr(
        engine, "solve", lambda *query: replace(solve(*query), candidates=candidates)
    )
    Image.new("RGB", (80, 60)).save(tmp_path / "another.png")
    opened.open_path(tmp_path / "another.png")
    settle()
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle()
    return opened


def test_every_control_of_the_window_has_a_name(cut):
    cut.banner.show_error("It failed.", "", "Undo", lambda: None)
    cut.banner.show_error("It failed again.", "", "Undo", lambda: None)
    cut.status.show_success("Saved it.", "Open folder", lambda: None)
    cut.everything.handlers["everything"]()
    for id_ in ("tool_brush", "tool_scribble", "wipe", "loupe"):
        cut.actions_by_id[id_].trigger()
        assert nameless(cut) == []


@pytest.mark.parametrize(
    "make",
    [
        SettingsDialog,
        CheatSheet,
        lambda window: CrashDialog("a bug", window),
        lambda window: PairDialog(
            window.document.image.path.parent, window, several=True
        ),
        lambda window: MaskDialog((window.document.image.path,), window),
    ],
    ids=["settings", "keys", "crash", "training pair", "mask"],
)
def test_every_control_of_a_dialog_has_a_name(make, opened):
    dialog = make(opened)
    assert nameless(dialog) == []
    dialog.close()


@pytest.mark.parametrize("id_", ["export", "batch", "models", "about"])
def test_every_control_of_an_opened_dialog_has_a_name(cut, id_):
    cut.actions_by_id[id_].trigger()
    [dialog] = [x for x in cut.findChildren(QDialog) if x.isVisible()]
    assert nameless(dialog) == []
    dialog.close()


def test_every_control_of_the_evaluation_window_has_a_name(window):
    window.evaluation.show_window()
    assert nameless(window.evaluation.window) == []


def test_controls_of_one_form_have_different_names(cut):
    cut.actions_by_id["export"].trigger()
    [dialog] = [x for x in cut.findChildren(QDialog) if x.isVisible()]
    form = dialog.form
    assert form.amount.accessibleName() != form.size_mode.accessibleName()
    assert form.decontaminate.accessibleName() == "Decontaminate"
    dialog.close()


# -- The tab order ----------------------------------------------------------------


def can_have_tab(widget: QWidget) -> bool:
    tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    shown = widget.isVisible() and widget.isEnabled()
    # Arrow keys go through a group of exclusive buttons.
    button = widget if isinstance(widget, QAbstractButton) else None
    chosen = button is None or button.group() is None or button.isChecked()
    return bool(tab) and shown and chosen and not is_part(widget)


def walk(window: QWidget, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Widgets that have the focus one after the other, from the canvas back to it."""
    window.activateWindow()
    window.canvas.setFocus()
    visited = [window.canvas]
    while len(visited) < 100:
        QTest.keyClick(QApplication.focusWidget(), key)
        focused = QApplication.focusWidget()
        if focused is not window.canvas:
            visited.append(focused)
        elif window.canvas.selected is None:  # else it goes through the prompts
            return visited
    raise AssertionError(f"the canvas is not reached again: {visited[-5:]}")


@pytest.fixture
def full(cut, qtbot):
    """The window at a size where nothing is cut off, with the brush's options."""
    cut.resize(1400, 1000)
    cut.actions_by_id["tool_brush"].trigger()
    qtbot.waitUntil(lambda: cut.width() == 1400)
    return cut


def test_tab_reaches_everything(full):
    wanted = {x for x in full.findChildren(QWidget) if can_have_tab(x)}
    assert len(wanted) > 10
    assert wanted <= set(walk(full))


def test_tab_follows_the_layout_in_each_panel(full):
    visited = walk(full)
    panels = [x for x in full.findChildren(QDockWidget) if x.isVisible()]
    panels.append(full.tools.options_bar)
    panels = [x for x in panels if any(map(can_have_tab, x.findChildren(QWidget)))]
    assert len(panels) > 3
    for panel in panels:
        inside = [i for i, x in enumerate(visited) if panel.isAncestorOf(x)]
        assert inside, panel.windowTitle()
        assert inside == list(range(inside[0], inside[-1] + 1)), "one after the other"
        places = [visited[i].mapTo(panel, QPoint()) for i in inside]
        rows = [(place.y() // 20, place.x()) for place in places]
        assert rows == sorted(rows), panel.windowTitle()


def test_panels_are_visited_from_top_to_bottom(full):
    visited = walk(full)
    docks = (full.objects, full.tools.candidates, full.tools.refine)
    firsts = [
        next(i for i, x in enumerate(visited) if dock.isAncestorOf(x)) for dock in docks
    ]
    assert firsts == sorted(firsts)


def test_the_order_follows_a_panel_that_was_moved(full):
    full.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, full.tools.refine)
    visited = walk(full)
    firsts = [x for x in visited if not full.tools.options_bar.isAncestorOf(x)]
    assert firsts[0] is full.canvas
    assert full.tools.refine.isAncestorOf(visited[-1]), "just before the canvas"


def test_messages_can_be_closed_with_the_keyboard(full, qtbot):
    full.banner.show_error("It failed.")
    assert full.banner.close_button in walk(full)
    full.banner.close_button.setFocus()
    qtbot.keyClick(full.banner.close_button, Qt.Key.Key_Space)
    assert not full.banner.isVisible()
    assert QApplication.focusWidget() is not None


def test_shift_and_tab_goes_the_same_way_back(full):
    forwards, back = walk(full), walk(full, Qt.Key.Key_Backtab)
    assert back == [forwards[0], *reversed(forwards[1:])]


# -- Objects and the canvas ---------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "box", "text"),
    [
        (0, None, "empty"),
        (1, None, "a point"),
        (3, Box(0, 0, 9, 9), "3 points and a box"),
    ],
)
def test_a_recipe_in_words(qapp, points, box, text):
    recipe = Recipe()
    for x in range(points):
        recipe = recipe.with_point(Point(x, 1))
    if box is not None:
        recipe = recipe.with_box(box)
    assert prompt_summary(recipe) == text


def test_a_lasso_in_words(qapp):
    loop = Scribble(((1, 1), (9, 1), (5, 8)), region=True)
    recipe = Recipe().with_scribble(Scribble(((1, 1), (9, 1)))).with_scribble(loop)
    assert prompt_summary(recipe) == "a scribble and a lasso"


def row_text(window, row=0):
    index = window.objects.model.index(row)
    return index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_rows_tell_what_an_object_is(cut, engine, settle):
    assert row_text(cut) == "Object 1, visible, has a matte, a point"
    cut.actions_by_id["object_solo"].trigger()
    assert "the only one shown" in row_text(cut)
    cut.actions_by_id["object_solo"].trigger()
    cut.actions_by_id["object_visible"].trigger()
    assert "hidden" in row_text(cut)
    cut.actions_by_id["undo"].trigger()
    engine.gate.clear()
    recipe = cut.document.state.recipe.with_point(Point(5, 5))
    cut.document.edit("Add point", recipe)
    assert row_text(cut) == "Object 1, visible, matte not ready, 2 points"
    engine.gate.set()
    settle()
    assert row_text(cut) == object_summary(cut.document.state, 0)


def test_the_canvas_tells_its_state(cut):
    description = cut.canvas.accessibleDescription()
    for part in ("has a matte, a point.", "Tool: Point and box.", "Overlay", "Enter"):
        assert part in description
    cut.actions_by_id["tool_brush"].trigger()
    cut.actions_by_id["view_matte"].trigger()
    description = cut.canvas.accessibleDescription()
    assert "Tool: Brush." in description
    assert "View: Matte." in description


@pytest.fixture
def spoken(monkeypatch):
    """What a screen reader is asked to speak."""
    spoken = []
    reader = SimpleNamespace(
        isActive=lambda: True,
        updateAccessibility=lambda event: spoken.append(event.message()),
    )
    monkeypatch.setattr(accessibility, "QAccessible", reader)
    return spoken


def test_changes_are_announced(spoken, opened, qtbot, settle):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Return)
    assert spoken == ["a point"]
    settle()
    assert spoken[-1].startswith("The matte is ready: Object 1")
    opened.actions_by_id["tool_brush"].trigger()
    assert spoken[-1] == "Brush"
    opened.actions_by_id["view_matte"].trigger()
    assert spoken[-1] == "Matte"
    opened.actions_by_id["object_new"].trigger()
    assert spoken[-1] == "Object 2, visible, empty"


def test_messages_are_announced(spoken, opened):
    opened.banner.show_error("It failed.", "Try again.")
    assert spoken == ["It failed.\nTry again."]
    opened.status.show_success("Saved it.")
    assert spoken[-1] == "Saved it."


def test_nothing_is_announced_without_a_screen_reader(spoken, opened):
    accessibility.QAccessible.isActive = lambda: False
    opened.banner.show_error("It failed.")
    assert spoken == []
