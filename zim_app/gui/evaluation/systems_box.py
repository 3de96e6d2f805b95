"""The list of models and folders of predictions to compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.evaluation.choices import ChosenFolder
from zim_app.gui.files.dialogs import folder_dialog
from zim_app.gui.icon_button import IconButton
from zim_model.weights.catalogue import DEFAULT_MODEL, find_known
from zim_model.weights.installed import installed_models

_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_VALUE = Qt.ItemDataRole.UserRole


class SystemsBox(QGroupBox):
    """Lists of check boxes for installed models and for folders of predictions.

    **Signals**: ``edited()``: a check box or a name has changed.

    **Threads**: the window's only.
    """

    edited = Signal()

    def __init__(
        self,
        models: Sequence[str],
        folders: Sequence[ChosenFolder],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Models"))
        self.model_list = _check_list(self.tr("Models"))
        self.model_list.setToolTip(
            self.tr("Installed models; check those to compare (Space)")
        )
        self.folder_list = _check_list(self.tr("Folders of predictions"))
        self.folder_list.setToolTip(
            self.tr(
                "Mattes that other systems made, as PROMPT/CASE.png, CASE_PROMPT.png or"
                " CASE.png; a double click renames (F2)"
            )
        )
        self.add_button = IconButton(
            "folder-plus-outline",
            self.tr("Add a folder of another system's mattes"),
            self._choose_folder,
        )
        self.remove_button = IconButton(
            "close",
            self.tr("Remove the folder from the list; its files stay"),
            self._remove_folder,
        )
        row = QHBoxLayout()
        row.addWidget(QLabel(self.tr("Folders of predictions")), 1)
        row.addWidget(self.add_button)
        row.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.model_list)
        layout.addLayout(row)
        layout.addWidget(self.folder_list)
        self.fill_models(models)
        _fit_height(self.folder_list, 1, 4)
        for folder in folders:
            self._add(folder)
        self._on_current_changed()
        self.model_list.itemChanged.connect(self.edited)
        self.folder_list.itemChanged.connect(self.edited)
        self.folder_list.currentRowChanged.connect(self._on_current_changed)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the checked models."""
        items = _items(self.model_list)
        return tuple(x.data(_VALUE) for x in items if x.checkState() == _CHECKED)

    @property
    def folders(self) -> tuple[ChosenFolder, ...]:
        """All folders with their current names."""
        return tuple(
            ChosenFolder(
                item.text().strip() or Path(item.data(_VALUE)).name,
                item.data(_VALUE),
                item.checkState() == _CHECKED,
            )
            for item in _items(self.folder_list)
        )

    def fill_models(self, chosen: Sequence[str]) -> None:
        """List the installed models, and check those in ``chosen``."""
        blocked = self.model_list.blockSignals(True)
        self.model_list.clear()
        names = [model.name for model in installed_models()]
        if not set(chosen) & set(names) and chosen:
            chosen = (DEFAULT_MODEL,)
        for name in names:
            info = find_known(name)
            item = QListWidgetItem(info.title if info else name)
            item.setData(_VALUE, name)
            item.setToolTip(name)
            item.setCheckState(_CHECKED if name in chosen else _UNCHECKED)
            self.model_list.addItem(item)
        _fit_height(self.model_list, 2, 6)
        self.model_list.blockSignals(blocked)

    @Slot(str)
    def add_folder(self, path: str) -> None:
        """Add a folder of predictions, named after the folder."""
        names_in_use = {folder.name for folder in self.folders} | set(self.models)
        base_name = Path(path).name or path
        name, number = base_name, 2
        while name in names_in_use:
            name, number = f"{base_name} {number}", number + 1
        self._add(ChosenFolder(name, path))
        self.edited.emit()

    def _add(self, folder: ChosenFolder) -> None:
        item = QListWidgetItem(folder.name)
        item.setData(_VALUE, folder.path)
        item.setToolTip(folder.path)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setCheckState(_CHECKED if folder.chosen else _UNCHECKED)
        self.folder_list.addItem(item)
        _fit_height(self.folder_list, 1, 4)

    @Slot()
    def _choose_folder(self) -> None:
        title = self.tr("Choose a folder of another system's mattes")
        dialog = folder_dialog(self, title)
        dialog.fileSelected.connect(self.add_folder)
        dialog.open()

    @Slot()
    def _remove_folder(self) -> None:
        self.folder_list.takeItem(self.folder_list.currentRow())
        _fit_height(self.folder_list, 1, 4)
        self.edited.emit()

    @Slot()
    def _on_current_changed(self) -> None:
        self.remove_button.setEnabled(self.folder_list.currentRow() >= 0)


def _check_list(name: str) -> QListWidget:
    """An empty list of check boxes."""
    list_widget = QListWidget()
    list_widget.setAccessibleName(name)
    list_widget.setMinimumWidth(120)
    return list_widget


def _items(list_widget: QListWidget) -> list[QListWidgetItem]:
    return [list_widget.item(i) for i in range(list_widget.count())]


def _fit_height(list_widget: QListWidget, min_rows: int, max_rows: int) -> None:
    """Set the height of a list to its rows, within bounds."""
    row = max(list_widget.sizeHintForRow(0), list_widget.fontMetrics().height() + 4)
    count = min(max(list_widget.count(), min_rows), max_rows)
    list_widget.setFixedHeight(row * count + 2 * list_widget.frameWidth() + 4)
