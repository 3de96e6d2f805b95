"""Selects the main object of an image, without any prompt of the user."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from zim_app.gui.document import Document
from zim_app.gui.settings import preferences
from zim_app.gui.settings.refinement import new_recipe, refine
from zim_app.gui.studio import Studio
from zim_model.errors import Cancelled
from zim_model.recipe import Recipe

if TYPE_CHECKING:
    from zim_model.inference.subject import SubjectSelector
    from zim_model.request import Request


class SubjectController(QObject):
    """Adds the main object of the open image to its objects.

    Args:
        studio: the window.

    **Threads**: the window's; networks run on that of :class:`FileWorker`, and models
    on the engine's.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self._selector: SubjectSelector | None = None
        self._searched: Document | None = None

    @Slot()
    def select(self) -> None:
        """Select the main object; it fills an empty active object, else a new one."""
        document = self._studio.document
        if document is None or document is self._searched:
            return
        self._searched = document
        model = document.state.recipe.model
        request = document.request(Recipe(model=model))
        network = str(preferences.value("subject"))
        work = partial(self._find, document, request, network)
        on_done = partial(self._on_found, document)
        on_failed = partial(self._on_failed, document)
        self._studio.file_worker.submit(
            "select_subject", work, self, on_done, on_failed
        )

    def _find(self, document: Document, request: Request, network: str) -> Recipe:
        """Runs on the worker thread."""
        from zim_model.inference.subject import SubjectSelector

        if self._selector is None:
            self._selector = SubjectSelector(self._studio.queue.shared_engine)

        def superseded() -> bool:
            return self._studio.document is not document

        return self._selector.select(request, network, superseded)

    def _on_found(self, document: Document, recipe: Recipe) -> None:
        self._end(document)
        if document is not self._studio.document:
            return
        state, text = document.state, self.tr("Select subject")
        recipe = refine(recipe, new_recipe(recipe.model))
        if not state.recipe.has_prompts:
            document.edit(text, recipe)
            return
        added = document.new_object(recipe, self.tr("Subject"))
        document.edit_objects(text, (added, *state.objects), 0)

    def _on_failed(self, document: Document, error: Exception) -> None:
        self._end(document)
        if not isinstance(error, Cancelled):
            self._studio.report(error)

    def _end(self, document: Document) -> None:
        """Allow another search of a document, unless a later one is searched now."""
        if self._searched is document:
            self._searched = None
