"""Installs Qt's translators; translates messages, numbers, sizes and times."""

from __future__ import annotations

import math
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from zim_app.gui.settings import preferences
from zim_model.errors import Message

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


def format_number(value: float, decimals: int) -> str:
    """A number as the window's language writes it: 0.5 or 0,5."""
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(float(value), "f", decimals)


def size_text(nbytes: float) -> str:
    """A number of bytes as text: ``375.0 MB``."""
    form = QLocale.DataSizeFormat.DataSizeSIFormat
    return QLocale().formattedDataSize(int(nbytes), 1, form)


def time_left_text(seconds: float) -> str:
    """A remaining time as text, rounded up: ``5 min left``."""
    translate = QCoreApplication.translate
    if seconds < 90:
        return translate("Language", "{} s left").format(math.ceil(seconds))
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return translate("Language", "{} min left").format(minutes)
    hours = translate("Language", "{} h {} min left")
    return hours.format(minutes // 60, minutes % 60)


def translate_message(text: str) -> str:
    """A sentence in the language of the window.

    Values that are messages themselves are translated, too; a plain string is returned
    unchanged.
    """
    if not isinstance(text, Message):
        return text
    values = {
        name: translate_message(value) if isinstance(value, str) else value
        for name, value in text.values.items()
    }
    return QCoreApplication.translate("", text.template).format(**values)
