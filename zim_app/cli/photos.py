"""Reading the photo that a command is given."""

from __future__ import annotations

from pathlib import Path

from zim_app.cli.models import print_notes
from zim_app.core.images import Image, load_image


def read_photo(path: Path) -> Image:
    """Read a photo; what of the file was unusable is printed as a warning.

    Raises:
        ImageError: see :func:`zim_app.core.images.load_image`.
    """
    image = load_image(path)
    if image.notice is not None:
        print_notes((image.notice.text,))
    return image
