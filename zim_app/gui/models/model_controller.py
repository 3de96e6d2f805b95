"""Which model and device are used: menus, the model manager, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from zim_app.gui.language import error_text
from zim_app.gui.notices import Banner
from zim_app.gui.settings import preferences
from zim_app.gui.workers.inference_queue import InferenceQueue
from zim_model.request import Timings
from zim_model.runtime.devices import CPU, Device, DeviceChoice, Precision
from zim_model.weights.catalogue import DEFAULT_MODEL, known
from zim_model.weights.installed import find, installed

if TYPE_CHECKING:
    from zim_app.gui.models.model_manager import ModelManager
    from zim_app.gui.models.model_worker import ModelWork

_PRECISIONS: dict[str, Precision] = {
    "auto": "auto",
    "full": "fp32",
    "half": "fp16",
    "bf16": "bf16",
}
"""Values of the preference, and what they are called below."""


def chosen_device() -> DeviceChoice:
    """What the preferences say about device and precision."""
    device = preferences.value("device")
    precision = _PRECISIONS[preferences.value("precision")]
    return DeviceChoice(None if device == "auto" else device, precision)


def default_model() -> str:
    """The model for new pictures: the one chosen last, if it is still installed."""
    name = preferences.value("model")
    return name if find(name) else DEFAULT_MODEL


class ModelControl(QObject):
    """Chooses model and device, and says once when the device is not as wanted.

    Args:
        queue: gets the choice of the device.
        banner: for what the user should know at once.
        window: parent of the dialog.

    **Signals**: ``model_chosen(name)``: the active object is to be matted with it.

    **Threads**: the window's only; files and network are :class:`ModelWork`'s.
    """

    model_chosen = Signal(str)

    def __init__(self, queue: InferenceQueue, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self.current = default_model()
        self.dialog: ModelManager | None = None
        self.work: ModelWork | None = None
        self._queue, self._banner, self._window = queue, banner, window
        self._told: set[str] = set()
        self.menus = {
            "model": self._menu(self.tr("&Use"), self._fill_model_menu),
            "device": self._menu(self.tr("&Device"), self._fill_device_menu),
            "precision": self._menu(self.tr("&Precision"), self._fill_precision_menu),
        }
        preferences.changed.connect(self._on_preference_changed)
        queue.set_device(chosen_device())

    @property
    def idle(self) -> bool:
        """Whether nothing is downloaded, added or removed."""
        return self.work is None or self.work.idle

    def close(self) -> None:
        """Stop what is under way and return when its threads have ended."""
        if self.work is not None:
            self.work.close()

    @Slot()
    def show_manager(self) -> None:
        """Open the model manager, or bring it to the front."""
        if self.dialog is None or self.work is None:
            # Imported here: its network modules would delay the first paint.
            from zim_app.gui.models.model_manager import ModelManager
            from zim_app.gui.models.model_worker import ModelWork

            self.work = self.work or ModelWork(parent=self)
            self.dialog = ModelManager(self.work, self._window)
            self.dialog.model_chosen.connect(self.choose_model)
        self.dialog.set_current(self.current)
        self.dialog.refresh()
        self.dialog.show()
        self.dialog.activateWindow()

    # -- The model ----------------------------------------------------------------

    @Slot(str)
    def choose_model(self, name: str) -> None:
        """Use a model for the active object and for new pictures."""
        preferences.set_value("model", name)
        self.model_chosen.emit(name)
        self.set_current(name)

    def set_current(self, name: str) -> None:
        """Say which model the active object uses."""
        self.current = name
        if self.dialog is not None:
            self.dialog.set_current(name)

    @Slot()
    def _fill_model_menu(self) -> None:
        choices = []
        for model in installed():
            info = known(model.name)
            choices.append((model.name, info.title if info else model.name))
        self._fill("model", choices, self.current)

    # -- The device -----------------------------------------------------------------

    @Slot()
    def _fill_device_menu(self) -> None:
        devices = self._queue.devices or (CPU,)
        choices = [("auto", self.tr("Best available"))]
        choices += [(_stored(device), _described(device)) for device in devices]
        now = preferences.value("device")
        if now not in dict(choices):  # such as a card that was pulled out
            choices.append((now, self.tr("{} (not here)").format(now)))
        self._fill("device", choices, now)

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
            self._told.clear()
            self._banner.withdraw("device")
            self._queue.set_device(chosen_device())

    def tell(self, timings: Timings) -> None:
        """Say what had to be done for want of memory, each once."""
        news = [note for note in timings.notes if note not in self._told]
        if news:
            self._told.update(news)
            text = "\n".join(map(error_text, news))
            self._banner.show_warning(text, topic="device")

    # -- Menus ------------------------------------------------------------------------

    def _menu(self, title: str, fill: Callable[[], None]) -> QMenu:
        menu = QMenu(title, self._window)
        menu.aboutToShow.connect(fill)
        menu.triggered.connect(self._on_menu_triggered)
        return menu

    def _fill(self, id_: str, choices: list[tuple[str, str]], now: str) -> None:
        """Offer values, each with its text, of which one is chosen now."""
        menu = self.menus[id_]
        menu.clear()
        group = QActionGroup(menu)
        for value, text in choices:
            action = group.addAction(text)
            action.setCheckable(True)
            action.setChecked(value == now)
            action.setData((id_, value))
            menu.addAction(action)

    @Slot(QAction)
    def _on_menu_triggered(self, action: QAction) -> None:
        id_, value = action.data()
        if id_ == "model":
            self.choose_model(value)
        else:
            preferences.set_value(id_, value)


def _stored(device: Device) -> str:
    """What the preference calls a device."""
    return device.id.removesuffix(":0")


def _described(device: Device) -> str:
    """A device's name, and its memory if it has its own."""
    if not device.memory:
        return device.name
    return f"{device.name} ({device.memory / 2**30:.0f} GB)"
