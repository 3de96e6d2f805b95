"""ViTMatte's published checkpoints: recognised by their tensors and loaded whole.

They are those of the Hugging Face hub (``model.safetensors``, ``pytorch_model.bin``)
and of the authors (``ViTMatte_*.pth``).  The configuration follows from the shapes.
"""

from __future__ import annotations

import re
from pathlib import Path

from torch import Tensor

from zim_model.errors import MALFORMED, WeightsError, msg
from zim_model.network.config import MAX_WINDOW, VitConfig
from zim_model.network.vitmatte import VitMatte, VitMatteConfig
from zim_model.weights.tensors import (
    check_fits,
    check_tensor_values,
    load_new,
    read_state,
)

EXPECTED = msg("Expected ViTMatte's weights from the Hugging Face hub.")
MAX_DEPTH = 64
"""Most transformer blocks."""

_RENAMES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (
            r"^backbone\.(?:embeddings\.projection|patch_embed\.proj)\.",
            "patch_embed.proj.",
        ),
        (r"^backbone\.(?:embeddings\.position_embeddings|pos_embed)$", "pos_embed"),
        (r"^backbone\.(?:encoder\.layer|blocks)\.", "blocks."),
        (r"^(blocks\.\d+)\.attention\.", r"\1.attn."),
        (r"^(blocks\.\d+\.mlp)\.fc(\d)\.", r"\1.lin\2."),
        (r"^decoder\.convstream\.", "details."),
        (r"^decoder\.fusion_(?:blocks|blks)\.(\d+)\.conv\.", r"fusions.\1."),
        (r"^decoder\.matting_head\.matting_convs\.", "head."),
        (r"^(details\.convs|fusions)\.(\d+)\.conv\.", r"\1.\2.0."),
        (r"^(details\.convs|fusions)\.(\d+)\.(?:batch_norm|bn)\.", r"\1.\2.1."),
    )
)
"""From the names of the hub and of the authors to those of :class:`VitMatte`; applied
one after the other."""


def load_vitmatte(path: Path) -> VitMatte:
    """A network with its weights, in evaluation mode, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged, unsafe or of another architecture.
    """
    tensors = _read_tensors(path)
    config = _detect_config(tensors, path)
    return load_new(lambda: VitMatte(config), tensors, path).eval()


def check_vitmatte(path: Path) -> VitMatteConfig:
    """Check that a file holds all weights of a ViTMatte, without building it.

    Returns:
        Its configuration.

    Raises:
        WeightsError: see :func:`load_vitmatte`.
    """
    tensors = _read_tensors(path)
    config = _detect_config(tensors, path)
    check_fits(lambda: VitMatte(config), tensors, path)
    check_tensor_values(tensors, path)
    return config


def _read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by the names of :class:`VitMatte`, floats as float32."""
    state = read_state(path, EXPECTED)
    if any(not isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            msg("{path} holds other things than tensors.", path=path), EXPECTED
        )
    return {
        _own_name(str(name)): value.float() if value.is_floating_point() else value
        for name, value in state.items()
    }


def _own_name(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = pattern.sub(replacement, name)
    return name


def _detect_config(tensors: dict[str, Tensor], path: Path) -> VitMatteConfig:
    """The configuration of a network from the shapes of its tensors.

    Raises:
        WeightsError: they are not a ViTMatte's.
    """
    try:
        config = _config_of({name: tuple(x.shape) for name, x in tensors.items()})
    except MALFORMED as error:
        raise WeightsError(
            msg("{path} holds no ViTMatte.", path=path), EXPECTED
        ) from error
    return config


def _config_of(shapes: dict[str, tuple[int, ...]]) -> VitMatteConfig:
    dim = shapes["patch_embed.proj.weight"][0]
    blocks = {int(n.split(".")[1]) for n in shapes if n.startswith("blocks.")}
    depth = len(blocks)
    if blocks != set(range(depth)) or not 0 < depth <= MAX_DEPTH:
        raise ValueError("blocks are missing, or there are too many")
    head = shapes["blocks.0.attn.rel_pos_h"][1]
    if dim % head:
        raise ValueError("heads of unequal widths")
    positions = [shapes[f"blocks.{i}.attn.rel_pos_h"] for i in range(depth)]
    last = tuple(
        i for i in range(depth) if f"blocks.{i}.residual.conv1.weight" in shapes
    )
    windowed = [i for i in range(depth) if i not in last]
    if positions[windowed[0]][0] > 2 * MAX_WINDOW:
        raise ValueError("the windows are too large")
    encoder = VitConfig(
        dim=dim,
        depth=depth,
        heads=dim // head,
        global_blocks=last,
        window=(positions[windowed[0]][0] + 1) // 2,
        mlp_ratio=shapes["blocks.0.mlp.lin1.weight"][0] / dim,
    )
    details = [shapes[f"details.convs.{i}.0.weight"][0] for i in range(3)]
    fusions = [shapes[f"fusions.{i}.0.weight"][0] for i in range(4)]
    return VitMatteConfig(
        name=f"ViTMatte (width {dim})",
        encoder=encoder,
        grid=(positions[last[0]][0] + 1) // 2,
        position_grid=round((shapes["pos_embed"][1] - 1) ** 0.5),
        detail_channels=(details[0], details[1], details[2]),
        fusion_channels=(fusions[0], fusions[1], fusions[2], fusions[3]),
    )
