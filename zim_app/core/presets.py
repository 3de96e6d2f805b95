"""Export presets: named export options, built in or in a folder of JSON files.

A preset of the user is one file, ``NAME.json``, in the presets folder; files are
exchanged by copying them.  The file is the only place of the name.
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.naming import sanitise
from zim_app.core.saved_work import read_field, read_json, write_json
from zim_model.errors import ZimError, msg
from zim_model.runtime.atomic_files import (
    delete_error,
    rename_to_new,
    write_error,
)

PRESETS_VARIABLE = "ZIM_STUDIO_PRESETS"
"""Environment variable with the presets folder, in place of the system's."""
KIND, VERSION = msg("zim-studio export preset"), 1
SUFFIX = ".json"


def presets_folder() -> Path:
    """The folder of the user's presets; it may not exist yet."""
    named = os.environ.get(PRESETS_VARIABLE)
    if named:
        return Path(named)
    return user_config_path("zim-studio", appauthor=False) / "presets"


@dataclass(frozen=True, slots=True)
class Preset:
    """Named export options.

    Attributes:
        name: unique without regard to case; a valid name of a file.
        options: validated.
        title: shown to the user in place of the name, to be translated.
        built_in: part of the program, so that it cannot be changed.
    """

    name: str
    options: ExportOptions
    title: str = ""
    built_in: bool = False


BUILT_IN = (
    Preset(
        "marketplace",
        ExportOptions(
            "composite",
            "jpeg",
            quality=90,
            scope="together",
            decontaminate=1.0,
            canvas=Canvas(2000, 2000, "px", padding=7.5, enlarge=True),
            template="{name}",
        ),
        msg("Marketplace, 2000 × 2000 on white"),
        built_in=True,
    ),
    Preset(
        "shop",
        ExportOptions(
            "composite",
            "jpeg",
            quality=90,
            scope="together",
            decontaminate=1.0,
            canvas=Canvas(1600, 2000, "px", padding=5, align="bottom", enlarge=True),
            shadow=True,
            template="{name}",
        ),
        msg("Shop, 1600 × 2000 with shadow"),
        built_in=True,
    ),
    Preset(
        "square",
        ExportOptions(
            "cutout",
            "png",
            scope="together",
            decontaminate=1.0,
            canvas=Canvas(padding=5),
            template="{name}-square",
        ),
        msg("Square, transparent"),
        built_in=True,
    ),
    Preset(
        "web",
        ExportOptions(
            "cutout",
            "webp",
            scope="together",
            decontaminate=1.0,
            trim=True,
            longest_side=1200,
            template="{name}-{width}",
        ),
        msg("Web, 1200 px"),
        built_in=True,
    ),
)
"""Presets that are always there, in the order in which they are shown."""


def check_name(name: str, others: Sequence[str] = ()) -> str:
    """Check a name for a preset; return it in the form in which it is stored.

    Args:
        name: as typed; spaces around it are removed.
        others: names that are taken.

    Raises:
        ZimError: it cannot be the name of a file on every system, is that of a
            built-in preset, or is taken.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not name or sanitise(name) != name:
        raise ZimError(
            msg("{name!r} cannot be the name of a preset.", name=name[:60]),
            msg('Use a name without / \\ : * ? " < > |, not too long and not empty.'),
        )
    built_in = {_key(text) for each in BUILT_IN for text in (each.name, each.title)}
    if _key(name) in built_in:
        raise ZimError(
            msg("{name} is the name of a built-in preset.", name=name),
            msg("Choose another name."),
        )
    if _key(name) in {_key(each) for each in others}:
        raise _taken_error(name)
    return name


def _taken_error(name: str) -> ZimError:
    return ZimError(
        msg("There is a preset {name} already.", name=name),
        msg("Choose another name, or delete that one first."),
    )


def read_preset(path: Path) -> Preset:
    """Read a preset from a file anywhere; its name is that of the file.

    Raises:
        ZimError: the file cannot be read, is damaged or of a newer version, has an
            unknown field, or a value is malformed or out of range.
    """
    data = read_json(path, KIND, VERSION)
    try:
        for key in data.keys() - {"format", "version", "options"}:
            raise _unknown_field(key)
        options = _read_options(read_field(data, "options", dict))
    except ZimError as error:
        raise ZimError(
            msg(
                "{name} is no usable preset. {reason}",
                name=path.name,
                reason=error.message,
            ),
            error.hint,
        ) from error
    return Preset(unicodedata.normalize("NFC", path.stem), options)


def write_preset(
    path: str | os.PathLike[str], options: ExportOptions, *, exclusive: bool = False
) -> None:
    """Write a preset to a file, atomically; an existing one is replaced.

    Args:
        exclusive: replace nothing.

    Raises:
        FileExistsError: ``path`` exists, if ``exclusive``.
        ZimError: an option is out of range, or the file cannot be written.
    """
    content = {"options": options.validate().to_json()}
    write_json(Path(path), KIND, VERSION, content, exclusive=exclusive)


class PresetStore:
    """The presets: the built-in ones, and the user's in a folder.

    Nothing is kept in memory, so that several windows and commands agree.

    Args:
        folder: of the user's presets; None is :func:`presets_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or presets_folder()

    def load(self) -> tuple[tuple[Preset, ...], tuple[ZimError, ...]]:
        """All presets, the user's after the built-in ones in alphabetical order.

        Returns:
            The presets, and for each file that is left out the error that names it.
        """
        presets, problems = list(BUILT_IN), list[ZimError]()
        for path in self._files():
            try:
                preset = read_preset(path)
                check_name(preset.name, [each.name for each in presets])
                presets.append(preset)
            except ZimError as error:
                problems.append(error)
        return tuple(presets), tuple(problems)

    def find(self, name_or_file: str) -> Preset:
        """The preset of a name, or else of a file.

        Args:
            name_or_file: a name, without regard to case, a title of a built-in preset,
                or the path of a file that ends in ``.json``.

        Raises:
            ZimError: there is none, or it cannot be read; the message lists the names.
        """
        for preset in BUILT_IN:
            if _key(name_or_file) in (_key(preset.name), _key(preset.title)):
                return preset
        for path in self._files():
            if _key(path.stem) == _key(name_or_file):
                return read_preset(path)
        if Path(name_or_file).suffix.lower() == SUFFIX:
            return read_preset(Path(name_or_file))
        names = [each.name for each in BUILT_IN] + [x.stem for x in self._files()]
        raise ZimError(
            msg("There is no preset {name!r}.", name=name_or_file),
            msg("Known are {names}; or name a .json file.", names=", ".join(names)),
        )

    def save(self, name: str, options: ExportOptions) -> Preset:
        """Save a preset of the user; one of that name is replaced.

        Raises:
            ZimError: the name or an option is invalid, the file cannot be written, or
                another program has just made one of that name.
        """
        name = check_name(name)
        old = self._file(name)
        self._make_folder()
        try:
            path = old or self.folder / f"{name}{SUFFIX}"
            write_preset(path, options, exclusive=old is None)
        except FileExistsError:
            raise _taken_error(name) from None
        return Preset(old.stem if old else name, options)

    def rename(self, name: str, new: str) -> str:
        """Rename a preset of the user; return the new name as it is stored.

        Raises:
            ZimError: there is none, or the new name is invalid or taken.
        """
        path = self._own_file(name)
        others = [each.stem for each in self._files() if each != path]
        new = check_name(new, others)
        try:
            # Of the same name but for case, it would be in its own way.
            rename = os.replace if _key(new) == _key(path.stem) else rename_to_new
            rename(path, path.with_name(f"{new}{SUFFIX}"))
        except FileExistsError:
            raise _taken_error(new) from None
        except OSError as error:
            raise write_error(path, error) from error
        return new

    def delete(self, name: str) -> None:
        """Delete a preset of the user.

        Raises:
            ZimError: there is none, or the file cannot be deleted.
        """
        path = self._own_file(name)
        try:
            path.unlink()
        except OSError as error:
            raise delete_error(path, error) from error

    def add(self, path: Path) -> Preset:
        """Copy a preset file into the folder, under a free name.

        A name that is taken gets a number, unless that preset is the same one.

        Raises:
            ZimError: as for :func:`read_preset`, or the copy cannot be written.
        """
        preset = read_preset(path)
        taken = {_key(each.stem): each for each in self._files()}
        built_in = {_key(text) for each in BUILT_IN for text in (each.name, each.title)}
        stem = sanitise(preset.name) or "preset"
        name, number = stem, 2
        while _key(name) in built_in or _key(name) in taken:
            with contextlib.suppress(KeyError, ZimError):
                if read_preset(taken[_key(name)]).options == preset.options:
                    return Preset(taken[_key(name)].stem, preset.options)
            name, number = f"{stem}-{number}", number + 1
        return self.save(name, preset.options)

    def _files(self) -> list[Path]:
        try:
            paths = [x for x in self.folder.iterdir() if x.suffix.lower() == SUFFIX]
        except OSError:  # there is none yet
            return []
        return sorted(paths, key=lambda path: (_key(path.stem), path.stem))

    def _file(self, name: str) -> Path | None:
        return next((x for x in self._files() if _key(x.stem) == _key(name)), None)

    def _own_file(self, name: str) -> Path:
        path = self._file(name)
        if path is None:
            raise ZimError(
                msg("There is no preset {name!r}.", name=name),
                msg("It may have been renamed or deleted by another program."),
            )
        return path

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self.folder, error) from error


def _key(name: str) -> str:
    """Equal for names that some file system or reader takes for the same."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _read_options(data: dict[str, Any]) -> ExportOptions:
    for key in data.keys() - ExportOptions().to_json().keys():
        raise _unknown_field(key)
    return ExportOptions.from_json(data)


def _unknown_field(key: object) -> ZimError:
    return ZimError(
        msg("It has the unknown field {key!r}.", key=str(key)[:60]),
        msg("Correct the spelling, or use the newer zim-studio that wrote it."),
    )
