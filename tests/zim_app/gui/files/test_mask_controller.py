"""Importing masks, refining objects and saving pairs, with a real window and files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from zim_app.core.export import ExportTarget, export
from zim_app.core.images import load_image
from zim_app.core.project import read_project
from zim_app.gui.files.mask_dialogs import MaskDialog, PairDialog
from zim_app.gui.settings import window_state

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
SOFT = np.zeros((60, 80), np.uint8)
SOFT[10:50, 20:40] = 255
SOFT[10:50, 40:50] = 100


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "dog mask.png"
    Image.fromarray(SOFT).save(path)
    return path


def choose(window, paths, settle, *, refine=True):
    """Choose files in the dialog, answer the question after it, and wait."""
    window.actions_by_id["import_mask"].trigger()
    [dialog] = window.findChildren(QFileDialog)
    dialog.filesSelected.emit([str(path) for path in paths])
    dialog.reject()
    answer(window, settle, refine=refine)


def answer(window, settle, *, refine=True):
    [dialog] = window.findChildren(MaskDialog)
    button = dialog.refine if refine else dialog.as_it_is
    QTest.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))
    assert button.isChecked()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    settle()


def test_a_mask_becomes_the_empty_object_in_one_step(opened, engine, mask, settle):
    choose(opened, [mask], settle)
    [entry] = opened.document.state.objects
    assert entry.name == "dog mask"
    [held] = entry.recipe.masks
    assert held.refine
    assert np.array_equal(held.decode(), SOFT)
    assert engine.solved[-1].recipe.masks == (held,)
    assert opened.document.state.matte is not None
    opened.actions_by_id["undo"].trigger()
    assert not opened.document.state.recipe.has_prompts
    opened.actions_by_id["redo"].trigger()
    assert opened.document.state.recipe.masks == (held,)


def test_as_it_is_is_remembered_and_several_masks_are_one_step(
    opened, mask, settle, tmp_path
):
    other = tmp_path / "other.png"
    Image.fromarray(SOFT[::-1].copy()).save(other)
    choose(opened, [mask, other], settle, refine=False)
    assert [o.name for o in opened.document.state.objects] == ["dog mask", "other"]
    assert not any(o.recipe.masks[0].refine for o in opened.document.state.objects)
    assert opened.document.undo_stack.count() == 1
    assert not window_state.refine_masks()


def test_what_was_cut_out_before_stays(opened, mask, settle, qtbot):
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    before = opened.document.state.object
    choose(opened, [mask], settle)
    assert opened.document.state.objects[1] == before
    assert opened.document.state.active == 0
    # A negative click on it is an edit like any other, and gives no error.
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.RightButton, pos=at)
    settle()
    assert opened.document.state.recipe.prompts.only_negative
    assert opened.document.state.recipe.masks
    assert opened.document.state.matte is not None
    assert not opened.banner.isVisible()
    opened.actions_by_id["clear"].trigger()
    settle()
    assert opened.document.state.recipe.masks


def test_a_mask_is_part_of_projects_and_recipes(opened, mask, settle, tmp_path):
    choose(opened, [mask], settle)
    path = tmp_path / "saved.zimproj"
    opened.files._on_project_chosen(str(path))
    settle()
    stack = read_project(path).stack
    assert stack.objects == opened.document.state.objects
    assert json.loads(path.read_text())["objects"][0]["recipe"]["masks"][0]["refine"]


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (np.full((30, 40), 255, np.uint8), "40 x 30 pixels and photo.png 80 x 60"),
        (np.zeros((60, 80), np.uint8), "empty mask"),
        (None, "bad.png"),
    ],
)
def test_an_unusable_mask_is_reported(opened, mask, settle, tmp_path, pixels, sentence):
    bad = tmp_path / "bad.png"
    if pixels is None:
        bad.write_bytes(b"no image")
    else:
        Image.fromarray(pixels).save(bad)
    choose(opened, [mask, bad], settle)
    assert sentence in opened.banner.text
    assert not opened.document.state.recipe.has_prompts, "all of them or none"
    assert opened.document.undo_stack.count() == 0


def drop(window, path, modifiers):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    move = Qt.DropAction.MoveAction | Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), move, data, LEFT, modifiers)
    window.dragEnterEvent(enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(50, 50), move, data, LEFT, modifiers)
    window.dropEvent(event)
    return event.dropAction()


def test_shift_and_drop_imports_and_never_moves_the_file(opened, mask, settle):
    assert drop(opened, mask, SHIFT) == Qt.DropAction.CopyAction
    answer(opened, settle)
    assert opened.document.image.name == "photo.png"
    assert opened.document.state.recipe.masks
    drop(opened, mask, NONE)
    settle()
    assert opened.document.image.name == "dog mask.png"


@pytest.fixture
def cut(opened, qtbot, settle):
    """The window with a matte: the left half of an image of 80 x 60 pixels."""
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    return opened


def confirm(window, button):
    [box] = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    assert "Replace the object's points" in box.text()
    box.button(getattr(QMessageBox.StandardButton, button)).click()


def test_the_converter_takes_over_an_object(cut, engine, settle):
    before = cut.document.state.recipe
    cut.document.edit("Feather", before.with_finish(feather=3.0, decontaminate=0.5))
    settle()
    cut.actions_by_id["object_refine"].trigger()
    confirm(cut, "Cancel")
    settle()
    assert cut.document.state.recipe.prompts == before.prompts
    cut.actions_by_id["object_refine"].trigger()
    confirm(cut, "Yes")
    settle()
    after = cut.document.state.recipe
    [mask] = after.masks
    assert mask.refine
    assert np.array_equal(mask.decode() > 0, cut.document.state.matte.alpha > 0)
    assert not after.prompts
    assert (after.finish.feather, after.finish.decontaminate) == (0.0, 0.5)
    assert engine.solved[-1].recipe.masks == (mask,)
    cut.actions_by_id["undo"].trigger()
    assert cut.document.state.recipe.prompts == before.prompts


def test_a_training_pair_is_saved_and_the_folder_remembered(cut, settle, tmp_path):
    folder = tmp_path / "learn"
    for _ in range(2):
        cut.actions_by_id["training_pair"].trigger()
        dialog = cut.findChildren(PairDialog)[-1]
        assert not dialog.all.isEnabled()
        dialog.folder.setText(str(folder))
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        settle()
        assert window_state.pair_folder() == folder
        assert "studio__photo.alpha.png" in cut.status.success.text
    names = sorted(path.name for path in (folder / "matte").iterdir())
    assert names == ["studio__photo.alpha.png", "studio__photo.png"]


def test_nothing_can_be_done_without_a_matte(opened):
    for name in ("object_refine", "training_pair"):
        assert not opened.actions_by_id[name].isEnabled()
    assert opened.actions_by_id["import_mask"].isEnabled()


# --- The photo's own transparency -----------------------------------------------------


@pytest.fixture
def transparent(tmp_path):
    """A photo with a soft edge of its own, at 16 bits."""
    import cv2

    pixels = np.full((60, 80, 4), 30_000, np.uint16)
    pixels[..., 3] = np.linspace(0, 65535, 60 * 80).reshape(60, 80)
    path = tmp_path / "cut.png"
    cv2.imwrite(str(path), pixels)
    return path


def test_the_photos_transparency_is_offered_and_exported_as_it_was(
    window, transparent, settle, qtbot, tmp_path
):
    window.open_path(transparent)
    settle()
    assert "cut.png has transparency of its own" in window.banner.label.text()
    assert not window.document.state.recipe.has_prompts
    qtbot.mouseClick(window.banner.action_button, LEFT)
    settle()
    [entry] = window.document.state.objects
    assert entry.name == "Transparency"
    [mask] = entry.recipe.masks
    assert not mask.refine
    assert not window.banner.isVisible()
    alpha = window.document.image.source_alpha
    matte = mask.decode() * np.uint16(257)  # which the engine makes of it
    out = tmp_path / "out.png"
    export(window.document.image, [ExportTarget(matte)], out)
    assert np.array_equal(load_image(out).source_alpha, alpha)
    window.actions_by_id["undo"].trigger()
    assert not window.document.state.recipe.has_prompts


def test_it_is_offered_neither_for_opaque_nor_empty_nor_worked_on_photos(
    window, photo, transparent, settle, tmp_path, qtbot
):
    Image.new("RGBA", (80, 60)).save(tmp_path / "empty.png")
    for path in (photo, tmp_path / "empty.png"):
        window.open_path(path)
        settle()
        assert not window.banner.isVisible()
    window.open_path(transparent)
    settle()
    qtbot.mouseClick(window.banner.action_button, LEFT)
    settle()
    window.open_path(photo)
    settle()
    window.open_path(transparent)  # its session has the object
    settle()
    assert window.document.state.recipe.masks
    assert not window.banner.isVisible()
