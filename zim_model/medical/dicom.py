"""Read DICOM files with pydicom."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from zim_model.errors import ImageError, msg
from zim_model.medical.volume import Volume, check_voxels, missing_package
from zim_model.medical.window import Window
from zim_model.runtime.atomic_files import read_error

_GREY = {"MONOCHROME1": True, "MONOCHROME2": False}
"""Photometric interpretations of grey values: whether the lowest one is white."""
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422")
_LOSSY_SYNTAXES = tuple(f"1.2.840.10008.1.2.4.{each}" for each in (50, 51, 81))
"""Those of JPEG and JPEG-LS that always are; others say so with a tag."""

logging.getLogger("pydicom").addHandler(logging.NullHandler())  # not to stderr


def read_dicom(path: Path) -> Volume:
    """Read the frames of a DICOM file, with rescale slope and intercept applied.

    The window is the first of the file's.

    Raises:
        ImageError: see :func:`~zim_model.medical.reading.read_volume`.
    """
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise missing_package(path, "pydicom") from error
    try:
        with warnings.catch_warnings():  # about values that are not used
            warnings.simplefilter("ignore")
            return _to_volume(path, pydicom.dcmread(path))
    except ImageError:
        raise
    except InvalidDicomError as error:
        raise ImageError(
            msg("{path} is no DICOM file.", path=path),
            msg("Give a file with the mark DICM, as scanners and archives write."),
        ) from error
    except OSError as error:
        raise read_error(path, error, ImageError) from error
    except MemoryError:
        raise
    except Exception as error:  # pydicom raises many kinds for a damaged file
        raise ImageError(
            msg(
                "{path} is damaged or incomplete ({error}).",
                path=path,
                error=" ".join(str(error).split()) or type(error).__name__,
            ),
            msg("Copy or export it again."),
        ) from error


def _to_volume(path: Path, data: Any) -> Volume:
    if "PixelData" not in data:
        raise ImageError(
            msg("{path} is a DICOM file without an image.", path=path),
            msg("Give the files of the images, not a report or an index (DICOMDIR)."),
        )
    kind = str(data.get("PhotometricInterpretation", ""))
    if kind not in (*_GREY, *_COLOUR):
        raise ImageError(
            msg(
                "{path}: colours of the kind {kind!r} are not read.",
                path=path,
                kind=kind,
            ),
            msg("Export it as grey (MONOCHROME2) or RGB."),
        )
    frames = int(data.get("NumberOfFrames") or 1)
    check_voxels(path, frames, int(data.Rows), int(data.Columns))
    pixels = _pixels(path, data)
    if kind in _COLOUR:
        if pixels.dtype != np.uint8:
            raise ImageError(
                msg("{path} has colours of more than 8 bits.", path=path),
                msg("Export it as 8-bit RGB."),
            )
        return Volume(pixels.reshape(frames, int(data.Rows), int(data.Columns), 3))
    values = pixels.reshape(frames, int(data.Rows), int(data.Columns))
    slope, intercept = (
        _number(data, "RescaleSlope", 1),
        _number(data, "RescaleIntercept", 0),
    )
    if (slope, intercept) != (1, 0):
        values = values.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return Volume(
        *(values, _window(data), _GREY[kind], _is_hounsfield(data)),
        lossy=_lossy_compression(data),
    )


def _pixels(path: Path, data: Any) -> Any:
    """The stored values; colours as RGB.

    Raises:
        ImageError: they are compressed by a method that no installed decoder reads.
    """
    from pydicom.pixels import pixel_array

    syntax = data.file_meta.TransferSyntaxUID
    try:
        return np.asarray(pixel_array(data))
    except (NotImplementedError, RuntimeError) as error:
        if not syntax.is_compressed:
            raise
        raise ImageError(
            msg("{path} is compressed as {syntax}.", path=path, syntax=syntax.name),
            msg(
                "Decompress it first (gdcmconv --raw IN OUT), or install a decoder of "
                "pydicom's, such as pylibjpeg with pylibjpeg-openjpeg and "
                "pylibjpeg-libjpeg."
            ),
        ) from error


def _lossy_compression(data: Any) -> str:
    """The name of the compression that has changed the values, or ""."""
    syntax = data.file_meta.TransferSyntaxUID
    if syntax in _LOSSY_SYNTAXES:
        return str(syntax.name)
    # Also of a file that was decompressed afterwards.
    return "lossy" if data.get("LossyImageCompression") == "01" else ""


def _window(data: Any) -> Window | None:
    """The first window that a file stores; None without a valid one."""
    level, width = _number(data, "WindowCenter"), _number(data, "WindowWidth")
    if level is None or width is None or not width > 0:
        return None
    return Window(level, width)


def _number(data: Any, key: str, default: float | None = None) -> float | None:
    """A number of a file, the first of several; ``default`` where there is none."""
    value = data.get(key)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if np.isfinite(number) else default


def _is_hounsfield(data: Any) -> bool:
    kind = data.get("RescaleType")
    return data.get("Modality") == "CT" and kind in (None, "", "HU")
