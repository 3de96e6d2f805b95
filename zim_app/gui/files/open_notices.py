"""What there is to say of a photo that was opened: problems, and other versions."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Slot

from zim_app.core.saved_work import ObjectStack
from zim_app.gui.document import Document
from zim_app.gui.files.open_job import OpenedImage
from zim_app.gui.files.own_transparency import OwnTransparency
from zim_app.gui.language import translate_message
from zim_app.gui.studio import Studio

OPEN_TOPIC = "open"
"""Of messages about the open photo, or the one that was to be opened: they end with the
next one."""


class OpenNotices(QObject):
    """Shows messages about the open photo in the banner.

    **Threads**: the window's only.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self._told_of_new_model = False
        self._transparency = OwnTransparency(studio)
        studio.sessions.shared.connect(self._on_sessions_shared)

    def show(self, opened: OpenedImage, document: Document) -> None:
        """Show the problems of an image that was opened as that document."""
        banner, name = self._studio.banner, opened.image.name
        self._transparency.offer(opened, document, OPEN_TOPIC)
        if opened.problem is not None:
            self._studio.report(opened.problem)
        if opened.image.notice is not None:
            text = translate_message(opened.image.notice.text)
            banner.show_warning(text, topic=OPEN_TOPIC)
        if opened.stack is not None and opened.stack.was_made_by_earlier_model:
            self._tell_of_new_model()
        if opened.match == "changed":
            banner.show_error(
                self.tr("{} was changed since the project was saved.").format(name),
                self.tr("Check the edges before you export."),
                topic=OPEN_TOPIC,
            )
        if opened.earlier is not None:
            banner.show_info(
                self.tr("{} was changed since you worked on it.").format(name),
                self.tr("Restore the objects"),
                partial(self._restore, document, opened.earlier),
                topic=OPEN_TOPIC,
            )

    def _tell_of_new_model(self) -> None:
        """Say once that saved prompts are answered by another model than before."""
        if self._told_of_new_model:
            return
        self._told_of_new_model = True
        self._studio.banner.show_info(
            self.tr(
                "These objects were made with an earlier zim-tiny. Their clicks and"
                " boxes were kept; the new one computes the edges again."
            ),
            topic=OPEN_TOPIC,
        )

    def _restore(self, document: Document, stack: ObjectStack) -> None:
        if document is self._studio.document:
            text = self.tr("Restore objects")
            document.edit_objects(text, stack.objects, stack.active)

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
            topic=OPEN_TOPIC,
        )

    def _take_over(self, document: Document) -> None:
        """Go on with what the other one has saved; undo goes back to what was here."""
        if document is not self._studio.document:
            return
        stack = self._studio.sessions.take_over()
        if stack is not None and stack.is_edited:
            text = self.tr("Take over")
            document.edit_objects(text, stack.objects, stack.active)
