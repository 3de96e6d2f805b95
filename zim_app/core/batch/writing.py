"""Writing the results of one image of a batch: names, files and the journal."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.journal import (
    FOLDER,
    BatchJournal,
    BatchRecord,
    BatchRow,
    Output,
)
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.export import ExportTarget, NameTakenError, export, plan_files
from zim_app.core.export_options import ExportOptions
from zim_app.core.images import Image
from zim_app.core.saved_work import ObjectStack
from zim_app.core.scene import exported_indexes
from zim_app.core.session_store import FileStamp
from zim_model.arrays import ByteArray
from zim_model.errors import ZimError, msg
from zim_model.recipe import SceneObject
from zim_model.request import Matte
from zim_model.runtime import atomic_files
from zim_model.runtime.atomic_files import atomic_write, write_error

REPORT = "batch-report.csv"
SHEET = "batch-sheet"
"""Reserved names in the output folder."""
_REPORTS = re.compile(rf"{re.escape(REPORT)}|{SHEET}(-\d\d+)?\.jpg")
BLOCK = 4096
"""Bytes that are written to find out whether the disk is full."""
STALE = 600
"""Seconds after which a partial file counts as abandoned."""
THUMBNAIL_SIDE = 160
SOFT = (13, 242)
"""8-bit alpha between which a pixel counts as soft: from 5 to 95 %."""


EARLIER_MODEL = msg(
    "Made with an earlier zim-tiny: its clicks and boxes were kept, and the new one"
    " computes the edges again."
)


@dataclass(frozen=True, slots=True, eq=False)
class SolvedImage:
    """An image with its mattes, to be written.

    Attributes:
        job: of the image.
        image: the decoded image.
        record: for the journal, without row and outputs.
        row: the result so far.
        targets: objects to export, the lowest first.
        alpha_thumbnail: (h, w) uint8, the maximum of the downscaled alphas; None before
            the first matte.
    """

    job: Job
    image: Image
    record: BatchRecord
    row: BatchRow
    targets: tuple[ExportTarget, ...] = ()
    alpha_thumbnail: ByteArray | None = None

    @classmethod
    def start(
        cls,
        job: Job,
        image: Image,
        source: str,
        record: BatchRecord,
        *,
        earlier_model: bool = False,
    ) -> SolvedImage:
        """An image without mattes.

        Args:
            earlier_model: its objects were made with earlier weights of the bundled
                model, which is noted.
        """
        notes = [image.notice.text] if image.notice else []
        if earlier_model:
            notes.append(EARLIER_MODEL)
        row = BatchRow(
            job.relative,
            "done",
            source,
            width=image.width,
            height=image.height,
            score=1.0,
            notes=tuple(notes),
        )
        return cls(job, image, record, row)

    @property
    def nbytes(self) -> int:
        """Bytes of memory of image and mattes."""
        colours = self.image.rgb.nbytes + self.image.source.nbytes
        return colours + sum(target.alpha.nbytes for target in self.targets)

    @staticmethod
    def objects_to_solve(
        stack: ObjectStack, options: ExportOptions
    ) -> Iterator[SceneObject]:
        """The objects of an image that need a matte, the lowest first.

        If the active object has no prompts, the topmost one with prompts replaces it.
        """
        prompted = [
            n for n, entry in enumerate(stack.objects) if entry.recipe.has_prompts
        ]
        active = stack.active if stack.active in prompted else prompted[0]
        for index in exported_indexes(stack.objects, active, options.objects):
            if index in prompted:
                yield stack.objects[index]

    def with_matte(self, entry: SceneObject, matte: Matte) -> SolvedImage:
        """Add the matte of an object."""
        name = entry.name or f"Object {entry.id}"
        amount = entry.recipe.finish.decontaminate
        target = ExportTarget(matte.alpha, name, entry.visible, amount)
        alpha_thumbnail = matte.pyramid[-1]
        if self.alpha_thumbnail is not None:
            alpha_thumbnail = np.maximum(self.alpha_thumbnail, alpha_thumbnail)
        row, timings = self.row, matte.timings
        models = dict.fromkeys(
            filter(None, (*row.model.split(", "), entry.recipe.model))
        )
        notes = dict.fromkeys((*row.notes, *timings.notes))
        row = replace(
            row,
            objects=row.objects + 1,
            model=", ".join(models),
            device=timings.device or row.device,
            encode_ms=row.encode_ms + timings.encode_ms,
            click_ms=row.click_ms + timings.click_ms,
            score=min(row.score, float(matte.scores[matte.candidate])),
            notes=tuple(notes),
        )
        return replace(
            self,
            targets=(*self.targets, target),
            alpha_thumbnail=alpha_thumbnail,
            row=row,
        )

    def with_timings(self, read_ms: float, search_ms: float) -> SolvedImage:
        """Set the remaining timings and the statistics of the mattes."""
        assert self.alpha_thumbnail is not None
        visible = self.alpha_thumbnail >= SOFT[0]
        soft = visible & (self.alpha_thumbnail <= SOFT[1])
        row = replace(
            self.row,
            read_ms=round(read_ms, 1),
            encode_ms=round(self.row.encode_ms, 1),
            click_ms=round(self.row.click_ms + search_ms, 1),
            coverage=round(float(self.alpha_thumbnail.mean()) / 255, 5),
            soft=round(float(soft.sum()) / max(1, int(visible.sum())), 5),
            score=round(self.row.score, 4),
        )
        return replace(self, row=row)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file that will be written.

    Attributes:
        path: relative to the output folder.
        is_new: whether there was none of that name, so that none is replaced.
    """

    path: str
    is_new: bool


class ResultWriter:
    """Writes results under unique names; thread-safe.

    Args:
        plan: of the batch.
        journal: appended to before files are written, and after.
    """

    def __init__(self, plan: BatchPlan, journal: BatchJournal) -> None:
        self._plan, self._journal = plan, journal
        self._lock = threading.Lock()
        self._inputs = {job.path.resolve() for job in plan.jobs}
        self._owners = {
            path.casefold(): image
            for image, record in journal.records.items()
            for path in record.owned
        }

    def write(self, solved: SolvedImage) -> BatchRow:
        """Write the files of one image and record them in the journal.

        Raises:
            ZimError: a file cannot be written; earlier files of the image are kept.
            OSError: a folder cannot be made.
        """
        started = time.perf_counter()
        job, options = solved.job, self._plan.export
        image = replace(solved.image, name=f"{job.name}{job.path.suffix}")
        files = plan_files(image, solved.targets, options)
        folder = self._plan.output / job.folder
        folder.mkdir(parents=True, exist_ok=True)
        claims = self._claim_paths(solved, [name for name, _ in files])
        self._journal.record_start(job.relative, [each.path for each in claims])
        outputs, notes = [], list(solved.row.notes)
        for number, (name, group) in enumerate(files):
            write = partial(export, image, group, notify=notes.append)
            outputs.append(self._write_file(solved, write, name, claims, number))
        if solved.alpha_thumbnail is not None:
            write_thumbnail(
                self._plan.output, job.relative, image.rgb, solved.alpha_thumbnail
            )
        write_ms = round((time.perf_counter() - started) * 1e3, 1)
        row = replace(
            solved.row,
            outputs=tuple(each.path for each in outputs),
            write_ms=write_ms,
            notes=tuple(dict.fromkeys(notes)),
        )
        self._journal.record_end(
            replace(solved.record, row=row, outputs=tuple(outputs))
        )
        return row

    def _write_file(
        self,
        solved: SolvedImage,
        write: Callable[..., object],
        name: str,
        claims: list[_Claim],
        number: int,
    ) -> Output:
        """Write one file; where another program has just taken its name, under another.

        Args:
            solved: of the file.
            write: :func:`export`, which gets the path and the options.
            name: of the file, before a number is appended.
            claims: of all files of the image, which are updated.
            number: of the file's.
        """
        while True:
            claim = claims[number]
            file = self._plan.output / claim.path
            try:
                write(file, self._plan.export, exclusive=claim.is_new)
                break
            except NameTakenError:
                [claims[number]] = self._claim_paths(solved, [name])
                paths = [each.path for each in claims]
                self._journal.record_start(solved.job.relative, paths, claim.path)
        stamp = FileStamp.from_path(file)
        assert stamp is not None
        return Output(claim.path, stamp)

    def _claim_paths(self, solved: SolvedImage, names: list[str]) -> list[_Claim]:
        """Reserve free paths for the results."""
        job, claimed, claims = solved.job, list[str](), list[_Claim]()
        with self._lock:
            for name in names:
                path, number = Path(job.folder, name), 2
                while not self._is_free(solved, path, claimed):
                    numbered = f"{Path(name).stem}-{number}{Path(name).suffix}"
                    path, number = Path(job.folder, numbered), number + 1
                claimed.append(path.as_posix())
                self._owners[path.as_posix().casefold()] = job.relative
                is_new = not os.path.lexists(self._plan.output / path)
                claims.append(_Claim(path.as_posix(), is_new))
        return claims

    def _is_free(self, solved: SolvedImage, path: Path, claimed: list[str]) -> bool:
        relative, file = path.as_posix(), self._plan.output / path
        is_report = _REPORTS.fullmatch(relative.casefold()) is not None
        owner = self._owners.get(relative.casefold(), solved.job.relative)
        if is_report or relative in claimed or owner != solved.job.relative:
            return False
        if not file.exists() and not file.is_symlink():
            return True
        if file.is_dir() or file.resolve() in self._inputs:
            return False
        is_own = solved.record.may_replace(relative, self._plan.output)
        return is_own or self._plan.replace


def prepare_output(plan: BatchPlan) -> None:
    """Make the output folder, and check that files can be written to it.

    Raises:
        ZimError: they cannot; nothing is left behind but empty folders.
    """
    for folder in (plan.output, plan.output / FOLDER):
        probe = folder / f".zim-{secrets.token_hex(8)}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                with probe.open("xb") as stream:
                    stream.write(bytes(BLOCK))
                    os.fsync(stream.fileno())
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise write_error(folder, error) from error


def check_folder(folder: Path) -> None:
    """Check that results could be written to a folder, if it exists.

    Raises:
        ZimError: it is a file, or write-protected.
    """
    code = 0
    if folder.exists() and not folder.is_dir():
        code = errno.ENOTDIR
    elif folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        code = errno.EACCES
    if code:
        raise write_error(folder, OSError(code, os.strerror(code)))


def record_failure(journal: BatchJournal, record: BatchRecord) -> None:
    """Record a failure; an error of the journal, such as a full disk, is ignored."""
    with contextlib.suppress(ZimError):
        journal.record_end(record)


def remove_partial_files(plan: BatchPlan) -> None:
    """Remove abandoned partial files of runs that were killed."""
    for folder in {plan.output / job.folder for job in plan.jobs}:
        atomic_files.remove_partial_files(folder, STALE)


# -- Thumbnails ----------------------------------------------------------------------


def thumbnail_path(output: Path, image: str) -> Path:
    """Path of the thumbnail of a result."""
    digest = hashlib.blake2b(image.encode("utf-8", "surrogateescape"), digest_size=16)
    return output / FOLDER / "thumbnails" / f"{digest.hexdigest()}.png"


def write_thumbnail(
    output: Path, name: str, rgb: ByteArray, alpha_thumbnail: ByteArray
) -> None:
    """Write a small cut-out for contact sheets and lists.

    Args:
        output: the output folder.
        name: of the image in reports.
        rgb: (H, W, 3) uint8, the image.
        alpha_thumbnail: (h, w) uint8, its alpha.

    Raises:
        ZimError: it cannot be written.
    """
    factor = THUMBNAIL_SIDE / max(rgb.shape[:2])
    size = tuple(max(1, round(side * factor)) for side in rgb.shape[1::-1])
    area = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    layers = [cv2.resize(rgb, size, interpolation=area)]
    layers.append(cv2.resize(alpha_thumbnail, size, interpolation=area)[..., None])
    path = thumbnail_path(output, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as stream:
            PIL.Image.fromarray(np.concatenate(layers, axis=2)).save(stream, "PNG")
    except OSError as error:
        raise write_error(path, error) from error
