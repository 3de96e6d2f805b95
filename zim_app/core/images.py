"""Images in memory: :class:`Image` and :func:`load_image`.

A file is decoded once, without Qt, to two versions of the same pixels: ``rgb`` for the
model and the screen, and ``source`` for the export, at the depth and in the colour
profile of the file.  Files are only read, never written.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from zim_app.core import colour, isolation
from zim_app.core.decoding import MAX_PIXELS, DecodedImage, decode
from zim_app.core.greys import Greys, GreyView
from zim_app.core.naming import sanitise
from zim_app.core.pixels import PixelArray, convert_depth, strips, upright
from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import DegradationNotice, ImageError, Message, msg
from zim_model.image_input import TRANSPARENT_GREY
from zim_model.medical.window import GreyImage, Window
from zim_model.runtime.atomic_files import read_error, write_error

__all__ = [
    "MAX_PIXELS",
    "TRANSPARENT_GREY",
    "Image",
    "build_image",
    "load_image",
    "load_image_bytes",
    "with_window",
]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A decoded image, upright; all arrays are read-only and C-contiguous.

    Attributes:
        path: the file, or None for an image that was pasted or computed.
        name: shown to the user.
        rgb: (H, W, 3) uint8 sRGB.  Colours of a file with transparency are composited
            over a neutral grey, so that the colours of fully transparent pixels do not
            reach the model.
        source: (H, W, 3) uint8 or uint16, the file's colours in the profile ``icc``,
            not premultiplied; the same object as ``rgb`` where the two are equal.
            Grey and CMYK files are converted to sRGB.
        icc: the ICC profile of ``source``; None means sRGB.
        dpi: horizontal and vertical pixels per inch, if stored in the file.
        source_alpha: (H, W) uint16, the file's own transparency; None if opaque.
        key: hexadecimal digest of size and ``rgb``; equal keys mean equal pixels.
        notice: what of the file was unusable, beside its pixels; None if nothing was.
        linear: whether the file stores light, as OpenEXR does, from which ``source``
            was made.
        greys: values of a grey file beyond 8 bits, of which a window is shown.
    """

    path: Path | None
    name: str
    rgb: ByteArray
    source: PixelArray
    icc: bytes | None
    dpi: tuple[float, float] | None
    source_alpha: WordArray | None
    key: str
    notice: DegradationNotice | None = None
    linear: bool = False
    greys: Greys | None = None

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.rgb.shape[1])

    @property
    def view(self) -> GreyView | None:
        """The view of its grey values, where it is not what a file opens with."""
        view = self.greys.view if self.greys else GreyView()
        return None if view == GreyView() else view

    def with_pixels(self, rgb: ByteArray, source: PixelArray) -> Image:
        """This image with other colours, of the same size and depth; not its greys."""
        for array in (rgb, source):
            array.setflags(write=False)
        return replace(self, rgb=rgb, source=source, key=_key(rgb), greys=None)

    def colour_at(self, x: float, y: float) -> int:
        """The mean colour of ``rgb`` around a position, 0xRRGGBB.

        Of 5 x 5 pixels, those of them that exist; outside the image, of the nearest.
        """
        column = min(max(int(x), 0), self.width - 1)
        row = min(max(int(y), 0), self.height - 1)
        near = self.rgb[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        red, green, blue = near.mean((0, 1)).round().astype(int).tolist()
        return int(red << 16 | green << 8 | blue)

    @classmethod
    def from_array(
        cls, rgb: PixelArray, name: str = "untitled", alpha: PixelArray | None = None
    ) -> Image:
        """Make an image without a file.

        Args:
            rgb: (H, W, 3) uint8 or uint16 sRGB; it is copied.
            name: shown to the user.
            alpha: (H, W) uint8 or uint16, its own transparency.

        Raises:
            ImageError: another shape or dtype, or an empty array.
        """
        pixels = np.asarray(rgb)
        shape_ok = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.size > 0
        if not shape_ok or pixels.dtype not in (np.uint8, np.uint16):
            raise ImageError(
                msg(
                    "An array of shape {shape} and type {dtype} is not an image.",
                    shape=pixels.shape,
                    dtype=pixels.dtype,
                ),
                msg("Give (height, width, 3) of uint8 or uint16."),
            )
        opacity = None if alpha is None else convert_depth(alpha, np.uint16)
        decoded = DecodedImage(pixels.copy(), "RGB", cast("WordArray | None", opacity))
        return build_image(decoded, None, name)


def load_image(path: str | os.PathLike[str], view: GreyView | None = None) -> Image:
    """Read an image: JPEG, PNG, TIFF, WebP, BMP, GIF, AVIF, JPEG XL or OpenEXR.

    Floats, of TIFF and OpenEXR, are light and become sRGB of 16 bits.  HEIC, raw
    photos, DICOM and NIfTI are read where their extras are installed.  Of animations
    and multi-page files the first picture is read, of volumes the middle slice, or that
    of the view.  EXIF orientation is applied to all arrays.
    Damaged metadata, such as an ICC profile, are ignored and named in
    :attr:`Image.notice`; a file of which pixels are missing is an error.

    Args:
        view: of grey values beyond 8 bits; other files ignore it.

    Raises:
        ImageError: the file is missing, unreadable, empty, not an image, damaged, of a
            variant that is not supported, or above ``MAX_PIXELS``.
    """
    path = Path(path)
    return isolation.run(path, _load, path, view or GreyView())


def load_image_bytes(data: bytes, name: str = "image") -> Image:
    """The image in the bytes of a file, see :func:`load_image`; it has no path.

    Args:
        name: of the image, for display and errors.

    Raises:
        ImageError: as :func:`load_image`, or the folder for temporary files is full.
    """
    folder = Path(tempfile.gettempdir())
    try:
        # Decoders of some formats, and helper processes, take files only.
        with tempfile.TemporaryDirectory(prefix="zim-studio-", dir=folder) as own:
            path = Path(own, sanitise(name) or "image")
            path.write_bytes(data)
            return replace(load_image(path), path=None, name=name)
    except OSError as error:
        raise write_error(folder, error, ImageError) from error


def _load(path: Path, view: GreyView) -> Image:
    try:
        image = build_image(_decode(path, view), path, path.name)
        is_photo = image.greys is not None and image.greys.is_photo
        return with_window(image, view.window) if is_photo and view.window else image
    except MemoryError as error:
        raise ImageError(
            msg("There is not enough memory for {name}.", name=path.name),
            msg("Close other programs, or make the photo smaller."),
        ) from error


def _decode(path: Path, view: GreyView) -> DecodedImage:
    """Decode a file; convert every exception to an ImageError or a MemoryError."""
    try:
        _check_is_file(path)
        with warnings.catch_warnings():  # of Pillow, about what is checked below
            warnings.simplefilter("ignore")
            return decode(path, view)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise read_error(path, error, ImageError) from error
        # On a damaged file, decoders raise nearly everything: struct.error, KeyError,
        # SyntaxError, imagecodecs' own, ...
        raise ImageError(
            msg(
                "{name} is damaged or incomplete ({reason}).",
                name=path.name,
                reason=" ".join(str(error).split()) or type(error).__name__,
            ),
            msg("Copy or download it again."),
        ) from error


def _check_is_file(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ImageError(
            msg("{path} is a folder.", path=path),
            msg("Give the path of a photo; zim-studio batch takes folders."),
        )
    if not stat.S_ISREG(mode):
        raise ImageError(
            msg("{path} is a device, not a file.", path=path),
            msg("Give the path of a photo."),
        )


def build_image(decoded: DecodedImage, path: Path | None, name: str) -> Image:
    """The image of decoded pixels: upright, in sRGB for the model, with a key."""
    source, icc = _export_version(decoded)
    alpha = decoded.alpha
    if alpha is not None and (alpha == 65535).all():
        alpha = None
    dpi = decoded.dpi
    if decoded.orientation > 1:
        source = upright(source, decoded.orientation)
        alpha = None if alpha is None else upright(alpha, decoded.orientation)
        if decoded.orientation >= 5 and dpi:
            dpi = dpi[::-1]
    source = np.ascontiguousarray(source)
    rgb = colour.rgb_to_srgb(source, icc)
    if alpha is not None:
        alpha = np.ascontiguousarray(alpha)
        rgb = _composite_over_grey(rgb, alpha)
    for array in (source, rgb, alpha):
        if array is not None:
            array.setflags(write=False)
    ignored = decoded.ignored
    if decoded.icc and not colour.usable_profile(decoded.icc, decoded.space):
        ignored = (*ignored, msg("colour profile"))
    return Image(
        *(path, name, rgb, source, icc, dpi, alpha, _key(rgb)),
        notice=_notice(name, ignored),
        linear=decoded.linear,
        greys=decoded.greys or _greys_of_photo(decoded),
    )


def _key(rgb: ByteArray) -> str:
    """The image key of pixels."""
    digest = hashlib.blake2b(repr(rgb.shape).encode(), digest_size=16)
    digest.update(rgb.data)
    return digest.hexdigest()


def _greys_of_photo(decoded: DecodedImage) -> Greys | None:
    """The values of a grey photo of 16 bits; None of others."""
    values = decoded.colour
    if decoded.space != "GRAY" or values.dtype != np.uint16 or decoded.linear:
        return None
    values = upright(values, decoded.orientation)
    return Greys(GreyImage(np.ascontiguousarray(values)), is_photo=True)


def with_window(image: Image, window: Window | None) -> Image:
    """An image with grey values in another window, and so with another key.

    Args:
        image: with :attr:`Image.greys`.
        window: None for the file's own.
    """
    greys = image.greys
    assert greys is not None
    source, icc = image.source, image.icc
    if not greys.is_photo:
        source = _grey_as_rgb(greys.values.render(np.uint16, window))
    if window is None or not greys.is_photo:
        rgb = colour.rgb_to_srgb(source, icc)
    else:
        rgb = cast(ByteArray, _grey_as_rgb(greys.values.render(np.uint8, window)))
    if image.source_alpha is not None:
        rgb = _composite_over_grey(rgb, image.source_alpha)
    for array in (source, rgb):
        array.setflags(write=False)
    view = replace(greys.view, window=window)
    return replace(
        image, rgb=rgb, source=source, key=_key(rgb), greys=replace(greys, view=view)
    )


def _grey_as_rgb(grey: PixelArray) -> PixelArray:
    return np.repeat(grey[..., None], 3, axis=2)


def _notice(name: str, ignored: tuple[Message, ...]) -> DegradationNotice | None:
    if not ignored:
        return None
    first, *rest = ignored
    parts = first
    for part in rest:
        parts = msg("{parts}, {part}", parts=parts, part=part)
    return DegradationNotice(
        msg("Unusable and ignored in {name}: {parts}.", name=name, parts=parts),
        msg("All pixels were read."),
    )


def _export_version(decoded: DecodedImage) -> tuple[PixelArray, bytes | None]:
    """Colours as (H, W, 3) and their profile; the orientation is the stored one."""
    pixels, icc = decoded.colour, decoded.icc
    if decoded.space == "RGB":
        return pixels, colour.usable_profile(icc, "RGB")
    if decoded.space == "CMYK":
        return colour.cmyk_to_srgb(pixels, icc), None
    return _grey_as_rgb(colour.grey_to_srgb(pixels, icc)), None


def _composite_over_grey(rgb: ByteArray, alpha: WordArray) -> ByteArray:
    result = np.empty_like(rgb)
    for rows in strips(*alpha.shape):
        opacity = alpha[rows, :, None].astype(np.uint32)
        rest = (65535 - opacity) * TRANSPARENT_GREY
        result[rows] = (rgb[rows] * opacity + rest + 32767) // 65535
    return result
