"""Tests of the table of settings, and of stored values."""

from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from zim_app.gui.settings import preferences
from zim_app.gui.settings.editors import make_editor
from zim_app.gui.settings.preferences import SETTINGS


def stored():
    return [k for k in QSettings().allKeys() if k.startswith("preferences/")]


def ids(setting):
    return setting.key


@pytest.mark.parametrize("setting", SETTINGS, ids=ids)
def test_the_table_makes_sense(setting):
    assert preferences.parse_value(setting, setting.default) == setting.default
    assert (setting.kind == "choice") == bool(setting.choices)
    assert (setting.kind in ("int", "float")) == (setting.limits != (0, 0))
    assert setting.group in preferences.GROUPS or not setting.group


def test_keys_are_used_once():
    assert len(preferences.BY_KEY) == len(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS, ids=ids)
def test_nonsense_in_the_file_counts_as_not_stored(setting):
    if setting.kind in ("path", "text"):
        return
    for nonsense in ("", "no such value", "-1", "1e999", "nan", ["a", "b"]):
        QSettings().setValue(f"preferences/{setting.key}", nonsense)
        assert preferences.value(setting.key) == setting.default


def test_values_survive_the_file_in_their_own_type(qtbot):
    values = {"hover_preview": True, "marker_size": 20, "checker_dark": "#AABBCC"}
    for key, value in values.items():
        preferences.set_value(key, value)
    QSettings().sync()
    assert preferences.value("hover_preview") is True
    assert preferences.value("marker_size") == 20
    assert preferences.value("checker_dark") == "#aabbcc"


def test_a_computer_may_have_many_gpus(qtbot):
    editor = make_editor(preferences.BY_KEY["device"])
    qtbot.addWidget(editor)
    preferences.set_value("device", "cuda:7")
    assert preferences.value("device") == editor.control.currentData() == "cuda:7"
    with pytest.raises(ValueError, match="cuda:x"):
        preferences.set_value("device", "cuda:x")


def test_only_changed_settings_are_stored_and_reported(qtbot):
    changes = []
    preferences.changed.connect(changes.append)
    preferences.set_value("theme", "system")
    assert stored() == []
    preferences.set_value("theme", "dark")
    assert stored() == ["preferences/theme"]
    preferences.set_value("theme", "dark")
    preferences.set_value("theme", "system")
    assert stored() == []
    assert changes == ["theme", "theme"]
    preferences.changed.disconnect(changes.append)


def test_reset_forgets_all_choices():
    preferences.set_value("theme", "dark")
    preferences.set_value("marker_size", 30)
    preferences.reset(["theme"])
    assert stored() == ["preferences/marker_size"]
    preferences.reset()
    assert stored() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("marker_size", 10000),
        ("marker_size", 12.5),
        ("checker_dark", "red"),
        ("hover_preview", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused(key, value):
    with pytest.raises(ValueError, match=key):
        preferences.set_value(key, value)


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """There is no place for the settings, even for an administrator."""
    monkeypatch.setattr(preferences, "_unstored", {})
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "folder")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)


def test_choices_that_cannot_be_stored_hold_until_the_end(read_only, window, qtbot):
    changes = []
    preferences.changed.connect(changes.append)
    preferences.set_value("marker_size", 20)
    preferences.set_value("marker_size", 30)
    assert preferences.value("marker_size") == 30
    assert changes == ["marker_size", "marker_size"]
    assert "cannot be stored" in window.banner.text
    window.banner.dismiss()
    assert window.banner.text == "", "it is reported once"
    preferences.set_value("marker_size", 16)
    assert preferences.value("marker_size") == 16
    preferences.changed.disconnect(changes.append)


@pytest.mark.parametrize("setting", SETTINGS, ids=ids)
def test_every_setting_is_read_somewhere(setting):
    """A setting that no code reads would have no effect."""
    table = Path(preferences.__file__)
    gui = table.parents[1]
    others = [path for path in gui.rglob("*.py") if path != table]
    word = f'"{setting.key}"'
    assert any(word in path.read_text("utf-8") for path in others)
