"""Inpainting networks on this computer: they fill holes of images, as LaMa does.

Each lies in its folder in the models folder, as one graph whose name begins with
``inpainting`` or ``lama``.
"""

from __future__ import annotations

from pathlib import Path

from zim_model.errors import WeightsError, msg
from zim_model.weights.catalogue import MODELS, find_known
from zim_model.weights.installed import (
    InstalledModel,
    find_installed,
    installed_models,
)


def inpainting_networks() -> tuple[InstalledModel, ...]:
    """The installed inpainting networks, by name."""
    return installed_models("inpainting")


def find_inpainting_network(name: str) -> Path:
    """The ONNX file of an inpainting network.

    Args:
        name: of an installed one, or the path of its file.

    Raises:
        WeightsError: there is none; the hint says how to get one.
    """
    found = find_installed(name, "inpainting")
    if found is not None:
        return found.path
    path = Path(name)
    if path.suffix == ".onnx" and path.is_file():
        return path
    known = [info.name for info in MODELS if info.kind == "inpainting"]
    info = find_known(name)
    raise WeightsError(
        msg(
            "There is no inpainting network {name} here.",
            name=info.title if info else name,
        ),
        msg(
            "Download one under Model › Manage models, or with: zim-studio models "
            "download {name}; or give an ONNX file.",
            name=name if name in known else known[0],
        ),
    )
