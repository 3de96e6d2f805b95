"""Convolutions whose gradients are computed fast on CPUs.

Of depthwise convolutions, PyTorch's library for CPUs (oneDNN) computes the gradient
with respect to the input of strided ones, and that with respect to kernels of more than
3 x 3, up to thirty times slower than the others, above all in bfloat16.  Both are
computed here through the fast ones.  Shapes: B batch, C channels, K side of a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

FAST_KERNEL = 3
"""Side of the kernels whose weights' gradient is fast."""


class Conv2d(nn.Conv2d):
    """``nn.Conv2d``; if depthwise, with gradients that are fast on CPUs.

    Depthwise ones have square kernels, zero padding and no dilation.
    """

    def _conv_forward(
        self, input: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        depthwise = self.groups == self.in_channels == self.out_channels
        if depthwise and torch.is_grad_enabled() and input.device.type == "cpu":
            stride, padding = self.stride[0], cast(int, self.padding[0])
            own = cast(Callable[..., Tensor], _Depthwise.apply)
            return own(input, weight, bias, stride, padding)
        out: Tensor = super()._conv_forward(input, weight, bias)
        return out


class _Depthwise(Function):
    """A depthwise convolution of (B, C, H, W) with (C, 1, K, K) and a bias (C,)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: int,
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, bias, stride, padding, 1, len(weight))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        saved, stride, padding = ctx.saved_tensors, ctx.stride, ctx.padding
        x, weight = (tensor.to(gradient.dtype) for tensor in saved)
        of_input = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            slow = stride > 1 and gradient.dtype != torch.float32
            make = _strided_input_gradient if slow else _input_gradient
            of_input = make(gradient, x, weight, stride, padding).to(saved[0].dtype)
        if any(ctx.needs_input_grad[1:3]):
            slow = weight.shape[-1] > FAST_KERNEL
            both = _large_kernel_gradients if slow else _kernel_gradients
            of_weight, of_bias = (
                found.to(saved[1].dtype)
                for found in both(gradient, x, weight, stride, padding)
            )
        if not ctx.needs_input_grad[2]:
            of_bias = None  # there may be no bias
        return of_input, of_weight, of_bias, None, None


def _gradients(
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    stride: int,
    padding: int,
    wanted: list[bool],
) -> tuple[Tensor, Tensor, Tensor]:
    """PyTorch's gradients with respect to input, kernels and bias."""
    channels = len(weight)
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        *(gradient, x, weight, [channels], [stride, stride], [padding, padding]),
        *([1, 1], False, [0, 0], channels, wanted),
    )
    return found


def _input_gradient(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int
) -> Tensor:
    only_input = [True, False, False]
    return _gradients(gradient, x, weight, stride, padding, only_input)[0]


def _kernel_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int
) -> tuple[Tensor, Tensor]:
    """Those with respect to kernels and bias, which costs nothing beside."""
    all_but_input = [False, True, True]
    return _gradients(gradient, x, weight, stride, padding, all_but_input)[1:]


def _strided_input_gradient(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int
) -> Tensor:
    """Gradient of a strided depthwise convolution with respect to its input.

    It is the convolution of the output's gradient, rows and columns of zeros between
    its own, with the kernels turned by 180 degrees.

    Args:
        gradient: with respect to the output.
        x: the input (B, C, H, W), which gives the shape.
        weight: (C, 1, K, K).
    """
    channels, kernel = len(weight), weight.shape[-1]
    height, width = (side + 2 * padding - kernel + 1 for side in x.shape[2:])
    spread = gradient.new_zeros(len(gradient), height, width, channels)
    spread = spread.permute(0, 3, 1, 2)  # channels last
    spread[:, :, ::stride, ::stride] = gradient
    turned = weight.flip(2, 3)
    return F.conv2d(spread, turned, None, 1, kernel - 1 - padding, 1, channels)


def _large_kernel_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int
) -> tuple[Tensor, Tensor]:
    """Gradients of a depthwise convolution with respect to large kernels, and bias.

    They are put together of those of kernels of FAST_KERNEL, which overlap.

    Args:
        gradient: with respect to the output (B, C, H', W').
        x: the input (B, C, H, W).
        weight: (C, 1, K, K), K odd; gives the shape.
    """
    side, last = FAST_KERNEL, weight.shape[-1] - FAST_KERNEL
    x = F.pad(x, 4 * (padding,))
    height, width = (stride * (n - 1) + side for n in gradient.shape[2:])
    whole, block = torch.empty_like(weight), weight[..., :side, :side]
    for top in range(0, last + 1, side - 1):
        for left in range(0, last + 1, side - 1):
            seen = x[:, :, top : top + height, left : left + width]
            found, of_bias = _kernel_gradients(gradient, seen, block, stride, 0)
            whole[:, :, top : top + side, left : left + side] = found
    return whole, of_bias
