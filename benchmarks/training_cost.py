"""What a training step costs: counted without running it, or timed part by part.

``python benchmarks/training_cost.py`` prints the figures that training/SCALE.md works
with.  All operations are counted on tensors without data, which takes seconds.

``python benchmarks/training_cost.py --time CONFIG --data DATA/train [--steps 20]``
trains with one of training/configs in a temporary folder and prints the processor's
time of each part of a step, and the time spent waiting for samples.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training import train_converter, train_tiny, train_zim
from training.base_trainer import BaseTrainer
from training.config import MODELS, TrainConfig
from training.conversion.config import ConverterTrainConfig
from training.conversion.trainer import ConverterTrainer
from training.loop import TrainingRunOptions
from training.run_config import read_toml
from training.tiny.config import TinyTrainConfig
from training.tiny.trainer import TinyTrainer
from training.trainer import Trainer
from zim_model.conversion.config import CONVERTERS
from zim_model.conversion.network import ConverterNetwork
from zim_model.network.encoder import VitEncoder
from zim_model.network.zim import Zim

PROMPTS = 2


def zim_passes(config, recompute):
    """A forward pass of one view with two prompts, in bfloat16."""
    with torch.device("meta"):
        model = Zim(config).bfloat16().train().to("meta")  # buffers too
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


TRAINED = (
    (TrainConfig, train_zim.train, Trainer),
    (ConverterTrainConfig, train_converter.train, ConverterTrainer),
    (TinyTrainConfig, train_tiny.train, TinyTrainer),
)
"""Settings, training function and trainer of each kind of run."""
WARM_UP = 2
"""First steps, which are not counted."""


class PartTimes:
    """Processor seconds of the parts of a step, by name."""

    def __init__(self):
        self.seconds = defaultdict(float)
        self.steps = 0

    @contextmanager
    def around(self, owner, method, part) -> Iterator[None]:
        """Count the time in a method of a class or module."""
        original = getattr(owner, method)

        def timed(*arguments, **named):
            began = time.process_time()
            try:
                return original(*arguments, **named)
            finally:
                self.seconds[part] += time.process_time() - began

        with patch.object(owner, method, timed):
            yield

    @contextmanager
    def counting_steps(self) -> Iterator[None]:
        """Count steps, and forget the first ones."""
        original = BaseTrainer.train_step

        def counted(*arguments):
            if self.steps == WARM_UP:
                self.seconds.clear()
                self.began = time.monotonic()
            self.steps += 1
            return original(*arguments)

        with patch.object(BaseTrainer, "train_step", counted):
            yield


def time_parts(path, data, steps):
    """Train for a few steps and print the cost of each part."""
    name = read_toml(path)["model"]
    settings, train, trainer = next(row for row in TRAINED if name in row[0].MODELS)
    config = settings.read(path)
    config = replace(config, steps=steps + WARM_UP, log_every=10 * steps)
    times = PartTimes()
    with tempfile.TemporaryDirectory() as out, ExitStack() as stack:
        for owner, method, part in (
            (BaseTrainer, "train_step", "all"),
            (trainer, "compute_loss", "forward passes and loss"),
            (torch.Tensor, "backward", "backward"),
            (torch.nn.utils, "clip_grad_norm_", "gradient norm"),
            (torch.optim.AdamW, "step", "optimiser"),
            (BaseTrainer, "_update_average", "moving average"),
        ):
            stack.enter_context(times.around(owner, method, part))
        stack.enter_context(times.counting_steps())
        with patch.object(
            trainer, "save", lambda *a, **k: setattr(times, "ended", time.monotonic())
        ):
            train(config, TrainingRunOptions(data, Path(out)))
    total = times.seconds.pop("all")
    wall = times.ended - times.began
    print(f"{path.stem}: {steps / wall:.2f} steps a second; a step, milliseconds:")
    for part, seconds in times.seconds.items():
        print(f"{part:26}{seconds / steps * 1e3:8.1f}{seconds / total:8.0%}")
    print(
        f"{'all':26}{total / steps * 1e3:8.1f}    of {wall / steps * 1e3:.1f} elapsed"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=Path, metavar="CONFIG")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.time is not None:
        time_parts(arguments.time, arguments.data, arguments.steps)
        return
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
