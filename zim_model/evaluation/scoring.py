"""Scoring one prediction, in another process.

Imports neither torch nor a module that does: a process starts in half a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from zim_model.arrays import ByteArray, WordArray, size_within
from zim_model.evaluation.datasets import EvaluatedRegion
from zim_model.evaluation.measures import MASK_ABOVE, compute_metrics, unknown_region
from zim_model.evaluation.reading import as_alpha, check_size, read_trimap
from zim_model.evaluation.writing import write_png
from zim_model.request import ALPHA_MAX

THUMBNAIL_SIDE = 480
"""Longer side, in pixels, of the small images of predictions."""
THUMBNAILS, PREDICTIONS = "thumbnails", "predictions"
"""Folders of the results."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoringTask:
    """A prediction to score.

    Attributes:
        predicted, target: (H, W) uint16, 65535 opaque.
        region: where the ``(DIM)`` errors count.
        trimap: for the region ``trimap``; without it one is made from the target.
        thumbnail, prediction: files to write the matte to, small and whole.
    """

    predicted: WordArray
    target: WordArray
    region: EvaluatedRegion = "band"
    trimap: Path | None = None
    thumbnail: Path | None = None
    prediction: Path | None = None


def initialise_worker() -> None:
    """Limit threads, as processes share the cores; called once in each process."""
    cv2.setNumThreads(1)


def score(task: ScoringTask) -> dict[str, float]:
    """The metrics of a prediction, see :func:`compute_metrics`; writes its images.

    Raises:
        ImageError: the trimap cannot be read or has another size.
        OSError: an image cannot be written.
    """
    predicted, target = as_alpha(task.predicted), as_alpha(task.target)
    unknown = None
    if task.region == "trimap" and task.trimap is not None:
        unknown = read_trimap(task.trimap)
        check_size(task.trimap, unknown, Path("the matte"), target.shape)
    elif task.region != "image":
        unknown = unknown_region(target)
    values = compute_metrics(predicted, target, unknown)
    grey = _grey(task.predicted)
    if task.thumbnail is not None:
        write_png(task.thumbnail, shrink(grey, THUMBNAIL_SIDE))
    if task.prediction is not None:
        write_png(task.prediction, grey)
    return values


def _grey(matte: WordArray) -> ByteArray:
    return np.asarray(
        (matte.astype(np.uint32) * 255 + ALPHA_MAX // 2) // ALPHA_MAX
    ).astype(np.uint8)


def binarise_matte(matte: WordArray) -> WordArray:
    """A matte as a mask: opaque where alpha is above one half, else empty."""
    return np.where(matte > MASK_ABOVE * ALPHA_MAX, ALPHA_MAX, 0).astype(np.uint16)


def shrink(pixels: ByteArray, side: int) -> ByteArray:
    """An image (H, W) or (H, W, 3) reduced to a longer side of at most ``side``."""
    size = size_within(pixels.shape, side)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def image_path(out: Path, kind: str, system: str, prompt: str, case: str) -> Path:
    """Path of a prediction's image in a folder of results.

    The folder ``predictions/SYSTEM`` can itself be used as a folder of predictions.

    Args:
        kind: THUMBNAILS or PREDICTIONS.
        prompt: as part of a name: ``clicks20``.
    """
    return out / kind / file_name(system) / prompt / f"{case}.png"


def file_name(system: str) -> str:
    """A system's name as a folder name."""
    return re.sub(r"[^\w.+=-]+", "_", system).strip(".") or "_"
