"""Presets and canvases in the export dialog, with a real window and real files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox
from shiboken6 import isValid

from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.presets import BUILT_IN, PresetStore, read_preset, write_preset
from zim_app.gui import language
from zim_app.gui.files.export_dialog import ExportDialog
from zim_app.gui.files.preset_bar import NameDialog
from zim_app.gui.settings import preferences
from zim_model.errors import ZimError

LEFT = Qt.MouseButton.LeftButton
MINE = ExportOptions(
    "composite", "jpeg", quality=70, canvas=Canvas(64, 48, "px", padding=12.5)
)
SMALL = (1024, 660)
"""A screen of 1024 x 700 pixels, less the frame of a window."""


@pytest.fixture
def store() -> PresetStore:
    return PresetStore()


@pytest.fixture
def cut(opened, qtbot, settle):
    """The window with a matte: the left half of an image of 80 x 60 pixels."""
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    return opened


@pytest.fixture
def show(cut):
    """Show the export dialog."""
    dialogs = []

    def make() -> ExportDialog:
        cut.actions_by_id["export"].trigger()
        dialogs.append(cut.findChildren(ExportDialog)[-1])
        return dialogs[-1]

    yield make
    for dialog in dialogs:
        if isValid(dialog):
            dialog.reject()


def pick(dialog, name: str) -> None:
    """Choose a preset with the keyboard."""
    box = dialog.form.presets.list
    box.setFocus()
    for _ in range(box.count()):
        if box.currentData() != name:
            below = box.findData(name) > box.currentIndex()
            QTest.keyClick(box, Qt.Key.Key_Down if below else Qt.Key.Key_Up)
    assert box.currentData() == name


def choose(box, value) -> None:
    index = box.findData(value)
    assert index >= 0
    box.setCurrentIndex(index)


def shown(dialog) -> str:
    return dialog.form.presets.list.currentText()


def type_name(dialog, name: str, qtbot) -> NameDialog:
    named = dialog.form.presets.findChildren(NameDialog)[-1]
    named.line.selectAll()
    qtbot.keyClicks(named.line, name)
    return named


# -- Choosing --------------------------------------------------------------------------


def test_a_preset_sets_the_form_and_tells_the_size(show) -> None:
    dialog = show()
    assert shown(dialog) == "Custom"
    pick(dialog, "marketplace")
    assert dialog.options == replace(BUILT_IN[0].options, scope="active")
    assert "photo.jpg – 2000 × 2000 pixels, the object at" in dialog.preview.text()
    assert "% of the photo's size" in dialog.preview.text()
    assert dialog.form.canvas.padding.text() == QLocale().toString(7.5)
    assert not dialog.form.trim.isVisible()
    assert not dialog.form.size_mode.isVisible()
    pick(dialog, "web")
    assert dialog.form.trim.isVisible()
    assert not dialog.form.canvas.padding.isVisible()


def test_a_change_is_told_and_undone_by_choosing_again(show) -> None:
    dialog = show()
    pick(dialog, "marketplace")
    assert shown(dialog) == BUILT_IN[0].title
    dialog.form.quality.setValue(50)
    assert shown(dialog) == f"{BUILT_IN[0].title} (changed)"
    dialog.form.quality.setValue(90)
    assert shown(dialog) == BUILT_IN[0].title
    dialog.form.canvas.align.setCurrentIndex(1)
    assert "(changed)" in shown(dialog)
    pick(dialog, "marketplace")
    assert shown(dialog) == BUILT_IN[0].title
    assert dialog.options.canvas == BUILT_IN[0].options.canvas


def test_the_preset_of_the_last_export_is_shown_again(show, settle) -> None:
    dialog = show()
    pick(dialog, "square")
    dialog.ok.click()
    settle()
    assert shown(show()) == "Square, transparent"


def test_the_file_is_as_the_preset_says(show, settle, store, photo: Path) -> None:
    store.save("mine", MINE)
    dialog = show()
    pick(dialog, "mine")
    dialog.ok.click()
    settle()
    with Image.open(photo.parent / "cutouts" / "photo-composite.jpg") as image:
        pixels = np.asarray(image).astype(int)
    assert pixels.shape == (48, 64, 3)
    assert (pixels[0] > 220).all(), "white, as far as JPEG can"
    object_ = np.flatnonzero((np.abs(pixels - (200, 100, 50)) < 20).all(2).any(1))
    assert object_[0] == pytest.approx(6, abs=1), "12.5 % of 48"


def test_canvases_of_every_kind(show) -> None:
    dialog = show()
    canvas = dialog.form.canvas
    choose(canvas.mode, "square")
    assert dialog.options.canvas == Canvas()
    assert "60 × 60 pixels" in dialog.preview.text()
    choose(canvas.mode, "ratio")
    assert canvas.width.isVisible()
    assert canvas.between.text() == ":"
    canvas.width.setValue(2)
    canvas.height.setValue(1)
    assert "120 × 60 pixels" in dialog.preview.text()
    choose(canvas.padding_unit, "px")
    canvas.padding.setValue(10)
    assert "160 × 80 pixels" in dialog.preview.text()
    choose(canvas.mode, "px")
    assert (canvas.width.value(), canvas.height.value()) == (2000, 2000)
    canvas.padding.setValue(1000)
    assert "leaves no room" in dialog.preview.text()
    assert not dialog.ok.isEnabled()
    choose(canvas.mode, "ratio")
    assert (canvas.width.value(), canvas.height.value()) == (2, 1)
    choose(canvas.mode, "none")
    assert dialog.options == ExportOptions()


def test_a_shadow_is_not_offered_for_a_matte(show) -> None:
    dialog = show()
    assert dialog.form.shadow.isVisible()
    choose(dialog.form.what, "matte")
    assert not dialog.form.shadow.isVisible()


def test_no_dependable_shadow_is_told_after_the_export(
    show, cut, settle, photo, tmp_path
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    cut.open_path(tmp_path / "noise.png")
    settle()
    QTest.mouseClick(
        cut.canvas.viewport(), LEFT, pos=cut.canvas.to_view(20, 20).toPoint()
    )
    settle()
    dialog = show()
    QTest.mouseClick(dialog.form.shadow, LEFT, pos=QPoint(8, 8))
    dialog.ok.click()
    settle()
    assert (tmp_path / "cutouts" / "noise-cutout.png").exists()
    assert "noise.png: No dependable shadow was found" in cut.banner.text
    assert "noise-cutout.png" in cut.status.success.text
    dialog = show()
    assert dialog.form.shadow.isChecked()
    dialog.form.shadow.setChecked(False)
    dialog.ok.click()
    settle()
    assert not cut.banner.text


# -- Managing --------------------------------------------------------------------------


def test_an_own_preset_is_saved_renamed_and_deleted(show, store, qtbot) -> None:
    dialog = show()
    bar = dialog.form.presets
    for action in (bar.save, bar.rename, bar.delete):
        assert not action.isEnabled()
    choose(dialog.form.canvas.mode, "square")
    bar.save_as.trigger()
    named = type_name(dialog, "My shop", qtbot)
    qtbot.keyClick(named.line, Qt.Key.Key_Return)
    assert shown(dialog) == "My shop"
    assert store.find("My shop").options == dialog.options
    dialog.form.quality.setValue(33)
    assert shown(dialog) == "My shop (changed)"
    bar.save.trigger()
    assert shown(dialog) == "My shop"
    assert store.find("My shop").options.quality == 33
    bar.rename.trigger()
    named = type_name(dialog, "Shelf", qtbot)
    named.ok.click()
    assert shown(dialog) == "Shelf"
    bar.delete.trigger()
    [box] = bar.findChildren(QMessageBox)
    assert "Shelf" in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert store.find("Shelf")
    bar.delete.trigger()
    box = bar.findChildren(QMessageBox)[-1]
    [delete] = [x for x in box.buttons() if x.text() == "Delete"]
    delete.click()
    assert shown(dialog) == "Custom"
    with pytest.raises(ZimError, match="no preset"):
        store.find("Shelf")


def test_a_renamed_preset_that_was_changed_is_still_changed(show, store, qtbot) -> None:
    store.save("mine", MINE)
    dialog = show()
    pick(dialog, "mine")
    dialog.form.quality.setValue(33)
    dialog.form.presets.rename.trigger()
    type_name(dialog, "ours", qtbot).ok.click()
    assert shown(dialog) == "ours (changed)"
    assert store.find("ours").options.quality == 70


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b", "cannot be the name of a preset"),
        ("MINE", "There is a preset MINE already"),
        ("web", "built-in"),
        ("", ""),
    ],
)
def test_a_name_that_cannot_be_is_not_accepted(
    show, store, qtbot, name, reason
) -> None:
    store.save("mine", MINE)
    dialog = show()
    dialog.form.presets.save_as.trigger()
    named = type_name(dialog, name, qtbot)
    assert not named.ok.isEnabled()
    assert reason in named.problem.text()
    qtbot.keyClick(named.line, Qt.Key.Key_Return)
    assert [x.name for x in store.folder.iterdir()] == ["mine.json"]
    named.reject()


def test_presets_are_exchanged_as_files(show, store, tmp_path) -> None:
    write_preset(tmp_path / "theirs.json", MINE)
    dialog = show()
    bar = dialog.form.presets
    bar.add.trigger()
    [files] = bar.findChildren(QFileDialog)
    files.fileSelected.emit(str(tmp_path / "theirs.json"))
    files.reject()
    assert shown(dialog) == "theirs"
    assert dialog.options == MINE
    assert store.find("theirs").options == MINE
    dialog.form.quality.setValue(11)
    bar.share.trigger()
    files = bar.findChildren(QFileDialog)[-1]
    files.fileSelected.emit(str(tmp_path / "ours.json"))
    files.reject()
    assert read_preset(tmp_path / "ours.json").options.quality == 11


def test_files_that_cannot_be_used_are_named(show, store, tmp_path) -> None:
    store.save("mine", MINE)
    (store.folder / "bad.json").write_text("{")
    dialog = show()
    bar = dialog.form.presets
    assert bar.problem.isVisible()
    assert "bad.json" in bar.problem.text()
    pick(dialog, "mine")
    assert dialog.ok.isEnabled()
    (tmp_path / "newer.json").write_text(
        json.dumps({"format": "zim-studio export preset", "version": 9})
    )
    bar.add.trigger()
    bar.findChildren(QFileDialog)[-1].fileSelected.emit(str(tmp_path / "newer.json"))
    bar.findChildren(QFileDialog)[-1].reject()
    assert "newer.json" in bar.problem.text()
    assert shown(dialog) == "mine"


def test_invalid_settings_are_not_saved(show, store, qtbot) -> None:
    dialog = show()
    choose(dialog.form.format, "jpeg")
    dialog.form.presets.save_as.trigger()
    type_name(dialog, "mine", qtbot).ok.click()
    assert "JPEG cannot hold the transparency" in dialog.form.presets.problem.text()
    assert not store.folder.exists() or not list(store.folder.iterdir())


# -- Size ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["en", "de"])
def test_the_dialog_fits_a_small_screen(qapp, cut, show, settle, code) -> None:
    before = QLocale()
    preferences.set_value("language", code)
    translators = language.install_translators(qapp)
    try:
        document = cut.document
        second = document.new_object(document.state.object.recipe, "right")
        document.edit_objects("Add", (second, document.state.object), 0)
        settle()
        dialog = show()
        pick(dialog, "shop")
        choose(dialog.form.what, "picture")
        dialog.form.backdrop.setText(str(document.image.path))
        choose(dialog.form.scope, "each")
        settle()
        dialog.adjustSize()
        assert dialog.width() <= SMALL[0]
        assert dialog.height() <= SMALL[1]
        buttons = dialog.buttons
        assert buttons.geometry().bottom() <= dialog.height()
    finally:
        for translator in translators:
            qapp.removeTranslator(translator)
        QLocale.setDefault(before)
