"""Mattes are aligned with the network's prediction at every image size."""

from functools import partial

import numpy as np
import pytest

from zim_model.backends.backend import EncodedView
from zim_model.backends.view import View, align, sample_cells, spread
from zim_model.inference.automatic import AutomaticOptions, find_objects
from zim_model.inference.engine import Engine
from zim_model.network.config import RELATIVES, ZIM_VIT_B, TinyConfig, sam_variant
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Options, Recipe
from zim_model.request import Request

SIZES = [(1356, 2040), (1355, 2040), (683, 1024), (501, 333), (97, 1200), (1001, 1000)]
SOFTNESS = 0.012
"""Width of the object's edge, as a fraction of the longer side: smooth on any grid."""


def ideal_logits(x, y, size):
    """Logits of a rounded rectangle at image pixels x (W,) and y (H,)."""
    height, width = size
    round_by = 0.1 * min(size)
    dx = np.abs(x - 0.5 * width)[None] - 0.3 * width + round_by
    dy = np.abs(y - 0.5 * height)[:, None] - 0.3 * height + round_by
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) - round_by
    distance = outside + np.minimum(np.maximum(dx, dy), 0)
    return -distance / (SOFTNESS * max(size))


class NoFeatures:
    nbytes = 0


class IdealBackend:
    """Returns the exact logits of a shape, at the centres of its input's cells."""

    fingerprint = "ideal"
    device_label = "paper"

    def __init__(self, config, image_size):
        self.config, self.image_size = config, image_size

    def encode(self, image, view):
        return EncodedView(view, NoFeatures())

    def decode(self, encoded, prompts, mask_input=None):
        grid, scores = self.decode_grid(encoded, prompts, mask_input)
        return align(grid, encoded.view, self.config.mask_stride), scores

    def decode_grid(self, encoded, prompts, mask_input=None):
        view, stride = encoded.view, self.config.mask_stride
        middles = (np.arange(view.image_size // stride) + 0.5) * stride
        input_height, input_width = view.input_size
        x = view.left + middles * view.width / input_width
        y = view.top + middles * view.height / input_height
        logits = ideal_logits(x, y, self.image_size)
        return np.float32(logits)[None].repeat(4, 0), np.ones(4, np.float32)


def edges_of(alpha):
    """Where the middle row and column cross one half: left, right, top, bottom."""
    height, width = alpha.shape
    edges = []
    for line in (alpha[height // 2], alpha[:, width // 2]):
        inside = np.flatnonzero(line >= 0.5)
        for i, step in ((inside[0], -1), (inside[-1], 1)):
            rest = (line[i] - 0.5) / max(line[i] - line[i + step], 1e-9)
            edges.append(i + 0.5 + step * rest)
    return np.array(edges)


CONFIGS = {
    "zim": ZIM_VIT_B,
    "sam": sam_variant(ZIM_VIT_B),
    "sam2": RELATIVES["sam2.1-hiera-tiny"],
    "tiny": TinyConfig("tiny"),
}


def solved_edges(kind, size, image, prompts, options):
    backend = IdealBackend(CONFIGS[kind], size)
    request = Request(image, "key", Recipe(prompts=prompts, options=options))
    matte = Engine(lambda model, placement: backend).solve(request)
    return edges_of(matte.alpha / 65535)


def ideal_alpha(size, steepness=1.0):
    height, width = size
    logits = ideal_logits(np.arange(width) + 0.5, np.arange(height) + 0.5, size)
    return 1 / (1 + np.exp(-steepness * logits))


def click(size):
    return PromptSet((Point(size[1] / 2, size[0] / 2),))


def box(size):
    height, width = size
    return PromptSet((), Box(0.19 * width, 0.19 * height, 0.81 * width, 0.81 * height))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("upsampling", ["bilinear", "guided", "native"])
@pytest.mark.parametrize("prompts", [click, box])
def test_the_edges_of_an_ideal_network_stay(size, kind, upsampling, prompts):
    if upsampling != "bilinear" and min(size) < 100:
        pytest.skip("the finish blurs an object of so few cells")
    grey = np.full((*size, 3), 128, np.uint8)
    options = Options(upsampling=upsampling)
    edges = solved_edges(kind, size, grey, prompts(size), options)
    np.testing.assert_allclose(edges, edges_of(ideal_alpha(size)), atol=0.25)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("flip_tta", [False, True])
def test_an_image_with_edges_moves_nothing_aside(size, kind, flip_tta):
    """Guidance by the image may shift opposite edges together, by part of a cell."""
    image = np.uint8(ideal_alpha(size, 4) * 255 + 0.5)[..., None].repeat(3, 2)
    options = Options(flip_tta=flip_tta)
    edges = solved_edges(kind, size, image, box(size), options)
    expected = edges_of(ideal_alpha(size))
    middles = edges.reshape(2, 2).mean(1), expected.reshape(2, 2).mean(1)
    np.testing.assert_allclose(*middles, atol=0.25)
    np.testing.assert_allclose(edges, expected, atol=1)


@pytest.mark.parametrize("size", [(1356, 2040), (1422, 975), (499, 1322), (799, 1249)])
@pytest.mark.parametrize("kind", CONFIGS)
def test_found_objects_are_where_they_are(size, kind):
    """In the small matte of the whole image, wherever their view begins and ends."""
    backend = IdealBackend(CONFIGS[kind], size)
    image = np.full((*size, 3), 128, np.uint8)
    options = AutomaticOptions(
        1, (0,), refine_with_box=True, min_score=0, min_stability=0
    )
    (found,) = find_objects(backend, partial(backend.encode, image), size, options)
    rows, columns = found.alpha.shape
    edges = edges_of(found.alpha / 255)
    expected = edges_of(ideal_alpha(size))
    scale = np.array([columns / size[1]] * 2 + [rows / size[0]] * 2)
    np.testing.assert_allclose(edges, expected * scale, atol=0.25)


@pytest.mark.parametrize("side", [681, 682, 1023, 5, 1])
@pytest.mark.parametrize("stride", [2, 4])
def test_aligned_values_are_those_at_the_middles_of_their_cells(side, stride):
    view = View.whole(side, 1024, 1024)
    assert view.input_size == (side, 1024)
    middles = (np.arange(1024 // stride) + 0.5) * stride
    ramp = np.float32(np.repeat(middles[:, None], 1024 // stride, 1))
    aligned = align(ramp, view, stride)
    rows = -(-side // stride)
    assert aligned.shape == (rows, 1024 // stride)
    expected = (np.arange(rows) + 0.5) * side / rows
    inner = slice(1, -2)  # at the ends the outermost cells continue
    np.testing.assert_allclose(aligned[inner, 0], expected[inner], rtol=1e-4)
    np.testing.assert_allclose(aligned[:, 0], expected, atol=stride)


def test_spreading_is_the_inverse_of_aligning():
    view = View.whole(681, 1024, 1024)
    rng = np.random.default_rng(0)
    smooth = np.cumsum(rng.normal(size=256)).astype(np.float32)
    grid = np.repeat(smooth[:, None], 256, 1)
    back = spread(align(grid, view, 4), view, 4)
    assert back.shape == view.cells(4)
    difference = np.abs(back - grid[: len(back)])[1:-1]
    assert difference.max() < 0.5 * np.abs(np.diff(smooth)).max()


def test_cubic_interpolation_reproduces_quadratic_functions():
    cells = np.arange(12, dtype=np.float32)
    positions = np.array([1.25, 3.5, 8.0, 9.75])
    sampled = sample_cells(cells**2 - 3 * cells, positions, 0)
    np.testing.assert_allclose(sampled, positions**2 - 3 * positions, rtol=1e-5)
