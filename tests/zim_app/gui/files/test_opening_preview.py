"""A large photo is seen, at its place, before all of it is read."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from zim_app.core.images import load_image
from zim_app.core.project import write_project
from zim_app.core.saved_work import ObjectStack
from zim_app.gui.files import open_job, opening_preview
from zim_app.gui.main_window import MainWindow
from zim_model.assets import asset_path
from zim_model.errors import ImageError

WAIT = 30_000
"""Milliseconds."""


def path_shown(window: MainWindow) -> Path | None:
    return window.document.image.path if window.document else None


@pytest.fixture
def large_photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (1800, 3000, 3), np.uint8)
    noise[:, :1500] = (0, 0, 255)  # blue first: the left half is red
    path = tmp_path / "large.jpg"
    cv2.imwrite(str(path), noise, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert path.stat().st_size > opening_preview.LEAST_BYTES
    return path


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Reading a photo goes on when it is set."""
    event, read = threading.Event(), open_job._with_session

    def wait(*arguments: Any) -> Any:
        assert event.wait(30)
        return read(*arguments)

    monkeypatch.setattr(open_job, "_with_session", wait)
    return event


def test_the_preview_is_where_the_photo_will_be(
    window: MainWindow, qtbot: Any, large_photo: Path, gate: threading.Event
) -> None:
    preview = window.findChild(opening_preview.OpeningPreview)
    gate.set()
    first = large_photo.with_name("first.jpg")  # with it panels and strip come
    first.write_bytes(asset_path("samples", "astronaut.jpg").read_bytes())
    window.open_path(first)
    qtbot.waitUntil(lambda: window.document is not None, timeout=WAIT)
    gate.clear()
    window.open_path(large_photo)
    qtbot.waitUntil(preview.isVisible, timeout=WAIT)
    shown, place = preview.grab().toImage(), preview.picture_rect()
    left = shown.pixelColor(place.left() + place.width() // 4, place.center().y())
    assert left.red() > 200
    assert left.blue() < 60
    around = window.canvas.backgroundBrush().color()
    assert shown.pixelColor(place.center().x(), place.top() - 3) == around
    gate.set()
    qtbot.waitUntil(lambda: path_shown(window) == large_photo, timeout=WAIT)
    assert not preview.isVisible()
    corner = window.canvas.mapFromScene(0, 0)
    expected = preview.mapTo(window.pages, place.topLeft())
    assert (corner - expected).manhattanLength() <= 4


def test_panels_come_with_the_preview(
    window: MainWindow, qtbot: Any, large_photo: Path, gate: threading.Event
) -> None:
    window.open_path(large_photo)
    qtbot.waitUntil(window.objects.isVisible, timeout=WAIT)
    assert window.document is None
    gate.set()
    qtbot.waitUntil(lambda: path_shown(window) == large_photo, timeout=WAIT)


def test_panels_go_again_if_the_photo_is_damaged(
    window: MainWindow, qtbot: Any, large_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = threading.Event()

    def fail(*arguments: Any) -> Any:
        assert event.wait(30)
        raise ImageError("It is damaged.", "Copy it again.")

    monkeypatch.setattr(open_job, "_with_session", fail)
    window.open_path(large_photo)
    qtbot.waitUntil(window.objects.isVisible, timeout=WAIT)
    event.set()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert not window.objects.isVisible()
    assert not window.strip.isVisible()


def test_panels_go_again_if_a_project_without_its_photo_is_opened_instead(
    window: MainWindow, qtbot: Any, large_photo: Path, gate: threading.Event
) -> None:
    photo, project = large_photo.with_name("a.png"), large_photo.with_name("a.zimproj")
    cv2.imwrite(str(photo), np.zeros((8, 8, 3), np.uint8))
    write_project(project, load_image(photo), ObjectStack())
    photo.unlink()
    window.open_path(large_photo)
    qtbot.waitUntil(window.objects.isVisible, timeout=WAIT)
    window.open_path(project)
    gate.set()
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert not window.objects.isVisible()


def test_no_preview_is_left_of_a_damaged_photo(
    window: MainWindow, qtbot: Any, large_photo: Path, gate: threading.Event
) -> None:
    data = large_photo.read_bytes()
    large_photo.write_bytes(data[:600] + bytes(len(data)))
    preview = window.findChild(opening_preview.OpeningPreview)
    gate.set()
    window.open_path(large_photo)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert not preview.isVisible()


def test_a_later_photo_has_no_preview_of_an_earlier_one(
    window: MainWindow,
    qtbot: Any,
    tmp_path: Path,
    large_photo: Path,
    gate: threading.Event,
) -> None:
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((40, 60, 3), np.uint8))
    preview = window.findChild(opening_preview.OpeningPreview)
    window.open_path(large_photo)
    qtbot.waitUntil(preview.isVisible, timeout=WAIT)
    window.open_path(small)
    assert not preview.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: path_shown(window) == small, timeout=WAIT)
    assert not preview.isVisible()
