"""Run a function over many arguments: here, in some processes, or on a Ray cluster.

Results come back one by one as they are finished, a worker that dies is replaced and
its task repeated, and everything is shut down at the end.  Ray is optional, and is
imported only when it is used; data are sent only to the machines of the cluster.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from types import ModuleType
from typing import Any

from zim_model.errors import ZimError, msg
from zim_model.runtime.parent import end_with_parent

RETRIES = 3
"""Times that a task is repeated after the death of its worker."""
AHEAD = 2
"""Tasks per worker that are taken from the caller at a time."""
LOCAL = re.compile(r"local:([1-9]\d*)")

TaskT = tuple[Any, ...]


def run_all(
    function: Callable[..., Any],
    tasks: Iterable[TaskT],
    *,
    cluster: str | None = None,
    workers: int = 1,
    retries: int = RETRIES,
) -> Iterator[tuple[int, Any]]:
    """Call ``function(*task)`` for every task; yield results as they are finished.

    Only a few tasks for each worker are drawn at a time, so that ``tasks`` may be long.
    Function, tasks and results are pickled, unless all runs in this process.  A
    function that loads a model does so once a process if it caches it.

    Args:
        function: an exception that it raises ends the run and is raised here; a
            function whose failures shall not stop the rest returns them.
        tasks: the arguments of each call.
        cluster: None for this machine alone; ``auto`` or ``HOST:PORT`` for a Ray
            cluster that runs already; ``local:N`` for one of N workers started here.
            If the cluster has GPUs, every worker gets one, else one processor.
        workers: processes without a cluster; 1 stays in this process.
        retries: see :data:`RETRIES`.

    Yields:
        The task's number, counted from 0, and what the function returned.

    Raises:
        ZimError: Ray is not installed, the cluster cannot be reached, or the workers
            of a task died again and again.
    """
    if cluster is not None:
        yield from _on_ray(function, tasks, cluster, retries)
    elif workers > 1:
        yield from _in_processes(function, tasks, workers, retries)
    else:
        for number, task in enumerate(tasks):
            yield number, function(*task)


@contextmanager
def connect_ray(cluster: str) -> Iterator[ModuleType]:
    """Ray, connected to a cluster while the block runs; see :func:`run_all`.

    An existing connection of this process is used, and left open.

    Raises:
        ZimError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = _ray()
    if ray.is_initialized():
        yield ray
        return
    own = LOCAL.fullmatch(cluster)
    options: dict[str, Any] = {"address": cluster}
    if own is not None:
        options = {
            "address": "local",
            "num_cpus": int(own[1]),
            "include_dashboard": False,
        }
    try:
        ray.init(**options, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError) as error:
        raise ZimError(
            msg(
                "The Ray cluster {cluster!r} cannot be reached: {error}",
                cluster=cluster,
                error=str(error),
            ),
            msg("Give auto on one of its machines, HOST:PORT of its head, or local:N."),
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def worker_capacity(ray: ModuleType) -> tuple[int, dict[str, Any]]:
    """Number of workers of a cluster, and the resources of each."""
    available = ray.cluster_resources()
    gpus = int(available.get("GPU", 0))
    if gpus:
        return gpus, {"num_cpus": 0, "num_gpus": 1}
    return max(1, int(available.get("CPU", 1))), {"num_cpus": 1}


def _ray() -> ModuleType:
    # Ray reads this when it is imported: no usage reports.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise ZimError(
            msg("Work on a cluster needs Ray, which is not installed."),
            msg('Install it: pip install "zim-studio[cluster]"'),
        ) from error
    module: ModuleType = ray
    return module


def _on_ray(
    function: Callable[..., Any], tasks: Iterable[TaskT], cluster: str, retries: int
) -> Iterator[tuple[int, Any]]:
    with connect_ray(cluster) as ray:
        workers, resources = worker_capacity(ray)
        # Ray would start a new process for every task with a GPU: max_calls forbids it.
        remote = ray.remote(max_retries=retries, max_calls=0, **resources)(_call)
        shared = ray.put(function)
        waiting = enumerate(tasks)
        running: dict[Any, int] = {}
        try:
            while True:
                for number, task in islice(waiting, AHEAD * workers - len(running)):
                    running[remote.remote(shared, task)] = number
                if not running:
                    return
                finished, _ = ray.wait(list(running))
                for reference in finished:
                    number = running.pop(reference)
                    yield number, _fetch_result(ray, reference, number, retries)
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def _call(function: Callable[..., Any], task: TaskT) -> Any:
    return function(*task)


def _fetch_result(ray: ModuleType, reference: Any, number: int, retries: int) -> Any:
    """The result of a task; its exception is raised unchanged."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise (error.cause or error) from None
    except ray.exceptions.RayError as error:
        raise _lost_task_error(number, retries) from error


def _lost_task_error(number: int, retries: int) -> ZimError:
    return ZimError(
        msg(
            "Task {number} was given up: its worker died {times} times.",
            number=number,
            times=retries + 1,
        ),
        msg("Too little memory is the usual cause: use fewer workers."),
    )


def _in_processes(
    function: Callable[..., Any], tasks: Iterable[TaskT], workers: int, retries: int
) -> Iterator[tuple[int, Any]]:
    """As on a cluster; a broken pool is replaced, and its tasks are repeated.

    A broken pool does not report whose worker died: it counts for all running tasks.
    """
    source = enumerate(tasks)
    again: deque[tuple[int, TaskT]] = deque()
    deaths: dict[int, int] = {}
    broken = True
    while broken:
        broken = False
        running: dict[Future[Any], tuple[int, TaskT]] = {}
        # Forked from a process with threads, as torch's, a child may hang.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            workers, mp_context=spawn, initializer=end_with_parent
        ) as pool:
            try:
                while True:
                    broken |= _fill_pool(
                        function, pool, running, workers, again, source
                    )
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        number, task = running.pop(future)
                        if not isinstance(future.exception(), BrokenProcessPool):
                            yield number, future.result()
                            continue
                        broken = True
                        again.append((number, task))
                        deaths[number] = deaths.get(number, 0) + 1
                        if deaths[number] > retries:
                            raise _lost_task_error(
                                number, retries
                            ) from future.exception()
            finally:
                pool.shutdown(cancel_futures=True)


def _fill_pool(
    function: Callable[..., Any],
    pool: ProcessPoolExecutor,
    running: dict[Future[Any], tuple[int, TaskT]],
    workers: int,
    again: deque[tuple[int, TaskT]],
    source: Iterator[tuple[int, TaskT]],
) -> bool:
    """Submit tasks until the pool is busy; return whether it is broken."""
    while len(running) < AHEAD * workers:
        item = again.popleft() if again else next(source, None)
        if item is None:
            return False
        try:
            running[pool.submit(function, *item[1])] = item
        except BrokenProcessPool:
            again.appendleft(item)
            return True
    return False
