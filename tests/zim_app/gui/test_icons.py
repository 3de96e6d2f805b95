"""Icons that are drawn when they are shown."""

from __future__ import annotations

import gc

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPixmap

from zim_app.gui.icons import icon


def ink(pixmap: QPixmap) -> set[str]:
    """The colours of the opaque pixels."""
    image = pixmap.toImage()
    places = ((x, y) for y in range(image.height()) for x in range(image.width()))
    colours = [image.pixelColor(*place) for place in places]
    return {colour.name() for colour in colours if colour.alpha() == 255}


def test_a_disabled_icon_has_its_own_colour_at_any_size(qapp):
    plus = icon("plus", "#112233", "#aabbcc")
    for side in (48, 61):
        shown = plus.pixmap(QSize(side, side), 1.0)
        off = plus.pixmap(QSize(side, side), 1.0, QIcon.Mode.Disabled)
        assert shown.width() == side
        assert QColor("#112233").name() in ink(shown)
        assert QColor("#aabbcc").name() in ink(off)
    assert plus.pixmap(0, 0).isNull()


def test_copies_of_icons_may_be_changed(qapp):
    """Qt then clones the engine, which must outlive the Python object."""
    original = icon("plus", "#112233")
    copy = QIcon(original)
    copy.setIsMask(True)
    gc.collect()
    assert ink(copy.pixmap(QSize(48, 48), 1.0)) == ink(
        original.pixmap(QSize(48, 48), 1.0)
    )
    del original, copy
    gc.collect()
