"""What earlier runs of a batch have made already, and what a run would make now."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.journal import Journal, Record, Row, content_digest
from zim_app.core.batch.plan import Plan
from zim_app.core.batch.prompt_sources import Asked, Source, Sources, check_work
from zim_app.core.batch.writing import Solved
from zim_app.core.decoding import FORMATS
from zim_app.core.images import load_picture
from zim_app.core.naming import NameFields, file_stem
from zim_app.core.session_store import SessionStore, Stamp
from zim_model.errors import ZimError
from zim_model.recipe import SceneObject
from zim_model.runtime.atomic_files import explain
from zim_model.weights.installed import find

_UNKNOWN = "\ufffc"
"""Stands in names for what is not known yet; no file name has it."""
NOTHING_ASKED = ZimError(
    "Nothing is asked of this picture.",
    "Give it prompts in the studio, in a file, or say what else to take.",
)


class Earlier:
    """Tells what is finished already; any thread may ask.

    Args:
        plan: of the batch.
        sources: of its prompts.
        records: of the journal.
    """

    def __init__(
        self, plan: Plan, sources: Sources, records: Mapping[str, Record]
    ) -> None:
        self._plan, self._sources, self._records = plan, sources, records
        self._models: dict[str, str] = {}

    def kept(self, job: Job) -> Row | None:
        """The row of a picture whose results are all there, as they would be now.

        The picture is not decoded; its bytes are only read where its file has another
        time or size than it had.

        Raises:
            ZimError: what is asked of the picture cannot be read or answered.
        """
        old = self._records.get(job.relative)
        if old is None or old.row is None or old.row.state != "done":
            return None
        if Stamp.of(job.path) != old.stamp and _content(job) != old.content:
            return None
        asked = self._sources.decide(job, old.key, old.row.height, old.row.width)
        if asked is None:
            return None
        if not old.finished(self._fingerprint(asked), self._plan.output):
            return None
        return replace(old.row, state="kept")

    def new_record(self, job: Job, key: str, asked: Asked) -> Record:
        """What the journal is to know of a picture, but for its results.

        Args:
            job: its place.
            key: :attr:`Picture.key`.
            asked: of it.

        Raises:
            ZimError: its file cannot be read.
        """
        old, stamp = self._records.get(job.relative, Record()), Stamp.of(job.path)
        known = old.content and old.stamp == stamp
        return replace(
            old,
            stamp=stamp,
            content=old.content if known else _content(job),
            key=key,
            fingerprint=self._fingerprint(asked),
        )

    def _fingerprint(self, asked: Asked) -> str:
        for name in asked.models - self._models.keys():
            model = find(name)
            try:
                self._models[name] = content_digest(model.path) if model else ""
            except OSError:  # opening the model will say so
                self._models[name] = ""
        return self._plan.fingerprint(asked, self._models)


def _content(job: Job) -> str:
    try:
        return content_digest(job.path)
    except OSError as error:
        reason, cure = explain(error)
        raise ZimError(f"{job.path} cannot be read: {reason}.", cure) from error


# -- Dry runs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Foreseen:
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

    picture: str
    state: str
    prompts: Source | None = None
    outputs: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""

    @classmethod
    def refused(cls, picture: str, state: str, error: ZimError) -> Foreseen:
        """A picture that nothing would be written of."""
        return cls(picture, state, message=error.message, hint=error.hint)


def foresee(plan: Plan, store: SessionStore | None = None) -> Iterator[Foreseen]:
    """What a run would do, without decoding pictures or asking a model.

    A damaged picture may be found out only by the run; so may one that was moved since
    the studio saw it, which is recognised by its pixels.

    Args:
        plan: of the batch.
        store: of the studio's sessions; None takes the usual one.

    Raises:
        ZimError: the plan cannot be followed.
    """
    plan.validated()
    sources = Sources(plan.prompting, plan.jobs, store)
    earlier = Earlier(plan, sources, Journal.open(plan.output).records)
    table = plan.prompting.table
    for image in sources.unused_entries(plan.jobs):
        if plan.shard.has(image) and table is not None:
            problem = table.entries[image].problem or "There is no such picture."
            yield Foreseen(image, "failed", "table", message=problem)
    for job in plan.own_jobs:
        try:
            yield _foreseen(plan, job, sources, earlier)
        except ZimError as error:
            yield Foreseen.refused(job.relative, "failed", error)


def _foreseen(plan: Plan, job: Job, sources: Sources, earlier: Earlier) -> Foreseen:
    kept = earlier.kept(job)
    if kept is not None:
        message = "It is made already."
        outputs = kept.outputs
        return Foreseen(job.relative, "kept", None, outputs, message)
    height, width = size_of(job.path)
    asked = sources.foresee(job, height, width)
    if asked is None:
        return Foreseen.refused(job.relative, "skipped", NOTHING_ASKED)
    if asked.work is not None:
        check_work(asked.work, height, width)
    names = planned_names(plan, job, asked, height, width)
    return Foreseen(job.relative, "done", asked.source, names)


def planned_names(
    plan: Plan, job: Job, asked: Asked, height: int, width: int
) -> tuple[str, ...]:
    """Results of a picture of that size, relative to the output folder."""
    import datetime

    options = plan.export
    objects = [SceneObject()]
    if asked.work is not None:
        objects = list(Solved.chosen(asked.work, options))
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


def size_of(path: Path) -> tuple[int, int]:
    """Height and width of a picture, upright, of which little is read if possible.

    Raises:
        ImageError: it cannot be read as a picture.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            turned = image.getexif().get(0x0112, 1) >= 5
            return (width, height) if turned else (height, width)
    except Exception:  # what Pillow cannot read, others may, or say why not
        picture = load_picture(path)
        return picture.height, picture.width
