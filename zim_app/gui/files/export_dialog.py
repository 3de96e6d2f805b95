"""The dialog that asks what to export and how, with a preview of name and size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.export import (
    FORMATS,
    ExportOptions,
    check_target,
    planned_stem,
)
from zim_app.core.formats import BY_ID
from zim_app.core.framing import Frame, Rect
from zim_app.core.images import Picture
from zim_app.core.naming import free_path
from zim_app.gui.icons import icon
from zim_app.gui.language import error_text
from zim_model.errors import ZimError

CHOICES = {
    "what": (
        ("cutout", QT_TRANSLATE_NOOP("ExportDialog", "Cut-out, transparent")),
        ("matte", QT_TRANSLATE_NOOP("ExportDialog", "Matte, in greys")),
        ("colour", QT_TRANSLATE_NOOP("ExportDialog", "On a colour")),
        ("picture", QT_TRANSLATE_NOOP("ExportDialog", "On another picture")),
    ),
    "scope": (
        ("active", QT_TRANSLATE_NOOP("ExportDialog", "The active object")),
        ("each", QT_TRANSLATE_NOOP("ExportDialog", "Each visible object, in files")),
        (
            "together",
            QT_TRANSLATE_NOOP("ExportDialog", "All visible objects, as one"),
        ),
    ),
    "format": tuple((entry.id, entry.name) for entry in FORMATS),
    "depth": (
        ("source", QT_TRANSLATE_NOOP("ExportDialog", "As in the picture")),
        ("8", QT_TRANSLATE_NOOP("ExportDialog", "8 bits a channel")),
        ("16", QT_TRANSLATE_NOOP("ExportDialog", "16 bits a channel")),
    ),
    "size": (
        ("scale", QT_TRANSLATE_NOOP("ExportDialog", "Scale")),
        ("longest_side", QT_TRANSLATE_NOOP("ExportDialog", "Longest side")),
    ),
}
"""Values of the lists and their texts, to be translated in "ExportDialog"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the dialog has to know of an object that can be exported.

    Attributes:
        name: what the user calls it.
        support: (left, top, right, bottom) around it, in pixels.
        decontaminate: its own amount, 0 to 1.
        active: whether edits go to it.
    """

    name: str
    support: Rect
    decontaminate: float
    active: bool


class ExportDialog(QDialog):
    """Asks for options and a folder; what is chosen shows at once in the preview.

    Args:
        picture: that is exported from.
        candidates: the active object and all that are visible, the lowest first.
        options: as they were the last time.
        folder: to propose.

    **Signals**: ``export_requested(options, folder, overwrite)``.

    **Threads**: the window's only.
    """

    export_requested = Signal(object, object, bool)

    def __init__(
        self,
        picture: Picture,
        candidates: Sequence[Candidate],
        options: ExportOptions,
        folder: Path,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Export"))
        self._picture = picture
        self._candidates = candidates
        self._colour = QColor(*options.background)
        self._make_controls()
        self._lay_out()
        self._show(options, folder)
        self._connect()
        self._update()

    # -- Set-up --------------------------------------------------------------

    def _make_controls(self) -> None:
        self.what = self._list("what", self.tr("What the file shows"))
        self.scope = self._list("scope", self.tr("Which objects"))
        self.format = self._list("format", self.tr("Format of the file"))
        self.depth = self._list("depth", self.tr("Steps of colour and alpha"))
        self.size = self._list("size", self.tr("How the size is given"))
        self.quality = QSpinBox()
        self.quality.setRange(1, 100)
        self.quality.setToolTip(self.tr("Higher is better and larger"))
        self.colour = QToolButton()
        self.colour.setToolTip(self.tr("Colour of the background"))
        self.backdrop = QLineEdit()
        self.backdrop.setToolTip(self.tr("Picture that fills the background"))
        self.trim = QCheckBox(self.tr("Trim to the object"))
        self.trim.setToolTip(self.tr("Leave out what is empty around it"))
        self.padding = QSpinBox()
        self.padding.setRange(0, 10_000)
        self.padding.setSuffix(self.tr(" px around"))
        self.padding.setToolTip(self.tr("Room around the trimmed object"))
        self.amount = QSpinBox()
        self.own = QCheckBox(self.tr("As set for each object"))
        self.own.setToolTip(self.tr("Use the amount of the object's own settings"))
        self.decontaminate = QSlider(Qt.Orientation.Horizontal)
        self.decontaminate.setRange(0, 100)
        self.decontaminate.setToolTip(
            self.tr("How far soft edges are freed from the old background's colour")
        )
        self.original = QCheckBox(self.tr("Original as a hidden layer"))
        self.original.setToolTip(self.tr("Add the whole picture below the objects"))
        self.folder = QLineEdit()
        self.folder.setToolTip(self.tr("Folder to write to"))
        self.template = QLineEdit()
        self.template.setToolTip(
            self.tr(
                "Name of the file; these are filled in: "
                "{name} {object} {what} {n} {width} {height} {date}"
            )
        )
        self.overwrite = QCheckBox(self.tr("Replace the existing file"))
        self.overwrite.setToolTip(self.tr("Otherwise the new one gets a number"))
        self.preview = QLabel()
        self.preview.setWordWrap(True)
        self.preview.setTextFormat(Qt.TextFormat.PlainText)

    def _list(self, name: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.setObjectName(name)
        box.setToolTip(tip)
        for value, text in CHOICES[name]:
            box.addItem(QCoreApplication.translate("ExportDialog", text), value)
        return box

    def _lay_out(self) -> None:
        form = self._form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow(self.tr("What"), _row(self.what, self.colour))
        self._backdrop_row = _row(self.backdrop, self._browse(self._choose_backdrop))
        form.addRow(self.tr("Background"), self._backdrop_row)
        form.addRow(self.tr("Objects"), self.scope)
        form.addRow(self.tr("Format"), _row(self.format, self.depth))
        form.addRow(self.tr("Quality"), self.quality)
        form.addRow("", self.original)
        form.addRow("", _row(self.trim, self.padding))
        form.addRow(self.tr("Size"), _row(self.size, self.amount))
        form.addRow(self.tr("Decontaminate"), _row(self.decontaminate, self.own))
        form.addRow(self.tr("Folder"), _row(self.folder, self._browse(self._browse_to)))
        form.addRow(self.tr("Name"), self.template)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok = self.buttons.addButton(
            self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # Qt's own cannot be seen on dark grey
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(self.preview)
        layout.addWidget(self.overwrite)
        layout.addStretch()
        layout.addWidget(self.buttons)
        self.setMinimumWidth(480)

    def _browse(self, handler: object) -> QToolButton:
        button = QToolButton()
        palette = self.palette()
        button.setIcon(icon("folder-open-outline", palette.buttonText().color().name()))
        button.setToolTip(self.tr("Choose another"))
        button.clicked.connect(handler)
        return button

    def _show(self, options: ExportOptions, folder: Path) -> None:
        what: str = options.what
        if what == "composite":
            what = "picture" if options.background_picture else "colour"
        longest = options.longest_side
        values = {
            self.what: what,
            self.scope: options.scope if len(self._candidates) > 1 else "active",
            self.format: options.format,
            self.depth: options.depth,
            self.size: "scale" if longest is None else "longest_side",
        }
        for box, value in values.items():
            box.setCurrentIndex(box.findData(value))
        self.quality.setValue(options.quality)
        self.backdrop.setText(str(options.background_picture or ""))
        self.trim.setChecked(options.trim)
        self.padding.setValue(options.padding)
        self._limit_amount()
        self.amount.setValue(longest or round(options.scale * 100))
        self.own.setChecked(options.decontaminate is None)
        amount = options.decontaminate
        if amount is None:
            amount = max(each.decontaminate for each in self._candidates)
        self.decontaminate.setValue(round(amount * 100))
        self.original.setChecked(options.original)
        self.folder.setText(str(folder))
        self.template.setText(options.template)

    def _connect(self) -> None:
        for box in (self.what, self.scope, self.format, self.depth):
            box.currentIndexChanged.connect(self._update)
        self.size.currentIndexChanged.connect(self._on_size_changed)
        for spin in (self.quality, self.padding, self.amount):
            spin.valueChanged.connect(self._update)
        for check in (self.trim, self.own, self.original, self.overwrite):
            check.toggled.connect(self._update)
        for line in (self.backdrop, self.folder, self.template):
            line.textChanged.connect(self._update)
        self.colour.clicked.connect(self._choose_colour)
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)

    # -- What is chosen ------------------------------------------------------

    @property
    def options(self) -> ExportOptions:
        """What the controls show; it may be impossible."""
        what, size = self.what.currentData(), self.size.currentData()
        if BY_ID[self.format.currentData()].layered:
            what = "cutout"  # layers are nothing else
        on_picture = what == "picture"
        number = self.amount.value()
        colour = self._colour
        own = self.own.isChecked()
        return ExportOptions(
            what="composite" if what in ("colour", "picture") else what,
            format=self.format.currentData(),
            depth=self.depth.currentData(),
            quality=self.quality.value(),
            background=(colour.red(), colour.green(), colour.blue()),
            background_picture=Path(self.backdrop.text()) if on_picture else None,
            trim=self.trim.isChecked(),
            padding=self.padding.value(),
            scale=number / 100 if size == "scale" else 1.0,
            longest_side=number if size == "longest_side" else None,
            decontaminate=None if own else self.decontaminate.value() / 100,
            scope=self.scope.currentData(),
            original=self.original.isChecked(),
            template=self.template.text(),
        )

    def _groups(self, options: ExportOptions) -> list[list[Candidate]]:
        """The objects of each file."""
        active = [each for each in self._candidates if each.active]
        if options.scope == "active":
            return [active]
        if options.scope == "each":
            return [[each] for each in self._candidates]
        return [list(self._candidates)]

    def _frame(self, options: ExportOptions, group: Sequence[Candidate]) -> Frame:
        lefts, tops, rights, bottoms = zip(*(x.support for x in group), strict=True)
        support = (min(lefts), min(tops), max(rights), max(bottoms))
        empty = support[0] >= support[2] or support[1] >= support[3]
        size = self._picture.width, self._picture.height
        return options.frame(*size, None if empty else support)

    def planned(self) -> list[tuple[Path, Frame]]:
        """The files that would be written, were their names free, and their sizes.

        Raises:
            ZimError: the choices are impossible.
        """
        options = self.options.validated()
        backdrop = options.background_picture
        if backdrop is not None and not backdrop.is_file():
            raise ZimError(self.tr("Choose a picture for the background."))
        suffix = options.file_format.suffixes[0]
        planned = []
        for n, group in enumerate(self._groups(options), 1):
            frame = self._frame(options, group)
            names = [each.name for each in group]
            stem = planned_stem(self._picture, names, frame, options, n=n)
            path = Path(self.folder.text()) / f"{stem}{suffix}"
            check_target(self._picture, path, replace(options, trim=True))
            planned.append((path, frame))
        return planned

    # -- Changes -------------------------------------------------------------

    @Slot()
    def _update(self) -> None:
        """Show only what matters for these choices, and what they lead to."""
        options, what = self.options, self.what.currentData()
        layered = options.file_format.layered
        self.what.setEnabled(not layered)
        self.colour.setVisible(what == "colour" and not layered)
        self._form.setRowVisible(self._backdrop_row, what == "picture" and not layered)
        self._form.setRowVisible(self.scope, len(self._candidates) > 1)
        self._form.setRowVisible(self.quality, options.file_format.lossy)
        self._form.setRowVisible(self.original, layered)
        self.depth.setEnabled(options.file_format.deep)
        self.padding.setEnabled(options.trim)
        self.decontaminate.setEnabled(not self.own.isChecked())
        swatch = QPixmap(16, 16)
        swatch.fill(self._colour)
        self.colour.setIcon(QIcon(swatch))
        self._preview()

    def _preview(self) -> None:
        try:
            planned = self.planned()
        except ZimError as error:
            words = (error_text(error.message), error_text(error.hint))
            self.preview.setText(" ".join(words).strip())
            self.overwrite.hide()
            self.ok.setEnabled(False)
            return
        self.ok.setEnabled(True)
        taken = [path for path, _ in planned if path.exists()]
        self.overwrite.setVisible(bool(taken))
        lines = []
        for path, frame in planned[:3]:
            name = path.name
            if path.exists() and not self.overwrite.isChecked():
                name = free_path(path).name
            text = self.tr("{} – {} × {} pixels")
            lines.append(text.format(name, frame.width, frame.height))
        if len(planned) > 3:
            lines.append(self.tr("… and {} more files").format(len(planned) - 3))
        if taken:
            replaced = self.overwrite.isChecked()
            text = (
                self.tr("{} will be replaced.")
                if replaced
                else self.tr("{} exists already; the new file gets a number.")
            )
            lines.append(text.format(taken[0].name))
        self.preview.setText("\n".join(lines))

    @Slot()
    def _on_size_changed(self) -> None:
        self._limit_amount()
        by_scale = self.size.currentData() == "scale"
        longest = max(self._picture.width, self._picture.height)
        self.amount.setValue(100 if by_scale else longest)
        self._update()

    def _limit_amount(self) -> None:
        by_scale = self.size.currentData() == "scale"
        self.amount.setRange(1, 1000 if by_scale else 100_000)
        self.amount.setSuffix(self.tr(" %") if by_scale else self.tr(" px"))
        self.amount.setToolTip(
            self.tr("Percent of the picture's size")
            if by_scale
            else self.tr("Pixels of the longer side")
        )

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

    @Slot()
    def _browse_to(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder"), self.folder.text())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    @Slot()
    def _on_accepted(self) -> None:
        folder = Path(self.folder.text())
        self.export_requested.emit(self.options, folder, self.overwrite.isChecked())
        self.accept()


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        grows = isinstance(widget, QLineEdit | QSlider | QComboBox)
        layout.addWidget(widget, 1 if grows else 0)
    return row
