"""Which weights of zim-tiny are for research only."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

from training.run_record import TRAINING_KEY
from zim_model.assets import asset_path
from zim_model.errors import MALFORMED
from zim_model.weights.adapted import read_adaptation, read_metadata
from zim_model.weights.catalogue import MODELS, find_known, locate

RESEARCH_ONLY = {"config": {"weights": "all"}}
"""What the metadata of weights for research only says under TRAINING_KEY."""


def is_for_research(weights: str | Path) -> bool:
    """Whether weights are known to be for research only.

    Told by the catalogue, by that of the model that they were adapted from, or by the
    file: of a run with ``weights = "all"``, or a merge with such weights.

    Args:
        weights: name or weight file of a zim-tiny.

    Raises:
        WeightsError: there is no such file.
    """
    file = locate(str(weights))
    for model in MODELS:
        if model.bundled and not model.licence.commercial:
            own = asset_path("models", f"{model.name}.safetensors")
            if filecmp.cmp(file, own, shallow=False):
                return True
    adaptation = read_adaptation(file)
    origin = find_known(adaptation.origin) if adaptation else None
    if origin is not None and not origin.licence.commercial:
        return True
    try:
        told = json.loads(read_metadata(file)[TRAINING_KEY])
        return bool(told["config"]["weights"] == RESEARCH_ONLY["config"]["weights"])
    except MALFORMED:
        return False
