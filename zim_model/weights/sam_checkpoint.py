"""SAM's checkpoints: recognised, loaded whole, and taken over by a ZIM to be trained.

Those of its relatives, MobileSAM, HQ-SAM and SAM 2, are recognised and loaded likewise.

A checkpoint is a pickle of tensors (``.pth``, ``.pt``), read with ``weights_only`` so
that nothing in it is ever executed, or a safetensors file without a configuration.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor

from zim_model.errors import WeightsError, msg
from zim_model.network.build import build_zim
from zim_model.network.config import CONFIGS, VitConfig, ZimConfig, sam_variant
from zim_model.network.zim import Zim
from zim_model.weights.families import FAMILIES, SAM, find_family
from zim_model.weights.tensors import (
    check_tensor_names,
    check_tensor_shapes,
    check_tensor_values,
    load_new,
    read_state,
)

EXPECTED = msg(
    "Expected one of Meta's sam_vit_*.pth or sam2.1_hiera_*.pt files, sam_hq_vit_*.pth "
    "or mobile_sam.pt."
)
WRAPPERS = ("model", "state_dict", "model_state_dict")
"""Keys under which training programs save a model's tensors."""
WRAPPED_PREFIX = "module."
"""Before all names of a model that was saved from data-parallel training."""


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


def is_sam_safetensors(path: Path) -> bool:
    """Whether a safetensors file holds SAM's tensors and no configuration of ours.

    A file that is missing or damaged is none.
    """
    if path.suffix != ".safetensors":
        return False
    try:
        with safe_open(path, framework="pt") as file:
            ours = any(key.startswith("zim_") for key in file.metadata() or {})
            names = list(file.keys())
    except (OSError, SafetensorError):
        return False
    parts = ("image_encoder.", "mask_decoder.", "sam_mask_decoder.", "vision_encoder.")
    found = any(name.removeprefix(WRAPPED_PREFIX).startswith(parts) for name in names)
    return found and not ours


def read_sam(path: Path) -> dict[str, Tensor]:
    """The tensors of a SAM checkpoint, without the wrappers of training programs.

    Those of a relative of SAM have the names of :class:`Zim`, and the parts that images
    do not need are left out, see :mod:`zim_model.weights.families`.

    Raises:
        WeightsError: the file is missing, damaged, holds more than tensors, or those of
            another family of models.
    """
    state = read_state(path, EXPECTED)
    for wrapper in WRAPPERS:
        if isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not state:
        raise WeightsError(msg("{path} holds no named tensors.", path=path), EXPECTED)
    if any(not isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            msg("{path} is not a SAM checkpoint: not all are tensors.", path=path),
            EXPECTED,
        )
    state = {str(name).removeprefix(WRAPPED_PREFIX): v for name, v in state.items()}
    family = find_family(state)
    if family is None:
        return state
    if family.refused:
        raise WeightsError(
            msg(
                "{path} holds weights of {family}, which is not supported.",
                path=path,
                family=family.name,
            ),
            EXPECTED,
        )
    return family.own_tensors(state)


def load_sam(path: Path, config: ZimConfig | None = None) -> Zim:
    """A SAM or one of its relatives, with all the tensors of a checkpoint.

    Args:
        path: as published by the model's authors.
        config: the architecture; None takes the one that the tensors' shapes tell.

    Raises:
        WeightsError: the file is no SAM, of another size than ``config``, or a tensor
            is missing or unexpected.
    """
    state = read_sam(path)
    own = config or detect_sam_config(state, path)
    return load_new(lambda: build_zim(own), state, path)


def detect_sam_config(state: dict[str, Tensor], path: Path) -> ZimConfig:
    """The configuration of a SAM or one of its relatives, from the tensors' shapes.

    Raises:
        WeightsError: it is none of them.
    """
    for family in (*FAMILIES, SAM):
        found = family.detect(state)
        if found is not None:
            return found
    raise WeightsError(
        msg(
            "{path} is not a SAM ViT-B, ViT-L or ViT-H, MobileSAM, HQ-SAM or SAM 2 "
            "checkpoint.",
            path=path,
        ),
        EXPECTED,
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
        name = detect_sam_config(state, path).name.replace("sam", "zim")
        config = CONFIGS.get(name)
        if config is None:
            raise WeightsError(
                msg(
                    "{path} is no plain SAM with a ViT, which a ZIM grows from.",
                    path=path,
                ),
                msg("Give one of Meta's sam_vit_*.pth files."),
            )
    if config.pixel_decoder != "hierarchical" or not isinstance(
        config.encoder, VitConfig
    ):
        raise WeightsError(
            msg(
                "{name} is no ZIM that could be initialised from a SAM.",
                name=config.name,
            ),
            msg("Take a configuration such as zim-vit-b."),
        )
    with torch.device("meta"):
        check_tensor_names(Zim(sam_variant(config)), state, path)
    model = Zim(config)
    own = model.state_dict()
    fitted = {
        name: _resize_table(tensor, own[name])
        if name in own and name.endswith(_POSITIONS)
        else tensor
        for name, tensor in state.items()
        if not _is_other_head(name, tensor, own)
    }
    check_tensor_shapes(own, fitted, path)
    check_tensor_values(fitted, path)
    loaded = {name: tensor for name, tensor in fitted.items() if name in own}
    model.load_state_dict(loaded, strict=False)
    resized = (name for name in loaded if own[name].shape != state[name].shape)
    return model, LoadReport(
        loaded=tuple(loaded),
        new=tuple(name for name in own if name not in loaded),
        unused=tuple(name for name in state if name not in loaded),
        resized=tuple(resized),
    )


def _is_other_head(name: str, tensor: Tensor, own: dict[str, Tensor]) -> bool:
    fits = name in own and own[name].shape == tensor.shape
    return name.startswith(_NEW_HEADS) and not fits


def _resize_table(tensor: Tensor, like: Tensor) -> Tensor:
    """A positional table interpolated to the length or grid of another.

    One of another kind, which does not fit, stays as it is.
    """
    if tensor.ndim != like.ndim or not tensor.numel():
        return tensor
    if tensor.shape == like.shape or tensor.shape[-1] != like.shape[-1]:
        return tensor
    if tensor.ndim == 2:  # relative positions (2n - 1, d)
        rows = tensor.T[None].float()
        return F.interpolate(rows, size=len(like), mode="linear")[0].T
    grid = tensor.permute(0, 3, 1, 2).float()  # absolute positions (1, G, G, D)
    size = like.shape[1:3]
    return F.interpolate(grid, size=size, mode="bicubic").permute(0, 2, 3, 1)
