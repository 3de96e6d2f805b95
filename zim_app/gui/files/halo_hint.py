"""A line in the export dialog about the halo of the cut-out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from zim_app.core.images import Image
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.arrays import WordArray
from zim_model.errors import Cancelled

if TYPE_CHECKING:
    from zim_model.matting.halo import Halo

NOTICEABLE = 0.1
"""Halo from which the hint recommends decontamination, if that helps."""


class HaloHint(QWidget):
    """Shows the fraction of old background in the colours of soft edges.

    A button beside it offers to remove the background where that helps.

    It is measured once, with and without decontamination, and interpolated for amounts
    between.

    Args:
        file_worker: runs the measurement.
        image: the image.
        alphas: (H, W) uint16 of each object, read-only.

    **Signals**: ``fix_requested()``: the user wants the halo removed.

    **Threads**: the window's; the measurement runs on another, until :meth:`stop`.
    """

    fix_requested = Signal()

    def __init__(
        self,
        file_worker: FileWorker,
        image: Image,
        alphas: Sequence[WordArray],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.label, self.button = QLabel(), QPushButton(self.tr("Fix"))
        self.label.setWordWrap(True)
        self.button.setToolTip(self.tr("Free the soft edge from the old background"))
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self.fix_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self.label.setToolTip(
            self.tr(
                "Fraction of the old background in the colours of the soft edge; on"
                " another background it shows as a halo"
            )
        )
        self._show_text(self.tr("Measuring the halo…"))
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
            self._show_text(self.tr("No soft edge that could have a halo."))
            return
        halo, fraction = max(measured, key=lambda each: each[1])
        helps = fraction >= NOTICEABLE and halo.after < fraction - NOTICEABLE / 2
        text = self.tr("The soft edge holds {} % old background.")
        self._show_text(text.format(round(fraction * 100)), offer_fix=helps)

    def _show_text(self, text: str, *, offer_fix: bool = False) -> None:
        self.label.setText(text)
        self.button.setVisible(offer_fix)


def _measure(
    image: Image, alphas: tuple[WordArray, ...], cancelled: Callable[[], bool]
) -> tuple[Halo | None, ...]:
    from zim_app.core.compose import CutOut
    from zim_model.matting.halo import measure_halo

    cuts = (CutOut.from_image(image, alpha) for alpha in alphas)
    return tuple(measure_halo(cut.colours, cut.alpha, cancelled) for cut in cuts)
