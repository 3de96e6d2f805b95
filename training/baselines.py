"""Baseline methods without learning: filled box, GrabCut, closed-form matting."""

from __future__ import annotations

import contextlib
import io

import cv2
import numpy as np

from training.cases import DevCase
from zim_model.arrays import (
    BoolArray,
    ByteArray,
    FloatArray,
    mask_bounds,
    size_within,
)
from zim_model.errors import ZimError
from zim_model.prompts import PromptSet

GRABCUT_ITERATIONS = 5
MAX_SIDE = 512
"""Longest side in pixels; larger images take seconds with the same result."""
BAND_FRACTION = 0.02
"""Half the width of the band for closed-form matting, as a fraction of the box."""
unsolved_cases: list[str] = []
"""Names of the cases in this process whose closed-form solver did not converge."""


def fill_box(case: DevCase, prompts: PromptSet) -> FloatArray:
    """Return alpha (H, W) float32: 1 inside the box, 0 outside."""
    out = np.zeros(case.alpha.shape, np.float32)
    if prompts.box is not None:
        box = prompts.box
        out[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    return out


def grabcut(case: DevCase, prompts: PromptSet) -> FloatArray:
    """Run OpenCV's GrabCut from the box; alpha (H, W) float32."""
    return _resize(_small_grabcut(case, prompts), case)


def closed_form(case: DevCase, prompts: PromptSet) -> FloatArray:
    """Run GrabCut from the box, then closed-form matting in a band along its edge.

    If the solver does not converge, the result is GrabCut's, and the case's name is
    appended to `unsolved_cases`.

    Raises:
        ZimError: pymatting is not installed.
    """
    alpha = _small_grabcut(case, prompts)
    mask = alpha > 0.5
    bounds = mask_bounds(mask)
    if bounds is None:
        return _resize(alpha, case)
    left, top, right, bottom = bounds
    radius = max(3, round(BAND_FRACTION * (max(right - left, bottom - top) - 1)))
    solved = closed_form_in_band(np.asarray(_small_image(case), np.uint8), mask, radius)
    if solved is None:
        unsolved_cases.append(case.name)
        solved = alpha
    return _resize(solved, case)


def closed_form_in_band(
    image: ByteArray, mask: BoolArray, radius: int
) -> FloatArray | None:
    """Run closed-form matting in a band along the edge of a mask.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, the object.
        radius: half the width of the band, in pixels.

    Returns:
        (H, W) float32 in [0, 1]; the mask itself if the band leaves no certain
        foreground or background; None if the solver did not converge.

    Raises:
        ZimError: pymatting is not installed.
    """
    try:
        import pymatting
    except ImportError as error:
        raise ZimError(
            "Closed-form matting needs pymatting.",
            "Install it: pip install -e .[train]",
        ) from error
    alpha = mask.astype(np.float32)
    bounds = mask_bounds(mask)
    if bounds is None:
        return alpha
    left, top, right, bottom = bounds
    brush = np.ones((2 * radius + 1,) * 2, np.uint8)
    binary = mask.astype(np.uint8)
    inner, outer = cv2.erode(binary, brush), cv2.dilate(binary, brush)
    trimap = np.where(inner > 0, 1.0, np.where(outer > 0, 0.5, 0.0))
    margin = 2 * radius
    part = np.s_[
        max(0, top - margin) : bottom + margin,
        max(0, left - margin) : right + margin,
    ]
    cropped = trimap[part]
    if not (cropped == 1).any() or not (cropped == 0).any():
        return alpha
    pixels = np.asarray(image[part] / 255, np.float64)
    try:
        # pymatting prints performance warnings to stdout.
        with contextlib.redirect_stdout(io.StringIO()):
            solved = pymatting.estimate_alpha_cf(pixels, cropped)
    except ValueError:
        return None
    alpha[part] = np.clip(solved, 0, 1)
    return alpha


def _small_image(case: DevCase) -> FloatArray:
    size = size_within(case.alpha.shape, MAX_SIDE)
    small = cv2.resize(case.image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _small_grabcut(case: DevCase, prompts: PromptSet) -> FloatArray:
    size = size_within(case.alpha.shape, MAX_SIDE)
    filled = cv2.resize(fill_box(case, prompts), size, interpolation=cv2.INTER_NEAREST)
    inside = filled > 0
    if min(inside.sum(), (~inside).sum()) < 10:
        return np.asarray(filled, np.float32)
    mask = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    small = np.asarray(_small_image(case), np.uint8)
    cv2.setRNGSeed(0)  # the same result for the same input
    bgr = np.ascontiguousarray(small[..., ::-1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, mask.shape[1], mask.shape[0])
    cv2.grabCut(bgr, mask, whole, *models, GRABCUT_ITERATIONS, cv2.GC_INIT_WITH_MASK)
    found = (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
    return np.asarray(found, np.float32)


def _resize(alpha: FloatArray, case: DevCase) -> FloatArray:
    height, width = case.alpha.shape
    return np.asarray(cv2.resize(alpha, (width, height)), np.float32)
