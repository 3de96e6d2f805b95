from dataclasses import replace

import pytest
import torch

from tests.training.tiny.test_trainer import SMALL as COARSE
from training.merge_weights import main
from training.run_record import TRAINING_KEY
from training.tiny.licences import is_for_research
from zim_model.network.config import LiteConfig, TinyConfig
from zim_model.network.tiny import ZimTiny
from zim_model.weights.adapted import read_metadata
from zim_model.weights.catalogue import locate
from zim_model.weights.checkpoint import load_model, save_model
from zim_model.weights.pretrained_folder import save_pretrained

SMALL = replace(COARSE, detail_widths=(8, 8, 16))


@pytest.fixture
def pair(tmp_path):
    paths = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"{seed}.safetensors")
        save_model(ZimTiny(SMALL), paths[-1], half=False)
    return paths


def test_weights_lie_between_and_the_detail_stage_is_the_seconds(pair, tmp_path):
    out = tmp_path / "merged.safetensors"
    words = ["--share", "0.25", "--license", "Apache-2.0", "--out", str(out)]
    assert main([*map(str, pair), *words]) == 0
    assert read_metadata(out)["license"] == "Apache-2.0"
    first, second, merged = (load_model(x).state_dict() for x in (*pair, out))
    for name, value in merged.items():
        share = 1.0 if name.startswith("detail.") else 0.25
        expected = first[name] * (1 - share) + second[name] * share
        torch.testing.assert_close(value, expected, atol=2e-3, rtol=2e-3)


def test_models_of_different_shapes_and_other_mistakes_are_named(
    pair, tmp_path, capsys
):
    other = tmp_path / "other.safetensors"
    save_model(ZimTiny(TinyConfig(encoder=LiteConfig("lite2"))), other)
    out = str(tmp_path / "merged.safetensors")
    assert main([str(pair[0]), str(other), "--out", out]) == 1
    assert "different configurations" in capsys.readouterr().err
    assert main([str(pair[0]), str(tmp_path / "none.safetensors"), "--out", out]) == 1
    assert "none.safetensors" in capsys.readouterr().err
    for wrong in (
        ["--share", "2", "--out", out],
        ["--share", "nan", "--out", out],
        ["--out", str(pair[0])],
        ["--out", str(tmp_path / "merged.pth")],
    ):
        with pytest.raises(SystemExit):
            main([*map(str, pair), *wrong])


def test_what_is_made_of_research_weights_is_for_research_too(pair, tmp_path, capsys):
    research, bundled = tmp_path / "research.safetensors", tmp_path / "mix.safetensors"
    told = {TRAINING_KEY: '{"config": {"weights": "all"}}'}
    save_model(load_model(pair[0]), research, metadata=told)
    out, free = tmp_path / "merged.safetensors", tmp_path / "free.safetensors"
    assert main([str(research), str(pair[1]), "--out", str(out)]) == 0
    assert "research only" in capsys.readouterr().err
    assert main([*map(str, pair), "--out", str(free)]) == 0
    assert main(["zim-tiny-research"] * 2 + ["--out", str(bundled)]) == 0
    known = (out, free, bundled, "zim-tiny", "zim-tiny-research")
    assert [*map(is_for_research, known)] == [True, False, True, False, True]


def test_research_weights_get_no_free_licence(pair, tmp_path, capsys):
    out = tmp_path / "merged.safetensors"
    words = ["zim-tiny-research"] * 2 + ["--out", str(out), "--license"]
    assert main([*words, "Apache-2.0"]) == 1
    assert "allows more" in capsys.readouterr().err
    assert not out.exists()
    assert main([*words, "CC-BY-NC-4.0"]) == 0
    for wrong in ("", "../../x", "two words"):
        with pytest.raises(SystemExit):
            main(
                [
                    *map(str, pair),
                    "--out",
                    str(tmp_path / "m.safetensors"),
                    *words[-1:],
                    wrong,
                ]
            )


def test_a_saved_copy_keeps_its_licence(tmp_path):
    for name, licence in (
        ("zim-tiny-research", "CC-BY-NC-4.0"),
        ("zim-tiny", "Apache-2.0"),
    ):
        folder = save_pretrained(load_model(locate(name)), tmp_path / name)
        copy = folder / "model.safetensors"
        assert read_metadata(copy)["license"] == licence
        assert is_for_research(copy) is (name == "zim-tiny-research")
