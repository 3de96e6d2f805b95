"""Preview sheets of a model in training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.click_simulation import prompts_from_tokens
from zim_model.arrays import ByteArray, FloatArray
from zim_model.network.zim import Zim
from zim_model.prompts import PromptSet
from zim_model.runtime.atomic_files import atomic_write


@torch.no_grad()
def write_preview_sheet(
    model: Zim, samples: Iterable[dict[str, Tensor]], path: Path
) -> None:
    """Write a PNG with one row per sample.

    A row shows the image with prompts, the prediction, and the target.

    Args:
        model: in evaluation mode.
        samples: as :class:`training.samples.PromptSamples` makes them, all of one input
            side; the first prompt set of each is shown.
        path: output file, written atomically.
    """
    rows = [np.hstack(_sample_row(model, sample)) for sample in samples]
    with atomic_write(path) as file:
        Image.fromarray(np.vstack(rows)).save(file, "png")


def _sample_row(model: Zim, sample: dict[str, Tensor]) -> list[ByteArray]:
    device = next(model.parameters()).device
    features = model.encode(sample["image"][None].to(device))
    coords, labels = (sample[key][:1].to(device) for key in ("coords", "labels"))
    logits, _ = model.decode(features, coords, labels)
    alpha = logits[0, 0].float().sigmoid().cpu().numpy()
    prompts = prompts_from_tokens(sample["coords"][0], sample["labels"][0])
    pixels = sample["pixels"].numpy()
    side = pixels.shape[0]
    target = sample["target"][0].numpy()
    return [
        _draw_prompts(pixels, prompts),
        _to_grey(alpha, side),
        _to_grey(target, side),
    ]


def _draw_prompts(pixels: ByteArray, prompts: PromptSet) -> ByteArray:
    """Draw the box, positive clicks in green and negative ones in red."""
    out = pixels.copy()
    if prompts.box is not None:
        box = prompts.box
        corners = (int(box.x0), int(box.y0)), (int(box.x1), int(box.y1))
        cv2.rectangle(out, *corners, (255, 255, 255), 1)
    for point in prompts.points:
        colour = (60, 220, 60) if point.positive else (240, 60, 60)
        cv2.circle(out, (int(point.x), int(point.y)), 3, (0, 0, 0), -1)
        cv2.circle(out, (int(point.x), int(point.y)), 2, colour, -1)
    return out


def _to_grey(alpha: FloatArray, side: int) -> ByteArray:
    large = cv2.resize(alpha, (side, side), interpolation=cv2.INTER_LINEAR)
    grey = np.asarray(np.clip(large, 0, 1) * 255 + 0.5, np.uint8)
    return np.repeat(grey[..., None], 3, -1)
