"""What scripts hand over wrongly: every public call names the argument, and a cure."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zim_model
from tests.zim_model.conftest import random_vitmatte
from zim_app.core.export import ExportOptions, ExportTarget, export
from zim_app.core.images import Image as Photo
from zim_model import ZimAutomaticMaskGenerator, ZimPredictor, load_model
from zim_model.backends.trimap_network import TrimapNetwork
from zim_model.conversion.converter import Converter
from zim_model.errors import ZimError
from zim_model.inference.engine import Engine
from zim_model.inference.trimap_refinement import refine_with_trimap, solve_trimap
from zim_model.matting.foreground import estimate_foreground
from zim_model.matting.shadow import estimate_shadow
from zim_model.matting.trimap import make_trimap
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

NAN, INF = float("nan"), float("inf")
IMAGE = np.random.default_rng(0).integers(0, 256, (90, 130, 3), dtype=np.uint8)
MASK = np.zeros((90, 130), np.uint8)
MASK[20:60, 30:80] = 255
ALPHA = MASK.astype(np.uint16) * 257
BOX = (20, 20, 80, 70)

IMAGES: dict[str, Any] = {
    "none": None,
    "a number": 3,
    "a dictionary": {},
    "a set": {1},
    "rows of unequal lengths": [[1, 2], [3]],
    "a path": "nothing.jpg",
    "a Path": Path("nothing.jpg"),
    "bytes": b"no image",
    "no pixels": np.zeros((0, 0, 3), np.uint8),
    "one dimension": np.zeros(5, np.uint8),
    "five dimensions": np.zeros((1, 1, 1, 1, 3)),
    "five channels": np.zeros((4, 5, 5), np.uint8),
    "channels first": np.zeros((3, 90, 130), np.uint8),
    "integers": np.zeros((90, 130, 3), np.int64),
    "floats to 255": np.full((90, 130, 3), 200.0),
    "not numbers": np.full((90, 130, 3), NAN),
    "booleans": np.zeros((90, 130), bool),
    "complex": np.zeros((90, 130, 3), complex),
    "objects": np.array([[None]]),
    "text": np.array([["a"]]),
    "a tensor": torch.zeros(3, 90, 130),
}
PLANES: dict[str, Any] = {
    "none": None,
    "a list": MASK.tolist(),
    "a path": "mask.png",
    "a PIL image": Image.fromarray(MASK),
    "three channels": np.dstack([MASK] * 3),
    "another size": MASK[:50],
    "no pixels": np.zeros((0, 0), np.uint8),
    "integers": MASK.astype(np.int64),
    "floats": MASK / 255,
    "not numbers": np.full((90, 130), NAN),
    "a tensor": torch.from_numpy(MASK),
}
BOXES: dict[str, Any] = {
    "three numbers": [1, 2, 3],
    "five numbers": [1, 2, 3, 4, 5],
    "a word": "abcd",
    "not a number": [NAN, 1, 2, 3],
    "infinite": [0, 0, INF, 10],
    "empty": [],
    "a number": 5,
    "a dictionary": {"x": 1},
    "complex": [1j, 1, 2, 3],
    "none in it": [None, 1, 2, 3],
    "two, one of them wrong": [[1, 1, 40, 40], [NAN, 1, 2, 3]],
    "rows of five": np.zeros((2, 5)),
    "three dimensions": np.zeros((2, 3, 4)),
    "more digits than a float has": [0, 0, 10**400, 3],
}
POINTS: dict[str, Any] = {
    "one dimension": [1, 2],
    "three columns": [[1, 2, 3]],
    "a word": "ab",
    "not a number": [[NAN, 1]],
    "infinite": [[INF, 1]],
    "none in it": [[None, 1]],
    "a dictionary": {},
    "a number": 3,
    "rows of unequal lengths": [[1, 2], [3]],
    "three dimensions": np.zeros((1, 1, 2)),
    "complex": [[1j, 2]],
}
LABELS: dict[str, Any] = {
    "none": None,
    "too many": [1, 1],
    "unknown": [5],
    "a half": [0.5],
    "not a number": [NAN],
    "a word": ["a"],
    "a number": 1,
    "two dimensions": [[1]],
    "empty": [],
    "more digits than a float has": [10**400],
}
MASK_INPUTS: dict[str, Any] = {
    "another size": np.zeros((1, 7, 7)),
    "four": np.zeros((4, 32, 32)),
    "one dimension": np.zeros(5),
    "a number": 3,
    "not numbers": np.full((1, 32, 32), NAN),
    "a word": "a",
    "empty": [],
    "complex": np.zeros((32, 32), complex),
}
COLOURS: dict[str, Any] = {
    "two": (1, 2),
    "four": (1, 2, 3, 4),
    "above 255": (300, 0, 0),
    "below 0": (-1, 0, 0),
    "floats above 1": (255.0, 128.0, 0.0),
    "a float and 200": (0.5, 200, 3),
    "not a number": (NAN, 0, 0),
    "a number": 0.5,
    "booleans": (True, False, True),
    "text": ("1", "2", "3"),
    "complex": (1j, 0, 0),
    "no name": "nocolour",
    "an image": IMAGE,
    "a missing photo": Path("nothing.jpg"),
}
MODELS: dict[str, Any] = {
    "none": None,
    "a number": 3,
    "bytes": b"zim-tiny",
    "a list": [],
    "empty": "",
    "unknown": "nothing",
    "a missing file": Path("nothing.safetensors"),
    "a missing checkpoint": "nothing.pth",
    "not in the hub's cache": "a/b",
    "a zero byte": "a\0b",
    "too long": "a" * 5000,
}
NETWORKS: dict[str, Any] = {
    "none": None,
    "a name": "zim-tiny",
    "a number": 3,
    "another network": torch.nn.Linear(1, 1),
    "a class": ZimPredictor,
}
SETTINGS: dict[str, tuple[Any, ...]] = {
    "points_per_side": (0, 1.5, "a", NAN, 10**9, None),
    "points_per_batch": (0, 1.5, "a", None),
    "pred_iou_thresh": ("a", NAN, None),
    "stability_score_thresh": ("a", NAN),
    "stability_score_offset": ("a", NAN, 0, 0.7),
    "box_nms_thresh": ("a", NAN, None),
    "crop_n_layers": (-1, 5, 1.5, "a", None),
    "crop_nms_thresh": ("a", NAN, None),
    "crop_overlap_ratio": (1, -1, "a", NAN, None),
    "crop_n_points_downscale_factor": (0, 1.5, "a", None),
    "min_mask_region_area": ("a", -1, NAN, None),
    "output_mode": ("png", None, []),
}
GRIDS: dict[str, Any] = {
    "a number": 3,
    "empty": [],
    "a word": "ab",
    "one dimension": [[0.5, 0.5]],
    "up to 1": [np.array([[1.0, 0.5]])],
    "not a number": [np.array([[NAN, 0.5]])],
    "rows of unequal lengths": [[[1, 2], [3]]],
    "text": [[["a", "b"]]],
    "none in it": [None],
}


@pytest.fixture(scope="module")
def predictors(small_vit, small_tiny) -> list[ZimPredictor]:
    made = [ZimPredictor(model, "cpu") for model in (small_vit, small_tiny)]
    for predictor in made:
        predictor.set_image(IMAGE)
    return made


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.load()


@pytest.fixture(scope="module")
def network() -> TrimapNetwork:
    return TrimapNetwork(random_vitmatte(), "cpu")


def refused(call: Any, *arguments: Any, **named: Any) -> None:
    """Check that a call is an error with a cure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy's, of what is converted wrongly
        with pytest.raises(ZimError) as caught:
            call(*arguments, **named)
    assert caught.value.message, "it says what is wrong"
    assert caught.value.hint, f"and a cure: {caught.value.message}"


@pytest.mark.parametrize("name", IMAGES)
def test_images(name, small_tiny) -> None:
    image = IMAGES[name]
    predictor = ZimPredictor(small_tiny, "cpu")
    generator = ZimAutomaticMaskGenerator(small_tiny, points_per_side=1, device="cpu")
    refused(zim_model.remove, image, box=BOX)
    refused(zim_model.matte, image, box=BOX)
    refused(predictor.set_image, image)
    refused(predictor.set_image_batch, [image])
    refused(predictor.set_image_batch, image)
    refused(generator.generate, image)
    refused(estimate_foreground, image, ALPHA)
    refused(estimate_shadow, image, ALPHA)
    refused(lambda: Request(image, "key", Recipe(PromptSet(box=Box(*BOX)))).validate())


def test_a_file_is_told_how_to_be_opened(predictors) -> None:
    for source in ("cat.jpg", Path("cat.jpg"), b"\x89PNG"):
        with pytest.raises(ZimError, match=r"PIL\.Image\.open"):
            predictors[0].set_image(source)


@pytest.mark.parametrize("name", [*IMAGES, *PLANES])
def test_images_with_masks_and_trimaps(name, converter, network) -> None:
    trimap = MASK.copy()
    trimap[15:25] = 128
    if name in IMAGES:
        refused(converter.convert, IMAGES[name], MASK)
        refused(solve_trimap, IMAGES[name], trimap, network)
        refused(network.predict, IMAGES[name], trimap)
        refused(refine_with_trimap, ALPHA, IMAGES[name], network)
    if name in PLANES:
        refused(converter.convert, IMAGE, PLANES[name])
        refused(solve_trimap, IMAGE, PLANES[name], network)
        refused(network.predict, IMAGE, PLANES[name])
        refused(refine_with_trimap, PLANES[name], IMAGE, network)
        refused(estimate_foreground, IMAGE, PLANES[name])
        refused(estimate_shadow, IMAGE, PLANES[name])


@pytest.mark.parametrize("name", BOXES)
def test_boxes(name, predictors) -> None:
    refused(zim_model.remove, IMAGE, box=BOXES[name])
    for predictor in predictors:
        refused(predictor.predict, box=BOXES[name])


@pytest.mark.parametrize("name", POINTS)
def test_points(name, predictors) -> None:
    points = POINTS[name]
    if name not in ("three columns", "a dictionary"):  # labels; and no point at all
        refused(zim_model.remove, IMAGE, points=points)
    count = len(points) if hasattr(points, "__len__") else 1
    for predictor in predictors:
        refused(predictor.predict, points, np.ones(count))


@pytest.mark.parametrize("name", LABELS)
def test_labels(name, predictors) -> None:
    for predictor in predictors:
        refused(predictor.predict, [[40, 50]], LABELS[name])


@pytest.mark.parametrize("name", MASK_INPUTS)
def test_mask_inputs(name, predictors) -> None:
    for predictor in predictors:  # zim-tiny takes none at all
        refused(predictor.predict, [[40, 50]], [1], mask_input=MASK_INPUTS[name])


def test_what_belongs_together(predictors) -> None:
    for predictor in predictors:
        refused(predictor.predict, None, [1])
        refused(predictor.set_image, IMAGE, "XYZ")
        refused(predictor.set_image, IMAGE, None)
        refused(predictor.predict_batch, box_batch=[BOX])
        batch = ZimPredictor(predictor.backend)
        refused(batch.predict, box=BOX)
        batch.set_image_batch([IMAGE, IMAGE[:50]])
        for wrong in ([BOX], 3, "ab", {1: 2, 3: 4}, [BOX, [NAN, 1, 2, 3]]):
            refused(batch.predict_batch, box_batch=wrong)
        refused(batch.predict_batch, [[[1, 1]], [[2, 2]]])


def test_tensors(predictors) -> None:
    predictor, tensor = predictors[0], torch.tensor
    for coords, labels, boxes in (
        (np.zeros((1, 1, 2)), np.ones((1, 1)), None),
        ([[[1, 2]]], [[1]], None),
        ("a", "b", None),
        (tensor([[1.0, 2]]), tensor([[1]]), None),
        (tensor([[[1.0, 2]]]), tensor([1]), None),
        (tensor([[[NAN, 2]]]), tensor([[1]]), None),
        (tensor([[[1.0, 2]]]), tensor([[5]]), None),
        (tensor([[[1.0, 2]]]), tensor([[0.5]]), None),
        (torch.zeros(1, 1, 2, dtype=torch.complex64), tensor([[1]]), None),
        (torch.zeros(0, 1, 2), torch.zeros(0, 1), None),
        (None, None, tensor([[1.0, 2, 3]])),
        (None, None, tensor([1.0, 2, 3, 4])),
        (None, None, torch.zeros(0, 4)),
        (tensor([[[1.0, 2]]]), tensor([[1]]), torch.zeros(2, 4)),
    ):
        refused(predictor.predict_torch, coords, labels, boxes)
    scaled = torch.zeros(1, 3, 89, 128)
    for given, size in (
        (None, (90, 130)),
        (np.zeros((1, 3, 89, 128)), (90, 130)),
        (scaled[0], (90, 130)),
        *((scaled, wrong) for wrong in (None, "ab", (0, 0), (90, 130, 3), (NAN, 130))),
    ):
        refused(predictor.set_torch_image, given, size)


@pytest.mark.parametrize("name", COLOURS)
def test_backgrounds(name) -> None:
    refused(zim_model.remove, IMAGE, box=BOX, background=COLOURS[name])


def test_backgrounds_of_floats_are_from_0_to_1() -> None:
    for colour in ((0.2, 0.6, 1.0), np.array([0.2, 0.6, 1.0], np.float32)):
        cut_out = zim_model.remove(IMAGE, box=BOX, background=colour)
        assert cut_out[0, 0].tolist() == [51, 153, 255]
    for colour in ((51, 153, 255), np.array([51, 153, 255], np.uint8)):
        cut_out = zim_model.remove(IMAGE, box=BOX, background=colour)
        assert cut_out[0, 0].tolist() == [51, 153, 255]
    assert zim_model.remove(IMAGE, box=BOX, background=(1, 1, 1))[0, 0].max() == 1


def test_amounts_and_choices() -> None:
    for amount in ("a", 2, -1, NAN, [1], 1j, True):
        refused(zim_model.remove, IMAGE, box=BOX, decontaminate=amount)
        refused(estimate_foreground, IMAGE, ALPHA, amount=amount)
    refused(estimate_foreground, IMAGE, ALPHA, method="another")
    for cell in (-1, NAN, "a", None):
        refused(make_trimap, ALPHA, cell)
    for subject in (None, 3, [], "nothing"):
        refused(zim_model.remove, IMAGE, subject=subject)
    refused(zim_model.remove, IMAGE, subject=False)


@pytest.mark.parametrize("name", MODELS)
def test_models_by_name(name) -> None:
    model = MODELS[name]
    for call in (load_model, ZimPredictor.from_pretrained, Converter.load):
        refused(call, model)
    refused(zim_model.remove, IMAGE, box=BOX, model=model)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name, tmp_path) -> None:
    refused(ZimPredictor, NETWORKS[name])
    refused(ZimAutomaticMaskGenerator, NETWORKS[name])
    refused(zim_model.save_pretrained, NETWORKS[name], tmp_path)


def test_devices(small_tiny) -> None:
    for device in ("nothing", "cuda:99", 3, [], ""):
        refused(ZimPredictor, small_tiny, device)
        refused(ZimAutomaticMaskGenerator, small_tiny, device=device)
        refused(ZimPredictor.from_pretrained, "zim-tiny", device)
        refused(load_model, "zim-tiny", device)
        refused(Converter.load, device=device)
    assert ZimPredictor(small_tiny, torch.device("cpu")).device.type == "cpu"


def test_settings_of_everything_mode(small_vit) -> None:
    for name, values in SETTINGS.items():
        for value in values:
            refused(ZimAutomaticMaskGenerator, small_vit, device="cpu", **{name: value})
    for grids in GRIDS.values():
        refused(
            ZimAutomaticMaskGenerator,
            *(small_vit, None),
            point_grids=grids,
            device="cpu",
        )


def test_recipes() -> None:
    engine = Engine()
    for prompts in (
        PromptSet(box=BOX),  # type: ignore[arg-type]
        PromptSet(((1, 2),)),  # type: ignore[arg-type]
        PromptSet(box=Box("a", 1, 2, 3)),  # type: ignore[arg-type]
        PromptSet(box=Box(NAN, 1, 2, 3)),
        PromptSet((Point(NAN, 3),)),
    ):
        refused(engine.solve, Request(IMAGE, "key", Recipe(prompts)))
    for recipe in (None, {}, PromptSet(box=Box(*BOX))):
        refused(Request, IMAGE, "key", recipe)


def test_exports(tmp_path) -> None:
    photo = Photo.from_array(IMAGE, "photo")
    numbers = itertools.count()

    def write(alpha: Any = ALPHA, **options: Any) -> None:
        target = tmp_path / f"{next(numbers)}.png"
        export(photo, [ExportTarget(alpha)], target, ExportOptions(**options))

    write()
    for options in (
        {"what": "png"},
        {"what": "composite", "background": (0.5, 0.5, 0.5)},
        {"what": "composite", "background": (300, 0, 0)},
        {"quality": 500},
        {"depth": 7},
        {"decontaminate": "a"},
    ):
        refused(write, **options)
    for alpha in PLANES.values():
        refused(write, alpha)
