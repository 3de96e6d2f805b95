"""Mattes that take long: a draft first, then a percentage until the matte is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

import zim_model.request
from zim_model.prompts import Point

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def solved_slowly(opened, engine, settle, qtbot, monkeypatch):
    """A window whose image has drafts, with a click that is solved."""
    monkeypatch.setattr(zim_model.request, "DRAFT_PIXELS", 100)
    at = opened.canvas.to_view(10, 10).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    engine.solved.clear()
    return opened


def decontaminate(window):
    window.tools.refine.fields["decontaminate"].number.setValue(50)
    window.tools.refine.fields["decontaminate"].commit_pending()


def test_a_draft_is_shown_before_the_matte(solved_slowly, engine, settle, qtbot):
    window, drafted = solved_slowly, []
    window.queue.drafted.connect(lambda request, matte: drafted.append(matte))
    states = []
    window.document.changed.connect(lambda old, new: states.append(new))
    decontaminate(window)
    settle()
    committed = [request for request in engine.solved if request.recipe.has_prompts]
    assert [request.draft for request in committed][-2:] == [True, False]
    shown = [state for state in states if state.matte is drafted[-1]]
    assert shown
    assert all(state.is_pending for state in shown), "an export waits for the matte"
    assert window.document.state.has_current_matte
    assert window.document.state.matte is not drafted[-1]


def test_the_percentage_is_told_until_the_matte_is_there(
    opened, engine, settle, qtbot, monkeypatch
):
    opened.document.edit("", opened.document.state.recipe.with_point(Point(9, 9)))
    settle()
    assert "%" not in opened.status.activity.text()
    engine.progress, work = 0.43, engine._work
    engine.gate.clear()
    # The gate holds only what solves, not what encodes before it.
    monkeypatch.setattr(
        engine, "_work", lambda kind, *args: kind == "solve" and work(kind, *args)
    )
    recipe = opened.document.state.recipe.with_finish(decontaminate=1.0)
    opened.document.edit("", recipe)
    qtbot.waitUntil(lambda: opened.status.activity.text() == "Matting… 43 %")
    assert opened.actions_by_id["stop"].isEnabled()
    engine.gate.set()
    settle()
    assert "%" not in opened.status.activity.text()
    assert "matte 5 ms" in opened.status.times.text(), "it was no click"


def test_previews_of_sliders_are_drafts(solved_slowly, engine, settle):
    field = solved_slowly.tools.refine.fields["feather"]
    field.slider.setValue(300)
    settle()
    assert any(request.draft for request in engine.solved)
    field.commit_pending()
    settle()
    assert not engine.solved[-1].draft


def test_a_stale_draft_is_dropped(solved_slowly):
    document = solved_slowly.document
    matte = document.state.matte
    other = document.request(replace(document.state.recipe, model="other"))
    document.receive_draft(other, replace(matte))
    document.receive_draft(document.request(), replace(matte))  # which is solved
    assert document.state.matte is matte
