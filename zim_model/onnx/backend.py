"""The official ZIM models: a pair of ONNX graphs, run by ONNX Runtime.

The graphs are the authors' published ones: ``encoder.onnx`` computes an embedding and
three detail maps of a 1024 x 1024 image, ``decoder.onnx`` decodes prompts on them.  The
prompt-aware attention mask is an input of the decoder and is computed here.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import EncodedView, non_finite_error
from zim_model.backends.torch_backend import prompt_tokens
from zim_model.backends.view import View, align, normalise, resize_view
from zim_model.errors import PromptError, WeightsError, msg
from zim_model.network.config import NUM_MASK_TOKENS, STRIDE, ZIM_VIT_B, ZimConfig
from zim_model.network.decoder import attention_mask
from zim_model.network.sam_interface import preprocess
from zim_model.network.zim import Features
from zim_model.onnx.sessions import (
    LABELS,
    PROVIDERS,
    device_error,
    first_line,
    is_of_provider,
    open_session,
    provider_tuple,
    providers_of,
)
from zim_model.prompts import PromptSet
from zim_model.runtime.devices import is_out_of_memory
from zim_model.weights.installed import ONNX_FILES

if TYPE_CHECKING:
    import onnxruntime as ort

IMAGE = "image"
ENCODER_OUTPUTS = ("image_embeddings", "feat_D0", "feat_D1", "feat_D2")
PROMPTS = ("point_coords", "point_labels", "attn_mask")
SIGMA_KEY = "zim_attention_sigma"
"""Entry of the decoder's metadata, see :func:`attention_sigma`."""
DECODER_OUTPUTS = ("masks", "iou_predictions")


def check_pair(folder: Path) -> ZimConfig:
    """Check that a folder holds the two graphs of a ZIM; nothing is run.

    Returns:
        The configuration of the graphs.

    Raises:
        WeightsError: a graph is missing or damaged, has other inputs or outputs, or
            ONNX Runtime is not installed.
    """
    return _detect_config(folder, *_open_pair(folder, [PROVIDERS["cpu"]]))


class OnnxBackend:
    """Runs an official pair of graphs.

    It is a :class:`~zim_model.backends.backend.Backend`.
    """

    def __init__(self, folder: Path, device: str | None = None) -> None:
        """Open both graphs on ``device``, by default the best that is usable.

        Raises:
            WeightsError: see :func:`check_pair`.
            DeviceError: ONNX Runtime cannot use that device here.
        """
        providers = providers_of(device)
        sessions = self._encoder, self._decoder = _open_pair(folder, providers)
        self.config, self._folder = _detect_config(folder, *sessions), folder
        # A provider whose libraries are missing is passed over: ask what is used.
        expected, *_ = (name for name, *_ in map(provider_tuple, providers))
        used = next(
            (
                s.get_providers()[0]
                for s in sessions
                if s.get_providers()[0] != expected
            ),
            expected,
        )
        if used != expected and device is not None:
            raise device_error(device)
        if used != expected:
            warnings.warn(
                f"ONNX Runtime cannot use {LABELS[expected]} here: "
                f"the model runs on {LABELS.get(used, used)}.",
                RuntimeWarning,
                stacklevel=2,
            )
        self._device = device or LABELS[expected]
        self.device_label = f"{LABELS.get(used, used)} (fp32, ONNX)"
        self.fingerprint = f"{_fingerprint(folder)}/{used}"

    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.Backend`."""
        pixels = resize_view(self.config, image, view)
        tensor = normalise(pixels, self.config.image_size)[None]
        return self._encode(tensor, view)

    def _encode(self, tensor: FloatArray, view: View) -> EncodedView:
        arrays = self._run(self._encoder, ENCODER_OUTPUTS, {IMAGE: tensor})
        embeddings, *details = map(torch.from_numpy, arrays)
        return EncodedView(view, Features(embeddings, details))

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """See :class:`~zim_model.backends.backend.Backend`.

        Raises:
            PromptError: there is a mask input, which the graphs do not have.
        """
        coords, labels = map(torch.from_numpy, prompt_tokens(prompts))
        mask = None if mask_input is None else torch.from_numpy(mask_input)
        logits, iou = self.decode_tokens(encoded, coords[None], labels[None], mask)
        stride = self.config.mask_stride
        return align(logits[0].numpy(), encoded.view, stride), iou[0].numpy()

    def encode_tensor(self, pixels: Tensor, view: View) -> EncodedView:
        """See :class:`~zim_model.backends.backend.TokenBackend`."""
        side = self.config.image_size
        return self._encode(preprocess(pixels.cpu(), side).numpy(), view)

    def decode_tokens(
        self,
        encoded: EncodedView,
        coords: Tensor,
        labels: Tensor,
        mask_input: Tensor | None = None,
        wanted: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See :class:`~zim_model.backends.backend.TokenBackend`."""
        if mask_input is not None:
            raise PromptError(
                msg("{name} takes no mask input.", name=self.config.name),
                msg("The official graphs have none; convert them, or give points."),
            )
        features = encoded.features
        assert isinstance(features, Features)
        tensors = (features.embeddings, *features.details)
        grid, sigma = self.config.grid, self.config.attention_sigma
        inputs = {
            **dict(zip(ENCODER_OUTPUTS, (t.numpy() for t in tensors), strict=True)),
            "point_coords": coords.numpy(),
            "point_labels": labels.float().numpy(),
            "attn_mask": attention_mask(coords, labels, grid, sigma).float().numpy(),
        }
        logits, iou = self._run(self._decoder, DECODER_OUTPUTS, inputs)
        if not np.isfinite(logits).all():
            raise non_finite_error(str(self._folder))
        scores = torch.from_numpy(iou).reshape(-1, NUM_MASK_TOKENS)
        decoded = torch.from_numpy(logits)
        return decoded if wanted is None else decoded[wanted(scores)], scores

    def _run(self, session: Any, outputs: Sequence[str], inputs: Any) -> list[Any]:
        """Run a graph; never on another device when this one fails."""
        try:
            return list(session.run(list(outputs), inputs))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            if is_of_provider(error):
                raise device_error(self._device) from error
            raise WeightsError(
                msg(
                    "A graph in {folder} cannot be run ({reason}).",
                    folder=self._folder,
                    reason=first_line(error),
                ),
                msg("Download or copy both files again."),
            ) from error


def _open_pair(
    folder: Path, providers: list[Any]
) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    encoder, decoder = (open_session(folder / name, providers) for name in ONNX_FILES)
    return encoder, decoder


def _detect_config(
    folder: Path, encoder: ort.InferenceSession, decoder: ort.InferenceSession
) -> ZimConfig:
    """The configuration, from the names and shapes of the graphs."""
    images, made = (
        _tensor_list(encoder.get_inputs()),
        _tensor_list(encoder.get_outputs()),
    )
    needed, actual = (
        _tensor_list(decoder.get_inputs()),
        _tensor_list(decoder.get_outputs()),
    )
    *_, side = images[IMAGE].shape if IMAGE in images else [None]
    if not isinstance(side, int):  # a symbol stands for what the authors train with
        side = ZIM_VIT_B.image_size
    first, second = ONNX_FILES
    strange = [
        *_interface_error(f"{first}'s input", images, {IMAGE}, exactly=True),
        *_interface_error(f"{first}'s output", made, ENCODER_OUTPUTS),
        *_interface_error(
            f"{second}'s input", needed, {*ENCODER_OUTPUTS, *PROMPTS}, exactly=True
        ),
        *_interface_error(f"{second}'s output", actual, DECODER_OUTPUTS),
    ]
    if side % STRIDE:
        strange.append(f"{first} takes images of {side} pixels")
    if strange:
        raise WeightsError(
            msg(
                "{folder} holds ONNX graphs of another model than ZIM: {strange}.",
                folder=folder,
                strange=", ".join(strange),
            ),
            msg(
                "Expected {first} and {second} as ZIM's authors publish them.",
                first=first,
                second=second,
            ),
        )
    for name in ENCODER_OUTPUTS:
        if not _same_shape(made[name].shape, needed[name].shape):
            raise WeightsError(
                msg(
                    "{first} and {second} in {folder} do not belong together: {name} "
                    "is {made_shape} in one and {needed_shape} in the other.",
                    first=first,
                    second=second,
                    folder=folder,
                    name=name,
                    made_shape=made[name].shape,
                    needed_shape=needed[name].shape,
                ),
                msg("Copy both from the same model."),
            )
    metadata = decoder.get_modelmeta().custom_metadata_map
    sigma = attention_sigma(metadata, folder / second)
    return replace(ZIM_VIT_B, name=folder.name, image_size=side, attention_sigma=sigma)


def attention_sigma(metadata: Mapping[str, str], path: Path) -> float:
    """``ZimConfig.attention_sigma`` of a decoder's graph.

    The attention mask is an input of the graph, so only its metadata can tell the
    width; without an entry it is that of ZIM's authors.

    Raises:
        WeightsError: the entry is no positive number.
    """
    text = metadata.get(SIGMA_KEY)
    if text is None:
        return ZIM_VIT_B.attention_sigma
    try:
        sigma = float(text)
    except ValueError:
        sigma = math.nan
    if not 0 < sigma < math.inf:
        raise WeightsError(
            msg(
                "{path} has a malformed {sigma_key}: {text!r}.",
                path=path,
                sigma_key=SIGMA_KEY,
                text=text,
            ),
            msg("Export the model again."),
        )
    return sigma


def _tensor_list(values: Sequence[Any]) -> dict[str, Any]:
    return {value.name: value for value in values}


def _interface_error(
    what: str,
    found: Mapping[str, Any],
    expected: Collection[str],
    exactly: bool = False,
) -> Iterator[str]:
    """What is wrong with the inputs or outputs of a graph.

    Args:
        exactly: whether there may be no others.
    """
    for name in expected:
        if name not in found:
            yield f"{what} {name} is missing"
        elif found[name].type != "tensor(float)":
            yield f"{what} {name} is a {found[name].type}"
    if exactly:
        yield from (f"{what} {x} is not known" for x in found if x not in expected)


def _same_shape(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether shapes may be the same; a symbol or None stands for any length."""
    if len(one) != len(other):
        return False
    pairs = zip(one, other, strict=True)
    return all(a == b for a, b in pairs if isinstance(a, int) and isinstance(b, int))


def _fingerprint(folder: Path) -> str:
    """A digest of sizes and the files' ends, without reading a gigabyte."""
    digest = hashlib.blake2b(digest_size=8)
    for name in ONNX_FILES:
        size = (folder / name).stat().st_size
        with (folder / name).open("rb") as file:
            digest.update(f"{size} ".encode() + file.read(1 << 20))
            file.seek(max(0, size - (1 << 20)))
            digest.update(file.read())
    return digest.hexdigest()
