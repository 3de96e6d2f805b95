"""What long jobs have in common: shards, pausing and cancelling, and the time left."""

from __future__ import annotations

import hashlib
import re
import threading
import time
import unicodedata
from dataclasses import dataclass

from zim_model.errors import ZimError, msg


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` disjoint parts of a job; 1 of 1 is the whole job.

    Raises:
        ZimError: ``number`` is not from 1 to ``count``.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise _shard_error(str(self))

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``I/N``.

        Raises:
            ZimError: malformed, or I is not from 1 to N.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if match is None:
            raise _shard_error(text)
        return cls(*map(int, match.groups()))

    @classmethod
    def divide(cls, count: int) -> tuple[Shard, ...]:
        """All ``count`` shards of a job."""
        return tuple(cls(number, count) for number in range(1, count + 1))

    def contains(self, name: str) -> bool:
        """Whether an item belongs to this shard; depends on its name only."""
        text = unicodedata.normalize("NFC", name)
        digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8)
        return int.from_bytes(digest.digest(), "big") % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def _shard_error(text: str) -> ZimError:
    return ZimError(
        msg("There is no part {text!r}.", text=text),
        msg("Give I/N, the I-th of N parts, such as 1/4."),
    )


class RunControl:
    """Pauses, resumes or cancels a job; safe to use from any thread."""

    def __init__(self) -> None:
        self._going = threading.Event()
        self._going.set()
        self._stop = threading.Event()

    def pause(self) -> None:
        """Wait before the next item."""
        self._going.clear()

    def resume(self) -> None:
        """Continue."""
        self._going.set()

    def cancel(self) -> None:
        """End the job as soon as possible, also if it is paused."""
        self._stop.set()
        self._going.set()

    @property
    def paused(self) -> bool:
        """Whether the job waits, or soon will."""
        return not self._going.is_set()

    def cancelled(self) -> bool:
        """Whether the job is to end."""
        return self._stop.is_set()

    def wait(self) -> None:
        """Return once the job may continue or is cancelled."""
        self._going.wait()


class Progress:
    """Counts the finished items of a job, and estimates the time left.

    Args:
        total: number of items.
        done: finished by earlier runs.

    Attributes:
        total, done: current numbers.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self.total, self.done = total, done
        self._started, self._worked = time.monotonic(), 0

    def add(self, *, worked: bool = True) -> None:
        """Count an item; ``worked`` is false for one that an earlier run finished."""
        self.done += 1
        self._worked += worked

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the items so far, without pauses; None while unknown."""
        if not self._worked:
            return None
        elapsed = time.monotonic() - self._started
        return elapsed / self._worked * (self.total - self.done)

    def wait(self, control: RunControl) -> None:
        """Wait while the job is paused."""
        since = time.monotonic()
        control.wait()
        self._started += time.monotonic() - since
