"""The command line that the trainings share."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from training.arguments import INTERRUPTED, minutes, number_between
from training.base_trainer import STATE_FILE
from training.loop import AnyTrainer, Interrupted, TrainingRunOptions
from training.run_config import RunSettings
from training.run_log import TRACKERS
from zim_model.errors import ZimError

SettingsT = TypeVar("SettingsT", bound=RunSettings)


def command_line(
    name: str,
    settings: type[SettingsT],
    train: Callable[[SettingsT, TrainingRunOptions], AnyTrainer],
    argv: Sequence[str] | None = None,
) -> int:
    """Run the command line of ``python -m training.NAME`` and return the exit code.

    Args:
        name: name of the module.
        settings: of the run.
        train: trains with them.
        argv: arguments, None for those of the process.
    """
    parser = _parser(name)
    arguments = parser.parse_intermixed_args(argv)
    state = arguments.out / STATE_FILE
    if arguments.auto_resume and arguments.resume_from is None and state.exists():
        arguments.resume_from, arguments.init_from = state, None
    options = TrainingRunOptions(
        arguments.data,
        arguments.out,
        resume=arguments.resume_from,
        init=arguments.init_from,
        minutes=arguments.minutes,
        small_state=arguments.small_state,
        trackers=tuple(name for name in TRACKERS if getattr(arguments, name)),
        profile=arguments.profile,
    )
    try:
        config = settings.read(arguments.config, arguments.settings)
        trainer = train(config, options)
    except ZimError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return 1
    except Interrupted as interruption:
        print(
            f"step {interruption.args[0]} of {config.steps}, saved in {arguments.out};"
            " continue with --auto-resume"
        )
        return INTERRUPTED
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    if trainer.group.is_main:
        print(f"step {trainer.step} of {config.steps}, saved in {arguments.out}")
    return 0


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m training.{name}")
    parser.add_argument("config", type=Path, help="a TOML file of training/configs")
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="settings that replace those of the file, such as lr=1e-4",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder, TOML file with [[data]], or tar",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for results")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--resume-from", type=Path, help="state.pt to resume from")
    begin.add_argument(
        *("--init-from", "--sam"),
        type=Path,
        metavar="WEIGHTS",
        help="initial weights: of an earlier run, or SAM's .pth",
    )
    parser.add_argument(
        "--auto-resume",
        action="store_true",
        help="resume from the state.pt in --out, if it exists",
    )
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=math.inf,
        help="save and stop after this time",
    )
    parser.add_argument(
        "--small-state",
        action="store_true",
        help="smaller state.pt, not exactly resumable",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="log for TensorBoard too, into --out/tensorboard",
    )
    parser.add_argument(
        "--wandb", action="store_true", help="log to Weights & Biases too"
    )
    parser.add_argument(
        "--profile",
        type=number_between(0),
        default=0,
        metavar="STEPS",
        help="record so many steps with torch's profiler",
    )
    return parser
