"""Tests of the model manager, and of the menus of model and device."""

import shutil
import threading

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton

from zim_app.gui.models.model_row import progress_text
from zim_app.gui.models.model_worker import ModelWorker
from zim_app.gui.settings import preferences
from zim_model.assets import asset_path
from zim_model.errors import Cancelled, DownloadError
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.automatic import automatic_models
from zim_model.weights.download import DownloadProgress
from zim_model.weights.installed import find_installed, models_folder, part_folder

LEFT = Qt.MouseButton.LeftButton
TINY = asset_path("models", "zim-tiny.safetensors")


class Server:
    """A fake network: a download waits for ``go_on``, then ends or fails."""

    def __init__(self):
        self.go_on = threading.Event()
        self.error = None
        self.fetched = []

    def __call__(self, info, on_progress, stopped):
        self.fetched.append(info.name)
        part = part_folder(info.name)
        part.mkdir(parents=True, exist_ok=True)
        (part / f"{info.files[0].name}.part").write_bytes(bytes(1000))
        on_progress(DownloadProgress(info.size // 4 + 1000, info.size, 2e6))
        while not self.go_on.wait(0.01):
            if stopped():
                raise Cancelled
        if self.error:
            raise self.error
        on_progress(DownloadProgress(info.size, info.size, verifying=True))
        shutil.rmtree(part)
        return install(info.name)


def install(name):
    folder = models_folder() / name
    folder.mkdir(parents=True)
    (folder / "w.safetensors").write_bytes(b"x" * 2000)
    return find_installed(name)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.go_on.set()


@pytest.fixture
def manager(qtbot, window, server):
    """The dialog, opened by its action, with a fake network."""
    window.models.worker = ModelWorker(server, window.models)
    window.actions_by_id["models"].trigger()
    dialog = window.models.dialog
    qtbot.waitExposed(dialog)
    yield dialog
    dialog.close()


def click(qtbot, button):
    """Click a button, which must be visible and enabled."""
    assert button.isVisible()
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT, pos=QPoint(5, 5))


def click_canvas(qtbot, window, aside=0):
    """Click the centre of the image, shifted by ``aside`` screen pixels."""
    viewport = window.canvas.viewport()
    at = viewport.rect().center() + QPoint(aside, aside)
    qtbot.mouseClick(viewport, LEFT, pos=at)


def visible_buttons(row):
    return [b.text() for b in row.findChildren(QPushButton) if b.isVisible()]


def test_every_known_model_is_listed_with_its_licence(manager):
    assert "zim-tiny" in manager.rows
    assert "sam-vit-h" in manager.rows
    assert not manager.isModal()
    for row in manager.rows.values():
        assert row.licence.isVisible()
        assert row.info.licence.name in row.licence.text()
        warned = "not for commercial use" in row.licence.text()
        assert warned is not row.info.licence.commercial
    assert visible_buttons(manager.rows["zim-tiny"]) == ["Use"]
    assert visible_buttons(manager.rows["sam-vit-b"]) == ["Download 375.0 MB"]


def test_rows_say_how_long_a_click_takes_where_it_was_measured(manager):
    row = manager.rows["mobile-sam"]
    assert row.cost.isVisible()
    assert row.cost.text() == (
        "On one CPU core: 2 s for a new photo, then 0.4 s for each click"
    )
    assert not manager.rows["sam-vit-h"].cost.isVisible()


def test_every_button_has_a_description(manager):
    for button in manager.findChildren(QPushButton):
        assert button.toolTip(), button.text()


def test_looking_at_the_models_fetches_nothing(manager, server):
    assert server.fetched == []
    assert not models_folder().exists()


def test_a_download_runs_to_its_end_and_the_model_can_be_used(
    qtbot, manager, server, opened, engine, settle
):
    row = manager.rows["sam-vit-b"]
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: "25 %" in row.progress_label.text())
    assert row.state.text() == "Downloading"
    assert row.progress.value() == 250
    assert "2.0 MB per second" in row.progress_label.text()
    assert visible_buttons(row) == ["Cancel"]
    server.go_on.set()
    qtbot.waitUntil(lambda: row.use_button.isVisible())
    assert row.state.text().startswith("Installed")
    click(qtbot, row.use_button)
    assert opened.document.state.recipe.model == "sam-vit-b"
    assert opened.document.undo_stack.undoText() == "Change model"
    assert not row.use_button.isEnabled()
    assert "in use" in row.state.text()
    settle()
    assert preferences.value("model") == "sam-vit-b"


def test_a_cancelled_download_can_be_resumed_or_thrown_away(qtbot, manager, server):
    row = manager.rows["sam-vit-b"]
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: row.progress_label.isVisible())
    click(qtbot, row.cancel_button)
    qtbot.waitUntil(lambda: row.download_button.isVisible())
    assert visible_buttons(row) == ["Resume", "Remove"]
    assert row.state.text() == "1.0 kB of 375.0 MB downloaded"
    assert not row.error.isVisible(), "cancelling is no error"
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: len(server.fetched) == 2)


def test_without_a_network_the_row_has_the_cure(qtbot, manager, server, window):
    server.error = DownloadError("example.org cannot be reached.", "Go online.")
    server.go_on.set()
    row = manager.rows["sam-vit-b"]
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: row.error.isVisible())
    assert row.error.text() == "example.org cannot be reached.\nGo online."
    assert window.banner.text == "", "being offline is normal"
    server.error = None
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: row.use_button.isVisible())
    assert not row.error.isVisible()


def test_downloads_run_one_at_a_time(qtbot, manager, server):
    first, second = manager.rows["sam-vit-b"], manager.rows["sam-vit-l"]
    click(qtbot, first.download_button)
    click(qtbot, second.download_button)
    qtbot.waitUntil(lambda: first.state.text() == "Downloading")
    assert second.state.text() == "Waiting for its turn"
    server.go_on.set()
    qtbot.waitUntil(lambda: second.use_button.isVisible())
    assert server.fetched == ["sam-vit-b", "sam-vit-l"]


def test_downloads_go_on_while_the_dialog_is_closed(qtbot, manager, server, window):
    row = manager.rows["sam-vit-b"]
    click(qtbot, row.download_button)
    qtbot.waitUntil(lambda: row.progress_label.isVisible())
    click(qtbot, manager.close_button)
    assert not manager.isVisible()
    server.go_on.set()
    qtbot.waitUntil(lambda: window.models.idle)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_M, modifiers)
    assert manager.isVisible()
    assert row.use_button.isVisible()


def test_closing_the_window_ends_a_download(qtbot, manager, server, window):
    click(qtbot, manager.rows["sam-vit-b"].download_button)
    qtbot.waitUntil(lambda: bool(server.fetched))
    window.close()
    assert not window.models.worker._network._thread.isRunning()


def test_a_model_is_added_from_the_disk(qtbot, manager, tmp_path):
    path = tmp_path / "my hair.safetensors"
    shutil.copy(TINY, path)
    click(qtbot, manager.add_button)
    dialog = manager.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: "my-hair" in manager.rows, timeout=20_000)
    row = manager.rows["my-hair"]
    qtbot.waitUntil(row.isVisible)
    assert visible_buttons(row) == ["Use", "Remove"]
    assert "states the licence Apache-2.0" in row.description.text()


def test_a_file_that_is_no_model_is_refused_in_the_dialog(qtbot, manager, tmp_path):
    path = tmp_path / "poem.safetensors"
    path.write_text("roses")
    click(qtbot, manager.add_button)
    dialog = manager.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.close()
    qtbot.waitUntil(lambda: manager.error.isVisible(), timeout=20_000)
    assert "poem.safetensors is damaged" in manager.error.text()
    assert manager.add_button.isEnabled()


@pytest.fixture
def added(manager):
    install("mine")
    manager.refresh()
    return manager.rows["mine"]


@pytest.mark.parametrize("answer", ["&Remove", "Cancel"])
def test_a_model_is_removed_after_a_question(qtbot, manager, added, answer):
    click(qtbot, added.remove_button)
    box = manager.findChild(QMessageBox)
    button = next(b for b in box.buttons() if b.text() in (answer, f"&{answer}"))
    click(qtbot, button)
    if answer == "Cancel":
        assert find_installed("mine")
    else:
        qtbot.waitUntil(lambda: "mine" not in manager.rows)
        assert find_installed("mine") is None
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_changing_the_model_can_be_undone(qtbot, opened, manager, added, settle):
    click(qtbot, added.use_button)
    settle()
    opened.actions_by_id["undo"].trigger()
    settle()
    assert opened.document.state.recipe.model == "zim-tiny"
    assert added.use_button.isEnabled(), "the dialog follows"


def test_a_new_model_solves_the_existing_prompts(
    qtbot, opened, engine, manager, added, settle
):
    click_canvas(qtbot, opened)
    settle()
    assert [r.recipe.model for r in engine.solved] == ["zim-tiny"]
    click(qtbot, added.use_button)
    settle()
    assert [r.recipe.model for r in engine.solved] == ["zim-tiny", "mine"]
    assert engine.solved[0].recipe.prompts == engine.solved[1].recipe.prompts


def test_the_model_is_kept_for_the_next_image(
    qtbot, window, manager, added, photo, settle
):
    click(qtbot, added.use_button)
    window.open_path(photo)
    settle()
    assert window.document.state.recipe.model == "mine"
    assert window.document.undo_stack.count() == 0
    assert not added.use_button.isEnabled()


def test_the_model_in_use_is_in_sight_when_the_dialog_opens(
    qtbot, opened, manager, added, settle
):
    assert added.visibleRegion().isEmpty(), "it is below the known models"
    click(qtbot, added.use_button)
    settle()
    manager.close()
    opened.actions_by_id["models"].trigger()
    qtbot.waitUntil(lambda: not added.visibleRegion().isEmpty())


def test_the_dialog_follows_the_image_that_is_opened(window, added, photo, settle):
    preferences.set_value("model", "mine")
    window.open_path(photo)
    settle()
    assert not added.use_button.isEnabled()


def test_a_default_model_that_is_gone_gives_way(window, photo, settle):
    preferences.set_value("model", "gone")
    window.open_path(photo)
    settle()
    assert window.document.state.recipe.model == "zim-tiny"


def choose(window, menu, text):
    """Choose an entry of a menu that is filled when it opens."""
    menu = window.models.menus[menu]
    menu.aboutToShow.emit()
    entries = {action.text(): action for action in menu.actions()}
    entries[text].trigger()
    return menu


def checked(menu):
    menu.aboutToShow.emit()
    return [action.text() for action in menu.actions() if action.isChecked()]


def test_the_menu_offers_installed_models(opened, settle):
    install("mine")
    menu = choose(opened, "model", "mine")
    settle()
    assert opened.document.state.recipe.model == "mine"
    assert checked(menu) == ["mine"]
    texts = [a.text() for a in menu.actions()]
    assert texts == ["ZIM tiny", "ZIM tiny (research)", "mine"]


def test_the_device_can_be_chosen_at_any_time(opened, engine, settle):
    menu = choose(opened, "device", "Card (8 GB)")
    settle()
    assert engine.choice == DeviceChoice("cuda")
    assert engine.calls[-1] == "prepare", "the image is encoded on the new device"
    assert checked(menu) == ["Card (8 GB)"]
    choose(opened, "precision", "Full (32 bit)")
    settle()
    assert engine.choice == DeviceChoice("cuda", "fp32")
    assert [a.text() for a in menu.actions()] == [
        "Best available",
        "Card (8 GB)",
        "CPU",
    ]


def test_a_click_that_waits_survives_a_change_of_device(qtbot, opened, engine, settle):
    engine.gate.clear()
    click_canvas(qtbot, opened)
    qtbot.waitUntil(lambda: engine.calls[-1] == "prepare")
    click_canvas(qtbot, opened, 30)
    choose(opened, "device", "CPU")
    engine.gate.set()
    settle()
    assert engine.solved[-1].recipe.prompts == opened.document.state.recipe.prompts
    assert not opened.document.state.is_pending
    assert engine.choice == DeviceChoice("cpu")


def test_a_device_that_is_gone_stays_visible(opened):
    preferences.set_value("device", "cuda:2")
    assert checked(opened.models.menus["device"]) == ["cuda:2 (not here)"]


def test_a_degradation_is_shown_once_and_stays_on_the_badge(
    qtbot, opened, engine, settle
):
    assert not opened.status.warning.isVisible()
    engine.notes = ("Card has too little memory for big. It runs on CPU now.",)
    click_canvas(qtbot, opened)
    settle()
    assert opened.banner.text == engine.notes[0]
    assert opened.status.warning.isVisible()
    assert engine.notes[0] in opened.status.model.toolTip()
    qtbot.mouseClick(opened.banner.close_button, LEFT)
    click_canvas(qtbot, opened, 30)
    settle()
    assert opened.banner.text == "", "shown once"
    assert opened.status.warning.isVisible()
    engine.notes = ()
    choose(opened, "device", "CPU")
    settle()
    assert not opened.status.warning.isVisible()


def test_the_badge_names_model_and_device(opened):
    assert opened.status.model.text() == "zim-tiny · CPU"
    assert "encode 7 ms" in opened.status.times.text()


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (DownloadProgress(0, 100_000_000), "0 % of 100.0 MB"),
        (
            DownloadProgress(50_000_000, 100_000_000, 1e6),
            "50 % of 100.0 MB · 1.0 MB per second · 50 s left",
        ),
        (
            DownloadProgress(0, 900_000_000, 1e6),
            "0 % of 900.0 MB · 1.0 MB per second · 15 min left",
        ),
        (DownloadProgress(1, 1, 1.0, verifying=True), "Checking the file…"),
    ],
)
def test_progress_in_words(qapp, progress, text):
    assert progress_text(progress) == text


# -- Trimap networks ----------------------------------------------------------------


def test_trimap_networks_are_listed_apart_and_not_used_for_prompts(manager, qtbot):
    row = manager.rows["vitmatte-small-composition-1k"]
    sam = manager.rows["sam-vit-h"]
    assert row.mapTo(manager, QPoint()).y() > sam.mapTo(manager, QPoint()).y()
    assert "not for commercial use" in row.licence.text()
    assert row.download_button.isVisible()
    folder = models_folder() / row.name
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b'"decoder.convstream.convs')
    manager.refresh()
    assert row.state.text().startswith("Installed")
    assert not row.use_button.isVisible()
    assert row.remove_button.isVisible()


def test_automatic_networks_are_listed_apart_and_chosen_for_the_subject(
    manager, opened
):
    row = manager.rows["isnet-general-use"]
    trimap = manager.rows["vitmatte-small-composition-1k"]
    assert row.mapTo(manager, QPoint()).y() > trimap.mapTo(manager, QPoint()).y()
    assert "Apache 2.0" in row.licence.text()
    assert row.download_button.isVisible()
    folder = models_folder() / row.name
    folder.mkdir(parents=True)
    (folder / "isnet-general-use.onnx").write_bytes(b"graph")
    manager.refresh()
    assert row.state.text().startswith("Installed")
    assert not row.use_button.isVisible()
    assert row.remove_button.isVisible()
    assert [model.name for model in automatic_models()] == ["isnet-general-use"]


def test_an_added_trimap_network_is_listed_below_its_heading(manager, qtbot):
    for name, content in (("mine", b'"decoder.convstream."'), ("other", b"x")):
        (models_folder() / name).mkdir(parents=True)
        (models_folder() / name / "w.safetensors").write_bytes(content)
    manager.refresh()
    rows = manager.rows
    trimap = rows["vitmatte-base-distinctions-646"]
    qtbot.waitUntil(lambda: rows["mine"].y() > trimap.y() > rows["other"].y() > 0)
    assert manager.rows["other"].use_button.isVisible()
    assert not manager.rows["mine"].use_button.isVisible()
