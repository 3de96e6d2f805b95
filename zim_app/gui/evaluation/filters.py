"""Which of the rows are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from zim_app.gui.evaluation.results import Line
from zim_app.gui.evaluation.tables import prompt_text
from zim_model.evaluation.journal import Row
from zim_model.evaluation.report import SIZES

MEASURED, FAILED = "measured", "failed"


@dataclass(frozen=True, slots=True)
class Filter:
    """What rows must have; an empty text takes them all.

    Attributes:
        system, prompt, subset, size: names.
        state: MEASURED or FAILED.
        text: part of the case's name, in any case.
    """

    system: str = ""
    prompt: str = ""
    subset: str = ""
    size: str = ""
    state: str = ""
    text: str = ""

    def takes(self, row: Row) -> bool:
        """Whether a row is looked at."""
        failed = bool(row.error)
        return (
            self.system in ("", row.system)
            and self.prompt in ("", row.prompt)
            and self.subset in ("", row.subset)
            and (not self.size or (row.size == self.size and not failed))
            and self.state in ("", FAILED if failed else MEASURED)
            and self.text.lower() in row.case.lower()
        )

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """Those of the rows that are looked at."""
        return list(rows) if self == Filter() else [*filter(self.takes, rows)]

    def takes_line(self, line: Line) -> bool:
        """Whether a line of means is looked at; published ones are of all sizes."""
        return (
            self.system in ("", line.system)
            and self.prompt in ("", line.prompt)
            and self.subset in ("", line.subset)
            and self.size in ("", line.size)
        )


class FilterBar(QWidget):
    """Lets choose a :class:`Filter`.

    **Signals**: ``changed(filter)``.

    **Threads**: the window's only.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filter = Filter()
        self.boxes = {
            "system": self._box(self.tr("Show only this model")),
            "prompt": self._box(self.tr("Show only this kind of prompt")),
            "subset": self._box(self.tr("Show only this part of the data set")),
            "size": self._box(self.tr("Show only objects of this size")),
            "state": self._box(self.tr("Show only what was measured, or what failed")),
        }
        self.text = QLineEdit()
        self.text.setPlaceholderText(self.tr("Find a case"))
        self.text.setClearButtonEnabled(True)
        self.text.setToolTip(self.tr("Show only cases with this in their names"))
        self.text.textChanged.connect(self._on_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in self.boxes.values():
            layout.addWidget(box)
        layout.addWidget(self.text, 1)
        self._filling = False
        self._offer("size", [(size, size) for size in SIZES], self.tr("All sizes"))
        states = [(MEASURED, self.tr("Measured")), (FAILED, self.tr("Failed"))]
        self._offer("state", states, self.tr("All rows"))
        self.offer(())

    def _box(self, tip: str) -> QComboBox:
        box = QComboBox()
        box.setToolTip(tip)
        box.setAccessibleName(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.currentIndexChanged.connect(self._on_changed)
        return box

    def offer(self, rows: Iterable[Row]) -> None:
        """Offer what occurs in these rows."""
        every = {(row.system, row.prompt, row.subset) for row in rows}
        systems = sorted({system for system, _, _ in every})
        prompts = sorted({prompt for _, prompt, _ in every})
        subsets = sorted({subset for _, _, subset in every if subset})
        self._offer("system", [(x, x) for x in systems], self.tr("All models"))
        shown = [(x, prompt_text(x)) for x in prompts]
        self._offer("prompt", shown, self.tr("All prompts"))
        self._offer("subset", [(x, x) for x in subsets], self.tr("All subsets"))
        self.boxes["subset"].setVisible(bool(subsets))

    def _offer(self, name: str, choices: list[tuple[str, str]], every: str) -> None:
        box = self.boxes[name]
        wanted = [("", every), *choices]
        if [box.itemData(i) for i in range(box.count())] == [x for x, _ in wanted]:
            return
        now = box.currentData() or ""
        self._filling = True
        box.clear()
        for value, text in wanted:
            box.addItem(text, value)
        box.setCurrentIndex(max(box.findData(now), 0))
        self._filling = False
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        if self._filling:
            return
        values = {name: box.currentData() or "" for name, box in self.boxes.items()}
        chosen = replace(Filter(**values), text=self.text.text().strip())
        if chosen != self.filter:
            self.filter = chosen
            self.changed.emit(chosen)
