"""Training pairs: a picture and a corrected matte, in the layout that training reads.

A pair is ``matte/SOURCE__ID.jpg`` (or ``.png``) with ``matte/SOURCE__ID.alpha.png``
beside it.  Nothing that exists is ever replaced.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zim_app.core.images import Picture
from zim_app.core.naming import sanitised
from zim_app.core.pixels import at_depth
from zim_model.arrays import WordArray
from zim_model.errors import ImageError
from zim_model.runtime.atomic_files import explain, replacing

FOLDER = "matte"
SOURCE = "studio"
SUFFIXES = (".jpg", ".png")


def save_pairs(picture: Picture, mattes: Sequence[WordArray], root: Path) -> list[Path]:
    """Write one pair for each matte of a picture.

    The picture is the original file, byte for byte, where a reader that knows neither
    profiles nor orientation sees the right pixels in it; else a PNG in sRGB.  Pairs of
    one picture are called NAME, NAME.2, NAME.3, so that training, which takes what
    stands before the first dot for the picture, never learns from one of them and is
    tested on another.  A pair that is there already is not written again.

    Args:
        picture: that they are of.
        mattes: (H, W) uint16 each; 8 bits of it are kept.
        root: a training folder; made if it does not exist.  A folder called ``matte``
            is taken for the one inside.

    Returns:
        The mattes' files, in the same order.

    Raises:
        ImageError: a matte is empty, or a file cannot be written.
    """
    for alpha in mattes:
        if not at_depth(alpha, np.uint8).any():
            raise ImageError(
                "The matte is empty: there is nothing to learn from.",
                "Cut the object out first.",
            )
    folder = root if root.name == FOLDER else root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        image, suffix = _image_bytes(picture)
        return [_written(folder, picture, image, suffix, each) for each in mattes]
    except OSError as error:
        reason, cure = explain(error)
        raise ImageError(f"{folder} cannot be written: {reason}.", cure) from error


def _written(
    folder: Path, picture: Picture, image: bytes, suffix: str, alpha: WordArray
) -> Path:
    matte = _png(at_depth(alpha, np.uint8))
    stem = _family(folder, picture, image)
    name, number = stem, 1
    while any(path.exists() for path in _files(folder, name)):
        there = folder / f"{name}.alpha.png"
        if there.is_file() and there.read_bytes() == matte:
            return there
        number += 1
        name = f"{stem}.{number}"
    # The matte comes last: a picture alone is no pair, so a failure leaves none.
    path = folder / f"{name}{suffix}"
    with replacing(path) as stream:
        stream.write(image)
    try:
        with replacing(folder / f"{name}.alpha.png") as stream:
            stream.write(matte)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return folder / f"{name}.alpha.png"


def _family(folder: Path, picture: Picture, image: bytes) -> str:
    """The first name that is free, or that stands for this very picture already."""
    own = sanitised(Path(picture.name).stem.replace(".", "-").replace("__", "_"))
    first = stem = f"{SOURCE}__{own or 'picture'}"
    number = 1
    while True:
        *images, matte = _files(folder, stem)
        there = [path for path in images if path.exists()]
        if not there and not matte.exists():
            return stem
        if any(path.is_file() and path.read_bytes() == image for path in there):
            return stem
        number += 1
        stem = f"{first}-{number}"


def _files(folder: Path, name: str) -> tuple[Path, ...]:
    return (
        *(folder / f"{name}{suffix}" for suffix in SUFFIXES),
        folder / f"{name}.alpha.png",
    )


def _image_bytes(picture: Picture) -> tuple[bytes, str]:
    """The picture's file and its suffix, the original one if that reads the same."""
    data = _original(picture)
    if data is not None:
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as file:
                warnings.simplefilter("ignore")
                suffix = {"JPEG": ".jpg", "PNG": ".png"}.get(file.format or "")
                pixels = np.asarray(file.convert("RGB"))
                if suffix and np.array_equal(pixels, picture.rgb):
                    return data, suffix
        except (OSError, ValueError, SyntaxError):
            pass  # written anew from what was decoded
    return _png(picture.rgb), ".png"


def _original(picture: Picture) -> bytes | None:
    try:
        return picture.path.read_bytes() if picture.path else None
    except OSError:  # it was moved since it was opened
        return None


def _png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
