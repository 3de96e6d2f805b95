"""Icons from the font that comes with qtawesome.

qtawesome itself is not imported: it brings in qtpy and all of OpenGL, which costs half
a second before the window appears.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache, lru_cache
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPixmap,
)


def icon(name: str, colour: str, disabled: str = "") -> QIcon:
    """The Material Design icon ``name``, without ``mdi6.``, in these colours."""
    return QIcon(_GlyphEngine(name, colour, disabled or colour))


def glyph(name: str, size: int, colour: str) -> QPixmap:
    """One icon as a pixmap, at the primary screen's device pixel ratio."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    side = round(size * ratio)
    pixmap = QPixmap(_rendered(name, side, side, colour))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


class _GlyphEngine(QIconEngine):
    """Draws a character where and when it is shown, sharp at any size.

    Pixmaps made beforehand, for each size, mode and pixel ratio, would take a tenth of
    the time until the window appears; those that were shown are remembered.
    """

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._name, self._colour, self._disabled = name, colour, disabled

    def clone(self) -> QIconEngine:
        engine = _GlyphEngine(self._name, self._colour, self._disabled)
        _CLONES.append(engine)
        return engine

    def paint(
        self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        _draw(painter, rect, self._name, self._colour_in(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        colour = self._colour_in(mode)
        return _rendered(self._name, size.width(), size.height(), colour)

    def _colour_in(self, mode: QIcon.Mode) -> str:
        return self._disabled if mode == QIcon.Mode.Disabled else self._colour


_CLONES: list[QIconEngine] = []
"""Kept for good: Qt owns them, which PySide does not know, and would free them."""


@lru_cache(maxsize=512)
def _rendered(name: str, width: int, height: int, colour: str) -> QPixmap:
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    if not pixmap.isNull():
        painter = QPainter(pixmap)
        _draw(painter, pixmap.rect(), name, colour)
        painter.end()
    return pixmap


def _draw(painter: QPainter, rect: QRect, name: str, colour: str) -> None:
    family, characters = _font()
    font = QFont(family)
    font.setPixelSize(min(rect.width(), rect.height()))
    painter.save()
    painter.setFont(font)
    painter.setPen(QColor(colour))
    text = chr(int(characters[name], 16))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


@cache
def _font() -> tuple[str, dict[str, str]]:
    """The font's family, and the code point of each icon's name in hexadecimal."""
    spec = importlib.util.find_spec("qtawesome")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "fonts"
    [file] = folder.glob("materialdesignicons6-webfont-[0-9]*.ttf")
    [names] = folder.glob("materialdesignicons6-webfont-charmap-*.json")
    number = QFontDatabase.addApplicationFont(str(file))
    family = QFontDatabase.applicationFontFamilies(number)[0]
    return family, json.loads(names.read_text("utf-8"))
