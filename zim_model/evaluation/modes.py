"""The five prompting modes of the protocol for medical images.

Mazurowski et al., Segment anything model for medical image analysis: an experimental
study, Medical Image Analysis 2023.  A *part* is a connected region of the true mask;
pixels that touch at a corner are connected.
"""

from __future__ import annotations

import cv2
import numpy as np

from zim_model.arrays import BoolArray
from zim_model.evaluation.clicks import first_click
from zim_model.prompts import Box, PromptSet

MODES = {
    "mode1": "a point in the centre of the largest part",
    "mode2": "a point in the centre of each of up to three parts",
    "mode3": "a box around the largest part",
    "mode4": "a box around each of up to three parts, their predictions united",
    "mode5": "one box around all parts",
}
"""The prompts of each mode."""
MAX_PARTS = 3
"""Parts that get a prompt of their own, the largest ones."""


def mode_prompts(mode: str, mask: BoolArray) -> tuple[PromptSet, ...]:
    """The prompt sets of a mode; the prediction is the union of theirs.

    The centre of a part is its pixel that is furthest from the part's edge, the image's
    border included; of several, the first in reading order, where the authors' code
    draws one.

    Args:
        mode: one of MODES.
        mask: (H, W), the object, not empty.
    """
    if mode == "mode5":
        return (PromptSet((), Box.around(mask)),)
    parts = largest_parts(mask, 1 if mode in ("mode1", "mode3") else MAX_PARTS)
    if mode in ("mode1", "mode2"):
        return (PromptSet(tuple(map(first_click, parts))),)
    return tuple(PromptSet((), Box.around(part)) for part in parts)


def largest_parts(mask: BoolArray, count: int) -> list[BoolArray]:
    """At most ``count`` parts of a mask (H, W), each (H, W), the largest first.

    Of equally large ones, the first in reading order.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]  # 0 is the background
    order = np.argsort(-areas, kind="stable")[:count]
    return [np.asarray(labels == index + 1) for index in order]
