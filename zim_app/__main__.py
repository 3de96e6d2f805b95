"""``zim-studio``: open the window, or run a subcommand of :mod:`zim_app.cli.main`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import zim_model
from zim_app.cli import main as cli
from zim_app.cli.streams import prepare_streams

_NO_DISPLAY = (
    "there is no display to open a window on. "
    "Without one, use: zim-studio matte PHOTO --point X,Y -o OUT.png"
)

_NO_LIBRARY = (
    "Qt needs a library of the system that is missing ({}). Start the program with "
    "./run, which installs it, or on Debian and Ubuntu: sudo apt-get install libegl1 "
    "libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0"
)
_NO_QT = (
    "Qt cannot be loaded ({}). Install it again: pip install --force-reinstall "
    "PySide6-Essentials{}"
)
_WINDOWS_RUNTIME = (
    "; if that does not help, Microsoft's Visual C++ Redistributable is missing"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand if the first argument names one, else open the window.

    Args:
        argv: arguments without the program's name; None uses ``sys.argv``.

    Returns:
        The exit code, see :mod:`zim_app.cli.main`.
    """
    prepare_streams()
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv and argv[0] in cli.COMMANDS:
        return cli.run(argv)
    parser = _parser()
    paths: list[Path] = parser.parse_args(argv).paths
    for path in paths:
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            parser.error(f"there is neither a file nor a command called {str(path)!r}")
        except OSError as error:
            return cli.fail_with(error)
    if _display_missing():
        return cli.fail(_NO_DISPLAY)
    try:
        from zim_app.gui.app import run_window  # imports Qt
    except ImportError as error:
        if (text := _missing_library(error)) is None:
            raise
        return cli.fail(text)
    return run_window(paths)


def _missing_library(error: ImportError) -> str | None:
    """What to say where a library of the system is missing; None for other errors."""
    if sys.platform == "win32":
        found = "DLL load failed" in str(error)
        return _NO_QT.format(error, _WINDOWS_RUNTIME) if found else None
    if sys.platform == "darwin":
        return _NO_QT.format(error, "") if "dlopen" in str(error) else None
    return _NO_LIBRARY.format(error) if ".so" in str(error) else None


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, cli.COMMANDS))
    commands = "\n".join(
        f"  {name:{width}}  {summary}" for name, summary in cli.COMMANDS.items()
    )
    parser = argparse.ArgumentParser(
        "zim-studio",
        usage="%(prog)s [PATH ...]  |  %(prog)s COMMAND ...",
        description="Click an object in a photo, get a soft alpha matte.",
        epilog=f"commands (details: COMMAND --help):\n{commands}\n\n"
        "A photo with the name of a command is opened as ./NAME.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="photos to open"
    )
    parser.add_argument("--version", action=_Version, nargs=0)
    return parser


class _Version(argparse.Action):
    """Prints the version, which takes a search through the installed packages."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """See argparse."""
        print(f"{parser.prog} {zim_model.__version__}")
        parser.exit()


def _display_missing() -> bool:
    """Whether Qt would abort for lack of a display; checked without starting Qt."""
    found = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform == "linux" and not any(map(os.environ.get, found))


if __name__ == "__main__":
    sys.exit(main())
