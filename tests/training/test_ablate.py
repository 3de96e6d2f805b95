import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import torch

from training import ablate as module
from training import distributed
from training.ablate import CONFIGS, AblationPlan, ablate, main, measure_effect, report
from training.ablations import METRICS, SETS, TABLES
from training.config import TrainConfig
from training.conversion.config import ConverterTrainConfig
from zim_model.errors import ZimError
from zim_model.network.zim import Zim

KINDS = {"zim": TrainConfig, "converter": ConverterTrainConfig}


def settings_of(tmp_path, number, variant, small):
    plan = AblationPlan(number, tmp_path, tmp_path, small)
    path = tmp_path / "settings.toml"
    path.unlink(missing_ok=True)
    module._save_settings(path, plan.settings(variant, 3))
    return KINDS[plan.table.kind].read(path)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("number", TABLES)
def test_every_variant_has_valid_settings_of_its_own(tmp_path, number, small):
    configs = [
        settings_of(tmp_path, number, variant, small)
        for variant in TABLES[number].variants
    ]
    assert all(config.seed == 3 for config in configs)
    if number != "3c":  # its variants differ in their data
        assert len(set(configs)) == len(configs)
    if small and TABLES[number].kind == "zim":
        for config in configs:
            Zim(config.zim)


def test_no_configuration_is_left_over():
    expected = {
        f"table{number}_{variant.name}"
        for number, table in TABLES.items()
        for variant in table.variants
    }
    actual = {path.stem for path in CONFIGS.glob("*.toml")}
    assert actual == expected | {"small_zim", "small_converter"}


def test_the_variants_are_what_the_paper_compares(tmp_path):
    for number in ("3a", "3b"):
        for variant in TABLES[number].variants:
            zim = settings_of(tmp_path, number, variant, False).zim
            assert zim.image_size == 1024
            if variant.name in ("sam", "attention"):
                assert zim.pixel_decoder == "sam"
            masked = {
                "sam": "none",
                "decoder": "none",
                "attention": "t2i",
                "zim": "t2i",
            }
            assert zim.masked_attention == masked.get(variant.name, variant.name)
    for variant in TABLES["2"].variants:
        config = settings_of(tmp_path, "2", variant, False)
        assert (config.sga > 0) == (variant.name in ("sga", "both"))
        assert config.stl == (variant.name in ("stl", "both"))


@pytest.mark.parametrize(
    ("other", "paper", "verdict"),
    [
        ([[1.0, 2.1], [1.1, 1.9]], -3.0, "same"),
        ([[1.0, 2.1], [1.1, 1.9]], 3.0, "opposite"),
        ([[4.0, 5.0], [1.0, 1.9]], -3.0, "within noise"),
        ([[1.0, 2.1], [1.1, 1.9]], None, ""),
    ],
)
def test_an_effect_is_separated_from_noise_and_compared_with_the_paper(
    other, paper, verdict
):
    assert measure_effect([[3.0, 4.0], [3.0, 4.0]], other, paper).verdict == verdict


def test_the_noise_of_one_seed_is_that_over_cases():
    effect = measure_effect([[1.0, 2.0, 3.0]], [[2.0, 4.0, 6.0]], 1.0)
    assert effect.measured == 2.0
    assert effect.noise == pytest.approx(1 / math.sqrt(3))


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, 7), (3, 3), (5, 5), (7, 7), (100, 7)]
)
def test_as_many_cases_are_measured_as_requested(limit, expected):
    selected = module._evenly_spaced(iter(range(7)), limit)
    assert len(selected) == expected
    assert selected == sorted(set(selected))
    assert selected[-1] >= 4, "to the end"


@pytest.fixture
def data(training_folder, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(training_folder, root / "train")
    shutil.copytree(training_folder / "matte", root / "dev" / "matte")
    shutil.copytree(training_folder / "seg", root / "dev" / "seg")
    target = {
        "image": "dev/seg/bsds__0.jpg",
        "labels": "dev/seg/bsds__0.labels.png",
        "region": 1,
    }
    (root / "dev" / "targets.json").write_text(json.dumps([target]))
    return root


@pytest.fixture
def one_comparison(monkeypatch):
    """Tables of two variants, on the CPU."""
    monkeypatch.setattr(distributed, "default_device", lambda: "cpu")
    for number, table in TABLES.items():
        few = (table.variants[0], table.variants[-1])
        monkeypatch.setitem(TABLES, number, dataclasses.replace(table, variants=few))


@pytest.mark.parametrize("number", ["3a", "2"])
def test_a_table_is_run_printed_and_not_run_again(
    data, tmp_path, one_comparison, number, monkeypatch
):
    plan = AblationPlan(number, data, tmp_path / "out", True, steps=1, limit=1, jobs=0)
    text = ablate(plan)
    assert (tmp_path / "out" / f"table{number}.md").read_text() == text
    first, other = TABLES[number].variants
    assert f"| {first.title} | {first.paper['fine'][0]:.3f} / " in text
    assert f"difference from {first.title!r}" in text
    errors = json.loads((plan.folder(other, 0) / module.RESULTS_FILE).read_text())
    assert set(errors) == {f"{kind} {name}" for kind in SETS for name in METRICS}
    assert all(np.isfinite(values).all() for values in errors.values())

    def again(*arguments):
        raise AssertionError("trained again")

    monkeypatch.setattr(module.train_zim, "train", again)
    monkeypatch.setattr(module.train_converter, "train", again)
    assert ablate(plan) == text


def test_a_stopped_run_goes_on_from_its_saved_state(
    data, tmp_path, one_comparison, monkeypatch
):
    """A resumed run ends with the same weights as an uninterrupted one."""
    plan = AblationPlan("3a", data, tmp_path / "whole", True, steps=2, limit=1, jobs=0)
    variant = plan.table.variants[0]
    module.run_variant(plan, variant, 0)
    stopped = dataclasses.replace(plan, out=tmp_path / "halves")
    settings = stopped.settings(variant, 0)
    folder = stopped.folder(variant, 0)
    folder.mkdir(parents=True)
    module._save_settings(folder / module.SETTINGS_FILE, settings)
    config = TrainConfig.read(folder / module.SETTINGS_FILE)
    run = module.TrainingRunOptions(data / "train", folder, minutes=0)
    module.train_zim.train(config, run, encoder=module.ENCODER)
    module.run_variant(stopped, variant, 0)
    states = [
        torch.load(each.folder(variant, 0) / "state.pt", weights_only=True)["model"]
        for each in (plan, stopped)
    ]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_other_settings_are_not_mixed_into_a_run(data, tmp_path, one_comparison):
    plan = AblationPlan("3a", data, tmp_path / "out", True, steps=1, limit=1, jobs=0)
    variant = plan.table.variants[0]
    folder = plan.folder(variant, 0)
    folder.mkdir(parents=True)
    module._save_settings(folder / module.SETTINGS_FILE, plan.settings(variant, 0))
    other = dataclasses.replace(plan, steps=2)
    with pytest.raises(ZimError, match="other settings"):
        module.run_variant(other, variant, 0)


def test_missing_data_are_named(tmp_path, capsys):
    assert main(["3c", "--data", str(tmp_path), "--out", str(tmp_path / "o")]) == 1
    assert "sa1b is missing" in capsys.readouterr().err


def test_a_variant_without_a_published_number_is_marked():
    plan = AblationPlan("3c", None, None)
    errors = {f"{k} {m}": [1.0, 2.0] for k in SETS for m in METRICS}
    results = {variant.name: [errors] for variant in plan.table.variants}
    lines = report(plan, results).splitlines()
    (row,) = (line for line in lines if line.startswith("| SA-1B's masks |  / 1.50"))
    assert row.count("|") == 2 + 6
