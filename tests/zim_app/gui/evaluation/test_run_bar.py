"""The progress of an evaluation in a narrow panel."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from zim_app.gui.evaluation.run_bar import RunBar


def test_a_long_detail_is_shortened_on_screen_only(qtbot):
    bar, detail = RunBar(), "a very long name of a case " * 10
    qtbot.addWidget(bar)
    bar.resize(300, 80)
    bar.show()
    bar.show_progress(1, 2, detail)
    assert QLabel.text(bar.label).endswith("…")
    assert bar.width() == 300
    assert detail in bar.label.toolTip()
    assert detail in bar.label.accessibleName()
