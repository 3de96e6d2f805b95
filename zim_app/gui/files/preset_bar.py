"""The list of export presets, with a menu to save, rename, delete and exchange them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QStandardPaths, Qt, Signal, Slot
from PySide6.QtGui import QAction, QIcon, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.export_options import ExportOptions
from zim_app.core.presets import SUFFIX, Preset, PresetStore, check_name, write_preset
from zim_app.gui.files.dialogs import question_box
from zim_app.gui.icon_button import IconButton
from zim_app.gui.language import translate_message
from zim_app.gui.notices import insert_break_points
from zim_model.errors import ZimError

MOST_PROBLEMS = 2
"""Problems that are shown; the others are in the tool tip."""


class PresetBar(QWidget):
    """List of the presets, and a menu; it shows whether the options are a preset's.

    Args:
        several: whether options differ by their scope, too.
        store: of the presets.

    **Signals**: ``chosen(options)``: the user chose a preset; the receiver shows the
    options, and calls :meth:`follow` with what it shows then.

    **Threads**: the window's only; the files are small.
    """

    chosen = Signal(object)

    def __init__(
        self,
        *,
        several: bool,
        store: PresetStore | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._several = several
        self._store = store or PresetStore()
        self._presets: tuple[Preset, ...] = ()
        self._preset: Preset | None = None
        """The preset that the options started from."""
        self._unchanged: ExportOptions | None = None
        """The options that it was shown as."""
        self._options = ExportOptions()
        self._make_controls()
        self._make_menu()
        self._lay_out()
        self.reload()

    # -- Set-up --------------------------------------------------------------

    def _make_controls(self) -> None:
        self.list = QComboBox()
        self.list.setObjectName("preset")
        self.list.setToolTip(self.tr("Named settings of the export"))
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.list.setSizeAdjustPolicy(policy)
        self.list.setMinimumContentsLength(24)
        self.list.activated.connect(self._on_list_activated)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)

    def _make_menu(self) -> None:
        self.button = IconButton("dots-horizontal", self.tr("Manage the presets"))
        self.button.setAutoRaise(False)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self.button.setMenu(menu)
        self.save = self._action(menu, self.tr("&Save"), self._save)
        self.save_as = self._action(menu, self.tr("Save &as…"), self._ask_save_as)
        self.rename = self._action(menu, self.tr("&Rename…"), self._ask_rename)
        self.delete = self._action(menu, self.tr("&Delete…"), self._ask_delete)
        menu.addSeparator()
        self.add = self._action(menu, self.tr("&Import…"), self._ask_import)
        self.share = self._action(menu, self.tr("&Export…"), self._ask_export)

    def _action(self, menu: QMenu, text: str, handler: Callable[[], None]) -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(handler)
        return action

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.list, 1)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.problem)

    # -- What is shown -------------------------------------------------------

    @property
    def preset(self) -> Preset | None:
        """The preset that the options started from; None if there is none."""
        return self._preset

    @property
    def is_changed(self) -> bool:
        """Whether the options are no longer those of :attr:`preset`."""
        return self._options != self._unchanged

    def start(self, options: ExportOptions) -> None:
        """Show the preset with these options, if there is one."""
        self._options = options
        self._preset = self._find(options)
        self._unchanged = options
        self._show()

    def follow(self, options: ExportOptions) -> None:
        """Show whether these options are still those of the preset."""
        self._options = options
        if self._unchanged is None:  # as they are shown after a choice
            self._unchanged = options
        if self._preset is None:
            self.start(options)
        else:
            self._show()

    @Slot()
    def reload(self) -> None:
        """Read the presets again; files that cannot be used are named."""
        self._presets, problems = self._store.load()
        self._show_problems(problems)
        name = self._preset.name if self._preset else ""
        self._preset = self._by_name(name)
        if self._preset is None:
            self.start(self._options)
        else:
            self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Notice what other windows and programs changed."""
        self.reload()
        super().showEvent(event)

    def _find(self, options: ExportOptions) -> Preset | None:
        for preset in self._presets:
            own = preset.options
            if not self._several:
                own = replace(own, scope=options.scope)
            if own == options:
                return preset
        return None

    def _by_name(self, name: str) -> Preset | None:
        return next((each for each in self._presets if each.name == name), None)

    def _show(self) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            if self._preset is None:
                self.list.addItem(self.tr("Custom"))
            elif self.is_changed:
                text = self.tr("{} (changed)").format(_title(self._preset))
                self.list.addItem(text)
            was_built_in = True
            for preset in self._presets:
                if was_built_in and not preset.built_in:
                    self.list.insertSeparator(self.list.count())
                was_built_in = preset.built_in
                self.list.addItem(_title(preset), preset.name)
            index = 0
            if self._preset is not None and not self.is_changed:
                index = self.list.findData(self._preset.name)
            self.list.setCurrentIndex(index)
        own = self._preset is not None and not self._preset.built_in
        self.save.setEnabled(own and self.is_changed)
        self.rename.setEnabled(own)
        self.delete.setEnabled(own)

    def _show_problems(self, problems: Sequence[ZimError]) -> None:
        texts = [translate_message(problem.text) for problem in problems]
        self.problem.setToolTip("\n".join(texts))
        if len(texts) > MOST_PROBLEMS:
            more = len(texts) - MOST_PROBLEMS
            texts = [*texts[:MOST_PROBLEMS], self.tr("… and {} more").format(more)]
        self.problem.setText(insert_break_points("\n".join(texts)))
        self.problem.setVisible(bool(texts))

    # -- What the user does --------------------------------------------------

    @Slot(int)
    def _on_list_activated(self, index: int) -> None:
        preset = self._by_name(self.list.itemData(index) or "")
        if preset is not None:
            self._choose(preset)

    def _choose(self, preset: Preset) -> None:
        self._preset, self._unchanged = preset, None
        self.chosen.emit(preset.options)

    @Slot()
    def _save(self) -> None:
        if self._preset is not None:
            self._save_as(self._preset.name)

    @Slot()
    def _ask_save_as(self) -> None:
        own = self._preset is not None and not self._preset.built_in
        name = self._preset.name if self._preset and own else ""
        dialog = NameDialog(self.tr("Save as"), name, self._own_names(), self)
        dialog.named.connect(self._save_as)
        dialog.open()

    @Slot(str)
    def _save_as(self, name: str) -> None:
        with self._errors_shown():
            preset = self._store.save(name, self._options)
            self.reload()
            self._preset = self._by_name(preset.name)
            self._unchanged = self._options
            self._show()

    @Slot()
    def _ask_rename(self) -> None:
        assert self._preset is not None
        old = self._preset.name
        others = [name for name in self._own_names() if name != old]
        dialog = NameDialog(self.tr("Rename"), old, others, self)
        dialog.named.connect(self._rename)
        dialog.open()

    @Slot(str)
    def _rename(self, new: str) -> None:
        assert self._preset is not None
        with self._errors_shown():
            name = self._store.rename(self._preset.name, new)
            unchanged = self._unchanged
            self.reload()
            self._preset, self._unchanged = self._by_name(name), unchanged
            self._show()

    @Slot()
    def _ask_delete(self) -> None:
        assert self._preset is not None
        text = self.tr("Delete the preset {}? Its file is removed from the disk.")
        title, name = self.tr("Delete preset"), self._preset.name
        box = question_box(self, title, text.format(name))
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        for button in (delete, cancel):
            button.setIcon(QIcon())
        box.setDefaultButton(cancel)
        box.accepted.connect(self._delete)
        box.open()

    @Slot()
    def _delete(self) -> None:
        assert self._preset is not None
        with self._errors_shown():
            self._store.delete(self._preset.name)
            self.reload()

    @Slot()
    def _ask_import(self) -> None:
        dialog = self._file_dialog(self.tr("Import a preset"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._import)
        dialog.open()

    @Slot(str)
    def _import(self, file: str) -> None:
        with self._errors_shown():
            name = self._store.add(Path(file)).name
            self.reload()
            preset = self._by_name(name)
            if preset is not None:
                self._choose(preset)

    @Slot()
    def _ask_export(self) -> None:
        dialog = self._file_dialog(self.tr("Export the preset"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
        name = self._preset.name if self._preset else self.tr("preset")
        dialog.selectFile(f"{name}{SUFFIX}")
        dialog.fileSelected.connect(self._export)
        dialog.open()

    @Slot(str)
    def _export(self, file: str) -> None:
        with self._errors_shown():
            write_preset(Path(file), self._options)

    def _file_dialog(self, title: str) -> QFileDialog:
        documents = QStandardPaths.StandardLocation.DocumentsLocation
        folder = QStandardPaths.writableLocation(documents)
        dialog = QFileDialog(self, title, folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        presets = self.tr("Presets ({})").format(f"*{SUFFIX}")
        dialog.setNameFilters([presets, self.tr("All files (*)")])
        return dialog

    def _own_names(self) -> list[str]:
        return [each.name for each in self._presets if not each.built_in]

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        """Show an expected failure below the list, and go on."""
        try:
            yield
        except ZimError as error:
            self._show_problems([error])


class NameDialog(QDialog):
    """Dialog for the name of a preset; only names that can be used are accepted.

    Args:
        title: of the dialog.
        name: to begin with.
        others: names that are taken.

    **Signals**: ``named(name)``.

    **Threads**: the window's only.
    """

    named = Signal(str)

    def __init__(
        self, title: str, name: str, others: Sequence[str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setMinimumWidth(360)
        self._others = others
        self.line = QLineEdit(name)
        self.line.setToolTip(self.tr("Name of the preset, and of its file"))
        self.line.setAccessibleName(self.tr("Name of the preset"))
        self.line.selectAll()
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.problem.setMinimumHeight(4 * self.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        for button in buttons.buttons():
            button.setIcon(QIcon())  # Qt's own icon is invisible on dark grey
        self.ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        layout = QVBoxLayout(self)
        for widget in (self.line, self.problem, buttons):
            layout.addWidget(widget)
        self.line.textChanged.connect(self._update)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self._update()

    @Slot()
    def _update(self) -> None:
        problem = ""
        try:
            check_name(self.line.text(), self._others)
        except ZimError as error:
            problem = translate_message(error.text) if self.line.text() else ""
            self.ok.setEnabled(False)
        else:
            self.ok.setEnabled(True)
        self.problem.setText(insert_break_points(problem))

    def accept(self) -> None:
        self.named.emit(self.line.text())
        super().accept()


def _title(preset: Preset) -> str:
    return translate_message(preset.title) or preset.name
