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

from zim_model.errors import MALFORMED
from zim_model.network.config import (
    CONFIGS,
    MAX_DEPTH,
    MAX_WINDOW,
    MOBILE_SAM,
    RELATIVES,
    STRIDE,
    ZimConfig,
    hq_variant,
)
from zim_model.network.encoder_configs import HieraConfig, TinyVitConfig, VitConfig

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name."""
MOBILE_SAM_SIGN = "image_encoder.patch_embed.seq."
MOBILE_SAM_LEFT_OUT = (
    # The classifier of TinyViT's pretraining, and a table that is computed.
    r"image_encoder\.(norm_head|head)\.",
    r"image_encoder\..*\.attention_bias_idxs$",
)


def _unknown(_shapes: Shapes) -> ZimConfig | None:
    return None


@dataclass(frozen=True, slots=True)
class CheckpointFamily:
    """A layout of checkpoints.

    Attributes:
        name: for messages.
        signs: beginnings of the names of tensors that only this family has.
        config: from the tensors' shapes, by the names of ``Zim``; None if they are not
            this family's.
        left_out: patterns of the names of tensors that images do not need.
        renames: patterns and what replaces them, one after the other.
        split: pattern of the name of a table that Meta has in pieces, one a row.
        refused: whether such weights are recognised only to say so.
    """

    name: str
    signs: tuple[str, ...]
    config: Callable[[Shapes], ZimConfig | None] = _unknown
    left_out: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    split: str = ""
    refused: bool = False

    def own_tensors(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors that images need, by the names of ``Zim``."""
        left_out = re.compile("|".join(self.left_out) or r"(?!)")
        own: dict[str, Tensor] = {}
        for published, tensor in state.items():
            if left_out.match(published):
                continue
            name = published
            for pattern, replacement in self.renames:
                name = re.sub(pattern, replacement, name)
            few = tensor.ndim == 2 and len(tensor) <= MAX_DEPTH  # rows of a real table
            if self.split and few and re.match(self.split, published):
                rows = tensor.unsqueeze(1)
                own |= {name.replace("*", str(i)): x for i, x in enumerate(rows)}
            else:
                own[name] = tensor
        return own

    def detect(self, state: Mapping[str, Tensor]) -> ZimConfig | None:
        """The configuration of tensors with own names; None if they are another's."""
        try:
            return self.config({name: tuple(x.shape) for name, x in state.items()})
        except MALFORMED:
            return None


def find_family(names: Iterable[str]) -> CheckpointFamily | None:
    """The family of a checkpoint, from the names of its tensors; None for SAM's own."""
    present = tuple(names)
    return next(
        (
            family
            for family in FAMILIES
            if any(name.startswith(family.signs) for name in present)
        ),
        None,
    )


def _sam_config(shapes: Shapes) -> ZimConfig | None:
    """SAM's configuration of the encoder's width; None if it has none.

    Raises:
        LookupError, ValueError: they are not a SAM's.
    """
    _, grid, _, width = shapes["image_encoder.pos_embed"]
    for config in CONFIGS.values():
        if config.pixel_decoder == "sam" and (
            isinstance(config.encoder, VitConfig) and config.encoder.dim == width
        ):
            return replace(config, image_size=STRIDE * grid)
    return None


def _hq_sam_config(shapes: Shapes) -> ZimConfig | None:
    """The HQ-SAM of a SAM with a ViT or of a MobileSAM.

    Raises:
        LookupError, ValueError: they are not an HQ-SAM's.
    """
    if "mask_decoder.hf_token.weight" not in shapes:
        return None
    small = any(name.startswith(MOBILE_SAM_SIGN) for name in shapes)
    sam = _mobile_sam_config(shapes) if small else _sam_config(shapes)
    return None if sam is None else hq_variant(sam)


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
    if any(heads < 1 or width % heads for width, heads in encoder.shared_widths):
        raise ValueError("heads of unequal widths")
    return replace(MOBILE_SAM, encoder=encoder)


def _sam2_config(shapes: Shapes) -> ZimConfig | None:
    """The published SAM 2 of the same encoder, whose heads no shape tells."""
    trunk = "image_encoder.trunk"
    dim = shapes[f"{trunk}.patch_embed.proj.weight"][0]
    count = _count(shapes, f"{trunk}.blocks.")
    for config in RELATIVES.values():
        encoder = config.encoder
        if isinstance(encoder, HieraConfig) and (encoder.dim, sum(encoder.depths)) == (
            dim,
            count,
        ):
            return config
    return None


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


_TRANSFORMERS_NAMES = (
    (r"^vision_encoder\.backbone\.", "image_encoder.trunk."),
    (r"^vision_encoder\.neck\.convs\.(\d)\.", r"image_encoder.neck.convs.\1.conv."),
    (r"\.patch_embed\.projection\.", ".patch_embed.proj."),
    (r"\.mask_embed\.conv1\.", ".mask_downscaling.0."),
    (r"\.mask_embed\.layer_norm1\.", ".mask_downscaling.1."),
    (r"\.mask_embed\.conv2\.", ".mask_downscaling.3."),
    (r"\.mask_embed\.layer_norm2\.", ".mask_downscaling.4."),
    (r"\.mask_embed\.conv3\.", ".mask_downscaling.6."),
    (
        r"\.shared_embedding\.positional_embedding$",
        ".pe_layer.positional_encoding_gaussian_matrix",
    ),
    (r"\.point_embed\.", ".point_embeddings.*."),
    (r"\.upscale_conv1\.", ".output_upscaling.0."),
    (r"\.upscale_layer_norm\.", ".output_upscaling.1."),
    (r"\.upscale_conv2\.", ".output_upscaling.3."),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.layers\.0\.", r"\1.layers.1."),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.proj_in\.", r"\1.layers.0."),
    (r"(hypernetworks_mlps\.\d|prediction_head)\.proj_out\.", r"\1.layers.2."),
    (r"\.mlp\.proj_in\.", ".mlp.lin1."),
    (r"\.mlp\.proj_out\.", ".mlp.lin2."),
    (r"\.o_proj\.", ".out_proj."),
    (r"\.layer_norm(\d|_final_attn)\.", r".norm\1."),
    (r"^no_memory_embedding$", "no_mem_embed"),
)

FAMILIES = (
    # Before MobileSAM, which the small HQ-SAM is made of.
    CheckpointFamily(
        "HQ-SAM",
        ("mask_decoder.hf_token.",),
        _hq_sam_config,
        left_out=MOBILE_SAM_LEFT_OUT,
    ),
    CheckpointFamily(
        "MobileSAM",
        (MOBILE_SAM_SIGN,),
        _mobile_sam_config,
        left_out=MOBILE_SAM_LEFT_OUT,
    ),
    CheckpointFamily(
        "SAM 2",
        ("image_encoder.trunk.", "sam_mask_decoder."),
        _sam2_config,
        # Videos need a memory of frames, and to know whether the object is in one.
        left_out=(
            r"(memory_attention|memory_encoder|mask_downsample|obj_ptr_proj)\.",
            r"obj_ptr_tpos_proj\.|sam_mask_decoder\.pred_obj_score_head\.",
            r"(maskmem_tpos_enc|no_mem_pos_enc|no_obj_ptr|no_obj_embed_spatial)$",
        ),
        renames=(
            (r"^sam_(prompt_encoder|mask_decoder)\.", r"\1."),
            (r"(blocks|layers)\.(\d+)\.mlp\.layers\.0\.", r"\1.\2.mlp.lin1."),
            (r"(blocks|layers)\.(\d+)\.mlp\.layers\.1\.", r"\1.\2.mlp.lin2."),
        ),
    ),
    CheckpointFamily(
        "SAM 2 (transformers)",
        ("vision_encoder.backbone.",),
        _sam2_config,
        left_out=(
            r"(memory_attention|memory_encoder|mask_downsample|object_pointer_proj)\.",
            r"temporal_positional_encoding_projection_layer\.",
            r"(memory_temporal|no_memory)_positional_encoding$",
            r"(no_object_pointer|occlusion_spatial_embedding_parameter)$",
            r"mask_decoder\.pred_obj_score_head\.",
            r"shared_image_embedding\.positional_embedding$",  # the prompts' again
        ),
        renames=_TRANSFORMERS_NAMES,
        split=r"prompt_encoder\.point_embed(?=\.weight$)",
    ),
    CheckpointFamily("SAM (transformers)", ("vision_encoder.",), refused=True),
)
"""All families but SAM's own, whose tensors have no names that only it has."""
SAM = CheckpointFamily("SAM", (), _sam_config)
