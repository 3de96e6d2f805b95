"""Find regions in photos to train on: ``python -m training.find_regions DATA -o DIR``.

Writes a downscaled copy of each labelled photo with a map of the regions that stand
out, see :mod:`training.regions`, and a manifest with the licences of the photos.
``kind = "regions"`` in a TOML file of data takes the folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from training.arguments import INTERRUPTED, number_between
from training.datasets.table import Pool, TrainingData, open_data
from training.manifest import MANIFEST
from training.reading import decode
from training.regions import find_regions
from zim_model.errors import ImageError, ZimError
from zim_model.evaluation.datasets import LABELS_MARK
from zim_model.runtime.atomic_files import atomic_write, check_absent, explained_write
from zim_model.runtime.cluster import run_all

LONGEST = 320
JPEG_QUALITY = 95


def labelled_photos(data: TrainingData, weights: str) -> list[tuple[Pool, Path]]:
    """Photos with label maps that are for training and of a suitable licence.

    Args:
        weights: ``open`` for photos whose licence allows any use, or ``all``.

    Raises:
        ZimError: there are none.
    """
    photos = [
        (pool, pair[0])
        for pool, pair in data.files()
        if pool.kind == "labels"
        and not data.is_held_out(pool, pair)
        and (weights == "all" or pool.is_open(pair[0]))
    ]
    if not photos:
        raise ZimError(
            f"{data.path} has no labelled photos for training that may be used.",
            f"Put {MANIFEST} beside them, which names open ones, or use --weights all.",
        )
    return photos


def write_regions(photo: Path, out: Path, longest: int) -> bool | str:
    """Write a photo's copy and its map of regions; whether it has any, or the fault."""
    try:
        image = decode(photo, "photo", longest)
    except ImageError as error:
        return error.message
    regions = find_regions(image)
    if regions is None:
        return False
    # With the name's ending, so that a.jpg and a.png stay two photos.
    with atomic_write(out / f"{photo.name}{LABELS_MARK}.png") as file:
        Image.fromarray(regions).save(file, "png")
    with atomic_write(out / f"{photo.name}.jpg") as file:
        Image.fromarray(image).save(file, "jpeg", quality=JPEG_QUALITY)
    return True


def find_all(
    photos: Sequence[tuple[Pool, Path]], out: Path, *, longest: int, jobs: int
) -> int:
    """Find the regions of all photos, and write them with a manifest to a new folder.

    Damaged photos are reported and left out.

    Returns:
        The number of photos that have regions.

    Raises:
        ZimError: two photos have the same name, or a file cannot be written.
    """
    names: dict[str, Path] = {}
    for _, photo in photos:
        if names.setdefault(photo.name, photo) != photo:
            raise ZimError(
                f"{names[photo.name]} and {photo} have the same name.",
                "Rename one with its label map.",
            )
    rows = []
    with explained_write(out):
        out.mkdir(parents=True)
        tasks = [(photo, out, longest) for _, photo in photos]
        results = run_all(write_regions, tasks, workers=jobs)
        found = dict(tqdm(results, total=len(tasks), unit="photo"))
        for number, (pool, photo) in enumerate(photos):
            if isinstance(found[number], str):
                print(f"left out: {found[number]}", file=sys.stderr)
            elif found[number]:
                licence = "open" if pool.is_open(photo) else "research"
                rows.append({"file": f"{photo.name}.jpg", "weights": licence})
        with atomic_write(out / MANIFEST) as file:
            file.write(json.dumps({"files": rows}, indent=1).encode())
    return len(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.find_regions")
    parser.add_argument("data", type=Path, help="training folder, or TOML file of data")
    parser.add_argument("-o", "--out", type=Path, required=True, help="new folder")
    parser.add_argument(
        "--weights",
        choices=("open", "all"),
        default="open",
        help="open: photos whose licence allows any use of the weights (default)",
    )
    parser.add_argument(
        "--longest",
        type=number_between(64, 1024),
        default=LONGEST,
        help=f"longest side in pixels of the copies (default: {LONGEST})",
    )
    parser.add_argument("--jobs", type=number_between(1), default=1, help="processes")
    arguments = parser.parse_args(argv)
    out: Path = arguments.out
    try:
        check_absent([out], "Choose another --out.")
        photos = labelled_photos(open_data(arguments.data), arguments.weights)
        longest, jobs = arguments.longest, arguments.jobs
        found = find_all(photos, out, longest=longest, jobs=jobs)
    except ZimError as error:
        print(f"find_regions: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nfind_regions: interrupted; remove {out}", file=sys.stderr)
        return INTERRUPTED
    print(f"{found} of {len(photos)} photos have regions; they are in {out}.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
