"""The numerics of export stay as they are; see :mod:`tests.golden`."""

import numpy as np
import pytest

from tests.golden import Case, check, disc, photo, words
from zim_app.core.compose import Cut, composite, cutout, matte, stacked, together
from zim_app.core.framing import (
    cropped,
    scaled,
    scaled_alpha,
    scaled_to_cover,
    support_of,
)
from zim_app.core.images import Picture
from zim_app.core.pixels import at_depth


def cut(deep=False):
    image, alpha = photo(), words(disc())
    own = np.full((96, 128), 255, np.uint8)
    own[:, 100:] = 90
    picture = Picture.from_array(image, "photo", own)
    made = Cut.of(picture, alpha)
    return (
        Cut(at_depth(made.colours, np.dtype(np.uint16)), made.alpha) if deep else made
    )


def composed():
    other = Cut(photo(seed=2), words(disc(soft=20.0)))
    return {
        "cut-out": cutout(cut()),
        "deep": cutout(cut(deep=True)),
        "matte": matte(cut()),
        "over a colour": composite(cut(), np.array([9, 200, 77], np.uint8)),
        "over an image": composite(cut(deep=True), photo(seed=3), np.uint8),
        "together": together([words(disc()), words(disc(soft=30.0)) // 2]),
        "stacked": cutout(stacked([cut(), other])),
    }


def framed():
    smaller = scaled(cropped(cut(), (-5, 3, 120, 99)), 61, 47, lambda: False)
    larger = scaled(cut(deep=True), 190, 150, lambda: False)
    return {
        "support": support_of(words(disc())),
        "smaller": cutout(smaller),
        "larger": cutout(larger),
        "alpha": scaled_alpha(words(disc()), 50, 31),
        "covering": scaled_to_cover(photo(), 77, 99),
    }


def depths():
    every = np.arange(65536, dtype=np.uint16)
    return {
        "to 8": at_depth(every, np.dtype(np.uint8)),
        "to 16": at_depth(np.arange(256, dtype=np.uint8), np.dtype(np.uint16)),
    }


CASES = {
    "composed": Case(composed),
    "framed": Case(framed, atol=1),
    "depths": Case(depths),
}


@pytest.mark.parametrize("name", CASES)
def test_numerics_are_as_they_were(name):
    check("core", name, CASES[name])
