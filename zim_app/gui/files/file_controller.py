"""What the window does with files: opening, projects, dropping and pasting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMessageBox

from zim_app.core.folders import PICTURE_SUFFIXES
from zim_app.core.saved_work import PROJECT_SUFFIX, Work
from zim_app.core.session_store import RunState
from zim_app.gui.document import Document
from zim_app.gui.files import dialogs
from zim_app.gui.files.autosave import SessionKeeper, work_of
from zim_app.gui.files.open_job import (
    Opened,
    PictureMissing,
    read_pasted,
    read_picture,
    read_project_and_picture,
)
from zim_app.gui.settings import window_state
from zim_app.gui.workers.file_worker import QUIET
from zim_app.gui.workers.worker_thread import Task
from zim_model.errors import Cancelled, ZimError

if TYPE_CHECKING:
    from zim_app.core.images import Picture
    from zim_app.gui.main_window import MainWindow

RECOVERED = "recovered"
"""Topic of the banner about a run that did not end."""
IMAGE_FORMATS = ("image/png", "image/tiff", "image/webp", "image/jpeg", "image/bmp")
"""Encoded pictures that are taken from other programs as they are, best first."""


class FileFlow(QObject):
    """Opens whatever it is given, and saves and closes without losing anything.

    Args:
        window: whose document this is about.

    **Signals**: ``project_changed()``: another project is in use, or none.

    **Threads**: the window's; files are read and written on others.
    """

    project_changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._files = window.files
        self._kept: dict[str, Work] = {}
        self._closing = False
        self._after_save: Callable[[], object] | None = None
        self._listed: tuple[Path, ...] = ()
        self._then: Callable[[Document], object] | None = None
        self.project: Path | None = None
        self.sessions = SessionKeeper(window.files, self)
        self.sessions.failed.connect(window.report)
        self.sessions.marked.connect(window.strip.model.set_mark)
        self.sessions.marks_read.connect(window.strip.model.set_marks)
        window.strip.path_requested.connect(self._on_strip_requested)
        self.sessions.recovered.connect(self._on_sessions_recovered)
        self._files.opened.connect(self._on_files_opened)
        self._files.failed.connect(window.report)
        self._files.job_done.connect(self._on_job_done)
        self._files.job_failed.connect(self._on_job_failed)

    # -- Opening ---------------------------------------------------------------------

    @Slot()
    def choose_file(self) -> None:
        """Let the user choose a picture or a project to open."""
        dialog = dialogs.open_dialog(self._window)
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot()
    def choose_folder(self) -> None:
        """Let the user choose a folder whose pictures are shown in the strip."""
        dialog = dialogs.folder_dialog(self._window)
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot(list)
    def _on_files_chosen(self, names: list[str]) -> None:
        self.open_paths([Path(name) for name in names])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the first of several files; the strip shows them all."""
        if paths:
            pictures = tuple(x for x in paths if x.suffix.lower() in PICTURE_SUFFIXES)
            self._listed = pictures if len(pictures) > 1 else ()
            self.open_path(paths[0])

    def open_path(
        self, path: Path, then: Callable[[Document], object] | None = None
    ) -> None:
        """Read a picture, a folder or a project, and show it; the latest wish wins.

        Args:
            then: called with the document when it is shown with its own work.
        """
        self._unless_unsaved(partial(self._open, path, then))

    @Slot(object)
    def _on_strip_requested(self, path: Path) -> None:
        self.open_path(path)

    def show_strip(self, opened: Opened) -> None:
        """Show the pictures that go with the one that is opened, if there are any."""
        strip, path = self._window.strip, opened.picture.path
        if path is not None and path not in self._listed:
            self._listed = ()
            strip.show_folder(opened.siblings, path)
        else:
            strip.show_pictures(self._listed, path)
        self._update_strip()

    @Slot(bool)
    def set_strip_shown(self, shown: bool) -> None:
        """Show the strip whenever there is more than one picture, or never."""
        window_state.set_strip_shown(shown)
        self._update_strip()

    def _update_strip(self) -> None:
        strip, wanted = self._window.strip, window_state.strip_shown()
        strip.setVisible(wanted and len(strip.model.paths) > 1)
        self._window.actions_by_id["strip"].setChecked(wanted)

    def stay(self) -> None:
        """Mark the picture that is open in the strip, because no other will be."""
        document = self._window.document
        self._window.strip.select(document.picture.path if document else None)

    def _open(
        self, path: Path, then: Callable[[Document], object] | None = None
    ) -> None:
        self._then = then
        path = path.absolute()  # it is remembered, and means one file everywhere
        self.sessions.flush()
        store = self.sessions.store
        if path.suffix.lower() == PROJECT_SUFFIX:
            work = partial(read_project_and_picture, path, None, store)
        else:
            work = partial(read_picture, path, store)
        self._files.open(path, work)

    @Slot(object)
    def _on_files_opened(self, opened: Opened | PictureMissing) -> None:
        if isinstance(opened, PictureMissing):
            self._ask_for_picture(opened)
            return
        window, old = self._window, self._window.document
        window.banner.withdraw(RECOVERED)  # whatever was opened came back by itself
        if old is not None:
            self._kept[old.picture.key] = work_of(old)
        window.show_picture(opened)
        document = window.document
        assert document is not None
        self._restore(opened, document)
        self.project = opened.project
        self.sessions.follow(document, exported=opened.exported)
        self.sessions.note_run(opened.picture, opened.project)
        if opened.project or opened.exported:
            document.undo_stack.setClean()
        recent = opened.project or opened.picture.path
        if recent is not None:
            window_state.add_recent_path(recent)
        self.project_changed.emit()
        self._tell_problems(opened)
        then, self._then = self._then, None
        if then is not None:
            then(document)

    def _restore(self, opened: Opened, document: Document) -> None:
        """Bring back the work that a picture had when it was last open."""
        work = opened.work
        if opened.project is None:
            work = self._kept.get(opened.picture.key, work)
        if work is not None and work.touched:
            text = self.tr("Restore objects")
            document.edit_objects(text, work.objects, work.active)

    def _tell_problems(self, opened: Opened) -> None:
        if opened.problem is not None:
            self._window.report(opened.problem)
        if opened.match == "changed":
            name = opened.picture.name
            self._window.banner.show_error(
                self.tr("{} was changed since the project was saved.").format(name),
                self.tr("Look at the edges again before you export."),
            )

    def _ask_for_picture(self, missing: PictureMissing) -> None:
        reference = missing.project.picture
        if missing.found is None:
            text = self.tr("The picture {} of {} is missing.")
            message = text.format(reference.name, missing.path.name)
        else:
            text = self.tr("{} is not the picture of {}: that one has {} x {} pixels.")
            message = text.format(
                missing.found, missing.path.name, reference.width, reference.height
            )
        self._window.banner.show_error(
            message,
            self.tr("Show where it is."),
            self.tr("Locate…"),
            partial(self._locate, missing),
        )

    def _locate(self, missing: PictureMissing) -> None:
        dialog = dialogs.locate_dialog(self._window, missing.project.picture.name)
        dialog.setDirectory(str(missing.path.parent))
        dialog.fileSelected.connect(partial(self._on_located, missing.path))
        dialog.open()

    def _on_located(self, project: Path, name: str) -> None:
        store = self.sessions.store
        work = partial(read_project_and_picture, project, Path(name), store)
        self._files.open(project, work)

    # -- From other programs ---------------------------------------------------------

    def can_take(self, data: QMimeData) -> bool:
        """Whether there is a file or a picture in what is dragged or copied."""
        return bool(_local_paths(data)) or _holds_image(data)

    def take(self, data: QMimeData) -> None:
        """Open what was dropped or pasted: local files, else a picture."""
        paths = _local_paths(data)
        if paths:
            self.open_paths(paths)
            return
        encoded = next((kind for kind in IMAGE_FORMATS if data.hasFormat(kind)), None)
        content: bytes | QImage | None = None
        if encoded is not None:
            content = bytes(data.data(encoded).data())
        elif data.hasImage():
            content = QImage(data.imageData())
        if content is None or (isinstance(content, QImage) and content.isNull()):
            self._window.report(
                ZimError(
                    self.tr("There is no picture in the clipboard."),
                    self.tr("Copy a picture or a file in another program first."),
                )
            )
            return
        name = self.tr("Pasted image")
        work = partial(read_pasted, content, name, self.sessions.store)
        self._unless_unsaved(partial(self._files.open, name, work))

    @Slot()
    def paste(self) -> None:
        """Open the picture or file that was copied in another program."""
        self.take(QGuiApplication.clipboard().mimeData())

    # -- Projects --------------------------------------------------------------------

    @property
    def unsaved(self) -> bool:
        """Whether a project is in use and was changed since it was saved."""
        document = self._window.document
        clean = document is None or document.undo_stack.isClean()
        return self.project is not None and not clean

    @Slot()
    def save_project(self) -> None:
        """Save the project in use, or ask where to."""
        if self.project is None:
            self.save_project_as()
        else:
            self._save(self.project)

    @Slot()
    def save_project_as(self) -> None:
        """Let the user choose where to save the project."""
        document = self._window.document
        if document is not None:
            dialog = dialogs.save_project_dialog(self._window, document)
            dialog.fileSelected.connect(self._on_project_chosen)
            dialog.rejected.connect(self._forget_after_save)
            dialog.open()

    @Slot(str)
    def _on_project_chosen(self, name: str) -> None:
        self._save(Path(name))

    @Slot()
    def _forget_after_save(self) -> None:
        self._after_save = None

    def _save(self, path: Path) -> None:
        document = self._window.document
        assert document is not None
        subject = (path, document, document.undo_stack.index())
        work = partial(_write_project, path, document.picture, work_of(document))
        self._files.submit("save_project", subject, work)

    @Slot(object, object)
    def _on_job_done(self, task: Task, result: object) -> None:
        if task.kind != "save_project":
            return
        path, document, index = task.subject
        self._window.banner.show_success(self.tr("Saved {}").format(path))
        window_state.add_recent_path(path)
        if document is self._window.document:
            self.project = path
            if document.undo_stack.index() == index:
                document.undo_stack.setClean()
            self.sessions.note_run(document.picture, path)
            self.project_changed.emit()
        then, self._after_save = self._after_save, None
        if then is not None:
            self._unless_unsaved(then)

    @Slot(object, object)
    def _on_job_failed(self, task: Task, error: Exception) -> None:
        if task.kind == "save_project":
            self._after_save = None
        if task.kind not in QUIET and not isinstance(error, Cancelled):
            self._window.report(error)

    # -- Leaving ---------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the window may close now; else the user is asked first."""
        if self.unsaved and not self._closing:
            self._unless_unsaved(self._close)
            return False
        return True

    def _close(self) -> None:
        self._closing = True
        self._window.close()

    def _unless_unsaved(self, then: Callable[[], object]) -> None:
        """Do that, but ask first if a project would lose changes."""
        if not self.unsaved:
            then()
            return
        assert self.project is not None
        box = dialogs.unsaved_box(self._window, self.project)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(partial(self._on_box_clicked, box, then))
        box.open()

    def _on_box_clicked(
        self, box: QMessageBox, then: Callable[[], object], button: object
    ) -> None:
        answer = box.standardButton(button)  # type: ignore[arg-type]
        if answer == QMessageBox.StandardButton.Save:
            self._after_save = then
            self.save_project()
        elif answer == QMessageBox.StandardButton.Discard:
            self.project = None  # the session still has it all
            then()

    def start(self) -> None:
        """At the start of the program: find what a run that died had open."""
        self.sessions.start_run()
        self.sessions.read_marks()

    def close(self) -> None:
        """Write what is unwritten; the window closes."""
        self.sessions.flush()
        self._files.close()
        self.sessions.end_run()

    @Slot(object)
    def _on_sessions_recovered(self, run: RunState) -> None:
        path = run.project if run.project and run.project.is_file() else run.picture
        if path is None or self._window.document is not None:
            return
        self._window.banner.show_info(
            self.tr("Recovered your work on {}; the program did not end well.").format(
                run.name
            ),
            self.tr("Open"),
            partial(self.open_path, path),
            topic=RECOVERED,
        )


def _local_paths(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _holds_image(data: QMimeData) -> bool:
    return data.hasImage() or any(map(data.hasFormat, IMAGE_FORMATS))


def _write_project(path: Path, picture: Picture, work: Work) -> None:
    from zim_app.core.project import write_project

    write_project(path, picture, work)
