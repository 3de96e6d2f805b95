import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch

from training import cases as training_cases
from training.cases import DevCase
from training.conversion.degradations import dilate
from training.evaluate_converter import (
    LABEL_KINDS,
    closed_form_baseline,
    coarse_label_of_kind,
    downscale_case,
    evaluate,
    guided_filter_baseline,
    main,
    table,
)
from zim_model.conversion.config import CONVERTER_TINY, ConvEncoder
from zim_model.conversion.network import ConverterNetwork
from zim_model.conversion.weights import save_converter
from zim_model.matting.metrics import mae


def scene(shift=0):
    """Return image and alpha of a red disc on dark noise."""
    rng = np.random.default_rng(shift)
    y, x = np.mgrid[:120, :150]
    noise = rng.integers(0, 90, (120, 150, 3), dtype=np.uint8)
    disc = np.hypot(x - 60 - shift, y - 60) < 34
    alpha = cv2.GaussianBlur(disc.astype(np.float32), (0, 0), 1.2)
    colour = np.array((220, 40, 40), np.float32)
    image = noise + alpha[..., None] * (colour - noise)
    return image.astype(np.uint8), alpha


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A development folder: one matte, and one object whose label must stay."""
    root = tmp_path_factory.mktemp("eval") / "dev"
    for kind in ("seg", "matte"):
        (root / kind).mkdir(parents=True)
    image, alpha = scene()
    cv2.imwrite(str(root / "matte" / "aim__1.jpg"), image[..., ::-1])
    cv2.imwrite(str(root / "matte" / "aim__1.alpha.png"), np.uint8(alpha * 255))
    image, alpha = scene(10)
    cv2.imwrite(str(root / "seg" / "things__1.jpg"), image[..., ::-1])
    labels = np.where(alpha > 0.5, 1, 2).astype(np.uint8)
    cv2.imwrite(str(root / "seg" / "things__1.labels.png"), labels)
    row = {
        "image": "dev/seg/things__1.jpg",
        "labels": "dev/seg/things__1.labels.png",
        "region": 1,
    }
    (root / "targets.json").write_text(json.dumps([row]))
    return root


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    config = dataclasses.replace(
        CONVERTER_TINY,
        encoder=ConvEncoder((8, 8, 8, 8, 8, 8), (0, 0, 0, 0, 0, 0)),
        decoder=(8, 8, 8, 8, 8),
    )
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_converter(ConverterNetwork(config), path)
    return path


def test_both_tables_are_printed(folder, weights, capsys):
    pytest.importorskip("pymatting")
    threads = torch.get_num_threads()
    kinds = ["--kind", "dilated", "--kind", "convex hull"]
    code = main(["--data", str(folder), "--model", str(weights), *kinds])
    assert code == 0
    assert torch.get_num_threads() == threads
    _, mattes, unchanged = capsys.readouterr().out.strip().split("\n\n")
    assert [line.split("|")[1].strip() for line in mattes.splitlines()[2:]] == [
        "dilated",
        "convex hull",
        "all",
    ]
    head = mattes.splitlines()[0]
    for name in ("label", "guided filter", "closed-form", "small"):
        assert name in head
    assert "| kept | 0.00 / 0.00 / 0.00 |" in unchanged


def test_methods_that_refine_beat_the_label():
    pytest.importorskip("pymatting")
    image, alpha = scene()
    label = coarse_label_of_kind(DevCase("a", image, alpha, alpha >= 0), "dilated")
    before = mae(label.astype(np.float32), alpha)
    assert mae(guided_filter_baseline(image, label), alpha) < before
    assert mae(closed_form_baseline(image, label), alpha) < 0.3 * before


def test_every_kind_changes_the_label_as_documented():
    image, alpha = scene()
    case = DevCase("a", image, alpha, alpha >= 0)
    whole = alpha > 0.5
    assert (coarse_label_of_kind(case, "threshold") == whole).all()
    for kind in LABEL_KINDS:
        assert coarse_label_of_kind(case, kind).shape == alpha.shape
    for kind in ("dilated", "eroded", "polygon"):
        assert (coarse_label_of_kind(case, kind) != whole).any(), kind
    assert (coarse_label_of_kind(case, "dilated") == dilate(whole, 1)).all()
    thin = np.zeros((700, 700), np.float32)
    thin[300] = 1
    assert coarse_label_of_kind(DevCase("b", image, thin, thin >= 0), "eroded").any()


def test_a_method_is_counted_where_it_beats_the_label():
    rows = {
        ("dilated", "label"): [{"MAE": 2.0, "SAD": 1.0, "Grad": 4.0}] * 2,
        ("dilated", "x"): [
            {"MAE": 1.0, "SAD": 0.5, "Grad": 2.0},
            {"MAE": 3.0, "SAD": 1.5, "Grad": 6.0},
        ],
    }
    line = table(rows).splitlines()[-1]
    assert line == "| dilated | 2.00 / 1.00 / 4.00 | 2.00 / 1.00 / 4.00 (1 of 2) |"


def test_smaller_images_keep_soft_mattes_soft_and_labels_hard():
    image, alpha = scene()
    small = downscale_case(DevCase("a", image, alpha, alpha >= 0), 60)
    assert small.image.shape == (48, 60, 3)
    assert len(np.unique(small.alpha)) > 2
    hard = downscale_case(DevCase("a", image, np.float32(alpha > 0.5), alpha >= 0), 60)
    assert set(np.unique(hard.alpha)) == {0, 1}
    assert downscale_case(small, 0) is small
    assert downscale_case(small, 60) is small


def test_rows_come_in_the_order_of_the_cases(monkeypatch):
    cases = [DevCase(str(i), *scene(i), np.ones((120, 150), bool)) for i in range(3)]
    done_first = [(2, "c"), (0, "a"), (1, "b")]
    monkeypatch.setattr(
        training_cases,
        "run_all",
        lambda *_args, **_more: (
            (i, {("k", "m"): {"MAE": float(i)}}) for i, _ in done_first
        ),
    )
    rows = evaluate(cases, ["dilated"], ["label"], 2)
    assert [row["MAE"] for row in rows["k", "m"]] == [0.0, 1.0, 2.0]


def test_a_missing_folder_and_a_missing_model_are_reported(tmp_path, folder, capsys):
    assert main(["--data", str(tmp_path)]) == 1
    assert "targets.json" in capsys.readouterr().err
    command = ["--data", str(folder), "--alone", "--kind", "dilated"]
    assert main([*command, "--model", "converter-huge"]) == 1
    assert "no label converter" in capsys.readouterr().err
