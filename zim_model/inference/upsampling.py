"""Third stage: from a prediction on the network's grid to a matte of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from zim_model.arrays import Bounds, ByteArray, FloatArray, WordArray
from zim_model.backends.view import border_fade
from zim_model.inference.prediction import Prediction, PredictRequest, predict_once
from zim_model.inference.tiled_refinement import refine_tiles
from zim_model.matting.guided_upsampling import guided_upsample, upsample_in_steps
from zim_model.network.config import NUM_MASK_TOKENS
from zim_model.recipe import TRIMAP_SOURCE, Upsampling

THUMBNAIL_SIDE = 128
"""Longer side, in pixels, of a matte's candidates, which are for display."""


@dataclass(frozen=True, slots=True, eq=False)
class RawMatte:
    """A matte before its finish; see :class:`~zim_model.request.Matte`.

    Attributes:
        alpha: (H, W) uint16, at the image's size.
        scores: (4,) float32.
        candidates: four small mattes of ``view``, uint8.
        view: in image pixels.
        device: where a model has run, with its precision; empty if none has.
        cell: image pixels between neighbours on the grid that alpha was predicted on.
        of_mask: whether the model predicts masks by training, as SAM.
    """

    alpha: WordArray
    scores: FloatArray
    candidates: tuple[ByteArray, ...]
    view: Bounds
    device: str
    cell: float = 1.0
    of_mask: bool = False

    @classmethod
    def blank(cls, height: int, width: int) -> RawMatte:
        """An empty matte, for which no model has run."""
        alpha = np.zeros((height, width), np.uint16)
        scores = np.zeros(NUM_MASK_TOKENS, np.float32)
        return cls(alpha, scores, (), (0, 0, width, height), "")

    @classmethod
    def of(cls, prediction: Prediction, alpha: WordArray, device: str) -> RawMatte:
        """The matte of a prediction at the image's size, ``alpha``."""
        view = prediction.view
        return cls(
            alpha,
            prediction.scores,
            _thumbnails(prediction.alphas),
            (view.left, view.top, view.right, view.bottom),
            device,
        )

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the mattes."""
        return self.alpha.nbytes + sum(array.nbytes for array in self.candidates)


def upsample_prediction(
    request: PredictRequest,
    prediction: Prediction,
    image: ByteArray,
    upsampling: Upsampling,
) -> RawMatte:
    """The matte of a prediction, at the image's size.

    Args:
        request: what was predicted.
        image: (H, W, 3) uint8.
        upsampling: see :class:`~zim_model.recipe.Options`; ``trimap`` gives the matte
            for the trimap network.

    Raises:
        Cancelled: the request was cancelled.
    """
    view, alphas = prediction.view, prediction.alphas
    alphas = alphas * border_fade(alphas.shape[1:], view, *request.size)
    small = alphas[request.candidate]
    if prediction.fine is not None:
        fine = prediction.fine
        small = fine * border_fade(fine.shape, view, *request.size)
    alpha = np.zeros(request.size, np.uint16)
    region = np.s_[view.top : view.bottom, view.left : view.right]
    base = TRIMAP_SOURCE if upsampling == "trimap" else upsampling
    guided = base in ("guided", "native")
    alpha[region] = _upsample(small, view.crop(image), guided=guided)
    if upsampling == "native":
        predict_window = partial(predict_once, request.backend, image)
        alpha = refine_tiles(
            *(alpha, image, view, predict_window), request.cancelled, request.progress
        )
    shown = replace(prediction, alphas=alphas)
    raw = RawMatte.of(shown, alpha, request.backend.device_label)
    cell = max(view.height, view.width) / max(small.shape)
    return replace(raw, cell=cell, of_mask=request.backend.config.binary)


def _upsample(alpha: FloatArray, pixels: ByteArray, *, guided: bool) -> WordArray:
    """A view's matte (h, w) at the size of its pixels (H, W, 3)."""
    guide = None
    if guided:
        alpha, guide = upsample_in_steps(alpha, pixels)
    return guided_upsample(alpha, pixels, guided=guided, guide=guide)


def _thumbnails(alphas: FloatArray) -> tuple[ByteArray, ...]:
    """Mattes (4, h, w) in [0, 1] as small read-only uint8 images."""
    scale = min(1.0, THUMBNAIL_SIDE / max(alphas.shape[1:]))
    height, width = (max(1, round(side * scale)) for side in alphas.shape[1:])
    small = []
    for alpha in alphas:
        resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
        small.append((resized * 255 + 0.5).astype(np.uint8))
        small[-1].flags.writeable = False
    return tuple(small)
