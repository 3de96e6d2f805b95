import json
import shutil

import numpy as np
import pytest
from PIL import Image

from zim_model.errors import ZimError
from zim_model.evaluation.datasets import HQ_SETS, LAYOUTS, open_dataset
from zim_model.evaluation.mini import write_mini_dataset

# Tiny copies of the published folders: layout, files of each case, and what is found.
PUBLISHED = {
    "p3m": (
        "P3M-10k",
        "validation/P3M-500-NP/{}",
        ("original_image/p_1.jpg", "mask/p_1.png", "trimap/p_1.png"),
    ),
    "am2k": (
        "AM-2k",
        "validation/{}",
        ("original/m_1.jpg", "mask/m_1.png", "trimap/m_1.png"),
    ),
    "aim500": ("AIM-500", "{}", ("original/o.jpg", "mask/o.png", "trimap/o.png")),
    "hrsod": ("HRSOD", "{}", ("images/1.jpg", "masks_max255/1.png")),
    "thinobject": ("ThinObject5K", "{}", ("images_test/1.jpg", "masks_test/1.png")),
    "coift": ("COIFT", "{}", ("images/1.jpg", "masks/1.png")),
    "masks": ("mine", "{}", ("images/a.dcm", "masks/a.nii.gz")),
    "pairs": ("mine", "{}", ("images/a.tif", "mattes/a.png")),
    "beside": ("mine", "{}", ("a.jpg", "a.alpha.png")),
}


def put(path, value=255):
    path.parent.mkdir(parents=True, exist_ok=True)
    # The layouts are told by names alone.
    Image.fromarray(np.full((6, 8), value, np.uint8)).save(path, "PNG")


@pytest.mark.parametrize("layout", PUBLISHED)
def test_a_published_layout_is_recognised(tmp_path, layout):
    name, inner, files = PUBLISHED[layout]
    root = tmp_path / name
    for file in files:
        put(root / inner.format(file))
    dataset = open_dataset(root)
    assert (dataset.layout, dataset.problems) == (layout, ())
    (case,) = dataset.cases
    assert case.image == root / inner.format(files[0])
    assert case.matte == root / inner.format(files[1])
    trimap = root / inner.format(files[2]) if len(files) > 2 else None
    assert case.trimap == trimap


def test_dis_names_the_parts_of_the_set(tmp_path):
    for part in ("DIS-VD", "DIS-TE1"):
        put(tmp_path / part / "im/1#x#y.jpg")
        put(tmp_path / part / "gt/1#x#y.png")
    dataset = open_dataset(tmp_path)
    assert dataset.masks
    assert dataset.subsets == ("DIS-TE1", "DIS-VD")
    assert [case.name for case in dataset.cases] == ["DIS-TE1/1#x#y", "DIS-VD/1#x#y"]


def test_the_four_sets_of_hq_sam_are_subsets_of_one_run(tmp_path):
    for folder, images, masks in HQ_SETS.values():
        put(tmp_path / folder / images / "1.jpg")
        put(tmp_path / folder / masks / "1.png")
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.masks) == ("hqsam", True)
    assert dataset.subsets == ("DIS", "COIFT", "HRSOD", "ThinObject")
    assert [case.name for case in dataset.cases][:2] == ["DIS/1", "COIFT/1"]
    assert len(open_dataset(tmp_path, "hrsod").cases) == 1


def test_every_layout_has_a_test():
    tested = {*PUBLISHED, "micromat", "dis", "hqsam", "labels"}
    assert tested == {layout.name for layout in LAYOUTS}


def test_the_official_list_is_read(mini_root):
    dataset = open_dataset(mini_root)
    assert dataset.layout == "micromat"
    assert set(dataset.subsets) == {"fine", "coarse"}
    case = next(case for case in dataset.cases if case.name == "fine/0002_1")
    assert case.image == mini_root / "img/0002.png"
    assert case.matte == mini_root / "matte/fine/0002_1.png"
    assert case.prompts == mini_root / "prompt/fine/0002_1.json"
    assert case.seg == mini_root / "seg/fine/0002_1.png"
    assert sum(len(group) for group in dataset.cases_by_image()) == len(dataset.cases)
    assert len(dataset.cases_by_image()) == 3


def test_without_the_list_the_same_cases_are_found(mini_root, tmp_path):
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, copy)
    listed = open_dataset(copy)
    (copy / "data_list.txt").unlink()
    dataset = open_dataset(tmp_path)  # one folder up works too
    assert set(dataset.cases) == set(listed.cases)


def test_the_list_may_start_with_the_folder(mini_root, tmp_path):
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, copy)
    lines = (copy / "data_list.txt").read_text().splitlines()
    longer = [" ".join(f"MicroMat3K/{f}" for f in line.split()) for line in lines]
    (copy / "data_list.txt").write_text("\n".join(longer))
    cases = open_dataset(copy).cases
    assert all(case.image.is_file() for case in cases)
    names = [case.name for case in open_dataset(mini_root).cases]
    assert [case.name for case in cases] == names


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("img/0001.png matte/fine/0001_1.png", "2 fields instead of 4"),
        ("../secret.png matte/fine/9.png a b", "leads out of the data set"),
        ("/etc/secret.png matte/fine/9.png a b", "leads out of the data set"),
        ("img/0001.png matte/fine/0001_1.png a b", "listed twice"),
        ("img/\0.png matte/fine/8.png a b", "leads out of the data set"),
        (". . . .", "leads out of the data set"),
        ("a MicroMat3K b c", "leads out of the data set"),
    ],
)
def test_a_bad_line_of_the_list_is_a_problem_by_number(
    mini_root, tmp_path, line, reason
):
    copy = tmp_path / "MicroMat3K"
    shutil.copytree(mini_root, copy)
    with (copy / "data_list.txt").open("a") as file:
        file.write(f"\n{line}\n")
    dataset = open_dataset(copy)
    number = len((copy / "data_list.txt").read_text().splitlines())
    (problem,) = dataset.problems
    assert f"line {number}:" in problem
    assert reason in problem
    assert len(dataset.cases) == len(open_dataset(mini_root).cases)


def test_images_and_mattes_that_lack_each_other_are_problems(tmp_path):
    put(tmp_path / "images/a.png")
    put(tmp_path / "images/b.png")
    put(tmp_path / "mattes/a.png")
    put(tmp_path / "mattes/c.png")
    dataset = open_dataset(tmp_path)
    assert [case.name for case in dataset.cases] == ["a"]
    assert len(dataset.problems) == 2
    assert "c.png has no image" in dataset.problems[0]
    assert "b.png has no matte" in dataset.problems[1]


def test_an_image_may_have_several_mattes_and_prompts(tmp_path):
    put(tmp_path / "images/a.png")
    put(tmp_path / "mattes/a_1.png")
    put(tmp_path / "mattes/a_2.png")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/a_2.json").write_text(json.dumps({"bbox": [0, 0, 2, 2]}))
    first, second = open_dataset(tmp_path).cases
    assert first.image == second.image
    assert (first.prompts, second.prompts) == (None, tmp_path / "prompts/a_2.json")


@pytest.mark.parametrize("make", ["empty", "file", "nothing"])
def test_a_folder_without_a_data_set_names_the_expected_layouts(tmp_path, make):
    root = tmp_path / "x"
    if make == "empty":
        root.mkdir()
    elif make == "file":
        root.write_text("no")
    with pytest.raises(ZimError) as caught:
        open_dataset(root)
    assert str(root) in str(caught.value)
    if make == "empty":
        assert "data_list.txt" in caught.value.hint


def test_another_layout_can_be_demanded(tmp_path):
    put(tmp_path / "images/a.png")
    put(tmp_path / "masks/a.png")
    assert open_dataset(tmp_path).layout == "masks"
    assert open_dataset(tmp_path, "coift").layout == "coift"
    with pytest.raises(ZimError):
        open_dataset(tmp_path, "aim500")
    with pytest.raises(ZimError, match="no layout"):
        open_dataset(tmp_path, "nonsense")


def test_a_digest_changes_with_what_is_measured(tmp_path):
    put(tmp_path / "images/a.png")
    put(tmp_path / "mattes/a.png")
    (case,) = open_dataset(tmp_path).cases
    before = case.digest()
    assert case.digest() == before
    put(tmp_path / "mattes/a.png", 200)
    assert case.digest() != before


def test_the_mini_set_is_the_same_every_time(tmp_path, mini_root):
    again = write_mini_dataset(tmp_path, images=3)
    files = sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert len(files) > 15
    for file in files:
        assert (again / file).read_bytes() == (mini_root / file).read_bytes(), file


def test_a_mini_set_is_not_written_over_anything(tmp_path):
    (tmp_path / "MicroMat3K").mkdir()
    with pytest.raises(ZimError, match="exists already"):
        write_mini_dataset(tmp_path)


@pytest.mark.parametrize("name", ["AM-2k", "AM-2K"])
def test_am2k_is_found_below_a_folder_of_data_sets(tmp_path, name):
    for folder in ("original", "mask"):
        put(tmp_path / name / "validation" / folder / "m_1.png")
    (case,) = open_dataset(tmp_path, "am2k").cases
    assert case.name == "m_1"
