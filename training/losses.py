"""Losses on mask logits (paper, eq. 1-3, and the first phase's region losses)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

GRADIENT_WEIGHT = 10.0
"""lambda of the paper, with Sobel filters normalised to unit gain."""


def gradients(alpha: Tensor) -> Tensor:
    """Sobel derivatives of (..., H, W) in x and y: (..., 2, H, W), unit gain."""
    row = alpha.new_tensor([1.0, 2.0, 1.0]) / 8
    edge = alpha.new_tensor([-1.0, 0.0, 1.0])
    kernels = torch.stack([torch.outer(row, edge), torch.outer(edge, row)])[:, None]
    flat = alpha.reshape(-1, 1, *alpha.shape[-2:])
    padded = F.pad(flat, (1, 1, 1, 1), mode="replicate")
    out = F.conv2d(padded, kernels)
    return out.reshape(*alpha.shape[:-2], 2, *alpha.shape[-2:])


def matte_loss(
    alpha: Tensor, target: Tensor, weight: Tensor, gradient: Tensor | float = 1.0
) -> Tensor:
    """L1 plus lambda times L1 of the gradients, per matte (paper, eq. 1-3).

    Args:
        alpha, target: (..., H, W) in [0, 1].
        weight: (..., H, W); 0 where the target says nothing.
        gradient: (...,) share of the gradient term; 0 where edges are not to be
            trusted.

    Returns:
        (...,) means over the weighted pixels.
    """
    area = weight.sum((-2, -1)).clamp(min=1)
    l1 = ((alpha - target).abs() * weight).sum((-2, -1))
    difference = (gradients(alpha) - gradients(target)).abs().sum(-3)
    edges = GRADIENT_WEIGHT * gradient * (difference * weight).sum((-2, -1))
    return (l1 + edges) / area


def region_loss(
    logits: Tensor, target: Tensor, weight: Tensor, kind: str = "bce"
) -> Tensor:
    """Loss of the region as a whole, per matte; soft targets are allowed.

    Arguments as :func:`matte_loss`, with logits in place of alpha.

    Args:
        kind: ``bce``, cross-entropy plus soft IoU; ``focal``, the normalised focal
            loss (RITM) plus Dice; ``iou``, soft IoU alone.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    alpha = logits.sigmoid()
    if kind == "iou":
        return 1 - soft_iou(alpha, target, weight)
    if kind == "bce":
        area = weight.sum((-2, -1)).clamp(min=1)
        entropy = (entropy * weight).sum((-2, -1)) / area
        return entropy + 1 - soft_iou(alpha, target, weight)
    # Each matte keeps its total weight; the pixels that are wrong get more of it.
    focus = (alpha - target).square().detach() * weight
    entropy = (entropy * focus).sum((-2, -1)) / focus.sum((-2, -1)).clamp(min=1e-6)
    both = (alpha * target * weight).sum((-2, -1))
    sizes = ((alpha.square() + target.square()) * weight).sum((-2, -1))
    return entropy + 1 - (2 * both + 1) / (sizes + 1)


def soft_iou(alpha: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Sum of minima over sum of maxima, (..., H, W) to (...,) in [0, 1]."""
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
    """Loss of a batch of predictions with four candidates each.

    Candidate 0 answers every prompt.  Of candidates 1 to 3 only the best is corrected,
    so that they specialise on the readings of an ambiguous prompt (SAM).  The IoU head
    learns each candidate's soft IoU.

    Args:
        logits: (B, 4, H, W).
        iou: (B, 4) predicted.
        target: (B, H, W) alpha in [0, 1].
        weight: (B, H, W).
        exact: (B,) 1 where the target is a real matte, 0 where only a hard label, whose
            edges are not worth the gradient loss.
        region_kind: see :func:`region_loss`, which then carries hard labels and helps
            mattes; ``iou`` adds only the region's soft IoU to the paper's loss, and
            None leaves that alone.  Hard labels never get its gradient term.

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
        if region_kind != "iou":  # which needs the L1 of hard labels too
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
