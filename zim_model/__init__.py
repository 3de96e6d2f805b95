"""ZIM, zero-shot image matting, in PyTorch: the model and the engine around it.

The package imports without torch; the names that need it load on first use.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Threads that wait by spinning take the cores from those they wait for as soon as any
# other program runs: measured on two cores with one of them busy, five times slower.
# OpenMP reads this when torch loads it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if TYPE_CHECKING:
    from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator
    from zim_model.inference.predictor import ZimPredictor
    from zim_model.weights.checkpoint import load_model

__all__ = ["ZimAutomaticMaskGenerator", "ZimPredictor", "load_model"]


def __getattr__(name: str) -> Any:
    if name == "ZimPredictor":
        from zim_model.inference.predictor import ZimPredictor

        return ZimPredictor
    if name == "ZimAutomaticMaskGenerator":
        from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator

        return ZimAutomaticMaskGenerator
    if name == "load_model":
        from zim_model.weights.checkpoint import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
