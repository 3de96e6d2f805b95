"""A sheet that shows predictions for held-out samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from zim_model.network.efficientnet_lite import scaled_pixels
from zim_model.network.tiny import ZimTiny
from zim_model.runtime.atomic_files import atomic_write


@torch.no_grad()
def write_sheet(
    model: ZimTiny, samples: Sequence[dict[str, Tensor]], path: Path
) -> None:
    """Write a PNG: a row per sample of view with prompts, prediction, and target.

    Args:
        model: in evaluation mode.
        samples: see :class:`training.tiny.samples.TinySamples`; without any nothing is
            written.
        path: output file, written atomically.
    """
    device, rows = next(model.parameters()).device, []
    for sample in samples:
        maps = sample["maps"].float()
        scale = sample["image"].shape[-1] // maps.shape[-1]
        inputs = torch.cat([maps, torch.zeros_like(maps[:1])])[None].to(device)
        pixels = scaled_pixels(sample["image"][None].to(device))
        logits, _ = model(F.avg_pool2d(pixels, scale), inputs)
        if scale > 1 and model.detail is not None:
            logits = model.detail(model.detail.encode(pixels), logits[:, :1])
        image = sample["image"].permute(1, 2, 0).numpy().copy()
        for layer, colour in enumerate(((0, 220, 0), (230, 0, 0), (0, 120, 255))):
            drawn = maps[layer].numpy().repeat(scale, 0).repeat(scale, 1) > 0
            image[drawn] = (image[drawn] * 0.6 + np.array(colour) * 0.4).astype(
                np.uint8
            )
        planes = [logits[0, 0].sigmoid().cpu(), sample["target"]]
        grey = [
            np.repeat((p.numpy() * 255).astype(np.uint8)[..., None], 3, 2)
            for p in planes
        ]
        doubled = [g.repeat(2, 0).repeat(2, 1) for g in grey]
        rows.append(np.concatenate([image, *doubled], 1))
    if rows:
        with atomic_write(path) as file:
            Image.fromarray(np.concatenate(rows)).save(file, "png")
