"""Viewer of a case: image, prediction, ground truth and difference, panned together."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)
from superqt.elidable import QElidingLabel

from zim_app.gui.canvas.markers import paint_prompts
from zim_app.gui.canvas.viewport import Viewport
from zim_app.gui.evaluation.case_images import CaseView, Levels
from zim_app.gui.evaluation.tables import prompt_text
from zim_app.gui.icon_button import IconButton
from zim_app.gui.language import translate_message
from zim_app.gui.notices import insert_break_points
from zim_model.prompts import PromptSet


class ImagePane(Viewport):
    """One image of the viewer; every mouse button pans.

    **Signals**: ``moved(zoom, centre)``: another region is shown, around ``centre``
    (``QPointF``) in image coordinates.

    **Threads**: the window's only.
    """

    moved = Signal(float, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hand = True
        self._prompts: tuple[PromptSet, ...] = ()
        self._scale = 1.0
        self._following = False
        self.zoom_changed.connect(self._on_moved)
        self.horizontalScrollBar().valueChanged.connect(self._on_moved)
        self.verticalScrollBar().valueChanged.connect(self._on_moved)
        self.setMinimumSize(120, 90)
        self.update_cursor()

    def show_levels(self, levels: Levels, *, stay: bool) -> None:
        """Show a pyramid; ``stay`` keeps zoom and centre."""
        zoom, centre, fitted = self.zoom, self.centre, self._fitted
        self._following = True
        self.show_image(levels)
        if stay and levels and not fitted:
            self.show_region(zoom, centre)
        self._following = False

    def show_prompts(self, prompts: tuple[PromptSet, ...], scale: float) -> None:
        """Draw prompts in image coordinates; ``scale`` maps them to shown pixels."""
        self._prompts, self._scale = prompts, scale
        self.viewport().update()

    @property
    def centre(self) -> QPointF:
        """The centre of the view, in image coordinates."""
        return self.to_image(QRectF(self.viewport().rect()).center())

    def show_region(self, zoom: float, centre: QPointF) -> None:
        """Show the same region as another pane."""
        self._following = True
        self.set_zoom(zoom)
        self.centerOn(centre)
        self._following = False

    def fit_alone(self) -> None:
        """Fit the image without moving the other panes."""
        self._following = True
        self.fit()
        self._following = False

    @Slot()
    def _on_moved(self) -> None:
        if not self._following and not self.image_rect.isEmpty():
            self.moved.emit(self.zoom, self.centre)

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        if not any(self._prompts):
            return
        painter.save()
        painter.resetTransform()

        def to_view(x: float, y: float) -> QPointF:
            return self.to_view(x * self._scale, y * self._scale)

        for prompts in self._prompts:
            paint_prompts(painter, prompts, None, to_view, 0.8)
        painter.restore()


class CaseViewer(QWidget):
    """Shows a row: four panes, a caption and problems.

    **Signals**

    - ``open_requested()``: open the case in the studio.
    - ``step_requested(step)``: show the next (1) or the previous (-1) row.

    **Threads**: the window's only.
    """

    open_requested = Signal()
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.case_view: CaseView | None = None
        self.panes = tuple(ImagePane() for _ in range(4))
        self.titles = tuple(QLabel() for _ in range(4))
        for pane in self.panes:
            pane.moved.connect(self._on_pane_moved)
        self.caption = QElidingLabel()
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        self._setup_layout()
        self.clear()

    def _setup_layout(self) -> None:
        names = (
            (self.tr("Photo"), self.tr("The photo and the prompts")),
            (self.tr("Prediction"), self.tr("The predicted matte")),
            (self.tr("Ground truth"), self.tr("The correct matte")),
            (
                self.tr("Difference"),
                self.tr(
                    "Red where the prediction is too opaque, blue where too transparent"
                ),
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
        layout.addLayout(self._make_bar())
        layout.addWidget(self.problem)
        layout.addLayout(grid, 1)

    def _make_bar(self) -> QHBoxLayout:
        first = self.panes[0]
        tools = (
            ("chevron-up", self.tr("Previous row"), "Alt+Up", partial(self._step, -1)),
            ("chevron-down", self.tr("Next row"), "Alt+Down", partial(self._step, 1)),
            ("magnify-minus-outline", self.tr("Zoom out"), "Ctrl+-", first.zoom_out),
            ("magnify-plus-outline", self.tr("Zoom in"), "Ctrl++", first.zoom_in),
            (
                "fit-to-page-outline",
                self.tr("Show the whole photo"),
                "Ctrl+0",
                self.fit,
            ),
            (
                "magnify-scan",
                self.tr("One screen pixel for each pixel of the photo"),
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
            self.tr("Open the photo with these prompts and this model"),
            keys="Ctrl+O",
            text=self.tr("Open in the studio"),
        )
        self.open_button.clicked.connect(self.open_requested)
        bar.addWidget(self.open_button)
        return bar

    def _step(self, step: int) -> None:
        self.step_requested.emit(step)

    # -- Contents ---------------------------------------------------------------------

    def clear(self) -> None:
        """Remove the images and the caption."""
        self.case_view = None
        for pane in self.panes:
            pane.show_levels((), stay=False)
            pane.show_prompts((), 1.0)
        self.caption.setText("")
        self.problem.hide()
        self.open_button.setEnabled(False)

    def show_loading(self, caption: str) -> None:
        """Show the caption of a row that is loading; the last images stay."""
        self.caption.setText(caption)

    def show_case(self, case_view: CaseView, problem: str = "") -> None:
        """Show a row; rows of the same case keep zoom and centre."""
        old, self.case_view = self.case_view, case_view
        row = case_view.query.row
        stay = old is not None and old.query.case == case_view.query.case
        levels = (
            case_view.image,
            case_view.prediction,
            case_view.truth,
            case_view.difference,
        )
        before = (
            (old.image, old.prediction, old.truth, old.difference) if old else ((),) * 4
        )
        for pane, new, last in zip(self.panes, levels, before, strict=True):
            if new is not last:
                pane.show_levels(new, stay=stay)
        self.panes[0].show_prompts(case_view.prompts, case_view.scale)
        parts = [row.case, row.system, prompt_text(row.prompt)]
        if case_view.prediction and not case_view.exact:
            parts.append(self.tr("thumbnail of the prediction"))
        self.caption.setText(" · ".join(parts))
        self.caption.setToolTip("\n".join(parts))
        self.caption.setAccessibleName(", ".join(parts))
        problems = [
            translate_message(text) for text in (*case_view.problems, problem) if text
        ]
        if case_view.query.case is None:
            problems.append(
                self.tr("Choose the folder of the data set to see its photos.")
            )
        self.problem.setText(insert_break_points("\n".join(problems)))
        self.problem.setVisible(bool(problems))
        self.open_button.setEnabled(case_view.query.case is not None)

    @Slot()
    def fit(self) -> None:
        """Fit the images into the panes."""
        for pane in self.panes:
            pane.fit_alone()

    @Slot(float, object)
    def _on_pane_moved(self, zoom: float, centre: QPointF) -> None:
        for pane in self.panes:
            if pane is not self.sender() and not pane.image_rect.isEmpty():
                pane.show_region(zoom, centre)
