"""Zim-tiny's network with ONNX Runtime: without torch, which takes seconds to load.

The graphs come with the package.  They hold no weights: those of a safetensors file of
the same architecture are put in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError, safe_open

from zim_model.arrays import ByteArray, FloatArray
from zim_model.assets import asset_path
from zim_model.backends.backend import SizedFeatures
from zim_model.errors import MALFORMED, WeightsError
from zim_model.network.config import PADDING_GREY, PIXEL_RANGE, TINY_KEY, TinyConfig
from zim_model.onnx.sessions import open_session
from zim_model.runtime.malloc import tune_malloc

PREDICT, FEATURES, REFINE = "predict", "detail_features", "refine"
"""Graphs of the network's passes, see :class:`TinyNetwork`."""
GRAPH_FILES = tuple(f"{name}.onnx" for name in (PREDICT, FEATURES, REFINE))
SHAPES = "shapes.json"
"""Beside the graphs: ``config``, that of the network, and ``tensors``, the names and
shapes of the weights by graph."""


def graph_folder(config: TinyConfig) -> Path:
    """The folder of the graphs of an architecture, which come with the package."""
    return asset_path("graphs", f"zim-tiny-{config.encoder.variant}")


@dataclass(frozen=True, slots=True, eq=False)
class DetailArrays:
    """What the detail stage makes of an image: (1, C, D/2, D/2), (1, C', D/4, D/4)."""

    fine: FloatArray
    middle: FloatArray

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the arrays take."""
        return self.fine.nbytes + self.middle.nbytes


class OnnxTiny:
    """A :class:`~zim_model.backends.tiny_backend.TinyNetwork` on the CPU.

    Args:
        config: of the graphs.
        weights: float32 tensors by graph and name.
        fingerprint: of the weights.
    """

    is_half = False

    def __init__(
        self,
        config: TinyConfig,
        weights: dict[str, dict[str, FloatArray]],
        fingerprint: str,
    ) -> None:
        tune_malloc()
        self.config = config
        # The sessions refer to the weights.
        self._weights = weights
        self._predict, self._features, self._refine = (
            open_session(graph_folder(config) / f"{name}.onnx", weights=weights[name])
            for name in (PREDICT, FEATURES, REFINE)
        )
        self.fingerprint = f"{fingerprint}/cpu/fp32/onnx"
        self.device_label = "CPU (fp32)"

    def predict(
        self, pixels: ByteArray, maps: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        image = _scaled(pixels)
        # One by one: together they leave the processor's cache, and take longer.
        results = [
            self._predict.run(None, {"image": image, "maps": each[None]})
            for each in maps
        ]
        logits, iou = map(np.concatenate, zip(*results, strict=True))
        return logits, iou

    def detail_features(self, pixels: ByteArray) -> DetailArrays:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        return DetailArrays(*self._features.run(None, {"image": _scaled(pixels)}))

    def refine(self, features: SizedFeatures, logits: FloatArray) -> FloatArray:
        """See :class:`~zim_model.backends.tiny_backend.TinyNetwork`."""
        arrays = cast(DetailArrays, features)
        inputs = {
            "fine": arrays.fine,
            "middle": arrays.middle,
            "logits": logits[None, None],
        }
        (finer,) = self._refine.run(None, inputs)
        return cast(FloatArray, finer[0, 0])


def _scaled(pixels: ByteArray) -> FloatArray:
    """The networks' input (1, 3, h, w) from pixels (h, w, 3)."""
    values = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    return np.ascontiguousarray((values - PADDING_GREY) / PIXEL_RANGE)


def open_tiny(path: Path) -> OnnxTiny | None:
    """Zim-tiny's network with the weights of a file; None for what needs torch.

    That is every file but a sound one of the architecture of the graphs: loading it
    with torch says what is wrong with others.

    Args:
        path: a safetensors file.
    """
    try:
        with safe_open(path, framework="np") as file:
            described = json.loads((file.metadata() or {})[TINY_KEY])
            config = TinyConfig.from_json(described)
            shapes = _read_shapes(config)
            own = dict(chain.from_iterable(shapes["tensors"].values()))
            if described != shapes["config"] or _stored_shapes(file) != own:
                return None
            tensors = {name: _tensor(file, name) for name in sorted(own)}
            if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
                return None
    except (WeightsError, SafetensorError, OSError, *MALFORMED):
        return None
    digest = hashlib.blake2b(json.dumps(described).encode(), digest_size=8)
    for tensor in tensors.values():
        digest.update(tensor.tobytes())
    weights = {
        graph: {name: tensors[name] for name, _ in part}
        for graph, part in shapes["tensors"].items()
    }
    return OnnxTiny(config, weights, digest.hexdigest())


def _stored_shapes(file: Any) -> dict[str, list[int]]:
    """Shapes of the floats of a file, before they are read."""
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    return {
        name: each.get_shape()
        for name, each in slices.items()
        if each.get_dtype() in ("F16", "F32")
    }


def _tensor(file: Any, name: str) -> FloatArray:
    return np.ascontiguousarray(file.get_tensor(name), np.float32)


def _read_shapes(config: TinyConfig) -> dict[str, Any]:
    text = (graph_folder(config) / SHAPES).read_text("utf-8")
    return cast(dict[str, Any], json.loads(text))
