"""How many labelled objects everything-mode finds, and how long an image takes.

``python benchmarks/everything.py --data DIR [--every N] [--model NAME]``; DIR is a
development folder (``training/README.md``).  A target is found when a result has an IoU
of at least one half (or .75) with it.  Time is the processor's, on one thread.
"""

from __future__ import annotations

import argparse
import time
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from training.cases import DevCase, labelled_cases, one_thread
from zim_model.inference.engine import Engine
from zim_model.matting.metrics import iou
from zim_model.recipe import Recipe
from zim_model.request import Request

LEAST_IOUS = (0.5, 0.75)


def image_of(case: DevCase) -> str:
    """The name of a case's image."""
    return case.name.rpartition(":")[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="zim-tiny")
    parser.add_argument("--every", type=int, default=8, help="take each Nth image")
    args = parser.parse_args()
    images = [list(each) for _, each in groupby(labelled_cases(args.data), image_of)]
    engine, best, seconds, counts = Engine(), [], [], []
    with one_thread():
        engine.backend(args.model)
        for cases in images[:: args.every]:
            request = Request(
                cases[0].image, image_of(cases[0]), Recipe(model=args.model)
            )
            start = time.process_time()
            results = engine.everything(request)
            seconds.append(time.process_time() - start)
            counts.append(len(results))
            for case in cases:
                size = case.alpha.shape[::-1]
                masks = [cv2.resize(found.alpha, size) > 127 for found in results]
                truth = case.alpha > 0.5
                best.append(max((iou(m, truth, case.valid) for m in masks), default=0))
    found = ", ".join(f"{np.mean(np.array(best) >= x):.3f} at {x}" for x in LEAST_IOUS)
    print(
        f"{args.model}: {len(seconds)} images, {len(best)} targets; found {found};"
        f" {np.mean(counts):.1f} results and {np.mean(seconds):.2f} s an image"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
