"""Measuring the halo: the old background in the colours of a cut-out's soft edge.

On either side of the soft edge the image shows the object's pure colour F and the
background's colour B. The colour of a soft pixel is projected on the line from F to B:
0 is F, a clean cut-out, and 1 is B. An unprocessed photo has ``1 - alpha`` there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray, WordArray, mask_bounds
from zim_model.errors import ImageError, msg
from zim_model.matting.foreground import Pixels, estimate_foreground, validate
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    never_cancelled,
    raise_if_cancelled,
)

SIDE = 1024
"""Of a larger object only each n-th row and column are used: the result is a mean
over very many pixels."""
CERTAIN = 0.99
"""Alpha from which a pixel is pure object, or below one minus this pure background."""
SOFT = 0.05
"""Pixels with alpha from this to one minus this are measured."""
REACHES = (9, 41, 161)
"""Sides of the windows from which F and B are taken, in sampled pixels: a larger one
counts where the smaller has no certain pixel."""
FADING = 1e-3
"""Weight of each larger window, relative to the one before."""
CONTRAST = 0.06
"""Pixels whose F and B are closer, in the unit cube, are ignored."""


@dataclass(frozen=True, slots=True)
class Halo:
    """The background's fraction in the visible colours of a soft edge, in [0, 1].

    Attributes:
        before: of the image's own colours.
        after: of the colours from foreground estimation.
    """

    before: float
    after: float

    def after_decontamination(self, amount: float) -> float:
        """The fraction that remains after decontamination by ``amount``, 0 to 1."""
        return self.before + amount * (self.after - self.before)


def measure_halo(
    image: Pixels, alpha: WordArray, cancelled: CancelCheck = never_cancelled
) -> Halo | None:
    """Measure the halo of a cut-out before and after decontamination.

    Args:
        image: (H, W, 3) uint8 or uint16.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
        cancelled: polled between the steps.

    Returns:
        None where it is undefined: see :func:`background_share`.

    Raises:
        ImageError: as :func:`~zim_model.matting.foreground.estimate_foreground` does.
        Cancelled: ``cancelled`` became true.
    """
    before = background_share(image, image, alpha)
    raise_if_cancelled(cancelled)
    colours = estimate_foreground(image, alpha, cancelled=cancelled)
    after = background_share(colours, image, alpha)
    return None if before is None or after is None else Halo(before, after)


def background_share(colours: Pixels, image: Pixels, alpha: WordArray) -> float | None:
    """The background's fraction in a cut-out's soft edge; 0 clean, 1 all background.

    The mean over the soft pixels, weighted by alpha and by the distance of object and
    background colours.

    Args:
        colours: (H, W, 3) uint8 or uint16, straight, of the cut-out.
        image: the image that it is from, of the same shape and type.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.

    Returns:
        In [0, 1]; None where there is no soft edge, no certain pixel on one of its
        sides, or no difference between the two.

    Raises:
        ImageError: the arrays have other shapes or types.
    """
    validate(image, alpha)
    if colours.shape != image.shape or colours.dtype != image.dtype:
        raise ImageError(
            msg(
                "The colours have shape {shape} and type {dtype}.",
                shape=colours.shape,
                dtype=colours.dtype,
            ),
            msg(
                "Expected {shape} of {dtype}, as the image has.",
                shape=image.shape,
                dtype=image.dtype,
            ),
        )
    region = _crop_to_object(alpha)
    opacity = alpha[region] * np.float32(1 / ALPHA_MAX)
    soft = (opacity > SOFT) & (opacity < 1 - SOFT)
    inside, outside = opacity >= CERTAIN, opacity <= 1 - CERTAIN
    if not (soft.any() and inside.any() and outside.any()):
        return None
    scale = np.float32(1 / np.iinfo(image.dtype).max)
    visible = image[region] * scale
    foreground = _near_colours(visible, inside)[soft]
    direction = _near_colours(visible, outside)[soft] - foreground
    length = (direction * direction).sum(-1)
    weight = opacity[soft] * (length > CONTRAST**2)
    total = float((weight * length).sum())
    if total == 0:
        return None
    left = colours[region][soft] * scale - foreground
    return min(
        max(float((weight * (left * direction).sum(-1)).sum()) / total, 0.0), 1.0
    )


def _crop_to_object(alpha: WordArray) -> tuple[slice, slice]:
    """Rows and columns of the object with its surroundings, subsampled."""
    left, top, right, bottom = mask_bounds(alpha) or (0, 0, 0, 0)
    step = max(1, max(right - left, bottom - top) // SIDE)
    margin = step * REACHES[0]
    rows = slice(max(0, top - margin), bottom + margin, step)
    return rows, slice(max(0, left - margin), right + margin, step)


def _near_colours(visible: FloatArray, certain: BoolArray) -> FloatArray:
    """The mean of the nearest certain pixels around each pixel; (h, w, 3)."""
    weight = certain.astype(np.float32)
    sums = np.dstack([visible * weight[..., None], weight])
    mean = np.zeros_like(sums)
    for n, side in enumerate((*REACHES, 2 * max(weight.shape) + 1)):
        box = (side, side)
        blurred = cv2.blur(sums, box, borderType=cv2.BORDER_CONSTANT)
        mean += np.float32(FADING**n) * np.asarray(blurred, np.float32)
    return np.asarray(mean[..., :3] / mean[..., 3:], np.float32)
