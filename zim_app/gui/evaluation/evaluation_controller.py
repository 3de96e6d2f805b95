"""Controller of the evaluation window: opens it, and opens its cases in the studio."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from zim_app.gui.desktop import bring_to_front
from zim_app.gui.document import Document
from zim_app.gui.studio import Studio
from zim_model.recipe import Recipe

if TYPE_CHECKING:
    from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
    from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker


class EvaluationController(QObject):
    """Shows the evaluation window, and opens its cases in the studio.

    Args:
        studio: the window.

    **Threads**: the window's only; :class:`EvaluationWorker` does the runs.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self.window: EvaluationWindow | None = None
        self.worker: EvaluationWorker | None = None
        self.handlers = {"evaluate": self.show_window}

    @property
    def idle(self) -> bool:
        """Whether no task of the evaluation is under way."""
        return self.worker is None or self.worker.idle

    @Slot()
    def show_window(self) -> None:
        """Open the evaluation window, or bring it to the front."""
        if self.window is None:
            # Imported here: the runner's modules would delay the first paint.
            from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
            from zim_app.gui.evaluation.evaluation_worker import EvaluationWorker

            self.worker = self.worker or EvaluationWorker(parent=self)
            queue = self._studio.queue
            self.window = EvaluationWindow(self.worker, lambda: queue.devices)
            self.window.setWindowIcon(self._studio.widget.windowIcon())
            self.window.open_requested.connect(self.open_case)
        bring_to_front(self.window)

    def close(self) -> None:
        """Close the evaluation window and wait for its threads."""
        if self.window is not None:
            self.window.close()
        if self.worker is not None:
            self.worker.close()

    @Slot(object, object, str)
    def open_case(self, path: Path, recipe: Recipe, name: str) -> None:
        """Open an image, and add an object with that recipe.

        The open document is autosaved as when any other image is opened, and adding
        the object is one undo step.
        """
        add = partial(self._add, recipe, name)
        document, path = self._studio.document, path.absolute()
        if document is not None and document.image.path == path:
            add(document)  # opening it again would lose the undo history
        else:
            self._studio.open_path(path, on_done=add)
        self._studio.widget.raise_()
        self._studio.widget.activateWindow()

    def _add(self, recipe: Recipe, name: str, document: Document) -> None:
        objects = document.state.objects
        for index, scene_object in enumerate(objects):
            if scene_object.recipe == recipe:
                document.select(index)
                return
        new = document.new_object(recipe, name)
        old = tuple(o for o in objects if o.name or o.recipe.has_prompts)
        document.edit_objects(self.tr("Open evaluated case"), (new, *old), 0)
