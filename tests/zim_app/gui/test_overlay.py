import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsScene

from zim_app.gui.overlay import Layer, OverlayItem
from zim_app.gui.pyramid import ImageItem, level_for, picture_levels
from zim_app.gui.view_modes import VIEW_MODES

MODES = {mode.id: mode for mode in VIEW_MODES}


def render(*items, scale=1.0, size=(80, 60), crop=None):
    """What the scene looks like, as (h, w, 3) uint8."""
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
    item.set_layers((Layer(make_matte(), 0x2F8FFF),))
    return item


@pytest.mark.parametrize(
    ("scale", "level"),
    [(64, 0), (1, 0), (0.51, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.01, 3)],
)
def test_the_level_has_a_pixel_for_each_on_screen(scale, level):
    assert level_for(scale, 4) == level


def test_levels_halve_until_small():
    rgb = np.zeros((1001, 1300, 3), np.uint8)
    levels = picture_levels(rgb)
    assert levels[0] is rgb
    assert [level.shape[:2] for level in levels] == [
        (1001, 1300),
        (501, 650),
        (251, 325),
    ]
    assert not any(level.flags.writeable for level in levels[1:])


def test_the_picture_is_drawn_as_it_is(image_item, pixels):
    assert (render(image_item) == pixels).all()


def test_pixels_are_crisp_when_close(image_item, pixels):
    close = render(image_item, scale=4, crop=(10, 20, 8, 6))
    assert (close == pixels[20:26, 10:18].repeat(4, 0).repeat(4, 1)).all()


def test_a_cropped_repaint_is_the_same_as_a_whole_one(image_item):
    whole = render(image_item, scale=0.75)
    part = render(image_item, scale=0.75, crop=(20, 20, 40, 20))
    assert np.abs(whole[15:30, 15:45].astype(int) - part).max() <= 2


def test_overlay_veils_the_background_and_not_the_object(image_item, overlay, pixels):
    seen = render(image_item, overlay).astype(int)
    assert (seen[:, :38] == pixels[:, :38]).all()
    veil = np.array([0x1C, 0x2E, 0x70])
    expected = pixels[:, 42:] * 0.36 + veil * 0.64
    assert np.abs(seen[:, 42:] - expected).max() <= 2


def test_matte_mode_shows_alpha_as_grey(image_item, overlay):
    overlay.set_mode(MODES["matte"])
    seen = render(image_item, overlay)
    assert (seen[:, :38] == 255).all()
    assert (seen[:, 42:] == 0).all()


def test_cutout_mode_shows_a_checker_board(image_item, overlay, pixels):
    overlay.set_mode(MODES["cutout"])
    seen = render(image_item, overlay)
    assert (seen[:, :38] == pixels[:, :38]).all()
    greys = set(map(tuple, seen[:, 42:].reshape(-1, 3).tolist()))
    assert greys == {(255, 255, 255), (208, 208, 208)}


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


def test_picture_mode_shows_no_matte(image_item, overlay, pixels):
    overlay.set_mode(MODES["picture"])
    assert (render(image_item, overlay) == pixels).all()


def test_the_first_mode_shows_what_is_selected():
    assert VIEW_MODES[0].id == "overlay"
    assert all(len(mode.colours) in (0, 256) for mode in VIEW_MODES)
