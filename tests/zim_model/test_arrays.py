import subprocess
import sys

import cv2
import numpy as np
import pytest

from zim_model.arrays import shrink, size_within, sparse


@pytest.mark.parametrize(
    "part", [np.s_[20:30, 5:90], np.s_[:, :], np.s_[3:3, 4:4], np.s_[99:, 99:]]
)
def test_a_sparse_array_has_the_same_values(part):
    array = np.zeros((100, 100), np.uint16)
    array[part] = 7
    np.testing.assert_array_equal(sparse(array), array)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_matte_of_a_small_object_takes_little_memory():
    """In a process of its own, whose memory nothing else changes."""
    code = """
import cv2
import numpy as np
from zim_model.arrays import shrink, sparse

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

array = np.full((6000, 6000), 0, np.uint16)
array += 0  # all pages are written
array[3000:3300, 1000:1400] = 65535
before = resident_bytes()
result = sparse(array)
assert resident_bytes() - before < 0.2 * array.nbytes
assert result.sum() == array.sum()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("shape", [(1200, 1600, 3), (1201, 1600, 3), (400, 400)])
def test_shrinking_has_the_area_means_of_the_image(shape):
    """Also where it is halved first, which rounds once more."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, shape, np.uint8)
    smaller = shrink(noise, 60, 50)
    direct = cv2.resize(noise, (60, 50), interpolation=cv2.INTER_AREA)
    assert smaller.shape == (50, 60, *shape[2:])
    difference = smaller.astype(int) - direct
    # Cells of 2 x 2 pixels at the border of a mean count wholly or not at all.
    assert np.abs(difference).mean() < 2
    assert np.abs(difference.mean()) < 0.5
    flat = np.full(shape, 77, np.uint8)
    assert (shrink(flat, 60, 50) == 77).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((60, 80, 3), (80, 60)),
        ((600, 800), (100, 75)),
        ((1, 900), (100, 1)),
        ((900, 1), (1, 100)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_size_within_a_longest_side_has_pixels(shape, expected):
    assert size_within(shape, 100) == expected
