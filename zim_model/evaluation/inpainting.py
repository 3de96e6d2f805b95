"""The evaluation of fills: holes of a data set, filled and compared with the truth.

A data set is a folder with ``images/``, ``masks/``, white in the hole, and, where it is
known what was behind the object, ``truth/``, all with the same names.  Where there is
no truth, CLIP tells how far what is seen in the hole differs from the object (CLIPAway,
Ekin et al. 2024); it needs weights that do not come with the program.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from zim_model.arrays import BoolArray, ByteArray, mask_bounds
from zim_model.errors import ImageError, ZimError, msg
from zim_model.evaluation.datasets import image_files
from zim_model.evaluation.fill_measures import FILL_METRICS, measure_fill
from zim_model.evaluation.journal import exists_error, find_journals
from zim_model.evaluation.reading import check_size, read_image, read_matte
from zim_model.evaluation.scoring import file_name
from zim_model.evaluation.systems import PredictionFolder, check_unique_names
from zim_model.evaluation.writing import write_png
from zim_model.matting.inpainting import find_fill
from zim_model.onnx.clip import ClipEncoder
from zim_model.request import ALPHA_MAX
from zim_model.runtime.atomic_files import (
    OTHER_FOLDER,
    atomic_write,
    check_absent,
    explained_write,
)
from zim_model.weights.inpainting import find_inpainting_network

CLIP_DISTANCE = "CLIP distance"
"""Between what the photo and the filled photo show in the hole's bounds, 0 to 2."""
NO_CLIP = (
    "The CLIP distance was not measured: no image encoder of CLIP was given "
    "(--clip FILE.onnx)."
)
PATCHES, TELEA = "patches", "telea"
"""Fills that need no network: this program's, and OpenCV's by Telea (2004)."""
FOLDERS = ("images", "masks", "truth")
REPORT_FILES = ("report.md", "report.json")
_TELEA_RADIUS = 5
Filler = Callable[[ByteArray, BoolArray], ByteArray]


@dataclass(frozen=True, slots=True)
class FillCase:
    """One hole.

    Attributes:
        name: of the files, without suffix.
        image: the photo.
        mask: white in the hole.
        truth: the photo without the object; None where it is not known.
    """

    name: str
    image: Path
    mask: Path
    truth: Path | None


@dataclass(frozen=True, slots=True)
class FillRow:
    """What one system made of one case.

    Attributes:
        case: its name.
        system: its name.
        hole: the hole's fraction of the image.
        metrics: by their names; those that need what is missing are left out.
        seconds: that the fill took; 0 for predictions.
        error: why there are no metrics, or "".
    """

    case: str
    system: str
    hole: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class FillReport:
    """All rows of a run.

    Attributes:
        dataset: name of the folder.
        rows: in the order of the cases.
        notes: sentences on what was not measured.
    """

    dataset: str
    rows: tuple[FillRow, ...]
    notes: tuple[str, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the measures that any row has, in their order."""
        names = (*FILL_METRICS, CLIP_DISTANCE)
        return tuple(n for n in names if any(n in row.metrics for row in self.rows))

    @property
    def common(self) -> frozenset[str]:
        """The cases that every system filled; of systems that filled none, apart."""
        filled: dict[str, set[str]] = {}
        for row in self.rows:
            if not row.error:
                filled.setdefault(row.system, set()).add(row.case)
        return frozenset(set.intersection(*filled.values()) if filled else ())

    def means(self, system: str) -> dict[str, float]:
        """Means over :attr:`common` of the measures there are, and of the seconds."""
        common = self.common
        rows = [
            row
            for row in self.rows
            if row.system == system and not row.error and row.case in common
        ]
        values = {
            name: [row.metrics[name] for row in rows if name in row.metrics]
            for name in self.metrics
        }
        values["seconds"] = [row.seconds for row in rows]
        return {n: float(np.mean(found)) for n, found in values.items() if found}

    @property
    def failed(self) -> tuple[FillRow, ...]:
        """The rows with an error."""
        return tuple(row for row in self.rows if row.error)

    def to_json(self) -> str:
        """Rows, means, the number of holes that these are over, and notes."""
        systems = dict.fromkeys(row.system for row in self.rows)
        report: dict[str, Any] = {
            "protocol": "inpainting",
            "dataset": self.dataset,
            "means": {system: self.means(system) for system in systems},
            "holes": len(self.common),
            "notes": list(self.notes),
            "rows": [asdict(row) for row in self.rows],
        }
        return json.dumps(report, indent=1)

    def to_markdown(self) -> str:
        """A table of the means, and the notes below it."""
        names = (*self.metrics, "seconds")
        lines = [
            f"# Inpainting on {self.dataset}",
            "",
            f"| system | {' | '.join(names)} | holes |",
            f"|---|{'---|' * len(names)}---|",
        ]
        for system in dict.fromkeys(row.system for row in self.rows):
            means = self.means(system)
            cells = [f"{means[name]:.3f}" if name in means else "–" for name in names]
            count = len(self.common) if means else 0
            lines.append(f"| {system} | {' | '.join(cells)} | {count} |")
        known = FILL_METRICS | {
            CLIP_DISTANCE: "between object and fill, larger where less of it is left"
        }
        lines += ["", *(f"- {name}: {known[name]}" for name in self.metrics)]
        lines += [f"- {note}" for note in self.notes]
        total = len({row.case for row in self.rows})
        if self.failed:
            lines.append(
                f"- The means are over the {len(self.common)} of {total} holes that"
                " each of the systems with a mean filled."
            )
        failures = (f"- {row.case}, {row.system}: {row.error}" for row in self.failed)
        return "\n".join([*lines, *failures, ""])


def list_cases(root: Path) -> tuple[FillCase, ...]:
    """The cases of a folder.

    Raises:
        ZimError: there is none, or a mask has no image.
    """
    images, masks, truths = (
        {path.stem: path for path in image_files(root / name)}
        if (root / name).is_dir()
        else {}
        for name in FOLDERS
    )
    if not masks:
        raise ZimError(
            msg("{root} holds no holes to fill.", root=root),
            msg("Give a folder with images/, masks/ and, where it is known, truth/."),
        )
    for name, mask in masks.items():
        if name not in images:
            raise ZimError(
                msg("{mask} has no image in {folder}.", mask=mask, folder=FOLDERS[0]),
                msg("Give the image of each mask the same name."),
            )
    return tuple(
        FillCase(name, images[name], masks[name], truths.get(name)) for name in masks
    )


def make_filler(name: str) -> Filler:
    """What fills holes by that name: ``patches``, ``telea``, or a network.

    Raises:
        WeightsError: there is no such network, or it cannot be used.
    """
    if name == PATCHES:
        return lambda image, hole: find_fill(image, hole).apply(image)
    if name == TELEA:
        return _fill_by_telea
    from zim_model.onnx.inpainting import InpaintingNetwork

    return InpaintingNetwork(find_inpainting_network(name)).fill


def fill_name(fill: str) -> str:
    """The name in the report of what fills: of a file, its stem."""
    path = Path(fill)
    return path.stem if path.suffix == ".onnx" else fill


def _fill_by_telea(image: ByteArray, hole: BoolArray) -> ByteArray:
    mask = hole.view(np.uint8)
    return np.asarray(cv2.inpaint(image, mask, _TELEA_RADIUS, cv2.INPAINT_TELEA))


def evaluate_fills(
    cases: Sequence[FillCase],
    fills: Sequence[str],
    predictions: Sequence[PredictionFolder] = (),
    *,
    clip: Path | None = None,
    keep: Path | None = None,
) -> Iterator[FillRow]:
    """Fill every hole with every system, and measure it.

    A case that cannot be read gives rows with ``error`` and does not end the run.

    Args:
        cases: see :func:`list_cases`.
        fills: names for :func:`make_filler`.
        predictions: filled images of other systems, with the images' names.
        clip: the graph of CLIP's image encoder.
        keep: folder for the filled images, ``keep/SYSTEM/CASE.png``.

    Raises:
        ZimError: a system or CLIP cannot be loaded, or names are equal.
    """
    check_unique_names([*map(fill_name, fills), *(each.name for each in predictions)])
    fillers: dict[str, Filler | PredictionFolder] = {
        fill_name(fill): make_filler(fill) for fill in fills
    }
    fillers |= {folder.name: folder for folder in predictions}
    encoder = None if clip is None else ClipEncoder(clip)
    for case in cases:
        try:
            read = _read_case(case)
        except ZimError as error:
            yield from (FillRow(case.name, name, error=error.text) for name in fillers)
            continue
        for name, filler in fillers.items():
            try:
                row, filled = _fill_case(case, name, filler, *read, encoder)
            except ZimError as error:
                yield FillRow(case.name, name, error=error.text)
                continue
            if keep is not None:
                _keep(keep / file_name(name) / f"{case.name}.png", filled)
            yield row


def _read_case(case: FillCase) -> tuple[ByteArray, BoolArray, ByteArray | None]:
    """Image, hole and truth.

    Raises:
        ImageError: a file cannot be read or does not fit, or the hole is empty or
            covers the image.
    """
    image, mask = read_image(case.image), read_matte(case.mask)
    check_size(case.mask, mask, case.image, image.shape)
    hole = mask > ALPHA_MAX // 2
    if not hole.any():
        raise ImageError(
            msg("{mask} has no hole.", mask=case.mask),
            msg("Give a mask that is white where the image is to be filled."),
        )
    if hole.all():
        raise ImageError(
            msg("The hole of {mask} leaves nothing of the image.", mask=case.mask),
            msg("Give a mask that is white where the image is to be filled."),
        )
    if case.truth is None:
        return image, hole, None
    truth = read_image(case.truth)
    check_size(case.truth, truth, case.image, image.shape)
    return image, hole, truth


def _fill_case(
    case: FillCase,
    name: str,
    filler: Filler | PredictionFolder,
    image: ByteArray,
    hole: BoolArray,
    truth: ByteArray | None,
    encoder: ClipEncoder | None,
) -> tuple[FillRow, ByteArray]:
    """The row of one system, and the filled image.

    Raises:
        ZimError: the hole cannot be filled, or there is no prediction of its size.
    """
    started = time.perf_counter()
    if isinstance(filler, PredictionFolder):
        filled, seconds = _read_prediction(filler, case, image), 0.0
    else:
        filled = filler(image, hole)
        seconds = time.perf_counter() - started
    metrics = {} if truth is None else measure_fill(filled, truth, hole)
    if encoder is not None:
        left, top, right, bottom = mask_bounds(hole) or (0, 0, 0, 0)
        part = slice(top, bottom), slice(left, right)
        metrics[CLIP_DISTANCE] = encoder.distance(image[part], filled[part])
    rounded = {key: round(value, 6) for key, value in metrics.items()}
    share = round(float(hole.mean()), 6)
    return FillRow(case.name, name, share, rounded, round(seconds, 3)), filled


def _read_prediction(
    folder: PredictionFolder, case: FillCase, image: ByteArray
) -> ByteArray:
    found = [path for path in image_files(folder.folder) if path.stem == case.name]
    if not found:
        raise ImageError(
            msg("{folder} has no image {name}.", folder=folder.folder, name=case.name)
        )
    filled = read_image(found[0])
    check_size(found[0], filled, case.image, image.shape)
    return filled


def _keep(path: Path, filled: ByteArray) -> None:
    with explained_write(path):
        write_png(path, np.ascontiguousarray(filled[..., ::-1]))


def check_fill_target(folder: Path) -> None:
    """Make a folder for results, and check that it holds none.

    Raises:
        ZimError: it does, or cannot be made.
    """
    for journal in find_journals(folder):
        raise exists_error(journal)
    check_absent((folder / name for name in REPORT_FILES), OTHER_FOLDER)
    with explained_write(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_fill_report(report: FillReport, folder: Path) -> tuple[Path, Path]:
    """Write REPORT_FILES; see :func:`check_fill_target`.

    Raises:
        ZimError: they cannot be written.
    """
    markdown, data = (folder / name for name in REPORT_FILES)
    for path, text in ((markdown, report.to_markdown()), (data, report.to_json())):
        with explained_write(path), atomic_write(path) as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
    return markdown, data
