import math

import pytest

from zim_model.json_values import is_number


@pytest.mark.parametrize("value", [0, 5, -3.5, 10**300, 1e308])
def test_finite_numbers_are_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize(
    "value", [None, True, "1", [], math.nan, math.inf, -math.inf, 10**400, -(10**400)]
)
def test_other_values_are_none(value):
    assert not is_number(value)
    assert not is_number(value, whole=True)


def test_ranges_hold_both_ends():
    assert is_number(0, 0, 1)
    assert is_number(1.0, 0, 1)
    assert not is_number(1.5, 0, 1)
    assert not is_number(10**400, 0)
    assert is_number(3, whole=True)
    assert not is_number(3.0, whole=True)
