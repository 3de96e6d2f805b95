"""Find regions in photos, to train on: ``python -m training.find_regions DATA --out DIR``.

Writes a scaled copy of each photo with a label map of the regions that stand out, see
:mod:`training.regions`, and a manifest with the photos' licences.  ``kind = "regions"``
in a TOML file of data takes the folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from training.arguments import number_between
from training.datasets.table import Pool, TrainingData, is_held_out, open_data
from training.manifest import MANIFEST
from training.reading import read_photo
from training.regions import find_regions
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import LABELS_MARK
from zim_model.runtime.atomic_files import atomic_write, explained_write
from zim_model.runtime.cluster import run_all

LONGEST = 320
JPEG_QUALITY = 95


def photos(data: TrainingData, weights: str) -> Iterator[tuple[Pool, Path]]:
    """Yield the labelled photos that are neither held out nor of a forbidden licence."""
    for pool, (image, target) in data.files():
        allowed = weights == "all" or pool.is_open(image)
        if pool.kind == "labels" and allowed and not is_held_out(pool.family(target)):
            yield pool, image


def write_regions(image: Path, out: Path, longest: int) -> bool:
    """Write a photo's copy and its regions; whether it has any."""
    photo = read_photo(image, longest)
    labels = find_regions(photo)
    if labels is None:
        return False
    with atomic_write(out / f"{image.stem}{LABELS_MARK}.png") as file:
        Image.fromarray(labels).save(file, "png")
    with atomic_write(out / f"{image.stem}.jpg") as file:
        Image.fromarray(photo).save(file, "jpeg", quality=JPEG_QUALITY)
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.find_regions")
    parser.add_argument("data", type=Path, help="training folder, or TOML file of data")
    parser.add_argument("--out", type=Path, required=True, help="new folder")
    parser.add_argument("--weights", choices=("open", "all"), default="open")
    parser.add_argument("--longest", type=number_between(64), default=LONGEST)
    parser.add_argument("--jobs", type=number_between(1), default=1, help="processes")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    try:
        if out.exists():
            raise ZimError(f"{out} exists already.", "Choose another --out.")
        chosen = list(photos(open_data(arguments.data), arguments.weights))
        with explained_write(out):
            out.mkdir(parents=True)
        tasks = [(image, out, arguments.longest) for _, image in chosen]
        results = run_all(write_regions, tasks, workers=arguments.jobs)
        done = dict(tqdm(results, total=len(tasks)))
        rows = []
        for number, (pool, image) in enumerate(chosen):
            if done[number]:
                kind = "open" if pool.is_open(image) else "research"
                rows.append({"file": f"{image.stem}.jpg", "weights": kind})
        with atomic_write(out / MANIFEST) as file:
            file.write(json.dumps({"files": rows}, indent=1).encode())
    except (OSError, ZimError) as error:
        print(f"find_regions: error: {error}", file=sys.stderr)
        return 1
    print(f"Regions of {len(rows)} of {len(chosen)} photos are in {out}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
