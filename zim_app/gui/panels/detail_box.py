"""The choice of how a matte reaches the photo's size, with the trimap networks."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QWidget

from zim_app.gui.language import size_text
from zim_app.gui.status_bar import WARNING
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.inference.trimap_memory import memory_needed
from zim_model.recipe import Options, Upsampling
from zim_model.runtime.devices import main_memory
from zim_model.weights.catalogue import find_known
from zim_model.weights.installed import InstalledModel
from zim_model.weights.trimap import trimap_networks

DETAILS: dict[Upsampling, tuple[str, str]] = {
    "guided": (
        QT_TRANSLATE_NOOP("Refine", "Follow the photo"),
        QT_TRANSLATE_NOOP(
            "Refine", "The model's matte, aligned with the photo's edges"
        ),
    ),
    "bilinear": (
        QT_TRANSLATE_NOOP("Refine", "Smooth"),
        QT_TRANSLATE_NOOP("Refine", "The model's matte, only enlarged"),
    ),
    "official": (
        QT_TRANSLATE_NOOP("Refine", "As the official code"),
        QT_TRANSLATE_NOOP(
            "Refine", "What the code of the model's authors gives, for comparisons"
        ),
    ),
    "native": (
        QT_TRANSLATE_NOOP("Refine", "Native resolution"),
        QT_TRANSLATE_NOOP("Refine", "The edge is predicted again in close-up; slower"),
    ),
    "trimap": (
        QT_TRANSLATE_NOOP("Refine", "Trimap network"),
        QT_TRANSLATE_NOOP(
            "Refine",
            "The soft edge is solved by a matting network, in tiles at full"
            " resolution; takes longest",
        ),
    ),
}
"""Name and tool tip of each method to enlarge the matte to the image's size."""

_TRIMAP = "trimap:"
"""Before the name of a network, in the key of an entry."""


class _Entry(NamedTuple):
    key: str
    text: str
    tip: str


MISSING = '{} <a href="models">{}</a>'
"""The note on a network that is missing, with a link to the models."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Refine", text)


def _title(name: str) -> str:
    """A network's name for display."""
    info = find_known(name)
    return info.title if info else name


class DetailBox(QComboBox):
    """Chooses the upsampling; each installed trimap network is an entry.

    Attributes:
        note: about the chosen trimap network: the memory that it needs, or where to get
            one; to be placed below.

    **Signals**: ``chosen(upsampling, network)``, ``models_requested()``: the user wants
    to get a trimap network, ``note_changed()``: the note came, went or changed.

    **Threads**: the window's only.
    """

    chosen = Signal(str, str)
    models_requested = Signal()
    note_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = Options()
        self._photo_size = (0, 0)
        self._entries: list[_Entry] = []
        self._networks: dict[str, InstalledModel] = {}
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.linkActivated.connect(self.models_requested)
        self.note.hide()
        self.setAccessibleName(self.tr("Detail"))
        self.activated.connect(self._on_activated)
        self._fill()

    def show_options(self, options: Options, photo_size: tuple[int, int]) -> None:
        """Show the upsampling of a recipe.

        Args:
            photo_size: height and width in pixels, on which the memory depends.
        """
        self._options, self._photo_size = options, photo_size
        if options.upsampling == "trimap":
            self._find_networks()
        self._fill()
        self._show_note()

    def showPopup(self) -> None:
        self._find_networks()  # one may have been installed or removed
        self._fill()
        super().showPopup()

    def _find_networks(self) -> None:
        self._networks = {model.name: model for model in trimap_networks()}

    def _fill(self) -> None:
        """Update the entries, and select the current one."""
        entries = [
            _Entry(key, _tr(text), _tr(tip))
            for key, (text, tip) in DETAILS.items()
            if key != "trimap"
        ]
        entries += self._trimap_entries()
        if entries != self._entries:
            self._entries = entries
            self.clear()
            for row, entry in enumerate(entries):
                self.addItem(entry.text, entry.key)
                self.setItemData(row, entry.tip, Qt.ItemDataRole.ToolTipRole)
        keys = [entry.key for entry in entries]
        self.setCurrentIndex(keys.index(self._current_key()))
        purpose = self.tr("How the matte is enlarged to the photo's size")
        self.setToolTip(f"{purpose}\n{entries[self.currentIndex()].tip}")

    def _current_key(self) -> str:
        if self._options.upsampling != "trimap":
            return self._options.upsampling
        first = next(iter(self._networks), "")
        return _TRIMAP + (self._options.trimap_network or first)

    def _trimap_entries(self) -> list[_Entry]:
        text, tip = map(_tr, DETAILS["trimap"])
        networks = tuple(self._networks.values())
        if not networks:
            entries = [_Entry(_TRIMAP, text, f"{tip}\n{self._missing_text()}")]
        else:
            entries = [
                _Entry(
                    _TRIMAP + model.name,
                    text if len(networks) == 1 else f"{text}: {_title(model.name)}",
                    f"{tip}\n{self._memory_text(model)}",
                )
                for model in networks
            ]
        current, name = self._current_key(), self._options.trimap_network
        if current.startswith(_TRIMAP) and current not in [e.key for e in entries]:
            gone = self.tr("{} (not here)").format(_title(name))
            entries.append(_Entry(current, f"{text}: {gone}", tip))
        return entries

    # -- The note -------------------------------------------------------------------

    def _memory_text(self, model: InstalledModel) -> str:
        needed = memory_needed(model.size, *self._photo_size)
        text = self.tr("{} needs about {} of memory for this photo.").format(
            _title(model.name), size_text(needed)
        )
        if 0 < main_memory() < needed:
            warning = self.tr("This computer has {}.").format(size_text(main_memory()))
            text = f"{text} {warning}"
        return text

    def _missing_text(self) -> str:
        return self.tr("No trimap network is installed.")

    def _show_note(self, missing: str = "") -> None:
        """Show the memory of the current network, or that one is missing."""
        before = self.note.text() if not self.note.isHidden() else ""
        network = self._networks.get(self._current_key().removeprefix(_TRIMAP))
        shown = self._options.upsampling == "trimap"
        if shown and network is None and self._options.trimap_network:
            missing = self.tr("{} is not installed.").format(
                _title(self._options.trimap_network)
            )
        if missing:
            cure = escape(self.tr("Get one under Models"))
            self.note.setText(MISSING.format(escape(missing), cure))
        elif shown and network is not None:
            text = escape(self._memory_text(network))
            needed = memory_needed(network.size, *self._photo_size)
            if 0 < main_memory() < needed:
                text = f'<b style="color:{WARNING.name()}">{text}</b>'
            self.note.setText(text)
        visible = bool(missing) or (shown and network is not None)
        self.note.setVisible(visible)
        if before != (self.note.text() if visible else ""):
            self.note_changed.emit()

    @Slot(int)
    def _on_activated(self, index: int) -> None:
        key: str = self.itemData(index)
        upsampling, _, network = key.partition(":")
        if key == _TRIMAP:  # none was installed when the entries were made
            self._find_networks()
            network = next(iter(self._networks), "")
        self._fill()
        if upsampling == "trimap" and not network:  # the earlier choice stays
            self._show_note(self._missing_text())
        else:
            self._show_note()
            self.chosen.emit(upsampling, network)
