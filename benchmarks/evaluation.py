"""A whole evaluation in MicroMat-3K's layout, beside the steps of the official script.

``PYTHONPATH=. python benchmarks/evaluation.py [--images 2] [--model NAME]`` makes
images of 2040 x 1400 pixels with three objects each and evaluates a model of random
weights on them, by points and by boxes.  The official steps, written out plainly: every
object encodes its image, and one process does it all in float32, with ZIM's five
errors as the tests define them.  Ours is the evaluation of the program as it is, with
all its metrics, in the precision that it chooses here.  The means of the errors of both
are printed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from metrics import HEIGHT, SIZES, WIDTH, hairy_matte
from official import OfficialPredictor

from tests.zim_model.evaluation.plain_metrics import zim_errors
from zim_model.backends.view import View, resize_view
from zim_model.evaluation import (
    EvaluationOptions,
    Finished,
    ModelSystem,
    evaluate,
    open_dataset,
)
from zim_model.evaluation.clicks import first_click, matte_box
from zim_model.network.config import CONFIGS
from zim_model.network.zim import Zim
from zim_model.prompts import Box, Point, PromptSet
from zim_model.weights.checkpoint import save_model

ERRORS = ("SAD", "MSE", "MAE", "Grad", "Conn")


def make_set(root: Path, images: int) -> None:
    """Write a data set: in every image a small, a medium and a large object."""
    rng = np.random.default_rng(0)
    lines = []
    for name in ("img", "matte/fine", "prompt/fine", "seg/fine"):
        (root / name).mkdir(parents=True)
    for number in range(images):
        rgb = rng.uniform(0, 255, (HEIGHT // 20, WIDTH // 20, 3))
        rgb = cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        image = f"img/{number:04}.png"
        for index, radius in enumerate(SIZES.values(), 1):
            shift = round((index - 2) * 0.25 * WIDTH)
            alpha = np.roll(hairy_matte(radius, 10 * number + index), shift, 1)
            colour = rng.uniform(0, 255, 3)
            rgb += alpha[..., None] * (colour - rgb)
            stem = f"fine/{number:04}_{index}"
            grey = np.round(alpha * 255).astype(np.uint8)
            cv2.imwrite(str(root / f"matte/{stem}.png"), grey)
            cv2.imwrite(str(root / f"seg/{stem}.png"), np.uint8(grey > 127) * 255)
            point, box = first_click(grey > 127), matte_box(alpha)
            prompts = {
                "point": [[round(point.x), round(point.y), 1]],
                "bbox": [round(v) for v in (box.x0, box.y0, box.x1 - 1, box.y1 - 1)],
            }
            (root / f"prompt/{stem}.json").write_text(json.dumps(prompts))
            parts = ("matte/", "prompt/", "seg/")
            suffixes = (".png", ".json", ".png")
            files = (f"{a}{stem}{b}" for a, b in zip(parts, suffixes, strict=True))
            lines.append(" ".join([image, *files]))
        cv2.imwrite(str(root / image), rgb.clip(0, 255).astype(np.uint8))
    (root / "data_list.txt").write_text("\n".join(lines) + "\n")


def official(root: Path, model: Zim) -> list[dict[str, float]]:
    """The errors of every object, by points and by the box."""
    rows = []
    for line in (root / "data_list.txt").read_text().splitlines():
        image, matte, prompt, _ = line.split()
        pixels = cv2.cvtColor(cv2.imread(str(root / image)), cv2.COLOR_BGR2RGB)
        target = cv2.imread(str(root / matte), cv2.IMREAD_GRAYSCALE) / np.float32(255)
        view = View.whole_for(model.config, *target.shape)
        scaled = resize_view(model.config, pixels, view)
        predictor = OfficialPredictor(model, view, scaled)
        given = json.loads((root / prompt).read_text())
        points = tuple(Point(x, y, label > 0) for x, y, label in given["point"])
        for prompts in (PromptSet(points), PromptSet((), Box(*given["bbox"]))):
            rows.append(zim_errors(predictor.predict(prompts)[0], target))
    return rows


def here(root: Path, weights: Path, folder: Path) -> list[dict[str, float]]:
    """Evaluate with the program's own runner; the metrics of every row."""
    options = EvaluationOptions(upsampling="official", thumbnails=False)
    systems = [ModelSystem(str(weights), "random")]
    for event in evaluate(open_dataset(root), systems, folder, options=options):
        if isinstance(event, Finished):
            return [dict(row.metrics) for row in event.report.measured]
    raise AssertionError("the evaluation did not finish")


def timed(function: Callable[[], list[dict[str, float]]]) -> tuple[float, list[float]]:
    """Seconds of a call, and the means of ZIM's five errors that it returns."""
    started = time.perf_counter()
    rows = function()
    spent = time.perf_counter() - started
    return spent, [float(np.mean([row[name] for row in rows])) for name in ERRORS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--model", default="zim-vit-b", choices=sorted(CONFIGS))
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(0)
    model = Zim(CONFIGS[args.model]).eval()
    with tempfile.TemporaryDirectory() as name:
        root, weights = Path(name, "MicroMat3K"), Path(name, "random.safetensors")
        make_set(root, args.images)
        save_model(model, weights, half=False)
        model = model.float()
        times, errors = [], {}
        for i in range(args.rounds):
            out = Path(name, f"results {i}")
            plain, errors["official"] = timed(lambda: official(root, model))
            ours, errors["here"] = timed(lambda out=out: here(root, weights, out))
            times.append((plain, ours))
    plain, ours = (min(column) for column in zip(*times, strict=True))
    print(f"{args.model}, {args.images} images, {6 * args.images} mattes")
    print(f"the official steps  {plain:7.1f} s")
    print(f"zim-studio evaluate {ours:7.1f} s   x {plain / ours:.1f}")
    print(f"{'':20}{'  '.join(f'{name:>9}' for name in ERRORS)}")
    for side, means in errors.items():
        print(f"{side:20}{'  '.join(f'{mean:9.3f}' for mean in means)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
