from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_model.errors import PromptError
from zim_model.prompts import Box, Point, PromptSet, Scribble

HEIGHT, WIDTH = 30, 40
NUMBERS = st.floats(-1e6, 1e6)
POINTS = st.builds(Point, NUMBERS, NUMBERS, st.booleans())
PROMPTS = st.builds(
    PromptSet,
    st.lists(POINTS, max_size=5).map(tuple),
    st.none() | st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
)
SCRIBBLES = st.builds(
    Scribble,
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5).map(tuple),
    st.booleans(),
    st.booleans(),
)
SCRIBBLED = st.builds(
    replace, PROMPTS, scribbles=st.lists(SCRIBBLES, max_size=3).map(tuple)
)


@given(SCRIBBLED)
def test_json_round_trip_is_exact(prompts: PromptSet) -> None:
    assert PromptSet.from_json(json.loads(json.dumps(prompts.to_json()))) == prompts


@given(PROMPTS)
def test_array_round_trip(prompts: PromptSet) -> None:
    coords = [(point.x, point.y) for point in prompts.points]
    labels = [int(point.positive) for point in prompts.points]
    box = prompts.box
    edges = None if box is None else [[box.x0, box.y0, box.x1, box.y1]]
    assert PromptSet.from_arrays(coords, labels, edges) == prompts


def test_arrays_are_those_of_the_network() -> None:
    coords, labels = PromptSet((Point(1, 2), Point(3, 4, False))).point_arrays()
    assert coords.tolist() == [[1, 2], [3, 4]]
    assert labels.tolist() == [1, 0]
    assert coords.dtype == labels.dtype == np.float32
    coords, labels = PromptSet(box=Box(0, 0, 1, 1)).point_arrays()
    assert coords.shape == (0, 2)
    assert labels.shape == (0,)


def test_numpy_numbers_can_be_saved() -> None:
    number = np.float32(1.5)
    prompts = PromptSet((Point(number, number),), Box(number, number, 2, 3))  # type: ignore[arg-type]
    assert PromptSet.from_json(json.loads(json.dumps(prompts.to_json()))) == prompts


def test_padding_points_are_dropped() -> None:
    prompts = PromptSet.from_arrays([(1, 2), (0, 0), (3, 4)], [1, -1, 0])
    assert prompts == PromptSet((Point(1, 2), Point(3, 4, False)))


def test_emptiness() -> None:
    assert not PromptSet()
    assert PromptSet((Point(0, 0, False),))
    assert PromptSet(box=Box(0, 0, 1, 1))


@given(*[st.floats(-100, 100)] * 4)
def test_any_two_corners_span_the_same_box(
    ax: float, ay: float, bx: float, by: float
) -> None:
    box = Box.from_corners(ax, ay, bx, by)
    assert box.width >= 0
    assert box.height >= 0
    assert box == Box.from_corners(bx, by, ax, ay) == Box.from_corners(ax, by, bx, ay)


@given(st.builds(Box.from_corners, *[st.floats(-100, 100)] * 4))
def test_valid_box_is_inside_the_image_and_stays_valid(box: Box) -> None:
    prompts = PromptSet(box=box)
    try:
        valid = prompts.validate(HEIGHT, WIDTH)
    except PromptError:
        inside = box.clip(HEIGHT, WIDTH)
        in_first_pixel = inside.x1 <= 1 and inside.y1 <= 1
        assert min(inside.width, inside.height) < 1 or in_first_pixel
        return
    assert valid.box is not None
    inside = valid.box
    assert 0 <= inside.x0 < inside.x1 <= WIDTH
    assert 0 <= inside.y0 < inside.y1 <= HEIGHT
    assert valid.validate(HEIGHT, WIDTH) == valid


@given(
    st.floats(0, WIDTH, exclude_max=True),
    st.floats(0, HEIGHT, exclude_max=True),
)
def test_every_point_of_the_image_is_valid(x: float, y: float) -> None:
    prompts = PromptSet((Point(x, y), Point(0, 0, False)))
    assert prompts.validate(HEIGHT, WIDTH) == prompts


def test_box_with_negative_points_is_enough() -> None:
    prompts = PromptSet((Point(1, 1, False),), Box(-5, -5, 100, 10))
    valid = prompts.validate(HEIGHT, WIDTH)
    assert valid == PromptSet(prompts.points, Box(0, 0, WIDTH, 10))


@pytest.mark.parametrize(
    ("prompts", "sentence"),
    [
        (PromptSet(), "There is no prompt. Give at least one"),
        (PromptSet((Point(1, 1, False),)), "Negative points alone"),
        (
            PromptSet((Point(WIDTH, 1),)),
            "The point (40, 1) is outside the image (40 x 30",
        ),
        (PromptSet((Point(1, HEIGHT),)), "The point (1, 30) is outside"),
        (PromptSet((Point(-0.5, 1),)), "The point (-0.5, 1) is outside"),
        (PromptSet((Point(math.nan, 1),)), "is not a number"),
        (PromptSet((Point(1, math.inf),)), "is not a number"),
        (PromptSet(box=Box(0, 0, math.nan, 1)), "The box (0, 0, nan, 1) has an edge"),
        (PromptSet(box=Box(50, 0, 60, 10)), "The box (50, 0, 60, 10) has no area"),
        (PromptSet(box=Box(0.25, 0.16, 0.75, 0.67)), "smaller than a pixel"),
        (PromptSet(box=Box(0, 0, 1, 1)), "not fractions"),
        (PromptSet(box=Box(10, 10, 20, 10.9)), "smaller than a pixel"),
        (PromptSet(box=Box(39.5, 10, 60, 20)), "smaller than a pixel"),
        (PromptSet(box=Box(10, 10, 5, 20)), "has no area inside the image (40 x 30"),
    ],
)
def test_impossible_prompts_are_refused_in_a_sentence(
    prompts: PromptSet, sentence: str
) -> None:
    with pytest.raises(PromptError) as caught:
        prompts.validate(HEIGHT, WIDTH)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([(1, 2)], None), "point_labels is missing"),
        ((None, [1]), "without point_coords"),
        (([(1, 2)], [1, 0]), "must be (N, 2) and (N,)"),
        (([1, 2], [1]), "must be (N, 2) and (N,)"),
        (([(1, 2)], [2]), "2 is no point label"),
        (([(1, 2), (3,)], [1, 1]), "point_coords is not an array of numbers"),
        (([(1, 2)], ["yes"]), "point_labels is not an array of numbers"),
        ((None, None, [1, 2, 3]), "The box has 3 numbers"),
        ((None, None, "box"), "box is not an array of numbers"),
    ],
)
def test_malformed_arrays_are_refused(
    arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(PromptError) as caught:
        PromptSet.from_arrays(*arguments)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"points": 5},
        {"points": ["123"]},
        {"points": [[1, 2]]},
        {"points": [[1, 2, 5]]},
        {"points": [[1, 2, None]]},
        {"points": [["1", "2", "1"]]},
        {"points": {"x": 1}},
        {"box": [1, 2, 3]},
        {"box": "1234"},
        {"box": [10**400, 0, 1, 1]},
    ],
)
def test_malformed_json_is_refused(data: Any) -> None:
    with pytest.raises(PromptError, match=r"cannot be read.*Expected"):
        PromptSet.from_json(data)


def test_a_scribble_is_sampled_evenly_along_its_length() -> None:
    bent = Scribble(((0, 0), (10, 0), (10, 30)), positive=False)
    points = bent.sample(5)
    assert [(p.x, p.y) for p in points] == [
        (0, 0),
        (10, 0),
        (10, 10),
        (10, 20),
        (10, 30),
    ]
    assert not any(p.positive for p in points)
    assert bent.sample(1) == (Point(10, 10, False),)


def test_a_scribble_without_length_is_a_click() -> None:
    dot = Scribble(((4, 5),))
    assert set(dot.sample(3)) == {Point(4, 5)}


def test_a_positive_scribble_alone_can_be_solved() -> None:
    prompts = PromptSet(scribbles=(Scribble(((1, 2), (3, 4))),))
    assert prompts
    assert prompts.validate(HEIGHT, WIDTH) == prompts
    assert prompts.positive_positions == ((1, 2), (3, 4))


@pytest.mark.parametrize(
    ("scribble", "sentence"),
    [
        (Scribble(((1, 2), (WIDTH, 4))), "outside the image"),
        (Scribble(((1, math.nan),)), "not a number"),
        (Scribble(()), "no points"),
        (Scribble(((1, 2),), positive=False), "do not say what to keep"),
        (Scribble(((1, 2), (9, 2), (5, 2)), region=True), "region has no area"),
    ],
)
def test_scribbles_that_cannot_be_solved(scribble: Scribble, sentence: str) -> None:
    with pytest.raises(PromptError, match=sentence):
        PromptSet(scribbles=(scribble,)).validate(HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "scribble",
    [
        {"path": [[1, 2]]},
        {"positive": 1, "path": [[1]]},
        {"positive": 2, "path": []},
        {"positive": 1, "path": [[1, 2]], "region": "yes"},
        5,
    ],
)
def test_malformed_scribbles_are_refused(scribble: Any) -> None:
    with pytest.raises(PromptError, match="cannot be read"):
        PromptSet.from_json({"scribbles": [scribble]})


def test_a_scribble_stands_for_a_few_clicks() -> None:
    line = Scribble(((0, 0), (70, 0)), positive=False)
    assert line.clicks == line.sample(8)
    assert Scribble(((3, 4),)).clicks == (Point(3, 4),)


def test_only_regions_are_marked_as_such_in_json() -> None:
    path = ((1.0, 2.0), (9.0, 2.0), (5.0, 8.0))
    line, loop = Scribble(path), Scribble(path, region=True)
    stored = PromptSet(scribbles=(line, loop)).to_json()["scribbles"]
    assert [each.get("region") for each in stored] == [None, 1]
    assert (line.line, loop.line) == (path, (*path, path[0]))


def test_regions_around_the_object_take_the_place_of_a_box() -> None:
    loop = Scribble(((2, 3), (9, 4), (5, 8)), region=True)
    other = Scribble(((20, 3), (29, 4), (25, 9)), region=True)
    negative = replace(other, positive=False)
    assert PromptSet(scribbles=(loop, other)).extent == Box(2, 3, 29, 9)
    assert PromptSet(scribbles=(loop, negative)).extent == Box(2, 3, 9, 8)
    box = Box(1, 1, 4, 4)
    assert PromptSet((), box, (loop,)).extent == box
    assert PromptSet(scribbles=(negative, Scribble(loop.path))).extent is None
    assert loop.clicks == ()


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        (((0, 0), (10, 0), (10, 10), (0, 10)), (5, 5)),
        # A C, open to the right, and a loop that is drawn twice.
        (
            ((0, 0), (20, 0), (20, 2), (4, 2), (4, 8), (20, 8), (20, 10), (0, 10)),
            (2, 5),
        ),
        (((0, 0), (10, 0), (10, 10), (0, 10)) * 2, (5, 5)),
        (((3, 4), (9, 4)), (3, 4)),
    ],
)
def test_a_negative_region_is_a_point_inside(path: Any, inside: Any) -> None:
    loop = Scribble(path, positive=False, region=True)
    assert loop.clicks == (Point(*inside, False),)


def test_the_only_pixel_of_an_image_can_be_boxed() -> None:
    box = Box(0, 0, 1, 1)
    assert PromptSet(box=box).validate(1, 1).box == box


@pytest.mark.parametrize(
    ("prompts", "relative"),
    [
        (PromptSet((Point(0.5, 0.25),)), True),
        (PromptSet((Point(0.5, 1),), Box(0, 0, 1, 0.9)), True),
        (PromptSet(scribbles=(Scribble(((0.1, 0.1), (0.9, 0.4))),)), True),
        (PromptSet((Point(0, 0),)), False),
        (PromptSet((Point(0.5, 0.5), Point(7, 9, False))), False),
        (PromptSet((Point(0.5, 0.5),), Box(0, 0, 30, 20)), False),
        (PromptSet(), False),
    ],
)
def test_coordinates_up_to_one_look_like_fractions(
    prompts: PromptSet, relative: bool
) -> None:
    assert prompts.looks_relative is relative
