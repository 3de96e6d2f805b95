"""Cue maps from a coarse label and an image, without learning."""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.matting.guided_upsampling import cramer_3x3

CUES = 6
"""Planes of :func:`label_cue_maps`."""
LABEL, DISTANCE, SOFT = 0, 1, 3
"""Some of the planes."""
REACH = 24
"""Largest distance to the label's edge in the distance map, in pixels."""
CONFIDENCE = 8
"""Distance from the label's edge, in pixels, beyond which the label is taken as
right."""
COLOURS = ((14, 8), (40, 12))
"""For mattes from colours: the radius of the windows from which the object's and the
background's colours are taken, and how far from the label's edge they count."""
DOUBT = 0.02
"""Weight of colours that may belong to either side."""
CONTRAST = 0.004
"""Squared distance of two colours below which they are hardly used."""
FADE = 4
"""Pixels over which the matte near the edge is blended with the label."""


def label_cue_maps(image: ByteArray, label: BoolArray) -> FloatArray:
    """Compute the cue maps of a label.

    Args:
        image: (H, W, 3) uint8 RGB.
        label: (H, W) bool.

    Returns:
        (CUES, H, W) float32: the label; the signed distance to its edge in [-1, 1]; and
        mattes in [0, 1]: the guided filter's, one from colours and the guided filter,
        which is the best guess of all, and two from colours alone.
    """
    pixels = np.asarray(image / np.float32(255), np.float32)
    hard = label.astype(np.float32)
    distance = _signed_distance(label)
    away = np.abs(distance) * REACH

    def near_colours(matte: FloatArray, reach: float) -> FloatArray:
        """A matte near the label's edge, the label beyond."""
        share = np.clip((reach - away) / FADE + 1, 0, 1)
        return np.asarray(hard + share * (matte - hard), np.float32)

    mattes = _colour_mattes(pixels, label)
    mean = near_colours(np.asarray((mattes[0] + mattes[1]) / 2, np.float32), 6)
    soft = near_colours(guided_filter(pixels, mean, 6), 8)
    coloured = [
        near_colours(m, reach) for m, (_, reach) in zip(mattes, COLOURS, strict=True)
    ]
    planes = [hard, distance, guided_filter(pixels, hard, 8), soft, *coloured]
    return np.stack(planes).astype(np.float32)


def _signed_distance(label: BoolArray) -> FloatArray:
    """Distance to the label's edge over REACH, positive inside, in [-1, 1]."""
    inside = label.astype(np.uint8)
    within, beyond = (
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_3) - 0.5 * side
        for side in (inside, 1 - inside)
    )
    return np.asarray(np.clip((within - beyond) / REACH, -1, 1), np.float32)


def guided_filter(
    pixels: FloatArray,
    plane: FloatArray,
    radius: int,
    epsilon: float = 1e-4,
) -> FloatArray:
    """The guided filter (He et al. 2010) with a colour guide.

    Args:
        pixels: (H, W, 3) float32 in [0, 1], the guide.
        plane: (H, W) float32 in [0, 1], what is filtered.
        radius: of the square windows, in pixels.
        epsilon: regularisation of the fits.

    Returns:
        (H, W) float32 in [0, 1].
    """

    def mean(values: FloatArray) -> FloatArray:
        side = 2 * radius + 1
        blurred = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, np.float32)

    r, g, b = cv2.split(pixels)
    mean_i, mean_p = mean(pixels), mean(plane)
    cov = mean(pixels * plane[..., None]) - mean_i * mean_p[..., None]
    products = mean(np.stack([r * r, r * g, r * b], -1))
    more = mean(np.stack([g * g, g * b, b * b], -1))
    mr, mg, mb = cv2.split(mean_i)
    rr, rg, rb = (products[..., i] - mr * m for i, m in enumerate((mr, mg, mb)))
    gg, gb = more[..., 0] - mg * mg, more[..., 1] - mg * mb
    bb = more[..., 2] - mb * mb
    rr, gg, bb = rr + epsilon, gg + epsilon, bb + epsilon
    numerators, determinant = cramer_3x3((rr, rg, rb, gg, gb, bb), cv2.split(cov))
    determinant = np.maximum(determinant, epsilon**3)
    slope = np.asarray(np.stack(numerators, -1) / determinant[..., None], np.float32)
    offset = mean_p - _sum_channels(slope * mean_i)
    fitted = _sum_channels(mean(slope) * pixels) + mean(offset)
    return np.asarray(np.clip(fitted, 0, 1), np.float32)


def _colour_mattes(pixels: FloatArray, label: BoolArray) -> list[FloatArray]:
    """Position of each colour between the nearby object and background colours."""
    inside = label.astype(np.uint8)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * CONFIDENCE + 1,) * 2)
    hard = inside.astype(np.float32)
    mattes = []
    weights = [
        cv2.erode(side, brush, borderType=cv2.BORDER_REPLICATE)
        + np.float32(DOUBT) * own
        for side, own in ((inside, hard), (1 - inside, 1 - hard))
    ]
    for radius, _ in COLOURS:
        size = (2 * radius + 1,) * 2
        colours = []
        for weight in weights:
            summed = cv2.blur(pixels * weight[..., None], size)
            count = np.maximum(cv2.blur(weight, size), np.float32(1e-5))
            colours.append(np.asarray(summed / count[..., None], np.float32))
        front, back = colours
        line = front - back
        length = _sum_channels(line * line)
        along = _sum_channels((pixels - back) * line)
        # Where the two colours hardly differ, use the label.
        matte = (along + CONTRAST * hard) / (length + CONTRAST)
        mattes.append(np.clip(matte, 0, 1).astype(np.float32))
    return mattes


def _sum_channels(values: FloatArray) -> FloatArray:
    """Sum of the three channels; NumPy's own sum is slow along so short an axis."""
    return np.asarray(cv2.transform(values, np.ones((1, 3), np.float32)), np.float32)
