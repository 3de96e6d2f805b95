"""Qt's marker of texts that are translated where they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6 import QtCore

QT_TRANSLATE_NOOP = cast("Callable[[str, str], str]", QtCore.QT_TRANSLATE_NOOP)
"""Mark a text of a context for lupdate, and return the text; PySide's stub tells no
types."""
