"""What adapting zim-tiny to ten corrected images gains, and what it costs elsewhere.

``python benchmarks/adapt.py --data DATA --source cwfid`` takes ten label maps of one
source of ``DATA/train/seg`` as corrected images, adapts the model to them with
``training.adapt``, and prints scores before and after, with standard errors of the
paired differences: on ten others of that source, and on regions of ``DATA/dev`` of all
other sources.  The sources are to be ones that the model was not trained on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from training.cases import (
    DevCase,
    case_box,
    labelled_cases,
    markdown_table,
    one_thread,
)
from training.evaluate_tiny import Method, click_alphas, zim_method
from training.manifest import Manifest
from training.reading import read_labels, read_photo
from zim_model.matting.metrics import iou, sad
from zim_model.prompts import PromptSet

CLICKS = (1, 3, 5)
EDGE = 0.7
"""Standard deviation in pixels of the soft edge that hard labels are given."""
ROOT = Path(__file__).resolve().parents[1]


def labelled_objects(data: Path, source: str, count: int, seed: int) -> list[DevCase]:
    """Largest objects of the source's images, in a random order."""
    train = data / "train"
    manifest = Manifest(train)
    files = sorted((train / "seg").glob(f"{source}__*.labels.png"))
    order = np.random.default_rng(seed).permutation(len(files))
    cases = []
    for number in order[:count]:
        labels = read_labels(files[number])
        stem = files[number].name.removesuffix(".labels.png")
        image = next(
            path
            for path in files[number].parent.glob(f"{stem}.*")
            if not path.stem.endswith(".labels")
        )
        areas = np.bincount(labels.ravel(), minlength=3)
        # One object and its background, where the manifest does not say more.
        ignored = manifest.background(image) or (2 if len(areas) == 3 else 0)
        areas[[0, ignored]] = 0
        mask = (labels == int(areas.argmax())).astype(np.float32)
        alpha = np.asarray(cv2.GaussianBlur(mask, (0, 0), EDGE), np.float32)
        cases.append(DevCase(image.name, read_photo(image), alpha, labels > 0))
    return cases


def save_pairs(cases: list[DevCase], folder: Path) -> None:
    """Write the cases as the studio writes training pairs."""
    for case in cases:
        stem = Path(case.name).stem
        Image.fromarray(case.image).save(folder / f"{stem}.png")
        alpha = np.round(255 * case.alpha).astype(np.uint8)
        Image.fromarray(alpha).save(folder / f"{stem}.alpha.png")


def measure(case: DevCase, method: Method) -> dict[str, float]:
    """Scores of a case: IoU from a box and after clicks, and SAD from a box."""
    target = case.alpha > 0.5
    alpha = method(case, PromptSet((), case_box(case)))
    row = {
        "box IoU": iou(alpha > 0.5, target, case.valid),
        "box SAD": sad(alpha * case.valid, case.alpha * case.valid),
    }
    for number, clicked in enumerate(click_alphas(case, method, max(CLICKS)), 1):
        if number in CLICKS:
            row[f"{number}-click IoU"] = iou(clicked > 0.5, target, case.valid)
    return row


def compare(cases: list[DevCase], models: list[str]) -> str:
    """A table of the models' mean scores, and of the differences to the first."""
    methods = [zim_method(model) for model in models]
    rows = [
        [measure(case, method) for method in methods]
        for case in tqdm(cases, leave=False)
    ]
    names = list(rows[0][0])
    values = np.array([[[row[n] for n in names] for row in case] for case in rows])
    table = [
        [label, *(f"{x:.3f}" for x in values[:, i].mean(0))]
        for i, label in enumerate(("before", "after"))
    ]
    change = values[:, 1] - values[:, 0]
    error = change.std(0, ddof=1) / len(change) ** 0.5
    told = (f"{m:+.3f} ± {e:.3f}" for m, e in zip(change.mean(0), error, strict=True))
    return markdown_table(
        [f"{len(cases)} objects", *names], [*table, ["difference", *told]]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--source", default="cwfid")
    parser.add_argument("--images", type=int, default=10, help="corrected ones")
    parser.add_argument("--others", type=int, default=10)
    parser.add_argument("--model", default="zim-tiny")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0, help="chooses the images")
    parser.add_argument("--dev-step", type=int, default=3, help="every so many regions")
    parser.add_argument("--set", action="append", default=[], help="of training.adapt")
    parser.add_argument("--out", type=Path, help="new file for the model")
    args = parser.parse_args()
    cases = labelled_objects(
        args.data, args.source, args.images + args.others, args.seed
    )
    corrected, others = cases[: args.images], cases[args.images :]
    with tempfile.TemporaryDirectory() as scratch:
        pairs = Path(scratch) / "pairs"
        pairs.mkdir()
        save_pairs(corrected, pairs)
        out = args.out or Path(scratch) / "adapted.safetensors"
        command = [
            *(sys.executable, "-m", "training.adapt", pairs, "--out", out),
            *("--model", args.model, "--minutes", str(args.minutes)),
            *(f"--set={each}" for each in args.set),
        ]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        result = json.loads(done.stdout.splitlines()[-1])
        if not result.get("weights"):
            print(f"No new model: {result}")
            return 1
        print(f"{args.source}: {result['steps']} steps, share {result['share']:g}\n")
        development = [
            case
            for case in labelled_cases(args.data / "dev")
            if not Path(case.name).name.startswith(f"{args.source}__")
        ][:: args.dev_step]
        with one_thread():
            models = [args.model, str(out)]
            print(compare(others, models), "\n")
            print(compare(development, models), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
