"""ZimPredictor: call-compatible with SAM's and ZIM's predictors, for scripts.

>>> predictor = ZimPredictor(load_model("zim-tiny"))
>>> predictor.set_image(rgb)
>>> masks, scores, logits = predictor.predict(point_coords=[[x, y]], point_labels=[1])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from zim_model.arguments import as_doubles, check_choice
from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.backend import Backend, EncodedView, TokenBackend
from zim_model.backends.view import View
from zim_model.errors import ImageError, PromptError, msg
from zim_model.image_input import as_rgb
from zim_model.inference.iterative import IterativePredictor
from zim_model.inference.official import has_official_code
from zim_model.inference.oom_fallback import open_backend
from zim_model.inference.prediction import Prediction, PredictRequest
from zim_model.inference.pretrained import backend_for, locate_prompted
from zim_model.inference.prompt_arrays import (
    box_as_array,
    mask_as_tensor,
    points_as_arrays,
    rows_of_batch,
    size_as_pair,
    stack_results,
)
from zim_model.inference.upsampling import upsample_prediction
from zim_model.network.config import NUM_MASK_TOKENS
from zim_model.network.sam_interface import (
    check_tensor,
    prompt_tokens_of,
    to_sam_output,
    transform_of,
)
from zim_model.prompts import PromptSet
from zim_model.request import ALPHA_MAX, never_cancelled
from zim_model.runtime.devices import within_memory
from zim_model.runtime.lru import ByteBoundedLru
from zim_model.weights.checkpoint import load_model
from zim_model.weights.pretrained_folder import save_pretrained

if TYPE_CHECKING:
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim

CACHE_BYTES = 1 << 30
"""Most memory for the features of an image's views."""


class ZimPredictor:
    """Encodes an image once and predicts for many prompts on it.

    The methods and attributes are those of ``SamPredictor``.  A SAM gives what Meta's
    code gives: three masks (or one), true above a logit of 0.  A ZIM gives what the
    official code gives: four mattes (or one), float32 alpha.  Points and a box count
    together.  zim-tiny looks at the object more closely, and its first matte is that of
    the studio; it takes no tensors and no mask input.

    Args:
        model: a :class:`~zim_model.network.zim.Zim` or zim-tiny, or any backend.
        device: where a model runs; None takes the best available.

    Attributes:
        model: as it was given.
        transform: scales images and prompts to the input.
        original_size, input_size: (height, width) of the image, and scaled to the
            input; None before there is one.
    """

    def __init__(
        self, model: Zim | ZimTiny | Backend, device: str | None = None
    ) -> None:
        self.model = model
        self._path: Path | None = None
        self.backend: Backend = backend_for(model, device)
        self.transform = transform_of(self.backend.config)
        self.reset_image()

    @classmethod
    def from_pretrained(
        cls, model: str | Path, device: str | None = None, *, download: bool = False
    ) -> Self:
        """A predictor with a model by name, path or id on the Hugging Face hub.

        Args:
            model: as for :func:`~zim_model.inference.pretrained.load_model`.
            device: where it runs; None takes the best available.
            download: fetch a known model that is not on this computer; otherwise the
                network is never used.

        Raises:
            WeightsError: there is no such model here, or it takes no prompts.
            DeviceError: this machine has no such device.
            DownloadError: it cannot be fetched.
        """
        path = locate_prompted(model, download=download)
        predictor = cls(open_backend(str(path), device))
        predictor._path = path
        return predictor

    def save_pretrained(
        self, folder: str | Path, *, half: bool = False, overwrite: bool = False
    ) -> Path:
        """Write the model to a folder that :meth:`from_pretrained` opens; return it.

        See :func:`~zim_model.weights.pretrained_folder.save_pretrained`, which
        ``zim_model.save_pretrained`` is; ``zim_model.push_to_hub`` uploads a model.

        Raises:
            WeightsError: the folder holds a model already, a file cannot be written, or
                the model is not one of networks with weights.
        """
        model = self.model if self._path is None else load_model(self._path)
        return save_pretrained(
            cast("Zim | ZimTiny", model), folder, half=half, overwrite=overwrite
        )

    @property
    def device(self) -> torch.device:
        """Where the model runs; results of :meth:`predict_torch` are there."""
        return cast(
            "torch.device", getattr(self.backend, "device", torch.device("cpu"))
        )

    @property
    def features(self) -> Tensor:
        """See :meth:`get_image_embedding`."""
        return self.get_image_embedding()

    def reset_image(self) -> None:
        """Drop the image and its features."""
        self._image: npt.NDArray[np.uint8] | None = None
        self._encoded: EncodedView | None = None
        self._views = ByteBoundedLru[View, EncodedView](within_memory(CACHE_BYTES))
        self._predictor = IterativePredictor()
        self.is_image_set = False
        self.original_size: tuple[int, int] | None = None
        self.input_size: tuple[int, int] | None = None
        self._batch: list[ZimPredictor] = []

    def set_image(
        self,
        image: npt.ArrayLike | Image.Image,
        image_format: Literal["RGB", "BGR"] = "RGB",
    ) -> None:
        """Encode an image.

        Args:
            image: (H, W, 3) uint8, to which the predictor keeps a reference; grey, with
                alpha, of uint16 or floats, or a PIL image, see
                :func:`~zim_model.image_input.as_rgb`.
            image_format: order of the channels.

        Raises:
            ImageError: another shape or dtype.
        """
        array = as_rgb(image)
        check_choice("image_format", image_format, ("RGB", "BGR"), error=ImageError)
        array = np.ascontiguousarray(
            array[..., ::-1] if image_format == "BGR" else array
        )
        self.reset_image()
        self._image = array
        height, width = array.shape[:2]
        view = View.whole_for(self.backend.config, height, width)
        self._encoded = self._encode(view)
        self._set_sizes(view)

    def set_image_batch(
        self, image_list: Sequence[npt.ArrayLike | Image.Image]
    ) -> None:
        """Encode several images, for :meth:`predict_batch`.

        Args:
            image_list: each as for :meth:`set_image`; sizes may differ.

        Raises:
            ImageError: there is none, or one has another shape or dtype.
        """
        if not isinstance(image_list, Sequence) or not len(image_list):
            raise ImageError(msg("There is no image."), msg("Give at least one."))
        batch = [type(self)(self.backend) for _ in image_list]
        for predictor, image in zip(batch, image_list, strict=True):
            predictor.set_image(image)
        self.reset_image()
        self._batch, self.is_image_set = batch, True

    def set_torch_image(
        self, transformed_image: Tensor, original_image_size: tuple[int, int]
    ) -> None:
        """Encode an image that ``transform`` has scaled already.

        Args:
            transformed_image: (1, 3, h, w) in 0 to 255, its longer side the input's.
            original_image_size: (H, W) of the image.

        Raises:
            ImageError: another shape.
            PromptError: the model needs the image itself.
        """
        check_tensor("transformed_image", transformed_image)
        side = self.backend.config.image_size
        height, width = size_as_pair(original_image_size)
        shape = tuple(transformed_image.shape)
        view = View.whole_for(self.backend.config, height, width)
        if len(shape) != 4 or shape[:2] != (1, 3) or max(shape[2:]) != side:
            raise ImageError(
                msg("The scaled image has shape {shape}.", shape=shape),
                msg("Expected (1, 3, h, w) with a longer side of {side}.", side=side),
            )
        if shape[2:] != view.input_size:
            raise ImageError(
                msg(
                    "The scaled image has shape {shape}, which is not that of an image "
                    "of {width} x {height} pixels.",
                    shape=shape,
                    width=width,
                    height=height,
                ),
                msg("Give the height and width before scaling."),
            )
        backend = self._token_backend()
        self.reset_image()
        self._encoded = backend.encode_tensor(transformed_image, view)
        self._set_sizes(view)

    def _set_sizes(self, view: View) -> None:
        self.original_size, self.input_size = (view.height, view.width), view.input_size
        self.is_image_set = True

    def predict(
        self,
        point_coords: npt.ArrayLike | None = None,
        point_labels: npt.ArrayLike | None = None,
        box: npt.ArrayLike | None = None,
        mask_input: npt.ArrayLike | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[npt.NDArray[Any], FloatArray, FloatArray]:
        """Predict for one set of prompts.

        Args:
            point_coords: (N, 2) in image pixels, x then y.
            point_labels: (N,) of 1 positive, 0 negative, -1 padding.
            box: (4,) left, top, right, bottom in image pixels; of (N, 4), each is
                predicted by itself, with the same points and mask input.
            mask_input: (1, S/4, S/4) or (S/4, S/4) logits of an earlier prediction.
            multimask_output: return all candidates, else only the first, which is the
                one for unambiguous prompts.
            return_logits: logits instead of masks or alpha.

        Returns:
            Masks (C, H, W): bool for a SAM, else float32 alpha in [0, 1]; with
            ``return_logits`` float32.  Scores (C,), the predicted IoU.  Low-resolution
            logits (C, S/4, S/4), which can be fed back; of zim-tiny (C, h, w) of the
            part that it looked at.  Of N > 1 boxes, all with N in front, and the logits
            of zim-tiny of one size.

        Raises:
            PromptError: no image was set, or the prompts cannot be used; the message
                names the argument.
        """
        self._check_image()
        boxes = None if box is None else as_doubles(box, "box")
        if boxes is not None and boxes.ndim == 2 and boxes.shape[0] > 1:
            return stack_results(
                self.predict(
                    *(point_coords, point_labels, each, mask_input),
                    *(multimask_output, return_logits),
                )
                for each in boxes
            )
        coords, labels = points_as_arrays(point_coords, point_labels)
        corners = box_as_array(box)
        if not has_official_code(self.backend.config):
            if mask_input is not None:
                raise PromptError(
                    msg("{name} takes no mask input.", name=self.backend.config.name),
                    msg("It uses its earlier predictions by itself; give points."),
                )
            prompts = PromptSet.from_arrays(coords, labels, corners)
            return self._predict_object(
                prompts, multimask_output=multimask_output, return_logits=return_logits
            )
        assert self.original_size is not None
        scale, size = self.transform, self.original_size
        given = {
            "point_coords": None
            if coords is None
            else torch.from_numpy(scale.apply_coords(coords, size)).float()[None],
            "point_labels": None if labels is None else torch.from_numpy(labels)[None],
            "boxes": None
            if corners is None
            else torch.from_numpy(scale.apply_boxes(corners, size)).float(),
            "mask_input": None if mask_input is None else mask_as_tensor(mask_input),
        }
        masks, scores, low = self.predict_torch(
            **given, multimask_output=multimask_output, return_logits=return_logits
        )
        return (
            masks[0].cpu().numpy(),
            np.asarray(scores[0].cpu().numpy(), np.float32),
            np.asarray(low[0].cpu().numpy(), np.float32),
        )

    def predict_batch(
        self,
        point_coords_batch: Sequence[npt.ArrayLike | None] | None = None,
        point_labels_batch: Sequence[npt.ArrayLike | None] | None = None,
        box_batch: Sequence[npt.ArrayLike | None] | None = None,
        mask_input_batch: Sequence[npt.ArrayLike | None] | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[list[npt.NDArray[Any]], list[FloatArray], list[FloatArray]]:
        """Predict for every image of :meth:`set_image_batch`, as SAM 2's predictor.

        Args:
            point_coords_batch, point_labels_batch, box_batch, mask_input_batch: one
                entry for each image, as :meth:`predict` takes it, or None.
            multimask_output, return_logits: as in :meth:`predict`.

        Returns:
            Masks, scores and logits of :meth:`predict`, a list of each.

        Raises:
            PromptError: no images were set, their number is another, or the prompts of
                one cannot be used.
        """
        count = len(self._batch)
        if not count:
            raise PromptError(
                msg("No images are set."), msg("Call set_image_batch first.")
            )
        columns = (
            *(point_coords_batch, point_labels_batch),
            *(box_batch, mask_input_batch),
        )
        given = [[None] * count if x is None else rows_of_batch(x) for x in columns]
        wrong = next((len(column) for column in given if len(column) != count), None)
        if wrong is not None:
            raise PromptError(
                msg("Prompts of {n} images are given.", n=wrong),
                msg("Give one entry, or None, for each of {count}.", count=count),
            )
        rows = zip(self._batch, *given, strict=True)
        results = [
            predictor.predict(
                *(coords, labels, box, mask), multimask_output, return_logits
            )
            for predictor, coords, labels, box, mask in rows
        ]
        masks, scores, logits = zip(*results, strict=True)
        return list(masks), list(scores), list(logits)

    @torch.inference_mode()
    def predict_torch(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Predict for B sets of prompts in input pixels, as ``transform`` gives them.

        Args:
            point_coords: (B, N, 2), x then y.
            point_labels: (B, N), as in :meth:`predict`.
            boxes: (B, 4).
            mask_input: (B, 1, S/4, S/4).
            multimask_output, return_logits: as in :meth:`predict`.

        Returns:
            As :meth:`predict`, with B in front, on :attr:`device`.

        Raises:
            PromptError: no image was set, the prompts cannot be used, or the model
                takes no tensors.
        """
        encoded = self._check_image()
        backend = self._token_backend()
        side = backend.config.image_size
        coords, labels = prompt_tokens_of(
            point_coords, point_labels, boxes, mask_input, side
        )
        logits, scores = backend.decode_tokens(encoded, coords, labels, mask_input)
        assert self.input_size is not None
        assert self.original_size is not None
        return to_sam_output(
            logits,
            scores,
            side,
            (self.input_size, self.original_size),
            binary=backend.config.binary,
            several=multimask_output,
            return_logits=return_logits,
        )

    def _predict_object(
        self, prompts: PromptSet, *, multimask_output: bool, return_logits: bool
    ) -> tuple[npt.NDArray[Any], FloatArray, FloatArray]:
        """As :meth:`predict`, by looking at the object more closely, as the engine."""
        assert self._image is not None
        height, width = self._image.shape[:2]
        prompts = prompts.validate(height, width)
        request = PredictRequest(
            backend=self.backend,
            encode=self._encode,
            image_key="",
            size=(height, width),
            prompts=prompts,
            candidate=0,
            cancelled=never_cancelled,
        )
        prediction = self._predictor.predict(request)
        count = NUM_MASK_TOKENS if multimask_output else 1
        masks = np.stack(
            [
                _studio_alpha(request, prediction, self._image, candidate)
                for candidate in range(count)
            ]
        )
        low = _logit(prediction.alphas[:count])
        shown = _logit(masks) if return_logits else masks
        return shown, prediction.scores[:count], low

    def get_image_embedding(self) -> Tensor:
        """The whole image's embedding, (1, C, G, G).

        Raises:
            PromptError: no image was set, or the model's features depend on prompts.
        """
        from zim_model.network.zim import Features

        features = self._check_image().features
        if not isinstance(features, Features):
            name = self.backend.config.name
            raise PromptError(
                msg("{name} has no image embedding without prompts.", name=name)
            )
        return features.embeddings

    def _check_image(self) -> EncodedView:
        if self._encoded is None:
            raise PromptError(msg("No image is set."), msg("Call set_image first."))
        return self._encoded

    def _token_backend(self) -> TokenBackend:
        if not has_official_code(self.backend.config):
            raise PromptError(
                msg("{name} takes no tensors.", name=self.backend.config.name),
                msg("Use set_image and predict."),
            )
        return cast("TokenBackend", self.backend)

    def _encode(self, view: View) -> EncodedView:
        encoded = self._views.get(view)
        if encoded is None:
            assert self._image is not None
            encoded = self.backend.encode(self._image, view)
            self._views.put(view, encoded)
        return encoded


def _studio_alpha(
    request: PredictRequest, prediction: Prediction, image: ByteArray, candidate: int
) -> FloatArray:
    """Alpha (H, W) float32 in [0, 1] of a candidate, made as by the engine."""
    if candidate != request.candidate:  # the finer matte is not of this one
        request = replace(request, candidate=candidate)
        prediction = replace(prediction, fine=None)
    raw = upsample_prediction(request, prediction, image, "guided")
    return np.asarray(raw.alpha / ALPHA_MAX, np.float32)


def _logit(alphas: FloatArray) -> FloatArray:
    clipped = np.clip(alphas, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float32)
