"""Names of exported files, from a template: portable, and not taken yet."""

from __future__ import annotations

import datetime
import re
import string
import unicodedata
from collections.abc import Container
from dataclasses import dataclass, fields
from pathlib import Path

from zim_model.errors import ZimError, msg

MAX_NAME_BYTES = 200
"""Of a stem in UTF-8; most file systems take 255 with the suffix and a number."""

_FORBIDDEN = '<>:"/\\|?*'
_WIDE = re.compile(r"\d{3}")
"""Wide format specifications, which could make names of billions of letters."""
_DEVICES = {"con", "prn", "aux", "nul"} | {
    f"{name}{digit}" for name in ("com", "lpt") for digit in range(1, 10)
}
"""Names that Windows reserves, with any suffix."""


@dataclass(frozen=True, slots=True)
class NameFields:
    """Values of a template's fields; the attributes are the names of the fields.

    Attributes:
        name: of the image, without suffix.
        object: name of the object.
        what: kind of export: cutout, matte, ...
        n: number of the file among those exported at once, from 1.
        width: of the result in pixels.
        height: of the result in pixels.
        date: of today; takes a format such as ``{date:%Y%m%d}``.
    """

    name: str
    object: str
    what: str
    n: int
    width: int
    height: int
    date: datetime.date


FIELDS = tuple(field.name for field in fields(NameFields))


def file_stem(template: str, values: NameFields) -> str:
    """The file name, without suffix, made from a template.

    Args:
        template: text with fields in braces, as ``{name}-{object}-{n:03}``; a brace
            itself is written twice.
        values: of the fields; characters that file names cannot hold become ``-``.

    Raises:
        ZimError: the template names a folder, is malformed, has an unknown field,
            or gives an empty name.
    """
    if any(sign in template for sign in "/\\"):
        raise ZimError(
            msg("The file name {template!r} has a slash in it.", template=template),
            msg("Choose the folder separately."),
        )
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ZimError(
            msg(
                "The file name {template!r} is malformed: {error}.",
                template=template,
                error=str(error),
            ),
            msg("Write each field as {{name}}, and a brace itself twice."),
        ) from error
    stem = ""
    for text, field, spec, conversion in pieces:
        stem += text
        if field is not None:
            stem += _value(field, spec or "", conversion, values)
    stem = sanitise(stem)
    if not stem:
        raise ZimError(
            msg("The file name {template!r} gives an empty name.", template=template),
            msg("Try {{name}}-{{what}}."),
        )
    return stem


def name_each_object(template: str, values: NameFields) -> str:
    """A template whose files tell the objects of one image apart.

    Returns:
        The template itself if it has the object or the number, or is malformed, else
        with the object's name, or its number if it has none, at the end.
    """
    try:
        used = {field for _, field, *_ in string.Formatter().parse(template)}
    except ValueError:
        return template
    if used & {"object", "n"}:
        return template
    return template + ("-{object}" if values.object else "-{n}")


def check_template(template: str) -> None:
    """Check a template before it is used.

    Raises:
        ZimError: as :func:`file_stem` does.
    """
    today = datetime.date(2000, 1, 1)
    file_stem(template, NameFields("name", "object", "what", 1, 1, 1, today))


def _value(field: str, spec: str, conversion: str | None, values: NameFields) -> str:
    if field not in FIELDS or conversion:
        raise ZimError(
            msg("The file name has the unknown field {{{field}}}.", field=field),
            msg(
                "Known are {fields}.",
                fields=", ".join(f"{{{name}}}" for name in FIELDS),
            ),
        )
    if _WIDE.search(spec):
        raise ZimError(
            msg(
                "The file name's field {{{field}:{spec}}} is too long.",
                field=field,
                spec=spec,
            )
        )
    try:
        return format(getattr(values, field), spec)
    except ValueError as error:
        raise ZimError(
            msg(
                "The file name's field {{{field}:{spec}}} has a malformed format: "
                "{error}.",
                field=field,
                spec=spec,
                error=str(error),
            )
        ) from error


def sanitise(text: str) -> str:
    """The closest file name, without suffix, valid on every system; may be empty."""
    safe = "".join(
        "-" if sign in _FORBIDDEN or unicodedata.category(sign)[0] == "C" else sign
        for sign in unicodedata.normalize("NFC", text)
    )
    safe = safe.encode("utf-8", "ignore")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    safe = safe.strip().rstrip(". ").lstrip(".")
    if safe.split(".")[0].strip().lower() in _DEVICES:
        safe = f"_{safe}"
    return safe


def free_path(path: Path, taken: Container[Path] = ()) -> Path:
    """The path itself if it is free, else the first numbered one that is.

    Args:
        path: in any folder.
        taken: paths that are not free either.
    """
    candidate, number = path, 2
    while candidate in taken or candidate.exists() or candidate.is_symlink():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
