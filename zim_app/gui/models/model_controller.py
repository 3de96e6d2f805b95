"""Controller of model and device: menus, the model manager and degradation notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from zim_app.gui.desktop import bring_to_front
from zim_app.gui.language import translate_message
from zim_app.gui.notices import Banner
from zim_app.gui.settings import preferences
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.request import Timings
from zim_model.runtime.devices import CPU, Device, DeviceChoice, Precision
from zim_model.weights.automatic import automatic_models
from zim_model.weights.catalogue import DEFAULT_MODEL, find_known
from zim_model.weights.installed import find_installed, installed_models

if TYPE_CHECKING:
    from zim_app.gui.models.model_manager import ModelManager
    from zim_app.gui.models.model_worker import ModelWorker

_PRECISIONS: dict[str, Precision] = {
    "auto": "auto",
    "full": "fp32",
    "half": "fp16",
    "bf16": "bf16",
}
"""Precision by value of the preference."""


def chosen_device() -> DeviceChoice:
    """Device and precision from the preferences."""
    device = preferences.value("device")
    precision = _PRECISIONS[preferences.value("precision")]
    return DeviceChoice(None if device == "auto" else device, precision)


def default_model() -> str:
    """The model for new images: the last chosen one, if it is still installed."""
    name = preferences.value("model")
    return name if find_installed(name) else DEFAULT_MODEL


class ModelController(QObject):
    """Chooses model and device, and shows each degradation notice once.

    Args:
        queue: whose device is set.
        banner: for degradation notices.
        window: parent of the dialog.

    **Signals**: ``model_chosen(name)``: use this model for the active object.

    **Threads**: the window's only; :class:`ModelWorker` uses files and network.
    """

    model_chosen = Signal(str)

    def __init__(self, queue: InferenceQueue, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self.current = default_model()
        self.dialog: ModelManager | None = None
        self.worker: ModelWorker | None = None
        self._queue, self._banner, self._window = queue, banner, window
        self._shown_notes: set[str] = set()
        self._missing: set[str] = set()
        self.menus = {
            "model": self._menu(self.tr("&Use"), self._fill_model_menu),
            "subject": self._menu(
                self.tr("&Select subject with"), self._fill_subject_menu
            ),
            "device": self._menu(self.tr("&Device"), self._fill_device_menu),
            "precision": self._menu(self.tr("&Precision"), self._fill_precision_menu),
        }
        preferences.changed.connect(self._on_preference_changed)
        queue.set_device(chosen_device())

    @property
    def idle(self) -> bool:
        """Whether no model is being downloaded, added or removed."""
        return self.worker is None or self.worker.idle

    def close(self) -> None:
        """Stop all tasks and wait for the threads."""
        if self.worker is not None:
            self.worker.close()

    @Slot()
    def show_manager(self) -> None:
        """Open the model manager, or bring it to the front."""
        if self.dialog is None or self.worker is None:
            # Imported here: its network modules would delay the first paint.
            from zim_app.gui.models.model_manager import ModelManager
            from zim_app.gui.models.model_worker import ModelWorker

            self.worker = self.worker or ModelWorker(parent=self)
            self.dialog = ModelManager(self.worker, self._window)
            self.dialog.model_chosen.connect(self.choose_model)
        self.dialog.set_current(self.current)
        self.dialog.refresh()
        bring_to_front(self.dialog)

    # -- The model ----------------------------------------------------------------

    @Slot(str)
    def choose_model(self, name: str) -> None:
        """Use a model for the active object and for new images."""
        preferences.set_value("model", name)
        self.model_chosen.emit(name)
        self.set_current(name)

    def tell_missing(self) -> None:
        """Tell once that the chosen model is missing, and which one is used instead."""
        name = preferences.value("model")
        if name == default_model() or name in self._missing:
            return
        self._missing.add(name)
        text = self.tr("The model {} is not installed; {} is used instead.")
        self._banner.show_info(
            text.format(name, DEFAULT_MODEL), self.tr("Models…"), self.show_manager
        )

    def set_current(self, name: str) -> None:
        """Set the model of the active object, for menu and dialog."""
        self.current = name
        if self.dialog is not None:
            self.dialog.set_current(name)

    def refresh(self) -> None:
        """List the models again, after one was installed elsewhere."""
        if self.dialog is not None:
            self.dialog.refresh()

    @Slot()
    def _fill_model_menu(self) -> None:
        choices = []
        for model in installed_models():
            info = find_known(model.name)
            choices.append((model.name, info.title if info else model.name))
        self._fill("model", choices, self.current)

    @Slot()
    def _fill_subject_menu(self) -> None:
        choices = [("", self.tr("The model in use"))]
        for model in automatic_models():
            info = find_known(model.name)
            choices.append((model.name, info.title if info else model.name))
        current = preferences.value("subject")
        if current not in dict(choices):
            choices.append((current, self.tr("{} (not here)").format(current)))
        self._fill("subject", choices, current)

    # -- The device -----------------------------------------------------------------

    @Slot()
    def _fill_device_menu(self) -> None:
        devices = self._queue.devices or (CPU,)
        choices = [("auto", self.tr("Best available"))]
        choices += [
            (_device_setting(device), _device_text(device)) for device in devices
        ]
        current = preferences.value("device")
        if current not in dict(choices):  # such as a removed GPU
            choices.append((current, self.tr("{} (not here)").format(current)))
        self._fill("device", choices, current)

    @Slot()
    def _fill_precision_menu(self) -> None:
        translate = QCoreApplication.translate
        choices = [
            (choice.value, translate(choice.context, choice.text))
            for choice in preferences.BY_KEY["precision"].choices
        ]
        self._fill("precision", choices, preferences.value("precision"))

    @Slot(str)
    def _on_preference_changed(self, key: str) -> None:
        if key in ("device", "precision"):
            self._shown_notes.clear()
            self._banner.remove_topic("device")
            self._queue.set_device(chosen_device())

    def show_notes(self, timings: Timings) -> None:
        """Show the notes of a matte's timings in the banner, each once."""
        new_notes = [note for note in timings.notes if note not in self._shown_notes]
        if new_notes:
            self._shown_notes.update(new_notes)
            text = "\n".join(map(translate_message, new_notes))
            self._banner.show_warning(text, topic="device")

    # -- Menus ------------------------------------------------------------------------

    def _menu(self, title: str, fill: Callable[[], None]) -> QMenu:
        menu = QMenu(title, self._window)
        menu.aboutToShow.connect(fill)
        menu.triggered.connect(self._on_menu_triggered)
        return menu

    def _fill(self, id_: str, choices: list[tuple[str, str]], current: str) -> None:
        """Fill a menu with values and texts, and check the current one."""
        menu = self.menus[id_]
        menu.clear()
        group = QActionGroup(menu)
        for value, text in choices:
            action = group.addAction(text)
            action.setCheckable(True)
            action.setChecked(value == current)
            action.setData((id_, value))
            menu.addAction(action)

    @Slot(QAction)
    def _on_menu_triggered(self, action: QAction) -> None:
        id_, value = action.data()
        if id_ == "model":
            self.choose_model(value)
        else:
            preferences.set_value(id_, value)


def _device_setting(device: Device) -> str:
    """A device's value in the preference."""
    return device.id.removesuffix(":0")


def _device_text(device: Device) -> str:
    """A device's name, with its memory if it has its own."""
    if not device.memory:
        return device.name
    return f"{device.name} ({device.memory / 2**30:.0f} GB)"
