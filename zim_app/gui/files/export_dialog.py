"""The export dialog, with a preview of file names and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os.path import isdir, isfile
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.export import (
    ExportOptions,
    check_target,
    plan_stem,
)
from zim_app.core.framing import ExportFrame, Rect
from zim_app.core.images import Image
from zim_app.core.naming import free_path
from zim_app.gui.files.export_form import ExportForm
from zim_app.gui.files.halo_hint import HaloHint
from zim_app.gui.files.shadow_hint import ShadowHint
from zim_app.gui.form_rows import (
    browse_button,
    choose_folder,
    typed_path,
    widget_row,
)
from zim_app.gui.language import translate_message
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class ExportObject:
    """An object in the export dialog.

    Attributes:
        name: the user's name for it.
        support: (left, top, right, bottom) of its visible alpha, in pixels.
        decontaminate: its own amount, 0 to 1.
        active: whether it is the active object.
    """

    name: str
    support: Rect
    decontaminate: float
    active: bool


class ExportDialog(QDialog):
    """Dialog for export options and folder, with a live preview.

    Args:
        image: the image.
        objects: the active object and all visible ones, the lowest first.
        options: initial options.
        folder: initial folder.
        halo: hint about the objects, in the same order; the dialog owns it.
        shadow: the same about their shadow.

    **Signals**: ``export_requested(options, folder, overwrite)``.

    **Threads**: the window's only.
    """

    export_requested = Signal(object, object, bool)

    def __init__(
        self,
        image: Image,
        objects: Sequence[ExportObject],
        options: ExportOptions,
        folder: Path,
        halo: HaloHint,
        shadow: ShadowHint,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Export"))
        self._image = image
        self._objects = objects
        self.halo, self.shadow = halo, shadow
        several, longest = len(objects) > 1, max(image.width, image.height)
        self.form = ExportForm(several=several, longest=longest)
        self._make_controls()
        self._lay_out()
        amount = max(object_.decontaminate for object_ in objects)
        self.form.show_options(options, amount)
        self.folder.setText(str(folder))
        self._connect()
        self._preview()

    # -- Set-up --------------------------------------------------------------

    def _make_controls(self) -> None:
        self.folder = QLineEdit()
        self.folder.setToolTip(self.tr("Folder to write to"))
        self.folder.setAccessibleName(self.folder.toolTip())
        self.overwrite = QCheckBox(self.tr("Replace the existing file"))
        self.overwrite.setToolTip(self.tr("Otherwise the new one gets a number"))
        self.preview = QLabel()
        self.preview.setWordWrap(True)
        self.preview.setTextFormat(Qt.TextFormat.PlainText)

    def _lay_out(self) -> None:
        self.form.show_below_decontaminate(self.halo)
        self.form.show_below_shadow(self.shadow)
        browse = browse_button(self._browse_to)
        self.form.form.insertRow(
            self.form.form.rowCount() - 1,
            self.tr("Folder"),
            widget_row(self.folder, browse),
        )
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.ok = self.buttons.addButton(
            self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # Qt's own icon is invisible on dark grey
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.form)
        layout.addWidget(self.preview)
        layout.addWidget(self.overwrite)
        layout.addStretch()
        layout.addWidget(self.buttons)
        self.setMinimumWidth(480)

    def _connect(self) -> None:
        self.form.changed.connect(self._preview)
        self.overwrite.toggled.connect(self._preview)
        self.folder.textChanged.connect(self._preview)
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.reject)
        self.halo.fix_requested.connect(self.form.decontaminate_fully)
        for hint in (self.halo, self.shadow):
            self.finished.connect(hint.stop)

    # -- Choices ------------------------------------------------------

    @property
    def options(self) -> ExportOptions:
        """The chosen options; they may be invalid."""
        return self.form.options

    def _object_groups(self, options: ExportOptions) -> list[list[ExportObject]]:
        """The objects of each file."""
        active = [object_ for object_ in self._objects if object_.active]
        if options.scope == "active":
            return [active]
        if options.scope == "each":
            return [[object_] for object_ in self._objects]
        return [list(self._objects)]

    def _frame(
        self, options: ExportOptions, group: Sequence[ExportObject]
    ) -> ExportFrame:
        lefts, tops, rights, bottoms = zip(*(x.support for x in group), strict=True)
        support = (min(lefts), min(tops), max(rights), max(bottoms))
        empty = support[0] >= support[2] or support[1] >= support[3]
        size = self._image.width, self._image.height
        return options.frame(*size, None if empty else support)

    def planned(self) -> list[tuple[Path, ExportFrame]]:
        """Planned files, before making their names unique, and their frames.

        Raises:
            ZimError: the choices are invalid.
        """
        options = self.options.validate()
        backdrop = options.background_image
        if backdrop is not None and not isfile(backdrop):
            raise ZimError(self.tr("Choose an image for the background."))
        folder = typed_path(self.folder)
        if folder is None:
            raise ZimError(self.tr("Choose a folder."))
        suffix = options.file_format.suffixes[0]
        planned = []
        for n, group in enumerate(self._object_groups(options), 1):
            frame = self._frame(options, group)
            names = [object_.name for object_ in group]
            own = Path(self._image.name).stem
            stem = plan_stem(own, names, frame, options, n=n)
            path = folder / f"{stem}{suffix}"
            trimmed = replace(options, trim=True)  # the size is checked at the end
            check_target(self._image, path, trimmed, folder_is_made=True)
            planned.append((path, frame))
        return planned

    def _amounts(self, options: ExportOptions) -> list[tuple[int, float]]:
        """Indexes of the exported objects, and their amounts of decontamination."""
        groups = self._object_groups(options)
        one = options.scope == "together" and not options.file_format.layered
        most = max(object_.decontaminate for object_ in self._objects)
        amounts = []
        for index, object_ in enumerate(self._objects):
            own = most if one else object_.decontaminate
            amount = own if options.decontaminate is None else options.decontaminate
            if any(object_ in group for group in groups):
                amounts.append((index, amount))
        return amounts

    # -- Changes -------------------------------------------------------------

    @Slot()
    def _preview(self) -> None:
        self.form.form.setRowVisible(self.halo, self.options.what != "matte")
        self.halo.choose(self._amounts(self.options))
        self._preview_shadow(self.options)
        try:
            planned = self.planned()
        except ZimError as error:
            self.preview.setText(translate_message(error.text))
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
            line = self.tr("{} – {} × {} pixels").format(
                name, frame.width, frame.height
            )
            if frame.part is not None:
                line += self.tr(", the object at {} % of the photo's size").format(
                    frame.percent
                )
            elif frame.percent != 100:
                line += self.tr(", {} % of the photo's").format(frame.percent)
            lines.append(line)
        if len(planned) > 3:
            lines.append(self.tr("… and {} more files").format(len(planned) - 3))
        if not isdir(planned[0][0].parent):
            lines.append(self.tr("The folder does not exist; it is made."))
        if taken:
            replaced = self.overwrite.isChecked()
            text = (
                self.tr("{} will be replaced.")
                if replaced
                else self.tr("{} exists already; the new file gets a number.")
            )
            lines.append(text.format(taken[0].name))
        self.preview.setText("\n".join(lines))

    def _preview_shadow(self, options: ExportOptions) -> None:
        wanted = options.shadow and options.what != "matte"
        self.form.form.setRowVisible(self.shadow, wanted)
        groups = self._object_groups(options) if wanted else []
        indexes = [tuple(map(self._objects.index, group)) for group in groups]
        self.shadow.choose(indexes)

    @Slot()
    def _browse_to(self) -> None:
        choose_folder(self.folder, self.tr("Choose a folder"))

    @Slot()
    def _on_accepted(self) -> None:
        folder = typed_path(self.folder)
        assert folder is not None  # else there is no plan
        self.export_requested.emit(self.options, folder, self.overwrite.isChecked())
        self.accept()
