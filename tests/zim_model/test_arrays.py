import subprocess
import sys

import numpy as np
import pytest

from zim_model.arrays import sparse


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
import numpy as np
from zim_model.arrays import sparse

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
