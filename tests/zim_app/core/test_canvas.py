"""Canvases: where the object is placed, and what their files hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.canvas import Canvas
from zim_app.core.export import ExportOptions, ExportTarget, export, plan_files
from zim_app.core.framing import ExportFrame, place_map
from zim_app.core.images import Image
from zim_app.core.psd import read_psd
from zim_model.errors import ImageError, ZimError

OPAQUE = 65535
RED = (200, 30, 20)


def fixed(width: int, height: int, **values: Any) -> Canvas:
    return Canvas(width, height, "px", **values)


def seen_part(frame: ExportFrame, support: tuple[int, int, int, int]) -> list[float]:
    """Edges of the support in pixels of the file."""
    edges = []
    for n, edge in enumerate(support):
        axis = n % 2
        old = frame.rect[axis + 2] - frame.rect[axis]
        new = frame.filled[axis + 2] - frame.filled[axis]
        edges.append(frame.filled[axis] + (edge - frame.rect[axis]) * new / old)
    return edges


# -- Geometry --------------------------------------------------------------------------


def test_a_large_object_is_shrunk_to_fit() -> None:
    frame = fixed(200, 200, padding=10).frame((100, 50, 500, 250))
    assert (frame.width, frame.height) == (200, 200)
    assert frame.filled == (20, 60, 180, 140), "centred, 10 % free at either side"
    assert frame.percent == 40


def test_a_small_object_is_enlarged_only_on_demand() -> None:
    small = (10, 10, 50, 30)
    frame = fixed(200, 200).frame(small)
    assert seen_part(frame, small) == [80, 90, 120, 110]
    assert frame.percent == 100
    frame = fixed(200, 200, enlarge=True).frame(small)
    assert seen_part(frame, small) == pytest.approx([0, 50, 200, 150])
    assert frame.percent == 500


def test_an_object_stands_on_the_padding() -> None:
    support = (0, 0, 100, 50)
    canvas = fixed(200, 300, padding=30, padding_unit="px", align="bottom")
    left, top, right, bottom = seen_part(canvas.frame(support), support)
    assert (left, right) == (50, 150)
    assert (top, bottom) == (220, 270)


def test_padding_in_percent_is_of_the_shorter_side() -> None:
    support = (0, 0, 1000, 100)
    frame = fixed(400, 200, padding=10).frame(support)
    assert frame.filled[0] == 20
    assert frame.filled[2] == 380


@pytest.mark.parametrize(
    ("canvas", "size"),
    [
        (Canvas(), (80, 80)),
        (Canvas(padding=10), (100, 100)),
        (Canvas(padding=10, padding_unit="px"), (100, 100)),
        (Canvas(4, 5), (80, 100)),
        (Canvas(16, 9), (107, 60)),
        (Canvas(2, 1, padding=25), (160, 80)),
    ],
)
def test_a_ratio_gives_the_smallest_canvas_around_the_object(canvas, size) -> None:
    frame = canvas.frame((10, 20, 90, 60) if size != (107, 60) else (0, 0, 50, 60))
    assert (frame.width, frame.height) == size
    assert frame.percent == 100


@given(
    st.builds(
        Canvas,
        width=st.integers(1, 3000),
        height=st.integers(1, 3000),
        unit=st.sampled_from(["px", "ratio"]),
        padding=st.floats(0, 49),
        padding_unit=st.sampled_from(["%", "px"]),
        align=st.sampled_from(["centre", "bottom"]),
        enlarge=st.booleans(),
    ),
    st.tuples(*[st.integers(0, 500)] * 2, *[st.integers(1, 2000)] * 2),
)
def test_the_object_lies_within_the_padding(canvas: Canvas, box) -> None:
    ratio = canvas.width / canvas.height
    if canvas.unit == "ratio" and not 0.02 < ratio < 50:
        return
    try:
        canvas.validate()
    except ZimError:
        return
    x, y, width, height = box
    support = (x, y, x + width, y + height)
    frame = canvas.frame(support)
    left, top, right, bottom = seen_part(frame, support)
    padding = canvas.padding
    if canvas.padding_unit == "%":
        padding *= min(frame.width, frame.height) / 100
    slack = 2.0
    assert left >= padding - slack
    assert top >= padding - slack
    assert right <= frame.width - padding + slack
    assert bottom <= frame.height - padding + slack
    assert abs(left + right - frame.width) <= slack
    below = bottom + padding - frame.height
    middle = (top + bottom - frame.height) / 2
    assert abs(below if canvas.align == "bottom" else middle) <= slack
    assert Canvas.from_json(canvas.to_json()) == canvas


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"width": 0}, "width is 0. It must be a whole number from 1 to"),
        ({"height": 10.5}, "height is 10.5"),
        ({"width": True}, "width is True"),
        ({"unit": "cm"}, "unit is 'cm'. It must be one of px, ratio"),
        ({"padding": 50}, "padding is 50. It must be a number from 0 to 49"),
        ({"padding": float("nan")}, "padding is nan"),
        ({"padding": "5"}, "padding is '5'"),
        ({"padding_unit": "em"}, "padding unit is 'em'"),
        ({"align": []}, r"align is \[\]"),
        ({"enlarge": 1}, "enlarge is 1"),
        ({"depth": 3}, "unknown field 'depth'. Known are width, height"),
        ([1, 2], "canvas is"),
        (
            {"width": 60, "height": 90, "unit": "px", "padding": 30}
            | {"padding_unit": "px"},
            "leaves no room on a canvas of 60 x 90",
        ),
    ],
)
def test_malformed_canvases_are_refused_by_name(values: Any, sentence: str) -> None:
    with pytest.raises(ZimError, match=sentence):
        Canvas.from_json(values)
    with pytest.raises(ZimError, match=sentence):
        ExportOptions.from_json({"canvas": values})


def test_nothing_cannot_be_placed() -> None:
    with pytest.raises(ZimError, match="nothing to export"):
        ExportOptions(canvas=Canvas()).frame(100, 80, None)


# -- Files -----------------------------------------------------------------------------


def photo_of(alpha: np.ndarray, ground: int = 230) -> Image:
    pixels = np.full((*alpha.shape, 3), ground, np.uint8)
    pixels[alpha > 0] = RED
    return Image.from_array(pixels, "photo.png")


def square(height: int, width: int, box: tuple[int, int, int, int]) -> np.ndarray:
    alpha = np.zeros((height, width), np.uint16)
    left, top, right, bottom = box
    alpha[top:bottom, left:right] = OPAQUE
    return alpha


def written(path: Path, alpha: np.ndarray, options: ExportOptions) -> np.ndarray:
    export(photo_of(alpha), [ExportTarget(alpha)], path, options)
    with PIL.Image.open(path) as image:
        return np.asarray(image)


def test_an_object_on_a_white_square(tmp_path: Path) -> None:
    alpha = square(60, 100, (5, 10, 95, 40))
    canvas = fixed(50, 50, padding=10)
    options = ExportOptions("composite", canvas=canvas)
    pixels = written(tmp_path / "a.png", alpha, options)
    assert pixels.shape == (50, 50, 3)
    object_ = (pixels == RED).all(2)
    rows, columns = np.nonzero(object_)
    assert (columns.min(), columns.max()) == (5, 44)
    assert (rows.min(), rows.max()) == (18, 30)
    assert (pixels[~object_] == 255).all()


def test_a_transparent_square_at_the_objects_size(tmp_path: Path) -> None:
    alpha = square(60, 100, (5, 10, 95, 40))
    alpha[10, 5:95] = 30_000
    options = ExportOptions(canvas=Canvas(align="bottom"))
    pixels = written(tmp_path / "a.png", alpha, options)
    assert pixels.shape == (90, 90, 4)
    assert (pixels[60:, :, 3][1:] == 255).all()
    assert (pixels[60, :, 3] == 117).all()
    assert not pixels[:60, :, 3].any()
    assert (pixels[55, :, :3] == RED).all(), "hidden pixels bleed from the edge"


def test_an_enlarged_object_has_soft_borders_all_around(tmp_path: Path) -> None:
    alpha = square(60, 100, (40, 20, 60, 40))
    canvas = fixed(200, 200, padding=20, enlarge=True)
    pixels = written(tmp_path / "a.png", alpha, ExportOptions(canvas=canvas))
    row = pixels[100, :, 3].astype(int)
    np.testing.assert_allclose(row, row[::-1], atol=1)
    assert (row[50:150] == 255).all()
    assert 0 < row[39] < 255
    assert 0 < row[40] < 255
    assert not row[:36].any()


def test_an_object_at_the_border_of_the_photo(tmp_path: Path) -> None:
    alpha = square(60, 100, (0, 0, 20, 60))
    canvas = fixed(300, 300, enlarge=True)
    pixels = written(tmp_path / "a.png", alpha, ExportOptions("matte", canvas=canvas))
    assert pixels.shape == (300, 300)
    assert (pixels[:, 105:195] == 255).mean() > 0.97
    assert not pixels[:, :90].any()


def test_layers_lie_on_the_canvas_with_the_original(tmp_path: Path) -> None:
    first, second = square(60, 100, (10, 10, 30, 30)), square(60, 100, (50, 20, 90, 50))
    options = ExportOptions(canvas=fixed(120, 120), original=True, scope="together")
    targets = [ExportTarget(first, "one"), ExportTarget(second, "two")]
    export(photo_of(first | second), targets, tmp_path / "a.psd", options)
    with (tmp_path / "a.psd").open("rb") as stream:
        size, layers, _ = read_psd(stream)
        original, one, two = layers
    assert size == (120, 120)
    assert (one.left, one.top) == (20, 40)
    assert (two.left, two.top) == (60, 50)
    assert (original.left, original.top) == (10, 30)
    assert original.pixels.shape[:2] == (60, 100)


def test_size_in_a_name_and_a_size_that_a_format_cannot_hold(tmp_path: Path) -> None:
    alpha = square(60, 100, (10, 10, 30, 30))
    target = ExportTarget(alpha)
    options = ExportOptions(canvas=Canvas(2, 1), template="{name}-{width}x{height}")
    [(name, _)] = plan_files(photo_of(alpha), [target], options)
    assert name == "photo-40x20.png"
    large = replace(options, canvas=fixed(20_000, 100))
    with pytest.raises(ImageError, match="WebP holds at most 16383"):
        export(photo_of(alpha), [target], tmp_path / "a.webp", large)
    huge = replace(options, canvas=fixed(20_000, 20_000))
    with pytest.raises(ImageError, match="20000 x 20000 pixels; the limit is"):
        export(photo_of(alpha), [target], tmp_path / "a.png", huge)


# -- The shadow ------------------------------------------------------------------------


def shadowed(opacity: float = 0.4) -> tuple[Image, np.ndarray, np.ndarray]:
    """A photo of a red disc with a shadow, its matte, and the shadow's opacity."""
    y, x = np.mgrid[:300, :400].astype(np.float32)
    alpha = np.clip((60 - np.hypot(x - 200, y - 140)) / 2 + 0.5, 0, 1)
    shadow = opacity * np.exp(-(((x - 210) / 80) ** 2) - ((y - 205) / 20) ** 2)
    ground = 230 * (1 - shadow)[..., None].repeat(3, 2)
    pixels = ground * (1 - alpha[..., None]) + np.array(RED) * alpha[..., None]
    image = Image.from_array(pixels.round().astype(np.uint8), "disc.png")
    return image, (alpha * OPAQUE).astype(np.uint16), shadow


def test_a_shadow_darkens_another_background(tmp_path: Path) -> None:
    image, alpha, shadow = shadowed()
    options = ExportOptions("composite", background=(100, 200, 50), shadow=True)
    export(image, [ExportTarget(alpha)], tmp_path / "a.png", options)
    pixels = np.asarray(PIL.Image.open(tmp_path / "a.png")).astype(float)
    expected = np.array([100, 200, 50]) * (1 - shadow)[..., None]
    outside = alpha == 0
    assert np.abs(pixels - expected)[outside].max() < 12
    assert pixels[210, 210, 1] < 130
    export(
        image, [ExportTarget(alpha)], tmp_path / "b.png", replace(options, shadow=False)
    )
    plain = np.asarray(PIL.Image.open(tmp_path / "b.png"))
    assert (plain[outside] == (100, 200, 50)).all()


@pytest.mark.parametrize("depth", ["8", "16"])
def test_a_shadow_is_black_with_alpha_in_a_cut_out(tmp_path: Path, depth) -> None:
    image, alpha, shadow = shadowed()
    options = ExportOptions(shadow=True, depth=depth)
    export(image, [ExportTarget(alpha)], tmp_path / "a.png", options)
    pixels = np.asarray(PIL.Image.open(tmp_path / "a.png").convert("RGBA"))
    outside = alpha == 0
    opacity = pixels[..., 3] / 255
    assert np.abs(opacity - shadow)[outside].max() < 0.06
    assert not pixels[outside & (shadow > 0.1)][:, :3].any()
    assert (pixels[140, 200] == (*RED, 255)).all()


def test_a_shadow_is_placed_with_its_object(tmp_path: Path) -> None:
    image, alpha, shadow = shadowed()
    for name, canvas in (
        ("half", fixed(100, 100, padding=20)),
        ("twice", fixed(600, 600, padding=30, enlarge=True)),
    ):
        options = ExportOptions(canvas=canvas, shadow=True)
        export(image, [ExportTarget(alpha)], tmp_path / f"{name}.png", options)
        pixels = np.asarray(PIL.Image.open(tmp_path / f"{name}.png"))
        frame = canvas.frame((140, 80, 261, 201))
        expected = place_map(shadow, 400, 300, frame)
        outside = place_map((alpha > 0).astype(np.float32), 400, 300, frame) == 0
        assert np.abs(pixels[..., 3] / 255 - expected)[outside].max() < 0.05


def test_a_shadow_is_a_layer_of_its_own(tmp_path: Path) -> None:
    image, alpha, _ = shadowed()
    options = ExportOptions(shadow=True, original=True, scope="together")
    export(image, [ExportTarget(alpha, "disc")], tmp_path / "a.psd", options)
    with (tmp_path / "a.psd").open("rb") as stream:
        layers = list(read_psd(stream)[1])
    assert [layer.name for layer in layers] == ["Original", "Shadow", "disc"]
    assert layers[1].visible
    assert not layers[1].pixels[..., :3].any()


def test_a_matte_has_no_shadow_and_no_notice(tmp_path: Path) -> None:
    image, alpha, _ = shadowed()
    notices: list[str] = []
    for shadow in (True, False):
        options = ExportOptions("matte", shadow=shadow)
        path = tmp_path / f"{shadow}.png"
        export(image, [ExportTarget(alpha)], path, options, notify=notices.append)
    assert (tmp_path / "True.png").read_bytes() == (tmp_path / "False.png").read_bytes()
    assert not notices


@pytest.mark.parametrize("suffix", ["png", "ora"])
def test_no_dependable_shadow_is_told_and_nothing_laid_down(
    tmp_path: Path, suffix: str
) -> None:
    alpha = square(60, 100, (30, 20, 60, 40))
    noise = np.random.default_rng(1).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    image, notices = Image.from_array(noise), list[str]()
    for shadow in (True, False):
        path = tmp_path / f"{shadow}.{suffix}"
        options = ExportOptions(shadow=shadow)
        export(image, [ExportTarget(alpha)], path, options, notify=notices.append)
    assert (tmp_path / f"True.{suffix}").read_bytes() == (
        tmp_path / f"False.{suffix}"
    ).read_bytes()
    assert len(notices) == 1
    assert "No dependable shadow" in notices[0]
