"""The protocol inpainting: cases, measures, report."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from zim_app.__main__ import main
from zim_model.errors import WeightsError, ZimError
from zim_model.evaluation.fill_measures import measure_fill
from zim_model.evaluation.inpainting import evaluate_fills, fill_name, list_cases
from zim_model.onnx.clip import ClipEncoder

SIDE = 64


@pytest.fixture
def root(tmp_path):
    """Two holes: one with its truth, one without."""
    y, x = np.mgrid[:SIDE, :SIDE]
    truth = np.dstack([x * 3, y * 3, 90 + (x // 8 + y // 8) % 2 * 60]).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[24:40, 20:44] = 255
    image = truth.copy()
    image[mask > 0] = (255, 0, 0)
    for name in ("images", "masks", "truth"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for case in ("known", "unknown"):
        Image.fromarray(image).save(tmp_path / "set" / "images" / f"{case}.png")
        Image.fromarray(mask).save(tmp_path / "set" / "masks" / f"{case}.png")
    Image.fromarray(truth).save(tmp_path / "set" / "truth" / "known.png")
    return tmp_path / "set"


def write_clip(path, output="image_embeds"):
    """An encoder whose embedding is the image's mean colour."""
    pixels = helper.make_tensor_value_info(
        "pixel_values", TensorProto.FLOAT, ["b", 3, 224, 224]
    )
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    node = helper.make_node(
        "ReduceMean", ["pixel_values"], [output], axes=[2, 3], keepdims=0
    )
    graph = helper.make_graph([node], "clip", [pixels], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def evaluate(root, out, *arguments):
    command = ["evaluate", str(root), "--protocol", "inpainting", "-o", str(out)]
    return main([*command, *map(str, arguments)])


def test_measures_of_known_differences():
    truth = np.full((30, 30, 3), 100, np.uint8)
    truth[::3] = 140
    hole = np.zeros((30, 30), bool)
    hole[5:20, 5:20] = True
    same = measure_fill(truth, truth, hole)
    assert same == {"PSNR": 100.0, "SSIM": 1.0, "MAE": 0.0, "detail": 1.0}
    other = truth.copy()
    other[hole] += 10
    other[~hole] = 0  # which does not count
    found = measure_fill(other, truth, hole)
    assert found["MAE"] == 10
    assert found["PSNR"] == pytest.approx(20 * np.log10(25.5))
    flat = np.full_like(truth, 120)
    assert measure_fill(flat, truth, hole)["detail"] == 0


def test_a_run_measures_what_is_known_and_says_what_is_not(root, tmp_path, capsys):
    out = tmp_path / "out"
    assert evaluate(root, out, "--fill", "patches", "--fill", "telea") == 0
    shown = capsys.readouterr().out
    assert "| patches |" in shown
    assert "CLIP distance was not measured" in shown
    assert "1 of 2 holes have no truth" in shown
    report = json.loads((out / "report.json").read_text())
    assert report["means"]["patches"]["PSNR"] > 15
    measured = {(row["case"], row["system"]): row["metrics"] for row in report["rows"]}
    assert set(measured["known", "telea"]) == {"PSNR", "SSIM", "MAE", "detail"}
    assert measured["unknown", "patches"] == {}


def test_clip_tells_that_the_object_is_gone(root, tmp_path, capsys):
    clip = write_clip(tmp_path / "clip.onnx")
    kept = tmp_path / "kept" / "same"
    kept.mkdir(parents=True)
    for path in (root / "images").iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    arguments = ("--clip", clip, "--fill", "patches", "--predictions", f"same={kept}")
    assert evaluate(root, tmp_path / "out", *arguments, "--json") == 0
    means = json.loads(capsys.readouterr().out)["means"]
    assert means["same"]["CLIP distance"] == pytest.approx(0, abs=1e-5)
    assert means["patches"]["CLIP distance"] > 0.1


def test_filled_images_are_kept_on_demand(root, tmp_path):
    assert evaluate(root, tmp_path / "out", "--save-predictions", "--limit", 1) == 0
    assert [p.name for p in (tmp_path / "out/filled/patches").iterdir()] == [
        "known.png"
    ]


def test_a_case_that_cannot_be_read_is_a_row_with_its_reason(root, tmp_path, capsys):
    Image.new("L", (3, 3)).save(root / "masks" / "known.png")
    Image.new("L", (SIDE, SIDE)).save(root / "masks" / "unknown.png")
    rows = list(evaluate_fills(list_cases(root), ["telea"]))
    assert "3 x 3 pixels" in rows[0].error
    assert "has no hole" in rows[1].error
    assert evaluate(root, tmp_path / "out") == 1
    assert "has no hole" in capsys.readouterr().out


def test_folders_without_cases_are_named(root, tmp_path):
    with pytest.raises(ZimError, match="holds no holes") as caught:
        list_cases(tmp_path)
    assert "masks/" in caught.value.hint
    (root / "images" / "known.png").unlink()
    with pytest.raises(ZimError, match="has no image"):
        list_cases(root)


def test_another_graph_is_no_clip(tmp_path):
    with pytest.raises(WeightsError, match="no image encoder of CLIP"):
        ClipEncoder(write_clip(tmp_path / "other.onnx", "features"))


def test_options_of_the_protocol_need_it(root):
    with pytest.raises(SystemExit):
        main(["evaluate", str(root), "--fill", "telea"])


def test_means_are_over_the_holes_that_all_filled(root, tmp_path, capsys):
    (root / "truth" / "unknown.png").write_bytes(
        (root / "truth" / "known.png").read_bytes()
    )
    kept = tmp_path / "kept"
    kept.mkdir()
    photo = (root / "images" / "known.png").read_bytes()
    (kept / "known.png").write_bytes(photo)
    out = tmp_path / "out"
    arguments = ("--fill", "telea", "--predictions", f"some={kept}")
    assert evaluate(root, out, *arguments) == 1
    assert "over the 1 of 2 holes" in capsys.readouterr().out
    report = json.loads((out / "report.json").read_text())
    (own,) = (
        row["metrics"]["PSNR"]
        for row in report["rows"]
        if (row["case"], row["system"]) == ("known", "telea")
    )
    assert report["means"]["telea"]["PSNR"] == own


def test_a_hole_that_covers_the_image_names_its_mask(root):
    Image.new("L", (SIDE, SIDE), 255).save(root / "masks" / "known.png")
    rows = list(evaluate_fills(list_cases(root)[:1], ["telea", "patches"]))
    assert [row.error for row in rows] == [rows[0].error] * 2
    assert "known.png leaves nothing" in rows[0].error


def test_names_are_unique_and_stay_in_the_folder(root, tmp_path, capsys):
    command = ("--fill", "patches", "--predictions", f"patches={root / 'truth'}")
    assert evaluate(root, tmp_path / "out", *command) == 1
    assert "2 systems are called 'patches'" in capsys.readouterr().err
    assert fill_name("/abs/net.onnx") == "net"
    out = tmp_path / "out2"
    same = f"../../up={root / 'images'}"
    assert evaluate(root, out, "--predictions", same, "--save-predictions") == 0
    assert len(list((out / "filled").glob("*/known.png"))) == 1


@pytest.mark.parametrize("name", ["report.md", "rows.jsonl"])
def test_results_of_another_run_are_kept(root, tmp_path, capsys, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("other")
    assert evaluate(root, tmp_path / "out") == 1
    assert name in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == [name]


@pytest.mark.parametrize(
    "more",
    [("--model", "zim-tiny"), ("--resume",), ("--shard", "1/2"), ("--prompts", "box")],
)
def test_options_of_mattes_are_refused(root, tmp_path, capsys, more):
    with pytest.raises(SystemExit):
        evaluate(root, tmp_path / "out", *more)
    assert f"does not take {more[0]}" in capsys.readouterr().err
