"""Threads of torch and OpenBLAS, where their own use of them costs more than it saves.

Both synchronise their threads after every step.  Where steps are short, that takes as
long as the steps, and beside another busy program they wait for threads without a core:
hundreds of products that take microseconds then take milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

Parts = list[tuple[int, int]]


def parallel_for(work: Callable[[int, int], None], parts: Parts) -> None:
    """Call ``work(*part)`` for all parts, on as many threads as torch has.

    Each thread works on its parts alone.

    Args:
        work: uses torch, without gradients or autocast; parts do not depend on each
            other.  An error in it is raised here.
        parts: about equally long.
    """
    import torch

    count = min(torch.get_num_threads(), len(parts))
    if count <= 1:
        for part in parts:
            work(*part)
        return
    inference = torch.is_inference_mode_enabled()

    def work_chunk(first: int) -> None:
        # Both are per thread.
        torch.set_num_threads(1)
        with torch.inference_mode(inference), torch.no_grad():
            for part in parts[first::count]:
                work(*part)

    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, "side-by-side") as pool:
            list(pool.map(work_chunk, range(count)))
    finally:
        torch.set_num_threads(threads)  # the default of later threads


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Limit OpenBLAS to one thread in the block; no effect with another BLAS."""
    with _blas_libraries().limit(limits=1):
        yield


@functools.cache
def _blas_libraries() -> ThreadpoolController:
    """The loaded BLAS libraries; searching them takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
