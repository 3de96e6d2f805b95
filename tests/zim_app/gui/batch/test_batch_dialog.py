"""Tests of the batch dialog, with real events, a fake engine and real files."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QSpinBox,
)

from tests.zim_model.onnx.test_automatic import write_graph
from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.presets import PresetStore
from zim_app.gui.batch.batch_form import DEFAULT_BOX
from zim_app.gui.batch.batch_table import RESULT_COLUMN, STATE_COLUMN
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.theme import make_palette
from zim_model.assets import asset_path
from zim_model.errors import ZimError
from zim_model.weights.installed import MODELS_VARIABLE, install_files

LEFT = Qt.MouseButton.LeftButton


def click(button) -> None:
    QTest.mouseClick(button, LEFT)


def column(dialog, number) -> list[str]:
    return [
        dialog.table.index(row, number).data() for row in range(len(dialog.table.rows))
    ]


def select(dialog, *rows) -> None:
    mode = QItemSelectionModel.SelectionFlag
    for row in rows:
        index = dialog.table.index(row, 0)
        dialog.view.selectionModel().select(index, mode.Select | mode.Rows)


# --- The preview ----------------------------------------------------------------------


def test_key_opens_the_dialog(window, qtbot):
    window.activateWindow()
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_B, keys)
    assert window.batch.dialog.isVisible()


@pytest.mark.parametrize("dark", [False, True])
def test_the_pages_of_the_form_have_the_colour_of_the_dialog(dialog, dark):
    dialog.setPalette(make_palette(dark=dark))
    page = dialog.form.currentWidget()
    at = page.mapTo(dialog.form, page.rect().bottomRight()) - QPoint(4, 4)
    colour = dialog.form.grab().toImage().pixelColor(at)
    assert colour == dialog.palette().color(QPalette.ColorRole.Window)


def test_the_preview_counts_images_by_prompt_source(dialog, qtbot, output):
    assert dialog.summary.text() == (
        "4 photos: 3 with the box, 1 that cannot be processed."
    )
    assert column(dialog, STATE_COLUMN) == ["Waiting", "Waiting", "Waiting", "Failed"]
    assert column(dialog, RESULT_COLUMN)[0] == "a-cutout.png"
    assert not output.exists()
    click(dialog.form.use_box)
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert "3 skipped" in dialog.summary.text()


def test_the_preview_shows_invalid_settings(dialog, qtbot, photos):
    dialog.form.export.template.setText("{what}")
    qtbot.waitUntil(lambda: "same for all photos" in dialog.summary.text())
    assert not dialog.start.isEnabled()
    dialog.form.export.template.setText("{name}")
    dialog.form.folder.setText(str(photos / "nowhere"))
    qtbot.waitUntil(lambda: "no folder" in dialog.summary.text())
    assert dialog.table.rows == []


def test_a_preset_decides_names_and_is_told_as_changed(dialog, qtbot, output, finish):
    PresetStore().save("mine", ExportOptions(canvas=Canvas(), template="{name}-own"))
    bar = dialog.form.export.presets
    bar.reload()
    bar.list.setCurrentIndex(bar.list.findData("mine"))
    bar.list.activated.emit(bar.list.currentIndex())
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert column(dialog, RESULT_COLUMN)[0] == "a-own.png"
    assert bar.list.currentText() == "mine"
    click(dialog.start)
    finish()
    with Image.open(output / "a-own.png") as image:
        assert image.size == (60, 60)
    dialog.form.export.canvas.padding.setValue(20)
    assert bar.list.currentText() == "mine (changed)"
    stored = dialog.form.to_json()
    dialog.form.restore(stored, "")
    assert dialog.form.export.options.canvas == Canvas(padding=20)


@pytest.mark.parametrize("box", [[0, 0, 2**70, 100], [0, 0, 101, 9], [1, 2], "box"])
def test_a_stored_box_that_is_none_is_replaced(dialog, box):
    dialog.form.restore({"box": box}, "")
    assert dialog.form.to_json()["box"] == list(DEFAULT_BOX)


def test_a_shadow_that_is_not_kept_is_told_in_the_table(
    dialog, qtbot, output, photos, finish
):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "a.png")
    dialog.form.export.shadow.setChecked(True)
    qtbot.waitUntil(lambda: dialog.preview is not None)
    click(dialog.start)
    finish()
    assert "No dependable shadow" in column(dialog, RESULT_COLUMN)[0]


def test_proposes_a_folder_beside_the_images(window, photos):
    window.actions_by_id["batch"].trigger()
    form = window.batch.dialog.form
    form.folder.setText(str(photos))
    assert form.output.text() == str(photos / "cutouts")
    form.folder.setText(str(photos.parent))
    assert form.output.text() == str(photos.parent / "cutouts")
    form.output.setText("/elsewhere")
    form.folder.setText(str(photos))
    assert form.output.text() == "/elsewhere"


def test_work_in_the_studio_counts_at_once(window, qtbot, settle, photos, dialog):
    dialog.close()
    window.open_path(photos / "b.png")
    settle()
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    settle()
    window.actions_by_id["batch"].trigger()
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert "1 from the studio, 2 with the box" in dialog.summary.text()


def test_images_of_the_strip_can_be_taken(window, qtbot, settle, photos, dialog):
    dialog.close()
    window.open_paths([photos / "a.png", photos / "c.png"])
    settle()
    window.actions_by_id["batch"].trigger()
    dialog.form.source.setCurrentIndex(1)
    assert not dialog.form.folder.isVisible()
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert [row.image for row in dialog.table.rows] == ["a.png", "c.png"]


def test_settings_are_remembered(window, dialog, next_window, photos):
    dialog.form.export.trim.setChecked(True)
    dialog._request_preview()
    window.close()
    again = next_window()
    again.actions_by_id["batch"].trigger()
    form = again.batch.dialog.form
    assert form.folder.text() == str(photos)
    assert form.use_box.isChecked()
    assert form.export.options.trim
    assert form.export.options.scope == "together"


def test_senseless_settings_are_forgotten(window):
    values = {"box": [1, "x"], "export": {"what": 3}, "recursive": "yes"}
    window_state.set_batch_settings(values)
    window.actions_by_id["batch"].trigger()
    form = window.batch.dialog.form
    assert [edge.value() for edge in form.box] == [10, 10, 90, 90]
    assert not form.recursive.isChecked()
    assert form.export.options.what == "cutout"


def test_a_model_that_was_installed_meanwhile_can_be_chosen(
    window, dialog, tmp_path, monkeypatch
):
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    install_files("mine", [asset_path("models", "zim-tiny.safetensors")])
    dialog.close()
    window.actions_by_id["batch"].trigger()
    assert dialog.form.model.findData("mine") >= 0
    assert dialog.form.model.currentData() == "zim-tiny"


def test_device_is_the_windows(dialog):
    index = dialog.form.device.findData("cpu")
    dialog.form.device.setCurrentIndex(index)
    dialog.form.device.activated.emit(index)
    assert preferences.value("device") == "cpu"


# --- Running --------------------------------------------------------------------------


def test_a_run_writes_results_and_a_report(dialog, finish, output, engine):
    click(dialog.start)
    assert not dialog.form.isEnabled()
    finish()
    assert column(dialog, STATE_COLUMN) == ["Made", "Made", "Made", "Failed"]
    assert column(dialog, RESULT_COLUMN)[3].startswith("d.png is not a photo")
    names = sorted(os.listdir(output))
    assert names[1:4] == ["a-cutout.png", "b-cutout.png", "batch-report.csv"]
    text = "3 made, 0 made before, 0 skipped, 1 failed."
    assert dialog.summary.text() == f"{text} The report is batch-report.csv."
    assert dialog.form.isEnabled()
    assert engine.solved[0].cacheable is False


def test_again_makes_only_what_is_missing(dialog, finish, qtbot, engine, output):
    click(dialog.start)
    finish()
    (output / "b-cutout.png").unlink()
    dialog.refresh_preview()
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert column(dialog, STATE_COLUMN) == [
        "Made before",
        "Waiting",
        "Made before",
        "Failed",
    ]
    click(dialog.start)
    finish()
    assert len(engine.solved) == 4
    assert "1 made, 2 made before" in dialog.summary.text()


def test_only_the_selected_images(dialog, finish, engine, output):
    click(dialog.selected_only)
    assert not dialog.start.isEnabled()
    select(dialog, 1)
    assert dialog.start.isEnabled()
    click(dialog.start)
    finish()
    assert column(dialog, STATE_COLUMN) == ["Waiting", "Made", "Waiting", "Failed"]
    assert len(engine.solved) == 1


def test_pause_and_go_on(dialog, finish, qtbot, engine, window):
    engine.gate.clear()
    click(dialog.start)
    qtbot.waitUntil(lambda: "solve" in engine.calls)
    click(dialog.pause)
    assert dialog.pause.text() == "&Go on"
    engine.gate.set()
    qtbot.waitUntil(lambda: window.queue.idle)
    qtbot.waitUntil(lambda: column(dialog, STATE_COLUMN)[0] != "Waiting")
    assert column(dialog, STATE_COLUMN)[1:3] == ["Waiting", "Waiting"]
    assert window.batch.worker.running
    click(dialog.pause)
    finish()
    assert column(dialog, STATE_COLUMN)[:3] == ["Made"] * 3
    assert not dialog.pause.isChecked()


def test_stop_keeps_what_is_done(dialog, finish, qtbot, engine, window, output):
    click(dialog.start)
    qtbot.waitUntil(lambda: len(engine.solved) >= 1)
    engine.gate.clear()
    click(dialog.stop)
    engine.gate.set()
    finish()
    made = [name for name in os.listdir(output) if name.endswith("cutout.png")]
    assert 1 <= len(made) <= 3
    dialog.refresh_preview()
    qtbot.waitUntil(lambda: dialog.preview is not None)
    assert column(dialog, STATE_COLUMN).count("Made before") == len(made)
    click(dialog.start)
    finish()
    assert column(dialog, STATE_COLUMN)[:3].count("Made") == 3 - len(made)


def test_clicks_come_first(dialog, finish, qtbot, engine, window, settle, photos):
    window.open_path(photos / "a.png")
    settle()
    engine.gate.clear()
    click(dialog.start)
    qtbot.waitUntil(lambda: "solve" in engine.calls)
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    engine.gate.set()
    qtbot.waitUntil(lambda: len(engine.solved) >= 1)
    assert engine.solved[0].cacheable, "the click is solved before the batch"
    assert not engine.cancelled[0].cacheable, "whose request is cancelled"
    finish()
    assert column(dialog, STATE_COLUMN)[:3] == ["Made"] * 3
    assert window.document.state.matte is not None


def test_the_main_object_is_found_as_in_the_window(
    dialog, finish, engine, tmp_path, monkeypatch, qtbot
):
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    write_graph(tmp_path / "models" / "isnet.onnx")
    preferences.set_value("subject", "isnet")
    dialog.form.use_box.setChecked(False)
    dialog.form.automatic.setChecked(True)
    qtbot.waitUntil(lambda: dialog.preview is not None)
    click(dialog.start)
    finish()
    assert column(dialog, STATE_COLUMN)[:3] == ["Made"] * 3
    assert [len(request.recipe.masks) for request in engine.solved] == [1] * 3


def test_a_bug_in_the_engine_is_one_images_failure(dialog, finish, engine):
    engine.error = ValueError("odd")
    click(dialog.start)
    finish()
    assert column(dialog, STATE_COLUMN) == ["Failed"] * 4
    assert "ValueError: odd" in column(dialog, RESULT_COLUMN)[0]


# --- Other actions --------------------------------------------------------------------


def test_a_failed_image_opens_in_the_studio(dialog, finish, window, qtbot):
    click(dialog.start)
    finish()
    place = dialog.view.visualRect(dialog.table.index(0, 0)).center()
    QTest.mouseClick(dialog.view.viewport(), LEFT, pos=place)
    click(dialog.open_image)
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.image.name == "a.png"


def test_folder_is_shown(dialog, finish, output, monkeypatch):
    assert not dialog.open_folder.isEnabled()
    click(dialog.start)
    finish()
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    click(dialog.open_folder)
    assert shown == [QUrl.fromLocalFile(str(output))]


def test_closing_the_dialog_lets_the_run_go_on(dialog, finish, engine, window, qtbot):
    engine.gate.clear()
    click(dialog.start)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    engine.gate.set()
    finish()
    assert window.banner.text.startswith("The batch has ended: 4 photos, 1 of them")
    assert column(dialog, STATE_COLUMN)[:3] == ["Made"] * 3


def test_an_error_that_ends_the_run_is_told_without_the_dialog(
    dialog, finish, window, monkeypatch
):
    def run(*_, **__):
        raise ZimError("The disk is full.", "Free some space.")
        yield

    monkeypatch.setattr("zim_app.core.batch.runner.run", run)
    click(dialog.start)
    dialog.close()
    finish()
    assert window.banner.text.startswith("The disk is full.")


def test_the_status_bar_stops_a_run(dialog, finish, engine, window, qtbot):
    engine.gate.clear()
    click(dialog.start)
    qtbot.waitUntil(lambda: "solve" in engine.calls)
    dialog.close()
    qtbot.waitUntil(window.batch.progress.isVisible)
    click(window.batch.progress.button)
    assert window.batch.worker.stopping
    engine.gate.set()
    finish()
    assert "Stopped; Start goes on." in dialog.summary.text()
    assert not window.batch.progress.isVisible()


def test_an_unsaved_project_can_keep_the_window_open(
    dialog, qtbot, engine, window, photos, settle, finish
):
    window.open_path(photos / "a.png")
    settle()
    window.files.project = photos / "a.zimproj"
    at = window.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    settle()
    engine.gate.clear()
    click(dialog.start)
    qtbot.waitUntil(lambda: engine.calls[-1] == "solve" and not window.queue.idle)
    window.close()
    [box] = boxes(window)
    click(next(b for b in box.buttons() if b.text() == "Stop and quit"))
    engine.gate.set()
    finish()
    qtbot.waitUntil(lambda: len(boxes(window)) == 1)
    [box] = boxes(window)  # about the project
    click(box.button(QMessageBox.StandardButton.Cancel))
    assert window.isVisible()
    click(dialog.start)
    window.close()
    assert len(boxes(window)) == 1, "the question comes again"
    click(next(b for b in boxes(window)[0].buttons() if b.text() == "Go on"))
    finish()
    window.files.project = None


def boxes(window):
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def test_closing_the_window_asks_first(dialog, qtbot, engine, window, output):
    engine.gate.clear()
    click(dialog.start)
    qtbot.waitUntil(lambda: "solve" in engine.calls)
    window.close()
    [box] = boxes(window)
    assert window.isVisible()
    go_on = next(b for b in box.buttons() if b.text() == "Go on")
    click(go_on)
    assert window.isVisible()
    assert window.batch.worker.running
    window.close()
    [box] = boxes(window)
    click(next(b for b in box.buttons() if b.text() == "Stop and quit"))
    engine.gate.set()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=20_000)


def test_every_control_has_a_tool_tip(dialog):
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSpinBox)
    controls = [c for kind in kinds for c in dialog.findChildren(kind)]
    own = [c for c in controls if not c.objectName().startswith("qt_")]
    own = [c for c in own if c.parent() not in dialog.view.children()]
    bare = [c for c in own if not c.toolTip() and c.isVisible()]
    assert not bare
