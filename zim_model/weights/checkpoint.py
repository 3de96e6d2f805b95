"""Checkpoints: save, load, and convert from SAM.

Our files are safetensors with the configuration in their metadata.  SAM's ``.pth``
files are read with ``weights_only``: nothing in them is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zim_model.assets import asset_path, bundled_weights
from zim_model.errors import WeightsError
from zim_model.network.config import CONFIGS, ModelConfig, TinyConfig, ZimConfig
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim
from zim_model.runtime.atomic_files import atomic_write
from zim_model.runtime.devices import is_out_of_memory

CONFIG_KEY = "zim_config"
TINY_KEY = "zim_tiny_config"
"""Metadata key of a configuration, of the two architectures."""
FORMAT_KEY = "zim_format"
FORMAT = "1"


class Config(Protocol):
    """An architecture."""

    @property
    def name(self) -> str: ...

    def to_json(self) -> dict[str, Any]: ...


class Network(Protocol):
    """A module that knows its architecture: a model, or a label converter."""

    @property
    def config(self) -> Config: ...

    def state_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Which tensors of a foreign checkpoint were loaded.

    Attributes:
        loaded: names in both.
        new: names that only the model has, or has in another shape; they keep their
            initial values.
        unused: names that only the checkpoint has, or has in another shape.
        resized: those of ``loaded`` that were interpolated for another input size.
    """

    loaded: tuple[str, ...]
    new: tuple[str, ...]
    unused: tuple[str, ...]
    resized: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Counts of the loaded and the other tensors, for display."""
        lines = [
            f"carried over: {_describe_names(self.loaded)}",
            f"left as initialised: {_describe_names(self.new)}",
            f"not used: {_describe_names(self.unused)}",
        ]
        if self.resized:
            lines.append(f"resized: {_describe_names(self.resized)}")
        return "\n".join(lines)


def _describe_names(names: tuple[str, ...]) -> str:
    """The number of tensors, in total and by part of the network."""
    parts = Counter(".".join(name.split(".")[:2]) for name in names)
    listed = ", ".join(f"{part} {count}" for part, count in parts.items())
    return f"{len(names)} tensors ({listed})" if names else "no tensors"


def load_model(name_or_path: str | Path, device: str = "cpu") -> Zim | ZimTiny:
    """A model with its weights, in evaluation mode.

    Args:
        name_or_path: a bundled model (``"zim-tiny"``), a ``.safetensors`` file of ours,
            or a SAM ``.pth`` file, which gives a SAM.
        device: as torch names it, for example ``"cuda"``.

    Raises:
        WeightsError: no such model, or the file is damaged, unsafe or of another
            architecture.
    """
    path = Path(name_or_path)
    if path.suffix == ".pth":
        return load_sam(path)[0].to(device).eval()
    if path.suffix != ".safetensors":
        path = asset_path("models", f"{name_or_path}.safetensors")
        if not path.is_file():
            known = [p.stem for p in bundled_weights()]
            raise WeightsError(
                f"There is no model called {str(name_or_path)!r}.",
                f"Known: {', '.join(known)}; or give a .safetensors or .pth file.",
            )
    config, tensors = read_weights(path)
    model = build(config)
    _load_strict(model, tensors, path)
    return model.to(device).eval()


def load_zim(name_or_path: str | Path, device: str = "cpu") -> Zim:
    """A ZIM or SAM with its weights, see :func:`load_model`.

    Raises:
        WeightsError: as :func:`load_model`, or the model is of zim-tiny's architecture.
    """
    model = load_model(name_or_path, device)
    if not isinstance(model, Zim):
        raise WeightsError(
            f"{name_or_path} is of zim-tiny's architecture.",
            "Give the weights of a ZIM or SAM with a ViT.",
        )
    return model


def build(config: ModelConfig) -> Zim | ZimTiny:
    """A new network of an architecture."""
    return ZimTiny(config) if isinstance(config, TinyConfig) else Zim(config)


def read_weights(path: Path) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The configuration and the float32 tensors of one of our weight files.

    Raises:
        WeightsError: see :func:`load_model`.
    """
    metadata, tensors = read_tensors(path)
    kinds: dict[str, type[ZimConfig | TinyConfig]] = {
        CONFIG_KEY: ZimConfig,
        TINY_KEY: TinyConfig,
    }
    key = next((key for key in kinds if key in metadata), None)
    if key is None:
        raise WeightsError(
            f"{path} holds weights but not for which architecture.",
            f"It must be saved by zim-studio (metadata key {CONFIG_KEY}).",
        )
    try:
        config = kinds[key].from_json(json.loads(metadata[key]))
    except ValueError as error:  # no JSON
        raise WeightsError(
            f"{path} has a malformed configuration ({error}).",
            "Download or copy it again.",
        ) from error
    except WeightsError as error:
        raise WeightsError(
            f"{path} cannot be used. {error.message}",
            error.hint or "Download or copy it again.",
        ) from error
    return config, tensors


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata of a safetensors file and its tensors, floats as float32.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist.") from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path} is damaged or no safetensors file ({error}).",
            "Download or copy it again.",
        ) from error
    floats = {
        key: value.float() if value.is_floating_point() else value
        for key, value in tensors.items()
    }
    return metadata, floats


def check_weights(path: Path) -> ModelConfig:
    """Check that a file holds all weights of a model, without building it.

    Args:
        path: one of our ``.safetensors`` files, or a SAM ``.pth`` file.

    Returns:
        The configuration of the model.

    Raises:
        WeightsError: see :func:`load_model`.
    """
    if path.suffix == ".pth":
        tensors = read_sam(path)
        config: ModelConfig = _detect_sam_config(tensors, path)
    else:
        config, tensors = read_weights(path)
    with torch.device("meta"):
        model = build(config)
    check_tensor_names(model, tensors, path)
    check_tensor_shapes(model.state_dict(), tensors, path)
    return config


def save_model(model: Zim | ZimTiny, path: Path, *, half: bool = True) -> None:
    """Write weights and configuration to a safetensors file, whole or not at all.

    Args:
        half: store 16-bit floats, except for small tensors (norms, biases).
    """
    key = TINY_KEY if isinstance(model, ZimTiny) else CONFIG_KEY
    metadata = {FORMAT_KEY: FORMAT, key: json.dumps(model.config.to_json())}
    data = save(
        {
            key: to_stored_dtype(value, half=half)
            for key, value in model.state_dict().items()
        },
        metadata,
    )
    with atomic_write(path) as file:
        file.write(data)


def to_stored_dtype(tensor: Tensor, *, half: bool = True) -> Tensor:
    """A tensor as stored in files: 16-bit floats, except for norms and biases."""
    shrink = half and tensor.is_floating_point() and tensor.ndim > 1
    return (tensor.half() if shrink else tensor).detach().cpu().contiguous()


def fingerprint(model: Network) -> str:
    """A short digest of configuration and weights: equal ones answer alike."""
    digest = hashlib.blake2b(json.dumps(model.config.to_json()).encode(), digest_size=8)
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def read_sam(path: Path) -> dict[str, Tensor]:
    """The tensors of a SAM ``.pth`` checkpoint.

    Raises:
        WeightsError: the file is missing, damaged, or holds more than tensors.
    """
    try:
        with warnings.catch_warnings():  # about a pickle's version, before it fails
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} does not exist.") from error
    except Exception as error:  # torch raises many kinds for a bad file
        if is_out_of_memory(error):
            raise
        raise WeightsError(
            f"{path} is damaged or holds more than tensors, which may be unsafe.",
            "Use the original file, or convert it to safetensors.",
        ) from error
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path} holds no named tensors.")
    if any(not isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path} is not a SAM checkpoint: not all are tensors.")
    return state


def load_sam(path: Path, config: ZimConfig | None = None) -> tuple[Zim, LoadReport]:
    """A model initialised from a SAM checkpoint.

    Args:
        path: SAM ViT-B, -L or -H as published by Meta.
        config: architecture to build; None takes the SAM of the file's width.  A ZIM
            configuration keeps its own pixel decoder and detail stream untrained.

    Raises:
        WeightsError: the file is no SAM, or of another size than ``config``.
    """
    state = read_sam(path)
    if config is None:
        config = _detect_sam_config(state, path)
    model = Zim(config)
    return model, load_sam_state(model, state, path)


def load_sam_state(model: Zim, state: dict[str, Tensor], path: Path) -> LoadReport:
    """Copy SAM's tensors into a model by name.

    Raises:
        WeightsError: a tensor has another shape than the model's.
    """
    own = model.state_dict()
    check_tensor_shapes(own, state, path)
    placed = {key: value for key, value in state.items() if key in own}
    if not placed:
        raise WeightsError(f"{path} has no tensor of SAM's names.")
    model.load_state_dict(placed, strict=False)
    return LoadReport(
        loaded=tuple(placed),
        new=tuple(key for key in own if key not in state),
        unused=tuple(key for key in state if key not in own),
    )


_POSITIONS = ("pos_embed", "rel_pos_h", "rel_pos_w")
"""Ends of the names of tensors whose size follows from the input's."""
_NEW_HEADS = "mask_decoder.output_hypernetworks_mlps"
"""Their last layers make kernels as long as the pixel decoder is wide."""


def zim_from_sam(path: Path, config: ZimConfig | None = None) -> tuple[Zim, LoadReport]:
    """A ZIM to be trained, initialised from a SAM checkpoint as the paper does.

    The image encoder, the prompt encoder, the transformer, the tokens, the IoU head and
    the hypernetworks (their last layers only where the pixel decoder has SAM's width)
    come from SAM; the detail stream and the pixel decoder are new.

    Args:
        path: SAM ViT-B, -L or -H as published by Meta.
        config: a configuration with ZIM's pixel decoder; None takes ZIM's of the
            file's width.  Its input may be of another size than SAM's: positional
            tables are then interpolated.

    Returns:
        The model, in training mode, and what was carried over.

    Raises:
        WeightsError: the file is no SAM, unsafe, or does not fit ``config``.
    """
    state = read_sam(path)
    if config is None:
        config = CONFIGS[_detect_sam_config(state, path).name.replace("sam", "zim")]
    if config.pixel_decoder != "hierarchical" or config.cue_channels:
        raise WeightsError(
            f"{config.name} is no ZIM that could be initialised from a SAM.",
            "Take a configuration such as zim-vit-b.",
        )
    model = Zim(config)
    own = model.state_dict()
    fitted = {
        name: _resize_table(tensor, own[name])
        if name in own and name.endswith(_POSITIONS)
        else tensor
        for name, tensor in state.items()
        if not _is_other_head(name, tensor, own)
    }
    report = load_sam_state(model, fitted, path)
    left = tuple(name for name in state if name not in fitted)
    resized = tuple(
        name
        for name in report.loaded
        if name.endswith(_POSITIONS) and own[name].shape != state[name].shape
    )
    return model, replace(report, unused=report.unused + left, resized=resized)


def _is_other_head(name: str, tensor: Tensor, own: dict[str, Tensor]) -> bool:
    fits = name in own and own[name].shape == tensor.shape
    return name.startswith(_NEW_HEADS) and not fits


def _resize_table(tensor: Tensor, like: Tensor) -> Tensor:
    """A positional table interpolated to the length or grid of another."""
    if tensor.shape == like.shape or tensor.shape[-1] != like.shape[-1]:
        return tensor
    if tensor.ndim == 2:  # relative positions (2n - 1, d)
        rows = tensor.T[None].float()
        return F.interpolate(rows, size=len(like), mode="linear")[0].T
    grid = tensor.permute(0, 3, 1, 2).float()  # absolute positions (1, G, G, D)
    size = like.shape[1:3]
    return F.interpolate(grid, size=size, mode="bicubic").permute(0, 2, 3, 1)


def _detect_sam_config(state: dict[str, Tensor], path: Path) -> ZimConfig:
    embed = state.get("image_encoder.pos_embed")
    for config in CONFIGS.values():
        dim = getattr(config.encoder, "dim", None)
        if config.pixel_decoder == "sam" and embed is not None:
            grid = embed.shape[1]
            if dim == embed.shape[-1]:
                return replace(config, image_size=16 * grid)
    raise WeightsError(
        f"{path} is not a SAM ViT-B, ViT-L or ViT-H checkpoint.",
        "Expected one of Meta's sam_vit_*.pth files.",
    )


def _load_strict(model: Zim | ZimTiny, tensors: dict[str, Tensor], path: Path) -> None:
    check_tensor_names(model, tensors, path)
    check_tensor_shapes(model.state_dict(), tensors, path)
    model.load_state_dict(tensors)


def check_tensor_names(model: Network, tensors: dict[str, Tensor], path: Path) -> None:
    """Check that a file holds all tensors of a model and no others.

    Raises:
        WeightsError: it does not.
    """
    own = model.state_dict()
    missing = [key for key in own if key not in tensors]
    extra = [key for key in tensors if key not in own]
    if missing or extra:
        raise WeightsError(
            f"{path} does not fit {model.config.name}: {len(missing)} tensors missing "
            f"({', '.join(missing[:3])}), {len(extra)} unknown "
            f"({', '.join(extra[:3])}).",
            "It was made by another version or for another architecture.",
        )


def check_tensor_shapes(
    expected: dict[str, Tensor], loaded: dict[str, Tensor], path: Path
) -> None:
    """Check that a file's tensors have the shapes of a model's own.

    Raises:
        WeightsError: a shape differs.
    """
    for key, tensor in loaded.items():
        if key in expected and expected[key].shape != tensor.shape:
            raise WeightsError(
                f"{path} is of another architecture: {key} has shape "
                f"{tuple(tensor.shape)}, expected {tuple(expected[key].shape)}."
            )
