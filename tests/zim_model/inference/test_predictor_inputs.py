"""Images of other kinds, several boxes, several images: as SAM 2's predictor."""

import numpy as np
import pytest
from PIL import Image

from zim_model import ZimPredictor
from zim_model.errors import ImageError, PromptError

IMAGE = np.random.default_rng(0).integers(0, 256, (90, 130, 3), dtype=np.uint8)
BOX = [10, 20, 80, 70]


@pytest.fixture
def predictor(small_vit):
    return ZimPredictor(small_vit, "cpu")


@pytest.fixture
def expected(predictor):
    predictor.set_image(IMAGE)
    return predictor.predict(box=BOX)[0]


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(IMAGE),
        IMAGE / 255,
        IMAGE.astype(np.uint16) * 257,
        np.dstack([IMAGE, np.full((90, 130), 255, np.uint8)]),
    ],
    ids=["pil", "floats", "uint16", "rgba"],
)
def test_the_same_image_of_another_kind(predictor, expected, image):
    predictor.set_image(image)
    np.testing.assert_array_equal(predictor.predict(box=BOX)[0], expected)


def test_a_grey_image(predictor):
    predictor.set_image(IMAGE[..., 0])
    assert predictor.predict(box=BOX)[0].shape == (4, 90, 130)


@pytest.mark.parametrize("model", ["small_vit", "small_tiny"])
def test_several_boxes_are_predicted_each_by_itself(model, request):
    predictor = ZimPredictor(request.getfixturevalue(model), "cpu")
    predictor.set_image(IMAGE)
    boxes = np.array([BOX, [40, 30, 120, 85]])
    masks, scores, logits = predictor.predict(box=boxes, multimask_output=False)
    assert masks.shape == (2, 1, 90, 130)
    assert scores.shape == (2, 1)
    assert logits.shape[:2] == (2, 1)
    for mask, box in zip(masks, boxes, strict=True):
        alone = predictor.predict(box=box, multimask_output=False)[0]
        np.testing.assert_array_equal(mask, alone)


def test_a_batch_is_each_image_by_itself(predictor, expected):
    other = IMAGE[:60, :70]
    predictor.set_image_batch([IMAGE, Image.fromarray(other)])
    points, labels = [None, [[30, 20]]], [None, [1]]
    masks, scores, logits = predictor.predict_batch(points, labels, [BOX, None])
    np.testing.assert_array_equal(masks[0], expected)
    assert masks[1].shape == (4, 60, 70)
    assert len(scores) == len(logits) == 2
    predictor.set_image(other)
    np.testing.assert_array_equal(predictor.predict([[30, 20]], [1])[0], masks[1])
    with pytest.raises(PromptError, match="set_image_batch"):
        predictor.predict_batch(box_batch=[BOX])


def test_a_batch_needs_prompts_for_each_image(predictor):
    with pytest.raises(ImageError, match="at least one"):
        predictor.set_image_batch([])
    predictor.set_image_batch([IMAGE, IMAGE])
    with pytest.raises(PromptError, match="each of 2"):
        predictor.predict_batch(box_batch=[BOX])
    with pytest.raises(PromptError, match="set_image first"):
        predictor.predict(box=BOX)
