"""The strip of a folder's images, below the canvas."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QFileSystemWatcher,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDockWidget,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from zim_app.core.folders import list_images
from zim_app.core.session_store import FileStamp, SessionMark
from zim_app.gui.elided_label import elided_file_name
from zim_app.gui.icons import glyph
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.runtime.lru import ByteBoundedLru

SIDE = 72
"""Side of the square around a thumbnail, in view pixels."""
ITEM = QSize(96, 100)
THUMBNAIL_BYTES = 8 * 2**20
"""Most memory for thumbnails, which take 20 kB each."""
AHEAD = 3
"""Thumbnails read in advance beyond the visible ones, on either side."""
REFRESH_MS = 300
"""Milliseconds without changes before a folder is read again."""

MARK = Qt.ItemDataRole.UserRole
_SIGNS = {
    "touched": ("pencil-circle", "#2f8fff"),
    "done": ("check-circle", "#3dbe6b"),
}
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, eq=False)
class _Thumbnail:
    """The pixmap of an image; None if it cannot be read."""

    pixmap: QPixmap | None

    @property
    def nbytes(self) -> int:
        pixmap = self.pixmap
        return 0 if pixmap is None else 4 * pixmap.width() * pixmap.height()


class StripModel(QAbstractListModel):
    """The images, their marks, and the thumbnails read so far.

    **Threads**: the window's only.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.paths: tuple[Path, ...] = ()
        self._rows: dict[Path, int] = {}
        self._modified: dict[Path, int] = {}
        self._marks: dict[Path, tuple[SessionMark, FileStamp | None]] = {}
        self._thumbnails: ByteBoundedLru[tuple[Path, int | None], _Thumbnail] = (
            ByteBoundedLru(THUMBNAIL_BYTES)
        )

    def set_paths(self, paths: Sequence[Path], modified: Mapping[Path, int]) -> None:
        """Show these images; thumbnails of unchanged files are kept."""
        self._modified = dict(modified)
        if tuple(paths) == self.paths:
            self._changed(range(len(self.paths)))
            return
        self.beginResetModel()
        self.paths = tuple(paths)
        self._rows = {path: row for row, path in enumerate(self.paths)}
        self.endResetModel()

    def set_marks(
        self, marks: Mapping[Path, tuple[SessionMark, FileStamp | None]]
    ) -> None:
        """Replace all marks."""
        self._marks = dict(marks)
        self._changed(range(len(self.paths)))

    def set_mark(self, path: Path, mark: SessionMark | None) -> None:
        """Set the mark of one image; None removes it."""
        if mark is None:
            self._marks.pop(path, None)
        else:
            self._marks[path] = (mark, None)
        self._changed([self.row(path)])

    def set_thumbnail(self, path: Path, pixmap: QPixmap | None) -> None:
        """Store the thumbnail of an image; None if it cannot be read."""
        key = path, self._modified.get(path)
        self._thumbnails.put(key, _Thumbnail(pixmap))
        self._changed([self.row(path)])

    def row(self, path: Path) -> int:
        """Row of an image; -1 if it is not in the strip."""
        return self._rows.get(path, -1)

    def lacks_thumbnail(self, row: int) -> bool:
        """Whether the thumbnail of that row has not been read yet."""
        return self._thumbnail(self.paths[row]) is None

    def _thumbnail(self, path: Path) -> _Thumbnail | None:
        """The thumbnail of the file as it is now; None if it has not been read."""
        return self._thumbnails.get((path, self._modified.get(path)))

    def mark(self, path: Path) -> SessionMark | None:
        """The mark to show; None if the file changed since it was marked."""
        mark, stamp = self._marks.get(path, (None, None))
        modified = self._modified.get(path)
        if stamp is None or modified is None or modified == stamp.modified_ns:
            return mark
        return None

    def _changed(self, rows: Sequence[int]) -> None:
        rows = [row for row in rows if row >= 0]
        if rows:
            self.dataChanged.emit(self.index(min(rows)), self.index(max(rows)))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.paths)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        path = self.paths[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return path.name
        if role == Qt.ItemDataRole.DecorationRole:
            thumbnail = self._thumbnail(path)
            return thumbnail and thumbnail.pixmap
        if role == MARK:
            return self.mark(path)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._description(path)
        return None

    def _description(self, path: Path) -> str:
        words = {
            "touched": self.tr("{} – has prompts"),
            "done": self.tr("{} – exported"),
        }
        mark = self.mark(path)
        return words[mark].format(path.name) if mark else path.name


class _StripDelegate(QStyledItemDelegate):
    """Paints a thumbnail, its mark and its name."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return ITEM

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        rect, palette = option.rect, option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Highlight))
        frame = QRect(0, 0, SIDE, SIDE)
        frame.moveCenter(rect.center())
        frame.moveTop(rect.top() + 5)
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is not None:
            place = QRect(pixmap.rect())
            place.moveCenter(frame.center())
            painter.drawPixmap(place.topLeft(), pixmap)
        else:
            painter.fillRect(frame.adjusted(8, 8, -8, -8), QColor(128, 128, 128, 60))
        self._paint_mark(painter, frame, index.data(MARK))
        role = QPalette.ColorRole
        painter.setPen(palette.color(role.HighlightedText if selected else role.Text))
        line = rect.adjusted(4, SIDE + 6, -4, -2)
        text = elided_file_name(option.fontMetrics, index.data(), line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_mark(
        self, painter: QPainter, frame: QRect, mark: SessionMark | None
    ) -> None:
        if mark is None:
            return
        name, colour = _SIGNS[mark]
        painter.setBrush(QColor("white"))
        painter.setPen(Qt.PenStyle.NoPen)
        corner = frame.bottomRight()
        painter.drawEllipse(corner.x() - 15, corner.y() - 15, 15, 15)
        painter.drawPixmap(corner.x() - 17, corner.y() - 17, glyph(name, 19, colour))


class _StripListView(QListView):
    """A list from left to right with a signal after each paint event.

    **Signals**: ``painted()``.
    """

    painted = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scrollTo(self.currentIndex())

    def visible_rows(self) -> range:
        """The rows inside the viewport."""
        left = self.horizontalScrollBar().value()
        first = left // ITEM.width()
        last = (left + self.viewport().width()) // ITEM.width()
        return range(first, min(last + 1, self.model().rowCount()))


class FolderStrip(QDockWidget):
    """Thumbnails of the images beside the open one, read when they become visible.

    **Signals**: ``path_requested(path)``: the user chose that image.

    **Threads**: the window's; thumbnails and folders are read on another.
    """

    path_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Photos"))
        self.setObjectName("strip")
        self.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
        self.setTitleBarWidget(QWidget())  # the View menu closes it
        self.model = StripModel(self)
        self.view = self._make_view()
        self.setWidget(self.view)
        self._folder: Path | None = None
        self._failed_row: int | None = None
        self._thread = WorkerThread("thumbnails", parent=self)
        self._thread.finished.connect(self._on_thread_finished)
        self._watcher = QFileSystemWatcher(self)
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self._read_folder)
        self._watcher.directoryChanged.connect(self._on_folder_changed)
        self.hide()

    def _make_view(self) -> _StripListView:
        view = _StripListView()
        view.setModel(self.model)
        view.setItemDelegate(_StripDelegate(view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(False)
        view.setUniformItemSizes(True)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        view.setFixedHeight(ITEM.height() + 18)
        view.setAccessibleName(self.tr("Photos in this folder"))
        view.clicked.connect(self._on_view_clicked)
        view.painted.connect(self._load_next)
        return view

    @property
    def idle(self) -> bool:
        """Whether nothing is being read."""
        return self._thread.idle

    @property
    def current(self) -> int:
        """Row of the image that is open or being opened; -1 if there is none."""
        return self.view.currentIndex().row()

    def show_folder(self, images: Sequence[Path], current: Path) -> None:
        """Show all images of a folder, and follow its changes.

        Args:
            images: all images in the folder.
            current: the open one.
        """
        self._watch(current.parent)
        self._show(images, current)
        self._read_folder()

    def show_images(self, images: Sequence[Path], current: Path | None) -> None:
        """Show these images, which may be in several folders."""
        self._watch(None)
        self._show(images, current)

    def step(self, by: int) -> None:
        """Request the image that many rows further; do nothing beyond the ends."""
        row = (self.current if self._failed_row is None else self._failed_row) + by
        if 0 <= row < len(self.model.paths):
            self._request(row)

    def close_worker(self) -> None:
        """Stop the worker thread and wait for its end."""
        self._thread.close()

    def _watch(self, folder: Path | None) -> None:
        if folder == self._folder:
            return
        if self._watcher.directories():
            self._watcher.removePaths(self._watcher.directories())
        self._folder = folder
        if folder is not None:
            self._watcher.addPath(str(folder))

    def _show(self, images: Sequence[Path], current: Path | None) -> None:
        if tuple(images) != self.model.paths:
            self.model.set_paths(images, {})
        self.select(current)

    def select(self, path: Path | None) -> None:
        """Make that image the current row."""
        self._failed_row = None
        self._select(self.model.row(path) if path else -1)

    def return_to(self, path: Path | None) -> None:
        """Make that image the current row because the one there cannot be opened.

        The next step goes on from the latter, so that it does not stop the way.
        """
        failed_row = self.current
        self.select(path)
        self._failed_row = failed_row

    def _select(self, row: int) -> None:
        index = self.model.index(row) if row >= 0 else QModelIndex()
        self.view.setCurrentIndex(index)
        if row >= 0:
            self.view.scrollTo(index)

    def _request(self, row: int) -> None:
        self._failed_row = None
        self._select(row)
        self.path_requested.emit(self.model.paths[row])

    @Slot(QModelIndex)
    def _on_view_clicked(self, index: QModelIndex) -> None:
        self._request(index.row())

    @Slot(str)
    def _on_folder_changed(self, _: str) -> None:
        self._refresh.start()

    @Slot()
    def _read_folder(self) -> None:
        if self._folder is not None:
            work = partial(list_folder, self._folder)
            self._thread.submit(WorkerTask("list", self._folder, work))

    @Slot()
    def _load_next(self) -> None:
        """Read the first missing thumbnail in or near the viewport."""
        if not self._thread.idle or not self.isVisible():
            return
        visible, count = self.view.visible_rows(), len(self.model.paths)
        around = range(max(0, visible.start - AHEAD), min(count, visible.stop + AHEAD))
        for row in (*visible, *around):
            if self.model.lacks_thumbnail(row):
                path = self.model.paths[row]
                task = WorkerTask("thumbnail", path, partial(read_image, path))
                self._thread.submit(task)
                return

    @Slot(object, object, object)
    def _on_thread_finished(self, task: WorkerTask, result: Any, error: Any) -> None:
        if task.kind == "thumbnail":
            pixmap = None if error else QPixmap.fromImage(result)
            self.model.set_thumbnail(task.subject, pixmap)
        elif task.subject == self._folder and error is None:
            self._on_folder_listed(result)
        self._load_next()

    def _on_folder_listed(self, modified: dict[Path, int]) -> None:
        self._failed_row = None  # rows may be others now
        row, bar = self.current, self.view.horizontalScrollBar()
        current = self.model.paths[row] if row >= 0 else None
        place = bar.value()
        self.model.set_paths(tuple(modified), modified)
        new = self.model.row(current) if current else -1
        self.view.setCurrentIndex(self.model.index(new) if new >= 0 else QModelIndex())
        # The current image stays where it was on the screen.
        moved = new - row if new >= 0 else 0
        bar.setValue(place + moved * ITEM.width())


# -- On the worker thread --------------------------------------------------------


def list_folder(folder: Path) -> dict[Path, int]:
    """The images in a folder, in order, with their modification times in ns."""
    times = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                times[entry.name] = entry.stat().st_mtime_ns
            except OSError:  # deleted meanwhile, or a dangling link
                continue
    return {x: times[x.name] for x in list_images(folder) if x.name in times}


def read_image(path: Path) -> QImage:
    """Read the thumbnail of an image."""
    from zim_app.core.thumbnails import read_thumbnail

    pixels = read_thumbnail(path, SIDE)
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGB888
    return QImage(pixels.tobytes(), width, height, 3 * width, form).copy()
