"""Models by name, path or id on the Hugging Face hub, whatever kind they are of."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zim_model.errors import WeightsError, msg
from zim_model.request import never_cancelled
from zim_model.weights import checkpoint, hub
from zim_model.weights.catalogue import MODELS, ModelInfo, find_known, locate
from zim_model.weights.installed import (
    ONNX_FILES,
    PRETRAINED_FILE,
    WEIGHT_SUFFIXES,
    Kind,
    find_installed,
    holds_trimap_network,
    installed_models,
)

if TYPE_CHECKING:
    from zim_model.backends.backend import Backend

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """Weights on this computer.

    Attributes:
        path: the weight file, or the folder of a pair of graphs.
        kind: what the model takes beside the image.
    """

    path: Path
    kind: Kind


def load_model(
    name_or_path: str | Path, device: str = "cpu", *, download: bool = False
) -> Any:
    """A model with its weights.

    Args:
        name_or_path: a name that ``zim-studio models list`` shows; a ``.safetensors``
            file of ours; a SAM checkpoint (``.pth``, ``.pt``, ``.safetensors``); the
            weights of a ViTMatte; a folder with ``encoder.onnx`` and ``decoder.onnx``,
            or one that :func:`~zim_model.weights.pretrained_folder.save_pretrained`
            made; or the id of a repository in the cache of the Hugging Face hub.
        device: as torch names it, for example ``"cuda"``.
        download: fetch a known model that is not on this computer, under its licence;
            otherwise the network is never used.

    Returns:
        A :class:`~zim_model.network.zim.Zim` (a SAM is one, too) or
        :class:`~zim_model.network.tiny.ZimTiny`, in evaluation mode; of a pair of
        graphs an :class:`~zim_model.onnx.backend.OnnxBackend`; of a trimap network a
        :class:`~zim_model.backends.trimap_network.TrimapNetwork`; of an automatic
        network an :class:`~zim_model.onnx.automatic.AutomaticNetwork`.

    Raises:
        WeightsError: no such model, or the file is damaged, unsafe or of another
            architecture.
        DeviceError: a model cannot run on that device.
        DownloadError: it cannot be fetched.
    """
    found = find_weights(name_or_path, download=download)
    if found is None:
        return checkpoint.load_model(name_or_path, device)  # says what is wrong
    if found.kind == "trimap":
        from zim_model.backends.trimap_network import TrimapNetwork

        return TrimapNetwork.load(found.path, device)
    if found.kind == "automatic":
        from zim_model.onnx.automatic import AutomaticNetwork
        from zim_model.weights.automatic import find_automatic

        return AutomaticNetwork(find_automatic(str(name_or_path)), device)
    if found.path.is_dir():
        from zim_model.onnx.backend import OnnxBackend

        return OnnxBackend(found.path, device)
    is_name = find_installed(str(name_or_path)) is not None
    return checkpoint.load_model(name_or_path if is_name else found.path, device)


def backend_for(model: Any, device: str | None = None) -> Backend:
    """The backend of a model as scripts hand it over: a network, or a backend itself.

    Args:
        device: where a network runs; None takes the best of this machine.

    Raises:
        WeightsError: it is neither, or a network that takes no prompts.
        DeviceError: this machine has no such device.
    """
    from zim_model.inference.oom_fallback import backend_of
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim

    if isinstance(model, Zim | ZimTiny):
        return backend_of(model, device)
    if not isinstance(model, type) and all(
        hasattr(model, name) for name in ("config", "encode", "decode")
    ):
        return cast("Backend", model)
    raise WeightsError(
        msg("{model!r:.60} is not a model that takes prompts.", model=model),
        msg("Give what load_model returns, or call ZimPredictor.from_pretrained."),
    )


def locate_prompted(name_or_path: str | Path, *, download: bool = False) -> Path:
    """The weights of a model that takes prompts, see :func:`find_weights`.

    Raises:
        WeightsError: there is no such model here, or it takes no prompts.
        DownloadError: it cannot be fetched.
    """
    found = find_weights(name_or_path, download=download)
    if found is None or found.kind != "prompt":
        return locate(str(name_or_path))  # says what is wrong
    return found.path


def find_weights(
    name_or_path: str | Path, *, download: bool = False
) -> FoundWeights | None:
    """The weights of a model on this computer; None if there are none.

    Args:
        name_or_path: as for :func:`load_model`.
        download: fetch a known model that is not there.

    Raises:
        WeightsError: the model is known, or an id of the hub, but not on this computer.
        DownloadError: it cannot be fetched.
    """
    name = _name_of(name_or_path)
    installed = find_installed(name, None)
    if installed is not None:
        return FoundWeights(installed.path, installed.kind)
    path = Path(name)
    if os.path.exists(path):  # no such file, too, where a name is too long
        return _in_path(path)
    info = find_known(name) or _known_by_hub_id(name)
    if info is not None and name != info.name:
        installed = find_installed(info.name, None)
        if installed is not None:
            return FoundWeights(installed.path, installed.kind)
    if _HUB_ID.fullmatch(name):
        cached = _in_hub_cache(name)
        if cached is not None:
            return cached
        if info is None and not path.suffix:
            raise _not_cached_error(name)
    if info is None:
        return None
    if download:
        from zim_model.weights.download import download as fetch

        model = fetch(info, lambda _: None, never_cancelled)
        return FoundWeights(model.path, model.kind)
    raise WeightsError(
        msg("{title} is not installed.", title=info.title),
        msg(
            "Download it with: zim-studio models download {model}, or say "
            "download=True. Its licence is {licence}.",
            model=info.name,
            licence=info.licence.name,
        ),
    )


def _not_cached_error(hub_id: str) -> WeightsError:
    return WeightsError(
        msg("{name} is no file, and not in the Hugging Face hub's cache.", name=hub_id),
        msg(
            "Fetch it with the hub's own client (hf download {name}), or give a "
            "file or one of: {names}.",
            name=hub_id,
            names=", ".join(model.name for model in installed_models()),
        ),
    )


def _name_of(name_or_path: Any) -> str:
    """A name or path as text.

    Raises:
        WeightsError: it is neither.
    """
    if isinstance(name_or_path, str | os.PathLike) and str(name_or_path):
        return str(name_or_path)
    raise WeightsError(
        msg("{model!r:.60} is no name of a model.", model=name_or_path),
        msg("Give the name of an installed model, or the path of a weight file."),
    )


def _known_by_hub_id(name: str) -> ModelInfo | None:
    return next((x for x in MODELS if x.source == f"{hub.HUB}/{name}"), None)


def _in_path(path: Path) -> FoundWeights | None:
    if path.is_dir():
        if all((path / name).is_file() for name in ONNX_FILES):
            return FoundWeights(path, "prompt")
        weights = path / PRETRAINED_FILE
        return _in_path(weights) if weights.is_file() else None
    if path.name in ONNX_FILES:
        return _in_path(path.parent)
    if path.suffix == ".onnx":
        return FoundWeights(path, "automatic")
    return FoundWeights(path, "trimap" if holds_trimap_network(path) else "prompt")


def _in_hub_cache(name: str) -> FoundWeights | None:
    """Weights in the newest snapshot of a repository that another program fetched."""
    folder = hub.cache_folder() / f"models--{name.replace('/', '--')}"
    try:
        main = (folder / "refs" / "main").read_text("utf-8").strip()
        snapshots = [folder / "snapshots" / main]
    except (OSError, ValueError):
        snapshots = []
    if not all(each.is_dir() for each in snapshots) or not snapshots:
        snapshots = _newest_first(folder / "snapshots")
    searches: tuple[Callable[[Path], list[Path]], ...] = (
        lambda place: [x.parent for x in sorted(place.rglob(ONNX_FILES[0]))],
        lambda place: sorted(
            x for x in place.rglob("*") if x.suffix in WEIGHT_SUFFIXES
        ),
    )
    for place in snapshots:
        for search in searches:
            found = [x for x in map(_in_path, search(place)) if x is not None]
            if found:
                return found[0]
    return None


def _newest_first(folder: Path) -> list[Path]:
    try:
        inner = [path for path in folder.iterdir() if path.is_dir()]
        return sorted(inner, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return []
