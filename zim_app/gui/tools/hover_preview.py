"""Previews: mattes of other recipes, without changing the document."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Signal, Slot

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.errors import ZimError
from zim_model.finish import Finish
from zim_model.prompts import Point
from zim_model.recipe import Options, Recipe
from zim_model.request import Matte, Request


class HoverPreview(QObject):
    """Requests previews and shows those that are not stale.

    There are two kinds: of another recipe of the active object, while a slider moves;
    and, translucent over all mattes, of a click at the pointer (hovering).

    **Signals**: ``hovering_changed(on)``: whether clicks are previewed.

    **Threads**: the window's only.
    """

    hovering_changed = Signal(bool)

    def __init__(
        self, queue: InferenceQueue, canvas: Canvas, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.hovering = False
        self._queue, self._canvas = queue, canvas
        self._document: Document | None = None
        self._recipe: Recipe | None = None
        queue.previewed.connect(self._on_queue_previewed)
        canvas.pointer_moved.connect(self._on_canvas_pointer_moved)

    def set_document(self, document: Document) -> None:
        """Preview another document."""
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = document
        self._clear()
        document.changed.connect(self._on_document_changed)

    # -- Another recipe ------------------------------------------------------------

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Preview a recipe in place of the active object's matte; None ends it.

        If the recipe becomes the document's, the preview lasts until that is solved.
        """
        document = self._document
        if document is None or recipe is None or recipe == document.state.recipe:
            self._clear()
            return
        self._recipe = recipe
        self._request(replace(document.request(recipe), draft=True))

    def _clear(self) -> None:
        self._recipe = None
        self._queue.preview(None)
        self._canvas.show_preview(None)
        self._canvas.show_hover_matte(None)

    # -- A click -------------------------------------------------------------------

    def set_hovering(self, on: bool) -> None:
        """Turn on or off the preview of a click at the pointer."""
        if on == self.hovering:
            return
        self.hovering = on
        self.hovering_changed.emit(on)
        if on:
            self._hover(self._canvas.pointer_position)
        else:
            self._clear()

    @Slot(object)
    def _on_canvas_pointer_moved(self, position: QPointF | None) -> None:
        if self.hovering:
            self._hover(position)

    def _hover(self, position: QPointF | None) -> None:
        document = self._document
        if document is None or position is None or not self._canvas.click_adds_point:
            self._canvas.show_hover_matte(None)
            self._queue.preview(None)
        elif self._recipe is None:
            recipe = document.state.recipe.with_point(Point(position.x(), position.y()))
            # What a click would select, without its finish: it follows the pointer.
            options = Options(recipe.options.candidate, "bilinear")
            recipe = replace(recipe, options=options, finish=Finish())
            self._request(replace(document.request(recipe), cacheable=False))

    def _request(self, request: Request) -> None:
        prompts = request.recipe.prompts
        try:
            prompts.validate(*request.image.shape[:2])
        except ZimError:  # invalid prompts, or strokes alone
            if prompts:
                return
        self._queue.preview(request)

    # -- Results -------------------------------------------------------------------

    @Slot(object, object)
    def _on_queue_previewed(self, request: Request, matte: Matte) -> None:
        document = self._document
        if document is None:
            return
        if self._recipe is not None:
            if document.request(self._recipe).key == request.key:
                self._canvas.show_preview(matte)
        elif self.hovering and self._adds_one_point(request, document.state):
            self._canvas.show_hover_matte(matte)

    def _adds_one_point(self, request: Request, state: DocumentState) -> bool:
        """Whether a preview is of the current prompts plus one point."""
        assert self._document is not None
        prompts = request.recipe.prompts
        before = replace(prompts, points=prompts.points[:-1])
        same = request.image_key == self._document.image.key
        return same and before == state.recipe.prompts

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        other = new.recipe != old.recipe or new.object.id != old.object.id
        if other:
            self._canvas.show_hover_matte(None)
        if self._recipe is None:
            return
        if new.recipe == self._recipe and new.object.id == old.object.id:
            if not new.is_pending:
                self._clear()
        elif other:
            self._clear()
