"""Shows two candidates of the active object's matte over one another."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from zim_app.core.packed_mattes import unpacked
from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.onion_skin import Comparison
from zim_app.gui.document import Document
from zim_app.gui.panels.comparison import ComparisonRow
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.errors import ZimError
from zim_model.request import Matte, Request

ATTEMPTS = 5
"""How often a matte is requested whose request other previews replaced."""


class CandidateComparison(QObject):
    """Requests the other candidate's matte, and shows it with the chosen one's.

    **Threads**: the window's only.
    """

    def __init__(
        self,
        row: ComparisonRow,
        queue: InferenceQueue,
        canvas: Canvas,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._row, self._queue, self._canvas = row, queue, canvas
        self._document: Document | None = None
        self._request: Request | None = None  # of the other candidate
        self._other: Matte | None = None
        self._attempts = 0
        row.changed.connect(self._update)
        queue.previewed.connect(self._on_queue_previewed)
        queue.activity_changed.connect(self._on_queue_activity_changed)

    def set_document(self, document: Document) -> None:
        """Compare candidates of another document."""
        if self._document is not None:
            self._document.changed.disconnect(self._update)
        self._document = document
        document.changed.connect(self._update)
        self._update()

    @Slot()
    def _update(self) -> None:
        """Show what is to be compared now, or request what it lacks."""
        request = self._wanted()
        if request is None:
            self._request = self._other = None
        elif self._request is None or request.key != self._request.key:
            self._request, self._other, self._attempts = request, None, ATTEMPTS
            self._ask()
        self._show()

    def _wanted(self) -> Request | None:
        """The request of the other candidate; None if nothing is to be compared."""
        document, other = self._document, self._row.other
        if document is None or other is None or not self._row.on:
            return None
        state = document.state
        if not state.has_current_matte or not state.is_shown(state.active):
            return None
        request = document.request(state.recipe.with_candidate(other))
        try:
            request.recipe.validate(*request.image.shape[:2])
        except ZimError:
            return None
        return request

    def _ask(self) -> None:
        if self._request is not None and self._other is None and self._attempts:
            self._attempts -= 1
            self._queue.preview(self._request)

    @Slot(str)
    def _on_queue_activity_changed(self, activity: str) -> None:
        if not activity:  # other previews may have replaced it
            self._ask()

    @Slot(object, object)
    def _on_queue_previewed(self, request: Request, matte: Matte) -> None:
        if self._request is not None and request.key == self._request.key:
            self._other = matte
            self._show()

    def _show(self) -> None:
        chosen = self._document.state.matte if self._document is not None else None
        comparison = None
        if self._request is not None and self._other is not None and chosen is not None:
            comparison = Comparison(unpacked(chosen), self._other, self._row.blend)
        self._canvas.show_comparison(comparison)
