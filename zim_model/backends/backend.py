"""The interface of backends: encode a view of an image, decode prompts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.view import View
from zim_model.network.config import ModelConfig
from zim_model.prompts import PromptSet


class SizedFeatures(Protocol):
    """Whatever a backend's network makes of a view, before prompts."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class EncodedView:
    """The features of one view, and the pixels that decoding needs besides."""

    view: View
    features: SizedFeatures
    pixels: ByteArray

    @property
    def nbytes(self) -> int:
        return self.features.nbytes + self.pixels.nbytes


class Backend(Protocol):
    """Runs one model.  Not thread-safe: one thread owns it."""

    fingerprint: str
    """Equal fingerprints give equal predictions."""
    device_label: str
    """The device that really runs, for people: ``CPU (fp32)``."""

    @property
    def config(self) -> ModelConfig:
        """The network's architecture."""
        ...

    def encode(self, image: ByteArray, view: View) -> EncodedView:
        """Encode a view of an image (H, W, 3) uint8 RGB."""
        ...

    def decode(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Predict from prompts in the view's input pixels.

        The contract for combinations: points alone, a box alone, or both, where both
        enter as tokens and their attention masks multiply.

        Args:
            mask_input: (1, 4G, 4G) logits of an earlier prediction, or None.

        Returns:
            Mask logits (4, h, w) on a grid that covers the view exactly, see
            :func:`zim_model.backends.view.align`, and predicted IoU (4,).

        Raises:
            PrecisionOverflow: half precision overflows on this image.
        """
        ...


class GridBackend(Backend, Protocol):
    """A backend that also gives its network's logits as they are."""

    def decode_grid(
        self,
        encoded: EncodedView,
        prompts: PromptSet,
        mask_input: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """As :meth:`Backend.decode`, with the logits (4, S/m, S/m) of the padded input.

        m is ``config.mask_stride``.
        """
        ...


class RefiningBackend(Backend, Protocol):
    """A backend whose network has a detail stage."""

    def refine(self, encoded: EncodedView, alpha: FloatArray) -> FloatArray:
        """A finer matte of a view.

        Args:
            encoded: the view at the detail stage's input side, of the image alone.
            alpha: (h, w) in [0, 1], a prediction for the same part of the image.

        Returns:
            Logits (h', w') float32, of about twice the size.
        """
        ...
