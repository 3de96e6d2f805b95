"""Systems: models, and folders of predictions of other programs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from zim_model.errors import ZimError, msg
from zim_model.evaluation.datasets import IMAGE_SUFFIXES, Case
from zim_model.evaluation.journal import (
    TRIMAP_KEY,
    host_key,
    source_key,
    upsampling_key,
)
from zim_model.evaluation.modes import MODES
from zim_model.recipe import TRIMAP_SOURCE, Upsampling
from zim_model.runtime.atomic_files import read_error
from zim_model.weights.installed import HUB_SUFFIX, WEIGHT_SUFFIXES
from zim_model.weights.trimap import (
    CLOSED_FORM,
    find_trimap_network,
    trimap_networks,
)

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

MAX_CLICKS = 50
_PROMPT = re.compile(r"point|box|mode[1-5]|clicks(?::(\d+))?")
PROMPT_KINDS = msg("Use point, box, clicks:N or mode1 to mode5.")
"""Advice on kinds of prompts."""
DEFAULT_CLICKS = 20
HOST_SEPARATOR = " / "
"""Between a host and its mask source in the name of a system."""


@dataclass(frozen=True, slots=True)
class PromptKind:
    """How the prompts of a case are made.

    Attributes:
        kind: ``point`` takes the given points, or one click in the object's middle;
            ``box`` the given box, or the tight one; ``clicks`` lets the standard
            clicker make ``count`` clicks, and ``mode1`` to ``mode5`` are those of
            :mod:`zim_model.evaluation.modes`, whatever is given.
        count: of clicks; 0 for the other kinds.
    """

    kind: str
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> PromptKind:
        """Read ``point``, ``box``, ``clicks``, ``clicks:N`` or ``mode1`` to ``mode5``.

        Raises:
            ZimError: it is none of these, or N is out of range.
        """
        match = _PROMPT.fullmatch(text.strip())
        if match is None:
            raise ZimError(
                msg("{text!r} is no kind of prompt.", text=text),
                PROMPT_KINDS,
            )
        kind = match[0].partition(":")[0]
        count = int(match[1] or DEFAULT_CLICKS) if kind == "clicks" else 0
        if kind == "clicks" and not 1 <= count <= MAX_CLICKS:
            raise ZimError(
                msg("{text!r}: use 1 to {limit} clicks.", text=text, limit=MAX_CLICKS)
            )
        return cls(kind, count)

    def __str__(self) -> str:
        return f"{self.kind}:{self.count}" if self.count else self.kind

    @property
    def is_mode(self) -> bool:
        """Whether it is a mode of the protocol for medical images."""
        return self.kind in MODES

    @property
    def folder(self) -> str:
        """As part of a file name: ``clicks20``."""
        return f"{self.kind}{self.count or ''}"

    @property
    def file_names(self) -> tuple[str, ...]:
        """Its possible names in a folder of predictions."""
        also = {"box": ("bbox",), "clicks": ("clicks",)}
        return (self.folder, *also.get(self.kind, ()))


@dataclass(frozen=True, slots=True)
class ModelSystem:
    """A model that the engine runs.

    Attributes:
        model: a name or weight file, see :func:`zim_model.weights.catalogue.locate`.
        name: in the report.
        upsampling: of its mattes; None takes the run's.
        host: the system that the model is the mask source of: closed-form matting or a
            trimap network, which solves the edge of its mattes; empty for none.
    """

    model: str
    name: str
    upsampling: Upsampling | None = None
    host: str = ""

    @classmethod
    def from_name(cls, model: str) -> ModelSystem:
        """A model under its own name; a weight file goes with its folder's."""
        return cls(model, _title(model))

    @classmethod
    def from_report(cls, name: str) -> ModelSystem:
        """The model that a line of a report names, with its upsampling and host."""
        host, separator, source = name.rpartition(HOST_SEPARATOR)
        if separator:
            model = cls.from_report(source).model
            return cls(model, name, upsampling="trimap", host=host)
        for upsampling in get_args(Upsampling):
            model = name.removesuffix(_own_upsampling(upsampling))
            if model != name:
                return cls.from_name(model).with_upsampling(upsampling)
        return cls.from_name(name)

    def with_upsampling(self, upsampling: Upsampling) -> ModelSystem:
        """The same model with an upsampling of its own, which its name tells."""
        name = self.name + _own_upsampling(upsampling)
        return replace(self, name=name, upsampling=upsampling)

    def with_host(self, host: str) -> ModelSystem:
        """The same model as the mask source of a host.

        Its name tells both, and the upsampling of the matte that the host's trimap is
        made of.
        """
        source = self.name + _own_upsampling(TRIMAP_SOURCE)
        name = f"{_title(host)}{HOST_SEPARATOR}{source}"
        return replace(self, name=name, upsampling="trimap", host=host)


def _title(model: str) -> str:
    """A model's name in a report; a weight file goes with its folder's."""
    path = Path(model)
    if path.suffix in (*WEIGHT_SUFFIXES, HUB_SUFFIX):
        return f"{path.resolve().parent.name}/{path.stem}"
    return model


def parse_hosts(text: str) -> tuple[str, ...]:
    """The hosts of ``none``, ``trimap`` or ``trimap:NAME``, several with commas.

    ``trimap`` takes closed-form matting and all installed trimap networks; the NAME may
    be that of one, or its weight file.

    Returns:
        As of :attr:`ModelSystem.host`.

    Raises:
        ZimError: a part is none of these, or there is no such network.
    """
    hosts: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        kind, colon, name = part.partition(":")
        if part == "none":
            hosts.append("")
        elif part == "trimap":
            hosts += [CLOSED_FORM, *(network.name for network in trimap_networks())]
        elif kind == "trimap" and colon and name:
            if name != CLOSED_FORM:
                find_trimap_network(name)
            hosts.append(name)
        else:
            raise ZimError(
                msg("{text!r} is no refinement.", text=part),
                msg("Use none, trimap, trimap:closed-form or trimap:NAME."),
            )
    return tuple(dict.fromkeys(hosts))


def upsampling_options(systems: Iterable[System], common: Upsampling) -> dict[str, str]:
    """What the configuration of a run says about upsampling, see :class:`RunConfig`.

    Args:
        common: the upsampling of models without one of their own.

    Raises:
        WeightsError: a model's edge is to be solved, and no trimap network is
            installed.
    """
    models = [system for system in systems if isinstance(system, ModelSystem)]
    own = {upsampling_key(m.name): m.upsampling for m in models if m.upsampling}
    hosts = {host_key(m.name): m.host for m in models if m.host}
    sources = {source_key(m.name): TRIMAP_SOURCE for m in models if m.host}
    options: dict[str, str] = {"upsampling": common, **own, **hosts, **sources}
    if "trimap" in {model.upsampling or common for model in models if not model.host}:
        options[TRIMAP_KEY] = find_trimap_network().name
    return options


def _own_upsampling(upsampling: Upsampling) -> str:
    return f" ({upsampling})"


@dataclass(frozen=True, slots=True)
class PredictionFolder:
    """Predictions of another program, as files.

    The prediction for a case ``fine/0001_01`` with a box is looked up, without its
    suffix, as

    1. ``box/fine/0001_01`` or ``fine/box/0001_01``,
    2. ``fine/0001_01_box`` or ``fine/0001_01-box``,
    3. ``fine/0001_01``, one prediction for all prompts,

    and then as the same without ``fine/``, if no other case of the data set is called
    ``0001_01``.  ``bbox`` does for ``box``; ``clicks:20`` is ``clicks20`` or
    ``clicks``.

    Attributes:
        name: of the system in the report.
        folder: of images, 8 or 16 bits of grey, of the images' sizes.
    """

    name: str
    folder: Path

    def __post_init__(self) -> None:
        """Take the folder's path as text, too."""
        object.__setattr__(self, "folder", Path(self.folder))

    @classmethod
    def parse(cls, text: str) -> PredictionFolder:
        """Read ``NAME=DIR``.

        Raises:
            ZimError: it has another form, or there is no such folder.
        """
        name, equals, folder = text.partition("=")
        if not (name.strip() and equals and folder):
            raise ZimError(msg("{text!r} is not of the form NAME=DIR.", text=text))
        if not Path(folder).is_dir():
            raise ZimError(
                msg("{folder} is no folder.", folder=folder),
                msg("Give the folder of predictions."),
            )
        return cls(name.strip(), Path(folder))


System = ModelSystem | PredictionFolder


def check_unique_names(names: Iterable[str]) -> None:
    """Check that there are names of systems, and that they differ.

    Raises:
        ZimError: names are equal, or there is no system.
    """
    counts = Counter(names)
    if not counts:
        raise ZimError(
            msg("There is nothing to evaluate."), msg("Name a model or predictions.")
        )
    for name, count in counts.items():
        if count > 1:
            raise ZimError(
                msg("{count} systems are called {name!r}.", count=count, name=name),
                msg("Rename one."),
            )


class PredictionIndex:
    """Index of a system's files; made once per run."""

    def __init__(self, predictions: PredictionFolder, cases: Iterable[Case]) -> None:
        self._name = predictions.name
        folder = predictions.folder
        try:
            self._files = {
                path.relative_to(folder).with_suffix("").as_posix(): path
                for path in sorted(folder.rglob("*"))
                if path.suffix.lower() in IMAGE_SUFFIXES
            }
        except OSError as error:
            raise read_error(folder, error) from error
        self._folder = folder
        self._same_stem = Counter(case.name.rpartition("/")[2] for case in cases)

    def find(self, case: Case, prompt: PromptKind) -> Path:
        """The file of a case's prediction.

        Raises:
            ZimError: there is none.
        """
        for name in self._names(case, prompt):
            if name in self._files:
                return self._files[name]
        raise ZimError(
            msg(
                "{self_name} has no prediction of {case_name} with {prompt}: looked "
                "for {file} in {folder}.",
                self_name=self._name,
                case_name=case.name,
                prompt=prompt,
                file=next(self._names(case, prompt)),
                folder=self._folder,
            )
        )

    def _names(self, case: Case, prompt: PromptKind) -> Iterator[str]:
        subset, _, stem = case.name.rpartition("/")
        folders = [f"{subset}/"] if subset else [""]
        if subset and self._same_stem[stem] == 1:
            folders.append("")
        for folder in folders:
            for prompt_name in prompt.file_names:
                yield f"{prompt_name}/{folder}{stem}"
                yield f"{folder}{prompt_name}/{stem}"
                yield f"{folder}{stem}_{prompt_name}"
                yield f"{folder}{stem}-{prompt_name}"
            yield f"{folder}{stem}"


def fingerprint(system: System, engine: Engine | None) -> str:
    """Digest of a system; a folder's predictions have digests row by row.

    Raises:
        WeightsError: the model cannot be loaded.
        DeviceError: its device is missing.
    """
    if isinstance(system, PredictionFolder) or engine is None:
        return "predictions"
    # After the weights' own fingerprint comes the device, which may differ.
    own = engine.backend(system.model).fingerprint.partition("/")[0]
    return f"{own} in {_host_fingerprint(system.host)}" if system.host else own


def _host_fingerprint(host: str) -> str:
    """Digest of a host's weights.

    Raises:
        WeightsError: they are no trimap network's.
    """
    if host == CLOSED_FORM:
        return host
    from zim_model.weights.vitmatte_checkpoint import check_vitmatte

    path = find_trimap_network(host).path
    check_vitmatte(path)
    return file_digest(path)


def predicts_masks(system: System, common: Upsampling, engine: Engine | None) -> bool:
    """Whether a system predicts masks, which are binarised before they are scored.

    Args:
        common: the upsampling of models without one of their own.
    """
    if isinstance(system, PredictionFolder) or engine is None:
        return False
    if (system.upsampling or common) == "trimap":  # a matte of a mask
        return False
    return engine.backend(system.model).config.binary


def file_digest(path: Path) -> str:
    """Digest of a prediction's content; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""
