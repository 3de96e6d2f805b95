"""Filters for the rows of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from zim_app.gui.evaluation.results import MeansRow
from zim_app.gui.evaluation.tables import prompt_text
from zim_model.evaluation.journal import EvaluationRow
from zim_model.evaluation.report import SIZES

MEASURED, FAILED = "measured", "failed"


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Conditions on rows; an empty string matches all.

    Attributes:
        system, prompt, subset, size: required names.
        state: MEASURED or FAILED.
        text: part of the case's name; ignores upper and lower case.
    """

    system: str = ""
    prompt: str = ""
    subset: str = ""
    size: str = ""
    state: str = ""
    text: str = ""

    def matches(self, row: EvaluationRow) -> bool:
        """Whether a row matches."""
        failed = bool(row.error)
        return (
            self.system in ("", row.system)
            and self.prompt in ("", row.prompt)
            and self.subset in ("", row.subset)
            and (not self.size or (row.size == self.size and not failed))
            and self.state in ("", FAILED if failed else MEASURED)
            and self.text.lower() in row.case.lower()
        )

    def select(self, rows: Iterable[EvaluationRow]) -> list[EvaluationRow]:
        """The rows that match."""
        return list(rows) if self == RowFilter() else [*filter(self.matches, rows)]

    def matches_group(self, row: MeansRow) -> bool:
        """Whether a row of means matches; published ones are of all sizes."""
        return (
            self.system in ("", row.system)
            and self.prompt in ("", row.prompt)
            and self.subset in ("", row.subset)
            and self.size in ("", row.size)
        )


class FilterBar(QWidget):
    """Controls for a :class:`RowFilter`.

    **Signals**: ``changed(filter)``.

    **Threads**: the window's only.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filter = RowFilter()
        self.boxes = {
            "system": self._box(self.tr("Show only this model")),
            "prompt": self._box(self.tr("Show only this kind of prompt")),
            "subset": self._box(self.tr("Show only this part of the data set")),
            "size": self._box(self.tr("Show only objects of this size")),
            "state": self._box(self.tr("Show only measured or only failed rows")),
        }
        self.text = QLineEdit()
        self.text.setPlaceholderText(self.tr("Find a case"))
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName(self.tr("Find a case"))
        self.text.setToolTip(self.tr("Show only cases with this in their names"))
        self.text.textChanged.connect(self._on_changed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in self.boxes.values():
            layout.addWidget(box)
        layout.addWidget(self.text, 1)
        self._filling = False
        self._set_choices(
            "size", [(size, size) for size in SIZES], self.tr("All sizes")
        )
        states = [(MEASURED, self.tr("Measured")), (FAILED, self.tr("Failed"))]
        self._set_choices("state", states, self.tr("All rows"))
        self.set_choices(())

    def _box(self, tip: str) -> QComboBox:
        box = QComboBox()
        box.setToolTip(tip)
        box.setAccessibleName(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.currentIndexChanged.connect(self._on_changed)
        return box

    def set_choices(self, rows: Iterable[EvaluationRow]) -> None:
        """Offer the values that occur in the rows."""
        combinations = {(row.system, row.prompt, row.subset) for row in rows}
        systems = sorted({system for system, _, _ in combinations})
        prompts = sorted({prompt for _, prompt, _ in combinations})
        subsets = sorted({subset for _, _, subset in combinations if subset})
        self._set_choices("system", [(x, x) for x in systems], self.tr("All models"))
        shown = [(x, prompt_text(x)) for x in prompts]
        self._set_choices("prompt", shown, self.tr("All prompts"))
        self._set_choices("subset", [(x, x) for x in subsets], self.tr("All subsets"))
        self.boxes["subset"].setVisible(bool(subsets))

    def _set_choices(
        self, name: str, choices: list[tuple[str, str]], all_text: str
    ) -> None:
        box = self.boxes[name]
        items = [("", all_text), *choices]
        if [box.itemData(i) for i in range(box.count())] == [x for x, _ in items]:
            return
        current = box.currentData() or ""
        self._filling = True
        box.clear()
        for value, text in items:
            box.addItem(text, value)
        box.setCurrentIndex(max(box.findData(current), 0))
        self._filling = False
        self._on_changed()

    @Slot()
    def _on_changed(self) -> None:
        if self._filling:
            return
        values = {name: box.currentData() or "" for name, box in self.boxes.items()}
        chosen = replace(RowFilter(**values), text=self.text.text().strip())
        if chosen != self.filter:
            self.filter = chosen
            self.changed.emit(chosen)
