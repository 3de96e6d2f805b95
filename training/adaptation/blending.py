"""Weights between a model and its adapted copy (WiSE-FT), chosen on held-out images.

Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022: on the line from
the old weights to the fine-tuned ones most of the gain comes early, and most of what is
forgotten late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

SHARES = (0.0, 0.1, 0.2, 0.3)
"""Of the way from the old to the new weights; farther on more than .01 IoU is lost on
other kinds (docs/adr/0027-adapting-to-corrections.md)."""
ALLOWED_LOSS = 0.01
"""Mean IoU that may be lost on other objects."""


def blend(
    old: Mapping[str, Tensor], new: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Weights on the line from ``old`` (share 0) to ``new`` (1)."""
    return {
        name: torch.lerp(value, new[name].to(value), share)
        if value.is_floating_point()
        else value.clone()
        for name, value in old.items()
    }


def choose_share(
    own: Mapping[float, Sequence[float]], general: Mapping[float, Sequence[float]]
) -> float:
    """The smallest share whose scores are within a standard error of the best.

    Args:
        own: scores of the held-out images by share, 0 among them, in one order.
        general: scores of other objects, which may fall by ALLOWED_LOSS.

    Returns:
        A share; 0 if no other is better by more than a standard error.
    """
    kept = [
        share
        for share in sorted(own)
        if np.mean(general[0.0]) - np.mean(general[share]) <= ALLOWED_LOSS or share == 0
    ]
    best = max(kept, key=lambda share: float(np.mean(own[share])))
    for share in kept:
        missing = np.subtract(own[best], own[share])
        error = missing.std(ddof=1) / np.sqrt(len(missing)) if len(missing) > 1 else 0
        if missing.mean() <= error:
            return share
    return best
