"""Reading images, mattes and prompt files, with checks.

Every failure is a :class:`ZimError` that names the file, for the report; nothing is
guessed and nothing counts as zero.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray
from zim_model.errors import MALFORMED, ImageError, PromptError, msg
from zim_model.evaluation.cases import MASK, Case
from zim_model.medical.reading import read_single
from zim_model.medical.volume import is_medical_name
from zim_model.medical.window import GreyImage, Window
from zim_model.prompts import Box, Point, PromptSet
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import read_error

T = TypeVar("T")

MAX_POINTS = 50
"""Points used of a prompt file, as in ZIM's evaluation."""
MAX_OUTSIDE = 1.0
"""Pixels that a box may extend beyond the image; more is an error in the file."""
UNKNOWN = (64, 192)
"""Grey values of a trimap's unknown region lie between these."""
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L")
_LOSSY_FORMATS = ("JPEG", "MPO", "WEBP", "AVIF")
_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")


def read_image(path: Path, window: Window | None = None) -> ByteArray:
    """An image, (H, W, 3) uint8 sRGB, upright and read-only.

    Greys of more than 8 bits, and those of DICOM and NIfTI files of one slice, are
    shown in a window.

    Args:
        window: of such greys; None takes the file's, else an automatic one.

    Raises:
        ImageError: it is missing or cannot be read.
    """
    if is_medical_name(path):
        pixels = read_single(path).render(0, window)
    else:
        with _open_image(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in DEEP_MODES:
                grey = GreyImage(np.asarray(upright)).render(np.uint8, window)
                pixels = np.repeat(grey[..., None], 3, axis=2)
            else:
                pixels = np.array(upright.convert("RGB"), np.uint8)
    pixels.flags.writeable = False
    return pixels


def prefetch_images(
    groups: Sequence[tuple[Path, T]], stack: ExitStack, window: Window | None = None
) -> Iterator[tuple[T, Future[ByteArray]]]:
    """What belongs to each image, with that image; the next one is read ahead.

    Args:
        groups: image files, each with what belongs to it.
        stack: ends the thread that reads.
        window: see :func:`read_image`.
    """
    thread = stack.enter_context(ThreadPoolExecutor(1, "evaluation-images"))
    ahead: Future[ByteArray] | None = None
    for place, (path, items) in enumerate(groups):
        now = ahead or thread.submit(read_image, path, window)
        following = groups[place + 1 : place + 2]
        ahead = (
            thread.submit(read_image, following[0][0], window) if following else None
        )
        yield items, now


def read_truth(case: Case) -> WordArray:
    """The ground truth of a case, (H, W) uint16, 65535 opaque.

    Raises:
        ImageError: it is missing or cannot be read.
    """
    if case.label is None:
        return read_matte(case.matte)
    if case.label == MASK:
        values = _read_mask(case.matte)
        # Also of masks with 1 for the object, and of those with a soft edge.
        inside = values.astype(np.float64) * 2 > max(values.max(), 0)
    else:
        inside = read_label_map(case.matte) == case.label
    return np.where(inside, ALPHA_MAX, 0).astype(np.uint16)


def read_label_map(path: Path) -> npt.NDArray[Any]:
    """The numbers of a label map as stored, (H, W); of DICOM and NIfTI too.

    Raises:
        ImageError: it is missing, cannot be read, is in colour, or of a compression
            that changes numbers.
    """
    if is_medical_name(path):
        volume = read_single(path)
        if volume.lossy:
            raise lossy_error(path, volume.lossy)
        values = volume.slices[0]
    else:
        values = read_grey(path)
    if values.ndim != 2:
        raise ImageError(
            msg("{path} is in colour, which no label map is.", path=path),
            msg("Save it as grey."),
        )
    return np.asarray(values)


def _read_mask(path: Path) -> npt.NDArray[Any]:
    """The numbers of a mask, (H, W); colours as grey."""
    if is_medical_name(path):
        values = read_single(path).slices[0]
    else:
        values, _ = _stored_numbers(path)
    return values if values.ndim == 2 else read_matte(path)


def read_matte(path: Path) -> WordArray:
    """A grey image of 8 or 16 bits, (H, W) uint16, 65535 opaque; colours as grey.

    Of a file with transparency, that counts, not its colours.

    Raises:
        ImageError: it is missing or cannot be read.
    """
    with _open_image(path) as image:
        if image.mode in DEEP_MODES:
            return np.asarray(np.clip(np.asarray(image), 0, ALPHA_MAX), np.uint16)
        plane = image.convert("L")
        if image.mode in ("LA", "PA", "RGBA"):
            own = image.getchannel("A")
            plane = plane if own.getextrema() == (255, 255) else own
        grey = np.asarray(plane, np.uint16)
    return grey * np.uint16(ALPHA_MAX // 255)


def read_grey(path: Path) -> npt.NDArray[np.uint16]:
    """The numbers of a label map as stored, (H, W); (H, W, C) of one in colour.

    Those of a palette are its indices.

    Raises:
        ImageError: it is missing, cannot be read, or of a compression that changes
            numbers.
    """
    values, lossy = _stored_numbers(path)
    if lossy:
        raise lossy_error(path, lossy)
    return values


def _stored_numbers(path: Path) -> tuple[npt.NDArray[np.uint16], str]:
    """The numbers of a file, (H, W) or (H, W, C), and its :func:`lossy_compression`."""
    with _open_image(path) as image:
        values = np.asarray(np.clip(np.asarray(image), 0, ALPHA_MAX), np.uint16)
        return values, lossy_compression(image)


def lossy_compression(image: Image.Image) -> str:
    """The name of an opened file's compression if it changes numbers, else ""."""
    if image.format in _LOSSY_FORMATS:
        return str(image.format)
    stored = str(image.info.get("compression", ""))
    return stored if image.format == "TIFF" and stored in _LOSSY_IN_TIFF else ""


def lossy_error(path: Path, compression: str) -> ImageError:
    """The error that a label map has numbers that compression made."""
    return ImageError(
        msg(
            "{path} is no label map: its compression, {compression}, changes numbers.",
            path=path,
            compression=compression,
        ),
        msg("Save the original label map without loss, as PNG does."),
    )


def as_alpha(matte: WordArray) -> FloatArray:
    """A matte (H, W) uint16 as float32 in [0, 1]; 8 bits give the value over 255."""
    return np.asarray(matte.astype(np.float32) / np.float32(ALPHA_MAX))


def read_trimap(path: Path) -> BoolArray:
    """The unknown region of a trimap, (H, W).

    Raises:
        ImageError: it is missing or cannot be read.
    """
    with _open_image(path) as image:
        grey = np.asarray(image.convert("L"))
    return np.asarray((grey > UNKNOWN[0]) & (grey < UNKNOWN[1]))


@contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    """A decoded image, closed after the block."""
    try:
        with warnings.catch_warnings():  # of Pillow, about large images
            warnings.simplefilter("ignore")
            opened = Image.open(path)
        with opened as image:
            image.load()
            yield image
    except UnidentifiedImageError as error:
        raise ImageError(
            msg("{path} is no image that can be read.", path=path)
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            msg("{path} is too large: {error}", path=path, error=str(error))
        ) from error
    except OSError as error:
        raise read_error(path, error, ImageError) from error
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise ImageError(
            msg("{path} cannot be read: {error}.", path=path, error=str(error))
        ) from error


def check_size(path: Path, array: np.ndarray[Any, Any], image: Path, size: Any) -> None:
    """Check that a matte (H, W) has its image's size (H, W).

    Raises:
        ImageError: it is not.
    """
    if array.shape[:2] != tuple(size[:2]):
        (height, width), (rows, columns) = array.shape[:2], size[:2]
        raise ImageError(
            msg(
                "{path} is {width} x {height} pixels, but {name} is {columns} x "
                "{rows}.",
                path=path,
                width=width,
                height=height,
                name=image.name,
                columns=columns,
                rows=rows,
            )
        )


def read_prompts(path: Path) -> dict[str, PromptSet]:
    """The prompts of a file in MicroMat-3K's layout, by kind: ``point`` and ``box``.

    The file is ``{"point": [[x, y, label], ...], "bbox": [x0, y0, x1, y1]}``, either of
    which may be missing.  Points with a label below 0 are padding; at most MAX_POINTS
    of the others are used.

    Raises:
        PromptError: the file is missing, no JSON, or of another form.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise read_error(path, error, PromptError) from error
    except (ValueError, RecursionError) as error:
        raise PromptError(
            msg("{path} is no JSON file: {error}.", path=path, error=str(error))
        ) from error
    try:
        prompts = {}
        if data.get("point") is not None:
            prompts["point"] = PromptSet(_points(data["point"]))
        if data.get("bbox") is not None:
            x0, y0, x1, y1 = map(_number, data["bbox"])
            prompts["box"] = PromptSet((), Box.from_corners(x0, y0, x1, y1))
    except MALFORMED as error:
        raise PromptError(
            msg("{path} does not hold prompts: {error}.", path=path, error=str(error)),
            msg(
                'Expected {{"point": [[x, y, label], ...], "bbox": [x0, y0, x1, y1]}}.'
            ),
        ) from error
    return prompts


def _points(rows: Any) -> tuple[Point, ...]:
    points = []
    for row in rows:
        x, y, label = map(_number, row)
        if label not in (-1, 0, 1):
            raise ValueError(f"{label:g} is no label of a point")
        if label >= 0:
            points.append(Point(x, y, label == 1))
    return tuple(points[:MAX_POINTS])


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def validate_prompts(prompts: PromptSet, size: tuple[int, int]) -> PromptSet:
    """Prompts of a file, checked for an image of that height and width.

    Raises:
        PromptError: there is none, or one lies outside the image.
    """
    height, width = size
    box = prompts.box
    if box is not None:
        clipped = box.clip(height, width)
        beyond = max(
            abs(a - b)
            for a, b in zip(
                (box.x0, box.y0, box.x1, box.y1),
                (clipped.x0, clipped.y0, clipped.x1, clipped.y1),
                strict=True,
            )
        )
        if not beyond <= MAX_OUTSIDE:
            raise PromptError(
                msg(
                    "The box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) reaches outside the "
                    "image ({width} x {height} pixels).",
                    x0=box.x0,
                    y0=box.y0,
                    x1=box.x1,
                    y1=box.y1,
                    width=width,
                    height=height,
                )
            )
    return prompts.validate(height, width)
