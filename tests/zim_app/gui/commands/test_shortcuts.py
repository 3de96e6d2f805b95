"""Tests of the keys: defaults, overrides, and conflicts."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.commands.gesture_help import GESTURES
from zim_app.gui.settings import preferences

IDS = st.sampled_from(sorted(shortcuts.DEFAULTS))
KEYS = st.sampled_from(["", "Ctrl+Z", "Ctrl+E", "F", "K", "Ctrl+Shift+Del", "+"])


def test_no_default_key_belongs_to_two():
    keys = [shortcuts.normalise_key(key) for spec in ACTIONS for key in spec.keys]
    keys += [shortcuts.normalise_key(key) for use in GESTURES for key in use.keys]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert "" not in keys


def test_defaults_are_in_force_at_first():
    assert shortcuts.current() == shortcuts.DEFAULTS


def test_a_key_is_taken_from_its_owner():
    changes = shortcuts.bind_key({}, "fit", "Ctrl+Y")
    assert changes == {"fit": ("Ctrl+Y",), "redo": ("Ctrl+Shift+Z",)}
    assert shortcuts.action_with_key("ctrl+y", shortcuts.resolve_keys(changes)) == "fit"


def test_resetting_one_takes_its_keys_back():
    changes = shortcuts.bind_key(shortcuts.bind_key({}, "fit", "F"), "about", "F9")
    assert shortcuts.reset_key(changes, "next_view") == {"about": ("F9",), "fit": ()}
    assert shortcuts.reset_key(changes, "about") == {"fit": ("F",), "next_view": ()}


def test_the_canvas_keeps_its_keys():
    assert shortcuts.canvas_use("space") == "Pan"
    assert shortcuts.canvas_use("Ctrl+Space") == ""


@given(st.lists(st.tuples(IDS, KEYS), max_size=6))
def test_whatever_is_bound_no_key_has_two_owners(steps):
    changes = {}
    for id_, key in steps:
        changes = shortcuts.bind_key(changes, id_, key)
        keys = shortcuts.resolve_keys(changes)
        assert keys[id_] == ((key,) if key else ())
        used = [key for own in keys.values() for key in own]
        assert len(used) == len(set(used))
        assert (
            shortcuts.resolve_keys(shortcuts.parse_overrides(json.dumps(changes)))
            == keys
        )
        assert all(changes[name] != shortcuts.DEFAULTS[name] for name in changes)


def test_a_choice_wins_over_a_default_that_came_later():
    """An update may give a new action a key that the user gave to another one."""
    keys = shortcuts.resolve_keys({"about": ("F",)})
    assert keys["about"] == ("F",)
    assert keys["next_view"] == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{", "3", '{"fit": "F9"}', '{"fit": [3]}', '{"fit": ["nokey"]}'),
        '{"gone": ["F9"]}',
    ],
)
def test_damaged_choices_are_left_out(text):
    assert shortcuts.parse_overrides(text) == {}


def test_only_choices_are_stored():
    shortcuts.store_overrides({"fit": ("F9",)})
    assert json.loads(preferences.value("shortcuts")) == {"fit": ["F9"]}
    assert shortcuts.current()["fit"] == ("F9",)
    shortcuts.store_overrides({})
    assert preferences.value("shortcuts") == ""


def test_a_new_key_works_at_once(opened, qtbot):
    shortcuts.store_overrides(shortcuts.bind_key({}, "next_view", "K"))
    before = opened.canvas.mode
    qtbot.keyClick(opened.canvas, Qt.Key.Key_F)
    assert opened.canvas.mode == before
    qtbot.keyClick(opened.canvas, Qt.Key.Key_K)
    assert opened.canvas.mode != before
    assert opened.actions_by_id["next_view"].toolTip() == "Next view (K)"
