"""SAM's relatives: their published checkpoints, by the names of the tensors.

A family's tensors are renamed to those of :class:`~zim_model.network.zim.Zim`.  What
images do not need is left out by name; everything else has to be there, and nothing
more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from zim_model.network.config import MAX_DEPTH, MAX_WINDOW, MOBILE_SAM, ZimConfig
from zim_model.network.encoder_configs import TinyVitConfig

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name."""
_MALFORMED = (KeyError, IndexError, ValueError, ZeroDivisionError)


def _unknown(_shapes: Shapes) -> ZimConfig | None:
    return None


@dataclass(frozen=True, slots=True)
class CheckpointFamily:
    """A layout of checkpoints.

    Attributes:
        name: for messages.
        sign: beginning of the names of tensors that only this family has.
        config: from the tensors' shapes, by the names of ``Zim``; None if they are not
            this family's.
        left_out: patterns of the names of tensors that images do not need.
        renames: patterns and what replaces them, one after the other.
        refused: whether such weights are recognised only to say so.
    """

    name: str
    sign: str
    config: Callable[[Shapes], ZimConfig | None] = _unknown
    left_out: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    refused: bool = False

    def own_tensors(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that images need, by the names of ``Zim``."""
        left_out = re.compile("|".join(self.left_out) or r"(?!)")
        own = {}
        for published, tensor in state.items():
            name = published
            if left_out.match(name):
                continue
            for pattern, replacement in self.renames:
                name = re.sub(pattern, replacement, name)
            own[name] = tensor
        return own

    def detect(self, state: Mapping[str, Tensor]) -> ZimConfig | None:
        """The configuration of tensors with own names; None if they are another's."""
        try:
            return self.config({name: tuple(x.shape) for name, x in state.items()})
        except _MALFORMED:
            return None


def find_family(names: Iterable[str]) -> CheckpointFamily | None:
    """The family of a checkpoint, from the names of its tensors; None for SAM's own."""
    present = tuple(names)
    return next(
        (
            family
            for family in FAMILIES
            if any(name.startswith(family.sign) for name in present)
        ),
        None,
    )


def _mobile_sam_config(shapes: Shapes) -> ZimConfig:
    """MobileSAM's configuration; its TinyViT may be of any width and depth.

    Raises:
        LookupError, ValueError: they are not a MobileSAM's.
    """
    stages = [f"image_encoder.layers.{i}" for i in range(4)]
    depths = [_count(shapes, f"{stage}.blocks.") for stage in stages]
    attention = [f"{stage}.blocks.0.attn" for stage in stages[1:]]
    heads, places = zip(
        *(shapes[f"{name}.attention_biases"] for name in attention), strict=True
    )
    windows = [math.isqrt(count) for count in places]
    if max(windows) > MAX_WINDOW:
        raise ValueError("the windows are too large")
    dims = [shapes["image_encoder.patch_embed.seq.2.c.weight"][0]]
    dims += [shapes[f"{name}.norm.weight"][0] for name in attention]
    hidden = shapes[f"{stages[0]}.blocks.0.conv1.c.weight"][0]
    encoder = TinyVitConfig(
        *(_four(dims), _four(depths), heads, (windows[0], windows[1], windows[2])),
        mlp_ratio=hidden / dims[0],
    )
    return replace(MOBILE_SAM, encoder=encoder)


def _count(shapes: Shapes, prefix: str) -> int:
    """Number of blocks whose tensors have the prefix and then a number.

    Raises:
        ValueError: there are none or too many, or one is missing.
    """
    numbers = {
        int(name.removeprefix(prefix).partition(".")[0])
        for name in shapes
        if name.startswith(prefix)
    }
    if numbers != set(range(len(numbers))) or not 0 < len(numbers) <= MAX_DEPTH:
        raise ValueError("blocks are missing, or there are too many")
    return len(numbers)


def _four(values: list[int]) -> tuple[int, int, int, int]:
    first, second, third, fourth = values
    return first, second, third, fourth


FAMILIES = (
    CheckpointFamily(
        "MobileSAM",
        "image_encoder.patch_embed.seq.",
        _mobile_sam_config,
        # The classifier of TinyViT's pretraining, and a table that is computed.
        left_out=(
            r"image_encoder\.(norm_head|head)\.",
            r"image_encoder\..*\.attention_bias_idxs$",
        ),
    ),
    CheckpointFamily("HQ-SAM", "mask_decoder.hf_token", refused=True),
    CheckpointFamily("SAM 2", "image_encoder.trunk.", refused=True),
    CheckpointFamily("SAM 2", "sam_mask_decoder.", refused=True),
    CheckpointFamily("SAM (transformers)", "vision_encoder.", refused=True),
)
"""All families but SAM's own, which :mod:`zim_model.weights.sam_checkpoint` knows."""
