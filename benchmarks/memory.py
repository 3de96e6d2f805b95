"""Peak memory of exporting three objects of a large photo.

``python benchmarks/memory.py [--megapixels 100] [--formats psd ora png]`` exports one
photo with three overlapping objects, of 30, 60 and 95 % of its sides, in a fresh
process for each number, and prints the most memory that the process had, in MB.  The
mattes are in memory as the studio holds them; there is no window.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from timing import scaled_photo

from zim_app.core.export import ExportTarget, export
from zim_app.core.formats import BY_ID
from zim_app.core.images import Image
from zim_model.arrays import WordArray, sparse

SHARES = (0.3, 0.6, 0.95)
"""Sides of the objects, as shares of the photo's."""
PLACES = ((0.45, 0.48), (0.5, 0.5), (0.55, 0.52))
"""Centres of the objects, as shares of width and height."""
ROWS = 256
"""Of a part of a matte that is drawn at a time."""


def draw_ellipse(
    height: int, width: int, place: tuple[float, float], share: float
) -> WordArray:
    """The matte of an ellipse with a soft edge, (H, W) uint16."""
    alpha = np.zeros((height, width), np.uint16)
    x = (np.arange(width, dtype=np.float32) / width - place[0])[None] * 2 / share
    for top in range(0, height, ROWS):
        y = np.arange(top, min(top + ROWS, height), dtype=np.float32)
        y = (y / height - place[1])[:, None] * 2 / share
        inside = np.clip((1 - np.hypot(x, y)) * 200, 0, 1)
        alpha[top : top + ROWS] = np.rint(inside * 65535)
    return sparse(alpha)


def peak_mb(megapixels: float, name: str, share: float) -> float:
    """The most memory of this process, once it has exported a photo."""
    rgb = scaled_photo(megapixels)
    targets = [ExportTarget(draw_ellipse(*rgb.shape[:2], p, share)) for p in PLACES]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"out{BY_ID[name].suffixes[0]}")
        export(Image.from_array(rgb), targets, path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1 << 10) / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=float, default=100)
    parser.add_argument("--formats", nargs="+", default=["png", "psd", "ora"])
    args = parser.parse_args()
    print("| MB | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("|---|" + "---|" * len(SHARES))
    for name in args.formats:
        cells = []
        for share in SHARES:
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                peak = pool.submit(peak_mb, args.megapixels, name, share).result()
            cells.append(f"{peak:,.0f}")
        print(f"| {BY_ID[name].name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
