"""How well and how fast holes are filled, on photos with made-up holes.

Holes of the forms of ellipses are cut into photos whose pixels below are known::

    python -m benchmarks.inpainting PHOTOS --holes 40 -o FOLDER

writes them as a data set for ``zim-studio evaluate --protocol inpainting``, fills them
by patches, by OpenCV's Telea and with the mean colour of the hole's edge, prints the
means, and the seconds for a hole of 5 % of a photo of 12 megapixels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray
from zim_model.evaluation.datasets import image_files
from zim_model.evaluation.inpainting import (
    PATCHES,
    TELEA,
    FillReport,
    FillRow,
    evaluate_fills,
    list_cases,
)
from zim_model.evaluation.reading import read_image
from zim_model.evaluation.systems import PredictionFolder
from zim_model.matting.inpainting import find_fill

SHARES = (0.01, 0.10)
"""Of the image, of the smallest and the largest hole."""
EDGE = 5
"""Pixels around the hole of which the mean colour is taken."""
LARGE = (4000, 3000)
"""Width and height of the photo that is timed."""


def draw_hole(shape: tuple[int, ...], random: np.random.Generator) -> BoolArray:
    """An ellipse somewhere in an image of that shape, (H, W)."""
    height, width = shape[:2]
    low, high = np.log(SHARES)
    radius = (np.exp(random.uniform(low, high)) * height * width / np.pi) ** 0.5
    ratio = random.uniform(0.7, 1.4)
    x, y = random.uniform(0.2, 0.8, 2) * (width, height)
    mask = np.zeros((height, width), np.uint8)
    axes = round(radius * ratio), round(radius / ratio)
    cv2.ellipse(mask, (round(x), round(y)), axes, random.uniform(0, 180), 0, 360, 1, -1)
    return mask.astype(np.bool_)


def fill_with_mean(image: ByteArray, hole: BoolArray) -> ByteArray:
    """The image with its hole in the mean colour around it."""
    window = np.ones((2 * EDGE + 1,) * 2, np.uint8)
    ring = cv2.dilate(hole.view(np.uint8), window).astype(np.bool_) & ~hole
    out = image.copy()
    out[hole] = np.rint(image[ring].mean(0))
    return out


def write_dataset(photos: list[Path], folder: Path) -> None:
    """Write images with grey holes, masks and truths, and fills by the mean colour."""
    random = np.random.default_rng(0)
    for photo in photos:
        truth = read_image(photo)
        hole = draw_hole(truth.shape, random)
        image = truth.copy()
        image[hole] = 128
        files = {
            "images": image,
            "masks": np.repeat(hole[..., None], 3, 2).astype(np.uint8) * 255,
            "truth": truth,
            "mean": fill_with_mean(truth, hole),
        }
        for name, pixels in files.items():
            path = folder / name / f"{photo.stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
            path.write_bytes(encoded.tobytes())


def time_large(photo: Path) -> tuple[float, float, float, float]:
    """Seconds to the preview and to the fill, and those of processor time."""
    small = read_image(photo)
    image = cv2.resize(small, LARGE, interpolation=cv2.INTER_CUBIC)
    width, height = LARGE
    mask = np.zeros((height, width), np.uint8)
    radius = round((0.05 * height * width / np.pi) ** 0.5)
    cv2.circle(mask, (width // 2, height // 2), radius, 1, -1)
    drafts: list[tuple[float, float]] = []
    start, used = time.perf_counter(), time.process_time()

    def passed() -> tuple[float, float]:
        return time.perf_counter() - start, time.process_time() - used

    fill = find_fill(
        image, mask.astype(np.bool_), on_draft=lambda _: drafts.append(passed())
    )
    fill.apply(image)
    (preview, preview_cpu), (full, full_cpu) = drafts[0], passed()
    return preview, full, preview_cpu, full_cpu


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--holes", type=int, default=40)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    photos = [path for path in image_files(args.photos) if path.suffix != ".png"]
    photos = photos[:: max(1, len(photos) // args.holes)][: args.holes]
    write_dataset(photos, args.output)
    mean = PredictionFolder("mean of the edge", args.output / "mean")
    cases = list_cases(args.output)
    rows: list[FillRow] = list(evaluate_fills(cases, (PATCHES, TELEA), (mean,)))
    print(FillReport(args.output.name, tuple(rows), ()).to_markdown())
    preview, full, preview_cpu, full_cpu = time_large(photos[0])
    print(
        f"12 megapixels, hole of 5 %: preview {preview:.2f} s ({preview_cpu:.2f} s of "
        f"processor time), fill {full:.2f} s ({full_cpu:.2f} s)"
    )


if __name__ == "__main__":
    main()
