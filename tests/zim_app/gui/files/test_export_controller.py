"""Exporting, copying and dragging out, with a real window and real files."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from shiboken6 import isValid

from zim_app.core import export as core_export
from zim_app.core.formats import FORMATS
from zim_app.core.session_store import SessionStore
from zim_app.gui.files.drag_handle import DragHandle
from zim_app.gui.files.export_controller import stored_options
from zim_app.gui.files.export_dialog import ExportDialog
from zim_app.gui.settings import preferences
from zim_model.errors import Cancelled, ZimError

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def cut(opened, qtbot, settle):
    """The window with a matte: the left half of an image of 80 x 60 pixels."""
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), LEFT, pos=at)
    settle()
    return opened


@pytest.fixture
def dialog(cut):
    cut.actions_by_id["export"].trigger()
    [dialog] = cut.findChildren(ExportDialog)
    yield dialog
    if isValid(dialog):
        dialog.reject()


def choose(box, value):
    index = box.findData(value)
    assert index >= 0
    box.setCurrentIndex(index)


def press_export(dialog, settle):
    dialog.ok.click()
    settle()


# --- the dialog -----------------------------------------------------------------------


def test_proposes_a_name_beside_the_image(dialog, photo, cut, settle):
    assert dialog.folder.text() == str(photo.parent / "cutouts")
    name, note = dialog.preview.text().splitlines()
    assert name == "photo-cutout.png – 80 × 60 pixels"
    assert note == "The folder does not exist; it is made."
    press_export(dialog, settle)
    with Image.open(photo.parent / "cutouts" / "photo-cutout.png") as image:
        pixels = np.asarray(image)
    assert (pixels[:, :40] == (200, 100, 50, 255)).all()
    assert (pixels[:, 40:, 3] == 0).all()
    assert "photo-cutout.png" in cut.status.success.text
    assert not cut.isWindowModified()


def test_preview_follows_the_choices(dialog):
    dialog.form.trim.setChecked(True)
    assert "40 × 60 pixels" in dialog.preview.text()
    dialog.form.padding.setValue(5)
    assert "50 × 70 pixels" in dialog.preview.text()
    choose(dialog.form.size_mode, "longest_side")
    dialog.form.amount.setValue(35)
    assert "25 × 35 pixels" in dialog.preview.text()
    choose(dialog.form.format, "psd")
    dialog.form.template.setText("{name}-{what}-{width}")
    assert "photo-layers-25.psd" in dialog.preview.text()
    assert dialog.form.original.isVisible()
    assert not dialog.form.quality.isVisible()


def test_impossible_choices_are_explained_and_cannot_be_exported(dialog, tmp_path):
    choose(dialog.form.format, "jpeg")
    assert "JPEG cannot hold the transparency" in dialog.preview.text()
    assert not dialog.ok.isEnabled()
    choose(dialog.form.what, "colour")
    assert dialog.ok.isEnabled()
    assert dialog.form.quality.isVisible()
    dialog.form.template.setText("{nmae}")
    assert "unknown field {nmae}" in dialog.preview.text()
    assert not dialog.ok.isEnabled()
    dialog.form.template.setText("a")
    dialog.folder.setText(str(tmp_path / "nowhere"))
    assert "it is made" in dialog.preview.text()
    dialog.folder.setText(str(tmp_path))
    choose(dialog.form.what, "picture")
    assert "Choose an image for the background" in dialog.preview.text()
    choose(dialog.form.what, "matte")
    dialog.form.template.setText("photo")
    choose(dialog.form.format, "png")
    assert "never overwritten" in dialog.preview.text()


@pytest.mark.parametrize("format_", [each.id for each in FORMATS])
def test_the_format_that_was_exported_is_that_of_the_next_export(cut, settle, format_):
    cut.actions_by_id["export"].trigger()
    [dialog] = cut.findChildren(ExportDialog)
    if format_ == "jpeg":
        choose(dialog.form.what, "matte")
    choose(dialog.form.format, format_)
    [(path, _)] = dialog.planned()
    press_export(dialog, settle)
    assert path.is_file()
    assert stored_options().format == format_


@pytest.mark.parametrize(
    "action", ["export", "save_project_as", "import_mask", "training_pair"]
)
def test_a_dialog_about_a_photo_closes_with_it(cut, other, qtbot, settle, action):
    cut.actions_by_id[action].trigger()
    [dialog] = [each for each in cut.findChildren(QDialog) if each.isVisible()]
    cut.open_path(other)  # as the batch dialog can meanwhile
    settle()
    qtbot.waitUntil(lambda: not isValid(dialog))
    assert cut.document.image.path == other


def test_a_folder_has_to_be_named_and_may_begin_at_home(dialog, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    dialog.folder.setText(" ")
    assert dialog.preview.text() == "Choose a folder."
    assert not dialog.ok.isEnabled()
    dialog.folder.setText("~nobody-has-this-name")  # as it is typed
    assert dialog.ok.isEnabled()
    dialog.folder.setText("~/cut")
    [(path, _)] = dialog.planned()
    assert path.parent == tmp_path / "cut"


@pytest.mark.parametrize("replace", [False, True])
def test_existing_file_is_replaced_only_on_demand(dialog, photo, settle, replace):
    old = photo.parent / "cutouts" / "photo-cutout.png"
    old.parent.mkdir()
    old.write_bytes(b"precious")
    dialog.form.template.setText("{name}-cutout")
    dialog.form.template.textChanged.emit("")  # the folder changed meanwhile
    assert "exists already" in dialog.preview.text()
    assert "photo-cutout-2.png" in dialog.preview.text()
    assert dialog.overwrite.isVisible()
    if replace:
        QTest.mouseClick(dialog.overwrite, LEFT, pos=QPoint(8, 8))
        assert "will be replaced" in dialog.preview.text()
    press_export(dialog, settle)
    new = photo.parent / "cutouts" / "photo-cutout-2.png"
    assert new.exists() != replace
    assert (old.read_bytes() == b"precious") != replace


def test_composite_on_a_colour(dialog, photo, settle):
    choose(dialog.form.what, "colour")
    assert dialog.form.colour.isVisible()
    dialog.form._on_colour_chosen(QColor(255, 0, 0))
    press_export(dialog, settle)
    with Image.open(photo.parent / "cutouts" / "photo-composite.png") as image:
        assert image.getpixel((10, 10)) == (200, 100, 50)
        assert image.getpixel((70, 10)) == (255, 0, 0)


def test_layers_need_no_background(dialog, photo, settle):
    choose(dialog.form.what, "picture")
    assert not dialog.ok.isEnabled()
    choose(dialog.form.format, "ora")
    assert dialog.ok.isEnabled()
    press_export(dialog, settle)
    assert (photo.parent / "cutouts" / "photo-layers.ora").exists()


def test_choices_are_remembered(dialog, cut, settle, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    choose(dialog.form.what, "matte")
    choose(dialog.form.format, "tiff")
    dialog.form.trim.setChecked(True)
    dialog.folder.setText(str(folder))
    dialog.form.template.setText("{name}")
    press_export(dialog, settle)
    assert (folder / "photo.tif").exists()
    cut.actions_by_id["export"].trigger()
    again = cut.findChildren(ExportDialog)[-1]
    assert again.form.what.currentData() == "matte"
    assert again.form.format.currentData() == "tiff"
    assert again.form.trim.isChecked()
    assert again.folder.text() == str(folder)
    assert again.preview.text().splitlines()[0] == "photo-2.tif – 40 × 60 pixels"
    again.reject()


def test_several_objects(cut, settle, photo, qtbot):
    document = cut.document
    first = document.state.object
    second = document.new_object(first.recipe, "right")
    document.edit_objects("Add", (second, first), 0)
    settle()
    cut.actions_by_id["export"].trigger()
    [dialog] = cut.findChildren(ExportDialog)
    assert dialog.form.scope.isVisible()
    choose(dialog.form.scope, "each")
    dialog.form.template.setText("{n}-{object}")
    assert "1-Object 1.png" in dialog.preview.text()
    press_export(dialog, settle)
    written = sorted(path.name for path in (photo.parent / "cutouts").iterdir())
    assert len(written) == 2
    assert written[1] == "2-right.png"
    assert "Saved 2 files" in cut.status.success.text


# --- without a question ---------------------------------------------------------------


def test_quick_export_repeats_the_last_one_and_replaces_nothing(
    cut, settle, photo, qtbot
):
    for _ in range(2):
        qtbot.keyClick(cut.canvas, Qt.Key.Key_E, CONTROL | SHIFT)
        settle()
    names = sorted(path.name for path in (photo.parent / "cutouts").iterdir())
    assert names == ["photo-cutout-2.png", "photo-cutout.png"]


def test_quick_export_follows_the_settings(cut, settle, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    preferences.set_value("export_folder", str(folder))
    preferences.set_value("export_name", "{name}_{width}")
    preferences.set_value("export_format", "webp")
    cut.actions_by_id["quick_export"].trigger()
    settle()
    assert (folder / "photo_80.webp").exists()


def test_a_missing_folder_of_the_settings_is_made_on_request(
    cut, settle, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("disk") / "unplugged"
    preferences.set_value("export_folder", str(folder))
    cut.actions_by_id["quick_export"].trigger()
    settle()
    assert not folder.exists()
    assert "does not exist" in cut.banner.text
    cut.banner.action_button.click()
    settle()
    assert (folder / "photo-cutout.png").exists()


@pytest.mark.parametrize(
    ("chosen", "stored"), [("", ""), ("more/own", "more/own"), ("/elsewhere", None)]
)
def test_a_folder_beside_one_photo_is_beside_the_next(
    dialog, settle, tmp_path, chosen, stored
):
    folder = tmp_path / chosen.lstrip("/") if stored is not None else tmp_path.parent
    dialog.folder.setText(str(folder))
    press_export(dialog, settle)
    expected = str(folder) if stored is None else stored
    assert preferences.value("export_folder") == expected


def test_exports_are_no_images_of_the_strip(cut, settle, photo):
    cut.actions_by_id["quick_export"].trigger()
    settle()
    cut.strip._read_folder()
    settle()
    assert cut.strip.model.paths == (photo,)


def test_the_size_of_one_photo_is_not_given_to_the_next(dialog, cut, settle):
    choose(dialog.form.size_mode, "longest_side")
    assert dialog.form.amount.value() == 80
    press_export(dialog, settle)
    assert stored_options().longest_side is None
    cut.actions_by_id["export"].trigger()
    again = cut.findChildren(ExportDialog)[-1]
    choose(again.form.size_mode, "longest_side")
    again.form.amount.setValue(40)
    assert "50 % of the photo's" in again.preview.text()
    press_export(again, settle)
    assert stored_options().longest_side == 40


def test_settings_that_cannot_be_do_no_harm(cut, settle, photo):
    preferences.set_value("export_name", "{oops}")
    preferences.set_value("export_format", "jpeg")
    cut.actions_by_id["quick_export"].trigger()
    settle()
    assert (photo.parent / "cutouts" / "photo-cutout.png").exists()


def test_the_status_bar_opens_the_folder(cut, settle, photo, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    cut.actions_by_id["quick_export"].trigger()
    settle()
    cut.status.success.button.click()
    assert opened == [QUrl.fromLocalFile(str(photo.parent / "cutouts"))]


def test_export_marks_the_session_as_done(cut, settle, qtbot):
    key = cut.document.image.key
    cut.actions_by_id["quick_export"].trigger()
    settle()
    assert SessionStore().load(key).exported
    at = cut.canvas.to_view(50, 50).toPoint()
    qtbot.mouseClick(cut.canvas.viewport(), LEFT, pos=at)
    settle()
    cut.sessions.flush()
    settle()
    assert not SessionStore().load(key).exported


def test_long_export_shows_its_progress_and_is_cancelled(
    cut, settle, photo, qtbot, monkeypatch
):
    started = threading.Event()

    def slow(*_, progress, cancelled, **__):
        progress(0.4)
        started.set()
        while not cancelled():
            assert started.wait(10)
        raise Cancelled

    monkeypatch.setattr(core_export, "export_to_folder", slow)
    cut.actions_by_id["quick_export"].trigger()
    progress = cut.export.progress
    qtbot.waitUntil(progress.isVisible)
    qtbot.waitUntil(lambda: progress.bar.value() == 40)
    qtbot.mouseClick(progress.button, LEFT)
    settle()
    assert not progress.isVisible()
    assert "cancelled" in cut.status.success.text
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png"]


def test_failed_export_hides_the_progress(cut, settle, monkeypatch):
    def full(*_, **__):
        raise ZimError("The disk is full.")

    monkeypatch.setattr(core_export, "export_to_folder", full)
    cut.actions_by_id["quick_export"].trigger()
    settle()
    assert "The disk is full." in cut.banner.text
    assert not cut.export.progress.isVisible()


def test_a_window_stays_open_for_an_export_that_fails(
    cut, settle, photo, qtbot, monkeypatch
):
    gate = threading.Event()

    def full(*_, **__):
        assert gate.wait(10)
        raise ZimError("The disk is full.")

    monkeypatch.setattr(core_export, "export_to_folder", full)
    cut.actions_by_id["quick_export"].trigger()
    assert not cut.close()
    gate.set()
    settle()
    assert cut.isVisible()
    assert "The disk is full" in cut.banner.text
    assert cut.close()


def test_a_window_closes_once_an_export_is_written(cut, photo, qtbot, monkeypatch):
    gate, export = threading.Event(), core_export.export_to_folder

    def slow(*args, **more):
        assert gate.wait(10)
        return export(*args, **more)

    monkeypatch.setattr(core_export, "export_to_folder", slow)
    cut.actions_by_id["quick_export"].trigger()
    assert not cut.close()
    assert cut.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: not cut.isVisible())
    assert len(list((photo.parent / "cutouts").iterdir())) == 1


# --- clipboard and dragging ---------------------------------------------------------


def test_copied_cutout_has_transparency(cut, settle, qtbot):
    qtbot.keyClick(cut.canvas, Qt.Key.Key_C, CONTROL)
    settle()
    data = QGuiApplication.clipboard().mimeData()
    with Image.open(io.BytesIO(bytes(data.data("image/png").data()))) as image:
        assert (image.mode, image.size) == ("RGBA", (40, 60))
        assert image.getpixel((3, 3)) == (200, 100, 50, 255)
    image = QImage(data.imageData())
    assert (image.width(), image.height()) == (40, 60)
    assert image.hasAlphaChannel()
    assert image.pixelColor(3, 3).getRgb() == (200, 100, 50, 255)


def test_copied_matte_is_as_large_as_the_image(cut, settle, qtbot):
    qtbot.keyClick(cut.canvas, Qt.Key.Key_C, CONTROL | SHIFT)
    settle()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (80, 60)
    assert image.pixelColor(10, 10).value() == 255
    assert image.pixelColor(70, 10).value() == 0


def test_cutout_is_dragged_out_as_a_file(cut, settle, qtbot, monkeypatch):
    [handle] = cut.findChildren(DragHandle)
    dragged = []
    monkeypatch.setattr(handle, "run", dragged.append)
    middle = handle.rect().center()
    qtbot.mousePress(handle, LEFT, pos=middle)
    qtbot.mouseMove(handle, middle + QPoint(30, 30))
    settle()
    qtbot.waitUntil(lambda: bool(dragged))
    [url] = dragged[0].mimeData().urls()
    with Image.open(url.toLocalFile()) as image:
        assert (image.mode, image.size) == ("RGBA", (80, 60))
    assert not dragged[0].pixmap().isNull()
    qtbot.mouseRelease(handle, LEFT)
    cut.close()
    assert not QUrl(url).isEmpty()
    with pytest.raises(FileNotFoundError):
        Image.open(url.toLocalFile())


def test_a_click_on_the_handle_drags_nothing(cut, settle, qtbot, monkeypatch):
    [handle] = cut.findChildren(DragHandle)
    dragged = []
    monkeypatch.setattr(handle, "run", dragged.append)
    qtbot.mouseClick(handle, LEFT)
    settle()
    assert not dragged


def test_nothing_to_export_means_no_actions(opened, qtbot):
    for name in ("export", "quick_export", "copy_cutout", "copy_matte"):
        assert not opened.actions_by_id[name].isEnabled()
    [handle] = opened.findChildren(DragHandle)
    qtbot.mouseClick(handle, LEFT)
    assert opened.idle
