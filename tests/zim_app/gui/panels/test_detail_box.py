"""The choice of the detail, with trimap networks that are installed or not."""

import pytest
from PySide6.QtCore import Qt
from safetensors.torch import save_file

from tests.zim_model.conftest import hub_names, random_vitmatte
from zim_app.gui.panels import detail_box
from zim_model.recipe import Options
from zim_model.weights.installed import models_folder, remove_model

SMALL = "vitmatte-small-composition-1k"


def install(name):
    folder = models_folder() / name
    folder.mkdir(parents=True)
    save_file(hub_names(random_vitmatte()), folder / "model.safetensors")


@pytest.fixture
def window(opened, qtbot, settle):
    qtbot.mouseClick(
        opened.canvas.viewport(),
        Qt.MouseButton.LeftButton,
        pos=opened.canvas.to_view(20, 20).toPoint(),
    )
    settle()
    return opened


@pytest.fixture
def box(window):
    return window.tools.refine.detail


@pytest.fixture
def options(window):
    return lambda: window.document.state.recipe.options


def choose(qtbot, box, text):
    """Choose an entry with the keyboard, from the list."""
    box.showPopup()
    view = box.view()
    qtbot.waitUntil(view.isVisible)
    row = next(i for i in range(box.count()) if text in box.itemText(i))
    view.setCurrentIndex(box.model().index(row, 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)


def tip(box, text):
    box.showPopup()
    box.hidePopup()
    row = next(i for i in range(box.count()) if text in box.itemText(i))
    return box.itemData(row, Qt.ItemDataRole.ToolTipRole)


def test_an_installed_network_is_chosen_by_its_name(
    qtbot, window, box, options, engine
):
    install(SMALL)
    assert "ViTMatte small (Composition-1k) needs about" in tip(box, "Trimap network")
    choose(qtbot, box, "Trimap network")
    assert options() == Options(upsampling="trimap", trimap_network=SMALL)
    assert box.currentText() == "Trimap network"
    assert box.note.isVisible()
    assert "MB of memory for this photo" in box.note.text()
    qtbot.waitUntil(lambda: engine.solved[-1].recipe.options == options())
    window.actions_by_id["undo"].trigger()
    assert box.currentText() == "Follow the photo"
    assert not box.note.isVisible()


def test_without_a_network_the_choice_stays_and_the_way_to_one_is_shown(
    qtbot, window, box, options
):
    choose(qtbot, box, "Smooth")
    choose(qtbot, box, "Trimap network")
    assert options().upsampling == "bilinear"
    assert box.currentText() == "Smooth"
    assert "No trimap network is installed" in box.note.text()
    box.note.linkActivated.emit("models")
    assert window.models.dialog.isVisible()
    assert SMALL in window.models.dialog.rows
    window.models.dialog.close()
    choose(qtbot, box, "Smooth")
    assert not box.note.isVisible()


def test_several_networks_are_entries(qtbot, box, options):
    install("mine")
    install(SMALL)
    choose(qtbot, box, "Trimap network: mine")
    assert options().trimap_network == "mine"
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts[-2:] == [
        "Trimap network: ViTMatte small (Composition-1k)",
        "Trimap network: mine",
    ]


def test_a_network_that_is_gone_stays_the_recipes(qtbot, window, box, options):
    install("mine")
    choose(qtbot, box, "Trimap network")
    remove_model("mine")
    box.showPopup()
    box.hidePopup()
    assert options().trimap_network == "mine"
    assert box.currentText() == "Trimap network: mine (not here)"


def test_too_little_memory_is_warned_of(qtbot, monkeypatch, box):
    install(SMALL)
    monkeypatch.setattr(detail_box, "main_memory", lambda: 1_000_000)
    assert "This computer has 1.0 MB." in tip(box, "Trimap network")
    choose(qtbot, box, "Trimap network")
    assert "This computer has 1.0 MB." in box.note.text()


def test_a_network_installed_meanwhile_is_found_by_the_keyboard(qtbot, box, options):
    """The arrow keys choose without opening the list."""
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_End)
    assert options().upsampling == "guided"
    install(SMALL)
    qtbot.keyClick(box, Qt.Key.Key_End)
    assert options().trimap_network == SMALL


@pytest.mark.parametrize("size", [(1366, 768), (1024, 660), (1300, 1000)])
def test_the_note_is_in_view(qtbot, window, box, size):
    window.resize(*size)
    qtbot.waitUntil(lambda: window.idle)
    choose(qtbot, box, "Trimap network")
    qtbot.waitUntil(lambda: box.note.visibleRegion().boundingRect() == box.note.rect())
