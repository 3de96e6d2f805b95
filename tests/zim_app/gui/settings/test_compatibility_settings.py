"""Settings as the first published version stored them; see tests/test_compatibility."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QDockWidget, QToolBar

from tests.test_compatibility import DATA, EXPORT, LATER
from zim_app.core.export_options import ExportOptions
from zim_app.gui.batch.batch_form import BatchForm
from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.evaluation.choices import ChosenFolder, EvaluationChoices
from zim_app.gui.settings import preferences
from zim_app.gui.settings import window_state as remembered

CHOSEN = {
    "theme": "dark",
    "language": "de",
    "view_mode": "matte",
    "marker_size": 20,
    "brush_size": 44,
    "hover_preview": True,
    "surround": 40,
    "checker_size": 12,
    "checker_light": "#eeeeee",
    "checker_dark": "#aaaaaa",
    "recent_files": 5,
    "autosave_seconds": 30,
    "export_folder": "/exports",
    "export_name": "{name}-{n}",
    "export_format": "tiff",
    "device": "cpu",
    "precision": "full",
    "feature_memory": 2048,
    "result_memory": 256,
    "background": "picture",
    "background_colour": "#102030",
    "background_picture": "/pictures/wood.jpg",
    "model": "zim-vit-b",
}


@pytest.fixture(autouse=True)
def stored(settings, qapp):
    """The settings of a user of that version."""
    path = Path(QSettings().fileName())
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(DATA / "settings.ini", path)
    QSettings().sync()


def test_what_was_chosen_is_chosen():
    assert {key: preferences.value(key) for key in CHOSEN} == CHOSEN
    assert set(preferences.BY_KEY) >= {*CHOSEN, "shortcuts"}


def test_keys_stay_where_the_user_put_them():
    changed = {"export": (), "next_picture": ("Ctrl+J",), "undo": ("Ctrl+U", "F9")}
    assert shortcuts.overrides() == changed
    assert shortcuts.current()["next_picture"] == ("Ctrl+J",)


def test_what_the_window_remembers(monkeypatch):
    assert remembered.window_geometry() == QByteArray(b"window geometry")
    assert remembered.window_state() == QByteArray(b"panel state")
    assert remembered.evaluation_geometry() == QByteArray(b"evaluation geometry")
    assert remembered.brush() == {"hardness": 0.25, "strength": 0.75}
    assert remembered.strip_shown() is False
    assert remembered.refine_masks() is False
    assert remembered.pair_folder() == Path("/pairs")
    monkeypatch.setattr(os.path, "isfile", lambda path: True)
    recent = [Path("/pictures/a.jpg"), Path("/pictures/b.jpg")]
    assert remembered.recent_paths() == recent


def test_the_last_export():
    assert ExportOptions.from_json(remembered.export_options()) == EXPORT


def test_the_last_evaluation():
    data = remembered.evaluation_choices()
    choices = EvaluationChoices.from_json(data)
    assert choices == EvaluationChoices(
        root="/data/mini",
        recent=("/data/mini", "/data/other"),
        models=("zim-tiny", "zim-vit-b"),
        predictions=(
            ChosenFolder("theirs", "/mattes"),
            ChosenFolder("old", "/old", False),
        ),
        point=False,
        box=True,
        clicks=True,
        click_count=7,
        device="cpu",
        upsampling="native",
        limit=12,
        keep_mattes=True,
        out="/results",
    )
    assert not choices.flip_tta
    assert not choices.modes
    assert choices.to_json().keys() == data.keys() | {"flip_tta", "modes"}


def test_the_last_batch(qtbot):
    form = BatchForm()
    qtbot.addWidget(form)
    data = remembered.batch_settings()
    form.restore(data, "zim-tiny")
    shown = form.to_json()
    # The form offers either a factor or a longest side.
    assert ExportOptions.from_json(shown.pop("export")) == replace(EXPORT, scale=1.0)
    assert data.pop("export") | LATER == EXPORT.to_json()
    assert shown.pop("clean_edge"), "on by default"
    assert shown == data


def test_names_that_stored_keys_and_panels_refer_to(window):
    names = {type_: _names(window, type_) for type_ in (QDockWidget, QToolBar)}
    lines = [
        f"actions {' '.join(sorted(spec.id for spec in ACTIONS))}",
        f"panels {' '.join(names[QDockWidget])}",
        f"tool bars {' '.join(names[QToolBar])}",
    ]
    assert lines == (DATA / "window_names.txt").read_text("utf-8").splitlines()


def _names(window, type_):
    return sorted(each.objectName() for each in window.findChildren(type_))
