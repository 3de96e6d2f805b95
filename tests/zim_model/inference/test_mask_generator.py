import numpy as np
import pytest
import torch

import zim_model
from tests.zim_model.conftest import (
    SMALL_HQ_SAM,
    SMALL_MOBILE_SAM,
    SMALL_SAM2,
    SMALL_TINY,
    SMALL_VIT,
    random_model,
)
from zim_model.errors import ImageError, PromptError
from zim_model.inference.generator_geometry import (
    non_maximum_suppression,
    point_grid,
    remove_small_regions,
)
from zim_model.inference.mask_generator import ZimAutomaticMaskGenerator
from zim_model.matting.rle import encoded
from zim_model.network.config import sam_variant
from zim_model.network.decoder import MaskDecoder
from zim_model.prompts import Point, PromptSet

IMAGE = np.zeros((96, 128, 3), np.uint8)
IMAGE[20:60, 10:50] = 200
IMAGE[40:90, 70:120] = 120
SQUARES = {(10, 20, 39, 39), (70, 40, 49, 49)}
"""Boxes of the two squares; SAM counts from the first to the last pixel."""


class SquareBackend:
    """Predicts the pixels of the clicked colour; token 2 has low scores."""

    config = SMALL_VIT
    fingerprint = "squares"
    device_label = "fake"

    def __init__(self):
        self.encoded, self.together = [], []

    def encode(self, image, view):
        self.encoded.append(view)
        return Encoded(view, view.crop(image)[..., 0])

    def decode(self, encoded, prompts, mask_input=None):
        (point,) = prompts.points
        height, width = encoded.view.input_size
        rows, columns = encoded.view.cells(self.config.mask_stride)
        y = (np.arange(rows) + 0.5) * encoded.view.height / rows
        x = (np.arange(columns) + 0.5) * encoded.view.width / columns
        sampled = encoded.pixels[np.ix_(y.astype(int), x.astype(int))]
        at = sampled[
            min(rows - 1, int(point.y / height * rows)),
            min(columns - 1, int(point.x / width * columns)),
        ]
        sure = np.where(sampled == at, 9.0, -9.0).astype(np.float32)
        unsteady = np.where(sampled == at, 0.2, -0.2).astype(np.float32)
        nothing = np.full_like(sure, -9)
        scores = [0.9 + at / 1e4, 0.99, 0.5, 0.99]
        return np.stack([sure, unsteady, sure, nothing]), np.float32(scores)

    def decode_many(self, encoded, sets):
        self.together.append(len(sets))
        answers = [self.decode(encoded, prompts) for prompts in sets]
        return tuple(map(np.stack, zip(*answers, strict=True)))

    def decode_tokens(self, encoded, coords, labels, mask_input=None, wanted=None):
        sets = [PromptSet((Point(*map(float, each[0])),)) for each in coords]
        logits, scores = self.decode_many(encoded, sets)
        side = self.config.image_size // self.config.mask_stride
        padded = np.full((len(sets), 4, side, side), -9, np.float32)
        padded[..., : logits.shape[2], : logits.shape[3]] = logits
        padded, scores = torch.from_numpy(padded), torch.from_numpy(scores)
        return padded if wanted is None else padded[wanted(scores)], scores


class Encoded:
    nbytes = 1

    def __init__(self, view, pixels):
        self.view, self.pixels = view, pixels


def generate(image=IMAGE, config=SMALL_VIT, **options):
    backend = SquareBackend()
    backend.config = config
    options = {"points_per_side": 6} | options
    generator = ZimAutomaticMaskGenerator(backend, **options)
    return generator.generate(image), backend


@pytest.mark.parametrize("config", [SMALL_VIT, SMALL_TINY])
def test_every_object_is_found_once_with_the_fields_of_other_generators(config):
    records, backend = generate(config=config)
    assert len(backend.encoded) == 1
    assert {tuple(r["bbox"]) for r in records} == SQUARES | {(0, 0, 127, 95)}
    scores = [r["predicted_iou"] for r in records]
    assert scores == sorted(scores, reverse=True)
    first = records[0]
    assert set(first) == {
        *("segmentation", "matte", "logit", "area", "bbox", "predicted_iou"),
        *("point_coords", "stability_score", "crop_box"),
    }
    assert first["bbox"] == [10, 20, 39, 39]
    assert first["crop_box"] == [0, 0, 128, 96]
    assert first["area"] == first["segmentation"].sum() == 1600
    assert first["segmentation"].dtype == bool
    assert first["stability_score"] == 1
    ((x, y),) = first["point_coords"]
    assert first["segmentation"][int(y), int(x)]
    assert first["matte"].dtype == np.uint8
    assert first["matte"][40, 30] == 255
    assert first["matte"][5, 5] == 0
    np.testing.assert_array_equal(first["segmentation"], first["matte"] > 127)


def test_points_inside_found_objects_can_be_skipped():
    all_records, everywhere = generate(points_per_side=16)
    records, backend = generate(points_per_side=16, skip_covered=True)
    decoded = [sum(each.together) for each in (everywhere, backend)]
    assert decoded[1] < 0.9 * decoded[0]
    boxes = [{tuple(r["bbox"]) for r in each} for each in (all_records, records)]
    assert boxes[0] == boxes[1]


def test_points_are_decoded_together():
    _, backend = generate(points_per_batch=3)
    assert backend.together == [3] * 12


def test_a_sam_is_searched_as_meta_does():
    """Its candidates 1 to 3, and stability between logits of -1 and 1."""
    backend = SquareBackend()
    backend.config = sam_variant(SMALL_VIT)
    generator = ZimAutomaticMaskGenerator(backend, points_per_side=6)
    assert generator.stability_score_offset == 1
    assert generator.stability_score_thresh == 0.95
    assert generator.generate(IMAGE) == [], "only token 0 is sure and steady"
    generator = ZimAutomaticMaskGenerator(
        backend, points_per_side=6, stability_score_offset=0.1
    )
    records = generator.generate(IMAGE)  # token 1 is 0.2 above and below
    boxes = sorted(r["bbox"] for r in records)
    expected = sorted(SQUARES | {(0, 0, 127, 95)})
    np.testing.assert_allclose(boxes, expected, atol=2)  # half a cell of SAM's
    assert {round(r["predicted_iou"], 2) for r in records} == {0.99}


@pytest.mark.parametrize("size", [(90, 130), (131, 77), (301, 517), (128, 128)])
@pytest.mark.parametrize(
    "config",
    [SMALL_VIT, sam_variant(SMALL_VIT), SMALL_SAM2, SMALL_MOBILE_SAM, SMALL_HQ_SAM],
)
def test_mattes_are_those_of_the_predictor(size, config):
    model = random_model(config, seed=5)
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    generator = ZimAutomaticMaskGenerator(
        model,
        points_per_side=3,
        pred_iou_thresh=0,
        stability_score_thresh=0,
        box_nms_thresh=1,
        device="cpu",
    )
    records = generator.generate(image)
    assert records
    predictor = zim_model.ZimPredictor(model, "cpu")
    predictor.set_image(image)
    for record in records:
        logits, scores, _ = predictor.predict(
            record["point_coords"], [1], return_logits=True
        )
        full = logits[np.abs(scores - record["predicted_iou"]).argmin()]
        matte = 255 / (1 + np.exp(-full))
        np.testing.assert_allclose(record["matte"], matte, atol=0.51)
        assert ((full > 0) == record["segmentation"]).mean() > 0.999


def test_thresholds_decide_what_is_kept():
    assert generate(pred_iou_thresh=0.95)[0] == []
    unsteady, _ = generate(stability_score_thresh=0.0)
    assert {r["stability_score"] for r in unsteady} == {0.0}  # they are more stable
    low, _ = generate(pred_iou_thresh=0.915)
    assert [tuple(r["bbox"]) for r in low] == [(10, 20, 39, 39)]


def test_a_threshold_of_zero_keeps_negative_scores(monkeypatch):
    decode = SquareBackend.decode

    def badly(self, encoded, prompts, mask_input=None):
        logits, scores = decode(self, encoded, prompts)
        return logits, scores - 2

    monkeypatch.setattr(SquareBackend, "decode", badly)
    assert generate(pred_iou_thresh=0.1)[0] == []
    assert len(generate(pred_iou_thresh=0)[0]) == 3


def test_crops_find_what_lies_inside_them_once():
    large = IMAGE.repeat(3, 0).repeat(3, 1)
    records, backend = generate(large, crop_n_layers=1, crop_overlap_ratio=0.5)
    assert len(backend.encoded) == 5
    crops = {}
    for expected in ((30, 60, 119, 119), (210, 120, 149, 149), (0, 0, 383, 287)):
        off = [np.abs(np.subtract(r["bbox"], expected)).max() for r in records]
        (index,) = np.flatnonzero(np.array(off) <= 3)  # found once, to about a cell
        crops[expected] = tuple(records[index]["crop_box"])
    assert crops[30, 60, 119, 119] == (0, 0, 264, 216)
    assert crops[0, 0, 383, 287] == (0, 0, 384, 288)


@pytest.mark.parametrize("size", [(1, 90), (90, 1), (2, 2), (1, 1)])
def test_thin_images_have_fewer_crops(size):
    records, backend = generate(np.zeros((*size, 3), np.uint8), crop_n_layers=2)
    assert records[0]["segmentation"].shape == size
    assert all(view.width and view.height for view in backend.encoded)


def test_points_can_be_given():
    grid = np.array([[0.2, 0.4]])
    records, _ = generate(points_per_side=None, point_grids=[grid])
    assert [tuple(r["bbox"]) for r in records] == [(10, 20, 39, 39)]


@pytest.mark.parametrize("mode", ["uncompressed_rle", "coco_rle"])
def test_masks_come_as_run_lengths(mode):
    records, _ = generate(output_mode=mode)
    masks, _ = generate()
    expected = encoded(masks[0]["segmentation"], packed=mode == "coco_rle")
    assert records[0]["segmentation"] == expected
    assert records[0]["area"] == masks[0]["area"]


def test_small_islands_and_holes_go():
    mask = np.zeros((60, 60), bool)
    mask[5:20, 5:20] = True
    mask[10, 10] = False
    mask[25:27, 25:27] = True
    clean = remove_small_regions(mask, 10)
    expected = np.zeros_like(mask)
    expected[5:20, 5:20] = True
    np.testing.assert_array_equal(clean, expected)
    np.testing.assert_array_equal(remove_small_regions(mask, 0), mask)
    only = remove_small_regions(mask, 300)  # the largest island stays
    assert only[6, 6]
    assert not only[26, 26]


def test_cleaned_masks_have_cleaned_mattes():
    records, _ = generate(min_mask_region_area=20)
    for record in records:
        matte = record["matte"] > 127
        np.testing.assert_array_equal(matte, record["segmentation"])


def test_of_boxes_that_overlap_the_best_stays():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], float)
    assert non_maximum_suppression(boxes, [0.1, 0.9, 0.5], 0.7) == [1, 2]
    assert non_maximum_suppression(boxes, [0.1, 0.9, 0.5], 0.95) == [1, 2, 0]
    assert non_maximum_suppression(boxes[:0], [], 0.7) == []


def test_the_grid_is_that_of_sam():
    grid = point_grid(2)
    assert grid.tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


@pytest.mark.parametrize(
    "options",
    [
        {"points_per_side": None},
        {"point_grids": [point_grid(2)]},
        {"points_per_side": 0},
        {"points_per_batch": 0},
        {"stability_score_offset": 0.5},
        {"crop_n_layers": -1},
        {"output_mode": "png"},
        {"points_per_side": None, "point_grids": [[0.5, 0.5]]},
        {"points_per_side": None, "point_grids": [[[0.5, 1.5]]]},
        {"points_per_side": None, "point_grids": [[[0, 0]]], "crop_n_layers": 1},
    ],
)
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(PromptError):
        ZimAutomaticMaskGenerator(SquareBackend(), **options)


def test_other_images_are_refused():
    with pytest.raises(ImageError, match="uint8"):
        ZimAutomaticMaskGenerator(SquareBackend()).generate(IMAGE.astype(int))


def test_a_model_is_taken_as_it_is(small_vit):
    generator = zim_model.ZimAutomaticMaskGenerator(
        small_vit,
        points_per_side=2,
        pred_iou_thresh=-10,
        stability_score_thresh=0,
        device="cpu",
    )
    records = generator.generate(IMAGE)
    assert records
    assert all(r["matte"].shape == (96, 128) for r in records)


@pytest.mark.parametrize("variant", ["zim", "sam"])
def test_masks_of_low_scores_are_never_predicted(variant, monkeypatch):
    """Records are those of a generator that predicts all, and filters then."""
    config = SMALL_VIT if variant == "zim" else sam_variant(SMALL_VIT)
    model = random_model(config)
    options = {"points_per_side": 5, "stability_score_thresh": 0, "device": "cpu"}
    options |= {"box_nms_thresh": 1.0, "pred_iou_thresh": -1e9}
    every = zim_model.ZimAutomaticMaskGenerator(model, **options).generate(IMAGE)
    scores = sorted({record["predicted_iou"] for record in every})
    least = scores[-len(scores) // 4]
    decoded, predict = [], MaskDecoder.predict_masks
    head = MaskDecoder.predict_iou

    def count(self, tokens, *arguments):
        decoded.append(len(tokens))
        return predict(self, tokens, *arguments)

    monkeypatch.setattr(MaskDecoder, "predict_masks", count)
    # A threshold of 0 and less keeps all.
    monkeypatch.setattr(
        MaskDecoder, "predict_iou", lambda self, tokens: head(self, tokens) + 10
    )
    options["pred_iou_thresh"] = least + 10
    some = zim_model.ZimAutomaticMaskGenerator(model, **options).generate(IMAGE)
    expected = [r for r in every if r["predicted_iou"] > least + 1e-5]
    assert 0 < sum(decoded) < 25
    assert len(some) == pytest.approx(len(expected), abs=1)
    for record, other in zip(some, expected, strict=False):
        assert record["point_coords"] == other["point_coords"]
        np.testing.assert_allclose(
            record["matte"].astype(int), other["matte"].astype(int), atol=1
        )
