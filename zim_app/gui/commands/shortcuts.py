"""The keys of the actions: those of the table, unless the user chose others.

Pure functions over mappings from an action's id to its keys, which are in Qt's
portable text ("Ctrl+Shift+Z"), the first being the one that is shown.  Only the user's
own choices are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from PySide6.QtGui import QKeySequence

from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.commands.gesture_help import GESTURES
from zim_app.gui.settings import preferences

Keys = Mapping[str, tuple[str, ...]]


def normal(key: str) -> str:
    """The one way to write a key; empty if it is none."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def native(key: str) -> str:
    """A key as this system writes it, for people."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


DEFAULTS: Keys = {spec.id: tuple(map(normal, spec.keys)) for spec in ACTIONS}


def current() -> dict[str, tuple[str, ...]]:
    """The keys in force now."""
    return resolved(overrides())


def overrides() -> dict[str, tuple[str, ...]]:
    """The user's own choices."""
    return parsed(preferences.value("shortcuts"))


def store(changes: Keys) -> None:
    """Use these choices from now on; ``preferences.changed("shortcuts")`` tells."""
    sparse = {id_: list(keys) for id_, keys in sorted(changes.items())}
    preferences.set_value("shortcuts", json.dumps(sparse) if sparse else "")


def parsed(text: str) -> dict[str, tuple[str, ...]]:
    """Choices from their stored form; what makes no sense is left out."""
    try:
        stored = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(stored, dict):
        return {}
    return {
        id_: tuple(map(normal, keys))
        for id_, keys in stored.items()
        if id_ in DEFAULTS
        and isinstance(keys, list)
        and all(isinstance(key, str) and normal(key) for key in keys)
    }


def resolved(changes: Keys) -> dict[str, tuple[str, ...]]:
    """All actions' keys with the changes applied; no key belongs to two actions.

    A change has precedence over a default, which another version may have added.
    """
    wanted = {**changes, **{i: k for i, k in DEFAULTS.items() if i not in changes}}
    taken: set[str] = set()
    kept = {}
    for id_, keys in wanted.items():
        kept[id_] = tuple(key for key in keys if key not in taken)
        taken.update(keys)
    return {id_: kept[id_] for id_ in DEFAULTS}


def owner(key: str, keys: Keys) -> str:
    """The id of the action that has this key; empty if none has."""
    wanted = normal(key)
    having = (id_ for id_, own in keys.items() if wanted in own)
    return next(having, "")


def fixed_use(key: str) -> str:
    """What the canvas itself does with this key, untranslated; empty if nothing."""
    wanted = normal(key)
    uses = (use.text for use in GESTURES if wanted in map(normal, use.keys))
    return next(uses, "")


def bound(changes: Keys, id_: str, key: str) -> dict[str, tuple[str, ...]]:
    """The changes with ``key`` as the one key of an action, taken from any other.

    An empty ``key`` leaves the action without one.
    """
    key = normal(key)
    wanted = resolved(changes)
    if key:
        for other, own in wanted.items():
            wanted[other] = tuple(k for k in own if k != key)
    wanted[id_] = (key,) if key else ()
    return sparse(wanted)


def reset(changes: Keys, id_: str) -> dict[str, tuple[str, ...]]:
    """The changes with the default keys for one action, taken from any other."""
    wanted = resolved(changes)
    for other, own in wanted.items():
        wanted[other] = tuple(k for k in own if k not in DEFAULTS[id_])
    wanted[id_] = DEFAULTS[id_]
    return sparse(wanted)


def sparse(keys: Keys) -> dict[str, tuple[str, ...]]:
    """Only what differs from the defaults."""
    return {id_: own for id_, own in keys.items() if own != DEFAULTS[id_]}
