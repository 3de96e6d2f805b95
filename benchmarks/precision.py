"""Half precision of a CPU against full precision: time, and the mattes' difference.

``python benchmarks/precision.py [--data DATA/dev] [--rounds 3]`` encodes photos and
predicts the matte of a click in fp32 and in bf16, in turns, with random weights of each
model's shapes and with zim-tiny's trained weights.  It prints the median seconds of an
encoding (of a click for zim-tiny, which encodes its prompts too), their ratio, the mean
difference of the mattes (0 to 1), and the share of the pixels at edges (alpha from .05
to .95 in fp32) that differ by more than .05.

bfloat16 needs instructions of the processor (AMX, AVX512-BF16): the last line says
whether ``auto`` takes it here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from encoder import randomise
from timing import interleaved, scaled_photo

from zim_app.core.images import load_image
from zim_model.assets import asset_path
from zim_model.backends.tiny_backend import TinyBackend
from zim_model.backends.torch_backend import TorchBackend
from zim_model.backends.torch_tiny import TorchTiny
from zim_model.inference.engine import Engine
from zim_model.network.build import build_zim
from zim_model.network.config import CONFIGS, RELATIVES
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.runtime.devices import usable_precision
from zim_model.weights.checkpoint import load_model

SHAPES = {**RELATIVES, **{name: CONFIGS[name] for name in ("sam-vit-b", "zim-vit-b")}}
TINY = "zim-tiny"
MEGAPIXELS = 2


def backend_of(name: str, precision: str):
    """A backend of the named model on the CPU."""
    if name == TINY:
        weights = load_model(asset_path("models", "zim-tiny.safetensors"))
        return TinyBackend(TorchTiny(weights, "cpu", precision))
    return TorchBackend(randomise(build_zim(SHAPES[name])), "cpu", precision)


def photos(folder: Path | None, count: int) -> list[np.ndarray]:
    """Photos of a folder, or one photo and its mirror images."""
    if folder is None:
        photo = scaled_photo(MEGAPIXELS)
        turned = [photo, photo[:, ::-1], photo[::-1], photo[::-1, ::-1]]
        return [np.ascontiguousarray(turned[i % 4]) for i in range(count)]
    paths = sorted(p for p in folder.rglob("*.jpg"))
    chosen = paths[:: max(1, len(paths) // count)][:count]
    return [load_image(path).rgb for path in chosen]


def request(image: np.ndarray, key: str) -> Request:
    height, width = image.shape[:2]
    point = Point(0.45 * width, 0.45 * height)
    return Request(image, key, Recipe(PromptSet((point,))))


def measure(name: str, images: list[np.ndarray], rounds: int) -> str:
    """A row of the table."""
    engines = {}
    for precision in ("fp32", "bf16"):
        own = backend_of(name, precision)
        engines[precision] = Engine(lambda _name, _placement, own=own: own)

    def run(engine: Engine, i: int) -> None:
        asked = request(images[i % len(images)], f"round {i}")
        if name == TINY:
            engine.solve(asked)
        else:
            engine.prepare(asked)

    seconds = interleaved(
        rounds,
        {
            precision: lambda i, engine=engine: run(engine, i)
            for precision, engine in engines.items()
        },
    )
    errors, far, edges = [], 0, 0
    for i, image in enumerate(images):
        full, half = (
            engine.solve(request(image, f"quality {i}")).alpha.astype(np.float32)
            / 65535
            for engine in engines.values()
        )
        difference = np.abs(full - half)
        edge = (full > 0.05) & (full < 0.95)
        errors.append(difference.mean())
        far, edges = far + (difference[edge] > 0.05).sum(), edges + edge.sum()
    times = [seconds[precision][0] for precision in engines]
    return (
        f"| {name} | {times[0]:.3f} | {times[1]:.3f} | {times[0] / times[1]:.2f} |"
        f" {np.mean(errors):.5f} | {far / max(1, edges):.2%} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of photos (jpg)")
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", action="append", choices=sorted([TINY, *SHAPES]))
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    images = photos(args.data, args.images)
    print(
        "| model | fp32, s | bf16, s | ratio | mean difference | edge pixels off |\n"
        "|---|---|---|---|---|---|"
    )
    for name in args.model or [TINY, *SHAPES]:
        print(measure(name, images, args.rounds), flush=True)
    encoders = usable_precision("cpu", "auto", large_products=True)
    print(f"\nauto takes {encoders} for image encoders here")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
