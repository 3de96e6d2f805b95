"""The dialog that adapts a model to the user's corrections."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.adaptation import Adapted, Prepared, Trained, Validated
from zim_app.gui.adaptation.adaptation_form import AdaptationForm
from zim_app.gui.adaptation.learning_curve import LearningCurve
from zim_app.gui.adaptation.training_process import TrainingProcess
from zim_app.gui.language import format_number, translate_message
from zim_app.gui.models.model_row import error_colour
from zim_app.gui.settings import window_state
from zim_model.errors import ZimError

_PERMILLE = 1000
"""Steps of the progress bar."""
_SIZE, _SIZE_WITH_SHEET = QSize(620, 560), QSize(620, 820)
_SCROLL_BAR = 40
"""Width of a scroll bar and the margins, in pixels."""


class AdaptationDialog(QDialog):
    """Starts a training, shows its progress, and its result; not modal.

    Closing it leaves the training running, which the window's controller asks about.

    Args:
        process: trains; outlives the dialog.
        folder: of corrections, at first.

    Attributes:
        adapted: the result of the last training; None before there is one.

    **Signals**

    - ``use_requested(name)``: use the new model.
    - ``compare_requested(name)``: matte the active object with it, too.

    **Threads**: the window's only.
    """

    use_requested = Signal(str)
    compare_requested = Signal(str)

    def __init__(
        self, process: TrainingProcess, folder: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.process = process
        self.adapted: Adapted | None = None
        self._name, self._share = "", 0.0
        self._can_compare = False
        self.setWindowTitle(self.tr("Adapt model to my corrections"))
        self.form = AdaptationForm(folder)
        self.state = self._text()
        self.progress = QProgressBar()
        self.progress.setRange(0, _PERMILLE)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.curve = LearningCurve()
        self.faults = self._text()
        self.sheet = QLabel()
        self.sheet_area = self._sheet_area()
        self._setup_buttons()
        self._setup_layout()
        process.happened.connect(self._on_process_happened)
        process.adapted.connect(self._on_process_adapted)
        process.failed.connect(self._on_process_failed)
        process.discarded.connect(self._on_process_discarded)
        self.form.changed.connect(self._on_form_changed)
        self._on_form_changed()
        self.resize(window_state.first_size(self.screen(), _SIZE))

    def _text(self) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _sheet_area(self) -> QScrollArea:
        area = QScrollArea()
        area.setWidget(self.sheet)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setMinimumHeight(200)
        area.setAccessibleName(self.tr("Held-out photos before and after"))
        self.sheet.setAccessibleName(area.accessibleName())
        area.hide()
        return area

    def _setup_buttons(self) -> None:
        self.start_button = self._button(
            self.tr("&Start"), self.tr("Train a copy of the model"), self.start
        )
        self.stop_button = self._button(
            self.tr("S&top and keep"),
            self.tr("End the training; the best so far becomes the new model"),
            self._stop,
        )
        self.discard_button = self._button(
            self.tr("&Discard"),
            self.tr("End the training without a new model"),
            self._discard,
        )
        self.use_button = self._button(
            self.tr("&Use this model"),
            self.tr("Matte the active object with this model, and new photos too"),
            lambda: self.use_requested.emit(self._name),
        )
        self.compare_button = self._button(
            self.tr("C&ompare on this photo"),
            self.tr("Add a copy of the active object on top, matted by the new model"),
            lambda: self.compare_requested.emit(self._name),
        )
        self.close_button = self._button(
            self.tr("C&lose"), self.tr("Close; a training goes on (Esc)"), self.close
        )

    def _button(self, text: str, tip: str, handler: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.setToolTip(tip)
        button.clicked.connect(handler)
        return button

    def _setup_layout(self) -> None:
        note = self._text()
        note.setText(
            self.tr(
                "A copy of the model learns from photos that you have corrected. Some"
                " of them are held out to see whether it gets better at them. Nothing"
                " leaves this computer."
            )
        )
        buttons = QHBoxLayout()
        for button in (self.start_button, self.stop_button, self.discard_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (self.use_button, self.compare_button, self.close_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(note)
        layout.addWidget(self.form)
        layout.addWidget(self.state)
        layout.addWidget(self.progress)
        layout.addWidget(self.curve)
        layout.addWidget(self.faults)
        layout.addWidget(self.sheet_area, 1)
        layout.addStretch(0)
        layout.addLayout(buttons)

    def set_can_compare(self, can: bool) -> None:
        """Set whether there is an active object to compare on."""
        self._can_compare = can
        self._update()

    def _update(self) -> None:
        """Show and enable what fits the state."""
        running = self.process.running
        has_model = self.adapted is not None and bool(self.adapted.weights)
        self.form.setEnabled(not running)
        self.start_button.setVisible(not running)
        self.start_button.setEnabled(not self.form.problem)
        for button in (self.stop_button, self.discard_button):
            button.setVisible(running)
        for button in (self.use_button, self.compare_button):
            button.setVisible(has_model and not running)
        self.compare_button.setEnabled(self._can_compare)
        self.progress.setVisible(running)
        self.curve.setVisible(bool(self.curve.points))
        self.faults.setVisible(bool(self.faults.text()))

    @Slot()
    def _on_form_changed(self) -> None:
        """Show why the form cannot be used, in place of how the last training ended."""
        if not self.process.running and self.adapted is None:
            self._show_state(self.form.problem)
        self._update()

    def _show_state(self, text: str, *, is_error: bool = False) -> None:
        colour = f"color: {error_colour(self.palette())};" if is_error else ""
        self.state.setStyleSheet(colour)
        self.state.setText(text)

    # -- The training ---------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the training that the form describes."""
        order = self.form.order
        self._name, self._share, self.adapted = order.name, 0.0, None
        window_state.set_pair_folder(order.folder)
        self.curve.clear()
        self.faults.clear()
        self.sheet_area.hide()
        self.stop_button.setEnabled(True)
        self.progress.setRange(0, 0)  # until the first step
        self._show_state(self.tr("Reading the corrections…"))
        self.process.start(order)
        self._update()

    def _stop(self) -> None:
        self.stop_button.setEnabled(False)
        self._show_state(self.tr("Ending the training…"))
        self.process.stop()

    def _discard(self) -> None:
        self.process.discard()

    @Slot(object)
    def _on_process_happened(self, event: Prepared | Trained | Validated) -> None:
        if isinstance(event, Prepared):
            text = self.tr("Left out:\n{}").format(
                "\n".join(translate_message(fault) for fault in event.faults)
            )
            self.faults.setText(text if event.faults else "")
            text = self.tr("Learning from {} photos, {} more are held out…")
            self._show_state(text.format(event.images, event.held_out))
        elif isinstance(event, Trained):
            self._show_step(event)
        else:
            self.curve.add(self._share, event.iou)
        self._update()

    def _show_step(self, event: Trained) -> None:
        self._share = event.share
        self.progress.setRange(0, _PERMILLE)
        self.progress.setValue(round(event.share * _PERMILLE))
        if event.share >= 1:
            self._show_state(self.tr("Choosing the best weights…"))
        elif self.stop_button.isEnabled():
            text = self.tr("Step {}, {} % of the time, loss {}")
            percent, loss = round(100 * event.share), format_number(event.loss, 3)
            self._show_state(text.format(event.step, percent, loss))

    @Slot(object)
    def _on_process_adapted(self, event: Adapted) -> None:
        self.adapted = event
        self._show_state(self._result_text(event))
        if event.sheet:
            self._show_sheet(QPixmap(event.sheet))
        if event.weights:
            self.form.refresh()
        self._update()

    def _show_sheet(self, pixels: QPixmap) -> None:
        """Show the sheet at the dialog's width; the dialog grows for it."""
        width = min(pixels.width(), self.width() - _SCROLL_BAR)
        smooth = Qt.TransformationMode.SmoothTransformation
        shown = pixels.scaledToWidth(width, smooth)
        self.sheet.setPixmap(shown)
        self.sheet.resize(shown.size())
        self.sheet_area.setVisible(not shown.isNull())
        larger = window_state.first_size(self.screen(), _SIZE_WITH_SHEET)
        self.resize(self.size().expandedTo(larger))

    def _result_text(self, event: Adapted) -> str:
        if not event.weights:
            return self.tr(
                "The held-out photos are not matted better by more than chance, so no"
                " model was made. Correct more photos, or give it more time."
            )
        text = self.tr(
            "{} is among the models. On the held-out photos the IoU is {} (before: {})"
            " from a box, {} ({}) from one click and {} ({}) from three. Below: photo,"
            " before, after, and your correction."
        )
        values = [
            format_number(scores.get(name, 0.0), 3)
            for name in ("iou_box", "iou_1", "iou_3")
            for scores in (event.after, event.before)
        ]
        return text.format(self._name, *values)

    @Slot(object)
    def _on_process_failed(self, error: ZimError) -> None:
        lines = translate_message(error.message), translate_message(error.hint)
        self._update()
        self._show_state("\n".join(filter(None, lines)), is_error=True)

    @Slot()
    def _on_process_discarded(self) -> None:
        self.curve.clear()
        self._update()
        self._show_state(self.tr("Discarded; no model was made."))
