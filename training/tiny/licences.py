"""Which weights of zim-tiny are for research only."""

from __future__ import annotations

import json
from pathlib import Path

from training.run_record import TRAINING_KEY
from zim_model.errors import MALFORMED
from zim_model.weights.adapted import read_adaptation, read_metadata
from zim_model.weights.catalogue import find_known, locate

RESEARCH_ONLY = {"config": {"weights": "all"}}
"""What the metadata of weights for research only says under TRAINING_KEY."""


def is_for_research(weights: str | Path) -> bool:
    """Whether weights are known to be for research only.

    Told by the file: of a run with ``weights = "all"``, or a merge with such weights;
    or by the catalogue of the model that they were adapted from.

    Args:
        weights: name or weight file of a zim-tiny.

    Raises:
        WeightsError: there is no such file.
    """
    file = locate(str(weights))
    adaptation = read_adaptation(file)
    origin = find_known(adaptation.origin) if adaptation else None
    if origin is not None and not origin.licence.commercial:
        return True
    try:
        told = json.loads(read_metadata(file)[TRAINING_KEY])
        return bool(told["config"]["weights"] == RESEARCH_ONLY["config"]["weights"])
    except MALFORMED:
        return False
