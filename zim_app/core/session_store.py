"""Sessions: the objects of every image, saved automatically and found by image key.

A session is a small file in the program's state folder, named by the digest of the
image's pixels.  Files of the user are never changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from platformdirs import user_state_path

from zim_app.core.greys import GreyView
from zim_app.core.saved_work import ObjectStack, read_field, read_json, write_json
from zim_model.errors import MALFORMED, ZimError, msg
from zim_model.runtime.atomic_files import atomic_write, explained_write

if TYPE_CHECKING:
    from zim_app.core.images import Image

STATE_VARIABLE = "ZIM_STUDIO_STATE"
"""Environment variable with the state folder, in place of the system's."""
KIND, VERSION = msg("zim-studio session"), 1
_DIGEST = re.compile(r"[0-9a-f]+")
MAX_SESSIONS = 2000
MAX_TOTAL_BYTES = 256 * 2**20

SessionMark = Literal["touched", "done"]
"""Mark of an image with prompts, or whose objects were exported since the last edit."""


def state_folder() -> Path:
    """The folder of sessions and other state of the program."""
    named = os.environ.get(STATE_VARIABLE)
    return Path(named) if named else user_state_path("zim-studio", appauthor=False)


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Time and size of a file, to detect changes without reading it."""

    modified_ns: int
    size: int

    @classmethod
    def from_path(cls, path: Path) -> FileStamp | None:
        """The stamp of a file; None if there is none."""
        try:
            status = path.stat()
        except (OSError, ValueError):  # ValueError: the path cannot be encoded
            return None
        return cls(status.st_mtime_ns, status.st_size)


@dataclass(frozen=True, slots=True)
class Session:
    """The objects of one image, and the path of its file.

    Attributes:
        digest: :attr:`Image.key`.
        name: of the image, shown to the user.
        path: of its file, absolute; of the saved copy for an image without a file.
        stack: its objects.
        exported: whether the objects were exported since the last edit.
        stamp: of the file at ``path``.
        view: of grey values, None unless the user has chosen one.
    """

    digest: str
    name: str
    path: Path | None
    stack: ObjectStack
    exported: bool = False
    stamp: FileStamp | None = None
    view: GreyView | None = None

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        stamp = self.stamp
        return {
            "digest": self.digest,
            "name": self.name,
            "path": None if self.path is None else str(self.path),
            "stamp": None if stamp is None else [stamp.modified_ns, stamp.size],
            "exported": self.exported,
            **({"view": self.view.to_json()} if self.view else {}),
            **self.stack.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Session:
        """Read the JSON form of :meth:`to_json`.

        Raises:
            ZimError: a field is malformed; the message names it.
        """
        path, stamp = (read_field(data, name, object) for name in ("path", "stamp"))
        try:
            return cls(
                _checked_digest(read_field(data, "digest", str)),
                read_field(data, "name", str),
                None if path is None else _checked_path(path),
                ObjectStack.from_json(data),
                read_field(data, "exported", bool),
                None if stamp is None else FileStamp(int(stamp[0]), int(stamp[1])),
                GreyView.from_json(data.get("view")),
            )
        except MALFORMED as error:
            raise ZimError(
                msg("Its path or stamp is malformed: {error}.", error=str(error))
            ) from error


def _checked_digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):  # it becomes the name of a file
        raise ValueError(f"{text!r:.80} is no digest")
    return text


def _checked_path(text: str) -> Path:
    if "\0" in text:  # which every function for files refuses in its own way
        raise ValueError("a path has a zero byte")
    return Path(text)


class SessionStore:
    """A folder of sessions of bounded size; the oldest are removed first.

    Its methods read and write files; they may be called from any thread, by one at a
    time.

    Args:
        folder: made when a session is saved.
        max_sessions: largest number of sessions.
        max_bytes: largest size of all files together.
    """

    def __init__(
        self,
        folder: Path | None = None,
        max_sessions: int = MAX_SESSIONS,
        max_bytes: int = MAX_TOTAL_BYTES,
    ) -> None:
        self.folder = folder or state_folder() / "sessions"
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes

    def load(self, digest: str) -> Session | None:
        """The session of an image; None if there is none.

        Raises:
            ZimError: the file cannot be read; it is renamed, not deleted.
        """
        path = self._file(digest)
        if not path.exists():
            return None
        try:
            return Session.from_json(read_json(path, KIND, VERSION))
        except ZimError as error:
            aside = path.with_suffix(f".{time.time_ns()}.unreadable")
            with contextlib.suppress(OSError):
                os.replace(path, aside)
            raise ZimError(
                msg(
                    "The earlier work on this photo cannot be read. {reason}",
                    reason=error.message,
                ),
                msg("It is kept as {aside}.", aside=aside),
            ) from error

    def save(self, session: Session) -> None:
        """Save a session; it replaces the earlier one of its image.

        Raises:
            ZimError: the file cannot be written.
        """
        self._make_folder()
        path = self._file(session.digest)
        stamp = FileStamp.from_path(session.path) if session.path else None
        session = replace(session, stamp=stamp)
        write_json(path, KIND, VERSION, session.to_json(), private=True)
        self._drop_oldest(keep=session.digest)

    def save_image(self, image: Image) -> Path:
        """Save a copy of an image without a file; return its path.

        Raises:
            ZimError: the file cannot be written.
        """
        from zim_app.core.project import save_image  # imports the encoders

        self._make_folder()
        path = self._file(image.key).with_suffix(".png")
        if not path.exists():
            save_image(path, image)
            path.chmod(0o600)
        return path

    def owner(self, digest: str) -> str:
        """Name of the run that saves the session of an image; empty without one."""
        try:
            return self._owner_file(digest).read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def set_owner(self, digest: str, run: str) -> None:
        """Let a run save the session of an image, and no other one.

        Raises:
            ZimError: the folder cannot be made, or the file cannot be written.
        """
        self._make_folder()
        path = self._owner_file(digest)
        with explained_write(path), atomic_write(path, private=True) as stream:
            stream.write(run.encode("ascii"))

    def release(self, digest: str, run: str) -> None:
        """Let any run save the session of an image, if this one does."""
        if self.owner(digest) == run:
            with contextlib.suppress(OSError):
                self._owner_file(digest).unlink(missing_ok=True)

    def _owner_file(self, digest: str) -> Path:
        return self._file(digest).with_suffix(".owner")

    def marks(self) -> dict[Path, tuple[SessionMark, FileStamp | None]]:
        """Marks of image files; unreadable sessions are left out."""
        result: dict[Path, tuple[SessionMark, FileStamp | None]] = {}
        for path, session in self.by_path().items():
            mark = session_mark(session)
            if mark is not None:
                result[path] = (mark, session.stamp)
        return result

    def by_path(self) -> dict[Path, Session]:
        """The newest session of each file; unreadable ones are left out."""
        result: dict[Path, Session] = {}
        for path in self._by_age():
            with contextlib.suppress(ZimError):
                session = Session.from_json(read_json(path, KIND, VERSION))
                if session.path is not None:
                    result[session.path] = session
        return result

    def find(self, image: Path) -> Session | None:
        """The newest readable session of a file, whatever its pixels were; or None."""
        written = json.dumps(str(image)).encode()
        for path in reversed(self._by_age()):
            with contextlib.suppress(OSError, ZimError):
                if written in path.read_bytes():  # quicker than to read them all
                    session = Session.from_json(read_json(path, KIND, VERSION))
                    if session.path == image:
                        return session
        return None

    def _file(self, digest: str) -> Path:
        assert _DIGEST.fullmatch(digest), digest
        return self.folder / f"{digest}.json"

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)  # earlier versions made it readable for all
        except OSError as error:
            raise ZimError(
                msg(
                    "The folder {folder} for sessions cannot be made.",
                    folder=self.folder,
                ),
                msg(
                    "Allow it, or name another in {variable}.", variable=STATE_VARIABLE
                ),
            ) from error

    def _by_age(self) -> list[Path]:
        """All session files, the oldest first."""
        found = []
        for path in self.folder.glob("*.json"):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found)]

    def _drop_oldest(self, keep: str) -> None:
        files = self._by_age()
        sizes = {path: _size(path) for path in files}
        total = sum(sizes.values())
        for path in files:
            if len(sizes) <= self._max_sessions and total <= self._max_bytes:
                return
            if path.stem != keep:
                total -= sizes.pop(path)
                for file in (path, path.with_suffix(".png")):
                    with contextlib.suppress(OSError):
                        file.unlink(missing_ok=True)


def session_mark(session: Session) -> SessionMark | None:
    """The mark of an image with that session."""
    if session.exported:
        return "done"
    return "touched" if session.stack.is_edited else None


def _size(path: Path) -> int:
    total = 0
    for file in (path, path.with_suffix(".png")):
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total


# -- Recovery after a crash --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """The files that a running program has open, for recovery after a crash.

    Attributes:
        name: of the image, shown to the user.
        image: its file, or the saved copy; None if there is none.
        project: the project file in use.
    """

    name: str
    image: Path | None
    project: Path | None = None


_RUN_KIND, _RUN_VERSION = msg("zim-studio run"), 1


def write_recovery_state(path: Path, state: RecoveryState) -> None:
    """Write the files that are open.

    Raises:
        ZimError: the file cannot be written.
    """
    data = {"name": state.name, "picture": state.image, "project": state.project}
    text = {key: None if value is None else str(value) for key, value in data.items()}
    write_json(path, _RUN_KIND, _RUN_VERSION, text, private=True)


def read_recovery_state(path: Path) -> RecoveryState | None:
    """Read the files that a program had open; None if the file is unreadable."""
    try:
        data = read_json(path, _RUN_KIND, _RUN_VERSION)
    except ZimError:
        return None
    names = [data.get(name) for name in ("name", "picture", "project")]
    name, image, project = (
        x if isinstance(x, str) and "\0" not in x else None for x in names
    )
    return RecoveryState(
        name or "",
        Path(image) if image else None,
        Path(project) if project else None,
    )
