"""Weight files: safetensors of all kinds, pickles, ONNX graphs."""

from __future__ import annotations

import json
import os
import pickle
import struct
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutation import OUTSIDE, TEXTS, hostile_json, mutate_bytes
from tests.fuzz.reader import Reader
from zim_model.network.config import VitConfig, ZimConfig

MEMORY = 2 << 30
RELATIVES = ("mobile_sam", "hq_sam", "sam2", "sam2_transformers")
"""Kinds of checkpoints of SAM's relatives."""
SMALL = ZimConfig(
    "small",
    image_size=64,
    encoder=VitConfig(8, 1, 1, (0,), window=2),
    embed_dim=8,
    transformer_heads=1,
    transformer_mlp=8,
    head_dim=8,
    detail_channels=(4, 4, 8),
    fusion_channels=(8, 8, 8),
)

# -- safetensors -----------------------------------------------------------------------


@lru_cache
def _safetensors(kind: str) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a valid file."""
    import torch
    from safetensors.torch import save

    from zim_model.weights.checkpoint import CONFIG_KEY, build

    if kind == "own":
        model = build(SMALL)
        metadata = {"zim_format": "1", CONFIG_KEY: json.dumps(SMALL.to_json())}
        data = save(dict(model.state_dict()), metadata)
    else:
        names = {
            "sam": ("image_encoder.pos_embed", "mask_decoder.iou_token.weight"),
            "mobile_sam": _MOBILE_SAM,
            "hq_sam": _HQ_SAM,
            "sam2": _SAM2,
            "sam2_transformers": _SAM2_TRANSFORMERS,
            "vitmatte": _VITMATTE,
            "converter": ("encoder.stem.weight",),
        }[kind]
        metadata = {"converter_config": json.dumps(_converter())}
        tensors = {name: torch.zeros(1, 4, 4, 8) for name in names}
        data = save(tensors, metadata if kind == "converter" else None)
    (length,) = struct.unpack_from("<Q", data)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


_MOBILE_SAM = (
    "image_encoder.patch_embed.seq.2.c.weight",
    *(f"image_encoder.layers.{i}.blocks.0.conv1.c.weight" for i in range(4)),
    *(f"image_encoder.layers.{i}.blocks.0.attn.norm.weight" for i in range(1, 4)),
    *(f"image_encoder.layers.{i}.blocks.0.attn.attention_biases" for i in range(1, 4)),
)
_HQ_SAM = (
    "image_encoder.pos_embed",
    "mask_decoder.hf_token.weight",
    "mask_decoder.compress_vit_feat.0.weight",
)
_SAM2 = (
    "image_encoder.trunk.patch_embed.proj.weight",
    *(f"image_encoder.trunk.blocks.{i}.norm1.weight" for i in range(12)),
    "sam_mask_decoder.transformer.layers.0.mlp.layers.0.weight",
    "memory_encoder.fuser.weight",
)
_SAM2_TRANSFORMERS = (
    "vision_encoder.backbone.patch_embed.projection.weight",
    *(f"vision_encoder.backbone.blocks.{i}.layer_norm1.weight" for i in range(12)),
    "prompt_encoder.point_embed.weight",
)
_VITMATTE = (
    "backbone.embeddings.projection.weight",
    "backbone.embeddings.position_embeddings",
    "backbone.encoder.layer.0.attention.rel_pos_h",
    "backbone.encoder.layer.0.mlp.fc1.weight",
    "backbone.encoder.layer.0.residual.conv1.weight",
    *(f"decoder.convstream.convs.{i}.conv.weight" for i in range(3)),
    *(f"decoder.fusion_blocks.{i}.conv.conv.weight" for i in range(4)),
)


def _converter() -> Any:
    from zim_model.conversion.config import CONVERTER_TINY

    return CONVERTER_TINY.to_json()


def _make_safetensors(rng: Random, folder: Path) -> Path:
    header, data = _safetensors(
        rng.choice(("own", "own", "sam", *RELATIVES, "vitmatte", "converter"))
    )
    how = rng.randrange(5)
    if how == 0:  # hostile metadata, such as a configuration
        metadata = dict(header.get("__metadata__", {}))
        key = rng.choice(list(metadata) or ["zim_config"])
        value = json.loads(metadata.get(key, "0"))
        metadata[key] = hostile_json(rng, value).decode("utf-8", "replace")
        text = json.dumps({**header, "__metadata__": metadata}).encode()
    elif how == 1:
        text = hostile_json(rng, header)
    elif how == 2:  # one tensor of another shape, which its data has, too
        text = json.dumps(_reshaped(rng, header)).encode()
    else:
        text = json.dumps(header).encode()
    size = len(text) if rng.random() < 0.9 else rng.choice((0, 2**62, 2**64 - 1, 10**8))
    content = struct.pack("<Q", size) + text + data
    path = folder / "model.safetensors"
    path.write_bytes(mutate_bytes(rng, content) if how == 3 else content)
    return path


def _reshaped(rng: Random, header: dict[str, Any]) -> dict[str, Any]:
    changed = dict(header)
    name = rng.choice([name for name in header if name != "__metadata__"])
    entry = changed.pop(name)
    other = rng.choice((name, name + ".x", *TEXTS))
    changed[other] = {**entry, "shape": [*entry["shape"][::-1], 1]}
    return changed


def _read_weights(path: Path) -> None:
    """Check a file as adding and loading a model do, whatever it may hold."""
    from zim_model.conversion.weights import load_converter
    from zim_model.errors import ZimError
    from zim_model.weights.checkpoint import check_weights, load_model
    from zim_model.weights.installed import holds_trimap_network
    from zim_model.weights.vitmatte_checkpoint import check_vitmatte

    refusals = []
    readers = [check_weights, load_model, check_vitmatte]
    readers += [load_converter] if path.suffix == ".safetensors" else []
    holds_trimap_network(path)
    for read in readers:
        try:
            read(path)
        except ZimError as error:
            refusals.append(error)
    if len(refusals) == len(readers):
        raise refusals[0]


# -- Pickles ---------------------------------------------------------------------------


class _Call:
    """Calls a function when it is unpickled, which must never happen."""

    def __init__(self, function: Any, *args: Any) -> None:
        self._call = function, args

    def __reduce__(self) -> Any:
        return self._call


def _make_pickle(rng: Random, folder: Path) -> Path:
    import torch

    tensors: dict[str, Any] = {
        "image_encoder.pos_embed": torch.zeros(1, 4, 4, 768),
        "mask_decoder.iou_token.weight": torch.zeros(1, 256),
    }
    extra: Any = rng.choice(
        (
            lambda: torch.zeros(1).expand(10**6, 10**5),
            lambda: torch.zeros(3, 3).to_sparse(),
            lambda: {"state_dict": tensors},
            lambda: [tensors],
            lambda: 3,
            lambda: None,
            lambda: torch.zeros(0),
            lambda: torch.empty(10**9, device="meta"),
            lambda: {rng.choice(TEXTS): torch.zeros(2)},
        )
    )()
    tensors[rng.choice(("model", "state_dict", "a", *TEXTS))] = extra
    path = folder / rng.choice(("model.pth", "model.pt"))
    torch.save(tensors, path, _use_new_zipfile_serialization=rng.random() < 0.7)
    if rng.random() < 0.15:
        calls = (
            _Call(os.system, "touch outside"),
            _Call(open, str(OUTSIDE / "x"), "w"),
        )
        path.write_bytes(pickle.dumps({"a": rng.choice(calls)}))
    if rng.random() < 0.5:
        path.write_bytes(mutate_bytes(rng, path.read_bytes()))
    return path


# -- ONNX ------------------------------------------------------------------------------


@lru_cache
def _graph(encoder: bool) -> bytes:
    """One graph of a pair that is valid but for its weights."""
    from onnx import TensorProto, helper

    from zim_model.onnx.backend import DECODER_OUTPUTS, ENCODER_OUTPUTS, IMAGE, PROMPTS

    inputs = (IMAGE,) if encoder else (*ENCODER_OUTPUTS, *PROMPTS)
    outputs = ENCODER_OUTPUTS if encoder else DECODER_OUTPUTS

    def infos(names: tuple[str, ...]) -> list[Any]:
        shape = TensorProto.FLOAT, [1, 3, 64, 64]
        return [helper.make_tensor_value_info(name, *shape) for name in names]

    graph = helper.make_graph(
        [helper.make_node("Mul", [inputs[0], "w"], [name]) for name in outputs],
        *("g", infos(inputs), infos(outputs)),
        [helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return bytes(model.SerializeToString())


def _make_pair(rng: Random, folder: Path) -> Path:
    for encoder, name in ((True, "encoder.onnx"), (False, "decoder.onnx")):
        data = _graph(encoder)
        if rng.random() < 0.8:
            data = _hostile_graph(rng, data)
        (folder / name).write_bytes(data)
        if rng.random() < 0.3:
            (folder / f"{name}.data").write_bytes(rng.randbytes(8))
    return folder


def _hostile_graph(rng: Random, data: bytes) -> bytes:
    """A graph with weights in other files, sizes that are too large, or other bytes."""
    import onnx

    if rng.random() < 0.4:
        return mutate_bytes(rng, data)
    model = onnx.load_from_string(data)
    weight = model.graph.initializer[0]
    match rng.randrange(6):
        case 0 | 1:
            weight.ClearField("float_data")
            weight.data_location = onnx.TensorProto.EXTERNAL
            texts = [x for x in TEXTS if "\ud800" not in x and "\udce9" not in x]
            for key, value in (
                ("location", rng.choice((*texts, "encoder.onnx.data", "../secret"))),
                ("offset", rng.choice(("0", "-1", "9" * 30, "x", "4"))),
                ("length", rng.choice(("4", "-4", "9" * 30, "", "1000000000000"))),
            ):
                if rng.random() < 0.8:
                    entry = weight.external_data.add()
                    entry.key, entry.value = key, value
        case 2:
            del weight.dims[:]
            weight.dims.extend(rng.choice(([2**40], [-1], [0], [2**31, 2**31], [3])))
        case 3:
            weight.data_type = rng.choice((0, 2, 8, 11, 999))
        case 4:
            info = rng.choice((*model.graph.input, *model.graph.output))
            dim = info.type.tensor_type.shape.dim
            dim[rng.randrange(len(dim))].dim_value = rng.choice((0, -1, 2**40, 2**62))
        case _:
            node = model.graph.node[0]
            node.input[0] = rng.choice((node.output[0], "none", "w", ""))
            node.op_type = rng.choice(("Mul", "Loop", "If", "NoSuch", "Add"))
            del model.graph.node[1 + rng.randrange(3) :]
    return model.SerializeToString()


def _read_pair(folder: Path) -> None:
    from zim_model.errors import ZimError
    from zim_model.install import _recognise_files
    from zim_model.onnx.graph import read_graph

    with suppress(ZimError):
        read_graph(folder / "encoder.onnx")
    _, check = _recognise_files(folder)
    check()


READERS = (
    Reader("safetensors", _make_safetensors, _read_weights, memory=MEMORY),
    Reader("pickle", _make_pickle, _read_weights, memory=MEMORY),
    Reader("onnx-pair", _make_pair, _read_pair, memory=MEMORY),
)
