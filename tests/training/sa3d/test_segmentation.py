"""Self-prompting, bad scenes, and the command from end to end with a stub engine."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from training.sa3d.__main__ import main
from training.sa3d.made_up import view_name, write_made_up
from training.sa3d.nvos import read_task
from training.sa3d.report import read_truth
from training.sa3d.scene import POSES_FILE, read_scene
from training.sa3d.self_prompting import select_points
from zim_model.errors import ZimError
from zim_model.request import ALPHA_MAX, Matte, Timings

VIEWS, SIDE = 6, 40
FIT = ["--resolution", "28", "--steps", "120", "--batch", "512"]


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """A small scene and the boxes of its objects in the middle view."""
    folder = tmp_path_factory.mktemp("scenes") / "small"
    return folder, write_made_up(folder, VIEWS, SIDE, 40)


@pytest.fixture
def scene(made_up, tmp_path):
    return shutil.copytree(made_up[0], tmp_path / "scene")


class TruthEngine:
    """Gives the true mask of the object that the first positive prompt is on."""

    def __init__(self, folder, wrong=()):
        views = read_scene(folder)
        self.truth = read_truth(folder / "truth" / "ball", views)
        self.wrong, self.prompts = wrong, {}

    def solve(self, request):
        mask = self.truth[request.image_key]
        if request.image_key in self.wrong:
            mask = ~mask
        self.prompts[request.image_key] = request.recipe.prompts
        alpha = mask.astype(np.uint16) * ALPHA_MAX
        box = (0, 0, *mask.shape[::-1])
        return Matte(alpha, (), np.ones(4, np.float32), 0, box, Timings(0, 0, "CPU"))


def run(folder, out, box, engine, *more):
    prompt = f"{box.x0},{box.y0},{box.x1},{box.y1}"
    command = [str(folder), "-o", str(out), "--view", view_name(VIEWS // 2)]
    command += ["--prompt", prompt, "--truth", str(folder / "truth" / "ball")]
    return main([*command, *FIT, *more], lambda: engine)


def test_the_command_writes_masks_of_all_views_and_measures_them(
    made_up, tmp_path, capsys
):
    folder, boxes = made_up
    engine, out = TruthEngine(folder), tmp_path / "out"
    assert run(folder, out, boxes["ball"], engine) == 0
    assert "mIoU" in capsys.readouterr().out
    assert len(list((out / "masks").glob("*.png"))) == VIEWS
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["means"]["miou"] > 0.7
    assert report["means"]["accuracy"] > 0.95
    with Image.open(out / "overview.png") as overview:
        assert overview.width > overview.height, "five views a row"
    for name, prompts in engine.prompts.items():
        assert all(
            engine.truth[name][int(p.y), int(p.x)] for p in prompts.points[:1]
        ), "the surest point is on the object"

    assert run(folder, out, boxes["ball"], engine) == 1
    assert "exists" in capsys.readouterr().err, "nothing is overwritten"

    again, field = tmp_path / "again", str(out / "field.safetensors")
    wrong = TruthEngine(folder, [view_name(0)])
    assert run(folder, again, boxes["ball"], wrong, "--field", field) == 0
    steps = json.loads((again / "report.json").read_text("utf-8"))["views"]
    assert [step["view"] for step in steps if not step["accepted"]] == [view_name(0)]
    assert steps[0]["iou"] > 0.5, "the others say what the rejected view shows"


def test_points_are_on_the_object_apart_and_not_on_stray_bits():
    confidence = np.full((40, 40), -1.0)
    confidence[5:20, 5:20] = 1
    confidence[10, 10] = 2
    confidence[30:33, 30:33] = 1.2
    rows, columns = np.mgrid[:40, :40] / 40
    positions = np.stack((columns, rows, np.where(rows > 0.6, 9.0, 0.0)), -1)
    points = select_points(confidence, positions, 4)
    assert (points[0].x, points[0].y) == (10.5, 10.5)
    assert len(points) > 1
    assert all(5 <= p.x < 20 and 5 <= p.y < 20 and p.positive for p in points)
    assert not select_points(np.full((4, 4), -1.0), positions[:4, :4], 3)


def change_poses(scene, change):
    rows = np.load(scene / POSES_FILE)
    np.save(scene / POSES_FILE, change(rows))


def halve_image(scene):
    path = scene / "images" / view_name(1)
    Image.open(path).crop((0, 0, SIDE, SIDE // 2)).save(path)


def name_twice(scene):
    path = scene / "images" / view_name(1)
    Image.open(path).save(path.with_suffix(".jpg"))


def set_column(column, value):
    def change(rows):
        rows[1, column] = value
        return rows

    return lambda scene: change_poses(scene, change)


@pytest.mark.parametrize(
    ("spoil", "named", "cure"),
    [
        (lambda s: (s / POSES_FILE).unlink(), POSES_FILE, ""),
        (lambda s: (s / POSES_FILE).write_bytes(b""), POSES_FILE, "imgs2poses"),
        (lambda s: change_poses(s, lambda r: r[:, :15]), "(6, 15)", "imgs2poses"),
        (lambda s: change_poses(s, lambda r: r[:5]), "5 poses", "one pose for each"),
        (set_column(0, 3.0), "row 1 (for view_01.png)", "axes"),
        (set_column(3, np.nan), "row 1 (for view_01.png)", "imgs2poses"),
        (set_column(4, np.nan), "row 1 (for view_01.png)", "imgs2poses"),
        (name_twice, "view_01.jpg and view_01.png", "Rename"),
        (set_column(15, 99.0), "row 1 (for view_01.png)", "depths"),
        (halve_image, "view_01.png", "cropped or turned"),
        (lambda s: shutil.rmtree(s / "images"), "images", ""),
    ],
    ids=[
        *("none", "empty", "shape", "count", "axes", "nan", "nan height", "names"),
        *("depths", "cropped", "bare"),
    ],
)
def test_poses_that_do_not_fit_are_an_error_with_its_cure(scene, spoil, named, cure):
    spoil(scene)
    with pytest.raises(ZimError) as caught:
        read_scene(scene)
    assert named in caught.value.message
    assert cure in caught.value.hint


def test_a_truth_of_ones_is_read_and_an_empty_one_is_an_error(scene):
    views, folder = read_scene(scene), scene / "truth" / "ball"
    before = read_truth(folder, views)
    for path in folder.iterdir():
        with Image.open(path) as mask:
            ones = np.asarray(mask.convert("L")) // 255
        Image.fromarray(ones).save(path)
    for name, mask in read_truth(folder, views).items():
        assert np.array_equal(mask, before[name])
    Image.new("L", (SIDE, SIDE)).save(folder / view_name(2))
    with pytest.raises(ZimError, match=r"view_02\.png marks nothing"):
        read_truth(folder, views)


def test_poses_of_other_photos_are_noticed_by_what_the_photos_share(
    made_up, scene, tmp_path, capsys
):
    change_poses(scene, lambda rows: rows[[0, 4, 2, 3, 1, 5]])
    out = tmp_path / "out"
    assert run(scene, out, made_up[1]["ball"], TruthEngine(scene)) == 1
    error = capsys.readouterr().err
    assert POSES_FILE in error
    assert "view_04.png" in error
    assert "estimate" in error
    assert not out.exists()


def test_a_scene_that_its_poses_cannot_explain_is_an_error(
    made_up, scene, tmp_path, capsys
):
    rng = np.random.default_rng(0)
    for path in (scene / "images").iterdir():
        noise = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(noise).save(path)
    out, box = tmp_path / "out", made_up[1]["ball"]
    assert run(scene, out, box, TruthEngine(scene), "--steps", "8") == 1
    error = capsys.readouterr().err
    assert POSES_FILE in error
    assert "estimate" in error
    assert not out.exists()


@pytest.mark.parametrize(
    "argument",
    ["--min-iou=5", "--steps=0", "--batch=0", "--longest=-5", "--resolution=0"],
)
def test_an_argument_outside_its_range_is_named(made_up, tmp_path, capsys, argument):
    with pytest.raises(SystemExit):
        run(made_up[0], tmp_path / "out", made_up[1]["ball"], None, argument)
    assert f"argument {argument.partition('=')[0]}" in capsys.readouterr().err


@pytest.mark.parametrize("argument", ["--device=foo", "--model=foo"])
def test_device_and_model_are_checked_before_the_fit(
    made_up, tmp_path, capsys, argument
):
    out = tmp_path / "out"
    assert run(made_up[0], out, made_up[1]["ball"], None, argument) == 1
    shown = capsys.readouterr()
    assert "foo" in shown.err
    assert not shown.out
    assert not out.exists()


def test_nvos_labels_give_prompts_and_truth(scene, tmp_path):
    views, labels = read_scene(scene), tmp_path / "labels"
    for kind in ("reference_image", "scribbles", "masks"):
        (labels / kind / "ball").mkdir(parents=True)
    image, truth = scene / "images", scene / "truth" / "ball"
    shutil.copy(image / view_name(2), labels / "reference_image" / "ball")
    shutil.copy(image / view_name(0), labels / "masks" / "ball")
    shutil.copy(truth / view_name(0), labels / "masks" / "ball" / "view_00_mask.png")
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    drawn[10, 4:20] = 255
    Image.fromarray(drawn).save(labels / "scribbles" / "ball" / "pos_2.png")
    Image.fromarray(drawn.T).save(labels / "scribbles" / "ball" / "neg_2.png")
    task = read_task(labels, "ball", views)
    assert (task.view, task.target) == (view_name(2), view_name(0))
    assert {p.y for p in task.prompts.points if p.positive} == {10.5}
    assert {p.x for p in task.prompts.points if not p.positive} == {10.5}
    with pytest.raises(ZimError, match="horns"):
        read_task(labels, "horns", views)
