"""How much of the old background is left in the colours of a cut-out's soft edge.

Beside the soft edge the image shows the object's colour F pure on one side, and the
background's colour B on the other.  The colour of a soft pixel is compared with both,
on the line from F to B: 0 is F, a clean cut-out, and 1 is B.  A photograph as it is
has ``1 - alpha`` there.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from zim_model.arrays import BoolArray, FloatArray, WordArray
from zim_model.errors import Cancelled, ImageError
from zim_model.matting.edge_and_brush import support
from zim_model.matting.foreground import Pixels, estimate_foreground, validate
from zim_model.request import ALPHA_MAX, CancelCheck, never_cancelled

SIDE = 1024
"""Of a larger object only each n-th row and column are looked at: the result is a mean
over very many pixels."""
CERTAIN = 0.99
"""Alpha from which a pixel shows the object alone, or below the rest the background."""
SOFT = 0.05
"""Alpha from here to the rest is compared."""
REACHES = (9, 41, 161)
"""Sides of the windows from which F and B are taken, in the pixels looked at: a larger
one counts where the smaller has no certain pixel."""
FADING = 1e-3
"""Weight of each larger window, beside the one before."""
CONTRAST = 0.06
"""F and B that are less far apart, in the unit cube, tell nothing."""


@dataclass(frozen=True, slots=True)
class Halo:
    """The share of background in the visible colours of a soft edge, in [0, 1].

    Attributes:
        before: of the image's own colours.
        after: of the colours that the foreground estimation gives.
    """

    before: float
    after: float

    def after_decontamination(self, amount: float) -> float:
        """The share that an amount of decontamination, 0 to 1, leaves."""
        return self.before + amount * (self.after - self.before)


def measure_halo(
    image: Pixels, alpha: WordArray, cancelled: CancelCheck = never_cancelled
) -> Halo | None:
    """Measure what decontamination has to do on a cut-out, and what it achieves.

    Args:
        image: (H, W, 3) uint8 or uint16.
        alpha: (H, W) uint16, 0 transparent to 65535 opaque.
        cancelled: polled between the steps.

    Returns:
        None where nothing can be said: see :func:`background_share`.

    Raises:
        ImageError: as :func:`~zim_model.matting.foreground.estimate_foreground` does.
        Cancelled: ``cancelled`` became true.
    """
    before = background_share(image, image, alpha)
    if cancelled():
        raise Cancelled
    colours = estimate_foreground(image, alpha, cancelled=cancelled)
    after = background_share(colours, image, alpha)
    return None if before is None or after is None else Halo(before, after)


def background_share(colours: Pixels, image: Pixels, alpha: WordArray) -> float | None:
    """The background's share in a cut-out's soft edge; 0 clean, 1 all background.

    The mean over the soft pixels; each counts as far as it shows, and as its object
    and background differ.

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
            f"The colours have shape {colours.shape} and type {colours.dtype}.",
            f"Expected {image.shape} of {image.dtype}, as the image has.",
        )
    part = _crop_to_object(alpha)
    share = alpha[part] * np.float32(1 / ALPHA_MAX)
    soft = (share > SOFT) & (share < 1 - SOFT)
    inside, outside = share >= CERTAIN, share <= 1 - CERTAIN
    if not (soft.any() and inside.any() and outside.any()):
        return None
    scale = np.float32(1 / np.iinfo(image.dtype).max)
    visible = image[part] * scale
    foreground = _near_colours(visible, inside)[soft]
    way = _near_colours(visible, outside)[soft] - foreground
    length = (way * way).sum(-1)
    weight = share[soft] * (length > CONTRAST**2)
    total = float((weight * length).sum())
    if total == 0:
        return None
    left = colours[part][soft] * scale - foreground
    return min(max(float((weight * (left * way).sum(-1)).sum()) / total, 0.0), 1.0)


def _crop_to_object(alpha: WordArray) -> tuple[slice, slice]:
    """Rows and columns of the object and what is around it, not more than needed."""
    left, top, right, bottom = support(alpha)
    step = max(1, max(right - left, bottom - top) // SIDE)
    margin = step * REACHES[0]
    rows = slice(max(0, top - margin), bottom + margin, step)
    return rows, slice(max(0, left - margin), right + margin, step)


def _near_colours(visible: FloatArray, certain: BoolArray) -> FloatArray:
    """For each pixel the mean of the nearest certain ones; (h, w, 3)."""
    weight = certain.astype(np.float32)
    sums = np.dstack([visible * weight[..., None], weight])
    mean = np.zeros_like(sums)
    for n, side in enumerate((*REACHES, 2 * max(weight.shape) + 1)):
        box = (side, side)
        blurred = cv2.blur(sums, box, borderType=cv2.BORDER_CONSTANT)
        mean += np.float32(FADING**n) * np.asarray(blurred, np.float32)
    return np.asarray(mean[..., :3] / mean[..., 3:], np.float32)
