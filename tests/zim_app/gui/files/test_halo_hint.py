"""The export dialog's hint about halos, on a soft edge with known colours."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from shiboken6 import delete

from zim_app.core.export import ExportOptions
from zim_app.core.images import Image
from zim_app.gui.files.export_dialog import ExportDialog, ExportObject
from zim_app.gui.files.halo_hint import HaloHint
from zim_app.gui.files.shadow_hint import ShadowHint
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.request import ALPHA_MAX

LEFT = Qt.MouseButton.LeftButton
HEIGHT, WIDTH = 40, 80


def scene():
    """An image of orange before blue, and the soft and the hard alpha between them."""
    ramp = np.clip(np.linspace(2, -1, WIDTH), 0, 1)
    share = np.repeat(ramp[None], HEIGHT, axis=0)
    pixels = np.array((230, 120, 30)) * share[..., None]
    pixels = pixels + np.array((40, 80, 200)) * (1 - share[..., None])
    soft = (share * ALPHA_MAX).astype(np.uint16)
    hard = np.where(share > 0.5, ALPHA_MAX, 0).astype(np.uint16)
    return Image.from_array(pixels.astype(np.uint8), "photo.png"), soft, hard


@pytest.fixture
def files(qtbot):
    files = FileWorker()
    yield files
    files.close()


@pytest.fixture
def make_dialog(qtbot, files, tmp_path):
    """Makes a dialog about a soft object, active, and a hard one, measured already."""
    made = []

    def make(options=None, own=(0.0, 0.0)):
        image, *alphas = scene()
        halo = HaloHint(files, image, alphas)
        candidates = [
            ExportObject("soft", (0, 0, 60, HEIGHT), own[0], active=True),
            ExportObject("hard", (0, 0, 40, HEIGHT), own[1], active=False),
        ]
        options = options or ExportOptions()
        shadow = ShadowHint(files, image, alphas)
        dialog = ExportDialog(image, candidates, options, tmp_path, halo, shadow)
        made.append(dialog)
        dialog.show()
        qtbot.waitUntil(lambda: halo.halos is not None)
        return dialog

    yield make
    for dialog in made:
        dialog.reject()


def submit_gate(files, gate):
    """Keep the worker busy until ``gate`` is set."""
    files.submit("other", gate.wait, files, None, pytest.fail)


def percent(dialog):
    [number] = [word for word in dialog.halo.label.text().split() if word.isdigit()]
    return int(number)


def test_a_halo_is_reported_with_its_cure(make_dialog):
    dialog = make_dialog()
    assert dialog.halo.isVisible()
    assert 25 < percent(dialog) < 50
    QTest.mouseClick(dialog.halo.button, LEFT)
    assert percent(dialog) < 10
    assert dialog.options.decontaminate == 1.0
    assert not dialog.halo.button.isVisible()


def test_the_number_follows_the_slider_without_being_measured_again(make_dialog):
    dialog = make_dialog()
    before, form = percent(dialog), dialog.form
    QTest.mouseClick(form.own, LEFT, pos=QPoint(8, form.own.height() // 2))
    form.decontaminate.setFocus()
    QTest.keyClick(form.decontaminate, Qt.Key.Key_End)
    assert form.decontaminate.value() == 100
    assert percent(dialog) < 10
    assert not dialog.halo.button.isVisible()
    form.decontaminate.setValue(50)
    assert percent(dialog) < before - 10


def test_each_objects_own_amount_counts(make_dialog):
    assert percent(make_dialog(own=(1.0, 0.0))) < 10
    # In one flat cut-out, the largest amount applies to all objects.
    together = ExportOptions(scope="together")
    assert percent(make_dialog(together, own=(0.0, 1.0))) < 10
    layers = ExportOptions(scope="together", format="psd")
    assert percent(make_dialog(layers, own=(0.0, 1.0))) > 25


def test_a_matte_has_no_halo(make_dialog):
    dialog = make_dialog()
    what = dialog.form.what
    what.setCurrentIndex(what.findData("matte"))
    assert not dialog.halo.isVisible()
    what.setCurrentIndex(what.findData("colour"))
    assert dialog.halo.isVisible()


def test_the_lack_of_a_soft_edge_is_reported(qtbot, files):
    image, _, hard = scene()
    hint = HaloHint(files, image, [hard])
    qtbot.addWidget(hint)
    hint.choose([(0, 0.0)])
    assert hint.label.text() == "Measuring the halo…"
    qtbot.waitUntil(lambda: hint.halos is not None)
    assert hint.label.text() == "No soft edge that could have a halo."


def test_a_dialog_that_closes_ends_the_measurement(qtbot, files):
    gate = threading.Event()
    submit_gate(files, gate)  # so that it has not begun
    image, soft, _ = scene()
    hint = HaloHint(files, image, [soft])
    qtbot.addWidget(hint)
    hint.stop()
    gate.set()
    qtbot.waitUntil(lambda: files.idle)
    assert hint.halos is None


def test_a_destroyed_hint_does_not_hear_of_its_measurement(qtbot, files):
    gate = threading.Event()
    submit_gate(files, gate)
    image, soft, _ = scene()
    delete(HaloHint(files, image, [soft]))
    gate.set()
    with qtbot.captureExceptions() as raised:
        qtbot.waitUntil(lambda: files.idle)
    assert not raised
