import dataclasses
import json

import numpy as np
import pytest
import torch

from zim_model.conversion.config import CONVERTER_TINY, ConvEncoder
from zim_model.conversion.converter import Converter
from zim_model.conversion.network import ConverterNetwork
from zim_model.errors import Cancelled, ImageError, PromptError, ZimError
from zim_model.finish import Finish, Stroke
from zim_model.imported_mask import MAX_BYTES, ImportedMask
from zim_model.inference import mask_composition
from zim_model.inference.engine import Engine
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe
from zim_model.request import ALPHA_MAX, Request

HEIGHT, WIDTH = 60, 80
IMAGE = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
LEVEL = np.zeros((HEIGHT, WIDTH), np.uint8)
LEVEL[10:50, 20:60] = 255
SOFT = np.repeat(np.linspace(0, 255, WIDTH).astype(np.uint8)[None], HEIGHT, 0)


@pytest.fixture
def converter(monkeypatch):
    """Makes small untrained converters and records what they convert."""
    torch.manual_seed(0)
    encoder = ConvEncoder((8, 8, 8, 8, 8, 8), (0, 0, 0, 0, 0, 0))
    config = dataclasses.replace(CONVERTER_TINY, encoder=encoder, decoder=(8,) * 5)
    small, masks = Converter(ConverterNetwork(config)), []

    class RecordingConverter:
        def convert(self, image, mask, cancelled):
            masks.append(mask)
            return small.convert(image, mask, cancelled)

    monkeypatch.setattr(
        mask_composition, "open_converter", lambda name, device: RecordingConverter()
    )
    return masks


@pytest.fixture
def engine():
    return Engine()


def request(*masks, **changes):
    return Request(IMAGE, "grey", Recipe(masks=masks, **changes))


# -- The value ----------------------------------------------------------------------


@pytest.mark.parametrize("level", [LEVEL, SOFT])
@pytest.mark.parametrize("refine", [True, False])
def test_a_mask_is_kept_exactly_and_survives_json(level, refine):
    mask = ImportedMask.from_level(level, refine=refine)
    assert mask.size == (HEIGHT, WIDTH)
    assert np.array_equal(mask.decode(), level)
    assert ImportedMask.from_json(json.loads(json.dumps(mask.to_json()))) == mask


def test_a_noisy_mask_is_made_black_and_white_for_the_converter(monkeypatch):
    monkeypatch.setattr("zim_model.imported_mask.MAX_BYTES", 3000)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    pixels = ImportedMask.from_level(noise).decode()
    assert np.array_equal(pixels, np.where(noise >= 128, 255, 0))
    with pytest.raises(ImageError, match="less noise"):
        ImportedMask.from_level(noise, refine=False)


VALID = ImportedMask.from_level(LEVEL).to_json()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"png": VALID["png"][:-8] + "AAAAAAAA"}, "digest"),
        ({"png": "$$"}, "cannot be read"),
        ({"png": "iVBORw0KGgo="}, "no grey PNG"),
        ({"png": 3}, "cannot be read"),
        ({"sha256": "0"}, "digest"),
        ({"refine": 1}, "refine is 1"),
        ({"converter": "../../etc/passwd"}, "no name"),
        ({"converter": "mine.safetensors"}, "no name"),
        ({"png": "A" * (2 * MAX_BYTES)}, "too large"),
    ],
)
def test_a_malformed_mask_is_refused(changes, sentence):
    with pytest.raises(ZimError, match=sentence):
        ImportedMask.from_json(VALID | changes)


# -- The engine ---------------------------------------------------------------------


def test_a_mask_as_it_is_is_the_matte(engine):
    matte = engine.solve(request(ImportedMask.from_level(SOFT, refine=False)))
    assert np.array_equal(matte.alpha, SOFT.astype(np.uint16) * 257)


def test_the_converter_refines_a_mask_once_for_all_edits(engine, converter):
    mask = ImportedMask.from_level(LEVEL)
    first = engine.solve(request(mask))
    assert len(converter) == 1
    assert np.array_equal(converter[0], LEVEL)
    assert first.alpha[30, 40] > ALPHA_MAX * 0.9
    stroke = Stroke(((5.0, 5.0, 1.0),), 4.0)
    painted = engine.solve(request(mask, finish=Finish(strokes=(stroke,))))
    assert len(converter) == 1
    assert painted.alpha[5, 5] > ALPHA_MAX * 0.9
    assert np.array_equal(engine.solve(request(mask)).alpha, first.alpha)
    clicked = engine.solve(request(mask, prompts=PromptSet((Point(5, 5),))))
    assert len(converter) == 1
    assert (clicked.alpha >= first.alpha).all()
    assert np.array_equal(Engine().solve(request(mask)).alpha, first.alpha)


def test_masks_are_united(engine):
    other = np.zeros_like(LEVEL)
    other[:5] = 255
    masks = [ImportedMask.from_level(level, refine=False) for level in (LEVEL, other)]
    matte = engine.solve(request(*masks))
    assert np.array_equal(matte.alpha > 0, (LEVEL > 0) | (other > 0))


def test_positive_clicks_are_added_to_the_mask(engine):
    clicks = PromptSet((), Box(2, 2, 12, 50))
    alone = engine.solve(request(prompts=clicks)).alpha
    both = engine.solve(
        request(ImportedMask.from_level(LEVEL, refine=False), prompts=clicks)
    ).alpha
    assert np.array_equal(both, np.maximum(alone, LEVEL.astype(np.uint16) * 257))


def test_negative_clicks_on_the_mask_are_subtracted(engine):
    mask = ImportedMask.from_level(LEVEL, refine=False)
    whole = LEVEL.astype(np.uint16) * 257
    for options in (Options(), Options(flip_tta=True)):
        away = PromptSet((Point(30, 20, positive=False),))
        alone = request(prompts=PromptSet((Point(30, 20),)), options=options)
        piece = engine.solve(alone).alpha
        left = engine.solve(request(mask, prompts=away, options=options)).alpha
        # No more than what the click alone selects.
        assert (left >= np.minimum(whole, ALPHA_MAX - piece)).all()
        assert (left <= whole).all()
        assert left[20, 30] < ALPHA_MAX // 2
    beside = PromptSet((Point(2, 2, positive=False),))
    assert np.array_equal(engine.solve(request(mask, prompts=beside)).alpha, whole)


def disc(x, y, radius):
    rows, columns = np.mgrid[:120, :200]
    return np.hypot(rows - y, columns - x) < radius


@pytest.fixture
def pair_of_discs():
    """Two red discs that touch, on grey, and the masks of both."""
    left, right = disc(65, 60, 36), disc(138, 60, 36)
    image = np.full((120, 200, 3), 120, np.uint8)
    image[left | right] = (200, 40, 40)
    return image, left, right


def corrected(engine, image, mask, *points):
    level = np.where(mask, np.uint8(255), np.uint8(0))
    masks = (ImportedMask.from_level(level, refine=False),)
    recipe = Recipe(masks=masks, prompts=PromptSet(points))
    return engine.solve(Request(image, "discs", recipe)).alpha > ALPHA_MAX // 2


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_a_click_adds_the_part_that_a_mask_lacks(engine, pair_of_discs):
    image, left, _ = pair_of_discs
    mask = left & ~disc(45, 45, 22)
    found = corrected(engine, image, mask, Point(50, 45))
    assert iou(mask, left) < 0.8
    assert iou(found, left) > 0.9


def test_a_click_removes_the_part_that_a_mask_has_too_many(engine, pair_of_discs):
    image, left, right = pair_of_discs
    mask = left | (right & disc(115, 60, 30))
    found = corrected(engine, image, mask, Point(120, 60, positive=False))
    assert iou(found, left) > max(0.85, iou(mask, left) + 0.05)


def test_a_click_far_from_the_mask_still_adds_its_object(engine):
    image = np.full((120, 200, 3), 120, np.uint8)
    here, there = disc(30, 60, 20), disc(165, 60, 20)
    image[here], image[there] = (200, 40, 40), (40, 60, 200)
    found = corrected(engine, image, here, Point(165, 60))
    assert iou(found, here | there) > 0.9


def test_a_correction_depends_on_the_prompts_alone(engine, pair_of_discs):
    image, left, _ = pair_of_discs
    mask = left & ~disc(45, 45, 22)
    first, second = Point(50, 45), Point(138, 60, positive=False)
    corrected(engine, image, mask, first)
    after = corrected(engine, image, mask, first, second)
    assert np.array_equal(after, corrected(Engine(), image, mask, first, second))


def test_a_negative_region_subtracts_where_its_inside_meets_the_mask(engine):
    mask = ImportedMask.from_level(LEVEL, refine=False)
    rows, columns = np.nonzero(LEVEL)
    around = (
        (columns.min() - 2.0, rows.min() - 2.0),
        (columns.max() + 3.0, rows.min() - 2.0),
        (columns.max() + 3.0, rows.max() + 3.0),
        (columns.min() - 2.0, rows.max() + 3.0),
    )
    loop = Scribble(around, positive=False, region=True)
    beside = Scribble(((0, 0), (3, 0), (3, 3)), positive=False, region=True)
    whole = LEVEL.astype(np.uint16) * 257
    kept = engine.solve(request(mask, prompts=PromptSet((), None, (beside,)))).alpha
    assert np.array_equal(kept, whole)
    left = engine.solve(request(mask, prompts=PromptSet((), None, (loop,)))).alpha
    assert left.sum() < whole.sum()


def test_impossible_masks_are_refused(engine, converter):
    with pytest.raises(ImageError, match="10 x 20 pixels and the photo 80 x 60"):
        engine.solve(request(ImportedMask.from_level(np.full((20, 10), 255, np.uint8))))
    with pytest.raises(PromptError, match="empty"):
        engine.solve(request(ImportedMask.from_level(np.zeros_like(LEVEL))))
    whole = ImportedMask.from_level(LEVEL)
    with pytest.raises(ImageError, match="damaged"):
        engine.solve(request(dataclasses.replace(whole, png=whole.png[:40])))
    with pytest.raises(Cancelled):
        engine.solve(request(whole), lambda: True)
    assert len(converter) == 1, "only the empty one came so far"
