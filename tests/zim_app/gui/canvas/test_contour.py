import numpy as np
import pytest

from zim_app.gui.canvas.contour import HALF, contour_path, trace_contour


def disc(size, x, y, radius, softness=1.0):
    """Alpha of a disc, its centre in pixels from the top left corner."""
    rows, columns = np.mgrid[:size, :size] + 0.5
    distance = radius - np.hypot(columns - x, rows - y)
    return np.rint(np.clip(0.5 + distance / softness, 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("softness", [1.5, 4, 12])
def test_the_line_is_where_alpha_is_one_half(softness):
    segments = trace_contour(disc(64, 31.3, 33.8, 20.2, softness))
    radii = np.hypot(segments[..., 0] - 31.3, segments[..., 1] - 33.8)
    assert np.abs(radii - 20.2).max() < 0.12


def test_the_line_is_closed():
    segments = trace_contour(disc(64, 31.3, 33.8, 20.2))
    ends, counts = np.unique(
        segments.reshape(-1, 2).round(3), axis=0, return_counts=True
    )
    assert len(ends) > 100
    assert (counts == 2).all()


def test_it_ends_at_the_border_of_the_image():
    alpha = np.zeros((10, 12), np.uint8)
    alpha[:, :6] = 255
    segments = trace_contour(alpha)
    assert np.allclose(segments[..., 0], 6, atol=1e-3)
    assert segments[..., 1].min() < 0.1
    assert segments[..., 1].max() > 9.9


def test_one_row_and_one_pixel():
    alpha = np.array([[0, 255, 0]], np.uint8)
    assert sorted(set(trace_contour(alpha)[..., 0].ravel().round(2).tolist())) == [1, 2]
    assert trace_contour(np.array([[200]], np.uint8)).shape == (0, 2, 2)


@pytest.mark.parametrize("value", [0, 127, 128, 255])
def test_a_flat_matte_has_no_line(value):
    assert trace_contour(np.full((20, 30), value, np.uint8)).shape == (0, 2, 2)


def crossed(segments, a, b):
    """How many segments the line from a to b crosses."""

    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return sum(
        side(a, b, p) * side(a, b, q) < 0 and side(p, q, a) * side(p, q, b) < 0
        for p, q in segments.tolist()
    )


@pytest.mark.parametrize(("peak", "joined"), [(255, True), (140, False)])
def test_at_a_saddle_the_mean_decides_the_connection(peak, joined):
    """Two opposite pixels are in; their neighbours are nearly in, or clearly out."""
    low = 120 if joined else 0
    alpha = np.full((4, 4), low, np.uint8)
    alpha[1, 1] = alpha[2, 2] = peak
    across = crossed(trace_contour(alpha), (1.49, 1.5), (2.49, 2.5))
    assert across == (0 if joined else 2)


def test_any_matte_parts_what_is_in_from_what_is_out():
    alpha = np.random.default_rng(1).integers(0, 256, (9, 11), np.uint8)
    segments = trace_contour(alpha)
    for row in range(9):
        for column in range(10):
            differ = (alpha[row, column] > HALF) != (alpha[row, column + 1] > HALF)
            way = (column + 0.501, row + 0.5007), (column + 1.499, row + 0.5007)
            assert crossed(segments, *way) % 2 == differ


def test_the_path_has_the_segments():
    segments = np.array([[[1, 2], [3, 4.5]], [[5, 6], [7, 8]]], np.float32)
    path = contour_path(segments)
    elements = [path.elementAt(i) for i in range(path.elementCount())]
    assert [(e.x, e.y, e.isMoveTo()) for e in elements] == [
        (1, 2, True),
        (3, 4.5, False),
        (5, 6, True),
        (7, 8, False),
    ]
    assert contour_path(segments[:0]).isEmpty()
