"""The window in German."""

import ast
import re
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QMenu, QWidget

from zim_app.core.export import ExportOptions
from zim_app.gui import language
from zim_app.gui.commands.actions import ACTIONS
from zim_app.gui.commands.cheat_sheet import CheatSheet
from zim_app.gui.files.export_controller import export_targets
from zim_app.gui.files.start_page import SAMPLES, sample_name, sample_paths
from zim_app.gui.main_window import MainWindow
from zim_app.gui.settings import preferences
from zim_app.gui.settings.settings_dialog import SettingsDialog
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_app.translations.__main__ import messages
from zim_model.errors import ImageError
from zim_model.prompts import Point


@pytest.fixture
def german(qapp):
    before = QLocale()
    preferences.set_value("language", "de")
    translators = language.install_translators(qapp)
    yield
    for translator in translators:
        qapp.removeTranslator(translator)
    QLocale.setDefault(before)


@pytest.fixture
def german_window(german, qtbot, engine):
    window = MainWindow(InferenceQueue(lambda: engine))
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def test_the_dialog_offers_the_languages_that_there_are():
    choices = {choice.value for choice in preferences.BY_KEY["language"].choices}
    assert choices == {"system", *language.available_languages()}


def test_menus_and_start_page_are_german(german_window):
    titles = [action.text() for action in german_window.menuBar().actions()]
    assert titles[:2] == ["&Datei", "&Bearbeiten"]
    assert {"&Ansicht", "&Hilfe"} <= set(titles)
    assert german_window.actions_by_id["open"].text() == "&Öffnen …"
    labels = german_window.start_page.findChildren(QLabel)
    assert "Ein Bild hier ablegen" in [label.text() for label in labels]


def test_no_action_is_left_in_english(german_window):
    for spec in ACTIONS:
        action = german_window.actions_by_id[spec.id]
        if spec.text != action.text():
            continue
        assert spec.text in ("Lasso", "Hand"), spec.id


def test_values_are_put_in(german_window, settle_german, photo):
    german_window.open_path(photo)
    settle_german()
    assert german_window.windowTitle() == "photo.png[*] – zim-studio"
    assert german_window.status.times.text().startswith("Kodieren 7 ms")


@pytest.fixture
def settle_german(qtbot, german_window):
    return lambda: qtbot.waitUntil(lambda: german_window.idle)


def test_errors_are_german_with_their_values(german_window, settle_german, tmp_path):
    empty = tmp_path / "leer.png"
    empty.touch()
    german_window.open_path(empty)
    settle_german()
    assert german_window.banner.text == (
        "leer.png ist leer.\nKopieren oder laden Sie die Datei noch einmal."
    )


def test_reasons_of_the_system_are_german_too(german):
    error = ImageError("/a/b.png cannot be written: the disk is full.")
    assert language.translate_error(error.message) == (
        "/a/b.png kann nicht geschrieben werden: der Datenträger ist voll."
    )


@pytest.mark.parametrize(
    "text", ["", "Something else.", "Etwas ging {} schief.", "{0} is {1}"]
)
def test_what_is_not_known_stays_as_it_is(german, text):
    assert language.translate_error(text) == text


def test_errors_stay_english_in_english(qapp):
    assert language.translate_error("a.png is empty.") == "a.png is empty."


def test_dialogs_are_german_down_to_the_buttons_of_qt(german_window):
    dialog = SettingsDialog(german_window)
    buttons = dialog.findChild(QDialogButtonBox)
    close = buttons.button(QDialogButtonBox.StandardButton.Close)
    assert close.text().replace("&", "") == "Schließen"
    assert dialog.windowTitle() == "Einstellungen"
    assert dialog.findChild(QWidget, "theme").itemText(1) == "Hell"
    sheet = CheatSheet(german_window)
    assert sheet.windowTitle() == "Tasten und Maus"


@pytest.mark.parametrize(
    ("languages", "wanted"),
    [
        (["de-AT", "en-GB"], "de"),
        (["en-GB", "de-DE"], "en"),
        (["xx-YY", "de-DE"], "de"),
        (["xx-YY"], "en"),
    ],
)
def test_the_system_chooses_the_first_language_that_there_is(
    languages, wanted, monkeypatch
):
    class System:
        def uiLanguages(self):
            return languages

    monkeypatch.setattr(QLocale, "system", staticmethod(System))
    assert language.preferred_language() == wanted


def test_english_needs_no_translator(qapp):
    preferences.set_value("language", "en")
    before = QLocale()
    assert language.install_translators(qapp) == []
    QLocale.setDefault(before)


def menus(window):
    """All menus, opened so that those filled late are filled."""
    for menu in window.findChildren(QMenu):
        menu.aboutToShow.emit()
    return [menu.actions() for menu in [window.menuBar(), *window.findChildren(QMenu)]]


def assert_menu_keys_differ(window):
    double = []
    for entries in menus(window):
        texts = [entry.text().replace("&&", "") for entry in entries]
        keys = [key.lower() for text in texts for key in re.findall("&(.)", text)]
        wrong = {key for key in keys if keys.count(key) > 1}
        double += [t for t in texts if any(f"&{key}" in t.lower() for key in wrong)]
    assert not double


def test_menu_keys_differ(window):
    assert_menu_keys_differ(window)


def test_german_menu_keys_differ(german_window):
    assert_menu_keys_differ(german_window)


def test_every_sample_has_a_name_to_translate(german_window):
    assert {sample_name(path) for path in sample_paths()} == {
        "Astronautin",
        "Katze",
        "Kaffee",
    }
    names = {path.stem.capitalize() for path in sample_paths()}
    assert names == set(SAMPLES)


GUI = sorted(Path(language.__file__).parent.rglob("*.py"))


def calls_of_tr(node, context=""):
    """Receiver, class around it and argument of all calls of ``tr`` below a node."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.ClassDef) else context
        function = child.func if isinstance(child, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr == "tr":
            yield ast.unparse(function.value), inner, child.args[0]
        yield from calls_of_tr(child, inner)


@pytest.mark.parametrize("path", GUI, ids=lambda path: path.stem)
def test_every_text_is_translated_in_the_context_of_its_class(path):
    """``tr`` looks in the context of the receiver's class; lupdate writes the text into
    that of the class around the call, so that both must be one."""
    [file] = language.FOLDER.glob("*_de.ts")
    known = {(message.context, message.source) for message in messages(file)}
    for receiver, context, text in calls_of_tr(ast.parse(path.read_text("utf-8"))):
        assert receiver == "self"
        assert (context, ast.literal_eval(text)) in known


def test_an_exported_object_has_a_german_name(german, document, make_matte):
    recipe = document.state.recipe.with_point(Point(20, 20))
    document.edit("point", recipe)
    document.receive_matte(document.request(), make_matte())
    [target] = export_targets(document, ExportOptions())
    assert target.name == "Objekt 1"
