"""Removes objects from the open photo, and saves the result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QFileDialog
from shiboken6 import isValid

from zim_app.gui.document import Document
from zim_app.gui.files import dialogs
from zim_app.gui.studio import Studio
from zim_model.arrays import WordArray
from zim_model.weights.inpainting import inpainting_networks

if TYPE_CHECKING:
    from zim_app.core.erasing import CleanPlate
    from zim_app.core.formats import FileFormat
    from zim_app.core.images import Image
    from zim_app.gui.erasing.erase_dialog import EraseDialog


class EraseController(QObject):
    """Shows the dialog that removes the active object, and saves what it makes.

    Args:
        studio: the window.

    **Threads**: the window's; files are written on that of :class:`FileWorker`.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the actions, by action id."""
        return {"erase": self.show_dialog}

    @Slot()
    def show_dialog(self) -> None:
        """Show the dialog for the active object."""
        document = self._studio.document
        matte = document.state.matte if document is not None else None
        if document is None or matte is None or not document.state.has_current_matte:
            return
        from zim_app.gui.erasing.erase_dialog import EraseDialog

        others = [
            other.alpha
            for other in document.state.mattes
            if other is not None and other is not matte
        ]
        names = [network.name for network in inpainting_networks()]
        dialog = EraseDialog(
            *(self._studio.file_worker, document.image, matte.alpha, others, names),
            self._studio.widget,
        )
        choose = partial(self._choose_file, dialog, document, matte.alpha)
        dialog.plate_requested.connect(partial(choose, False))
        dialog.layers_requested.connect(partial(choose, True))
        dialog.open()

    def _choose_file(
        self,
        dialog: EraseDialog,
        document: Document,
        alpha: WordArray,
        layered: bool,
        plate: CleanPlate,
    ) -> None:
        """Ask for the file; the file dialog asks before one is replaced."""
        from zim_app.core.formats import FORMATS
        from zim_app.core.naming import free_path

        formats = [each for each in FORMATS if each.layered == layered]
        title = self.tr("Save layers") if layered else self.tr("Save photo")
        chooser = QFileDialog(dialog, title)
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setNameFilters([_filter(each) for each in formats])
        suffix = formats[0].suffixes[0]
        chooser.setDefaultSuffix(suffix.removeprefix("."))
        folder = dialogs.start_folder(document)
        name = f"{Path(document.image.name).stem}-erased{suffix}"
        chooser.setDirectory(str(folder))
        chooser.selectFile(free_path(folder / name).name)
        chooser.fileSelected.connect(
            partial(self.save, dialog, plate, document.image, alpha)
        )
        chooser.open()

    def save(
        self,
        dialog: EraseDialog,
        plate: CleanPlate,
        image: Image,
        alpha: WordArray,
        name: str,
    ) -> None:
        """Write a clean plate in the background; the dialog is closed when it is done.

        Args:
            dialog: it may be closed meanwhile.
            plate: what is written.
            image: the photo with the object.
            alpha: (H, W) uint16, the object's matte.
            name: of the file; its suffix chooses the format.
        """
        from zim_app.core.erasing import save_plate

        work = partial(save_plate, plate, image, alpha, Path(name))
        self._studio.file_worker.submit(
            *("export", work, self),
            partial(self._on_saved, dialog),
            self._studio.report,
        )

    def _on_saved(self, dialog: EraseDialog, path: Path) -> None:
        if isValid(dialog):
            dialog.accept()
        self._studio.status.show_saved(self.tr("Saved {}").format(path), path.parent)


def _filter(file_format: FileFormat) -> str:
    """A line of the file dialog's list of formats."""
    suffixes = " ".join(f"*{suffix}" for suffix in file_format.suffixes)
    return f"{file_format.name} ({suffixes})"
