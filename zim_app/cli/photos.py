"""The photo that a command is given, and the file beside it for its result."""

from __future__ import annotations

from pathlib import Path

from zim_app.cli.models import print_notes
from zim_app.core.images import Image, load_image
from zim_model.errors import ImageError, msg


def read_photo(path: Path) -> Image:
    """Read a photo; what of the file was unusable is printed as a warning.

    Raises:
        ImageError: see :func:`zim_app.core.images.load_image`.
    """
    image = load_image(path)
    if image.notice is not None:
        print_notes((image.notice.text,))
    return image


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
