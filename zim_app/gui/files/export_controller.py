"""Exports, copies and drags cut-outs and mattes."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage

from zim_app.core.packed_mattes import AnyMatte
from zim_app.core.saved_work import ObjectStack
from zim_app.core.scene import exported_indexes
from zim_app.gui.document import Document
from zim_app.gui.files import dialogs
from zim_app.gui.files.autosave import document_stack
from zim_app.gui.files.open_notices import OPEN_TOPIC
from zim_app.gui.language import translate_message
from zim_app.gui.notices import JobProgress
from zim_app.gui.panels.object_texts import object_name
from zim_app.gui.settings import preferences, window_state
from zim_app.gui.studio import Studio
from zim_model.errors import Cancelled, ZimError
from zim_model.request import CancelCheck
from zim_model.runtime.atomic_files import write_error

if TYPE_CHECKING:
    from zim_app.core.export import ExportKind, ExportOptions, ExportTarget
    from zim_app.core.images import Image
    from zim_model.recipe import SceneObject

Result = TypeVar("Result")

THUMBNAIL_SIDE = 96
"""Longer side of the dragged thumbnail, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class ExportJob:
    """One running export or copy.

    Attributes:
        document: the document.
        index: index of its undo stack.
        stack: the exported state of its objects.
        cancelled: set when the user cancels.
    """

    document: Document
    index: int
    stack: ObjectStack
    cancelled: threading.Event


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The written files, and sentences on what is not quite as chosen."""

    paths: list[Path]
    notices: list[str]


class ExportController(QObject):
    """Exports the window's document.

    Args:
        studio: the window.

    **Signals**

    - ``exported(document, stack, index)``: the files of an export are written;
      ``stack`` is what they show, and ``index`` that of the undo stack then.
    - ``file_ready(path, thumbnail)``: the file of :meth:`make_file`, and a small
      ``QImage`` of it.

    **Threads**: the window's; pixels are computed and written on others.
    """

    exported = Signal(object, object, int)
    file_ready = Signal(object, object)

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio.widget)
        self._studio = studio
        self._file_worker = studio.file_worker
        self._jobs: list[ExportJob] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.progress = JobProgress(
            self.tr("Progress of the export"), self.tr("Cancel the export")
        )
        self.progress.cancelled.connect(self.cancel)
        studio.status.addPermanentWidget(self.progress)

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """Handlers of the actions, by action id."""
        return {
            "export": self.show_dialog,
            "quick_export": self.export_again,
            "copy_cutout": self.copy_cutout,
            "copy_matte": self.copy_matte,
        }

    @property
    def ready(self) -> bool:
        """Whether the active object has a matte to export."""
        return self._ready_document() is not None

    def _ready_document(self) -> Document | None:
        document = self._studio.document
        ready = document is not None and document.state.has_current_matte
        return document if ready else None

    # -- Files ---------------------------------------------------------------

    @Slot()
    def show_dialog(self) -> None:
        """Show the export dialog."""
        document = self._ready_document()
        if document is None:
            return
        from zim_app.core.framing import visible_bounds
        from zim_app.gui.files.export_dialog import ExportDialog, ExportObject
        from zim_app.gui.files.halo_hint import HaloHint
        from zim_app.gui.files.shadow_hint import ShadowHint

        active = document.state.object
        shown = _exported_objects(document, "together")
        options = stored_options()
        alphas = [matte.alpha for _, matte in shown]
        export_objects = [
            ExportObject(
                object_name(scene_object),
                visible_bounds(alpha, options.trim_alpha) or (0, 0, 0, 0),
                scene_object.recipe.finish.decontaminate,
                scene_object.id == active.id,
            )
            for (scene_object, _), alpha in zip(shown, alphas, strict=True)
        ]
        measured = (self._file_worker, document.image, alphas)
        halo, shadow = HaloHint(*measured), ShadowHint(*measured)
        folder = self._target_folder(document)
        dialog = ExportDialog(
            *(document.image, export_objects, options, folder, halo, shadow),
            self._studio.widget,
        )
        dialog.export_requested.connect(self._on_export_requested)
        dialogs.close_with(document, dialog)
        dialog.open()

    @Slot(object, object, bool)
    def _on_export_requested(
        self, options: ExportOptions, folder: Path, overwrite: bool
    ) -> None:
        document = self._studio.document
        if document is None:
            return
        longest = max(document.image.width, document.image.height)
        unscaled = options.longest_side == longest
        # The size of this image is none to give the next one.
        store_options(replace(options, longest_side=None) if unscaled else options)
        preferences.set_value("export_folder", _stored_folder(folder, document))
        self._start(document, options, folder=folder, overwrite=overwrite)

    @Slot()
    def export_again(self) -> None:
        """Export with the last options, without a dialog; no file is replaced."""
        document = self._ready_document()
        if document is None:
            return
        folder = self._target_folder(document)
        export = partial(self._start, document, stored_options(), folder=folder)
        beside = folder.is_relative_to(dialogs.start_folder(document))
        if isdir(folder) or beside:
            export()
            return
        from zim_app.core.export import missing_folder_error

        error = missing_folder_error(folder)
        self._studio.banner.show_error(
            *(error.message, error.hint, self.tr("Make the folder"), export),
            topic=OPEN_TOPIC,
        )

    @Slot()
    def cancel(self) -> None:
        """Cancel all exports; files that are complete remain."""
        for job in self._jobs:
            job.cancelled.set()

    def _target_folder(self, document: Document) -> Path:
        # An absolute path replaces the folder before it.
        chosen = str(preferences.value("export_folder"))
        return dialogs.start_folder(document) / chosen

    def _start(
        self,
        document: Document,
        options: ExportOptions,
        *,
        folder: Path,
        overwrite: bool = False,
    ) -> None:
        job = self._job(document)
        self._studio.banner.remove_topic("export")
        stop = job.cancelled
        arguments = (document.image, export_targets(document, options), options)
        hooks = {"progress": self.progress.progressed.emit, "cancelled": stop.is_set}
        work = partial(_write_files, *arguments, folder, overwrite, hooks)
        self._submit("export", job, work, partial(self._on_exported, job))

    def _job(self, document: Document) -> ExportJob:
        index = document.undo_stack.index()
        return ExportJob(document, index, document_stack(document), threading.Event())

    def _submit(
        self,
        kind: str,
        job: ExportJob,
        work: Callable[[], Result],
        on_done: Callable[[Result], object],
    ) -> None:
        self._jobs.append(job)
        self.progress.start()
        on_failed = partial(self._on_failed, job)
        self._file_worker.submit(kind, work, self, on_done, on_failed)

    def _on_failed(self, job: ExportJob, error: Exception) -> None:
        self._end(job)
        if isinstance(error, Cancelled):
            self._studio.status.show_success(self.tr("The export was cancelled."))
        else:
            self._studio.report(error)

    def _end(self, job: ExportJob) -> None:
        self._jobs.remove(job)
        if not self._jobs:
            self.progress.stop()

    def _on_exported(self, job: ExportJob, result: ExportResult) -> None:
        self._end(job)
        paths = result.paths
        if result.notices:
            text = "\n".join(map(translate_message, dict.fromkeys(result.notices)))
            self._studio.banner.show_warning(text, topic="export")
        if len(paths) == 1:
            text = self.tr("Saved {}").format(paths[0])
        else:
            text = self.tr("Saved {} files in {}").format(len(paths), paths[0].parent)
        self._studio.status.show_saved(text, paths[0].parent)
        self.exported.emit(job.document, job.stack, job.index)

    # -- Clipboard and dragging ----------------------------------------------

    @Slot()
    def copy_cutout(self) -> None:
        """Copy the active object's cut-out, trimmed, with transparency."""
        self._copy("cutout", self.tr("The cut-out is in the clipboard."))

    @Slot()
    def copy_matte(self) -> None:
        """Copy the active object's matte, at the image's size."""
        self._copy("matte", self.tr("The matte is in the clipboard."))

    def _copy(self, what: ExportKind, success_text: str) -> None:
        document = self._ready_document()
        if document is not None:
            job, objects = self._job(document), _active(document)
            stopped = job.cancelled.is_set
            options = _clipboard_options(what)
            work = partial(_clipboard_data, document.image, objects, options, stopped)
            self._submit("copy", job, work, partial(self._on_copied, job, success_text))

    def _on_copied(
        self, job: ExportJob, success_text: str, content: tuple[bytes, QImage]
    ) -> None:
        self._end(job)
        _put_on_clipboard(*content)
        self._studio.status.show_success(success_text)

    def make_file(self) -> None:
        """Write a PNG of the active object to drag; emits ``file_ready``."""
        document = self._ready_document()
        if document is None:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="zim-studio-")
        options = replace(stored_options(), format="png", scope="active")
        folder = Path(self._folder.name)
        work = partial(_drag_file, document.image, _active(document), options, folder)
        self._file_worker.submit(
            "drag_file", work, self, self._on_file_made, self._studio.report
        )

    def _on_file_made(self, file: tuple[Path, QImage]) -> None:
        self.file_ready.emit(*file)

    def close(self) -> None:
        """Delete the files of :meth:`make_file`; call it after all jobs."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.cleanup()


def stored_options() -> ExportOptions:
    """Options of the last export, with name and format from the settings."""
    from zim_app.core.export import ExportOptions

    try:
        options = ExportOptions.from_json(window_state.export_options())
    except ZimError:
        options = ExportOptions()
    settings = {
        "template": "export_name",
        "format": "export_format",
        "trim_alpha": "trim_alpha",
    }
    for option, key in settings.items():
        setting = {option: preferences.value(key)}
        with contextlib.suppress(ZimError):  # an invalid name, or a cut-out as JPEG
            options = replace(options, **setting).validate()
    return options


def store_options(options: ExportOptions) -> None:
    """Store the options for the next export."""
    window_state.set_export_options(options.to_json())
    preferences.set_value("export_name", options.template)
    preferences.set_value("export_format", options.format)


def export_targets(document: Document, options: ExportOptions) -> list[ExportTarget]:
    """The objects to export, the lowest first."""
    from zim_app.core.export import ExportTarget

    return [
        ExportTarget(
            matte.alpha,
            object_name(scene_object),
            scene_object.visible,
            scene_object.recipe.finish.decontaminate,
        )
        for scene_object, matte in _exported_objects(document, options.objects)
    ]


def _active(document: Document) -> list[ExportTarget]:
    from zim_app.core.export import ExportOptions

    return export_targets(document, ExportOptions())


def _exported_objects(
    document: Document, scope: str
) -> list[tuple[SceneObject, AnyMatte]]:
    state = document.state
    pairs = [
        (state.objects[index], state.mattes[index])
        for index in exported_indexes(state.objects, state.active, scope)
    ]
    return [(scene_object, matte) for scene_object, matte in pairs if matte is not None]


def _stored_folder(folder: Path, document: Document) -> str:
    """A folder in the settings: a path from the image's folder where it is inside."""
    beside = dialogs.start_folder(document)
    if folder == beside:
        return ""
    return str(folder.relative_to(beside) if folder.is_relative_to(beside) else folder)


def _clipboard_options(what: ExportKind) -> ExportOptions:
    from zim_app.core.export import ExportOptions

    stored = stored_options()
    return ExportOptions(
        what,
        trim=what == "cutout",
        trim_alpha=stored.trim_alpha,
        hidden_pixels=stored.hidden_pixels,
    )


def _put_on_clipboard(data: bytes, image: QImage) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setImage(image)
    # Added to Qt's own object: one created here would be destroyed after Python's
    # shutdown, which crashes.
    clipboard.mimeData().setData("image/png", data)


# -- On the worker thread --------------------------------------------------


def _write_files(
    image: Image,
    objects: list[ExportTarget],
    options: ExportOptions,
    folder: Path,
    overwrite: bool,
    hooks: dict[str, Any],
) -> ExportResult:
    from zim_app.core.export import export_to_folder

    notices: list[str] = []
    hooks = hooks | {"notify": notices.append}

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        paths = export_to_folder(
            image, objects, folder, options, overwrite=overwrite, **hooks
        )
        return ExportResult(paths, notices)
    except (Cancelled, ZimError):
        with contextlib.suppress(OSError):
            folder.rmdir()  # if it is empty
        raise


def _clipboard_data(
    image: Image,
    objects: list[ExportTarget],
    options: ExportOptions,
    cancelled: CancelCheck,
) -> tuple[bytes, QImage]:
    """An encoded PNG with full depth, and 8-bit pixels for other programs."""
    from zim_app.core.colour import rgb_to_srgb
    from zim_app.core.compose import CutOut, cut_out_pixels, recolour_hidden_pixels
    from zim_app.core.export import encode
    from zim_app.core.framing import crop, visible_bounds

    data = encode(image, objects, options, cancelled=cancelled)
    if options.what == "matte":
        return data, QImage.fromData(data)
    whole = CutOut.from_image(image, objects[0].alpha)
    part = crop(whole, visible_bounds(whole.alpha, options.trim_alpha) or (0, 0, 1, 1))
    shown = CutOut(rgb_to_srgb(part.colours, image.icc), part.alpha)
    shown = recolour_hidden_pixels(shown, options.hidden_pixels, np.uint8)
    pixels = np.ascontiguousarray(cut_out_pixels(shown, np.uint8))
    height, width = pixels.shape[:2]
    form = QImage.Format.Format_RGBA8888
    return data, QImage(pixels.tobytes(), width, height, 4 * width, form).copy()


def _drag_file(
    image: Image, objects: list[ExportTarget], options: ExportOptions, folder: Path
) -> tuple[Path, QImage]:
    from zim_app.core.export import export_to_folder

    path = export_to_folder(image, objects, folder, options, overwrite=True)[0]
    side, keep = THUMBNAIL_SIDE, Qt.AspectRatioMode.KeepAspectRatio
    smooth = Qt.TransformationMode.SmoothTransformation
    return path, QImage(str(path)).scaled(side, side, keep, smooth)
