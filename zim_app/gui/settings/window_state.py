"""What the window remembers from one start to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from zim_app.gui.settings import preferences


def recent_paths() -> list[Path]:
    """Pictures opened before that still exist, the newest first."""
    # A list of one comes back as a string from some formats.
    stored = QSettings().value("recent") or []
    names = [stored] if isinstance(stored, str) else list(stored)
    paths = [path for path in map(Path, names) if path.is_file()]
    return paths[: preferences.value("recent_files")]


def add_recent_path(path: Path) -> None:
    """Remember that picture as the newest."""
    path = path.resolve()
    paths = [path, *(old for old in recent_paths() if old != path)]
    QSettings().setValue(
        "recent", [str(p) for p in paths[: preferences.value("recent_files")]]
    )


def window_geometry() -> QByteArray:
    """Size and place of the window when it was closed; empty at first."""
    value = QSettings().value("geometry")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_window_geometry(geometry: QByteArray) -> None:
    """Remember size and place of the window."""
    QSettings().setValue("geometry", geometry)


def export_options() -> dict[str, Any]:
    """How the last export was made, as plain values; empty at first."""
    return _plain("export_options")


def set_export_options(options: dict[str, Any]) -> None:
    """Remember how the last export was made."""
    QSettings().setValue("export_options", json.dumps(options))


def batch_settings() -> dict[str, Any]:
    """What the batch dialog showed last, as plain values; empty at first."""
    return _plain("batch")


def set_batch_settings(values: dict[str, Any]) -> None:
    """Remember what the batch dialog shows."""
    QSettings().setValue("batch", json.dumps(values))


def brush() -> dict[str, float]:
    """Hardness and strength of the brush used last, 0 to 1 each; empty at first."""
    stored = _plain("brush")
    given = {key: stored.get(key) for key in ("hardness", "strength")}
    return {
        key: float(value)
        for key, value in given.items()
        if isinstance(value, int | float) and 0 <= value <= 1
    }


def set_brush(hardness: float, strength: float) -> None:
    """Remember hardness and strength of the brush."""
    values = {"hardness": hardness, "strength": strength}
    QSettings().setValue("brush", json.dumps(values))


def strip_shown() -> bool:
    """Whether the user wants the strip of a folder's pictures."""
    return str(QSettings().value("strip", "true")).lower() != "false"


def set_strip_shown(shown: bool) -> None:
    """Remember whether the user wants the strip."""
    QSettings().setValue("strip", shown)


def window_state() -> QByteArray:
    """Places of panels and tool bars when the window was closed; empty at first."""
    value = QSettings().value("panels")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_window_state(state: QByteArray) -> None:
    """Remember the places of panels and tool bars."""
    QSettings().setValue("panels", state)


def evaluation_choices() -> dict[str, Any]:
    """What was chosen in the evaluation window, as plain values; empty at first."""
    return _plain("evaluation")


def set_evaluation_choices(choices: dict[str, Any]) -> None:
    """Remember what is chosen in the evaluation window."""
    QSettings().setValue("evaluation", json.dumps(choices))


def evaluation_geometry() -> QByteArray:
    """Size and place of the evaluation window; empty at first."""
    value = QSettings().value("evaluation_geometry")
    return value if isinstance(value, QByteArray) else QByteArray()


def set_evaluation_geometry(geometry: QByteArray) -> None:
    """Remember size and place of the evaluation window."""
    QSettings().setValue("evaluation_geometry", geometry)


def refine_masks() -> bool:
    """Whether the last imported mask was refined; true at first."""
    return str(QSettings().value("refine_masks", "true")).lower() != "false"


def set_refine_masks(refine: bool) -> None:
    """Remember whether masks are refined."""
    QSettings().setValue("refine_masks", refine)


def pair_folder() -> Path | None:
    """Where the last training pair went; None at first."""
    stored = str(QSettings().value("pair_folder") or "")
    return Path(stored) if stored else None


def set_pair_folder(folder: Path) -> None:
    """Remember where training pairs go."""
    QSettings().setValue("pair_folder", str(folder))


def _plain(key: str) -> dict[str, Any]:
    """Values that were stored as JSON; empty at first, or if they were damaged."""
    try:
        stored = json.loads(str(QSettings().value(key) or "{}"))
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}
