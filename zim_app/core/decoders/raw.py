"""Raw photos of cameras: recognised, and developed where ``rawpy`` is installed.

Raw files hold ready-made previews that other decoders find first.  A preview must never
be taken for the photo.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from zim_app.core.decoders.base import (
    Damaged,
    DecodedImage,
    Metadata,
    check_size,
    unsupported,
)
from zim_model.errors import ImageError, msg

SUFFIXES = frozenset(
    (
        *(".3fr", ".ari", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw"),
        *(".dcr", ".dcs", ".dng", ".drf", ".erf", ".fff", ".gpr", ".iiq"),
        *(".k25", ".kdc", ".mdc", ".mef", ".mos", ".mrw", ".nef", ".nrw"),
        *(".orf", ".pef", ".ptx", ".pxn", ".raf", ".raw", ".rw2", ".rwl"),
        *(".rwz", ".sr2", ".srf", ".srw", ".x3f"),
    )
)
"""Of raw photos; the camera decides which."""

MAX_PAGES = 64
"""Pages of a TIFF file that are looked at."""

_MAGICS = (
    (0, b"FUJIFILMCCD-RAW"),
    (4, b"ftypcrx "),
    (0, b"IIRO"),
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),
    (0, b"FOVb"),
    (0, b"\0MRM"),
    (6, b"HEAPCCDR"),
)
_SENSOR_DATA = (32803, 34892)  # photometric: colour filter array, linear raw
_COMPRESSIONS = (32767, 32769, 32770, 34713, 65000, 65535)
"""Of Sony, Epson, Samsung, Nikon, Kodak and Pentax."""
_DNG_VERSION, _REDUCED = 50706, 1


def is_raw(head: bytes) -> bool:
    """Whether the first bytes are those of a raw photo that is no TIFF file."""
    return any(head[at : at + len(magic)] == magic for at, magic in _MAGICS)


def refuse_raw(path: Path, tiff: tifffile.TiffFile) -> None:
    """Check that a TIFF file is no raw photo.

    Raises:
        RawPhoto: it is one.
    """
    if path.suffix.lower() in SUFFIXES or _holds_sensor_data(tiff):
        raise RawPhoto


class RawPhoto(Exception):
    """A file is a raw photo."""


def _holds_sensor_data(tiff: tifffile.TiffFile) -> bool:
    tiff.filehandle.seek(0)
    if tiff.filehandle.read(16)[8:10] == b"CR":
        return True
    for index, page in enumerate(tiff.pages):
        if index > MAX_PAGES:
            break
        if not isinstance(page, tifffile.TiffPage):
            continue
        if _DNG_VERSION in page.tags or _is_sensor_data(page):
            return True
        if page.subifds:
            # A preview whose photo is in a directory below; or sensor data there.
            if page.subfiletype & _REDUCED and index == 0:
                return True
            if any(
                isinstance(part, tifffile.TiffPage) and _is_sensor_data(part)
                for part in page.pages or ()
            ):
                return True
    return False


def _is_sensor_data(page: tifffile.TiffPage) -> bool:
    return page.photometric in _SENSOR_DATA or page.compression in _COMPRESSIONS


def decode_raw(path: Path) -> DecodedImage:
    """Develop a raw photo: camera's white balance, 16 bits, sRGB.

    Raises:
        ImageError: ``rawpy`` is not installed.
        Damaged: it cannot be developed.
    """
    try:
        import rawpy
    except ImportError as error:
        raise raw_error(path.name) from error
    try:
        with rawpy.imread(str(path)) as photo:
            check_size(path.name, photo.sizes.iwidth, photo.sizes.iheight)
            colour = photo.postprocess(use_camera_wb=True, output_bps=16)
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise Damaged(reason or "unknown to LibRaw") from error
    # LibRaw turns it upright.
    return Metadata().image(np.ascontiguousarray(colour), "RGB")


def raw_error(name: str) -> ImageError:
    """The error for a raw photo that cannot be developed."""
    return unsupported(
        name,
        msg("it is a camera's raw photo, of which only a preview could be read"),
        msg(
            "Install the extra [raw] (pip install rawpy), or develop it in your raw "
            "converter and open the TIFF or JPEG."
        ),
    )
