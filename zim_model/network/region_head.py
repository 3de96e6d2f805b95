"""Region head: boundaries and regions of an image, independent of prompts.

One clicked object per image gives a small encoder little supervision.  The region head
is trained on all labelled regions at once (``training.regions``): where one ends, what
stands out as a figure, and an embedding of every pixel in which pixels of one region
are near each other.  :func:`region_cues` computes from these maps and the prompts which
pixels can be reached from the clicks without crossing a boundary, and which are similar
to them.

Shapes: V views, B prompt sets, S input side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zim_model.network.config import ZimConfig
from zim_model.network.cue_maps import CUES
from zim_model.network.encoder import ConvBnRelu

REGION_CUES = (
    "boundary",  # probability of a region's edge
    "figure",  # probability of standing out from the surroundings
    "positive_reach",  # exp(-cost / 2) of the cheapest path from the clicks
    "far_reach",  # the same from negative clicks and from outside the box
    "positive_reach_far",  # the same, fading more slowly
    "far_reach_far",
    "positive_open",  # 1 - the strongest boundary on the path that avoids it best
    "far_open",
    "positive_alike",  # similarity of the embedding to the most similar click
    "negative_alike",
    "alike_ratio",  # log-likelihood ratio of object over surroundings
)
"""Names and order of the maps that :func:`region_cues` computes."""

SAME = 3.0
"""Two pixels are of one region with the probability sigmoid(SAME - distance^2)."""
STEP = 4.0
"""Cost of crossing the whole image where no boundary is."""
STEEPEST = 6.0
"""Largest cost of one cell of a boundary."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """The region head's output for V views.

    Attributes:
        maps: (V, 2, S/2, S/2) logits of boundary and figure.
        embedding: (V, E, S/4, S/4).
    """

    maps: Tensor
    embedding: Tensor


class RegionHead(nn.Module):
    """A top-down path from the image embeddings through the details."""

    def __init__(self, config: ZimConfig) -> None:
        super().__init__()
        if config.region_channels is None:
            raise ValueError(f"{config.name} has no region head")
        fine, middle, coarse = config.region_channels
        d0, d1, d2 = config.detail_channels
        self.coarse = nn.Sequential(
            ConvBnRelu(config.embed_dim + d2 + 2, coarse), ConvBnRelu(coarse, coarse)
        )
        self.middle = ConvBnRelu(coarse + d1, middle)
        self.fine = ConvBnRelu(middle + d0, fine)
        self.maps = nn.Conv2d(fine, 2, 1)
        self.embedding = nn.Conv2d(middle, config.region_embedding, 1)

    def forward(
        self, embeddings: Tensor, details: list[Tensor]
    ) -> tuple[list[Tensor], Regions]:
        """Features at strides 2, 4, 8, and the regions.

        Args:
            embeddings: (V, C, G, G).
            details: D0, D1, D2 at strides 2, 4, 8.
        """
        place = _positions(details[2])
        s8 = self.coarse(torch.cat([_doubled(embeddings), details[2], place], 1))
        s4 = self.middle(torch.cat([_doubled(s8), details[1]], 1))
        s2 = self.fine(torch.cat([_doubled(s4), details[0]], 1))
        return [s2, s4, s8], Regions(self.maps(s2), self.embedding(s4))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _positions(like: Tensor) -> Tensor:
    """Position in the view, x and y from -1 to 1: (V, 2, h, w)."""
    height, width = like.shape[-2:]
    y = torch.linspace(-1, 1, height, device=like.device, dtype=like.dtype)
    x = torch.linspace(-1, 1, width, device=like.device, dtype=like.dtype)
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1])
    return grid.expand(len(like), -1, -1, -1)


def region_cues(regions: Regions, cues: Tensor) -> Tensor:
    """Compute the region cues of B prompt sets.

    Args:
        regions: of the view of each prompt set.
        cues: (B, len(CUES), S/2, S/2), see ``zim_model.network.cue_maps``; they hold
            the seeds.

    Returns:
        (B, len(REGION_CUES), S/2, S/2) float32 in [-1, 1].
    """
    with torch.autocast(cues.device.type, enabled=False):
        maps, cues = regions.maps.float(), cues.float()
        positive, negative, inside, valid = (
            cues[:, CUES.index(name)][:, None]
            for name in ("positive_disc", "negative_disc", "box_inside", "valid")
        )
        outside = (valid - inside) * (inside.amax((-2, -1), keepdim=True) > 0)
        far = torch.maximum(negative, outside)
        seeds = F.max_pool2d(torch.cat([positive, far], 1), 2)
        with torch.no_grad():
            barrier = F.max_pool2d(maps[:, :1], 2)
            crossed, strongest = flooded(seeds > 0.5, barrier)
        alike = _alike(
            regions.embedding.float(),
            F.max_pool2d(torch.cat([positive, negative], 1), 4),
            F.avg_pool2d(torch.cat([inside, outside], 1), 4),
        )
        reach = (-crossed / 2).exp(), (-crossed / 8).exp()
        coarse = torch.cat([*reach, 1 - strongest], 1)
        drawn = _doubled(torch.cat([coarse, alike], 1))
        return torch.cat([maps.sigmoid(), drawn], 1)


def earlier_cue(logits: Tensor | None, cues: Tensor) -> Tensor:
    """The mask input as a cue map: 1 object, -1 background, 0 unknown or none.

    Args:
        logits: (B, 1, S/4, S/4) or None.
        cues: (B, K, S/2, S/2), for size and type.

    Returns:
        (B, 1, S/2, S/2).
    """
    if logits is None:
        return torch.zeros_like(cues[:, :1])
    return _doubled(torch.tanh(logits.float() / 2)).to(cues)


def flooded(seeds: Tensor, barrier: Tensor) -> tuple[Tensor, Tensor]:
    """Costs of the cheapest paths from the seeds to every cell.

    Args:
        seeds: (B, K, h, w) bool, K sets of them on each image.
        barrier: (B, 1, h, w) logits of a boundary.

    Returns:
        The least sum of costs on a path from the seeds to each cell, and the least
        possible strongest boundary in [0, 1] on one, both (B, K, h, w).  A set without
        seeds gives large sums, and 1.
    """
    side = max(seeds.shape[-2:])
    cost = (F.softplus(barrier).clamp(max=STEEPEST) + STEP / side).expand(seeds.shape)
    height = barrier.sigmoid().expand(seeds.shape)
    total = torch.where(seeds, 0.0, 1e3)
    highest = torch.where(seeds, 0.0, 1.0)
    rounds, maps = side + side // 4, (total, highest, cost, height)
    if total.device.type != "cpu" or torch.onnx.is_in_onnx_export():
        _flood(torch, rounds, *maps)
    else:  # numpy's small steps take a third of torch's time, in the same memory
        _flood(np, rounds, *(m.detach().numpy() for m in maps))
    return total, highest


def _flood(
    step: Any, rounds: int, total: Any, highest: Any, cost: Any, height: Any
) -> None:
    """Relax the costs of every cell from its four neighbours, ``rounds`` times.

    Args:
        step: numpy or torch, the module of the maps' type.
        rounds: how many.
        total, highest: (B, K, h, w), changed in place.
        cost, height: (B, K, h, w) of each cell.
    """
    forward, backward, every = slice(1, None), slice(None, -1), slice(None)
    moves = [
        ((..., forward, every), (..., backward, every)),
        ((..., backward, every), (..., forward, every)),
        ((..., every, forward), (..., every, backward)),
        ((..., every, backward), (..., every, forward)),
    ]
    for _ in range(rounds):
        for to, origin in moves:
            reached = total[origin] + cost[to]
            step.minimum(total[to], reached, out=total[to])
            reached = step.maximum(highest[origin], height[to])
            step.minimum(highest[to], reached, out=highest[to])


def _alike(embedding: Tensor, clicks: Tensor, areas: Tensor) -> Tensor:
    """Similarity to the clicks and to the inside of the box: (B, 3, S/4, S/4).

    Args:
        embedding: (B, E, S/4, S/4).
        clicks: (B, 2, S/8, S/8), positive and negative, 1 where they are.
        areas: (B, 2, S/8, S/8), share of a cell inside and outside of the box.
    """
    pixels = embedding.flatten(2).transpose(1, 2)
    cells = F.avg_pool2d(embedding, 2).flatten(2).transpose(1, 2)
    same = _same_region(pixels, cells)
    seeds = (clicks.flatten(2) > 0.5).to(same)
    nearest = torch.stack([(same * s[:, None]).amax(-1) for s in seeds.unbind(1)], 1)
    # A click weighs as much as a quarter of the image.
    share = seeds * (seeds.shape[-1] / 4) / seeds.sum(-1, keepdim=True).clamp(min=1)
    weights = areas.flatten(2) + share
    mean = torch.einsum("bpq,bkq->bkp", same, weights)
    mean = mean / weights.sum(-1, keepdim=True).clamp(min=1e-3)
    ratio = ((mean[:, 0] + 0.02) / (mean[:, 1] + 0.02)).log()
    known = (weights.sum(-1) > 0).all(1)
    ratio = torch.tanh(ratio) * known[:, None]
    out = torch.cat([nearest, ratio[:, None]], 1)
    return out.reshape(*out.shape[:2], *embedding.shape[-2:])


def _same_region(one: Tensor, other: Tensor) -> Tensor:
    """Probability that embeddings (B, P, E) and (B, Q, E) are of one region: (B, P, Q).

    The squared distance by the binomial theorem, in a quarter of the time of ``cdist``,
    whose root would be squared again.
    """
    bias = SAME - other.square().sum(-1)[:, None]
    logits = torch.baddbmm(bias, one, other.transpose(1, 2), alpha=2)
    return torch.sigmoid(logits - one.square().sum(-1, keepdim=True))
