"""Says that the photo of a project is missing, and lets the user locate it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from zim_app.gui.files import dialogs
from zim_app.gui.files.open_job import ImageMissing
from zim_app.gui.files.open_notices import OPEN_TOPIC
from zim_app.gui.studio import Studio


class MissingImageNotice(QObject):
    """Shows the message, with a button that asks for the file.

    **Signals**

    - ``located(project, image)``: paths of a project and of its photo, which the user
      has chosen.

    **Threads**: the window's only.
    """

    located = Signal(object, object)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio

    def show(self, missing: ImageMissing) -> None:
        """Say which photo is missing."""
        reference = missing.project.reference
        if missing.replacement is None:
            text = self.tr("The photo {} of {} is missing.")
            message = text.format(reference.name, missing.path.name)
        else:
            text = self.tr("{} is not the photo of {}: that one has {} x {} pixels.")
            message = text.format(
                missing.replacement,
                missing.path.name,
                reference.width,
                reference.height,
            )
        self._studio.banner.show_error(
            message,
            self.tr("Show where it is."),
            self.tr("Locate…"),
            partial(self._locate, missing),
            topic=OPEN_TOPIC,
        )

    def _locate(self, missing: ImageMissing) -> None:
        dialog = dialogs.locate_dialog(
            self._studio.widget, missing.project.reference.name
        )
        dialog.setDirectory(str(missing.path.parent))
        dialog.fileSelected.connect(partial(self._on_located, missing.path))
        dialog.open()

    def _on_located(self, project: Path, name: str) -> None:
        self.located.emit(project, Path(name))
