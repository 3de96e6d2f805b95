"""Settings of the label converter's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from training.run_config import RunSettings, check_side
from zim_model.conversion.config import CONVERTERS, ConverterConfig
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class ConverterTrainConfig(RunSettings):
    """Settings of one run; see also :class:`RunSettings`.

    Attributes:
        size: side of the training crops in pixels, see :func:`check_side`.
        patches: number of crops of each sampled image.
        scale: smallest factor by which images are downscaled; the largest is 1.
        sga: probability of cutting the same region from a label and its matte (Spatial
            Generalization Augmentation).
        stl: whether to train on coarse objects too, whose target is their label
            (Selective Transformation Learning).
        stl_share: share of coarse objects with ``stl``.
        pretrained: weights of the Hiera encoder with the transformers package's names,
            a folder or a ``.safetensors`` file; empty for random weights.
    """

    size: int = 1024
    patches: int = 1
    scale: float = 0.5
    sga: float = 0.5
    stl: bool = True
    stl_share: float = 0.25
    pretrained: str = ""
    best_by: str = "sad"

    MODELS: ClassVar[Mapping[str, ConverterConfig]] = CONVERTERS

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ZimError: a value is out of range.
        """
        # In smaller crops batch norm would see a single value at stride 32.
        check_side("size", self.size)
        for key in ("sga", "stl_share", "scale"):
            value = getattr(self, key)
            if not 0 <= value <= 1:
                raise ZimError(f"{key} = {value} is not between 0 and 1.")
        if self.scale == 0 or self.patches < 1:
            raise ZimError("scale must be above 0, and patches 1 or more.")

    @property
    def converter(self) -> ConverterConfig:
        """The architecture."""
        return CONVERTERS[self.model]
