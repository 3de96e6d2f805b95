"""Losses of mattes: the matte loss of the paper (eq. 1-3) and region losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

GRADIENT_WEIGHT = 10.0
"""The paper's lambda, with Sobel filters normalised to unit gain."""


def gradients(alpha: Tensor) -> Tensor:
    """Compute Sobel derivatives of (..., H, W) in x, y: (..., 2, H, W), unit gain."""
    # Differences and sums of slices: a convolution of one channel is slow on a CPU.
    flat = alpha.reshape(-1, *alpha.shape[-2:])
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 2:] - padded[:, :, :-2]
    down = padded[:, 2:] - padded[:, :-2]
    x = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    y = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return (torch.stack([x, y], 1) / 8).reshape(*alpha.shape[:-2], 2, *alpha.shape[-2:])


def matte_loss(
    alpha: Tensor, target: Tensor, weight: Tensor, gradient: Tensor | float = 1.0
) -> Tensor:
    """Compute L1 plus lambda times L1 of the gradients, per matte (paper, eq. 1-3).

    Args:
        alpha, target: (..., H, W) in [0, 1].
        weight: (..., H, W); 0 where the target is undefined.
        gradient: (...,) factor of the gradient term; 0 for inaccurate edges.

    Returns:
        (...,) means over the weighted pixels.
    """
    area = weight.sum((-2, -1)).clamp(min=1)
    l1 = ((alpha - target).abs() * weight).sum((-2, -1))
    difference = gradients(alpha - target).abs().sum(-3)  # which are linear
    edges = GRADIENT_WEIGHT * gradient * (difference * weight).sum((-2, -1))
    return (l1 + edges) / area


def region_loss(
    logits: Tensor, target: Tensor, weight: Tensor, kind: str = "bce"
) -> Tensor:
    """Compute the loss of the whole region, per matte; targets may be soft.

    Args:
        logits, target, weight: as for :func:`matte_loss`, with logits instead of alpha.
        kind: a name in :data:`REGION_LOSSES`.
    """
    return REGION_LOSSES[kind].compute(logits, target, weight)


def _entropy_and_iou(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    area = weight.sum((-2, -1)).clamp(min=1)
    entropy = (entropy * weight).sum((-2, -1)) / area
    return entropy + _missing_iou(logits, target, weight)


def _focal_and_dice(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    alpha = logits.sigmoid()
    # Wrong pixels get more weight; the total weight of each matte is constant.
    focus = (alpha - target).square().detach() * weight
    entropy = (entropy * focus).sum((-2, -1)) / focus.sum((-2, -1)).clamp(min=1e-6)
    both = (alpha * target * weight).sum((-2, -1))
    sizes = ((alpha.square() + target.square()) * weight).sum((-2, -1))
    return entropy + 1 - (2 * both + 1) / (sizes + 1)


def _missing_iou(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    return 1 - soft_iou(logits.sigmoid(), target, weight)


@dataclass(frozen=True, slots=True)
class RegionLoss:
    """A loss of the whole region.

    Attributes:
        compute: see :func:`region_loss`, without the kind.
        replaces_l1: whether hard labels have it alone; else it is added to their L1.
    """

    compute: Callable[[Tensor, Tensor, Tensor], Tensor]
    replaces_l1: bool = True


REGION_LOSSES = {
    "bce": RegionLoss(_entropy_and_iou),
    "focal": RegionLoss(_focal_and_dice),
    "iou": RegionLoss(_missing_iou, replaces_l1=False),
}
"""By the names of settings: cross-entropy plus soft IoU; the normalised focal loss
(RITM) plus Dice; soft IoU alone."""


def soft_iou(alpha: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Compute the sum of minima over that of maxima: (..., H, W) to (...,)."""
    low = (torch.minimum(alpha, target) * weight).sum((-2, -1))
    high = (torch.maximum(alpha, target) * weight).sum((-2, -1))
    return (low + 1) / (high + 1)


def zim_loss(
    logits: Tensor,
    iou: Tensor,
    target: Tensor,
    weight: Tensor,
    exact: Tensor,
    region_kind: str | None = "bce",
) -> tuple[Tensor, dict[str, Tensor]]:
    """Compute the loss of a batch of predictions with four candidates each.

    Candidate 0 is trained on every prompt.  Of candidates 1 to 3 only the best one gets
    a gradient, so that they specialise on the interpretations of ambiguous prompts
    (SAM). The IoU head is trained on each candidate's soft IoU.

    Args:
        logits: (B, 4, H, W).
        iou: (B, 4) predicted.
        target: (B, H, W) alpha in [0, 1].
        weight: (B, H, W).
        exact: (B,) 1 where the target is a matte; 0 for hard labels, whose edges are
            too inaccurate for the gradient term.
        region_kind: kind of :func:`region_loss`; None is the paper's loss.

    Returns:
        A scalar and its parts for the log.
    """
    target = target[:, None].expand_as(logits)
    weight = weight[:, None].expand_as(logits)
    alpha = logits.sigmoid()
    region = torch.zeros_like(iou)
    edges = matte_loss(alpha, target, weight, exact[:, None])
    if region_kind is not None:
        region = region_loss(logits, target, weight, region_kind)
        if REGION_LOSSES[region_kind].replaces_l1:
            edges = edges * exact[:, None]
    each = region + edges
    main = each[:, 0].mean()
    alternatives = each[:, 1:].amin(1).mean()
    with torch.no_grad():
        actual = soft_iou(alpha, target, weight)
    scores = F.mse_loss(iou, actual)
    total = main + 0.3 * alternatives + 0.1 * scores
    parts = {
        "loss": total.detach(),
        "region": region[:, 0].detach().mean(),
        "matte": (edges[:, 0].detach() * exact).sum() / exact.sum().clamp(min=1),
        "iou": actual[:, 0].mean(),
        "score_error": scores.detach(),
    }
    return total, parts
