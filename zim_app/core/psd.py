"""Photoshop files (PSD): layers with straight alpha at 8 and 16 bits.

The layout follows Adobe's "Photoshop File Formats Specification".  Layers are
compressed with ZIP and prediction, the merged image with PackBits; programs that read
layers support both.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import cv2
import imagecodecs
import numpy as np
import tifffile

from zim_app.core.layered import ImageLayer, LayeredImage, LayerEntry
from zim_app.core.pixels import PixelArray, strips
from zim_app.core.png_encoder import deflate
from zim_app.core.rasters import Tags
from zim_model.errors import ImageError, msg

MAX_SIDE = 30_000
"""Largest width and height of a PSD file, in pixels."""

_RESOLUTION, _ICC, _VERSION = 1005, 1039, 1057
_PACKBITS, _ZIP_PREDICTED = 1, 3
_TIFF_PACKBITS = 32773
_CHANNELS = (-1, 0, 1, 2)
"""Channel ids in the file: alpha, red, green, blue."""
_PLACES = (3, 0, 1, 2)
"""Indexes of these channels in RGBA arrays."""
_HIDDEN = 2
_MAX_BYTES = 2**31 - 1
_HEADER_BYTES = 26


def write_psd(stream: IO[bytes], image: LayeredImage, tags: Tags) -> None:
    """Encode a layered image.

    Args:
        stream: seekable, since lengths stand before what they measure.
        image: may be large: one layer at a time is rendered, one channel compressed.
        tags: of the file.

    Raises:
        ImageError: it is larger than PSD can hold.
    """
    height, width = image.merged.shape[:2]
    bits = 8 * image.merged.itemsize
    stream.write(struct.pack(">4sH6xHIIHH", b"8BPS", 1, 4, height, width, bits, 3))
    stream.write(struct.pack(">I", 0))  # no palette
    with _measured(stream):
        stream.write(b"".join(_resources(tags)))
    with _measured(stream):
        if bits == 16:  # 16-bit layers are stored in another block
            stream.write(struct.pack(">II", 0, 0) + b"8BIMLr16")
        with _measured(stream, 4):
            _write_layers(stream, image)
        if bits == 8:
            stream.write(struct.pack(">I", 0))
    _write_merged(stream, image.merged)


@contextmanager
def _measured(stream: IO[bytes], multiple: int = 1) -> Iterator[None]:
    """Write the length of what is written inside before it, padded to a multiple.

    Raises:
        ImageError: it is longer than a part of a PSD file may be.
    """
    start = stream.tell()
    stream.write(bytes(4))
    yield
    size = stream.tell() - start - 4
    stream.write(bytes(-size % multiple))
    size += -size % multiple
    if size > _MAX_BYTES:
        raise ImageError(
            msg("The layers take {size:.1f} GiB; PSD holds 2.", size=size / 2**30),
            msg("Trim or scale them, or save as .ora."),
        )
    stream.seek(start)
    stream.write(struct.pack(">I", size))
    stream.seek(0, io.SEEK_END)


def _with_length(body: bytes, multiple: int = 1) -> bytes:
    body += bytes(-len(body) % multiple)
    return struct.pack(">I", len(body)) + body


def _resources(tags: Tags) -> Iterator[bytes]:
    if tags.dpi:
        x, y = (round(number * 65536) for number in tags.dpi)
        yield _resource(_RESOLUTION, struct.pack(">IHHIHH", x, 1, 1, y, 1, 1))
    if tags.icc:
        yield _resource(_ICC, tags.icc)
    name = _unicode("zim-studio")
    yield _resource(_VERSION, struct.pack(">IB", 1, 1) + name * 2 + b"\0\0\0\1")


def _resource(id_: int, body: bytes) -> bytes:
    sized = struct.pack(">I", len(body)) + body + bytes(len(body) % 2)
    return b"8BIM" + struct.pack(">HH", id_, 0) + sized


def _unicode(text: str) -> bytes:
    encoded = text.encode("utf-16-be", "replace")
    return struct.pack(">I", len(encoded) // 2) + encoded


def _write_layers(stream: IO[bytes], image: LayeredImage) -> None:
    # A negative count: the merged image has transparency.
    stream.write(struct.pack(">h", -len(image.sources)))
    start = stream.tell()
    # Records precede all pixels; their own length depends on the names only.
    none = [0] * len(_CHANNELS)
    unknown = (LayerEntry(source.name) for source in image.sources)
    stream.write(b"".join(_record(n, each, none) for n, each in enumerate(unknown, 1)))
    sizes = []
    for layer in image.render_layers():
        sizes.append([_write_channel(stream, layer.pixels[..., i]) for i in _PLACES])
        del layer  # before the next one is rendered
    stream.seek(start)
    for number, (entry, channels) in enumerate(
        zip(image.entries, sizes, strict=True), 1
    ):
        stream.write(_record(number, entry, channels))
    stream.seek(0, io.SEEK_END)


def _write_channel(stream: IO[bytes], plane: PixelArray) -> int:
    """Write one channel (H, W); return its length in bytes."""
    body = _delta_encode(plane)
    stream.write(struct.pack(">H", _ZIP_PREDICTED))
    stream.write(body)
    return 2 + len(body)


def _record(number: int, entry: LayerEntry, sizes: list[int]) -> bytes:
    bottom, right = entry.top + entry.height, entry.left + entry.width
    rect = (entry.top, entry.left, bottom, right)
    channels = b"".join(
        struct.pack(">hI", id_, size)
        for id_, size in zip(_CHANNELS, sizes, strict=True)
    )
    flags = 8 | (0 if entry.visible else _HIDDEN)
    name = entry.name.encode("ascii", "replace")[:31]
    pascal = bytes([len(name)]) + name
    extra = struct.pack(">II", 0, 0) + pascal + bytes(-len(pascal) % 4)
    extra += b"8BIMluni" + _with_length(_unicode(entry.name), 4)
    extra += b"8BIMlyid" + _with_length(struct.pack(">I", number))
    return (
        struct.pack(">4iH", *rect, len(_CHANNELS))
        + channels
        + struct.pack(">8sBBBB", b"8BIMnorm", 255, 0, flags, 0)
        + _with_length(extra)
    )


def _delta_encode(plane: PixelArray) -> bytes | bytearray:
    """Compress one channel; each pixel is stored as the difference to its left one."""
    steps = np.empty(plane.shape, plane.dtype.newbyteorder(">"))
    steps[:, 0] = plane[:, 0]
    np.subtract(plane[:, 1:], plane[:, :-1], out=steps[:, 1:])
    return deflate(steps.view(np.uint8))


def _write_merged(stream: IO[bytes], merged: PixelArray) -> None:
    """Write the merged image for programs without layers: over white, then alpha."""
    stream.write(struct.pack(">H", _PACKBITS))
    start = stream.tell()
    counts = np.zeros((4, len(merged)), ">u2")
    stream.write(counts.tobytes())
    for channel in range(4):
        for rows in strips(*merged.shape[:2]):
            encoded = list(_packbits_rows(_shown(merged[rows], channel)))
            counts[channel, rows] = [len(row) for row in encoded]
            stream.write(b"".join(encoded))
    stream.seek(start)
    stream.write(counts.tobytes())
    stream.seek(0, io.SEEK_END)


def _shown(pixels: PixelArray, channel: int) -> PixelArray:
    """A channel (H, W) of RGBA pixels: a colour over white, or alpha."""
    if channel == 3:
        return pixels[..., 3]
    top = int(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., 3].astype(np.uint32)
    blended = pixels[..., channel] * alpha
    blended += top * (top - alpha) + top // 2
    return (blended // top).astype(pixels.dtype)


def _big_endian(values: PixelArray) -> PixelArray:
    return values.astype(values.dtype.newbyteorder(">"))


def _packbits_rows(plane: PixelArray) -> Iterator[bytes]:
    """PackBits of each row, made with OpenCV's TIFF encoder."""
    rows = np.ascontiguousarray(_big_endian(plane)).view(np.uint8)
    options = [
        *(cv2.IMWRITE_TIFF_COMPRESSION, _TIFF_PACKBITS),
        *(cv2.IMWRITE_TIFF_ROWSPERSTRIP, 1),
    ]
    encoded = cv2.imencode(".tiff", rows, options)[1].tobytes()
    with tifffile.TiffFile(io.BytesIO(encoded)) as tiff:
        page: Any = tiff.pages[0]
        places = zip(page.dataoffsets, page.databytecounts, strict=True)
    return (encoded[start : start + count] for start, count in places)


# -- Reading files of write_psd back; not a general PSD reader -------------------------


def read_psd(
    stream: IO[bytes],
) -> tuple[tuple[int, int], Iterator[ImageLayer], Tags]:
    """Read a file of :func:`write_psd`, but for the merged image.

    Returns:
        Height and width, the layers, each read when it is asked for, and the metadata.

    Raises:
        ValueError, struct.error, zlib.error: the file is incomplete.
    """
    magic, _, _, height, width, bits, _ = _unpack(stream, ">4sH6xHIIHH")
    if magic != b"8BPS":
        raise ValueError("it does not begin as a PSD file")
    stream.read(*_unpack(stream, ">I"))
    tags = _read_tags(io.BytesIO(stream.read(*_unpack(stream, ">I"))))
    stream.read(4)  # the length of all layers
    if bits == 16:
        stream.read(16)  # two empty parts, then the block's name
    return (height, width), _read_layers(stream, bits), tags


def check_merged(stream: IO[bytes], merged: PixelArray) -> None:
    """Compare the merged image of a file of :func:`write_psd` with its pixels.

    Args:
        stream: at the beginning of the file.

    Raises:
        ValueError, struct.error: it differs, or the file is incomplete.
    """
    stream.seek(_HEADER_BYTES)
    for _ in range(3):  # the palette, the metadata and the layers
        stream.seek(_unpack(stream, ">I")[0], io.SEEK_CUR)
    (compression,) = _unpack(stream, ">H")
    if compression != _PACKBITS:
        raise ValueError("its merged image is compressed in another way")
    counts = np.frombuffer(stream.read(8 * len(merged)), ">u2").reshape(4, -1)
    for channel in range(4):
        for rows in strips(*merged.shape[:2]):
            shown = _shown(merged[rows], channel)
            for row, count in zip(shown, counts[channel, rows], strict=True):
                packed = stream.read(int(count))
                if imagecodecs.packbits_decode(packed) != _big_endian(row).tobytes():
                    raise ValueError("its merged image differs")


def _unpack(stream: IO[bytes], layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _read_tags(stream: IO[bytes]) -> Tags:
    icc, dpi = None, None
    while stream.read(4) == b"8BIM":
        id_, _, size = _unpack(stream, ">HHI")
        body = stream.read(size + size % 2)[:size]
        if id_ == _ICC:
            icc = body
        elif id_ == _RESOLUTION:
            x, y = struct.unpack(">I4xI4x", body)
            dpi = (x / 65536, y / 65536)
    return Tags(icc, dpi)


def _read_layers(stream: IO[bytes], bits: int) -> Iterator[ImageLayer]:
    _, count = _unpack(stream, ">Ih")
    records = [_read_record(stream) for _ in range(abs(count))]
    dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
    for (top, left, bottom, right), sizes, visible, name in records:
        shape = (bottom - top, right - left)
        yield ImageLayer(
            *(name, left, top, visible), _read_pixels(stream, shape, dtype, sizes)
        )


def _read_pixels(
    stream: IO[bytes], shape: tuple[int, int], dtype: np.dtype[Any], sizes: list[int]
) -> PixelArray:
    """The pixels (H, W, 4) of channels of those lengths in bytes."""
    pixels: PixelArray = np.empty((*shape, 4), dtype)
    for place, size in zip(_PLACES, sizes, strict=True):
        stream.read(2)
        body = zlib.decompress(stream.read(size - 2))
        steps = np.frombuffer(body, dtype.newbyteorder(">")).reshape(shape)
        np.cumsum(steps, axis=1, dtype=dtype, out=pixels[..., place])
    return pixels


def _read_record(
    stream: IO[bytes],
) -> tuple[tuple[int, int, int, int], list[int], bool, str]:
    *rect, count = _unpack(stream, ">4iH")
    sizes = [_unpack(stream, ">hI")[1] for _ in range(count)]
    _, _, _, flags, _ = _unpack(stream, ">8sBBBB")
    extra = io.BytesIO(stream.read(*_unpack(stream, ">I")))
    extra.seek(8)
    length = extra.read(1)[0]
    extra.seek(8 + (1 + length + 3) // 4 * 4 + 12)  # past the name, into "luni"
    (letters,) = _unpack(extra, ">I")
    name = extra.read(2 * letters).decode("utf-16-be")
    top, left, bottom, right = rect
    return (top, left, bottom, right), sizes, not flags & _HIDDEN, name
