"""Window state that is stored between starts of the program."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QSize
from PySide6.QtGui import QScreen

from zim_app.gui.settings import preferences

FIRST_SIZE = QSize(1200, 800)
FRAME = QSize(8, 40)
"""Room for the frame and the title of a window, on most desktops."""


def first_size(screen: QScreen, size: QSize = FIRST_SIZE) -> QSize:
    """A window's first size: ``size``, if it has room with its frame on the screen."""
    return size.boundedTo(screen.availableSize() - FRAME)


def recent_paths() -> list[Path]:
    """Recently opened images that still exist, newest first."""
    # Some formats return a list of one as a string.
    stored = QSettings().value("recent") or []
    listed = stored if isinstance(stored, list) else [stored]
    names = [name for name in listed if isinstance(name, str)]
    paths = [path for path in map(Path, names) if os.path.isfile(path)]
    return paths[: preferences.value("recent_files")]


def add_recent_path(path: Path) -> None:
    """Store an image as the newest recent one."""
    path = path.resolve()
    paths = [path, *(old for old in recent_paths() if old != path)]
    QSettings().setValue(
        "recent", [str(p) for p in paths[: preferences.value("recent_files")]]
    )


def window_geometry() -> QByteArray:
    """Geometry of the window when it was closed; empty at first."""
    value = QSettings().value("geometry")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_window_geometry(geometry: QByteArray) -> None:
    """Store the geometry of the window."""
    QSettings().setValue("geometry", geometry)


def export_options() -> dict[str, Any]:
    """Options of the last export, as plain values; empty at first."""
    return _read_json("export_options")


def set_export_options(options: dict[str, Any]) -> None:
    """Store the options of the last export."""
    QSettings().setValue("export_options", json.dumps(options))


def batch_settings() -> dict[str, Any]:
    """Settings of the batch dialog, as plain values; empty at first."""
    return _read_json("batch")


def set_batch_settings(values: dict[str, Any]) -> None:
    """Store the settings of the batch dialog."""
    QSettings().setValue("batch", json.dumps(values))


def brush() -> dict[str, Any]:
    """Hardness and strength of the last brush, 0 to 1 each; empty at first."""
    stored = _read_json("brush")
    values = {key: stored.get(key) for key in ("hardness", "strength")}
    return {
        key: float(value)
        for key, value in values.items()
        if isinstance(value, int | float) and 0 <= value <= 1
    }


def set_brush(hardness: float, strength: float) -> None:
    """Store hardness and strength of the brush."""
    values = {"hardness": hardness, "strength": strength}
    QSettings().setValue("brush", json.dumps(values))


def strip_shown() -> bool:
    """Whether the strip with the folder's images is shown."""
    return str(QSettings().value("strip", "true")).lower() != "false"


def set_strip_shown(shown: bool) -> None:
    """Store whether the strip is shown."""
    QSettings().setValue("strip", shown)


def window_state() -> QByteArray:
    """State of panels and tool bars when the window was closed; empty at first."""
    value = QSettings().value("panels")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_window_state(state: QByteArray) -> None:
    """Store the state of panels and tool bars."""
    QSettings().setValue("panels", state)


def folded_sections() -> list[str]:
    """Names of the parts of the refine panel that are folded away; none at first."""
    stored = _read_json("folded_sections").get("refine")
    return [str(name) for name in stored] if isinstance(stored, list) else []


def set_folded_sections(names: list[str]) -> None:
    """Store which parts of the refine panel are folded away."""
    QSettings().setValue("folded_sections", json.dumps({"refine": names}))


def evaluation_choices() -> dict[str, Any]:
    """Choices in the evaluation window, as plain values; empty at first."""
    return _read_json("evaluation")


def set_evaluation_choices(choices: dict[str, Any]) -> None:
    """Store the choices in the evaluation window."""
    QSettings().setValue("evaluation", json.dumps(choices))


def evaluation_geometry() -> QByteArray:
    """Geometry of the evaluation window; empty at first."""
    value = QSettings().value("evaluation_geometry")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_evaluation_geometry(geometry: QByteArray) -> None:
    """Store the geometry of the evaluation window."""
    QSettings().setValue("evaluation_geometry", geometry)


def refine_masks() -> bool:
    """Whether the last imported mask was refined; true at first."""
    return str(QSettings().value("refine_masks", "true")).lower() != "false"


def set_refine_masks(refine: bool) -> None:
    """Store whether masks are refined."""
    QSettings().setValue("refine_masks", refine)


def pair_folder() -> Path | None:
    """Folder of the last training pair; None at first."""
    stored = str(QSettings().value("pair_folder") or "")
    return Path(stored) if stored else None


def set_pair_folder(folder: Path) -> None:
    """Store the folder of training pairs."""
    QSettings().setValue("pair_folder", str(folder))


def _read_json(key: str) -> dict[str, Any]:
    """Values stored as JSON; empty at first, or if they are damaged."""
    try:
        stored = json.loads(str(QSettings().value(key) or "{}"))
    except (ValueError, RecursionError):
        return {}
    return stored if isinstance(stored, dict) else {}
