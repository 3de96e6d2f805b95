"""Texts that are shortened to the room that is left."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication

from zim_app.gui.elided_label import elided_file_name


@pytest.fixture
def metrics(qapp: QApplication) -> QFontMetrics:
    return QFontMetrics(qapp.font())


def test_files_that_begin_alike_are_told_apart(metrics: QFontMetrics) -> None:
    names = [f"holiday_photo_of_the_lake_{i:03}.jpg" for i in range(30)]
    width = metrics.horizontalAdvance("holiday_ph_01.jpg")
    shown = [elided_file_name(metrics, name, width) for name in names]
    assert len(set(shown)) == len(names)
    assert all(text.startswith("hol…") for text in shown)
    assert max(map(metrics.horizontalAdvance, shown)) <= width


def test_names_that_fit_are_whole(metrics: QFontMetrics) -> None:
    width = metrics.horizontalAdvance("a photo.jpg")
    assert elided_file_name(metrics, "a photo.jpg", width) == "a photo.jpg"


def test_hardly_any_room_is_no_error(metrics: QFontMetrics) -> None:
    assert "." not in elided_file_name(metrics, "photograph.jpg", 1)
