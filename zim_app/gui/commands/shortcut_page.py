"""The page of the settings dialog for the keys of actions."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.commands import shortcuts
from zim_app.gui.commands.actions import BY_ID, sections
from zim_app.gui.settings import preferences


class ShortcutPage(QWidget):
    """All actions and their keys; a key typed in the field is for the selected action.

    A key of another action is reassigned only after the user has confirmed.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: dict[str, QTreeWidgetItem] = {}
        self._pending_key = ""
        self._sections: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self.tree = self._tree()
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setToolTip(self.tr("Click here, then press the new key"))
        self.edit.editingFinished.connect(self._on_key_pressed)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        self.take_button = self._button(self.tr("Use it here"), self._take_key)
        self.remove_button = self._button(self.tr("No key"), self._remove)
        self.reset_button = self._button(self.tr("Default key"), self._reset_one)
        self.take_button.setToolTip(self.tr("Take the key away from the other action"))
        self.remove_button.setToolTip(self.tr("Leave the action without a key"))
        self.reset_button.setToolTip(self.tr("Give the action its default keys"))
        self._lay_out()
        preferences.changed.connect(self._on_preference_changed)
        self._update_keys()
        self.tree.setCurrentItem(next(iter(self.items.values())))

    def _tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels([self.tr("Action"), self.tr("Keys")])
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.setRootIsDecorated(False)
        tree.setAccessibleName(self.tr("Actions and their keys"))
        for title, ids in sections():
            top = QTreeWidgetItem(tree, [title])
            top.setFlags(Qt.ItemFlag.ItemIsEnabled)
            top.setExpanded(True)
            self._sections.append((top, []))
            for id_ in ids:
                item = QTreeWidgetItem(top, [BY_ID[id_].label])
                item.setData(0, Qt.ItemDataRole.UserRole, id_)
                self.items[id_] = item
                self._sections[-1][1].append(item)
        tree.currentItemChanged.connect(self._on_current_changed)
        return tree

    def _button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        label = QLabel(self.tr("New key:"))
        label.setBuddy(self.edit)
        row.addWidget(label)
        row.addWidget(self.edit, 1)
        row.addWidget(self.remove_button)
        row.addWidget(self.reset_button)
        below = QHBoxLayout()
        below.addWidget(self.warning, 1)
        below.addWidget(self.take_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        layout.addLayout(below)

    @property
    def current(self) -> str:
        """The id of the selected action; empty without one."""
        item = self.tree.currentItem()
        return str(item.data(0, Qt.ItemDataRole.UserRole) or "") if item else ""

    def show_matching(self, words: str) -> int:
        """Show only actions with all words in text or keys; return their number."""
        count = 0
        for item in self.items.values():
            text = f"{item.text(0)} {item.text(1)}".casefold()
            matches = all(word in text for word in words.casefold().split())
            item.setHidden(not matches)
            count += matches
        for top, children in self._sections:
            top.setHidden(all(child.isHidden() for child in children))
        return count

    @Slot()
    def reset(self) -> None:
        """Reset all actions to their default keys."""
        shortcuts.store_overrides({})
        self._show_conflict("")

    @Slot()
    def _on_key_pressed(self) -> None:
        """Use the key if it is free; otherwise show which action has it."""
        portable = QKeySequence.SequenceFormat.PortableText
        key = self.edit.keySequence().toString(portable)
        if not key or not self.current:
            return
        owner = shortcuts.action_with_key(key, shortcuts.current())
        if owner == self.current:
            self._show_conflict("")
        elif use := shortcuts.canvas_use(key):
            use = QCoreApplication.translate("Gestures", use)
            message = self.tr("{} always does this on the canvas: {}.")
            self._show_conflict("", message.format(shortcuts.native_text(key), use))
        elif owner:
            message = self.tr("{} belongs to “{}”.")
            self._show_conflict(
                key,
                message.format(shortcuts.native_text(key), BY_ID[owner].label),
            )
        else:
            self._bind(key)

    def _show_conflict(self, key: str, warning: str = "") -> None:
        """Show why a key cannot be used; ``key`` can be taken over by the button."""
        self._pending_key = key
        self.warning.setText(warning)
        self.take_button.setVisible(bool(key))
        if not warning:
            self.edit.clear()

    @Slot()
    def _take_key(self) -> None:
        self._bind(self._pending_key)

    @Slot()
    def _remove(self) -> None:
        self._bind("")

    def _bind(self, key: str) -> None:
        shortcuts.store_overrides(
            shortcuts.bind_key(shortcuts.overrides(), self.current, key)
        )
        self._show_conflict("")

    @Slot()
    def _reset_one(self) -> None:
        shortcuts.store_overrides(
            shortcuts.reset_key(shortcuts.overrides(), self.current)
        )
        self._show_conflict("")

    @Slot(QTreeWidgetItem, QTreeWidgetItem)
    def _on_current_changed(self, item: QTreeWidgetItem, before: object) -> None:
        self._show_conflict("")
        for widget in (self.edit, self.remove_button, self.reset_button):
            widget.setEnabled(bool(self.current))

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "shortcuts":
            self._update_keys()

    def _update_keys(self) -> None:
        changed = shortcuts.overrides()
        for id_, keys in shortcuts.current().items():
            item = self.items[id_]
            item.setText(1, "   ".join(map(shortcuts.native_text, keys)))
            font = item.font(1)
            font.setBold(id_ in changed)
            item.setFont(1, font)
