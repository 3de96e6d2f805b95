"""What the window does with results: exporting, copying and dragging them out."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage

from zim_app.core.saved_work import Work
from zim_app.core.scene import exported
from zim_app.gui.document import Document
from zim_app.gui.files import dialogs
from zim_app.gui.files.autosave import work_of
from zim_app.gui.progress import JobProgress
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.workers.worker_thread import Task
from zim_model.errors import Cancelled, ZimError
from zim_model.request import CancelCheck, Matte

if TYPE_CHECKING:
    from zim_app.core.export import ExportOptions, Target
    from zim_app.core.images import Picture
    from zim_app.gui.main_window import MainWindow
    from zim_model.recipe import SceneObject

THUMBNAIL_SIDE = 96
"""Of what is dragged, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportJob:
    """One export or copy under way.

    Attributes:
        document: it is of.
        index: place in the document's history.
        work: that the files show.
        cancelled: set when the user does not want it any more.
        said: when it is done, of a copy.
    """

    document: Document
    index: int
    work: Work
    cancelled: threading.Event
    said: str = ""


class ExportFlow(QObject):
    """Exports what the window shows.

    Args:
        window: whose document this is about.

    **Signals**

    - ``file_ready(path, thumbnail)``: a file that :meth:`make_file` asked for, and a
      small ``QImage`` of it.

    **Threads**: the window's; pixels are computed and written on others.
    """

    file_ready = Signal(object, object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._files = window.files
        self._jobs: list[ExportJob] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.progress = JobProgress(
            self.tr("Progress of the export"), self.tr("Cancel the export")
        )
        self.progress.cancelled.connect(self.cancel)
        window.status.addPermanentWidget(self.progress)
        self._files.job_done.connect(self._on_job_done)
        self._files.job_failed.connect(self._on_job_failed)

    @property
    def ready(self) -> bool:
        """Whether the active object has a matte to export."""
        document = self._window.document
        return (
            document is not None
            and document.state.matte is not None
            and not document.state.pending
        )

    # -- Files ---------------------------------------------------------------

    @Slot()
    def choose(self) -> None:
        """Let the user choose what to export and how."""
        document = self._window.document
        if document is None or not self.ready:
            return
        from zim_app.gui.files.export_dialog import Candidate, ExportDialog
        from zim_app.gui.files.halo_hint import HaloHint

        active = document.state.object
        shown = _exported(document, "together")
        candidates = [
            Candidate(
                entry.name,
                matte.support,
                entry.recipe.finish.decontaminate,
                entry.id == active.id,
            )
            for entry, matte in shown
        ]
        alphas = [matte.alpha for _, matte in shown]
        halo = HaloHint(self._files, document.picture, alphas)
        options = last_options()
        folder = self._target_folder(document)
        dialog = ExportDialog(
            document.picture, candidates, options, folder, halo, self._window
        )
        dialog.export_requested.connect(self._on_export_requested)
        dialog.open()

    @Slot(object, object, bool)
    def _on_export_requested(
        self, options: ExportOptions, folder: Path, overwrite: bool
    ) -> None:
        document = self._window.document
        if document is None:
            return
        remember(options)
        beside = folder == dialogs.folder_for(document)
        preferences.set_value("export_folder", "" if beside else str(folder))
        self._start(document, options, folder=folder, overwrite=overwrite)

    @Slot()
    def quick(self) -> None:
        """Export as the last time, without a question; nothing is replaced."""
        document = self._window.document
        if document is not None and self.ready:
            folder = self._target_folder(document)
            self._start(document, last_options(), folder=folder)

    def export_to(self, path: Path) -> None:
        """Write the active object's cut-out to that file, as it is now."""
        document = self._window.document
        if document is not None and self.ready:
            from zim_app.core.export import ExportOptions

            self._start(document, ExportOptions(), path=path)

    @Slot()
    def cancel(self) -> None:
        """Stop all exports; files that are whole by then remain."""
        for job in self._jobs:
            job.cancelled.set()

    def _target_folder(self, document: Document) -> Path:
        chosen = str(preferences.value("export_folder"))
        return Path(chosen) if chosen else dialogs.folder_for(document)

    def _start(
        self,
        document: Document,
        options: ExportOptions,
        *,
        folder: Path | None = None,
        path: Path | None = None,
        overwrite: bool = False,
    ) -> None:
        job = self._job(document)
        stop = job.cancelled
        arguments = (document.picture, targets(document, options), options)
        hooks = {"progress": self.progress.moved.emit, "cancelled": stop.is_set}
        if path is not None:
            work: Callable[[], Any] = partial(_write_file, *arguments, path, hooks)
        else:
            assert folder is not None
            work = partial(_write_files, *arguments, folder, overwrite, hooks)
        self._submit("export", job, work)

    def _job(self, document: Document, said: str = "") -> ExportJob:
        index, stop = document.undo_stack.index(), threading.Event()
        return ExportJob(document, index, work_of(document), stop, said)

    def _submit(self, kind: str, job: ExportJob, work: Callable[[], Any]) -> None:
        self._jobs.append(job)
        self.progress.start()
        self._files.submit(kind, job, work)

    @Slot(object, object)
    def _on_job_done(self, task: Task, result: Any) -> None:
        if task.kind == "export":
            self._end(task.subject)
            self._on_exported(task.subject, result)
        elif task.kind == "copy":
            self._end(task.subject)
            _put_on_clipboard(*result)
            self._window.banner.show_success(task.subject.said)
        elif task.kind == "drag_file":
            self.file_ready.emit(*result)

    @Slot(object, object)
    def _on_job_failed(self, task: Task, error: Exception) -> None:
        if task.kind in ("export", "copy"):
            self._end(task.subject)
            if isinstance(error, Cancelled):
                self._window.banner.show_success(self.tr("The export was cancelled."))

    def _end(self, job: ExportJob) -> None:
        self._jobs.remove(job)
        if not self._jobs:
            self.progress.stop()

    def _on_exported(self, job: ExportJob, paths: list[Path]) -> None:
        if len(paths) == 1:
            text = self.tr("Saved {}").format(paths[0])
        else:
            text = self.tr("Saved {} files in {}").format(len(paths), paths[0].parent)
        folder = QUrl.fromLocalFile(str(paths[0].parent))
        self._window.banner.show_success(
            text, self.tr("Open folder"), partial(QDesktopServices.openUrl, folder)
        )
        flow, stack = self._window.flow, job.document.undo_stack
        flow.sessions.note_export(job.document, job.work)
        is_open = job.document is self._window.document
        if is_open and stack.index() == job.index and flow.project is None:
            stack.setClean()

    # -- Clipboard and dragging ----------------------------------------------

    @Slot()
    def copy_cutout(self) -> None:
        """Copy the active object, trimmed, with transparency."""
        self._copy("cutout", self.tr("The cut-out is in the clipboard."))

    @Slot()
    def copy_matte(self) -> None:
        """Copy the active object's matte, as large as the picture."""
        self._copy("matte", self.tr("The matte is in the clipboard."))

    def _copy(self, what: str, said: str) -> None:
        document = self._window.document
        if document is not None and self.ready:
            job, objects = self._job(document, said), _active(document)
            stopped = job.cancelled.is_set
            work = partial(_copied, document.picture, objects, what, stopped)
            self._submit("copy", job, work)

    def make_file(self) -> None:
        """Make a PNG of the active object to drag out; ``file_ready`` tells."""
        document = self._window.document
        if document is None or not self.ready:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="zim-studio-")
        options = replace(last_options(), format="png", scope="active")
        folder = Path(self._folder.name)
        work = partial(_drag_file, document.picture, _active(document), options, folder)
        self._files.submit("drag_file", None, work)

    def close(self) -> None:
        """Take back the files that were made to be dragged out; after all jobs."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.cleanup()


def last_options() -> ExportOptions:
    """How the last export was made, with the name and format of the settings."""
    from zim_app.core.export import ExportOptions

    try:
        options = ExportOptions.from_json(window_state.export_options())
    except ZimError:
        options = ExportOptions()
    name, kind = preferences.value("export_name"), preferences.value("export_format")
    for wanted in ({"template": name}, {"format": kind}):
        with contextlib.suppress(ZimError):  # a name that cannot be, or a JPEG cut-out
            options = replace(options, **wanted).validated()
    return options


def remember(options: ExportOptions) -> None:
    """Make the next export like this one."""
    window_state.set_export_options(options.to_json())
    preferences.set_value("export_name", options.template)
    preferences.set_value("export_format", options.format)


def targets(document: Document, options: ExportOptions) -> list[Target]:
    """The objects to export, the lowest first."""
    from zim_app.core.export import Target

    return [
        Target(
            matte.alpha,
            entry.name or _number(document, entry),
            entry.visible,
            entry.recipe.finish.decontaminate,
        )
        for entry, matte in _exported(document, options.objects)
    ]


def _number(document: Document, entry: SceneObject) -> str:
    return document.tr("Object {}").format(entry.id)


def _active(document: Document) -> list[Target]:
    from zim_app.core.export import ExportOptions

    return targets(document, ExportOptions())


def _exported(document: Document, scope: str) -> list[tuple[SceneObject, Matte]]:
    state = document.state
    pairs = [
        (state.objects[index], state.mattes[index])
        for index in exported(state.objects, state.active, scope)
    ]
    return [(entry, matte) for entry, matte in pairs if matte is not None]


def _put_on_clipboard(data: bytes, image: QImage) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setImage(image)
    # Added to Qt's own object: one made here is destroyed after Python has ended, which
    # crashes the program when it quits.
    clipboard.mimeData().setData("image/png", data)


# -- On the worker's thread --------------------------------------------------


def _write_file(
    picture: Picture,
    objects: list[Target],
    options: ExportOptions,
    path: Path,
    hooks: dict[str, Any],
) -> list[Path]:
    from zim_app.core.export import export

    export(picture, objects, path, options, **hooks)
    return [path]


def _write_files(
    picture: Picture,
    objects: list[Target],
    options: ExportOptions,
    folder: Path,
    overwrite: bool,
    hooks: dict[str, Any],
) -> list[Path]:
    from zim_app.core.export import export_to_folder

    return export_to_folder(
        picture, objects, folder, options, overwrite=overwrite, **hooks
    )


def _copied(
    picture: Picture, objects: list[Target], what: str, cancelled: CancelCheck
) -> tuple[bytes, QImage]:
    """A PNG as exact as the file would be, and pixels for all other programs."""
    from zim_app.core.colour import rgb_to_srgb
    from zim_app.core.compose import Cut, cutout
    from zim_app.core.export import ExportOptions, encode
    from zim_app.core.framing import cropped, support_of

    if what == "matte":
        options = ExportOptions("matte")
        data = encode(picture, objects, options, cancelled=cancelled)
        return data, QImage.fromData(data)
    options = ExportOptions(trim=True)
    data = encode(picture, objects, options, cancelled=cancelled)
    whole = Cut.of(picture, objects[0].alpha)
    part = cropped(whole, support_of(whole.alpha) or (0, 0, 1, 1))
    shown = Cut(rgb_to_srgb(part.colours, picture.icc), part.alpha)
    pixels = np.ascontiguousarray(cutout(shown, np.uint8))
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGBA8888
    return data, QImage(pixels.tobytes(), width, height, 4 * width, form).copy()


def _drag_file(
    picture: Picture, objects: list[Target], options: ExportOptions, folder: Path
) -> tuple[Path, QImage]:
    from zim_app.core.export import export_to_folder

    path = export_to_folder(picture, objects, folder, options, overwrite=True)[0]
    side, keep = THUMBNAIL_SIDE, Qt.AspectRatioMode.KeepAspectRatio
    smooth = Qt.TransformationMode.SmoothTransformation
    return path, QImage(str(path)).scaled(side, side, keep, smooth)
