"""Saves every image's session automatically, and finds the state of crashed runs."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from functools import partial
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal, Slot

from zim_app.core.saved_work import ObjectStack
from zim_app.core.session_store import (
    RecoveryState,
    Session,
    SessionStore,
    read_recovery_state,
    session_mark,
    state_folder,
    write_recovery_state,
)
from zim_app.gui import crash
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.settings import preferences
from zim_app.gui.workers.file_worker import FileWorker
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.core.images import Image


RETRY_SECONDS = 10
"""Time until a session that could not be written is tried again."""


def document_stack(document: Document) -> ObjectStack:
    """The current objects of a document."""
    return ObjectStack(document.state.objects, document.state.active)


class Autosave(QObject):
    """Writes the session of the open image, some seconds after a change.

    Args:
        file_worker: writes the files.

    **Signals**

    - ``mark_changed(path, mark)``: the mark of an image file is now "touched",
      "done" or None.
    - ``marks_read(marks)``: marks of all sessions, see :meth:`SessionStore.marks`.
    - ``failed(error)``: sessions cannot be read, or one cannot be written, which is
      emitted once until one can.
    - ``recovered(run)``: the :class:`RecoveryState` of a crashed run.
    - ``shared(document)``: another running studio saves the session of that document's
      image; it is not saved here until :meth:`take_over`.

    Attributes:
        keep_recovery: leave the state of this run behind, as after a crash.

    **Threads**: the window's; files are written on others.
    """

    mark_changed = Signal(object, object)
    marks_read = Signal(object)
    failed = Signal(object)
    recovered = Signal(object)
    shared = Signal(object)

    def __init__(self, file_worker: FileWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = SessionStore()
        self._file_worker = file_worker
        self._document: Document | None = None
        self._saved: tuple[ObjectStack, bool] | None = None
        self._exported: ObjectStack | None = None
        self._healthy = True
        self._lock: QLockFile | None = None
        self._run_file: Path | None = None
        self.keep_recovery = False
        self._foreign = False  # another run saves the session
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)

    # -- Sessions -------------------------------------------------------------------

    def follow(self, document: Document, *, exported: bool) -> None:
        """Save the sessions of that document instead of another's.

        Args:
            document: with its session already restored.
            exported: whether its current state was exported.
        """
        self.flush()
        self._release()
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = document
        self._claim()
        stack = document_stack(document)
        self._exported = stack if exported else None
        self._saved = (stack, exported)
        document.changed.connect(self._on_document_changed)
        if document.image.path is None:
            self._saved = None  # its pixels are stored nowhere else
            self.flush()

    def record_export(self, document: Document, stack: ObjectStack) -> None:
        """Record an export; if nothing changed since, the image is marked "done"."""
        if document is self._document:
            self._exported = stack
            self._emit_mark()
            self.flush()

    def read_marks(self) -> None:
        """Read the marks of all sessions; emits ``marks_read``."""
        self._file_worker.submit(
            "read_marks",
            self.store.marks,
            self,
            self.marks_read.emit,
            self.failed.emit,
        )

    @Slot()
    def flush(self) -> None:
        """Write the session now, if it changed."""
        self._timer.stop()
        if self._document is None:
            return
        session = self._session(self._document)
        state = (session.stack, session.exported)
        if state != self._saved and self._may_save():
            self._saved = state
            image = self._document.image
            work = partial(_save, self.store, session, image)
            self._file_worker.submit(
                "save_session",
                work,
                self,
                self._on_saved,
                partial(self._on_session_failed, self._document),
            )

    def save_now(self) -> ZimError | None:
        """Write the session on the window's thread, before returning.

        Returns:
            Why what changed is not saved.
        """
        self._timer.stop()
        if self._document is None or not self._may_save():
            return None
        session = self._session(self._document)
        self._saved = (session.stack, session.exported)
        try:
            _save(self.store, session, self._document.image)
        except ZimError as error:
            self._on_session_failed(self._document, error)
            return error
        return None

    def _session(self, document: Document) -> Session:
        image, stack = document.image, document_stack(document)
        path = image.path.resolve() if image.path else None
        exported = self._exported == stack
        return Session(*(image.key, image.name, path, stack, exported), view=image.view)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if (new.objects, new.active) == (old.objects, old.active):
            return
        seconds = int(preferences.value("autosave_seconds"))
        if seconds and not self._timer.isActive():
            self._timer.start(seconds * 1000)
        self._emit_mark()

    def _emit_mark(self) -> None:
        assert self._document is not None
        session = self._session(self._document)
        if session.path is not None:
            self.mark_changed.emit(session.path, session_mark(session))

    def _on_saved(self, _: None) -> None:
        self._healthy = True

    def _on_save_failed(self, error: Exception) -> None:
        if not isinstance(error, ZimError):
            raise error
        if self._healthy:
            self._healthy = False
            self.failed.emit(error)

    def _on_session_failed(self, document: Document, error: Exception) -> None:
        """Try again in a while: the disk may have space by then."""
        if document is self._document:
            self._saved = None
            self._timer.start(RETRY_SECONDS * 1000)
        self._on_save_failed(error)

    # -- Several studios ---------------------------------------------------------------

    @property
    def _run(self) -> str:
        """Name of this run among those that are open; empty before it is marked."""
        return self._run_file.stem if self._run_file else ""

    def _claim(self) -> None:
        """Save the document's session from now on, unless another studio does."""
        assert self._document is not None
        digest = self._document.image.key
        owner = self.store.owner(digest)
        self._foreign = owner not in ("", self._run) and _is_alive(owner)
        if self._foreign:
            self.shared.emit(self._document)
        elif self._run:
            self._own(digest)

    def _own(self, digest: str) -> None:
        try:
            self.store.set_owner(digest, self._run)
        except ZimError as error:
            self._on_save_failed(error)

    def _release(self) -> None:
        """Let other studios save the session, once it is written."""
        if self._document is None or not self._run or self._foreign:
            return
        digest = self._document.image.key

        def release(_: object) -> None:  # after the jobs that save it
            if self._document is None or self._document.image.key != digest:
                self.store.release(digest, self._run)

        self._file_worker.submit(
            "note_run", _nothing, self, release, self._on_save_failed
        )

    def take_over(self) -> ObjectStack | None:
        """Save the session here from now on, and in no other studio.

        Returns:
            The objects that the other studio has saved.
        """
        assert self._document is not None
        digest = self._document.image.key
        self._foreign, self._saved = False, None
        self._own(digest)
        try:
            session = self.store.load(digest)
        except ZimError as error:
            self._on_save_failed(error)
            return None
        return session.stack if session else None

    def _may_save(self) -> bool:
        """Whether no other studio has taken over; else says so, once."""
        if self._document is None or self._foreign:
            return False
        owner = self.store.owner(self._document.image.key)
        self._foreign = bool(owner and self._run) and owner != self._run
        if self._foreign:
            self.shared.emit(self._document)
        return not self._foreign

    # -- Runs -------------------------------------------------------------------------

    def start_recovery(self) -> None:
        """Look for crashed runs, and mark this one as running."""
        crash.before_report_hooks.append(self.flush)
        folder = _runs_folder()
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)
        except OSError:
            return  # writing sessions reports the error
        self._file_worker.submit(
            "find_runs",
            partial(find_crashed_runs, folder),
            self,
            self._on_runs_found,
            self.failed.emit,
        )
        name = uuid.uuid4().hex
        self._lock = _lock(folder / f"{name}.lock")
        self._lock.tryLock(0)
        self._run_file = folder / f"{name}.json"

    def _on_runs_found(self, runs: list[RecoveryState]) -> None:
        for run in runs[:1]:
            self.recovered.emit(run)

    def record_open_document(self, image: Image, project: Path | None) -> None:
        """Record the open image and project, in case the program crashes."""
        if self._run_file is not None:
            work = partial(
                _write_recovery_state, self.store, self._run_file, image, project
            )
            self._file_worker.submit("note_run", work, self, None, self._on_save_failed)

    def end_recovery(self) -> None:
        """Mark this run as ended; call it after all jobs are done."""
        if self.flush in crash.before_report_hooks:
            crash.before_report_hooks.remove(self.flush)
        if self._run_file is not None and self._lock is not None:
            if self._document is not None and not self._foreign:
                self.store.release(self._document.image.key, self._run)
            if not self.keep_recovery:
                self._run_file.unlink(missing_ok=True)
            self._lock.unlock()


def _nothing() -> None:
    """A job that only waits for those before it."""


def _runs_folder() -> Path:
    """The folder of the runs that are open, or have crashed."""
    return state_folder() / "runs"


def _is_alive(run: str) -> bool:
    """Whether the run of that name is open on this computer."""
    if not run.isalnum():
        return False
    path = _runs_folder() / f"{run}.lock"
    if not path.exists():
        return False
    lock = _lock(path)
    if not lock.tryLock(0):
        return True
    lock.unlock()
    return False


def _lock(path: Path) -> QLockFile:
    lock = QLockFile(str(path))
    lock.setStaleLockTime(0)  # a lock is stale only if its process has ended
    return lock


# -- On the worker thread -----------------------------------------------------------


def _save(store: SessionStore, session: Session, image: Image) -> None:
    if session.path is None:
        session = replace(session, path=store.save_image(image))
    store.save(session)


def _write_recovery_state(
    store: SessionStore, file: Path, image: Image, project: Path | None
) -> None:
    path = image.path or store.save_image(image)
    write_recovery_state(file, RecoveryState(image.name, path.resolve(), project))


def find_crashed_runs(folder: Path) -> list[RecoveryState]:
    """States of runs whose process ended without clean-up, the latest first.

    Their files are deleted.  States whose image no longer exists are left out.
    """
    runs = []
    for file in folder.glob("*.json"):
        lock = _lock(file.with_suffix(".lock"))
        if not lock.tryLock(0):
            continue  # another window is open
        run = read_recovery_state(file)
        if run is not None and run.image is not None and isfile(run.image):
            runs.append((file.stat().st_mtime_ns, run))
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        lock.unlock()
    return [run for _, run in sorted(runs, key=lambda pair: pair[0], reverse=True)]
