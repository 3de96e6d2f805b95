"""Pre-training of the encoder on all labelled regions of an image at once.

The target of one prompt divides the pixels of a view in two; a label map holds where
every region ends and which of all pixels belong together.  ``LabelSamples[i]`` draws a
label map and cuts a view; :func:`regions_loss` trains the region head
(``zim_model.network.region_head``), also together with prompts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.samples import PromptDataset, augment_colours, view_labels
from training.sources import LabelMap, SceneReader
from zim_model.backends.view import View, normalise, resize_view
from zim_model.network.region_head import SAME, Regions

MORE_OF = {"seg/bsds": 2.5, "seg/coco": 2.0, "seg/ccp": 1.5, "seg/camvid": 2.0}
"""Sources that label every region are drawn that much more often than for prompts."""
POINTS = 160
"""Pixels of a view whose embeddings are compared, each with each."""
SMALLEST = 0.4
"""Least share of the image's sides that a view covers."""
UNLABELLED = 0.15
"""Weight of "no boundary here" where only the outline of one object was labelled."""
BOUNDARY_WEIGHT = 4.0
"""How much more a boundary pixel counts than another: they are few."""


def draw_labels(rng: np.random.Generator, reader: SceneReader) -> LabelMap:
    """Draw an image with labels; a scene with a matte becomes one of two regions."""
    kind, source, paths = reader.draw_pool(rng, MORE_OF)
    if kind.startswith("seg/"):
        return reader.draw_label_map(rng, paths)
    return reader.draw_scene_from(rng, kind, source, paths).label_map()


class LabelSamples(PromptDataset):
    """Views with label maps, ready for the network.

    Item i holds for a view of side S: ``image`` (3, S, S), ``regions`` (S/2, S/2)
    int64, 0 unknown and in the padding, ``single`` () float.
    """

    def draw(self, rng: np.random.Generator, index: int) -> dict[str, Tensor] | None:
        size = int(self.sizes[index])
        labelled, view = _viewed(rng, draw_labels(rng, self.scenes), size)
        labels = view_labels(labelled.labels, view, size)
        if (labels > 0).mean() <= 0.1:
            return None
        pixels = resize_view(self.config, labelled.image, view)
        return {
            "image": torch.from_numpy(normalise(pixels, size)),
            "regions": torch.from_numpy(labels),
            "single": torch.tensor(float(labelled.single)),
        }


def _viewed(
    rng: np.random.Generator, drawn: LabelMap, size: int
) -> tuple[LabelMap, View]:
    """The image, mirrored and recoloured at random, and a random view of it."""
    image, labels = drawn.image, drawn.labels
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    if rng.random() < 0.7:
        image = augment_colours(rng, np.ascontiguousarray(image))
    height, width = labels.shape
    shares = 1 - rng.random(2) * (1 - SMALLEST) * (rng.random() < 0.8)
    h, w = max(16, int(height * shares[0])), max(16, int(width * shares[1]))
    top = int(rng.integers(max(0, height - h) + 1))
    left = int(rng.integers(max(0, width - w) + 1))
    view = View(left, top, min(width, left + w), min(height, top + h), size)
    return replace(drawn, image=image, labels=labels), view


def boundaries(labels: Tensor) -> Tensor:
    """Where known regions touch, on both sides: (V, h, w) integers to bool."""
    out = torch.zeros(labels.shape, dtype=torch.bool, device=labels.device)
    for one, other in (
        (np.s_[:, 1:], np.s_[:, :-1]),
        (np.s_[:, :, 1:], np.s_[:, :, :-1]),
    ):
        a, b = labels[one], labels[other]
        differ = (a != b) & (a > 0) & (b > 0)
        out[one] |= differ
        out[other] |= differ
    return out


def regions_loss(
    regions: Regions, labels: Tensor, single: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of boundaries, figures and embedding on V views.

    Args:
        regions: predicted.
        labels: (V, S/2, S/2) int64, 0 unknown.
        single: (V,) 1 where only one object is labelled, see :class:`LabelMap`.

    Returns:
        A scalar and its parts for the log.
    """
    known = (labels > 0).float()
    edge = boundaries(labels).float()
    near = F.max_pool2d(edge[:, None], 3, 1, 1)[:, 0]
    quiet = known * torch.where(single[:, None, None] > 0, UNLABELLED, 1.0)
    weight = torch.where(edge > 0, BOUNDARY_WEIGHT, quiet * (1 - near))
    boundary = F.binary_cross_entropy_with_logits(
        regions.maps[:, 0], edge, weight, reduction="sum"
    ) / weight.sum().clamp(min=1)
    figure_known = known * single[:, None, None]
    figure = F.binary_cross_entropy_with_logits(
        regions.maps[:, 1], (labels != 2).float(), figure_known, reduction="sum"
    ) / figure_known.sum().clamp(min=1)
    pairs, right = pair_loss(regions.embedding, labels[:, ::2, ::2], single)
    total = boundary + 0.5 * figure + pairs
    parts = {
        "loss": total.detach(),
        "boundary": boundary.detach(),
        "figure": figure.detach(),
        "pairs": pairs.detach(),
        "iou": right,
    }
    return total, parts


def pair_loss(
    embedding: Tensor, labels: Tensor, single: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of "both of one region" over random pairs of pixels.

    Args:
        embedding: (V, E, h, w).
        labels: (V, h, w) int64, 0 unknown.
        single: (V,); there, two pixels that are not the object may be of one region.

    Returns:
        The loss, in which equal and unequal pairs weigh the same, and the share of
        pairs classified correctly, equally weighted too.
    """
    flat = labels.flatten(1)
    counts = F.one_hot(flat, int(flat.max()) + 1).sum(1).gather(1, flat)
    chance = (flat > 0) / counts.sqrt()  # small regions are seen too
    chance = chance + 1e-9
    index = torch.multinomial(chance, POINTS, replacement=True)
    chosen = flat.gather(1, index)
    vectors = embedding.flatten(2).gather(
        2, index[:, None].expand(-1, embedding.shape[1], -1)
    )
    vectors = vectors.transpose(1, 2)
    gap = (vectors[:, :, None] - vectors[:, None]).square().sum(-1)
    logits = SAME - gap
    a, b = chosen[:, :, None], chosen[:, None]
    usable = (a > 0) & (b > 0)
    loose = (single[:, None, None] > 0) & (a != 1)
    same = usable & (a == b) & ~loose
    other = usable & (a != b)
    loss = F.softplus(-logits)[same].mean() + F.softplus(logits)[other].mean()
    hits = (logits[same] > 0).float().mean() + (logits[other] < 0).float().mean()
    return loss / 2, hits.detach() / 2
