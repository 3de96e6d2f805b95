"""Imports masks, refines objects, and saves training pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox

from zim_app.core.scene import exported_indexes
from zim_app.gui.document import Document
from zim_app.gui.files import dialogs
from zim_app.gui.files.mask_objects import add_masks
from zim_app.gui.files.mime_data import local_paths
from zim_app.gui.settings import window_state
from zim_app.gui.studio import Studio
from zim_model.arrays import WordArray
from zim_model.errors import ImageError, msg
from zim_model.finish import Finish
from zim_model.imported_mask import THRESHOLD_LEVEL, ImportedMask
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe

if TYPE_CHECKING:
    from zim_app.core.images import Image

Result = TypeVar("Result")


class MaskController(QObject):
    """Imports masks as objects, refines objects, and saves training pairs.

    Args:
        studio: the window.

    **Threads**: the window's; files are read and written on the thread of
    :class:`FileWorker`, and the converter runs on the engine's.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the actions, by action id."""
        return {
            "import_mask": self.choose_masks,
            "object_refine": self.refine,
            "training_pair": self.choose_folder,
        }

    # -- Import ----------------------------------------------------------------------

    @Slot()
    def choose_masks(self) -> None:
        """Show a dialog to choose masks of the open image."""
        document = self._studio.document
        if document is not None:
            from zim_app.gui.files.mask_dialogs import masks_dialog

            dialog = masks_dialog(self._studio.widget, dialogs.start_folder(document))
            dialog.filesSelected.connect(self._on_files_chosen)
            dialogs.close_with(document, dialog)
            dialog.open()

    @Slot(list)
    def _on_files_chosen(self, names: list[str]) -> None:
        self.show_import_dialog(tuple(map(Path, names)))

    def take_drop(self, event: QDropEvent) -> bool:
        """Import files that are dropped with Shift as masks of the open image.

        Returns:
            Whether the drop was used.
        """
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        paths = tuple(local_paths(event.mimeData()))
        if not shift or not paths or self._studio.document is None:
            return False
        # With Shift, file managers propose a move, which would delete the files.
        event.setDropAction(Qt.DropAction.CopyAction)
        if event.dropAction() != Qt.DropAction.CopyAction:  # a copy is not offered
            event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        self.show_import_dialog(paths)
        return True

    def show_import_dialog(self, paths: tuple[Path, ...]) -> None:
        """Show the import dialog for masks of the open image."""
        document = self._studio.document
        if paths and document is not None:
            from zim_app.gui.files.mask_dialogs import MaskDialog

            refine = window_state.refine_masks()
            dialog = MaskDialog(paths, self._studio.widget, refine=refine)
            dialog.import_requested.connect(self._on_import_requested)
            dialogs.close_with(document, dialog)
            dialog.open()

    @Slot(object, bool)
    def _on_import_requested(self, paths: tuple[Path, ...], refine: bool) -> None:
        document = self._studio.document
        if document is not None:
            window_state.set_refine_masks(refine)
            work = partial(_read_masks, paths, document.image, refine)
            self._submit("import_mask", work, partial(self._on_masks_read, document))

    def _submit(
        self, kind: str, work: Callable[[], Result], on_done: Callable[[Result], object]
    ) -> None:
        report = self._studio.report
        self._studio.file_worker.submit(kind, work, self, on_done, report)

    def _on_masks_read(
        self, document: Document, masks: list[tuple[str, ImportedMask]]
    ) -> None:
        if document is not self._studio.document:
            return
        texts = self.tr("Import mask"), self.tr("Import {} masks")
        add_masks(document, masks, texts[len(masks) > 1].format(len(masks)))

    # -- Refine ----------------------------------------------------------------------

    @Slot()
    def refine(self) -> None:
        """Binarise the active object's matte and refine it with the label converter.

        It asks before clicks are replaced.
        """
        document = self._studio.document
        if document is None or not document.state.has_current_matte:
            return
        if not document.state.recipe.prompts:
            self._refine(document)
            return
        box = dialogs.question_box(
            self._studio.widget,
            self.tr("Refine with the converter"),
            self.tr("Replace the object's points, lines and box by its outline?"),
            self.tr("Undo brings them back."),
        )
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Yes | buttons.Cancel)
        box.setDefaultButton(buttons.Yes)
        box.accepted.connect(partial(self._refine, document))
        box.open()

    def _refine(self, document: Document) -> None:
        state = document.state
        if document is not self._studio.document or state.matte is None:
            return
        on_done = partial(self._on_binarised, document, state.object.id, state.recipe)
        self._submit("refine_mask", partial(_binarise, state.matte.alpha), on_done)

    def _on_binarised(
        self, document: Document, id_: int, recipe: Recipe, mask: ImportedMask
    ) -> None:
        if document is not self._studio.document:
            return
        state = document.state
        index = state.find(id_)
        if index is None or state.objects[index].recipe != recipe:
            self._studio.banner.show_info(
                self.tr("The object was changed meanwhile, so it was not refined.")
            )
            return
        # The mask contains the effect of prompts and finish, except of what concerns
        # the soft edge that it gets now.
        old = recipe.finish
        finish = Finish(decontaminate=old.decontaminate, clean_edge=old.clean_edge)
        new = replace(
            recipe,
            prompts=PromptSet(),
            more_prompt_sets=(),
            finish=finish,
            masks=(mask,),
        )
        text = self.tr("Refine with the converter")
        document.edit_object(text, index, recipe=new)

    # -- Training pairs --------------------------------------------------------------

    @Slot()
    def choose_folder(self) -> None:
        """Show a dialog to save training pairs."""
        document = self._studio.document
        if document is None or not document.state.has_current_matte:
            return
        from zim_app.gui.files.mask_dialogs import PairDialog

        folder = window_state.pair_folder() or dialogs.start_folder(document) / "train"
        several = len(_mattes(document, "each")) > 1
        dialog = PairDialog(folder, self._studio.widget, several=several)
        dialog.save_requested.connect(self._on_save_requested)
        dialogs.close_with(document, dialog)
        dialog.open()

    @Slot(object, bool)
    def _on_save_requested(self, folder: Path, all_: bool) -> None:
        document = self._studio.document
        if document is not None:
            window_state.set_pair_folder(folder)
            mattes = _mattes(document, "each" if all_ else "active")
            work = partial(_write_pairs, document.image, mattes, folder)
            self._submit("training_pair", work, self._on_pairs_saved)

    def _on_pairs_saved(self, paths: list[Path]) -> None:
        if len(paths) == 1:
            text = self.tr("Saved the training pair {}").format(paths[0])
        else:
            text = self.tr("Saved {} training pairs in {}")
            text = text.format(len(paths), paths[0].parent)
        self._studio.status.show_saved(text, paths[0].parent)


def _mattes(document: Document, scope: str) -> list[WordArray]:
    """Alphas of the solved objects in a scope, "active" or "each"."""
    state = document.state
    return [
        matte.alpha
        for index in exported_indexes(state.objects, state.active, scope)
        if (matte := state.mattes[index]) is not None
        and state.objects[index].id not in state.unsolved
    ]


# -- On the worker thread --------------------------------------------------


def _read_masks(
    paths: tuple[Path, ...], image: Image, refine: bool
) -> list[tuple[str, ImportedMask]]:
    """Read all masks; an error in one raises for all."""
    from zim_app.core.masks import THRESHOLD, load_mask

    lowest = THRESHOLD if refine else 1
    return [
        (
            path.stem,
            ImportedMask.from_level(
                load_mask(path, image, lowest).level, refine=refine
            ),
        )
        for path in paths
    ]


def _binarise(alpha: WordArray) -> ImportedMask:
    level = np.where((alpha >> 8) >= THRESHOLD_LEVEL, np.uint8(255), np.uint8(0))
    if not level.any():
        raise ImageError(
            msg("The matte is too faint to be refined: nothing of it is half opaque."),
            msg("Add to it first."),
        )
    return ImportedMask.from_level(level)


def _write_pairs(image: Image, mattes: list[WordArray], folder: Path) -> list[Path]:
    from zim_app.core.training_pairs import save_pairs

    return save_pairs(image, mattes, folder)
