"""The photo that a command is given, and the file beside it for its result.

``-`` in place of a path is the standard input, or the standard output.
"""

from __future__ import annotations

import sys
from pathlib import Path

from zim_app.cli.models import print_notes
from zim_app.core.images import Image, load_image, load_image_bytes
from zim_model.errors import ImageError, ZimError, msg

STREAM = "-"
"""The argument for the standard input or output; a file of that name is ``./-``."""


def path_or_stream(text: str) -> Path | None:
    """Parse an argument: a path, or None for the standard input or output."""
    return None if text == STREAM else Path(text)


def read_photo(path: Path | None) -> Image:
    """Read a photo; what of the file was unusable is printed as a warning.

    Args:
        path: None for the standard input.

    Raises:
        ImageError: see :func:`zim_app.core.images.load_image`.
        ZimError: the standard input is a terminal, or closed.
    """
    if path is None:
        if sys.stdin is None or sys.stdin.isatty():  # None: closed, as in a service
            raise ZimError(
                msg("There is no photo on the standard input."),
                msg("Write: zim-studio matte - < PHOTO > OUT.png"),
            )
        image = load_image_bytes(sys.stdin.buffer.read(), "stdin")
    else:
        image = load_image(path)
    if image.notice is not None:
        print_notes((image.notice.text,))
    return image


def check_stdout() -> None:
    """Check that an image may be written to the standard output.

    Raises:
        ZimError: it is a terminal, or closed.
    """
    if sys.stdout is None:
        raise ZimError(
            msg("The standard output is closed."),
            msg("Say -o FILE."),
        )
    if sys.stdout.isatty():
        raise ZimError(
            msg("The image would be written to the terminal."),
            msg("Say -o FILE, or end the command with > FILE."),
        )


def default_output(photo: Path, what: str) -> Path:
    """The file beside a photo for a result that no ``--output`` names.

    Raises:
        ImageError: it exists.
    """
    path = photo.with_name(f"{photo.stem}-{what}.png")
    if path.exists():
        raise ImageError(
            msg("{path} exists already.", path=path),
            msg("Say -o FILE to replace it, or to save elsewhere."),
        )
    return path
