"""Time and error of foreground estimation, compared with pymatting.

``python benchmarks/foreground.py [--megapixels 12] [--rounds 3]`` composites a bundled
photo over another one with a furry matte, so that the true colours are known, and
estimates them with each method.  All numbers are from one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
from pymatting import estimate_foreground_ml

from zim_app.core.images import load_image
from zim_model.assets import asset_path
from zim_model.matting.foreground import estimate_foreground

MULTI_LEVEL = "zim_model, multi-level"


def furry_matte(height: int, width: int, hairs: int = 600) -> np.ndarray:
    """Alpha (H, W) float32 of a ball with hairs, as large as the image allows."""
    alpha = np.zeros((height, width), np.uint8)
    centre = np.array((width // 2, height // 2))
    radius = 0.3 * min(height, width)
    cv2.circle(alpha, centre.tolist(), int(radius), 255, -1)
    thickness = max(1, round(radius / 300))
    rng = np.random.default_rng(0)
    for angle, length in rng.uniform((0, 1.1), (2 * np.pi, 1.5), (hairs, 2)):
        way = radius * np.array((np.cos(angle), np.sin(angle)))
        ends = (centre + way).astype(int), (centre + way * length).astype(int)
        cv2.line(alpha, ends[0].tolist(), ends[1].tolist(), 255, thickness, cv2.LINE_AA)
    return cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), thickness)


def photo(name: str, height: int, width: int) -> np.ndarray:
    """A bundled photo at another size, float32 in [0, 1]."""
    rgb = load_image(asset_path("samples", name)).rgb
    size = (width, height)
    return cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) / 255


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    height, width = (round(side * args.megapixels**0.5) for side in (866, 1155))
    true, alpha = photo("cat.jpg", height, width), furry_matte(height, width)
    share = alpha[..., None]
    image = true * share + photo("coffee.jpg", height, width) * (1 - share)
    image = (image * 255 + 0.5).astype(np.uint8)
    words = (alpha * 65535 + 0.5).astype(np.uint16)
    soft = (alpha > 0.02) & (alpha < 0.98)

    def as_float64() -> np.ndarray:
        return estimate_foreground_ml(image / 255, alpha.astype(np.float64))

    methods: dict[str, Callable[[], np.ndarray]] = {
        "the photo's own colours": lambda: image,
        MULTI_LEVEL: lambda: estimate_foreground(image, words),
        "zim_model, blur-fusion": lambda: estimate_foreground(
            image, words, method="blur-fusion"
        ),
        "pymatting, multi-level": as_float64,
    }
    print(f"{width} x {height}, {soft.mean():.1%} soft, medians of {args.rounds}")
    base, reference = 0.0, as_float64()  # the first run compiles
    for name, method in methods.items():
        colours, times = method(), []
        for _ in range(args.rounds):
            started = time.perf_counter()
            method()
            times.append(time.perf_counter() - started)
        if colours.dtype == np.uint8:
            colours = colours / np.float32(255)
        error, away = (
            np.abs((colours - other) * share)[soft].mean() * 255
            for other in (true, reference)
        )
        seconds = statistics.median(times)
        base = seconds if name == MULTI_LEVEL else base
        ratio = f"x {seconds / base:.2f}" if base else ""
        print(
            f"{name:28}{seconds:8.2f} s  error {error:6.2f} of 255, "
            f"from pymatting's {away:6.2f}  {ratio}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
