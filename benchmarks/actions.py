"""User actions from a photo to a clean cut-out.

``python benchmarks/actions.py FOLDER [--photos 8] [--composites sheet.png]`` reads
``NAME.jpg`` with its true ``NAME.alpha.png`` and prints a row per photo.  A simulated
user begins with "Select subject" or a box, whichever needs fewer actions, clicks on the
largest error until the IoU reaches ``--iou`` or ``--limit`` actions are spent, and
exports, which is the last action.  The sheet shows the cut-outs over magenta.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from zim_app.core.images import load_image
from zim_model.evaluation.clicks import matte_box, next_click
from zim_model.evaluation.reading import as_alpha, read_matte
from zim_model.finish import STANDARD_FINISH
from zim_model.inference.engine import Engine
from zim_model.inference.subject import SubjectSelector
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, Matte, Request

MAGENTA = (255, 0, 255)
TILE_HEIGHT, TILES_A_ROW = 480, 4


@dataclass(frozen=True)
class Attempt:
    """How far a user got: the first action, their number, the IoU, and the matte."""

    first: str
    actions: int
    iou: float
    matte: Matte


def intersection_over_union(alpha: np.ndarray, truth: np.ndarray) -> float:
    found, target = alpha > 0.5, truth > 0.5
    return float((found & target).sum() / max((found | target).sum(), 1))


def attempts(
    engine: Engine, request: Request, truth: np.ndarray, wanted: float, limit: int
) -> Iterator[Attempt]:
    """One attempt for each way to begin."""
    selected = SubjectSelector(engine).select(request)
    box = replace(request.recipe, prompts=PromptSet((), matte_box(truth)))
    for first, recipe in (("subject", selected), ("box", box)):
        clicked = np.zeros(truth.shape, bool)
        for count in range(1, limit + 1):
            matte = engine.solve(replace(request, recipe=recipe))
            alpha = matte.alpha / np.float32(ALPHA_MAX)
            iou = intersection_over_union(alpha, truth)
            if iou >= wanted or count == limit:
                break
            everywhere = np.ones(truth.shape, bool)
            point = next_click(alpha > 0.5, truth > 0.5, everywhere, clicked)
            clicked[int(point.y), int(point.x)] = True
            recipe = recipe.with_point(point)
        yield Attempt(first, count + 1, iou, matte)


def tile(matte: Matte) -> np.ndarray:
    """The cut-out over magenta, of the height of a tile."""
    alpha = matte.alpha[..., None] / np.float32(ALPHA_MAX)
    pixels = matte.foreground[0] * alpha + np.float32(MAGENTA) * (1 - alpha)
    height, width = matte.alpha.shape
    size = round(TILE_HEIGHT * width / height), TILE_HEIGHT
    return cv2.resize(pixels.astype(np.uint8), size, interpolation=cv2.INTER_AREA)


def save_sheet(tiles: list[np.ndarray], path: Path) -> None:
    starts = range(0, len(tiles), TILES_A_ROW)
    rows = [np.hstack(tiles[start : start + TILES_A_ROW]) for start in starts]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    PIL.Image.fromarray(np.vstack(rows)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--model", default="zim-tiny")
    parser.add_argument("--iou", type=float, default=0.95)
    parser.add_argument("--limit", type=int, default=6)
    parser.add_argument("--composites", type=Path)
    args = parser.parse_args()
    engine, tiles, numbers = Engine(), [], []
    photos = sorted(args.folder.glob("*.jpg"))
    step = max(len(photos) // args.photos, 1)  # spread over the folder
    print(f"{'photo':24} begins with  actions  IoU    seconds")
    for path in photos[::step][: args.photos]:
        started, image = time.perf_counter(), load_image(path)
        truth = as_alpha(read_matte(path.with_suffix(".alpha.png")))
        finish = replace(STANDARD_FINISH, decontaminate=1.0)
        request = Request(image.rgb, image.key, Recipe(model=args.model, finish=finish))
        tried = attempts(engine, request, truth, args.iou, args.limit)
        best = min(tried, key=lambda each: (each.actions, -each.iou))
        seconds = time.perf_counter() - started
        print(f"{path.stem:24} {best.first:11}  {best.actions:7}", end="  ")
        print(f"{best.iou:.3f}  {seconds:.1f}", flush=True)
        tiles.append(tile(best.matte))
        numbers.append(best.actions)
    print(f"mean {np.mean(numbers):.1f} actions, median {np.median(numbers):.0f}")
    if args.composites:
        save_sheet(tiles, args.composites)


if __name__ == "__main__":
    main()
