"""One image, its objects, and the history of edits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRectF, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from zim_app.core.packed_mattes import AnyMatte, alpha_at
from zim_app.core.saved_work import check_limits
from zim_app.gui.settings import preferences
from zim_app.gui.settings.refinement import new_recipe
from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.prompts import Box
from zim_model.recipe import Recipe, SceneObject
from zim_model.request import ALPHA_MAX, Matte, Request, RequestKey
from zim_model.runtime.lru import ByteBoundedLru
from zim_model.weights.catalogue import DEFAULT_MODEL

if TYPE_CHECKING:
    from zim_app.core.images import Image

OBJECT_COLOURS = (0x2F8FFF, 0xF2A33A, 0x3DBE6B, 0xD65DB1, 0xE4572E, 0x8C6BE8, 0x1FB5B0)
"""Colours of new objects, in turn; they differ in hue and in lightness."""


@dataclass(frozen=True, slots=True)
class DocumentState:
    """Immutable state of a document.

    Attributes:
        objects: at least one, the topmost first.
        active: index of the object that edits go to.
        mattes: one for each object; None where there is none.  That of an ``unsolved``
            object belongs to an earlier recipe.  One that is neither on screen nor
            active is soon packed, by :mod:`zim_app.gui.workers.matte_packer`.
        unsolved: ids of the objects whose recipe has not been solved yet.
        solo: id of the only object on screen; None shows all visible ones.
    """

    objects: tuple[SceneObject, ...] = (SceneObject(),)
    active: int = 0
    mattes: tuple[AnyMatte | None, ...] = (None,)
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
    def matte(self) -> AnyMatte | None:
        """The active object's matte."""
        return self.mattes[self.active]

    @property
    def is_pending(self) -> bool:
        """Whether the active recipe has not been solved yet."""
        return self.object.id in self.unsolved

    @property
    def has_current_matte(self) -> bool:
        """Whether the active object has a matte, and its recipe is solved."""
        return self.matte is not None and not self.is_pending

    @property
    def is_complete(self) -> bool:
        """Whether no object on screen is unsolved."""
        pairs = enumerate(self.objects)
        return not any(self.is_shown(i) and o.id in self.unsolved for i, o in pairs)

    def index_of(self, id_: int) -> int:
        """Index of the object with that id, which must exist."""
        return [scene_object.id for scene_object in self.objects].index(id_)

    def find(self, id_: int) -> int | None:
        """Index of the object with that id; None if there is none."""
        ids = [scene_object.id for scene_object in self.objects]
        return ids.index(id_) if id_ in ids else None

    def is_shown(self, index: int) -> bool:
        """Whether that object is on screen."""
        if self.solo is not None:
            return self.objects[index].id == self.solo
        return self.objects[index].visible


def find_object_at(state: DocumentState, x: float, y: float) -> int | None:
    """Index of the object on screen that is opaque at x, y in image pixels, or None.

    The topmost one; or the next one below the active object if that is opaque there
    too, so that repeated calls cycle through all of them.
    """
    row, column = math.floor(y), math.floor(x)
    opaque = [
        index
        for index, matte in enumerate(state.mattes)
        if matte is not None
        and state.is_shown(index)
        and (alpha_at(matte, row, column) or 0) > ALPHA_MAX // 2
    ]
    if state.active in opaque:
        return opaque[(opaque.index(state.active) + 1) % len(opaque)]
    return opaque[0] if opaque else None


def active_object_rect(state: DocumentState) -> QRectF:
    """Support of the active object's matte, or bounds of its prompts, in image pixels.

    Empty if it has neither.
    """
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


def _result_bytes() -> int:
    """Most memory for the mattes of undo and redo."""
    return int(preferences.value("result_memory")) * 2**20


ObjectsAndActive = tuple[tuple[SceneObject, ...], int]
"""All objects, and the index of the active one."""


@dataclass(frozen=True, slots=True)
class EditStep:
    """What an undo step replaces: all objects and the active index."""

    text: str
    before: ObjectsAndActive
    after: ObjectsAndActive


@dataclass(frozen=True, slots=True)
class EditHistory:
    """The undo steps of a document, to go on with them in another one.

    Attributes:
        steps: the oldest first.
        index: number of steps that are done and not undone.
    """

    steps: tuple[EditStep, ...]
    index: int

    @property
    def current(self) -> ObjectsAndActive:
        """The objects after the steps that are done; there is a step at least."""
        return self.steps[self.index - 1].after if self.index else self.steps[0].before


class _EditCommand(QUndoCommand):
    """Undo step of a document."""

    def __init__(self, document: Document, step: EditStep) -> None:
        super().__init__(step.text)
        self._document, self._step = document, step

    def redo(self) -> None:
        self._document._apply(self._step.after)

    def undo(self) -> None:
        self._document._apply(self._step.before)


class Document(QObject):
    """One image and its objects, edited through an undo stack.

    Args:
        image: the image; it never changes.
        levels: display pyramid of the image.
        model: model of the first object.

    **Signals**

    - ``changed(old, new)``: two :class:`DocumentState`.
    - ``request_changed(request)``: the :class:`Request` to solve next; None
      if no object needs solving.  Its matte goes to :meth:`receive_matte`.  Objects are
      requested one after the other, the active one first.
    - ``failed(error)``: the prompts are invalid, or an edit was refused because it
      could not be stored; a :class:`ZimError`.

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
        first = SceneObject(recipe=new_recipe(model))
        self.state = DocumentState((first,))
        self._results: ByteBoundedLru[RequestKey, AnyMatte] = ByteBoundedLru(
            _result_bytes()
        )
        preferences.changed.connect(self._on_preference_changed)
        self._solved_keys: dict[int, RequestKey] = {}
        self._cancelled_keys: set[RequestKey] = set()
        self._last_id = self.state.object.id
        self._steps: list[EditStep] = []
        self._replaying = False

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key == "result_memory":
            self._results.resize(_result_bytes())

    # -- Edits --------------------------------------------------------------------

    def edit(self, text: str, recipe: Recipe) -> bool:
        """Give the active object another recipe, as :meth:`edit_objects` does."""
        return self.edit_object(text, self.state.active, recipe=recipe)

    def edit_object(self, text: str, index: int, **changes: Any) -> bool:
        """Change attributes of one object, as :meth:`edit_objects` does."""
        objects = list(self.state.objects)
        objects[index] = replace(objects[index], **changes)
        return self.edit_objects(text, tuple(objects), self.state.active)

    def edit_objects(
        self, text: str, objects: tuple[SceneObject, ...], active: int
    ) -> bool:
        """Replace all objects and choose the active one, as one undo step.

        Args:
            text: name of the undo step.

        Returns:
            False if the objects could not be stored, so that they stay as they were.
        """
        try:
            check_limits(objects)
        except ZimError as error:
            self.failed.emit(error)
            return False
        if objects != self.state.objects:
            before = self.state.objects, self.state.active
            self._push(EditStep(text, before, (objects, active)))
        return True

    def _push(self, step: EditStep) -> None:
        # The stack forgets the steps that were undone.
        self._steps = [*self._steps[: self.undo_stack.index()], step]
        self.undo_stack.push(_EditCommand(self, step))

    def _apply(self, state: ObjectsAndActive) -> None:
        if not self._replaying:
            self._set_objects(*state)

    @property
    def history(self) -> EditHistory:
        """The undo steps, for :meth:`replay`."""
        return EditHistory(tuple(self._steps), self.undo_stack.index())

    def replay(self, history: EditHistory) -> None:
        """Take over the undo steps of an earlier document of the same image."""
        self._replaying = True
        for step in history.steps:
            self._push(step)
        self.undo_stack.setIndex(history.index)
        self._replaying = False
        self._set_objects(*history.current)

    def new_object(self, recipe: Recipe | None = None, name: str = "") -> SceneObject:
        """An object with a new id, for :meth:`edit_objects`."""
        self._last_id = id_ = self._last_id + 1
        colour = OBJECT_COLOURS[(id_ - 1) % len(OBJECT_COLOURS)]
        blank = new_recipe(self.state.recipe.model)
        return SceneObject(id_, name, colour, recipe=recipe or blank)

    # -- Without undo steps ------------------------------------------------------------

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
        """Request nothing more until the next edit or :meth:`request_again`.

        Returns:
            Whether an object was unsolved.
        """
        state = self.state
        waiting = [o for o in state.objects if o.id in state.unsolved]
        self._cancelled_keys = {
            self.request(scene_object.recipe).key for scene_object in waiting
        }
        return not state.is_complete or state.is_pending

    def request_again(self) -> None:
        """Request the mattes that were cancelled."""
        self._cancelled_keys = set()
        self._request_next()

    # -- Mattes ------------------------------------------------------------------

    def request(self, recipe: Recipe | None = None) -> Request:
        """The request for a recipe; None is the active object's."""
        recipe = recipe or self.state.recipe
        return Request(self.image.rgb, self.image.key, recipe)

    @Slot(object, object)
    def receive_matte(self, request: Request, matte: Matte | None) -> None:
        """Store the matte of a request; None if it failed.

        A stale matte, which matches no object's recipe, is dropped.
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
        self._request_next(after_matte=True)

    @Slot(object, object)
    def receive_draft(self, request: Request, matte: Matte) -> None:
        """Show an approximation of a matte that is still being computed."""
        state, mattes = self.state, list(self.state.mattes)
        for index, scene_object in enumerate(state.objects):
            waiting = scene_object.id in state.unsolved
            if waiting and self.request(scene_object.recipe).key == request.key:
                mattes[index] = matte
        if any(a is not b for a, b in zip(mattes, state.mattes, strict=True)):
            self._set(replace(state, mattes=tuple(mattes)))

    def replace_mattes(self, pairs: Iterable[tuple[AnyMatte, AnyMatte]]) -> None:
        """Keep mattes in another form, packed or unpacked.

        Args:
            pairs: each matte, and the one that takes its place.
        """
        others = {}
        for old, new in pairs:
            self._results.replace(old, new)
            others[id(old)] = new
        mattes = tuple(others.get(id(each), each) for each in self.state.mattes)
        self._set(replace(self.state, mattes=mattes))

    def _set_objects(self, objects: tuple[SceneObject, ...], active: int) -> None:
        """Replace the objects, with their cached mattes."""
        pairs = zip(self.state.objects, self.state.mattes, strict=True)
        old = {scene_object.id: matte for scene_object, matte in pairs}
        ids = {scene_object.id for scene_object in objects}
        # Ids are never reused, even after an undo: a redo may restore the object.
        self._last_id = max(self._last_id, *ids)
        self._cancelled_keys = set()
        # Restored objects may have lost their matte in the meantime.
        self._solved_keys = {i: key for i, key in self._solved_keys.items() if i in ids}
        mattes = tuple(
            self._current_matte(scene_object, old.get(scene_object.id))
            for scene_object in objects
        )
        unsolved = frozenset(o.id for o in objects if self._needs_solving(o))
        # A new object must not be hidden by solo.
        solo = self.state.solo if ids <= old.keys() else None
        solo = solo if solo in ids else None
        self._set(DocumentState(objects, active, mattes, unsolved, solo))
        self._request_next()
        error = self._prompt_error(objects[active].recipe)
        if error:
            self.failed.emit(error)

    def _current_matte(
        self, scene_object: SceneObject, old: AnyMatte | None
    ) -> AnyMatte | None:
        """The cached matte of an object's recipe, else its old one."""
        key = self.request(scene_object.recipe).key
        cached = self._results.get(key)
        if cached is not None:
            self._solved_keys[scene_object.id] = key
        elif self._solved_keys.get(scene_object.id) != key:
            self._solved_keys.pop(scene_object.id, None)
        return old if cached is None and self._has_prompts(scene_object) else cached

    def _needs_solving(self, scene_object: SceneObject) -> bool:
        """Whether an object's recipe has not been solved yet."""
        key = self.request(scene_object.recipe).key
        return (
            self._has_prompts(scene_object)
            and self._solved_keys.get(scene_object.id) != key
        )

    def _lacks_matte(self, scene_object: SceneObject) -> bool:
        """Whether an object needs solving and was not cancelled."""
        cancelled = self.request(scene_object.recipe).key in self._cancelled_keys
        return self._needs_solving(scene_object) and not cancelled

    def _has_prompts(self, scene_object: SceneObject) -> bool:
        return (
            scene_object.recipe.has_prompts
            and self._prompt_error(scene_object.recipe) is None
        )

    def _request_next(self, *, after_matte: bool = False) -> None:
        """Request the next missing matte; withdraw the last request if none is missing.

        Args:
            after_matte: the last request was answered, so that there is none to
                withdraw.
        """
        state = self.state
        visible = [i for i in range(len(state.objects)) if state.is_shown(i)]
        ordered = [state.objects[i] for i in (state.active, *visible)]
        next_object = next(filter(self._lacks_matte, ordered), None)
        if next_object is not None:
            self.request_changed.emit(self.request(next_object.recipe))
        elif not after_matte:
            self.request_changed.emit(None)

    def _prompt_error(self, recipe: Recipe) -> ZimError | None:
        """The error of invalid prompts, or None; an empty recipe is valid."""
        try:
            recipe.validate(self.image.height, self.image.width)
        except ZimError as error:
            return error
        return None

    def _set(self, state: DocumentState) -> None:
        old, self.state = self.state, state
        self.changed.emit(old, state)
