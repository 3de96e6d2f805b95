"""One case to look at: its picture, what was answered, and what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from zim_model.arrays import ByteArray, WordArray
from zim_model.errors import ZimError
from zim_model.evaluation.datasets import Case, Dataset
from zim_model.evaluation.html import difference
from zim_model.evaluation.journal import Config, Row
from zim_model.evaluation.prediction import Truth, prompts_of
from zim_model.evaluation.reading import as_alpha, read_image, read_matte
from zim_model.evaluation.scoring import (
    PREDICTIONS,
    THUMBNAILS,
    hardened,
    picture_path,
)
from zim_model.evaluation.systems import Index, Model, Predictions, PromptKind, System
from zim_model.matting.pyramid import picture_levels
from zim_model.prompts import PromptSet
from zim_model.request import CancelCheck, Options, Request, Upsampling

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine

MAX_PIXELS = 24_000_000
"""Four larger pictures would take more memory than looking at them is worth."""
Levels = tuple[ByteArray, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """A row that somebody wants to see.

    Attributes:
        row: measured or not.
        case: its files; None where the data set is not at hand.
        system: that answered; None where it is not known any more.
        out: folder of the results.
        upsampling: of the model's answer.
        all_cases: of the data set, among which a prediction's name must be unique.
    """

    row: Row
    case: Case | None
    system: System | None
    out: Path
    upsampling: Upsampling
    all_cases: tuple[Case, ...] = ()


def look_of(
    row: Row,
    config: Config,
    out: Path,
    known: Sequence[System],
    dataset: Dataset | None,
) -> Look:
    """Where to look for a row's pictures.

    Args:
        config: of the run that made it.
        known: systems that are known by more than their names.
        dataset: that was measured; None where it is not at hand.
    """
    cases = dataset.cases if dataset else ()
    system = next((x for x in known if x.name == row.system), None)
    if system is None and config.systems.get(row.system) != "predictions":
        system = Model.of(row.system)
    upsampling: Any = config.options.get("upsampling", "guided")
    case = next((case for case in cases if case.name == row.case), None)
    return Look(row, case, system, out, upsampling, cases)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What there is to see of a row; levels are empty where there is nothing.

    Attributes:
        look: what was wanted.
        image, truth: at 1, 1/2, 1/4, ... of their size, see :func:`picture_levels`.
        prediction, off: the answer, and its difference to the truth.
        prompts: that were given, in pixels of the whole picture.
        scale: shown pixels per pixel of the whole picture.
        exact: whether the answer is shown pixel by pixel, not as a small picture.
        problems: sentences on what is missing.
    """

    look: Look
    image: Levels = ()
    truth: Levels = ()
    prediction: Levels = ()
    off: Levels = ()
    prompts: PromptSet = field(default_factory=PromptSet)
    scale: float = 1.0
    exact: bool = False
    problems: tuple[str, ...] = ()

    @property
    def can_be_asked(self) -> bool:
        """Whether the model can make the answer that is not there as a whole."""
        return bool(
            self.image
            and self.prompts
            and not self.exact
            and isinstance(self.look.system, Model)
            and not self.look.row.error
        )


def see(look: Look) -> Sight:
    """Read what there is of a row; slow, for a worker thread."""
    if look.case is None:
        return Sight(look)
    problems: list[str] = [look.row.error] if look.row.error else []
    image = truth = None
    try:
        image = read_image(look.case.image)
    except ZimError as error:
        problems.append(str(error))
    try:
        truth = read_matte(look.case.matte)
    except ZimError as error:
        problems.append(str(error))
    sight = Sight(look, prompts=_prompts(look, truth))
    if image is not None:
        size = image.shape[0] * image.shape[1]
        sight = replace(sight, scale=min(1.0, (MAX_PIXELS / size) ** 0.5))
        sight = replace(sight, image=picture_levels(_shown(image, sight.scale)))
    if truth is not None:
        shown = _shown(_grey(truth), sight.scale)
        sight = replace(sight, truth=picture_levels(shown))
    predicted, exact = _stored(look, problems)
    if predicted is not None:
        size = (truth if truth is not None else predicted).shape
        # A whole answer of another size belongs to another picture, as its row says.
        if predicted.shape == size or not exact:
            exact = predicted.shape == size
            sight = with_prediction(sight, predicted, exact=exact)
    return replace(sight, problems=tuple(dict.fromkeys(problems)))


def with_prediction(sight: Sight, matte: WordArray, *, exact: bool) -> Sight:
    """The same with an answer (h, w), which a small picture is enlarged for."""
    grey = _grey(matte)
    base = sight.truth or sight.image
    if base:
        height, width = base[0].shape[:2]
        if grey.shape != (height, width):
            enlarged = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
            grey = np.asarray(enlarged, np.uint8)
    off: Levels = ()
    if sight.truth:
        off = picture_levels(difference(grey, sight.truth[0][..., 0]))
    return replace(
        sight, prediction=picture_levels(_coloured(grey)), off=off, exact=exact
    )


def answer(sight: Sight, engine: Engine, cancelled: CancelCheck) -> Sight:
    """Ask the model again for what was answered; for the engine's thread.

    Raises:
        ZimError: the model cannot answer any more, or its picture is gone.
        Cancelled: ``cancelled`` became true.
    """
    look = sight.look
    assert isinstance(look.system, Model)
    assert look.case is not None
    request = Request(
        read_image(look.case.image),
        f"evaluation/{look.case.image}",
        sight.prompts,
        look.system.model,
        Options(upsampling=look.upsampling),
        remembered=False,
    )
    matte = engine.solve(request, cancelled).alpha
    # As the runner does with what only gives masks.
    if engine.backend(look.system.model).config.pixel_decoder == "sam":
        matte = hardened(matte)
    return with_prediction(sight, matte, exact=True)


def _shown(pixels: ByteArray, scale: float) -> ByteArray:
    """A picture as it is shown, (h, w, 3)."""
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        smaller = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(smaller, np.uint8)
    return _coloured(pixels) if pixels.ndim == 2 else pixels


def _coloured(grey: ByteArray) -> ByteArray:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _grey(matte: WordArray) -> ByteArray:
    return np.right_shift(matte, 8).astype(np.uint8)


def _prompts(look: Look, truth: WordArray | None) -> PromptSet:
    """The prompts that were given, or those that would have been."""
    if look.row.prompts is not None:
        return look.row.prompt_set
    if look.case is None or truth is None:
        return PromptSet()
    kind = PromptKind.parse(look.row.prompt)
    if kind.kind == "clicks":  # each depends on the answer to the last
        return PromptSet()
    try:
        return prompts_of(look.case, kind, Truth(truth, as_alpha(truth), ""))
    except ZimError:
        return PromptSet()


def given_prompts(look: Look) -> PromptSet:
    """The prompts of a row without its pictures; reads the true matte if it must."""
    if look.row.prompts is not None or look.case is None:
        return look.row.prompt_set
    try:
        return _prompts(look, read_matte(look.case.matte))
    except ZimError:
        return PromptSet()


def _stored(look: Look, problems: list[str]) -> tuple[WordArray | None, bool]:
    """An answer from the disk, and whether it is the whole one."""
    row, kind = look.row, PromptKind.parse(look.row.prompt)
    if isinstance(look.system, Predictions) and look.case is not None:
        try:
            path = Index(look.system, look.all_cases).find(look.case, kind)
            return read_matte(path), True
        except ZimError as error:
            problems.append(str(error))
    for name, exact in ((PREDICTIONS, True), (THUMBNAILS, False)):
        path = picture_path(look.out, name, row.system, kind.folder, row.case)
        if path.is_file():
            try:
                return read_matte(path), exact
            except ZimError as error:
                problems.append(str(error))
    return None, False
