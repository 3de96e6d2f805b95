"""A line in the export dialog that tells whether the shadow can be kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from zim_app.core.images import Image
from zim_app.gui.language import translate_message
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.arrays import WordArray
from zim_model.errors import Cancelled

Group = tuple[int, ...]
"""Indexes of the objects of one file."""


class ShadowHint(QLabel):
    """Tells before the export what :func:`estimate_shadow` finds.

    Shadows are estimated only where one is asked for, once for each group of objects.

    Args:
        file_worker: runs the estimation.
        image: the image.
        alphas: (H, W) uint16 of each object, read-only.

    **Threads**: the window's; the estimation runs on another, until :meth:`stop`.
    """

    def __init__(
        self,
        file_worker: FileWorker,
        image: Image,
        alphas: Sequence[WordArray],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._file_worker, self._image, self._alphas = file_worker, image, alphas
        self._notices: dict[Group, str | None] = {}
        """Why there is no shadow, or ""; None while it is not known."""
        self._chosen: tuple[Group, ...] = ()
        self._stopped = threading.Event()

    def choose(self, groups: Sequence[Group]) -> None:
        """Show the hint for files with these objects; none where no shadow is kept."""
        self._chosen = tuple(groups)
        for group in self._chosen:
            if group not in self._notices:
                self._notices[group] = None
                alphas = [self._alphas[index] for index in group]
                work = partial(_notice, self._image, alphas, self._stopped.is_set)
                done = partial(self._on_estimated, group)
                self._file_worker.submit("shadow", work, self, done, _raise)
        self._show()

    def stop(self) -> None:
        """Cancel the estimation."""
        self._stopped.set()

    def _on_estimated(self, group: Group, notice: str | None) -> None:
        self._notices[group] = notice
        self._show()

    def _show(self) -> None:
        notices = [self._notices[group] for group in self._chosen]
        missing = [notice for notice in notices if notice]
        if None in notices:
            self.setText(self.tr("Looking for the shadow…"))
        elif not missing:
            self.setText(self.tr("A shadow was found."))
        elif len(missing) < len(notices):
            text = self.tr("A shadow was found for {} of {} files.")
            self.setText(text.format(len(notices) - len(missing), len(notices)))
        else:
            self.setText(translate_message(missing[0]))


def _raise(error: Exception) -> None:
    raise error


# -- On the worker thread ------------------------------------------------------------


def _notice(
    image: Image, alphas: Sequence[WordArray], cancelled: Callable[[], bool]
) -> str | None:
    """Why there is no shadow, or ""; None if cancelled."""
    from zim_app.core.compose import CutOut, union_alpha
    from zim_model.matting.shadow import estimate_shadow

    alpha = CutOut.from_image(image, union_alpha(alphas)).alpha
    try:
        return estimate_shadow(image.rgb, alpha, cancelled).notice
    except Cancelled:
        return None
