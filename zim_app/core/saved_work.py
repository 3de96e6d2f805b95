"""The objects of one image as one value, and the JSON files that store it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zim_model.errors import ZimError, msg
from zim_model.prompts import check_count
from zim_model.recipe import MAX_NAME, SceneObject
from zim_model.runtime.atomic_files import atomic_write, read_error, write_error

PROJECT_SUFFIX = ".zimproj"
"""Suffix of project files, see :mod:`zim_app.core.project`."""
MAX_BYTES = 128 * 2**20
"""Largest size of a project or session file; larger files are refused."""
MAX_OBJECTS = 2000
"""Most objects of one image."""
BUNDLED_MODEL = 4
"""Version of the bundled model's weights, to be raised with each change of them; files
of the first have none."""


@dataclass(frozen=True, slots=True)
class ObjectStack:
    """Objects, and the index of the active one.

    Attributes:
        objects: at least one, the topmost first; no two with the same id.
        active: index of the object that is edited.
        bundled_model: version of the bundled model that the objects were made with.
    """

    objects: tuple[SceneObject, ...] = (SceneObject(),)
    active: int = 0
    bundled_model: int = field(default=BUNDLED_MODEL, compare=False)

    @property
    def was_made_by_earlier_model(self) -> bool:
        """Whether mattes may differ from those of the day when it was saved."""
        return self.bundled_model < BUNDLED_MODEL and any(
            each.recipe.model in ("", "zim-tiny") and each.recipe.has_prompts
            for each in self.objects
        )

    @property
    def is_edited(self) -> bool:
        """Whether it differs from an empty stack, so that it has to be saved."""
        return self != ObjectStack() and (
            len(self.objects) > 1
            or self.objects[0].recipe.has_prompts
            or bool(self.objects[0].name)
        )

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        return {
            "objects": [object_.to_json() for object_ in self.objects],
            "active": self.active,
            "bundled_model": self.bundled_model,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ObjectStack:
        """Read the JSON form of :meth:`to_json`.

        Raises:
            ZimError: a field is malformed; the message names it.
        """
        entries = read_field(data, "objects", list)
        if not entries:
            raise ZimError(msg("The field objects is empty."))
        check_count("objects", len(entries), MAX_OBJECTS)
        objects = tuple(
            _object(index, object_) for index, object_ in enumerate(entries)
        )
        if len({object_.id for object_ in objects}) < len(objects):
            raise ZimError(msg("The field objects has the same id twice."))
        active = read_field(data, "active", int)
        if not 0 <= active < len(objects):
            raise ZimError(
                msg(
                    "The field active is {active}, which is no object's index.",
                    active=active,
                )
            )
        made_with = data.get("bundled_model", 1)
        if type(made_with) is not int:
            raise ZimError(msg("The field bundled_model is no number."))
        return cls(objects, active, made_with)


def check_limits(objects: Sequence[SceneObject]) -> None:
    """Check that objects can be stored and read again.

    Raises:
        ZimError: there are too many, or one has a name or a recipe beyond its limits.
    """
    check_count("objects", len(objects), MAX_OBJECTS)
    for object_ in objects:
        check_count(msg("letters of a name"), len(object_.name), MAX_NAME)
        object_.recipe.check_limits()


def _object(index: int, data: Any) -> SceneObject:
    try:
        return SceneObject.from_json(data)
    except ZimError as error:
        raise ZimError(
            msg("objects[{index}]: {reason}", index=index, reason=error.message),
            error.hint,
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ZimError(
            msg(
                "objects[{index}] is malformed: {error}.",
                index=index,
                error=repr(error),
            )
        ) from error


def read_field(data: dict[str, Any], name: str, kind: type) -> Any:
    """The value of a field, with its type checked.

    Raises:
        ZimError: it is missing, or of another type.
    """
    if name not in data:
        raise ZimError(msg("The field {name} is missing.", name=name))
    value = data[name]
    is_bool = isinstance(value, bool) and kind is not bool
    if not isinstance(value, kind) or is_bool:
        raise ZimError(
            msg(
                "The field {name} is malformed: {value!r}.",
                name=name,
                value=str(value)[:60],
            )
        )
    return value


def read_json(path: Path, kind: str, version: int) -> dict[str, Any]:
    """Read a file of :func:`write_json`.

    Args:
        path: of the file.
        kind: value that its field "format" must have.
        version: the newest known version; versions start at 1.

    Raises:
        ZimError: the file cannot be read, is of another kind, or is of a newer version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ZimError(
                msg(
                    "{name} is too large to be a {kind}.",
                    name=path.name,
                    kind=kind,
                )
            )
        data = json.loads(path.read_text("utf-8"), parse_constant=_reject_constant)
    except OSError as error:
        raise read_error(path, error) from error
    except (ValueError, RecursionError) as error:  # neither UTF-8 nor JSON
        raise ZimError(
            msg(
                "{name} is damaged or no {kind} ({reason}).",
                name=path.name,
                kind=kind,
                reason=str(error)[:80],
            ),
            msg("Use a copy of it."),
        ) from error
    if not isinstance(data, dict) or data.get("format") != kind:
        raise ZimError(
            msg("{name} is no {kind}.", name=path.name, kind=kind),
            msg("Choose another file."),
        )
    found = data.get("version")
    if type(found) is not int or found < 1:
        raise ZimError(
            msg(
                "{name} has the version {found!r}, which is none.",
                name=path.name,
                found=found,
            )
        )
    if found > version:
        raise ZimError(
            msg(
                "{name} is a {kind} of version {found}; known are 1 to {version}.",
                name=path.name,
                kind=kind,
                found=found,
                version=version,
            ),
            msg("Use the newer zim-studio that wrote it."),
        )
    return data


def write_json(
    path: Path,
    kind: str,
    version: int,
    data: dict[str, Any],
    *,
    private: bool = False,
    exclusive: bool = False,
) -> None:
    """Write a JSON file with kind and version, atomically.

    Args:
        private: only the user may read it.
        exclusive: replace nothing.

    Raises:
        FileExistsError: ``path`` exists, if ``exclusive``.
        ZimError: the file cannot be written.
    """
    content = {"format": kind, "version": version, **data}
    text = json.dumps(content, indent=1, allow_nan=False)
    try:
        with atomic_write(path, private=private, exclusive=exclusive) as stream:
            stream.write(text.encode("ascii"))
    except FileExistsError:
        raise
    except OSError as error:
        raise write_error(path, error) from error


def _reject_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
