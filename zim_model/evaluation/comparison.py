"""Whether two systems differ: paired bootstrap intervals and signed-rank tests.

Two systems are compared on the cases that both have measured, by the differences of a
metric case by case.  The interval is that of the percentile bootstrap (Efron and
Tibshirani, An Introduction to the Bootstrap, chapter 13); the test is Wilcoxon's, whose
p-values of several pairs are adjusted by Holm's method.  Objects of one image count as
independent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from zim_model.evaluation.journal import EvaluationRow

RESAMPLES = 10_000
CONFIDENCE = 0.95
"""Of the intervals."""
DECIMALS = 12
"""Of differences; what is beyond them is rounding of the metrics."""
_SEED = 20_241_101
_CHUNK = 4_000_000
"""Drawn cases at a time, which bounds the memory."""

_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two systems in one metric.

    Attributes:
        system, other: names.
        prompt, subset: of the cases.
        metric: its name.
        count: cases that both have measured.
        difference: mean of the metric of ``system`` less that of ``other``.
        low, high: bounds of the interval of the difference, see CONFIDENCE.
        p_value: of Wilcoxon's signed-rank test, two-sided.
        p_adjusted: by Holm's method, for all pairs of systems in the same metric,
            prompt and subset.
    """

    system: str
    other: str
    prompt: str
    subset: str
    metric: str
    count: int
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float


def compare(
    rows: Sequence[EvaluationRow], metrics: Sequence[str], subset: str
) -> tuple[Comparison, ...]:
    """All pairs of systems in all metrics; the result is the same at every call.

    Args:
        rows: measured ones of one kind of prompt and of the subset.
        metrics: names.
        subset: for the result.
    """
    systems = list(dict.fromkeys(row.system for row in rows))
    pairs = list(combinations(systems, 2))
    columns = [(pair, name) for name in metrics for pair in pairs]
    if not columns:
        return ()
    differences = _differences(rows, columns)
    present = ~np.isnan(differences)
    kept = present.sum(0) > 1
    if not kept.any():
        return ()
    columns = [column for column, keep in zip(columns, kept, strict=True) if keep]
    differences, present = differences[:, kept], present[:, kept]
    lows, highs = _intervals(np.nan_to_num(differences), present)
    p_values = [signed_rank(column) for column in differences.T]
    adjusted = {
        name: iter(
            holm([p for p, c in zip(p_values, columns, strict=True) if c[1] == name])
        )
        for name in metrics
    }
    return tuple(
        Comparison(
            system=pair[0],
            other=pair[1],
            prompt=rows[0].prompt,
            subset=subset,
            metric=name,
            count=int(present[:, i].sum()),
            difference=float(np.nanmean(differences[:, i])),
            low=float(lows[i]),
            high=float(highs[i]),
            p_value=p_values[i],
            p_adjusted=next(adjusted[name]),
        )
        for i, (pair, name) in enumerate(columns)
    )


def _differences(
    rows: Sequence[EvaluationRow], columns: Sequence[tuple[tuple[str, str], str]]
) -> _Numbers:
    """Differences (cases, columns); NaN where one of the two systems has none."""
    values = {(row.case, row.system): row.metrics for row in rows}
    cases = sorted({row.case for row in rows})

    def value(case: str, system: str, name: str) -> float:
        return values.get((case, system), {}).get(name, np.nan)

    return np.array(
        [
            [value(case, a, name) - value(case, b, name) for (a, b), name in columns]
            for case in cases
        ]
    )


def _intervals(
    differences: _Numbers, present: npt.NDArray[np.bool_]
) -> tuple[_Numbers, _Numbers]:
    """Bounds of the mean of each column, from resampled cases."""
    means = np.concatenate(
        [
            _means(counts, differences, present)
            for counts in _resamples(len(differences))
        ]
    )
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.nanpercentile(means, [tail, 100 - tail], axis=0)
    return low, high


def _means(
    counts: _Numbers, differences: _Numbers, present: npt.NDArray[np.bool_]
) -> _Numbers:
    drawn = counts @ present
    # A resample may lack every case that has the metric.
    return np.where(drawn > 0, counts @ differences / np.maximum(drawn, 1), np.nan)


def _resamples(count: int) -> Iterator[_Numbers]:
    """How often each of ``count`` cases is drawn, (resamples, cases), in parts."""
    rng = np.random.default_rng(_SEED)
    left = RESAMPLES
    while left:
        lines = min(left, max(1, _CHUNK // count))
        drawn = rng.integers(0, count, (lines, count))
        drawn += np.arange(lines)[:, None] * count
        flat = np.bincount(drawn.ravel(), minlength=lines * count)
        yield flat.reshape(lines, count).astype(np.float64)
        left -= lines


def signed_rank(differences: _Numbers) -> float:
    """The p-value of Wilcoxon's two-sided test; 1 where nothing differs.

    Args:
        differences: NaN and 0 are left out; equal to DECIMALS are ties.
    """
    rounded = np.round(differences, DECIMALS)
    used = rounded[~np.isnan(rounded) & (rounded != 0)]
    if not used.size:
        return 1.0
    from scipy.stats import wilcoxon  # half a second

    return float(wilcoxon(used).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number by Holm's step-down method."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
