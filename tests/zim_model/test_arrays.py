import numpy as np
import pytest

from zim_model.arrays import mask_bounds


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.float32])
def test_bounds_enclose_all_that_is_not_zero(dtype: type) -> None:
    mask = np.zeros((5, 7), dtype)
    assert mask_bounds(mask) is None
    mask[1, 2] = mask[3, 5] = 1
    assert mask_bounds(mask) == (2, 1, 6, 4)
    mask[-1, 0] = 1
    assert mask_bounds(mask) == (0, 1, 6, 5)
