"""The subcommands of ``zim-studio``; imports neither Qt nor torch.

Exit codes: 0 success, 1 an expected failure (with a one-line message and advice on the
standard error stream), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from zim_app.cli.progress import one_line
from zim_app.cli.streams import null_stream
from zim_model.errors import ZimError
from zim_model.runtime.atomic_files import describe_os_error


class Command(Protocol):
    """A module with a subcommand: ``zim-studio NAME ...``."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Run it and return the exit code.

        Raises:
            ZimError: an expected failure.
            argparse.ArgumentError: wrong usage that the parser cannot detect.
        """


def run(argv: Sequence[str]) -> int:
    """Run one subcommand: its name, a key of ``COMMANDS``, then its arguments.

    Returns the exit code.  Wrong usage exits from within, as argparse does.
    """
    name = argv[0]
    parser = argparse.ArgumentParser(f"zim-studio {name}", description=COMMANDS[name])
    try:
        # One of them: importing all takes half of the time of the shortest.
        module = import_module(f"zim_app.cli.{name.replace('-', '_')}")
        command = cast(Command, module)
        command.configure(parser)
        args = parser.parse_args(argv[1:])
        code = command.run(args)
        if sys.stdout is not None:  # closed, as in a service
            sys.stdout.flush()
    except argparse.ArgumentError as error:
        parser.error(error.message)
    except ZimError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted.", 130)
    except BrokenPipeError:  # the reader has ended, as in `zim-studio ... | head`
        sys.stdout = null_stream()  # flushed at exit
        return 1
    except OSError as error:  # such as a file name that is too long
        return fail_with(error)
    return code


def fail(reason: str, code: int = 1) -> int:
    """Print an error message as one line; return the exit code."""
    print(f"zim-studio: error: {one_line(reason)}", file=sys.stderr)
    return code


def fail_with(error: OSError) -> int:
    """Print what a system error means, and its cure; return the exit code."""
    reason, cure = describe_os_error(error)
    place = f"{error.filename}: " if error.filename else ""
    return fail(f"{place}{reason}. {cure}")


COMMANDS = {
    "matte": "Cut one object out of a photo, or of each of several, without a window.",
    "models": "List, download, add and remove models.",
    "auto": "Cut every object out of one photo, each into a file of its own.",
    "erase": "Remove an object from a photo and fill in what was behind it.",
    "batch": "Cut objects out of all photos of a folder.",
    "convert-mask": "Make a soft matte of a photo and a coarse black-and-white mask.",
    "evaluate": "Measure models, and other systems' predictions, on a data set.",
    "slices": "Make images of the slices of a NIfTI or DICOM file, with their masks.",
    "serve": "Cut photos out over HTTP, as rembg's server does.",
    "export-onnx": "Write a model as ONNX graphs, a ZIM as its authors publish it.",
}
"""Every subcommand and one line about it; the only list of them."""
