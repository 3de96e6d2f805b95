"""Fixtures: a folder of images, and the batch dialog, ready to run."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.zim_app.gui.conftest import HEIGHT, WIDTH


@pytest.fixture
def photos(tmp_path) -> Path:
    """A folder with four images, of which the last is damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate("abc"):
        image = Image.new("RGB", (WIDTH, HEIGHT), (number * 60, 100, 50))
        image.save(folder / f"{name}.png")
    (folder / "d.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def dialog(window, qtbot, photos, output):
    """The dialog with one box for all images, and its preview."""
    window.actions_by_id["batch"].trigger()
    dialog = window.batch.dialog
    dialog.form.folder.setText(str(photos))
    dialog.form.output.setText(str(output))
    dialog.form.use_box.setChecked(True)
    qtbot.waitUntil(lambda: dialog.preview is not None)
    yield dialog
    if window.batch.worker.running:
        window.batch.worker.stop()


@pytest.fixture
def finish(qtbot, window):
    """A function that waits until the run is over."""

    def wait() -> None:
        qtbot.waitUntil(lambda: not window.batch.worker.running, timeout=20_000)

    return wait
