"""The choices in the evaluation window, as a value that can be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QStandardPaths

from zim_app.gui.models.model_controller import chosen_device
from zim_model.evaluation.datasets import Dataset
from zim_model.evaluation.modes import MODES
from zim_model.evaluation.systems import (
    DEFAULT_CLICKS,
    MAX_CLICKS,
    ModelSystem,
    PredictionFolder,
    PromptKind,
    System,
)
from zim_model.recipe import Upsampling
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.catalogue import DEFAULT_MODEL

MAX_RECENT = 8
MAX_LIMIT = 1_000_000
AS_IN_STUDIO = "studio"
"""Value of ``device``: the device of the studio."""


@dataclass(frozen=True, slots=True)
class ChosenFolder:
    """A folder of another system's mattes.

    Attributes:
        name: of the system in reports.
        path: path of the folder.
        chosen: whether it is evaluated.
    """

    name: str
    path: str
    chosen: bool = True


@dataclass(frozen=True, slots=True)
class EvaluationChoices:
    """Systems, data set, prompts, options and output folder of an evaluation.

    Attributes:
        root: folder of the data set; empty if none is chosen.
        recent: earlier roots, newest first.
        models: names of the evaluated models.
        predictions: folders of other systems' mattes.
        point, box, clicks: whether these kinds of prompts are evaluated.
        modes: whether those of the protocol for medical images are.
        click_count: number of clicks of the simulated user.
        device: id of a device, ``auto``, or AS_IN_STUDIO.
        upsampling, flip_tta: of the models' mattes, see :class:`Options`.
        limit: maximum number of cases; 0 means all.
        keep_mattes: whether whole mattes are kept, not only thumbnails.
        out: folder of results; empty means one named after the data set.
    """

    root: str = ""
    recent: tuple[str, ...] = ()
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    predictions: tuple[ChosenFolder, ...] = ()
    point: bool = True
    box: bool = True
    clicks: bool = False
    click_count: int = DEFAULT_CLICKS
    modes: bool = False
    device: str = AS_IN_STUDIO
    upsampling: Upsampling = "guided"
    flip_tta: bool = False
    limit: int = 0
    keep_mattes: bool = False
    out: str = ""

    @property
    def systems(self) -> tuple[System, ...]:
        """The evaluated systems, in the order of the table."""
        chosen = [folder for folder in self.predictions if folder.chosen]
        return (
            *map(ModelSystem.from_name, self.models),
            *(PredictionFolder(each.name, Path(each.path)) for each in chosen),
        )

    @property
    def known_systems(self) -> tuple[System, ...]:
        """The evaluated systems and the folders that are not chosen."""
        folders = (PredictionFolder(x.name, Path(x.path)) for x in self.predictions)
        return (*map(ModelSystem.from_name, self.models), *folders)

    @property
    def prompts(self) -> tuple[PromptKind, ...]:
        """The kinds of prompts that are evaluated."""
        kinds = (
            (self.point, PromptKind("point")),
            (self.box, PromptKind("box")),
            (self.clicks, PromptKind("clicks", self.click_count)),
            *((self.modes, PromptKind(mode)) for mode in MODES),
        )
        return tuple(kind for on, kind in kinds if on)

    @property
    def device_choice(self) -> DeviceChoice:
        """The device of the models, with the studio's precision."""
        studio = chosen_device()
        if self.device == AS_IN_STUDIO:
            return studio
        return DeviceChoice(
            None if self.device == "auto" else self.device, studio.precision
        )

    def with_root(self, root: str) -> EvaluationChoices:
        """The choices with another data set, which becomes the newest recent one."""
        older = [old for old in self.recent if old != root]
        return replace(self, root=root, recent=tuple([root, *older][:MAX_RECENT]))

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EvaluationChoices:
        """Read the values of :meth:`to_json`; damaged or unknown ones are ignored."""
        defaults = cls()
        values: dict[str, Any] = {}
        for each in fields(cls):
            value, default = data.get(each.name), getattr(defaults, each.name)
            if isinstance(default, tuple) and isinstance(value, list | tuple):
                read = _read_folder if each.name == "predictions" else _read_text
                values[each.name] = tuple(x for x in map(read, value) if x is not None)
            elif type(value) is type(default):
                values[each.name] = value
        choices = replace(defaults, **values)
        return replace(
            choices,
            click_count=min(max(choices.click_count, 1), MAX_CLICKS),
            limit=min(max(choices.limit, 0), MAX_LIMIT),
            upsampling=choices.upsampling
            if choices.upsampling in get_args(Upsampling)
            else defaults.upsampling,
        )


def _read_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_folder(value: object) -> ChosenFolder | None:
    if not isinstance(value, dict):
        return None
    name, path, chosen = (value.get(key) for key in ("name", "path", "chosen"))
    if isinstance(name, str) and isinstance(path, str) and name and path:
        return ChosenFolder(name, path, chosen is not False)
    return None


def default_output_folder(dataset: Dataset) -> Path:
    """The default folder of results of a data set."""
    documents = QStandardPaths.StandardLocation.DocumentsLocation
    folder = Path(QStandardPaths.writableLocation(documents))
    return folder / "zim-studio" / "evaluation" / dataset.name
