"""Sharpness of mattes at a photo's own size, with time and memory.

``python -m benchmarks.tiled_refinement FOLDER`` takes mattes (``NAME.alpha.png`` beside
``NAME.jpg`` or ``.png``), reduces them four and six times, as they are and as
masks of 0 and 1, and restores them: bilinearly, guided by the image, and, of masks, by
the label converter if there is one.  All numbers are from one run.

``python -m benchmarks.tiled_refinement --megapixels 100`` cuts an object out of an
image of that size, as the program does, in native resolution, and prints the memory it
took.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from benchmarks.timing import scaled_photo
from zim_app.core.images import load_image
from zim_model.assets import bundled_weights
from zim_model.conversion.converter import Converter
from zim_model.inference.engine import Engine
from zim_model.matting.guided_upsampling import guided_upsample
from zim_model.matting.metrics import grad, mae, sad
from zim_model.prompts import Box, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request

SOFT = 0.05
"""True alpha from this to one minus this is soft."""
HARD = 1 / 510
"""An alpha nearer to 0 or 1 is hard in 8 bits."""
FACTORS = (4, 6)
SUFFIXES = (".jpg", ".jpeg", ".png")

Restore = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From a small matte (h, w) in [0, 1] and the image to a matte (H, W) in [0, 1]."""


@dataclass
class NativeRow:
    """Errors of one method of restoring mattes, one of each per image."""

    mae: list[float] = field(default_factory=list)
    sad: list[float] = field(default_factory=list)
    grad: list[float] = field(default_factory=list)
    clipped: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, restored: np.ndarray, true: np.ndarray) -> None:
        soft = (true > SOFT) & (true < 1 - SOFT)
        hard = (restored < HARD) | (restored > 1 - HARD)
        self.mae.append(mae(restored, true))
        self.sad.append(sad(restored, true))
        self.grad.append(grad(restored, true))
        self.clipped.append(float(hard[soft].mean()) if soft.any() else 0.0)


def pairs(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images (H, W, 3) uint8 and their alpha (H, W) float32 in [0, 1]."""
    for path in sorted(folder.glob("*.alpha.png")):
        stem = path.name.removesuffix(".alpha.png")
        beside = [path.with_name(stem + suffix) for suffix in SUFFIXES]
        image = load_image(next(other for other in beside if other.is_file()))
        alpha = load_image(path).source[..., 0]
        yield image.rgb, alpha.astype(np.float32) / np.iinfo(alpha.dtype).max


def as_mask(alpha: np.ndarray) -> np.ndarray:
    return (alpha > 0.5).astype(np.float32)


def shrink(alpha: np.ndarray, factor: int) -> np.ndarray:
    size = [max(1, round(side / factor)) for side in alpha.shape[::-1]]
    return cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)


def upsampled_restore(*, guided: bool) -> Restore:
    def restore(small: np.ndarray, image: np.ndarray) -> np.ndarray:
        return guided_upsample(small, image, guided=guided) / np.float32(65535)

    return restore


def converter_restore() -> Restore:
    """By the label converter, from the mask at the image's size."""
    converter = Converter.load()

    def restore(small: np.ndarray, image: np.ndarray) -> np.ndarray:
        whole = cv2.resize(small, image.shape[1::-1])
        return converter.convert(image, whole > 0.5) / np.float32(65535)

    return restore


def compare(folder: Path) -> None:
    """Print the errors of restored mattes."""
    methods: dict[str, Restore] = {
        "bilinear": upsampled_restore(guided=False),
        "guided": upsampled_restore(guided=True),
    }
    if bundled_weights(converters=True):
        methods["converter"] = converter_restore()
    table: dict[tuple[str, str], NativeRow] = {}
    count = 0
    for image, alpha in pairs(folder):
        count += 1
        for factor in FACTORS:
            for kind, source in (("alpha", alpha), ("mask", as_mask(alpha))):
                small = shrink(source, factor)
                for name, restore in methods.items():
                    if name == "converter" and kind != "mask":
                        continue  # it takes masks
                    row = table.setdefault((f"{kind} / {factor}", name), NativeRow())
                    started = time.process_time()
                    restored = restore(small, image)
                    row.seconds += time.process_time() - started
                    row.add(restored.astype(np.float32), alpha)
    if not count:
        raise SystemExit(f"{folder} holds no NAME.alpha.png beside an image.")
    print(f"{count} mattes; MAE x 1000, SAD / 1000, Grad x 1000; clipped: share of the")
    print("soft pixels restored as 0 or 1; x: bilinear's MAE over this one's")
    print(f"{'':24}{'MAE':>8}{'SAD':>8}{'Grad':>8}{'clipped':>9}{'x':>7}{'ms':>7}")
    for (kind, name), row in table.items():
        means = [np.mean(x) for x in (row.mae, row.sad, row.grad)]
        gain = np.mean(table[kind, "bilinear"].mae) / means[0]
        print(
            f"{kind:11}{name:13}{means[0]:8.2f}{means[1]:8.2f}{means[2]:8.2f}"
            f"{np.mean(row.clipped):9.1%}{gain:7.2f}{row.seconds / count * 1e3:7.0f}"
        )


def measure_cost(megapixels: float) -> None:
    """Print the time and memory of one matte of a large image: a disc on a photo."""
    image = scaled_photo(megapixels)
    height, width = image.shape[:2]
    centre, radius = (width // 2, height // 2), round(0.3 * height)
    cv2.circle(image, centre, radius, (20, 200, 90), -1, cv2.LINE_AA)
    image.flags.writeable = False
    left, top = (middle - 1.05 * radius for middle in centre)
    box = Box(left, top, width - left, height - top)
    engine, before = Engine(), peak_megabytes()
    print(f"{width} x {height}; the image in memory: {before:.0f} MB")
    for upsampling in ("bilinear", "guided", "native"):
        options = Options(upsampling=upsampling)  # type: ignore[arg-type]
        request = Request(image, "large", Recipe(PromptSet((), box), options=options))
        started = time.perf_counter()
        matte = engine.solve(request)
        seconds = time.perf_counter() - started
        soft = np.mean((matte.alpha > 3277) & (matte.alpha < 62258))
        print(
            f"{upsampling:10}{seconds:8.1f} s  peak {peak_megabytes():6.0f} MB  "
            f"covers {matte.alpha.mean() / 65535:.1%}, {soft:.2%} soft"
        )


def peak_megabytes() -> float:
    """Peak resident memory so far; the system counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--megapixels", type=float)
    args = parser.parse_args()
    if args.folder is None and args.megapixels is None:
        parser.error("give a folder of mattes, or --megapixels")
    if args.folder is not None:
        compare(args.folder)
    if args.megapixels is not None:
        measure_cost(args.megapixels)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
