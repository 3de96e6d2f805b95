"""Speed-up of a batch by reading ahead and writing behind the model.

``python benchmarks/batch.py [--photos 16] [--megapixels 3] [--rounds 3] [--jobs 2]``
makes variants of a bundled photo, and cuts them out with a box each, once with threads
that read and write while the model works, and once with none, alternately.  All numbers
are from one run; the ratio is the median of the rounds' ratios.

On a CPU, model and files use the same cores, so that little is gained.  ``--gpu 0.5``
replaces the model by a fake that takes half a second per image and no CPU, as a GPU
does; its mattes are all the same.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
from PIL import Image

from zim_app.core.batch.jobs import folder_jobs
from zim_app.core.batch.plan import BATCH_EXPORT, BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy
from zim_app.core.batch.prompt_table import RelativeBox
from zim_app.core.batch.runner import BatchEngine, JobFinished, run
from zim_app.core.images import load_image
from zim_model.assets import asset_path
from zim_model.inference.automatic import FoundObject
from zim_model.inference.engine import Engine
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe
from zim_model.request import CancelCheck, Matte, Request, Timings, never_cancelled


class FixedTimeEngine:
    """Returns one matte after a fixed time in which the CPU is free."""

    device: str | None = None

    def __init__(self, matte: Matte, seconds: float) -> None:
        self._matte, self._seconds = matte, seconds

    def solve(
        self, request: Request, cancelled: CancelCheck = never_cancelled
    ) -> Matte:
        time.sleep(self._seconds)
        timings = Timings(self._seconds * 1e3, 0.0, "stand-in")
        return replace(self._matte, timings=timings)

    def everything(
        self,
        request: Request,
        options: None = None,
        cancelled: CancelCheck = never_cancelled,
    ) -> tuple[FoundObject, ...]:
        return ()


def fixed_time_engine(engine: Engine, photos: Path, seconds: float) -> FixedTimeEngine:
    """Make one whose matte has the size of the photos, which are equally large."""
    image = load_image(next(photos.iterdir()))
    box = RelativeBox(0.1, 0.1, 0.9, 0.9).to_pixels(image.height, image.width)
    request = Request(image.rgb, image.key, Recipe(PromptSet(box=box)))
    return FixedTimeEngine(engine.solve(request), seconds)


def make_photos(folder: Path, count: int, megapixels: float) -> None:
    """JPEG files that all differ."""
    rgb = load_image(asset_path("samples", "cat.jpg")).rgb
    factor = (megapixels * 1e6 / (rgb.shape[0] * rgb.shape[1])) ** 0.5
    size = round(rgb.shape[1] * factor), round(rgb.shape[0] * factor)
    large = cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)
    for number in range(count):
        turned = cv2.convertScaleAbs(large, alpha=1 - number / (4 * count))
        Image.fromarray(turned).save(folder / f"{number:03}.jpg", quality=92)


def seconds(engine: BatchEngine, photos: Path, output: Path, jobs: int) -> list[float]:
    """Wall-clock time of a batch, and of its steps: read, model, write."""
    images = folder_jobs(photos, output, recursive=False)
    prompting = PromptPolicy(recipes=False, box=RelativeBox(0.1, 0.1, 0.9, 0.9))
    started = time.perf_counter()
    events = run(
        BatchPlan(images, output, prompting, BATCH_EXPORT), engine, workers=jobs
    )
    rows = [event.row for event in events if isinstance(event, JobFinished)]
    elapsed = time.perf_counter() - started
    assert all(row.state == "done" for row in rows)
    model = sum(row.encode_ms + row.click_ms for row in rows) / 1e3
    read = sum(row.read_ms for row in rows) / 1e3
    return [elapsed, read, model, sum(row.write_ms for row in rows) / 1e3]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=16)
    parser.add_argument("--megapixels", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--gpu", type=float, metavar="SECONDS")
    args = parser.parse_args()
    engine: BatchEngine = (own := Engine())
    own.backend("zim-tiny")
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, "photos")
        photos.mkdir()
        make_photos(photos, args.photos, args.megapixels)
        if args.gpu is not None:
            engine = fixed_time_engine(own, photos, args.gpu)
        seconds(engine, photos, Path(folder, "warm-up"), args.jobs)
        times: dict[int, list[list[float]]] = {0: [], args.jobs: []}
        for number in range(args.rounds):
            for jobs, durations in times.items():
                output = Path(folder, f"out-{number}-{jobs}")
                durations.append(seconds(engine, photos, output, jobs))
    print(f"{args.photos} photos of {args.megapixels:g} MP, seconds a photo")
    for jobs, rounds in times.items():
        shares = [
            statistics.median(each) / args.photos for each in zip(*rounds, strict=True)
        ]
        words = "{:8.3f} in all; read {:.3f}, model {:.3f}, write {:.3f}"
        print(f"{jobs} threads: {words.format(*shares)}")
    pairs = zip(times[0], times[args.jobs], strict=True)
    ratio = statistics.median(slow[0] / fast[0] for slow, fast in pairs)
    print(f"throughput with overlap: x {ratio:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
