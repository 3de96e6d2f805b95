import json

import cv2
import numpy as np
import pytest

from training.datasets.table import open_data
from training.find_regions import main
from training.regions import REST, find_regions
from training.samples import draw_prompts
from training.sources import SceneReader
from training.tiny.config import TinyTrainConfig
from training.tiny.prompts import NEGATIVE, POSITIVE
from training.tiny.samples import TinySamples
from zim_model.errors import ZimError

HEIGHT, WIDTH = 200, 260
SHAPES = {
    "red": ((60, 60), 30, (200, 40, 40)),
    "green": ((150, 70), 35, (40, 170, 60)),
    "blue": ((200, 150), 32, (50, 60, 210)),
}


def grain(seed=0):
    """A grey surface with a little noise, as of a photo."""
    noise = np.random.default_rng(seed).normal(0, 3, (HEIGHT, WIDTH, 3))
    return np.clip(128 + noise, 0, 255).astype(np.uint8)


def disc(centre, radius):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(x - centre[0], y - centre[1]) < radius


def photo(**shapes):
    image = grain()
    for centre, radius, colour in shapes.values():
        mask = disc(centre, radius)
        image[mask] = np.clip(image[mask].astype(int) - 128 + colour, 0, 255)
    return image


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_regions_that_stand_out_are_found():
    labels = find_regions(photo(**SHAPES))
    assert labels.shape == (HEIGHT, WIDTH)
    assert labels.dtype == np.uint8
    for centre, radius, _ in SHAPES.values():
        own = labels[centre[1], centre[0]]
        assert own not in (0, REST)
        assert iou(labels == own, disc(centre, radius)) > 0.9
    assert len(np.unique(labels)) == 4  # and nothing else


def test_a_part_of_another_colour_does_not_join_what_it_touches():
    shapes = {**SHAPES, "half": ((110, 70), 30, (230, 200, 60))}
    labels = find_regions(photo(**shapes))
    assert labels[70, 100] != labels[70, 160]


@pytest.mark.parametrize("image", [grain(), np.full((40, 40, 3), 90, np.uint8)])
def test_a_surface_has_no_regions(image):
    assert find_regions(image) is None


@pytest.mark.parametrize(("blur", "found"), [(0.5, True), (14, False)])
def test_an_outline_must_be_clear(blur, found):
    centre, radius = (200, 150), 32
    faint = (centre, radius, (165, 110, 110))
    image = photo(red=SHAPES["red"], other=((60, 150), 30, (90, 60, 160)), faint=faint)
    soft = cv2.GaussianBlur(image, (0, 0), blur)
    near = disc(centre, 70)
    image[near] = soft[near]
    labels = find_regions(image)
    assert labels[60, 60] != REST
    assert (labels[150, 200] != REST) == found


def test_the_main_object_is_none_of_them():
    shapes = {
        "main": ((150, 100), 90, (200, 40, 40)),
        "small": ((30, 30), 14, (40, 170, 60)),
        "other": ((30, 160), 15, (50, 60, 210)),
    }
    labels = find_regions(photo(**shapes))
    assert labels[100, 150] == REST
    assert labels[30, 30] != REST
    assert labels[160, 30] != REST


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (5, 7)])
def test_photos_that_are_too_small_have_none(shape):
    assert find_regions(np.zeros((*shape, 3), np.uint8)) is None


@pytest.fixture
def photos(tmp_path):
    """Labelled photos: two open ones, one for research, one damaged and open."""
    root = tmp_path / "train"
    (root / "seg").mkdir(parents=True)
    rows = []
    for number, licence in enumerate(("open", "open", "research", "open")):
        name = f"made__{number}"
        image = photo(**SHAPES) if number != 1 else grain()
        cv2.imwrite(str(root / "seg" / f"{name}.png"), image[..., ::-1])
        labels = np.full((HEIGHT, WIDTH), 2, np.uint8)
        labels[disc((150, 70), 60)] = 1
        cv2.imwrite(str(root / "seg" / f"{name}.labels.png"), labels)
        rows.append({"file": f"seg/{name}.png", "weights": licence})
    damaged = root / "seg" / "made__3.png"
    damaged.write_bytes(damaged.read_bytes()[:400])
    (root / "MANIFEST.json").write_text(json.dumps({"files": rows}))
    return root


def table(tmp_path, *entries):
    path = tmp_path / "data.toml"
    path.write_text("".join(f"[[data]]\n{entry}\n" for entry in entries))
    return path


def test_the_command_writes_photos_maps_and_licences(photos, tmp_path, capsys):
    out = tmp_path / "regions"
    assert main([str(photos), "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert "1 of 3 photos have regions" in told.out
    assert "left out: " in told.err
    assert "made__3.png" in told.err
    names = sorted(path.name for path in out.iterdir())
    assert names == ["MANIFEST.json", "made__0.png.jpg", "made__0.png.labels.png"]
    rows = json.loads((out / "MANIFEST.json").read_text())["files"]
    assert rows == [{"file": "made__0.png.jpg", "weights": "open"}]


def test_research_photos_are_taken_where_asked_and_stay_for_research(photos, tmp_path):
    out = tmp_path / "regions"
    assert main([str(photos), "-o", str(out), "--weights", "all"]) == 0
    data = open_data(table(tmp_path, 'path = "regions"\nkind = "regions"'))
    licences = {pair[0].name: pool.is_open(pair[0]) for pool, pair in data.files()}
    assert licences == {"made__0.png.jpg": True, "made__2.png.jpg": False}


def test_held_out_photos_have_no_regions_to_train_on(photos, tmp_path, capsys):
    data = table(tmp_path, 'path = "train/seg"\nkind = "labels"\nsplit = "val"')
    assert main([str(data), "-o", str(tmp_path / "out"), "--weights", "all"]) == 1
    assert "no labelled photos for training" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_photos_without_a_known_licence_are_not_taken(photos, tmp_path, capsys):
    (photos / "MANIFEST.json").unlink()
    assert main([str(photos), "-o", str(tmp_path / "out")]) == 1
    assert "--weights all" in capsys.readouterr().err


def test_a_folder_is_never_overwritten(photos, capsys):
    kept = {path.name for path in photos.iterdir()}
    assert main([str(photos), "-o", str(photos)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert {path.name for path in photos.iterdir()} == kept


def test_photos_of_one_name_are_told(photos, tmp_path, capsys):
    (photos / "seg").rename(tmp_path / "a")
    (tmp_path / "b").mkdir()
    for path in (tmp_path / "a").iterdir():
        (tmp_path / "b" / path.name).write_bytes(path.read_bytes())
    data = table(tmp_path, 'path = "a"\nkind = "labels"', 'path = "b"\nkind = "labels"')
    out = tmp_path / "out"
    assert main([str(data), "-o", str(out), "--weights", "all"]) == 1
    assert "have the same name" in capsys.readouterr().err
    assert not out.exists()


def test_several_processes_write_the_same(photos, tmp_path):
    for jobs in ("1", "2"):
        arguments = [str(photos), "-o", str(tmp_path / jobs), "--jobs", jobs]
        assert main(arguments) == 0
    names = [path.name for path in (tmp_path / "1").iterdir()]
    for name in names:
        one, two = (tmp_path / jobs / name for jobs in ("1", "2"))
        assert one.read_bytes() == two.read_bytes()


@pytest.fixture
def regions(photos, tmp_path):
    out = tmp_path / "regions"
    assert main([str(photos), "-o", str(out)]) == 0
    return table(tmp_path, 'path = "regions"\nkind = "regions"\nband = 2')


def test_a_region_is_no_main_object_and_the_rest_is_no_region(regions):
    reader = SceneReader(regions, weights="open")
    rng = np.random.default_rng(0)
    for _ in range(20):
        scene = reader.draw_scene(rng)
        assert scene.region
        assert not scene.subject
        assert 0 < (scene.alpha > 0.5).mean() < 0.3


def test_the_table_of_kinds_names_another_kind(tmp_path):
    path = table(tmp_path, 'path = "."\nkind = "region"')
    with pytest.raises(ZimError, match="regions"):
        open_data(path)


@pytest.mark.parametrize("box_share", [0.0, 0.4])
def test_regions_are_never_meant_by_a_single_click(regions, box_share):
    config = TinyTrainConfig(
        "zim-tiny", 30, size=96, views=1, weights="open", box_share=box_share
    )
    samples = TinySamples(SceneReader(regions, weights="open"), config, 0)
    clicked = 0
    for number in range(30):
        item = samples[number]
        assert not item["ambiguous"]
        positive, negative = item["maps"][POSITIVE], item["maps"][NEGATIVE]
        count = cv2.connectedComponents(positive.numpy())[0] - 1
        clicked += count > 1
        assert count or negative.any() or item["maps"].any()
    if not box_share:
        assert clicked > 3


def test_prompts_of_whole_networks_do_not_click_regions_once(regions):
    scene = SceneReader(regions).draw_scene(np.random.default_rng(1))
    counts = [
        len(draw_prompts(np.random.default_rng(i), scene, with_box=False).points)
        for i in range(60)
    ]
    assert min(counts) >= 1
    # Uniform draws instead of the central click of an object.
    central = {
        (point.x, point.y)
        for i in range(60)
        for point in draw_prompts(
            np.random.default_rng(i), scene, with_box=False
        ).points[:1]
    }
    assert len(central) > 50
