import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zim_model.errors import ZimError
from zim_model.matting.rle import decoded, encoded

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(MASKS, st.booleans())
def test_a_mask_survives_both_ways(mask, packed):
    out = encoded(mask, packed=packed)
    assert isinstance(out["counts"], str if packed else list)
    result = decoded(out)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, mask)


def test_long_runs_survive():
    mask = np.zeros((1500, 2250), bool)
    mask[3:1400, 5:2000] = True
    mask[700, 9] = False
    np.testing.assert_array_equal(decoded(encoded(mask)), mask)


def test_runs_go_down_the_columns_and_begin_with_nothing():
    mask = np.array([[0, 1], [1, 1], [0, 1]], bool)
    assert encoded(mask, packed=False) == {"size": [3, 2], "counts": [1, 1, 1, 3]}
    full = np.ones((2, 2), bool)
    assert encoded(full, packed=False)["counts"] == [0, 4]


def test_the_packed_string_is_that_of_coco():
    """The example of COCO's own description of the format."""
    runs, text = [6, 1, 40, 4, 5, 4, 5, 4, 21], "61X13mN000`0"
    mask = decoded({"size": [9, 10], "counts": runs})
    assert encoded(mask)["counts"] == text
    np.testing.assert_array_equal(decoded({"size": [9, 10], "counts": text}), mask)


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [4, 4], "counts": [3, 4]},
        {"size": [4, 4], "counts": [20, -4]},
        {"size": [4, 4], "counts": "~~"},
        {"size": [4, 4], "counts": ""},
        {"size": [4, 4], "counts": "é"},
        {"size": [4, 4], "counts": "o" * 40},
        {"size": [4, 4], "counts": "oooooooo0"},
        {"size": [4, 4], "counts": [[0, 0, 1, 1]]},
        {"size": [4, 4], "counts": [1.5, 14.5]},
        {"size": [4, 4], "counts": None},
        {"size": [4], "counts": [16]},
        {"size": [0, 4], "counts": []},
        {"counts": [16]},
        {"size": [4, 4], "counts": [2**62, 2**62, 2**62, 2**62 + 16]},
        {"size": [4, 4], "counts": [2**63 - 1, 2**63 - 1, 18]},
        {"size": [4, 4], "counts": [2**64, 16]},
        {"size": [100_000, 100_000], "counts": [10**10]},
        {"size": [2**40, 2**40], "counts": [2**80]},
        {"size": [math.inf, 4], "counts": [16]},
        [[0, 0, 1, 1, 2, 2]],
    ],
)
def test_what_is_no_mask_is_refused(segmentation):
    with pytest.raises(ZimError, match="run-length mask"):
        decoded(segmentation)


def test_a_mask_of_another_size_is_refused_before_it_is_decoded():
    large = {"size": [15_000, 15_000], "counts": [15_000 * 15_000]}
    tracemalloc.start()
    with pytest.raises(ZimError, match="another photo"):
        decoded(large, (48, 64))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    mask = np.eye(48, 64, dtype=bool)
    np.testing.assert_array_equal(decoded(encoded(mask), (48, 64)), mask)
