"""Icons from the font that comes with qtawesome.

qtawesome itself is not imported: it brings in qtpy and all of OpenGL, which costs half
a second before the window appears.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
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
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _draw(painter, QRect(0, 0, size, size), name, colour)
    painter.end()
    return pixmap


class _GlyphEngine(QIconEngine):
    """Draws a character where and when it is shown, sharp at any size.

    Pixmaps made beforehand, for each size, mode and pixel ratio, would take a tenth of
    the time until the window appears.
    """

    def __init__(self, name: str, colour: str, disabled: str) -> None:
        super().__init__()
        self._name, self._colour, self._disabled = name, colour, disabled

    def clone(self) -> QIconEngine:
        return _GlyphEngine(self._name, self._colour, self._disabled)

    def paint(
        self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        off = mode == QIcon.Mode.Disabled
        _draw(painter, rect, self._name, self._disabled if off else self._colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
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
