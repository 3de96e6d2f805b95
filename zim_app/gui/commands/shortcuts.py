"""The keys of the actions: the defaults of the table, and the user's overrides.

Functions over mappings from an action's id to its keys in Qt's portable text
("Ctrl+Shift+Z"), of which the first is shown.  Only overrides are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.commands.gesture_help import GESTURES
from zim_app.gui.settings import preferences

Keys = Mapping[str, tuple[str, ...]]


def normalise_key(key: str) -> str:
    """A key in Qt's portable text; empty if it is invalid."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def native_text(key: str) -> str:
    """A key in the notation of this system, for display."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


DEFAULTS: Keys = {spec.id: tuple(map(normalise_key, spec.keys)) for spec in ACTIONS}


def current() -> dict[str, tuple[str, ...]]:
    """The current keys of all actions."""
    return resolve_keys(overrides())


def overrides() -> dict[str, tuple[str, ...]]:
    """The user's overrides of the default keys."""
    return parse_overrides(preferences.value("shortcuts"))


def store_overrides(changes: Keys) -> None:
    """Store overrides; emits ``preferences.changed("shortcuts")``."""
    stored = {id_: list(keys) for id_, keys in sorted(changes.items())}
    preferences.set_value("shortcuts", json.dumps(stored) if stored else "")


def parse_overrides(text: str) -> dict[str, tuple[str, ...]]:
    """Overrides from their stored form; invalid ones are ignored."""
    try:
        stored = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {
        id_: tuple(map(normalise_key, keys))
        for id_, keys in stored.items()
        if id_ in DEFAULTS
        and isinstance(keys, list)
        and all(isinstance(key, str) and normalise_key(key) for key in keys)
    }


def resolve_keys(changes: Keys) -> dict[str, tuple[str, ...]]:
    """The keys of all actions, with the overrides applied; no key is used twice.

    An override has precedence over a default, which a later version may have added.
    """
    all_keys = {**changes, **{i: k for i, k in DEFAULTS.items() if i not in changes}}
    used: set[str] = set()
    unique_keys = {}
    for id_, keys in all_keys.items():
        unique_keys[id_] = tuple(key for key in keys if key not in used)
        used.update(keys)
    return {id_: unique_keys[id_] for id_ in DEFAULTS}


def action_with_key(key: str, keys: Keys) -> str:
    """The id of the action with this key; empty without one."""
    key = normalise_key(key)
    owners = (id_ for id_, action_keys in keys.items() if key in action_keys)
    return next(owners, "")


def canvas_use(key: str) -> str:
    """The use of this key by the canvas, untranslated; empty without one."""
    key = normalise_key(key)
    uses = (use.text for use in GESTURES if key in map(normalise_key, use.keys))
    return next(uses, "")


def bind_key(changes: Keys, id_: str, key: str) -> dict[str, tuple[str, ...]]:
    """The overrides with ``key`` as the only key of an action, removed from any other.

    An empty ``key`` leaves the action without one.
    """
    key = normalise_key(key)
    new_keys = resolve_keys(changes)
    if key:
        for other, action_keys in new_keys.items():
            new_keys[other] = tuple(k for k in action_keys if k != key)
    new_keys[id_] = (key,) if key else ()
    return differing_keys(new_keys)


def reset_key(changes: Keys, id_: str) -> dict[str, tuple[str, ...]]:
    """The overrides with the default keys of one action, removed from any other."""
    new_keys = resolve_keys(changes)
    for other, action_keys in new_keys.items():
        new_keys[other] = tuple(k for k in action_keys if k not in DEFAULTS[id_])
    new_keys[id_] = DEFAULTS[id_]
    return differing_keys(new_keys)


def differing_keys(keys: Keys) -> dict[str, tuple[str, ...]]:
    """The keys that differ from the defaults."""
    return {
        id_: action_keys
        for id_, action_keys in keys.items()
        if action_keys != DEFAULTS[id_]
    }
