"""Bring the translations up to date: ``python -m zim_app.translations``.

It reads all sources, adds new texts to each ``zim-studio_LANGUAGE.ts`` as unfinished,
removes unused ones, and compiles the ``.qm`` files that the program loads.  Fill in the
unfinished texts (by hand, or with Qt Linguist) and run it again.  Start a new language
with its code: ``python -m zim_app.translations fr``.

Messages of errors, ``msg("{path} is empty.", path=path)``, have the empty context.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]


def main(languages: Sequence[str] = ()) -> int:
    """Update and compile all languages, and new ones; return the exit code."""
    for file in update(FOLDER, languages):
        missing = [message for message in messages(file) if not message.finished]
        print(f"{file.name}: {len(missing)} unfinished")
    return 0


@dataclass(frozen=True, slots=True)
class TsMessage:
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
    def read(context: str, element: ElementTree.Element) -> TsMessage:
        """Parse an XML element ``message``."""
        translation = element.find("translation")
        assert translation is not None
        text = translation.text or ""
        finished = translation.get("type") is None and bool(text)
        return TsMessage(context, element.findtext("source") or "", text, finished)


def messages(file: Path) -> list[TsMessage]:
    """All texts of a ``.ts`` file."""
    return [
        TsMessage.read(context.findtext("name") or "", element)
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
    new = {folder / f"zim-studio_{language}.ts" for language in languages}
    files = sorted({*folder.glob("zim-studio_*.ts"), *new})
    packages = (ROOT / "zim_app", ROOT / "zim_model")
    sources = sorted(path for each in packages for path in each.rglob("*.py"))
    options = (
        *("-no-obsolete", "-locations", "none", "-silent"),
        *("-disable-heuristic", "similartext"),
        *("-tr-function-alias", "QT_TR_NOOP+=msg"),
    )
    for file in files:
        _run("lupdate", *options, *sources, "-ts", file)
    for file in files:
        _run("lrelease", "-silent", file, "-qm", file.with_suffix(".qm"))
    return files


def _run(tool: str, *arguments: str | Path) -> None:
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).with_name(tool)
    subprocess.run([program, *map(str, arguments)], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
