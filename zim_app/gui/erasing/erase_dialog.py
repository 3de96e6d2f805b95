"""The dialog that removes an object, with a preview of the clean plate."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.erasing import (
    MOST_MARGIN,
    CleanPlate,
    EraseOptions,
    covered,
    default_margin,
    erase,
)
from zim_app.core.images import Image
from zim_app.gui.language import translate_message
from zim_app.gui.number_boxes import WholeNumberBox
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import Cancelled, ZimError
from zim_model.matting.inpainting import Draft

PREVIEW_SIDE = 640
"""Longer side of the preview, in pixels."""
DELAY_MS = 250
"""Between the last change of a choice and the new fill."""


class EraseDialog(QDialog):
    """Dialog with the choices of :class:`EraseOptions` and a preview of the result.

    The fill is computed as soon as the dialog opens and after each change: the preview
    shows it coarse at first, and complete at the end.

    Args:
        file_worker: runs the fill.
        image: the photo.
        alpha: (H, W) uint16, read-only, of the object.
        others: the same of all other objects, which are not copied into the hole.
        networks: names of the inpainting networks that can be chosen.

    **Signals**

    - ``plate_requested(plate)``: save the clean plate.
    - ``layers_requested(plate)``: save it with the cut-out as layers.

    **Threads**: the window's; the fill runs on another, until the dialog is closed.
    """

    plate_requested = Signal(object)
    layers_requested = Signal(object)
    _drafted = Signal(object, object)

    def __init__(
        self,
        file_worker: FileWorker,
        image: Image,
        alpha: WordArray,
        others: Sequence[WordArray],
        networks: Sequence[str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Remove object"))
        self._file_worker, self._image, self._alpha = file_worker, image, alpha
        self._avoid = covered(others)
        self._photo = _shrink(image.rgb)
        self._filled = self._photo
        self._stopped = threading.Event()
        self.plate: CleanPlate | None = None
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._make_controls(networks)
        self._lay_out()
        self._connect()
        self._fill()

    # -- Set-up --------------------------------------------------------------

    def _make_controls(self, networks: Sequence[str]) -> None:
        self.preview = QLabel()
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        height, width = self._photo.shape[:2]
        self.preview.setMinimumSize(width, height)
        self.preview.setAccessibleName(self.tr("Preview of the photo without object"))
        self.margin = WholeNumberBox()
        self.margin.setRange(0, MOST_MARGIN)
        self.margin.setValue(default_margin(self._alpha))
        self.margin.setSuffix(self.tr(" px"))
        self.margin.setToolTip(
            self.tr("Pixels around the matte that are filled too, to leave no edge")
        )
        self.network = QComboBox()
        self.network.addItem(self.tr("Patches of the photo"), "")
        for name in networks:
            self.network.addItem(name, name)
        self.network.setToolTip(
            self.tr("What fills the hole; networks come by Model › Manage models")
        )
        self.original = QCheckBox(self.tr("Show the photo with the object"))
        self.original.setToolTip(self.tr("Compare the photo with the result"))
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)

    def _lay_out(self) -> None:
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.save = QPushButton(self.tr("Save photo…"))
        self.save.setToolTip(self.tr("Save the photo without the object"))
        self.save_layers = QPushButton(self.tr("Save layers…"))
        self.save_layers.setToolTip(
            self.tr("Save the cut-out above the photo without it, as layers")
        )
        for button in (self.save_layers, self.save):
            self.buttons.addButton(button, role)
        for each in self.buttons.buttons():
            each.setIcon(QIcon())  # Qt's own icon is invisible on dark grey
        cancel = self.buttons.button(QDialogButtonBox.StandardButton.Cancel)
        for button in (cancel, self.save_layers, self.save):
            button.setAutoDefault(False)  # Enter only ends the typing of a margin
        form = QFormLayout()
        form.addRow(self.tr("Margin"), self.margin)
        form.addRow(self.tr("Fill with"), self.network)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.preview, 1)
        layout.addWidget(self.original)
        layout.addLayout(form)
        layout.addWidget(self.status)
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        self.margin.valueChanged.connect(self._on_choice_changed)
        self.network.currentIndexChanged.connect(self._on_choice_changed)
        self.original.toggled.connect(self._show)
        self._timer.timeout.connect(self._fill)
        self._drafted.connect(self._on_drafted)
        self.save.clicked.connect(self._on_save_clicked)
        self.save_layers.clicked.connect(self._on_save_layers_clicked)
        self.buttons.rejected.connect(self.reject)
        self.finished.connect(self._stop)

    # -- The fill ------------------------------------------------------------

    @property
    def options(self) -> EraseOptions:
        """The chosen options."""
        return EraseOptions(self.margin.value(), self.network.currentData())

    @Slot()
    def _on_choice_changed(self) -> None:
        self._stop()
        self._set_plate(None)
        self._timer.start()

    @Slot()
    def _stop(self) -> None:
        self._timer.stop()
        self._stopped.set()

    @Slot()
    def _fill(self) -> None:
        self._stopped = stopped = threading.Event()
        self._set_plate(None)
        self.status.setText(self.tr("Filling…"))
        work = partial(
            erase,
            *(self._image, self._alpha, self.options),
            avoid=self._avoid,
            on_draft=partial(self._drafted.emit, stopped),
            cancelled=stopped.is_set,
        )
        self._file_worker.submit(
            *("erase", work, self),
            partial(self._on_filled, stopped),
            partial(self._on_failed, stopped),
        )

    @Slot(object, object)
    def _on_drafted(self, stopped: threading.Event, draft: Draft) -> None:
        if not stopped.is_set():
            self._filled = _with_draft(self._photo, self._image, draft)
            self._show()

    def _on_filled(self, stopped: threading.Event, plate: CleanPlate) -> None:
        if stopped.is_set():
            return
        self._filled = _shrink(plate.image.rgb)
        self._set_plate(plate)
        self.status.setText(
            self.tr("{} % of the photo were filled.").format(
                f"{100 * float(np.mean(plate.hole)):.1f}"
            )
        )

    def _on_failed(self, stopped: threading.Event, error: Exception) -> None:
        if isinstance(error, Cancelled) or stopped.is_set():
            return
        if not isinstance(error, ZimError):
            raise error
        self._filled = self._photo
        self._set_plate(None)
        self.status.setText(translate_message(error.text))

    def _set_plate(self, plate: CleanPlate | None) -> None:
        self.plate = plate
        for button in (self.save, self.save_layers):
            button.setEnabled(plate is not None)
        self._show()

    @Slot()
    def _show(self) -> None:
        shown = self._photo if self.original.isChecked() else self._filled
        height, width = shown.shape[:2]
        kind = QImage.Format.Format_RGB888
        image = QImage(shown.tobytes(), width, height, 3 * width, kind)
        self.preview.setPixmap(QPixmap.fromImage(image))

    @Slot()
    def _on_save_clicked(self) -> None:
        self.plate_requested.emit(self.plate)

    @Slot()
    def _on_save_layers_clicked(self) -> None:
        self.layers_requested.emit(self.plate)


def _shrink(rgb: ByteArray) -> ByteArray:
    """An image at the preview's size; small ones as they are."""
    height, width = rgb.shape[:2]
    scale = min(1.0, PREVIEW_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _with_draft(photo: ByteArray, image: Image, draft: Draft) -> ByteArray:
    """The preview of a photo with a draft in its hole."""
    height, width = photo.shape[:2]
    left, top, right, bottom = draft.bounds
    x0, x1 = left * width // image.width, -(-right * width // image.width)
    y0, y1 = top * height // image.height, -(-bottom * height // image.height)
    size = x1 - x0, y1 - y0
    colours = cv2.resize(draft.colours, size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(draft.hole.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    out = photo.copy()
    part = out[y0:y1, x0:x1]
    part[hole > 0] = colours[hole > 0]
    return out
