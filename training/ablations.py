"""The paper's ablation tables: their variants and published errors.

The published errors are those on the fine and the coarse part of MicroMat-3K with box
prompts (Table 2: with the true segmentation as input).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

METRICS = ("SAD", "MSE", "Grad")
Errors = tuple[float, float, float]
"""Values of METRICS."""
SETS = ("fine", "coarse")


@dataclass(frozen=True, slots=True)
class Variant:
    """One run of a table.

    Attributes:
        name: NAME in the path ``configs/ablations/TABLE_NAME.toml`` of its settings.
        title: its label in the printed table.
        paper: published SAD, MSE and Grad on the fine and on the coarse set; None where
            the paper reports none.
        data: name of its training folder within the data folder.
    """

    name: str
    title: str
    paper: Mapping[str, Errors] | None
    data: str = "train"


@dataclass(frozen=True, slots=True)
class AblationTable:
    """A table of variants; the first one is the reference of the comparisons.

    Attributes:
        title: what is varied.
        kind: what is trained.
        variants: the runs.
        others: published rows of systems that are not trained here, by label.
    """

    title: str
    kind: Literal["zim", "converter"]
    variants: tuple[Variant, ...]
    others: Mapping[str, Mapping[str, Errors]] = field(default_factory=dict)


def _paper_values(fine: Errors, coarse: Errors) -> dict[str, Errors]:
    return {"fine": fine, "coarse": coarse}


_ZIM = _paper_values((9.961, 1.893, 4.813), (1.860, 0.448, 1.281))
_NO_MASK = _paper_values((11.074, 2.094, 5.401), (2.069, 0.487, 1.355))

TABLES = {
    "2": AblationTable(
        "Label converter: Spatial Generalization Augmentation, Selective"
        " Transformation Learning",
        "converter",
        (
            Variant(
                "none",
                "neither",
                _paper_values((3.324, 0.276, 2.664), (0.716, 0.117, 0.684)),
            ),
            Variant(
                "sga",
                "SGA",
                _paper_values((2.440, 0.122, 2.139), (0.697, 0.092, 0.634)),
            ),
            Variant(
                "stl",
                "STL",
                _paper_values((3.153, 0.239, 2.457), (0.635, 0.089, 0.653)),
            ),
            Variant(
                "both",
                "SGA and STL",
                _paper_values((1.999, 0.080, 1.771), (0.281, 0.021, 0.399)),
            ),
        ),
    ),
    "3a": AblationTable(
        "Prompt-aware masked attention, hierarchical pixel decoder",
        "zim",
        (
            Variant(
                "sam",
                "SAM's decoder",
                _paper_values((13.623, 2.718, 6.516), (2.071, 0.474, 1.526)),
            ),
            Variant(
                "attention",
                "masked attention",
                _paper_values((13.198, 2.504, 6.445), (2.049, 0.471, 1.486)),
            ),
            Variant("decoder", "hierarchical decoder", _NO_MASK),
            Variant("zim", "both (ZIM)", _ZIM),
        ),
    ),
    "3b": AblationTable(
        "Where the attention mask acts",
        "zim",
        (
            Variant("none", "nowhere", _NO_MASK),
            Variant("t2i", "token to image (ZIM)", _ZIM),
            Variant(
                "i2t",
                "image to token",
                _paper_values((12.526, 2.658, 6.032), (2.353, 0.554, 1.481)),
            ),
            Variant(
                "both",
                "both ways",
                _paper_values((10.437, 1.997, 5.066), (1.999, 0.470, 1.306)),
            ),
        ),
    ),
    "3c": AblationTable(
        "Training set",
        "zim",
        (
            Variant(
                "public",
                "public mattes",
                _paper_values((120.571, 38.332, 6.730), (9.506, 2.760, 1.688)),
            ),
            Variant("sa1b", "SA-1B's masks", None, "sa1b"),
            Variant("sa1b_matte", "SA1B-Matte", _ZIM, "sa1b_matte"),
        ),
        {
            "Matting-Any, public mattes": _paper_values(
                (246.214, 68.372, 19.185), (109.639, 23.780, 15.841)
            ),
            "Matting-Any, SA1B-Matte": _paper_values(
                (41.242, 12.267, 7.707), (4.626, 1.284, 1.552)
            ),
        },
    ),
}
"""The tables by their number in the paper."""
