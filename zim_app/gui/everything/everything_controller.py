"""Everything-mode on the canvas: shows found objects and lets the user pick some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.contour import contour_path, trace_contour
from zim_app.gui.document import OBJECT_COLOURS, Document
from zim_app.gui.everything.everything_bar import EverythingBar
from zim_app.gui.everything.selection import (
    FoundSelection,
    TintLayer,
    candidates_differ,
    golden_hue,
    pick_recipe,
    render_tints,
    smooth_alpha,
)
from zim_app.gui.settings.refinement import new_recipe, refine
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.arrays import ByteArray
from zim_model.recipe import SceneObject
from zim_model.request import Request
from zim_model.runtime.lru import ByteBoundedLru

if TYPE_CHECKING:
    from zim_model.inference.automatic import FoundObject

REMEMBERED_BYTES = 64 * 2**20
"""Most memory for the found objects of earlier images."""
TINT, TINT_PICKED, TINT_HOVERED = 0.34, 0.6, 0.72


class FoundObjectsItem(QGraphicsItem):
    """Item that paints found objects in translucent colours with outlines.

    One scene unit is one image pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(1)
        self._selection = FoundSelection((1, 1))
        self._image = QImage()
        self._hover_image = QImage()
        self._styles: dict[FoundObject, tuple[ByteArray, QPainterPath]] = {}
        self._numbers: dict[FoundObject, int] = {}
        self.hide()

    def set_selection(self, selection: FoundSelection) -> None:
        """Replace the state, and render what has changed."""
        old, self._selection = self._selection, selection
        if old.size != selection.size:
            self.prepareGeometryChange()
        if (old.objects, old.picks) != (selection.objects, selection.picks):
            earlier = self._styles
            self._styles = {
                found_object: earlier[found_object]
                if found_object in earlier
                else self._style(found_object)
                for found_object in selection.objects
            }
            self._number()
            self._image = self._render(selection.objects)
        if old.hovered is not selection.hovered or old.picks != selection.picks:
            hovered = (selection.hovered,) if selection.hovered else ()
            self._hover_image = self._render(hovered, TINT_HOVERED)
        self.update()

    def _number(self) -> None:
        """Give each found object a number for its colour, which stays the same."""
        kept = {f: n for f, n in self._numbers.items() if f in self._styles}
        free = (n for n in count() if n not in kept.values())
        new = [
            found_object
            for found_object in self._selection.objects
            if found_object not in kept
        ]
        self._numbers = kept | dict(zip(new, list(islice(free, len(new))), strict=True))

    def _colour(self, found_object: FoundObject) -> QColor:
        pick = self._selection.pick_index(found_object)
        if pick is not None:
            return QColor(OBJECT_COLOURS[pick % len(OBJECT_COLOURS)])
        return QColor.fromHsvF(golden_hue(self._numbers[found_object]), 0.75, 1.0)

    def _style(self, found_object: FoundObject) -> tuple[ByteArray, QPainterPath]:
        """Smoothed alpha and outline of a found object."""
        alpha = smooth_alpha(found_object.alpha)
        height, width = alpha.shape
        scale = QTransform.fromScale(
            self._selection.size[1] / width, self._selection.size[0] / height
        )
        return alpha, scale.map(contour_path(trace_contour(alpha)))

    def _render(self, objects: tuple[FoundObject, ...], opacity: float = 0.0) -> QImage:
        """Image of found objects; opacity 0 uses that of picked or unpicked ones."""
        if not objects:
            return QImage()
        layers: list[TintLayer] = []
        for found_object in objects:
            colour = self._colour(found_object)
            rgb = colour.red(), colour.green(), colour.blue()
            picked = self._selection.pick_index(found_object) is not None
            default = TINT_PICKED if picked else TINT
            alpha = self._styles[found_object][0]
            layers.append((alpha, rgb, opacity or default))
        height, width = layers[0][0].shape
        pixels = np.ascontiguousarray(render_tints(layers, (height, width)))
        premultiplied = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, width, height, width * 4, premultiplied).copy()

    def centre(self, found_object: FoundObject) -> QPointF:
        """Centre of a found object's bounds, in image pixels."""
        return self._styles[found_object][1].boundingRect().center()

    def boundingRect(self) -> QRectF:
        height, width = self._selection.size
        return QRectF(0, 0, width, height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for image in (self._image, self._hover_image):
            if not image.isNull():
                painter.drawImage(self.boundingRect(), image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for found_object, (_, outline) in self._styles.items():
            picked = self._selection.pick_index(found_object) is not None
            strong = picked or found_object is self._selection.hovered
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, strong)
            if strong:
                painter.setPen(_cosmetic(QColor(0, 0, 0, 160), 4.5))
                painter.drawPath(outline)
                painter.setPen(_cosmetic(QColor("white"), 2.0))
            else:
                painter.setPen(_cosmetic(self._colour(found_object), 1.0))
            painter.drawPath(outline)


def _cosmetic(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    return pen


class EverythingController(QObject):
    """Everything-mode: finds all objects and lets the user pick some.

    In this mode clicks pick found objects instead of making prompts.  Requests of the
    document interrupt the search, which then continues.  Leaving the mode or opening
    another image ends the search; the objects found so far are kept.

    **Signals**

    - ``active_changed(on)``: the mode was entered or left.
    - ``rejected(message, hint)``: an action of the user is not possible.
    - ``failed(error)``: the search failed.

    **Threads**: the window's only.
    """

    active_changed = Signal(bool)
    rejected = Signal(str, str)
    failed = Signal(object)

    def __init__(self, canvas: Canvas, queue: InferenceQueue, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._queue = canvas, queue
        self._document: Document | None = None
        self._smallest: FoundObject | None = None  # at the pointer
        self._depth = 0  # of the hovered object above it, see FoundSelection.found_at
        self._request: Request | None = None
        self._key = ("", "")
        self._remembered: ByteBoundedLru[tuple[str, str], FoundSelection] = (
            ByteBoundedLru(REMEMBERED_BYTES)
        )
        self.active = False
        self.selection = FoundSelection((1, 1))
        self._item = FoundObjectsItem()
        canvas.scene().addItem(self._item)
        self.bar = EverythingBar(canvas)
        self.bar.cancel_requested.connect(self.cancel_search)
        self.bar.continue_requested.connect(self._search)
        self.bar.merge_requested.connect(self.merge_picked)
        self.bar.add_picked_requested.connect(self.add_picked)
        self.bar.add_all_requested.connect(self.add_all)
        self.bar.leave_requested.connect(self.leave)
        self.bar.step_requested.connect(self.hover_neighbour)
        self.bar.pick_requested.connect(self.pick_hovered)
        canvas.tool_changed.connect(self.leave)
        queue.search_progressed.connect(self._on_queue_search_progressed)
        queue.search_ended.connect(self._on_queue_search_ended)

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the mode's actions, by id."""
        return {"everything": self.toggle}

    @property
    def searching(self) -> bool:
        """Whether the search is under way."""
        return self._request is not None

    def set_document(self, document: Document) -> None:
        """Use another document; leaves the mode."""
        self.leave()
        self._document = document

    # -- The mode ---------------------------------------------------------------------

    @Slot()
    def toggle(self) -> None:
        """Enter the mode, or leave it."""
        if self.active:
            self.leave()
        else:
            self.enter()

    def enter(self) -> None:
        """Show the objects found before, and search for the rest."""
        document = self._document
        if document is None or self.active:
            return
        self.active = True
        self._canvas.escape()
        size = document.image.height, document.image.width
        self._canvas.show_mattes(on=False)
        self._canvas.viewport().installEventFilter(self)
        self._item.show()
        self._key = document.image.key, document.state.recipe.model
        self._set(self._remembered.get(self._key) or FoundSelection(size))
        if not self.selection.finished:
            self._search()
        self.bar.show()
        self.bar.raise_()
        self._canvas.setFocus()
        self.active_changed.emit(True)

    @Slot()
    def leave(self) -> None:
        """Return to prompts; found objects and picks are kept."""
        if not self.active:
            return
        self.cancel_search()
        self.active = False
        self.bar.hide()
        self._item.hide()
        self._canvas.viewport().removeEventFilter(self)
        self._canvas.show_mattes(on=True)
        self._canvas.update_cursor()
        self.active_changed.emit(False)

    # -- The search -------------------------------------------------------------------

    @Slot()
    def _search(self) -> None:
        assert self._document is not None
        self._request = self._document.request()
        self._queue.search(self._request)
        self._set(self.selection)

    @Slot()
    def cancel_search(self) -> None:
        """Stop the search; found objects are kept."""
        if self._request is not None:
            self._request = None
            self._queue.end_search()
            # A repeated search counts from 0.
            self._set(replace(self.selection, done=0))

    @Slot(object, int, int, object)
    def _on_queue_search_progressed(
        self, request: Request, done: int, total: int, objects: tuple[FoundObject, ...]
    ) -> None:
        if request is self._request:
            self._set(self.selection.with_progress(done, total, objects))

    @Slot(object, object, object)
    def _on_queue_search_ended(
        self,
        request: Request,
        objects: tuple[FoundObject, ...] | None,
        error: Exception | None,
    ) -> None:
        if request is not self._request:
            return
        self._request = None
        if objects is None:
            self._set(replace(self.selection, done=0))
            self.failed.emit(error)
        else:
            self._set(self.selection.with_result(objects))

    def _set(self, selection: FoundSelection) -> None:
        self.selection = selection
        if self.active:
            self._remembered.put(self._key, replace(selection, hovered=None))
        self._item.set_selection(selection)
        self.bar.show_selection(selection, searching=self.searching)

    # -- Picking ----------------------------------------------------------------------

    @Slot()
    def merge_picked(self) -> None:
        """Merge all picks into one, which becomes one object."""
        self._set_if_one_candidate(self.selection.merge_picks())

    @Slot(int)
    def hover_neighbour(self, step: int) -> None:
        """Highlight the found object before or after the highlighted one."""
        found_object = self.selection.neighbour(step)
        if found_object is not None:
            self._set(replace(self.selection, hovered=found_object))
            self._canvas.scroll_to(self._item.centre(found_object))

    @Slot(bool)
    def pick_hovered(self, merge: bool) -> None:
        """Pick the highlighted object, or remove it from its pick.

        Args:
            merge: add it to the newest pick instead.
        """
        found_object = self.selection.hovered
        if found_object is None:
            return
        if merge:
            self._set_if_one_candidate(self.selection.join_pick(found_object))
        else:
            self._set(self.selection.toggle(found_object))

    def _set_if_one_candidate(self, selection: FoundSelection) -> None:
        if any(map(candidates_differ, selection.picks)):
            self.rejected.emit(
                self.tr("These regions are different candidates of the model."),
                self.tr("One object has only one of them; add them separately."),
            )
        else:
            self._set(selection)

    @Slot()
    def add_picked(self) -> None:
        """Add an object for each pick, as one undo step, and leave the mode."""
        document, picks = self._document, self.selection.picks
        if document is None or not picks:
            return
        existing_recipes = {
            scene_object.recipe for scene_object in document.state.objects
        }
        blank = new_recipe(self._key[1])
        recipes = [refine(pick_recipe(pick, blank.model), blank) for pick in picks]
        new = [document.new_object(r) for r in recipes if r not in existing_recipes]
        self._set(replace(self.selection, picks=(), hovered=None))
        self.leave()
        if not new:
            self.rejected.emit(
                self.tr("All that was picked is among the objects already."),
                self.tr("Pick something else."),
            )
            return
        old = tuple(o for o in document.state.objects if not _is_unused(o))
        text = self.tr("Add found objects")
        document.edit_objects(text, (*new, *old), 0)

    @Slot()
    def add_all(self) -> None:
        """Add an object for each found object."""
        self._set(self.selection.pick_all())
        self.add_picked()

    # -- The mouse --------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent):
            return self._turn(event)
        if not isinstance(event, QMouseEvent):
            if event.type() == QEvent.Type.Leave:
                self._hover(None)
            return False
        if self._canvas.panning or event.button() == Qt.MouseButton.MiddleButton:
            return False
        if event.type() == QEvent.Type.MouseMove:
            self._hover(event.position())
            return True
        if event.button() == Qt.MouseButton.LeftButton:
            self._hover(event.position())
            self._click(event)
        return True

    def _turn(self, event: QWheelEvent) -> bool:
        """Go through the found objects at the pointer, with Alt."""
        if not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            return False
        # With Alt some systems turn the wheel sideways.
        turn = event.angleDelta().y() or event.angleDelta().x()
        self._depth += 1 if turn > 0 else -1
        self._hover(event.position())
        return True

    def _click(self, event: QMouseEvent) -> None:
        found_object, kind = self.selection.hovered, event.type()
        if found_object is None:
            return
        if kind == QEvent.Type.MouseButtonDblClick:
            self._set(self.selection.pick(found_object))
            self.add_picked()
        elif kind == QEvent.Type.MouseButtonPress:
            self.pick_hovered(
                bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )

    def _hover(self, point: QPointF | None) -> None:
        position = None if point is None else self._canvas.to_image(point)
        found_object = None
        if position is not None:
            at = position.x(), position.y()
            smallest = self.selection.found_at(*at)
            if smallest is not self._smallest:
                self._smallest, self._depth = smallest, 0
            found_object = smallest
            if self._depth:
                found_object = self.selection.found_at(*at, self._depth)
        inside = position is not None and self._canvas.image_rect.contains(position)
        self._canvas.pointer_moved.emit(position if inside else None)
        hand, arrow = Qt.CursorShape.PointingHandCursor, Qt.CursorShape.ArrowCursor
        self._canvas.viewport().setCursor(hand if found_object else arrow)
        if found_object is not self.selection.hovered:
            self._set(replace(self.selection, hovered=found_object))


def _is_unused(scene_object: SceneObject) -> bool:
    """Whether an object has neither name nor prompts."""
    return not scene_object.name and not scene_object.recipe.has_prompts
