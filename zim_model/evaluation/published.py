"""Metrics that others have published, for comparison beside computed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zim_model.evaluation.datasets import SUBSETS
from zim_model.evaluation.journal import RunConfig

MARK = "published"
"""After the name of a system that was not measured here."""
SOURCE = "Kim et al., ZIM: Zero-Shot Image Matting for Anything, ICCV 2025, Table 1"
"""Of published metrics: MicroMat-3K, all ViT-B (arXiv 2411.00626)."""
MICROMAT_CASES = 2500
"""MicroMat-3K has some 3,000 cases: a run over fewer is over another set, such as the
procedural one in its layout, or over a part of it."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A row of a published table, for comparison beside computed ones.

    Attributes:
        system, prompt, subset: names, as in a :class:`~.report.MetricGroup`.
        means: by metric, as printed there.
    """

    system: str
    prompt: str
    subset: str
    means: Mapping[str, float]


_PUBLISHED_METRICS = ("SAD", "MSE", "MAE", "Grad", "Conn")
_FINE = {
    ("SAM", "point"): (68.076, 21.651, 23.307, 16.496, 67.730),
    ("SAM", "box"): (36.086, 11.057, 12.714, 14.867, 35.834),
    ("HQ-SAM", "point"): (110.681, 36.674, 38.331, 16.855, 110.421),
    ("HQ-SAM", "box"): (124.262, 42.457, 44.144, 13.673, 124.113),
    ("Matte-Any", "point"): (68.797, 20.844, 23.564, 8.118, 68.939),
    ("Matte-Any", "box"): (34.661, 9.746, 12.182, 7.021, 34.856),
    ("Matting-Any", "point"): (275.398, 77.335, 97.141, 20.019, 270.722),
    ("Matting-Any", "box"): (246.214, 68.372, 87.617, 19.185, 241.597),
    ("ZIM", "point"): (31.286, 8.213, 10.740, 5.324, 31.009),
    ("ZIM", "box"): (9.961, 1.893, 3.426, 4.813, 9.655),
}
_COARSE = {
    ("SAM", "point"): (17.093, 5.569, 5.756, 4.800, 17.035),
    ("SAM", "box"): (3.516, 1.044, 1.231, 2.551, 3.450),
    ("HQ-SAM", "point"): (18.842, 6.457, 6.645, 4.599, 18.792),
    ("HQ-SAM", "box"): (8.458, 2.733, 2.920, 2.472, 8.400),
    ("Matte-Any", "point"): (19.717, 6.053, 6.675, 2.633, 19.506),
    ("Matte-Any", "box"): (6.950, 1.983, 2.445, 2.142, 6.905),
    ("Matting-Any", "point"): (164.145, 36.187, 55.943, 23.244, 155.780),
    ("Matting-Any", "box"): (109.639, 23.780, 38.662, 15.841, 102.439),
    ("ZIM", "point"): (6.645, 1.788, 2.320, 1.469, 6.472),
    ("ZIM", "box"): (1.860, 0.448, 0.659, 1.281, 1.807),
}

MICROMAT = tuple(
    PublishedRow(
        system, prompt, subset, dict(zip(_PUBLISHED_METRICS, values, strict=True))
    )
    for subset, table in zip(SUBSETS, (_FINE, _COARSE), strict=True)
    for (system, prompt), values in table.items()
)


def published_rows(config: RunConfig) -> tuple[PublishedRow, ...]:
    """The published rows that stand beside those of a run; mostly none."""
    whole = config.layout == "micromat" and config.cases >= MICROMAT_CASES
    return MICROMAT if whole else ()
