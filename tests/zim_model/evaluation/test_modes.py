import json

import numpy as np
import pytest
from PIL import Image

from tests.zim_model.evaluation.conftest import rows_of, run
from zim_model.errors import ImageError, ZimError
from zim_model.evaluation import PromptKind, open_dataset, write_report
from zim_model.evaluation.bars import bars_to_svg
from zim_model.evaluation.cases import Case
from zim_model.evaluation.journal import EvaluationRow, RunConfig
from zim_model.evaluation.mini_slices import write_mini_slices
from zim_model.evaluation.modes import MODES, largest_parts, mode_prompts
from zim_model.evaluation.reading import read_truth
from zim_model.evaluation.report_formats import to_markdown
from zim_model.prompts import Box

ALL_MODES = tuple(map(PromptKind.parse, MODES))


@pytest.fixture
def mask():
    """Four parts of 81, 25, 9 and 1 pixels."""
    mask = np.zeros((40, 50), bool)
    mask[2:11, 3:12] = True
    mask[20:25, 30:35] = True
    mask[30:33, 5:8] = True
    mask[38, 48] = True
    return mask


def boxes(prompt_sets):
    return [prompts.box for prompts in prompt_sets]


def points(prompt_sets):
    return [(p.x, p.y, p.positive) for each in prompt_sets for p in each.points]


def test_the_modes_prompt_the_largest_parts(mask):
    modes = {mode: mode_prompts(mode, mask) for mode in MODES}
    centres = [(7.5, 6.5, True), (32.5, 22.5, True), (6.5, 31.5, True)]
    assert points(modes["mode1"]) == centres[:1]
    assert points(modes["mode2"]) == centres
    assert len(modes["mode2"]) == 1  # predicted together
    parts = [Box(3, 2, 12, 11), Box(30, 20, 35, 25), Box(5, 30, 8, 33)]
    assert boxes(modes["mode3"]) == parts[:1]
    assert boxes(modes["mode4"]) == parts
    assert boxes(modes["mode5"]) == [Box(3, 2, 49, 39)]


def test_the_centre_lies_in_the_part_where_its_mean_does_not():
    ring = np.zeros((21, 21), bool)
    ring[:, :4] = ring[:3] = ring[-3:] = True  # a C
    ((x, y, _),) = points(mode_prompts("mode1", ring))
    assert ring[int(y), int(x)]


def test_parts_that_touch_at_a_corner_are_one():
    mask = np.zeros((6, 6), bool)
    mask[:2, :2] = mask[2:4, 2:4] = True
    assert len(largest_parts(mask, 3)) == 1


def test_a_run_unites_the_boxes_of_mode_4(tmp_path, engine):
    asked = []
    engine.before = lambda request: asked.append(request.recipe)
    dataset = open_dataset(write_mini_slices(tmp_path, images=3))
    assert (dataset.layout, dataset.masks) == ("masks", True)
    events = run(dataset, tmp_path / "out", engine, prompts=ALL_MODES)
    rows = {(row.case, row.prompt): row for row in rows_of(events)}
    assert {row.error for row in rows.values()} == {""}
    row = rows["slice_03", "mode4"]
    assert len(row.prompt_sets) == 3
    assert len({recipe.more_prompt_sets for recipe in asked}) == 3  # of 0, 1 and 2
    assert EvaluationRow.from_json(json.loads(json.dumps(row.to_json()))) == row
    report = events[-1].report
    assert "Mean IoU by prompting mode" in to_markdown(report)
    assert bars_to_svg(report).count('class="bar"') == 5
    written = {p.name: p for p in write_report(report, tmp_path / "out", dataset)}
    assert "clicks.svg" not in written
    page = written["report.html"].read_text("utf-8")
    assert page.count('class="bar"') == 5
    assert "the centre of the largest part" in page


@pytest.mark.parametrize("object_value", [1, 200, 255, 40000])
def test_a_mask_may_have_any_range(tmp_path, object_value):
    values = np.zeros((6, 8), np.uint16)
    values[2:4, 3:6] = object_value
    values[5, 7] = object_value // 3
    dtype = np.uint8 if object_value < 256 else np.uint16
    save(tmp_path / "images/a.png", np.zeros((6, 8), np.uint8))
    save(tmp_path / "masks/a_mask.png", values.astype(dtype))
    (case,) = open_dataset(tmp_path).cases
    truth = read_truth(case)
    assert np.unique(truth).tolist() == [0, 65535]
    assert (truth > 0).sum() == 6


def test_each_number_of_a_label_map_is_a_case(tmp_path):
    values = np.zeros((6, 8), np.uint8)
    values[:2], values[4:] = 1, 7
    save(tmp_path / "images/a.png", np.zeros((6, 8), np.uint8))
    save(tmp_path / "labels/a.png", values)
    dataset = open_dataset(tmp_path, "labels")
    assert [case.name for case in dataset.cases] == ["a/1", "a/7"]
    assert [(read_truth(case) > 0).sum() for case in dataset.cases] == [16, 16]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
def test_a_lossy_label_map_is_refused_and_a_lossy_mask_is_read(tmp_path, name):
    values = np.full((48, 48), 30, np.uint8)
    values[8:30, 10:40] = 230
    save(tmp_path / "images/a.png", np.zeros((48, 48), np.uint8))
    stored = (tmp_path / "masks" / name, tmp_path / "labels" / name)
    for path in stored:
        path.parent.mkdir()
        kind = {"a.png": "JPEG"}.get(name)  # a suffix may be wrong
        Image.fromarray(values).save(path, kind, quality=60, compression="jpeg")
    dataset = open_dataset(tmp_path, "labels")
    assert not dataset.cases
    (problem,) = dataset.problems
    assert str(stored[1]) in problem
    assert "changes numbers" in problem
    assert "PNG" in problem
    with pytest.raises(ImageError, match="changes numbers"):
        read_truth(Case("a", tmp_path / "images/a.png", stored[1], label=30))
    (case,) = open_dataset(tmp_path, "masks").cases
    assert ((read_truth(case) > 0) == (values > 100)).mean() > 0.99


def test_a_folder_without_pairs_names_itself_and_the_cure(tmp_path):
    save(tmp_path / "images/a.png", np.zeros((6, 8), np.uint8))
    save(tmp_path / "masks/b.png", np.zeros((6, 8), np.uint8))
    with pytest.raises(ZimError, match="no two files of one name") as caught:
        open_dataset(tmp_path)
    assert str(tmp_path / "masks") in caught.value.message
    assert "masks/scan.png" in caught.value.hint


def test_files_without_the_other_are_problems(tmp_path):
    for name in ("images/a.png", "images/a.tif", "images/b.png", "masks/a.png"):
        save(tmp_path / name, np.ones((6, 8), np.uint8))
    save(tmp_path / "masks/c.png", np.ones((6, 8), np.uint8))
    problems = open_dataset(tmp_path).problems
    assert len(problems) == 3
    assert all(str(tmp_path) in problem for problem in problems)


@pytest.mark.parametrize("text", ["mode0", "mode6", "mode", "mode1:3"])
def test_no_other_mode_is_read(text):
    with pytest.raises(ZimError) as caught:
        PromptKind.parse(text)
    assert "mode1 to mode5" in caught.value.hint


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_two_masks_of_one_stem_are_told(tmp_path):
    root = write_mini_slices(tmp_path, images=1)
    mask = next((root / "masks").iterdir())
    with Image.open(mask) as pixels:
        pixels.save(mask.with_suffix(".tif"))
    dataset = open_dataset(root)
    assert len(dataset.cases) == 1
    assert any(f"{mask.stem}.tif has the name of" in x for x in dataset.problems)


def test_a_run_with_another_window_is_not_resumed(tmp_path):
    def config(**options):
        return RunConfig(
            "set", "masks", {}, ("box",), {"region": "image", **options}, 1
        )

    run, windowed = config(), config(window="1000,1600")
    run.check_fits(run, tmp_path)
    for here, there in ((run, windowed), (windowed, run)):
        with pytest.raises(ZimError, match="window is"):
            here.check_fits(there, tmp_path)
