"""Trimap networks on this computer: they refine a matte where a trimap is unknown.

They are ViTMatte's checkpoints, of the catalogue or any other, each in its folder in
the models folder, see :mod:`zim_model.weights.installed`.
"""

from __future__ import annotations

from pathlib import Path

from zim_model.errors import WeightsError, msg
from zim_model.weights.catalogue import MODELS, find_known
from zim_model.weights.installed import (
    HUB_SUFFIX,
    WEIGHT_SUFFIXES,
    InstalledModel,
    find_installed,
    installed_models,
)

CLOSED_FORM = "closed-form"
"""In place of a network's name: :mod:`zim_model.matting.closed_form`, always here."""


def trimap_networks() -> tuple[InstalledModel, ...]:
    """The installed trimap networks: those of the catalogue in its order, then others.

    The first one is taken where none is named.
    """
    order = [info.name for info in MODELS]

    def rank(model: InstalledModel) -> int:
        return order.index(model.name) if model.name in order else len(order)

    return tuple(sorted(installed_models("trimap"), key=rank))


def find_trimap_network(name: str = "") -> InstalledModel:
    """The trimap network of that name, or in the weight file of that path.

    Args:
        name: empty for the first installed one.

    Raises:
        WeightsError: there is none; the hint says how to get one.
    """
    networks = trimap_networks()
    found = next((model for model in networks if name in ("", model.name)), None)
    if found is not None:
        return found
    path = Path(name)
    elsewhere = name.startswith(("//", "\\\\"))  # such as in a stranger's recipe
    if (
        path.suffix in (*WEIGHT_SUFFIXES, HUB_SUFFIX)
        and not elsewhere
        and path.is_file()
    ):
        return InstalledModel(path.stem, path, path.stat().st_size, kind="trimap")
    known = [info.name for info in MODELS if info.kind == "trimap"]
    wanted = name if name in known else known[0]
    cure = msg(
        "Download one under Model › Manage models, or with: zim-studio models download "
        "{name}",
        name=wanted,
    )
    if not name:
        raise WeightsError(msg("No trimap network is installed."), cure)
    if find_installed(name) is not None:
        raise WeightsError(msg("{name} is no trimap network.", name=name), cure)
    info = find_known(name)
    raise WeightsError(
        msg(
            "The trimap network {name} is not installed.",
            name=info.title if info else name,
        ),
        cure,
    )
