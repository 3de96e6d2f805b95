"""What is asked of each picture of a batch, and who said it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zim_app.core.batch.jobs import Job
from zim_app.core.batch.prompt_table import Entry, PromptTable, RelativeBox
from zim_app.core.project import Project, picture_file, read_project
from zim_app.core.saved_work import PROJECT_SUFFIX, Work
from zim_app.core.session_store import Session, SessionStore, Stamp
from zim_model.errors import ZimError
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe, SceneObject
from zim_model.weights.catalogue import DEFAULT_MODEL

Source = Literal["session", "project", "table", "box", "automatic"]
"""The work in the studio, a project file, a file of prompts, one box for all, or the
main object that the model finds; the first of them that says anything is taken."""


@dataclass(frozen=True, slots=True)
class Prompting:
    """Where prompts may come from.

    Attributes:
        recipes: from what the studio keeps of a picture, and from projects in the
            picture's folder.
        table: a file of prompts.
        box: one for all pictures.
        automatic: find the main object where nothing else says anything.
        model: for prompts that name none.
    """

    recipes: bool = True
    table: PromptTable | None = None
    box: RelativeBox | None = None
    automatic: bool = False
    model: str = DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be made of one picture.

    Attributes:
        source: who says so.
        work: the objects; None where the main object is yet to be found.
        model: that finds it.
    """

    source: Source
    work: Work | None
    model: str

    def to_json(self) -> dict[str, Any]:
        """All that the result depends on, as plain values."""
        if self.work is None:
            return {"main object": self.model}
        work = self.work.to_json()
        for entry in work["objects"]:
            del entry["colour"]  # only on the screen
        return work

    @property
    def models(self) -> set[str]:
        """The names of the models that are needed."""
        if self.work is None:
            return {self.model}
        return {o.recipe.model for o in self.work.objects if o.recipe.asks}


@dataclass(slots=True)
class _Projects:
    """The projects in one folder, the newest of each picture."""

    by_digest: dict[str, Project] = field(default_factory=dict)
    by_file: dict[Path, Project] = field(default_factory=dict)


class Sources:
    """Finds what is asked of the pictures of a batch; any thread may ask.

    Args:
        prompting: where to look.
        jobs: all pictures, of which some may have the same name.
        store: of the studio's sessions; None takes the usual one.
    """

    def __init__(
        self,
        prompting: Prompting,
        jobs: Iterable[Job],
        store: SessionStore | None = None,
    ) -> None:
        self.prompting = prompting
        self.problems: list[str] = []
        self._store = store or SessionStore()
        self._lock = threading.Lock()
        self._folders: dict[Path, _Projects] = {}
        self._sessions: dict[Path, Session] | None = None
        names = Counter(_name_in(job.relative) for job in jobs)
        self._unique = {name for name, count in names.items() if count == 1}

    def foresee(self, job: Job, height: int = 1, width: int = 1) -> Asked | None:
        """What will probably be asked, without decoding the picture.

        A picture that was moved or copied since the studio saw it is recognised only
        by its pixels, in :meth:`decide`.

        Args:
            job: its place.
            height: of the picture in pixels, where the places of prompts matter.
            width: likewise.

        Raises:
            ZimError: an entry of the table cannot be used.
        """
        with self._lock:
            work: Work | None = None
            source: Source = "session"
            if self.prompting.recipes:
                work = self._session_of_file(job)
                if work is None:
                    source, path = "project", job.path.resolve()
                    project = self._projects(job.path.parent).by_file.get(path)
                    work = project.work if project else None
            if work is not None:
                return Asked(source, work, self.prompting.model)
            return self._without_recipe(job, height, width)

    def _session_of_file(self, job: Job) -> Work | None:
        if self._sessions is None:
            self._sessions = self._store.by_path()
        session = self._sessions.get(job.path.resolve())
        known = session is not None and session.stamp == Stamp.of(job.path)
        return session.work if session and known and _asks(session.work) else None

    def decide(self, job: Job, digest: str, height: int, width: int) -> Asked | None:
        """What is asked of a picture; None if nothing is.

        Args:
            job: its place.
            digest: :attr:`Picture.key`.
            height: of the picture in pixels.
            width: of the picture in pixels.

        Raises:
            ZimError: a session or an entry of the table cannot be read, or the prompts
                cannot be answered on this picture; the message says which.
        """
        with self._lock:
            asked = self._decided(job, digest, height, width)
        if asked is not None and asked.work is not None:
            check_work(asked.work, height, width)
        return asked

    def _decided(self, job: Job, digest: str, height: int, width: int) -> Asked | None:
        prompting = self.prompting
        if prompting.recipes:
            session = self._store.load(digest)
            if session is not None and _asks(session.work):
                return Asked("session", session.work, prompting.model)
            project = self._projects(job.path.parent).by_digest.get(digest)
            if project is not None and _asks(project.work):
                return Asked("project", project.work, prompting.model)
        return self._without_recipe(job, height, width)

    def _without_recipe(self, job: Job, height: int, width: int) -> Asked | None:
        prompting = self.prompting
        entry = self._in_table(job)
        if entry:
            work = entry.work(height, width, prompting.model)
            return Asked("table", work, prompting.model)
        if prompting.box is not None:
            box = PromptSet(box=prompting.box.on(height, width))
            work = Work((SceneObject(recipe=Recipe(box, prompting.model)),))
            return Asked("box", work, prompting.model)
        if prompting.automatic:
            return Asked("automatic", None, prompting.model)
        return None

    def _in_table(self, job: Job) -> Entry | None:
        table = self.prompting.table
        if table is None:
            return None
        unique = _name_in(job.relative) in self._unique
        return table.entry(job.relative, unique=unique)

    def unused_entries(self, jobs: Iterable[Job]) -> list[str]:
        """Images that the table names and that are not there, or not just once."""
        table = self.prompting.table
        if table is None:
            return []
        used = {entry.image for job in jobs if (entry := self._in_table(job))}
        return [image for image in table.entries if image not in used]

    def _projects(self, folder: Path) -> _Projects:
        if folder not in self._folders:
            self._folders[folder] = self._read_projects(folder)
        return self._folders[folder]

    def _read_projects(self, folder: Path) -> _Projects:
        found = _Projects()
        dated = []
        for path in folder.glob(f"*{PROJECT_SUFFIX}"):
            stamp = Stamp.of(path)
            if stamp is not None and path.is_file():
                dated.append((stamp.modified_ns, path))
        for _, path in sorted(dated):  # the newest of a picture is what counts
            try:
                project = read_project(path)
            except ZimError as error:
                self.problems.append(error.message)
                continue
            found.by_digest[project.picture.digest] = project
            file = picture_file(path, project.picture)
            if file is not None and _asks(project.work):
                found.by_file[file.resolve()] = project
        return found


def check_work(work: Work, height: int, width: int) -> None:
    """Refuse prompts that a picture of that size cannot answer.

    Raises:
        ZimError: names the object.
    """
    for number, entry in enumerate(work.objects, 1):
        try:
            entry.recipe.validated(height, width)
        except ZimError as error:
            name = entry.name or str(number)
            message = f"Object {name}: {error.message}"
            raise ZimError(message, error.hint) from error


def _asks(work: Work) -> bool:
    return any(entry.recipe.asks for entry in work.objects)


def _name_in(relative: str) -> str:
    return relative.rpartition("/")[2]
