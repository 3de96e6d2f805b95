"""Closed-form matting finds the alpha that pictures were composed with."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from zim_model.errors import Cancelled
from zim_model.matting.closed_form import solve_alpha

FRONT, BACK = np.array([200, 120, 40]), np.array([40, 90, 180])


def compose(alpha, noise=3.0):
    """A picture of two noisy colours with that alpha, uint8."""
    pixels = alpha[..., None] * FRONT + (1 - alpha[..., None]) * BACK
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8)


@pytest.fixture
def ramp():
    """Alpha that falls from 1 to 0 between columns 40 and 80."""
    row = np.clip((80 - np.arange(120)) / 40, 0, 1)
    return np.repeat(row[None], 90, 0).astype(np.float32)


def test_a_soft_edge_is_found_from_colours(ramp):
    unknown = np.zeros(ramp.shape, bool)
    unknown[:, 30:90] = True
    guess = np.where(unknown, 0.5, ramp)
    solved = solve_alpha(compose(ramp), guess, unknown)
    assert np.abs(solved - ramp)[unknown].mean() < 0.02
    assert solved.dtype == np.float32
    assert solved.min() >= 0
    assert solved.max() <= 1


def test_known_pixels_keep_their_alpha(ramp):
    unknown = np.zeros(ramp.shape, bool)
    unknown[20:50, 50:70] = True
    odd = ramp * 0.7 + 0.1
    solved = solve_alpha(compose(ramp), odd, unknown)
    assert (solved[~unknown] == odd[~unknown].astype(np.float32)).all()
    nothing = np.zeros_like(unknown)
    assert (solve_alpha(compose(ramp), odd, nothing) == odd).all()


def test_holes_that_touch_no_known_background_are_found():
    truth = np.zeros((120, 160), np.float32)
    truth[20:100, 20:140] = 1
    for x in range(50, 120, 14):
        cv2.circle(truth, (x, 60), 4, 0.0, -1)
    truth = cv2.GaussianBlur(truth, (0, 0), 0.8)
    unknown = np.zeros(truth.shape, bool)
    unknown[48:72, 40:124] = True  # surrounded by the object
    solved = solve_alpha(compose(truth), np.where(unknown, 1, truth), unknown)
    assert np.abs(solved - truth)[unknown].mean() < 0.04
    assert solved[60, 64] < 0.1


def test_a_large_picture_is_solved_reduced_and_follows_its_edges(ramp):
    rng = np.random.default_rng(1)
    hair = np.zeros((600, 800), np.float32)
    hair[:, :300] = 1
    for y in range(10, 600, 12):
        end = (int(rng.integers(400, 560)), y + int(rng.integers(-30, 30)))
        cv2.line(hair, (290, y), end, 1.0, 2, cv2.LINE_AA)
    unknown = np.zeros(hair.shape, bool)
    unknown[:, 280:620] = True
    picture, guess = compose(hair), np.where(unknown, 0, hair)
    whole = solve_alpha(picture, guess, unknown, max_pixels=10**7)
    reduced = solve_alpha(picture, guess, unknown, max_pixels=120_000)
    error = [np.abs(each - hair)[unknown].mean() for each in (guess, whole, reduced)]
    assert error[1] < 0.02
    assert error[2] < 0.25 * error[0]


def test_the_same_picture_gives_the_same_alpha_with_any_number_of_threads(ramp):
    unknown = np.zeros(ramp.shape, bool)
    unknown[:, 30:90] = True
    picture, threads = compose(ramp), cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = solve_alpha(picture, ramp, unknown)
        cv2.setNumThreads(4)
        four = solve_alpha(picture, ramp, unknown)
    finally:
        cv2.setNumThreads(threads)
    assert (one == four).all()


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_one_colour_around_gives_finite_alpha(ramp, known):
    unknown = np.zeros(ramp.shape, bool)
    unknown[10:80, 10:110] = True
    solved = solve_alpha(compose(ramp), np.full_like(ramp, known), unknown)
    assert np.isfinite(solved).all()
    everywhere = np.ones_like(unknown)
    assert np.isfinite(solve_alpha(compose(ramp), ramp, everywhere)).all()
    flat = np.full((*ramp.shape, 3), 90, np.uint8)
    assert np.isfinite(solve_alpha(flat, ramp, unknown)).all()


def test_it_can_be_cancelled(ramp):
    unknown = np.ones(ramp.shape, bool)
    unknown[:5] = False
    with pytest.raises(Cancelled):
        solve_alpha(compose(ramp), ramp, unknown, cancelled=lambda: True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (3, 3)])
def test_a_tiny_image_without_a_known_pixel_is_solved(shape):
    rng = np.random.default_rng(0)
    for _ in range(20):
        image = np.full((*shape, 3), rng.integers(0, 256, 3), np.uint8)
        alpha = rng.choice([0, 0.3, 0.5, 1], shape).astype(np.float32)
        solved = solve_alpha(image, alpha, np.ones(shape, bool))
        assert np.isfinite(solved).all()
