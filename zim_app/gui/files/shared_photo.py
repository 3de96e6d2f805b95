"""Tells that another studio has the same photo open, and takes over from it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Slot

from zim_app.gui.document import Document
from zim_app.gui.studio import Studio

SHARED_TOPIC = "shared"


class SharedPhoto(QObject):
    """Offers to take over a photo that another studio saves.

    **Threads**: the window's only.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        studio.sessions.shared.connect(self._on_sessions_shared)

    @Slot(object)
    def _on_sessions_shared(self, document: Document) -> None:
        text = self.tr(
            "{} is open in another window of zim-studio; what you change here is not"
            " saved."
        )
        self._studio.banner.show_info(
            text.format(document.image.name),
            self.tr("Take over"),
            partial(self._take_over, document),
            topic=SHARED_TOPIC,
        )

    def _take_over(self, document: Document) -> None:
        """Go on with what the other one has saved; undo goes back to what was here."""
        if document is not self._studio.document:
            return
        stack = self._studio.sessions.take_over()
        if stack is not None and stack.is_edited:
            text = self.tr("Take over")
            document.edit_objects(text, stack.objects, stack.active)
