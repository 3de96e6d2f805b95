"""Offers to open again what was open when the program crashed."""

from __future__ import annotations

from functools import partial
from os.path import isfile

from PySide6.QtCore import QObject, Slot

from zim_app.core.session_store import RecoveryState
from zim_app.gui.document import Document
from zim_app.gui.files.autosave import document_stack
from zim_app.gui.studio import Studio
from zim_model.errors import ZimError

TOPIC = "recovered"
"""Topic of the banner message about a crashed run."""


class RecoveryNotice(QObject):
    """Shows a message about a crashed run, with a button to go on with its photo.

    **Threads**: the window's only.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        studio.sessions.recovered.connect(self._on_sessions_recovered)

    def remove(self) -> None:
        """Remove the message, since something is open now."""
        self._studio.banner.remove_topic(TOPIC)

    @Slot(object)
    def _on_sessions_recovered(self, run: RecoveryState) -> None:
        path = run.project if run.project and isfile(run.project) else run.image
        if path is None or self._studio.document is not None:
            return
        self._studio.banner.show_info(
            self.tr(
                "Recovered your work on {}; the program was not closed properly."
            ).format(run.name),
            self.tr("Open"),
            partial(self._studio.open_path, path, on_done=self._restore_unsaved),
            topic=TOPIC,
        )

    def _restore_unsaved(self, document: Document) -> None:
        """Add to a project what was changed since it was saved: its session has it."""
        try:
            session = self._studio.sessions.store.load(document.image.key)
        except ZimError as error:
            self._studio.report(error)
            return
        if session is not None and session.stack != document_stack(document):
            text = self.tr("Restore unsaved changes")
            document.edit_objects(text, session.stack.objects, session.stack.active)
