"""Icons from the font that comes with qtawesome.

qtawesome itself is not imported: it brings in qtpy and all of OpenGL, which costs half
a second before the window appears.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QPainter,
    QPixmap,
)

SIZES = (16, 20, 24, 32)


def icon(name: str, colour: str, disabled: str = "") -> QIcon:
    """The Material Design icon ``name``, without ``mdi6.``, in these colours."""
    result = QIcon()
    modes = ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled or colour))
    for mode, paint in modes:
        for size in SIZES:
            for ratio in (1.0, 2.0):
                result.addPixmap(_render_glyph(name, size, paint, ratio), mode)
    return result


def glyph(name: str, size: int, colour: str) -> QPixmap:
    """One icon as a pixmap, at the primary screen's device pixel ratio."""
    return _render_glyph(
        name, size, colour, QGuiApplication.primaryScreen().devicePixelRatio()
    )


def _render_glyph(name: str, size: int, colour: str, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    family, characters = _font()
    font = QFont(family)
    font.setPixelSize(size)
    painter = QPainter(pixmap)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    text = chr(int(characters[name], 16))
    painter.drawText(QRectF(0, 0, size, size), Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return pixmap


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
