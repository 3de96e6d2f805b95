"""Offers the transparency of an opened photo as its first object."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import QObject

from zim_app.gui.document import Document
from zim_app.gui.files.mask_objects import add_masks
from zim_app.gui.files.open_job import OpenedImage
from zim_app.gui.studio import Studio
from zim_model.arrays import WordArray
from zim_model.imported_mask import ImportedMask


class OwnTransparency(QObject):
    """Shows a message about a photo's transparency, with a button to use it.

    **Threads**: the window's; the mask is made on the thread of :class:`FileWorker`.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio

    def offer(self, opened: OpenedImage, document: Document, topic: str) -> None:
        """Offer the transparency of a photo that has some, and no objects yet."""
        alpha = opened.image.source_alpha
        worked_on = opened.stack is not None and opened.stack.is_edited
        if alpha is None or worked_on or opened.earlier or not alpha.any():
            return
        text = self.tr("{} has transparency of its own.").format(opened.image.name)
        callback = partial(self._use, document, alpha)
        action = self.tr("Use as an object")
        self._studio.banner.show_info(text, action, callback, topic=topic)

    def _use(self, document: Document, alpha: WordArray) -> None:
        if document is self._studio.document:
            on_done = partial(self._on_mask_made, document)
            work = partial(_mask_of, alpha)
            report = self._studio.report
            self._studio.file_worker.submit("import_mask", work, self, on_done, report)

    def _on_mask_made(self, document: Document, mask: ImportedMask) -> None:
        if document is self._studio.document:
            text = self.tr("Use the photo's transparency")
            add_masks(document, [(self.tr("Transparency"), mask)], text)


def _mask_of(alpha: WordArray) -> ImportedMask:
    """The mask of alpha, rounded up: exports take the lower of both, exactly."""
    level = ((alpha.astype(np.uint32) + 256) // 257).astype(np.uint8)
    return ImportedMask.from_level(level, refine=False)
