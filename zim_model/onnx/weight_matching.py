"""Matching the layers of a foreign graph with parameters of our modules."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from zim_model.errors import WeightsError, msg
from zim_model.network.config import ZimConfig
from zim_model.network.zim import Zim
from zim_model.onnx.graph import GraphLayer, LayerKind

State = dict[str, Tensor]
"""Tensors by name."""
_LISTED = 8
"""Number of unmatched tensors that are listed; the others are counted."""


@dataclass(frozen=True, slots=True)
class ParameterSlot:
    """A layer of our modules that needs weights.

    Attributes:
        kind: of the layer.
        path: of the module, or of the parameter for a table.
    """

    kind: LayerKind
    path: str


class WeightMatcher:
    """Matches layers with slots, and counts how."""

    def __init__(self) -> None:
        self.by_name = self.by_order = 0

    def match(
        self,
        slots: Sequence[ParameterSlot],
        layers: Sequence[GraphLayer],
        expected: State,
        path: Path,
    ) -> dict[str, GraphLayer]:
        """The layer of each slot.

        Args:
            own: tensors of the model by name, for their shapes.
            path: of the graph, for messages.

        Raises:
            WeightsError: some slots or layers are left over.
        """
        matched, unmatched = {}, list(layers)
        for slot in slots:
            named = [
                x for x in unmatched if x.kind == slot.kind and _is_named(x, slot.path)
            ]
            if len(named) == 1 and _shape_matches(named[0], slot, expected):
                matched[slot.path] = named[0]
                unmatched.remove(named[0])
        self.by_name += len(matched)
        pairs = list(_in_order(slots, layers, matched, unmatched))
        for slot, layer in pairs:
            if _shape_matches(layer, slot, expected):
                matched[slot.path] = layer
                unmatched.remove(layer)
                self.by_order += 1
        left = [slot for slot in slots if slot.path not in matched]
        if left or unmatched:
            raise _unmatched(
                path, unmatched, [f"{s.path} {_shape(s, expected)}" for s in left]
            )
        return matched


def _in_order(
    slots: Sequence[ParameterSlot],
    layers: Sequence[GraphLayer],
    matched: dict[str, GraphLayer],
    unmatched: Sequence[GraphLayer],
) -> Iterator[tuple[ParameterSlot, GraphLayer]]:
    """Pairs of unnamed slots and layers of the same kind and in the same order.

    Where one side has more of a kind than the other, only items after the same named
    layer are paired, so that the rest shows which are missing.
    """
    left = [slot for slot in slots if slot.path not in matched]
    by_path = _anchors([(slot, slot.path) for slot in slots], matched)
    paths = {id(layer): path for path, layer in matched.items()}
    by_layer = _anchors([(x, paths.get(id(x), "")) for x in layers], matched)
    for kind in get_args(LayerKind):
        places = [slot for slot in left if slot.kind == kind]
        rest = [layer for layer in unmatched if layer.kind == kind]
        if len(places) == len(rest):
            yield from zip(places, rest, strict=True)
            continue
        for anchor in dict.fromkeys(by_path[id(slot)] for slot in places):
            yield from zip(
                [slot for slot in places if by_path[id(slot)] == anchor],
                [layer for layer in rest if by_layer[id(layer)] == anchor],
                strict=False,
            )


def _anchors(
    items: Iterable[tuple[ParameterSlot | GraphLayer, str]],
    matched: dict[str, GraphLayer],
) -> dict[int, str]:
    """The path of the last named one before each item, by the item's identity."""
    anchors, last = {}, ""
    for item, path in items:
        anchors[id(item)] = last
        last = path if path in matched else last
    return anchors


def _is_named(layer: GraphLayer, path: str) -> bool:
    """Whether the exporter's name of a parameter is the path, under any prefix."""
    key = path.partition(".")[2]
    stems = (name.removesuffix(".weight").removesuffix(".bias") for name in layer.names)
    return any(stem == key or stem.endswith(f".{key}") for stem in stems)


def _slot_weight(slot: ParameterSlot, expected: State) -> str:
    """The name of the tensor that identifies a slot."""
    if slot.path in expected:
        return slot.path
    direct = f"{slot.path}.weight"
    return direct if direct in expected else f"{slot.path}.0.weight"


def _shape(slot: ParameterSlot, expected: State) -> tuple[int, ...]:
    return tuple(expected[_slot_weight(slot, expected)].shape)


def _shape_matches(layer: GraphLayer, slot: ParameterSlot, expected: State) -> bool:
    shape = _shape(slot, expected)
    if slot.kind == "table":
        return layer.weight.size == math.prod(shape)
    transposed = layer.operator == "ConvTranspose"
    return tuple(layer.weight.shape) == shape and not transposed


def _unmatched(
    path: Path, unmatched: Iterable[GraphLayer], left: Sequence[str]
) -> WeightsError:
    strange = _join_words([str(layer) for layer in unmatched])
    return WeightsError(
        msg(
            "{path} is of another architecture. Without a place here: {strange}. "
            "Without a counterpart there: {left}. Nothing was written.",
            path=path,
            strange=strange,
            left=_join_words(left),
        ),
        msg("It can still be used as it is: zim-studio models add."),
    )


def _join_words(words: Sequence[str]) -> str:
    more = len(words) - _LISTED
    shown = ", ".join(words[:_LISTED])
    if more > 0:
        return msg("{words} and {more} more", words=shown, more=more)
    return shown or msg("nothing")


def _tensors(slot: ParameterSlot, layer: GraphLayer, expected: State) -> State:
    """The layer's parameters under our names."""
    if slot.kind == "table":
        values = layer.weight.reshape(_shape(slot, expected))
        return {slot.path: torch.tensor(values)}
    if f"{slot.path}.0.weight" in expected and slot.kind == "conv":
        return _conv_and_norm(slot.path, layer)
    matched = {f"{slot.path}.weight": torch.tensor(layer.weight)}
    if f"{slot.path}.bias" in expected:
        zeros = np.zeros(len(layer.weight), np.float32)
        bias = zeros if layer.bias is None else layer.bias
        matched[f"{slot.path}.bias"] = torch.tensor(bias)
    return matched


def _conv_and_norm(path: str, layer: GraphLayer) -> State:
    """A convolution and the batch norm after it.

    Where the exporter fused them the norm becomes the identity plus the bias.
    """
    count, epsilon = len(layer.weight), torch.nn.BatchNorm2d(1).eps
    zeros = np.zeros(count, np.float32)
    weight, bias = layer.weight, zeros if layer.bias is None else layer.bias
    parts = (zeros + 1, bias, zeros, zeros + 1 - epsilon)
    if layer.batch_norm is not None:
        scale, shift, mean, variance = layer.batch_norm.tensors
        # Another epsilon is the same as another variance.
        variance = variance + (layer.batch_norm.epsilon - epsilon)
        parts = (scale, shift, mean - bias, variance)
    names = ("weight", "bias", "running_mean", "running_var")
    norm = {f"{path}.1.{n}": torch.tensor(v) for n, v in zip(names, parts, strict=True)}
    tracked = {f"{path}.1.num_batches_tracked": torch.tensor(0)}
    return {f"{path}.0.weight": torch.tensor(weight), **norm, **tracked}


def fill_slots(
    slots: Sequence[ParameterSlot], matched: dict[str, GraphLayer], expected: State
) -> State:
    """The parameters of all slots, from their layers."""
    state: State = {}
    for slot in slots:
        state |= _tensors(slot, matched[slot.path], expected)
    return state


def parameter_shapes(config: ZimConfig) -> State:
    """Shapes of a model's tensors, without allocating them."""
    with torch.device("meta"):
        return Zim(config).state_dict()


def layers_of_kind(layers: Iterable[GraphLayer], kind: LayerKind) -> list[GraphLayer]:
    """The layers of one kind, in order."""
    return [layer for layer in layers if layer.kind == kind]
