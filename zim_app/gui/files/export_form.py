"""The form of export options, which several dialogs use."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QSlider,
    QToolButton,
    QWidget,
)

from zim_app.core.export import FORMATS, ExportOptions
from zim_app.core.formats import BY_ID
from zim_app.gui.accessibility import name_controls
from zim_app.gui.files.canvas_controls import CanvasControls
from zim_app.gui.files.preset_bar import PresetBar
from zim_app.gui.form_rows import browse_button, typed_path, widget_row
from zim_app.gui.number_boxes import WholeNumberBox
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

CHOICES = {
    "what": (
        ("cutout", QT_TRANSLATE_NOOP("ExportForm", "Cut-out, transparent")),
        ("matte", QT_TRANSLATE_NOOP("ExportForm", "Matte, in greys")),
        ("colour", QT_TRANSLATE_NOOP("ExportForm", "On a colour")),
        ("picture", QT_TRANSLATE_NOOP("ExportForm", "On another image")),
    ),
    "scope": (
        ("active", QT_TRANSLATE_NOOP("ExportForm", "Active object")),
        ("each", QT_TRANSLATE_NOOP("ExportForm", "Each object in its own file")),
        ("together", QT_TRANSLATE_NOOP("ExportForm", "Visible objects merged")),
    ),
    "format": tuple((format_.id, format_.name) for format_ in FORMATS),
    "depth": (
        ("source", QT_TRANSLATE_NOOP("ExportForm", "As in the photo")),
        ("8", QT_TRANSLATE_NOOP("ExportForm", "8 bits a channel")),
        ("16", QT_TRANSLATE_NOOP("ExportForm", "16 bits a channel")),
        ("32", QT_TRANSLATE_NOOP("ExportForm", "32 bits, linear (TIFF, OpenEXR)")),
    ),
    "hidden": (
        ("bleed", QT_TRANSLATE_NOOP("ExportForm", "The edge's colours, then black")),
        ("clear", QT_TRANSLATE_NOOP("ExportForm", "Black")),
        ("keep", QT_TRANSLATE_NOOP("ExportForm", "The photo's (can be recovered)")),
    ),
    "size": (
        ("scale", QT_TRANSLATE_NOOP("ExportForm", "Scale")),
        ("longest_side", QT_TRANSLATE_NOOP("ExportForm", "Longest side")),
    ),
}
"""Values and texts of the lists; texts are translated in the context "ExportForm"."""


class ExportForm(QWidget):
    """Form of export options; controls without effect are hidden.

    Args:
        several: whether there may be several objects.
        longest: initial longer side, in pixels.

    **Signals**: ``changed()``: ``options`` may have changed.

    **Threads**: the window's only.
    """

    changed = Signal()

    def __init__(
        self, *, several: bool, longest: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._several, self._longest = several, longest
        self._showing = False
        self._trim_alpha = ExportOptions().trim_alpha
        self._colour = QColor(*ExportOptions().background)
        self._make_controls()
        self._lay_out()
        self._connect()

    # -- Set-up --------------------------------------------------------------

    def _make_controls(self) -> None:
        self.presets = PresetBar(several=self._several)
        self.what = self._list("what", self.tr("What the file shows"))
        self.scope = self._list("scope", self.tr("Which objects"))
        self.format = self._list("format", self.tr("Format of the file"))
        self.bit_depth = self._list("depth", self.tr("Steps of colour and alpha"))
        self.size_mode = self._list("size", self.tr("How the size is given"))
        self.hidden = self._list(
            "hidden", self.tr("Colours that the file has where it is transparent")
        )
        self.quality = WholeNumberBox()
        self.quality.setRange(1, 100)
        self.quality.setToolTip(self.tr("Higher is better and larger"))
        self.colour = QToolButton()
        self.colour.setToolTip(self.tr("Colour of the background"))
        self.backdrop = QLineEdit()
        self.backdrop.setToolTip(self.tr("Image that fills the background"))
        self.trim = QCheckBox(self.tr("Trim to the object"))
        self.trim.setToolTip(self.tr("Leave out the empty area around it"))
        self.padding = WholeNumberBox()
        self.padding.setRange(0, 10_000)
        self.padding.setSuffix(self.tr(" px around"))
        self.padding.setToolTip(self.tr("Room around the trimmed object"))
        self.shadow = QCheckBox(self.tr("Keep the shadow on the ground"))
        self.shadow.setToolTip(
            self.tr(
                "The shadow that the object casts in the photo, if the ground is even"
            )
        )
        self.amount = WholeNumberBox()
        self.own = QCheckBox(self.tr("As set for each object"))
        self.own.setToolTip(self.tr("Use the amount of the object's own settings"))
        self.decontaminate = QSlider(Qt.Orientation.Horizontal)
        self.decontaminate.setRange(0, 100)
        self.decontaminate.setToolTip(
            self.tr("How far soft edges are freed from the old background's colour")
        )
        self.original = QCheckBox(self.tr("Original as a hidden layer"))
        self.original.setToolTip(self.tr("Add the whole photo below the objects"))
        self.template = QLineEdit()
        self.template.setToolTip(
            self.tr(
                "Name of the file; these are filled in: "
                "{name} {object} {what} {n} {width} {height} {date}"
            )
        )

    def _list(self, name: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setToolTip(tip)
        for value, text in CHOICES[name]:
            box.addItem(QCoreApplication.translate("ExportForm", text), value)
        return box

    def _lay_out(self) -> None:
        form = self.form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(8)
        form.addRow(self.tr("Preset"), self.presets)
        form.addRow(self.tr("What"), widget_row(self.what, self.colour))
        browse = browse_button(self._choose_backdrop)
        self._backdrop_row = widget_row(self.backdrop, browse)
        form.addRow(self.tr("Background"), self._backdrop_row)
        form.addRow(self.tr("Objects"), self.scope)
        form.addRow(self.tr("Format"), widget_row(self.format, self.bit_depth))
        form.addRow(self.tr("Quality"), self.quality)
        form.addRow("", self.original)
        self.canvas = CanvasControls(form, self)
        self._trim_row = widget_row(self.trim, self.padding)
        form.addRow("", self._trim_row)
        self._size_row = widget_row(self.size_mode, self.amount)
        form.addRow(self.tr("Size"), self._size_row)
        form.addRow(self.tr("Shadow"), self.shadow)
        self._decontaminate_row = widget_row(self.decontaminate, self.own)
        form.addRow(self.tr("Decontaminate"), self._decontaminate_row)
        form.addRow(self.tr("Hidden pixels"), self.hidden)
        form.addRow(self.tr("Name"), self.template)
        name_controls(form)

    def _connect(self) -> None:
        for box in (self.what, self.scope, self.format, self.bit_depth, self.hidden):
            box.currentIndexChanged.connect(self._update)
        self.size_mode.currentIndexChanged.connect(self._on_size_changed)
        self.format.activated.connect(self._on_format_activated)
        for spin in (self.quality, self.padding, self.amount, self.decontaminate):
            spin.valueChanged.connect(self._update)
        self.presets.chosen.connect(self._on_preset_chosen)
        self.canvas.changed.connect(self._update)
        for check in (self.trim, self.own, self.original, self.shadow):
            check.toggled.connect(self._update)
        for line in (self.backdrop, self.template):
            line.textChanged.connect(self._update)
        self.colour.clicked.connect(self._choose_colour)

    def show_below_decontaminate(self, widget: QWidget) -> None:
        """Insert a widget below the amount of decontamination."""
        self._show_below(self._decontaminate_row, widget)

    def show_below_shadow(self, widget: QWidget) -> None:
        """Insert a widget below the choice of a shadow."""
        self._show_below(self.shadow, widget)

    def _show_below(self, field: QWidget, widget: QWidget) -> None:
        # The stub says object; it is a pair of row and role.
        row = self.form.getWidgetPosition(field)[0]  # type: ignore[index]
        self.form.insertRow(row + 1, "", widget)

    @Slot()
    def decontaminate_fully(self) -> None:
        """Free soft edges of all objects from the old background's colour."""
        self.own.setChecked(False)
        self.decontaminate.setValue(self.decontaminate.maximum())

    def show_options(self, options: ExportOptions, decontaminate: float = 0.0) -> None:
        """Show options.

        Args:
            options: the options.
            decontaminate: amount to show if the options have none.
        """
        self._show_values(options, decontaminate)
        self.presets.start(self.options)

    @Slot(object)
    def _on_preset_chosen(self, options: ExportOptions) -> None:
        self._show_values(options, self.decontaminate.value() / 100)

    def _show_values(self, options: ExportOptions, decontaminate: float) -> None:
        self._showing = True
        self._colour = QColor(*options.background)
        self._trim_alpha = options.trim_alpha
        what: str = options.what
        if what == "composite":
            what = "picture" if options.background_image else "colour"
        longest = options.longest_side
        values = {
            self.what: what,
            self.scope: options.scope if self._several else "active",
            self.format: options.format,
            self.bit_depth: options.depth,
            self.hidden: options.hidden_pixels,
            self.size_mode: "scale" if longest is None else "longest_side",
        }
        for box, value in values.items():
            box.setCurrentIndex(box.findData(value))
        self.quality.setValue(options.quality)
        self.backdrop.setText(str(options.background_image or ""))
        self.trim.setChecked(options.trim)
        self.padding.setValue(options.padding)
        self._limit_amount()
        self.amount.setValue(longest or round(options.scale * 100))
        self.own.setChecked(options.decontaminate is None)
        amount = options.decontaminate
        self.decontaminate.setValue(
            round((decontaminate if amount is None else amount) * 100)
        )
        self.original.setChecked(options.original)
        self.template.setText(options.template)
        self.canvas.show_canvas(options.canvas)
        self.shadow.setChecked(options.shadow)
        self._showing = False
        self._update()

    # -- Choices ------------------------------------------------------

    @property
    def options(self) -> ExportOptions:
        """The chosen options; they may be invalid."""
        what = self.what.currentData()
        if BY_ID[self.format.currentData()].layered:
            what = "cutout"  # layers are always cut-outs
        on_image = what == "picture"
        canvas = self.canvas.canvas
        unframed = canvas is None  # else trimming and size have no effect
        size = self.size_mode.currentData() if unframed else ""
        number = self.amount.value()
        colour = self._colour
        own = self.own.isChecked()
        return ExportOptions(
            what="composite" if what in ("colour", "picture") else what,
            format=self.format.currentData(),
            depth=self.bit_depth.currentData(),
            quality=self.quality.value(),
            background=(colour.red(), colour.green(), colour.blue()),
            background_image=typed_path(self.backdrop) or Path() if on_image else None,
            trim=unframed and self.trim.isChecked(),
            padding=self.padding.value() if unframed else 0,
            scale=number / 100 if size == "scale" else 1.0,
            longest_side=number if size == "longest_side" else None,
            decontaminate=None if own else self.decontaminate.value() / 100,
            scope=self.scope.currentData(),
            original=self.original.isChecked(),
            hidden_pixels=self.hidden.currentData(),
            trim_alpha=self._trim_alpha,
            template=self.template.text(),
            canvas=canvas,
            shadow=self.shadow.isChecked(),
        )

    # -- Changes -------------------------------------------------------------

    @Slot()
    def _update(self) -> None:
        """Show only the controls that have an effect."""
        if self._showing:
            return
        options, what = self.options, self.what.currentData()
        layered = options.file_format.layered
        self.what.setEnabled(not layered)
        merged = self.scope.findData("together")
        self.scope.setItemText(merged, self._together_text(layered=layered))
        self.colour.setVisible(what == "colour" and not layered)
        self.form.setRowVisible(self._backdrop_row, what == "picture" and not layered)
        self.form.setRowVisible(self.scope, self._several)
        self.form.setRowVisible(self.quality, options.file_format.lossy)
        self.form.setRowVisible(self.original, layered)
        self.form.setRowVisible(self.hidden, options.what == "cutout")
        self.bit_depth.setEnabled(options.file_format.deep)
        self.form.setRowVisible(self._trim_row, options.canvas is None)
        self.form.setRowVisible(self._size_row, options.canvas is None)
        self.form.setRowVisible(self.shadow, options.what != "matte")
        self.padding.setEnabled(options.trim)
        self.decontaminate.setEnabled(not self.own.isChecked())
        swatch = QPixmap(16, 16)
        swatch.fill(self._colour)
        self.colour.setIcon(QIcon(swatch))
        self.presets.follow(options)
        self.changed.emit()

    def _together_text(self, *, layered: bool) -> str:
        if layered:
            return self.tr("All objects as layers")
        text = dict(CHOICES["scope"])["together"]
        return QCoreApplication.translate("ExportForm", text)

    @Slot()
    def _on_format_activated(self) -> None:
        """Take all objects where the chosen format has a layer for each."""
        if self._several and BY_ID[self.format.currentData()].layered:
            self.scope.setCurrentIndex(self.scope.findData("together"))

    @Slot()
    def _on_size_changed(self) -> None:
        self._limit_amount()
        by_scale = self.size_mode.currentData() == "scale"
        self.amount.setValue(100 if by_scale else self._longest)
        self._update()

    def _limit_amount(self) -> None:
        by_scale = self.size_mode.currentData() == "scale"
        self.amount.setRange(1, 1000 if by_scale else 100_000)
        self.amount.setSuffix(self.tr(" %") if by_scale else self.tr(" px"))
        self.amount.setToolTip(
            self.tr("Percent of the photo's size")
            if by_scale
            else self.tr("Pixels of the longer side")
        )
        self.amount.setAccessibleName(self.amount.toolTip())

    @Slot()
    def _choose_colour(self) -> None:
        dialog = QColorDialog(self._colour, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_colour_chosen)
        dialog.open()

    @Slot(QColor)
    def _on_colour_chosen(self, colour: QColor) -> None:
        self._colour = colour
        self._update()

    @Slot()
    def _choose_backdrop(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a background"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.backdrop.setText)
        dialog.open()
