"""Decode a slice of a DICOM or NIfTI file, with the extra ``[medical]``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from zim_app.core.decoders.base import DecodedImage, check_size
from zim_app.core.greys import Greys, GreyView
from zim_model.medical.reading import read_volume
from zim_model.medical.volume import is_dicom, is_medical_name
from zim_model.medical.window import automatic_window


def is_medical(path: Path, head: bytes) -> bool:
    """Whether a file is DICOM or NIfTI, by its first bytes or its name."""
    return is_dicom(head) or is_medical_name(path)


def decode_medical(path: Path, view: GreyView) -> DecodedImage:
    """Decode a slice, grey in a window at 16 bits, or in colour at 8.

    A window of its own, for all slices, is computed where the file stores none.

    Raises:
        ImageError: see :func:`~zim_model.medical.reading.read_volume`; or a slice is
            too large.
    """
    volume = read_volume(path)
    height, width = volume.slices.shape[1:3]
    check_size(path.name, width, height)
    index = len(volume) // 2 if view.slice is None else view.slice
    index = min(index, len(volume) - 1)
    if not volume.is_grey:
        return DecodedImage(volume.render(index), "RGB")
    own = volume.window or automatic_window(volume.slices)
    grey = volume.grey(index)
    grey = replace(grey, values=np.ascontiguousarray(grey.values), window=own)
    shown = replace(view, slice=index if len(volume) > 1 else None)
    return DecodedImage(
        grey.render(np.uint16, view.window),
        "GRAY",
        greys=Greys(grey, shown, len(volume)),
    )
