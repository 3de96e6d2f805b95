"""The bar that chooses how grey values beyond 8 bits are shown."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QToolBar, QWidget

from zim_app.core.greys import Greys, GreyView
from zim_app.gui.number_boxes import NumberBox, WholeNumberBox
from zim_model.medical.window import PRESETS, Window, automatic_window

STEPS = 1000
"""Of a slider, over the range of its values."""
WAIT_MS = 150
"""After the last change, before it is shown."""
OWN, AUTOMATIC, CUSTOM = "own", "automatic", "custom"


class GreyBar(QToolBar):
    """Level and width of a window, presets, and the slice of a volume.

    **Signals**

    - ``view_requested(view)``: the user has chosen another :class:`GreyView`.

    **Threads**: the window's only.
    """

    view_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("greys")
        self.setWindowTitle(self.tr("Grey values"))
        self.setMovable(False)
        self._greys: Greys | None = None
        self._range = (0.0, 1.0)
        self._chosen: Window | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._emit)
        self.presets = QComboBox()
        adjusts = QComboBox.SizeAdjustPolicy.AdjustToContents
        self.presets.setSizeAdjustPolicy(adjusts)
        self.presets.setAccessibleName(self.tr("Window"))
        self.presets.setToolTip(self.tr("Which grey values are black and white"))
        self.presets.activated.connect(self._on_preset_chosen)
        self.addWidget(self.presets)
        self.level, self.level_slider = self._add_number(
            self.tr("Level"), self.tr("The value that becomes middle grey")
        )
        self.extent, self.extent_slider = self._add_number(
            self.tr("Width"), self.tr("How many values lie between black and white")
        )
        self._slice_parts = self._add_slice()

    def _add_number(self, name: str, tip: str) -> tuple[NumberBox, QSlider]:
        box, slider = NumberBox(), QSlider(Qt.Orientation.Horizontal)
        box.setDecimals(1)
        slider.setRange(0, STEPS)
        slider.setMinimumWidth(90)
        self._add_labelled(name, tip, slider, box)
        box.valueChanged.connect(self._on_number_changed)
        slider.valueChanged.connect(self._on_slider_moved)
        return box, slider

    def _add_slice(self) -> tuple[QWidget, ...]:
        self.slice = WholeNumberBox()
        self.slice_slider = QSlider(Qt.Orientation.Horizontal)
        tip = self.tr("The slice of the volume; each has objects of its own")
        parts = self._add_labelled(self.tr("Slice"), tip, self.slice_slider, self.slice)
        self.slice.valueChanged.connect(self._on_slice_changed)
        self.slice_slider.valueChanged.connect(self.slice.setValue)
        return parts

    def _add_labelled(
        self, name: str, tip: str, slider: QSlider, box: NumberBox | WholeNumberBox
    ) -> tuple[QWidget, ...]:
        label = QLabel(name)
        label.setContentsMargins(12, 0, 6, 0)
        label.setBuddy(box)
        box.setKeyboardTracking(False)
        for widget in (label, slider, box):
            widget.setToolTip(tip)
            self.addWidget(widget)
        for widget in (slider, box):
            widget.setAccessibleName(name)
        return label, slider, box

    # -- Showing -------------------------------------------------------------------

    def show_greys(self, greys: Greys) -> None:
        """Show the window and the slice of an image."""
        self._timer.stop()
        self._greys, self._chosen = greys, greys.view.window
        values = greys.values.values
        low, high = float(values.min()), float(values.max())
        window = greys.window
        low, high = min(low, window.low), max(high, window.high)
        self._range = (low, high if high > low else low + 1)
        blockers = [QSignalBlocker(x) for x in (self.level, self.extent, self.slice)]
        self.level.setRange(*self._range)
        self.extent.setRange(0.1, 2 * (self._range[1] - self._range[0]))
        self._fill_presets(greys)
        self._show_window(window)
        several = greys.slices > 1
        for action in self.actions():
            if self.widgetForAction(action) in self._slice_parts:
                action.setVisible(several)
        self.slice_slider.setRange(1, greys.slices)
        self.slice.setRange(1, greys.slices)
        self.slice.setSuffix(f" / {greys.slices}")
        index = (greys.view.slice or 0) + 1
        self.slice.setValue(index)
        with QSignalBlocker(self.slice_slider):
            self.slice_slider.setValue(index)
        del blockers

    def _fill_presets(self, greys: Greys) -> None:
        names = {
            "soft-tissue": self.tr("Soft tissue (CT)"),
            "lung": self.tr("Lung (CT)"),
            "bone": self.tr("Bone (CT)"),
            "brain": self.tr("Brain (CT)"),
        }
        own = self.tr("All values") if greys.is_photo else self.tr("Default")
        self.presets.clear()
        self.presets.addItem(own, OWN)
        self.presets.addItem(self.tr("Automatic"), AUTOMATIC)
        if not greys.is_photo:
            for key in PRESETS:
                self.presets.addItem(names[key], key)
        self.presets.addItem(self.tr("Custom"), CUSTOM)

    def _show_window(self, window: Window) -> None:
        """Show a window in all fields, without a signal."""
        low, high = self._range
        fields = (
            (self.level, self.level_slider, window.level, low),
            (self.extent, self.extent_slider, window.width, 0.0),
        )
        for box, slider, value, start in fields:
            with QSignalBlocker(box), QSignalBlocker(slider):
                box.setValue(value)
                slider.setValue(round((value - start) / (high - low) * STEPS))
        self.presets.setCurrentIndex(self.presets.findData(self._preset_of_window()))

    def _preset_of_window(self) -> str:
        if self._chosen is None:
            return OWN
        own = next((k for k, each in PRESETS.items() if each == self._chosen), CUSTOM)
        return own if self.presets.findData(own) >= 0 else CUSTOM

    # -- Choosing ------------------------------------------------------------------

    @Slot(int)
    def _on_preset_chosen(self, index: int) -> None:
        assert self._greys is not None
        key = self.presets.itemData(index)
        if key == CUSTOM:
            self._choose(self._greys.window)
        elif key == OWN:
            self._choose(None)
        elif key == AUTOMATIC:
            self._choose(automatic_window(self._greys.values.values))
        else:
            self._choose(PRESETS[key])

    @Slot()
    def _on_number_changed(self) -> None:
        self._choose(Window(self.level.value(), self.extent.value()))

    @Slot()
    def _on_slider_moved(self) -> None:
        low, high = self._range
        part = (high - low) / STEPS
        level = low + self.level_slider.value() * part
        self._choose(Window(level, max(self.extent_slider.value(), 1) * part))

    @Slot(int)
    def _on_slice_changed(self, number: int) -> None:
        with QSignalBlocker(self.slice_slider):
            self.slice_slider.setValue(number)
        self._timer.start()

    def _choose(self, window: Window | None) -> None:
        assert self._greys is not None
        self._chosen = window
        self._show_window(window or self._greys.own_window)
        self._timer.start()

    @Slot()
    def _emit(self) -> None:
        greys = self._greys
        assert greys is not None
        index = self.slice.value() - 1 if greys.slices > 1 else None
        view = GreyView(self._chosen, index)
        if view != greys.view:
            self.view_requested.emit(view)
