"""Training pairs, read back with the readers of training."""

import numpy as np
import PIL.Image
import pytest

from training.sources import SceneReader
from zim_app.core.images import Image, load_image
from zim_app.core.training_pairs import save_pairs
from zim_model.errors import ZimError

ALPHA = np.zeros((40, 60), np.uint16)
ALPHA[10:30, 10:40] = 65535
ALPHA[10:30, 40:50] = 32896  # 128 of 255
OTHER = ALPHA[::-1, ::-1].copy()


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture
def jpeg(tmp_path, pixels):
    path = tmp_path / "my.cat__1.jpg"
    PIL.Image.fromarray(pixels).save(path, quality=90)
    return path


def test_training_reads_the_pair_back(tmp_path, jpeg):
    root = tmp_path / "train"
    photo = load_image(jpeg)
    [path] = save_pairs(photo, [ALPHA], root)
    assert path == root / "matte" / "studio__my-cat_1.alpha.png"
    assert (root / "matte" / "studio__my-cat_1.jpg").read_bytes() == jpeg.read_bytes()
    (root / "background").mkdir()
    PIL.Image.new("RGB", (300, 300)).save(root / "background" / "b.png")
    reader = SceneReader(root)
    [pool] = [pool for pool in reader.pools if pool.kind == "matte"]
    scene = reader.draw_scene_from(np.random.default_rng(0), pool)
    assert np.array_equal(scene.image, photo.rgb)
    assert np.array_equal(scene.alpha, np.float32(ALPHA / 65535))
    assert scene.exact


def test_nothing_is_replaced_or_saved_twice(tmp_path, jpeg, pixels):
    photo = load_image(jpeg)
    paths = save_pairs(photo, [ALPHA, OTHER], tmp_path / "t")
    before = {p: p.read_bytes() for p in (tmp_path / "t" / "matte").iterdir()}
    assert len(before) == 4
    assert len({path.name.partition(".")[0] for path in paths}) == 1, (
        "one image, one family"
    )
    assert save_pairs(photo, [OTHER, ALPHA], tmp_path / "t" / "matte") == paths[::-1]
    same_name = Image.from_array(pixels[::-1], jpeg.name)
    [third] = save_pairs(same_name, [ALPHA], tmp_path / "t")
    assert third.name == "studio__my-cat_1-2.alpha.png"
    assert third.name.partition(".")[0] != paths[0].name.partition(".")[0]
    now = {p: p.read_bytes() for p in (tmp_path / "t" / "matte").iterdir()}
    assert len(now) == 6
    assert before.items() <= now.items()


@pytest.mark.parametrize("kind", ["turned", "grey16", "gone", "pasted"])
def test_a_file_that_reads_otherwise_is_written_anew(tmp_path, jpeg, pixels, kind):
    path = tmp_path / "other.png"
    if kind == "turned":
        exif = PIL.Image.Exif()
        exif[0x0112] = 6
        path = tmp_path / "other.jpg"
        PIL.Image.fromarray(pixels.swapaxes(0, 1).copy()).save(path, exif=exif)
    elif kind == "grey16":
        PIL.Image.fromarray(np.full((40, 60), 30000, np.uint16)).save(path)
    else:
        PIL.Image.fromarray(pixels).save(path)
    photo = load_image(path)
    if kind == "gone":
        path.unlink()
    if kind == "pasted":
        photo = Image.from_array(pixels, "pasted")
    alpha = np.full(photo.rgb.shape[:2], 65535, np.uint16)
    [matte] = save_pairs(photo, [alpha], tmp_path / "t")
    image = matte.with_name(matte.name.replace(".alpha", ""))
    with PIL.Image.open(image) as file:
        assert np.array_equal(file.convert("RGB"), photo.rgb)
    with PIL.Image.open(matte) as file:
        assert (file.mode, file.size) == ("L", (photo.width, photo.height))


def test_a_failed_save_is_reported_and_leaves_nothing(tmp_path, jpeg):
    photo = load_image(jpeg)
    with pytest.raises(ZimError, match="empty"):
        save_pairs(photo, [ALPHA, ALPHA * 0], tmp_path / "t")
    assert not (tmp_path / "t").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(ZimError, match="cannot be written"):
        save_pairs(photo, [ALPHA], tmp_path / "file")
