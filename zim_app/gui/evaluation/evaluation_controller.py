"""The studio's side of the evaluation: opens its window, and its cases here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from zim_app.gui.document import Document
from zim_model.recipe import Recipe

if TYPE_CHECKING:
    from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
    from zim_app.gui.evaluation.evaluation_worker import EvaluationWork
    from zim_app.gui.main_window import MainWindow


class EvaluationControl(QObject):
    """Shows the evaluation's window, and opens its cases in the studio.

    Args:
        window: the studio.

    **Threads**: the window's only; runs are :class:`EvaluationWork`'s.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.window: EvaluationWindow | None = None
        self.work: EvaluationWork | None = None
        self.handlers = {"evaluate": self.show_window}

    @property
    def idle(self) -> bool:
        """Whether nothing of the evaluation is under way."""
        return self.work is None or self.work.idle

    @Slot()
    def show_window(self) -> None:
        """Open the evaluation's window, or bring it to the front."""
        if self.window is None:
            # Imported here: the runner's modules would delay the first paint.
            from zim_app.gui.evaluation.evaluation_window import EvaluationWindow
            from zim_app.gui.evaluation.evaluation_worker import EvaluationWork

            self.work = self.work or EvaluationWork(parent=self)
            queue = self._window.queue
            self.window = EvaluationWindow(self.work, lambda: queue.devices)
            self.window.setWindowIcon(self._window.windowIcon())
            self.window.case_requested.connect(self.open_case)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def close(self) -> None:
        """Close its window, and return when its threads have ended."""
        if self.window is not None:
            self.window.close()
        if self.work is not None:
            self.work.close()

    @Slot(object, object, str)
    def open_case(self, path: Path, recipe: Recipe, name: str) -> None:
        """Open a picture, and add an object of that recipe to those it has.

        Nothing is lost: what was open is kept as when any other picture is opened, and
        the object is one undo step.
        """
        add = partial(self._add, recipe, name)
        document, path = self._window.document, path.absolute()
        if document is not None and document.picture.path == path:
            add(document)  # with its history, which opening it again would end
        else:
            self._window.flow.open_path(path, add)
        self._window.raise_()
        self._window.activateWindow()

    def _add(self, recipe: Recipe, name: str, document: Document) -> None:
        objects = document.state.objects
        for index, entry in enumerate(objects):
            if entry.recipe == recipe:
                document.select(index)
                return
        new = document.new_object(recipe, name)
        old = tuple(o for o in objects if o.name or o.recipe.asks)
        document.edit_objects(self.tr("Open evaluated case"), (new, *old), 0)
