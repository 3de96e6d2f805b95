"""Write zim-tiny's network as ONNX graphs.

``python -m zim_model.onnx.tiny_export`` writes the graphs without weights that come
with the package, from the bundled model; needed after a change of its architecture.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zim_model.assets import asset_path
from zim_model.errors import WeightsError, msg
from zim_model.network.config import TINY_KEY
from zim_model.network.tiny import DetailStage, ZimTiny
from zim_model.onnx.tiny import FEATURES, PREDICT, REFINE, SHAPES, graph_folder
from zim_model.runtime.atomic_files import atomic_write

OPSET = 17
"""Supported by ONNX Runtime 1.12."""


class _Features(nn.Module):
    def __init__(self, detail: DetailStage) -> None:
        super().__init__()
        self.detail = detail

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.detail.encode(image)


class _Refine(nn.Module):
    def __init__(self, detail: DetailStage) -> None:
        super().__init__()
        self.detail = detail

    def forward(self, fine: Tensor, middle: Tensor, logits: Tensor) -> Tensor:
        finer: Tensor = self.detail((fine, middle), logits)
        return finer


def export_tiny(model: ZimTiny, *, weights: bool = True) -> dict[str, bytes]:
    """ONNX graphs by name: ``predict``, ``detail_features`` and ``refine``.

    Args:
        model: with a detail stage.
        weights: whether the graphs hold them; else they are external data, which a
            session is given.

    Raises:
        WeightsError: the model has no detail stage.
    """
    config, detail = model.config, model.detail
    if detail is None or config.detail_widths is None or config.detail_size is None:
        raise WeightsError(
            msg("{name} has no detail stage.", name=config.name),
            msg("Train one first: stage = detail."),
        )
    fine, middle, _ = config.detail_widths
    side, large = config.image_size, config.detail_size
    modules: dict[str, tuple[nn.Module, dict[str, Tensor], Sequence[str]]] = {
        PREDICT: (
            model,
            {
                "image": torch.zeros(1, 3, side, side),
                "maps": torch.zeros(2, 4, side, side),
            },
            ("logits", "iou"),
        ),
        FEATURES: (
            _Features(detail),
            {"image": torch.zeros(1, 3, large, large)},
            ("fine", "middle"),
        ),
        REFINE: (
            _Refine(detail),
            {
                "fine": torch.zeros(1, fine, large // 2, large // 2),
                "middle": torch.zeros(1, middle, large // 4, large // 4),
                "logits": torch.zeros(1, 1, large // 4, large // 4),
            },
            ("finer",),
        ),
    }
    described = json.dumps(config.to_json())
    return {
        name: _export(*parts, described, weights) for name, parts in modules.items()
    }


def _export(
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    described: str,
    weights: bool,
) -> bytes:
    import onnx

    stream = io.BytesIO()
    sets = ("maps", "logits", "iou") if "maps" in inputs else ()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        torch.onnx.export(
            module.cpu().float().eval(),
            tuple(inputs.values()),
            stream,  # type: ignore[arg-type]  # its stubs lack streams
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "sets"} for name in sets},
            opset_version=OPSET,
            do_constant_folding=weights,  # which would rename what it changes
            # The other exporter needs one package more.
            dynamo=False,
        )
    graph = onnx.load_from_string(stream.getvalue())
    graph.metadata_props.add(key=TINY_KEY, value=described)
    graph.metadata_props.add(key="image", value="RGB, (value - 127) / 128, padded by 0")
    if not weights:
        _drop_weights(graph)
    data: bytes = graph.SerializeToString()
    return data


def _drop_weights(graph: Any) -> None:
    import onnx

    for tensor in graph.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights")


def weight_shapes(graph: bytes) -> list[tuple[str, list[int]]]:
    """The names and shapes of a graph's weights."""
    import onnx

    tensors = onnx.load_from_string(graph).graph.initializer
    return [(tensor.name, list(tensor.dims)) for tensor in tensors]


def write_graphs(model: ZimTiny, folder: Path) -> None:
    """Write the graphs without weights, and the shapes of the weights."""
    graphs = export_tiny(model, weights=False)
    shapes = {
        "config": model.config.to_json(),
        "tensors": {name: weight_shapes(data) for name, data in graphs.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in graphs.items():
        with atomic_write(folder / f"{name}.onnx") as file:
            file.write(data)
    with atomic_write(folder / SHAPES) as file:
        file.write((json.dumps(shapes) + "\n").encode())


def main() -> int:
    """Write the graphs that come with the package."""
    from zim_model.weights.checkpoint import load_model

    model = load_model(asset_path("models", "zim-tiny.safetensors"))
    assert isinstance(model, ZimTiny)
    write_graphs(model, graph_folder())
    return 0


if __name__ == "__main__":
    sys.exit(main())
