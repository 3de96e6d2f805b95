from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene

from zim_app.core import compose
from zim_app.gui.canvas.cutout_colours import cutout_pixels
from zim_app.gui.canvas.overlay import Backdrop, OverlayItem, OverlayLayer, union_alpha
from zim_app.gui.canvas.pyramid_item import (
    GRID_ZOOM,
    ImageItem,
    PixelGridItem,
    crop_level,
    level_for,
)
from zim_app.gui.canvas.view_modes import BACKGROUNDS, VIEW_MODES, OverlayStyle
from zim_model.matting.pyramid import display_pyramid, halve, image_pyramid

MODES = {mode.id: mode for mode in VIEW_MODES}


def render(*items, scale=1.0, size=(80, 60), crop=None):
    """The rendered scene, as (h, w, 3) uint8."""
    scene = QGraphicsScene()
    for item in items:
        scene.addItem(item)
    source = QRectF(*(crop or (0, 0, *size)))
    width, height = round(source.width() * scale), round(source.height() * scale)
    image = QImage(width, height, QImage.Format.Format_RGB888)
    image.fill(0)
    painter = QPainter(image)
    scene.render(painter, QRectF(0, 0, width, height), source)
    painter.end()
    for item in items:
        scene.removeItem(item)  # else it dies with the scene
    pixels = np.frombuffer(image.constBits(), np.uint8)
    pixels = pixels.reshape(height, image.bytesPerLine())[:, : width * 3]
    return pixels.reshape(height, width, 3).copy()


@pytest.fixture
def pixels():
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (60, 80, 3), np.uint8)


@pytest.fixture
def image_item(qapp, pixels):
    item = ImageItem()
    item.set_levels((pixels,))
    return item


@pytest.fixture
def overlay(qapp, pixels, make_matte):
    item = OverlayItem()
    item.set_levels((pixels,))
    item.set_layers((OverlayLayer(make_matte(), 0x2F8FFF),))
    return item


def matte_of(make_matte, alpha):
    """A matte with that alpha, (60, 80) in 0..1, tight support included."""
    alpha = np.rint(alpha * 65535).astype(np.uint16)
    rows, columns = np.nonzero(alpha)
    support = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return replace(
        make_matte(),
        alpha=alpha,
        pyramid=display_pyramid(alpha),
        support=tuple(map(int, support)),
    )


@pytest.fixture
def two(make_matte):
    """Objects at the left and at the right that overlap softly in the middle."""
    ramp = np.clip((50 - np.arange(80)) / 20, 0, 1)
    left = np.broadcast_to(ramp, (60, 80))
    right = left[:, ::-1]
    return (
        OverlayLayer(matte_of(make_matte, left), 0xFF0000, active=True),
        OverlayLayer(matte_of(make_matte, right), 0x00FF00, active=False),
    )


@pytest.mark.parametrize(
    ("scale", "level"),
    [(64, 0), (1, 0), (0.51, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.01, 3)],
)
def test_the_level_has_a_pixel_for_each_on_screen(scale, level):
    assert level_for(scale, 4) == level


def test_levels_halve_until_small():
    rgb = np.zeros((1001, 1300, 3), np.uint8)
    levels = image_pyramid(rgb)
    assert levels[0] is rgb
    assert [level.shape[:2] for level in levels] == [
        (1001, 1300),
        (501, 650),
        (251, 325),
    ]
    assert not any(level.flags.writeable for level in levels[1:])


def test_the_image_is_drawn_as_it_is(image_item, pixels):
    assert (render(image_item) == pixels).all()


def test_pixels_are_crisp_when_close(image_item, pixels):
    close = render(image_item, scale=4, crop=(10, 20, 8, 6))
    assert (close == pixels[20:26, 10:18].repeat(4, 0).repeat(4, 1)).all()


def test_a_cropped_repaint_is_the_same_as_a_whole_one(image_item):
    whole = render(image_item, scale=0.75)
    part = render(image_item, scale=0.75, crop=(20, 20, 40, 20))
    assert np.abs(whole[15:30, 15:45].astype(int) - part).max() <= 2


def test_overlay_veils_the_background_and_not_the_object(image_item, overlay, pixels):
    rendered = render(image_item, overlay).astype(int)
    assert (rendered[:, :38] == pixels[:, :38]).all()
    veil = np.array([0x1C, 0x2E, 0x70])
    expected = pixels[:, 42:] * 0.36 + veil * 0.64
    assert np.abs(rendered[:, 42:] - expected).max() <= 2


@pytest.mark.parametrize("count", [1, 2])
def test_a_tint_means_the_same_for_one_object_and_for_several(
    image_item, overlay, make_matte, count
):
    image_item.set_levels((np.full((60, 80, 3), 100, np.uint8),))
    left = np.broadcast_to(np.arange(80) < 25, (60, 80)).astype(float)
    mattes = (matte_of(make_matte, left), matte_of(make_matte, left[:, ::-1]))
    red, green = (OverlayLayer(mattes[0], 0xFF0000), OverlayLayer(mattes[1], 0xFF00))
    overlay.set_layers((red, replace(green, active=False))[:count])
    overlay.set_style(OverlayStyle("background", "#ff0000", 0.5))
    rendered = render(image_item, overlay).astype(int)
    assert (rendered[30, 5] == 100).all(), "a selected pixel keeps its colour"
    assert rendered[30, 40].tolist() == pytest.approx([178, 50, 50], abs=2)
    overlay.set_style(OverlayStyle("objects", strength=0.5))
    rendered = render(image_item, overlay).astype(int)
    assert rendered[30, 5].tolist() == pytest.approx([178, 50, 50], abs=2)
    assert (rendered[30, 40] == 100).all(), "what is in no object keeps its colour"
    other = [75, 139, 75] if count == 2 else [100, 100, 100]
    assert rendered[30, 75].tolist() == pytest.approx(other, abs=2)


def test_matte_mode_shows_alpha_as_grey(image_item, overlay):
    overlay.set_mode(MODES["matte"])
    rendered = render(image_item, overlay)
    assert (rendered[:, :38] == 255).all()
    assert (rendered[:, 42:] == 0).all()


def test_the_matte_of_several_is_that_of_the_export(image_item, overlay, two):
    overlay.set_mode(MODES["matte"])
    overlay.set_layers(two)
    exported = compose.union_alpha([layer.matte.alpha for layer in two])
    rendered = render(image_item, overlay).astype(int)
    assert np.abs(rendered[..., 0] - exported / 257).max() <= 1.5


def test_together_does_not_depend_on_the_order():
    a, b, c = np.random.default_rng(2).integers(0, 256, (3, 20, 30), np.uint8)
    difference = union_alpha([a, b, c]).astype(int) - union_alpha([c, a, b])
    assert np.abs(difference).max() <= 1
    assert (union_alpha([a]) == a).all()
    assert (union_alpha([a, np.zeros_like(a)]) == a).all()


def test_cutout_mode_shows_a_checker_board(image_item, overlay, pixels):
    overlay.set_mode(MODES["cutout"])
    rendered = render(image_item, overlay)
    assert (rendered[:, :38] == pixels[:, :38]).all()
    greys = set(map(tuple, rendered[:, 42:].reshape(-1, 3).tolist()))
    assert greys == {(255, 255, 255), (208, 208, 208)}


@pytest.mark.parametrize("scale", [0.7, 1, 3])
def test_the_squares_of_the_checker_board_are_as_large_at_every_zoom(overlay, scale):
    overlay.set_mode(MODES["cutout"])
    rendered = render(overlay, scale=scale)[:, round(42 * scale) :, 0].astype(int)
    rows = np.flatnonzero(np.diff(rendered[:, 3])) + 1
    assert (rows % 10 == 0).all()
    assert len(rows) == (len(rendered) - 1) // 10


def test_the_checker_board_stays_where_it_is_in_a_partial_repaint(image_item, overlay):
    overlay.set_mode(MODES["cutout"])
    whole = render(image_item, overlay)
    scene = QGraphicsScene()
    scene.addItem(image_item)
    scene.addItem(overlay)
    image = QImage(80, 60, QImage.Format.Format_RGB888)
    painter = QPainter(image)
    painter.setClipRect(47, 13, 20, 20)
    scene.render(painter, QRectF(0, 0, 80, 60), QRectF(0, 0, 80, 60))
    painter.end()
    assert image.pixelColor(50, 20).red() == whole[20, 50, 0]
    assert image.pixelColor(60, 20).red() == whole[20, 60, 0]


def test_a_cutout_over_a_colour_blends_as_the_export_does(overlay, pixels, two):
    overlay.set_mode(MODES["cutout"])
    overlay.set_layers(two[:1])
    overlay.set_backdrop(Backdrop(QColor(10, 200, 30)))
    alpha = two[0].matte.alpha[..., None] / 65535
    expected = pixels * alpha + np.array((10, 200, 30)) * (1 - alpha)
    assert np.abs(render(overlay) - expected).max() <= 2.5


def test_a_cutout_over_another_image(overlay, pixels, two):
    overlay.set_mode(MODES["cutout"])
    overlay.set_layers(two[:1])
    overlay.set_backdrop(Backdrop(levels=(pixels[::-1].copy(),)))
    alpha = two[0].matte.alpha[..., None] / 65535
    expected = pixels * alpha + pixels[::-1] * (1 - alpha)
    assert np.abs(render(overlay) - expected).max() <= 2.5


def test_a_cutout_shows_the_cleaned_colours_where_there_are_some(overlay, two):
    clean = np.full((60, 80, 3), (250, 20, 90), np.uint8)
    layer = replace(two[0], matte=replace(two[0].matte, foreground=(clean,)))
    overlay.set_mode(MODES["cutout"])
    overlay.set_layers((layer,))
    overlay.set_backdrop(Backdrop(QColor(0, 0, 0)))
    expected = np.array((250, 20, 90)) * (layer.matte.alpha[..., None] / 65535)
    assert np.abs(render(overlay) - expected).max() <= 2.5


@pytest.mark.parametrize("size", [(64, 96), (61, 83)])
def test_a_draft_of_cleaned_colours_changes_the_finer_levels_alike(size):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 200, (*size, 3)).astype(np.uint8)
    clean = image.copy()
    clean[20:40, 30:60] += np.array((40, 10, 25), np.uint8)
    levels = (image, to_bgra(halve(image)), to_bgra(halve(image, 2)))
    draft = image_pyramid(halve(clean, 2), first=2)[:1]
    for index, exact in enumerate((clean, to_bgra(halve(clean)))):
        whole = crop_level(QRectF(0, 0, *size[::-1]), QRectF(0, 0, *size[::-1]), exact)
        shown = cutout_pixels(levels, draft, index, whole)
        error = np.abs(shown.astype(int) - exact)
        before = np.abs(levels[index].astype(int) - exact)
        assert error.mean() < 0.4 * before.mean()
        part = crop_level(QRectF(25, 15, 30, 20), QRectF(0, 0, *size[::-1]), exact)
        cut = shown[part.rows, part.columns]
        np.testing.assert_array_equal(cutout_pixels(levels, draft, index, part), cut)
    assert cutout_pixels(levels, (), 0, whole) is not None
    whole = crop_level(QRectF(0, 0, 9, 9), QRectF(0, 0, 9, 9), levels[2])
    assert (cutout_pixels(levels, draft, 2, whole) == draft[0][: whole.rows.stop]).all()


def to_bgra(rgb):
    alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
    return np.concatenate((rgb[..., ::-1], alpha), 2)


def test_cutouts_lie_over_one_another_as_in_the_export(overlay, two):
    colours = [np.full((60, 80, 3), c, np.uint8) for c in ((255, 0, 0), (0, 0, 255))]
    layers = tuple(
        replace(layer, matte=replace(layer.matte, foreground=(c,)))
        for layer, c in zip(two, colours, strict=True)
    )
    overlay.set_mode(MODES["cutout"])
    overlay.set_layers(layers)
    overlay.set_backdrop(Backdrop(QColor(0, 0, 0)))
    cuts = [
        compose.CutOut(c, layer.matte.alpha)
        for c, layer in zip(colours, layers, strict=True)
    ]
    stacked = compose.stack_cut_outs(cuts[::-1])
    exported = compose.composite(stacked, np.zeros(3, np.uint8))
    assert np.abs(render(overlay) - exported.astype(int)).max() <= 3


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_the_outline_is_as_wide_at_every_zoom(image_item, overlay, scale):
    image_item.set_levels((np.full((60, 80, 3), 100, np.uint8),))
    overlay.set_mode(MODES["outline"])
    row = render(image_item, overlay, scale=scale)[30 * scale, :, 0].astype(int)
    bright, dark = np.flatnonzero(row > 160), np.flatnonzero(row < 80)
    assert np.abs(bright - (40 * scale - 0.5)).max() <= 1, "between the columns"
    assert len(bright) in (1, 2)
    assert dark.max() - dark.min() + 1 in (3, 4)
    assert (row[: dark.min() - 1] == 100).all(), "nothing else is drawn"


def test_outlines_of_several_have_their_colours(image_item, overlay, two, make_matte):
    image_item.set_levels((np.zeros((60, 80, 3), np.uint8),))
    overlay.set_mode(MODES["outline"])
    far = np.broadcast_to(np.clip((np.arange(80) - 55) / 20, 0, 1), (60, 80))
    overlay.set_layers((two[0], OverlayLayer(matte_of(make_matte, far), 0x00FF00)))
    red, green, _ = render(image_item, overlay)[30].astype(int).T
    assert red[39:42].max() > 150 > 50 > green[39:42].max()
    assert green[64:67].max() > 150 > 50 > red[64:67].max()


def test_uncertainty_is_bright_where_alpha_is_neither(image_item, overlay, two):
    image_item.set_levels((np.full((60, 80, 3), 100, np.uint8),))
    overlay.set_mode(MODES["uncertainty"])
    overlay.set_layers(two[:1])
    light = render(image_item, overlay)[30].astype(int).sum(axis=1)
    assert light[40] > 600, "alpha is one half"
    assert light[70] < light[5] < 200, "the background is darker than the object"
    assert (np.diff(light[30:40]) >= 0).all(), "lightness grows with doubt"


def test_left_of_the_line_is_the_photograph(image_item, overlay, pixels):
    overlay.set_mode(MODES["matte"])
    overlay.set_left_edge(60)
    rendered = render(image_item, overlay)
    assert (rendered[:, :60] == pixels[:, :60]).all()
    assert (rendered[:, 60:] == 0).all()
    overlay.set_left_edge(1000)
    assert (render(image_item, overlay) == pixels).all()


def test_it_covers_the_image_only_where_all_of_it_is_opaque(overlay):
    opaque = {
        id_
        for id_, mode in MODES.items()
        if overlay.set_mode(mode) or overlay.is_opaque
    }
    assert opaque == {"matte", "cutout"}
    overlay.set_mode(MODES["matte"])
    overlay.set_left_edge(10)
    assert not overlay.is_opaque
    overlay.set_left_edge(-np.inf)
    overlay.set_layers(())
    assert not overlay.is_opaque


@pytest.mark.parametrize("mode", MODES)
def test_a_part_of_a_large_matte_is_drawn_as_in_the_whole(make_matte, qapp, mode):
    """At half the size, where another level of the pyramid is used."""
    rows, columns = np.mgrid[:600, :800]
    alpha = np.clip((200 - np.hypot(columns - 400, rows - 300)) / 60 + 0.5, 0, 1)
    rgb = np.random.default_rng(3).integers(0, 256, (600, 800, 3), np.uint8)
    matte = matte_of(make_matte, alpha)
    item = OverlayItem()
    item.set_levels(image_pyramid(rgb))
    item.set_layers((OverlayLayer(matte, 0xFF0000),))
    item.set_backdrop(Backdrop(QColor(255, 255, 255)))
    item.set_mode(MODES[mode])
    whole = render(item, scale=0.5, size=(800, 600))
    part = render(item, scale=0.5, crop=(200, 80, 300, 240))
    assert np.abs(whole[40:160, 100:250].astype(int) - part).max() <= 3
    assert (whole.std() > 5) == (mode != "picture")


def test_image_mode_shows_no_matte(image_item, overlay, pixels):
    overlay.set_mode(MODES["picture"])
    assert (render(image_item, overlay) == pixels).all()


def test_the_first_mode_shows_what_is_selected():
    assert VIEW_MODES[0].id == "overlay"
    assert all(len(mode.colours) in (0, 256) for mode in VIEW_MODES)
    assert BACKGROUNDS[0].id == "checker"


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_the_pixel_grid_shows_on_any_colour_when_close(image_item, grey):
    image_item.set_levels((np.full((60, 80, 3), grey, np.uint8),))
    grid = PixelGridItem()
    grid.set_bounds(image_item.boundingRect())
    scale = int(GRID_ZOOM)
    row = render(image_item, grid, scale=scale, crop=(4, 4, 3, 3))[scale + 5, :, 0]
    touched = np.flatnonzero(row != grey)
    assert set(touched % scale) <= {0, 1}
    assert len(touched) >= 2
    far = render(image_item, grid, scale=scale - 1, crop=(4, 4, 3, 3))
    assert (far == grey).all()
