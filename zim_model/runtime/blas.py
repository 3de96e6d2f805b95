"""NumPy's matrix products on the calling thread alone.

OpenBLAS splits even small products among threads, which synchronise after each.  Beside
torch, a batch or another program they wait for threads without a core, and hundreds of
products that take microseconds then take milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Limit OpenBLAS to one thread in the block; no effect with another BLAS."""
    with _libraries().limit(limits=1):
        yield


@functools.cache
def _libraries() -> ThreadpoolController:
    """The loaded BLAS libraries; searching them takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
