"""Hiera from the transformers package, with a channel for the label."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from zim_model.conversion.config import HieraEncoder
from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.weights.tensors import (
    OTHER_FILE,
    check_tensor_values,
    missing_file_error,
)

PATCH, PATCH_STRIDE, PATCH_PADDING = 7, 4, 3
WINDOWS, BACKGROUND = (8, 4, 14, 7), (14, 14)
"""SAM 2's attention windows by stage, and the side of its coarse position map."""
FILE = "model.safetensors"


def build_hiera(config: HieraEncoder, channels: int, image_size: int) -> nn.Module:
    """Hiera with random weights, and zeros for the channels beyond RGB.

    Its forward takes (B, channels, S, S) to features at strides 4, 8, 16 and 32.

    Raises:
        WeightsError: the transformers package is not installed.
    """
    try:
        hiera: _WindowedHiera | _PublishedHiera = (
            _WindowedHiera(config, channels)
            if config.windowed
            else _PublishedHiera(config, channels, image_size)
        )
    except ImportError as error:
        raise WeightsError(
            msg("The large converter needs the transformers package."),
            msg("Install it: pip install -e .[train]"),
        ) from error
    with torch.no_grad():
        hiera.patches.weight[:, 3:] = 0
    return hiera


def load_pretrained(hiera: nn.Module, path: Path) -> tuple[str, ...]:
    """Fill Hiera with published weights; what they lack keeps its values.

    Weights for 3 channels leave the others zero; position maps are interpolated.

    Args:
        hiera: made by :func:`build_hiera`.
        path: a ``.safetensors`` file in the transformers package's names, or a folder
            that holds one as ``model.safetensors``.

    Returns:
        Names of the tensors that found no value.

    Raises:
        WeightsError: the file is missing, damaged or of another shape.
    """
    file = path / FILE if path.is_dir() else path
    try:
        state = load_file(file)
    except FileNotFoundError as error:
        raise missing_file_error(file) from error
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            msg(
                "{file} is damaged or no safetensors file ({error}).",
                file=file,
                error=str(error),
            ),
            DOWNLOAD_AGAIN,
        ) from error
    expected = hiera.state_dict()
    placed = {}
    for name, value in expected.items():
        source = _find_tensor(state, name.removeprefix("model."))
        if source is not None:
            placed[name] = _fit_tensor(source, value, name, file)
    if not placed:
        raise WeightsError(
            msg("{file} holds no tensor of Hiera's names.", file=file), OTHER_FILE
        )
    check_tensor_values(placed, file)
    hiera.load_state_dict(placed, strict=False)
    return tuple(name for name in expected if name not in placed)


def _find_tensor(state: dict[str, Tensor], name: str) -> Tensor | None:
    """A tensor whose name ends so, as models wrap their backbones."""
    if name in state:
        return state[name]
    return next((v for key, v in state.items() if key.endswith(f".{name}")), None)


def _fit_tensor(value: Tensor, expected: Tensor, name: str, file: Path) -> Tensor:
    value = value.float()
    if value.ndim == 4 and value.shape[1] < expected.shape[1] and "proj" in name:
        wide = torch.zeros_like(expected)
        wide[:, : value.shape[1]] = value
        value = wide
    if "position_embeddings" in name and value.shape != expected.shape:
        value = _resize_positions(value, expected.shape[1])
    if value.shape != expected.shape:
        raise WeightsError(
            msg(
                "{file} is of another architecture: {name} has shape {shape}, "
                "expected {expected}.",
                file=file,
                name=name,
                shape=tuple(value.shape),
                expected=tuple(expected.shape),
            ),
            OTHER_FILE,
        )
    return value


def _resize_positions(embeddings: Tensor, tokens: int) -> Tensor:
    """A square position map (1, N, D) at another number of tokens."""
    old, new = math.isqrt(embeddings.shape[1]), math.isqrt(tokens)
    grid = embeddings.reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(new, new), mode="bicubic")
    return grid.permute(0, 2, 3, 1).reshape(1, tokens, -1)


class _PublishedHiera(nn.Module):
    """Hiera as published: attention in units, then global."""

    def __init__(self, config: HieraEncoder, channels: int, image_size: int) -> None:
        super().__init__()
        from transformers import HieraBackbone, HieraConfig

        stages = [f"stage{i + 1}" for i in range(4)]
        self.model = HieraBackbone(
            HieraConfig(
                embed_dim=config.dim,
                image_size=(image_size, image_size),
                depths=config.depths,
                num_heads=[config.heads << i for i in range(4)],
                num_channels=channels,
                # transformers' configurations take further keywords.
                out_features=stages,  # type: ignore[call-arg]
            )
        )

    @property
    def patches(self) -> nn.Conv2d:
        """The convolution that sees the pixels."""
        projection: nn.Conv2d = self.model.embeddings.patch_embeddings.projection
        return projection

    def forward(self, x: Tensor) -> list[Tensor]:
        return list(self.model(x, return_dict=True).feature_maps)


class _WindowedHiera(nn.Module):
    """SAM 2's Hiera: attention in windows but for three blocks of the third stage."""

    def __init__(self, config: HieraEncoder, channels: int) -> None:
        super().__init__()
        from transformers import Sam2HieraDetConfig
        from transformers.models.sam2.modeling_sam2 import Sam2HieraDetModel

        first, last = sum(config.depths[:2]), sum(config.depths[:3])
        # The last block of the stage, and two more, four apart (12, 16, 20 of B+).
        blocks = [i for i in (last - 9, last - 5, last - 1) if i > first]
        widths: list[Any] = [config.dim << i for i in range(4)]
        self.model = Sam2HieraDetModel(
            Sam2HieraDetConfig(
                hidden_size=config.dim,
                num_attention_heads=config.heads,
                num_channels=channels,
                patch_kernel_size=[PATCH] * 2,
                patch_stride=[PATCH_STRIDE] * 2,
                patch_padding=[PATCH_PADDING] * 2,
                query_stride=[2, 2],
                window_positional_embedding_background_size=list(BACKGROUND),
                blocks_per_stage=list(config.depths),
                embed_dim_per_stage=widths,
                num_attention_heads_per_stage=[config.heads << i for i in range(4)],
                window_size_per_stage=list(WINDOWS),
                global_attention_blocks=blocks,
            )
        )

    @property
    def patches(self) -> nn.Conv2d:
        """The convolution that sees the pixels."""
        projection: nn.Conv2d = self.model.patch_embed.projection
        return projection

    def forward(self, x: Tensor) -> list[Tensor]:
        states = self.model(x).intermediate_hidden_states
        return [state.permute(0, 3, 1, 2) for state in states]
