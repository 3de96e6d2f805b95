"""Connects the actions and settings of the view to the canvas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QFileDialog,
    QMenu,
    QToolButton,
    QWidget,
)

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.navigator import Navigator
from zim_app.gui.canvas.overlay import Backdrop, checker_board
from zim_app.gui.canvas.spoken_state import SpokenState
from zim_app.gui.canvas.view_modes import (
    BACKGROUNDS,
    VIEW_MODES,
    OverlayStyle,
    ViewMode,
)
from zim_app.gui.files import dialogs
from zim_app.gui.settings import preferences
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.arrays import ByteArray
from zim_model.matting.pyramid import image_pyramid

_SWATCH = 20
_FIXED = {
    background.id: background.colour for background in BACKGROUNDS if background.colour
}
_MODES = {mode.id: mode for mode in VIEW_MODES}
_CUT_OUT = next(mode for mode in VIEW_MODES if mode.cut_out)


class ViewController(QObject):
    """Applies the view actions and the stored view settings to a canvas.

    Args:
        canvas: the canvas.
        window: owns the controller and its dialogs.

    Attributes:
        handlers: handlers of the view actions, by action id.
        button: tool button that shows and changes the background of cut-outs.
        navigator: overview of the photo, in a corner of the canvas.

    **Signals**

    - ``failed(error)``: reading a background image raised any exception.
    - ``activity_changed()``: ``idle`` may have changed.

    **Threads**: the window's; background images are read on another.
    """

    failed = Signal(object)
    activity_changed = Signal()

    def __init__(self, canvas: Canvas, window: QWidget) -> None:
        super().__init__(window)
        self.button = QToolButton()
        self._canvas = canvas
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._levels: tuple[ByteArray, ...] = ()
        self._read: tuple[str, int, int] | None = None
        self._thread = WorkerThread("background images", waiting=1, parent=self)
        self._thread.finished.connect(self._on_thread_finished)
        self._thread.running_changed.connect(self.activity_changed)
        self.handlers = self._handlers()
        canvas.set_mode(_MODES[preferences.value("view_mode")])
        for key in ("surround", "marker_size", "checker_size", "background"):
            self._on_preference_changed(key)
        self._on_preference_changed("overlay_shows")
        canvas.image_shown.connect(self._on_canvas_image_shown)
        SpokenState(canvas)
        self.navigator = Navigator(canvas)
        preferences.changed.connect(self._on_preference_changed)

    def _handlers(self) -> dict[str, Callable[..., object]]:
        canvas = self._canvas
        return {
            "zoom_in": canvas.zoom_in,
            "zoom_out": canvas.zoom_out,
            "fit": canvas.fit,
            "actual_size": canvas.actual_size,
            "next_view": partial(canvas.next_mode, 1),
            "previous_view": canvas.previous_mode,
            **{f"view_{m.id}": partial(canvas.set_mode, m) for m in VIEW_MODES},
            **{
                f"background_{background.id}": partial(
                    self.set_background, background.id
                )
                for background in BACKGROUNDS
            },
            "next_background": self.next_background,
            "choose_colour": self.choose_colour,
            "choose_background": self.choose_background_image,
            "wipe": canvas.set_wipe_enabled,
            "loupe": canvas.set_loupe,
            "hide_prompts": canvas.set_prompts_hidden,
            "navigator": self._set_navigator,
        }

    def connect_actions(self, actions: dict[str, QAction], menu: QMenu) -> None:
        """Keep the check marks of the view actions up to date.

        Args:
            actions: all actions by id, among them those of ``handlers``.
            menu: menu of the backgrounds, for the button.
        """
        self._actions = actions
        self.button.setMenu(menu)
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.setIconSize(QSize(_SWATCH, _SWATCH))
        self.button.clicked.connect(self.next_background)
        self._canvas.mode_changed.connect(self._on_canvas_mode_changed)
        self._canvas.wipe_changed.connect(actions["wipe"].setChecked)
        self._canvas.loupe_changed.connect(actions["loupe"].setChecked)
        self._canvas.prompts_hidden_changed.connect(actions["hide_prompts"].setChecked)
        self._on_preference_changed("navigator")
        self._on_canvas_mode_changed(self._canvas.mode)
        self._show_backdrop()

    @property
    def idle(self) -> bool:
        """Whether no background image is being read."""
        return self._thread.idle

    def close(self) -> None:
        """Stop the worker thread and wait for its end."""
        self._thread.close()

    @Slot(bool)
    def _set_navigator(self, on: bool) -> None:
        preferences.set_value("navigator", on)

    # -- Backgrounds --------------------------------------------------------------

    @Slot()
    def next_background(self) -> None:
        """Show the cut-out over the next available background."""
        usable = [
            background.id
            for background in BACKGROUNDS
            if background.id != "picture" or preferences.value("background_picture")
        ]
        index = usable.index(preferences.value("background"))
        step = 1 if self._canvas.mode == _CUT_OUT else 0
        self.set_background(usable[(index + step) % len(usable)])

    def set_background(self, id_: str) -> None:
        """Show the cut-out over a background of the table, and store the choice."""
        if id_ == "picture" and not preferences.value("background_picture"):
            self._show_backdrop()  # restores the check mark
            self.choose_background_image()
            return
        preferences.set_value("background", id_)
        self._show_backdrop()
        self._canvas.set_mode(_CUT_OUT)

    @Slot()
    def choose_colour(self) -> None:
        """Show a dialog for the background colour, with a live preview."""
        dialog = QColorDialog(_colour("colour"), self._window)
        dialog.setWindowTitle(self.tr("Background colour"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.currentColorChanged.connect(self._preview_colour)
        dialog.colorSelected.connect(self._on_colour_chosen)
        dialog.rejected.connect(self._show_backdrop)
        dialog.open()

    @Slot(QColor)
    def _preview_colour(self, colour: QColor) -> None:
        self._canvas.set_backdrop(Backdrop(colour))

    @Slot(QColor)
    def _on_colour_chosen(self, colour: QColor) -> None:
        preferences.set_value("background_colour", colour.name())
        self.set_background("colour")

    @Slot()
    def choose_background_image(self) -> None:
        """Show a dialog for the background image."""
        dialog = dialogs.open_dialog(self._window)
        dialog.setWindowTitle(self.tr("Background image"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.set_background_image)
        dialog.open()

    @Slot(str)
    def set_background_image(self, name: str) -> None:
        """Show cut-outs over the image in that file, once it is read."""
        preferences.set_value("background_picture", name)
        self._read = None  # the file may have changed
        self.set_background("picture")

    @Slot()
    def _show_backdrop(self) -> None:
        """Pass the chosen background to the canvas, and check it in the menu."""
        id_ = preferences.value("background")
        if id_ == "picture":
            self._request_background_image()
            backdrop = Backdrop(levels=self._levels)
        elif id_ == "checker":
            backdrop = Backdrop()
        else:
            backdrop = Backdrop(_colour(id_))
        self._canvas.set_backdrop(backdrop)
        if self._actions:
            self._check_action(id_)

    def _check_action(self, id_: str) -> None:
        for background in BACKGROUNDS:
            action = self._actions[f"background_{background.id}"]
            action.setIcon(_swatch(background.id))
            action.setChecked(background.id == id_)
        current = self._actions[f"background_{id_}"]
        self.button.setIcon(current.icon())
        tip = self.tr("Background of the cut-out: {}; click for the next")
        self.button.setToolTip(tip.format(current.text()))
        self.button.setAccessibleName(tip.format(current.text()))

    def _request_background_image(self) -> None:
        rect = self._canvas.image_rect
        path = preferences.value("background_picture")
        query = path, int(rect.height()), int(rect.width())
        if query == self._read or rect.isEmpty():
            return
        self._read, self._levels = query, ()
        work = partial(read_background_image, Path(path), query[1], query[2])
        self._thread.submit(WorkerTask("background", query, work))

    @Slot(object, object, object)
    def _on_thread_finished(
        self, task: WorkerTask, result: Any, error: Exception | None
    ) -> None:
        if task.subject != self._read:
            return  # superseded
        if error is None:
            self._levels = result
        else:
            self._read = None
            preferences.reset(("background_picture", "background"))
            self.failed.emit(error)
        self._show_backdrop()

    # -- Signals ---------------------------------------------------

    @Slot()
    def _on_canvas_image_shown(self) -> None:
        self._read, self._levels = None, ()  # they had the size of the last image
        self._show_backdrop()

    @Slot(object)
    def _on_canvas_mode_changed(self, mode: ViewMode) -> None:
        self._actions[f"view_{mode.id}"].setChecked(True)

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "surround":
            self._canvas.setBackgroundBrush(QColor(*3 * (preferences.value(key),)))
        elif key == "marker_size":
            self._canvas.set_marker_size(preferences.value(key))
        elif key == "navigator":
            self.navigator.set_enabled_by_user(preferences.value(key))
            self._actions[key].setChecked(preferences.value(key))
        elif key in ("overlay_shows", "overlay_colour", "overlay_strength"):
            self._canvas.set_overlay_style(
                OverlayStyle(
                    preferences.value("overlay_shows"),
                    preferences.value("overlay_colour"),
                    preferences.value("overlay_strength") / 100,
                )
            )
        elif key in ("checker_size", "checker_light", "checker_dark"):
            size = preferences.value("checker_size")
            light, dark = map(preferences.value, ("checker_light", "checker_dark"))
            self._canvas.set_checker(size, light, dark)
        elif key in ("background", "background_colour"):
            self._show_backdrop()


def _colour(id_: str) -> QColor:
    return QColor(_FIXED.get(id_) or preferences.value("background_colour"))


def _swatch(id_: str) -> QIcon:
    """An icon of a background."""
    pixmap = QPixmap(_SWATCH, _SWATCH)
    painter = QPainter(pixmap)
    if id_ == "checker":
        painter.drawTiledPixmap(pixmap.rect(), checker_board(5))
    elif id_ == "picture":
        painter.fillRect(pixmap.rect(), QColor(0x9F, 0xC8, 0xEE))
        painter.fillRect(
            0, _SWATCH * 3 // 5, _SWATCH, _SWATCH, QColor(0x5E, 0x8C, 0x4A)
        )
    else:
        painter.fillRect(pixmap.rect(), _colour(id_))
    painter.setPen(QColor(128, 128, 128))
    painter.drawRect(0, 0, _SWATCH - 1, _SWATCH - 1)
    painter.end()
    return QIcon(pixmap)


# -- On the worker thread; slow modules are imported here -----------------


def read_background_image(path: Path, height: int, width: int) -> tuple[ByteArray, ...]:
    """Read an image, and return the pyramid of its copy that covers that size.

    Raises:
        ImageError: see :func:`zim_app.core.images.load_image`.
    """
    from zim_app.core.images import load_image

    return image_pyramid(scale_to_cover(load_image(path).rgb, height, width))


def scale_to_cover(rgb: ByteArray, height: int, width: int) -> ByteArray:
    """Scale an image so that it just covers a size, and crop it evenly.

    Args:
        rgb: (H, W, 3) uint8.
        height: height of the result, in pixels.
        width: width of the result, in pixels.
    """
    import cv2
    import numpy as np

    rows, columns = rgb.shape[:2]
    scale = max(height / rows, width / columns)
    crop_rows = min(max(round(height / scale), 1), rows)
    crop_columns = min(max(round(width / scale), 1), columns)
    top, left = (rows - crop_rows) // 2, (columns - crop_columns) // 2
    crop = rgb[top : top + crop_rows, left : left + crop_columns]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (width, height), interpolation=how), np.uint8)
