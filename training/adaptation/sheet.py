"""A sheet that shows held-out images before and after an adaptation."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from training.sources import Scene
from zim_model.arrays import ByteArray, FloatArray
from zim_model.evaluation.clicks import matte_box
from zim_model.inference.predictor import ZimPredictor
from zim_model.network.tiny import ZimTiny
from zim_model.runtime.atomic_files import atomic_write

MAX_ROWS = 8
SIDE = 256
"""Longest side of an image on the sheet, in pixels."""
GROUND = (58, 110, 165)
"""Colour that the cut-outs are shown on."""
GAP = 4


def write_comparison(
    before: ZimTiny, after: ZimTiny, scenes: Sequence[Scene], path: Path
) -> None:
    """Write a PNG: a row per image of photo, cut-outs before and after, and the target.

    Both models get the box around the object.
    """
    predictors = [
        ZimPredictor(copy.deepcopy(model), "cpu") for model in (before, after)
    ]
    rows = []
    for scene in scenes[:MAX_ROWS]:
        alphas = [_predict_box(predictor, scene) for predictor in predictors]
        shown = [_composite(scene.image, alpha) for alpha in (*alphas, scene.alpha)]
        box = matte_box(scene.alpha)
        photo = scene.image.copy()
        corners = (round(box.x0), round(box.y0)), (round(box.x1), round(box.y1))
        thickness = max(1, round(max(photo.shape) / SIDE))
        cv2.rectangle(photo, *corners, (255, 255, 255), thickness)
        rows.append(np.hstack([_cell(image) for image in (photo, *shown)]))
    with atomic_write(path) as file:
        PIL.Image.fromarray(np.vstack(rows)).save(file, "png")


def _predict_box(predictor: ZimPredictor, scene: Scene) -> FloatArray:
    box = matte_box(scene.alpha)
    predictor.set_image(scene.image)
    masks, _, _ = predictor.predict(
        box=[box.x0, box.y0, box.x1, box.y1], multimask_output=False
    )
    return np.asarray(masks[0], np.float32)


def _composite(image: ByteArray, alpha: FloatArray) -> ByteArray:
    ground = np.array(GROUND, np.float32)
    mixed = ground + alpha[..., None] * (image - ground)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _cell(image: ByteArray) -> ByteArray:
    """The image inside a square of SIDE with a margin."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    cell = np.full((SIDE + GAP, SIDE + GAP, 3), 255, np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell
