"""The loss of zim-tiny's predictions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.losses import matte_loss, soft_iou

PURE_LOGIT = 4.6
"""Logit of alpha .99: above it a pixel is opaque, below its negative transparent."""
PURE_MARGIN = 4
"""Pixels between the soft edge of a target and its interior or exterior."""


def answer_losses(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Soft IoU, cross-entropy and normalised focal loss of predictions.

    Args:
        logits, target, weight: (..., H, W), see :func:`training.losses.matte_loss`.

    Returns:
        (...,).
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = entropy * weight
    alpha = logits.sigmoid()
    area = weight.sum((-2, -1)).clamp(min=1)
    with torch.no_grad():
        focus = (alpha - target).square()
        # Each matte keeps its total weight; wrong pixels get more of it (RITM).
        focus = focus * (area / (focus * weight).sum((-2, -1)).clamp(min=1e-4))[
            ..., None, None
        ].clamp(max=20)
    mean = entropy.sum((-2, -1)) / area
    focal = (entropy * focus).sum((-2, -1)) / area
    return 1 - soft_iou(alpha, target, weight) + 0.5 * mean + 0.35 * focal


def tiny_loss(
    logits: Tensor,
    iou: Tensor,
    target: Tensor,
    weight: Tensor,
    exact: Tensor,
    ambiguous: Tensor,
    *,
    answers_weight: float,
    matte_weight: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a batch of predictions.

    Answer 0 is for every prompt set.  Of part, object and group only the nearest is
    corrected, where a single click (or none) leaves open which is meant (SAM).  The
    IoU head learns each prediction's soft IoU.

    Args:
        logits: (B, 4, H, W).
        iou: (B, 4) predicted.
        target, weight: (B, H, W).
        exact: (B,) 1 where the target is a real matte.
        ambiguous: (B,) 1 where the prompts leave open what is meant.

    Returns:
        A scalar, and its parts for the log.
    """
    many, weights = target[:, None].expand_as(logits), weight[:, None].expand_as(logits)
    each = answer_losses(logits, many, weights)
    alpha = logits.sigmoid()
    matte = matte_loss(alpha[:, 0], target, weight) * exact
    with torch.no_grad():
        actual = soft_iou(alpha, many, weights)
    scores = F.mse_loss(iou, actual)
    nearest = (each[:, 1:].amin(1) * (0.3 + 0.7 * ambiguous)).mean()
    total = each[:, 0].mean() + matte_weight * matte.mean() + 0.2 * scores
    total = total + answers_weight * nearest
    parts = {
        "loss": total.detach(),
        "iou": actual[:, 0].mean(),
        "nearest_iou": actual[:, 1:].amax(1).mean(),
        "matte": matte.detach().sum() / exact.sum().clamp(min=1),
        "score_error": scores.detach(),
    }
    return total, parts


def purity_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """How far logits are from opaque inside and from transparent outside.

    Its gradient does not vanish where alpha is nearly right, as those of L1 and
    cross-entropy do, so an interior of .95 is worth correcting.

    Args:
        logits, target, weight: (B, H, W).

    Returns:
        (B,) means over all pixels of positive weight, 0 to about 1; soft edges and
        what is nearer to them than PURE_MARGIN count as 0.
    """
    side = 2 * PURE_MARGIN + 1
    ends = torch.stack([1 - target, target], 1)  # what interior, exterior must not have
    pure = F.max_pool2d(ends, side, 1, PURE_MARGIN) < 0.002
    signed = torch.stack([logits, -logits], 1)
    missing = (1 - signed / PURE_LOGIT).clamp(min=0) * pure
    area = weight.sum((-2, -1)).clamp(min=1)
    total: Tensor = (missing.sum(1) * weight).sum((-2, -1)) / area
    return total


def detail_loss(
    logits: Tensor,
    target: Tensor,
    weight: Tensor,
    exact: Tensor,
    purity_weight: float = 0.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The paper's loss on mattes, its L1 with cross-entropy on hard labels, and purity.

    Args:
        logits, target, weight: (B, H, W).
        exact: (B,) 1 where the target is a real matte.
        purity_weight: of :func:`purity_loss`.

    Returns:
        A scalar, and its parts for the log.
    """
    alpha = logits.sigmoid()
    area = weight.sum((-2, -1)).clamp(min=1)
    matte = matte_loss(alpha, target, weight, exact)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    entropy = (entropy * weight).sum((-2, -1)) / area
    total = (matte + 0.2 * entropy).mean()
    if purity_weight:
        impure = purity_loss(logits, target, weight)
        total = total + purity_weight * impure.mean()
    with torch.no_grad():
        error = ((alpha - target).abs() * weight).sum((-2, -1)) / area
        actual = soft_iou(alpha, target, weight)
    parts = {
        "loss": total.detach(),
        "iou": actual.mean(),
        "l1": error.mean(),
        "matte": (matte.detach() * exact).sum() / exact.sum().clamp(min=1),
    }
    return total, parts
