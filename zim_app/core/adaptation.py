"""What the process that adapts a model tells its caller: a JSON object a line.

The process is ``python -m training.adapt``; the window reads these lines and knows
nothing else of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Self

from zim_model.errors import MALFORMED, Message, ZimError

MIN_IMAGES = 4
"""Fewest corrected images that a model can be adapted to."""
STOP, DISCARD = "stop", "discard"
"""Lines on the process's standard input: end with what was learned, or without."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The pairs were read.

    Attributes:
        images: that are trained on.
        held_out: images that are kept for validation.
        faults: sentences on files that are left out.
    """

    images: int
    held_out: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """Another step of training is done.

    Attributes:
        step: from 1.
        share: done of the time, in [0, 1].
        loss: of the step.
    """

    step: int
    share: float
    loss: float


@dataclass(frozen=True, slots=True)
class Validated:
    """The held-out images were predicted from clicks and boxes.

    Attributes:
        step: of the training; 0 is the parent.
        iou: mean over the held-out images and prompts.
    """

    step: int
    iou: float


@dataclass(frozen=True, slots=True)
class Adapted:
    """The end: what was written.

    Attributes:
        share: of the way from the parent to the trained weights, in [0, 1]; at 0 no
            file is written, as nothing was gained.
        before, after: mean scores on the held-out images by name, of the parent and of
            the result.
        weights: path of the model, "" without one.
        sheet: path of the sheet of held-out images before and after.
        steps: of training.
    """

    share: float
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    weights: str = ""
    sheet: str = ""
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The end: an error that the user can act on.

    Attributes:
        message: what is wrong.
        hint: what to do; may be empty.
    """

    message: str
    hint: str = ""

    @classmethod
    def from_error(cls, error: ZimError) -> Self:
        """The event of an error."""
        return cls(error.message, error.hint)

    @property
    def error(self) -> ZimError:
        """The error, which can still be translated."""
        return ZimError(self.message, self.hint)


Event = Prepared | Trained | Validated | Adapted | Failed
_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (Prepared, Trained, Validated, Adapted, Failed)
}


def encode_event(event: Event) -> str:
    """An event as a line, without its end; messages keep template and values."""
    values = {
        field.name: _encode(getattr(event, field.name)) for field in fields(event)
    }
    return json.dumps({"event": type(event).__name__.lower(), **values})


def decode_event(line: str) -> Event | None:
    """The event of a line; None if the line is something else."""
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("event")]
        made: Event = kind(**{key: _decode(value) for key, value in values.items()})
    except MALFORMED:
        return None
    return made


def _encode(value: Any) -> Any:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, tuple):
        return [_encode(each) for each in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict) and "template" in value:
        return Message.from_json(value)
    if isinstance(value, list):
        return tuple(_decode(each) for each in value)
    return value
