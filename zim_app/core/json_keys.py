"""Keys of JSON that people write by hand: unknown ones are refused, not dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from zim_model.errors import ZimError, msg
from zim_model.finish import Finish
from zim_model.prompts import PromptSet
from zim_model.recipe import Recipe

PROMPT_KEYS = tuple(PromptSet().to_json())
RECIPE_KEYS = (*Recipe().to_json(), "trimap_network")
FINISH_KEYS = tuple(field.name for field in fields(Finish))
SCRIBBLE_KEYS = ("path", "positive", "region")


def check_keys(data: Any, known: Iterable[str], owner: str) -> None:
    """Check that an object of parsed JSON has no other keys; anything else passes.

    Args:
        data: the parsed JSON.
        known: the allowed keys.
        owner: what the object is, in the message.

    Raises:
        ZimError: it has; the message names the key and the allowed ones.
    """
    for key in data if isinstance(data, dict) else ():
        if key not in known:
            raise ZimError(
                msg(
                    "{owner} has the key {key!r}; allowed are {known}.",
                    owner=owner,
                    key=key,
                    known=", ".join(known),
                ),
                msg("Correct the file."),
            )


def check_scribble_keys(prompts: Any) -> None:
    """Check the keys of the scribbles of prompts in parsed JSON.

    Raises:
        ZimError: one is unknown.
    """
    scribbles = prompts.get("scribbles") if isinstance(prompts, dict) else None
    for scribble in scribbles if isinstance(scribbles, list) else ():
        check_keys(scribble, SCRIBBLE_KEYS, msg("a scribble"))


def check_recipe_keys(data: Any) -> None:
    """Check the keys of a recipe in parsed JSON, of its prompts and of its finish.

    Raises:
        ZimError: one is unknown.
    """
    check_keys(data, RECIPE_KEYS, msg("the recipe"))
    if not isinstance(data, dict):
        return
    check_keys(data.get("finish"), FINISH_KEYS, msg("the recipe's finish"))
    also = data.get("also")
    for prompts in (data.get("prompts"), *(also if isinstance(also, list) else ())):
        check_keys(prompts, PROMPT_KEYS, msg("the recipe's prompts"))
        check_scribble_keys(prompts)
