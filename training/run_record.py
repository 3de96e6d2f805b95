"""What a run was made of: settings, command, code, versions and data, beside its files.

The same is in the metadata of its weights, under TRAINING_KEY.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from training.base_trainer import STATE_FILE, BaseTrainer
from training.datasets.opening import RunData
from training.run_config import RunSettings, format_toml
from training.run_log import LOG_FILE, CsvTable
from training.validation import VALIDATION_FILE
from zim_model.errors import MALFORMED, ZimError
from zim_model.runtime.atomic_files import atomic_write

CONFIG_FILE, RECORD_FILE = "config.toml", "run.json"
TRAINING_KEY = "zim_training"
PACKAGES = ("zim-studio", "torch", "numpy", "opencv-python-headless", "pillow")
CONFIG_HEAD = "# Settings of this run; the others of run.json tell how it was made.\n"
GIT_SECONDS = 20
ROOT = Path(__file__).resolve().parents[1]


def check_folder(out: Path, config: RunSettings, resume: Path | None) -> None:
    """Check that a run into a folder overwrites none but the one it resumes.

    The tables of a run that was killed before its first save may be begun anew.

    Args:
        out: folder of the run.
        config: its settings.
        resume: the state that it resumes from.

    Raises:
        ZimError: the folder holds another run, or what is left of one.
    """
    state, best = out / STATE_FILE, out / config.best_file
    if resume is not None and state.exists() and state.samefile(resume):
        return
    first_save = min(config.save_every, config.steps)
    tables = [out / LOG_FILE, out / VALIDATION_FILE]
    last_steps = {path: CsvTable(path).last_step() for path in tables}
    held = [path for path, step in last_steps.items() if step >= first_save]
    if max(last_steps.values()) < 0:
        held.append(best)
    for path in (state, out / config.weight_file, *held):
        if path.exists():
            raise ZimError(
                f"{out} holds a run already ({path.name}), which would be overwritten.",
                "Continue it with --auto-resume, or choose another --out."
                if state.exists()
                else "Choose another --out.",
            )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How a run was begun.

    Attributes:
        made: command, commit, versions and data.
        resumed: the same of each time that it was resumed, with the step.
    """

    made: dict[str, Any]
    resumed: list[dict[str, Any]]

    def metadata(self, trainer: BaseTrainer[Any, Any]) -> dict[str, str]:
        """The metadata of the weights that a trainer has now.

        Equal for a resumed run and one that was not interrupted.
        """
        kept = {k: v for k, v in self.made.items() if k != "started"}
        data = {k: v for k, v in kept.pop("data", {}).items() if k != "path"}
        told = {
            **kept,
            "data": data,
            "config": asdict(trainer.config),
            "step": trainer.step,
            "best": trainer.best,
        }
        return {TRAINING_KEY: json.dumps(told, sort_keys=True)}


def begin_record(out: Path, trainer: BaseTrainer[Any, Any], data: RunData) -> RunRecord:
    """Write CONFIG_FILE and RECORD_FILE of a run that begins or is resumed.

    A file of the user's that has the name of CONFIG_FILE is left as it is; RECORD_FILE
    has the settings too.
    """
    now = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        **_commit(),
        "versions": _versions(),
        "device": str(trainer.device),
        "processes": trainer.group.size,
        "data": data.to_json(),
    }
    record = RunRecord(now, [])
    if trainer.step:
        earlier = _read(out / RECORD_FILE)
        made = earlier.get("made", now)
        record = RunRecord(
            made, [*earlier.get("resumed", []), {"step": trainer.step, **now}]
        )
        if made["data"]["digest"] != data.digest:
            print(
                "The data are not those that the run began with"
                f" ({made['data']['digest']}, now {data.digest}).",
                file=sys.stderr,
            )
        elif (
            made["data"].get("entries", now["data"]["entries"])
            != now["data"]["entries"]
        ):
            print(
                "The sources of the data are not used as when the run began; see"
                f" {RECORD_FILE}.",
                file=sys.stderr,
            )
    stored = {"config": asdict(trainer.config), **asdict(record)}
    with atomic_write(out / RECORD_FILE) as file:
        file.write((json.dumps(stored, indent=1) + "\n").encode())
    config = out / CONFIG_FILE
    if not config.exists() or config.read_text("utf-8", "replace").startswith(
        CONFIG_HEAD
    ):
        with atomic_write(config) as file:
            file.write((CONFIG_HEAD + format_toml(asdict(trainer.config))).encode())
    return record


def _read(path: Path) -> Mapping[str, Any]:
    """An earlier record; nothing for runs of versions that had none."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        stored["made"]["data"]["digest"]
    except (OSError, *MALFORMED):
        return {}
    return dict(stored)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # run from a checkout
            continue
    return versions


def _commit() -> dict[str, Any]:
    """Commit of the code, and whether it was changed since; {} outside a checkout."""
    if not (ROOT / ".git").exists():
        return {}
    try:
        head, changes = (
            subprocess.run(
                ["git", "-C", str(ROOT), *words],
                capture_output=True,
                text=True,
                timeout=GIT_SECONDS,
                check=True,
            ).stdout.strip()
            for words in (
                ("rev-parse", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        )
    except (OSError, subprocess.SubprocessError):  # no git, or it does not own it
        return {}
    return {"commit": head, "changed": bool(changes)}
