"""Whether the order of imports, or other busy programs, slow predictions down.

``python benchmarks/imports.py [--rounds 9]`` measures a box with the bundled model, and
an image and a box with a ViT in torch, in fresh processes: torch imported first or
after ``zim_model``, alone and beside as many busy programs as there are cores.  The
processes take turns.  Each median is printed with its ratio to the better order.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator

ORDERS = {"torch first": "torch, zim_model", "zim_model first": "zim_model, torch"}
PREDICT = """
import sys, time
from dataclasses import replace
import numpy as np
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

if sys.argv[1] == "vit":
    from zim_model.backends.torch_backend import TorchBackend
    from zim_model.network.config import ZIM_VIT_B
    from zim_model.network.zim import Zim
    encoder = replace(ZIM_VIT_B.encoder, depth=3)
    small = replace(ZIM_VIT_B, image_size=512, encoder=encoder)
    backend = TorchBackend(Zim(small).eval(), "cpu")
    engine = Engine(lambda name, placement: backend)
else:
    engine = Engine()
image = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
print("ready", flush=True)
for number, _ in enumerate(sys.stdin):
    recipe = Recipe(PromptSet((), Box(80, 60, 700, 500)))
    started = time.perf_counter()
    engine.solve(Request(image, f"image {number}", recipe))
    print(time.perf_counter() - started, flush=True)
"""


class Predictor:
    """A fresh process that predicts once for each call."""

    def __init__(self, order: str, model: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"import {ORDERS[order]}\n{PREDICT}", model],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __call__(self) -> float:
        """Seconds of a prediction."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Programs that take all of a core each."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    cores = os.cpu_count() or 1
    print("| | | " + " | ".join(ORDERS) + " |\n|---|---|" + "---|" * len(ORDERS))
    for model in ("zim-tiny", "vit"):
        predictors = [Predictor(order, model) for order in ORDERS]
        for busy in (0, cores):
            with busy_programs(busy):
                times: list[list[float]] = [[] for _ in predictors]
                for number in range(rounds + 2):
                    for taken, predict in zip(times, predictors, strict=True):
                        seconds = predict()
                        if number >= 2:
                            taken.append(seconds)
            medians = [statistics.median(taken) for taken in times]
            cells = [f"{s * 1e3:.0f} ms, {s / min(medians):.2f}" for s in medians]
            print(
                f"| {model} | beside {busy} | " + " | ".join(cells) + " |", flush=True
            )
        for predictor in predictors:
            predictor.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
