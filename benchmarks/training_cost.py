"""Count what a training step costs, without running it: operations and memory.

``python benchmarks/training_cost.py`` prints the figures that training/SCALE.md works
with.  Everything is counted on tensors without data, so that it takes seconds.
"""

from dataclasses import replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training.config import MODELS
from zim_model.config import ZIM_VIT_B
from zim_model.converter_config import CONVERTERS
from zim_model.converter_network import ConverterNetwork
from zim_model.encoder import VitEncoder
from zim_model.model import Zim

PROMPTS = 2


def zim_passes(config, recompute):
    """A forward pass of one view with two prompts, in bfloat16."""
    with torch.device("meta"):
        model = Zim(config).bfloat16().train()
        side = config.image_size
        image = torch.zeros(1, 3, side, side, dtype=torch.bfloat16)
        coords = torch.zeros(PROMPTS, 26, 2, dtype=torch.bfloat16)
        labels = torch.ones(PROMPTS, 26, dtype=torch.long)
    if isinstance(model.image_encoder, VitEncoder):
        model.image_encoder.recompute = recompute

    def encode():
        return model.encode(image)

    def decode(features):
        shared = features.shared(PROMPTS)
        tokens = model.prompt_encoder.tokens(coords, labels, side)
        grid = config.grid
        return model.mask_decoder(
            shared.embeddings,
            model.prompt_encoder.pe_layer.grid(grid),
            tokens,
            None,
            torch.zeros(PROMPTS, grid, grid, dtype=torch.bfloat16, device="meta"),
            shared.details,
            [],
        )[0]

    return model, encode, decode


def converter_passes(config):
    with torch.device("meta"):
        model = ConverterNetwork(config).bfloat16().train()
        side = config.image_size
        image = torch.zeros(1, 3, side, side, dtype=torch.bfloat16)
        planes = torch.zeros(1, 1, side, side, dtype=torch.bfloat16)
    return model, lambda: model(image, planes)


def counted(run):
    """Operations (two a multiply-add) and what is kept for the gradients, in bytes."""
    kept = {}

    def keep(tensor):
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            kept[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        out = run()
    return out, counter.get_total_flops(), sum(size for size, _ in kept.values())


def main():
    for name in ("zim-vit-b", "zim-vit-l", "zim-vit-mini", "zim-mini"):
        config = MODELS[name]
        for recompute in (False, True):
            model, encode, decode = zim_passes(config, recompute)
            features, encoder, held = counted(encode)
            _, decoder, more = counted(lambda d=decode, f=features: d(f))
            size = sum(p.numel() for p in model.parameters())
            forward = encoder + decoder
            passes = 4 if recompute else 3
            step = forward * 3 + (encoder if recompute else 0)
            print(
                f"{name:13} {size / 1e6:7.2f} M, encode {encoder / 1e9:8.1f} GFLOP,"
                f" {PROMPTS} prompts {decoder / 1e9:7.1f}; a view of a step"
                f" ({passes} passes of the encoder) {step / 1e12:.3f} TFLOP;"
                f" kept for gradients {(held + more) / 2**30:.2f} GiB a view"
            )
    small = replace(ZIM_VIT_B, image_size=256)
    _, encode, decode = zim_passes(small, False)
    features, encoder, _ = counted(encode)
    print(f"zim-vit-b at 256 px: encode {encoder / 1e9:.1f} GFLOP")
    for name, config in CONVERTERS.items():
        if config.cues:
            continue
        model, run = converter_passes(config)
        _, forward, held = counted(run)
        size = sum(p.numel() for p in model.parameters())
        print(
            f"{name:13} {size / 1e6:7.2f} M, {forward / 1e9:.1f} GFLOP a mask,"
            f" {3 * forward / 1e12:.3f} TFLOP a picture of a step;"
            f" kept for gradients {held / 2**30:.2f} GiB a picture"
        )


if __name__ == "__main__":
    main()
