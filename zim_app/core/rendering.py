"""From objects to the pixels or layers of one file: framed, scaled, composited."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from zim_app.core import compose
from zim_app.core.colour import rgb_from_srgb, srgb_to_profile
from zim_app.core.compose import CutOut
from zim_app.core.export_options import ExportOptions
from zim_app.core.formats import Content, FileFormat
from zim_app.core.framing import (
    ExportFrame,
    crop,
    place,
    place_alpha,
    place_map,
    scale_to_cover,
    visible_bounds,
)
from zim_app.core.images import MAX_PIXELS, Image, load_image
from zim_app.core.layered import ImageLayer, LayeredImage, LayerSource
from zim_app.core.pixels import PixelArray, convert_depth
from zim_app.core.rasters import Tags
from zim_model.arrays import WordArray
from zim_model.errors import Cancelled, ImageError, msg
from zim_model.request import ALPHA_MAX, CancelCheck

_ORIGINAL, _SHADOW = "Original", "Shadow"
"""Names of layers that are no objects."""

Notify = Callable[[str], object]
"""Called with a sentence for the user, a :class:`~zim_model.errors.Message`."""


def ignore_notice(sentence: str) -> None:
    """A :data:`Notify` without an effect."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportTarget:
    """One object to export.

    Attributes:
        alpha: (H, W) uint16 at the image's size, 0 transparent to 65535 opaque.
        name: given by the user.
        visible: whether it is shown; hidden objects become hidden layers.
        decontaminate: 0 to 1, see :class:`ExportOptions`.
    """

    alpha: WordArray
    name: str = ""
    visible: bool = True
    decontaminate: float = 0.0


def check_size(frame: ExportFrame, file_format: FileFormat) -> None:
    """Check that a format, and memory, can hold the result of a frame.

    Raises:
        ImageError: it is too large; the message has its size and the limit.
    """
    size = f"{frame.width} x {frame.height}"
    if max(frame.width, frame.height) > file_format.max_side:
        raise ImageError(
            msg(
                "{name} holds at most {max_side} pixels a side; the photo is {size}.",
                name=file_format.name,
                max_side=file_format.max_side,
                size=size,
            ),
            msg("Save as .png or .tif."),
        )
    if frame.width * frame.height > MAX_PIXELS:
        raise ImageError(
            msg(
                "The result would have {size} pixels; the limit is {limit} million.",
                size=size,
                limit=MAX_PIXELS // 1_000_000,
            ),
            msg("Choose a smaller size or less padding."),
        )


def render(
    image: Image,
    targets: Sequence[ExportTarget],
    file_format: FileFormat,
    options: ExportOptions,
    *,
    notify: Notify = ignore_notice,
    cancelled: CancelCheck = lambda: False,
) -> tuple[Content, Tags]:
    """The pixels or layers of one file, and its tags.

    Args:
        image: source of colours, profile and resolution.
        targets: at least one; the lowest first.
        file_format: of the file.
        options: all are used but format and template.
        notify: as for :func:`~zim_app.core.export.export`.
        cancelled: polled repeatedly.

    Raises:
        ZimError: there is nothing to trim to, the result is too large, or the
            background image cannot be read.
        Cancelled: ``cancelled`` became true.
    """
    dtype = _dtype(image, file_format, options)
    float_bits = file_format.float_bits(options.depth)
    tags = Tags(image.icc, image.dpi, options.quality, float_bits)
    if file_format.layered:
        layers = _layers(image, targets, file_format, options, notify, cancelled)
        return layers, tags
    merged = compose.union_alpha(each.alpha for each in targets)
    cut_out = CutOut.from_image(image, merged)
    frame = frame_of(image, [cut_out], options)
    check_size(frame, file_format)
    if options.what == "matte":
        matte = place_alpha(crop(cut_out, frame.rect).alpha, frame)
        return convert_depth(matte, dtype), replace(tags, icc=None)
    alpha = cut_out.alpha
    amount = _decontamination(options, max(each.decontaminate for each in targets))
    cut_out = _prepare_cut_out(cut_out, amount, frame, dtype, cancelled)
    shadow = None
    if options.shadow:
        depth = cut_out.colours.dtype
        shadow = _shadow(image, alpha, frame, depth, notify, cancelled)
    if options.what == "cutout":
        if shadow is not None:
            cut_out = compose.stack_cut_outs([shadow, cut_out])
        cut_out = compose.recolour_hidden_pixels(cut_out, options.hidden_pixels, dtype)
        return compose.cut_out_pixels(cut_out, dtype), tags
    backdrop = _backdrop(image, options, frame)
    if shadow is not None:
        backdrop = compose.composite(shadow, backdrop, dtype)
    return compose.composite(cut_out, backdrop, dtype), tags


def _dtype(
    image: Image, file_format: FileFormat, options: ExportOptions
) -> np.dtype[Any]:
    if options.depth in ("16", "32") or file_format.float_bits(options.depth):
        return np.dtype(np.uint16 if file_format.deep else np.uint8)
    if not file_format.deep or options.depth == "8":
        return np.dtype(np.uint8)
    return image.source.dtype


def _decontamination(options: ExportOptions, own: float) -> float:
    return own if options.decontaminate is None else options.decontaminate


def frame_of(
    image: Image, cut_outs: Iterable[CutOut], options: ExportOptions
) -> ExportFrame:
    """The frame of a file with these objects of an image.

    Raises:
        ZimError: there is nothing to trim to.
    """
    rects = []
    if options.needs_support:
        bounds = (visible_bounds(each.alpha, options.trim_alpha) for each in cut_outs)
        rects = [rect for rect in bounds if rect]
    support = None
    if rects:
        lefts, tops, rights, bottoms = zip(*rects, strict=True)
        support = (min(lefts), min(tops), max(rights), max(bottoms))
    return options.frame(image.width, image.height, support)


def _prepare_cut_out(
    cut_out: CutOut,
    amount: float,
    frame: ExportFrame,
    dtype: np.dtype[Any],
    cancelled: CancelCheck,
) -> CutOut:
    """Decontaminate, crop and scale a cut-out."""
    if cancelled():
        raise Cancelled
    if amount > 0:
        from zim_model.matting.foreground import estimate_foreground

        colours = estimate_foreground(
            cut_out.colours, cut_out.alpha, amount=amount, cancelled=cancelled
        )
        cut_out = CutOut(colours, cut_out.alpha)
    cut_out = crop(cut_out, frame.rect)
    if dtype.itemsize > cut_out.colours.itemsize:
        cut_out = CutOut(convert_depth(cut_out.colours, dtype), cut_out.alpha)
    return place(cut_out, frame, cancelled)


def _shadow(
    image: Image,
    alpha: WordArray,
    frame: ExportFrame,
    dtype: np.dtype[Any],
    notify: Notify,
    cancelled: CancelCheck,
) -> CutOut | None:
    """The shadow of an image's objects as black with alpha, at its place in the file.

    Args:
        image: the image.
        alpha: (H, W) uint16 of all its objects.
        frame: of the result.
        dtype: of the colours, uint8 or uint16.
        notify: called if no dependable shadow is found.
        cancelled: polled repeatedly.
    """
    from zim_model.matting.shadow import estimate_shadow

    shadow = estimate_shadow(image.rgb, alpha, cancelled)
    if shadow.opacity is None:
        notify(msg("{name}: {notice}", name=image.name, notice=shadow.notice))
        return None
    opacity = place_map(shadow.opacity, image.width, image.height, frame)
    placed = np.rint(opacity * 65535).astype(np.uint16)
    return CutOut(np.zeros((*placed.shape, 3), dtype), placed)


def _backdrop(image: Image, options: ExportOptions, frame: ExportFrame) -> PixelArray:
    if options.background_image is None:
        return srgb_to_profile(options.background, image.icc)
    rgb = load_image(options.background_image).rgb
    fitted = scale_to_cover(rgb, frame.width, frame.height)
    depth = image.source.dtype.type
    return rgb_from_srgb(fitted.astype(np.uint8, copy=False), image.icc, depth)


def _layers(
    image: Image,
    targets: Sequence[ExportTarget],
    file_format: FileFormat,
    options: ExportOptions,
    notify: Notify,
    cancelled: CancelCheck,
) -> LayeredImage:
    dtype = _dtype(image, file_format, options)

    def cut_outs() -> Iterator[CutOut]:
        return (CutOut.from_image(image, each.alpha) for each in targets)

    frame = frame_of(image, cut_outs(), options)
    check_size(frame, file_format)
    sources = []
    if options.original:

        def original() -> ImageLayer:
            opaque = np.full((image.height, image.width), ALPHA_MAX, np.uint16)
            all_seen = frame.all_seen(image.width, image.height)
            whole = _prepare_cut_out(
                CutOut.from_image(image, opaque), 0.0, all_seen, dtype, cancelled
            )
            return ImageLayer.from_cut_out(_ORIGINAL, whole, dtype, visible=False)

        sources.append(LayerSource(_ORIGINAL, original))
    if options.shadow:
        merged = compose.union_alpha(each.alpha for each in cut_outs())
        shadow = _shadow(image, merged, frame, dtype, notify, cancelled)
        if shadow is not None:
            render = partial(ImageLayer.from_cut_out, _SHADOW, shadow, dtype)
            sources.append(LayerSource(_SHADOW, render))

    def object_layer(name: str, target: ExportTarget) -> ImageLayer:
        amount = _decontamination(options, target.decontaminate)
        cut_out = CutOut.from_image(image, target.alpha)
        return ImageLayer.from_cut_out(
            name,
            _prepare_cut_out(cut_out, amount, frame, dtype, cancelled),
            dtype,
            visible=target.visible,
            hidden_pixels=options.hidden_pixels,
        )

    for number, target in enumerate(targets, 1):
        # A name from that of a file may have bytes that are no text.
        name = (target.name or f"Object {number}").encode("utf-8", "replace").decode()
        sources.append(LayerSource(name, partial(object_layer, name, target)))
    return LayeredImage(frame.height, frame.width, dtype, sources)
