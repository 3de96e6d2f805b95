"""Bring the translations up to date: ``python -m zim_app.translations``.

It reads all sources, adds new texts to each ``zim-studio_LANGUAGE.ts`` as unfinished,
removes unused ones, and compiles the ``.qm`` files that the program loads.  Fill in the
unfinished texts (by hand, or with Qt Linguist) and run it again.  Start a new language
with its code: ``python -m zim_app.translations fr``.

Error messages are written where errors are raised, also in modules without Qt.  They
are found by parsing the calls of the error classes; values become ``{0}``, ``{1}``, ...
``errors.json`` lists them, because compiled files cannot be enumerated.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
ERRORS = "errors.json"
_SENTENCE_MODULES = (
    "zim_model/runtime/atomic_files.py",
    "zim_model/weights/catalogue.py",
)
"""Modules whose tables contain messages, or parts of them, for users."""


def main(languages: Sequence[str] = ()) -> int:
    """Update and compile all languages, and new ones; return the exit code."""
    for file in update(FOLDER, languages):
        missing = [message for message in messages(file) if not message.finished]
        print(f"{file.name}: {len(missing)} unfinished")
    return 0


# -- The files of Qt ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """One text of a ``.ts`` file.

    Attributes:
        context: Qt's context, a class or table.
        source: the English text.
        translation: empty if there is none yet.
        finished: whether the translator marked it as finished.
    """

    context: str
    source: str
    translation: str
    finished: bool

    @staticmethod
    def read(context: str, element: ElementTree.Element) -> Message:
        """Parse an XML element ``message``."""
        translation = element.find("translation")
        assert translation is not None
        text = translation.text or ""
        finished = translation.get("type") is None and bool(text)
        return Message(context, element.findtext("source") or "", text, finished)


def messages(file: Path) -> list[Message]:
    """All texts of a ``.ts`` file."""
    return [
        Message.read(context.findtext("name") or "", element)
        for context in ElementTree.parse(file).getroot().iter("context")
        for element in context.iter("message")
    ]


def update(folder: Path, languages: Sequence[str] = ()) -> list[Path]:
    """Bring the files in a folder up to date with the sources, and compile them.

    Args:
        folder: folder of the ``zim-studio_LANGUAGE.ts``.
        languages: codes of new languages.

    Returns:
        The ``.ts`` files.

    Raises:
        subprocess.CalledProcessError: one of Qt's tools failed.
    """
    templates = error_templates()
    (folder / ERRORS).write_text(
        json.dumps(templates, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )
    new = {folder / f"zim-studio_{language}.ts" for language in languages}
    files = sorted({*folder.glob("zim-studio_*.ts"), *new})
    with tempfile.TemporaryDirectory() as name:
        listed = Path(name) / "errors.py"
        listed.write_text(
            "".join(
                f'QT_TRANSLATE_NOOP("Errors", {json.dumps(x, ensure_ascii=False)})\n'
                for x in templates
            ),
            "utf-8",
        )
        sources = sorted((ROOT / "zim_app" / "gui").rglob("*.py"))
        for file in files:
            options = ("-no-obsolete", "-locations", "none", "-silent")
            exact = ("-disable-heuristic", "similartext")
            _run("lupdate", *options, *exact, *sources, listed, "-ts", file)
    for file in files:
        _run("lrelease", "-silent", file, "-qm", file.with_suffix(".qm"))
    return files


def _run(tool: str, *arguments: str | Path) -> None:
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).with_name(tool)
    subprocess.run([program, *map(str, arguments)], check=True)


# -- Error messages -----------------------------------------------------------


def error_templates() -> list[str]:
    """Templates of all error messages in the sources, with {0} for values."""
    paths = [*(ROOT / "zim_model").rglob("*.py"), *(ROOT / "zim_app").rglob("*.py")]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(paths)}
    names = _error_names(list(trees.values()))
    sentences: set[str] = set()
    for path, tree in trees.items():
        sentences.update(_raised_sentences(tree, names))
        if path.relative_to(ROOT).as_posix() in _SENTENCE_MODULES:
            sentences.update(_table_strings(tree))
    return sorted(filter(_has_words, sentences))


def _error_names(trees: Sequence[ast.Module]) -> set[str]:
    """Names of ``ZimError`` and its subclasses."""
    names = {"ZimError"}
    for _ in range(3):
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and any(
                    isinstance(base, ast.Name) and base.id in names
                    for base in node.bases
                ):
                    names.add(node.name)
    return names


def _raised_sentences(tree: ast.Module, names: set[str]) -> Iterator[str]:
    """Messages passed to errors, directly or through a local variable."""
    scopes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for scope in [*scopes, tree]:
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and _called_name(node) in names:
                arguments = [*node.args, *(k.value for k in node.keywords)]
                for argument in arguments:
                    yield from _sentences(argument, scope)


def _called_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _sentences(node: ast.expr, scope: ast.AST) -> Iterator[str]:
    """Possible values of an expression, as far as they are literals in its scope."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield _escape_braces(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield _template(node)
    elif isinstance(node, ast.IfExp):
        yield from _sentences(node.body, scope)
        yield from _sentences(node.orelse, scope)
    elif isinstance(node, ast.Name):
        for other in ast.walk(scope):
            if isinstance(other, ast.Assign) and _assigns(other, node.id):
                yield from _sentences(other.value, ast.Module([], []))


def _assigns(statement: ast.Assign, name: str) -> bool:
    names = [node.id for node in statement.targets if isinstance(node, ast.Name)]
    return name in names


def _template(node: ast.JoinedStr) -> str:
    parts, count = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(_escape_braces(str(part.value)))
        else:
            parts.append(f"{{{count}}}")
            count += 1
    return "".join(parts)


def _escape_braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _table_strings(tree: ast.Module) -> Iterator[str]:
    """Strings in tables at module level."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield _escape_braces(part.value)


def _has_words(template: str) -> bool:
    """Whether a template contains words, and not only values."""
    return sum(map(str.isalpha, template)) >= 4 and " " in template


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
