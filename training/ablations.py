"""The paper's ablations: which runs a table compares, and what the paper reports.

Numbers are those of the fine and the coarse part of MicroMat-3K with box prompts (Table
2: given the true segmentation), as published; they are never mixed with measured ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MEASURES = ("SAD", "MSE", "Grad")
SETS = ("fine", "coarse")


@dataclass(frozen=True, slots=True)
class Variant:
    """One run of a table.

    Attributes:
        name: its file is ``configs/ablations/TABLE_NAME.toml``.
        title: for the printed table.
        paper: SAD, MSE and Grad on the fine set and on the coarse set; None where the
            paper has none.
        data: folder below the data's that it is trained on.
    """

    name: str
    title: str
    paper: Mapping[str, tuple[float, float, float]] | None
    data: str = "train"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first variant is what the others are compared with."""

    title: str
    kind: Literal["zim", "converter"]
    variants: tuple[Variant, ...]


def _paper(
    fine: tuple[float, float, float], coarse: tuple[float, float, float]
) -> dict[str, tuple[float, float, float]]:
    return {"fine": fine, "coarse": coarse}


_ZIM = _paper((9.961, 1.893, 4.813), (1.860, 0.448, 1.281))
_NO_MASK = _paper((11.074, 2.094, 5.401), (2.069, 0.487, 1.355))

TABLES = {
    "2": Table(
        "Label converter: Spatial Generalization Augmentation, Selective"
        " Transformation Learning",
        "converter",
        (
            Variant(
                "none", "neither", _paper((3.324, 0.276, 2.664), (0.716, 0.117, 0.684))
            ),
            Variant("sga", "SGA", _paper((2.440, 0.122, 2.139), (0.697, 0.092, 0.634))),
            Variant("stl", "STL", _paper((3.153, 0.239, 2.457), (0.635, 0.089, 0.653))),
            Variant(
                "both",
                "SGA and STL",
                _paper((1.999, 0.080, 1.771), (0.281, 0.021, 0.399)),
            ),
        ),
    ),
    "3a": Table(
        "Prompt-aware masked attention, hierarchical pixel decoder",
        "zim",
        (
            Variant(
                "sam",
                "SAM's decoder",
                _paper((13.623, 2.718, 6.516), (2.071, 0.474, 1.526)),
            ),
            Variant(
                "attention",
                "masked attention",
                _paper((13.198, 2.504, 6.445), (2.049, 0.471, 1.486)),
            ),
            Variant("decoder", "hierarchical decoder", _NO_MASK),
            Variant("zim", "both (ZIM)", _ZIM),
        ),
    ),
    "3b": Table(
        "Where the attention mask acts",
        "zim",
        (
            Variant("none", "nowhere", _NO_MASK),
            Variant("t2i", "token to image (ZIM)", _ZIM),
            Variant(
                "i2t",
                "image to token",
                _paper((12.526, 2.658, 6.032), (2.353, 0.554, 1.481)),
            ),
            Variant(
                "both",
                "both ways",
                _paper((10.437, 1.997, 5.066), (1.999, 0.470, 1.306)),
            ),
        ),
    ),
    "3c": Table(
        "Training set",
        "zim",
        (
            Variant(
                "public",
                "public mattes",
                _paper((120.571, 38.332, 6.730), (9.506, 2.760, 1.688)),
            ),
            Variant("sa1b", "SA-1B's masks", None, "sa1b"),
            Variant("sa1b_matte", "SA1B-Matte", _ZIM, "sa1b_matte"),
        ),
    ),
}
"""By the paper's numbers."""
