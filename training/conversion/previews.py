"""Preview sheets of a converter in training."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.conversion.trainer import ConverterTrainingModule
from zim_model.conversion.network import WIDTHS, ConverterNetwork
from zim_model.runtime.atomic_files import atomic_write


@torch.no_grad()
def write_conversions(
    network: ConverterNetwork, samples: Iterable[dict[str, Tensor]], path: Path
) -> None:
    """Write a PNG with one row per sample: image, label, predicted matte, target.

    Args:
        network: in evaluation mode.
        samples: see :class:`training.conversion.data.ConverterSamples`; the first crop
            of each is shown.
        path: output file, written atomically.
    """
    device = next(network.parameters()).device
    training_module, rows = ConverterTrainingModule(network, mixed=False), []
    for sample in samples:
        batch = {k: sample[k][:1].to(device) for k in ("pixels", "planes")}
        alpha = training_module(batch, WIDTHS)[-1][0, 0].clamp(0, 1).cpu()
        planes = (sample["planes"][0, 0], alpha, sample["target"][0])
        grey = [np.asarray(v.numpy() * 255 + 0.5, np.uint8) for v in planes]
        cells = [sample["pixels"][0].numpy(), *(np.dstack([v] * 3) for v in grey)]
        rows.append(np.hstack(cells))
    with atomic_write(path) as file:
        Image.fromarray(np.vstack(rows)).save(file, "png")
