"""Tables of prompts for many images: JSON, or CSV with one row per prompt.

**CSV**: the first row names the columns, in any order:

- ``image``: name of the image, or its path from the input folder, with slashes.
- ``object``: name of the object; prompts of rows with the same name are combined.  May
  be left out where an image has one object.
- ``x``, ``y``, ``label``: a point; label 1 (the default) is positive, 0 negative.
- ``left``, ``top``, ``right``, ``bottom``: a box.
- ``units``: ``pixels`` from the top left (the default), or ``fraction``, 0 to 1 of
  width and height.

Columns are separated by commas, semicolons or tabs; other than between commas, numbers
may have a decimal comma.

**JSON**: a list of entries ``{"image": ..., "objects": [...]}``, where each object may
have ``name``, ``points`` ([[x, y, label], ...]), ``box`` ([left, top, right, bottom]),
``scribbles`` ([{"positive": 1, "path": [[x, y], ...]}, ...]; one with ``"region": 1``
is a loop whose inside is meant), ``units``, or a whole ``recipe`` as saved by the
studio.  An entry with a single object may have these itself.  In place of the list, an
object ``{IMAGE: entry, ...}`` is accepted.  Other keys are refused, and so are the
files of other programs, by name (:mod:`~zim_app.core.batch.foreign_tables`).
"""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zim_app.core.batch.foreign_tables import refuse_foreign_table
from zim_app.core.json_keys import (
    PROMPT_KEYS,
    check_keys,
    check_recipe_keys,
    check_scribble_keys,
)
from zim_app.core.saved_work import MAX_BYTES, ObjectStack
from zim_model.errors import ZimError, msg
from zim_model.prompts import MAX_POINTS, Box, Point, PromptSet
from zim_model.recipe import Recipe, SceneObject
from zim_model.runtime.atomic_files import read_error

BOX_COLUMNS = ("left", "top", "right", "bottom")
COLUMNS = ("image", "object", "x", "y", "label", *BOX_COLUMNS, "units")
ROW_NUMBERS = "row numbers"
"""Key of a first column without a name, which is ignored."""
NUMBER_COLUMNS = ("x", "y", "label", *BOX_COLUMNS)
UNITS = ("pixels", "fraction")
DECIMAL_COMMA_DELIMITERS = (";", "\t")
"""Delimiters beside which spreadsheets may write decimal commas."""
OBJECT_KEYS = ("name", "recipe", "units", *PROMPT_KEYS)


@dataclass(frozen=True, slots=True)
class RelativeBox:
    """A box for images of any size, in fractions of width and height, 0 to 1."""

    x0: float = 0.0
    y0: float = 0.0
    x1: float = 1.0
    y1: float = 1.0

    def __post_init__(self) -> None:
        edges = (self.x0, self.y0, self.x1, self.y1)
        inside = all(math.isfinite(edge) and 0 <= edge <= 1 for edge in edges)
        if not inside or self.x0 >= self.x1 or self.y0 >= self.y1:
            shown = ", ".join(f"{edge:g}" for edge in edges)
            raise ZimError(
                msg("The relative box ({shown}) is not valid.", shown=shown),
                msg("Give left, top, right and bottom as fractions from 0 to 1."),
            )

    def to_pixels(self, height: int, width: int) -> Box:
        """The box in pixels of an image of that size."""
        return Box(self.x0 * width, self.y0 * height, self.x1 * width, self.y1 * height)


@dataclass(frozen=True, slots=True)
class TableObject:
    """One object of a table entry.

    Attributes:
        name: of the object; may be empty.
        recipe: with prompts in ``units``; its model is empty where none is named.
        units: one of :data:`UNITS`.
        saved: whether the whole recipe is from the table, not its prompts alone.
    """

    name: str
    recipe: Recipe
    units: str = "pixels"
    saved: bool = False

    def to_pixels(self, height: int, width: int, base: Recipe) -> Recipe:
        """The recipe for an image of that size; what it lacks is taken from ``base``.

        Raises:
            ZimError: the prompts are fractions, but not in those units.
        """
        recipe = self.recipe
        if self.units == "fraction":
            recipe = replace(
                recipe, prompts=_scale_to_pixels(recipe.prompts, height, width)
            )
        elif recipe.prompts.looks_relative:
            raise ZimError(
                msg("All coordinates are from 0 to 1, but pixels are meant."),
                msg("Give pixels from the top left, or the units fraction."),
            )
        if not self.saved:
            recipe = replace(recipe, finish=base.finish)
        return recipe if recipe.model else replace(recipe, model=base.model)


@dataclass(frozen=True, slots=True)
class TableEntry:
    """The entry of one image.

    Attributes:
        image: name in the table.
        objects: the topmost first; at least one unless there is a problem.
        problem: why the entry is invalid, with its location in the table.
    """

    image: str
    objects: tuple[TableObject, ...] = ()
    problem: str = ""

    def stack(self, height: int, width: int, base: Recipe) -> ObjectStack:
        """The objects for an image of that size; see :meth:`TableObject.to_pixels`.

        Raises:
            ZimError: the entry is invalid, or holds fractions in place of pixels.
        """
        if self.problem:
            raise ZimError(self.problem, msg("Correct the file of prompts."))
        return ObjectStack(
            tuple(
                SceneObject(n, each.name, recipe=each.to_pixels(height, width, base))
                for n, each in enumerate(self.objects, 1)
            )
        )


@dataclass(frozen=True, slots=True)
class PromptTable:
    """The entries of a file of prompts.

    Attributes:
        name: of the file, shown to the user.
        entries: by image name, see :func:`table_name`.
    """

    name: str
    entries: Mapping[str, TableEntry]

    def entry(self, relative: str, *, unique: bool) -> TableEntry | None:
        """The entry of an image; None if there is none.

        Args:
            relative: the image's path from the input folder.
            unique: whether no other image has the same file name, so that an entry with
                the file name alone is accepted.
        """
        name = table_name(relative)
        found = self.entries.get(name)
        if found is None and unique:
            found = self.entries.get(name.rpartition("/")[2])
        return found


def table_name(image: str) -> str:
    """The name of an image by which tables are searched.

    It is the same for the composed and decomposed letters of systems, and for the
    separators of paths on Windows.
    """
    name = unicodedata.normalize("NFC", image).replace("\\", "/")
    return name.removeprefix("./")


def read_table(path: Path) -> PromptTable:
    """Read a file of prompts; ``.csv`` is CSV, all else JSON.

    A malformed entry does not invalidate the others: it gets a ``problem``.

    Raises:
        ZimError: the file cannot be read, is of neither format, or has no entries.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ZimError(
                msg("{name} is too large to be a file of prompts.", name=path.name)
            )
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise read_error(path, error) from error
    except UnicodeDecodeError as error:
        raise ZimError(
            msg("{name} is no text in UTF-8.", name=path.name), msg("Save it as UTF-8.")
        ) from error
    is_csv = path.suffix.lower() in (".csv", ".tsv")
    entries = _parse_csv(path.name, text) if is_csv else _parse_json(path.name, text)
    if not entries:
        raise ZimError(
            msg("{name} has no prompts in it.", name=path.name),
            msg("Choose another file."),
        )
    return PromptTable(path.name, entries)


# -- CSV -------------------------------------------------------------------------------


def _parse_csv(name: str, text: str) -> dict[str, TableEntry]:
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.lower().startswith("sep="):  # as Excel writes and reads it
        first, text, skipped = rest.partition("\n")[0], rest, 1
    # The delimiter that spreadsheets write depends on the locale.
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    try:
        columns = [(c or "").strip().lower() for c in reader.fieldnames or ()]
        if columns and not columns[0]:  # row numbers of pandas
            columns[0] = ROW_NUMBERS
        reader.fieldnames = columns
        rows = [
            (reader.line_num + skipped, {k or "": v for k, v in row.items()})
            for row in reader
        ]
    except csv.Error as error:
        raise ZimError(
            msg("{name} is malformed: {error}.", name=name, error=str(error))
        ) from error
    if delimiter in DECIMAL_COMMA_DELIMITERS:
        rows = [(line, _with_decimal_points(row)) for line, row in rows]
    twice = [column for column in columns if column and columns.count(column) > 1]
    if twice:
        raise ZimError(
            msg("{name} has the column {column!r} twice.", name=name, column=twice[0]),
            msg("Give each point and each box a row of its own."),
        )
    unknown = set(columns) - {*COLUMNS, ROW_NUMBERS, ""}
    if "image" not in columns or unknown:
        raise ZimError(
            msg(
                "{name} has the unknown column {column!r}.",
                name=name,
                column=min(unknown),
            )
            if unknown
            else msg("{name} has no image column.", name=name),
            msg(
                "Its first row names columns out of {columns}.",
                columns=", ".join(COLUMNS),
            ),
        )
    return _group_rows(name, rows)


def _group_rows(
    name: str, rows: Iterable[tuple[int, dict[str, Any]]]
) -> dict[str, TableEntry]:
    """Combine the rows of each image and object."""
    entries: dict[str, TableEntry] = {}
    for line, row in rows:
        image = table_name(_cell(row, "image")) or f"line {line}"
        entry = entries.get(image, TableEntry(image))
        try:
            entry = replace(entry, objects=_add_row(entry.objects, row))
        except ZimError as error:
            problem = msg(
                "{name}, line {line}: {reason}.",
                name=name,
                line=line,
                reason=error.message,
            )
            entry = replace(entry, problem=entry.problem or problem)
        entries[image] = entry
    return entries


def _add_row(
    objects: tuple[TableObject, ...], row: dict[str, Any]
) -> tuple[TableObject, ...]:
    if row.get("") or any(isinstance(v, list) for v in row.values()):
        raise ZimError(msg("there are more values than columns"))
    if not _cell(row, "image"):
        raise ZimError(msg("the image is missing"))
    name, units = _cell(row, "object"), _units(_cell(row, "units"))
    names = [each.name for each in objects]
    index = names.index(name) if name in names else len(objects)
    old = objects[index] if index < len(objects) else _new_object(name, units)
    if old.units != units:
        raise ZimError(msg("the object {name!r} has two different units", name=name))
    recipe = old.recipe
    x, y, label = (_cell(row, column) for column in ("x", "y", "label"))
    edges = [_cell(row, column) for column in BOX_COLUMNS]
    if max(index, len(recipe.prompts.points)) >= MAX_POINTS:
        raise ZimError(
            msg("there are more than {limit} points or objects", limit=MAX_POINTS)
        )
    if x or y:
        recipe = recipe.with_point(
            Point(_number("x", x), _number("y", y), _positive(label))
        )
    if any(edges):
        if recipe.prompts.box is not None:
            raise ZimError(
                msg("the object has two boxes; name a second one in 'object'")
            )
        sides = map(_number, BOX_COLUMNS, edges)
        recipe = recipe.with_box(Box.from_corners(*sides))
    if recipe is old.recipe:
        raise ZimError(msg("the row has neither a point nor a box"))
    return (*objects[:index], replace(old, recipe=recipe), *objects[index + 1 :])


def _with_decimal_points(row: dict[str, Any]) -> dict[str, Any]:
    """A row with 200.5 in place of 200,5; what has both signs stays."""
    points = {
        column: text.replace(",", ".")
        for column in NUMBER_COLUMNS
        if "." not in (text := _cell(row, column))
    }
    return row | points


def _new_object(name: str, units: str) -> TableObject:
    return TableObject(name, Recipe(model=""), units)


def _cell(row: dict[str, Any], column: str) -> str:
    return (row.get(column) or "").strip()


def _number(column: str, text: str) -> float:
    try:
        value = math.nan if "_" in text else float(text)  # 1_000 is one in Python only
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ZimError(
            msg("{column} is {text!r}, which is no number", column=column, text=text)
        )
    return value


def _positive(label: str) -> bool:
    # Tables with empty cells get labels such as 1.0 in pandas.
    value = _number("label", label) if label else 1
    if value not in (0, 1):
        raise ZimError(msg("the label is {label!r}, neither 1 nor 0", label=label))
    return value == 1


def _units(text: str) -> str:
    if (text or UNITS[0]) not in UNITS:
        raise ZimError(
            msg("the units are {text!r}, neither pixels nor fraction", text=text)
        )
    return text or UNITS[0]


# -- JSON ------------------------------------------------------------------------------


def _parse_json(name: str, text: str) -> dict[str, TableEntry]:
    try:
        data = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError) as error:
        raise ZimError(
            msg("{name} is no JSON file: {reason}.", name=name, reason=str(error)[:80]),
            msg("Give prompts as JSON, or as CSV in a file that ends in .csv."),
        ) from error
    refuse_foreign_table(name, data)
    if isinstance(data, dict) and isinstance(data.get("images"), list | dict):
        check_keys(data, ("images",), name)
        data = data["images"]
    if isinstance(data, dict):
        data = [
            {**entry, "image": image}
            if isinstance(entry, dict)
            else {"image": image, "objects": entry}
            for image, entry in data.items()
        ]
    if not isinstance(data, list):
        raise ZimError(
            msg("{name} holds neither a list of photos nor an object.", name=name)
        )
    entries: dict[str, TableEntry] = {}
    for number, item in enumerate(data, 1):
        location = msg("{name}, entry {number}", name=name, number=number)
        entry = _json_entry(location, number, item)
        if entry.image in entries:
            problem = msg(
                "{location}: {image} was there before.",
                location=location,
                image=entry.image,
            )
            entry = replace(entries[entry.image], problem=problem)
        entries[entry.image] = entry
    return entries


def _json_entry(location: str, number: int, item: Any) -> TableEntry:
    image = item.get("image") if isinstance(item, dict) else None
    if not isinstance(image, str) or not image:
        problem = msg("{location}: the image is missing.", location=location)
        return TableEntry(f"entry {number}", problem=problem)
    image = table_name(image)
    try:
        return TableEntry(image, _entry_objects(item))
    except ZimError as error:
        problem = msg(
            "{location} ({image}): {reason}",
            location=location,
            image=image,
            reason=error.message,
        )
        return TableEntry(image, problem=problem)


def _entry_objects(item: dict[str, Any]) -> tuple[TableObject, ...]:
    if "objects" in item:
        check_keys(item, ("image", "objects"), msg("an entry with objects"))
        return _json_objects(item["objects"])
    check_keys(item, ("image", "objects", *OBJECT_KEYS), msg("an entry"))
    return (_json_object({key: v for key, v in item.items() if key != "image"}),)


def _json_objects(parts: Any) -> tuple[TableObject, ...]:
    if not isinstance(parts, list) or not parts:
        raise ZimError(msg("its objects are no list with anything in it."))
    return tuple(map(_json_object, parts))


def _json_object(data: Any) -> TableObject:
    if not isinstance(data, dict):
        raise ZimError(msg("an object is malformed."))
    name = data.get("name", "")
    if not isinstance(name, str):
        raise ZimError(msg("an object's name is {name!r}.", name=name))
    units = data.get("units", UNITS[0])
    if "recipe" in data:
        check_keys(data, ("name", "recipe"), msg("an object with a recipe"))
        recipe = Recipe.from_json(data["recipe"])
        check_recipe_keys(data["recipe"])
        return TableObject(name, recipe, saved=True)
    check_keys(data, OBJECT_KEYS, msg("an object"))
    if units not in UNITS:
        raise ZimError(
            msg("the units are {units!r}, neither pixels nor fraction.", units=units)
        )
    check_scribble_keys(data)
    points = data.get("points") or []
    if isinstance(points, list):  # the label is optional
        points = [[*p, 1] if isinstance(p, list) and len(p) == 2 else p for p in points]
    prompts = PromptSet.from_json({**data, "points": points})
    if not prompts:
        raise ZimError(msg("an object has no prompts."))
    return TableObject(name, Recipe(prompts, model=""), units)


def _scale_to_pixels(prompts: PromptSet, height: int, width: int) -> PromptSet:
    """Convert prompts from fractions to pixels; 1 is the last pixel."""

    def scale_point(x: float, y: float) -> tuple[float, float]:
        # A point on the right or lower edge belongs to the last pixel.
        near_x, near_y = math.nextafter(width, 0), math.nextafter(height, 0)
        return (
            near_x if x == 1 else x * width,
            near_y if y == 1 else y * height,
        )

    box = prompts.box
    return PromptSet(
        tuple(Point(*scale_point(p.x, p.y), p.positive) for p in prompts.points),
        box and Box(box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height),
        tuple(
            replace(line, path=tuple(scale_point(*vertex) for vertex in line.path))
            for line in prompts.scribbles
        ),
    )


def _reject_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
