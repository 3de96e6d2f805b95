"""Results of earlier runs that can be reused, and dry runs."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.journal import (
    BatchRecord,
    BatchRow,
    State,
    content_digest,
    read_records,
)
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import (
    PromptResolver,
    PromptSource,
    ResolvedPrompts,
    validate_stack,
)
from zim_app.core.batch.writing import SolvedImage
from zim_app.core.decoding import read_size as read_stored_size
from zim_app.core.export import plan_stem
from zim_app.core.images import load_image
from zim_app.core.session_store import FileStamp, SessionStore
from zim_model.errors import ZimError, msg
from zim_model.recipe import SceneObject
from zim_model.runtime.atomic_files import read_error
from zim_model.weights.installed import find_installed

_UNKNOWN = "\ufffc"
"""Placeholder in names for values that are not known yet; not valid in file names."""
NO_PROMPTS = ZimError(
    msg("There are no prompts for this photo."),
    msg(
        "Give it prompts in the studio or in a file, or choose another source of "
        "prompts."
    ),
)


def rows_without_job(plan: BatchPlan, resolver: PromptResolver) -> list[BatchRow]:
    """Rows of this shard for what is no image of the batch, but was meant to be used.

    These are table entries without an image, unreadable projects, and obstacles.
    None where only some images are processed: the others may come.
    """
    if plan.only is not None:
        return []
    obstacles = {obstacle.relative for obstacle in plan.obstacles}
    rows = [
        BatchRow(image, "failed", "table", error.message, error.hint)
        for image, error in resolver.unused_entries(plan.jobs, obstacles).items()
        if plan.shard.contains(image)
    ]
    rows += [
        BatchRow(name, "failed", "project", error.message, error.hint)
        for name, error in resolver.unreadable_projects(plan.jobs).items()
        if plan.shard.contains(name)
    ]
    for each in plan.own_obstacles:
        state: State = "skipped" if each.harmless else "failed"
        message, hint = each.error.message, each.error.hint
        rows.append(BatchRow(each.relative, state, message=message, hint=hint))
    return rows


class ResumeIndex:
    """Finds results of earlier runs that can be reused; thread-safe.

    Args:
        plan: of the batch.
        resolver: of its prompts.
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
        """The row of an image whose results exist and are up to date, else None.

        The image is not decoded; its file is read only if its time or size differ from
        the recorded ones.

        Raises:
            ZimError: the prompts of the image cannot be read or are invalid.
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
        """The record of an image for the journal, without results.

        Args:
            job: the image.
            key: :attr:`Image.key`.
            resolved: its prompts.

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
            except OSError:  # reported when the model is opened
                self._models[name] = ""
        return self._plan.fingerprint(resolved, self._models)


def _content_digest(job: Job) -> str:
    try:
        return content_digest(job.path)
    except OSError as error:
        raise read_error(job.path, error) from error


# -- Dry runs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DryRunEntry:
    """What a run would do with one image.

    Attributes:
        image: :attr:`Job.relative`.
        state: that the report would have.
        prompts: source of the prompts.
        outputs: files relative to the output folder, before a number is appended to
            taken names; values that depend on the matte are ``?``.
        message: why nothing would be written.
        hint: advice for the user.
    """

    image: str
    state: str
    prompts: PromptSource | None = None
    outputs: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""

    @classmethod
    def from_error(cls, image: str, state: str, error: ZimError) -> DryRunEntry:
        """The entry of an image that cannot be processed."""
        return cls(image, state, message=error.message, hint=error.hint)


def dry_run(
    plan: BatchPlan, store: SessionStore | None = None
) -> Iterator[DryRunEntry]:
    """What a run would do, found without decoding images or running a model.

    A damaged image may be detected by the run only; an image that was moved since it
    was open in the studio is recognised by its pixels, so by the run only.

    Args:
        plan: of the batch.
        store: of the studio's sessions; None is the default one.

    Raises:
        ZimError: the plan is invalid.
    """
    plan.validate()
    resolver = PromptResolver(plan.prompt_policy, plan.jobs, store)
    resume_index = ResumeIndex(plan, resolver, read_records([plan.output]))
    for row in rows_without_job(plan, resolver):
        yield DryRunEntry(
            row.image,
            row.state,
            "table" if row.prompts else None,
            message=row.message,
            hint=row.hint,
        )
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
    """Result files of an image of that size, relative to the output folder."""
    options = plan.export
    objects = [SceneObject()]
    if resolved.stack is not None:
        objects = list(SolvedImage.objects_to_solve(resolved.stack, options))
    names = [entry.name or f"Object {entry.id}" for entry in objects]
    groups = [[name] for name in names] if options.scope == "each" else [names]
    frame = options.frame(width, height, (0, 0, width, height))
    if not options.size_is_known:
        options = replace(options, template=_with_unknown_size(options.template))
    suffix = options.file_format.suffixes[0]
    planned = []
    for n, group in enumerate(groups, 1):
        stem = plan_stem(job.name, group, frame, options, n=n).replace(_UNKNOWN, "?")
        planned.append(Path(job.folder, f"{stem}{suffix}").as_posix())
    return tuple(planned)


def _with_unknown_size(template: str) -> str:
    """A template with a placeholder for width and height."""
    text = ""
    for before, name, spec, _ in string.Formatter().parse(template):
        text += before.replace("{", "{{").replace("}", "}}")
        if name in ("width", "height"):
            text += _UNKNOWN
        elif name is not None:
            text += f"{{{name}:{spec}}}" if spec else f"{{{name}}}"
    return text


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of an image, upright; the pixels are not decoded if possible.

    Raises:
        ImageError: the file cannot be read as an image.
    """
    size = read_stored_size(path)
    if size is not None:
        return size
    image = load_image(path)  # formats without a header of that kind, or the error
    return image.height, image.width
