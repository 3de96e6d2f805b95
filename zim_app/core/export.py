"""Export cut-outs, mattes, composites and layers; files are written atomically."""

from __future__ import annotations

import datetime
import io
import os
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import numpy as np

from zim_app.core.cancellable_stream import CancellableStream
from zim_app.core.compose import CutOut
from zim_app.core.export_options import WHITE, Depth, ExportKind, ExportOptions, Scope
from zim_app.core.formats import (
    BY_ID,
    BY_SUFFIX,
    FORMATS,
    Content,
    FileFormat,
    check_written,
)
from zim_app.core.framing import ExportFrame
from zim_app.core.images import Image
from zim_app.core.naming import NameFields, file_stem, free_path, name_each_object
from zim_app.core.rasters import Tags
from zim_app.core.rendering import (
    ExportTarget,
    Notify,
    check_size,
    frame_of,
    ignore_notice,
    render,
)
from zim_model.arguments import check_plane
from zim_model.errors import Cancelled, ImageError, msg
from zim_model.request import CancelCheck
from zim_model.runtime.atomic_files import atomic_write, write_error

__all__ = [
    "FORMATS",
    "WHITE",
    "Depth",
    "ExportKind",
    "ExportOptions",
    "ExportTarget",
    "NameTakenError",
    "Scope",
    "check_target",
    "encode",
    "export",
    "export_to_folder",
    "plan_files",
    "plan_stem",
    "write_content",
]


class NameTakenError(ImageError):
    """There is a file of a name that was to be new."""


Progress = Callable[[float], None]
"""Called with the finished fraction, 0 to 1."""


def export(
    image: Image,
    targets: Sequence[ExportTarget],
    path: str | os.PathLike[str],
    options: ExportOptions = ExportOptions(),  # noqa: B008 - a frozen value
    *,
    taken: Container[Path] | None = None,
    exclusive: bool = False,
    progress: Progress = lambda _: None,
    notify: Notify = ignore_notice,
    cancelled: CancelCheck = lambda: False,
) -> Path:
    """Write one file in the format of its suffix, and verify it by reading it back.

    ICC profile and resolution are those of the image; a matte has no profile.  Pixels
    are upright, and no orientation is written.  Several objects become layers where the
    format has layers, else one cut-out.

    Args:
        image: source of colours, profile and resolution.
        targets: at least one; the lowest first.
        path: the file to write; an existing one is replaced after the new one is
            complete and verified.
        options: all are used but format and template.
        taken: names that are not free, beside those of existing files, of which none is
            replaced then: a number is appended; None writes to ``path`` itself.
        exclusive: never replace a file, not even one that has just appeared.
        progress: called repeatedly.
        notify: called with a sentence where the result is not quite what was chosen:
            no dependable shadow was found.
        cancelled: polled repeatedly.

    Returns:
        The file that was written.

    Raises:
        ImageError: the path cannot be written, see :func:`check_target`, or the file
            read back differs; an earlier file is left unchanged.
        NameTakenError: ``exclusive``, and there is such a file.
        ZimError: an option or alpha is invalid, or there is nothing to trim to.
        Cancelled: ``cancelled`` became true.
    """
    written = Path(path) if taken is None else free_path(Path(path), taken)
    file_format = check_target(image, written, options)
    replace(options, format=file_format.id).validate()
    for target in targets:
        check_plane(target.alpha, "alpha", (np.uint16,), (image.height, image.width))
    content, tags = render(
        image, targets, file_format, options, notify=notify, cancelled=cancelled
    )
    progress(0.5)
    return write_content(
        *(written, file_format, content, tags),
        taken=taken,
        exclusive=exclusive,
        progress=progress,
        cancelled=cancelled,
    )


def write_content(
    path: Path,
    file_format: FileFormat,
    content: Content,
    tags: Tags,
    *,
    taken: Container[Path] | None = None,
    exclusive: bool = False,
    progress: Progress = lambda _: None,
    cancelled: CancelCheck = lambda: False,
) -> Path:
    """Write pixels or layers to a file, and verify it by reading it back.

    Args:
        path: the file; an existing one is replaced, see :func:`export`.
        file_format: of the file.
        content: of the file.
        tags: of the file.
        taken: as for :func:`export`.
        exclusive: as for :func:`export`.
        progress: called repeatedly.
        cancelled: polled repeatedly.

    Returns:
        The file that was written.

    Raises:
        ImageError: it cannot be written, or differs when it is read back.
        NameTakenError: ``exclusive``, and there is such a file.
        Cancelled: ``cancelled`` became true.
    """

    def write(path: Path) -> None:
        with atomic_write(path, exclusive=exclusive or taken is not None) as stream:
            cancellable = cast(IO[bytes], CancellableStream(stream, cancelled))
            file_format.write(cancellable, content, tags)
            stream.flush()
            progress(0.8)
            check_written(Path(stream.name), path.name, file_format, content, tags)
            if cancelled():
                raise Cancelled

    try:
        while True:
            try:
                write(path)
                break
            except FileExistsError:  # another program has just taken the name
                if taken is None:
                    raise name_taken_error(path) from None
                path = free_path(path, taken)
    except OSError as error:
        raise write_error(path, error, ImageError) from error
    progress(1.0)
    return path


def export_to_folder(
    image: Image,
    targets: Sequence[ExportTarget],
    folder: Path,
    options: ExportOptions,
    *,
    overwrite: bool = False,
    today: datetime.date | None = None,
    progress: Progress = lambda _: None,
    notify: Notify = ignore_notice,
    cancelled: CancelCheck = lambda: False,
) -> list[Path]:
    """Write files named by the template, with a number appended to taken names.

    Args:
        image: as for :func:`export`.
        targets: as for :func:`export`; with the scope "each", one file per target.
        folder: must exist.
        options: all are used.
        overwrite: replace existing files, except the source and files of this export.
        today: for the template; None is the current date.
        progress: as for :func:`export`.
        notify: as for :func:`export`.
        cancelled: as for :func:`export`; files that are complete by then are kept.

    Returns:
        The new files.

    Raises:
        ZimError: as for :func:`export`, or the template is malformed.
        Cancelled: ``cancelled`` became true.
    """
    written: list[Path] = []
    files = plan_files(image, targets, options, today=today)
    for name, group in files:
        path = folder / name
        numbered = path in written or not overwrite
        done = len(written)

        def part(fraction: float, done: int = done) -> None:
            progress((done + fraction) / len(files))

        path = export(
            *(image, group, path, options),
            taken=written if numbered else None,
            progress=part,
            notify=notify,
            cancelled=cancelled,
        )
        written.append(path)
    return written


def plan_files(
    image: Image,
    targets: Sequence[ExportTarget],
    options: ExportOptions,
    *,
    today: datetime.date | None = None,
) -> list[tuple[str, list[ExportTarget]]]:
    """Names, before a number is appended, and objects of the files of an export.

    Arguments are those of :func:`export_to_folder`.

    Raises:
        ZimError: an option is out of range, the template is malformed, or there is
            nothing to trim to.
    """
    options.validate()
    each = options.scope == "each"
    groups = [[one] for one in targets] if each else [list(targets)]
    files = []
    for n, group in enumerate(groups, 1):
        cut_outs = [CutOut.from_image(image, one.alpha) for one in group]
        frame = frame_of(image, cut_outs, options)
        names = [one.name for one in group]
        own = Path(image.name).stem
        stem = plan_stem(own, names, frame, options, n=n, today=today)
        files.append((f"{stem}{options.file_format.suffixes[0]}", group))
    return files


def plan_stem(
    name: str,
    objects: Sequence[str],
    frame: ExportFrame,
    options: ExportOptions,
    *,
    n: int = 1,
    today: datetime.date | None = None,
) -> str:
    """The name without suffix of one file of an export, before a number is appended.

    Args:
        name: of the image, without suffix.
        objects: names of the objects in the file.
        frame: of the result, see :meth:`ExportOptions.frame`.
        options: with the template.
        n: number of the file, from 1.
        today: for the template; None is the current date.

    Raises:
        ZimError: the template is malformed.
    """
    values = NameFields(
        name=name,
        object=" + ".join(filter(None, objects)),
        what=options.label,
        n=n,
        width=frame.width,
        height=frame.height,
        date=today or datetime.date.today(),
    )
    template = options.template
    if options.scope == "each":
        template = name_each_object(template, values)
    return file_stem(template, values)


def encode(
    image: Image,
    targets: Sequence[ExportTarget],
    options: ExportOptions = ExportOptions(),  # noqa: B008 - a frozen value
    *,
    file_format: FileFormat = BY_ID["png"],
    notify: Notify = ignore_notice,
    cancelled: CancelCheck = lambda: False,
) -> bytes:
    """The bytes of the file that :func:`export` would write, by default a PNG.

    Raises:
        ZimError: as :func:`export` does.
        Cancelled: ``cancelled`` became true.
    """
    content, tags = render(
        image, targets, file_format, options, notify=notify, cancelled=cancelled
    )
    stream = io.BytesIO()
    file_format.write(
        cast(IO[bytes], CancellableStream(stream, cancelled)), content, tags
    )
    return stream.getvalue()


def check_target(
    image: Image,
    path: Path,
    options: ExportOptions = ExportOptions(),  # noqa: B008 - a frozen value
    *,
    folder_is_made: bool = False,
) -> FileFormat:
    """Check before an export that ``path`` can be written; return its format.

    Raises:
        ImageError: the suffix is unknown, the format cannot hold a cut-out or an image
            of that size, the folder is missing, unless it will be made, or the path is
            a folder or the source file itself.
    """
    if path.is_dir():
        raise ImageError(msg("{path} is a folder.", path=path), msg("Add a file name."))
    name = path.name
    file_format = BY_SUFFIX.get(path.suffix.lower())
    if file_format is None:
        raise ImageError(
            msg(
                "{name} does not end in an image format that can be written.", name=name
            ),
            msg("Use one of {suffixes}.", suffixes=", ".join(BY_SUFFIX)),
        )
    if options.what == "cutout" and not file_format.transparency:
        raise ImageError(
            msg(
                "{name} cannot hold the transparency of a cut-out.",
                name=file_format.name,
            ),
            msg(
                "Save as .png, .tif or .webp, or save the matte or a composite instead."
            ),
        )
    if options.size_is_known:
        # A canvas of known size has it for any object.
        frame = options.frame(image.width, image.height, (0, 0, 1, 1))
        check_size(frame, file_format)
    if not (folder_is_made or path.parent.is_dir()):
        raise missing_folder_error(path.parent)
    if image.path is not None and _same_file(path, image.path):
        raise ImageError(
            msg("{name} is the source photo, which is never overwritten.", name=name),
            msg("Choose another name."),
        )
    return file_format


def name_taken_error(path: Path) -> NameTakenError:
    """The error for a file that exists and is not to be replaced."""
    return NameTakenError(
        msg("{path} exists already.", path=path),
        msg("Choose another name, or say that it is to be replaced."),
    )


def missing_folder_error(folder: Path) -> ImageError:
    """The error for a folder to write to that does not exist."""
    return ImageError(
        msg("The folder {parent} does not exist.", parent=folder),
        msg("Create it first, or choose another."),
    )


def _same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return path.resolve() == other.resolve()
