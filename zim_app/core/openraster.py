"""OpenRaster files (.ora): a ZIP of PNG layers, readable by Krita, GIMP and others."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree

import imagecodecs
import numpy as np
from PIL import Image

from zim_app.core.layered import LayeredImage
from zim_app.core.pixels import PixelArray, convert_depth
from zim_app.core.rasters import Tags, write_png

_MERGED = "mergedimage.png"
_THUMBNAIL_SIDE = 256


def write_openraster(stream: IO[bytes], image: LayeredImage, tags: Tags) -> None:
    """Encode a layered image as OpenRaster 0.0.3."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "mimetype", "image/openraster")  # must come first
        for layer in image.render_layers():
            number = len(image.entries) - 1  # enumerate would keep the layer
            _add_png(archive, _layer_file(number), layer.pixels, tags)
            del layer  # before the next one is rendered
        _add(archive, "stack.xml", _stack(image, tags))
        _add_png(archive, _MERGED, image.merged, tags)
        _add(archive, "Thumbnails/thumbnail.png", _thumbnail(image.merged))


def _add(archive: zipfile.ZipFile, name: str, content: str | bytes) -> None:
    archive.writestr(_entry(name), content)


def _add_png(
    archive: zipfile.ZipFile, name: str, pixels: PixelArray, tags: Tags
) -> None:
    with archive.open(_entry(name), "w", force_zip64=True) as stream:
        write_png(stream, pixels, tags)


def _entry(name: str) -> zipfile.ZipInfo:
    """A file without the time of now: the same pixels give the same bytes."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o600 << 16  # as for entries that are only named
    return entry


def read_back(stream: IO[bytes]) -> Iterator[PixelArray]:
    """Read the pixels of :func:`write_openraster`: the layers, then the merged image.

    Raises:
        ValueError, KeyError, zipfile.BadZipFile: the file is incomplete.
    """
    with zipfile.ZipFile(stream) as archive:
        tree = ElementTree.fromstring(
            archive.read("stack.xml")
        )  # written by this program
        names = [str(layer.get("src")) for layer in tree.iter("layer")]
        for name in [*reversed(names), _MERGED]:
            # Without a name here, the caller decides how long the pixels are kept.
            yield imagecodecs.png_decode(archive.read(name))


def profile_of(stream: IO[bytes]) -> bytes | None:
    """The ICC profile of the merged image of :func:`write_openraster`."""
    with (
        zipfile.ZipFile(stream) as archive,
        archive.open(_MERGED) as merged,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of Pillow, about large images
        icc: bytes | None = Image.open(merged).info.get("icc_profile")
        return icc


def _layer_file(number: int) -> str:
    return f"data/layer{number:03}.png"


def _stack(image: LayeredImage, tags: Tags) -> bytes:
    height, width = image.merged.shape[:2]
    root = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height))
    if tags.dpi:
        for name, number in zip(("xres", "yres"), tags.dpi, strict=True):
            root.set(name, str(round(number)))
    stack = ElementTree.SubElement(root, "stack")
    for number, entry in reversed(list(enumerate(image.entries))):
        ElementTree.SubElement(
            stack,
            "layer",
            {
                "name": _printable(entry.name),
                "src": _layer_file(number),
                "x": str(entry.left),
                "y": str(entry.top),
                "opacity": "1.0",
                "visibility": "visible" if entry.visible else "hidden",
                "composite-op": "svg:src-over",
            },
        )
    text: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return text


def _printable(text: str) -> str:
    """Text with unprintable characters, invalid in XML, replaced by spaces."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _thumbnail(merged: PixelArray) -> bytes:
    image = Image.fromarray(convert_depth(merged, np.uint8))
    image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
