"""The journal: the rows of a run, on the disk as they are finished.

Its header is the configuration; a row follows for each prediction.  See
:mod:`zim_model.runtime.journal` for the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from zim_model.errors import MALFORMED, Message, PromptError, ZimError, msg
from zim_model.json_values import is_number
from zim_model.medical.window import Window
from zim_model.prompts import PromptSet
from zim_model.recipe import Options
from zim_model.runtime.jobs import Shard
from zim_model.runtime.journal import JournalWriter, read_lines

FORMAT = 1
RowKey = tuple[str, str, str]
"""System, case and prompt."""
CURVE_METRICS = frozenset(("SAD", "MSE", "IoU"))
"""Metrics that are measured after each click."""
WINDOW_KEY = "window"
"""Option of a run: the window of grey images, as ``LEVEL,WIDTH``."""
_SHARD = re.compile(r"rows(-\d+-of-\d+)?\.jsonl")


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """The metrics of one system for one prompt of a case; or an error.

    Attributes:
        system: its name.
        case: name in the data set.
        prompt: the kind, as text: ``clicks:20``.
        digest: of the case, see :meth:`Case.digest`, and of the prediction.
        subset: of the data set; may be empty.
        area: of alpha above 0.3, as a fraction of the image.
        metrics: by the names of :data:`zim_model.evaluation.measures.METRICS`.
        curve: the same after 1, 2, ... clicks (SAD, MSE, IoU); empty for other prompts.
        prompts: of the system, as of :meth:`PromptSet.to_json`.
        more_prompts: further prompt sets, whose predictions were united with the first.
        encode_ms, click_ms: duration; the mean of several clicks.
        device: that was used, for display; empty for predictions.
        error: a sentence; a row with an error has no metrics.
    """

    system: str
    case: str
    prompt: str
    digest: str
    subset: str = ""
    area: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[Mapping[str, float], ...] = ()
    prompts: Mapping[str, Any] | None = None
    more_prompts: tuple[Mapping[str, Any], ...] = ()
    encode_ms: float = 0.0
    click_ms: float = 0.0
    device: str = ""
    error: str = ""

    @property
    def key(self) -> RowKey:
        """The row's key, unique in a run."""
        return self.system, self.case, self.prompt

    @property
    def size(self) -> str:
        """``S``, ``M`` or ``L``, by area, as ZIM's evaluation has it."""
        return "S" if self.area < 0.01 else "M" if self.area < 0.1 else "L"

    @property
    def prompt_set(self) -> PromptSet:
        """The first of :attr:`prompt_sets`."""
        return self.prompt_sets[0]

    @property
    def prompt_sets(self) -> tuple[PromptSet, ...]:
        """The prompts, at least one set; it is empty where there were none."""
        stored = (self.prompts or {}, *self.more_prompts)
        return tuple(PromptSet.from_json(dict(each)) for each in stored)

    def to_json(self) -> dict[str, Any]:
        """Plain values that :meth:`from_json` reads back exactly."""
        data = asdict(self)
        if not self.more_prompts:
            del data["more_prompts"]
        if isinstance(self.error, Message):
            data["error_message"] = self.error.to_json()
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EvaluationRow:
        """Read the result of :meth:`to_json`.

        Raises:
            TypeError, KeyError, ValueError: the data has another form.
        """
        known = {each.name for each in fields(cls)}
        values = {name: data[name] for name in data if name in known}
        several = ("curve", "more_prompts")
        row = cls(**values | {name: tuple(values.get(name, ())) for name in several})
        _check_row(row)
        with suppress(AttributeError, LookupError, TypeError, ValueError):
            error = Message.from_json(data["error_message"])
            if error == row.error:
                row = replace(row, error=error)
        return row


def _check_row(row: EvaluationRow) -> None:
    """Check the types of a row that was read.

    Raises:
        TypeError, ValueError: a value is of another type, or no finite number.
    """
    names = (row.system, row.case, row.prompt, row.digest, row.subset)
    if not _are_texts((*names, row.device, row.error)):
        raise TypeError("a name is no text")
    if not _are_numbers((row.area, row.encode_ms, row.click_ms)):
        raise TypeError("the area or a duration is no number")
    for metrics in (row.metrics, *row.curve):
        if not isinstance(metrics, dict) or not _are_numbers(metrics.values()):
            raise TypeError("a metric is no number")
    if any(not point.keys() >= CURVE_METRICS for point in row.curve):
        raise ValueError(f"a click lacks one of {', '.join(sorted(CURVE_METRICS))}")
    # Also of keys that are not known.
    json.dumps((row.prompts, row.more_prompts), allow_nan=False)
    try:
        _ = row.prompt_sets
    except PromptError as error:
        raise ValueError(error.message) from error


def prompts_of_row(prompts: Sequence[PromptSet]) -> dict[str, Any]:
    """The two attributes of a row for prompt sets, of which there may be none."""
    stored = [each.to_json() for each in prompts]
    first = stored[0] if stored else None
    return {"prompts": first, "more_prompts": tuple(stored[1:])}


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _are_numbers(values: Iterable[object]) -> bool:
    return all(map(is_number, values))


def upsampling_key(system: str) -> str:
    """The option's name for the upsampling of one system; see :class:`RunConfig`."""
    return f"upsampling of {system}"


def host_key(system: str) -> str:
    """The option's name for what solves one system's edge; see :class:`RunConfig`."""
    return f"host of {system}"


def source_key(system: str) -> str:
    """The option's name for the upsampling of what a host's trimap is made of."""
    return f"mask source's upsampling of {system}"


TRIMAP_KEY = "trimap network"
"""The option's name for the trimap network, where a system uses one."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The configuration of a run; a journal has only rows of one.

    Attributes:
        dataset: its name.
        layout: of the data set.
        systems: fingerprints by name.
        prompts: kinds, as text.
        options: all else that metrics depend on; the ``upsampling`` of a system with
            its own is under ``upsampling of NAME``, its host under ``host of NAME``,
            and under ``mask source's upsampling of NAME`` what precedes the host.
        cases: number of cases of the data set, of all shards.
        problems: of the data set's own, see :class:`Dataset`.
    """

    dataset: str
    layout: str
    systems: Mapping[str, str]
    prompts: tuple[str, ...]
    options: Mapping[str, str]
    cases: int
    problems: tuple[str, ...] = ()

    def model_options(self, system: str) -> Options:
        """How a model predicts mattes; journals may lack newer options."""
        common = self.options.get("upsampling", "guided")
        upsampling: Any = self.options.get(upsampling_key(system), common)
        return Options(
            None,
            upsampling,
            self.options.get("mirrored") == "yes",
            self.options.get(host_key(system), self.options.get(TRIMAP_KEY, "")),
        )

    @property
    def window(self) -> Window | None:
        """The window of grey images; None if each has its own."""
        text = self.options.get(WINDOW_KEY)
        return Window.parse(text) if text else None

    def check_fits(self, other: RunConfig, path: Path) -> None:
        """Check that this run may be added to a journal.

        Raises:
            ZimError: naming every difference.
        """
        differences: list[str] = []
        for name in ("dataset", "layout"):
            here, there = getattr(self, name), getattr(other, name)
            if here != there:
                differences.append(f"{name} is {there} there and {here} now")
        for kind in ("systems", "options"):
            mine, theirs = getattr(self, kind), getattr(other, kind)
            differences += [
                f"{name} is {theirs[name]} there and {mine[name]} now"
                for name in mine
                if name in theirs and mine[name] != theirs[name]
            ]
        # The only option that a run without it leaves out.
        if (WINDOW_KEY in self.options) != (WINDOW_KEY in other.options):
            here, there = (
                run.options.get(WINDOW_KEY, "each image's own") for run in (self, other)
            )
            differences.append(f"{WINDOW_KEY} is {there} there and {here} now")
        if differences:
            raise ZimError(
                msg(
                    "{path} holds another run: {differences}.",
                    path=path,
                    differences="; ".join(differences),
                ),
                msg("Choose another folder for the results."),
            )

    def merge(self, other: RunConfig) -> RunConfig:
        """The union of two configurations that fit, see :meth:`check_fits`."""
        prompts = dict.fromkeys((*self.prompts, *other.prompts))
        systems = dict(self.systems) | dict(other.systems)
        return RunConfig(
            self.dataset,
            self.layout,
            systems,
            tuple(prompts),
            dict(self.options) | dict(other.options),
            max(self.cases, other.cases),
            tuple(dict.fromkeys((*self.problems, *other.problems))),
        )


def journal_name(shard: Shard) -> str:
    """The file of a shard."""
    if shard == Shard():
        return "rows.jsonl"
    return f"rows-{shard.number}-of-{shard.count}.jsonl"


def find_journals(folder: Path) -> list[Path]:
    """The journals of a results folder, in order."""
    try:
        paths = [path for path in folder.iterdir() if _SHARD.fullmatch(path.name)]
    except OSError:
        return []
    return sorted(paths)


def read_journal(path: Path) -> tuple[RunConfig, dict[RowKey, EvaluationRow]]:
    """The configuration and the rows; of several rows of one key the last.

    A row without an error is not undone by a later one with an error.

    Raises:
        ZimError: the file cannot be read or is no journal.
    """
    return _parse(read_lines(path), path)


def _parse(
    lines: Iterable[bytes], path: Path
) -> tuple[RunConfig, dict[RowKey, EvaluationRow]]:
    config: RunConfig | None = None
    rows: dict[RowKey, EvaluationRow] = {}
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            if not isinstance(data, dict):
                raise TypeError("it is no object")
            if "config" in data:
                own = _config(data)
                config = own if config is None else config.merge(own)
                continue
            row = EvaluationRow.from_json(data)
        except MALFORMED as error:
            raise ZimError(
                msg(
                    "{path}, line {number}, is no row of an evaluation: {error}.",
                    path=path,
                    number=number,
                    error=str(error),
                ),
                msg("Remove the line, or choose another folder for the results."),
            ) from error
        before = rows.get(row.key)
        if (
            before is None
            or before.error
            or not row.error
            or (before.digest != row.digest)
        ):
            rows[row.key] = row
    if config is None:
        raise ZimError(msg("{path} is no journal of an evaluation.", path=path))
    return config, rows


def _config(data: Mapping[str, Any]) -> RunConfig:
    if data.get("format") != FORMAT:
        raise ValueError(f"format {data.get('format')!r} is not {FORMAT}")
    values = dict(data["config"])
    for name in ("prompts", "problems"):
        values[name] = tuple(values[name])
    config = RunConfig(**values)
    texts = [config.dataset, config.layout, *config.prompts, *config.problems]
    for mapping in (config.systems, config.options):
        texts += [*mapping.keys(), *mapping.values()]
    if not _are_texts(texts) or type(config.cases) is not int:
        raise TypeError("a value of the configuration is of another type")
    return config


def exists_error(path: Path) -> ZimError:
    """The error for an existing journal that is not to be resumed."""
    return ZimError(
        msg("{path} holds the rows of an earlier run.", path=path),
        msg("Resume it (--resume), or choose another folder for the results."),
    )


class EvaluationJournal(JournalWriter):
    """Appends rows to the journal of a run; a context manager.

    Args:
        path: need not exist; its folder is made.
        config: of the rows to come.
        resume: whether rows may be there already.

    Attributes:
        rows: of earlier runs and of this one.

    Raises:
        ZimError: the file holds another run, or rows without ``resume``, or another
            run is writing to it, or it cannot be written.
    """

    def __init__(self, path: Path, config: RunConfig, *, resume: bool) -> None:
        super().__init__(path)
        try:
            self.rows, size = self._read_earlier_rows(config, resume)
            self.truncate(size)
            self.append({"format": FORMAT, "config": asdict(config)})
        except BaseException:
            self.close()
            raise

    def _read_earlier_rows(
        self, config: RunConfig, resume: bool
    ) -> tuple[dict[RowKey, EvaluationRow], int]:
        """The rows in the file, and the number of bytes of complete lines."""
        if not self.path.stat().st_size:
            return {}, 0
        if not resume:
            raise exists_error(self.path)
        lines = read_lines(self.path)
        if not lines:  # killed in the first line
            return {}, 0
        there, rows = _parse(lines, self.path)
        config.check_fits(there, self.path)
        return rows, sum(map(len, lines))

    def add(self, row: EvaluationRow) -> None:
        """Write a row; it is on the disk when this returns.

        Raises:
            ZimError: the disk is full.
        """
        self.append(row.to_json())
        self.rows[row.key] = row


def merge_journals(
    paths: Iterable[Path],
) -> tuple[RunConfig, dict[RowKey, EvaluationRow]]:
    """The rows of several journals of one run, such as of its shards.

    Raises:
        ZimError: one cannot be read, or belongs to another run.
    """
    config: RunConfig | None = None
    rows: dict[RowKey, EvaluationRow] = {}
    for path in paths:
        own, more = read_journal(path)
        if config is not None:
            own.check_fits(config, path)
        config = own if config is None else config.merge(own)
        for key, row in more.items():
            if key not in rows or rows[key].error:
                rows[key] = row
    if config is None:
        raise ZimError(
            msg("There is no journal to merge."), msg("Name folders of results.")
        )
    return config, rows
