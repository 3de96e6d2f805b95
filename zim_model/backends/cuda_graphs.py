"""Decoding on a GPU as CUDA graphs: one launch in place of a few hundred.

A click's kernels are so short that launching them one by one takes longer than running
them.  They are recorded once for each of a few numbers of prompt tokens, on fixed
buffers, and replayed for every click.  The features of an image are copied into these
buffers when the image changes, not with each click.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zim_model.network.zim import Features

LENGTHS = (4, 8, 16, 32)
"""Numbers of prompt tokens that are recorded; shorter prompts are padded."""

Decode = Callable[[Features, Tensor, Tensor], tuple[Tensor, Tensor]]
"""Logits and predicted IoU from features, coordinates (1, N, 2) and labels (1, N)."""
Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Records what a function does on the GPU, and returns a function that replays it."""

_log = logging.getLogger(__name__)


def padded_length(count: int) -> int | None:
    """The smallest recorded number of tokens of at least ``count``; None if none."""
    return next((length for length in LENGTHS if count <= length), None)


def cuda_capture(work: Callable[[], None]) -> Callable[[], None]:
    """Record work as a CUDA graph."""
    # Untyped in torch.
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):  # libraries choose kernels and allocate memory
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    replay: Callable[[], None] = graph.replay
    return replay


@dataclass(slots=True, eq=False)
class _CudaGraph:
    """The graph of one length, with its input and output buffers."""

    coords: Tensor
    labels: Tensor
    replay: Callable[[], None]
    outputs: list[Tensor]


class CudaGraphDecoder:
    """Decodes by replaying CUDA graphs.

    Args:
        decode: of one prompt set on one image's features; it must not read values of
            tensors.
        capture: records a call of it.
    """

    def __init__(self, decode: Decode, capture: Capture = cuda_capture) -> None:
        self._decode, self._capture = decode, capture
        self._recordings: dict[int, _CudaGraph] = {}
        self._features: Features | None = None
        self._source: Features | None = None
        self.usable = True

    def __call__(
        self, features: Features, coords: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Decode one prompt set; the next call overwrites the result.

        Args:
            features: of one image, on the device.
            coords: (1, N, 2), N being one of ``LENGTHS``; may lie in main memory.
            labels: (1, N).

        Returns:
            Logits (1, 4, h, w) and predicted IoU (1, 4), or None where
            nothing can be recorded: decode in the usual way then.
        """
        if not self.usable:
            return None
        try:
            return self._replay(features, coords, labels)
        except RuntimeError as error:
            # A driver or an operator that cannot be recorded, or no memory for a
            # second set of buffers: decode without graphs.
            _log.warning("decoding is not recorded as a graph: %s", error)
            self.usable = False
            self._recordings.clear()
            self._features = self._source = None
            return None

    def _replay(
        self, features: Features, coords: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        self._load(features)
        length = coords.shape[1]
        recording = self._recordings.get(length)
        if recording is None:
            recording = self._recordings[length] = self._record(coords, labels)
        recording.coords.copy_(coords)
        recording.labels.copy_(labels)
        recording.replay()
        logits, iou = recording.outputs
        return logits, iou

    def _load(self, features: Features) -> None:
        """Copy the image's features into the buffers of the graphs."""
        if self._features is None:
            self._features = features.map_tensors(torch.clone)
        elif self._source is not features:
            pairs = zip(self._features.tensors(), features.tensors(), strict=True)
            for kept, new in pairs:
                kept.copy_(new)
        self._source = features

    def _record(self, coords: Tensor, labels: Tensor) -> _CudaGraph:
        features = self._features
        assert features is not None
        device = features.embeddings.device
        inputs = coords.to(device, copy=True), labels.to(device, copy=True)
        outputs: list[Tensor] = []

        def work() -> None:
            outputs[:] = self._decode(features, *inputs)

        replay = self._capture(work)
        return _CudaGraph(*inputs, replay, outputs)
