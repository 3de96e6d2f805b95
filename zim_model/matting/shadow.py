"""Estimating the shadow that objects cast on a nearly uniform ground.

On such a ground the image is ``I = B * (1 - d)``: a smooth background B, darkened by
the shadow's opacity d in [0, 1].  B is fitted where no shadow is, and d follows from
the ratio of I to B.  Multiplied with another background, or laid over it as black with
opacity d, it is the same shadow there.  Values are encoded (not linear) ones, in which
exports are blended, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arguments import check_pixels, check_plane
from zim_model.arrays import BoolArray, ByteArray, FloatArray, WordArray, size_within
from zim_model.errors import msg
from zim_model.request import (
    ALPHA_MAX,
    CancelCheck,
    never_cancelled,
    raise_if_cancelled,
)

Array = npt.NDArray[np.float64]

SIDE = 1024
"""Longer side at which shadows are estimated: they are soft."""
CERTAIN = 0.02
"""Alpha from which a pixel shows the object, too."""
REACH = 0.006
"""Pixels this near to the object, relative to the longer side, may hold its colours:
mattes are not exact, and lenses and scaling blur."""
DARKEST = 0.12
"""Brightness of the ground, in [0, 1], below which noise hides a shadow."""
UNEVEN = 0.02
"""Largest deviation of the ground from its fit, relative to it, as a standard
deviation."""
STRANGE = 0.06
"""Largest part of the ground that may be something else, neither ground nor shadow."""
NOISE = 3.0
"""Darkening below this many standard deviations of the ground is none."""
LEAST = 0.03
"""Darkening, in [0, 1], that is none on the most even ground either."""
SEEN = 0.05
"""A shadow that is nowhere darker than this is none."""
COLOURED = 0.12
"""Largest difference between the channels' darkening, in [0, 1]."""
COLOURED_PART = 0.25
"""Largest part of a shadow that may have another hue, which objects reflect."""
STEEP = 0.1
"""Change of the darkening from one pixel to the next that few shadows have."""
ABRUPT = 0.15
"""Largest number of steep pixels per pixel of a shadow's outline; things have more."""
GROUND = 0.1
"""Least part of the image that must show the ground."""
ITERATIONS = 30
"""Of the robust fit; it has converged long before, on an even ground."""
FADE = 0.08
"""Width of the fading at the image's border, relative to the shorter side."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadow:
    """The shadow of an image's objects, or why there is none.

    Attributes:
        opacity: (h, w) float32 in [0, 1], of a smaller copy of the whole image; also
            below the objects, as far as their edges need.  None if no dependable shadow
            was found.
        notice: the reason, a sentence for the user; empty if one was found.
    """

    opacity: FloatArray | None
    notice: str = ""


UNEVEN_GROUND = Shadow(
    None,
    msg(
        "No dependable shadow was found, and none was kept: the ground around the "
        "object is not even enough."
    ),
)
NO_SHADOW = Shadow(
    None, msg("No shadow was kept: the photo shows none beside the object.")
)


def estimate_shadow(
    image: ByteArray, alpha: WordArray, cancelled: CancelCheck = never_cancelled
) -> Shadow:
    """Estimate the shadow that an image's objects cast on a nearly uniform ground.

    It is what is darker than the ground, of the ground's hue, and touches the object.
    It fades out towards the image's border, where it would be cut off.

    Args:
        image: (H, W, 3) uint8 sRGB.
        alpha: (H, W) uint16 of all objects, 0 transparent to 65535 opaque.
        cancelled: polled between the steps.

    Returns:
        No opacity, but a reason, where the ground is not even enough (a texture, an
        edge, other things, little of it, or too dark), or no shadow is seen.

    Raises:
        ImageError: the arrays are of other shapes or types.
        Cancelled: ``cancelled`` became true.
    """
    check_pixels(image)
    check_plane(alpha, "alpha", (np.uint16,), image.shape[:2])
    size = size_within(alpha.shape, SIDE)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    colours = cast(FloatArray, small.astype(np.float32) / 255)
    covered = (
        cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) >= CERTAIN * ALPHA_MAX
    )
    reach = 1 + round(REACH * max(size))
    near = cv2.dilate(covered.astype(np.uint8), _disc(reach)) > 0
    ground = ~near
    if not covered.any():
        return NO_SHADOW
    if ground.mean() < GROUND:
        return UNEVEN_GROUND
    raise_if_cancelled(cancelled)
    darkening, deviation = _darkening(colours, ground)
    if darkening is None:
        return UNEVEN_GROUND
    least = max(NOISE * deviation, LEAST)
    exact = darkening.mean(2)
    mean = cv2.GaussianBlur(exact, (0, 0), 1.0)
    spread = darkening.max(2) - darkening.min(2)
    region = _touching(mean > least / 2, mean > least, ground, near)
    strange = ground & ~region & (np.abs(mean) > 1.5 * least)
    strange |= region & ((spread > COLOURED) | (mean > 0.95))
    if (
        strange.sum() > STRANGE * ground.sum()
        or strange[region].sum() > COLOURED_PART * region.sum()
        or _abruptness(exact, region, near) > ABRUPT
    ):
        return UNEVEN_GROUND
    raise_if_cancelled(cancelled)
    core = _ramp(mean / least - 0.5)
    opacity = np.where(region & ~strange, mean.clip(0, 1) * core, 0)
    opacity = _fill(opacity.astype(np.float32), ground & ~strange)
    opacity *= _border_fading(*opacity.shape)
    if float(np.quantile(opacity[ground], 0.999)) < SEEN:
        return NO_SHADOW
    return Shadow(opacity)


def _disc(radius: int) -> ByteArray:
    size = 2 * radius + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cast(ByteArray, kernel)


def _ramp(values: FloatArray) -> FloatArray:
    """Smooth step from 0 at 0 to 1 at 1."""
    t = np.clip(values, 0, 1)
    return cast(FloatArray, t * t * (3 - 2 * t))


def _darkening(
    colours: FloatArray, ground: BoolArray
) -> tuple[FloatArray | None, float]:
    """How much darker each pixel is than the ground's fit, and the fit's deviation.

    Args:
        colours: (h, w, 3) in [0, 1].
        ground: (h, w), where the ground or a shadow on it is seen.

    Returns:
        (h, w, 3), negative where brighter; None where no smooth ground fits.  The
        standard deviation of the unshadowed ground, relative to it.
    """
    height, width = ground.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    step = max(1, int(np.sqrt(ground.sum() / 20_000)))
    sampled = np.zeros_like(ground)
    sampled[::step, ::step] = True
    sampled &= ground
    terms = basis[sampled].astype(np.float64)
    values = colours[sampled].astype(np.float64)
    brightness = values.mean(1)
    weights = np.ones(len(terms))
    deviation = 1.0
    for _ in range(ITERATIONS):
        fitted = np.maximum(terms @ _least_squares(terms, brightness, weights), 1e-3)
        residual = brightness / fitted - 1
        # Shadows are below the ground, so what is above tells how even it is.
        above = residual[residual >= 0]  # none where all is black
        deviation = max(1e-4, 1.4826 * float(np.median(above))) if above.size else 1e-4
        relative = (residual / (2 * max(deviation, 0.004))) ** 2
        weights = (1 + relative) ** np.where(residual < 0, -2.0, -1.0)
    fit = _least_squares(terms, values, weights)
    fitted = cast(FloatArray, basis @ fit.astype(np.float32))
    if deviation > UNEVEN or float(fitted[ground].min()) < DARKEST:
        return None, deviation
    return cast(FloatArray, 1 - colours / np.maximum(fitted, 1e-3)), deviation


def _least_squares(terms: Array, values: Array, weights: Array) -> Array:
    """Coefficients of the weighted fit: (n, k), (n,) or (n, c), (n,) to (k,) or (k, c).

    A little regularisation keeps it defined where the ground is a narrow strip.
    """
    weighted = terms.T * weights
    normal = weighted @ terms
    normal[np.diag_indices_from(normal)] += 1e-6 * weights.sum()
    return cast(Array, np.linalg.solve(normal, weighted @ values))


def _abruptness(darkening: FloatArray, region: BoolArray, near: BoolArray) -> float:
    """Steep pixels in a region, per pixel of its outline; not those at the object."""
    free = region & ~(cv2.dilate(near.astype(np.uint8), _disc(4)) > 0)
    band = free & ~(cv2.erode(region.astype(np.uint8), _disc(3)) > 0)
    across, down = (cv2.Sobel(darkening, -1, *axis) / 8 for axis in ((1, 0), (0, 1)))
    steep = free & (np.hypot(across, down) > STEEP)
    return float(steep.sum() / max(1.0, band.sum() / 3))


def _touching(
    extent: BoolArray, certain: BoolArray, ground: BoolArray, near: BoolArray
) -> BoolArray:
    """The parts of the darkened ground that touch the object.

    Args:
        extent: (h, w), where it is slightly darker.
        certain: (h, w), where it is darker without doubt; each part has such pixels.
        ground: (h, w), where the ground is seen.
        near: (h, w), where the object is, or near.
    """
    count, labels = cv2.connectedComponents((extent & ground).astype(np.uint8))
    rim = cv2.dilate(near.astype(np.uint8), _disc(2)) > 0
    touching = np.zeros(count, np.bool_)
    touching[np.unique(labels[rim & certain & ground])] = True
    touching[0] = False
    return cast(BoolArray, touching[labels])


def _fill(values: FloatArray, known: BoolArray) -> FloatArray:
    """Values where they are known, and those of the nearest known pixels elsewhere."""
    size = values.shape[::-1]
    weight = known.astype(np.float32)
    pairs = np.dstack([values * weight, weight])
    sums = pairs.copy()
    for n, step in enumerate((2, 6, 20, 60), 1):
        coarse = [max(1, side // step) for side in size]
        small = cv2.resize(pairs, coarse, interpolation=cv2.INTER_AREA)
        wide = cv2.GaussianBlur(small, (0, 0), 1.0)
        # Each wider mean counts only where the narrower ones know nothing.
        sums += 1e-4**n * cv2.resize(wide, size, interpolation=cv2.INTER_LINEAR)
    filled = sums[..., 0] / np.maximum(sums[..., 1], 1e-20)
    return cast(FloatArray, cv2.GaussianBlur(filled, (0, 0), 1.0))


def _border_fading(height: int, width: int) -> FloatArray:
    """1 inside, falling to 0 at the border."""
    reach = max(1.0, FADE * min(height, width))
    rows, columns = (
        _ramp((np.minimum(np.arange(n), np.arange(n)[::-1]) / reach).astype(np.float32))
        for n in (height, width)
    )
    return cast(FloatArray, np.outer(rows, columns))
