"""Known models: where their weights are, and the backend that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zim_model.assets import asset_path

if TYPE_CHECKING:
    from zim_model.backends import Backend

DEFAULT_MODEL = "zim-tiny"


def bundled_models() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    folder = asset_path("models")
    return tuple(sorted(path.stem for path in folder.glob("*.safetensors")))


def open_backend(model: str, device: str | None = None) -> Backend:
    """The backend of a bundled model or of a weight file, ready to run.

    Args:
        model: a name of :func:`bundled_models`, or the path of a weight file.
        device: where torch runs it; None takes the best of this machine.

    Raises:
        WeightsError: there is no such model, or its file cannot be used.
    """
    from zim_model.backends import TorchBackend
    from zim_model.checkpoint import load_model

    return TorchBackend(load_model(model), device)
