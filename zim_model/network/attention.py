"""Exact and fast self-attention with decomposed relative positions.

The logits of n = h * w queries and keys get a bias by the key's row and one by its
column.  As a tensor that bias has n * n numbers for each head: small inside windows,
hundreds of megabytes for a whole image.

Shapes: B batch, d length of a head.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from zim_model.runtime.threads import parallel_for

WINDOW = 512
"""Most queries for which the bias is made as a tensor."""
QUERIES = 256
"""Queries of one head that a CPU processes at a time, so that their logits stay in
its cache."""


def biased_attention(
    q: Tensor, k: Tensor, v: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """Attention with ``q.k / sqrt(d)`` plus the bias as logits.

    Args:
        q, k, v: (B, heads, h * w, d).
        rows: (B, heads, h * w, h), bias of each query towards each row of keys.
        columns: (B, heads, h * w, w).

    Returns:
        (B, heads, h * w, d).
    """
    # An exported graph has no fused kernels: longer heads would only cost there.
    if q.shape[2] <= WINDOW or torch.onnx.is_in_onnx_export():
        if rows.dtype == torch.float32:
            bias = (rows[..., :, None] + columns[..., None, :]).flatten(-2)
        else:  # a product is faster than a sum that is broadcast in half precision
            one_hot = _one_hot_keys(k, rows.shape[-1], columns.shape[-1])
            bias = torch.cat([rows, columns], -1) @ one_hot.T
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    exact = q.dtype == torch.float32
    if q.device.type == "cpu" and exact and not torch.is_grad_enabled():
        return _chunked_attention(q, k, v, rows, columns)
    return _attention_without_bias_tensor(q, k, v, rows, columns)


def _chunked_attention(
    q: Tensor, k: Tensor, v: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """A few queries of one head at a time, in fp32; not differentiable."""
    batch, heads, count, length = q.shape
    scaled = q * length**-0.5
    out = q.new_empty(batch, count, heads, length)

    def chunk(head: int, first: int) -> None:
        index, head = divmod(head, heads)
        some = slice(first, min(first + QUERIES, count))
        bias = rows[index, head, some, :, None] + columns[index, head, some, None]
        logits = bias.flatten(1).addmm_(scaled[index, head, some], k[index, head].T)
        out[index, some, head] = logits.softmax(-1) @ v[index, head]

    firsts = range(0, count, QUERIES)
    parallel_for(chunk, list(itertools.product(range(batch * heads), firsts)))
    return out.transpose(1, 2)


def _attention_without_bias_tensor(
    q: Tensor, k: Tensor, v: Tensor, rows: Tensor, columns: Tensor
) -> Tensor:
    """The same attention with the bias folded into longer heads, exactly.

    Appending the row and column biases to q and one-hot rows and columns to k makes
    q'.k' the biased logit, so that a fused kernel runs and no (h*w)^2 tensor is made.
    """
    h, w, d = rows.shape[-1], columns.shape[-1], q.shape[-1]
    one_hot = _one_hot_keys(k, h, w).expand(*k.shape[:2], -1, -1)
    # The roots of 16 and 64, the usual lengths, are exact in any precision.
    long_q = torch.cat([q, rows * d**0.5, columns * d**0.5], -1)
    long_k = torch.cat([k, one_hot], -1)
    # The fused CPU and flash kernels want one head length for all three.
    long_v = F.pad(v, (0, h + w))
    out = F.scaled_dot_product_attention(long_q, long_k, long_v, scale=d**-0.5)
    return out[..., :d]


def _one_hot_keys(k: Tensor, h: int, w: int) -> Tensor:
    """The row and the column of each key as one-hot vectors, (h * w, h + w)."""
    rows = torch.eye(h, dtype=k.dtype, device=k.device).repeat_interleave(w, 0)
    columns = torch.eye(w, dtype=k.dtype, device=k.device).repeat(h, 1)
    return torch.cat([rows, columns], -1)
