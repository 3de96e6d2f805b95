"""Keeps every picture's work by itself, and finds what a dead run had open."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, QTimer, Signal, Slot

from zim_app.core.saved_work import Work
from zim_app.core.session_store import (
    RunState,
    Session,
    SessionStore,
    mark_of,
    read_run,
    state_folder,
    write_run,
)
from zim_app.gui import crash
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.settings import preferences
from zim_app.gui.workers.file_worker import QUIET, FileWork
from zim_app.gui.workers.worker_thread import Task
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.core.images import Picture


def work_of(document: Document) -> Work:
    """All that was done to a document's picture, as it is now."""
    return Work(document.state.objects, document.state.active)


class SessionKeeper(QObject):
    """Writes the session of the picture that is open, some seconds after a change.

    Args:
        files: does the writing.

    **Signals**

    - ``marked(path, mark)``: a picture file's work is "touched", "done" or None now.
    - ``marks_read(marks)``: those of all sessions, see :meth:`SessionStore.marks`.
    - ``failed(error)``: a session cannot be written; said once until one can.
    - ``recovered(run)``: a run that did not end had this :class:`RunState`.

    **Threads**: the window's; files are written on others.
    """

    marked = Signal(object, object)
    marks_read = Signal(object)
    failed = Signal(object)
    recovered = Signal(object)

    def __init__(self, files: FileWork, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = SessionStore()
        self._files = files
        self._document: Document | None = None
        self._saved: tuple[Work, bool] | None = None
        self._exported: Work | None = None
        self._healthy = True
        self._lock: QLockFile | None = None
        self._run_file: Path | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)
        files.job_done.connect(self._on_job_done)
        files.job_failed.connect(self._on_job_failed)

    # -- Sessions -------------------------------------------------------------------

    def follow(self, document: Document, *, exported: bool) -> None:
        """Keep the work on that document from now on, instead of another's.

        Args:
            document: with its earlier work restored already.
            exported: whether it was exported as it is.
        """
        self.flush()
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = document
        work = work_of(document)
        self._exported = work if exported else None
        self._saved = (work, exported)
        document.changed.connect(self._on_document_changed)
        if document.picture.path is None:
            self._saved = None  # its pixels are nowhere else
            self.flush()

    def note_export(self, document: Document, work: Work) -> None:
        """The work was exported; if nothing changed since, the picture is done."""
        if document is self._document:
            self._exported = work
            self._tell_mark()
            self.flush()

    def read_marks(self) -> None:
        """Read the marks of all sessions; ``marks_read`` tells."""
        self._files.submit("read_marks", None, self.store.marks)

    @Slot()
    def flush(self) -> None:
        """Write the session now, if it changed."""
        self._timer.stop()
        if self._document is None:
            return
        session = self._session(self._document)
        state = (session.work, session.exported)
        if state != self._saved:
            self._saved = state
            picture = self._document.picture
            work = partial(_save, self.store, session, picture)
            self._files.submit("save_session", session, work)

    def _session(self, document: Document) -> Session:
        picture, work = document.picture, work_of(document)
        path = picture.path.resolve() if picture.path else None
        exported = self._exported == work
        return Session(picture.key, picture.name, path, work, exported)

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        if (new.objects, new.active) == (old.objects, old.active):
            return
        seconds = int(preferences.value("autosave_seconds"))
        if seconds and not self._timer.isActive():
            self._timer.start(seconds * 1000)
        self._tell_mark()

    def _tell_mark(self) -> None:
        assert self._document is not None
        session = self._session(self._document)
        if session.path is not None:
            self.marked.emit(session.path, mark_of(session))

    @Slot(object, object)
    def _on_job_done(self, task: Task, result: object) -> None:
        if task.kind == "save_session":
            self._healthy = True
        elif task.kind == "read_marks":
            self.marks_read.emit(result)
        elif task.kind == "find_runs":
            assert isinstance(result, list)
            for run in result[:1]:
                self.recovered.emit(run)

    @Slot(object, object)
    def _on_job_failed(self, task: Task, error: Exception) -> None:
        if task.kind not in QUIET:
            return
        if not isinstance(error, ZimError):
            raise error
        if self._healthy:
            self._healthy = False
            self.failed.emit(error)

    # -- Runs -------------------------------------------------------------------------

    def start_run(self) -> None:
        """Look for runs that did not end, and mark this one as running."""
        crash.before_report.append(self.flush)
        folder = state_folder() / "runs"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return  # sessions will say so
        self._files.submit("find_runs", None, partial(dead_runs, folder))
        name = uuid.uuid4().hex
        self._lock = _lock(folder / f"{name}.lock")
        self._lock.tryLock(0)
        self._run_file = folder / f"{name}.json"

    def note_run(self, picture: Picture, project: Path | None) -> None:
        """Write down what is open, for the case that the program dies."""
        if self._run_file is not None:
            work = partial(_note_run, self.store, self._run_file, picture, project)
            self._files.submit("note_run", None, work)

    def end_run(self) -> None:
        """Say that the program ended as it should; after all jobs are done."""
        if self.flush in crash.before_report:
            crash.before_report.remove(self.flush)
        if self._run_file is not None and self._lock is not None:
            self._run_file.unlink(missing_ok=True)
            self._lock.unlock()


def _lock(path: Path) -> QLockFile:
    lock = QLockFile(str(path))
    lock.setStaleLockTime(0)  # only the death of its process makes a lock stale
    return lock


# -- On the worker's thread -----------------------------------------------------------


def _save(store: SessionStore, session: Session, picture: Picture) -> None:
    if session.path is None:
        session = replace(session, path=store.keep_picture(picture))
    store.save(session)


def _note_run(
    store: SessionStore, file: Path, picture: Picture, project: Path | None
) -> None:
    path = picture.path or store.keep_picture(picture)
    write_run(file, RunState(picture.name, path.resolve(), project))


def dead_runs(folder: Path) -> list[RunState]:
    """What runs had open whose process is gone, the latest first; they are forgotten.

    Only those are told whose picture can still be opened.
    """
    found = []
    for file in folder.glob("*.json"):
        lock = _lock(file.with_suffix(".lock"))
        if not lock.tryLock(0):
            continue  # another window is open
        run = read_run(file)
        if run is not None and run.picture is not None and run.picture.is_file():
            found.append((file.stat().st_mtime_ns, run))
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        lock.unlock()
    return [run for _, run in sorted(found, key=lambda pair: pair[0], reverse=True)]
