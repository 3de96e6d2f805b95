"""Everything-mode with the interface of SAM's and ZIM's automatic mask generators.

>>> generator = ZimAutomaticMaskGenerator(load_model("zim-vit-b.safetensors"))
>>> records = generator.generate(rgb)

The image and each crop of it are encoded once, grid points are decoded in batches, and
masks are filtered on the network's own small grid: only those that stay are upsampled
to the image's size, those of a ZIM or SAM as the official code does it.  The studio's
own search, which decodes fewer points and predicts again around objects, is
:mod:`zim_model.inference.automatic`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from zim_model.arguments import as_doubles, check_choice, check_number
from zim_model.arrays import BoolArray, Bounds, ByteArray, FloatArray, mask_bounds
from zim_model.backends.backend import Backend, EncodedView
from zim_model.backends.view import View
from zim_model.errors import PromptError, msg
from zim_model.image_input import as_rgb
from zim_model.inference.automatic import COVERING_AREA, decode_many
from zim_model.inference.generator_geometry import (
    Mask,
    crop_spans,
    is_cut,
    non_maximum_suppression,
    point_grid,
    remove_small_regions,
)
from zim_model.inference.official import (
    decode_uncropped,
    has_official_code,
    upsample_officially,
)
from zim_model.matting.rle import encoded
from zim_model.prompts import Point, PromptSet

if TYPE_CHECKING:
    from zim_model.network.tiny import ZimTiny
    from zim_model.network.zim import Zim

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]

MIN_LOGIT = -8.0
"""Logit below which a matte is 0 in 8 bits."""
_WHOLE: dict[str, tuple[float, float]] = {
    "points_per_side": (1, 1000),
    "points_per_batch": (1, 1_000_000),
    "crop_n_layers": (0, 4),
    "crop_n_points_downscale_factor": (1, 1000),
}
"""Limits of settings that are whole numbers."""
_LIMITS: dict[str, tuple[float, float]] = {
    "crop_overlap_ratio": (0, 0.99),
    "min_mask_region_area": (0, np.inf),
}
"""Limits of other settings that have some."""
CPU_BATCH = 4
"""Most points decoded together on a CPU: more would only take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _GeneratedMask:
    """A mask that passed the filters so far, on the network's grid.

    Attributes:
        logits: (h, w), the part above MIN_LOGIT with a cell around it.
        cells: (left, top) of that part in cells of the grid.
        grid: (height, width) of the whole grid: of the padded input where the model
            has official code, else of the view.
        view: the crop that was decoded.
        box: left, top, right, bottom around alpha of one half, in image pixels.
        point: the prompt, x and y in image pixels.
    """

    logits: FloatArray
    cells: tuple[int, int]
    grid: tuple[int, int]
    view: View
    box: tuple[float, float, float, float]
    point: tuple[float, float]
    score: float
    stability: float


class _CoveredCells:
    """The cells of a crop that the best masks of points cover.

    Args:
        view: the crop.
        stride: input pixels per cell.
    """

    def __init__(self, view: View, stride: int) -> None:
        self._view = view
        self._cells = np.zeros(view.cells(stride), bool)

    def __contains__(self, point: tuple[float, float]) -> bool:
        rows, columns = self._cells.shape
        row = int((point[1] - self._view.top) / self._view.height * rows)
        column = int((point[0] - self._view.left) / self._view.width * columns)
        return bool(self._cells[row, column])

    def add(self, masks: Sequence[_GeneratedMask]) -> None:
        """Cover the best mask of each point, where it is not too large."""
        best: dict[tuple[float, float], _GeneratedMask] = {}
        for mask in masks:
            if mask.point not in best or best[mask.point].score < mask.score:
                best[mask.point] = mask
        for mask in best.values():
            inside = mask.logits > 0
            if np.count_nonzero(inside) <= COVERING_AREA * self._cells.size:
                left, top = mask.cells
                part = self._cells[top:, left:][: len(inside), : inside.shape[1]]
                part |= inside[: len(part), : part.shape[1]]


class ZimAutomaticMaskGenerator:
    """Finds all objects of an image with a grid of points.

    Args:
        model: a :class:`~zim_model.network.zim.Zim`, or any backend.
        points_per_side: points along each side; None if ``point_grids`` are given.
        points_per_batch: points decoded together, on a GPU.
        pred_iou_thresh: least IoU that the model predicts for its matte; 0 keeps all,
            also what is predicted below 0.
        stability_score_thresh: least IoU between the mask cut
            ``stability_score_offset`` above and below its threshold; None takes the
            model's authors' default, 0.95 for a SAM and 0.9 for a ZIM.
        stability_score_offset: for a SAM in logits around 0, above 0, by default 1; for
            a ZIM in alpha around one half, above 0 and below 0.5, by default 0.1.
        box_nms_thresh: IoU of boxes above which only the better of two mattes stays.
        crop_n_layers: the i-th layer predicts again on 2^i times 2^i crops.
        crop_nms_thresh: as ``box_nms_thresh``, between crops, where the smaller wins.
        crop_overlap_ratio: of crops, as a fraction of the image's shorter side.
        crop_n_points_downscale_factor: layer i has so many times (to the power i)
            fewer points along a side.
        point_grids: one array (N, 2) of x and y in [0, 1] for each layer.
        skip_covered: skip points inside the best mask of a point before, unless that
            mask is larger than a quarter of the crop.  Takes a fraction of the time,
            and misses parts of objects.
        min_mask_region_area: islands and holes of fewer pixels are removed from masks.
        output_mode: the form of ``segmentation``.
        device: where a model runs; None takes the best of this machine.

    Raises:
        PromptError: an argument is out of its range.
    """

    def __init__(
        self,
        model: Zim | ZimTiny | Backend,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float | None = None,
        stability_score_offset: float | None = None,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[npt.ArrayLike] | None = None,
        min_mask_region_area: int = 0,
        output_mode: OutputMode = "binary_mask",
        device: str | None = None,
        *,
        skip_covered: bool = False,
    ) -> None:
        from zim_model.inference.pretrained import backend_for

        if (points_per_side is None) == (point_grids is None):
            raise PromptError(
                msg("points_per_side and point_grids exclude each other."),
                msg("Give one of them, and None as the other."),
            )
        _check_settings(
            points_per_batch=points_per_batch,
            pred_iou_thresh=pred_iou_thresh,
            box_nms_thresh=box_nms_thresh,
            crop_n_layers=crop_n_layers,
            crop_nms_thresh=crop_nms_thresh,
            crop_overlap_ratio=crop_overlap_ratio,
            crop_n_points_downscale_factor=crop_n_points_downscale_factor,
            min_mask_region_area=min_mask_region_area,
        )
        check_choice(
            "output_mode", output_mode, get_args(OutputMode), error=PromptError
        )
        self.backend: Backend = backend_for(model, device)
        self._official = has_official_code(self.backend.config)
        binary = self.backend.config.binary
        if stability_score_thresh is None:
            stability_score_thresh = 0.95 if binary else 0.9
        if stability_score_offset is None:
            stability_score_offset = 1.0 if binary else 0.1
        _check_settings(stability_score_thresh=stability_score_thresh)
        most = np.inf if binary else 0.499999
        limits = (stability_score_offset, 1e-6, most)
        check_number("stability_score_offset", *limits, error=PromptError)
        self.point_grids: list[npt.NDArray[np.float64]] = []
        for layer in range(crop_n_layers + 1):
            if point_grids is None:
                _check_settings(points_per_side=points_per_side)
                assert points_per_side is not None
                side = points_per_side // crop_n_points_downscale_factor**layer
                self.point_grids.append(point_grid(max(1, side)))
            else:
                self.point_grids.append(_check_grid(point_grids, layer))
        self.points_per_batch = points_per_batch
        self.pred_iou_thresh = pred_iou_thresh
        self.stability_score_thresh = stability_score_thresh
        self.stability_score_offset = stability_score_offset
        self.box_nms_thresh = box_nms_thresh
        self.crop_n_layers = crop_n_layers
        self.crop_nms_thresh = crop_nms_thresh
        self.crop_overlap_ratio = crop_overlap_ratio
        self.min_mask_region_area = min_mask_region_area
        self.output_mode = output_mode
        self.skip_covered = skip_covered

    def generate(self, image: npt.ArrayLike | Image.Image) -> list[dict[str, Any]]:
        """Find the objects of an image.

        Args:
            image: as for :meth:`ZimPredictor.set_image`.

        Returns:
            One record for each object, the highest score first: ``segmentation`` ((H,
            W) bool, or run lengths), ``matte`` ((H, W) uint8, soft) and the same as
            ``logit``, which is the official ZIM's name, ``area`` (pixels), ``bbox``
            (left, top, width, height between the outermost pixels' positions, as SAM
            has it: one less than their number), ``crop_box`` (left, top, width,
            height), ``predicted_iou``, ``point_coords`` ([[x, y]] of the prompt),
            ``stability_score``.

        Raises:
            ImageError: another shape or dtype.
        """
        array = as_rgb(image)
        size = (array.shape[0], array.shape[1])
        kept: list[_GeneratedMask] = []
        for view, layer in self._crops(size):
            kept += self._process_crop(array, view, layer)
        if self.crop_n_layers:
            smallest = [-float(a.view.width * a.view.height) for a in kept]
            kept = _suppress_duplicates(kept, smallest, self.crop_nms_thresh)
        kept.sort(key=lambda generated: -generated.score)
        return self._to_records(kept, size)

    def _crops(self, size: tuple[int, int]) -> Iterator[tuple[View, int]]:
        """The whole image, then ever smaller crops, each with its layer."""
        whole = View.whole_for(self.backend.config, *size)
        yield whole, 0
        for layer in range(1, self.crop_n_layers + 1):
            count = 2**layer
            overlap = int(self.crop_overlap_ratio * min(size) * 2 / count)
            rows, columns = (crop_spans(length, count, overlap) for length in size)
            for (left, right), (top, bottom) in itertools.product(columns, rows):
                yield whole.part(left, top, right, bottom), layer

    def _process_crop(
        self, image: ByteArray, view: View, layer: int
    ) -> list[_GeneratedMask]:
        """The objects of one crop, without duplicates."""
        encoded = self.backend.encode(image, view)
        scale = (view.width, view.height)
        points = self.point_grids[layer] * scale + (view.left, view.top)
        kept: list[_GeneratedMask] = []
        covered = _CoveredCells(encoded.view, self.backend.config.mask_stride)
        remaining = iter(points.tolist())
        while batch := list(itertools.islice(remaining, self._batch())):
            if self.skip_covered:
                batch = [point for point in batch if point not in covered]
            found = list(self._process_batch(encoded, batch)) if batch else []
            covered.add(found)
            kept += found
        cut = [is_cut(generated.box, view, image.shape) for generated in kept]
        kept = [each for each, is_cut in zip(kept, cut, strict=True) if not is_cut]
        return _suppress_duplicates(
            kept, [generated.score for generated in kept], self.box_nms_thresh
        )

    @property
    def _first(self) -> int:
        """A SAM's first mask is not for ambiguous prompts, as a point is."""
        return 1 if self.backend.config.binary else 0

    def _batch(self) -> int:
        device = getattr(self.backend, "device", None)
        on_gpu = device is not None and device.type != "cpu"
        most = self.points_per_batch
        return most if on_gpu else min(most, CPU_BATCH)

    def _process_batch(
        self, encoded: EncodedView, points: Sequence[tuple[float, float]]
    ) -> Iterator[_GeneratedMask]:
        """The masks of a batch of points that pass the thresholds."""
        sets = [PromptSet((Point(x, y),)) for x, y in points]
        predictions = self._decode(encoded, sets)
        cells = encoded.view.cells(self.backend.config.mask_stride)
        offset, first = self.stability_score_offset, self._first
        binary = self.backend.config.binary
        margin = offset if binary else float(np.log((0.5 + offset) / (0.5 - offset)))
        for (x, y), (logits, scores) in zip(points, predictions, strict=True):
            for matte, score in zip(
                logits[first:], scores[first:].tolist(), strict=True
            ):
                if self.pred_iou_thresh > 0 and score <= self.pred_iou_thresh:
                    continue
                shown = matte[: cells[0], : cells[1]]
                low = np.count_nonzero(shown > -margin)
                stability = np.count_nonzero(shown > margin) / low if low else 0.0
                if stability < self.stability_score_thresh or not (shown > 0).any():
                    continue
                yield self._make_mask(matte, encoded.view, (x, y), score, stability)

    def _decode(
        self, encoded: EncodedView, sets: Sequence[PromptSet]
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Logits (4, h, w) on the model's grid and scores (4,) of each prompt set.

        Both are empty for sets whose scores are all too low.
        """
        if not self._official:
            return decode_many(self.backend, encoded, sets)
        wanted = None if self.pred_iou_thresh <= 0 else self._promising
        logits, scores = decode_uncropped(self.backend, encoded, sets, wanted)
        if wanted is None:
            return list(zip(logits, scores, strict=True))
        found, nothing = iter(logits), (logits[:0, 0, 0], scores[:0, 0])
        return [
            (next(found), each) if is_promising else nothing
            for each, is_promising in zip(scores, wanted(scores), strict=True)
        ]

    def _promising(self, scores: FloatArray) -> BoolArray:
        """Whether one of the scores (N, 4) of each prompt set is high enough."""
        enough = scores[:, self._first :].astype(np.float64) > self.pred_iou_thresh
        return np.asarray(enough.any(1))

    def _make_mask(
        self,
        logits: FloatArray,
        view: View,
        point: tuple[float, float],
        score: float,
        stability: float,
    ) -> _GeneratedMask:
        rows, columns = view.cells(self.backend.config.mask_stride)
        across, down = view.width / columns, view.height / rows
        if self._official:  # the last cells may reach beyond the view
            stride = self.backend.config.mask_stride
            height, width = view.input_size
            across, down = stride * view.width / width, stride * view.height / height
        bounds = mask_bounds(logits[:rows, :columns] > 0)
        near = mask_bounds(logits > MIN_LOGIT)
        assert bounds is not None, "a mask is not empty"
        assert near is not None, "MIN_LOGIT is below 0"
        box = (
            view.left + bounds[0] * across,
            view.top + bounds[1] * down,
            min(view.left + bounds[2] * across, view.right),
            min(view.top + bounds[3] * down, view.bottom),
        )
        left, top = max(near[0] - 1, 0), max(near[1] - 1, 0)
        part = logits[top : near[3] + 1, left : near[2] + 1].copy()
        grid = (logits.shape[0], logits.shape[1])
        return _GeneratedMask(
            part, (left, top), grid, view, box, point, score, stability
        )

    def _full_size(self, generated: _GeneratedMask, size: tuple[int, int]) -> ByteArray:
        """The matte (H, W) of a mask, by bilinear interpolation of its logits."""
        grid = np.full(generated.grid, 2 * MIN_LOGIT, np.float32)
        left, top = generated.cells
        height, width = generated.logits.shape
        grid[top : top + height, left : left + width] = generated.logits
        view = generated.view
        logits = (
            upsample_officially(grid, view)
            if self._official
            else cv2.resize(grid, (view.width, view.height))
        )
        matte = np.zeros(size, np.uint8)
        alpha = 255 / (1 + np.exp(-np.clip(logits, -30, 30)))
        matte[view.top : view.bottom, view.left : view.right] = np.rint(alpha)
        return matte

    def _to_records(
        self, kept: list[_GeneratedMask], size: tuple[int, int]
    ) -> list[dict[str, Any]]:
        """Records of masks at the image's size."""
        cleaned: list[tuple[_GeneratedMask, ByteArray, Mask, Bounds]] = []
        changed: list[float] = []
        for generated in kept:
            matte = self._full_size(generated, size)
            mask = matte > 127
            whole = remove_small_regions(mask, self.min_mask_region_area)
            matte = np.where(whole == mask, matte, np.where(whole, 255, 0))
            box = mask_bounds(whole)
            if box is not None:
                cleaned.append((generated, matte.astype(np.uint8), whole, box))
                changed.append(float((whole == mask).all()))
        if self.min_mask_region_area > 0:
            # A changed mask may now equal an unchanged one, which is preferred.
            boxes = np.array([box for *_, box in cleaned]).reshape(-1, 4)
            limit = max(self.box_nms_thresh, self.crop_nms_thresh)
            cleaned = [
                cleaned[i]
                for i in sorted(non_maximum_suppression(boxes, changed, limit))
            ]
        return [self._to_record(*entry) for entry in cleaned]

    def _to_record(
        self, generated: _GeneratedMask, matte: ByteArray, mask: Mask, box: Bounds
    ) -> dict[str, Any]:
        left, top, right, bottom = box
        view = generated.view
        return {
            "segmentation": self._segmentation(mask),
            "matte": matte,
            "logit": matte,
            "area": int(np.count_nonzero(mask)),
            "bbox": [left, top, right - left - 1, bottom - top - 1],
            "predicted_iou": generated.score,
            "point_coords": [list(generated.point)],
            "stability_score": generated.stability,
            "crop_box": [view.left, view.top, view.width, view.height],
        }

    def _segmentation(self, mask: Mask) -> Mask | dict[str, Any]:
        if self.output_mode == "binary_mask":
            return mask
        return encoded(mask, packed=self.output_mode == "coco_rle")


def _check_settings(**settings: float | None) -> None:
    """Check numbers by their names.

    Raises:
        PromptError: one is none, or out of its range.
    """
    for name, value in settings.items():
        whole = name in _WHOLE
        low, high = _WHOLE.get(name) or _LIMITS.get(name, (-np.inf, np.inf))
        check_number(name, value, low, high, whole=whole, error=PromptError)


def _check_grid(grids: Sequence[npt.ArrayLike], layer: int) -> npt.NDArray[np.float64]:
    count = len(grids) if isinstance(grids, Sequence) else 0
    if layer >= count:
        raise PromptError(
            msg("point_grids has {count} grids.", count=count),
            msg("Give a list, with one array (N, 2) for each layer of crops."),
        )
    grid = as_doubles(grids[layer], "point_grids")
    fits = grid.ndim == 2 and grid.shape[1] == 2 and len(grid) > 0
    if not fits or not ((grid >= 0) & (grid < 1)).all():
        raise PromptError(
            msg(
                "The point grid of layer {layer} has shape {shape}.",
                layer=layer,
                shape=grid.shape,
            ),
            msg("It must be (N, 2) with numbers from 0 to below 1."),
        )
    return grid


def _suppress_duplicates(
    kept: Sequence[_GeneratedMask], scores: Sequence[float], limit: float
) -> list[_GeneratedMask]:
    """The masks of which none overlaps one with a higher score."""
    boxes = np.array([generated.box for generated in kept]).reshape(-1, 4)
    return [kept[i] for i in non_maximum_suppression(boxes, scores, limit)]
