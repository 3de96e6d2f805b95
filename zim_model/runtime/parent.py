"""End worker processes with the process that started them, even if that is killed.

Workers of a pool hold both ends of its pipes, so that they would wait for ever.  Linux
can send a signal at the parent's death (``PR_SET_PDEATHSIG``), but at that of the
*thread* that started the worker, which may end earlier.
"""

from __future__ import annotations

import multiprocessing
import os
import threading


def end_with_parent(*_: object) -> None:
    """Watch for the parent's death, and end this process then.

    The initializer of the workers of every pool, and of data loaders; arguments are
    ignored.  It has no effect in a process that ``multiprocessing`` did not start.
    """
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_watch, name="parent-watch", daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # nobody waits for what other threads are at
