"""A 3 x 3 convolution of a bilinearly upsampled map, computed on the small grid.

Mixing channels and interpolating commute: each of the nine taps mixes the small map's
channels, a quarter of the products, and the results are interpolated and added.
Interpolation acts on rows, as a small matrix product, and then on columns, as two
weighted means of neighbours.  A few rows are processed at a time, which stay in the
cache.

The result is that of ``conv2d(interpolate(x, scale_factor=2, mode="bilinear"))``,
exactly except for rounding.
"""

from __future__ import annotations

import functools
import itertools

import torch
from torch import Tensor

from zim_model.runtime.threads import parallel_for

ROWS = 8
"""Rows of the small map that are processed at a time."""


def upsample_conv_relu(bias_map: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """ReLU of a bias map plus the convolution of the upsampled map; inference only.

    Args:
        bias_map: (B, F, 2h, 2w), best channels-last.
        x: (B, C, h, w).
        weight: (F, C, 3, 3), for zero padding of one pixel.

    Returns:
        (B, F, 2h, 2w), channels-last.
    """
    outputs, channels = weight.shape[:2]
    height, width = x.shape[-2:]
    # One column more on each side, as interpolation at the border takes it.
    columns = torch.arange(-1, width + 1, device=x.device).clamp(0, width - 1)
    padded = x.permute(0, 2, 3, 1)[:, :, columns]  # (B, h, w + 2, C)
    taps = weight.permute(2, 1, 3, 0).reshape(3, channels, 3 * outputs)
    vertical = _row_weights(height).to(x)
    beside = bias_map.permute(0, 2, 3, 1)  # (B, 2h, 2w, F)
    out = torch.empty_like(beside, memory_format=torch.contiguous_format)

    def compute_rows(index: int, top: int) -> None:
        bottom = min(top + ROWS, height)
        rows = slice(max(0, top - 1), min(bottom + 1, height))
        mixed = padded[index, rows].reshape(1, -1, channels) @ taps
        weights = vertical[2 * top : 2 * bottom, :, rows].flatten(1)
        tall = weights @ mixed.reshape(weights.shape[1], -1)
        tall = tall.reshape(-1, width + 2, 3 * outputs)
        result = out[index, 2 * top : 2 * bottom]
        _add_columns(result, beside[index, 2 * top : 2 * bottom], tall)
        result.relu_()

    tops = range(0, height, ROWS)
    parallel_for(compute_rows, list(itertools.product(range(len(out)), tops)))
    return out.permute(0, 3, 1, 2)


def _add_columns(out: Tensor, bias_map: Tensor, tall: Tensor) -> None:
    """Interpolate along rows and add the bias map and the three taps of a row.

    Args:
        out: (2n, 2w, F), written.
        bias_map: (2n, 2w, F).
        tall: (2n, w + 2, 3F), mixed by the taps of a row.
    """
    middle = tall[:, 1:-1]
    left = _column_taps(torch.lerp(middle, tall[:, :-2], 0.25))  # at column 2j
    right = _column_taps(torch.lerp(middle, tall[:, 2:], 0.25))  # at column 2j + 1
    even, odd = out[:, 0::2], out[:, 1::2]
    torch.add(bias_map[:, 0::2], left[1], out=even)
    even += right[2]
    even[:, 1:] += right[0][:, :-1]
    torch.add(bias_map[:, 1::2], right[1], out=odd)
    odd += left[0]
    odd[:, :-1] += left[2][:, 1:]


def _column_taps(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Channels (..., 3F) as three times (..., F)."""
    n = x.shape[-1] // 3
    return x[..., :n], x[..., n : 2 * n], x[..., 2 * n :]


@functools.lru_cache(maxsize=16)
def _row_weights(height: int) -> Tensor:
    """Weights of the small map's rows in the rows of the result: (2h, 3, h).

    Row r takes tap t from row r + t - 1 of the upsampled map, which lies between two
    rows of the small one, or outside, where there are zeros.
    """
    at = torch.arange(-1, 2 * height + 1)
    place = ((at + 0.5) / 2 - 0.5).clamp(0, height - 1)
    small = torch.arange(height)
    weights = (1 - (place[:, None] - small).abs()).clamp(min=0)
    weights[0] = weights[-1] = 0
    return torch.stack([weights[t : t + 2 * height] for t in range(3)], 1)
