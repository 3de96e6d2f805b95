import json

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from zim_model.errors import ImageError, PromptError
from zim_model.evaluation.reading import (
    MAX_POINTS,
    as_alpha,
    read_image,
    read_matte,
    read_prompts,
    read_trimap,
    validate_prompts,
)
from zim_model.prompts import Box, Point, PromptSet


def test_eight_bits_give_the_value_over_255(tmp_path):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "m.png")
    alpha = as_alpha(read_matte(tmp_path / "m.png"))
    np.testing.assert_array_equal(alpha, grey.astype(np.float32) / np.float32(255))


def test_sixteen_bits_are_kept(tmp_path):
    words = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(words).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_matte(tmp_path / "m.png"), words)


def test_a_trimap_does_not_know_where_it_is_grey(tmp_path):
    grey = np.array([[0, 128, 255]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "t.png")
    assert read_trimap(tmp_path / "t.png").tolist() == [[False, True, False]]


def test_an_image_is_turned_upright(tmp_path):
    image = Image.new("RGB", (4, 2))
    exif = image.getexif()
    exif[274] = 6  # a quarter turn
    image.save(tmp_path / "p.jpg", exif=exif)
    assert read_image(tmp_path / "p.jpg").shape == (4, 2, 3)


@pytest.mark.parametrize("content", [None, b"", b"no image", "truncated"])
def test_an_unreadable_image_is_named(tmp_path, content):
    path = tmp_path / "broken.png"
    if content == "truncated":
        noise = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
        Image.fromarray(noise).save(path)
        content = path.read_bytes()[:900]
    if content is not None:
        path.write_bytes(content)
    for read in (read_image, read_matte, read_trimap):
        with pytest.raises(ImageError, match=r"broken\.png"):
            read(path)


def write(path, data):
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_prompts_of_the_data_set_are_read(tmp_path):
    rows = [[1, 2, 1], [-1, -1, -1], [3.5, 4, 0]]
    path = write(tmp_path / "p.json", {"point": rows, "bbox": [7, 8, 1, 2]})
    prompts = read_prompts(path)
    assert prompts["point"] == PromptSet((Point(1, 2), Point(3.5, 4, False)))
    assert prompts["box"] == PromptSet((), Box(1, 2, 7, 8))


def test_only_so_many_points_count(tmp_path):
    rows = [[-1, -1, -1]] + [[i, 0, 1] for i in range(70)]
    prompts = read_prompts(write(tmp_path / "p.json", {"point": rows}))
    assert [point.x for point in prompts["point"].points] == list(range(MAX_POINTS))
    assert "box" not in prompts


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[1, 2]",
        {"point": [[1, 2]]},
        {"point": [[1, 2, 5]]},
        {"point": [["1", 2, 1]]},
        {"point": 3},
        {"bbox": [1, 2, 3]},
        {"bbox": [1, 2, 3, None]},
        {"bbox": [1, 2, 3, True]},
    ],
)
def test_a_malformed_file_of_prompts_is_named(tmp_path, data):
    with pytest.raises(PromptError, match=r"p\.json"):
        read_prompts(write(tmp_path / "p.json", data))


def test_any_failure_of_the_decoder_names_the_file(tmp_path, monkeypatch):
    Image.new("RGB", (4, 2)).save(tmp_path / "a.png")

    def fail(image):
        raise RuntimeError("Decoding of the frame failed")

    monkeypatch.setattr(PngImageFile, "load", fail)
    with pytest.raises(ImageError, match=r"a\.png cannot be read: Decoding"):
        read_image(tmp_path / "a.png")


def test_a_missing_file_of_prompts_is_named(tmp_path):
    with pytest.raises(PromptError, match=r"p\.json cannot be read"):
        read_prompts(tmp_path / "p.json")


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet((Point(10, 5),)),
        PromptSet((Point(-1, 5),)),
        PromptSet((), Box(0, 0, 12, 5)),
        PromptSet((), Box(float("nan"), 0, 8, 5)),
        PromptSet((), Box(20, 20, 30, 30)),
        PromptSet(),
    ],
)
def test_prompts_outside_the_image_are_refused(prompts):
    with pytest.raises(PromptError):
        validate_prompts(prompts, (10, 10))


def test_a_box_may_reach_a_pixel_beyond_the_border():
    prompts = validate_prompts(PromptSet((), Box(0, 0, 11, 10)), (10, 10))
    assert prompts.box == Box(0, 0, 10, 10)
