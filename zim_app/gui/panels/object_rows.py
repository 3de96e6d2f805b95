"""The rows of the objects panel: model, delegate and geometry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QPainter,
    QPalette,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from zim_app.core.packed_mattes import AnyMatte
from zim_app.core.scene import move_objects
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.icons import glyph
from zim_app.gui.panels.object_texts import object_name, object_summary, tr
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.arrays import Bounds, ByteArray

MIME_TYPE = "application/x-zim-studio-objects"
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
"""The whole :class:`ObjectRow` of an index."""
ROW_HEIGHT = 40
THUMBNAIL_SIDE = 34
_CHECKER = (0xFF, 0xD0)
_CHECKER_SIZE = 5
_FAINT = 0.45

Index = QModelIndex | QPersistentModelIndex

PART_TIPS = {
    "eye": QT_TRANSLATE_NOOP("Objects", "Show or hide (Alt: show only this one)"),
    "swatch": QT_TRANSLATE_NOOP("Objects", "Choose the colour"),
    "solo": QT_TRANSLATE_NOOP("Objects", "Show only this one"),
}


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One row of the panel.

    Attributes:
        id: id of the object.
        name: name on display.
        colour: 0xRRGGBB.
        visible: whether the object's own visibility is on.
        solo: whether only this object is shown.
        shown: whether the object is on screen, given ``visible`` and solo.
        empty: whether it has no prompts.
        is_pending: whether its matte is not yet computed.
        accessible_text: the text for screen readers.
    """

    id: int
    name: str
    colour: int
    visible: bool
    solo: bool
    shown: bool
    empty: bool
    is_pending: bool
    accessible_text: str

    @classmethod
    def from_state(cls, state: DocumentState, index: int) -> ObjectRow:
        """The row of one object of a document."""
        scene_object = state.objects[index]
        return cls(
            scene_object.id,
            object_name(scene_object),
            scene_object.colour,
            scene_object.visible,
            solo=state.solo == scene_object.id,
            shown=state.is_shown(index),
            empty=not scene_object.recipe.has_prompts,
            is_pending=scene_object.id in state.unsolved,
            accessible_text=object_summary(state, index),
        )


def cut_out_thumbnail(
    levels: Sequence[ByteArray], matte: AnyMatte, side: int
) -> QImage:
    """A thumbnail of an object's cut-out over a checker board.

    Args:
        levels: pyramid of the image, (h, w, 3) red first or (h, w, 4) blue first.
        matte: a matte of the same image.
        side: longer side of the thumbnail, in pixels.
    """
    rgb, alpha = _smallest(levels, matte)
    scale = alpha.shape[1] / levels[0].shape[1]
    rows, columns = _square_around(matte.support, scale, alpha.shape)
    opacity = alpha[rows, columns, None] / np.float32(255)
    shape = opacity.shape[:2]
    y, x = np.indices(shape) * side // max(shape) // _CHECKER_SIZE
    board = np.where((x + y) % 2, *_CHECKER)[..., None]
    mixed = rgb[rows, columns] * opacity + board * (1 - opacity)
    pixels = np.ascontiguousarray(mixed.astype(np.uint8))
    height, width = pixels.shape[:2]
    image = QImage(
        pixels.data, width, height, width * 3, QImage.Format.Format_RGB888
    ).scaled(
        side,
        side,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    return image.copy()  # the array that owns the pixels is freed on return


def _smallest(
    levels: Sequence[ByteArray], matte: AnyMatte
) -> tuple[ByteArray, ByteArray]:
    """Colours (h, w, 3), red first, and alpha (h, w) of the smallest common level."""
    index = min(len(levels), len(matte.pyramid)) - 1
    pixels = levels[index]
    rgb = pixels if pixels.shape[2] == 3 else pixels[..., 2::-1]
    return rgb, matte.pyramid[index]


def _square_around(
    support: Bounds, scale: float, size: tuple[int, ...]
) -> tuple[slice, slice]:
    """Rows and columns of a level around the support, square if there is room."""
    left, top, right, bottom = (edge * scale for edge in support)
    half = max(right - left, bottom - top, 8) * 0.55
    x, y = (left + right) / 2, (top + bottom) / 2
    rows = slice(max(0, int(y - half)), min(size[0], int(y + half) + 1))
    columns = slice(max(0, int(x - half)), min(size[1], int(x + half) + 1))
    return rows, columns


class ObjectModel(QAbstractListModel):
    """The objects of a document; edits go to the document, one undo step each.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self._rows: tuple[ObjectRow, ...] = ()
        self._thumbnails: dict[int, QPixmap] = {}

    def set_document(self, document: Document) -> None:
        """Show the objects of another document."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.beginResetModel()
        self.document = document
        self._thumbnails.clear()
        self._rows = _rows(document.state)
        self.endResetModel()
        document.changed.connect(self._on_document_changed)

    def id_at(self, row: int) -> int:
        """Id of the object in that row."""
        return self._rows[row].id

    def move(self, ids: Sequence[int], row: int) -> None:
        """Move objects before the object that is at ``row``."""
        if self.document is None:
            return
        state = self.document.state
        objects = move_objects(state.objects, ids, row)
        active = objects.index(state.object)
        self.document.edit_objects(self.tr("Reorder objects"), objects, active)

    # -- QAbstractListModel -----------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.accessible_text
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbnail(index.row())
        return row if role == ROW_ROLE else None

    def setData(
        self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)
    ) -> bool:
        if self.document is None or role != Qt.ItemDataRole.EditRole:
            return False
        name = str(value).strip()
        if not name or name == self._rows[index.row()].name:
            return False
        self.document.edit_object(self.tr("Rename object"), index.row(), name=name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        shared = flag.ItemIsSelectable | flag.ItemIsEnabled
        return shared | flag.ItemIsEditable | flag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        assert self.document is not None
        objects = self.document.state.objects
        ids = [objects[index.row()].id for index in indexes]
        data = QMimeData()
        data.setData(MIME_TYPE, QByteArray(json.dumps(ids).encode()))
        return data

    def dropMimeData(
        self,
        data: QMimeData,
        action: Qt.DropAction,
        row: int,
        column: int,
        parent: Index,
    ) -> bool:
        if not data.hasFormat(MIME_TYPE) or self.document is None:
            return False
        ids = json.loads(bytes(data.data(MIME_TYPE).data()))
        self.move(ids, row if row >= 0 else len(self._rows))
        return True

    # -- The document ---------------------------------------------------------------

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        rows = _rows(new)
        mattes = _mattes_by_id(old)
        for id_, matte in _mattes_by_id(new).items():
            if mattes.get(id_) is not matte:
                self._thumbnails.pop(id_, None)
        if [o.id for o in old.objects] != [o.id for o in new.objects]:
            self.beginResetModel()
            self._rows = rows
            ids = {scene_object.id for scene_object in new.objects}
            self._thumbnails = {i: t for i, t in self._thumbnails.items() if i in ids}
            self.endResetModel()
            return
        old_rows, self._rows = self._rows, rows
        for row, (before, after) in enumerate(zip(old_rows, rows, strict=True)):
            if before != after or old.mattes[row] is not new.mattes[row]:
                self.dataChanged.emit(self.index(row), self.index(row))

    def _thumbnail(self, row: int) -> QPixmap | None:
        assert self.document is not None
        state = self.document.state
        matte, id_ = state.mattes[row], state.objects[row].id
        if matte is None or matte.support[2] <= matte.support[0]:
            return None
        if id_ not in self._thumbnails:
            ratio = QGuiApplication.primaryScreen().devicePixelRatio()
            side = round(THUMBNAIL_SIDE * ratio)
            pixmap = QPixmap.fromImage(
                cut_out_thumbnail(self.document.levels, matte, side)
            )
            pixmap.setDevicePixelRatio(ratio)
            self._thumbnails[id_] = pixmap
        return self._thumbnails[id_]


def _mattes_by_id(state: DocumentState) -> dict[int, AnyMatte | None]:
    return {o.id: matte for o, matte in zip(state.objects, state.mattes, strict=True)}


def _rows(state: DocumentState) -> tuple[ObjectRow, ...]:
    return tuple(
        ObjectRow.from_state(state, index) for index in range(len(state.objects))
    )


def row_parts(rect: QRect) -> dict[str, QRect]:
    """Rectangles of a row's parts: eye, thumbnail, swatch, name, solo."""
    top, height = rect.top(), rect.height()
    left, right = rect.left(), rect.right() + 1
    thumbnail_top = top + (height - THUMBNAIL_SIDE) // 2
    return {
        "eye": QRect(left, top, 30, height),
        "thumbnail": QRect(left + 30, thumbnail_top, THUMBNAIL_SIDE, THUMBNAIL_SIDE),
        "swatch": QRect(left + 68, top, 24, height),
        "name": QRect(left + 94, top, max(0, right - 30 - left - 96), height),
        "solo": QRect(right - 30, top, 30, height),
    }


@lru_cache(maxsize=64)
def _glyph(name: str, size: int, colour: str) -> QPixmap:
    return glyph(name, size, colour)


class RowDelegate(QStyledItemDelegate):
    """Draws a row and edits its name in place."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(180, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        row: ObjectRow = index.data(ROW_ROLE)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        palette, roles = option.palette, QPalette.ColorRole
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected:
            painter.fillRect(option.rect, palette.color(roles.Highlight))
        elif state & QStyle.StateFlag.State_MouseOver:
            hover = palette.color(roles.Highlight)
            hover.setAlphaF(0.15)
            painter.fillRect(option.rect, hover)
        ink = palette.color(roles.HighlightedText if selected else roles.Text)
        # The object's colour may be the one of the selection.
        ring = QPen(ink, 2) if selected else QPen(QColor(0, 0, 0, 90))
        self._paint_parts(painter, row_parts(option.rect), row, index, ring, ink)
        painter.restore()

    def _paint_parts(
        self,
        painter: QPainter,
        parts: dict[str, QRect],
        row: ObjectRow,
        index: Index,
        ring: QPen,
        ink: QColor,
    ) -> None:
        eye = "eye-outline" if row.visible else "eye-off-outline"
        _paint_glyph(painter, parts["eye"], eye, ink, 1.0 if row.visible else _FAINT)
        solo = "alpha-s-circle" if row.solo else "alpha-s-circle-outline"
        _paint_glyph(painter, parts["solo"], solo, ink, 1.0 if row.solo else _FAINT)
        painter.setOpacity(1.0 if row.shown else _FAINT)
        self._paint_thumbnail(painter, parts["thumbnail"], row, index, ink)
        swatch = QRectF(0, 0, 14, 14)
        swatch.moveCenter(parts["swatch"].toRectF().center())
        painter.setPen(ring)
        painter.setBrush(QColor(row.colour))
        painter.drawRoundedRect(swatch, 3, 3)
        painter.setOpacity(1.0 if row.shown and not row.empty else _FAINT)
        painter.setPen(ink)
        name = painter.fontMetrics().elidedText(
            row.name, Qt.TextElideMode.ElideRight, parts["name"].width()
        )
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(parts["name"], int(flags), name)

    def _paint_thumbnail(
        self, painter: QPainter, rect: QRect, row: ObjectRow, index: Index, ink: QColor
    ) -> None:
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is not None:
            target = QRectF(rect)
            target.setSize(pixmap.deviceIndependentSize())
            target.moveCenter(QRectF(rect).center())
            painter.drawPixmap(target.topLeft(), pixmap)
        else:
            painter.setPen(QColor(ink.red(), ink.green(), ink.blue(), 80))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if row.is_pending:
            badge = QRect(rect.right() - 15, rect.bottom() - 15, 16, 16)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 150))
            painter.drawEllipse(badge)
            _paint_glyph(painter, badge, "timer-sand", QColor("white"), 1.0, size=12)

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(tr(QT_TRANSLATE_NOOP("Objects", "Name")))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        # Rows also change for other reasons, such as a new matte.
        if isinstance(editor, QLineEdit) and not editor.isModified():
            super().setEditorData(editor, index)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        name = row_parts(option.rect)["name"]
        height = editor.sizeHint().height()
        editor.setGeometry(
            QRect(
                name.left() - 4,
                name.center().y() - height // 2,
                name.width() + 4,
                height,
            )
        )

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if event.type() != QEvent.Type.ToolTip or not index.isValid():
            return False
        part = part_under(option.rect, event.pos().x(), event.pos().y())
        row: ObjectRow = index.data(ROW_ROLE)
        text = tr(PART_TIPS[part]) if part in PART_TIPS else row.accessible_text
        QToolTip.showText(event.globalPos(), text, view)
        return True


def part_under(rect: QRect, x: int, y: int) -> str:
    """Name of the row's part at a position; empty between the parts."""
    parts = row_parts(rect).items()
    return next((name for name, part in parts if part.contains(x, y)), "")


def _paint_glyph(
    painter: QPainter,
    rect: QRect,
    name: str,
    colour: QColor,
    opacity: float,
    size: int = 20,
) -> None:
    painter.setOpacity(opacity)
    left = rect.center().x() - size // 2 + 1
    top = rect.center().y() - size // 2 + 1
    painter.drawPixmap(left, top, _glyph(name, size, colour.name()))
    painter.setOpacity(1.0)
