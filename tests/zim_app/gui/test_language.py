"""The window in German."""

import ast
import errno
import json
import pickle
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
from zim_model.errors import ImageError, ZimError, msg
from zim_model.evaluation.journal import EvaluationRow
from zim_model.prompts import Point
from zim_model.runtime.atomic_files import write_error


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


def full_disk() -> ZimError:
    return write_error(Path("/a/b.png"), OSError(errno.ENOSPC, "full"), ImageError)


def test_errors_in_errors_are_german_with_their_values(german_window):
    error = full_disk()
    german_window.report(error)
    assert german_window.banner.text == (
        "/a/b.png kann nicht geschrieben werden: der Datenträger ist voll.\n"
        "Schaffen Sie Platz oder wählen Sie einen anderen Datenträger."
    )
    outer = msg("{name} cannot be used. {reason}", name="a", reason=error.message)
    assert language.translate_message(pickle.loads(pickle.dumps(outer))) == (
        "a kann nicht verwendet werden. "
        "/a/b.png kann nicht geschrieben werden: der Datenträger ist voll."
    )


def test_failed_rows_of_an_evaluation_are_german_when_read_back(german):
    row = EvaluationRow("a", "b", "box", "", error=full_disk().text)
    stored = json.loads(json.dumps(row.to_json()))
    read = EvaluationRow.from_json(stored)
    assert read == row
    assert language.translate_message(read.error).startswith("/a/b.png kann nicht")
    stored["error_message"] = {"template": "{a.b}{0}", "values": {"a": 1}}
    assert (
        language.translate_message(EvaluationRow.from_json(stored).error) == row.error
    )


@pytest.mark.parametrize(
    "text", ["", "Something else.", "{0} is {1}", msg("Not {{translated}}.")]
)
def test_what_is_not_known_stays_as_it_is(german, text):
    assert language.translate_message(text) == text


def test_errors_stay_english_in_english(qapp):
    error = full_disk()
    assert language.translate_message(error.text) == str(error)
    assert str(error) == (
        "/a/b.png cannot be written: the disk is full. "
        "Free some space or choose another disk."
    )


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
    ("languages", "expected"),
    [
        (["de-AT", "en-GB"], "de"),
        (["en-GB", "de-DE"], "en"),
        (["xx-YY", "de-DE"], "de"),
        (["xx-YY"], "en"),
    ],
)
def test_the_system_chooses_the_first_language_that_there_is(
    languages, expected, monkeypatch
):
    class System:
        def uiLanguages(self):
            return languages

    monkeypatch.setattr(QLocale, "system", staticmethod(System))
    assert language.preferred_language() == expected


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
