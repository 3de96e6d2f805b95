"""Mattes compressed in memory."""

from dataclasses import fields, replace

import numpy as np
import pytest

from zim_app.core.packed_mattes import (
    PackedMatte,
    alpha_at,
    are_one_matte,
    unpacked,
)
from zim_model.matting.pyramid import display_pyramid, image_pyramid
from zim_model.request import Matte, Timings

SHAPE = (700, 901)  # sides that do not halve evenly


@pytest.fixture(scope="module")
def levels():
    rng = np.random.default_rng(0)
    return image_pyramid(rng.integers(0, 256, (*SHAPE, 3), np.uint8))


@pytest.fixture(scope="module")
def matte(levels):
    """A disk with a soft edge, whose colours are changed there."""
    rows, columns = np.indices(SHAPE)
    distance = np.hypot(rows - 350, columns - 400)
    alpha = np.clip((200 - distance) * 4000, 0, 65535).astype(np.uint16)
    foreground = levels[0].copy()
    foreground[(alpha > 0) & (alpha < 65535)] //= 2
    candidate = np.random.default_rng(1).integers(0, 256, (40, 50), np.uint8)
    return Matte(
        alpha=alpha,
        pyramid=display_pyramid(alpha),
        scores=np.arange(4, dtype=np.float32),
        candidate=2,
        support=(200, 150, 600, 550),
        timings=Timings(1.0, 2.0, "CPU"),
        candidates=(candidate,) * 4,
        candidates_view=(1, 2, 3, 4),
        foreground=image_pyramid(foreground),
    )


def arrays(matte):
    levels = (*matte.pyramid, *matte.candidates, *matte.foreground)
    return (matte.alpha, matte.scores, *levels)


def assert_same(one, other):
    for a, b in zip(arrays(one), arrays(other), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    for field in fields(Matte):
        if field.name not in ("alpha", "scores", "pyramid", "candidates", "foreground"):
            assert getattr(one, field.name) == getattr(other, field.name)


def test_a_packed_matte_reads_like_the_matte(matte, levels):
    packed = PackedMatte.pack(matte, levels)
    assert_same(packed, matte)
    assert len(packed.pyramid) == len(matte.pyramid)
    np.testing.assert_array_equal(packed.pyramid[-1], matte.pyramid[-1])
    assert [a.shape for a in packed.foreground[1:]] == [
        a.shape for a in matte.foreground[1:]
    ]


def test_unpacking_gives_the_matte_back(matte, levels):
    again = unpacked(PackedMatte.pack(matte, levels))
    assert type(again) is Matte
    assert_same(again, matte)
    assert not again.alpha.flags.writeable
    assert unpacked(matte) is matte
    assert unpacked(None) is None


def test_packing_frees_nearly_all_memory(matte, levels):
    assert PackedMatte.pack(matte, levels).nbytes < matte.nbytes / 20


def test_colours_are_kept_without_levels_of_their_size(matte):
    assert_same(PackedMatte.pack(matte, ()), matte)


def test_noise_is_kept(matte, levels):
    noise = np.random.default_rng(2).integers(0, 65536, SHAPE, np.uint16)
    other = Matte(noise, (), matte.scores, 0, (0, 0, 901, 700), matte.timings)
    assert_same(PackedMatte.pack(other, levels), other)


def test_single_pixels_are_read_in_either_form(matte, levels):
    packed = PackedMatte.pack(matte, levels)
    height, width = matte.alpha.shape
    places = [(0, 0), (height - 1, width - 1), (height // 2, width // 2), (291, 5)]
    for row, column in places:
        expected = matte.alpha[row, column]
        assert alpha_at(matte, row, column) == expected
        assert alpha_at(packed, row, column) == expected
    for row, column in ((-1, 0), (0, -1), (height, 0), (0, width)):
        assert alpha_at(matte, row, column) is None
        assert alpha_at(packed, row, column) is None


def test_both_forms_are_one_matte(matte, levels):
    packed = PackedMatte.pack(matte, levels)
    assert are_one_matte(matte, packed)
    assert are_one_matte(packed.unpack(), matte)
    assert are_one_matte(None, None)
    assert not are_one_matte(None, packed)
    other = replace(matte, timings=replace(matte.timings))
    assert not are_one_matte(other, packed)
