"""Packs the mattes of hidden objects, and unpacks those of objects that are shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

from zim_app.core.packed_mattes import AnyMatte, PackedMatte
from zim_app.gui.document import Document, DocumentState
from zim_app.gui.workers.worker_thread import WorkerTask, WorkerThread
from zim_model.runtime.malloc import release_freed_memory

log = logging.getLogger(__name__)

PAUSE_MS = 400
"""Between two changes of the document, each of which paints all objects again."""
RELEASE_DELAY_MS = 500
"""From the last packing until its memory goes back to the system."""


class MattePacker(QObject):
    """Keeps mattes packed that belong to no object on screen and not to the active one.

    A matte in its other form replaces it in the document, once it is made and if it is
    still wanted; several at a time where many are made.  Until then it is what it was,
    so that nothing is ever missing.

    **Threads**: the window's; mattes are packed and unpacked on another one.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._thread = WorkerThread("packing", parent=self)
        self._thread.finished.connect(self._on_thread_finished)
        self._made: list[tuple[AnyMatte, AnyMatte]] = []
        self._pause = self._single_shot(PAUSE_MS, self._replace)
        self._release = self._single_shot(RELEASE_DELAY_MS, release_freed_memory)

    def _single_shot(self, interval: int, work: Callable[[], object]) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=interval)
        timer.timeout.connect(work)
        return timer

    @property
    def idle(self) -> bool:
        """Whether all mattes have the form that they should have."""
        return self._thread.idle and not self._made

    def follow(self, document: Document) -> None:
        """Pack the mattes of another document, and no longer those of the last one."""
        if self._document is not None:
            self._document.changed.disconnect(self._on_document_changed)
        self._document = document
        document.changed.connect(self._on_document_changed)
        self._on_document_changed(document.state, document.state)

    def close(self) -> None:
        """Stop the thread and wait for its end."""
        self._thread.drop_waiting()
        self._thread.close()

    @Slot(object, object)
    def _on_document_changed(self, old: DocumentState, new: DocumentState) -> None:
        """Let the work that waits be what the new state lacks."""
        assert self._document is not None
        self._thread.drop_waiting()
        running = self._thread.running
        under_way = {id(running.subject) if running else None}
        under_way |= {id(matte) for matte, _ in self._made}
        for matte in _in_wrong_form(new):
            if id(matte) not in under_way:
                work = _conversion(matte, self._document)
                self._thread.submit(WorkerTask("pack", matte, work))

    @Slot(object, object, object)
    def _on_thread_finished(
        self, task: WorkerTask, result: AnyMatte | None, error: Exception | None
    ) -> None:
        if result is not None:
            self._made.append((task.subject, result))
        if self._thread.idle or not self._pause.isActive():
            self._replace()
        if isinstance(error, MemoryError):  # the matte stays as it is, and complete
            log.warning("no memory to pack or unpack a matte")
        elif error is not None:
            raise error

    @Slot()
    def _replace(self) -> None:
        """Replace the mattes that were made in their other form, if still wanted."""
        assert self._document is not None
        wanted = {id(matte) for matte in _in_wrong_form(self._document.state)}
        pairs = [pair for pair in self._made if id(pair[0]) in wanted]
        self._made = []
        if not pairs:
            return
        self._pause.start()
        if any(isinstance(new, PackedMatte) for _, new in pairs):
            self._release.start()
        self._document.replace_mattes(pairs)


def _conversion(matte: AnyMatte, document: Document) -> Callable[[], AnyMatte]:
    if isinstance(matte, PackedMatte):
        return matte.unpack
    return partial(PackedMatte.pack, matte, document.levels)


def _in_wrong_form(state: DocumentState) -> list[AnyMatte]:
    """Packed mattes of objects that are shown or active, and unpacked ones of others.

    The active object's comes first.  Duplicated objects share a matte.
    """
    used: dict[int, AnyMatte] = {}
    unused: dict[int, AnyMatte] = {}
    pairs = list(enumerate(state.mattes))
    for index, matte in (pairs[state.active], *pairs):
        if matte is not None:
            in_use = index == state.active or state.is_shown(index)
            (used if in_use else unused)[id(matte)] = matte
    return [
        *(matte for matte in used.values() if isinstance(matte, PackedMatte)),
        *(
            matte
            for key, matte in unused.items()
            if key not in used and not isinstance(matte, PackedMatte)
        ),
    ]
