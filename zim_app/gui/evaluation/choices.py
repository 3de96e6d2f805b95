"""What is chosen in the evaluation window, as a value that can be remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QStandardPaths

from zim_app.gui.models.model_controller import chosen_device
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.systems import (
    DEFAULT_CLICKS,
    MAX_CLICKS,
    Model,
    Predictions,
    PromptKind,
    System,
)
from zim_model.request import Upsampling
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.catalogue import DEFAULT_MODEL

MAX_RECENT = 8
AS_IN_STUDIO = "studio"
"""The device that the window for pictures uses."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of another system's mattes.

    Attributes:
        name: what the report calls the system.
        path: of the folder.
        chosen: whether it takes part.
    """

    name: str
    path: str
    chosen: bool = True


@dataclass(frozen=True, slots=True)
class Choices:
    """What to run on what, and where the results go.

    Attributes:
        root: folder of the data set; empty at first.
        recent: roots used before, the newest first.
        models: names of those that take part.
        predictions: folders of other systems' mattes.
        point, box, clicks: whether these kinds of prompts are asked.
        click_count: how many clicks the simulated user makes.
        device: id of a device, ``auto``, or AS_IN_STUDIO.
        upsampling: of the models' answers.
        limit: at most so many cases; 0 takes all.
        keep_mattes: whether whole mattes are kept, not only small pictures.
        out: folder of the results; empty takes one named after the data set.
    """

    root: str = ""
    recent: tuple[str, ...] = ()
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    predictions: tuple[Folder, ...] = ()
    point: bool = True
    box: bool = True
    clicks: bool = False
    click_count: int = DEFAULT_CLICKS
    device: str = AS_IN_STUDIO
    upsampling: Upsampling = "guided"
    limit: int = 0
    keep_mattes: bool = False
    out: str = ""

    @property
    def systems(self) -> tuple[System, ...]:
        """What takes part, in the order of the table."""
        chosen = [folder for folder in self.predictions if folder.chosen]
        return (
            *map(Model.of, self.models),
            *(Predictions(each.name, Path(each.path)) for each in chosen),
        )

    @property
    def known_systems(self) -> tuple[System, ...]:
        """The same, and the folders that do not take part."""
        folders = (Predictions(x.name, Path(x.path)) for x in self.predictions)
        return (*map(Model.of, self.models), *folders)

    @property
    def prompts(self) -> tuple[PromptKind, ...]:
        """The kinds of prompts that are asked."""
        wanted = (
            (self.point, PromptKind("point")),
            (self.box, PromptKind("box")),
            (self.clicks, PromptKind("clicks", self.click_count)),
        )
        return tuple(kind for on, kind in wanted if on)

    @property
    def device_choice(self) -> DeviceChoice:
        """Where the models run, with the studio's precision."""
        studio = chosen_device()
        if self.device == AS_IN_STUDIO:
            return studio
        return DeviceChoice(
            None if self.device == "auto" else self.device, studio.precision
        )

    def with_root(self, root: str) -> Choices:
        """Another data set, which is the newest of the recent ones."""
        others = [old for old in self.recent if old != root]
        return replace(self, root=root, recent=tuple([root, *others][:MAX_RECENT]))

    def to_json(self) -> dict[str, Any]:
        """Plain values that :meth:`from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choices:
        """Read what :meth:`to_json` gave; what is damaged or unknown is left out."""
        plain = cls()
        found: dict[str, Any] = {}
        for each in fields(cls):
            value, usual = data.get(each.name), getattr(plain, each.name)
            if isinstance(usual, tuple) and isinstance(value, list | tuple):
                read = _folder if each.name == "predictions" else _text
                found[each.name] = tuple(x for x in map(read, value) if x is not None)
            elif type(value) is type(usual):
                found[each.name] = value
        choices = replace(plain, **found)
        return replace(
            choices,
            click_count=min(max(choices.click_count, 1), MAX_CLICKS),
            limit=max(choices.limit, 0),
            upsampling=choices.upsampling
            if choices.upsampling in get_args(Upsampling)
            else plain.upsampling,
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _folder(value: object) -> Folder | None:
    if not isinstance(value, dict):
        return None
    name, path, chosen = (value.get(key) for key in ("name", "path", "chosen"))
    if isinstance(name, str) and isinstance(path, str) and name and path:
        return Folder(name, path, chosen is not False)
    return None


def default_out(dataset: Dataset) -> Path:
    """Where the results go unless the user says otherwise."""
    documents = QStandardPaths.StandardLocation.DocumentsLocation
    folder = Path(QStandardPaths.writableLocation(documents))
    return folder / "zim-studio" / "evaluation" / dataset.name
