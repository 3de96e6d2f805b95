"""Time of a click, with and without cached features.

``python benchmarks/click.py [--megapixels 12] [--rounds 9]`` prints medians in
milliseconds and their ratios, all from one run on a bundled photo.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from timing import median_ms, scaled_photo

from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--model", default="zim-tiny")
    args = parser.parse_args()
    image = scaled_photo(args.megapixels)
    height, width = image.shape[:2]
    started = time.perf_counter()
    engine = Engine()
    device = engine.backend(args.model).device_label
    load_ms = (time.perf_counter() - started) * 1e3

    def request(i: int, prompts: str, key: str = "a", upsampling="guided") -> Request:
        # Every click is a new one: a pixel to the right of the last.
        point = Point(0.45 * width + i, 0.3 * height)
        box = Box(0.05 * width, 0.02 * height, 0.85 * width, 0.98 * height)
        sets = {
            "click": PromptSet((point,)),
            "box": PromptSet((), box),
            "box and click": PromptSet((point,), box),
        }
        options = Options(upsampling=upsampling)
        return Request(image, key, Recipe(sets[prompts], args.model, options))

    for prompts in ("click", "box", "box and click"):  # warm up
        engine.solve(request(-1, prompts))  # remembered: no round's own
    rows = {
        "encode the image": median_ms(
            args.rounds, lambda i: engine.prepare(request(i, "click", f"new {i}"))
        ),
        "click": median_ms(args.rounds, lambda i: engine.solve(request(i, "click"))),
        "click in a box": median_ms(
            args.rounds, lambda i: engine.solve(request(i, "box and click"))
        ),
        "click in a box, bilinear": median_ms(
            args.rounds,
            lambda i: engine.solve(
                request(args.rounds + i, "box and click", upsampling="bilinear")
            ),
        ),
        "box, nothing remembered": median_ms(
            args.rounds, lambda i: engine.solve(request(i, "box", f"cold {i}"))
        ),
    }
    base = rows["click in a box"]
    print(f"{args.model} on {device}, {width} x {height}, medians of {args.rounds}")
    print(f"{'load torch and the model':28}{load_ms:9.1f} ms")
    for name, value in rows.items():
        print(f"{name:28}{value:9.1f} ms   x {value / base:.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(f"{'peak memory':28}{megabytes:9.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
