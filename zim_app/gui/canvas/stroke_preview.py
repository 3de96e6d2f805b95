"""Preview of brush strokes, from the press until the engine has applied them."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from zim_app.core.packed_mattes import are_one_matte, unpacked
from zim_app.gui.canvas.live_stroke import LiveStrokeMatte
from zim_app.gui.document import DocumentState
from zim_model.arrays import ByteArray
from zim_model.finish import Stroke
from zim_model.recipe import Recipe
from zim_model.request import Matte


class StrokePreview:
    """Strokes on the active object's matte that the document's matte lacks.

    Strokes may be drawn faster than they are solved: each is rendered on the earlier
    ones.  The preview is shown until the document's matte has all strokes, so that
    nothing flickers.

    Attributes:
        under_way: whether a stroke is being drawn.
    """

    def __init__(self) -> None:
        self.under_way = False
        self._live: LiveStrokeMatte | None = None
        self._awaited: tuple[int, tuple[Stroke, ...]] | None = None

    @property
    def matte(self) -> Matte | None:
        """The matte to show in place of the active object's, or None."""
        return self._live.matte if self._live else None

    def begin(self, state: DocumentState, image: ByteArray) -> None:
        """Begin a stroke on the active matte of an image (H, W, 3)."""
        if self._live is None:
            self._live = LiveStrokeMatte(unpacked(state.matte), image)
        self._live.begin()
        self.under_way = True

    def show(self, recipe: Recipe) -> QRectF:
        """Render the last stroke of a recipe, which is being drawn.

        Returns:
            The changed rectangle in image pixels; empty if nothing changed.
        """
        assert self._live is not None
        dirty = self._live.show(recipe.finish.strokes[-1])
        if dirty is None:
            return QRectF()
        rows, columns = dirty
        width, height = columns.stop - columns.start, rows.stop - rows.start
        return QRectF(columns.start, rows.start, width, height)

    def finish(self, state: DocumentState, recipe: Recipe) -> None:
        """End the stroke; the active object is about to get that recipe."""
        self._awaited = state.object.id, recipe.finish.strokes
        self.under_way = False

    def cancel(self, state: DocumentState) -> None:
        """Remove the current stroke."""
        self.under_way = False
        if self._live is not None:
            self._live.cancel()
        self._drop_if_superseded(state)

    def clear(self) -> None:
        """Remove all strokes, for another document."""
        self.under_way, self._live = False, None

    def follow_document(self, old: DocumentState, new: DocumentState) -> None:
        """End the preview when the document's matte has all strokes."""
        self._drop_if_superseded(new)
        if self._live is not None and not are_one_matte(new.matte, old.matte):
            self._live.rebase(unpacked(new.matte))

    def _drop_if_superseded(self, state: DocumentState) -> None:
        painted = (state.object.id, state.recipe.finish.strokes)
        awaited = state.is_pending and painted == self._awaited
        if not (self.under_way or awaited):
            self._live = None
