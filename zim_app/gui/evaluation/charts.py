"""Histograms and curves, painted in the colours of the palette."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from zim_app.gui.evaluation.tables import number_text

BINS = 24
AXIS_QUANTILE = 0.98
"""Quantile of the values at the end of the axis; larger ones share the last bin."""
TICKS = 5
_LIGHT = ("#1f62b8", "#b3530a", "#1b7f46", "#a2337f", "#6b4fc0", "#8a6d00", "#0b7a83")
_DARK = ("#6cb0ff", "#ffab5e", "#6fd694", "#f088cd", "#b5a2ff", "#e3c75f", "#5fd3dd")
_PEN = 1.8
_LEGEND = 10.0
_HIT_RADIUS = 14.0
"""Distance from a point within which the pointer reads it, in view pixels."""


@dataclass(frozen=True, slots=True)
class PlotSeries:
    """One line of a chart.

    Attributes:
        name: its text in the legend.
        points: x and y, in rising order of x.
        steps: whether it is drawn as bars from one x to the next.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    steps: bool = False


@dataclass(frozen=True, slots=True)
class PlotData:
    """Contents of a chart.

    Attributes:
        title: above the chart.
        x_title, y_title: labels of the axes.
        series: the lines; their order gives the colours.
        whole_x: whether ticks on the x axis are whole numbers.
        overflow: whether the last bar also counts all larger values.
    """

    title: str
    x_title: str
    y_title: str
    series: tuple[PlotSeries, ...] = ()
    whole_x: bool = False
    overflow: bool = False


def histogram(
    title: str, x_title: str, y_title: str, values: Mapping[str, Sequence[float]]
) -> PlotData:
    """Histogram of the values of some groups, with the same bins for all.

    Args:
        values: finite values by the name of the group.
    """
    all_values = np.array([v for group in values.values() for v in group], np.float64)
    if not all_values.size:
        return PlotData(title, x_title, y_title)
    low, most = float(all_values.min()), float(all_values.max())
    high = float(np.quantile(all_values, AXIS_QUANTILE))
    high = most if most <= high + (high - low) * 0.25 else high
    low = 0.0 if 0 <= low < high * 0.5 else low
    if high <= low:
        low, high = low - 0.5, low + 0.5
    edges = np.linspace(low, high, BINS + 1)
    series = []
    for name, group in values.items():
        counts, _ = np.histogram(np.clip(group, low, high), edges)
        ys = [*map(float, counts), float(counts[-1])]
        points = tuple(zip(map(float, edges), ys, strict=True))
        series.append(PlotSeries(name, points, steps=True))
    return PlotData(title, x_title, y_title, tuple(series), overflow=most > high)


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round numbers from ``low`` to ``high``, about TICKS of them."""
    if not high > low:
        return [low]
    raw = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw)
    if whole:
        step = max(1.0, float(round(step)))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def tick_text(value: float) -> str:
    """A number beside an axis."""
    return f"{value:.6g}"


@dataclass(frozen=True, slots=True)
class _PlotArea:
    """Rectangle of the plot in view pixels, and the ranges of the axes."""

    rect: QRectF
    x: tuple[float, float]
    y: tuple[float, float]

    def to_view(self, x: float, y: float) -> QPointF:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return QPointF(
            self.rect.left() + across * self.rect.width(),
            self.rect.bottom() - up * self.rect.height(),
        )


class Chart(QWidget):
    """Paints a :class:`PlotData`; the pointer reads values off the lines.

    Args:
        empty_text: shown while the plot has no points.

    **Threads**: the window's only.
    """

    def __init__(self, empty_text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = PlotData("", "", "")
        self._empty_text = empty_text
        self._pointer: QPointF | None = None
        self.setMouseTracking(True)
        grows = QSizePolicy.Policy.Expanding
        self.setSizePolicy(grows, grows)
        self.setMinimumSize(QSize(260, 180))

    def show_plot(self, plot: PlotData) -> None:
        """Replace the plot."""
        if plot != self.plot:
            self.plot = plot
            self.setAccessibleName(plot.title)
            self.update()

    @property
    def colours(self) -> list[QColor]:
        """One colour per series, readable on the palette's background."""
        dark = self.palette().color(QPalette.ColorRole.Base).lightness() < 128
        table = _DARK if dark else _LIGHT
        return [QColor(table[i % len(table)]) for i in range(len(self.plot.series))]

    def value_at(self, position: QPointF) -> tuple[PlotSeries, float, float] | None:
        """The series and the point nearest to a view position, if one is near."""
        plot_area = self._plot_area()
        if plot_area is None or not plot_area.rect.adjusted(-8, -8, 8, 8).contains(
            position
        ):
            return None
        readings: list[tuple[float, PlotSeries, float, float]] = []
        for series in self.plot.series:
            for (x, y), following in pairwise((*series.points, series.points[-1])):
                middle = (x + following[0]) / 2 if series.steps else x
                gap = plot_area.to_view(middle, y) - position
                readings.append((math.hypot(gap.x(), gap.y()), series, x, y))
        if not readings:
            return None
        distance, series, x, y = min(readings, key=lambda reading: reading[0])
        return (series, x, y) if distance <= _HIT_RADIUS else None

    # -- Painting ---------------------------------------------------------------------

    def _plot_area(self) -> _PlotArea | None:
        points = [p for series in self.plot.series for p in series.points]
        if not points:
            return None
        xs, ys = [x for x, _ in points], [y for _, y in points]
        x = (min(xs), max(xs)) if max(xs) > min(xs) else (min(xs) - 0.5, max(xs) + 0.5)
        low = min(0.0, *ys)
        y = (low, low + (max(ys) - low) * 1.06 or low + 1.0)
        metrics = QFontMetricsF(self.font())
        line = metrics.height()
        marks = ticks(*y)
        left = max(metrics.horizontalAdvance(tick_text(v)) for v in marks) + line + 14
        top = line * (2 + len(self._legend_rows()))
        rect = QRectF(self.rect()).adjusted(left, top, -14, -2.6 * line)
        return (
            _PlotArea(rect, x, y) if rect.width() > 20 and rect.height() > 20 else None
        )

    def _legend_rows(self) -> list[list[int]]:
        """Indices of the series, in rows of names that fit beside each other."""
        metrics = QFontMetricsF(self.font())
        rows: list[list[int]] = [[]]
        used, room = 0.0, self.width() - 20.0
        for index, series in enumerate(self.plot.series):
            width = metrics.horizontalAdvance(series.name) + 3 * _LEGEND
            if used + width > room and rows[-1]:
                rows.append([])
                used = 0.0
            rows[-1].append(index)
            used += width
        return rows

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        text = self.palette().color(QPalette.ColorRole.Text)
        painter.setPen(text)
        plot_area = self._plot_area()
        self._paint_title(painter)
        if plot_area is None:
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(
                self.rect().adjusted(20, 20, -20, -20), centre, self._empty_text
            )
            return
        self._paint_axes(painter, plot_area, text)
        for series, colour in zip(self.plot.series, self.colours, strict=True):
            _paint_series(painter, plot_area, series, colour)
        self._paint_legend(painter, text)
        self._paint_reading(painter, plot_area, text)

    def _paint_title(self, painter: QPainter) -> None:
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        height = QFontMetricsF(font).height()
        box = QRectF(10, height * 0.3, self.width() - 20, height)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, self.plot.title)
        painter.setFont(self.font())

    def _paint_axes(
        self, painter: QPainter, plot_area: _PlotArea, text: QColor
    ) -> None:
        rect, line = plot_area.rect, QFontMetricsF(self.font()).height()
        rule = QColor(text)
        rule.setAlphaF(0.15)
        for value in ticks(*plot_area.y):
            y = plot_area.to_view(plot_area.x[0], value).y()
            painter.setPen(QPen(rule, 1))
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
            painter.setPen(text)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            box = QRectF(line, y - line, rect.left() - line - 6, 2 * line)
            painter.drawText(box, right, tick_text(value))
        marks = ticks(*plot_area.x, whole=self.plot.whole_x)
        for value in marks:
            x = plot_area.to_view(value, plot_area.y[0]).x()
            painter.drawLine(QPointF(x, rect.bottom()), QPointF(x, rect.bottom() + 4))
            last = self.plot.overflow and value == marks[-1]
            label = f"≥ {tick_text(value)}" if last else tick_text(value)
            box = QRectF(x - 50, rect.bottom() + 5, 100, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, label)
        painter.setPen(QPen(text, 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        below = QRectF(rect.left(), rect.bottom() + 5 + line, rect.width(), 1.3 * line)
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, self.plot.x_title)
        painter.save()
        painter.translate(2, rect.center().y())
        painter.rotate(-90)
        beside = QRectF(-rect.height() / 2, 0, rect.height(), line)
        painter.drawText(beside, Qt.AlignmentFlag.AlignHCenter, self.plot.y_title)
        painter.restore()

    def _paint_legend(self, painter: QPainter, text: QColor) -> None:
        metrics = QFontMetricsF(self.font())
        colours, line = self.colours, metrics.height()
        for number, row in enumerate(self._legend_rows()):
            x, y = 10.0, line * (1.5 + number)
            for index in row:
                name = self.plot.series[index].name
                patch = QRectF(x, y + (line - _LEGEND) / 2, _LEGEND, _LEGEND)
                painter.fillRect(patch, colours[index])
                painter.setPen(text)
                x += 1.5 * _LEGEND
                width = metrics.horizontalAdvance(name)
                painter.drawText(QPointF(x, y + metrics.ascent()), name)
                x += width + 1.5 * _LEGEND

    def _paint_reading(
        self, painter: QPainter, plot_area: _PlotArea, text: QColor
    ) -> None:
        """Paint the values of the point under the pointer beside it."""
        reading = self.value_at(self._pointer) if self._pointer is not None else None
        if reading is None:
            return
        series, x, y = reading
        shown = f"{series.name}: {self._read_text(x, y)}"
        metrics = QFontMetricsF(self.font())
        size = metrics.boundingRect(shown).size()
        position = plot_area.to_view(x, y) + QPointF(10, -size.height() - 12)
        position.setX(min(position.x(), self.width() - size.width() - 20))
        box = QRectF(
            position.x(), max(position.y(), 2), size.width() + 12, size.height() + 6
        )
        painter.setPen(QPen(text, 1))
        painter.setBrush(self.palette().color(QPalette.ColorRole.ToolTipBase))
        painter.drawRoundedRect(box, 3, 3)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)

    def _read_text(self, x: float, y: float) -> str:
        if self.plot.whole_x:
            return f"{self.plot.x_title} {x:g}, {self.plot.y_title} {number_text(y)}"
        return f"{self.plot.x_title} {number_text(x)}, {self.plot.y_title} {y:g}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._pointer = None
        self.update()


def _paint_series(
    painter: QPainter, plot_area: _PlotArea, series: PlotSeries, colour: QColor
) -> None:
    painter.setPen(QPen(colour, _PEN))
    if series.steps:
        fill = QColor(colour)
        fill.setAlphaF(0.15)
        painter.setBrush(fill)
        for outline in _series_paths(plot_area, series):
            painter.drawPolygon(QPolygonF(outline))
        return
    positions = [plot_area.to_view(x, y) for x, y in series.points]
    painter.drawPolyline(QPolygonF(positions))
    painter.setBrush(colour)
    for position in positions if len(positions) <= 50 else ():
        painter.drawEllipse(position, 2.6, 2.6)


def _series_paths(plot_area: _PlotArea, series: PlotSeries) -> list[list[QPointF]]:
    """Closed outlines of adjacent bars; empty bins have none."""
    paths: list[list[QPointF]] = []
    open_ = False
    for (x, y), (following, _) in pairwise(series.points):
        if y and not open_:
            paths.append([plot_area.to_view(x, 0)])
        if y:
            paths[-1] += [plot_area.to_view(x, y), plot_area.to_view(following, y)]
        elif open_:
            paths[-1].append(plot_area.to_view(x, 0))
        open_ = bool(y)
    if open_:
        paths[-1].append(plot_area.to_view(series.points[-1][0], 0))
    return paths
