"""Prompts of scripts, as SAM's predictor takes them, as checked arrays, and results."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zim_model.arguments import as_doubles
from zim_model.arrays import FloatArray
from zim_model.errors import ImageError, PromptError, msg


def points_as_arrays(
    coords: npt.ArrayLike | None, labels: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
    """Points (N, 2) and labels (N,) as arrays.

    Raises:
        PromptError: they do not belong together, or have other shapes.
    """
    if coords is None and labels is None:
        return None, None
    if coords is None or labels is None:
        raise PromptError(
            msg("point_coords and point_labels belong together."),
            msg("Give both, with one label for each point: 1 on the object, 0 beside."),
        )
    places = as_doubles(coords, "point_coords")
    kinds = as_doubles(labels, "point_labels")
    if places.ndim != 2 or places.shape[1] != 2 or kinds.shape != places.shape[:1]:
        raise PromptError(
            msg(
                "point_coords has shape {coords}, point_labels {labels}.",
                coords=places.shape,
                labels=kinds.shape,
            ),
            msg("Expected (N, 2) and (N,)."),
        )
    return places, kinds


def box_as_array(box: npt.ArrayLike | None) -> npt.NDArray[np.float64] | None:
    """A box (4,), checked; None without one.

    Raises:
        PromptError: it has another shape, or an edge is not finite.
    """
    if box is None:
        return None
    edges = as_doubles(box, "box")
    if edges.size != 4 or not np.isfinite(edges).all():
        raise PromptError(
            msg("box is {box!r:.60}.", box=box)
            if edges.size == 4
            else msg("box has shape {shape}.", shape=edges.shape),
            msg("Expected four finite numbers: left, top, right, bottom."),
        )
    return edges.reshape(4)


def mask_as_tensor(mask_input: npt.ArrayLike) -> Tensor:
    """Logits as a batch of one, (1, 1, h, w) where they have a shape that fits.

    Raises:
        PromptError: they are no numbers, or there are none.
    """
    logits = as_doubles(mask_input, "mask_input")
    if not logits.size:
        raise PromptError(
            msg("mask_input has shape {shape}.", shape=logits.shape),
            msg("Give the logits of an earlier prediction, such as logits[:1]."),
        )
    return torch.from_numpy(logits.reshape(1, -1, *logits.shape[-2:])).float()


def size_as_pair(size: Any) -> tuple[int, int]:
    """The height and width of an image, checked.

    Raises:
        ImageError: they are not two whole numbers of at least 1.
    """
    try:
        height, width = (operator.index(side) for side in size)
        if min(height, width) >= 1:
            return height, width
    except (TypeError, ValueError):
        pass
    raise ImageError(
        msg("original_image_size is {size!r:.60}.", size=size),
        msg("Give the height and the width of the image, in pixels."),
    )


def rows_of_batch(prompts: Any) -> list[Any]:
    """The prompts of each image of a batch, one row each.

    Raises:
        PromptError: they are no sequence.
    """
    if isinstance(prompts, Sequence | np.ndarray) and not isinstance(prompts, str):
        return list(prompts)
    raise PromptError(
        msg("The prompts of a batch are {prompts!r:.60}.", prompts=prompts),
        msg("Give a list with one entry, or None, for each image."),
    )


def stack_results(
    results: Iterable[tuple[npt.NDArray[Any], FloatArray, FloatArray]],
) -> tuple[npt.NDArray[Any], FloatArray, FloatArray]:
    """Masks, scores and logits of several boxes with their number in front."""
    masks, scores, logits = (list(each) for each in zip(*results, strict=True))
    height, width = (max(x.shape[axis] for x in logits) for axis in (-2, -1))
    same = [
        x
        if x.shape[-2:] == (height, width)  # zim-tiny's are those of the part it saw
        else np.stack([cv2.resize(plane, (width, height)) for plane in x])
        for x in logits
    ]
    return np.stack(masks), np.stack(scores), np.stack(same)
