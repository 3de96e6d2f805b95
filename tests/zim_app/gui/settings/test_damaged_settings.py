"""No stored value keeps the window from starting: the file may be edited or damaged."""

import pytest
from PySide6.QtCore import QByteArray, QSettings

from zim_app.gui.commands import shortcuts
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.settings.refinement import stored_refinement

KEYS = (
    *("batch", "brush", "default_refinement", "evaluation", "evaluation_geometry"),
    *("export_options", "geometry", "pair_folder", "panels", "recent"),
    *("refine_masks", "refinement", "strip"),
    *(f"preferences/{setting.key}" for setting in preferences.SETTINGS),
)
VALUES = {
    "nested": "[" * 100_000,
    "object": '{"hardness": [], "strength": "x", "feather": 1e400}',
    "list": "[1, 2]",
    "null": "null",
    "number": "1e400",
    "long number": "9" * 5000,
    "bytes": QByteArray(b"\x00\xff\x00"),
    "texts": ["a", "b\x00c"],
    "numbers": [1, 2],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_the_window_starts_with_any_stored_value(next_window, value):
    for key in KEYS:
        QSettings().setValue(key, value)
    QSettings().sync()
    window = next_window()
    assert window.isVisible()
    assert window_state.recent_paths() == []
    assert stored_refinement("default_refinement") is None
    assert shortcuts.overrides() == {}
