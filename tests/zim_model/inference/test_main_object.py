import numpy as np
import pytest

from zim_model.inference.automatic import FoundObject
from zim_model.inference.main_object import centre_weights, is_background, main_object
from zim_model.prompts import PromptSet


def found_object(left, top, right, bottom):
    alpha = np.zeros((60, 80), np.uint8)
    alpha[top:bottom, left:right] = 255
    box = (left, top, right, bottom)
    return FoundObject(PromptSet(), 0, alpha, 0.9, 0.9, box, float(alpha.mean()) / 255)


def test_nothing_is_no_object():
    assert main_object(()) is None


def test_of_two_the_larger_one():
    large, small = found_object(10, 10, 50, 50), found_object(40, 25, 60, 40)
    assert main_object((small, large)) is large


def test_of_two_as_large_the_one_in_the_middle():
    middle, corner = found_object(30, 20, 50, 40), found_object(0, 0, 20, 20)
    assert main_object((corner, middle)) is middle


def test_a_region_at_three_edges_is_background():
    floor, person = found_object(0, 15, 80, 60), found_object(35, 5, 45, 30)
    assert is_background(floor.alpha)
    assert not is_background(person.alpha)
    assert main_object((floor, person)) is person
    assert main_object((floor,)) is floor


def test_an_object_at_the_lower_edge_is_not_background():
    assert not is_background(found_object(20, 5, 60, 60).alpha)


def test_weights_are_one_in_the_middle_and_none_at_the_edges():
    weights = centre_weights(61, 81)
    assert weights[30, 40] == pytest.approx(1)
    assert weights[:, [0, -1]].max() < 0.05
    assert np.allclose(weights, weights[::-1, ::-1])
