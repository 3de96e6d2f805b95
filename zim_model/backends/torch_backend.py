"""The backend of ZIM and SAM."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import EncodedView, non_finite_error
from zim_model.backends.cuda_graphs import CudaGraphDecoder, padded_length
from zim_model.backends.view import View, align, normalise, resize_view
from zim_model.errors import PrecisionOverflow
from zim_model.network.config import NUM_MASK_TOKENS
from zim_model.network.decoder import ABSENT, BOTTOM_RIGHT, PADDING, TOP_LEFT
from zim_model.network.sam_interface import preprocess
from zim_model.network.zim import Features, Zim
from zim_model.prompts import PromptSet
from zim_model.runtime.devices import (
    Precision,
    device_name,
    resolve_device,
    torch_dtype,
    usable_precision,
)
from zim_model.runtime.malloc import tune_malloc
from zim_model.runtime.threads import tune_threads
from zim_model.weights.tensors import fingerprint


def prompt_tokens(
    prompts: PromptSet, length: int = 0
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Prompt tokens in SAM's order: points, then the box's corners or one padding.

    Scribbles are sampled as points, after the points.  Regions around the object are
    their bounding box where there is no box, others a negative point inside.

    Args:
        prompts: in input pixels.
        length: pad with ABSENT tokens up to so many.

    Returns:
        Coordinates (N, 2) and labels (N,), see ``zim_model.network.decoder``.
    """
    sampled = itertools.chain.from_iterable(s.clicks for s in prompts.scribbles)
    points = (*prompts.points, *sampled)
    coords, positive = PromptSet(points).point_arrays()
    labels = positive.astype(np.int64)
    box = prompts.extent
    if box is None:
        corners, kinds = [(0.0, 0.0)], [PADDING]
    else:
        corners = [(box.x0, box.y0), (box.x1, box.y1)]
        kinds = [TOP_LEFT, BOTTOM_RIGHT]
    absent = max(0, length - len(labels) - len(kinds))
    corners += [(0.0, 0.0)] * absent
    kinds += [ABSENT] * absent
    return (
        np.concatenate([coords, np.array(corners, np.float32)]),
        np.concatenate([labels, np.array(kinds, np.int64)]),
    )


def check_finite(logits: Tensor, dtype: torch.dtype, model: str) -> None:
    """Check predicted logits.

    Args:
        dtype: in which they were computed.
        model: its name.

    Raises:
        PrecisionOverflow: they are not finite in half precision.
        WeightsError: they are not finite in full precision.
    """
    if not torch.isfinite(logits).all():
        if dtype != torch.float32:
            raise PrecisionOverflow
        raise non_finite_error(model)


class TorchBackend:
    """Runs a :class:`~zim_model.network.zim.Zim` with PyTorch."""

    def __init__(
        self, model: Zim, device: str | None = None, precision: Precision = "auto"
    ) -> None:
        """Move the model to ``device``, by default the best of this machine.

        Args:
            precision: see :func:`zim_model.runtime.devices.usable_precision`.  Weights
                stay fp32; half precision is torch's autocast.  On a CPU the decoder
                stays in fp32 too, in which it is faster
                (``zim_model.network.fused_upsample``).

        Raises:
            DeviceError: this machine has no such device.
        """
        name = resolve_device(device)
        precision = usable_precision(name, precision, large_products=True)
        self.device = torch.device(name)
        self.dtype = torch_dtype(precision)
        self.config = model.config
        # Features cannot be shared between devices or precisions.
        self.fingerprint = f"{fingerprint(model)}/{name}/{precision}"
        if self.device.type == "cpu":
            tune_malloc(huge=self.config.image_size > 512)
            tune_threads()
        self.model = model.to(self.device).channels_last().eval()
        self.device_label = f"{device_name(name)} ({precision})"
        recorded = self.device.type == "cuda"
        self._graphs = CudaGraphDecoder(self._decode_recordable) if recorded else None

    def _decode_recordable(
        self, features: Features, coords: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decoding that reads no values of tensors, for a graph."""
        # Weights that autocast caches would be freed before the graph is replayed.
        half = self.dtype != torch.float32
        with torch.autocast(
            self.device.type, self.dtype, enabled=half, cache_enabled=False
        ):
            logits, iou = self.model.decode(features, coords, labels, has_padding=True)
        return logits, iou

    def _autocast(self, *, decoding: bool = False) -> torch.autocast:
        exact = decoding and self.device.type == "cpu"
        half = self.dtype != torch.float32 and not exact
        return torch.autocast(self.device.type, self.dtype, enabled=half)

    @torch.inference_mode()
    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`Backend`."""
        pixels = resize_view(self.config, image, view)
        tensor = torch.from_numpy(normalise(pixels, self.config.image_size))[None]
        return EncodedView(view, self._features(tensor))

    @torch.inference_mode()
    def encode_tensor(self, pixels: Tensor, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.TokenBackend`."""
        tensor = preprocess(pixels.to(self.device), self.config.image_size)
        return EncodedView(view, self._features(tensor))

    def _features(self, tensor: Tensor) -> Features:
        """Features of an input (1, 3, S, S), precomputed."""
        tensor = tensor.to(self.device).contiguous(memory_format=torch.channels_last)
        with self._autocast():
            features = self.model.encode(tensor)
        if self.device.type == "cpu":
            features = features.map_tensors(torch.Tensor.float)
        with self._autocast(decoding=True):
            return self.model.precompute(features)

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`Backend`."""
        logits, scores = self._decode_aligned(encoded, [prompts], mask_input)
        return logits[0], scores[0]

    def decode_many(
        self, encoded: EncodedView, prompt_sets: Sequence[PromptSet]
    ) -> tuple[FloatArray, FloatArray]:
        """Results of :meth:`decode` for N prompt sets, (N, 4, h, w) and (N, 4).

        On a GPU this takes little longer than one.
        """
        return self._decode_aligned(encoded, prompt_sets)

    @torch.inference_mode()
    def decode_tokens(
        self,
        encoded: EncodedView,
        coords: Tensor,
        labels: Tensor,
        mask_input: Tensor | None = None,
        wanted: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See :class:`~zim_model.backends.backend.TokenBackend`."""
        assert isinstance(encoded.features, Features)
        if mask_input is not None:
            mask_input = mask_input.to(self.device, torch.float32)
        with self._autocast(decoding=True):
            logits, iou = self.model.decode(
                encoded.features,
                coords.to(self.device),
                labels.to(self.device),
                mask_input=mask_input,
                wanted=wanted,
            )
        logits = logits.float()
        check_finite(logits, self.dtype, self.config.name)
        return logits, iou.float()

    @torch.inference_mode()
    def _decode_aligned(
        self,
        encoded: EncodedView,
        prompt_sets: Sequence[PromptSet],
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Results of :meth:`decode` for N prompt sets, (N, 4, h, w) and (N, 4)."""
        view, stride = encoded.view, self.config.mask_stride
        logits, iou = self._decode(encoded, prompt_sets, mask_input)
        rows, columns = view.cells(stride)
        cropped = logits[..., :rows, :columns].float()
        check_finite(cropped, self.dtype, self.config.name)
        scores: FloatArray = iou.float().cpu().numpy()
        return (
            align(cropped.cpu().numpy(), view, stride),
            scores.reshape(-1, NUM_MASK_TOKENS),
        )

    def _decode(
        self,
        encoded: EncodedView,
        prompt_sets: Sequence[PromptSet],
        mask_input: FloatArray | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Logits (N, 4, G, G) of the padded input, and predicted IoU (N, 4)."""
        assert isinstance(encoded.features, Features)
        if mask_input is None and len(prompt_sets) == 1:
            recorded = self._replay(encoded.features, prompt_sets[0])
            if recorded is not None:
                return recorded
        longest = max(len(prompt_tokens(prompts)[1]) for prompts in prompt_sets)
        tokens = [prompt_tokens(prompts, longest) for prompts in prompt_sets]
        mask = None
        if mask_input is not None:
            mask = torch.from_numpy(mask_input)[None].to(self.device)
        with self._autocast(decoding=True):
            logits, iou = self.model.decode(
                encoded.features,
                torch.from_numpy(np.stack([t[0] for t in tokens])).to(self.device),
                torch.from_numpy(np.stack([t[1] for t in tokens])).to(self.device),
                mask,
            )
        return logits, iou

    def _replay(
        self, features: Features, prompts: PromptSet
    ) -> tuple[Tensor, Tensor] | None:
        """Decode with a recorded graph; None where there is none."""
        if self._graphs is None:
            return None
        length = padded_length(len(prompt_tokens(prompts)[1]))
        if length is None:
            return None
        coords, labels = prompt_tokens(prompts, length)
        return self._graphs(
            features, torch.from_numpy(coords)[None], torch.from_numpy(labels)[None]
        )
