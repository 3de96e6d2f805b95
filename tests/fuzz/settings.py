"""The settings file, as the window reads it at its start and in its dialogs."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.documents import make_recipe
from tests.fuzz.mutation import hostile_json, hostile_text
from tests.fuzz.reader import Reader

ORGANISATION = "fuzz"


def _plain_settings() -> dict[str, Any]:
    """Valid values of every key; dictionaries are stored as JSON."""
    from zim_app.core.export_options import BATCH_EXPORT
    from zim_app.gui.evaluation.choices import ChosenFolder, EvaluationChoices
    from zim_app.gui.settings.preferences import SETTINGS

    folders = (ChosenFolder("theirs", "/mattes"),)
    choices = EvaluationChoices("/data", ("/data",), predictions=folders)
    batch = {"folder": "/photos", "box": [0, 0, 100, 100], "use_box": True}
    return {
        "recent": ["/photos/a.png", "/photos/b.png"],
        "strip": True,
        "export_options": BATCH_EXPORT.to_json(),
        "batch": {**batch, "export": BATCH_EXPORT.to_json()},
        "brush": {"hardness": 0.5, "strength": 1.0},
        "folded_sections": {"refine": ["edge"]},
        "evaluation": choices.to_json(),
        "default_refinement": make_recipe().to_json(),
        "copied_refinement": make_recipe().to_json(),
        "pair_folder": "/pairs",
        "geometry": b"\x01\xd9\xd0\xcb\0\x03" + bytes(60),
        **{f"preferences/{each.key}": each.default for each in SETTINGS},
    }


@lru_cache
def _application() -> Any:
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication(["fuzz"])
    application.setOrganizationName(ORGANISATION)
    return application


def _make(rng: Random, folder: Path) -> Path:
    from PySide6.QtCore import QByteArray, QSettings

    # A name of its own: Qt remembers what it has read of a file.
    path = folder / ORGANISATION / f"{rng.getrandbits(60):x}.ini"
    path.parent.mkdir()
    store = QSettings(str(path), QSettings.Format.IniFormat)
    in_text = rng.random() < 0.3
    for key, value in _plain_settings().items():
        if isinstance(value, dict):
            text = json.dumps(value).encode() if in_text else hostile_json(rng, value)
            value = text.decode("utf-8", "replace")
        store.setValue(key, QByteArray(value) if isinstance(value, bytes) else value)
    store.sync()
    del store
    if in_text:
        lines = path.read_text("utf-8", "replace").splitlines()
        path.write_bytes(hostile_text(rng, lines))
    return path


def _read(path: Path) -> None:
    from PySide6.QtCore import QSettings

    from zim_app.gui.files.export_controller import stored_options
    from zim_app.gui.settings import preferences, refinement, window_state

    _application().setApplicationName(path.stem)
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    scope = QSettings.Scope.UserScope
    QSettings.setPath(QSettings.Format.IniFormat, scope, str(path.parents[1]))
    for key in preferences.BY_KEY:
        preferences.value(key)
    for name in (
        *("recent_paths", "window_geometry", "window_state", "brush", "strip_shown"),
        *("folded_sections", "evaluation_geometry", "refine_masks", "pair_folder"),
    ):
        getattr(window_state, name)()
    for key in ("copied_refinement", "default_refinement"):
        refinement.stored_refinement(key)
    stored_options().to_json()


def _read_in_forms(path: Path) -> None:
    from zim_app.gui.batch.batch_form import BatchForm
    from zim_app.gui.evaluation.choices import EvaluationChoices
    from zim_app.gui.evaluation.setup_panel import SetupPanel
    from zim_app.gui.settings import window_state

    _read(path)
    panel = SetupPanel(EvaluationChoices.from_json(window_state.evaluation_choices()))
    json.dumps(panel.choices.to_json())
    _ = panel.choices.known_systems
    form = BatchForm()
    form.restore(window_state.batch_settings(), "zim-tiny")
    json.dumps(form.to_json())
    for widget in (panel, form):
        widget.deleteLater()
    _application().sendPostedEvents()
    _application().processEvents()


def _make_when_ready(rng: Random, folder: Path) -> Path:
    _application()
    return _make(rng, folder)


READERS = (
    Reader("settings", _make_when_ready, _read, refusals=()),
    Reader("settings-in-forms", _make_when_ready, _read_in_forms, refusals=()),
)
