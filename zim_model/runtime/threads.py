"""Threads of torch and OpenBLAS, where their own use of them costs more than it saves.

Both synchronise their threads after every step.  Where steps are short, that takes as
long as the steps, and beside another busy program they wait for threads without a core:
hundreds of products that take microseconds then take milliseconds.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import ThreadpoolController

Parts = list[tuple[int, int]]
_LEAST_ELEMENTS = 1 << 16
"""Of a tensor for each thread, so that torch uses all of them."""


def thread_count() -> int:
    """Threads for a network on the CPU: as many as there are cores for this process.

    ``OMP_NUM_THREADS`` comes first; then the cores that the process may run on and a
    container's share of their time count.  Of two hardware threads of a core one is
    counted, as torch does.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return max(1, min(_physical_cores(), _usable_cores()))


def _usable_cores() -> int:
    """Cores that this process may run on, and that its container pays for."""
    count = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    with contextlib.suppress(OSError, ValueError):  # no such container
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            count = min(count, math.ceil(int(quota) / int(period)))
    return count


@functools.cache
def _physical_cores() -> int:
    """Cores of this machine; half of its hardware threads where that is not known."""
    threads = os.cpu_count() or 1
    if sys.platform == "darwin":  # whose processors have one thread a core
        return threads
    siblings = Path("/sys/devices/system/cpu").glob("cpu[0-9]*/topology/core_cpus_list")
    with contextlib.suppress(OSError):
        cores = {path.read_text() for path in siblings}
        if cores:
            return len(cores)
    return max(1, threads // 2) if threads > 2 else threads


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


@functools.cache
def tune_threads() -> None:
    """Keep torch's threads on the CPU to the cores they may use, and from spinning.

    torch does not know of a container's share of the cores' time.
    """
    import torch

    if torch.get_num_threads() > _usable_cores():
        torch.set_num_threads(_usable_cores())
    policy = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    if sys.platform == "linux" and not policy & {*os.environ}:
        _limit_spinning()


def _limit_spinning() -> None:
    """Let threads sleep while they wait, where OpenMP was loaded without that policy.

    GNU's OpenMP reads ``OMP_WAIT_POLICY``, which this package sets, when torch loads
    it.  Where torch was imported first, threads spin for 3 ms at the end of each layer
    and take the cores from those they wait for: beside other programs twice as slow.
    They spin for microseconds where there are more threads than cores, so a second team
    of threads is made, which sleeps from then on.
    """
    import torch

    threads = torch.get_num_threads()
    if threads == 1:
        return
    is_made = threading.Event()

    def make_team() -> None:
        torch.set_num_threads(_usable_cores() + 1)  # of this thread
        torch.zeros(torch.get_num_threads() * _LEAST_ELEMENTS)
        is_made.set()
        threading.Event().wait()

    threading.Thread(target=make_team, daemon=True, name="sleeping-team").start()
    is_made.wait()
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
