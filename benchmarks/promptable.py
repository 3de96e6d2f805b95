"""What promptable models cost: encoding a photo, then a click on it.

``python benchmarks/promptable.py [--megapixels 12] [--rounds 3]`` prints the least of a
few rounds for each model, with random weights of its shapes, in seconds of one core
(CPU time with one thread, which other programs do not lengthen), as a table for the
catalogue.
"""

from __future__ import annotations

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from collections.abc import Callable
from functools import partial

import torch
from timing import scaled_photo

from zim_model.backends.torch_backend import TorchBackend
from zim_model.inference.engine import Engine
from zim_model.network.build import build_zim
from zim_model.network.config import CONFIGS, RELATIVES
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

MODELS = {**RELATIVES, **{name: CONFIGS[name] for name in ("sam-vit-b", "zim-vit-b")}}


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", action="append", choices=sorted(MODELS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    image = scaled_photo(args.megapixels)
    height, width = image.shape[:2]

    def request(i: int, key: str) -> Request:
        prompts = PromptSet((Point(0.45 * width + i, 0.3 * height),))
        return Request(image, key, Recipe(prompts))

    print("| model | million weights | encode, s | click, s |\n|---|---|---|---|")
    for name in args.model or MODELS:
        torch.manual_seed(0)
        model = build_zim(MODELS[name]).eval()
        weights = sum(parameter.numel() for parameter in model.parameters())
        backend = TorchBackend(model, "cpu")
        engine = Engine(lambda _name, _placement, own=backend: own)
        engine.solve(request(0, "warm up"))
        encode, click = [], []
        for i in range(args.rounds):
            photo = f"new {i}"
            encode.append(cpu_seconds(partial(engine.prepare, request(i, photo))))
            click.append(cpu_seconds(partial(engine.solve, request(i + 1, photo))))
        row = (name, f"{weights / 1e6:.1f}", f"{min(encode):.1f}", f"{min(click):.2f}")
        print(f"| {' | '.join(row)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
