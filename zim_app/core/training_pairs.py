"""Training pairs: an image and a corrected matte, in the layout that training reads.

A pair is ``matte/SOURCE__ID.jpg`` (or ``.png``) and ``matte/SOURCE__ID.alpha.png``.
Existing files are never replaced.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image

from zim_app.core.images import Image
from zim_app.core.naming import sanitise
from zim_app.core.pixels import convert_depth
from zim_model.arrays import WordArray
from zim_model.errors import ImageError, msg
from zim_model.runtime.atomic_files import atomic_write, write_error

FOLDER = "matte"
SOURCE = "studio"
SUFFIXES = (".jpg", ".png")


def save_pairs(image: Image, mattes: Sequence[WordArray], root: Path) -> list[Path]:
    """Write one pair for each matte of an image.

    The image is a copy of the original file where a reader that ignores profiles and
    orientation decodes the same pixels from it; else a PNG in sRGB.  Pairs of one image
    are named NAME, NAME.2, NAME.3: training identifies an image by the part before the
    first dot, so that all its pairs are either trained on or held out.  A pair that
    exists already is not written again.

    Args:
        image: the image of the mattes.
        mattes: (H, W) uint16 each; 8 bits of it are kept.
        root: a training folder; made if it does not exist.  A folder named ``matte``
            is used as the inner one.

    Returns:
        The mattes' files, in the same order.

    Raises:
        ImageError: a matte is empty, or a file cannot be written.
    """
    for alpha in mattes:
        if not convert_depth(alpha, np.uint8).any():
            raise ImageError(
                msg("The matte is empty: there is nothing to learn from."),
                msg("Cut the object out first."),
            )
    folder = root if root.name == FOLDER else root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        encoded, suffix = _image_bytes(image)
        return [_write_pair(folder, image, encoded, suffix, each) for each in mattes]
    except OSError as error:
        raise write_error(folder, error, ImageError) from error


def _write_pair(
    folder: Path, image: Image, encoded: bytes, suffix: str, alpha: WordArray
) -> Path:
    matte = _png(convert_depth(alpha, np.uint8))
    while True:
        with contextlib.suppress(FileExistsError):  # taken by another program meanwhile
            return _write_new_pair(folder, image, encoded, suffix, matte)


def _write_new_pair(
    folder: Path, image: Image, encoded: bytes, suffix: str, matte: bytes
) -> Path:
    """Write a pair under free names.

    Raises:
        FileExistsError: they are free no more.
        OSError: a file cannot be written.
    """
    stem = _pair_stem(folder, image, encoded)
    name, number = stem, 1
    while any(path.exists() for path in _files(folder, name)):
        *images, existing = _files(folder, name)
        of_this_image = any(_holds(path, encoded) for path in images)
        if name == stem and not of_this_image:
            raise FileExistsError(name)  # another image has just taken it
        if of_this_image and _holds(existing, matte):
            return existing
        number += 1
        name = f"{stem}.{number}"
    # The matte is written last: an image alone is not a pair.
    path = folder / f"{name}{suffix}"
    with atomic_write(path, exclusive=True) as stream:
        stream.write(encoded)
    try:
        with atomic_write(folder / f"{name}.alpha.png", exclusive=True) as stream:
            stream.write(matte)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return folder / f"{name}.alpha.png"


def _pair_stem(folder: Path, image: Image, encoded: bytes) -> str:
    """The first name that is free, or that the same image has already."""
    own = sanitise(Path(image.name).stem.replace(".", "-").replace("__", "_"))
    first = stem = f"{SOURCE}__{own or 'picture'}"
    number = 1
    while True:
        *images, matte = _files(folder, stem)
        existing = [path for path in images if path.exists()]
        if not existing and not matte.exists():
            return stem
        if any(_holds(path, encoded) for path in existing):
            return stem
        number += 1
        stem = f"{first}-{number}"


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _files(folder: Path, name: str) -> tuple[Path, ...]:
    return (
        *(folder / f"{name}{suffix}" for suffix in SUFFIXES),
        folder / f"{name}.alpha.png",
    )


def _image_bytes(image: Image) -> tuple[bytes, str]:
    """Bytes and suffix of the image file; the original file where it decodes alike."""
    data = _original(image)
    if data is not None:
        try:
            with warnings.catch_warnings(), PIL.Image.open(io.BytesIO(data)) as file:
                warnings.simplefilter("ignore")
                suffix = {"JPEG": ".jpg", "PNG": ".png"}.get(file.format or "")
                pixels = np.asarray(file.convert("RGB"))
                if suffix and np.array_equal(pixels, image.rgb):
                    return data, suffix
        except (OSError, ValueError, SyntaxError):
            pass  # encoded anew below
    return _png(image.rgb), ".png"


def _original(image: Image) -> bytes | None:
    try:
        return image.path.read_bytes() if image.path else None
    except OSError:  # moved since it was opened
        return None


def _png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
