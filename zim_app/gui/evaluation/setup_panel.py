"""The left side of the evaluation window: data set, systems, prompts and options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from zim_app.gui.evaluation.choices import (
    AS_IN_STUDIO,
    MAX_LIMIT,
    EvaluationChoices,
)
from zim_app.gui.evaluation.systems_box import SystemsBox
from zim_app.gui.files.dialogs import folder_dialog
from zim_app.gui.form_rows import typed_path
from zim_app.gui.icon_button import IconButton
from zim_app.gui.language import translate_message
from zim_app.gui.notices import insert_break_points
from zim_app.gui.number_boxes import WholeNumberBox
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import LAYOUTS, Dataset
from zim_model.evaluation.systems import MAX_CLICKS
from zim_model.recipe import Upsampling
from zim_model.runtime.devices import Device

_TITLES = (
    QT_TRANSLATE_NOOP("Evaluation", "Folder pair"),
    QT_TRANSLATE_NOOP("Evaluation", "Mattes beside their images"),
)
"""Titles of the generic layouts, which are translated."""


class SetupPanel(QScrollArea):
    """The form whose value is a :class:`EvaluationChoices`.

    **Signals**

    - ``changed()``: a choice has changed.
    - ``root_changed(path)``: open that data set folder.
    - ``out_changed()``: the folder of results has changed.
    - ``mini_requested(folder)``: write a small data set there.

    **Threads**: the window's only.
    """

    changed = Signal()
    root_changed = Signal(object)
    out_changed = Signal()
    mini_requested = Signal(object)

    def __init__(
        self, choices: EvaluationChoices, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._devices: tuple[Device, ...] = ()
        self._filling = True
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its controls are reached
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.inside = QWidget()
        layout = QVBoxLayout(self.inside)
        layout.setSpacing(8)
        self.systems = SystemsBox(choices.models, choices.predictions)
        self.systems.edited.connect(self._on_edited)
        for group in (
            *(self._data_group(), self.systems, self._prompts_group()),
            *(self._run_group(), self._out_group()),
        ):
            layout.addWidget(group)
        layout.addStretch(1)
        self.setWidget(self.inside)
        self._fill(choices)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.inside.minimumSizeHint().width() + 20, 200)

    # -- Groups -----------------------------------------------------------------------

    def _data_group(self) -> QGroupBox:
        group = QGroupBox(self.tr("Data set"))
        self.root = QComboBox()
        self.root.setEditable(True)
        self.root.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.root.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.root.setMinimumContentsLength(16)
        line = self.root.lineEdit()
        assert line is not None
        line.setPlaceholderText(self.tr("Folder of photos and mattes"))
        self.root.setToolTip(
            self.tr("Folder of the data set; its layout is found out (Enter)")
        )
        self.root.setAccessibleName(group.title())
        self.root.activated.connect(self._on_root_entered)
        line.returnPressed.connect(self._on_root_entered)
        line.editingFinished.connect(self._on_root_entered)
        self.browse_root = IconButton(
            "folder-open-outline",
            self.tr("Choose the folder of the data set"),
            self._choose_root,
        )
        self.mini_button = IconButton(
            "flask-outline",
            self.tr("Make a small set of drawn images, to try the evaluation"),
            self._choose_mini,
        )
        self.layout_label = _note_label()
        row = QHBoxLayout()
        row.addWidget(self.root, 1)
        row.addWidget(self.browse_root)
        row.addWidget(self.mini_button)
        layout = QVBoxLayout(group)
        layout.addLayout(row)
        layout.addWidget(self.layout_label)
        return group

    def _prompts_group(self) -> QGroupBox:
        group = QGroupBox(self.tr("Prompts"))
        self.point = self._check(
            self.tr("P&oint"),
            self.tr("The given points, or one click in the object's middle (Alt+O)"),
        )
        self.box = self._check(
            self.tr("&Box"), self.tr("The given box, or the tight one (Alt+B)")
        )
        self.clicks = self._check(
            self.tr("C&licks"),
            self.tr("Simulated clicks, each at the largest error so far (Alt+L)"),
        )
        self.click_count = self._spin(
            1, MAX_CLICKS, self.tr("How many clicks are made")
        )
        self.modes = self._check(
            self.tr("Modes 1 to 5"),
            self.tr(
                "The protocol for medical images: centre of the largest part, centres"
                " of three parts, box of the largest, boxes of three, box of all"
            ),
        )
        row = QHBoxLayout()
        for widget in (self.point, self.box, self.clicks, self.click_count):
            row.addWidget(widget)
        row.addStretch(1)
        layout = QVBoxLayout(group)
        layout.addLayout(row)
        layout.addWidget(self.modes)
        return group

    def _run_group(self) -> QGroupBox:
        group = QGroupBox(self.tr("Run"))
        self.device = self._combo(
            self.tr(
                "Where the models run; they are loaded a second time, beside the"
                " studio's"
            )
        )
        self.upsampling = self._combo(
            self.tr("How mattes are enlarged to the size of the photo")
        )
        modes: dict[Upsampling, str] = {
            "guided": self.tr("Guided by the photo"),
            "official": self.tr("As the official code"),
            "bilinear": self.tr("Bilinear"),
            "native": self.tr("Native resolution (slow)"),
            "trimap": self.tr("Trimap network (slow)"),
        }
        for mode, text in modes.items():
            self.upsampling.addItem(text, mode)
        self.flip_tta = self._check(
            self.tr("Predict t&wice"),
            self.tr(
                "Gives the models the mirrored photo too and takes the mean of both"
                " predictions; takes twice as long (Alt+W)"
            ),
        )
        self.limit = self._spin(
            0, MAX_LIMIT, self.tr("Take so many objects, spread evenly over the set")
        )
        self.limit.setSpecialValueText(self.tr("all"))
        self.keep_mattes = self._check(
            self.tr("&Keep whole mattes"),
            self.tr(
                "Keep every matte as a PNG file, not only a thumbnail; needs disk"
                " space (Alt+K)"
            ),
        )
        layout = QFormLayout(group)
        layout.addRow(self.tr("Device"), self.device)
        layout.addRow(self.tr("Upsampling"), self.upsampling)
        layout.addRow(self.flip_tta)
        layout.addRow(self.tr("Objects"), self.limit)
        layout.addRow(self.keep_mattes)
        return group

    def _out_group(self) -> QGroupBox:
        group = QGroupBox(self.tr("Results"))
        self.out = QLineEdit()
        self.out.setToolTip(
            self.tr("Folder of the results; a run there is gone on with (Enter)")
        )
        self.out.setAccessibleName(self.tr("Folder of the results"))
        self.out.editingFinished.connect(self._on_out_entered)
        self.browse_out = IconButton(
            "folder-open-outline",
            self.tr("Choose the folder of the results"),
            self._choose_out,
        )
        self.out_label = _note_label()
        row = QHBoxLayout()
        row.addWidget(self.out, 1)
        row.addWidget(self.browse_out)
        layout = QVBoxLayout(group)
        layout.addLayout(row)
        layout.addWidget(self.out_label)
        return group

    def _check(self, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setToolTip(tip)
        box.toggled.connect(self._on_edited)
        return box

    def _spin(self, low: int, high: int, tip: str) -> WholeNumberBox:
        spin = WholeNumberBox()
        spin.setRange(low, high)
        spin.setToolTip(tip)
        spin.setAccessibleName(tip)
        spin.valueChanged.connect(self._on_edited)
        return spin

    def _combo(self, tip: str) -> QComboBox:
        combo = QComboBox()
        combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        combo.setMinimumContentsLength(12)
        combo.setToolTip(tip)
        combo.setAccessibleName(tip)
        combo.currentIndexChanged.connect(self._on_edited)
        return combo

    # -- The value --------------------------------------------------------------------

    @property
    def choices(self) -> EvaluationChoices:
        """The current choices."""
        return self._choices

    def _fill(self, choices: EvaluationChoices) -> None:
        self._filling = True
        self._fill_roots()
        self.point.setChecked(choices.point)
        self.box.setChecked(choices.box)
        self.clicks.setChecked(choices.clicks)
        self.modes.setChecked(choices.modes)
        self.click_count.setValue(choices.click_count)
        self.set_devices(())
        self.upsampling.setCurrentIndex(self.upsampling.findData(choices.upsampling))
        self.flip_tta.setChecked(choices.flip_tta)
        self.limit.setValue(choices.limit)
        self.keep_mattes.setChecked(choices.keep_mattes)
        self.out.setText(choices.out)
        self._filling = False
        self.click_count.setEnabled(choices.clicks)

    def _fill_roots(self) -> None:
        self.root.clear()
        self.root.addItems(list(self._choices.recent))
        self.root.setEditText(self._choices.root)

    def blocked_reason(self, dataset: Dataset | None) -> str:
        """Why no run can be started on that data set; empty if one can."""
        if dataset is None:
            return self.tr("Choose a data set first")
        if not self._choices.systems:
            return self.tr("Check a model or a folder of predictions first")
        if not self._choices.prompts:
            return self.tr("Check a kind of prompt first")
        if not self._choices.out:
            return self.tr("Choose a folder for the results first")
        return ""

    def set_devices_and_models(self, devices: tuple[Device, ...]) -> None:
        """Offer devices, and the installed models; not during a run."""
        if self.inside.isEnabled():
            self.set_devices(devices)
            self.systems.fill_models(self._choices.models)

    def set_devices(self, devices: tuple[Device, ...]) -> None:
        """Offer the devices of this machine."""
        filling, self._filling = self._filling, True
        current = self._choices.device
        items = [
            (AS_IN_STUDIO, self.tr("As in the studio")),
            ("auto", self.tr("Best available")),
            *((device.id, device.name) for device in devices),
        ]
        if current not in dict(items):
            items.append((current, current))
        self.device.clear()
        for value, text in items:
            self.device.addItem(text, value)
        self.device.setCurrentIndex(self.device.findData(current))
        self._filling = filling

    @Slot()
    def _on_edited(self) -> None:
        if self._filling:
            return
        self._choices = replace(
            self._choices,
            models=self.systems.models,
            predictions=self.systems.folders,
            point=self.point.isChecked(),
            box=self.box.isChecked(),
            clicks=self.clicks.isChecked(),
            modes=self.modes.isChecked(),
            click_count=self.click_count.value(),
            device=self.device.currentData(),
            upsampling=self.upsampling.currentData(),
            flip_tta=self.flip_tta.isChecked(),
            limit=self.limit.value(),
            keep_mattes=self.keep_mattes.isChecked(),
        )
        self.click_count.setEnabled(self.clicks.isChecked())
        self.changed.emit()

    @Slot()
    def _on_root_entered(self) -> None:
        line = self.root.lineEdit()
        assert line is not None
        root = typed_path(line)
        if _text(root) != self._choices.root:
            self.set_root(root)

    def set_root(self, root: Path | None) -> None:
        """Choose another data set, and reset the folder of results."""
        text = _text(root.absolute() if root else None)
        self._choices = replace(self._choices, root=text, out="")
        self.root.setEditText(text)
        self.root_changed.emit(root.absolute() if root else None)
        self.changed.emit()

    def remember_root(self) -> None:
        """Add the data set to the recent ones; called once it was read."""
        self._choices = self._choices.with_root(self._choices.root)
        self._fill_roots()

    @Slot()
    def _on_out_entered(self) -> None:
        self.set_out(_text(typed_path(self.out)))

    def set_out(self, out: str) -> None:
        """Choose another folder of results."""
        if out != self._choices.out:
            self._choices = replace(self._choices, out=out)
            self.out.setText(out)
            self.out.setToolTip(out)
            self.out_changed.emit()
            self.changed.emit()

    # -- Labels -----------------------------------------------------------------------

    def show_dataset_state(
        self, dataset: Dataset | None, error: ZimError | None
    ) -> None:
        """Show a description of the data set, or the error."""
        if error is not None:
            text = translate_message(error.text)
            self.layout_label.setText(insert_break_points(text))
            return
        if dataset is None:
            self.layout_label.setText("")
            return
        title = next(x.title for x in LAYOUTS if x.name == dataset.layout)
        title = QCoreApplication.translate("Evaluation", title)
        text = self.tr("{}: {} objects on {} photos").format(
            title, len(dataset.cases), len({case.image for case in dataset.cases})
        )
        if dataset.subsets:
            text += f" ({', '.join(dataset.subsets)})"
        if dataset.problems:
            text += "\n" + self.tr("{} files do not fit").format(len(dataset.problems))
        self.layout_label.setText(text)
        self.layout_label.setToolTip("\n".join(dataset.problems[:20]))

    def show_results_state(self, text: str) -> None:
        """Show a description of the folder of results."""
        self.out_label.setText(insert_break_points(text))

    def set_locked(self, locked: bool) -> None:
        """Disable the form during a run."""
        self.inside.setEnabled(not locked)

    # -- Folders ----------------------------------------------------------------------

    @Slot()
    def _choose_root(self) -> None:
        title = self.tr("Choose the folder of the data set")
        dialog = folder_dialog(self, title, self._choices.root)
        dialog.fileSelected.connect(self._on_root_chosen)
        dialog.open()

    @Slot(str)
    def _on_root_chosen(self, name: str) -> None:
        self.set_root(Path(name))

    @Slot()
    def _choose_mini(self) -> None:
        title = self.tr("Where to make the small set")
        dialog = folder_dialog(self, title)
        dialog.fileSelected.connect(self._on_mini_chosen)
        dialog.open()

    @Slot(str)
    def _on_mini_chosen(self, name: str) -> None:
        self.mini_requested.emit(Path(name))

    @Slot()
    def _choose_out(self) -> None:
        title = self.tr("Choose the folder of the results")
        dialog = folder_dialog(self, title, self._choices.out)
        dialog.fileSelected.connect(self.set_out)
        dialog.open()


def _text(path: Path | None) -> str:
    """A path as text; empty without one."""
    return str(path or "")


def _note_label() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
