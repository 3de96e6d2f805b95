"""Batches of a folder to which photos are still added, until they are cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.runner import WORKERS, BatchEngine, Event, JobFinished, run
from zim_app.core.session_store import FileStamp, SessionStore
from zim_model.errors import ZimError
from zim_model.runtime.jobs import RunControl

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

SETTLED = 1.0
"""Seconds for which a file does not change that counts as complete, and between looks
where nothing tells of changes."""
LONGEST = 10.0
"""Seconds between looks elsewhere: of some changes, as on network drives, no notice
comes."""
_SLICE = 0.1
"""Seconds after which a wait asks whether the batch is cancelled."""
_KINDS = ("created", "modified", "moved", "closed")
"""Events that may complete a file; reading one is an event, too."""


class FolderChanges:
    """Waits for changes in a folder: by watchdog where it is installed, else by time.

    Args:
        folder: that is looked at.
        recursive: with the folders in it.
    """

    def __init__(self, folder: Path, *, recursive: bool) -> None:
        self._changed = threading.Event()
        self._observer = _observe(folder, self._changed, recursive=recursive)

    @property
    def notified(self) -> bool:
        """Whether changes are told at once."""
        return self._observer is not None

    def wait(self, control: RunControl) -> None:
        """Return after a change, or when it is time to look, or when cancelled."""
        deadline = time.monotonic() + (LONGEST if self.notified else SETTLED)
        while time.monotonic() < deadline and not control.cancelled():
            if self._changed.wait(_SLICE):
                break
        self._changed.clear()

    def close(self) -> None:
        """End the thread of the notices."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()


def _observe(
    folder: Path, changed: threading.Event, *, recursive: bool
) -> BaseObserver | None:
    """A running observer that sets the event; None where there cannot be one."""
    try:
        from watchdog.events import FileSystemEventHandler
        from watchdog.observers import Observer
    except ImportError:  # the extra is not installed
        return None

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: Any) -> None:
            if event.event_type in _KINDS:
                changed.set()

    observer = Observer()
    try:
        observer.schedule(Handler(), str(folder), recursive=recursive)
        observer.start()
    except OSError:  # the system allows no more watches
        return None
    return observer


def watch(
    plan_of: Callable[[], BatchPlan],
    engine: BatchEngine,
    changes: FolderChanges,
    control: RunControl,
    *,
    notify: Callable[[str], object],
    workers: int = WORKERS,
    store: SessionStore | None = None,
) -> Iterator[Event]:
    """Run a batch for the photos of a folder, and for new ones as they arrive.

    A photo is processed once its file is not empty and has kept its time and size for
    :data:`SETTLED` seconds, and again when they change; results of earlier runs are
    kept, see :func:`~zim_app.core.batch.runner.run`.

    Args:
        plan_of: makes the plan of all photos that are there.
        engine, workers, store: as for ``run``.
        changes: in the folder.
        control: cancels the batch, which ends the generator.
        notify: called with a sentence where the folder cannot be read; it is tried
            again.

    Raises:
        ZimError: as ``run``, or the first plan cannot be made.
    """
    plan = plan_of()
    seen: dict[str, FileStamp | None] = {}
    processed: dict[str, FileStamp | None] = {}
    finished, problem = 0, ""
    while not control.cancelled():
        stamps = {job.relative: FileStamp.from_path(job.path) for job in plan.own_jobs}
        new = {
            name: stamp
            for name, stamp in stamps.items()
            if stamp is not None and stamp != processed.get(name)
        }
        due = {x for x, stamp in new.items() if stamp.size and seen.get(x) == stamp}
        seen = stamps
        if due:
            part = replace(plan, only=frozenset(due))
            before = finished
            for event in run(
                part, engine, workers=workers, store=store, control=control
            ):
                if isinstance(event, JobFinished):
                    finished = before + event.done
                    total = before + event.total
                    event = replace(event, done=finished, total=total)
                yield event
            processed.update({name: new[name] for name in due})
        elif new:
            _pause(SETTLED, control)
        else:
            changes.wait(control)
        try:
            plan, problem = plan_of(), ""
        except ZimError as error:  # such as of a network drive that is away
            if error.text != problem:
                problem = error.text
                notify(problem)
            _pause(SETTLED, control)


def _pause(seconds: float, control: RunControl) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not control.cancelled():
        time.sleep(_SLICE)
