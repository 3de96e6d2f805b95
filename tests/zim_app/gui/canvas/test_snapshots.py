"""The rendered canvas, compared with reviewed images.

``pytest --update-snapshots tests/zim_app/gui/canvas/test_snapshots.py`` draws them
anew.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PySide6.QtGui import QColor, QImage, QPalette

from zim_app.core.images import Image
from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.loupe import Loupe
from zim_app.gui.canvas.overlay import Backdrop
from zim_app.gui.canvas.view_modes import VIEW_MODES
from zim_app.gui.document import Document
from zim_model.matting.pyramid import display_pyramid, image_pyramid
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Timings

FOLDER = Path(__file__).with_name("snapshots")
TOLERANCE, SHARE = 2, 0.995
"""Grey levels that a pixel may differ, and how many pixels must not differ by more."""
MODES = {mode.id: mode for mode in VIEW_MODES}
ROWS, COLUMNS = np.mgrid[:144, :192].astype(np.float64)


def scene():
    """A disc and a soft square on a background of coloured stripes."""
    stripes = 110 + 60 * np.sin((COLUMNS + ROWS) / 9)
    rgb = np.stack([stripes, stripes * 0.8 + 20, 150 - stripes * 0.4], axis=2)
    for alpha, colour in zip(alphas(), ((220, 60, 40), (40, 160, 70)), strict=True):
        rgb += alpha[..., None] * (np.array(colour) - rgb)
    return np.rint(rgb).astype(np.uint8)


def alphas():
    distance = np.hypot(COLUMNS - 70, ROWS - 66) + 4 * np.sin(
        np.arctan2(ROWS - 66, COLUMNS - 70) * 9
    )
    disc = np.clip((40 - distance) / 3 + 0.5, 0, 1)
    square = np.maximum(abs(COLUMNS - 130), abs(ROWS - 90))
    return disc, np.clip((34 - square) / 14 + 0.5, 0, 1)


def matte_of(make_matte, alpha):
    words = np.rint(alpha * 65535).astype(np.uint16)
    rows, columns = np.nonzero(words)
    support = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    return replace(
        make_matte(),
        alpha=words,
        pyramid=display_pyramid(words),
        support=tuple(map(int, support)),
        timings=Timings(0.0, 0.0, "CPU"),
    )


@pytest.fixture
def document(qapp, make_matte):
    """Two objects; the disc is the active one, and on top."""
    document = Document(Image.from_array(scene()))
    document.edit("", Recipe(PromptSet((Point(60, 60), Point(95, 40, False)))))
    document.receive_matte(document.request(), matte_of(make_matte, alphas()[0]))
    other = document.new_object(Recipe(PromptSet(box=Box(92, 52, 168, 128))))
    document.edit_objects("", (*document.state.objects, other), 0)
    request = document.request(other.recipe)
    document.receive_matte(request, matte_of(make_matte, alphas()[1]))
    return document


@pytest.fixture
def canvas(qtbot, document):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.setPalette(QPalette(QColor("#efefef")))
    canvas.resize(320, 240)
    canvas.show()
    if canvas.devicePixelRatioF() != 1:
        pytest.skip("the snapshots are of a screen without scaling")
    canvas.set_document(document)
    return canvas


@pytest.fixture
def one(canvas, document):
    """Only the disc is visible."""
    document.set_solo(document.state.object.id)
    return canvas


@pytest.fixture
def check(request, canvas, tmp_path):
    def check(name, masked=None):
        pixels = pixels_of(canvas.grab().toImage())
        if masked is not None:
            left, top, right, bottom = masked.getCoords()
            pixels[top : bottom + 1, left : right + 1] = 0
        path = FOLDER / f"{name}.png"
        if request.config.getoption("update_snapshots"):
            FOLDER.mkdir(exist_ok=True)
            PIL.Image.fromarray(pixels).save(path, optimize=True)
        expected = np.asarray(PIL.Image.open(path).convert("RGB"))
        if not alike(pixels, expected):
            seen = tmp_path / path.name
            PIL.Image.fromarray(pixels).save(seen)
            pytest.fail(f"{seen} does not look like {path}")

    return check


def pixels_of(image):
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), -1, 3).copy()


def alike(pixels, expected):
    if pixels.shape != expected.shape:
        return False
    apart = np.abs(pixels.astype(int) - expected).max(axis=2)
    return bool((apart <= TOLERANCE).mean() >= SHARE)


@pytest.mark.parametrize("mode", MODES)
def test_view_of_one_object(one, check, mode):
    one.set_mode(MODES[mode])
    check(mode)


@pytest.mark.parametrize("mode", ["overlay", "cutout", "outline", "uncertainty"])
def test_view_of_two_objects(canvas, check, mode):
    canvas.set_mode(MODES[mode])
    check(f"{mode}-two")


@pytest.mark.parametrize("name", ["colour", "picture"])
def test_background(one, check, name):
    levels = image_pyramid(np.ascontiguousarray(scene()[::-1, ::-1]))
    backdrops = {
        "colour": Backdrop(QColor(60, 110, 70)),
        "picture": Backdrop(levels=levels),
    }
    one.set_mode(MODES["cutout"])
    one.set_backdrop(backdrops[name])
    check(f"background-{name}")


def test_prompts(canvas, document, check):
    canvas.set_mode(MODES["picture"])
    document.edit("", document.state.recipe.with_box(Box(20, 15, 120, 120)))
    check("prompts")


def test_wipe(one, check):
    one.set_mode(MODES["matte"])
    one.set_wipe_enabled(True)
    one.clearFocus()
    one.setFocus()
    check("wipe")


def test_loupe(canvas, check, qtbot):
    canvas.resize(480, 400)
    canvas.set_loupe(True)
    at = canvas.to_view(108.5, 66.5).toPoint()
    qtbot.mouseMove(canvas.viewport(), at)
    loupe = canvas.findChild(Loupe)
    assert loupe.isVisible()
    text = loupe.geometry().adjusted(2, 127, -2, -2)
    check("loupe", masked=text)


@pytest.mark.parametrize("mode", ["outline", "cutout"])
def test_very_close(canvas, check, mode):
    canvas.set_mode(MODES[mode])
    canvas.set_zoom(20)
    canvas.centerOn(104, 66)
    check(f"{mode}-close")


def test_a_difference_is_detected():
    pixels = np.zeros((100, 100, 3), np.uint8)
    changed = pixels.copy()
    changed[:7, :8] = 3  # 56 of 10000 pixels
    assert alike(pixels, pixels + np.uint8(2))
    assert not alike(pixels, changed)
    assert not alike(pixels, pixels[:, :99])


def test_no_snapshot_is_left_over():
    names = {path.stem for path in FOLDER.glob("*.png")}
    views = {
        *MODES,
        *(f"{m}-two" for m in ("overlay", "cutout", "outline", "uncertainty")),
    }
    others = {"background-colour", "background-picture", "prompts", "wipe", "loupe"}
    assert names == views | others | {"outline-close", "cutout-close"}
