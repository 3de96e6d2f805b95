"""The settings of the label converter's training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from training.run_config import Settings
from zim_model.conversion.config import CONVERTERS, ConverterConfig
from zim_model.errors import ZimError


@dataclass(frozen=True, slots=True)
class ConverterTrainConfig(Settings):
    """What a run of the converter's training does; see :class:`Settings`.

    Attributes:
        size: side of the training crops in pixels, a multiple of 32, at
            least 64.
        patches: crops of each picture that is drawn; a view holds so many.
        scale: pictures are reduced to between this and all of their size.
        sga: probability that a region is cut from a label and its matte alike (Spatial
            Generalization Augmentation).
        stl: whether coarse objects take part, whose target is their label (Selective
            Transformation Learning).
        stl_share: share of these, where they take part.
        pretrained: weights for the Hiera encoder in the transformers package's names, a
            folder or a ``.safetensors`` file; empty to begin with none.
    """

    size: int = 1024
    patches: int = 1
    scale: float = 0.5
    sga: float = 0.5
    stl: bool = True
    stl_share: float = 0.25
    pretrained: str = ""

    MODELS: ClassVar[Mapping[str, ConverterConfig]] = CONVERTERS

    def __post_init__(self) -> None:
        """Refuse what no run can do.

        Raises:
            ZimError: the crops' side is no multiple of 32, or a share is none.
        """
        # In smaller ones batch norm would see a single value at stride 32.
        if self.size < 64 or self.size % 32:
            raise ZimError(f"size = {self.size} is no multiple of 32, 64 or more.")
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
