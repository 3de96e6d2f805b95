"""Numbers in every language, typed with a decimal point or comma."""

import ast
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

import zim_app.gui
from zim_app.gui.number_boxes import NumberBox, WholeNumberBox
from zim_app.gui.panels.fields import SliderField, SliderScale

LOCALES = ["en_US", "de_DE", "de_CH", "fr_FR", "sv_SE", "ar_EG"]


@pytest.fixture(params=LOCALES)
def locale(request):
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield QLocale()
    QLocale.setDefault(before)


@pytest.fixture
def make(qtbot):
    """A shown box from -50 to 2000, as fields have them."""

    def make(kind=NumberBox, decimals=None, suffix=" px"):
        box = kind()
        qtbot.addWidget(box)
        box.setRange(-50, 2000)
        box.setSuffix(suffix)
        box.setKeyboardTracking(False)
        if decimals is not None:
            box.setDecimals(decimals)
        box.setValue(7)
        box.show()
        return box

    return make


def write(qtbot, box, text):
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


@pytest.mark.parametrize("text", ["1.5", "1,5"])
def test_both_decimal_signs_are_understood(locale, make, qtbot, text):
    box = make()
    write(qtbot, box, text)
    assert box.value() == 1.5
    assert box.text() == f"{locale.toString(1.5, 'f', 2)} px"


@pytest.mark.parametrize("kind", [NumberBox, WholeNumberBox])
@pytest.mark.parametrize("text", ["1.5", "1,5", "1.49999,", "2,4"])
def test_boxes_without_decimals_round(locale, make, qtbot, kind, text):
    box = make(kind, decimals=0 if kind is NumberBox else None)
    write(qtbot, box, text)
    assert box.value() == (1 if text.startswith("1.4") else 2)


@pytest.mark.parametrize("kind", [NumberBox, WholeNumberBox])
def test_numbers_are_written_without_group_separators(locale, make, qtbot, kind):
    box = make(kind)
    box.setValue(1234)
    shown = box.text()
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Return)  # reads its own text
    assert (box.value(), box.text()) == (1234, shown)
    QApplication.clipboard().setText("1.234,5")
    box.selectAll()
    box.lineEdit().paste()
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 1234  # ambiguous: refused


@pytest.mark.parametrize("text", ["-3,25", "-3.25"])
def test_negative_numbers_and_their_own_text_are_read(locale, make, qtbot, text):
    box = make()
    write(qtbot, box, text)
    assert box.value() == -3.25
    box.lineEdit().setCursorPosition(0)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == -3.25


@pytest.mark.parametrize(
    ("text", "value"),
    [("3000", 300), ("-", 7), ("", 7), ("1e3", 13), ("abc", 7), ("50px", 50)],
)
def test_what_is_no_number_in_the_range_cannot_be_typed(make, qtbot, text, value):
    box = make()
    write(qtbot, box, text)
    assert box.value() == value


def test_the_text_of_the_least_value_is_read(make, qtbot):
    box = make(WholeNumberBox, suffix="")
    box.setRange(0, 100)
    box.setSpecialValueText("all")
    box.setValue(0)
    assert box.text() == "all"
    box.selectAll()
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == 0
    write(qtbot, box, "12")
    assert box.value() == 12


@pytest.mark.parametrize("text", ["1.5", "1,5"])
def test_a_slider_field_takes_both_decimal_signs(locale, qtbot, text):
    field = SliderField("Feather", "Blurs the edge", SliderScale(0, 50, 0, 1, " px"))
    qtbot.addWidget(field)
    field.show()
    with qtbot.waitSignal(field.changed) as changed:
        write(qtbot, field.number, text)
    assert changed.args == [1.5]


def test_all_boxes_of_the_window_are_of_these_kinds():
    folder = Path(zim_app.gui.__file__).parent
    made = [
        (path.name, node.lineno)
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("QSpinBox", "QDoubleSpinBox")
    ]
    assert not made
