"""Recovering a foreign decoder's prompt embeddings from its outputs.

Exporters fold these small tensors into others in many ways, but do not change the
results for given prompts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zim_model.arrays import FloatArray
from zim_model.errors import WeightsError, msg
from zim_model.network.config import NUM_MASK_TOKENS, ZimConfig
from zim_model.network.decoder import PADDING, POSITIVE
from zim_model.onnx.backend import ENCODER_OUTPUTS
from zim_model.onnx.graph import Graph
from zim_model.onnx.weight_matching import State, parameter_shapes

_OFFSETS = (2.0**-7, 2.0**-5, 2.0**-3, 2.0**-1, 1.0)
"""Distances of the probing prompts from the image's centre, in halves of its side."""


def prompt_state(graph: Graph, config: ZimConfig, tokens: str, image: str) -> State:
    """The prompts' embeddings, from the graph's results for chosen prompts.

    Args:
        tokens: the tensor of all tokens, (1, 5 + N, C).
        image: the tensor of the embeddings with the dense prompt, (1, G * G, C).

    Raises:
        WeightsError: the graph encodes prompts in another way.
    """
    run_decoder = _decoder_runner(graph, config, tokens)
    own, kinds = run_decoder([(0.0, 0.0, label) for label in (PADDING, 0, 1, 2, 3)])
    half = config.embed_dim // 2
    # In the centre all sines are 0 and all cosines 1; padding has no position.
    kinds[1:, half:] -= 1
    places = [(d, 0.0, POSITIVE) for d in _OFFSETS] + [
        (0.0, d, POSITIVE) for d in _OFFSETS
    ]
    again, moved = run_decoder(places)
    if not np.allclose(own, again, atol=1e-5):
        raise _prompt_error(graph)
    waves = moved - kinds[1 + POSITIVE]
    matrix = [_frequencies(part, half) for part in np.split(waves, 2)]
    nothing = _dense_prompt(graph, config, image)
    prompt, decoder = "prompt_encoder", "mask_decoder"
    result = {
        f"{prompt}.pe_layer.positional_encoding_gaussian_matrix": np.stack(matrix),
        f"{prompt}.not_a_point_embed.weight": kinds[:1],
        f"{prompt}.no_mask_embed.weight": nothing[None],
        f"{decoder}.iou_token.weight": own[:1],
        f"{decoder}.mask_tokens.weight": own[1:],
        **{
            f"{prompt}.point_embeddings.{i}.weight": kinds[1 + i, None]
            for i in range(4)
        },
    }
    state = {
        name: torch.tensor(values, dtype=torch.float32)
        for name, values in result.items()
    }
    return state | _no_mask_embedding(config, state[f"{prompt}.no_mask_embed.weight"])


def _prompt_error(graph: Graph) -> WeightsError:
    return WeightsError(
        msg(
            "{path} encodes prompts in another way than SAM. Nothing was written.",
            path=graph.path,
        ),
        msg("It can still be used as it is: zim-studio models add."),
    )


def _zeros(config: ZimConfig, count: int) -> dict[str, Any]:
    """Inputs of the decoder for ``count`` tokens, all 0."""
    grid = config.grid
    widths = zip(ENCODER_OUTPUTS[1:], config.detail_channels, (8, 4, 2), strict=True)
    shapes = {
        ENCODER_OUTPUTS[0]: (1, config.embed_dim, grid, grid),
        **{name: (1, width, grid * n, grid * n) for name, width, n in widths},
        "point_coords": (1, count, 2),
        "point_labels": (1, count),
        "attn_mask": (1, grid, grid),
    }
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def _decoder_runner(
    graph: Graph, config: ZimConfig, tokens: str
) -> Callable[[list[tuple[float, float, int]]], tuple[FloatArray, FloatArray]]:
    """A function that runs the graph for tokens.

    Prompts are (x, y, label), x and y from the centre in halves of the side; results
    are the five own tokens and those of the prompts, (5, C) and (N, C).
    """

    def run_decoder(
        prompts: list[tuple[float, float, int]],
    ) -> tuple[FloatArray, FloatArray]:
        inputs = _zeros(config, len(prompts))
        places = np.array([prompt[:2] for prompt in prompts])
        inputs["point_coords"][0] = (places + 1) / 2 * config.image_size - 0.5
        inputs["point_labels"][0] = [prompt[2] for prompt in prompts]
        (values,) = graph.run(inputs, [tokens])
        own = 1 + NUM_MASK_TOKENS
        if values.shape != (1, own + len(prompts), config.embed_dim):
            raise _prompt_error(graph)
        return values[0, :own], np.array(values[0, own:])

    return run_decoder


def _frequencies(waves: FloatArray, half: int) -> FloatArray:
    """One row of the matrix of positions, from sines and cosines at ``_OFFSETS``.

    The smallest offset gives it roughly, each larger one to more digits.
    """
    angles = np.arctan2(waves[:, :half], waves[:, half:]).astype(np.float64)
    result = np.zeros(half)
    for offset, angle in zip(_OFFSETS, angles, strict=True):
        turns = np.round(result * offset - angle / (2 * np.pi))
        result = (angle / (2 * np.pi) + turns) / offset
    return result.astype(np.float32)


def _dense_prompt(graph: Graph, config: ZimConfig, image: str) -> FloatArray:
    """The vector added to the embeddings without a mask input, (C,)."""
    (values,) = graph.run(_zeros(config, 1), [image])
    flat = np.reshape(values, (-1, config.embed_dim))
    if values.shape[-1] != config.embed_dim or np.ptp(flat, 0).max() > 1e-5:
        raise _prompt_error(graph)
    return np.asarray(flat[0])


def _no_mask_embedding(config: ZimConfig, nothing: Tensor) -> State:
    """The encoder of mask inputs, which the graphs lack: any mask has no effect."""
    start = "prompt_encoder.mask_downscaling"
    own = {k: v for k, v in parameter_shapes(config).items() if k.startswith(start)}
    state = {name: torch.zeros(tensor.shape) for name, tensor in own.items()}
    return state | {f"{start}.6.bias": nothing[0].clone()}
