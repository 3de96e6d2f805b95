"""Cases of a development folder, and measuring methods on them.

Objects lie in label maps, which are undefined in places.  No layout of
:mod:`zim_model.evaluation` has such ground truth; its readers, metrics and simulated
users are used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from tqdm import tqdm

from training.datasets.table import name_number
from training.reading import read_labels, read_photo
from zim_model.arrays import BoolArray, ByteArray, FloatArray
from zim_model.errors import MALFORMED, ZimError
from zim_model.evaluation.datasets import MATTE_MARK, pairs_beside
from zim_model.evaluation.reading import as_alpha, read_matte
from zim_model.evaluation.systems import ModelSystem
from zim_model.prompts import Box
from zim_model.runtime.cluster import run_all

TARGETS, MORE_TARGETS = "targets.json", "targets_more.json"
"""Files of a development folder that list labelled regions."""
PART_SOURCES = ("figaro",)
"""Sources whose only region is a part of the object: hair."""
HALVES = ("choosing", "reporting")
"""Halves of the images: one to choose settings, one to report results."""


@dataclass(frozen=True, slots=True, eq=False)
class DevCase:
    """One object of a development image.

    Attributes:
        name: file name of the image, with the region's number for labelled objects.
        image: (H, W, 3) uint8.
        alpha: (H, W) float32 in [0, 1], the ground truth.
        valid: (H, W) bool, false where the ground truth is undefined.
        regions: number of regions of the label map; 1 for a matte.
    """

    name: str
    image: ByteArray
    alpha: FloatArray
    valid: BoolArray
    regions: int = 1

    @property
    def file_name(self) -> str:
        """The image's file name, ``SOURCE__NUMBER.jpg``."""
        return Path(self.name.partition(":")[0]).name

    @property
    def source(self) -> str:
        """The name of the image's source."""
        return self.file_name.partition("__")[0]

    def is_in_half(self, half: str) -> bool:
        """Whether it belongs to a half of HALVES; all cases of an image do."""
        number = name_number(self.file_name) % len(HALVES)
        return half == "all" or number == HALVES.index(half)


def labelled_cases(root: Path, targets: str = TARGETS) -> Iterator[DevCase]:
    """Yield the regions listed in a file of targets.

    Its paths are relative to the parent folder of ``root``.

    Raises:
        ZimError: there is no such file, or it has another form.
        OSError: an image is missing or unreadable.
    """
    for row in _read_targets(root / targets):
        labels = read_labels(root.parent / row["labels"])
        yield DevCase(
            f"{row['image']}:{row['region']}",
            read_photo(root.parent / row["image"]),
            (labels == row["region"]).astype(np.float32),
            labels > 0,
            len(np.unique(labels[labels > 0])),
        )


def _read_targets(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of targets: an image, its label map and a region."""
    try:
        rows = json.loads(path.read_text("utf-8"))
        return [
            {key: row[key] for key in ("image", "labels", "region")} for row in rows
        ]
    except (OSError, *MALFORMED) as error:
        raise ZimError(
            f"{path} is no list of targets: {error!r}.",
            "Give a development folder, see training/README.md.",
        ) from error


def subject_cases(root: Path) -> Iterator[DevCase]:
    """Yield the cases of images with one main object.

    They are those with mattes, and those whose label map has one object alone and
    whose source labels whole objects.
    """
    yield from matte_cases(root)
    for targets in (TARGETS, MORE_TARGETS):
        if not (root / targets).exists():
            continue
        for case in labelled_cases(root, targets):
            region = case.name.rpartition(":")[2]
            whole = case.source not in PART_SOURCES
            if region == "1" and case.regions <= 2 and whole:
                yield case


def matte_cases(root: Path) -> Iterator[DevCase]:
    """Yield the images of ``matte/`` with their alphas."""
    pairs, _ = pairs_beside(root / "matte", MATTE_MARK)
    for image, matte in pairs:
        alpha = as_alpha(read_matte(matte))
        valid = np.ones(alpha.shape, bool)
        yield DevCase(image.name, read_photo(image), alpha, valid)


def case_box(case: DevCase) -> Box:
    """Return the tight box around a case's object."""
    return Box.around(case.alpha > 0.1)


def measure_all(
    measure: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], jobs: int
) -> list[Any]:
    """Return ``measure(*task)`` of every task, in order.

    Args:
        measure: a function of a module.
        tasks: its arguments.
        jobs: number of processes; it does not affect the results.
    """
    results = run_all(_measure, [(measure, *task) for task in tasks], workers=jobs)
    found = dict(tqdm(results, total=len(tasks), leave=False))
    return [found[number] for number in range(len(tasks))]


def _measure(measure: Callable[..., Any], *task: Any) -> Any:
    with one_thread():
        return measure(*task)


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread, so that results do not depend on the number of processes."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def method_label(name: str) -> str:
    """Return the heading of a method; a weight file goes with its folder's name."""
    return ModelSystem.from_name(name).name


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a table as Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
