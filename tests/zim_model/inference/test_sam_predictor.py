"""The predictor beside the steps of SAM's and ZIM's code, written down plainly."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from tests.zim_model.conftest import (
    SMALL_HQ_SAM,
    SMALL_MOBILE_SAM,
    SMALL_SAM2,
    SMALL_VIT,
    random_model,
)
from zim_model import ZimPredictor
from zim_model.backends.torch_backend import TorchBackend
from zim_model.errors import ImageError, PromptError
from zim_model.evaluation.measures import zim_metrics
from zim_model.inference.engine import Engine
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD, sam_variant
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request

SIDE = SMALL_VIT.image_size
SIZES = [(90, 130), (131, 77), (61, 128), (200, 199)]
PROMPTS = {
    "a point": {"point_coords": [[40.5, 30]], "point_labels": [1]},
    "points": {"point_coords": [[40, 30], [10, 50], [3, 3]], "point_labels": [1, 0, 1]},
    "a negative point": {"point_coords": [[40, 30]], "point_labels": [0]},
    "a point beyond": {"point_coords": [[0, 500]], "point_labels": [1]},
    "padding": {"point_coords": [[40, 30], [0, 0]], "point_labels": [1, -1]},
    "a box": {"box": [10, 20, 60, 55]},
    "a swapped box": {"box": [60, 55, 10, 20]},
    "both": {"point_coords": [[40, 30]], "point_labels": [1], "box": [10, 20, 60, 55]},
    "nothing": {},
}


@pytest.fixture(scope="module")
def sam():
    return random_model(sam_variant(SMALL_VIT), seed=3)


@pytest.fixture(scope="module")
def sam2():
    return random_model(SMALL_SAM2, seed=5)


@pytest.fixture(scope="module")
def mobile_sam():
    return random_model(SMALL_MOBILE_SAM, seed=6)


@pytest.fixture(scope="module")
def hq_sam():
    return random_model(SMALL_HQ_SAM, seed=7)


@pytest.fixture(scope="module")
def zim():
    return random_model(SMALL_VIT, seed=4)


def an_image(size):
    rng = np.random.default_rng(size[0])
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8)


def input_size(size, *, stretch=False):
    if stretch:
        return SIDE, SIDE
    scale = SIDE / max(size)
    return int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)


@torch.no_grad()
def plainly(model, image, prompts, mask_input=None):
    """Logits at the image's size (4, H, W), scores (4,) and raw logits (1, 4, g, g)."""
    size = image.shape[:2]
    height, width = input_size(size, stretch=model.config.stretch)
    scaled = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    pixels = (np.asarray(scaled, np.float32) - PIXEL_MEAN) / PIXEL_STD
    padded = np.zeros((1, 3, SIDE, SIDE), np.float32)
    padded[0, :, :height, :width] = pixels.transpose(2, 0, 1)
    factor = np.array([width / size[1], height / size[0]])
    coords = np.array(prompts.get("point_coords", np.zeros((0, 2))), float) * factor
    labels = list(prompts.get("point_labels", []))
    if "box" in prompts:
        corners = np.array(prompts["box"], float).reshape(2, 2) * factor
        coords, labels = np.concatenate([coords, corners]), [*labels, 2, 3]
    elif labels:
        coords, labels = np.concatenate([coords, [[0, 0]]]), [*labels, -1]
    features = model.encode(torch.from_numpy(padded))
    logits, scores = model.decode(
        features,
        torch.from_numpy(coords).float()[None],
        torch.tensor(labels, dtype=torch.long)[None],
        mask_input=mask_input,
    )
    large = F.interpolate(logits, (SIDE, SIDE), mode="bilinear", align_corners=False)
    large = large[..., :height, :width]
    full = F.interpolate(large, size, mode="bilinear", align_corners=False)
    return full[0].numpy(), scores[0].numpy(), logits


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["sam", "mobile_sam", "sam2", "hq_sam"])
@pytest.mark.parametrize("prompts", PROMPTS.values(), ids=PROMPTS)
def test_a_sam_gives_what_metas_code_gives(kind, size, prompts, request):
    sam = request.getfixturevalue(kind)
    predictor = ZimPredictor(sam, "cpu")
    image = an_image(size)
    predictor.set_image(image)
    full, scores, raw = plainly(sam, image, prompts)
    masks, found, low = predictor.predict(**prompts)
    assert masks.dtype == np.bool_
    assert masks.shape == (3, *size)
    np.testing.assert_allclose(found, scores[1:], atol=1e-5)
    np.testing.assert_allclose(low, raw[0, 1:], atol=1e-5)
    assert low.shape == (3, SIDE // 4, SIDE // 4)
    assert (masks == (full[1:] > 0)).mean() > 0.9999
    logits, _, _ = predictor.predict(**prompts, return_logits=True)
    np.testing.assert_allclose(logits, full[1:], atol=1e-5)
    one, score, _ = predictor.predict(**prompts, multimask_output=False)
    assert one.shape == (1, *size)
    assert (one[0] == (full[0] > 0)).mean() > 0.9999
    np.testing.assert_allclose(score, scores[:1], atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("prompts", PROMPTS.values(), ids=PROMPTS)
def test_a_zim_gives_what_the_official_code_gives(zim, size, prompts):
    predictor = ZimPredictor(zim, "cpu")
    image = an_image(size)
    predictor.set_image(image)
    full, scores, raw = plainly(zim, image, prompts)
    mattes, found, low = predictor.predict(**prompts)
    assert mattes.dtype == np.float32
    np.testing.assert_allclose(mattes, 1 / (1 + np.exp(-full)), atol=1e-5)
    np.testing.assert_allclose(found, scores, atol=1e-5)
    means = raw.reshape(4, SIDE // 4, 2, SIDE // 4, 2).mean((2, 4))
    np.testing.assert_allclose(low, means, atol=1e-5)


@pytest.mark.parametrize("kind", ["sam", "sam2", "zim"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["a point", "points", "a box", "both"])
def test_the_engines_official_upsampling_is_the_official_codes(
    kind, size, name, request
):
    model, image, prompts = request.getfixturevalue(kind), an_image(size), PROMPTS[name]
    full, scores, _ = plainly(model, image, prompts)
    expected = full[0] > 0 if kind != "zim" else 1 / (1 + np.exp(-full[0]))
    given = PromptSet.from_arrays(
        prompts.get("point_coords"), prompts.get("point_labels"), prompts.get("box")
    )
    recipe = Recipe(prompts=given, options=Options(upsampling="official"))
    engine = Engine(lambda model_name, placement: TorchBackend(model, "cpu"))
    matte = engine.solve(Request(image, "key", recipe))
    off = np.abs(matte.alpha / 65535 - expected)
    if kind != "zim":
        assert set(np.unique(matte.alpha)) <= {0, 65535}
        assert (off > 0).mean() < 1e-4
    else:
        assert off.max() < 1.8e-5, "16 bits, and floating point"
        truth = truth_of(expected)
        found = zim_metrics(np.float32(matte.alpha / 65535), truth)
        for key, value in zim_metrics(np.float32(expected), truth).items():
            assert found[key] == pytest.approx(value, rel=1e-3), key
    np.testing.assert_allclose(matte.scores, scores, atol=1e-5)


def truth_of(alpha):
    """Another matte of that size, as ground truth."""
    return np.float32(np.roll(alpha, (3, 5), (0, 1)) > 0.5)


def test_the_official_code_has_no_second_prediction(zim):
    engine = Engine(lambda model_name, placement: TorchBackend(zim, "cpu"))
    options = Options(upsampling="official", flip_tta=True)
    recipe = Recipe(PromptSet((Point(40, 30),)), options=options)
    with pytest.raises(PromptError, match="mirrored"):
        engine.solve(Request(an_image((90, 130)), "key", recipe))


@pytest.mark.parametrize("kind", ["sam", "sam2", "zim"])
@pytest.mark.parametrize("size", SIZES)
def test_low_resolution_logits_can_be_fed_back(kind, size, request):
    model, image = request.getfixturevalue(kind), an_image(size)
    predictor, prompts = ZimPredictor(model, "cpu"), PROMPTS["points"]
    predictor.set_image(image)
    _, scores, low = predictor.predict(**prompts)
    best = low[np.argmax(scores)][None]
    full, expected, _ = plainly(
        model, image, prompts, torch.from_numpy(best.copy())[None]
    )
    logits, found, _ = predictor.predict(**prompts, mask_input=best, return_logits=True)
    np.testing.assert_allclose(logits, full[-len(logits) :], atol=1e-4)
    np.testing.assert_allclose(found, expected[-len(found) :], atol=1e-5)
    without, _, _ = predictor.predict(**prompts, return_logits=True)
    assert np.abs(without - logits).max() > 1e-3


def test_batches_of_tensors_are_as_many_single_predictions(sam):
    predictor, image = ZimPredictor(sam, "cpu"), an_image((90, 130))
    predictor.set_image(image)
    boxes = np.array([[10, 20, 60, 55], [0, 0, 130, 90], [70, 5, 90, 80]])
    scale = predictor.transform
    given = scale.apply_boxes_torch(torch.from_numpy(boxes), image.shape[:2])
    masks, scores, low = predictor.predict_torch(None, None, given)
    assert masks.shape == (3, 3, 90, 130)
    assert masks.device == predictor.device
    for box, mask, score, logits in zip(boxes, masks, scores, low, strict=True):
        one, found, small = predictor.predict(box=box)
        assert (mask.numpy() == one).mean() > 0.999
        np.testing.assert_allclose(score, found, atol=1e-5)
        np.testing.assert_allclose(logits, small, atol=1e-4)
    points = torch.tensor([[[40.0, 30.0], [10.0, 50.0]]]).expand(2, 2, 2)
    labels = torch.tensor([[1, 0], [0, 1]])
    given = scale.apply_coords_torch(points, image.shape[:2])
    masks, _, _ = predictor.predict_torch(given, labels, return_logits=True)
    for mask, kinds in zip(masks, labels, strict=True):
        one, _, _ = predictor.predict(points[0], kinds, return_logits=True)
        np.testing.assert_allclose(mask, one, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_the_transform_scales_alike_for_arrays_and_tensors(kind, size, request):
    sam = request.getfixturevalue(kind)
    expected = input_size(size, stretch=sam.config.stretch)
    scale, image = ZimPredictor(sam, "cpu").transform, an_image(size)
    assert scale.target_length == SIDE
    scaled = scale.apply_image(image)
    assert scaled.shape == (*expected, 3)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    assert scale.apply_image_torch(tensor).shape == (1, 3, *expected)
    factor = np.array(expected)[::-1] / np.array(size)[::-1]
    points = np.array([[3.5, 7], [20, 30]])
    found = scale.apply_coords(points, size)
    np.testing.assert_allclose(found, points * factor)
    np.testing.assert_allclose(
        scale.apply_coords_torch(torch.from_numpy(points), size), found, rtol=1e-6
    )
    boxes = np.array([[3.5, 7, 20, 30], [0, 0, 50, 60]])
    found = scale.apply_boxes(boxes, size)
    np.testing.assert_allclose(
        found.reshape(-1, 2, 2), boxes.reshape(-1, 2, 2) * factor
    )
    np.testing.assert_allclose(
        scale.apply_boxes_torch(torch.from_numpy(boxes), size), found, rtol=1e-6
    )
    assert points.tolist() == [[3.5, 7], [20, 30]], "the argument stays as it is"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_a_scaled_tensor_is_the_same_image(kind, size, request):
    sam = request.getfixturevalue(kind)
    predictor, other, image = ZimPredictor(sam, "cpu"), ZimPredictor(sam, "cpu"), None
    image = an_image(size)
    predictor.set_image(image)
    scaled = other.transform.apply_image(image)
    other.set_torch_image(torch.from_numpy(scaled).permute(2, 0, 1)[None], size)
    assert other.original_size == predictor.original_size == size
    assert other.input_size == predictor.input_size
    assert other.input_size == input_size(size, stretch=sam.config.stretch)
    a, _, _ = predictor.predict(box=[10, 20, 60, 55], return_logits=True)
    b, _, _ = other.predict(box=[10, 20, 60, 55], return_logits=True)
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_attributes_are_those_of_sams_predictor(sam):
    predictor = ZimPredictor(sam, "cpu")
    assert not predictor.is_image_set
    assert predictor.original_size is None
    predictor.set_image(an_image((90, 130)))
    assert predictor.is_image_set
    assert predictor.model is sam
    assert predictor.transform.target_length == sam.image_encoder.img_size == SIDE
    assert predictor.device == torch.device("cpu")
    assert predictor.features.shape == predictor.get_image_embedding().shape
    predictor.reset_image()
    assert not predictor.is_image_set
    with pytest.raises(PromptError, match="set_image"):
        predictor.predict_torch(None, None)
    with pytest.raises(PromptError, match="set_image"):
        predictor.get_image_embedding()


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, "torch", list])
def test_prompts_of_any_type_are_accepted(sam, kind):
    predictor, image = ZimPredictor(sam, "cpu"), an_image((90, 130))
    predictor.set_image(np.asfortranarray(image[:, ::-1])[:, ::-1])
    expected, _, _ = predictor.predict(np.array([[40, 30]]), np.array([1]))
    points, labels, box = [[40, 30]], [1], [10, 20, 60, 55]
    if kind == "torch":
        given = [torch.tensor(x) for x in (points, labels, box)]
    elif kind is list:
        given = [points, labels, box]
    else:
        given = [np.array(x, kind) for x in (points, labels, box)]
    found, _, _ = predictor.predict(given[0], given[1])
    np.testing.assert_array_equal(found, expected)
    predictor.predict(given[0], given[1], box=given[2])


@pytest.mark.parametrize("kind", ["sam", "sam2", "zim"])
@pytest.mark.parametrize("several", [True, False])
def test_calling_the_model_with_a_batch_of_images(kind, several, request):
    model = request.getfixturevalue(kind)
    images = [an_image(size) for size in SIZES[:2]]
    scale, batch = ZimPredictor(model, "cpu").transform, []
    for image in images:
        boxes = torch.tensor([[10, 20, 60, 55], [5, 5, 40, 60]])
        scaled = torch.from_numpy(scale.apply_image(image)).permute(2, 0, 1)
        size = image.shape[:2]
        given = {"boxes": scale.apply_boxes_torch(boxes, size)}
        batch.append({"image": scaled, "original_size": size, **given})
    outputs = model(batch, multimask_output=several)
    for image, output in zip(images, outputs, strict=True):
        predictor = ZimPredictor(model, "cpu")
        predictor.set_image(image)
        masks, scores, low = predictor.predict(
            box=[5, 5, 40, 60], multimask_output=several
        )
        found = output["masks"][1].numpy()
        assert found.shape == masks.shape
        np.testing.assert_allclose(
            found.astype(float), masks.astype(float), atol=1e-4 if kind == "zim" else 1
        )
        assert (found == masks).mean() > 0.99 or kind == "zim"
        np.testing.assert_allclose(output["iou_predictions"][1], scores, atol=1e-5)
        np.testing.assert_allclose(output["low_res_logits"][1], low, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"point_coords": [[20, 10]], "point_labels": [2]}, "label"),
        ({"point_coords": [[20, np.nan]], "point_labels": [1]}, "finite"),
        ({"point_coords": [[20, 10]]}, "belong together"),
        ({"point_coords": [20, 10], "point_labels": [1, 1]}, "shape"),
        ({"box": [1, 2, 3]}, "four"),
        ({"box": [1, 2, 3, np.inf]}, "four"),
        ({"mask_input": np.zeros((1, 7, 9))}, "mask_input has shape"),
        ({"mask_input": np.zeros((3, SIDE // 4, SIDE // 4))}, "mask_input has shape"),
        ({"mask_input": np.zeros(5)}, "mask_input has shape"),
        ({"mask_input": np.full((SIDE // 4, SIDE // 4), np.nan)}, "not finite"),
        ({"mask_input": "mask.png"}, "numbers"),
        ({"point_coords": [[20, 10], [3]], "point_labels": [1, 1]}, "numbers"),
        ({"point_coords": [[20, 10]], "point_labels": [0.5]}, "label"),
    ],
)
def test_what_cannot_be_used_is_named(sam, arguments, words):
    predictor = ZimPredictor(sam, "cpu")
    predictor.set_image(an_image((90, 130)))
    with pytest.raises(PromptError, match=words):
        predictor.predict(**arguments)


TENSORS = {
    "point_coords": torch.rand(3, 2, 2) * SIDE,
    "point_labels": torch.tensor([[1, 0], [1, 1], [1, -1]]),
    "boxes": torch.rand(3, 4) * SIDE,
    "mask_input": torch.zeros(3, 1, SIDE // 4, SIDE // 4),
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"point_labels": None}, "belong together"),
        ({"point_coords": None}, "belong together"),
        ({"point_labels": TENSORS["point_labels"][:, :1]}, "point_labels has shape"),
        ({"boxes": TENSORS["boxes"][:2]}, "boxes has shape"),
        ({"point_coords": TENSORS["point_coords"][0]}, "point_coords has shape"),
        ({"mask_input": TENSORS["mask_input"][:2]}, "mask_input has shape"),
        ({"mask_input": TENSORS["mask_input"][..., :4, :4]}, "mask_input has shape"),
        ({"point_labels": TENSORS["point_labels"] + 2}, "label"),
        ({"boxes": TENSORS["boxes"] * torch.nan}, "boxes is not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_named(sam, changes, words):
    predictor = ZimPredictor(sam, "cpu")
    predictor.set_image(an_image((90, 130)))
    given = TENSORS | changes
    with pytest.raises(PromptError, match=words):
        predictor.predict_torch(
            given["point_coords"],
            given["point_labels"],
            given["boxes"],
            given["mask_input"],
        )
    record = {"image": torch.zeros(3, 90, SIDE), "original_size": (90, SIDE), **given}
    record["mask_inputs"] = record.pop("mask_input")
    with pytest.raises(PromptError, match=words):
        sam([record], multimask_output=False)


@pytest.mark.parametrize("kind", ["sam", "zim"])
def test_one_mask_input_serves_all_prompt_sets(kind, request):
    model = request.getfixturevalue(kind)
    predictor = ZimPredictor(model, "cpu")
    predictor.set_image(an_image((90, 130)))
    mask = torch.randn(2, 1, SIDE // 4, SIDE // 4)
    both, _, _ = predictor.predict_torch(None, None, mask_input=mask)
    assert len(both) == 2, "as many as masks, where there is nothing else"
    boxes = TENSORS["boxes"]
    one, _, _ = predictor.predict_torch(None, None, boxes, mask[:1])
    each, _, _ = predictor.predict_torch(
        None, None, boxes, mask[:1].expand(3, -1, -1, -1)
    )
    assert len(one) == 3
    torch.testing.assert_close(one, each)
    flat, _, _ = predictor.predict(mask_input=mask[0, 0].clone().requires_grad_())
    np.testing.assert_allclose(flat, both[0].numpy(), atol=1e-5)


def test_images_of_any_float_type_are_scaled_tensors(sam):
    predictor = ZimPredictor(sam, "cpu")
    pixels = torch.rand(1, 3, 64, SIDE) * 255
    found = []
    for kind in (torch.float32, torch.float64):
        predictor.set_torch_image(pixels.to(kind), (64, SIDE))
        found.append(predictor.predict([[40, 30]], [1], return_logits=True)[0])
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (3, 2000), (1, 1)])
def test_thin_images_have_a_pixel_across(sam, size):
    image = an_image(size)
    predictor, other = ZimPredictor(sam, "cpu"), ZimPredictor(sam, "cpu")
    predictor.set_image(image)
    scaled = torch.from_numpy(other.transform.apply_image(image)).permute(2, 0, 1)
    assert scaled.shape[1:] == predictor.input_size
    other.set_torch_image(scaled[None], size)
    for each in (predictor, other):
        masks, _, _ = each.predict([[0, 0]], [1])
        assert masks.shape[1:] == size


def test_an_image_without_pixels_is_refused(sam):
    with pytest.raises(ImageError, match=r"\(0, 9, 3\)"):
        ZimPredictor(sam, "cpu").set_image(np.zeros((0, 9, 3), np.uint8))


def test_a_tensor_of_another_image_is_refused(sam):
    predictor = ZimPredictor(sam, "cpu")
    with pytest.raises(ImageError, match="longer side"):
        predictor.set_torch_image(torch.zeros(1, 3, 50, 60), (50, 60))
    with pytest.raises(ImageError, match="130 x 90"):
        predictor.set_torch_image(torch.zeros(1, 3, SIDE, SIDE), (90, 130))
    assert not predictor.is_image_set


def test_zim_tiny_says_what_it_cannot(small_tiny):
    predictor = ZimPredictor(small_tiny, "cpu")
    predictor.set_image(an_image((90, 130)))
    with pytest.raises(PromptError, match="no tensors"):
        predictor.predict_torch(None, None, torch.zeros(1, 4))
    with pytest.raises(PromptError, match="no mask input"):
        predictor.predict(box=[1, 2, 30, 40], mask_input=np.zeros((1, 8, 8)))
