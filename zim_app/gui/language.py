"""The language of the window: Qt's translators, and the wording of errors."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from zim_app.gui.settings import preferences

FOLDER = Path(__file__).resolve().parents[1] / "translations"
SOURCE_LANGUAGE = "en"


def available_languages() -> list[str]:
    """Codes of the languages that the window can speak."""
    names = (path.stem.partition("_")[2] for path in FOLDER.glob("zim-studio_*.qm"))
    return [SOURCE_LANGUAGE, *sorted(names)]


def preferred_language() -> str:
    """The language of the user, or else the first of the system's that is there."""
    chosen: str = preferences.value("language")
    if chosen != "system":
        return chosen
    # The system names them as "de-AT"; the order is the user's.
    spoken = (name.partition("-")[0] for name in QLocale.system().uiLanguages())
    return next(
        (name for name in spoken if name in available_languages()), SOURCE_LANGUAGE
    )


def install_translators(app: QCoreApplication) -> list[QTranslator]:
    """Have all texts from now on in the wanted language.

    Returns:
        The translators in use, which belong to ``app``; none for English.
    """
    language = preferred_language()
    if preferences.value("language") != "system":
        QLocale.setDefault(QLocale(language))
    if language == SOURCE_LANGUAGE:
        return []
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    files = (f"{qt}/qtbase_{language}.qm", str(FOLDER / f"zim-studio_{language}.qm"))
    translators = []
    for file in files:
        translator = QTranslator(app)
        if translator.load(file):
            app.installTranslator(translator)
            translators.append(translator)
    return translators


def translate_error(text: str) -> str:
    """The wording of an error in the language of the window.

    Errors are worded in English where they are raised.  The sentence is found again
    by its pattern, and its values, which may have words themselves, are put in.
    """
    for pattern, template in _patterns():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        translated = QCoreApplication.translate("Errors", template)
        if translated == template:
            return text
        return translated.format(*map(translate_error, match.groups()))
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences of all errors, those with the most words of their own first."""
    templates = json.loads((FOLDER / "errors.json").read_text("utf-8"))
    ranked = sorted(templates, key=lambda text: -len(re.sub(r"\{\d+\}", "", text)))
    return [(re.compile(_pattern(text), re.DOTALL), text) for text in ranked]


def _pattern(template: str) -> str:
    parts = re.split(r"\{\d+\}", template)
    words = (part.replace("{{", "{").replace("}}", "}") for part in parts)
    return "(.*?)".join(map(re.escape, words))
