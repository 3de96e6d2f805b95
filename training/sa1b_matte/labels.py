"""From the masks of a picture to soft mattes, by a label converter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.sa1b_matte.sa1b import Annotated
from training.sa1b_matte.shards import MatteRecord
from zim_model.arrays import BoolArray, ByteArray
from zim_model.errors import ZimError
from zim_model.matting.rle import decoded

UNCONVERTED = "labels"
"""Name of the converter that leaves masks as they are."""
SOFTEST, HARDEST = 0.02, 0.98


class Labeller(Protocol):
    """A label converter, whatever does the work.

    Attributes:
        fingerprint: its name, and what tells its weights from others.
    """

    fingerprint: str

    def convert(self, image: ByteArray, mask: BoolArray) -> npt.NDArray[np.uint16]:
        """The matte (H, W) of a mask (H, W) in a picture (H, W, 3)."""


class Unconverted:
    """Masks as they are, to compare with."""

    fingerprint = UNCONVERTED

    def convert(self, image: ByteArray, mask: BoolArray) -> npt.NDArray[np.uint16]:
        """65535 inside and 0 outside."""
        del image
        return mask.astype(np.uint16) * np.uint16(65535)


class Converting:
    """A trained label converter, on the GPU if there is one."""

    def __init__(self, name: str) -> None:
        # Not before: planning and reading do without torch, which is slow to load.
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
    """A converter, loaded once a process.

    Args:
        name: a bundled converter, a file of weights, or ``labels`` for none.

    Raises:
        ZimError: there is no such converter, or its file cannot be used.
    """
    if name == UNCONVERTED:
        return Unconverted()
    return Converting(name)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which mattes are worth keeping.

    Attributes:
        min_area: pixels of the mask.
        min_predicted_iou, min_stability_score: SA-1B's own numbers, whose published
            masks have 0.88 and 0.95 at the least.
        min_agreement: IoU of the matte above 1/2 with the mask; below, the converter
            has found something else.
    """

    min_area: int = 256
    min_predicted_iou: float = 0.88
    min_stability_score: float = 0.95
    min_agreement: float = 0.7


def labelled(
    labeller: Labeller,
    picture: Annotated,
    filters: Filters,
    dropped: Counter[str],
    fault: Callable[[str], None],
) -> Iterator[tuple[MatteRecord, bytes]]:
    """The mattes of a picture's masks, in order: a record and a PNG file of each.

    Args:
        labeller: makes mattes of masks.
        picture: with its annotations.
        filters: which are kept.
        dropped: gets the number of those left out, by reason.
        fault: told of masks that cannot be used.
    """
    for number, annotation in enumerate(picture.annotations):
        try:
            given = _Given.read(annotation)
            reason = given.refused(filters)
            mask = None if reason else _mask_of(annotation, picture.pixels)
        except ZimError as error:
            fault(f"annotation {number}: {error}")
            continue
        made: tuple[MatteRecord, bytes] | str = reason
        if mask is not None:
            made = _made(labeller, picture.pixels, mask, given, filters)
        if isinstance(made, str):
            dropped[made] += 1
        else:
            yield made


def _mask_of(annotation: Mapping[str, Any], pixels: ByteArray) -> BoolArray:
    mask = decoded(annotation["segmentation"])
    if mask.shape != pixels.shape[:2]:
        raise ZimError(
            f"its mask is of {mask.shape[1]} x {mask.shape[0]} pixels, and the picture"
            f" of {pixels.shape[1]} x {pixels.shape[0]}."
        )
    return mask


@dataclass(frozen=True, slots=True)
class _Given:
    """What an annotation says of itself."""

    id: int
    area: float
    predicted_iou: float
    stability_score: float

    @classmethod
    def read(cls, annotation: Mapping[str, Any]) -> _Given:
        try:
            return cls(
                int(annotation["id"]),
                float(annotation["area"]),
                float(annotation["predicted_iou"]),
                float(annotation["stability_score"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ZimError(f"it is malformed: {error!r}.") from error

    def refused(self, filters: Filters) -> str:
        """Why the annotation is left out; "" if it is not."""
        if not self.area >= filters.min_area:
            return "too small"
        if not self.predicted_iou >= filters.min_predicted_iou:
            return "of low predicted IoU"
        if not self.stability_score >= filters.min_stability_score:
            return "of low stability"
        return ""


def _made(
    labeller: Labeller,
    pixels: ByteArray,
    mask: BoolArray,
    given: _Given,
    filters: Filters,
) -> tuple[MatteRecord, bytes] | str:
    """The matte of one mask, or why it is left out."""
    if mask.sum() < max(1, filters.min_area):
        return "too small"
    # Half a step is added: 16 bits are rounded to 8.
    deep = labeller.convert(pixels, mask).astype(np.uint32)
    alpha = ((deep + 128) // 257).astype(np.uint8)
    inside = alpha > 127
    if not inside.any():
        return "empty"
    agreement = float((inside & mask).sum() / (inside | mask).sum())
    if agreement < filters.min_agreement:
        return "unlike their masks"
    left, top, width, height = cv2.boundingRect(alpha)
    crop = alpha[top : top + height, left : left + width]
    soft = (crop > SOFTEST * 255) & (crop < HARDEST * 255)
    done, png = cv2.imencode(".png", crop)
    if not done:
        raise ZimError("A matte cannot be packed as PNG.")
    record = MatteRecord(
        given.id,
        (left, top, left + width, top + height),
        round(agreement, 4),
        round(float(soft.sum() / max(1, (crop > 0).sum())), 4),
        given.predicted_iou,
        given.stability_score,
    )
    return record, png.tobytes()
