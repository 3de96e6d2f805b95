"""The operations of a training step, counted on tensors without data."""

import importlib.util
from pathlib import Path

import pytest

from training.config import MODELS

PATH = Path(__file__).parents[2] / "benchmarks" / "training_cost.py"


@pytest.mark.parametrize("name", ["zim-vit-mini", "zim-mini"])
def test_operations_are_counted_for_all_kinds_of_encoders(name):
    spec = importlib.util.spec_from_file_location("training_cost", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, encode, decode = module.zim_passes(MODELS[name], False)
    features, encoder, kept = module.count_operations(encode)
    _, decoder, _ = module.count_operations(lambda: decode(features))
    assert min(encoder, decoder, kept) > 1e6
