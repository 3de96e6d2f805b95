"""The main object of an image as a recipe, without any prompt of the user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from zim_model.errors import ZimError, msg
from zim_model.imported_mask import ImportedMask
from zim_model.recipe import Recipe
from zim_model.request import (
    CancelCheck,
    Request,
    never_cancelled,
    raise_if_cancelled,
)
from zim_model.weights.automatic import find_automatic

if TYPE_CHECKING:
    from zim_model.inference.automatic import FoundObject
    from zim_model.onnx.automatic import AutomaticNetwork


class SubjectEngine(Protocol):
    """The part of :class:`~zim_model.inference.engine.Engine` that is used."""

    @property
    def device(self) -> str | None:
        """The device that was chosen for models; None takes the best."""

    def subject(
        self, request: Request, cancelled: CancelCheck = ...
    ) -> FoundObject | None:
        """The main object of the request's image."""


class SubjectSelector:
    """Selects main objects, and keeps the automatic network that was used last.

    Args:
        engine: finds objects where no automatic network is named; those run on its
            device, too.
    """

    def __init__(self, engine: SubjectEngine) -> None:
        self._engine = engine
        self._network: AutomaticNetwork | None = None

    def select(
        self,
        request: Request,
        automatic: str = "",
        cancelled: CancelCheck = never_cancelled,
    ) -> Recipe:
        """The request's recipe with the main object added to it.

        Prompts of the recipe stay; they add to the object or subtract from it.

        Args:
            automatic: the name of an automatic network, whose matte becomes an imported
                mask, see :mod:`zim_model.weights.automatic`; without one the request's
                model finds the object, and the prompts for it are taken.

        Raises:
            ZimError: there is no such network, or no object was found.
            Cancelled: ``cancelled`` became true.
        """
        if automatic:
            network = self._load(automatic)
            raise_if_cancelled(cancelled)
            level = network.predict(request.image)
            raise_if_cancelled(cancelled)
            mask = ImportedMask.from_level(level, refine=False)
            return replace(request.recipe, masks=(*request.recipe.masks, mask))
        found = self._engine.subject(request, cancelled)
        if found is None:
            raise ZimError(
                msg("No object was found in this photo."),
                msg("Give it prompts instead."),
            )
        prompts = replace(
            request.recipe.prompts,
            points=(*found.prompts.points, *request.recipe.prompts.points),
            box=request.recipe.prompts.box or found.prompts.box,
        )
        options = replace(request.recipe.options, candidate=found.candidate)
        return replace(request.recipe, prompts=prompts, options=options)

    def _load(self, name: str) -> AutomaticNetwork:
        from zim_model.onnx.automatic import AutomaticNetwork

        wanted = find_automatic(name), self._engine.device
        network = self._network
        if network is None or (network.model, network.device) != wanted:
            self._network = network = None  # free its memory before the next takes more
            self._network = network = AutomaticNetwork(*wanted)
        return network
