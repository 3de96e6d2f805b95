"""The brush's strokes on screen, from the first touch until the engine has answered."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from zim_app.gui.canvas.live_stroke import LiveStrokeMatte
from zim_app.gui.document import DocumentState
from zim_model.recipe import Recipe
from zim_model.request import Matte, Stroke


class StrokePreview:
    """What is painted on the active object's matte and the document does not have yet.

    Strokes may follow each other faster than they are answered: each lies on the ones
    before.  What is painted is shown until there is the answer that has it too, so that
    nothing flickers.

    Attributes:
        under_way: a stroke is being drawn.
    """

    def __init__(self) -> None:
        self.under_way = False
        self._live: LiveStrokeMatte | None = None
        self._awaited: tuple[int, tuple[Stroke, ...]] | None = None

    @property
    def matte(self) -> Matte | None:
        """For show in place of the active object's; None if there is nothing newer."""
        return self._live.matte if self._live else None

    def begin(self, state: DocumentState, size: tuple[int, int]) -> None:
        """A stroke begins on what is to be seen, an image of that height and width."""
        if self._live is None:
            self._live = LiveStrokeMatte(state.matte, size)
        self._live.begin()
        self.under_way = True

    def show(self, recipe: Recipe) -> QRectF:
        """Paint the newest stroke of a recipe, which is under way, as far as it goes.

        Returns:
            Where that changed something, in image pixels; empty if nowhere.
        """
        assert self._live is not None
        dirty = self._live.show(recipe.finish.strokes[-1])
        if dirty is None:
            return QRectF()
        rows, columns = dirty
        width, height = columns.stop - columns.start, rows.stop - rows.start
        return QRectF(columns.start, rows.start, width, height)

    def finish(self, state: DocumentState, recipe: Recipe) -> None:
        """The stroke is done: the active object is about to get that recipe."""
        self._awaited = state.object.id, recipe.finish.strokes
        self.under_way = False

    def cancel(self, state: DocumentState) -> None:
        """Take the stroke under way back."""
        self.under_way = False
        if self._live is not None:
            self._live.cancel()
        self._drop_if_superseded(state)

    def clear(self) -> None:
        """Forget everything, as for another document."""
        self.under_way, self._live = False, None

    def follow_document(self, old: DocumentState, new: DocumentState) -> None:
        """Give way to the document's matte as soon as it has all that is painted."""
        self._drop_if_superseded(new)
        if self._live is not None and new.matte is not old.matte:
            self._live.rebase(new.matte)

    def _drop_if_superseded(self, state: DocumentState) -> None:
        painted = (state.object.id, state.recipe.finish.strokes)
        awaited = state.is_pending and painted == self._awaited
        if not (self.under_way or awaited):
            self._live = None
