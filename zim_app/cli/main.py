"""The subcommands of ``zim-studio``; imports neither Qt nor torch.

Exit codes: 0 success, 1 an expected failure (with a one-line message and advice on the
standard error stream), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from zim_app.cli import (
    auto,
    batch,
    convert_mask,
    evaluate,
    export_onnx,
    matte,
    models,
)
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import describe_os_error


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: ``zim-studio NAME ...``.

    Attributes:
        summary: one line for the list of commands.
        configure: adds the arguments to a parser.
        run: runs the subcommand and returns the exit code; may raise ZimError, or
            ArgumentError for wrong usage that the parser cannot detect.
    """

    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def run(argv: Sequence[str]) -> int:
    """Run one subcommand: its name, a key of ``COMMANDS``, then its arguments.

    Returns the exit code.  Wrong usage exits from within, as argparse does.
    """
    name = argv[0]
    command = COMMANDS[name]
    parser = argparse.ArgumentParser(f"zim-studio {name}", description=command.summary)
    command.configure(parser)
    args = parser.parse_args(argv[1:])
    _allow_any_name(sys.stdout)
    try:
        code = command.run(args)
        sys.stdout.flush()
    except argparse.ArgumentError as error:
        parser.error(error.message)
    except ZimError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted.", 130)
    except (
        BrokenPipeError
    ):  # the reader has closed the pipe, as in `zim-studio ... | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # flushed at exit
        return 1
    except OSError as error:  # such as a file name that is too long
        return fail_with(error)
    return code


def _allow_any_name(stream: TextIO) -> None:
    """Print names that are no text in the stream's encoding in place of failing."""
    if isinstance(stream, io.TextIOWrapper):
        is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
        # In UTF-8 the very bytes of a file's name, which other programs can open.
        errors = "surrogateescape" if is_utf8 else "backslashreplace"
        stream.reconfigure(errors=errors)


def fail(reason: str, code: int = 1) -> int:
    """Print an error message as one line; return the exit code."""
    print(f"zim-studio: error: {' '.join(reason.split())}", file=sys.stderr)
    return code


def fail_with(error: OSError) -> int:
    """Print what a system error means, and its cure; return the exit code."""
    reason, cure = describe_os_error(error)
    place = f"{error.filename}: " if error.filename else ""
    return fail(f"{place}{reason}. {cure}")


COMMANDS: dict[str, Command] = {
    "matte": Command(matte.SUMMARY, matte.configure, matte.run),
    "models": Command(models.SUMMARY, models.configure, models.run),
    "auto": Command(auto.SUMMARY, auto.configure, auto.run),
    "batch": Command(batch.SUMMARY, batch.configure, batch.run),
    "convert-mask": Command(
        convert_mask.SUMMARY, convert_mask.configure, convert_mask.run
    ),
    "evaluate": Command(evaluate.SUMMARY, evaluate.configure, evaluate.run),
    "export-onnx": Command(export_onnx.SUMMARY, export_onnx.configure, export_onnx.run),
}
"""Every subcommand by its name; the only list of them."""
