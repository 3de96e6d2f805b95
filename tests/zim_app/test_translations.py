"""The translations have every text of the sources, whole and with its values."""

from __future__ import annotations

import ast
import re
import shutil
import string
from collections import Counter
from pathlib import Path

import pytest

from zim_app.translations import __main__ as tool
from zim_model.errors import ZimError

GUI = tool.ROOT / "zim_app" / "gui"
FILES = sorted(tool.FOLDER.glob("*.ts"))
UPDATE = "run: python -m zim_app.translations, and translate what is unfinished"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """A copy of the translations, brought up to date with the sources."""
    folder = tmp_path_factory.mktemp("translations")
    for file in FILES:
        shutil.copy(file, folder)
    tool.update(folder)
    return folder


def placeholders(text: str) -> Counter:
    """The values of a format string, with their format."""
    fields = string.Formatter().parse(text)
    return Counter(field[1:] for field in fields if field[1] is not None)


def test_there_is_german():
    assert tool.FOLDER / "zim-studio_de.ts" in FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_text_is_translated(file, fresh):
    missing = [
        f"{message.context}: {message.source}"
        for message in tool.messages(fresh / file.name)
        if not message.finished
    ]
    assert not missing, UPDATE


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_text_is_there_that_the_sources_lack(file, fresh):
    now = {(m.context, m.source) for m in tool.messages(fresh / file.name)}
    assert {(m.context, m.source) for m in tool.messages(file)} == now, UPDATE


@pytest.mark.parametrize("name", [f"{file.stem}.qm" for file in FILES])
def test_compiled_files_are_fresh(name, fresh):
    assert (tool.FOLDER / name).read_bytes() == (fresh / name).read_bytes(), UPDATE


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_translations_keep_the_values_and_the_dots(file):
    for message in tool.messages(file):
        source, translation = message.source, message.translation
        assert source.endswith("…") == translation.endswith("…"), source
        assert source.count("\n") == translation.count("\n"), source
        if message.context != "Preferences":  # whose braces are words
            assert placeholders(source) == placeholders(translation), source
        else:
            assert re.findall(r"\{\w*\}", source) == re.findall(r"\{\w*\}", translation)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_menu_keys_are_kept(file):
    for message in tool.messages(file):
        source, translation = message.source, message.translation
        if message.context in ("Actions", "MainWindow"):
            assert source.count("&") == translation.count("&"), source


# -- Errors ---------------------------------------------------------------------------

CODE = sorted(
    path
    for name in ("zim_app", "zim_model")
    for path in (tool.ROOT / name).rglob("*.py")
)


ERROR_NAMES = {"ZimError", *(each.__name__ for each in ZimError.__subclasses__())}


def calls(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in nodes if called(call) in names]


def messages_in(path: Path) -> list[ast.Call]:
    return calls(ast.parse(path.read_text("utf-8")), {"msg"})


def untranslatable(tree: ast.AST) -> list[str]:
    """Sentences that are passed to errors untranslated, also through a variable."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            values.setdefault(node.targets[0].id, []).append(node.value)
    texts = []
    for call in calls(tree, ERROR_NAMES):
        for argument in [*call.args, *(each.value for each in call.keywords)]:
            known = (
                values.get(argument.id, []) if isinstance(argument, ast.Name) else []
            )
            texts += [text for each in (argument, *known) for text in literals(each)]
    return [text for text in texts if words(text)]


def test_templates_have_the_empty_context():
    texts = {m.source for f in FILES for m in tool.messages(f) if not m.context}
    calls_of_msg = [call for path in CODE for call in messages_in(path)]
    assert {ast.literal_eval(call.args[0]) for call in calls_of_msg} == texts


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
def test_errors_are_translatable(path):
    assert untranslatable(ast.parse(path.read_text("utf-8"))) == [], "use msg()"


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
def test_messages_have_values_for_their_placeholders(path):
    for call in messages_in(path):
        names = {field[0] for field in placeholders(ast.literal_eval(call.args[0]))}
        assert names == {each.arg for each in call.keywords}, call.lineno


@pytest.mark.parametrize(
    "code",
    [
        'raise ZimError("It is empty.")',
        'raise ZimError(msg("It is empty."), "Choose another file.")',
        'raise ImageError(f"{path} is empty.")',
        'text = f"{path} is empty."\nraise ImageError(text)',
        'raise ImageError("It is empty." if empty else msg("It is broken."))',
    ],
)
def test_untranslatable_errors_are_recognised(code):
    assert untranslatable(ast.parse(code))


# -- All texts are translatable -------------------------------------------------------

SHOWING = {
    *("setText", "setToolTip", "setStatusTip", "setWindowTitle", "setPlaceholderText"),
    *("setTitle", "setInformativeText", "setDetailedText", "setLabelText"),
    *("setHeaderLabels", "setHorizontalHeaderLabels", "setPrefix", "setSuffix"),
    *("addAction", "addMenu", "addItem", "addTab", "addSection", "setSpecialValueText"),
    *("setAccessibleName", "showMessage", "show_error", "show_success"),
    *("QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton"),
    *("QGroupBox", "QAction", "QMenu", "QToolBar", "QDockWidget", "QLineEdit"),
    *("QListWidgetItem", "QTreeWidgetItem", "QTableWidgetItem", "QUndoCommand"),
}
"""Methods and classes that show their string arguments."""


def shown_literals(tree: ast.AST) -> list[str]:
    """String literals with words that are passed to a widget untranslated."""
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in SHOWING:
            for argument in node.args:
                texts += [text for text in literals(argument) if words(text)]
    return texts


def called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def literals(node: ast.expr) -> list[str]:
    """Strings written in an expression, except in calls, which may translate."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Call):
        return []
    children = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
    return [text for child in children for text in literals(child)]


def words(text: str) -> bool:
    return re.search(r"[^\W\d_]{2}", text) is not None


SOURCES = sorted(GUI.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_literal_reaches_a_widget(path):
    assert shown_literals(ast.parse(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        'label.setText("Hello there")',
        'QLabel("Hello")',
        'menu.addAction("Hello", self.go)',
        'label.setText(f"{count} images")',
        'label.setToolTip("Yes" if on else tr("No"))',
    ],
)
def test_literals_are_recognised(code):
    assert shown_literals(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        'label.setText(self.tr("Hello there"))',
        'label.setText(f"{model} · {device}")',
        'label.setText("…")',
        "box.addItem(name, value)",
    ],
)
def test_translated_texts_are_let_through(code):
    assert not shown_literals(ast.parse(code))
