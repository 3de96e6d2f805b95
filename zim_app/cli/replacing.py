"""Files of an earlier run, which commands replace with ``--replace`` only."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from zim_model.errors import msg
from zim_model.runtime.atomic_files import check_absent

OTHER_FOLDER = msg("Say --replace, or choose another folder.")
OTHER_NAME = msg("Say --replace, or choose another name.")


def add_replace_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--replace``."""
    parser.add_argument(
        "--replace", action="store_true", help="replace files of an earlier run"
    )


def check_free(args: argparse.Namespace, paths: Iterable[Path], cure: str) -> None:
    """Check that no file exists, unless ``--replace`` was given.

    Raises:
        ZimError: naming the first one that does, with the cure.
    """
    if not args.replace:
        check_absent(paths, cure)
