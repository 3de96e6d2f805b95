"""Installs Qt's translators and translates error messages."""

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
    """Codes of the languages with a translation, and English."""
    names = (path.stem.partition("_")[2] for path in FOLDER.glob("zim-studio_*.qm"))
    return [SOURCE_LANGUAGE, *sorted(names)]


def preferred_language() -> str:
    """The user's language setting, else the first available system language."""
    chosen: str = preferences.value("language")
    if chosen != "system":
        return chosen
    # Names such as "de-AT", in the user's order of preference.
    languages = (name.partition("-")[0] for name in QLocale.system().uiLanguages())
    return next(
        (name for name in languages if name in available_languages()), SOURCE_LANGUAGE
    )


def install_translators(app: QCoreApplication) -> list[QTranslator]:
    """Install the translators of the preferred language.

    Returns:
        The installed translators, children of ``app``; none for English.
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
    """An error message in the language of the window.

    Errors are raised with English messages.  The template of a message is found by its
    pattern; its values, which may contain messages themselves, are translated
    recursively.  Unknown messages are returned unchanged.
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
    """Patterns and templates of all error messages, the longest first."""
    templates = json.loads((FOLDER / "errors.json").read_text("utf-8"))
    ranked = sorted(templates, key=lambda text: -len(re.sub(r"\{\d+\}", "", text)))
    return [(re.compile(_pattern(text), re.DOTALL), text) for text in ranked]


def _pattern(template: str) -> str:
    parts = re.split(r"\{\d+\}", template)
    words = (part.replace("{{", "{").replace("}}", "}") for part in parts)
    return "(.*?)".join(map(re.escape, words))
