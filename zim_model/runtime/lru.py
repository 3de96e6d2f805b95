"""A cache that is bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A value that reports its memory."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Sized)


class ByteBoundedLru(Generic[Key, Value]):
    """Values by key; the least recently used are dropped first.

    Args:
        max_bytes: most bytes that all values take together; a larger value is kept
            alone.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return a value and mark it as used, or None."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Store a value, in place of an earlier one of the same key."""
        earlier = self._entries.pop(key, None)
        self.nbytes += value.nbytes - (0 if earlier is None else earlier.nbytes)
        self._entries[key] = value
        self.resize(self.max_bytes)

    def replace(self, old: Value, new: Value) -> None:
        """Keep a value of another size in place of one, under its keys."""
        for key in [key for key, value in self._entries.items() if value is old]:
            self._entries[key] = new
            self.nbytes += new.nbytes - old.nbytes
        self.resize(self.max_bytes)

    def resize(self, max_bytes: int) -> None:
        """Change the bound, and drop what exceeds it."""
        self.max_bytes = max_bytes
        while self.nbytes > max_bytes and len(self._entries) > 1:
            _, dropped = self._entries.popitem(last=False)
            self.nbytes -= dropped.nbytes

    def __len__(self) -> int:
        return len(self._entries)
