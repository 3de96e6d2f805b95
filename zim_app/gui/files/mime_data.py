"""What dropped and pasted data hold: local files, or an image."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

IMAGE_FORMATS = ("image/png", "image/tiff", "image/webp", "image/jpeg", "image/bmp")
"""MIME types of encoded images that are used from other programs, best first."""


def local_paths(data: QMimeData) -> list[Path]:
    """The local files of MIME data."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def holds_image(data: QMimeData) -> bool:
    """Whether MIME data contain an image."""
    return data.hasImage() or any(map(data.hasFormat, IMAGE_FORMATS))


def image_of(data: QMimeData) -> bytes | QImage | None:
    """The image of MIME data, an encoded file or pixels; None without one."""
    encoded = next((kind for kind in IMAGE_FORMATS if data.hasFormat(kind)), None)
    if encoded is not None:
        return bytes(data.data(encoded).data())
    pixels = QImage(data.imageData()) if data.hasImage() else QImage()
    return None if pixels.isNull() else pixels
