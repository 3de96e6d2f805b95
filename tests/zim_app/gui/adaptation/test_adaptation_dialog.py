"""Tests of the dialog that adapts a model, with a process that trains nothing."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from zim_app.gui.adaptation.training_process import TrainingProcess
from zim_app.gui.models.model_row import ModelRow
from zim_app.gui.settings import window_state
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.weights.adapted import Adaptation
from zim_model.weights.installed import find_installed

BEGIN = """
import sys
from zim_app.core.adaptation import *
from zim_model.errors import ZimError, msg

def tell(event):
    print(encode_event(event), flush=True)

def wait():
    line = sys.stdin.readline().strip()
    if line != STOP:
        sys.exit(130)

print("a library says something")
fault = msg("{name} cannot be used. {reason}", name="b.png", reason="x")
tell(Prepared(3, 1, (fault,)))
tell(Validated(0, 0.5))
tell(Trained(1, 0.25, 0.3))
tell(Validated(1, 0.6))
"""
LEARN = """
wait()
from pathlib import Path
import numpy, PIL.Image
from zim_model.assets import asset_path
from zim_model.weights.installed import install_files
sheet = Path(sys.argv[2]) / (sys.argv[1] + ".png")
PIL.Image.fromarray(numpy.zeros((20, 30, 3), numpy.uint8)).save(sheet)
weights = asset_path("models", "zim-tiny.safetensors")
model = install_files(sys.argv[1], [weights, sheet])
before = {"iou_box": 0.5, "iou_1": 0.4, "iou_3": 0.7}
after = {"iou_box": 0.625, "iou_1": 0.75, "iou_3": 0.8}
sheet = model.path.with_name(sheet.name)
tell(Adapted(0.5, before, after, str(model.path), str(sheet), 9))
"""


@pytest.fixture
def pairs(tmp_path):
    folder = tmp_path / "train"
    (folder / "matte").mkdir(parents=True)
    for number in range(4):
        for suffix in (".png", ".alpha.png"):
            (folder / "matte" / f"studio__{number}{suffix}").touch()
    window_state.set_pair_folder(folder)
    return folder


@pytest.fixture
def dialog(qtbot, window, pairs, tmp_path):
    """The dialog, opened by its action; ``scripts`` are what its process runs."""

    def arguments(order):
        return ["-c", BEGIN + dialog.script, order.name, str(tmp_path)]

    window.adaptation.process._arguments = arguments
    window.actions_by_id["adapt_model"].trigger()
    dialog = window.adaptation.dialog
    qtbot.waitExposed(dialog)
    dialog.script = LEARN
    return dialog


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def start(qtbot, dialog):
    click(dialog.start_button)
    qtbot.waitUntil(lambda: len(dialog.curve.points) == 2)


def end(qtbot, dialog):
    qtbot.waitUntil(lambda: not dialog.process.running)


def test_a_training_needs_enough_photos_and_a_free_name(dialog, pairs):
    assert dialog.start_button.isEnabled()
    assert "4 training pairs, 0 projects" in dialog.form.found.text()
    dialog.form.name.setText("zim-tiny")
    assert not dialog.start_button.isEnabled()
    assert "zim-tiny already" in dialog.state.text()
    dialog.form.name.setText("mine")
    (pairs / "matte" / "studio__0.alpha.png").unlink()
    dialog.form.folder.setText(f"{pairs}/")
    assert not dialog.start_button.isEnabled()
    assert "3 corrected photos are too few" in dialog.state.text()
    dialog.form.folder.setText(str(pairs / "missing"))
    assert "missing" in dialog.state.text()


def test_projects_count_as_photos(dialog, pairs):
    (pairs / "matte" / "studio__0.alpha.png").unlink()
    (pairs / "a.zimproj").touch()
    dialog.form.folder.setText(f"{pairs}/")
    assert "3 training pairs, 1 projects" in dialog.form.found.text()
    assert dialog.start_button.isEnabled()


def test_a_stopped_training_gives_a_model_that_can_be_used(qtbot, dialog, window):
    start(qtbot, dialog)
    assert "b.png cannot be used. x" in dialog.faults.text()
    assert dialog.progress.value() == 250
    assert not dialog.form.isEnabled()
    click(dialog.stop_button)
    end(qtbot, dialog)
    assert "0.625 (before: 0.500)" in dialog.state.text()
    assert "0.800 (0.700) from three" in dialog.state.text()
    assert dialog.sheet.pixmap().width() == 30
    assert find_installed("my-model-1") is not None
    assert dialog.form.name.text() == "my-model-2"
    assert not dialog.compare_button.isEnabled()
    click(dialog.use_button)
    assert window.models.current == "my-model-1"


def test_the_new_model_is_compared_on_the_active_object(qtbot, dialog, opened, settle):
    opened.document.edit("click", Recipe(PromptSet((Point(5, 5),))))
    settle()
    opened.actions_by_id["adapt_model"].trigger()
    start(qtbot, dialog)
    click(dialog.stop_button)
    end(qtbot, dialog)
    click(dialog.compare_button)
    settle()
    first, second = opened.document.state.objects
    assert first.recipe.model == "my-model-1"
    assert first.recipe.prompts == second.recipe.prompts
    assert second.recipe.model == "zim-tiny"
    opened.actions_by_id["undo"].trigger()
    assert len(opened.document.state.objects) == 1


def test_a_discarded_training_leaves_no_model(qtbot, dialog):
    start(qtbot, dialog)
    click(dialog.discard_button)
    end(qtbot, dialog)
    assert "Discarded" in dialog.state.text()
    assert find_installed("my-model-1") is None
    assert dialog.start_button.isEnabled()


def test_nothing_gained_makes_no_model(qtbot, dialog):
    dialog.script = "tell(Adapted(0.0, {'iou_box': 0.5}, {'iou_box': 0.5}))"
    start(qtbot, dialog)
    end(qtbot, dialog)
    assert "no model was made" in dialog.state.text()
    assert not dialog.use_button.isVisible()


def test_errors_are_told(qtbot, dialog, window):
    dialog.script = "tell(Failed.from_error(ZimError('No photos.', 'Add some.')))"
    start(qtbot, dialog)
    end(qtbot, dialog)
    assert dialog.state.text() == "No photos.\nAdd some."
    dialog.script = "raise MemoryError('of 3 GB')"
    start(qtbot, dialog)
    end(qtbot, dialog)
    assert "MemoryError: of 3 GB" in dialog.state.text()
    dialog.close()
    window.actions_by_id["adapt_model"].trigger()
    assert "MemoryError: of 3 GB" in dialog.state.text()


def test_quitting_asks_about_a_training(qtbot, dialog, window):
    start(qtbot, dialog)
    dialog.close()
    window.close()
    assert window.isVisible()
    box = window.findChild(QMessageBox)
    assert "Discard the training" in box.text()
    box.accept()
    assert dialog.process.running
    window.close()
    box = window.findChildren(QMessageBox)[-1]
    qtbot.mouseClick(box.buttons()[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not dialog.process.running


def test_the_end_is_told_where_the_dialog_is_closed(qtbot, dialog, window):
    start(qtbot, dialog)
    dialog.close()
    dialog.process.stop()
    end(qtbot, dialog)
    assert "adapted to your corrections" in window.banner.text


def test_a_process_ends_with_its_window(qtbot):
    process = TrainingProcess(arguments=lambda order: ["-c", "input()"])
    process.start(None)
    process.close()
    assert not process.running


def test_an_adapted_model_has_the_licence_that_it_began_with(qtbot):
    name = "zim-tiny-research"
    row = ModelRow("mine", Adaptation(name, 12, name))
    qtbot.addWidget(row)
    row.show_state(find_installed("zim-tiny"), None, None, in_use=False)
    assert row.licence.isVisibleTo(row)
    assert "ZIM tiny (research) to 12" in row.description.text()
    assert "CC BY-NC" in row.licence.text()
    assert "not for commercial use" in row.licence.text()
