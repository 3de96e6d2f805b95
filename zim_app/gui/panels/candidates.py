"""The strip of a matte's candidates, to choose another one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.packed_mattes import AnyMatte
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.language import format_number
from zim_app.gui.panels.comparison import ComparisonRow
from zim_model.arrays import ByteArray

COUNT = 4
THUMBNAIL = QSize(56, 56)


class CandidateStrip(QDockWidget):
    """The candidates of the active object's matte, with their predicted scores.

    Attributes:
        comparison: the row that compares the chosen one with another.

    **Signals**: ``preview_requested(recipe)``: preview this :class:`Recipe`; None ends
    the preview.

    **Threads**: the window's only.
    """

    preview_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Candidates"))
        self.setObjectName("candidates")
        self.document: Document | None = None
        self._shown: AnyMatte | None = None
        self.buttons = tuple(self._button(index) for index in range(COUNT))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setSpacing(2)
        column.setContentsMargins(4, 4, 4, 4)
        row = QHBoxLayout()
        row.setSpacing(2)
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch()
        column.addLayout(row)
        self.comparison = ComparisonRow()
        column.addWidget(self.comparison)
        self.setWidget(content)
        self._show(None)
        content.setMaximumHeight(content.sizeHint().height())

    def _button(self, index: int) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setIconSize(THUMBNAIL)
        line = button.fontMetrics().height()
        button.setFixedSize(THUMBNAIL.width() + 6, THUMBNAIL.height() + line + 10)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.clicked.connect(partial(self.choose, index))
        button.installEventFilter(self)
        return button

    def set_document(self, document: Document) -> None:
        """Show another document's candidates from now on."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        document.changed.connect(self._on_document_changed)
        self._show(document.state.matte)

    def choose(self, index: int) -> None:
        """Use that candidate, as one undo step."""
        document = self.document
        if document is None or not self.has(index):
            return
        recipe = document.state.recipe
        if (recipe.options.candidate or 0) != index:
            self.preview_requested.emit(recipe.with_candidate(index))
            document.edit(self.tr("Choose candidate"), recipe.with_candidate(index))
        self._check_chosen(document.state)

    def has(self, index: int) -> bool:
        """Whether the matte has a candidate with that index."""
        return self._shown is not None and index < len(self._shown.candidates)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.matte is not self._shown:
            self._show(new.matte)
        self._check_chosen(new)

    def _show(self, matte: AnyMatte | None) -> None:
        self._shown = matte
        for index, button in enumerate(self.buttons):
            button.setEnabled(self.has(index))
            if matte is None or not self.has(index):
                button.setIcon(QIcon())
                button.setText(str(index + 1))
                tip = self.tr("Candidate {}").format(index + 1)
            else:
                score = format_number(float(matte.scores[index]), 2)
                button.setIcon(QIcon(_thumbnail(matte.candidates[index])))
                button.setText(self.tr("{} · {}").format(index + 1, score))
                tip = self.tr("Candidate {}, predicted quality {}; key {}")
                tip = tip.format(index + 1, score, index + 1)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
        if self.document is not None:
            self._check_chosen(self.document.state)

    def _check_chosen(self, state: DocumentState) -> None:
        current = state.recipe.options.candidate or 0
        for index, button in enumerate(self.buttons):
            button.setChecked(self.has(index) and index == current)
        count = len(self._shown.candidates) if self._shown is not None else 0
        self.comparison.show_candidates(count, current)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched in self.buttons and self.document is not None:
            index = self.buttons.index(watched)
            if event.type() == QEvent.Type.Enter and self.has(index):
                recipe = self.document.state.recipe
                if (recipe.options.candidate or 0) != index:
                    self.preview_requested.emit(recipe.with_candidate(index))
            elif (
                event.type() == QEvent.Type.Leave and not self.document.state.is_pending
            ):
                self.preview_requested.emit(None)
        return super().eventFilter(watched, event)


def _thumbnail(alpha: ByteArray) -> QPixmap:
    """A matte as a grey pixmap, scaled to fit the button."""
    height, width = alpha.shape
    image = QImage(alpha.data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image).scaled(
        THUMBNAIL,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
