"""Mask inverse rendering: masks in views become a mask in the grid (SA3D, section 3.2).

The mask confidence V of the grid is rendered as colours are, M(r) = sum of w V along a
ray, with the weights w of the radiance field, which stay.  A step with a mask A of a
view lowers ``- sum A M + negative * sum (1 - A) M`` over the view's rays.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.sa3d.field import RadianceField, RaySamples, interpolate
from training.sa3d.fitting import CHUNK, view_segments
from training.sa3d.frame import GridFrame
from training.sa3d.scene import PosedImage


class MaskGrid:
    """Confidence that a place belongs to the object, above 0 if it does.

    Args:
        field: whose weights are used.
        frame: of its grid.
        negative: weight of the rays outside a mask.
    """

    def __init__(
        self, field: RadianceField, frame: GridFrame, negative: float = 1.0
    ) -> None:
        self.field, self.frame, self.negative = field, frame, negative
        size = (field.resolution,) * 3
        self.confidence = torch.zeros(1, 1, *size, device=field.background.device)

    @torch.no_grad()
    def trace(self, view: PosedImage) -> RaySamples:
        """The samples of the rays of all pixels of a view, row by row."""
        device = self.confidence.device
        starts, ends = view_segments(self.frame, view, device)
        parts = [
            self.field.trace(s, e)[0]
            for s, e in zip(
                torch.split(starts, CHUNK), torch.split(ends, CHUNK), strict=True
            )
        ]
        rays = torch.cat([part.ray + i * CHUNK for i, part in enumerate(parts)])
        positions = torch.cat([part.positions for part in parts])
        return RaySamples(
            len(starts), rays, positions, torch.cat([part.weights for part in parts])
        )

    def render(self, samples: RaySamples) -> Tensor:
        """The confidences (R,) that rays show.

        Rays of which more than half passes through the grid show what is behind it,
        however sure the grid is of what they graze.
        """
        values = interpolate(self.confidence, samples.positions)
        shown, opacity = samples.sum(
            torch.cat((values, torch.ones_like(values)), 1)
        ).unbind(1)
        return torch.where(opacity < 0.5, -shown.abs(), shown)

    def learn(self, samples: RaySamples, mask: Tensor) -> None:
        """Take one gradient step with the mask of a view.

        Args:
            samples: of the view's rays.
            mask: (R,) float, 0 to 1, soft along edges.
        """
        confidence = self.confidence.requires_grad_()
        rendered = samples.sum(interpolate(confidence, samples.positions))[:, 0]
        loss = (self.negative * (1 - mask) * rendered - mask * rendered).sum()
        (gradient,) = torch.autograd.grad(loss, confidence)
        self.confidence = confidence.detach() - gradient

    def positions(self, samples: RaySamples) -> Tensor:
        """The places (R, 3) in the grid that rays show: means over their samples."""
        sums = samples.sum(samples.positions)
        opacity = samples.sum(torch.ones_like(samples.positions[:, :1]))
        return sums / opacity.clamp(min=1e-6)
