"""Removing an object in the window."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from shiboken6 import isValid

from zim_app.gui.erasing.erase_dialog import EraseDialog
from zim_model.matting import inpainting

PATIENCE_MS = 20_000
"""For a fill on a busy machine."""


@pytest.fixture(autouse=True)
def quick_fill(monkeypatch):
    """Fills that are good enough for what is asserted here."""
    monkeypatch.setattr(inpainting, "ITERATIONS", (1, 1, 1))


@pytest.fixture
def photo(tmp_path):
    """The left half, which the engine's matte covers, is red, the right one green."""
    pixels = np.full((60, 80, 3), (40, 160, 60), np.uint8)
    pixels[:, :41] = (220, 30, 30)
    pixels += np.random.default_rng(0).integers(0, 20, (60, 80, 1), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def dialog(opened, qtbot, settle):
    at = opened.canvas.to_view(20, 20).toPoint()
    qtbot.mouseClick(opened.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    settle()
    opened.actions_by_id["erase"].trigger()
    [dialog] = opened.findChildren(EraseDialog)
    yield dialog
    if isValid(dialog):
        dialog.reject()
    settle()


@pytest.fixture
def filled(dialog, qtbot):
    qtbot.waitUntil(lambda: dialog.plate is not None, timeout=PATIENCE_MS)
    return dialog


def shown(dialog):
    """The colour at the left of the preview."""
    colour = dialog.preview.pixmap().toImage().pixelColor(15, 30)
    return "red" if colour.red() > colour.green() else "green"


def save_to(dialog, button, path):
    button.click()
    chooser = dialog.findChildren(QFileDialog)[-1]
    chooser.setDirectory(str(path.parent))
    chooser.selectFile(str(path))
    chooser.accept()


def test_the_action_needs_a_matte(opened):
    assert not opened.actions_by_id["erase"].isEnabled()


def test_the_preview_shows_the_photo_without_the_object(filled):
    assert shown(filled) == "green"
    filled.original.setChecked(True)
    assert shown(filled) == "red"
    assert "% of the photo were filled" in filled.status.text()


def test_enter_only_ends_the_typing_of_a_margin(filled, qtbot):
    filled.margin.setFocus()
    qtbot.keyClick(filled.margin, Qt.Key.Key_Return)
    assert filled.isVisible()
    assert not filled.findChildren(QFileDialog)


def test_nothing_can_be_saved_before_the_fill_is_complete(dialog, qtbot):
    assert not dialog.save.isEnabled()
    qtbot.waitUntil(lambda: dialog.plate is not None, timeout=PATIENCE_MS)
    assert dialog.save.isEnabled()
    dialog.margin.setValue(dialog.margin.value() + 4)
    assert not dialog.save.isEnabled()
    qtbot.waitUntil(lambda: dialog.plate is not None, timeout=PATIENCE_MS)
    assert dialog.plate.margin == dialog.margin.value()


def test_a_margin_over_all_of_the_photo_is_told(filled, qtbot):
    filled.margin.setValue(500)
    qtbot.waitUntil(
        lambda: "covers photo.png" in filled.status.text(), timeout=PATIENCE_MS
    )
    assert not filled.save.isEnabled()
    assert not filled.save_layers.isEnabled()


def test_the_clean_plate_is_saved_and_told(filled, opened, settle, tmp_path):
    path = tmp_path / "clean.png"
    save_to(filled, filled.save, path)
    settle()
    pixels = np.asarray(Image.open(path), int)
    assert (pixels[..., 1] > pixels[..., 0]).all()
    assert "clean.png" in opened.status.success.text


def test_layers_are_saved(filled, settle, tmp_path):
    path = tmp_path / "both.psd"
    save_to(filled, filled.save_layers, path)
    settle()
    assert path.read_bytes()[:4] == b"8BPS"


def test_what_cannot_be_saved_is_reported_and_the_dialog_stays(
    filled, opened, settle, photo
):
    image, matte = opened.document.image, opened.document.state.matte
    opened.erasing.save(filled, filled.plate, image, matte.alpha, str(photo))
    settle()
    assert isValid(filled)
    assert "never overwritten" in opened.banner.text
