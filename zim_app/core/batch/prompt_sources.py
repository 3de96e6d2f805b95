"""Prompts of each image of a batch, and their sources."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from os.path import isfile
from pathlib import Path
from typing import Any, Literal

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.prompt_table import (
    PromptTable,
    RelativeBox,
    TableEntry,
    table_name,
)
from zim_app.core.project import Project, find_image_file, read_project
from zim_app.core.saved_work import PROJECT_SUFFIX, ObjectStack
from zim_app.core.session_store import FileStamp, Session, SessionStore
from zim_model.errors import ZimError, msg
from zim_model.finish import ColourKey, Finish
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, SceneObject
from zim_model.weights.catalogue import DEFAULT_MODEL

PromptSource = Literal["session", "project", "table", "box", "colour", "automatic"]
"""A session of the studio, a project file, a file of prompts, one box for all images,
colours to remove, or the main object that the model finds; the first one with prompts
is used."""


@dataclass(frozen=True, slots=True)
class PromptPolicy:
    """Allowed prompt sources.

    Attributes:
        recipes: use the studio's sessions, and projects in the image's folder.
        table: a file of prompts.
        box: one box for all images.
        automatic: find the main object where no other source has prompts.
        model: for prompts that name none.
        subject_network: an automatic network that finds the main object in place of the
            model, see :class:`~zim_model.inference.subject.SubjectSelector`.
        colour_keys: removed from the mattes of the box, or from the whole images.
        clean_edge: of the objects that have no saved recipe, see
            :class:`~zim_model.finish.Finish`.
    """

    recipes: bool = True
    table: PromptTable | None = None
    box: RelativeBox | None = None
    automatic: bool = False
    model: str = DEFAULT_MODEL
    subject_network: str = ""
    colour_keys: tuple[ColourKey, ...] = ()
    clean_edge: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedPrompts:
    """The prompts of one image.

    Attributes:
        source: of the prompts.
        stack: the objects; None where the main object is to be found.
        model: that finds the main object, if no automatic network does.
        subject_network: the automatic network, or "".
        clean_edge: of the main object that is to be found.
    """

    source: PromptSource
    stack: ObjectStack | None
    model: str
    subject_network: str = ""
    clean_edge: bool = False

    def to_json(self) -> dict[str, Any]:
        """All values that the result depends on; part of the plan's fingerprint."""
        if self.stack is None:
            added = {"network": self.subject_network, "clean_edge": self.clean_edge}
            given = {name: value for name, value in added.items() if value}
            return {"main object": self.model, **given}
        stack = self.stack.to_json()
        del stack["bundled_model"]  # the model's own digest says more
        for entry in stack["objects"]:
            del entry["colour"]  # of the display only
        return stack

    @property
    def models(self) -> set[str]:
        """The names of the models that are needed."""
        if self.stack is None:
            return {self.model}
        return {o.recipe.model for o in self.stack.objects if o.recipe.has_prompts}


@dataclass(slots=True)
class _ProjectIndex:
    """The projects of one folder, the newest of each image."""

    by_digest: dict[str, Project] = field(default_factory=dict)
    by_file: dict[Path, Project] = field(default_factory=dict)


class PromptResolver:
    """Finds the prompts of the images of a batch; thread-safe.

    Args:
        policy: the allowed sources.
        jobs: all jobs, of which some may have the same file name.
        store: of the studio's sessions; None is the default one.
    """

    def __init__(
        self,
        policy: PromptPolicy,
        jobs: Iterable[Job],
        store: SessionStore | None = None,
    ) -> None:
        self.policy = policy
        self._unreadable: dict[Path, ZimError] = {}
        self._store = store or SessionStore()
        self._lock = threading.Lock()
        self._folders: dict[Path, _ProjectIndex] = {}
        self._sessions: dict[Path, Session] | None = None
        names = Counter(_file_name(job.relative) for job in jobs)
        self._ambiguous = {table_name(x) for x, count in names.items() if count > 1}

    def preview(
        self, job: Job, height: int = 1, width: int = 1
    ) -> ResolvedPrompts | None:
        """The probable prompts of an image, found without decoding it.

        An image that was moved or copied since it was open in the studio is recognised
        by its pixels, so by :meth:`resolve` only.

        Args:
            job: the image.
            height: of the image in pixels, for relative coordinates.
            width: of the image in pixels.

        Raises:
            ZimError: an entry of the table cannot be used.
        """
        with self._lock:
            stack: ObjectStack | None = None
            source: PromptSource = "session"
            if self.policy.recipes:
                stack = self._session_of_file(job)
                if stack is None:
                    source, path = "project", job.path.resolve()
                    project = self._projects(job.path.parent).by_file.get(path)
                    stack = project.stack if project else None
            if stack is not None:
                return ResolvedPrompts(source, stack, self.policy.model)
            return self._without_recipe(job, height, width)

    def _session_of_file(self, job: Job) -> ObjectStack | None:
        if self._sessions is None:
            self._sessions = self._store.by_path()
        session = self._sessions.get(job.path.resolve())
        unchanged = session is not None and session.stamp == FileStamp.from_path(
            job.path
        )
        return (
            session.stack
            if session and unchanged and _has_prompts(session.stack)
            else None
        )

    def resolve(
        self, job: Job, digest: str, height: int, width: int
    ) -> ResolvedPrompts | None:
        """The prompts of an image; None if there are none.

        Args:
            job: the image.
            digest: :attr:`Image.key`.
            height: of the image in pixels.
            width: of the image in pixels.

        Raises:
            ZimError: a session or a table entry cannot be read, or the prompts are
                invalid for this image; the message names the cause.
        """
        with self._lock:
            resolved = self._resolve(job, digest, height, width)
        if resolved is not None and resolved.stack is not None:
            validate_stack(resolved.stack, height, width)
        return resolved

    def _resolve(
        self, job: Job, digest: str, height: int, width: int
    ) -> ResolvedPrompts | None:
        policy = self.policy
        if policy.recipes:
            session = self._store.load(digest)
            if session is not None and _has_prompts(session.stack):
                return ResolvedPrompts("session", session.stack, policy.model)
            project = self._projects(job.path.parent).by_digest.get(digest)
            if project is not None and _has_prompts(project.stack):
                return ResolvedPrompts("project", project.stack, policy.model)
        return self._without_recipe(job, height, width)

    def _without_recipe(
        self, job: Job, height: int, width: int
    ) -> ResolvedPrompts | None:
        policy = self.policy
        finish = Finish(clean_edge=policy.clean_edge)
        entry = self._table_entry(job)
        if entry:
            base = Recipe(model=policy.model, finish=finish)
            stack = entry.stack(height, width, base)
            return ResolvedPrompts("table", stack, policy.model)
        if policy.box is not None or policy.colour_keys:
            box = policy.box.to_pixels(height, width) if policy.box else None
            finish = replace(finish, colour_keys=policy.colour_keys)
            recipe = Recipe(PromptSet(box=box), policy.model, finish=finish)
            stack = ObjectStack((SceneObject(recipe=recipe),))
            source: PromptSource = "box" if policy.box else "colour"
            return ResolvedPrompts(source, stack, policy.model)
        if policy.automatic:
            return ResolvedPrompts(
                *("automatic", None, policy.model),
                subject_network=policy.subject_network,
                clean_edge=policy.clean_edge,
            )
        return None

    def _table_entry(self, job: Job) -> TableEntry | None:
        table = self.policy.table
        if table is None:
            return None
        unique = table_name(_file_name(job.relative)) not in self._ambiguous
        return table.entry(job.relative, unique=unique)

    def unreadable_projects(self, jobs: Iterable[Job]) -> dict[str, ZimError]:
        """Projects in the images' folders that cannot be read, and why.

        The names are relative to the input folder.
        """
        if not self.policy.recipes:
            return {}
        unreadable = {}
        with self._lock:
            for job in jobs:
                inside = job.relative.rpartition("/")[0]
                self._projects(job.path.parent)
                for path, error in self._unreadable.items():
                    if path.parent == job.path.parent:
                        name = f"{inside}/{path.name}" if inside else path.name
                        unreadable[name] = error
        return unreadable

    def unused_entries(
        self, jobs: Iterable[Job], reported: Container[str] = ()
    ) -> dict[str, ZimError]:
        """Images of the table that no job, or more than one, matches, and why.

        Args:
            jobs: of the batch.
            reported: images that are reported for another reason.
        """
        table = self.policy.table
        if table is None:
            return {}
        used = {entry.image for job in jobs if (entry := self._table_entry(job))}
        return {
            image: self._unused_error(table, image)
            for image in table.entries
            if image not in used and image not in reported
        }

    def _unused_error(self, table: PromptTable, image: str) -> ZimError:
        problem = table.entries[image].problem
        if problem:
            return ZimError(problem, msg("Correct the file of prompts."))
        if image in self._ambiguous:
            return ZimError(
                msg(
                    "{name} names it, but several photos are called so.",
                    name=table.name,
                ),
                msg("Write its path from the input folder."),
            )
        return ZimError(
            msg("{name} names it, but there is no such photo.", name=table.name),
            msg("Compare the names, with their suffixes."),
        )

    def _projects(self, folder: Path) -> _ProjectIndex:
        if folder not in self._folders:
            self._folders[folder] = self._read_projects(folder)
        return self._folders[folder]

    def _read_projects(self, folder: Path) -> _ProjectIndex:
        index = _ProjectIndex()
        dated = []
        for path in folder.glob(f"*{PROJECT_SUFFIX}"):
            stamp = FileStamp.from_path(path)
            if stamp is not None and isfile(path):
                dated.append((stamp.modified_ns, path))
        for _, path in sorted(dated):  # the newest of an image is used
            try:
                project = read_project(path)
            except ZimError as error:
                self._unreadable[path] = error
                continue
            index.by_digest[project.reference.digest] = project
            file = find_image_file(path, project.reference)
            if file is not None and _has_prompts(project.stack):
                index.by_file[file.resolve()] = project
        return index


def validate_stack(stack: ObjectStack, height: int, width: int) -> None:
    """Check that prompts are valid for an image of that size.

    Raises:
        ZimError: they are not; the message names the object.
    """
    for number, entry in enumerate(stack.objects, 1):
        try:
            entry.recipe.validate(height, width)
        except ZimError as error:
            name = entry.name or str(number)
            message = msg("Object {name}: {reason}", name=name, reason=error.message)
            raise ZimError(message, error.hint) from error


def _has_prompts(stack: ObjectStack) -> bool:
    return any(entry.recipe.has_prompts for entry in stack.objects)


def _file_name(relative: str) -> str:
    return relative.rpartition("/")[2]
