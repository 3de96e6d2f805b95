"""Write zim-tiny's network as ONNX graphs.

``python -m zim_model.onnx.tiny_export`` writes the graphs without weights that come
with the package, for every encoder; needed after a change of the architecture.
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

from zim_model.backends.prompt_maps import RADIUS
from zim_model.errors import WeightsError, msg
from zim_model.network.config import (
    DETAIL_WIDTHS,
    TINY_KEY,
    LiteConfig,
    TinyConfig,
)
from zim_model.network.encoder_configs import LITE_MULTIPLIERS
from zim_model.network.tiny import DetailStage, ZimTiny
from zim_model.onnx.export import OPSET, staging_folder
from zim_model.onnx.parity import ParityDifference, check_parity
from zim_model.onnx.sessions import open_session
from zim_model.onnx.tiny import (
    FEATURES,
    GRAPH_FILES,
    PREDICT,
    REFINE,
    SHAPES,
    graph_folder,
)
from zim_model.runtime.atomic_files import atomic_write, check_absent
from zim_model.weights.installed import OVERWRITE_CURE, require_onnx

GRAPH_CONFIGS = tuple(
    TinyConfig(encoder=LiteConfig(variant), detail_widths=DETAIL_WIDTHS)
    for variant in LITE_MULTIPLIERS
)
"""Architectures whose graphs come with the package."""
MEANINGS = {
    "image": "RGB, (value - 127) / 128 of values from 0 to 255; scaled to the side of "
    "the square at the top left, padded by 0 (predict: the whole photo or a part; "
    "detail_features: the same at twice the side)",
    "maps": "for each set of prompts, in pixels of the image, 0 or 1: disks of radius "
    f"{RADIUS} at positive points; at negative points; the filled box; and alpha of an "
    "earlier prediction, 0 to 1, or 0",
    "logits": "at half the side of the image, cut off at the padding: candidates best, "
    "part, object and group; alpha is 1 / (1 + exp(-logits)). refine takes one of them",
    "iou": "predicted intersection over union of each candidate",
    "fine": "features of the image, from detail_features to refine",
    "middle": "features of the image, from detail_features to refine",
    "finer": "logits at twice the side of the given ones, for alpha in place of theirs",
}
"""Of the graphs' inputs and outputs, for their metadata."""


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
    for name in (*inputs, *outputs):
        graph.metadata_props.add(key=name, value=MEANINGS[name])
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


def graphs_without_weights(config: TinyConfig) -> dict[str, bytes]:
    """An architecture's ONNX graphs by name, see :func:`export_tiny`."""
    model = ZimTiny(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()  # equal ones, as new norms are, would become one
    return export_tiny(model, weights=False)


def write_graphs(config: TinyConfig, folder: Path) -> None:
    """Write an architecture's graphs without weights, and the shapes of the weights."""
    graphs = graphs_without_weights(config)
    shapes = {
        "config": config.to_json(),
        "tensors": {name: weight_shapes(data) for name, data in graphs.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in graphs.items():
        with atomic_write(folder / f"{name}.onnx") as file:
            file.write(data)
    with atomic_write(folder / SHAPES) as file:
        file.write((json.dumps(shapes) + "\n").encode())


def write_tiny(
    model: ZimTiny, folder: Path, *, overwrite: bool = False
) -> list[ParityDifference]:
    """Write the graphs with weights, ``predict.onnx`` and two more, all or none.

    They are compared with the network before they replace earlier ones.

    Args:
        model: with a detail stage.
        folder: made if it does not exist.
        overwrite: replace graphs that are in the folder.

    Returns:
        Differences between the results of the graphs and the network.

    Raises:
        WeightsError: the model has no detail stage, the packages for ONNX are missing,
            the folder has such graphs already, the new ones give other numbers, or the
            disk is full.
    """
    require_onnx()
    if not overwrite:
        files = [folder / name for name in GRAPH_FILES]
        check_absent(files, OVERWRITE_CURE, WeightsError)
    model = model.cpu().float().eval()
    graphs = export_tiny(model)
    with staging_folder(folder, overwrite=overwrite) as staging:
        for name, data in graphs.items():
            (staging / f"{name}.onnx").write_bytes(data)
        differences = _differences(model, staging)
        check_parity(differences, msg("{name} was exported", name=model.config.name))
    return differences


@torch.inference_mode()
def _differences(model: ZimTiny, folder: Path) -> list[ParityDifference]:
    """Compare the graphs with the network on random inputs."""
    side, large, detail = (
        model.config.image_size,
        model.config.detail_size,
        model.detail,
    )
    assert detail is not None
    assert large is not None
    generator = torch.Generator().manual_seed(0)
    image, fine_image = (
        torch.rand(1, 3, size, size, generator=generator) * 2 - 1
        for size in (side, large)
    )
    maps = (torch.rand(2, 4, side, side, generator=generator) > 0.9).float()
    coarse = torch.randn(1, 1, side // 2, side // 2, generator=generator)
    features = detail.encode(fine_image)
    fine, middle = features
    passes: dict[str, tuple[dict[str, Tensor], dict[str, Tensor]]] = {
        PREDICT: (
            {"image": image, "maps": maps},
            dict(zip(("logits", "iou"), model(image, maps), strict=True)),
        ),
        FEATURES: ({"image": fine_image}, {"fine": fine, "middle": middle}),
        REFINE: (
            {"fine": fine, "middle": middle, "logits": coarse},
            {"finer": detail(features, coarse)},
        ),
    }
    found = []
    for name, (inputs, expected) in passes.items():
        session = open_session(folder / f"{name}.onnx")
        given = {key: tensor.numpy() for key, tensor in inputs.items()}
        results = session.run(list(expected), given)
        for output, result in zip(expected, results, strict=True):
            reference = expected[output].numpy()
            largest = float(abs(result - reference).max())
            size = float(abs(reference).max())
            found.append(ParityDifference(output, name, largest, size))
    return found


def main() -> int:
    """Write the graphs that come with the package."""
    for config in GRAPH_CONFIGS:
        write_graphs(config, graph_folder(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
