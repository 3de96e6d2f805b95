import numpy as np
import pytest

from zim_model import ZimPredictor
from zim_model.errors import ImageError, PromptError
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request

IMAGE = np.random.default_rng(0).integers(0, 256, (90, 130, 3), dtype=np.uint8)


@pytest.fixture
def predictor(small_vit):
    predictor = ZimPredictor(small_vit, "cpu")
    predictor.set_image(IMAGE)
    return predictor


def test_arrays_have_the_image_size(predictor):
    masks, scores, logits = predictor.predict(
        point_coords=np.array([[40, 50]]), point_labels=np.array([1])
    )
    assert masks.shape == (4, 90, 130)
    assert masks.dtype == np.float32
    assert 0 <= masks.min() <= masks.max() <= 1
    assert scores.shape == (4,)
    assert logits.shape[0] == 4


def test_one_mask_is_the_first_of_four(predictor):
    prompts = {"box": np.array([10, 20, 80, 70])}
    four, scores, _ = predictor.predict(**prompts, multimask_output=True)
    one, score, _ = predictor.predict(**prompts, multimask_output=False)
    np.testing.assert_allclose(one, four[:1], atol=1e-6)
    np.testing.assert_array_equal(score, scores[:1])


def test_logits_on_request(predictor):
    box = np.array([10, 20, 80, 70])
    masks, _, _ = predictor.predict(box=box)
    logits, _, _ = predictor.predict(box=box, return_logits=True)
    np.testing.assert_allclose(masks, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_points_are_not_dropped_beside_a_box(predictor):
    box = [10, 20, 80, 70]
    alone, _, _ = predictor.predict(box=box)
    both, _, _ = predictor.predict([[40, 50]], [1], box)
    assert np.abs(alone - both).max() > 1e-4


def test_bgr_is_the_same_image(small_vit, predictor):
    other = ZimPredictor(small_vit, "cpu")
    other.set_image(np.ascontiguousarray(IMAGE[..., ::-1]), image_format="BGR")
    a, _, _ = predictor.predict([[40, 50]], [1])
    b, _, _ = other.predict([[40, 50]], [1])
    np.testing.assert_array_equal(a, b)


def test_an_object_model_predicts_nothing_far_from_its_box(small_tiny):
    predictor = ZimPredictor(small_tiny, "cpu")
    predictor.set_image(IMAGE)
    masks, _, _ = predictor.predict(box=[10, 10, 40, 40])
    assert masks[:, :, 100:].max() < 1e-6
    assert masks[:, 10:40, 10:40].max() > 1e-6


def test_the_first_matte_of_zim_tiny_is_that_of_the_engine() -> None:
    image = np.full((90, 130, 3), 60, np.uint8)
    image[20:70, 30:80] = (200, 150, 40)
    prompts = PromptSet((Point(50, 40), Point(90, 60, False)), Box(25, 15, 90, 75))
    matte = Engine().solve(Request(image, "a", Recipe(prompts)))
    predictor = ZimPredictor.from_pretrained("zim-tiny", "cpu")
    predictor.set_image(image)
    given = {
        "point_coords": [[50, 40], [90, 60]],
        "point_labels": [1, 0],
        "box": [25, 15, 90, 75],
    }
    masks, scores, _ = predictor.predict(**given)
    assert masks.shape == (4, 90, 130)
    np.testing.assert_array_equal(np.rint(masks[0] * 65535), matte.alpha)
    np.testing.assert_array_equal(scores, matte.scores)
    logits, _, _ = predictor.predict(
        **given, multimask_output=False, return_logits=True
    )
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), masks[:1], atol=2e-6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"point_coords": [[20, 10]]},
        {"point_coords": [[20, 10]], "point_labels": [2]},
        {"point_coords": [20, 10], "point_labels": [1, 1]},
        {"box": [1, 2, 3]},
    ],
)
def test_bad_prompts(predictor, arguments):
    with pytest.raises(PromptError):
        predictor.predict(**arguments)


def test_an_image_must_be_set(predictor):
    assert predictor.is_image_set
    assert predictor.get_image_embedding().shape == (1, 32, 8, 8)
    predictor.reset_image()
    assert not predictor.is_image_set
    with pytest.raises(PromptError, match="set_image"):
        predictor.predict([[1, 1]], [1])


@pytest.mark.parametrize(
    "image",
    [IMAGE[..., 0, None, None], IMAGE.astype(np.float32), IMAGE.astype(np.int64)],
)
def test_other_arrays_are_refused(predictor, image):
    with pytest.raises(ImageError, match="uint8"):
        predictor.set_image(image)
