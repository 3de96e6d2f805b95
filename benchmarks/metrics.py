"""Time of the metrics of one prediction, compared with their plain definitions.

``python -m benchmarks.metrics [--rounds 3]`` makes true mattes of 2040 x 1400 pixels,
as MicroMat-3K's are, with an imperfect prediction for each, and measures them with both
in this one process: ZIM's five errors, and all metrics of the evaluation.  The plain
code is the one that the tests compare with.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np

from tests.zim_model.evaluation import plain_metrics as plain
from zim_model.evaluation.measures import (
    BAND,
    compute_metrics,
    unknown_region,
    zim_metrics,
)

HEIGHT, WIDTH = 1400, 2040
SIZES = {"small": 0.06, "medium": 0.16, "large": 0.38}
"""Radius of the object, of the image's height: S, M and L in ZIM's evaluation."""


def hairy_matte(radius: float, seed: int) -> np.ndarray:
    """Alpha (H, W) float32 of a ball with curling hair and a hole."""
    rng = np.random.default_rng(seed)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    reach = radius * HEIGHT
    centre = np.array([WIDTH * 0.5, HEIGHT * 0.5])
    cv2.circle(alpha, centre.astype(int).tolist(), int(reach), 255, -1)
    for angle, value in rng.uniform((0, 90), (2 * np.pi, 255), (700, 2)):
        way = np.array([np.cos(angle), np.sin(angle)])
        path = [centre + way * reach * 0.95]
        for _ in range(7):
            way = way + rng.normal(0, 0.25, 2)
            path.append(path[-1] + way * reach * 0.03)
        cv2.polylines(alpha, [np.int32(path)], False, value, int(rng.integers(1, 4)))
    cv2.circle(alpha, (centre + reach / 3).astype(int).tolist(), int(reach / 6), 0, -1)
    soft = cv2.GaussianBlur(alpha.astype(np.float32) / 255, (0, 0), 0.9)
    return (np.round(soft * 255) / 255).astype(np.float32)


def noisy_prediction(target: np.ndarray, seed: int) -> np.ndarray:
    """A prediction from a quarter of the pixels, with noise, in 16 bits."""
    size = (WIDTH // 4, HEIGHT // 4)
    small = cv2.resize(target, size, interpolation=cv2.INTER_AREA)
    prediction = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    rng = np.random.default_rng(seed)
    prediction += rng.normal(0, 0.02, prediction.shape) * (
        (prediction > 0) & (prediction < 1)
    )
    return (np.round(np.clip(prediction, 0, 1) * 65535) / 65535).astype(np.float32)


def seconds(function: Callable[[], object], rounds: int) -> float:
    """The least processor time of a call; other programs do not count."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        function()
        taken.append(time.process_time() - started)
    return min(taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    head = ("object", "five, plainly", "here", "ratio", "all, plainly", "here", "ratio")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for name, radius in SIZES.items():
        target = hairy_matte(radius, 1)
        prediction = noisy_prediction(target, 2)
        unknown = unknown_region(target)

        def plainly(p=prediction, g=target, u=unknown):
            errors = plain.zim_errors(p, g) | plain.dim_errors(p, g, u)
            return errors | plain.mask_errors(p, g, BAND)

        expected, actual = plainly(), compute_metrics(prediction, target, unknown)
        worst = max(
            abs(actual[k] - v) / max(abs(v), 1e-12) for k, v in expected.items()
        )
        assert worst < 1e-6, worst
        five = seconds(lambda p=prediction, g=target: plain.zim_errors(p, g), rounds)
        five_here = seconds(lambda p=prediction, g=target: zim_metrics(p, g), rounds)
        everything = seconds(plainly, 1)
        here = seconds(
            lambda p=prediction, g=target: compute_metrics(p, g, unknown_region(g)),
            rounds,
        )
        cells = [
            *(name, f"{five:.2f} s", f"{five_here * 1e3:.0f} ms"),
            *(f"{five / five_here:.0f} x", f"{everything:.2f} s"),
            *(f"{here * 1e3:.0f} ms", f"{everything / here:.0f} x"),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
