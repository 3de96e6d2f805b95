"""Objects removed from photos: what was behind an object is filled in.

The *hole* is what the matte covers, grown by a margin, so that no trace of the soft
edge remains.  The photo with its hole filled is the *clean plate*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from zim_app.core.colour import rgb_from_srgb
from zim_app.core.compose import CutOut
from zim_app.core.export import (
    ExportTarget,
    check_target,
    encode,
    export,
    write_content,
)
from zim_app.core.export_options import ExportOptions
from zim_app.core.formats import FileFormat
from zim_app.core.images import Image
from zim_app.core.layered import ImageLayer, LayeredImage, LayerSource
from zim_app.core.pixels import PixelArray
from zim_app.core.rasters import Tags
from zim_model.arrays import BoolArray, FloatArray, WordArray, mask_bounds
from zim_model.errors import ImageError, ZimError, msg
from zim_model.matting.foreground import estimate_foreground
from zim_model.matting.inpainting import Draft, HoleTooLargeError, find_fill
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.weights.inpainting import find_inpainting_network

VISIBLE = 655
"""Alpha, of 65535, above which a pixel belongs to the hole."""
MARGIN_SHARE = 0.015
"""Of the object's longer side, which the margin has unless it is chosen."""
LEAST_MARGIN, MOST_MARGIN = 3, 1000
"""Of the margin in pixels: the least that is chosen by itself, the most that may be."""
FEATHER_SHARE = 0.5
"""Of the margin, over which the fill fades into the photo."""


@dataclass(frozen=True, slots=True)
class EraseOptions:
    """How an object is removed.

    Attributes:
        margin: pixels by which the matte is grown; None for one by the object's size.
        network: a model that fills holes, by its name or file; "" for patches of the
            photo itself.
        seed: of the random numbers of the patches.
    """

    margin: int | None = None
    network: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CleanPlate:
    """A photo without an object.

    Attributes:
        image: the clean plate; path, profile, resolution and transparency are the
            photo's.
        hole: (H, W), what was filled.
        margin: pixels by which the matte was grown.
    """

    image: Image
    hole: BoolArray
    margin: int


def default_margin(alpha: WordArray) -> int:
    """The margin in pixels for an object with that matte, (H, W) uint16."""
    left, top, right, bottom = mask_bounds(alpha > VISIBLE) or (0, 0, 0, 0)
    side = max(right - left, bottom - top)
    return min(max(LEAST_MARGIN, round(MARGIN_SHARE * side)), MOST_MARGIN)


def covered(alphas: Iterable[WordArray]) -> BoolArray | None:
    """(H, W), what any of several mattes covers; None for none."""
    masks = [alpha > VISIBLE for alpha in alphas]
    return np.logical_or.reduce(masks) if masks else None


def make_hole(image: Image, alpha: WordArray, margin: int) -> BoolArray:
    """What is filled where an object is removed, (H, W).

    Args:
        image: for its name.
        alpha: (H, W) uint16.
        margin: pixels by which the matte is grown, 0 to :data:`MOST_MARGIN`.

    Raises:
        ZimError: the margin is out of range.
        ImageError: the matte is empty, or the hole covers the photo.
    """
    if not 0 <= margin <= MOST_MARGIN:
        raise ZimError(
            msg("The margin is {margin}.", margin=margin),
            msg("It must be from 0 to {most} pixels.", most=MOST_MARGIN),
        )
    matte = alpha > VISIBLE
    if not matte.any():
        raise ImageError(
            msg("There is no object to remove from {name}.", name=image.name),
            msg("Add a point or a box on the object."),
        )
    # The distance to the matte, as ellipses of a thousand pixels are slow.
    apart = cv2.distanceTransform((~matte).view(np.uint8), cv2.DIST_L2, 5)
    hole = apart <= margin
    if hole.all():
        raise _covering_error(image)
    return hole


def erase(
    image: Image,
    alpha: WordArray,
    options: EraseOptions = EraseOptions(),
    *,
    avoid: BoolArray | None = None,
    on_draft: Callable[[Draft], object] = lambda _: None,
    cancelled: CancelCheck = never_cancelled,
) -> CleanPlate:
    """Remove an object from a photo.

    Args:
        image: the photo.
        alpha: (H, W) uint16, the object's matte.
        options: margin and what fills the hole.
        avoid: (H, W), what patches are not copied from, such as other objects; an
            inpainting network does not see it.
        on_draft: called with what the fill looks like, coarse at first.
        cancelled: polled repeatedly.

    Raises:
        ImageError: the matte is empty, or too little is left around the hole.
        ZimError: the margin is out of range, or the network cannot be used.
        Cancelled: ``cancelled`` became true.
    """
    margin = default_margin(alpha) if options.margin is None else options.margin
    hole = make_hole(image, alpha, margin)
    usable = _usable(image, avoid)
    if usable is not None and not (usable & ~hole).any():
        raise _covering_error(image, avoid)
    try:
        if options.network:
            apply = _network_fill(image, hole, usable, options.network)
        else:
            apply = find_fill(
                *(image.rgb, hole),
                usable=usable,
                seed=options.seed,
                on_draft=on_draft,
                cancelled=cancelled,
            ).apply
    except HoleTooLargeError as error:
        raise _covering_error(image, avoid) from error
    raise_if_cancelled(cancelled)
    share = _fade(hole, margin)
    rgb = _mixed(image.rgb, apply(image.rgb), share)
    source: PixelArray = rgb
    if image.source is not image.rgb:
        source = _mixed(image.source, apply(image.source), share)
    return CleanPlate(image.with_pixels(rgb, source), hole, margin)


def _usable(image: Image, avoid: BoolArray | None) -> BoolArray | None:
    """(H, W), what a hole may be filled from; None for all outside of it."""
    usable = None if avoid is None else ~avoid
    if image.source_alpha is None:
        return usable
    shown = np.asarray(image.source_alpha > 0)
    return shown if usable is None else usable & shown


def _network_fill(
    image: Image, hole: BoolArray, usable: BoolArray | None, name: str
) -> Callable[[PixelArray], PixelArray]:
    """What fills the hole of either version of the image, drawn in sRGB."""
    from zim_model.onnx.inpainting import InpaintingNetwork

    network = InpaintingNetwork(find_inpainting_network(name))
    filled = network.fill(image.rgb, hole, usable)

    def apply(pixels: PixelArray) -> PixelArray:
        if pixels is image.rgb:
            return filled
        out = pixels.copy()
        drawn = filled[hole][None]
        out[hole] = rgb_from_srgb(drawn, image.icc, pixels.dtype.type)[0]
        return out

    return apply


def _covering_error(image: Image, avoid: BoolArray | None = None) -> ImageError:
    if avoid is not None and avoid.any():
        return ImageError(
            msg(
                "The hole and what is to be avoided leave nothing of {name} to fill "
                "from.",
                name=image.name,
            ),
            msg("Avoid less, or choose a smaller margin."),
        )
    return ImageError(
        msg(
            "The hole covers {name}: nothing is left to fill it from.", name=image.name
        ),
        msg("Choose a smaller margin, or an object that leaves some background."),
    )


def _fade(hole: BoolArray, margin: int) -> FloatArray:
    """(H, W) the fill's share, which grows from 0 at the hole's edge to 1."""
    reach = max(1.0, FEATHER_SHARE * margin)
    if margin == 0:
        return hole.astype(np.float32)
    apart = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(np.minimum(apart / np.float32(reach), 1), np.float32)


def _mixed(pixels: PixelArray, filled: PixelArray, share: FloatArray) -> PixelArray:
    """The filled pixels, with the photo's share of those where the fill fades."""
    soft = (share > 0) & (share < 1)
    mixed = pixels[soft] + share[soft][:, None] * (
        filled[soft].astype(np.float32) - pixels[soft]
    )
    filled[soft] = np.rint(mixed).astype(filled.dtype)
    return filled


def check_plate_target(image: Image, path: Path) -> FileFormat:
    """Check that a clean plate can be written to ``path``; return its format.

    Raises:
        ImageError: see :func:`~zim_app.core.export.check_target`.
    """
    return check_target(image, path, _plate_options(image, flat=True))


def save_plate(
    plate: CleanPlate,
    image: Image,
    alpha: WordArray,
    path: Path,
    *,
    exclusive: bool = False,
    cancelled: CancelCheck = never_cancelled,
) -> Path:
    """Write a clean plate; to a format with layers, with the cut-out above it.

    Args:
        plate: see :func:`erase`.
        image: the photo with the object.
        alpha: (H, W) uint16, the object's matte.
        path: the file; an existing one is replaced.
        exclusive: never replace a file.
        cancelled: polled repeatedly.

    Returns:
        The file that was written.

    Raises:
        ImageError: it cannot be written; an earlier file is left unchanged.
        NameTakenError: ``exclusive``, and there is such a file.
        Cancelled: ``cancelled`` became true.
    """
    file_format = check_plate_target(image, path)
    if file_format.layered:
        return write_content(
            *(path, file_format, plate_layers(plate, image, alpha, cancelled)),
            Tags(image.icc, image.dpi),
            exclusive=exclusive,
            cancelled=cancelled,
        )
    options = _plate_options(image, flat=not file_format.transparency)
    whole = [ExportTarget(_opaque(image))]
    return export(
        *(plate.image, whole, path, options), exclusive=exclusive, cancelled=cancelled
    )


def encode_plate(plate: CleanPlate) -> bytes:
    """The bytes of a clean plate as a PNG."""
    image = plate.image
    options = _plate_options(image, flat=False)
    return encode(image, [ExportTarget(_opaque(image))], options)


def plate_layers(
    plate: CleanPlate,
    image: Image,
    alpha: WordArray,
    cancelled: CancelCheck = never_cancelled,
) -> LayeredImage:
    """The clean plate as the lower layer, the cut-out as the upper one.

    The cut-out is decontaminated: what shows through its soft edge is on the plate.
    """

    def whole() -> ImageLayer:
        cut_out = CutOut.from_image(plate.image, _opaque(image))
        return ImageLayer.from_cut_out("Clean plate", cut_out, image.source.dtype)

    def lifted() -> ImageLayer:
        mixed = CutOut.from_image(image, alpha)
        colours = estimate_foreground(mixed.colours, mixed.alpha, cancelled=cancelled)
        return ImageLayer.from_cut_out(
            *("Object", CutOut(colours, mixed.alpha), image.source.dtype),
            hidden_pixels="bleed",
        )

    sources = (LayerSource("Clean plate", whole), LayerSource("Object", lifted))
    return LayeredImage(image.height, image.width, image.source.dtype, sources)


def _plate_options(image: Image, *, flat: bool) -> ExportOptions:
    """Options with which a whole image is exported; if flat, without transparency."""
    opaque = flat or image.source_alpha is None
    return ExportOptions("composite" if opaque else "cutout", hidden_pixels="keep")


def _opaque(image: Image) -> WordArray:
    return np.full((image.height, image.width), ALPHA_MAX, np.uint16)
