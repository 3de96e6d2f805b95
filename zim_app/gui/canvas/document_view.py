"""Shows a document on the viewport, with previews and unsolved strokes."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from zim_app.gui.canvas.onion_skin import Comparison, OnionSkinItem
from zim_app.gui.canvas.overlay import OverlayItem, OverlayLayer
from zim_app.gui.canvas.stroke_preview import StrokePreview
from zim_app.gui.canvas.view_modes import HINT_MODES, OverlayStyle
from zim_app.gui.canvas.viewport import Viewport
from zim_app.gui.document import Document, DocumentState, active_object_rect
from zim_app.gui.tools.gestures import RecipeEdit
from zim_model.request import Matte


class DocumentView(Viewport):
    """Shows a document: its image and the mattes of the objects on screen.

    The active object's matte is replaced by the stroke preview or by a preview of
    another recipe.  The hover preview lies over all mattes.

    Attributes:
        prompts_hidden: whether no prompts are drawn.

    **Signals**: those of :class:`Viewport`, and

    - ``prompts_hidden_changed(hidden)``.
    - ``edit_previewed(recipe)``: a gesture would give this :class:`Recipe`, whose matte
      the engine makes; None ends it.

    **Threads**: the window's only.
    """

    prompts_hidden_changed = Signal(bool)
    edit_previewed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self._stroke_preview = StrokePreview()
        self._preview: Matte | None = None
        self.prompts_hidden = False
        self._hint = OverlayItem()
        self.scene().addItem(self._hint)
        self._onion_skin = OnionSkinItem()
        self.scene().addItem(self._onion_skin)
        self.set_overlay_style(OverlayStyle())

    def set_overlay_style(self, style: OverlayStyle) -> None:
        super().set_overlay_style(style)
        self._hint.set_mode(HINT_MODES[style.target])

    def set_document(self, document: Document) -> None:
        """Show another document, zoomed to fit."""
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        self._stroke_preview.clear()
        self._preview = None
        self.show_image(document.levels)
        self._hint.set_levels(document.levels)
        self._onion_skin.set_levels(document.levels)
        self.show_hover_matte(None)
        self._show_mattes(document.state)
        document.changed.connect(self._on_document_changed)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        self._stroke_preview.follow_document(old, new)
        self._show_mattes(new)

    def _show_mattes(self, state: DocumentState) -> None:
        mattes = list(state.mattes)
        provisional = self._stroke_preview.matte or self._preview
        if provisional is not None:
            mattes[state.active] = provisional
        self.show_layers(
            tuple(
                OverlayLayer(matte, scene_object.colour, active=index == state.active)
                for index, (scene_object, matte) in enumerate(
                    zip(state.objects, mattes, strict=True)
                )
                if isinstance(matte, Matte) and state.is_shown(index)
            )
        )

    def _begin_stroke(self) -> None:
        """Begin a stroke on the active object's matte."""
        assert self.document is not None
        image = self.document.image
        self._stroke_preview.begin(self.document.state, image.rgb)
        self._show_mattes(self.document.state)

    def _paint_stroke(self, edit: RecipeEdit | None) -> None:
        """Show the stroke of an edit, if one is being drawn."""
        if self._stroke_preview.under_way and edit is not None:
            self.update_alpha(self._stroke_preview.show(edit.recipe))

    def _finish_stroke(self, edit: RecipeEdit) -> None:
        """Keep showing the stroke until the edit's recipe is solved."""
        if self._stroke_preview.under_way and self.document is not None:
            self._stroke_preview.finish(self.document.state, edit.recipe)

    def _cancel_stroke(self) -> None:
        """Remove the stroke that is being drawn, if any."""
        if self._stroke_preview.under_way and self.document is not None:
            self._stroke_preview.cancel(self.document.state)
            self._show_mattes(self.document.state)
            self.update_alpha(self.image_rect)

    def show_preview(self, matte: Matte | None) -> None:
        """Show a matte in place of the active object's; None ends it."""
        if matte is not self._preview:
            self._preview = matte
            if self.document is not None:
                self._show_mattes(self.document.state)

    def show_hover_matte(self, matte: Matte | None) -> None:
        """Show a translucent matte over all others; None hides it."""
        self._hint.set_layers((OverlayLayer(matte, 0),) if matte else ())

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show two mattes in place of all others; None ends it."""
        self._onion_skin.set_comparison(comparison)
        self._set_peeking(False)

    def _set_peeking(self, on: bool) -> None:
        super()._set_peeking(on)
        shown = self._overlay.isVisible()
        compares = self._onion_skin.comparison is not None
        self._onion_skin.setVisible(shown and compares)
        self._overlay.setVisible(shown and not compares)
        self._hide_covered_items()

    def set_prompts_hidden(self, hidden: bool) -> None:
        """Draw no prompts until one is made or changed, or draw them again."""
        if hidden != self.prompts_hidden:
            self.prompts_hidden = hidden
            self.viewport().update()
            self.prompts_hidden_changed.emit(hidden)

    def zoom_to_object(self) -> None:
        """Zoom to the active object, or to its prompts if it has no matte."""
        if self.document is not None:
            self.show_area(active_object_rect(self.document.state))
