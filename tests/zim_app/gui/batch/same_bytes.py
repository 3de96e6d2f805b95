"""One recipe, run by the window, the command line, a batch and Python: equal bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zim_app.__main__ import main
from zim_app.core.batch.jobs import folder_jobs
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.runner import run
from zim_app.core.export import (
    ExportOptions,
    ExportTarget,
    export,
    export_to_folder,
)
from zim_app.core.images import load_image
from zim_app.core.presets import PresetStore
from zim_app.gui.files.export_dialog import ExportDialog
from zim_app.gui.main_window import MainWindow
from zim_app.gui.settings import preferences
from zim_app.gui.workers.inference_queue import InferenceQueue, create_engine
from zim_model.assets import asset_path
from zim_model.finish import Finish, Stroke
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

RECIPE = Recipe(
    PromptSet((Point(150, 120), Point(20, 20, False)), Box(60.5, 20, 270, 220)),
    finish=Finish(
        shift_edge=1.0,
        feather=0.7,
        strokes=(
            Stroke(((100, 60, 1.0), (180, 90, 0.5)), 12.0),
            Stroke(((200, 180, 1.0),), 20.0, brush="erase"),
        ),
        decontaminate=0.8,
    ),
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small photo with a resolution."""
    path = tmp_path / "photos" / "cat.png"
    path.parent.mkdir()
    with Image.open(asset_path("samples", "cat.jpg")) as image:
        image.convert("RGB").resize((320, 240)).save(path, dpi=(300, 300))
    return path


def assert_same(path: Path, expected: Path) -> None:
    """Compare two files; pixels first, which tell more than bytes do."""
    with Image.open(path) as one, Image.open(expected) as other:
        differences = np.asarray(one).astype(int) - np.asarray(other)
    rows, columns, channels = np.nonzero(differences)
    assert rows.size == 0, (
        f"{rows.size} values differ by up to {abs(differences).max()}, in channels "
        f"{set(channels.tolist())}, rows {rows.min()} to {rows.max()}, columns "
        f"{columns.min()} to {columns.max()}"
    )
    assert path.read_bytes() == expected.read_bytes()


def start_window(qtbot, photo: Path) -> MainWindow:
    """A window with the photo and the recipe's matte."""
    window = MainWindow(InferenceQueue(create_engine))
    qtbot.addWidget(window)
    window.show()
    window.open_path(photo)
    qtbot.waitUntil(lambda: window.idle and window.document is not None, timeout=60000)
    window.document.edit("Test", RECIPE)
    qtbot.waitUntil(lambda: window.idle and window.export.ready, timeout=60000)
    return window


def test_everyone_writes_the_same_bytes(qtbot, photo: Path, tmp_path: Path) -> None:
    window = start_window(qtbot, photo)
    (tmp_path / "studio").mkdir()
    expected = tmp_path / "studio" / "cat-cutout.png"
    preferences.set_value("export_folder", str(expected.parent))
    window.actions_by_id["quick_export"].trigger()
    qtbot.waitUntil(lambda: window.idle and expected.exists())
    window.close()  # which keeps the session

    jobs = folder_jobs(photo.parent, tmp_path / "batch", recursive=False)
    finished = list(run(BatchPlan(jobs, tmp_path / "batch"), Engine()))[-1]
    assert finished.row.prompts == "session"
    assert_same(tmp_path / "batch" / "cat-cutout.png", expected)

    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE.to_json()))
    words = ["--recipe", tmp_path / "recipe.json", "-o", tmp_path / "matte.png"]
    assert main(["matte", str(photo), *map(str, words)]) == 0
    assert_same(tmp_path / "matte.png", expected)

    table = [{"image": "cat.png", "objects": [{"recipe": RECIPE.to_json()}]}]
    (tmp_path / "prompts.json").write_text(json.dumps(table))
    words = ["--no-recipes", "--prompts", tmp_path / "prompts.json"]
    folders = [photo.parent, "-o", tmp_path / "table"]
    assert main(["batch", *map(str, folders), *map(str, words)]) == 0
    assert_same(tmp_path / "table" / "cat-cutout.png", expected)

    image = load_image(photo)
    matte = Engine().solve(Request(image.rgb, image.key, RECIPE))
    target = ExportTarget(matte.alpha, decontaminate=RECIPE.finish.decontaminate)
    export(image, [target], tmp_path / "python.png", ExportOptions())
    assert_same(tmp_path / "python.png", expected)


@pytest.mark.parametrize("preset", ["shop", "square"])
def test_everyone_writes_the_same_bytes_with_a_preset(
    qtbot, photo: Path, tmp_path: Path, preset: str
) -> None:
    window = start_window(qtbot, photo)
    window.actions_by_id["export"].trigger()
    [dialog] = window.findChildren(ExportDialog)
    presets = dialog.form.presets.list
    presets.setCurrentIndex(presets.findData(preset))
    presets.activated.emit(presets.currentIndex())
    dialog.folder.setText(str(tmp_path / "studio"))
    dialog.ok.click()
    qtbot.waitUntil(lambda: window.idle and (tmp_path / "studio").exists())
    window.close()
    [expected] = (tmp_path / "studio").iterdir()

    batch = tmp_path / "batch"
    words = [photo.parent, "-o", batch, "--preset", preset]
    assert main(["batch", *map(str, words)]) == 0
    assert_same(batch / expected.name, expected)

    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE.to_json()))
    words = [photo, "--recipe", tmp_path / "recipe.json", "--preset", preset]
    assert main(["matte", *map(str, words)]) == 0
    assert_same(photo.parent / expected.name, expected)

    image, folder = load_image(photo), tmp_path / "python"
    folder.mkdir()
    matte = Engine().solve(Request(image.rgb, image.key, RECIPE))
    options = PresetStore().find(preset).options
    [path] = export_to_folder(image, [ExportTarget(matte.alpha)], folder, options)
    assert_same(path, expected)
