"""Errors that a user can act on, and the sentences that they consist of.

Every expected failure (a broken file, an impossible prompt, weights of another
architecture) is raised as a :class:`ZimError` with a sentence for the user and a hint
on what to do.  Any other exception is a bug.

Sentences are written ``msg("{path} is empty.", path=path)``: the window translates the
template and puts the values in.  Plain strings, such as those of the training commands,
are shown as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from string import Formatter
from typing import Any, Self

MAX_DEPTH = 8
"""How deep stored messages may be nested."""
MAX_SPEC = 6
"""Longest format of a placeholder of a stored message."""


class Message(str):
    """An English sentence that can still be translated.

    Attributes:
        template: the text to translate, a format string.
        values: values of its placeholders; may be messages themselves.
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any]) -> Self:
        message = super().__new__(cls, template.format(**values))
        message.template, message.values = template, values
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return Message, (self.template, self.values)

    def to_json(self) -> dict[str, Any]:
        """Template and values, plain; values without a form in JSON as text."""
        return {"template": self.template, "values": _plain(self.values)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """Read the result of :meth:`to_json`.

        Raises:
            AttributeError, LookupError, TypeError, ValueError: it has another form, or
                one that no message of ours has, such as a width of a million digits.
        """
        return cls._from_json(data, MAX_DEPTH)

    @classmethod
    def _from_json(cls, data: Mapping[str, Any], depth: int) -> Message:
        if depth == 0:
            raise ValueError("messages are nested too deep")
        for _, name, spec, _ in Formatter().parse(data["template"]):
            plain = name is None or name.isidentifier()
            if not plain or len(spec or "") > MAX_SPEC:
                raise ValueError("a placeholder is not one of a message")
        values = {
            name: cls._from_json(value, depth - 1) if isinstance(value, dict) else value
            for name, value in data["values"].items()
        }
        return cls(data["template"], values)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in values.items():
        is_number = isinstance(value, int | float) and abs(value) < math.inf
        if isinstance(value, Message):
            plain[name] = value.to_json()
        else:
            plain[name] = value if is_number else str(value)
    return plain


def msg(template: str, /, **values: Any) -> Message:
    """The sentence ``template.format(**values)``, translatable.

    Qt's tool finds the templates in the sources: they must be literals.  Braces that
    stand for themselves are doubled.
    """
    return Message(template, values)


class ZimError(Exception):
    """An expected failure, worded for the user.

    Attributes:
        message: what went wrong, naming the file or value concerned.
        hint: what the user can do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def text(self) -> str:
        """Message and hint."""
        if not self.hint:
            return self.message
        return msg("{message} {hint}", message=self.message, hint=self.hint)

    def __str__(self) -> str:
        return self.text


class PromptError(ZimError):
    """Prompts without a prediction: none at all, outside the image, malformed."""


class ImageError(ZimError):
    """An image that cannot be read or written."""


class WeightsError(ZimError):
    """A weight file that is missing, damaged, unsafe or of another architecture."""


class DownloadError(ZimError):
    """A model that could not be fetched; the received part is kept if possible."""


class DeviceError(ZimError):
    """A device that this machine lacks, or whose memory does not suffice."""


class DegradationNotice(ZimError):
    """A sentence that something ran otherwise than chosen; never raised."""


class PrecisionOverflow(Exception):
    """Half precision overflows; handled by the out-of-memory fallback."""


class Cancelled(Exception):
    """The caller cancelled the request; not an error."""


DOWNLOAD_AGAIN = msg("Download or copy it again.")
"""Cure of a file of weights that is damaged."""
MALFORMED = (
    *(ArithmeticError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)
"""What reading content of another form raises, and what parsing it does."""
