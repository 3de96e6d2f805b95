"""Reading the layers of an ONNX graph, in an order that exporters do not change.

An exporter folds constants, fuses norms into convolutions, transposes matrices and
drops names.  It does not change which constants meet data, in which operators.
Constants that depend on weights alone are computed first, so that graphs exported with
and without folding look alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from zim_model.arrays import FloatArray
from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.onnx.sessions import first_line

LayerKind = Literal["conv", "linear", "norm", "table"]

_NAMELESS = re.compile(r"onnx::|/|\d*$|.*_output_\d+$")
"""Names that an exporter generates."""
_CARRIERS = (
    *("Cast", "Expand", "Gather", "Identity", "Reshape", "Slice", "Squeeze"),
    *("Tile", "Transpose", "Unsqueeze"),
)
"""Operators that pass their first input on, in another shape."""


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """A batch norm that was not fused: scale, bias, mean, variance (C,), epsilon."""

    tensors: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    epsilon: float


@dataclass(frozen=True, slots=True, eq=False)
class GraphLayer:
    """An operator that applies constants to data.

    Attributes:
        kind: ``conv``, ``linear``, ``norm`` (of layers, over the last or the channel
            axis) or ``table`` (anything else, such as positions).
        weight: (O, I, h, w); (O, I); (C,); or as it is.
        bias: (O,) or (C,), if there is one.
        names: that the exporter kept of its parameters, such as
            ``blocks.0.norm1.weight``.
        input: its input tensor.
        output: its output tensor.
        operator: its ONNX name.
        batch_norm: that follows a convolution.
    """

    kind: LayerKind
    weight: FloatArray
    bias: FloatArray | None
    names: tuple[str, ...]
    input: str
    output: str
    operator: str
    batch_norm: BatchNorm | None = None

    def __str__(self) -> str:
        shape = tuple(self.weight.shape)
        return f"{self.names[0] if self.names else self.output} {self.kind} {shape}"


@dataclass(slots=True)
class Graph:
    """The layers of one graph.

    Attributes:
        path: its file.
        model: the ``onnx.ModelProto``.
        layers: in the order of the file.
    """

    path: Path
    model: Any
    layers: list[GraphLayer] = field(default_factory=list)
    _producers: dict[str, Any] = field(default_factory=dict)

    def layers_behind(self, *outputs: str) -> list[GraphLayer]:
        """The layers that outputs depend on, each after its own dependencies.

        Among branches the order is that of the operands where they meet (queries, keys,
        values), which, unlike the order of the file, exporters do not change.
        """
        by_output = {layer.output: layer for layer in self.layers}
        visited = set[str]()
        stack = [(name, False) for name in reversed(outputs)]
        result = []
        while stack:
            name, all_before_is_seen = stack.pop()
            if all_before_is_seen:
                result += [by_output[name]] if name in by_output else []
            elif name not in visited:
                visited.add(name)
                stack.append((name, True))
                node = self._producers.get(name)
                operands = [] if node is None else [x for x in node.input if x]
                stack += [(operand, False) for operand in reversed(operands)]
        return result

    def producer(self, tensor: str) -> str:
        """The tensor that this one is a copy or a reshaping of."""
        while (node := self._producers.get(tensor)) and node.op_type in _CARRIERS:
            tensor = node.input[0]
        return tensor

    def concat_inputs(self, tensor: str) -> list[str]:
        """The tensors that this one is the concatenation of; empty if it is none."""
        node = self._producers.get(self.producer(tensor))
        return [] if node is None or node.op_type != "Concat" else list(node.input)

    def run(self, inputs: dict[str, Any], tensors: Sequence[str]) -> list[Any]:
        """Values of tensors inside the graph, for sufficient inputs.

        Raises:
            WeightsError: ONNX Runtime cannot.
        """
        inner = onnx.ModelProto()
        inner.CopyFrom(self.model)
        del inner.graph.output[:]
        inner.graph.output.extend(
            map(onnx.helper.make_empty_tensor_value_info, tensors)
        )
        try:
            session = _session(inner)
            return list(session.run(list(tensors), inputs))
        except Exception as error:  # a kind for each of its status codes
            raise WeightsError(
                msg(
                    "{path} cannot be looked into ({reason}).",
                    path=self.path,
                    reason=first_line(error),
                )
            ) from error


def read_graph(path: Path) -> Graph:
    """Read a graph and find its layers.

    Raises:
        WeightsError: the file is missing, damaged or no ONNX graph.
    """
    try:
        model = onnx.load(str(path))
        constants = _Constants(model)
        graph = Graph(path, model)
        for node in model.graph.node:
            graph._producers.update(dict.fromkeys(node.output, node))
        graph.layers = list(_layers(constants))
    except WeightsError:
        raise
    except Exception as error:  # protobuf, onnx and ONNX Runtime have many kinds
        raise WeightsError(
            msg(
                "{path} is missing, damaged or no ONNX graph ({reason}).",
                path=path,
                reason=first_line(error),
            ),
            DOWNLOAD_AGAIN,
        ) from error
    return graph


def _session(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


class _Constants:
    """The tensors of a graph that do not depend on its inputs."""

    def __init__(self, model: Any) -> None:
        graph = model.graph
        self._opsets = model.opset_import
        self._ir_version = model.ir_version
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._made: dict[str, Any] = {}
        known = set(self._stored)
        self.nodes: list[Any] = []  # those that see data
        for node in graph.node:
            inside = any(a.type == onnx.AttributeProto.GRAPH for a in node.attribute)
            if not inside and all(not name or name in known for name in node.input):
                known.update(node.output)
                self._made.update(dict.fromkeys(node.output, node))
            else:
                self.nodes.append(node)
        self._known = known
        self._values: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return bool(name) and name in self._known

    def is_stored(self, name: str) -> bool:
        """Whether it is stored by the exporter, under its own name."""
        return name in self._stored

    def compute(self) -> None:
        """Compute all constants that layers use, with ONNX Runtime."""
        visited = {name for node in self.nodes for name in node.input}
        requested = sorted(name for name in visited if name in self._made)
        if not requested:
            return
        nodes, needed, stack = set[int](), set[str](), list(requested)
        while stack:
            name = stack.pop()
            if name in self._made and id(self._made[name]) not in nodes:
                nodes.add(id(self._made[name]))
                stack += [each for each in self._made[name].input if each]
            elif name in self._stored:
                needed.add(name)
        listed = [node for node in _unique(self._made.values()) if id(node) in nodes]
        graph = onnx.helper.make_graph(
            listed,
            "constants",
            [],
            [onnx.helper.make_empty_tensor_value_info(name) for name in requested],
            [self._stored[name] for name in needed],
        )
        model = onnx.helper.make_model(graph, opset_imports=self._opsets)
        model.ir_version = self._ir_version
        values = _session(model).run(requested, {})
        self._values = dict(zip(requested, values, strict=True))

    def value(self, name: str) -> Any:
        """The array of a constant."""
        if name not in self._values:
            self._values[name] = numpy_helper.to_array(self._stored[name])
        return self._values[name]

    def floats(self, name: str) -> FloatArray | None:
        """A constant of more than one floating-point number, as float32."""
        if name not in self:
            return None
        array = np.asarray(self.value(name))
        if array.size < 2 or array.dtype.kind != "f":
            return None
        return np.asarray(array, np.float32)


def _unique(nodes: Any) -> Iterator[Any]:
    visited = set[int]()
    for node in nodes:
        if id(node) not in visited:
            visited.add(id(node))
            yield node


class _Reader:
    """Finds the layers among the nodes that depend on data."""

    def __init__(self, constants: _Constants) -> None:
        self._constants = constants
        self._readers: dict[str, list[Any]] = defaultdict(list)
        for node in constants.nodes:
            for name in node.input:
                self._readers[name].append(node)
        self._done = set[int]()

    def read(self) -> Iterator[GraphLayer]:
        for node in self._constants.nodes:
            if id(node) not in self._done:
                find = getattr(self, f"_{node.op_type.lower()}", self._table)
                layer = find(node)
                if layer is not None:
                    yield layer

    def _names(self, *names: str) -> tuple[str, ...]:
        """Those names that the exporter kept."""
        return tuple(
            name
            for name in names
            if self._constants.is_stored(name) and not _NAMELESS.match(name)
        )

    def _next_of_kind(self, tensor: str, kind: str) -> Any:
        """The node of that kind that is the only reader of a tensor."""
        readers = self._readers[tensor]
        fits = len(readers) == 1 and readers[0].op_type == kind
        return readers[0] if fits else None

    def _constant_of(self, node: Any) -> tuple[str, str] | None:
        """The names of the constant and the other of two operands."""
        first, second = node.input[:2]
        if second in self._constants:
            return second, first
        return (first, second) if first in self._constants else None

    def _vector(self, node: Any, length: int | None = None) -> str | None:
        """The name of an operand that is a vector along one axis."""
        result = node and self._constant_of(node)
        values = self._constants.floats(result[0]) if result else None
        if values is None or max(values.shape) != values.size:
            return None
        fits = length is None or values.size == length
        return result[0] if result and fits else None

    def _flat_values(self, name: str) -> FloatArray:
        values = self._constants.floats(name)
        assert values is not None
        return values.reshape(-1)

    def _conv(self, node: Any) -> GraphLayer | None:
        weight = self._constants.floats(node.input[1])
        if weight is None:
            return None
        given = [*node.input[2:3]]
        bias = self._flat_values(given[0]) if given and given[0] else None
        names, output, norm = self._names(*node.input[1:]), node.output[0], None
        following = self._next_of_kind(output, "BatchNormalization")
        if following is not None:
            self._done.add(id(following))
            norm, output = self._batch_norm(following), following.output[0]
        return GraphLayer(
            "conv", weight, bias, names, node.input[0], output, node.op_type, norm
        )

    _convtranspose = _conv

    def _batch_norm(self, node: Any) -> BatchNorm:
        scale, bias, mean, variance = (
            self._flat_values(name) for name in node.input[1:5]
        )
        epsilon = _attribute(node, "epsilon", 1e-5)
        return BatchNorm((scale, bias, mean, variance), float(epsilon))

    def _matmul(self, node: Any) -> GraphLayer | None:
        weight = self._constants.floats(node.input[1])
        if weight is None or weight.ndim != 2:
            return self._table(node)
        names, output, bias = self._names(node.input[1]), node.output[0], None
        add = self._next_of_kind(output, "Add")
        vector = self._vector(add, weight.shape[1])
        if vector:
            self._done.add(id(add))
            bias, output = self._flat_values(vector), add.output[0]
            names += self._names(vector)
        weight = np.ascontiguousarray(weight.T)
        return GraphLayer(
            "linear", weight, bias, names, node.input[0], output, "MatMul"
        )

    def _gemm(self, node: Any) -> GraphLayer | None:
        weight = self._constants.floats(node.input[1])
        plain = all(_attribute(node, name, 1.0) == 1.0 for name in ("alpha", "beta"))
        if weight is None or not plain or _attribute(node, "transA", 0):
            return self._table(node)
        if not _attribute(node, "transB", 0):
            weight = np.ascontiguousarray(weight.T)
        bias = self._flat_values(node.input[2]) if len(node.input) > 2 else None
        names, (output,) = self._names(*node.input[1:]), node.output
        return GraphLayer("linear", weight, bias, names, node.input[0], output, "Gemm")

    def _layernormalization(self, node: Any) -> GraphLayer:
        weight, bias = (self._flat_values(name) for name in node.input[1:3])
        names, output = self._names(*node.input[1:3]), node.output[0]
        return GraphLayer(
            "norm", weight, bias, names, node.input[0], output, node.op_type
        )

    def _mul(self, node: Any) -> GraphLayer | None:
        """A norm's scale and bias, where it was not exported as one operator."""
        scale = self._vector(node)
        add = self._next_of_kind(node.output[0], "Add")
        bias = self._vector(add, self._flat_values(scale).size) if scale else None
        if not scale or not bias:
            return self._table(node)
        self._done.add(id(add))
        weight, shift = self._flat_values(scale), self._flat_values(bias)
        names, output = self._names(scale, bias), add.output[0]
        result = self._constant_of(node)
        return GraphLayer(
            "norm", weight, shift, names, result[1] if result else "", output, "Mul"
        )

    def _table(self, node: Any) -> GraphLayer | None:
        """Any other constant applied to data."""
        for name in node.input:
            values = self._constants.floats(name)
            if values is not None:
                rest = [x for x in node.input if x and x not in self._constants]
                source = rest[0] if rest else ""
                return GraphLayer(
                    *("table", values, None, self._names(name)),
                    *(source, node.output[0], node.op_type),
                )
        return None


def _layers(constants: _Constants) -> Iterator[GraphLayer]:
    constants.compute()
    return _Reader(constants).read()


def _attribute(node: Any, name: str, default: Any) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            return onnx.helper.get_attribute_value(attribute)
    return default
