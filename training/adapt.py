"""Adapt zim-tiny to your corrections: ``python -m training.adapt FOLDER --out FILE``.

A copy of the model is trained on the corrected images of a folder, some of which are
held out.  The result lies between the old and the new weights, as far as the held-out
images are better for it.  Progress is printed as lines of JSON, see
:mod:`zim_app.core.adaptation`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from training.arguments import INTERRUPTED, minutes
from zim_app.core.adaptation import (
    DISCARD,
    STOP,
    Adapted,
    Event,
    Failed,
    encode_event,
)
from zim_model.errors import ZimError
from zim_model.weights.installed import check_free_name, install_files

MINUTES = 5.0


class StopRequest:
    """Whether the process was asked to end.

    Ctrl-C or SIGTERM, or the line STOP on the standard input, ends the training with
    what was learned so far.  A second Ctrl-C, the line DISCARD or the end of the input
    ends the process at once, without a result.

    Args:
        scratch: a folder that is removed at an end without a result.
        follow_input: whether the caller writes to the standard input.
    """

    def __init__(self, scratch: Path, *, follow_input: bool) -> None:
        self._event = threading.Event()
        self._scratch, self._follow_input = scratch, follow_input
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        if self._follow_input:
            threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def is_set(self) -> bool:
        """Whether the training should end."""
        return self._event.is_set()

    def _on_signal(self, number: int, frame: object) -> None:
        if self._event.is_set():
            raise KeyboardInterrupt
        self._event.set()

    def _follow(self) -> None:
        for line in sys.stdin:
            if line.strip() == STOP:
                self._event.set()
            elif line.strip() == DISCARD:
                break
        # Nobody waits for a result, and torch may be at work on other threads.
        shutil.rmtree(self._scratch, ignore_errors=True)
        os._exit(INTERRUPTED)


def tell(event: Event) -> None:
    """Print an event as a line."""
    print(encode_event(event), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.install is not None:
            check_free_name(arguments.install)
        with (
            tempfile.TemporaryDirectory(prefix="zim-studio-") as folder,
            StopRequest(Path(folder), follow_input=arguments.follow_input) as stop,
        ):
            result = _run(arguments, Path(folder), stop)
            tell(result)
    except ZimError as error:
        tell(Failed.from_error(error))
        print(f"adapt: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("adapt: interrupted", file=sys.stderr)
        return INTERRUPTED
    if not result.weights:
        why = "no better on the held-out images" if result.steps else "not trained"
        print(f"adapt: nothing was written: the model is {why}", file=sys.stderr)
    return 0


def _run(arguments: argparse.Namespace, scratch: Path, stop: StopRequest) -> Adapted:
    """Adapt the model, and install the result if that is wanted."""
    # Imported here: torch takes seconds, in which a stop should be heard.
    from training.adaptation.run import AdaptationOptions, adapt_model
    from training.run_config import read_overrides

    name = arguments.install
    options = AdaptationOptions(
        tuple(arguments.folders),
        arguments.model,
        arguments.out or scratch / f"{name}.safetensors",
        arguments.minutes,
        read_overrides(arguments.set or ()),
    )
    result = adapt_model(options, scratch, tell, stop.is_set)
    if name is None or not result.weights:
        return result
    installed = install_files(name, [options.out, options.sheet])
    sheet = installed.path.with_name(options.sheet.name)
    return replace(result, weights=str(installed.path), sheet=str(sheet))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.adapt")
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="training pairs, photo.jpg with photo.alpha.png, or projects",
    )
    parser.add_argument("--model", default="zim-tiny", help="name or weight file")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--out", type=Path, help="new .safetensors file, with a sheet beside it"
    )
    target.add_argument(
        "--install", metavar="NAME", help="name among the installed models"
    )
    parser.add_argument(
        "--minutes", type=minutes, default=MINUTES, help="of training at most"
    )
    parser.add_argument(
        "--set",
        action="append",
        metavar="KEY=VALUE",
        help="setting of the training, such as lr=1e-4; may be repeated",
    )
    parser.add_argument(
        "--follow-input",
        action="store_true",
        help=f"read the lines {STOP} and {DISCARD} from the standard input, and end"
        " with it",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
