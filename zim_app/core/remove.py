"""Cut-outs and mattes in one call, as ``zim-studio matte`` makes them.

:func:`remove` and :func:`matte` are offered as ``zim_model.remove`` and
``zim_model.matte``.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ImageColor

from zim_app.core.export import encode
from zim_app.core.export_options import ExportOptions
from zim_app.core.formats import BY_ID
from zim_app.core.image_sources import ImageSource, read_source, result_like
from zim_app.core.images import Image
from zim_app.core.rendering import ExportTarget, render
from zim_model.arguments import check_number, is_finite
from zim_model.errors import MALFORMED, PromptError, ZimError, msg
from zim_model.finish import STANDARD_FINISH
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import CancelCheck, Request, never_cancelled
from zim_model.runtime.devices import DeviceChoice
from zim_model.weights.catalogue import DEFAULT_MODEL
from zim_model.weights.installed import find_installed

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine
    from zim_model.inference.subject import SubjectSelector

Colour = Sequence[float] | str
"""Three whole numbers of 0 to 255 or three floats of 0 to 1, sRGB; or a name or
``#RRGGBB`` as in CSS."""
_log = logging.getLogger(__name__)


class Remover:
    """Removes backgrounds with one engine, which threads use one after the other.

    Args:
        device: where models run; the default is the best of this machine.
    """

    def __init__(self, device: DeviceChoice = DeviceChoice()) -> None:  # noqa: B008
        self._device, self._lock = device, threading.Lock()
        self._loaded: tuple[Engine, SubjectSelector] | None = None

    def prepare(self, model: str) -> None:
        """Load a model that takes prompts, so that the first call need not wait.

        Raises:
            WeightsError: it cannot be loaded.
            DeviceError: this machine lacks the device.
        """
        with self._lock:
            engine, _ = self._open()
            engine.backend(model)

    def remove(
        self,
        image: ImageSource,
        *,
        box: Sequence[float] | None = None,
        points: Iterable[Sequence[float]] | None = None,
        subject: bool | str | Path = True,
        model: str = DEFAULT_MODEL,
        only_mask: bool = False,
        background: Colour | Path | None = None,
        decontaminate: float | None = None,
        cancelled: CancelCheck = never_cancelled,
    ) -> Any:
        """See :func:`remove`.

        Args:
            cancelled: polled between steps.

        Raises:
            Cancelled: ``cancelled`` became true.
        """
        if not isinstance(subject, bool | str | Path):
            raise ZimError(
                msg("{subject!r} names no automatic network.", subject=subject),
                msg("Give subject=True, False, or the name or file of a network."),
            )
        options = _options(background, decontaminate, only_mask=only_mask)
        recipe = _recipe(box, points, model)
        picture = read_source(image)
        if picture.notice is not None:
            _log.warning("%s", picture.notice.text)
        with self._lock:
            target = self._solve(picture, recipe, subject, cancelled)
        if isinstance(image, bytes | bytearray | memoryview):
            return encode(picture, [target], options, cancelled=cancelled)
        pixels, tags = render(
            picture, [target], BY_ID["png"], options, cancelled=cancelled
        )
        assert isinstance(pixels, np.ndarray)  # a PNG has no layers
        return result_like(image, pixels, tags)

    def _solve(
        self,
        image: Image,
        recipe: Recipe,
        subject: bool | str | Path,
        cancelled: CancelCheck,
    ) -> ExportTarget:
        """The matte of an image as what is exported of it."""
        automatic = "" if isinstance(subject, bool) else str(subject)
        if find_installed(recipe.model, "automatic") is not None:
            automatic, recipe = recipe.model, replace(recipe, model=DEFAULT_MODEL)
        engine, selector = self._open()
        request = Request(image.rgb, image.key, recipe)
        if automatic or (subject and not recipe.has_prompts):
            request = replace(
                request, recipe=selector.select(request, automatic, cancelled)
            )
        matte = engine.solve(request.validate(), cancelled)
        for note in matte.timings.notes:
            _log.warning("%s", note)
        return ExportTarget(matte.alpha)

    def _open(self) -> tuple[Engine, SubjectSelector]:
        if self._loaded is None:
            from zim_model.inference.engine import Engine
            from zim_model.inference.subject import SubjectSelector

            engine = Engine()
            if self._device != DeviceChoice():
                engine.set_device(self._device)
            self._loaded = engine, SubjectSelector(engine)
        return self._loaded


_shared = Remover()
_of_parents: list[Remover] = []
"""Keeps what a fork has copied: a session that is freed waits for its threads, which
the child does not have."""


def _reset() -> None:
    """After a fork: sessions and locks of the parent cannot be used."""
    global _shared
    _of_parents.append(_shared)
    _shared = Remover()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset)


def remove(
    image: ImageSource,
    *,
    box: Sequence[float] | None = None,
    points: Iterable[Sequence[float]] | None = None,
    subject: bool | str | Path = True,
    model: str = DEFAULT_MODEL,
    only_mask: bool = False,
    background: Colour | Path | None = None,
    decontaminate: float | None = None,
) -> Any:
    """An image without its background, of the kind that was given.

    The pipeline and its defaults are those of ``zim-studio matte``.  One engine is kept
    for the process; threads may call at the same time and take turns.

    Args:
        image: the path of a photo or the bytes of its file; a PIL image; or an array,
            (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, of uint8, uint16 or floats
            from 0 to 1, sRGB.  Its own transparency stays transparent.
        box: left, top, right and bottom around the object, in pixels of the upright
            image.
        points: ``(x, y)`` on the object, or ``(x, y, label)`` with 0 for the
            background and 1 for the object, in pixels.
        subject: find the main object where there is neither box nor points; or the name
            or path of an automatic network that finds it, which box and points correct.
        model: an installed model, a weight file, or a folder of ``save_pretrained``; an
            automatic network, such as ``"isnet-general-use"``, is taken as ``subject``.
        only_mask: the matte alone: grey, (H, W).
        background: a colour, or the path of a photo, to composite the object over; the
            result is RGB then.
        decontaminate: 0 to 1, remove the old background's colour from the soft edge;
            None is the default of ``zim-studio matte``, 0.

    Returns:
        For bytes, those of a PNG at the image's depth, with its colour profile; for a
        path or a PIL image a PIL image of 8 bits; for an array one of its dtype.  RGBA
        with straight alpha, unless ``only_mask`` or ``background`` say otherwise.

    Raises:
        ImageError: the image cannot be read, or has another form.
        PromptError: box or points cannot be used on it, or there are none and
            ``subject`` is false.
        WeightsError: there is no such model.
        ZimError: no object was found, or an option is out of range.
    """
    return _shared.remove(
        image,
        box=box,
        points=points,
        subject=subject,
        model=model,
        only_mask=only_mask,
        background=background,
        decontaminate=decontaminate,
    )


def matte(
    image: ImageSource,
    *,
    box: Sequence[float] | None = None,
    points: Iterable[Sequence[float]] | None = None,
    subject: bool | str | Path = True,
    model: str = DEFAULT_MODEL,
) -> Any:
    """The matte of an image's object: :func:`remove` with ``only_mask``."""
    return _shared.remove(
        image, box=box, points=points, subject=subject, model=model, only_mask=True
    )


def _recipe(
    box: Sequence[float] | None,
    points: Iterable[Sequence[float]] | None,
    model: str,
) -> Recipe:
    if not isinstance(model, str | os.PathLike):
        raise ZimError(
            msg("{model!r:.40} is no model.", model=model),
            msg("Give the name of an installed model, or the path of a weight file."),
        )
    prompts = PromptSet(_points(points), _box(box))
    if prompts.looks_relative:
        raise PromptError(
            msg("All coordinates are from 0 to 1, but pixels are meant."),
            msg("Give pixels from the top left."),
        )
    return Recipe(prompts, model=os.fspath(model), finish=STANDARD_FINISH)


def _points(points: Iterable[Sequence[float]] | None) -> tuple[Point, ...]:
    try:
        rows = [tuple(map(float, row)) for row in (() if points is None else points)]
        if all(len(row) in (2, 3) and row[2:] in ((), (0,), (1,)) for row in rows):
            return tuple(Point(row[0], row[1], row[2:] != (0,)) for row in rows)
    except MALFORMED:
        pass
    raise PromptError(
        msg("The points are {points!r:.60}.", points=points),
        msg("Give a list of (x, y), or of (x, y, label) with label 0 or 1."),
    )


def _box(box: Sequence[float] | None) -> Box | None:
    if box is None:
        return None
    try:
        return Box.from_corners(*map(float, box))
    except MALFORMED as error:
        raise PromptError(
            msg("The box is {box!r:.60}.", box=box),
            msg("Give four numbers: left, top, right, bottom, in pixels."),
        ) from error


def _options(
    background: Colour | Path | None, decontaminate: float | None, *, only_mask: bool
) -> ExportOptions:
    """The export options, checked.

    Raises:
        ZimError: the background or the amount cannot be used.
    """
    amount = 0.0 if decontaminate is None else decontaminate
    check_number("decontaminate", amount, 0, 1)
    options = ExportOptions(decontaminate=float(amount))
    if only_mask:
        return replace(options, what="matte").validate()
    if isinstance(background, Path):
        options = replace(options, what="composite", background_image=background)
    elif background is not None:
        options = replace(options, what="composite", background=_rgb(background))
    return options.validate()


def _rgb(colour: Colour) -> tuple[int, int, int]:
    try:
        if isinstance(colour, str):
            red, green, blue = ImageColor.getrgb(colour)[:3]
            return red, green, blue
        values = [np.asarray(value)[()] for value in colour]
        whole = all(isinstance(value, Integral) for value in values)
        full = 255 if whole else 1
        if all(is_finite(value) and 0 <= value <= full for value in values):
            red, green, blue = (round(255 // full * float(x)) for x in values)
            return red, green, blue
    except MALFORMED:
        pass
    raise ZimError(
        msg("The background {colour!r:.60} is no colour.", colour=colour),
        msg(
            "Give three whole numbers of 0 to 255, three floats of 0 to 1, #RRGGBB, or "
            "the Path of a photo."
        ),
    )
