"""One picture, its objects, and the history of edits."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from zim_app.core.session import Recipe
from zim_model.arrays import ByteArray
from zim_model.errors import ZimError
from zim_model.request import Matte, Request

if TYPE_CHECKING:
    from zim_app.core.images import Picture

RESULT_BYTES = 512 * 2**20
"""Mattes kept for undo and redo; the one on screen is kept whatever its size."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """One object that the user cuts out of the picture."""

    id: int = 1
    name: str = ""
    visible: bool = True
    recipe: Recipe = field(default_factory=Recipe)


@dataclass(frozen=True, slots=True)
class DocumentState:
    """All that the window shows of a document, frozen.

    Attributes:
        objects: at least one.
        active: index of the object that edits go to.
        matte: to be shown; while ``pending``, still that of an earlier recipe.
        pending: an answer for the active recipe is under way.
    """

    objects: tuple[ObjectState, ...] = (ObjectState(),)
    active: int = 0
    matte: Matte | None = None
    pending: bool = False

    @property
    def recipe(self) -> Recipe:
        """The active object's recipe."""
        return self.objects[self.active].recipe


class ResultCache:
    """The newest mattes by request key, bounded in bytes."""

    def __init__(self, limit: int = RESULT_BYTES) -> None:
        self._limit = limit
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
        while len(self._mattes) > 1 and self._total() > self._limit:
            self._mattes.popitem(last=False)

    def _total(self) -> int:
        return sum(map(_size, self._mattes.values()))


def _size(matte: Matte) -> int:
    return matte.alpha.nbytes + sum(level.nbytes for level in matte.pyramid)


class _Edit(QUndoCommand):
    """Replaces the objects; one finished gesture is one of these."""

    def __init__(
        self, document: Document, text: str, objects: tuple[ObjectState, ...]
    ) -> None:
        super().__init__(text)
        self._document = document
        self._old = document.state.objects
        self._new = objects

    def redo(self) -> None:
        self._document._show(self._new)

    def undo(self) -> None:
        self._document._show(self._old)


class Document(QObject):
    """One picture and its recipes, edited through an undo stack.

    Args:
        picture: never changes.
        levels: the picture at 1, 1/2, 1/4, ... of its size, for display.

    **Signals**

    - ``changed(old, new)``: two :class:`DocumentState`; the only news there is.
    - ``requested(request)``: this :class:`Request` wants solving; None when an
      earlier wish is void.  The answer goes to :meth:`receive`.
    - ``failed(error)``: the prompts make no request; a :class:`ZimError`.

    **Threads**: the window's only.
    """

    changed = Signal(object, object)
    requested = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        picture: Picture,
        levels: tuple[ByteArray, ...] = (),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.picture = picture
        self.levels = levels or (picture.rgb,)
        self.undo_stack = QUndoStack(self)
        self.state = DocumentState()
        self._results = ResultCache()

    def edit(self, text: str, recipe: Recipe) -> None:
        """Give the active object another recipe, as one undo step named ``text``."""
        state = self.state
        if recipe != state.recipe:
            objects = list(state.objects)
            objects[state.active] = replace(objects[state.active], recipe=recipe)
            self.undo_stack.push(_Edit(self, text, tuple(objects)))

    def request(self, recipe: Recipe | None = None) -> Request:
        """The question to the engine for a recipe; None takes the active object's."""
        recipe = recipe or self.state.recipe
        return recipe.request(self.picture.rgb, self.picture.key)

    @Slot(object, object)
    def receive(self, request: Request, matte: Matte | None) -> None:
        """Take the answer to a request; None when there is none.

        A stale answer, to a question that is no longer the current one, is dropped.
        """
        if request.key == self.request().key:
            if matte is not None:
                self._results.put(request.key, matte)
            self._set(replace(self.state, matte=matte, pending=False))

    def _show(self, objects: tuple[ObjectState, ...]) -> None:
        """Make these the objects, with the matte at once if it is known."""
        state = replace(self.state, objects=objects)
        request = self.request(state.recipe)
        error = self._objection(request)
        known = self._results.get(request.key)
        pending = known is None and error is None and bool(request.prompts)
        matte = self.state.matte if pending else known
        self._set(replace(state, matte=matte, pending=pending))
        self.requested.emit(request if pending else None)
        if error:
            self.failed.emit(error)

    def _objection(self, request: Request) -> ZimError | None:
        """Why these prompts have no answer; no prompts at all are fine."""
        if request.prompts:
            try:
                request.prompts.validated(self.picture.height, self.picture.width)
            except ZimError as error:
                return error
        return None

    def _set(self, state: DocumentState) -> None:
        old, self.state = self.state, state
        self.changed.emit(old, state)
