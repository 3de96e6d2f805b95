"""One click on faulty masks: ``python benchmarks/correct_mask.py --data DATA/dev``.

Labelled regions lose a part or gain one, and shrink or grow a little.  The standard
clicker (RITM) clicks once into the largest error.  Prints the mean IoU of the masks, of
the union or difference with the matte of the click alone, and of the engine, which also
gives the mask to the model and changes no more than both say.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.cases import HALVES, labelled_cases
from zim_model.evaluation.clicks import next_click
from zim_model.imported_mask import ImportedMask
from zim_model.inference import engine as engine_module
from zim_model.inference.engine import Engine
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe
from zim_model.request import ALPHA_MAX, Request

FAULTS = ("part missing", "part too many")
MIN_PIXELS = 400
SPOT, EDGE = 0.45, 0.04
"""Radius of the part, and the change of the outline, per root of the region's area."""


def distort(rng: np.random.Generator, mask: np.ndarray, fault: str) -> np.ndarray:
    """A region (H, W) bool without a part or with one too many, shrunk or grown."""
    side = np.sqrt(mask.sum())
    width = int(max(3, EDGE * side)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    grown = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    places = np.argwhere(mask if fault == FAULTS[0] else grown & ~mask)
    row, column = places[rng.integers(len(places))]
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    spot = np.hypot(y - row, x - column) < SPOT * side
    faulty = (mask & ~spot if fault == FAULTS[0] else mask | spot).astype(np.uint8)
    change = cv2.erode if rng.random() < 0.5 else cv2.dilate
    return change(faulty, kernel) > 0


def measure(case, fault: str, model: str, rng: np.random.Generator) -> list[float]:
    """IoU of the mask, of the click's own matte with it, and of the engine."""
    target = case.alpha > 0.5
    faulty = distort(rng, target, fault) & case.valid
    click = next_click(faulty, target, case.valid, np.zeros_like(target))
    level = np.where(faulty, np.uint8(255), np.uint8(0))
    mask = ImportedMask.from_level(level, refine=False)
    recipe = Recipe(model=model, prompts=PromptSet((click,)), masks=(mask,))
    limited = engine_module.limit_changes
    engine_module.limit_changes = lambda split, added, subtracted, corrected: (
        added,
        subtracted,
    )
    try:
        united = Engine().solve(Request(case.image, case.name, recipe)).alpha
    finally:
        engine_module.limit_changes = limited
    corrected = Engine().solve(Request(case.image, case.name, recipe)).alpha
    found = [faulty, *(alpha > ALPHA_MAX // 2 for alpha in (united, corrected))]
    own = target & case.valid
    return [
        float((each & own).sum() / ((each & case.valid) | own).sum()) for each in found
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="development folder")
    parser.add_argument("--model", default="zim-tiny")
    parser.add_argument("--limit", type=int, default=60, help="regions")
    parser.add_argument("--half", choices=("all", *HALVES), default="reporting")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    cases = [
        case
        for case in labelled_cases(arguments.data)
        if case.is_in_half(arguments.half) and (case.alpha > 0.5).sum() >= MIN_PIXELS
    ][: arguments.limit]
    print("| fault | mask | click's own matte | engine | engine worse than mask |")
    print("|---|---|---|---|---|")
    for fault in FAULTS:
        rows = np.array([measure(case, fault, arguments.model, rng) for case in cases])
        worse = (rows[:, 2] < rows[:, 0] - 0.01).mean()
        means = " | ".join(f"{value:.3f}" for value in rows.mean(0))
        print(f"| {fault} | {means} | {worse:.0%} |")


if __name__ == "__main__":
    main()
