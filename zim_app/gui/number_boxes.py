"""Spin boxes that take numbers with a decimal point or comma in every language.

Qt's own read 1.5 as 15 in a German window, and 1,5 in an English one, since the other
sign groups thousands there.  These boxes have no group separators.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

Validation = tuple[QValidator.State, str, int]
"""The state of a text, the text and the position of the cursor."""
_NUMBER = re.compile(r"[-+]?\d*(\.\d*)?")
_DIRECTION_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))
"""Invisible characters that locales write around signs."""


class NumberBox(QDoubleSpinBox):
    """A spin box for decimal numbers; further decimals are rounded."""

    def validate(self, text: str, position: int) -> Validation:
        return _validate(self, text), text, position

    def valueFromText(self, text: str) -> float:
        value = _parse(self, text)
        return self.value() if value is None else float(_round(value, self.decimals()))


class WholeNumberBox(QSpinBox):
    """A spin box for whole numbers; decimals are rounded."""

    def validate(self, text: str, position: int) -> Validation:
        return _validate(self, text), text, position

    def valueFromText(self, text: str) -> int:
        value = _parse(self, text)
        return self.value() if value is None else int(_round(value, 0))


def _validate(box: NumberBox | WholeNumberBox, text: str) -> QValidator.State:
    """Whether a text is a number in the range, the beginning of one, or neither."""
    value = _parse(box, text)
    if value is None:
        if _NUMBER.fullmatch(_bare_number(box, text)) is None:
            return QValidator.State.Invalid
        return QValidator.State.Intermediate
    # Further digits can only lead away from zero.
    if value > max(box.maximum(), 0) or value < min(box.minimum(), 0):
        return QValidator.State.Invalid
    inside = box.minimum() <= value <= box.maximum()
    return QValidator.State.Acceptable if inside else QValidator.State.Intermediate


def _parse(box: NumberBox | WholeNumberBox, text: str) -> Decimal | None:
    """The number of a text; None if there is none yet, as in "-"."""
    if text and text == box.specialValueText():
        return Decimal(box.minimum())
    number = _bare_number(box, text)
    if _NUMBER.fullmatch(number) is None:  # Decimal reads 1e3 and 1_000, too
        return None
    try:
        return Decimal(number)
    except InvalidOperation:
        return None


def _bare_number(box: NumberBox | WholeNumberBox, text: str) -> str:
    """A text without prefix and suffix, with the signs of programming languages."""
    suffix = box.suffix().strip()
    number = text.strip().removeprefix(box.prefix().strip()).translate(_DIRECTION_MARKS)
    for _ in range(2):  # Qt appends the suffix to one that is typed
        number = number.removesuffix(suffix).strip()
    locale = box.locale()
    for sign in (locale.decimalPoint(), ","):
        number = number.replace(sign, ".")
    minus = locale.negativeSign().translate(_DIRECTION_MARKS)
    return number.replace(minus, "-").strip()


def _round(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
