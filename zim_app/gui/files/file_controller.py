"""Opens, drops and pastes images, and opens and saves projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow, QMessageBox

from zim_app.core.folders import is_image_file
from zim_app.core.greys import GreyView
from zim_app.core.saved_work import PROJECT_SUFFIX, ObjectStack
from zim_app.gui.canvas.viewport import Viewport
from zim_app.gui.document import Document, EditHistory
from zim_app.gui.files import dialogs
from zim_app.gui.files.autosave import document_stack
from zim_app.gui.files.drop_highlight import DropHighlight
from zim_app.gui.files.grey_controller import GreyController
from zim_app.gui.files.mime_data import holds_image, image_of, local_paths
from zim_app.gui.files.missing_image import MissingImageNotice
from zim_app.gui.files.open_job import (
    ImageMissing,
    OpenedImage,
    open_image,
    open_pasted,
    open_project,
    open_slice,
)
from zim_app.gui.files.open_notices import OPEN_TOPIC, OpenNotices
from zim_app.gui.files.opening_preview import OpeningPreview
from zim_app.gui.files.recovery_notice import RecoveryNotice
from zim_app.gui.settings import window_state
from zim_app.gui.studio import Studio
from zim_model.errors import ZimError

if TYPE_CHECKING:
    from zim_app.core.images import Image

HISTORIES = 40
"""Images whose undo steps are kept, the latest."""


class FileController(QObject):
    """Opens and saves files without losing the user's work.

    Args:
        studio: the window.

    **Signals**

    - ``project_changed()``: another project is in use, or none.
    - ``strip_shown_changed(shown)``: whether the strip is shown for several images.

    **Threads**: the window's; files are read and written on others.
    """

    project_changed = Signal()
    strip_shown_changed = Signal(bool)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self._file_worker = studio.file_worker
        self._stacks: dict[str, ObjectStack] = {}
        self._histories: dict[str, EditHistory] = {}
        self._closing = False
        self._closes_when_written = False
        if isinstance(studio.widget, QMainWindow):
            DropHighlight(
                studio.widget, self.can_drop, lambda: studio.document is not None
            )
        self._file_worker.written.connect(self._on_written)
        self._after_save: Callable[[], object] | None = None
        self._listed_images: tuple[Path, ...] = ()
        self.project: Path | None = None
        self._sessions = studio.sessions
        self._sessions.failed.connect(studio.report)
        self._sessions.mark_changed.connect(studio.strip.model.set_mark)
        self._sessions.marks_read.connect(studio.strip.model.set_marks)
        studio.strip.path_requested.connect(self._on_strip_requested)
        self._notices = OpenNotices(studio)
        self._recovery = RecoveryNotice(studio)
        self.preview = OpeningPreview(studio.pages)
        self._missing = MissingImageNotice(studio)
        self._missing.located.connect(self._on_located)
        self.greys = GreyController(studio)
        self.greys.slice_requested.connect(self._open_slice)
        self.greys.window_shown.connect(self._replace_document)

    # -- Opening ---------------------------------------------------------------------

    @Slot()
    def choose_file(self) -> None:
        """Show a dialog to open an image or a project."""
        dialog = dialogs.open_dialog(self._studio.widget)
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot()
    def choose_folder(self) -> None:
        """Show a dialog to open a folder, whose images the strip shows."""
        title = self.tr("Open a folder of photos")
        dialog = dialogs.folder_dialog(self._studio.widget, title)
        dialog.filesSelected.connect(self._on_files_chosen)
        dialog.open()

    @Slot(list)
    def _on_files_chosen(self, names: list[str]) -> None:
        self.open_paths([Path(name) for name in names])

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open the first of several files; the strip shows all."""
        if paths:
            images = tuple(filter(is_image_file, paths))
            self._listed_images = images if len(images) > 1 else ()
            self.open_path(paths[0])

    def open_path(
        self, path: Path, on_done: Callable[[Document], object] | None = None
    ) -> None:
        """Open an image, folder or project; the latest call wins.

        Args:
            path: the file or folder.
            on_done: called with the document when its session is restored.
        """
        self._confirm_unsaved(partial(self._open, path, on_done))

    @Slot(object)
    def _on_strip_requested(self, path: Path) -> None:
        self.open_path(path)

    def _show_strip(self, opened: OpenedImage) -> None:
        """Show the chosen images, or those in the image's folder, in the strip."""
        strip, path = self._studio.strip, opened.image.path
        if path is not None and path not in self._listed_images:
            self._listed_images = ()
            strip.show_folder(opened.siblings, path)
        else:
            strip.show_images(self._listed_images, path)
        self._update_strip()

    @Slot(bool)
    def set_strip_shown(self, shown: bool) -> None:
        """Show the strip whenever there is more than one image, or never."""
        window_state.set_strip_shown(shown)
        self._update_strip()

    def _update_strip(self) -> None:
        strip, enabled = self._studio.strip, window_state.strip_shown()
        strip.setVisible(enabled and len(strip.model.paths) > 1)
        self.strip_shown_changed.emit(enabled)

    def cancel_open(self) -> None:
        """Go back to the open image after a cancelled opening."""
        self.preview.drop()
        self._choose_open_image()

    def _choose_open_image(self) -> None:
        """Show in strip and grey values what is open, after another choice there."""
        self._studio.strip.select(self._open_image_path)
        self.greys.reset()

    @property
    def _open_image_path(self) -> Path | None:
        document = self._studio.document
        return document.image.path if document else None

    def _open(
        self, path: Path, on_done: Callable[[Document], object] | None = None
    ) -> None:
        # It is stored, and must not depend on the working directory.
        path = path.absolute()
        self._sessions.flush()
        store = self._sessions.store
        work: Callable[[], OpenedImage | ImageMissing]
        if path.suffix.lower() == PROJECT_SUFFIX:
            work = partial(open_project, path, None, store)
        else:
            on_preview = partial(self.preview.read.emit, path)
            work = partial(open_image, path, store, on_preview)
        self._start_opening(work, on_done)
        self.preview.begin(path)

    def _start_opening(
        self,
        work: Callable[[], OpenedImage | ImageMissing],
        on_done: Callable[[Document], object] | None = None,
    ) -> None:
        self.preview.end()
        on_opened = partial(self._on_opened, on_done)
        self._file_worker.open(work, self, on_opened, self._on_open_failed)

    def _on_open_failed(self, error: Exception) -> None:
        self.preview.drop()
        self._studio.strip.return_to(self._open_image_path)
        self.greys.reset()
        self._studio.banner.remove_topic(OPEN_TOPIC)
        self._studio.report(error, topic=OPEN_TOPIC)

    def _on_opened(
        self,
        on_done: Callable[[Document], object] | None,
        opened: OpenedImage | ImageMissing,
    ) -> None:
        if isinstance(opened, ImageMissing):
            self.preview.drop()
            self._missing.show(opened)
            return
        self.preview.end()
        old = self._studio.document
        self._recovery.remove()
        if old is not None:
            self._remember(old)
        self._show_strip(opened)
        document = self._studio.show_document(opened)
        self._restore(opened, document)
        self.project = opened.project
        self._sessions.follow(document, exported=opened.exported)
        self._sessions.record_open_document(opened.image, opened.project)
        if opened.project or opened.exported:
            document.undo_stack.setClean()
        recent = opened.project or opened.image.path
        if recent is not None:
            window_state.add_recent_path(recent)
        self.project_changed.emit()
        self._notices.show(opened, document)
        self.greys.follow(document)
        if on_done is not None:
            on_done(document)

    @Slot(object, object)
    def _open_slice(self, path: Path, view: GreyView) -> None:
        work = partial(open_slice, path, view, self._sessions.store)
        self._sessions.flush()
        self._confirm_unsaved(partial(self._start_opening, work))

    @Slot(object)
    def _replace_document(self, opened: OpenedImage) -> None:
        """Go on with the same objects on the same photo, which looks otherwise."""
        old = self._studio.document
        assert old is not None
        self._remember(old)
        clean, canvas = old.undo_stack.isClean(), self._studio.pages.currentWidget()
        assert isinstance(canvas, Viewport)
        go_back = canvas.remember_place()
        document = self._studio.show_document(opened)
        go_back()
        if old.history.steps:
            document.replay(old.history)
        document.select(old.state.active)
        self._sessions.follow(document, exported=False)
        self._sessions.record_open_document(opened.image, self.project)
        if clean and self.project is None:
            document.undo_stack.setClean()
        self.greys.follow(document)
        self.project_changed.emit()

    def _remember(self, document: Document) -> None:
        """Keep the objects of an image that is closed, and the steps of the latest."""
        key = document.image.key
        self._stacks[key] = document_stack(document)
        self._histories.pop(key, None)
        if document.history.steps:
            self._histories[key] = document.history
        for oldest in list(self._histories)[:-HISTORIES]:
            del self._histories[oldest]

    def _restore(self, opened: OpenedImage, document: Document) -> None:
        """Restore the objects that an image had when it was last open."""
        stack, key = opened.stack, opened.image.key
        if opened.project is None:
            stack = self._stacks.get(key, stack)
        history = self._histories.get(key)
        if history and stack and history.current[0] == stack.objects:
            document.replay(history)
            document.select(stack.active)
            return
        if stack is not None and stack.is_edited:
            text = self.tr("Restore objects")
            document.edit_objects(text, stack.objects, stack.active)

    @Slot(object, object)
    def _on_located(self, project: Path, image: Path) -> None:
        work = partial(open_project, project, image, self._sessions.store)
        self._start_opening(work)

    # -- From other programs ---------------------------------------------------------

    def can_drop(self, data: QMimeData) -> bool:
        """Whether MIME data contain a local file or an image."""
        return bool(local_paths(data)) or holds_image(data)

    def drop(self, data: QMimeData) -> None:
        """Open dropped or pasted data: local files, else an image."""
        paths = local_paths(data)
        if paths:
            self.open_paths(paths)
            return
        content = image_of(data)
        if content is None:
            self._studio.report(
                ZimError(
                    self.tr("There is no photo in the clipboard."),
                    self.tr("Copy a photo or a file in another program first."),
                )
            )
            return
        name = self.tr("Pasted image")
        work = partial(open_pasted, content, name, self._sessions.store)
        self._confirm_unsaved(partial(self._start_opening, work))

    @Slot()
    def paste(self) -> None:
        """Open the image or file in the clipboard."""
        self.drop(QGuiApplication.clipboard().mimeData())

    # -- Projects --------------------------------------------------------------------

    @property
    def has_unsaved_project(self) -> bool:
        """Whether a project is in use and was changed since it was saved."""
        document = self._studio.document
        clean = document is None or document.undo_stack.isClean()
        return self.project is not None and not clean

    @Slot()
    def save_project(self) -> None:
        """Save the current project; show a dialog if there is none."""
        if self.project is None:
            self.save_project_as()
        else:
            self._save(self.project)

    @Slot()
    def save_project_as(self) -> None:
        """Show a dialog to save the project."""
        document = self._studio.document
        if document is not None:
            dialog = dialogs.save_project_dialog(self._studio.widget, document)
            dialog.fileSelected.connect(self._on_project_chosen)
            dialog.rejected.connect(self._forget_after_save)
            dialogs.close_with(document, dialog)
            dialog.open()

    @Slot(str)
    def _on_project_chosen(self, name: str) -> None:
        self._save(Path(name))

    @Slot()
    def _forget_after_save(self) -> None:
        self._after_save = None

    def _save(self, path: Path) -> None:
        document = self._studio.document
        assert document is not None
        on_done = partial(self._on_saved, path, document, document.undo_stack.index())
        work = partial(_write_project, path, document.image, document_stack(document))
        self._file_worker.submit(
            "save_project", work, self, on_done, self._on_save_failed
        )

    def _on_saved(self, path: Path, document: Document, index: int, _: None) -> None:
        self._studio.status.show_success(self.tr("Saved {}").format(path))
        window_state.add_recent_path(path)
        if document is self._studio.document:
            self.project = path
            if document.undo_stack.index() == index:
                document.undo_stack.setClean()
            self._sessions.record_open_document(document.image, path)
            self.project_changed.emit()
        after_save, self._after_save = self._after_save, None
        if after_save is not None:
            self._confirm_unsaved(after_save)

    def _on_save_failed(self, error: Exception) -> None:
        self._after_save = None
        self._studio.report(error)

    @Slot(object, object, int)
    def record_export(self, document: Document, stack: ObjectStack, index: int) -> None:
        """Record an export, after which a document without a project is unmodified."""
        self._sessions.record_export(document, stack)
        is_open = document is self._studio.document and self.project is None
        if is_open and document.undo_stack.index() == index:
            document.undo_stack.setClean()

    # -- Closing ---------------------------------------------------------------------

    def may_close(self) -> bool:
        """Whether the window may close.

        If not, show a box about unsaved changes, or about a session that cannot be
        written, or close the window once all files are written; it stays open, and
        shows the error, if one cannot be.  A second attempt to close it meanwhile is
        allowed.
        """
        if self._file_worker.is_writing and not self._closes_when_written:
            self._closes_when_written = True
            return False
        if self._closing:
            return True
        if self.has_unsaved_project:
            self._confirm_unsaved(self._close)
            return False
        error = None if self.project else self._sessions.save_now()
        if error is not None:
            self._ask(dialogs.unwritten_box(self._studio.widget, error), self._close)
        return error is None

    @Slot(bool)
    def _on_written(self, success: bool) -> None:
        self._closes_when_written &= success
        if self._closes_when_written and not self._file_worker.is_writing:
            self._closes_when_written = False
            self._studio.widget.close()

    def _close(self) -> None:
        self._closing = True
        self._studio.widget.close()

    def _confirm_unsaved(self, on_done: Callable[[], object]) -> None:
        """Call ``on_done``, after a box about unsaved changes if there are any."""
        if not self.has_unsaved_project:
            on_done()
            return
        assert self.project is not None
        self._ask(dialogs.unsaved_box(self._studio.widget, self.project), on_done)

    def _ask(self, box: QMessageBox, on_done: Callable[[], object]) -> None:
        box.buttonClicked.connect(partial(self._on_box_clicked, box, on_done))
        box.open()

    def _on_box_clicked(
        self, box: QMessageBox, on_done: Callable[[], object], button: object
    ) -> None:
        # The stub of QMessageBox.buttonClicked says QAbstractButton only.
        answer = box.standardButton(button)  # type: ignore[arg-type]
        if answer == QMessageBox.StandardButton.Save:
            self._after_save = on_done
            self.save_project()
        elif answer == QMessageBox.StandardButton.Discard:
            on_done()  # the session still has all changes
        else:
            self._choose_open_image()

    def start(self) -> None:
        """Start session recovery and read the marks; call it once at the start."""
        self._sessions.start_recovery()
        self._sessions.read_marks()

    def save_now(self) -> None:
        """Write the session before returning, as the system ends the program."""
        self._sessions.save_now()

    def close_unasked(self) -> None:
        """Close the window without questions; the next start offers unsaved changes."""
        self.save_now()
        self._sessions.keep_recovery = self.has_unsaved_project
        self._closing = self._closes_when_written = True
        self._studio.widget.close()

    def close(self) -> None:
        """Write unsaved sessions and stop the file worker."""
        self._sessions.flush()
        self._file_worker.close()
        self._sessions.end_recovery()


def _write_project(path: Path, image: Image, stack: ObjectStack) -> None:
    from zim_app.core.project import write_project

    write_project(path, image, stack)
