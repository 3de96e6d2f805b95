"""Picture, prediction, truth and difference beside each other, moved together."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.canvas.markers import paint_prompts
from zim_app.gui.canvas.viewport import Viewport
from zim_app.gui.evaluation.buttons import IconButton
from zim_app.gui.evaluation.case_images import Levels, Sight
from zim_app.gui.evaluation.tables import prompt_text
from zim_app.gui.language import error_text
from zim_app.gui.notices import breakable
from zim_model.prompts import PromptSet


class Pane(Viewport):
    """One of the pictures; every button pans.

    **Signals**: ``moved(zoom, centre)``: it shows another part, around ``centre``
    (``QPointF``) in its pixels.

    **Threads**: the window's only.
    """

    moved = Signal(float, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hand = True
        self._prompts, self._scale = PromptSet(), 1.0
        self._following = False
        self.zoom_changed.connect(self._on_moved)
        self.horizontalScrollBar().valueChanged.connect(self._on_moved)
        self.verticalScrollBar().valueChanged.connect(self._on_moved)
        self.setMinimumSize(120, 90)
        self.update_cursor()

    def show_levels(self, levels: Levels, *, stay: bool) -> None:
        """Show a picture, in the same place as the last if ``stay``."""
        zoom, centre, fitted = self.zoom, self.centre, self._fitted
        self._following = True
        self.show_picture(levels)
        if stay and levels and not fitted:
            self.look_at(zoom, centre)
        self._following = False

    def show_prompts(self, prompts: PromptSet, scale: float) -> None:
        """Draw prompts, given in pixels of a picture of which this is ``scale``."""
        self._prompts, self._scale = prompts, scale
        self.viewport().update()

    @property
    def centre(self) -> QPointF:
        """What the middle of the view shows, in pixels of the picture."""
        return self.to_image(QRectF(self.viewport().rect()).center())

    def look_at(self, zoom: float, centre: QPointF) -> None:
        """Show what another pane shows."""
        self._following = True
        self.set_zoom(zoom)
        self.centerOn(centre)
        self._following = False

    def fit_alone(self) -> None:
        """Show all of the picture, and leave the other panes as they are."""
        self._following = True
        self.fit()
        self._following = False

    @Slot()
    def _on_moved(self) -> None:
        if not self._following and not self.image_rect.isEmpty():
            self.moved.emit(self.zoom, self.centre)

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        if not self._prompts:
            return
        painter.save()
        painter.resetTransform()

        def place(x: float, y: float) -> QPointF:
            return self.to_view(x * self._scale, y * self._scale)

        paint_prompts(painter, self._prompts, None, place, 0.8)
        painter.restore()


class CaseViewer(QWidget):
    """Shows a row: four panes, what it is, and what is wrong with it.

    **Signals**

    - ``open_requested()``: the case is to be opened in the studio.
    - ``step_requested(step)``: the next (1) or the previous (-1) row is wanted.

    **Threads**: the window's only.
    """

    open_requested = Signal()
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sight: Sight | None = None
        self.panes = tuple(Pane() for _ in range(4))
        self.titles = tuple(QLabel() for _ in range(4))
        for pane in self.panes:
            pane.moved.connect(self._on_pane_moved)
        self.caption = QLabel()
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        shrinks = QSizePolicy.Policy.Ignored
        self.caption.setSizePolicy(shrinks, QSizePolicy.Policy.Preferred)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        self._setup_layout()
        self.clear()

    def _setup_layout(self) -> None:
        names = (
            (self.tr("Picture"), self.tr("The picture and the prompts")),
            (self.tr("Prediction"), self.tr("The matte that was answered")),
            (self.tr("Ground truth"), self.tr("The matte that is right")),
            (
                self.tr("Difference"),
                self.tr("Red where there is too much, blue where too little"),
            ),
        )
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        for i, (name, tip) in enumerate(names):
            self.titles[i].setText(name)
            self.titles[i].setToolTip(tip)
            self.panes[i].setToolTip(
                self.tr("{}; wheel zooms, dragging moves all four").format(tip)
            )
            self.panes[i].setAccessibleName(name)
            grid.addWidget(self.titles[i], 0, i)
            grid.addWidget(self.panes[i], 1, i)
            grid.setColumnStretch(i, 1)
        grid.setRowStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._bar())
        layout.addWidget(self.problem)
        layout.addLayout(grid, 1)

    def _bar(self) -> QHBoxLayout:
        first = self.panes[0]
        tools = (
            ("chevron-up", self.tr("Previous row"), "Alt+Up", partial(self._step, -1)),
            ("chevron-down", self.tr("Next row"), "Alt+Down", partial(self._step, 1)),
            ("magnify-minus-outline", self.tr("Zoom out"), "Ctrl+-", first.zoom_out),
            ("magnify-plus-outline", self.tr("Zoom in"), "Ctrl++", first.zoom_in),
            (
                "fit-to-page-outline",
                self.tr("Show the whole picture"),
                "Ctrl+0",
                self.fit,
            ),
            (
                "magnify-scan",
                self.tr("One screen pixel for each pixel of the picture"),
                "Ctrl+1",
                first.actual_size,
            ),
        )
        bar = QHBoxLayout()
        bar.setSpacing(2)
        for name, tip, keys, handler in tools:
            bar.addWidget(IconButton(name, tip, handler, keys=keys))
        bar.addWidget(self.caption, 1)
        self.open_button = IconButton(
            "open-in-app",
            self.tr("Open the picture with these prompts and this model"),
            keys="Ctrl+O",
            text=self.tr("Open in the studio"),
        )
        self.open_button.clicked.connect(self.open_requested)
        bar.addWidget(self.open_button)
        return bar

    def _step(self, step: int) -> None:
        self.step_requested.emit(step)

    # -- What is shown ----------------------------------------------------------------

    def clear(self) -> None:
        """Show nothing."""
        self.sight = None
        for pane in self.panes:
            pane.show_levels((), stay=False)
            pane.show_prompts(PromptSet(), 1.0)
        self.caption.setText("")
        self.problem.hide()
        self.open_button.setEnabled(False)

    def wait_for(self, caption: str) -> None:
        """Say what comes; what was shown stays until it is there."""
        self.caption.setText(caption)

    def show_sight(self, sight: Sight, problem: str = "") -> None:
        """Show a row, in the same place if it is one of the same case as the last."""
        old, self.sight = self.sight, sight
        row = sight.look.row
        stay = old is not None and old.look.case == sight.look.case
        levels = (sight.image, sight.prediction, sight.truth, sight.off)
        before = (old.image, old.prediction, old.truth, old.off) if old else ((),) * 4
        for pane, new, last in zip(self.panes, levels, before, strict=True):
            if new is not last:
                pane.show_levels(new, stay=stay)
        self.panes[0].show_prompts(sight.prompts, sight.scale)
        parts = [row.case, row.system, prompt_text(row.prompt)]
        if sight.prediction and not sight.exact:
            parts.append(self.tr("small picture of the prediction"))
        self.caption.setText(" · ".join(parts))
        self.caption.setToolTip("\n".join(parts))
        problems = [error_text(text) for text in (*sight.problems, problem) if text]
        if sight.look.case is None:
            problems.append(
                self.tr("Choose the folder of the data set to see its pictures.")
            )
        self.problem.setText(breakable("\n".join(problems)))
        self.problem.setVisible(bool(problems))
        self.open_button.setEnabled(sight.look.case is not None)

    @Slot()
    def fit(self) -> None:
        """Show all of the pictures."""
        for pane in self.panes:
            pane.fit_alone()

    @Slot(float, object)
    def _on_pane_moved(self, zoom: float, centre: QPointF) -> None:
        for pane in self.panes:
            if pane is not self.sender() and not pane.image_rect.isEmpty():
                pane.look_at(zoom, centre)
