"""Controller of adaptations: opens the dialog, uses results, asks before quitting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from zim_app.core.adaptation import Adapted, Trained
from zim_app.gui.adaptation.training_process import TrainingProcess
from zim_app.gui.desktop import announce, bring_to_front
from zim_app.gui.files import dialogs
from zim_app.gui.models.model_controller import ModelController
from zim_app.gui.notices import JobProgress
from zim_app.gui.settings import window_state
from zim_app.gui.studio import Studio
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.gui.adaptation.adaptation_dialog import AdaptationDialog


class AdaptationController(QObject):
    """Opens the dialog of adaptations, and shows their progress in the window.

    Args:
        studio: the window.
        models: uses new models, and lists them.

    **Threads**: the window's only; :class:`TrainingProcess` trains.
    """

    def __init__(self, studio: Studio, models: ModelController) -> None:
        super().__init__(studio.widget)
        self._studio, self._models = studio, models
        self.dialog: AdaptationDialog | None = None
        self.process = TrainingProcess(self)
        self.progress = JobProgress(
            self.tr("Progress of the training"),
            self.tr("Stop the training; the best so far is kept"),
        )
        studio.status.addPermanentWidget(self.progress)
        self.process.happened.connect(self._on_process_happened)
        self.process.adapted.connect(self._on_process_adapted)
        self.process.failed.connect(self._on_process_failed)
        self.process.discarded.connect(self.progress.stop)
        self.progress.cancelled.connect(self.process.stop)

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the actions, by id."""
        return {"adapt_model": self.show}

    @property
    def idle(self) -> bool:
        """Whether no model is being trained."""
        return not self.process.running

    @Slot()
    def show(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self.dialog is None:
            # Imported here: it would delay the first paint.
            from zim_app.gui.adaptation.adaptation_dialog import AdaptationDialog

            folder = window_state.pair_folder() or dialogs.pictures_folder()
            self.dialog = AdaptationDialog(self.process, folder, self._studio.widget)
            self.dialog.use_requested.connect(self._models.choose_model)
            self.dialog.compare_requested.connect(self.compare)
        if not self.process.running:  # models may have been installed since then
            self.dialog.form.refresh()
        self.dialog.set_can_compare(self._can_compare())
        bring_to_front(self.dialog)

    @Slot(str)
    def compare(self, model: str) -> None:
        """Add a copy of the active object that a model mattes; one undo step."""
        document = self._studio.document
        if document is None or not self._can_compare():
            return
        objects = document.state.objects
        active = objects[document.state.active]
        recipe = replace(active.recipe, model=model)
        new = document.new_object(recipe, model)
        document.edit_objects(
            self.tr("Compare with {}").format(model), (new, *objects), 0
        )

    def _can_compare(self) -> bool:
        document = self._studio.document
        if document is None:
            return False
        state = document.state
        return state.objects[state.active].recipe.has_prompts

    # -- The training ---------------------------------------------------------------

    @Slot(object)
    def _on_process_happened(self, event: object) -> None:
        if isinstance(event, Trained):
            if event.step == 1:
                self.progress.start()
            self.progress.progressed.emit(event.share)

    @Slot(object)
    def _on_process_adapted(self, event: Adapted) -> None:
        if event.weights:
            self._models.refresh()
            self._tell(self.tr("The model was adapted to your corrections."))
        else:
            self._tell(self.tr("The training has ended without a better model."))

    @Slot(object)
    def _on_process_failed(self, error: ZimError) -> None:
        self._tell(self.tr("The model could not be adapted."))

    def _tell(self, text: str) -> None:
        """Tell the end where the dialog does not show it."""
        self.progress.stop()
        announce(self._studio.widget, "zim-studio", text)
        if self.dialog is None or not self.dialog.isVisible():
            self._studio.banner.show_info(text, self.tr("Show"), self.show)

    # -- Leaving ---------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the window may close now; if not, asks the user."""
        if self.process.running:
            self._confirm_end()
        return not self.process.running

    def _confirm_end(self) -> None:
        box, leave = dialogs.quit_box(
            self._studio.widget,
            self.tr("A model is being trained"),
            self.tr("Discard the training and quit?"),
            self.tr("To keep what was learned, choose Stop and keep in its window."),
            self.tr("Discard and quit"),
        )
        leave.clicked.connect(self._discard_and_quit)
        box.open()

    @Slot()
    def _discard_and_quit(self) -> None:
        self.process.close()
        self._studio.widget.close()

    def close(self) -> None:
        """Close the dialog and end the process."""
        if self.dialog is not None:
            self.dialog.close()
        self.process.close()
