"""Numpy's matrix products on the calling thread alone.

OpenBLAS splits even small products among threads, which meet after each.  Beside torch,
a batch or another program they wait for whichever of them was pushed off its core, and
hundreds of products that take microseconds then take milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Products inside take one thread; nothing changes where numpy has another BLAS."""
    with _libraries().limit(limits=1):
        yield


@functools.cache
def _libraries() -> ThreadpoolController:
    """The BLAS libraries that are loaded; looking for them takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
