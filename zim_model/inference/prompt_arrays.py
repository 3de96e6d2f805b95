"""Prompts of scripts, as SAM's predictor takes them, as checked arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zim_model.errors import PromptError, msg


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
        raise PromptError(msg("point_coords and point_labels belong together."))
    places, kinds = as_doubles(coords), as_doubles(labels)
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
    edges = as_doubles(box)
    if edges.size != 4 or not np.isfinite(edges).all():
        raise PromptError(
            msg("The box has shape {shape}.", shape=edges.shape),
            msg("Expected four finite numbers: left, top, right, bottom."),
        )
    return edges.reshape(4)


def mask_as_tensor(mask_input: npt.ArrayLike) -> Tensor:
    """Logits as a batch of one, (1, 1, h, w) where they have a shape that fits."""
    logits = as_doubles(mask_input)
    return torch.from_numpy(logits.reshape(1, -1, *logits.shape[-2:])).float()


def as_doubles(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """An array of doubles, also from a tensor on any device.

    Raises:
        PromptError: they are no numbers, or rows of unequal lengths.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise PromptError(msg("A prompt is not an array of numbers.")) from error
