"""Converting the official pair of ONNX graphs to our own modules.

Every layer of the graphs is matched by the name that the exporter kept, else by its
order among the layers of its kind.  Widths follow from the tensors' shapes.  The
prompts' embeddings are computed from the graph's results.  Finally both are run on
random inputs and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from zim_model.arrays import FloatArray
from zim_model.errors import WeightsError, msg
from zim_model.network.config import (
    CONFIGS,
    NUM_MASK_TOKENS,
    STRIDE,
    ZIM_VIT_B,
    MaskedAttention,
    MaskZero,
    VitConfig,
    ZimConfig,
)
from zim_model.network.zim import Features, Zim
from zim_model.onnx.backend import (
    DECODER_OUTPUTS,
    ENCODER_OUTPUTS,
    attention_sigma,
    check_pair,
)
from zim_model.onnx.graph import Graph, GraphLayer, read_graph
from zim_model.onnx.parity import (
    DecoderOutput,
    ParityDifference,
    check_parity,
    decoder_differences,
    decoder_outputs,
    encoder_differences,
)
from zim_model.onnx.prompt_encoder import prompt_state
from zim_model.onnx.sessions import open_session
from zim_model.onnx.weight_matching import (
    ParameterSlot,
    State,
    WeightMatcher,
    fill_slots,
    layers_of_kind,
    parameter_shapes,
)
from zim_model.runtime.atomic_files import check_absent
from zim_model.weights.checkpoint import save_model
from zim_model.weights.installed import ONNX_FILES

_PER_LAYER, _AFTER = 14, 4
"""Linear layers of each layer of the transformer, and of its last attention."""
_HEADS = (8, 4, 16, 2, 1, 32)
"""Numbers of attention heads to try; the weights do not determine it."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        config: of the model.
        differences: between the graphs and the model, on random inputs.
        matched_by_name, matched_by_order: numbers of layers.
    """

    config: ZimConfig
    differences: tuple[ParityDifference, ...]
    matched_by_name: int
    matched_by_order: int


def convert_pair(folder: Path, target: Path, *, overwrite: bool = False) -> Conversion:
    """Convert a pair of graphs to a ``.safetensors`` file of ours.

    Args:
        folder: holds ``encoder.onnx`` and ``decoder.onnx``.
        target: written only if both give the same results; 32-bit floats.
        overwrite: replace the target if it exists.

    Raises:
        WeightsError: the graphs are missing, damaged or of another architecture (the
            message lists what had no counterpart), give other numbers, or the target
            exists already or cannot be written.
    """
    missing = [name for name in ONNX_FILES if not (folder / name).is_file()]
    if missing:
        raise WeightsError(
            msg(
                "{folder} has no {missing}.",
                folder=folder,
                missing=" and no ".join(missing),
            ),
            msg("A ZIM model in ONNX format is a folder with both files."),
        )
    if not target.parent.is_dir():  # before minutes of work
        raise WeightsError(
            msg("The folder {parent} does not exist.", parent=target.parent),
            msg("Create it first, or choose another."),
        )
    if not overwrite:
        cure = msg("Choose another name, or say overwrite=True.")
        check_absent([target], cure, WeightsError)
    check_pair(folder)
    encoder, decoder = (read_graph(folder / name) for name in ONNX_FILES)
    places = WeightMatcher()
    config, state = _encoder_state(encoder, places)
    config, more = _decoder_state(decoder, config, places)
    model = _build_model(replace(config, name=folder.resolve().name), state | more)
    paths = [graph.path for graph in (encoder, decoder)]
    del encoder, decoder, state, more
    result = _compare_and_tune(model, *paths)
    check_parity(result, msg("{folder} was converted", folder=folder))
    model.config = _named_config(model.config)
    save_model(model, target, half=False, exclusive=not overwrite)
    return Conversion(model.config, tuple(result), places.by_name, places.by_order)


def _named_config(config: ZimConfig) -> ZimConfig:
    """The known configuration that is equal except for its name, if there is one."""
    named = (replace(config, name=name) for name in CONFIGS)
    return next((each for each in named if each in CONFIGS.values()), config)


# --- the encoder ----------------------------------------------------------------------


def _encoder_state(graph: Graph, places: WeightMatcher) -> tuple[ZimConfig, State]:
    """The configuration that the encoder's graph tells, and its weights."""
    embedding, *details = ENCODER_OUTPUTS
    detail_layers = graph.layers_behind(details[-1])
    vit = [
        layer for layer in graph.layers_behind(embedding) if layer not in detail_layers
    ]
    config = _vit_config(graph, vit, detail_layers)
    vit = list(_with_positions(vit, config))
    own = parameter_shapes(config)
    slots = [ParameterSlot("conv", f"detail_stream.convs.{i}") for i in range(3)]
    result = places.match(slots, _without_tables(detail_layers), own, graph.path)
    more = _vit_slots(config)
    result |= places.match(more, vit, own, graph.path)
    return config, fill_slots([*slots, *more], result, own)


def _without_tables(layers: Iterable[GraphLayer]) -> list[GraphLayer]:
    return [layer for layer in layers if layer.kind != "table"]


def _vit_config(
    graph: Graph, vit: Sequence[GraphLayer], detail_layers: Sequence[GraphLayer]
) -> ZimConfig:
    """The configuration, as far as the encoder tells it; guesses fail to match."""
    side = _input_side(graph)
    grid, depth = side // STRIDE, max(1, len(layers_of_kind(vit, "linear")) // 4)
    convs = [layer.weight.shape for layer in layers_of_kind(vit, "conv")]
    dim = next((s[0] for s in convs if s[-1] == STRIDE), ZIM_VIT_B.embed_dim)
    tables = [
        t for t in map(_relative_table, layers_of_kind(vit, "table")) if t is not None
    ]
    head = tables[0].shape[1] if tables else 64
    # Every block has two tables, one for rows and one for columns.
    lengths = [(len(table) + 1) // 2 for table in tables[::2]]
    windows = [length for length in lengths if length != grid]
    hidden = [
        x.weight.shape[0]
        for x in layers_of_kind(vit, "linear")
        if x.weight.shape[1] == dim
    ]
    encoder = VitConfig(
        *(dim, depth, max(1, dim // head)),
        tuple(i for i, length in enumerate(lengths) if length == grid),
        window=windows[0] if windows else 0,
        mlp_ratio=hidden[2] / dim if len(hidden) > 2 else 4.0,
    )
    widths = [layer.weight.shape[0] for layer in layers_of_kind(detail_layers, "conv")]
    d0, d1, d2 = (*widths, *ZIM_VIT_B.detail_channels[len(widths) :])[:3]
    embed = convs[-1][0] if convs else ZIM_VIT_B.embed_dim
    return replace(
        ZIM_VIT_B,
        image_size=side,
        encoder=encoder,
        embed_dim=embed,
        detail_channels=(d0, d1, d2),
    )


def _input_side(graph: Graph) -> int:
    (image,) = graph.model.graph.input
    side = image.type.tensor_type.shape.dim[-1].dim_value
    return int(side) or ZIM_VIT_B.image_size


def _vit_slots(config: ZimConfig) -> list[ParameterSlot]:
    """The places of SAM's image encoder, in order."""
    assert isinstance(config.encoder, VitConfig)
    slots = [
        ParameterSlot("conv", "patch_embed.proj"),
        ParameterSlot("table", "pos_embed"),
    ]
    for i in range(config.encoder.depth):
        block = f"blocks.{i}"
        slots += [
            ParameterSlot("norm", f"{block}.norm1"),
            ParameterSlot("linear", f"{block}.attn.qkv"),
            ParameterSlot("table", f"{block}.attn.rel_pos_h"),
            ParameterSlot("table", f"{block}.attn.rel_pos_w"),
            ParameterSlot("linear", f"{block}.attn.proj"),
            ParameterSlot("norm", f"{block}.norm2"),
            ParameterSlot("linear", f"{block}.mlp.lin1"),
            ParameterSlot("linear", f"{block}.mlp.lin2"),
        ]
    for i in (0, 2):
        slots += [
            ParameterSlot("conv", f"neck.{i}"),
            ParameterSlot("norm", f"neck.{i + 1}"),
        ]
    return [replace(slot, path=f"image_encoder.{slot.path}") for slot in slots]


def _relative_table(layer: GraphLayer) -> FloatArray | None:
    """The table of relative positions (2n - 1, d) that a constant is or comes from.

    Once an exporter has looked it up it is (n, n, d), or (n, d, n) for a product: every
    entry depends on query minus key only.
    """
    values = layer.weight.squeeze()
    if layer.operator == "Add":  # absolute positions, which may be 0 before a training
        return None
    if values.ndim == 2 and layer.operator == "Gather":
        return values if len(values) % 2 else None
    if values.ndim != 3:
        return None
    for order in ((0, 1, 2), (0, 2, 1)):
        looked_up = values.transpose(order)
        size = len(looked_up)
        if looked_up.shape[1] == size and np.array_equal(
            looked_up[1:, 1:], looked_up[:-1, :-1]
        ):
            # First row: key 0 to n - 1, differences 0 to 1 - n; first column the rest.
            return np.concatenate([looked_up[0, ::-1], looked_up[1:, 0]])
    return None


def _with_positions(
    layers: Iterable[GraphLayer], config: ZimConfig
) -> Iterator[GraphLayer]:
    """The layers with all tables of positions as ours, and without other tables.

    What else meets data, such as the windows' padding, is no weight.
    """
    assert isinstance(config.encoder, VitConfig)
    absolute = config.grid**2 * config.encoder.dim
    for layer in layers:
        is_absolute = layer.weight.size == absolute and layer.operator == "Add"
        if layer.kind != "table" or is_absolute:
            yield layer
        elif (table := _relative_table(layer)) is not None:
            yield replace(layer, weight=table)


# --- the decoder ----------------------------------------------------------------------


def _decoder_state(
    graph: Graph, config: ZimConfig, places: WeightMatcher
) -> tuple[ZimConfig, State]:
    """The whole configuration, and the decoder's weights."""
    layers = [_details_first(layer, graph) for layer in _decoder_layers(graph)]
    config = _whole_config(config, layers)
    metadata = {entry.key: entry.value for entry in graph.model.metadata_props}
    sigma = attention_sigma(metadata, graph.path)
    config = replace(config, attention_sigma=sigma)
    own, slots = parameter_shapes(config), _decoder_slots(config)
    result = places.match(slots, layers, own, graph.path)
    layer = "mask_decoder.transformer.layers.0"
    tokens = result[f"{layer}.self_attn.q_proj"].input
    image = result[f"{layer}.cross_attn_token_to_image.v_proj"].input
    state = fill_slots(slots, result, own)
    return config, state | prompt_state(graph, config, tokens, image)


def _decoder_layers(graph: Graph) -> list[GraphLayer]:
    """The decoder's layers, in the order of its slots.

    Positions are encoded by a product of two coordinates, which is no layer of ours.
    """
    masks, iou = DECODER_OUTPUTS
    layers = [
        layer for layer in graph.layers_behind(iou, masks) if layer.kind != "table"
    ]
    return [x for x in layers if not (x.kind == "linear" and x.weight.shape[1] == 2)]


def _details_first(layer: GraphLayer, graph: Graph) -> GraphLayer:
    """A fusion block as ours, if its graph joins the details after the rest."""
    parts = graph.concat_inputs(layer.input) if layer.kind == "conv" else []
    if len(parts) != 2 or graph.producer(parts[1]) not in ENCODER_OUTPUTS:
        return layer
    if graph.producer(parts[0]) in ENCODER_OUTPUTS[1:]:
        return layer
    width = _input_dims(graph)[graph.producer(parts[1])]
    before = layer.weight.shape[1] - width
    weight = np.concatenate([layer.weight[:, before:], layer.weight[:, :before]], 1)
    return replace(layer, weight=weight)


def _input_dims(graph: Graph) -> dict[str, int]:
    """Channels of the inputs."""
    return {
        value.name: value.type.tensor_type.shape.dim[1].dim_value
        for value in graph.model.graph.input
    }


def _whole_config(config: ZimConfig, layers: Sequence[GraphLayer]) -> ZimConfig:
    """The configuration with what the decoder tells; guesses fail to match."""
    linears = [layer.weight.shape for layer in layers_of_kind(layers, "linear")]
    heads = 3 * (NUM_MASK_TOKENS + 1)
    depth = max(1, (len(linears) - heads - _AFTER) // _PER_LAYER)
    convs = [layer.weight.shape[0] for layer in layers_of_kind(layers, "conv")]
    f3, f2, f1 = (*convs, *ZIM_VIT_B.fusion_channels[len(convs) :])[:3]
    mlp = next((o for o, i in linears[8:9] if i == config.embed_dim), None)
    return replace(
        config,
        transformer_depth=depth,
        transformer_mlp=mlp or ZIM_VIT_B.transformer_mlp,
        head_dim=linears[-3][0] if len(linears) > 2 else ZIM_VIT_B.head_dim,
        fusion_channels=(f3, f2, f1),
    )


def _decoder_slots(config: ZimConfig) -> list[ParameterSlot]:
    """The places of the decoder.

    They are ordered as :meth:`~zim_model.onnx.graph.Graph.layers_behind` orders
    layers: what
    the image heard from the tokens comes where the tokens next look at the image.
    """
    heard: list[ParameterSlot] = []
    slots: list[ParameterSlot] = []
    for i in range(config.transformer_depth):
        layer = f"transformer.layers.{i}"
        slots += [
            *_attention(f"{layer}.self_attn", f"{layer}.norm1"),
            *_attention(f"{layer}.cross_attn_token_to_image", f"{layer}.norm2", heard),
            ParameterSlot("linear", f"{layer}.mlp.lin1"),
            ParameterSlot("linear", f"{layer}.mlp.lin2"),
            ParameterSlot("norm", f"{layer}.norm3"),
        ]
        heard = _attention(f"{layer}.cross_attn_image_to_token", f"{layer}.norm4")
    last = "transformer.final_attn_token_to_image"
    slots += _attention(last, "transformer.norm_final_attn", heard)
    heads = [f"output_hypernetworks_mlps.{i}" for i in range(NUM_MASK_TOKENS)]
    for head in ("iou_prediction_head", *heads):
        slots += [ParameterSlot("linear", f"{head}.layers.{i}") for i in range(3)]
    slots += [ParameterSlot("conv", f"pixel_decoder.fusions.{i}") for i in range(3)]
    return [replace(slot, path=f"mask_decoder.{slot.path}") for slot in slots]


def _attention(
    path: str, norm: str, behind_keys: Sequence[ParameterSlot] = ()
) -> list[ParameterSlot]:
    """The places of an attention and of the norm after it."""
    query, *rest = (
        ParameterSlot("linear", f"{path}.{name}")
        for name in ("q_proj", "k_proj", "v_proj", "out_proj")
    )
    return [query, *behind_keys, *rest, ParameterSlot("norm", norm)]


# --- the check ------------------------------------------------------------------------


def _build_model(config: ZimConfig, state: State) -> Zim:
    with torch.device("meta"):
        model = Zim(config)
    model.load_state_dict(state, assign=True)
    return model.eval()


def _compare_and_tune(
    model: Zim, encoder: Path, decoder: Path
) -> list[ParityDifference]:
    """Differences on random inputs, with what no weight tells set to what fits best."""
    result, features = encoder_differences(model, open_session(encoder))
    outputs = decoder_outputs(model, open_session(decoder), features)
    best = decoder_differences(model, features, outputs)
    if _largest_difference(best) > 1e-5 * max(1.0, *(each.size for each in best)):
        best = _best_variant(model, features, outputs)
    return result + best


def _largest_difference(result: Sequence[ParityDifference]) -> float:
    return max(each.largest for each in result)


def _best_variant(
    model: Zim, features: Features, outputs: Sequence[DecoderOutput]
) -> list[ParityDifference]:
    """Choose what no weight tells by trying; change the model to what fits best."""
    inner = model.config.embed_dim // 2
    variants = [
        replace(
            model.config,
            transformer_heads=heads,
            masked_attention=masked,
            mask_zero=zero,
            mask_final=final,
        )
        for heads in _HEADS
        if inner % heads == 0
        for masked in get_args(MaskedAttention)
        for zero in get_args(MaskZero)
        for final in (True, False)
    ]

    def try_variant(
        config: ZimConfig, cases: Sequence[DecoderOutput]
    ) -> list[ParityDifference]:
        model.config = config
        model.mask_decoder.transformer.set_options(config)
        return decoder_differences(model, features, cases)

    telling = outputs[-1:]  # points and a box: both kinds of mask
    best = min(
        variants, key=lambda config: _largest_difference(try_variant(config, telling))
    )
    return try_variant(best, outputs)
