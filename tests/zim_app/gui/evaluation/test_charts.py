import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from zim_app.gui.evaluation.charts import Chart, PlotData, PlotSeries, histogram, ticks
from zim_app.gui.theme import make_palette


def counts(plot):
    return [sum(y for _, y in s.points[:-1]) for s in plot.series]


def test_a_histogram_counts_every_value_in_the_same_bins():
    plot = histogram("t", "SAD", "rows", {"a": [1.0, 2.0, 2.0], "b": [4.0]})
    assert counts(plot) == [3, 1]
    first, second = ([x for x, _ in s.points] for s in plot.series)
    assert first == second
    assert not plot.overflow


def test_one_far_value_does_not_squeeze_the_others():
    values = [*np.linspace(0, 1, 99), 1000.0]
    plot = histogram("t", "SAD", "rows", {"a": values})
    assert plot.series[0].points[-1][0] < 2
    assert counts(plot) == [100]
    assert plot.overflow


def test_equal_values_have_a_histogram():
    assert counts(histogram("t", "SAD", "rows", {"a": [3.0, 3.0]})) == [2]


def test_nothing_has_an_empty_histogram():
    assert histogram("t", "SAD", "rows", {}).series == ()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0, 10, [0, 2, 4, 6, 8, 10])],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_clicks_are_whole():
    assert ticks(1, 3, whole=True) == [1, 2, 3]


@pytest.fixture
def chart(qtbot):
    chart = Chart("nothing")
    qtbot.addWidget(chart)
    chart.resize(400, 300)
    line = PlotSeries("model", tuple((float(i), i / 10) for i in range(1, 6)))
    chart.show_plot(PlotData("Curve", "clicks", "IoU", (line,), whole_x=True))
    return chart


@pytest.mark.parametrize("dark", [False, True])
def test_lines_and_words_can_be_read_on_the_theme(chart, dark):
    chart.setPalette(make_palette(dark=dark))
    image = chart.grab().toImage()
    [colour] = chart.colours
    back = QColor(image.pixel(image.width() - 3, 3))
    assert abs(colour.lightness() - back.lightness()) > 60
    pixels = {image.pixel(x, y) for x in range(0, 400) for y in range(0, 300)}
    assert colour.rgb() in pixels


def test_the_pointer_reads_a_value(qtbot, chart):
    chart.show()
    readings = [
        value_at
        for x in range(0, 400, 4)
        for y in range(0, 300, 4)
        if (value_at := chart.value_at(QPoint(x, y).toPointF())) is not None
    ]
    assert {(x, y) for _, x, y in readings} == set(chart.plot.series[0].points)
    before = chart.grab().toImage()
    position = next(
        QPoint(x, y)
        for x in range(0, 400, 4)
        for y in range(0, 300, 4)
        if chart.value_at(QPoint(x, y).toPointF()) is not None
    )
    qtbot.mouseMove(chart, position)
    assert chart.grab().toImage() != before
