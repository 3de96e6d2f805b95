"""Writing the images of data sets and of results."""

from __future__ import annotations

from pathlib import Path

import cv2

from zim_model.arrays import ByteArray, WordArray
from zim_model.runtime.atomic_files import atomic_write


def write_png(path: Path, pixels: ByteArray | WordArray) -> None:
    """Write an image, (H, W) grey or (H, W, 3) with blue first, and make its folder.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as stream:
        stream.write(cv2.imencode(".png", pixels)[1].tobytes())
