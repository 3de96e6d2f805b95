import json
import shutil
import sys

import cv2
import numpy as np
import pytest
import torch

from training import evaluate_tiny
from training.baselines import closed_form, fill_box, grabcut
from training.cases import (
    HALVES,
    DevCase,
    case_box,
    labelled_cases,
    matte_cases,
)
from training.evaluate_tiny import (
    Comparison,
    click_ious,
    evaluate,
    main,
)
from zim_model.errors import ZimError
from zim_model.finish import Finish
from zim_model.matting.metrics import iou, sad
from zim_model.prompts import PromptSet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two labelled red discs and one soft matte of another."""
    root = tmp_path_factory.mktemp("eval") / "dev"
    for kind in ("seg", "matte"):
        (root / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:90, :120]
    rows = []
    for i in range(3):
        noise = rng.integers(0, 90, (90, 120, 3), dtype=np.uint8)
        image = cv2.GaussianBlur(noise, (0, 0), 2)
        disc = np.hypot(x - 40 - 15 * i, y - 45) < 24
        image[disc] = (40, 40, 220)
        name = f"things__{i}"
        if i < 2:
            labels = np.where(disc, 1, 2).astype(np.uint8)
            cv2.imwrite(str(root / "seg" / f"{name}.labels.png"), labels)
            cv2.imwrite(str(root / "seg" / f"{name}.jpg"), image)
            rows.append(
                {
                    "image": f"dev/seg/{name}.jpg",
                    "labels": f"dev/seg/{name}.labels.png",
                    "region": 1,
                }
            )
        else:
            soft = cv2.GaussianBlur(disc.astype(np.float32), (0, 0), 1.5)
            alpha = np.uint8(soft * 255)
            cv2.imwrite(str(root / "matte" / f"{name}.alpha.png"), alpha)
            cv2.imwrite(str(root / "matte" / f"{name}.jpg"), image)
    (root / "targets.json").write_text(json.dumps(rows))
    return root


def test_the_tables_have_all_measures(folder, monkeypatch, capsys):
    pytest.importorskip("pymatting")
    before, used = torch.get_num_threads(), set()

    def perfect(case, prompts):
        used.add(torch.get_num_threads())
        return case.alpha

    monkeypatch.setattr(evaluate_tiny, "zim_method", lambda *_: perfect)
    models = ["--model", "zim-tiny", "--model", "runs/more/zim-tiny.safetensors"]
    assert main(["--data", str(folder), "--clicks", "5", *models]) == 0
    assert used == {1}
    assert torch.get_num_threads() == before
    printed = capsys.readouterr().out.strip().split("\n\n")
    assert printed[::2] == ["labels:", "mattes:", "subjects:"]
    labels, mattes, subjects = printed[1::2]
    assert "| zim-tiny | 1.000 | 1.000 |" in subjects
    for side in ("Interior", "Exterior"):
        assert f"box {side}" in mattes
    for name in ("box IoU", "1-click", "3-click", "5-click", "NoC@85", "NoC@90"):
        assert name in labels
    for prompt in ("box", "3 points"):
        for measure in ("SAD", "MSE", "Grad", "Conn"):
            assert f"{prompt} {measure}" in mattes
    for text in (labels, mattes):
        for method in (
            "zim-tiny",
            "more/zim-tiny",
            "GrabCut + closed-form",
            "GrabCut",
            "box filled",
        ):
            assert f"| {method} |" in text


def test_a_model_is_evaluated_as_a_method(folder):
    case = next(matte_cases(folder))
    alpha = evaluate_tiny.zim_method("zim-tiny")(case, PromptSet((), case_box(case)))
    assert alpha.shape == case.alpha.shape
    assert alpha.dtype == np.float32
    assert alpha.min() >= 0
    assert 0.5 < alpha.max() <= 1


def test_processes_do_not_change_the_numbers(folder):
    pytest.importorskip("pymatting")
    comparison = Comparison((), clicks=1)
    assert evaluate(folder, comparison, jobs=2) == evaluate(folder, comparison, jobs=1)


def test_a_filled_box_has_the_area_of_the_box(folder):
    case = next(labelled_cases(folder))
    filled = fill_box(case, PromptSet((), case_box(case))) > 0.5
    box = case_box(case)
    share = (case.alpha > 0.5).sum() / (box.width * box.height)
    assert iou(filled, case.alpha > 0.5, case.valid) == pytest.approx(share)


def test_grabcut_finds_a_disc_and_closed_form_softens_its_edge(folder):
    pytest.importorskip("pymatting")
    case = next(matte_cases(folder))
    prompts = PromptSet((), case_box(case))
    hard, soft = grabcut(case, prompts), closed_form(case, prompts)
    assert iou(hard > 0.5, case.alpha > 0.5, case.valid) > 0.9
    assert set(np.unique(hard)) <= {0, 1}
    assert ((soft > 0.05) & (soft < 0.95)).sum() > 20
    assert sad(soft, case.alpha) < sad(fill_box(case, prompts), case.alpha)


def test_baselines_take_images_of_a_line():
    alpha = np.zeros((1, 2000), np.float32)
    alpha[:, 500:1500] = 1
    image = np.repeat((alpha * 255).astype(np.uint8)[..., None], 3, -1)
    case = DevCase("line", image, alpha, alpha >= 0)
    assert iou(grabcut(case, PromptSet((), case_box(case))) > 0.5, alpha > 0.5) > 0.9


def test_where_closed_form_gives_up_grabcut_counts(folder, monkeypatch, capsys):
    pymatting = pytest.importorskip("pymatting")

    def give_up(image, trimap):
        print("PERFORMANCE WARNING:")
        raise ValueError("did not converge")

    monkeypatch.setattr(pymatting, "estimate_alpha_cf", give_up)
    means = evaluate(folder, Comparison(()))["all"]
    for rows in means.values():
        assert rows["GrabCut + closed-form"] == rows["GrabCut"]
    out, err = capsys.readouterr()
    assert not out
    assert "did not converge on 3 of 3 cases" in err


def test_missing_pymatting_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pymatting", None)
    case = next(matte_cases(folder))
    with pytest.raises(ZimError, match=r"\[train\]"):
        closed_form(case, PromptSet((), case_box(case)))


def test_clicks_go_on_until_nothing_is_left_to_learn(folder):
    case = next(labelled_cases(folder))

    def perfect(case, prompts):
        return case.alpha

    def blind(case, prompts):
        return np.zeros_like(case.alpha)

    assert click_ious(case, perfect, 20) == [1.0] * 5
    assert click_ious(case, blind, 20) == [0.0] * 20


def test_a_missing_folder_is_named(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err
    (tmp_path / "targets.json").write_text('[{"image": "a.jpg"}]')
    assert main(["--data", str(tmp_path)]) == 1
    assert "development folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--limit", "-1"], ["--clicks", "0"], ["--jobs", "x"]]
)
def test_numbers_out_of_range_are_refused(wrong, tmp_path):
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path), *wrong])


def test_a_image_is_in_one_half_with_all_its_regions():
    nothing = np.zeros((4, 4), np.float32)
    halves = []
    for i in range(40):
        cases = [
            DevCase(f"{name}:{region}", nothing, nothing, nothing > 0)
            for name in (f"dev/seg/{i}.jpg", f"elsewhere/{i}.jpg")
            for region in (1, 2)
        ]
        membership = [
            [half for half in HALVES if case.is_in_half(half)] for case in cases
        ]
        assert all(case.is_in_half("all") for case in cases)
        assert len(membership[0]) == 1
        assert all(f == membership[0] for f in membership)
        halves += membership[0]
    assert 10 < halves.count("choosing") < 30


def test_halves_partition_the_cases(folder):
    def cases(half):
        return [case for case in labelled_cases(folder) if case.is_in_half(half)]

    parts = [len(cases(half)) for half in HALVES]
    assert sum(parts) == len(cases("all")) == 2
    comparison = Comparison((), clicks=3)
    together = evaluate(folder, comparison, halves=(*HALVES, "all"))
    for half, count in zip(HALVES, parts, strict=True):
        assert ("labels" in together[half]) is (count > 0)
        assert evaluate(folder, comparison, halves=[half]) == {half: together[half]}
    for method, row in together["all"]["labels"].items():
        mean = sum(
            cases * together[half]["labels"][method]["box IoU"]
            for half, cases in zip(HALVES, parts, strict=True)
            if cases
        )
        assert row["box IoU"] == pytest.approx(mean / sum(parts))


def test_mattes_are_finished_as_in_the_application_if_wanted(
    folder, monkeypatch, capsys
):
    def method(model, finish):
        faint = np.float32(0.9 if finish == Finish() else 1.0)
        return lambda case, prompts: case.alpha * faint

    monkeypatch.setattr(evaluate_tiny, "zim_method", method)
    printed = []
    for flags in ([], ["--clean-edge"]):
        command = ["--data", str(folder), "--alone", "--clicks", "1", *flags]
        assert main(command) == 0
        printed.append(capsys.readouterr().out)
    assert "100.000" in printed[0]  # percent of the interior that is not opaque
    assert "100.000" not in printed[1]


def test_regions_are_reported_by_source(folder, tmp_path, monkeypatch, capsys):
    root = tmp_path / "dev"
    shutil.copytree(folder, root)
    for path in (root / "seg").glob("things__0*"):
        path.rename(path.with_name(path.name.replace("things", "cars")))
    rows = json.loads((folder / "targets.json").read_text())
    for row in rows[:1]:
        row |= {key: row[key].replace("things", "cars") for key in ("image", "labels")}
    rows.append(rows[1] | {"region": 2})  # the background
    (root / "targets.json").write_text(json.dumps(rows))

    def method(*_):
        return lambda case, prompts: (
            case.alpha * (case.source == "cars" or case.name.endswith("2"))
        )

    monkeypatch.setattr(evaluate_tiny, "zim_method", method)
    command = ["--data", str(root), "--alone", "--clicks", "1", "--by-source"]
    assert main(command) == 0
    _, _, table = capsys.readouterr().out.partition("zim-tiny by source:")
    lines = [line.split("|")[1:3] for line in table.strip().splitlines()[2:]]
    assert [(name.strip(), float(box)) for name, box in lines] == [
        ("cars (1)", 1.0),
        ("things (2)", 0.5),
        ("labels whose box is the whole image (1)", 1.0),
    ]
