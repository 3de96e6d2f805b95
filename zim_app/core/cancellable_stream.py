"""A stream that a long write can be cancelled through."""

from __future__ import annotations

import io
from typing import IO, Any

from zim_model.errors import Cancelled
from zim_model.request import CancelCheck


class CancellableStream(io.RawIOBase):
    """A stream whose ``write`` raises Cancelled once ``cancelled`` is true."""

    def __init__(self, stream: IO[bytes], cancelled: CancelCheck) -> None:
        super().__init__()
        self._stream = stream
        self._cancelled = cancelled

    def write(self, data: Any) -> int:
        if self._cancelled():
            raise Cancelled
        return self._stream.write(data)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def flush(self) -> None:
        if not self._stream.closed:
            self._stream.flush()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
