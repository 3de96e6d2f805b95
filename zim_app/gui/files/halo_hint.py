"""A line in the export dialog about the halo of the cut-out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QWidget

from zim_app.core.images import Image
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.arrays import WordArray
from zim_model.errors import Cancelled

if TYPE_CHECKING:
    from zim_model.matting.halo import Halo

NOTICEABLE = 0.1
"""Halo from which the hint recommends decontamination, if that helps."""


class HaloHint(QLabel):
    """Shows the fraction of old background in the colours of soft edges.

    It is measured once, with and without decontamination, and interpolated for amounts
    between.

    Args:
        file_worker: runs the measurement.
        image: the image.
        alphas: (H, W) uint16 of each object, read-only.

    **Threads**: the window's; the measurement runs on another, until :meth:`stop`.
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
        self.setToolTip(
            self.tr(
                "Fraction of the old background in the colours of the soft edge; on"
                " another background it shows as a halo"
            )
        )
        self.setText(self.tr("Measuring the halo…"))
        self.halos: tuple[Halo | None, ...] | None = None
        self._chosen: Sequence[tuple[int, float]] = ()
        self._stopped = threading.Event()
        work = partial(_measure, image, tuple(alphas), self._stopped.is_set)
        file_worker.submit("halo", work, self, self._on_measured, self._on_failed)

    def choose(self, objects: Sequence[tuple[int, float]]) -> None:
        """Show the hint for objects: indexes into ``alphas``, and amounts 0 to 1."""
        self._chosen = objects
        self._show()

    def stop(self) -> None:
        """Cancel the measurement."""
        self._stopped.set()

    def _on_measured(self, halos: tuple[Halo | None, ...]) -> None:
        self.halos = halos
        self._show()

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            raise error

    def _show(self) -> None:
        if self.halos is None:
            return
        pairs = [(self.halos[index], amount) for index, amount in self._chosen]
        measured = [
            (halo, halo.after_decontamination(amount)) for halo, amount in pairs if halo
        ]
        if not measured:
            self.setText(self.tr("No soft edge that could have a halo."))
            return
        halo, fraction = max(measured, key=lambda each: each[1])
        text = self.tr("The soft edge holds {} % old background.")
        if fraction >= NOTICEABLE and halo.after < fraction - NOTICEABLE / 2:
            text = self.tr("The soft edge holds {} % old background: turn this up.")
        self.setText(text.format(round(fraction * 100)))


def _measure(
    image: Image, alphas: tuple[WordArray, ...], cancelled: Callable[[], bool]
) -> tuple[Halo | None, ...]:
    from zim_app.core.compose import CutOut
    from zim_model.matting.halo import measure_halo

    cuts = (CutOut.from_image(image, alpha) for alpha in alphas)
    return tuple(measure_halo(cut.colours, cut.alpha, cancelled) for cut in cuts)
