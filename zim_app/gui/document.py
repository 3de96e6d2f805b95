"""One picture, its objects, and the history of edits."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRectF, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from zim_app.gui.settings import preferences
from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.prompts import Box
from zim_model.recipe import Recipe, SceneObject
from zim_model.request import ALPHA_MAX, Matte, Request, RequestKey
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from zim_app.core.images import Image

RESULT_BYTES = 512 * 2**20
"""Mattes kept for undo and redo; the newest is kept whatever its size."""


OBJECT_COLOURS = (0x2F8FFF, 0xF2A33A, 0x3DBE6B, 0xD65DB1, 0xE4572E, 0x8C6BE8, 0x1FB5B0)
"""Colours of new objects, in turn; apart in hue and in lightness."""


@dataclass(frozen=True, slots=True)
class DocumentState:
    """All that the window shows of a document, frozen.

    Attributes:
        objects: at least one, the topmost first.
        active: index of the object that edits go to.
        mattes: of each object; None where there is none.  Of an ``unsolved`` object
            still that of an earlier recipe.
        unsolved: ids of the objects whose recipe still has to be solved.
        solo: id of the only object to be shown, whatever else is visible.
    """

    objects: tuple[SceneObject, ...] = (SceneObject(),)
    active: int = 0
    mattes: tuple[Matte | None, ...] = (None,)
    unsolved: frozenset[int] = frozenset()
    solo: int | None = None

    @property
    def object(self) -> SceneObject:
        """The active object."""
        return self.objects[self.active]

    @property
    def recipe(self) -> Recipe:
        """The active object's recipe."""
        return self.object.recipe

    @property
    def matte(self) -> Matte | None:
        """The active object's matte."""
        return self.mattes[self.active]

    @property
    def is_pending(self) -> bool:
        """Whether an answer for the active recipe is under way."""
        return self.object.id in self.unsolved

    @property
    def is_complete(self) -> bool:
        """Whether every object to be seen has the matte of its recipe, or none."""
        pairs = enumerate(self.objects)
        return not any(self.is_shown(i) and o.id in self.unsolved for i, o in pairs)

    def index_of(self, id_: int) -> int:
        """Index of the object with that id, which must exist."""
        return [scene_object.id for scene_object in self.objects].index(id_)

    def is_shown(self, index: int) -> bool:
        """Whether that object is to be seen."""
        if self.solo is not None:
            return self.objects[index].id == self.solo
        return self.objects[index].visible

    @property
    def shown_objects(self) -> tuple[tuple[SceneObject, Matte], ...]:
        """Objects to be seen that have a matte, the topmost first."""
        pairs = zip(self.objects, self.mattes, strict=True)
        return tuple(
            (scene_object, matte)
            for index, (scene_object, matte) in enumerate(pairs)
            if matte is not None and self.is_shown(index)
        )


def find_object_at(state: DocumentState, x: float, y: float) -> int | None:
    """Index of the object to be seen that is opaque at x, y in image pixels.

    The topmost one, or the next one below the active object if that is opaque there
    too, so that asking again and again goes through all of them.
    """
    row, column = math.floor(y), math.floor(x)
    opaque = [
        index
        for index, matte in enumerate(state.mattes)
        if matte is not None and state.is_shown(index) and _is_solid(matte, row, column)
    ]
    if state.active in opaque:
        return opaque[(opaque.index(state.active) + 1) % len(opaque)]
    return opaque[0] if opaque else None


def _is_solid(matte: Matte, row: int, column: int) -> bool:
    height, width = matte.alpha.shape
    inside = 0 <= row < height and 0 <= column < width
    return inside and int(matte.alpha[row, column]) > ALPHA_MAX // 2


def active_object_rect(state: DocumentState) -> QRectF:
    """The place of the active object, in image pixels; empty without one."""
    matte, recipe = state.matte, state.recipe
    if matte is not None and matte.support[2] > matte.support[0]:
        left, top, right, bottom = matte.support
        return QRectF(left, top, right - left, bottom - top)
    positions = []
    for prompts in (recipe.prompts, *recipe.more_prompt_sets):
        positions += [(point.x, point.y) for point in prompts.points]
        positions += [position for line in prompts.scribbles for position in line.path]
        if prompts.box is not None:
            positions += [
                (prompts.box.x0, prompts.box.y0),
                (prompts.box.x1, prompts.box.y1),
            ]
    positions += [(x, y) for stroke in recipe.finish.strokes for x, y, _ in stroke.path]
    if not positions:
        return QRectF()
    box = Box.enclosing(positions)
    return QRectF(box.x0, box.y0, max(box.width, 1), max(box.height, 1))


class ResultCache:
    """The newest mattes by request key, bounded in bytes."""

    def __init__(self, limit: int = RESULT_BYTES) -> None:
        self.limit = limit
        self._mattes: OrderedDict[Any, Matte] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mattes)

    def get(self, key: Any) -> Matte | None:
        """The matte kept under that key, which becomes the newest."""
        if key in self._mattes:
            self._mattes.move_to_end(key)
        return self._mattes.get(key)

    def put(self, key: Any, matte: Matte) -> None:
        """Keep a matte and drop the oldest ones over the limit, but never this one."""
        self._mattes[key] = matte
        self._mattes.move_to_end(key)
        self.trim()

    def trim(self) -> None:
        """Drop the oldest mattes over the limit, but never the newest."""
        while len(self._mattes) > 1 and self._total() > self.limit:
            self._mattes.popitem(last=False)

    def _total(self) -> int:
        return sum(matte.nbytes for matte in self._mattes.values())


class _EditCommand(QUndoCommand):
    """Replaces the objects; one finished gesture is one of these."""

    def __init__(
        self,
        document: Document,
        text: str,
        objects: tuple[SceneObject, ...],
        active: int,
    ) -> None:
        super().__init__(text)
        self._document = document
        self._old = document.state.objects, document.state.active
        self._new = objects, active

    def redo(self) -> None:
        self._document._set_objects(*self._new)

    def undo(self) -> None:
        self._document._set_objects(*self._old)


class Document(QObject):
    """One picture and its recipes, edited through an undo stack.

    Args:
        image: never changes.
        levels: the picture at 1, 1/2, 1/4, ... of its size, for display.
        model: of the first object.

    **Signals**

    - ``changed(old, new)``: two :class:`DocumentState`; the only news there is.
    - ``request_changed(request)``: this :class:`Request` wants solving; None when an
      earlier wish is void.  The answer goes to :meth:`receive_matte`.  Objects are asked for
      one after the other, the active one first.
    - ``failed(error)``: the prompts make no request; a :class:`ZimError`.

    **Threads**: the window's only.
    """

    changed = Signal(object, object)
    request_changed = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        image: Image,
        levels: tuple[ByteArray, ...] = (),
        parent: QObject | None = None,
        *,
        model: str = DEFAULT_MODEL,
    ) -> None:
        super().__init__(parent)
        self.image = image
        self.levels = levels or (image.rgb,)
        self.undo_stack = QUndoStack(self)
        first = SceneObject(recipe=Recipe(model=model))
        self.state = DocumentState((first,))
        self._results = ResultCache()
        self._on_preference_changed("result_memory")
        preferences.changed.connect(self._on_preference_changed)
        self._solved_keys: dict[int, RequestKey] = {}
        self._cancelled_keys: set[RequestKey] = set()
        self._last_id = self.state.object.id

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "result_memory":
            self._results.limit = preferences.value(key) * 2**20
            self._results.trim()

    # -- Edits --------------------------------------------------------------------

    def edit(self, text: str, recipe: Recipe) -> None:
        """Give the active object another recipe, as one undo step named ``text``."""
        self.edit_object(text, self.state.active, recipe=recipe)

    def edit_object(self, text: str, index: int, **changes: Any) -> None:
        """Change attributes of one object, as one undo step named ``text``."""
        objects = list(self.state.objects)
        objects[index] = replace(objects[index], **changes)
        self.edit_objects(text, tuple(objects), self.state.active)

    def edit_objects(
        self, text: str, objects: tuple[SceneObject, ...], active: int
    ) -> None:
        """Replace all objects and choose the active one, as one undo step."""
        if objects != self.state.objects:
            self.undo_stack.push(_EditCommand(self, text, objects, active))

    def new_object(self, recipe: Recipe | None = None, name: str = "") -> SceneObject:
        """An object that this picture does not have yet, for :meth:`edit_objects`."""
        self._last_id = id_ = self._last_id + 1
        colour = OBJECT_COLOURS[(id_ - 1) % len(OBJECT_COLOURS)]
        model = replace(Recipe(), model=self.state.recipe.model)
        return SceneObject(id_, name, colour, recipe=recipe or model)

    # -- What is no edit ------------------------------------------------------------

    def select(self, index: int) -> None:
        """Make another object the active one; no undo step."""
        if index != self.state.active:
            self._set_objects(self.state.objects, index)

    def set_solo(self, id_: int | None) -> None:
        """Show only the object with that id; None shows all that are visible."""
        if id_ != self.state.solo:
            self._set(replace(self.state, solo=id_))
            self._request_next()

    def cancel_pending(self) -> bool:
        """Ask for nothing more until the next change or :meth:`request_again`.

        Returns:
            Whether a matte was still to come.
        """
        state = self.state
        waiting = [o for o in state.objects if o.id in state.unsolved]
        self._cancelled_keys = {
            self.request(scene_object.recipe).key for scene_object in waiting
        }
        return not state.is_complete or state.is_pending

    def request_again(self) -> None:
        """Ask for what was given up."""
        self._cancelled_keys = set()
        self._request_next()

    # -- Answers ------------------------------------------------------------------

    def request(self, recipe: Recipe | None = None) -> Request:
        """The question to the engine for a recipe; None takes the active object's."""
        recipe = recipe or self.state.recipe
        return recipe.request(self.image.rgb, self.image.key)

    @Slot(object, object)
    def receive_matte(self, request: Request, matte: Matte | None) -> None:
        """Take the answer to a request; None when there is none.

        A stale answer, to a question that no object asks any more, is dropped.
        """
        state, mattes = self.state, list(self.state.mattes)
        matching = [
            index
            for index, scene_object in enumerate(state.objects)
            if self.request(scene_object.recipe).key == request.key
        ]
        if not matching:
            return
        if matte is not None:
            self._results.put(request.key, matte)
        for index in matching:
            mattes[index] = matte
            self._solved_keys[state.objects[index].id] = request.key
        unsolved = state.unsolved - {state.objects[index].id for index in matching}
        self._set(replace(state, mattes=tuple(mattes), unsolved=unsolved))
        self._request_next(after_answer=True)

    def _set_objects(self, objects: tuple[SceneObject, ...], active: int) -> None:
        """Make these the objects, with those mattes at once that are known."""
        pairs = zip(self.state.objects, self.state.mattes, strict=True)
        old = {scene_object.id: matte for scene_object, matte in pairs}
        ids = {scene_object.id for scene_object in objects}
        # An id is never given again, even after an undo: a redo may bring it back.
        self._last_id = max(self._last_id, *ids)
        self._cancelled_keys = set()
        # What comes back later may have lost its matte meanwhile.
        self._solved_keys = {i: key for i, key in self._solved_keys.items() if i in ids}
        mattes = tuple(
            self._current_matte(scene_object, old.get(scene_object.id))
            for scene_object in objects
        )
        unsolved = frozenset(o.id for o in objects if self._needs_solving(o))
        # A new object that solo hides would look as if it had not come.
        solo = self.state.solo if ids <= old.keys() else None
        solo = solo if solo in ids else None
        self._set(DocumentState(objects, active, mattes, unsolved, solo))
        self._request_next()
        error = self._prompt_error(objects[active].recipe)
        if error:
            self.failed.emit(error)

    def _current_matte(
        self, scene_object: SceneObject, old: Matte | None
    ) -> Matte | None:
        """The matte to show of an object now; the old one while there is no newer."""
        key = self.request(scene_object.recipe).key
        cached = self._results.get(key)
        if cached is not None:
            self._solved_keys[scene_object.id] = key
        elif self._solved_keys.get(scene_object.id) != key:
            self._solved_keys.pop(scene_object.id, None)
        return old if cached is None and self._has_prompts(scene_object) else cached

    def _needs_solving(self, scene_object: SceneObject) -> bool:
        """Whether an object's recipe still has to be solved."""
        key = self.request(scene_object.recipe).key
        return (
            self._has_prompts(scene_object)
            and self._solved_keys.get(scene_object.id) != key
        )

    def _lacks_matte(self, scene_object: SceneObject) -> bool:
        """Whether an object's matte is to be asked for now."""
        given_up = self.request(scene_object.recipe).key in self._cancelled_keys
        return self._needs_solving(scene_object) and not given_up

    def _has_prompts(self, scene_object: SceneObject) -> bool:
        return (
            scene_object.recipe.has_prompts
            and self._prompt_error(scene_object.recipe) is None
        )

    def _request_next(self, *, after_answer: bool = False) -> None:
        """Ask for the matte that is missed most, or say that none is.

        Args:
            after_answer: the last wish was fulfilled, so that there is none to take back.
        """
        state = self.state
        visible = [i for i in range(len(state.objects)) if state.is_shown(i)]
        ordered = [state.objects[i] for i in (state.active, *visible)]
        next_object = next(filter(self._lacks_matte, ordered), None)
        if next_object is not None:
            self.request_changed.emit(self.request(next_object.recipe))
        elif not after_answer:
            self.request_changed.emit(None)

    def _prompt_error(self, recipe: Recipe) -> ZimError | None:
        """Why these prompts have no answer; no prompts at all are fine."""
        try:
            recipe.validate(self.image.height, self.image.width)
        except ZimError as error:
            return error
        return None

    def _set(self, state: DocumentState) -> None:
        old, self.state = self.state, state
        self.changed.emit(old, state)
