"""A radiance field: density and colour on a voxel grid, and its volume rendering.

The densities of a grid cell's corners are interpolated before their activation (DVGO),
which gives sharp surfaces.  Lengths are measured in grid coordinates, see ``frame``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

INITIAL_ALPHA = 1e-3
"""Opacity of a cell of a new grid of 64 cells a side."""
OCCUPIED_ALPHA = 1e-2
"""Opacity of a cell below which a trained grid is skipped."""
LENGTH = 32.0
"""Density 1 over a length of 1 has this optical thickness."""
SAMPLES_PER_CELL = 1.5
MIN_WEIGHT = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class RaySamples:
    """Samples along rays that contribute to them.

    Attributes:
        rays: number of rays R.
        ray: (K,) index of each sample's ray.
        positions: (K, 3) in the grid, x, y, z.
        weights: (K,) share of the sample in its ray's colour.
    """

    rays: int
    ray: Tensor
    positions: Tensor
    weights: Tensor

    def sum(self, values: Tensor) -> Tensor:
        """The weighted sums (R, C) over each ray of values (K, C) of its samples."""
        sums = values.new_zeros(self.rays, values.shape[1])
        return sums.index_add(0, self.ray, self.weights[:, None] * values)


def interpolate(grid: Tensor, positions: Tensor) -> Tensor:
    """Trilinearly interpolated values (K, C) of a grid (1, C, D, H, W) at (K, 3)."""
    at = positions[None, None, None]
    values = F.grid_sample(grid, at, align_corners=True, padding_mode="border")
    return values.flatten(2)[0].T


class RadianceField(nn.Module):
    """Density and view-independent colour on a grid of N x N x N corners.

    Attributes:
        values: (1, 4, N, N, N), density and colour before their activations.
        background: (3,) colour behind the grid, before its activation.
        occupied: (n, n, n) bool, cells that are not skipped.
    """

    occupied: Tensor

    def __init__(self, resolution: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(1, 4, *(resolution,) * 3))
        self.background = nn.Parameter(torch.zeros(3))
        self.register_buffer("occupied", torch.ones(1, 1, 1, dtype=torch.bool))
        thickness = -np.log1p(-INITIAL_ALPHA) * 64 / 2 / LENGTH
        self.shift = float(np.log(np.expm1(thickness)))

    @property
    def resolution(self) -> int:
        """Corners along each side."""
        return int(self.values.shape[-1])

    def density(self, raw: Tensor) -> Tensor:
        """Optical thickness per length of raw densities."""
        return F.softplus(raw + self.shift) * LENGTH

    def upsample(self, resolution: int) -> None:
        """Interpolate the grid to that many corners along each side."""
        with torch.no_grad():
            size = (resolution,) * 3
            values = F.interpolate(
                self.values, size, mode="trilinear", align_corners=True
            )
        self.values = nn.Parameter(values)

    @torch.no_grad()
    def find_occupied(self) -> None:
        """Skip from now on what is empty, but for a margin of one cell."""
        step = 2 / (self.resolution - 1)
        alpha = 1 - torch.exp(-self.density(self.values[:, :1]) * step)
        widest = F.max_pool3d(alpha, 3, stride=1, padding=1)
        self.occupied = (widest > OCCUPIED_ALPHA)[0, 0]

    def _find_samples(self, starts: Tensor, along: Tensor, shares: Tensor) -> Tensor:
        """The indices (K,) of the samples (R, S) at shares of rays that may matter."""
        side = self.occupied.shape[0]
        scale = (side - 1) / 2
        x, y, z = (
            torch.addcmul(start, step, shares).int()  # rounds down: the half rounds
            for start, step in zip(
                ((starts + 1) * scale + 0.5).unsqueeze(1).unbind(-1),
                (along * scale).unsqueeze(1).unbind(-1),
                strict=True,
            )
        )
        found = self.occupied.flatten()[(z * side + y) * side + x]
        return (found & along.any(-1, keepdim=True)).flatten().nonzero()[:, 0]

    def trace(
        self, starts: Tensor, ends: Tensor, generator: torch.Generator | None = None
    ) -> tuple[RaySamples, Tensor]:
        """Sample rays between their ends (R, 3) and return samples and colours (K, 3).

        Gradients reach the grid through the weights and the colours.

        Args:
            starts: of the rays in the grid.
            ends: of the same shape.
            generator: shifts the samples at random; None puts them at even distances.
        """
        rays = len(starts)
        count = int(self.resolution * SAMPLES_PER_CELL)
        at = torch.arange(count, device=starts.device) + 0.5
        shares = at.expand(rays, -1) / count
        if generator is not None:
            jitter = torch.rand(rays, 1, generator=generator).to(starts) - 0.5
            shares = shares + jitter / count
        along = ends - starts
        kept = self._find_samples(starts, along, shares)
        ray = torch.div(kept, count, rounding_mode="floor")
        share = shares.reshape(-1)[kept, None]
        positions = torch.addcmul(starts[ray], along[ray], share)
        values = interpolate(self.values, positions)
        steps = along.norm(dim=-1)[ray] / count
        thickness = starts.new_zeros(rays * count).index_put(
            (kept,), self.density(values[:, 0]) * steps
        )
        thickness = thickness.reshape(rays, count)
        before = thickness.cumsum(1) - thickness
        weights = (torch.exp(-before) * -torch.expm1(-thickness)).reshape(-1)[kept]
        visible = (weights.detach() > MIN_WEIGHT).nonzero()[:, 0]
        samples = RaySamples(rays, ray[visible], positions[visible], weights[visible])
        return samples, torch.sigmoid(values[visible, 1:])

    def render(
        self, starts: Tensor, ends: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """The colours (R, 3), 0 to 1, of rays between their ends (R, 3) in the grid."""
        samples, colours = self.trace(starts, ends, generator)
        opacity = samples.sum(torch.ones_like(colours[:, :1]))
        return samples.sum(colours) + (1 - opacity) * torch.sigmoid(self.background)

    def variation(self, density: float, colour: float) -> Tensor:
        """Mean squared difference of neighbours in the grid, so weighted."""
        weights = self.values.new_tensor((density, colour, colour, colour))
        total = self.values.new_zeros(())
        for axis in (2, 3, 4):
            squares = self.values.diff(dim=axis).square().mean((0, 2, 3, 4))
            total = total + (squares * weights).sum()
        return total
