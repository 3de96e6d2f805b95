"""The panel that refines the active object's matte: edge, softness, colours, detail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLayout,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.document import Document, DocumentState
from zim_app.gui.icon_button import IconButton
from zim_app.gui.panels.detail_box import DetailBox
from zim_app.gui.panels.fields import SliderField, SliderScale
from zim_app.gui.panels.section import Section
from zim_app.gui.settings import window_state
from zim_app.gui.settings.refinement import (
    refine,
    refinement_of,
    store_refinement,
    stored_refinement,
)
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.finish import MAX_FEATHER, MAX_SHIFT, STANDARD_FINISH
from zim_model.recipe import Recipe, Upsampling


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One number of the :class:`Finish` as a slider.

    Attributes:
        name: name of the attribute.
        text, tip: label and tool tip, translated in the context "Refine".
        step: name of the undo step, translated likewise.
        scale: scale of the slider.
        scale_factor: ratio of the attribute to the slider's value.
    """

    name: str
    text: str
    tip: str
    step: str
    scale: SliderScale
    scale_factor: float = 1.0


ADJUSTMENTS = (
    Adjustment(
        "contrast",
        QT_TRANSLATE_NOOP("Refine", "Contrast"),
        QT_TRANSLATE_NOOP("Refine", "Makes the soft edge steeper, but never hard"),
        QT_TRANSLATE_NOOP("Refine", "Contrast"),
        SliderScale(0, 100, 0, unit=" %"),
        0.01,
    ),
    Adjustment(
        "shift_edge",
        QT_TRANSLATE_NOOP("Refine", "Shift edge"),
        QT_TRANSLATE_NOOP("Refine", "Moves the edge outwards, or inwards below zero"),
        QT_TRANSLATE_NOOP("Refine", "Shift edge"),
        SliderScale(-MAX_SHIFT, MAX_SHIFT, 0, decimals=1, unit=" px"),
    ),
    Adjustment(
        "feather",
        QT_TRANSLATE_NOOP("Refine", "Feather"),
        QT_TRANSLATE_NOOP("Refine", "Blurs the edge"),
        QT_TRANSLATE_NOOP("Refine", "Feather"),
        SliderScale(0, MAX_FEATHER, 0, decimals=1, unit=" px", curve=2),
    ),
    Adjustment(
        "decontaminate",
        QT_TRANSLATE_NOOP("Refine", "Decontaminate colours"),
        QT_TRANSLATE_NOOP("Refine", "Frees soft edges from the background's colour"),
        QT_TRANSLATE_NOOP("Refine", "Decontaminate colours"),
        SliderScale(0, 100, 0, unit=" %"),
        0.01,
    ),
)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Refine", text)


def _with_adjustment(recipe: Recipe, adjustment: Adjustment, value: float) -> Recipe:
    """A copy of the recipe with the attribute of a slider at ``value``."""
    return recipe.with_finish(
        **{adjustment.name: round(value * adjustment.scale_factor, 4)}
    )


class RefinePanel(QDockWidget):
    """Controls for the active object's finish and options; alpha always stays soft.

    A moving slider emits previews; one undo step is made when it stops.

    **Signals**: ``preview_requested(recipe)``: preview this :class:`Recipe`; None ends
    the preview. ``models_requested()``: the user wants to get a trimap network.

    **Threads**: the window's only.
    """

    preview_requested = Signal(object)
    models_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Refine"))
        self.setObjectName("refine")
        self.document: Document | None = None
        self._object_id = 0  # of the object that is being adjusted
        self._kept: Recipe | None = None  # the refinement of new objects
        self.fields = {
            adjustment.name: self._field(adjustment) for adjustment in ADJUSTMENTS
        }
        self.clean_edge = self._clean_edge_box()
        self.detail = self._detail_box()
        self.mirrored = self._mirrored_box()
        self.reset_button = QPushButton(self.tr("Reset"))
        self.reset_button.setToolTip(
            self.tr("Set all refinement back, except brush strokes")
        )
        self.reset_button.clicked.connect(self.reset)
        self.copy_button = IconButton(
            "content-copy",
            self.tr("Copy the refinement, for other objects and photos"),
            self.copy,
        )
        self.paste_button = IconButton(
            "content-paste", self.tr("Paste the copied refinement"), self.paste
        )
        self.keep_button = IconButton(
            "pin-outline", self.tr("Begin new objects with this refinement"), self.keep
        )
        self.keep_button.setCheckable(True)
        self.sections = self._sections()
        self._area = _scroll_area(self._content())
        self.setWidget(self._with_footer())

    def _field(self, adjustment: Adjustment) -> SliderField:
        field = SliderField(_tr(adjustment.text), _tr(adjustment.tip), adjustment.scale)
        field.changing.connect(partial(self._preview, adjustment))
        field.changed.connect(partial(self._commit, adjustment))
        return field

    def _clean_edge_box(self) -> QCheckBox:
        box = QCheckBox(self.tr("Clean edge"))
        box.clicked.connect(self._on_clean_edge_clicked)
        return box

    def _detail_box(self) -> DetailBox:
        box = DetailBox()
        box.chosen.connect(self._on_detail_chosen)
        box.models_requested.connect(self.models_requested)
        # Queued: its place is known when it is laid out.
        queued = Qt.ConnectionType.QueuedConnection
        box.note_changed.connect(self._on_detail_note_changed, queued)
        return box

    def _mirrored_box(self) -> QCheckBox:
        box = QCheckBox(self.tr("Higher quality (slower)"))
        box.setToolTip(
            self.tr(
                "Gives the model the mirrored photo too and takes the mean of both"
                " predictions; a little more exact, takes twice as long"
            )
        )
        box.clicked.connect(self._on_mirrored_clicked)
        return box

    def _sections(self) -> dict[str, Section]:
        """The parts of the panel, folded away as they were left."""
        colours = self.fields["decontaminate"]
        edge = [field for field in self.fields.values() if field is not colours]
        sections = {
            "edge": Section(self.tr("Edge"), self.clean_edge, *edge),
            "colours": Section(self.tr("Colours"), colours),
            "detail": Section(
                self.tr("Detail"), self.detail, self.detail.note, self.mirrored
            ),
        }
        for name in window_state.folded_sections():
            if name in sections:
                sections[name].set_opened(False)
        return sections

    @Slot()
    def _on_section_toggled(self) -> None:
        folded = [name for name, section in self.sections.items() if not section.opened]
        window_state.set_folded_sections(folded)
        self._fit_height()

    @Slot()
    def _on_detail_note_changed(self) -> None:
        """Give the note room, or else scroll to it."""
        self._fit_height()
        if not self.detail.note.isHidden():
            self._area.ensureWidgetVisible(self.detail.note, 0, 4)

    def _fit_height(self) -> None:
        """Be as high as the content, which has changed."""
        area, layout = self._area, self.layout()
        assert layout is not None
        grown = _limit_height(area) - area.height()
        layout.activate()  # else the old limit holds
        self._grow(grown)

    def _grow(self, pixels: int) -> None:
        """Take so much height from the tallest panel in the column, or give it back."""
        window = self.parent()
        if not isinstance(window, QMainWindow) or self.isFloating():
            return
        column = window.dockWidgetArea(self)
        others = [
            dock
            for dock in window.findChildren(QDockWidget)
            if dock is not self
            and dock.isVisible()
            and not dock.isFloating()
            and window.dockWidgetArea(dock) == column
        ]
        if others:
            tallest = max(others, key=QDockWidget.height)
            heights = [self.height() + pixels, max(tallest.height() - pixels, 1)]
            window.resizeDocks([self, tallest], heights, Qt.Orientation.Vertical)

    def _content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setSpacing(4)  # all of it is seen on a screen of 768 rows
        layout.setContentsMargins(9, 2, 9, 2)
        for section in self.sections.values():
            layout.addWidget(section)
            section.toggled.connect(self._on_section_toggled)
        layout.addStretch()
        content.setMinimumWidth(230)
        return content

    def _with_footer(self) -> QWidget:
        """The area that scrolls, and below it the buttons for all of it."""
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        column.addWidget(self._area)
        row = QHBoxLayout()
        row.setContentsMargins(9, 0, 9, 0)
        row.addWidget(self.reset_button, 1)
        for button in (self.copy_button, self.paste_button, self.keep_button):
            row.addWidget(button)
        column.addLayout(row)
        # Not higher than its parts: what is left is for the other panels.
        column.setSizeConstraint(QLayout.SizeConstraint.SetMaximumSize)
        return whole

    def set_document(self, document: Document) -> None:
        """Refine the active object of another document."""
        self.commit_pending()
        if self.document is not None:
            self.document.changed.disconnect(self._on_document_changed)
        self.document = document
        document.changed.connect(self._on_document_changed)
        self._read_refinements()
        self._show_recipe(document.state)

    def _read_refinements(self) -> None:
        """Read what is copied and kept; not with every edit."""
        self._kept = stored_refinement("default_refinement")
        copied = stored_refinement("copied_refinement")
        self.paste_button.setEnabled(copied is not None)

    def commit_pending(self) -> None:
        """Commit the sliders' uncommitted values now."""
        for field in self.fields.values():
            field.commit_pending()

    def reset(self) -> None:
        """Refine as new objects are without a kept refinement, as one undo step."""
        if self.document is not None:
            plain = refine(self.document.state.recipe, Recipe(finish=STANDARD_FINISH))
            self._edit(self.tr("Reset refinement"), plain)

    @Slot()
    def copy(self) -> None:
        """Keep the active object's refinement for :meth:`paste`."""
        if self.document is not None:
            copied = refinement_of(self.document.state.recipe)
            store_refinement("copied_refinement", copied)
            self._read_refinements()

    @Slot()
    def paste(self) -> None:
        """Give the active object the copied refinement, as one undo step."""
        copied = stored_refinement("copied_refinement")
        if self.document is not None and copied is not None:
            recipe = refine(self.document.state.recipe, copied)
            self._edit(self.tr("Paste refinement"), recipe)

    @Slot()
    def keep(self) -> None:
        """Begin new objects with the active object's refinement, or plain again."""
        if self.document is not None:
            kept = _keepable(self.document.state.recipe)
            on = self.keep_button.isChecked()
            store_refinement("default_refinement", kept if on else None)
            self._read_refinements()

    # -- From the sliders ----------------------------------------------------------

    def _preview(self, adjustment: Adjustment, value: float) -> None:
        if self.document is not None:
            self._object_id = self.document.state.object.id
            recipe = self.document.state.recipe
            self.preview_requested.emit(_with_adjustment(recipe, adjustment, value))

    def _commit(self, adjustment: Adjustment, value: float) -> None:
        """Edit the object that was active when the slider moved."""
        if self.document is None:
            return
        state = self.document.state
        index = state.find(self._object_id)
        if index is not None:
            recipe = _with_adjustment(state.objects[index].recipe, adjustment, value)
            if recipe == state.recipe:
                self.preview_requested.emit(None)
            self.document.edit_object(_tr(adjustment.step), index, recipe=recipe)
        self._show_recipe(self.document.state)

    @Slot(bool)
    def _on_clean_edge_clicked(self, checked: bool) -> None:
        if self.document is not None:
            recipe = self.document.state.recipe.with_finish(clean_edge=checked)
            self._edit(self.tr("Clean edge"), recipe)

    @Slot(str, str)
    def _on_detail_chosen(self, upsampling: Upsampling, network: str) -> None:
        if self.document is not None:
            recipe = self.document.state.recipe
            options = replace(
                recipe.options, upsampling=upsampling, trimap_network=network
            )
            self._edit(self.tr("Detail"), replace(recipe, options=options))

    @Slot(bool)
    def _on_mirrored_clicked(self, checked: bool) -> None:
        if self.document is not None:
            recipe = self.document.state.recipe
            options = replace(recipe.options, flip_tta=checked)
            self._edit(self.tr("Higher quality"), replace(recipe, options=options))

    def _edit(self, text: str, recipe: Recipe) -> None:
        assert self.document is not None
        self.document.edit(text, recipe)

    # -- From the document ----------------------------------------------------------

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if new.recipe != old.recipe or new.object.id != old.object.id:
            self._show_recipe(new)

    def _show_recipe(self, state: DocumentState) -> None:
        for adjustment in ADJUSTMENTS:
            value = (
                getattr(state.recipe.finish, adjustment.name) / adjustment.scale_factor
            )
            self.fields[adjustment.name].set_value(value)
        self._show_clean_edge(state.recipe)
        assert self.document is not None
        size = self.document.image.height, self.document.image.width
        self.detail.show_options(state.recipe.options, size)
        self.mirrored.setChecked(state.recipe.options.flip_tta)
        self.keep_button.setChecked(self._kept == _keepable(state.recipe))

    def _show_clean_edge(self, recipe: Recipe) -> None:
        exact = recipe.options.upsampling == "official"
        self.clean_edge.setChecked(recipe.cleans_edge)
        self.clean_edge.setEnabled(not exact)
        self.clean_edge.setToolTip(
            self.tr("Not with the detail of the official code, which is kept exact")
            if exact
            else self.tr(
                "Makes the inside opaque and the background transparent where the"
                " model nearly does; not for glass or veils"
            )
        )


def _keepable(recipe: Recipe) -> Recipe:
    """The refinement that new objects may begin with.

    With a colour key, a new object would be all of the photo but that colour.
    """
    return refinement_of(recipe).with_finish(colour_keys=())


def _scroll_area(content: QWidget) -> QScrollArea:
    """A scroll area for small screens, at most as high as its content."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls are reached
    bar = area.verticalScrollBar().sizeHint().width()
    area.setMinimumWidth(content.minimumSizeHint().width() + bar)
    _limit_height(area)
    return area


def _limit_height(area: QScrollArea) -> int:
    """Let the area be at most as high as its content; return this height."""
    content = area.widget()
    assert content is not None
    layout = content.layout()
    assert layout is not None
    layout.activate()
    height = content.sizeHint().height()
    area.setMaximumHeight(height)
    return height
