"""What SAM's code does around its network: scaling in front, full size behind.

The names and the order of the steps are those of ``segment_anything``, so that scripts
written for it run unchanged.  Shapes: S side of the input, (h, w) the scaled image
inside it, (H, W) the image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from zim_model.errors import PromptError, msg
from zim_model.network.config import PIXEL_MEAN, PIXEL_STD, ModelConfig
from zim_model.network.decoder import (
    BOTTOM_RIGHT,
    NEGATIVE,
    PADDING,
    POSITIVE,
    TOP_LEFT,
)

MASK_THRESHOLD = 0.0
"""Logit above which a pixel belongs to SAM's mask."""

Size = tuple[int, int]
"""(height, width) in pixels."""


class ResizeLongestSide:
    """Scales images, points and boxes so that the longer side has a given length.

    Attributes:
        target_length: S.
    """

    def __init__(self, target_length: int) -> None:
        self.target_length = target_length

    def apply_image(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """An image (H, W, C) uint8 scaled with antialiasing, (h, w, C)."""
        height, width = self._scaled_size(image.shape)
        resized = Image.fromarray(np.ascontiguousarray(image)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        return np.array(resized)

    def apply_coords(
        self, coords: npt.ArrayLike, original_size: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """Points (..., 2), x then y, of an image of that size, in input pixels."""
        scaled = np.array(coords, np.float64)
        scaled[..., 0] *= self._scales(original_size)[1]
        scaled[..., 1] *= self._scales(original_size)[0]
        return scaled

    def apply_boxes(
        self, boxes: npt.ArrayLike, original_size: Sequence[int]
    ) -> npt.NDArray[np.float64]:
        """Boxes (B, 4) of an image of that size, in input pixels."""
        corners = np.reshape(np.array(boxes, np.float64), (-1, 2, 2))
        return self.apply_coords(corners, original_size).reshape(-1, 4)

    def apply_image_torch(self, image: Tensor) -> Tensor:
        """Images (B, 3, H, W) scaled bilinearly with antialiasing, (B, 3, h, w)."""
        size = self._scaled_size(image.shape[-2:])
        return F.interpolate(
            image, size, mode="bilinear", align_corners=False, antialias=True
        )

    def apply_coords_torch(
        self, coords: Tensor, original_size: Sequence[int]
    ) -> Tensor:
        """As :meth:`apply_coords`, for tensors."""
        scales = self._scales(original_size)[::-1]
        return coords.to(torch.float) * coords.new_tensor(scales, dtype=torch.float)

    def apply_boxes_torch(self, boxes: Tensor, original_size: Sequence[int]) -> Tensor:
        """As :meth:`apply_boxes`, for tensors."""
        corners = self.apply_coords_torch(boxes.reshape(-1, 2, 2), original_size)
        return corners.reshape(-1, 4)

    @staticmethod
    def get_preprocess_shape(oldh: int, oldw: int, long_side_length: int) -> Size:
        """The scaled (height, width) of an image of that height and width.

        A side that SAM's code would round to 0, and then fail, is 1.
        """
        scale = long_side_length / max(oldh, oldw)
        return max(1, int(oldh * scale + 0.5)), max(1, int(oldw * scale + 0.5))

    def _scaled_size(self, shape: Sequence[int]) -> Size:
        return self.get_preprocess_shape(shape[0], shape[1], self.target_length)

    def _scales(self, original_size: Sequence[int]) -> tuple[float, float]:
        """Input pixels per image pixel, down and across."""
        height, width = original_size[0], original_size[1]
        scaled_height, scaled_width = self._scaled_size((height, width))
        return scaled_height / height, scaled_width / width


class ResizeToSquare(ResizeLongestSide):
    """Scales images, points and boxes so that both sides have a given length (SAM 2).

    Attributes:
        target_length: S.
    """

    @staticmethod
    def get_preprocess_shape(_oldh: int, _oldw: int, long_side_length: int) -> Size:
        """The scaled (height, width) of any image."""
        return long_side_length, long_side_length


def check_tensor(name: str, values: object) -> None:
    """Check that an argument is a tensor of real numbers.

    Raises:
        PromptError: it is none; the message has its name.
    """
    if isinstance(values, Tensor) and not values.is_complex():
        return
    raise PromptError(
        msg("{name} is not a tensor of numbers.", name=name),
        msg("Give torch.as_tensor of it, or call predict, which takes arrays."),
    )


def transform_of(config: ModelConfig) -> ResizeLongestSide:
    """What scales images and prompts to a model's input."""
    kind = ResizeToSquare if config.stretch else ResizeLongestSide
    return kind(config.image_size)


def preprocess(pixels: Tensor, side: int) -> Tensor:
    """The input (..., 3, S, S) from scaled images (..., 3, h, w) in 0 to 255."""
    mean, std = (
        pixels.new_tensor(v, dtype=torch.float) for v in (PIXEL_MEAN, PIXEL_STD)
    )
    normalised = (pixels.float() - mean[:, None, None]) / std[:, None, None]
    height, width = pixels.shape[-2:]
    return F.pad(normalised, (0, side - width, 0, side - height))


def upsample_logits(
    logits: Tensor, side: int, input_size: Size, original_size: Size
) -> Tensor:
    """Logits at the image's size: to the input's size, cropped, to the image's.

    Both steps are bilinear, without aligned corners; SAM's ``postprocess_masks`` and
    the official ZIM's upsampling.

    Args:
        logits: (B, C, g, g) of the padded input.
        side: S.
        input_size: (h, w).
        original_size: (H, W).

    Returns:
        (B, C, H, W).
    """
    large = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    large = large[..., : input_size[0], : input_size[1]]
    return F.interpolate(large, original_size, mode="bilinear", align_corners=False)


def to_mask_input(logits: Tensor, side: int) -> Tensor:
    """Logits (B, C, g, g) as SAM's low-resolution masks, (B, C, S/4, S/4).

    They can be fed back as ``mask_input``.  ZIM's have twice that resolution, and means
    of four are taken.
    """
    return F.adaptive_avg_pool2d(logits, side // 4)


def to_sam_output(
    logits: Tensor,
    scores: Tensor,
    side: int,
    sizes: tuple[Size, Size],
    *,
    binary: bool,
    several: bool,
    return_logits: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """What SAM's and ZIM's code returns of a decoder's output.

    Args:
        logits: (B, 4, g, g) of the padded input.
        scores: (B, 4).
        side: S.
        sizes: (h, w) and (H, W).
        binary: a SAM's masks, else alpha.
        several: all candidates (of a SAM the three for ambiguous prompts), else the
            first, which is for unambiguous prompts.
        return_logits: logits in place of masks or alpha.

    Returns:
        Masks (B, C, H, W), scores (B, C), and low-resolution logits (B, C, S/4, S/4).
    """
    chosen = slice(int(binary), None) if several else slice(1)
    logits, scores = logits[:, chosen], scores[:, chosen]
    masks = upsample_logits(logits, side, *sizes)
    if not return_logits:
        masks = masks > MASK_THRESHOLD if binary else masks.sigmoid()
    return masks, scores, to_mask_input(logits, side)


def prompt_tokens_of(
    coords: Tensor | None,
    labels: Tensor | None,
    boxes: Tensor | None,
    mask_input: Tensor | None,
    side: int,
) -> tuple[Tensor, Tensor]:
    """Points and boxes as SAM's prompt tokens: points, then corners or one padding.

    Without points and boxes there is no token, as in SAM.

    Args:
        coords: (B, N, 2) input pixels, x then y.
        labels: (B, N) of 1, 0 and -1.
        boxes: (B, 4) or (B, 1, 4).
        mask_input: (B, 1, S/4, S/4), or one for all.
        side: S.

    Returns:
        Coordinates (B, T, 2) float32 and labels (B, T) int64.

    Raises:
        PromptError: they do not belong together, or are malformed.
    """
    _check_prompts(coords, labels, boxes, mask_input, side)
    places: list[Tensor] = []
    kinds: list[Tensor] = []
    if coords is not None and labels is not None:
        places.append(coords.float())
        kinds.append(labels.long())
        if boxes is None:
            places.append(coords.new_zeros(len(coords), 1, 2, dtype=torch.float))
            kinds.append(labels.new_full((len(labels), 1), PADDING, dtype=torch.long))
    if boxes is not None:
        places.append(boxes.float().reshape(-1, 2, 2))
        corners = torch.tensor([[TOP_LEFT, BOTTOM_RIGHT]], device=boxes.device)
        kinds.append(corners.expand(len(boxes), 2))
    if not places:
        count = 1 if mask_input is None else len(mask_input)
        return torch.zeros(count, 0, 2), torch.zeros(count, 0, dtype=torch.long)
    return torch.cat(places, 1), torch.cat(kinds, 1)


def _check_prompts(
    coords: Tensor | None,
    labels: Tensor | None,
    boxes: Tensor | None,
    mask_input: Tensor | None,
    side: int,
) -> None:
    """Check what :func:`prompt_tokens_of` gets.

    Raises:
        PromptError: see there.
    """
    if (coords is None) != (labels is None):
        raise PromptError(
            msg("point_coords and point_labels belong together."),
            msg("Give both, with one label for each point: 1 on the object, 0 beside."),
        )
    if labels is not None:
        check_tensor("point_labels", labels)
    given = {"point_coords": coords, "boxes": boxes, "mask_input": mask_input}
    for name, values in given.items():
        if values is not None:
            check_tensor(name, values)
    shapes = {name: tuple(x.shape) for name, x in given.items() if x is not None}
    count = next((shape[0] for shape in shapes.values() if shape), 1)
    counts = {count} if coords is None and boxes is None else {1, count}
    inner = side // 4
    expected: dict[str, list[tuple[int, ...]]] = {
        "point_coords": [(count, *shapes.get("point_coords", ())[1:2], 2)],
        "boxes": [(count, 4), (count, 1, 4)],
        "mask_input": [(n, 1, inner, inner) for n in sorted(counts)],
    }
    if coords is not None and labels is not None:
        shapes["point_labels"] = tuple(labels.shape)
        expected["point_labels"] = [tuple(coords.shape[:2])]
    for name, shape in shapes.items():
        if shape not in expected[name] or not count:
            raise PromptError(
                msg("{name} has shape {shape}.", name=name, shape=shape),
                msg("Expected {shapes}.", shapes=" or ".join(map(str, expected[name]))),
            )
    for name, values in given.items():
        if values is not None and not torch.isfinite(values).all():
            raise PromptError(
                msg("{name} is not finite.", name=name),
                msg("Give pixels from the top left, without NaN and infinity."),
            )
    known = torch.tensor([PADDING, NEGATIVE, POSITIVE], dtype=torch.float)
    if labels is not None and not torch.isin(labels.cpu().float(), known).all():
        raise PromptError(
            msg("A label is none of 1, 0 and -1."),
            msg("1 is positive, 0 negative, -1 padding; give a box as box."),
        )
