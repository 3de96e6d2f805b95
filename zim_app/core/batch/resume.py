"""What earlier runs of a batch have made already, and what a run would make now."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import PIL.Image

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.journal import (
    BatchJournal,
    BatchRecord,
    BatchRow,
    content_digest,
)
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import (
    PromptResolver,
    PromptSource,
    ResolvedPrompts,
    validate_stack,
)
from zim_app.core.batch.writing import SolvedImage
from zim_app.core.decoding import FORMATS
from zim_app.core.images import load_image
from zim_app.core.naming import NameFields, file_stem
from zim_app.core.session_store import FileStamp, SessionStore
from zim_model.errors import ZimError
from zim_model.recipe import SceneObject
from zim_model.runtime.atomic_files import describe_os_error
from zim_model.weights.installed import find_installed

_UNKNOWN = "\ufffc"
"""Stands in names for what is not known yet; no file name has it."""
NO_PROMPTS = ZimError(
    "Nothing is asked of this picture.",
    "Give it prompts in the studio, in a file, or say what else to take.",
)


class ResumeIndex:
    """Tells what is finished already; any thread may ask.

    Args:
        plan: of the batch.
        sources: of its prompts.
        records: of the journal.
    """

    def __init__(
        self,
        plan: BatchPlan,
        resolver: PromptResolver,
        records: Mapping[str, BatchRecord],
    ) -> None:
        self._plan, self._resolver, self._records = plan, resolver, records
        self._models: dict[str, str] = {}

    def reusable_row(self, job: Job) -> BatchRow | None:
        """The row of a picture whose results are all there, as they would be now.

        The picture is not decoded; its bytes are only read where its file has another
        time or size than it had.

        Raises:
            ZimError: what is asked of the picture cannot be read or answered.
        """
        old = self._records.get(job.relative)
        if old is None or old.row is None or old.row.state != "done":
            return None
        if (
            FileStamp.from_path(job.path) != old.stamp
            and _content_digest(job) != old.content
        ):
            return None
        resolved = self._resolver.resolve(job, old.key, old.row.height, old.row.width)
        if resolved is None:
            return None
        if not old.is_complete(self._fingerprint(resolved), self._plan.output):
            return None
        return replace(old.row, state="kept")

    def new_record(self, job: Job, key: str, resolved: ResolvedPrompts) -> BatchRecord:
        """What the journal is to know of a picture, but for its results.

        Args:
            job: its place.
            key: :attr:`Picture.key`.
            asked: of it.

        Raises:
            ZimError: its file cannot be read.
        """
        old, stamp = (
            self._records.get(job.relative, BatchRecord()),
            FileStamp.from_path(job.path),
        )
        known = old.content and old.stamp == stamp
        return replace(
            old,
            stamp=stamp,
            content=old.content if known else _content_digest(job),
            key=key,
            fingerprint=self._fingerprint(resolved),
        )

    def _fingerprint(self, resolved: ResolvedPrompts) -> str:
        for name in resolved.models - self._models.keys():
            model = find_installed(name)
            try:
                self._models[name] = content_digest(model.path) if model else ""
            except OSError:  # opening the model will say so
                self._models[name] = ""
        return self._plan.fingerprint(resolved, self._models)


def _content_digest(job: Job) -> str:
    try:
        return content_digest(job.path)
    except OSError as error:
        reason, cure = describe_os_error(error)
        raise ZimError(f"{job.path} cannot be read: {reason}.", cure) from error


# -- Dry runs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DryRunEntry:
    """What a run would do with one picture.

    Attributes:
        picture: :attr:`Job.relative`.
        state: as it would be in the report.
        prompts: where they would come from.
        outputs: what would be written, relative to the output folder, were the names
            free; those that depend on the matte have ``?`` in them.
        message: why nothing would be written.
        hint: what to do about that.
    """

    image: str
    state: str
    prompts: PromptSource | None = None
    outputs: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""

    @classmethod
    def from_error(cls, image: str, state: str, error: ZimError) -> DryRunEntry:
        """A picture that nothing would be written of."""
        return cls(image, state, message=error.message, hint=error.hint)


def dry_run(
    plan: BatchPlan, store: SessionStore | None = None
) -> Iterator[DryRunEntry]:
    """What a run would do, without decoding pictures or asking a model.

    A damaged picture may be found out only by the run; so may one that was moved since
    the studio saw it, which is recognised by its pixels.

    Args:
        plan: of the batch.
        store: of the studio's sessions; None takes the usual one.

    Raises:
        ZimError: the plan cannot be followed.
    """
    plan.validate()
    resolver = PromptResolver(plan.prompt_policy, plan.jobs, store)
    resume_index = ResumeIndex(plan, resolver, BatchJournal.open(plan.output).records)
    table = plan.prompt_policy.table
    for image in resolver.unused_entries(plan.jobs):
        if plan.shard.contains(image) and table is not None:
            problem = table.entries[image].problem or "There is no such picture."
            yield DryRunEntry(image, "failed", "table", message=problem)
    for job in plan.own_jobs:
        try:
            yield _dry_run_job(plan, job, resolver, resume_index)
        except ZimError as error:
            yield DryRunEntry.from_error(job.relative, "failed", error)


def _dry_run_job(
    plan: BatchPlan, job: Job, resolver: PromptResolver, resume_index: ResumeIndex
) -> DryRunEntry:
    row = resume_index.reusable_row(job)
    if row is not None:
        message = "It is made already."
        outputs = row.outputs
        return DryRunEntry(job.relative, "kept", None, outputs, message)
    height, width = read_size(job.path)
    resolved = resolver.preview(job, height, width)
    if resolved is None:
        return DryRunEntry.from_error(job.relative, "skipped", NO_PROMPTS)
    if resolved.stack is not None:
        validate_stack(resolved.stack, height, width)
    names = planned_names(plan, job, resolved, height, width)
    return DryRunEntry(job.relative, "done", resolved.source, names)


def planned_names(
    plan: BatchPlan, job: Job, resolved: ResolvedPrompts, height: int, width: int
) -> tuple[str, ...]:
    """Results of a picture of that size, relative to the output folder."""
    import datetime

    options = plan.export
    objects = [SceneObject()]
    if resolved.stack is not None:
        objects = list(SolvedImage.objects_to_solve(resolved.stack, options))
    names = [entry.name or f"Object {entry.id}" for entry in objects]
    groups = [[name] for name in names] if options.scope == "each" else [names]
    frame = options.frame(width, height, (0, 0, width, height))
    template = options.template
    if options.trim:
        template = _with_unknown_size(template)
    suffix = options.file_format.suffixes[0]
    planned = []
    for n, group in enumerate(groups, 1):
        values = NameFields(
            job.name,
            " + ".join(group),
            options.label,
            n,
            frame.width,
            frame.height,
            datetime.date.today(),
        )
        stem = file_stem(template, values).replace(_UNKNOWN, "?")
        planned.append(Path(job.folder, f"{stem}{suffix}").as_posix())
    return tuple(planned)


def _with_unknown_size(template: str) -> str:
    """A template with a mark in place of width and height."""
    text = ""
    for before, name, spec, _ in string.Formatter().parse(template):
        text += before.replace("{", "{{").replace("}", "}}")
        if name in ("width", "height"):
            text += _UNKNOWN
        elif name is not None:
            text += f"{{{name}:{spec}}}" if spec else f"{{{name}}}"
    return text


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of a picture, upright, of which little is read if possible.

    Raises:
        ImageError: it cannot be read as a picture.
    """
    try:
        with PIL.Image.open(path, formats=FORMATS) as file:
            width, height = file.size
            is_sideways = file.getexif().get(0x0112, 1) >= 5
            return (width, height) if is_sideways else (height, width)
    except Exception:  # what Pillow cannot read, others may, or say why not
        image = load_image(path)
        return image.height, image.width
