"""The panel of an image's objects: select, rename, show, reorder, merge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QIcon, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QDockWidget,
    QListView,
    QMenu,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from zim_app.core.scene import (
    differences,
    merge_objects,
    remove_objects,
    strokes_interfere,
    unite_recipes,
)
from zim_app.gui.document import OBJECT_COLOURS, Document, DocumentState
from zim_app.gui.panels.difference_names import DIFFERENCE_NAMES
from zim_app.gui.panels.object_rows import ObjectModel, RowDelegate, part_under
from zim_app.gui.panels.object_texts import object_name, tr

BUTTONS = (
    *("everything", "object_new", "object_duplicate"),
    *("object_merge", "object_delete"),
)
CONTEXT = (
    *("object_rename", "object_colour", "object_visible", "object_solo", ""),
    *("object_new", "object_duplicate", "object_merge", "clear", ""),
    *("object_raise", "object_lower", "", "object_delete"),
)
"""Actions of a row's menu; an empty string is a separator."""


class ObjectList(QListView):
    """The list view; clicks on eye, swatch and solo do not select the row.

    **Signals**: ``part_clicked(part, row, alt)``: "eye", "swatch" or "solo";
    ``removal_requested()``: the Delete key.

    **Threads**: the window's only.
    """

    part_clicked = Signal(str, int, bool)
    removal_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(RowDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed)
        # Not InternalMove, which would move the rows one by one.
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def event(self, event: QEvent) -> bool:
        # With the focus on the list, these keys apply to objects, not to prompts.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (*_REMOVAL_KEYS, Qt.Key.Key_Space)
            and not event.modifiers()
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        if event.modifiers():
            super().keyPressEvent(event)
        elif event.key() in _REMOVAL_KEYS:
            self.removal_requested.emit()
        elif event.key() == Qt.Key.Key_Space and row >= 0:
            self.part_clicked.emit("eye", row, False)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._click_part(event):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._click_part(event):  # two quick clicks on an eye are two clicks
            super().mouseDoubleClickEvent(event)

    def _click_part(self, event: QMouseEvent) -> bool:
        at = event.position().toPoint()
        index = self.indexAt(at)
        if event.button() != Qt.MouseButton.LeftButton or not index.isValid():
            return False
        part = part_under(self.visualRect(index), at.x(), at.y())
        if part not in ("eye", "swatch", "solo"):
            return False
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        self.part_clicked.emit(part, index.row(), alt)
        return True


_REMOVAL_KEYS = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class ObjectsPanel(QDockWidget):
    """All objects of the document, topmost first; the current row is the active one.

    **Signals**: ``rejected(message, hint, action_text, callback)``: the requested
    change cannot be made exactly; the callback makes the nearest one.
    ``selection_changed()``: the selected rows changed.

    **Threads**: the window's only.
    """

    rejected = Signal(str, str, str, object)
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Objects"))
        self.setObjectName("objects")
        self.document: Document | None = None
        self._following = False
        self._selected_before: list[int] = []
        self._actions: Mapping[str, QAction] = {}
        self.model = ObjectModel(self)
        self.list = ObjectList()
        self.list.setAccessibleName(self.tr("Objects"))
        self.list.setModel(self.model)
        self.list.part_clicked.connect(self._on_part_clicked)
        self.list.removal_requested.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.selectionModel().selectionChanged.connect(self.selection_changed)
        self.model.modelAboutToBeReset.connect(self._on_model_about_to_be_reset)
        self.buttons = QToolBar()
        self.buttons.setIconSize(QSize(18, 18))
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.buttons)
        self.setWidget(content)

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the object actions, by action id."""
        return {
            "object_new": self.add,
            "object_duplicate": self.duplicate,
            "object_delete": self.delete,
            "object_merge": self.merge,
            "object_rename": self.rename,
            "object_colour": self.choose_colour,
            "object_visible": self.toggle_visible,
            "object_solo": self.toggle_solo,
            "object_raise": partial(self._shift, -1),
            "object_lower": partial(self._shift, 1),
            "object_above": partial(self._step, -1),
            "object_below": partial(self._step, 1),
        }

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """Use these actions, by id, for the buttons and the rows' menus."""
        self._actions = actions
        for id_ in BUTTONS:
            self.buttons.addAction(actions[id_])

    def set_document(self, document: Document) -> None:
        """Show the objects of another document."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        with self._sync_current():
            self.model.set_document(document)
            self._select_active(document.state)
        document.changed.connect(self._on_document_changed)

    def enabled_actions(self) -> dict[str, bool]:
        """Whether the object actions that are not always available are enabled."""
        if self.document is None:
            return {}
        state, rows = self.document.state, len(self.document.state.objects)
        return {
            "object_merge": len(self.selected_ids) > 1,
            "object_delete": self._can_delete(),
            "object_raise": rows > 1,
            "object_lower": rows > 1,
            "object_above": state.active > 0,
            "object_below": state.active < rows - 1,
        }

    @property
    def selected_ids(self) -> list[int]:
        """Ids of the selected objects, topmost first; not empty with a document."""
        if self.document is None:
            return []
        state = self.document.state
        rows = {index.row() for index in self.list.selectionModel().selectedRows()}
        rows &= set(range(len(state.objects)))
        return [state.objects[row].id for row in sorted(rows or {state.active})]

    # -- Edits ----------------------------------------------------------------------

    @Slot()
    def add(self) -> None:
        """Add an empty object on top."""
        if self.document is not None:
            scene_object = self.document.new_object()
            objects = (scene_object, *self.document.state.objects)
            self.document.edit_objects(self.tr("New object"), objects, 0)

    @Slot()
    def duplicate(self) -> None:
        """Add a copy of each selected object just above it."""
        document = self.document
        if document is None:
            return
        objects, first = [], None
        selected = self.selected_ids
        for scene_object in document.state.objects:
            if scene_object.id in selected:
                name = self.tr("{} copy").format(object_name(scene_object))
                copy = document.new_object(scene_object.recipe, name)
                first = first or copy
                objects.append(copy)
            objects.append(scene_object)
        assert first is not None
        texts = self.tr("Duplicate object"), self.tr("Duplicate {} objects")
        text = texts[len(selected) > 1].format(len(selected))
        document.edit_objects(text, tuple(objects), objects.index(first))

    @Slot()
    def delete(self) -> None:
        """Delete the selected objects; an empty one replaces the last."""
        document = self.document
        if document is None or not self._can_delete():
            return
        state, ids = document.state, self.selected_ids
        objects = remove_objects(state.objects, ids) or (document.new_object(),)
        above = remove_objects(state.objects[: state.active], ids)
        active = min(len(above), len(objects) - 1)
        texts = self.tr("Delete object"), self.tr("Delete {} objects")
        text = texts[len(ids) > 1].format(len(ids))
        document.edit_objects(text, objects, active)

    def _can_delete(self) -> bool:
        """Whether deleting would change anything; a lone empty object is kept."""
        assert self.document is not None
        objects = self.document.state.objects
        return len(objects) > 1 or objects[0].recipe.has_prompts

    @Slot()
    def merge(self) -> None:
        """Merge the selected objects; emit ``rejected`` if the mattes would change."""
        document, ids = self.document, self.selected_ids
        if document is None or len(ids) < 2:
            return
        chosen = [
            scene_object
            for scene_object in document.state.objects
            if scene_object.id in ids
        ]
        recipes = [scene_object.recipe for scene_object in chosen]
        asking = [
            scene_object for scene_object in chosen if scene_object.recipe.has_prompts
        ] or chosen
        different = [tr(DIFFERENCE_NAMES[name]) for name in differences(recipes)]
        merge = partial(self._merge, ids)
        if different:
            name = object_name(asking[0])
            self.rejected.emit(
                self.tr("These objects differ in: {}.").format(", ".join(different)),
                self.tr("One object has only one of each; “{}” can decide.").format(
                    name
                ),
                self.tr("Merge as “{}”").format(name),
                merge,
            )
        elif strokes_interfere(recipes):
            self.rejected.emit(
                self.tr("Some of these objects have strokes that erase or soften."),
                self.tr("They would act on the whole merged object."),
                self.tr("Merge anyway"),
                merge,
            )
        else:
            merge()

    def _merge(self, ids: list[int]) -> None:
        document = self.document
        if document is None:
            return
        state = document.state
        chosen = [
            scene_object for scene_object in state.objects if scene_object.id in ids
        ]
        if len(chosen) < 2:  # some were deleted before the user confirmed
            return
        recipe = unite_recipes([scene_object.recipe for scene_object in chosen])
        objects = merge_objects(state.objects, ids, recipe)
        active = [scene_object.id for scene_object in objects].index(chosen[0].id)
        text = self.tr("Merge {} objects").format(len(chosen))
        document.edit_objects(text, objects, active)

    @Slot()
    def rename(self) -> None:
        """Edit the active object's name in its row."""
        self.show()
        self.raise_()
        self.list.setFocus()
        self.list.edit(self.list.currentIndex())

    @Slot()
    def toggle_visible(self) -> None:
        """Toggle the active object's visibility, and set that of all selected to it."""
        if self.document is not None:
            visible = not self.document.state.object.visible
            self._set_visible(self.selected_ids, visible=visible)

    def _set_visible(self, ids: list[int], *, visible: bool) -> None:
        assert self.document is not None
        state = self.document.state
        objects = tuple(
            replace(scene_object, visible=visible)
            if scene_object.id in ids
            else scene_object
            for scene_object in state.objects
        )
        text = self.tr("Show object") if visible else self.tr("Hide object")
        self.document.edit_objects(text, objects, state.active)

    @Slot()
    def toggle_solo(self) -> None:
        """Show only the active object, or all visible ones; no undo step."""
        if self.document is not None:
            self._toggle_solo(self.document.state.object.id)

    def _toggle_solo(self, id_: int) -> None:
        assert self.document is not None
        self.document.set_solo(None if self.document.state.solo == id_ else id_)

    def _shift(self, step: int) -> None:
        """Move the selected objects up (-1) or down (1) by one row."""
        if self.document is not None:
            ids = self.selected_ids
            rows = [self.document.state.index_of(id_) for id_ in ids]
            row = rows[0] - 1 if step < 0 else rows[-1] + 2
            if 0 <= row <= len(self.document.state.objects):
                self.model.move(ids, row)

    def _step(self, step: int) -> None:
        """Make the object above (-1) or below (1) the active one."""
        if self.document is not None:
            row = self.document.state.active + step
            if 0 <= row < len(self.document.state.objects):
                self.document.select(row)

    # -- Colours --------------------------------------------------------------------

    @Slot()
    def choose_colour(self) -> None:
        """Let the user choose the active object's colour."""
        if self.document is not None:
            self._choose_colour(self.document, self.document.state.active)

    def _choose_colour(self, document: Document, row: int) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        scene_object = document.state.objects[row]
        choose = partial(self._set_colour, document, scene_object.id)
        for colour in OBJECT_COLOURS:
            swatch = QPixmap(16, 16)
            swatch.fill(QColor(colour))
            name = QColor(colour).name()
            menu.addAction(QIcon(swatch), name, partial(choose, QColor(colour)))
        menu.addSeparator()
        ask = partial(self._ask_colour, QColor(scene_object.colour), choose)
        menu.addAction(self.tr("Another colour…"), ask)
        below = self.list.visualRect(self.model.index(row)).bottomLeft()
        menu.popup(self.list.viewport().mapToGlobal(below + QPoint(74, 0)))

    def _ask_colour(self, current: QColor, choose: Callable[[QColor], None]) -> None:
        dialog = QColorDialog(current, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(choose)
        dialog.open()

    def _set_colour(self, document: Document, id_: int, colour: QColor) -> None:
        """Change an object's colour, if it is still there."""
        row = document.state.find(id_)
        if document is self.document and row is not None:
            rgb = colour.rgb() & 0xFFFFFF
            document.edit_object(self.tr("Change colour"), row, colour=rgb)

    # -- The list -------------------------------------------------------------------

    @Slot(str, int, bool)
    def _on_part_clicked(self, part: str, row: int, alt: bool) -> None:
        assert self.document is not None
        scene_object = self.document.state.objects[row]
        if part == "swatch":
            self._choose_colour(self.document, row)
        elif part == "solo" or alt:
            self._toggle_solo(scene_object.id)
        else:
            self._set_visible([scene_object.id], visible=not scene_object.visible)

    @Slot(QPoint)
    def _show_menu(self, at: QPoint) -> None:
        if self.document is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for id_ in CONTEXT:
            if id_:
                menu.addAction(self._actions[id_])
            else:
                menu.addSeparator()
        menu.popup(self.list.viewport().mapToGlobal(at))

    @contextmanager
    def _sync_current(self) -> Iterator[None]:
        """A context in which changes of the current row do not change the document."""
        before, self._following = self._following, True
        try:
            yield
        finally:
            self._following = before

    @Slot(QModelIndex, QModelIndex)
    def _on_current_changed(self, current: QModelIndex, before: QModelIndex) -> None:
        if not self._following and self.document is not None and current.isValid():
            self.document.select(current.row())

    @Slot()
    def _on_model_about_to_be_reset(self) -> None:
        rows = self.list.selectionModel().selectedRows()
        self._selected_before = [self.model.id_at(index.row()) for index in rows]

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        current = self.list.currentIndex().row()
        with self._sync_current():
            if current < 0:  # the rows were replaced or reordered
                self._select_active(new)
                self._select_again(new)
            elif current != new.active:
                self._select_active(new)

    def _select_again(self, state: DocumentState) -> None:
        """Restore the selection from before the reset, if all objects still exist."""
        ids = [scene_object.id for scene_object in state.objects]
        if state.object.id in self._selected_before and (
            set(self._selected_before) <= set(ids)
        ):
            for id_ in self._selected_before:
                self.list.selectionModel().select(
                    self.model.index(ids.index(id_)),
                    QItemSelectionModel.SelectionFlag.Select,
                )

    def _select_active(self, state: DocumentState) -> None:
        index = self.model.index(state.active)
        mode = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.list.selectionModel().setCurrentIndex(index, mode)
        self.list.scrollTo(index)
