"""Shared by the benchmarks: a photo of any size, and fair timing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from zim_app.core.images import load_image
from zim_model.assets import asset_path


def scaled_photo(megapixels: float) -> np.ndarray:
    """A bundled photo at another size, (H, W, 3) uint8."""
    image = load_image(asset_path("samples", "astronaut.jpg"))
    scale = (megapixels * 1e6 / (image.height * image.width)) ** 0.5
    size = (round(image.width * scale), round(image.height * scale))
    return cv2.resize(image.rgb, size, interpolation=cv2.INTER_CUBIC)


def interleaved(
    rounds: int, actions: Mapping[str, Callable[[int], object]], *, warm: bool = False
) -> dict[str, tuple[float, float]]:
    """Seconds of alternating actions, so that other programs disturb all equally.

    Each is called with the number of the round, and once before unless it is ``warm``.

    Returns:
        The median wall-clock and processor seconds of each.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for i in range(int(warm), rounds + 1):
        for name, action in actions.items():
            wall, processor = time.perf_counter(), time.process_time()
            action(i)
            spent = time.perf_counter() - wall, time.process_time() - processor
            times[name].append(spent)
    return {
        name: tuple(
            statistics.median(column) for column in zip(*spent[-rounds:], strict=True)
        )
        for name, spent in times.items()
    }


def median_ms(rounds: int, action: Callable[[int], object]) -> float:
    """The median milliseconds of calls with the number of the round."""
    times = []
    for i in range(rounds):
        started = time.perf_counter()
        action(i)
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)
