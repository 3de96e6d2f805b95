"""Preferences of the user, as one table; only values that differ are stored.

To add a setting, add a :class:`Setting` to ``SETTINGS``.  The dialog shows it; read
it with :func:`value`, and connect to ``changed`` where it must apply at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QColor

from zim_app.core.pixels import TRIM_ALPHA
from zim_app.gui.canvas.view_modes import BACKGROUNDS, VIEW_MODES
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.errors import ZimError, msg

SettingKind = Literal["bool", "int", "float", "choice", "colour", "path", "text"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a setting, and its text in the translation context ``context``."""

    value: str
    text: str
    context: str = "Preferences"


@dataclass(frozen=True, slots=True)
class Setting:
    """A preference.

    Attributes:
        key: its key in the stored settings.
        group: the page of the dialog, a key of ``GROUPS``; "" for no page.
        text: its label, translated in the context "Preferences".
        kind: of its values: a colour is "#rrggbb", a path or text any string.
        default: value if none is stored.
        tip: explanation, if the text is not enough.
        choices: values of the kind "choice".
        further: regular expression of its other values, which few computers have.
        limits: minimum and maximum of a number.
        unit: of a number, translated like the text.
        restart: whether it applies only after a restart.
    """

    key: str
    group: str
    text: str
    kind: SettingKind
    default: bool | int | float | str
    tip: str = ""
    choices: tuple[Choice, ...] = ()
    further: str = ""
    limits: tuple[float, float] = (0, 0)
    unit: str = ""
    restart: bool = False


GROUPS = {
    "appearance": QT_TRANSLATE_NOOP("Preferences", "Appearance"),
    "canvas": QT_TRANSLATE_NOOP("Preferences", "Canvas"),
    "files": QT_TRANSLATE_NOOP("Preferences", "Files"),
    "model": QT_TRANSLATE_NOOP("Preferences", "Model and memory"),
}

SETTINGS = (
    Setting(
        "theme",
        "appearance",
        QT_TRANSLATE_NOOP("Preferences", "Theme"),
        "choice",
        "system",
        choices=(
            Choice("system", QT_TRANSLATE_NOOP("Preferences", "As the system")),
            Choice("light", QT_TRANSLATE_NOOP("Preferences", "Light")),
            Choice("dark", QT_TRANSLATE_NOOP("Preferences", "Dark")),
        ),
    ),
    Setting(
        "language",
        "appearance",
        QT_TRANSLATE_NOOP("Preferences", "Language"),
        "choice",
        "system",
        choices=(
            Choice("system", QT_TRANSLATE_NOOP("Preferences", "As the system")),
            Choice("en", "English"),
            Choice("de", "Deutsch"),
        ),
        restart=True,
    ),
    Setting(
        "view_mode",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "View at the start"),
        "choice",
        "overlay",
        QT_TRANSLATE_NOOP("Preferences", "How a matte is shown when the window opens"),
        choices=tuple(Choice(mode.id, mode.text, "ViewMode") for mode in VIEW_MODES),
    ),
    Setting(
        "marker_size",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Size of points"),
        "int",
        16,
        QT_TRANSLATE_NOOP("Preferences", "Diameter of the points on the photo"),
        limits=(10, 40),
        unit=QT_TRANSLATE_NOOP("Preferences", "px"),
    ),
    Setting(
        "brush_size",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Size of a new brush"),
        "int",
        0,
        QT_TRANSLATE_NOOP(
            "Preferences", "Diameter in pixels of the photo; 0 fits the photo"
        ),
        limits=(0, 1000),
        unit=QT_TRANSLATE_NOOP("Preferences", "px"),
    ),
    Setting(
        "hover_preview",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Preview under the pointer"),
        "bool",
        False,
        QT_TRANSLATE_NOOP(
            "Preferences", "Show what a click would select before it is made"
        ),
    ),
    Setting(
        "navigator",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Navigator"),
        "bool",
        True,
        QT_TRANSLATE_NOOP(
            "Preferences",
            "Show a small overview while only a part of the photo is seen",
        ),
    ),
    Setting(
        "overlay_shows",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "The overlay tints"),
        "choice",
        "background",
        choices=(
            Choice("background", QT_TRANSLATE_NOOP("Preferences", "The masked areas")),
            Choice("objects", QT_TRANSLATE_NOOP("Preferences", "The selected areas")),
        ),
    ),
    Setting(
        "overlay_colour",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Colour of masked areas"),
        "colour",
        "#1c2e70",
        QT_TRANSLATE_NOOP("Preferences", "Selected areas have their object's colour"),
    ),
    Setting(
        "overlay_strength",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Strength of the overlay"),
        "int",
        64,
        limits=(5, 100),
        unit=QT_TRANSLATE_NOOP("Preferences", "%"),
    ),
    Setting(
        "surround",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Grey around the photo"),
        "int",
        69,
        QT_TRANSLATE_NOOP(
            "Preferences",
            "0 is black, 255 white; always neutral, so that colours look right",
        ),
        limits=(0, 255),
    ),
    Setting(
        "checker_size",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Squares of the checker board"),
        "int",
        10,
        QT_TRANSLATE_NOOP("Preferences", "Their side behind transparent parts"),
        limits=(2, 64),
        unit=QT_TRANSLATE_NOOP("Preferences", "px"),
    ),
    Setting(
        "checker_light",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Light squares"),
        "colour",
        "#ffffff",
    ),
    Setting(
        "checker_dark",
        "canvas",
        QT_TRANSLATE_NOOP("Preferences", "Dark squares"),
        "colour",
        "#d0d0d0",
    ),
    Setting(
        "recent_files",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Recent files to remember"),
        "int",
        8,
        limits=(0, 30),
    ),
    Setting(
        "autosave_seconds",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Save a recovery copy after"),
        "int",
        1,
        QT_TRANSLATE_NOOP(
            "Preferences", "How long after a change; 0 keeps no recovery copy"
        ),
        limits=(0, 600),
        unit=QT_TRANSLATE_NOOP("Preferences", "s"),
    ),
    Setting(
        "export_folder",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Folder for quick export"),
        "path",
        "cutouts",
        QT_TRANSLATE_NOOP(
            "Preferences",
            "A name is a folder beside the photo, where it is no photo of the strip; "
            "empty is the folder of the photo itself",
        ),
    ),
    Setting(
        "export_name",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Names for quick export"),
        "text",
        "{name}-{what}",
        QT_TRANSLATE_NOOP(
            "Preferences",
            "{name} is the photo's, {object} the object's; "
            "{what}, {n}, {width}, {height} and {date} can be used too",
        ),
    ),
    Setting(
        "export_format",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Format for quick export"),
        "choice",
        "png",
        choices=(
            Choice("png", "PNG"),
            Choice("tiff", "TIFF"),
            Choice("webp", "WebP"),
            Choice("jpeg", "JPEG"),
            Choice("psd", QT_TRANSLATE_NOOP("Preferences", "Photoshop (layers)")),
            Choice("ora", QT_TRANSLATE_NOOP("Preferences", "OpenRaster (layers)")),
            Choice("exr", "OpenEXR"),
        ),
    ),
    Setting(
        "trim_alpha",
        "files",
        QT_TRANSLATE_NOOP("Preferences", "Opacity that trimming leaves out"),
        "int",
        TRIM_ALPHA,
        QT_TRANSLATE_NOOP(
            "Preferences",
            "Pixels up to this opacity, of 255, are not seen and do not count",
        ),
        limits=(0, 254),
    ),
    Setting(
        "device",
        "model",
        QT_TRANSLATE_NOOP("Preferences", "Device"),
        "choice",
        "auto",
        QT_TRANSLATE_NOOP("Preferences", "Where models run"),
        choices=(
            Choice("auto", QT_TRANSLATE_NOOP("Preferences", "Best available")),
            Choice("cpu", QT_TRANSLATE_NOOP("Preferences", "CPU")),
            Choice("cuda", QT_TRANSLATE_NOOP("Preferences", "NVIDIA GPU")),
            Choice("cuda:1", QT_TRANSLATE_NOOP("Preferences", "Second NVIDIA GPU")),
            Choice("cuda:2", QT_TRANSLATE_NOOP("Preferences", "Third NVIDIA GPU")),
            Choice("cuda:3", QT_TRANSLATE_NOOP("Preferences", "Fourth NVIDIA GPU")),
            Choice("mps", QT_TRANSLATE_NOOP("Preferences", "Apple GPU")),
        ),
        further=r"cuda:[1-9]\d?",
    ),
    Setting(
        "precision",
        "model",
        QT_TRANSLATE_NOOP("Preferences", "Precision"),
        "choice",
        "auto",
        QT_TRANSLATE_NOOP(
            "Preferences", "Half is faster and saves memory on GPUs that support it"
        ),
        choices=(
            Choice("auto", QT_TRANSLATE_NOOP("Preferences", "Best available")),
            Choice("full", QT_TRANSLATE_NOOP("Preferences", "Full (32 bit)")),
            Choice("half", QT_TRANSLATE_NOOP("Preferences", "Half (16 bit)")),
            Choice("bf16", QT_TRANSLATE_NOOP("Preferences", "Half (bfloat16)")),
        ),
    ),
    Setting(
        "feature_memory",
        "model",
        QT_TRANSLATE_NOOP("Preferences", "Memory for encoded photos"),
        "int",
        1024,
        QT_TRANSLATE_NOOP(
            "Preferences",
            "Photos opened again within this limit need not be encoded again",
        ),
        limits=(64, 65536),
        unit=QT_TRANSLATE_NOOP("Preferences", "MB"),
        restart=True,
    ),
    Setting(
        "result_memory",
        "model",
        QT_TRANSLATE_NOOP("Preferences", "Memory for undo and redo"),
        "int",
        512,
        QT_TRANSLATE_NOOP(
            "Preferences",
            "Steps within this limit come back at once; older ones are computed again",
        ),
        limits=(64, 65536),
        unit=QT_TRANSLATE_NOOP("Preferences", "MB"),
    ),
    Setting(
        "background",
        "",
        "",
        "choice",
        "checker",
        choices=tuple(Choice(x.id, x.text, "ViewMode") for x in BACKGROUNDS),
    ),
    Setting("background_colour", "", "", "colour", "#3c6e47"),
    Setting("background_picture", "", "", "path", ""),
    Setting("model", "", "", "text", "zim-tiny"),
    Setting("subject", "", "", "text", ""),
    Setting("shortcuts", "", "", "text", ""),
)
"""All settings; those without a page are changed elsewhere in the window."""

BY_KEY = {setting.key: setting for setting in SETTINGS}


class _ChangeNotifier(QObject):
    """Signals of the preferences.

    **Signals**

    - ``changed(key)``: :func:`value` of that key has changed.
    - ``failed(error)``: values cannot be stored; a :class:`ZimError`, once.

    **Threads**: the window's only.
    """

    changed = Signal(str)
    failed = Signal(object)


_NOTIFIER = _ChangeNotifier()
changed, failed = _NOTIFIER.changed, _NOTIFIER.failed
"""Signals ``changed(key)`` and ``failed(error)``, see :class:`_ChangeNotifier`."""
_unstored: dict[str, bool | int | float | str] = {}
"""Values that could not be stored: they last until the program ends."""


def value(key: str) -> Any:
    """The setting's value, in the type of its kind.

    An invalid stored value, from another version or an edited file, is ignored.
    """
    setting = BY_KEY[key]
    stored = _unstored[key] if key in _unstored else _storage().value(key)
    parsed_value = None if stored is None else parse_value(setting, stored)
    return setting.default if parsed_value is None else parsed_value


def set_value(key: str, new: bool | int | float | str) -> None:
    """Set and store a value; emits ``changed``.

    Raises:
        ValueError: the value is invalid for the setting.
    """
    setting = BY_KEY[key]
    parsed_value = parse_value(setting, new)
    if parsed_value is None:
        raise ValueError(f"{key} cannot be {new!r}")
    old = value(key)
    _store(setting, parsed_value)
    if parsed_value != old:
        changed.emit(key)


def _store(setting: Setting, new: bool | int | float | str) -> None:
    storage = _storage()
    if new == setting.default:
        storage.remove(setting.key)
    else:
        storage.setValue(setting.key, new)
    storage.sync()
    if storage.status() == QSettings.Status.NoError:
        _unstored.pop(setting.key, None)
        return
    if not _unstored:
        failed.emit(
            ZimError(
                msg(
                    "The settings cannot be stored in {file}.", file=storage.fileName()
                ),
                msg("They last until zim-studio ends. Allow it to write there."),
            )
        )
    _unstored[setting.key] = new


def reset(keys: Iterable[str] = tuple(BY_KEY)) -> None:
    """Reset settings to their defaults; all settings without an argument."""
    for key in keys:
        set_value(key, BY_KEY[key].default)


def parse_value(setting: Setting, stored: object) -> bool | int | float | str | None:
    """A stored value, or one from a widget, in the setting's type; None if invalid."""
    match setting.kind:
        case "bool":
            return {"true": True, "false": False}.get(str(stored).lower())
        case "int" | "float":
            return _number(setting, stored)
        case "choice":
            return _choice(setting, stored)
        case "colour":
            return _colour(stored)
        case "path" | "text":
            return stored if isinstance(stored, str) else None


def _choice(setting: Setting, stored: object) -> str | None:
    if not isinstance(stored, str):
        return None
    if stored in {choice.value for choice in setting.choices}:
        return stored
    return stored if stored and re.fullmatch(setting.further, stored) else None


def _number(setting: Setting, stored: object) -> int | float | None:
    try:
        number = float(str(stored))
    except ValueError:
        return None
    low, high = setting.limits
    if not (math.isfinite(number) and low <= number <= high):
        return None
    if setting.kind == "float":
        return number
    return int(number) if number.is_integer() else None


def _colour(stored: object) -> str | None:
    text = stored if isinstance(stored, str) else ""
    valid = text.startswith("#") and len(text) == 7 and QColor.isValidColorName(text)
    return text.lower() if valid else None


def _storage() -> QSettings:
    settings = QSettings()
    settings.beginGroup("preferences")
    return settings
