"""Parts of the refine panel are folded away, and stay so."""

import pytest
from PySide6.QtCore import QSettings, Qt

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def refine(opened):
    opened.resize(1300, 950)
    return opened.tools.refine


def test_everything_is_open_at_first(refine):
    assert all(section.opened for section in refine.sections.values())
    assert refine.fields["contrast"].isVisible()
    assert refine.detail.isVisible()


def test_a_click_folds_a_part_away_and_another_one_opens_it(refine, qtbot):
    header, before = refine.sections["edge"].header, refine.height()
    qtbot.mouseClick(header, LEFT)
    assert not refine.fields["contrast"].isVisible()
    assert refine.fields["decontaminate"].isVisible()
    qtbot.waitUntil(lambda: refine.height() < before - 80)
    qtbot.mouseClick(header, LEFT)
    assert refine.fields["contrast"].isVisible()
    qtbot.waitUntil(lambda: refine.height() >= before)


def test_keys_do_it_too_and_tab_passes_what_is_folded(opened, refine, qtbot):
    header = refine.sections["edge"].header
    opened.activateWindow()
    header.setFocus()
    qtbot.keyClick(header, Qt.Key.Key_Space)
    assert not refine.sections["edge"].opened
    assert "folded away" in header.accessibleName()
    qtbot.keyClick(header, Qt.Key.Key_Tab)
    assert refine.sections["colours"].header.hasFocus()


def test_the_focus_is_seen(opened, refine):
    opened.activateWindow()
    header = refine.sections["edge"].header
    before = header.grab().toImage()
    header.setFocus()
    assert header.grab().toImage() != before


def test_a_folded_part_stays_folded(refine, next_window, qtbot):
    qtbot.mouseClick(refine.sections["detail"].header, LEFT)
    again = next_window().tools.refine
    opened = {name: section.opened for name, section in again.sections.items()}
    assert opened == {"edge": True, "colours": True, "detail": False}


@pytest.mark.parametrize("stored", ["no json", '{"refine": 3}', '{"refine": ["?"]}'])
def test_a_damaged_setting_opens_everything(next_window, stored):
    QSettings().setValue("folded_sections", stored)
    assert all(x.opened for x in next_window().tools.refine.sections.values())
