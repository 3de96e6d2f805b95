"""ZimPredictor: call-compatible with SAM's and ZIM's predictors, for scripts.

>>> predictor = ZimPredictor(load_model("zim-tiny"))
>>> predictor.set_image(rgb)
>>> masks, scores, logits = predictor.predict(point_coords=[[x, y]], point_labels=[1])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import FloatArray
from zim_model.errors import ImageError, PromptError, msg
from zim_model.inference.view import View, choose_view
from zim_model.prompts import PromptSet

if TYPE_CHECKING:
    import torch

    from zim_model.inference.backends import Backend, EncodedView
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim


class ZimPredictor:
    """Encodes an image once and predicts for many prompts on it.

    Masks are the logits upsampled bilinearly to the image's size, as in the official
    predictors; the engine's guided upsampling is sharper and belongs to the
    application.

    Args:
        model: a :class:`~zim_model.network.zim.Zim`, or any backend.
        device: where a model runs; None takes the best available.
    """

    def __init__(
        self, model: Zim | ZimTiny | Backend, device: str | None = None
    ) -> None:
        from torch import nn

        from zim_model.inference.oom_fallback import backend_of

        self.backend: Backend = (
            backend_of(model, device) if isinstance(model, nn.Module) else model
        )
        self._image: npt.NDArray[np.uint8] | None = None
        self._views: dict[View, EncodedView] = {}

    def set_image(
        self,
        image: npt.NDArray[np.uint8],
        image_format: Literal["RGB", "BGR"] = "RGB",
    ) -> None:
        """Encode an image.

        Args:
            image: (H, W, 3) uint8; the predictor keeps a reference.
            image_format: order of the channels.

        Raises:
            ImageError: another shape or dtype.
        """
        array = np.asarray(image)
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
            raise ImageError(
                msg(
                    "The image has shape {shape} and type {dtype}.",
                    shape=array.shape,
                    dtype=array.dtype,
                ),
                msg("Expected (height, width, 3) of uint8."),
            )
        if image_format not in ("RGB", "BGR"):
            raise ImageError(
                msg(
                    "Unknown image format {image_format!r}: RGB or BGR.",
                    image_format=image_format,
                )
            )
        if image_format == "BGR":
            array = np.ascontiguousarray(array[..., ::-1])
        self.reset_image()
        self._image = array
        self._encode(self._whole_view(array))

    def predict(
        self,
        point_coords: npt.ArrayLike | None = None,
        point_labels: npt.ArrayLike | None = None,
        box: npt.ArrayLike | None = None,
        mask_input: FloatArray | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Predict mattes for one set of prompts.

        Args:
            point_coords: (N, 2) in image pixels, x then y.
            point_labels: (N,) of 1 positive, 0 negative, -1 padding (ignored).
            box: (4,) left, top, right, bottom in image pixels.  With points too, both
                count: the points are not dropped as in official ZIM.
            mask_input: (1, 4G, 4G) logits of an earlier prediction (SAM models).
            multimask_output: return all four mattes, as official ZIM, else only the
                first, which is the one for unambiguous prompts.
            return_logits: masks as logits instead of alpha.

        Returns:
            Masks (C, H, W) float32, alpha in [0, 1] at the image's size; scores (C,),
            the predicted IoU; logits (C, h, w) at the network's own size.

        Raises:
            PromptError: no image was set, or the prompts cannot be answered.
        """
        image = self._image
        if image is None:
            raise PromptError(msg("No image is set."), msg("Call set_image first."))
        height, width = image.shape[:2]
        prompts = PromptSet.from_arrays(point_coords, point_labels, box)
        prompts = prompts.validate(height, width)
        view = choose_view(self.backend.config, prompts, height, width)
        encoded = self._encode(view)
        logits, scores = self.backend.decode(encoded, view.apply(prompts), mask_input)
        if not multimask_output:
            logits, scores = logits[:1], scores[:1]
        outside = -30.0  # alpha 1e-13, outside the view
        masks = np.full((len(logits), height, width), outside, np.float32)
        region = np.s_[view.top : view.bottom, view.left : view.right]
        for mask, logit in zip(masks, logits, strict=True):
            mask[region] = cv2.resize(logit, (view.width, view.height))
        if not return_logits:
            masks = (1 / (1 + np.exp(-masks))).astype(np.float32)
        return masks, scores, logits

    def get_image_embedding(self) -> torch.Tensor:
        """The whole image's embedding, (1, C, G, G).

        Raises:
            PromptError: no image was set, or the model's features depend on prompts.
        """
        from zim_model.network.zim import Features

        if self._image is None:
            raise PromptError(msg("No image is set."), msg("Call set_image first."))
        features = self._encode(self._whole_view(self._image)).features
        if not isinstance(features, Features):
            name = self.backend.config.name
            raise PromptError(
                msg("{name} has no image embedding without prompts.", name=name)
            )
        return features.embeddings

    def _whole_view(self, image: npt.NDArray[np.uint8]) -> View:
        height, width = image.shape[:2]
        return View.whole(height, width, self.backend.config.image_size)

    def reset_image(self) -> None:
        """Drop the image and its features."""
        self._image = None
        self._views.clear()

    @property
    def is_image_set(self) -> bool:
        return self._image is not None

    def _encode(self, view: View) -> EncodedView:
        if view not in self._views:
            assert self._image is not None
            self._views[view] = self.backend.encode(self._image, view)
        return self._views[view]
