"""Operations and memory of a training step, counted without running it.

``python benchmarks/training_cost.py`` prints the figures that training/SCALE.md works
with.  All operations are counted on tensors without data, which takes seconds.
"""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training.config import MODELS
from zim_model.conversion.config import CONVERTERS
from zim_model.conversion.network import ConverterNetwork
from zim_model.network.encoder import VitEncoder
from zim_model.network.zim import Zim

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
        shared = features.expand(PROMPTS)
        tokens = model.prompt_encoder.tokens(coords, labels, side)
        grid = config.grid
        return model.mask_decoder(
            shared.embeddings,
            model.prompt_encoder.pe_layer.grid(grid),
            tokens,
            None,
            torch.zeros(PROMPTS, grid, grid, dtype=torch.bfloat16, device="meta"),
            shared.details,
        )[0]

    return model, encode, decode


def converter_passes(config):
    with torch.device("meta"):
        model = ConverterNetwork(config).bfloat16().train()
        side = config.image_size
        image = torch.zeros(1, 3, side, side, dtype=torch.bfloat16)
        planes = torch.zeros(1, 1, side, side, dtype=torch.bfloat16)
    return model, lambda: model(image, planes)


def count_operations(run):
    """Operations (two a multiply-add), and bytes saved for the gradients."""
    saved = {}

    def keep(tensor):
        if not isinstance(tensor, nn.Parameter):
            storage = tensor.untyped_storage()
            saved[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        out = run()
    return out, counter.get_total_flops(), sum(size for size, _ in saved.values())


def main():
    for name in ("zim-vit-b", "zim-vit-l", "zim-vit-mini", "zim-mini"):
        config = MODELS[name]
        sizes = {}
        for recompute in (False, True):
            model, encode, decode = zim_passes(config, recompute)
            features, encoder, saved_bytes = count_operations(encode)
            _, decoder, more = count_operations(lambda d=decode, f=features: d(f))
            sizes[recompute] = (saved_bytes + more) / 2**30
        size = sum(p.numel() for p in model.parameters())
        step = 3 * (encoder + decoder)
        print(
            f"{name:12} {size / 1e6:6.1f} M parameters; encode {encoder / 1e9:.2f}"
            f" GFLOP, {PROMPTS} prompts {decoder / 1e9:.2f}; a view of a step"
            f" {step / 1e12:.4f} TFLOP, recomputing {(step + encoder) / 1e12:.4f};"
            f" kept for its gradients {sizes[False]:.2f} GiB, recomputing"
            f" {sizes[True]:.2f}"
        )
    config = CONVERTERS["converter"]
    model, run = converter_passes(config)
    _, forward, saved_bytes = count_operations(run)
    size = sum(p.numel() for p in model.parameters())
    print(
        f"{config.name:12} {size / 1e6:6.1f} M parameters; a mask {forward / 1e9:.1f}"
        f" GFLOP; an image of a step {3 * forward / 1e12:.4f} TFLOP; kept for its"
        f" gradients {saved_bytes / 2**30:.2f} GiB"
    )


if __name__ == "__main__":
    main()
