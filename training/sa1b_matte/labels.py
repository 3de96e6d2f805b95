"""Conversion of the masks of an image to soft mattes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.sa1b_matte.sa1b import AnnotatedImage, is_selected
from training.sa1b_matte.shards import MatteRecord
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError
from zim_model.matting.rle import decoded

UNCONVERTED = "labels"
"""Name of the converter that keeps masks as they are."""
MIN_SOFT_ALPHA, MAX_SOFT_ALPHA = 0.02, 0.98


class Labeller(Protocol):
    """Interface of label converters.

    Attributes:
        fingerprint: identifies the converter and its weights.
    """

    fingerprint: str

    def convert(self, image: ByteArray, mask: BoolArray) -> npt.NDArray[np.uint16]:
        """Convert a mask (H, W) of an image (H, W, 3) to a matte (H, W)."""


class IdentityLabeller:
    """Keeps masks as they are, for comparison."""

    fingerprint = UNCONVERTED

    def convert(self, image: ByteArray, mask: BoolArray) -> npt.NDArray[np.uint16]:
        """Return 65535 inside the mask and 0 outside."""
        del image
        return mask.astype(np.uint16) * np.uint16(65535)


class ConvertingLabeller:
    """A trained label converter, on the GPU if there is one."""

    def __init__(self, name: str) -> None:
        # Imported late: planning and reading do not need torch, which loads slowly.
        from zim_model.conversion.converter import Converter
        from zim_model.runtime.devices import default_device

        self._converter = Converter.load(name, default_device())
        config = self._converter.config
        self.fingerprint = f"{config.name} {self._converter.fingerprint}"

    def convert(self, image: ByteArray, mask: BoolArray) -> npt.NDArray[np.uint16]:
        """See :meth:`zim_model.conversion.converter.Converter.convert`."""
        return self._converter.convert(image, mask)


@lru_cache(maxsize=2)
def load_labeller(name: str) -> Labeller:
    """Load a converter, once per process.

    Args:
        name: name of a converter, weight file, or ``labels`` for none.

    Raises:
        ZimError: the converter is unknown, or its file cannot be used.
    """
    if name == UNCONVERTED:
        return IdentityLabeller()
    return ConvertingLabeller(name)


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits of the mattes to keep.

    Attributes:
        min_area: pixels of the mask.
        min_predicted_iou, min_stability_score: SA-1B's scores; published masks have at
            least 0.88 and 0.95.
        min_agreement: IoU of the matte above 1/2 with the mask.
        mask_fraction: fraction of the masks to convert, chosen by their ids; 1 % of
            SA-1B's images have 11 M masks, of which the paper keeps 2.2 M.
    """

    min_area: int = 256
    min_predicted_iou: float = 0.88
    min_stability_score: float = 0.95
    min_agreement: float = 0.7
    mask_fraction: float = 1.0


def make_mattes(
    labeller: Labeller,
    image: AnnotatedImage,
    filters: Filters,
    dropped: Counter[str],
    on_fault: Callable[[str], None],
) -> Iterator[tuple[MatteRecord, bytes]]:
    """Yield the mattes of an image's masks, in order: a record and a PNG file each.

    Args:
        labeller: converts masks to mattes.
        image: image with annotations.
        filters: limits of the mattes to keep.
        dropped: counts the mattes left out, by reason.
        on_fault: called with a description of each unusable mask.
    """
    for number, annotation in enumerate(image.annotations):
        try:
            scores = _AnnotationScores.read(annotation)
            reason = scores.rejection(filters)
            mask = None if reason else _decode_mask(annotation, image.pixels)
        except ZimError as error:
            on_fault(f"annotation {number}: {error}")
            continue
        result: tuple[MatteRecord, bytes] | str = reason
        if mask is not None:
            result = _make_matte(labeller, image.pixels, mask, scores, filters)
        if isinstance(result, str):
            dropped[result] += 1
        else:
            yield result


def _decode_mask(annotation: Mapping[str, Any], pixels: ByteArray) -> BoolArray:
    if "segmentation" not in annotation:
        raise ZimError("it has no segmentation.")
    return decoded(annotation["segmentation"], pixels.shape[:2])


@dataclass(frozen=True, slots=True)
class _AnnotationScores:
    """Id, area and scores of an annotation."""

    id: int
    area: float
    predicted_iou: float
    stability_score: float

    @classmethod
    def read(cls, annotation: Mapping[str, Any]) -> _AnnotationScores:
        try:
            return cls(
                int(annotation["id"]),
                float(annotation["area"]),
                float(annotation["predicted_iou"]),
                float(annotation["stability_score"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ZimError(f"it is malformed: {error!r}.") from error

    def rejection(self, filters: Filters) -> str:
        """Return the reason to leave out the annotation, "" to keep it."""
        if not self.area >= filters.min_area:
            return "too small"
        if not self.predicted_iou >= filters.min_predicted_iou:
            return "of low predicted IoU"
        if not self.stability_score >= filters.min_stability_score:
            return "of low stability"
        if not is_selected(f"mask {self.id}", filters.mask_fraction):
            return "not in the fraction of masks"
        return ""


def _make_matte(
    labeller: Labeller,
    pixels: ByteArray,
    mask: BoolArray,
    scores: _AnnotationScores,
    filters: Filters,
) -> tuple[MatteRecord, bytes] | str:
    """Make the matte of one mask, or return the reason to leave it out."""
    if mask.sum() < max(1, filters.min_area):
        return "too small"
    # 16 bits are rounded to 8.
    matte = labeller.convert(pixels, mask).astype(np.uint32)
    alpha = ((matte + 128) // 257).astype(np.uint8)
    inside = alpha > 127
    if not inside.any():
        return "empty"
    agreement = float((inside & mask).sum() / (inside | mask).sum())
    if agreement < filters.min_agreement:
        return "unlike their masks"
    left, top, width, height = cv2.boundingRect(alpha)
    crop = alpha[top : top + height, left : left + width]
    soft = (crop > MIN_SOFT_ALPHA * 255) & (crop < MAX_SOFT_ALPHA * 255)
    encoded, png = cv2.imencode(".png", crop)
    if not encoded:
        raise ZimError("A matte cannot be encoded as PNG.")
    record = MatteRecord(
        scores.id,
        (left, top, left + width, top + height),
        round(agreement, 4),
        round(float(soft.sum() / max(1, (crop > 0).sum())), 4),
        scores.predicted_iou,
        scores.stability_score,
    )
    return record, png.tobytes()
