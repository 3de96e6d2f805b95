"""First stage: encode views of an image, with a memory of features."""

from __future__ import annotations

from dataclasses import dataclass, field

from zim_model.arrays import ByteArray
from zim_model.backends.backend import Backend, EncodedView
from zim_model.backends.view import View
from zim_model.inference.flip_tta import FlippedFeatures
from zim_model.inference.stopwatch import Stopwatch
from zim_model.runtime.lru import ByteBoundedLru

FeatureCache = ByteBoundedLru[tuple[str, str, View], EncodedView]
"""Features by the backend's fingerprint, the image key and the view."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewEncoder:
    """Encodes views of one image with one model.

    Attributes:
        backend: the model.
        image: (H, W, 3) uint8.
        image_key: equal keys mean equal pixels.
        cache: where features are looked up and stored.
        flip: encode the view's mirror image, too, for flip TTA.
        stopwatch: counts the time of encoding; cached features take none.
    """

    backend: Backend
    image: ByteArray
    image_key: str
    cache: FeatureCache
    flip: bool = False
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def __call__(self, view: View) -> EncodedView:
        """The features of a view, cached or new."""
        encoded = self._encode(self.image, self.image_key, view)
        # A detail stage refines the mean of both, so its view is needed once.
        if not self.flip or view.image_size != self.backend.config.image_size:
            return encoded
        mirrored, key = self.image[:, ::-1], f"{self.image_key} mirrored"
        other = self._encode(mirrored, key, view.flip(mirrored.shape[1]))
        return FlippedFeatures.join(encoded, other)

    def _encode(self, image: ByteArray, image_key: str, view: View) -> EncodedView:
        key = (self.backend.fingerprint, image_key, view)
        encoded = self.cache.get(key)
        if encoded is None:
            with self.stopwatch.encoding():
                encoded = self.backend.encode(image, view)
            self.cache.put(key, encoded)
        return encoded
