"""Window and level of grey values beyond 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from zim_app.core.greys import GreyView
from zim_app.core.images import load_image
from zim_app.core.project import read_project
from zim_app.gui.files.grey_bar import AUTOMATIC, OWN
from zim_model.medical.window import PRESETS, Window
from zim_model.prompts import Box


@pytest.fixture
def scan(tmp_path):
    """A 16-bit grey photo that uses a small part of the range."""
    values = np.linspace(1000, 2000, 60 * 80).astype(np.uint16).reshape(60, 80)
    path = tmp_path / "scan.png"
    Image.fromarray(values).save(path)
    return path


@pytest.fixture
def bar(window, scan, settle):
    window.open_path(scan)
    settle()
    return window.files.greys.bar


def choose(qtbot: QtBot, window, bar, key) -> None:
    before = window.document.image.key
    index = bar.presets.findData(key)
    bar.presets.setCurrentIndex(index)
    bar.presets.activated.emit(index)
    qtbot.waitUntil(lambda: window.document.image.key != before)


def test_the_bar_is_there_for_such_photos_only(window, bar, photo, settle):
    assert bar.isVisibleTo(window)
    assert bar.presets.currentData() == OWN
    assert not bar.slice.isVisibleTo(window)
    window.open_path(photo)
    settle()
    assert not bar.isVisibleTo(window)


def test_a_window_changes_what_is_seen_and_keeps_the_rest(
    qtbot, window, bar, scan, settle
):
    document = window.document
    recipe = document.state.recipe.with_box(Box(5, 5, 40, 40))
    document.edit("Box", recipe)
    settle()
    source, content = document.image.source, scan.read_bytes()
    window.canvas.set_zoom(3.0)
    assert document.image.rgb.max() < 10
    choose(qtbot, window, bar, AUTOMATIC)
    settle()
    image = window.document.image
    assert (image.rgb.min(), image.rgb.max()) == (0, 255)
    assert np.array_equal(image.source, source)  # for exports
    assert scan.read_bytes() == content
    assert window.document.state.recipe.prompts == recipe.prompts
    assert window.document.undo_stack.count() == 1
    assert window.canvas.zoom == pytest.approx(3.0)
    choose(qtbot, window, bar, OWN)
    settle()
    assert np.array_equal(window.document.image.rgb, load_image(scan).rgb)


def test_level_and_width_can_be_typed(qtbot, window, bar, settle):
    bar.level.setValue(1500)
    bar.extent.setValue(500)
    expected = GreyView(Window(1500, 500))
    qtbot.waitUntil(lambda: window.document.image.greys.view == expected)
    settle()
    assert bar.presets.currentText() == "Custom"
    bar.level_slider.setValue(0)
    qtbot.waitUntil(lambda: window.document.image.greys.view != expected)
    settle()
    assert window.document.image.rgb.mean() > 200


def test_a_project_and_a_session_remember_the_window(
    qtbot, window, bar, scan, tmp_path, settle, photo
):
    choose(qtbot, window, bar, AUTOMATIC)
    settle()
    document = window.document
    document.edit("Box", document.state.recipe.with_box(Box(5, 5, 40, 40)))
    settle()
    key, view = document.image.key, document.image.view
    window.files._save(tmp_path / "p.zimproj")
    settle()
    assert read_project(tmp_path / "p.zimproj").reference.view == view
    for path in (photo, scan, photo, tmp_path / "p.zimproj"):
        window.open_path(path)
        settle()
        if path != photo:
            assert window.document.image.key == key
            assert window.document.state.recipe.prompts.box == Box(5, 5, 40, 40)
            assert bar.level.value() == pytest.approx(view.window.level, abs=0.05)


def test_slices_of_a_volume_have_objects_of_their_own(qtbot, window, tmp_path, settle):
    nibabel = pytest.importorskip("nibabel")
    values = np.zeros((80, 60, 5), np.int16) - 1000
    values[20:40, 20:40] = 60
    values[:10, :10, 0] = -300
    path = tmp_path / "ct.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), path)
    window.open_path(path)
    settle()
    bar = window.files.greys.bar
    assert (bar.slice.value(), bar.slice.maximum()) == (3, 5)
    assert bar.presets.findData("lung") >= 0
    document = window.document
    document.edit("Box", document.state.recipe.with_box(Box(5, 5, 40, 40)))
    settle()
    moved = path.rename(tmp_path / "moved.nii.gz")
    bar.slice.setValue(5)
    qtbot.waitUntil(lambda: bar.slice.value() == 3)  # what is still open
    moved.rename(path)
    bar.slice.setValue(1)
    qtbot.waitUntil(lambda: window.document is not document)
    settle()
    assert window.document.image.view == GreyView(None, 0)
    assert not window.document.state.recipe.prompts
    choose(qtbot, window, bar, "soft-tissue")
    assert window.document.image.view == GreyView(PRESETS["soft-tissue"], 0)
    settle()
