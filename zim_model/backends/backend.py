"""The interface of backends: encode a view of an image, decode prompts on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from zim_model.arrays import ByteArray, FloatArray
from zim_model.backends.view import View
from zim_model.errors import DOWNLOAD_AGAIN, WeightsError, msg
from zim_model.network.config import ModelConfig
from zim_model.prompts import PromptSet

if TYPE_CHECKING:
    from torch import Tensor


class SizedFeatures(Protocol):
    """Whatever a backend's network makes of a view, before prompts."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class EncodedView:
    """The features of one view."""

    view: View
    features: SizedFeatures

    @property
    def nbytes(self) -> int:
        return self.features.nbytes


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


class TokenBackend(Backend, Protocol):
    """A backend whose network takes prompts as tokens, as SAM's and ZIM's do."""

    def encode_tensor(self, pixels: Tensor, view: View) -> EncodedView:
        """Encode a scaled view (1, 3, h, w) in 0 to 255.

        Raises:
            PromptError: the model cannot.
        """
        ...

    def decode_tokens(
        self,
        encoded: EncodedView,
        coords: Tensor,
        labels: Tensor,
        mask_input: Tensor | None = None,
        wanted: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict for B prompt sets, without cropping.

        Args:
            coords: (B, N, 2) input pixels, x then y.
            labels: (B, N) int64, see ``zim_model.network.decoder``.
            mask_input: (B, 1, S/4, S/4) logits of an earlier prediction.
            wanted: from the predicted IoU, which sets' logits are returned, (B,) bool.

        Returns:
            Logits (B, 4, S/m, S/m) of the padded input, m being ``config.mask_stride``,
            and predicted IoU (B, 4); float32, on the backend's device.

        Raises:
            PromptError: there is a mask input, and the model takes none.
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


def non_finite_error(model: str) -> WeightsError:
    """The error that a prediction is not finite, at full precision."""
    return WeightsError(
        msg(
            "{model} does not answer with numbers: its weights are damaged.",
            model=model,
        ),
        DOWNLOAD_AGAIN,
    )
