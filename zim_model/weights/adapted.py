"""What the file of an adapted model tells about its making."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError, safe_open

from zim_model.errors import MALFORMED
from zim_model.network.config import TINY_KEY
from zim_model.weights.catalogue import find_known
from zim_model.weights.installed import InstalledModel, installed_models

ADAPTATION_KEY = "zim_adaptation"
"""Metadata key of the file; JSON of :class:`Adaptation`, and how it was trained."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """Where an adapted model comes from.

    Attributes:
        parent: name of the model that was adapted.
        images: number of corrected images, held-out ones among them.
        origin: name of the known model at the beginning, whose licence holds; "" if
            there is none.
    """

    parent: str
    images: int
    origin: str = ""

    @classmethod
    def of_child(cls, parent: str, file: Path, images: int) -> Self:
        """What to write into a model that was adapted from ``parent`` in ``file``."""
        known = find_known(parent)
        earlier = read_adaptation(file)
        origin = known.name if known else earlier.origin if earlier else ""
        return cls(Path(parent).stem if known is None else parent, images, origin)

    def to_json(self, details: dict[str, Any]) -> str:
        """The metadata, with how the model was trained."""
        return json.dumps({**asdict(self), **details}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the result of :meth:`to_json`.

        Raises:
            ValueError, KeyError, TypeError: it has another form.
        """
        data = json.loads(text)
        parent, images, origin = data["parent"], data["images"], data["origin"]
        if not (isinstance(parent, str) and isinstance(origin, str)):
            raise TypeError("a name is no text")
        return cls(parent, int(images), origin)


def read_adaptation(path: Path) -> Adaptation | None:
    """What a weight file tells; None if its model was not adapted, or is damaged."""
    try:
        return Adaptation.from_json(read_metadata(path)[ADAPTATION_KEY])
    except MALFORMED:
        return None


def adaptable_models() -> tuple[InstalledModel, ...]:
    """The installed models of zim-tiny's architecture, the bundled ones first."""
    return tuple(
        model for model in installed_models() if TINY_KEY in read_metadata(model.path)
    )


def stated_licence(path: Path) -> str | None:
    """The SPDX identifier that a weight file states; None if it states none."""
    return read_metadata(path).get("license")


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty of a file that is none."""
    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError):
        return {}
