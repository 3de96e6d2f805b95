"""Methods that learn nothing, to measure a model against; they answer boxes."""

from __future__ import annotations

import contextlib
import io

import cv2
import numpy as np

from training.cases import Case
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.errors import ZimError
from zim_model.network import cue_maps
from zim_model.prompts import PromptSet

GRABCUT_ITERATIONS = 5
SIDE = 512
"""They take seconds on larger pictures and find the same."""
BAND = 0.02
"""Half the width of the band that closed-form matting solves, of the box's side."""
unsolved: list[str] = []
"""Cases of this process, by name, whose closed-form equations were not solved."""


def box_filled(case: Case, prompts: PromptSet) -> FloatArray:
    """Alpha 1 in the box, (H, W)."""
    out = np.zeros(case.alpha.shape, np.float32)
    if prompts.box is not None:
        box = prompts.box
        out[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
    return out


def grabcut(case: Case, prompts: PromptSet) -> FloatArray:
    """OpenCV's GrabCut from the box, (H, W)."""
    return _resized(_small_grabcut(case, prompts), case)


def closed_form(case: Case, prompts: PromptSet) -> FloatArray:
    """GrabCut from the box, then closed-form matting in a band along its edge, (H, W).

    Where the solver gives up the answer is GrabCut's, and the case is in `unsolved`.

    Raises:
        ZimError: pymatting is not installed.
    """
    alpha = _small_grabcut(case, prompts)
    found = alpha > 0.5
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    if not len(rows):
        return _resized(alpha, case)
    radius = max(3, round(BAND * max(np.ptp(rows), np.ptp(columns))))
    solved = solved_in_band(np.asarray(_small_image(case), np.uint8), found, radius)
    if solved is None:
        unsolved.append(case.name)
        solved = alpha
    return _resized(solved, case)


def solved_in_band(
    image: ByteArray, found: BoolArray, radius: int
) -> FloatArray | None:
    """Closed-form matting in a band along an object's edge.

    Args:
        image: (H, W, 3) uint8 RGB.
        found: (H, W), the object.
        radius: half the width of the band, in pixels.

    Returns:
        (H, W) float32 in [0, 1]; the object itself where nothing but the band is left
        on one side, and None where the equations were not solved.

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
    alpha = found.astype(np.float32)
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    if not len(rows):
        return alpha
    brush = np.ones((2 * radius + 1,) * 2, np.uint8)
    hard = found.astype(np.uint8)
    inner, outer = cv2.erode(hard, brush), cv2.dilate(hard, brush)
    trimap = np.where(inner > 0, 1.0, np.where(outer > 0, 0.5, 0.0))
    margin = 2 * radius
    part = np.s_[
        max(0, rows[0] - margin) : rows[-1] + margin + 1,
        max(0, columns[0] - margin) : columns[-1] + margin + 1,
    ]
    known = trimap[part]
    if not (known == 1).any() or not (known == 0).any():
        return alpha
    pixels = np.asarray(image[part] / 255, np.float64)
    try:
        # It prints advice for its programmers where the tables go.
        with contextlib.redirect_stdout(io.StringIO()):
            solved = pymatting.estimate_alpha_cf(pixels, known)
    except ValueError:
        return None
    alpha[part] = np.clip(solved, 0, 1)
    return alpha


def _size(case: Case) -> tuple[int, int]:
    """Width and height of the picture at no more than SIDE pixels."""
    height, width = case.alpha.shape
    scale = min(1.0, SIDE / max(height, width))
    return round(width * scale), round(height * scale)


def _small_image(case: Case) -> FloatArray:
    small = cv2.resize(case.image, _size(case), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _small_grabcut(case: Case, prompts: PromptSet) -> FloatArray:
    filled = cv2.resize(
        box_filled(case, prompts), _size(case), interpolation=cv2.INTER_NEAREST
    )
    inside = filled > 0
    if min(inside.sum(), (~inside).sum()) < 10:
        return np.asarray(filled, np.float32)
    mask = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    small = np.asarray(_small_image(case), np.uint8)
    return cue_maps.grabcut(small, mask, GRABCUT_ITERATIONS).astype(np.float32)


def _resized(alpha: FloatArray, case: Case) -> FloatArray:
    height, width = case.alpha.shape
    return np.asarray(cv2.resize(alpha, (width, height)), np.float32)
