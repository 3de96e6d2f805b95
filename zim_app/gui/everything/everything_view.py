"""Everything-mode on the canvas: regions to look at and to pick."""

from __future__ import annotations

from collections import OrderedDict
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
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from zim_app.gui.canvas.canvas import Canvas
from zim_app.gui.canvas.contour import contour, path_of
from zim_app.gui.document import OBJECT_COLOURS, Document
from zim_app.gui.everything.everything_bar import EverythingBar
from zim_app.gui.everything.selection import (
    Layer,
    Regions,
    candidates_differ,
    hue_of,
    recipe_of,
    smoothed,
    tinted,
)
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.arrays import ByteArray
from zim_model.recipe import SceneObject
from zim_model.request import Request

if TYPE_CHECKING:
    from zim_model.inference.automatic import Found

KEPT_PICTURES = 8
"""Results of so many pictures are kept, so that the mode is soon there again."""
TINT, TINT_PICKED, TINT_HOVERED = 0.34, 0.6, 0.72


class RegionsItem(QGraphicsItem):
    """Regions in translucent colours with outlines, over the picture.

    One scene unit is one image pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(1)
        self._regions = Regions((1, 1))
        self._image = QImage()
        self._hover_image = QImage()
        self._looks: dict[Found, tuple[ByteArray, QPainterPath]] = {}
        self._numbers: dict[Found, int] = {}
        self.hide()

    def set_regions(self, regions: Regions) -> None:
        """Show another state."""
        old, self._regions = self._regions, regions
        if old.size != regions.size:
            self.prepareGeometryChange()
        if (old.found, old.picks) != (regions.found, regions.picks):
            known = self._looks
            self._looks = {
                found: known[found] if found in known else self._look(found)
                for found in regions.found
            }
            self._number()
            self._image = self._drawn(regions.found)
        if old.hovered is not regions.hovered or old.picks != regions.picks:
            hovered = (regions.hovered,) if regions.hovered else ()
            self._hover_image = self._drawn(hovered, TINT_HOVERED)
        self.update()

    def _number(self) -> None:
        """Give each region a number for its colour, which it keeps."""
        kept = {f: n for f, n in self._numbers.items() if f in self._looks}
        free = (n for n in count() if n not in kept.values())
        new = [found for found in self._regions.found if found not in kept]
        self._numbers = kept | dict(zip(new, list(islice(free, len(new))), strict=True))

    def _colour(self, found: Found) -> QColor:
        pick = self._regions.pick_of(found)
        if pick is not None:
            return QColor(OBJECT_COLOURS[pick % len(OBJECT_COLOURS)])
        return QColor.fromHsvF(hue_of(self._numbers[found]), 0.75, 1.0)

    def _look(self, found: Found) -> tuple[ByteArray, QPainterPath]:
        """What is drawn of a region: its alpha and its outline."""
        alpha = smoothed(found.alpha)
        height, width = alpha.shape
        scale = QTransform.fromScale(
            self._regions.size[1] / width, self._regions.size[0] / height
        )
        return alpha, scale.map(path_of(contour(alpha)))

    def _drawn(self, regions: tuple[Found, ...], opacity: float = 0.0) -> QImage:
        """Regions in their colours, and in their own opacity if none is given."""
        if not regions:
            return QImage()
        layers: list[Layer] = []
        for found in regions:
            red, green, blue, _ = self._colour(found).getRgb()
            picked = self._regions.pick_of(found) is not None
            own = TINT_PICKED if picked else TINT
            alpha = self._looks[found][0]
            layers.append((alpha, (red, green, blue), opacity or own))
        height, width = layers[0][0].shape
        pixels = np.ascontiguousarray(tinted(layers, (height, width)))
        premultiplied = QImage.Format.Format_ARGB32_Premultiplied
        return QImage(pixels.data, width, height, width * 4, premultiplied).copy()

    def boundingRect(self) -> QRectF:
        height, width = self._regions.size
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
        for found, (_, outline) in self._looks.items():
            picked = self._regions.pick_of(found) is not None
            strong = picked or found is self._regions.hovered
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, strong)
            if strong:
                painter.setPen(_cosmetic(QColor(0, 0, 0, 160), 4.5))
                painter.drawPath(outline)
                painter.setPen(_cosmetic(QColor("white"), 2.0))
            else:
                painter.setPen(_cosmetic(self._colour(found), 1.0))
            painter.drawPath(outline)


def _cosmetic(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    return pen


class EverythingView(QObject):
    """Everything-mode: finds all objects and lets the user pick some.

    While it is on, clicks pick regions instead of making prompts.  Edits that need an
    answer go first; the search goes on after them.  Leaving the mode, or another
    picture, ends the search; what was found by then is kept.

    **Signals**

    - ``active_changed(on)``: the mode was entered or left.
    - ``objected(message, hint)``: something cannot be done.
    - ``failed(error)``: the search failed.

    **Threads**: the window's only.
    """

    active_changed = Signal(bool)
    objected = Signal(str, str)
    failed = Signal(object)

    def __init__(self, canvas: Canvas, queue: InferenceQueue, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._queue = canvas, queue
        self._document: Document | None = None
        self._request: Request | None = None
        self._key = ("", "")
        self._kept: OrderedDict[tuple[str, str], Regions] = OrderedDict()
        self.active = False
        self.regions = Regions((1, 1))
        self._item = RegionsItem()
        canvas.scene().addItem(self._item)
        self.bar = EverythingBar(canvas)
        self.bar.cancelled.connect(self.cancel_search)
        self.bar.continued.connect(self._search)
        self.bar.merge_wanted.connect(self.merge_picked)
        self.bar.picked_wanted.connect(self.add_picked)
        self.bar.all_wanted.connect(self.add_all)
        self.bar.left.connect(self.leave)
        canvas.tool_changed.connect(self.leave)
        queue.search_progressed.connect(self._on_queue_search_progressed)
        queue.search_ended.connect(self._on_queue_search_ended)

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """What the mode's actions do, by id."""
        return {"everything": self.toggle}

    @property
    def searching(self) -> bool:
        """Whether the search is under way."""
        return self._request is not None

    def set_document(self, document: Document) -> None:
        """Another picture is shown from now on."""
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
        """Show what is known of the picture, and find the rest."""
        document = self._document
        if document is None or self.active:
            return
        self.active = True
        self._canvas.escape()
        size = document.picture.height, document.picture.width
        self._canvas.show_mattes(on=False)
        self._canvas.viewport().installEventFilter(self)
        self._item.show()
        self._key = document.picture.key, document.state.recipe.model
        self._set(self._kept.get(self._key, Regions(size)))
        if not self.regions.finished:
            self._search()
        self.bar.show()
        self.bar.raise_()
        self._canvas.setFocus()
        self.active_changed.emit(True)

    @Slot()
    def leave(self) -> None:
        """Go back to prompts; what was found, and picked, is kept."""
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
        self._set(self.regions)

    @Slot()
    def cancel_search(self) -> None:
        """Stop the search and keep what was found."""
        if self._request is not None:
            self._request = None
            self._queue.end_search()
            # One that is begun again counts from the beginning.
            self._set(replace(self.regions, done=0))

    @Slot(object, int, int, object)
    def _on_queue_search_progressed(
        self, request: Request, done: int, total: int, found: tuple[Found, ...]
    ) -> None:
        if request is self._request:
            self._set(self.regions.progressed(done, total, found))

    @Slot(object, object, object)
    def _on_queue_search_ended(
        self,
        request: Request,
        found: tuple[Found, ...] | None,
        error: Exception | None,
    ) -> None:
        if request is not self._request:
            return
        self._request = None
        if found is None:
            self._set(replace(self.regions, done=0))
            self.failed.emit(error)
        else:
            self._set(self.regions.ended(found))

    def _set(self, regions: Regions) -> None:
        self.regions = regions
        if self.active:
            self._kept[self._key] = replace(regions, hovered=None)
            self._kept.move_to_end(self._key)
            while len(self._kept) > KEPT_PICTURES:
                self._kept.popitem(last=False)
        self._item.set_regions(regions)
        self.bar.show_regions(regions, searching=self.searching)

    # -- Picking ----------------------------------------------------------------------

    @Slot()
    def merge_picked(self) -> None:
        """Make one pick, and so one object, of all that is picked."""
        self._set_if_one_candidate(self.regions.merged())

    def _set_if_one_candidate(self, regions: Regions) -> None:
        if any(map(candidates_differ, regions.picks)):
            self.objected.emit(
                self.tr("These regions are different candidates of the model."),
                self.tr("One object has only one of them; add them separately."),
            )
        else:
            self._set(regions)

    @Slot()
    def add_picked(self) -> None:
        """Make ordinary objects of all picks, as one undo step, and leave the mode."""
        document, picks = self._document, self.regions.picks
        if document is None or not picks:
            return
        here = {entry.recipe for entry in document.state.objects}
        recipes = [recipe_of(pick, self._key[1]) for pick in picks]
        new = [document.new_object(r) for r in recipes if r not in here]
        self._set(replace(self.regions, picks=(), hovered=None))
        self.leave()
        if not new:
            self.objected.emit(
                self.tr("All that was picked is among the objects already."),
                self.tr("Pick something else."),
            )
            return
        old = tuple(o for o in document.state.objects if not _untouched(o))
        text = self.tr("Add found objects")
        document.edit_objects(text, (*new, *old), 0)

    @Slot()
    def add_all(self) -> None:
        """Make an ordinary object of everything that was found."""
        self._set(self.regions.all_picked())
        self.add_picked()

    # -- The mouse --------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
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

    def _click(self, event: QMouseEvent) -> None:
        found, kind = self.regions.hovered, event.type()
        if found is None:
            return
        if kind == QEvent.Type.MouseButtonDblClick:
            self._set(self.regions.picked(found))
            self.add_picked()
        elif kind == QEvent.Type.MouseButtonPress:
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._set_if_one_candidate(self.regions.joined(found))
            else:
                self._set(self.regions.toggled(found))

    def _hover(self, at: QPointF | None) -> None:
        where = None if at is None else self._canvas.to_image(at)
        found = None if where is None else self.regions.at(where.x(), where.y())
        inside = where is not None and self._canvas.image_rect.contains(where)
        self._canvas.pointed.emit(where if inside else None)
        hand, arrow = Qt.CursorShape.PointingHandCursor, Qt.CursorShape.ArrowCursor
        self._canvas.viewport().setCursor(hand if found else arrow)
        if found is not self.regions.hovered:
            self._set(replace(self.regions, hovered=found))


def _untouched(entry: SceneObject) -> bool:
    """Whether an object is one that nobody has used yet."""
    return not entry.name and not entry.recipe.asks
