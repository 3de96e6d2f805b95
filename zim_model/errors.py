"""The errors that a person can act on.

Everything expected that goes wrong (a broken file, an impossible prompt, weights of
another architecture) is raised as a :class:`ZimError` with a sentence for the user
and a hint that names the cure.  Any other exception is a bug.
"""

from __future__ import annotations


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

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class PromptError(ZimError):
    """A prompt that cannot be answered: none at all, outside the image, malformed."""


class ImageError(ZimError):
    """An image that cannot be read or written."""


class WeightsError(ZimError):
    """A weight file that is missing, damaged, unsafe or of another architecture."""


class DownloadError(ZimError):
    """A model that could not be fetched; what has arrived is kept where it may be."""


class DeviceError(ZimError):
    """A device that this machine lacks, or whose memory does not suffice."""


class DegradationNotice(ZimError):
    """Something went otherwise than wanted, and yet well: told, but never raised."""


class PrecisionOverflow(Exception):
    """Half precision does not do for this answer; nothing for the user to act on."""


class Cancelled(Exception):
    """The caller withdrew the request; nothing is wrong and nothing is shown."""
