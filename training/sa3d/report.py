"""The masks of all views as files, and how good they are where the truth is known."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.sa3d.scene import SUFFIXES, PosedImage
from training.sa3d.segmentation import ViewStep
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError
from zim_model.evaluation.cases import MASK, Case
from zim_model.evaluation.reading import read_truth as read_truth_mask
from zim_model.matting.metrics import iou
from zim_model.runtime.atomic_files import atomic_write, read_error

REPORT_FILE, OVERVIEW_FILE, MASKS_FOLDER = "report.json", "overview.png", "masks"
OVERVIEW_COLUMNS, OVERVIEW_SIDE = 5, 220
TINT = np.array((230, 40, 120))


@dataclass(frozen=True, slots=True)
class ViewResult:
    """How a view was segmented.

    Attributes:
        step: what happened at it.
        psnr: of the radiance field's rendering, in dB.
        iou, accuracy: of the mask, 0 to 1; None without truth.
    """

    step: ViewStep
    psnr: float
    iou: float | None = None
    accuracy: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        prompts = self.step.prompts
        return {
            "view": self.step.name,
            "iou": self.iou,
            "accuracy": self.accuracy,
            "psnr": self.psnr,
            "agreement": self.step.agreement,
            "accepted": self.step.accepted,
            "prompts": None if prompts is None else prompts.to_json(),
        }


def read_truth(folder: Path, views: Sequence[PosedImage]) -> dict[str, BoolArray]:
    """The masks in a folder by the names of their views.

    A mask has its view's file name, with any suffix; views may lack one.

    Raises:
        ZimError: no view has a mask, or one is unreadable or of another size.
    """
    try:
        files = {p.stem: p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES}
    except OSError as error:
        raise read_error(folder, error) from error
    masks = {
        view.name: read_mask(files[Path(view.name).stem], view)
        for view in views
        if Path(view.name).stem in files
    }
    if not masks:
        raise ZimError(
            f"{folder} has no mask of any view.",
            f"Name a mask as its photo, such as {Path(views[0].name).stem}.png.",
        )
    return masks


def read_mask(path: Path, view: PosedImage) -> BoolArray:
    """Read the mask (H, W) of a view: above half of its largest value is the object.

    Raises:
        ZimError: it is unreadable or empty, or has another size than the view's photo.
    """
    pixels = read_truth_mask(Case(view.name, path, path, label=MASK)) > 0
    if pixels.shape != view.full_size:
        height, width = view.full_size
        raise ZimError(
            f"{path} has {pixels.shape[1]} x {pixels.shape[0]} pixels, its photo"
            f" {view.name} has {width} x {height}.",
            "Give masks of the photos' size.",
        )
    if not pixels.any():
        raise ZimError(
            f"{path} marks nothing.",
            "Give masks that are white, or not 0, on the object; take away those of"
            " views that do not show it.",
        )
    return np.asarray(pixels)


def measure(
    step: ViewStep, psnr: float, mask: BoolArray, truth: BoolArray | None
) -> ViewResult:
    """Measure the mask (H, W) of a view."""
    if truth is None:
        return ViewResult(step, psnr)
    return ViewResult(step, psnr, iou(mask, truth), float((mask == truth).mean()))


def write_masks(out: Path, masks: Mapping[str, BoolArray]) -> None:
    """Write the masks, white on the object, as MASKS_FOLDER/VIEW.png."""
    folder = out / MASKS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in masks.items():
        _write_png(folder / f"{Path(name).stem}.png", mask.astype(np.uint8) * 255)


def write_overview(
    out: Path, views: Sequence[PosedImage], masks: Mapping[str, BoolArray]
) -> None:
    """Write all views with their masks tinted, as OVERVIEW_FILE."""
    tiles = []
    for view in views:
        height, width = view.image.shape[:2]
        mask = Image.fromarray(masks[view.name]).resize((width, height))
        tinted = np.where(
            np.asarray(mask)[..., None], 0.5 * view.image + 0.5 * TINT, view.image
        )
        tile = Image.fromarray(tinted.astype(np.uint8))
        factor = OVERVIEW_SIDE / max(height, width)
        tiles.append(tile.resize((round(width * factor), round(height * factor))))
    width, height = tiles[0].size
    rows = -(-len(tiles) // OVERVIEW_COLUMNS)
    sheet = Image.new("RGB", (width * min(len(tiles), OVERVIEW_COLUMNS), height * rows))
    for index, tile in enumerate(tiles):
        row, column = divmod(index, OVERVIEW_COLUMNS)
        sheet.paste(tile, (column * width, row * height))
    _write_png(out / OVERVIEW_FILE, np.asarray(sheet))


def _write_png(path: Path, pixels: ByteArray) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def summarize(results: Sequence[ViewResult]) -> dict[str, float]:
    """The means over the views: PSNR, and IoU and accuracy where the truth is known."""
    means = {"psnr": float(np.mean([result.psnr for result in results]))}
    measured = [result for result in results if result.iou is not None]
    if measured:
        means["miou"] = float(np.mean([result.iou for result in measured]))
        means["accuracy"] = float(np.mean([result.accuracy for result in measured]))
    return means


def write_report(
    out: Path, results: Sequence[ViewResult], settings: Mapping[str, Any]
) -> None:
    """Write means, settings and the rows of all views as REPORT_FILE."""
    content = {
        "means": summarize(results),
        "settings": dict(settings),
        "views": [result.to_json() for result in results],
    }
    with atomic_write(out / REPORT_FILE) as file:
        file.write(json.dumps(content, indent=1).encode())


def format_table(results: Sequence[ViewResult]) -> str:
    """The rows of all views as text, and the means below."""
    lines = [f"{'view':24} {'IoU':>6} {'acc.':>6} {'agree':>6} {'PSNR':>5}"]
    for result in results:
        step = result.step
        iou_text, accuracy = (
            "" if value is None else f"{value:.3f}"
            for value in (result.iou, result.accuracy)
        )
        note = (
            ""
            if step.accepted
            else "  not seen"
            if step.prompts is None
            else "  rejected"
        )
        lines.append(
            f"{step.name:24} {iou_text:>6} {accuracy:>6} {step.agreement:6.2f}"
            f" {result.psnr:5.1f}{note}"
        )
    means = summarize(results)
    lines.append(
        f"mIoU {means['miou']:.3f}, accuracy {means['accuracy']:.3f}"
        if "miou" in means
        else "no truth to measure with (--truth)"
    )
    return "\n".join(lines)
