"""The numerics of export stay as they are; see :mod:`tests.golden`."""

import numpy as np
import pytest

from tests.golden import Case, check, disc, photo, words
from zim_app.core.compose import (
    CutOut,
    composite,
    cut_out_pixels,
    stack_cut_outs,
    union_alpha,
)
from zim_app.core.framing import (
    crop,
    scale,
    scale_alpha,
    scale_to_cover,
)
from zim_app.core.images import Image
from zim_app.core.pixels import convert_depth
from zim_model.arrays import mask_bounds


def cut(deep=False):
    image, alpha = photo(), words(disc())
    own = np.full((96, 128), 255, np.uint8)
    own[:, 100:] = 90
    picture = Image.from_array(image, "photo", own)
    made = CutOut.from_image(picture, alpha)
    if not deep:
        return made
    return CutOut(convert_depth(made.colours, np.dtype(np.uint16)), made.alpha)


def composed():
    other = CutOut(photo(seed=2), words(disc(soft=20.0)))
    return {
        "cut-out": cut_out_pixels(cut()),
        "deep": cut_out_pixels(cut(deep=True)),
        "matte": convert_depth(cut().alpha, np.dtype(np.uint8)),
        "over a colour": composite(cut(), np.array([9, 200, 77], np.uint8)),
        "over an image": composite(cut(deep=True), photo(seed=3), np.uint8),
        "together": union_alpha([words(disc()), words(disc(soft=30.0)) // 2]),
        "stacked": cut_out_pixels(stack_cut_outs([cut(), other])),
    }


def framed():
    smaller = scale(crop(cut(), (-5, 3, 120, 99)), 61, 47, lambda: False)
    larger = scale(cut(deep=True), 190, 150, lambda: False)
    return {
        "support": mask_bounds(words(disc())),
        "smaller": cut_out_pixels(smaller),
        "larger": cut_out_pixels(larger),
        "alpha": scale_alpha(words(disc()), 50, 31),
        "covering": scale_to_cover(photo(), 77, 99),
    }


def depths():
    every = np.arange(65536, dtype=np.uint16)
    return {
        "to 8": convert_depth(every, np.dtype(np.uint8)),
        "to 16": convert_depth(np.arange(256, dtype=np.uint8), np.dtype(np.uint16)),
    }


CASES = {
    "composed": Case(composed),
    "framed": Case(framed, atol=1),
    "depths": Case(depths),
}


@pytest.mark.parametrize("name", CASES)
def test_numerics_are_as_they_were(name):
    check("core", name, CASES[name])
