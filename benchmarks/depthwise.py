"""Gradients of zim-tiny's depthwise convolutions, beside those of ``nn.Conv2d``.

``python benchmarks/depthwise.py [--variant lite2] [--views 8] [--side 256]`` prints the
milliseconds of forward and backward pass of each, by turns in one thread, in both
precisions, and the ratio of their sums.
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import partial

import torch
from timing import interleaved
from torch import nn

from zim_model.network.config import LiteConfig, TinyConfig
from zim_model.network.convolution import Conv2d
from zim_model.network.tiny import PROMPT_MAPS, ZimTiny
from zim_model.runtime.devices import bf16_pays_on_cpu


def depthwise_layers(variant, side):
    """Number of the layers, by channels, kernel, stride, padding and input side."""
    model = ZimTiny(TinyConfig(encoder=LiteConfig(variant)))
    found = Counter()

    def count(layer, inputs, output):
        if layer.groups > 1:
            kernel, stride, padding = layer.kernel_size, layer.stride, layer.padding
            shape = inputs[0].shape
            found[shape[1], kernel[0], stride[0], padding[0], shape[3]] += 1

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, side, side), torch.zeros(1, PROMPT_MAPS, side, side))
    return found


def milliseconds(dtype, views, rounds, layer):
    """Of a forward and backward pass of ``nn.Conv2d`` and of ours."""
    channels, kernel, stride, padding, side = layer
    x = torch.randn(views, channels, side, side).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    actions = {}
    for kind in (nn.Conv2d, Conv2d):
        conv = kind(channels, channels, kernel, stride, padding, groups=channels)
        conv.to(dtype)
        actions[kind] = partial(passes, conv, x, torch.randn_like(conv(x)))
    times = interleaved(rounds, actions)
    return [1e3 * times[kind][1] for kind in actions]


def passes(conv, x, gradient, turn):
    del turn
    x.grad = None
    conv.zero_grad()
    conv(x).backward(gradient)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=("lite0", "lite2"), default="lite2")
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dtypes = [torch.float32, *([torch.bfloat16] if bf16_pays_on_cpu() else [])]
    print("number, channels, kernel, stride, side: nn.Conv2d, ours, in milliseconds")
    sums = {dtype: [0.0, 0.0] for dtype in dtypes}
    layers = depthwise_layers(arguments.variant, arguments.side)
    for layer, number in layers.items():
        channels, kernel, stride, _, side = layer
        line = f"{number} {channels:5} {kernel} {stride} {side:4}:"
        for dtype, total in sums.items():
            both = milliseconds(dtype, arguments.views, arguments.rounds, layer)
            line += " {:8.2f} {:8.2f}  ".format(*both)
            total[:] = (a + number * b for a, b in zip(total, both, strict=True))
        print(line)
    for dtype, (theirs, ours) in sums.items():
        print(f"{dtype}: {theirs:.0f} and {ours:.0f} ms, {theirs / ours:.1f}x")


if __name__ == "__main__":
    main()
