"""Where the black box departs from its best additive account: parts of the rows in which the surrogate misses it most.

Comes in: the case, one surrogate's scores of rows that it was not fitted on. Goes out: `Departure` records, looked for
on one half of the rows and tested on the other, and the two numbers that a rule may name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Departure, Estimate, Measurement, undefined
from audit.examination.data.split import folds_of
from audit.statistics import mean_interval, normal_quantile, pair_level
from audit.statistics.residuals import Sample, sample_of

from .prediction import root_mean_square
from .slice_search import Axis, name_slice, rows_of, search_slices
from .slices import FALSE_DISCOVERIES, LEAST_SHARE, LEVEL, MOST_TESTED, ComparedSlice, Loss, confirm_slices, cut_axes

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SAME = 1e-9
"""Gap, as a share of the scores' spread, below which two scores differ by rounding alone."""


def find_departures(
    case: Case, model: str, surrogate: Floats, black: Floats
) -> tuple[tuple[Departure, ...], tuple[Measurement, ...]]:
    """Look for the parts of the rows where a surrogate misses the black box most, and test them.

    Parameters
    ----------
    case : Case
        Features, groups and seed.
    model : str
        The surrogate's name.
    surrogate, black : ndarray of float64, shape [n]
        Scores on the link scale; the surrogate did not see these rows.

    Returns
    -------
    tuple of Departure, tuple of Measurement
        All parts tested, the clearest first; the two numbers, undefined with a reason where nothing could be tested.

    Notes
    -----
    The loss of a row is its squared gap, so that a part stands out by its root mean squared gap; one-sided Welch tests,
    Benjamini and Hochberg over all parts tested. Squared gaps are skewed to the right, which makes the test cautious.
    """
    gap = black - surrogate
    least = max(case.subject.small_count, math.ceil(LEAST_SHARE * gap.size / 2))
    if gap.size < 4 * least:
        return (), _say_nothing(model, f"{gap.size} rows are too few to look on one half and to test on the other")
    if float(np.sqrt(np.mean(gap**2))) <= SAME * max(float(black.std()), 1e-300):
        return (), _say_nothing(model, "the surrogate gives every row the black box's score")
    axes = cut_axes(case, np.arange(gap.size), least)
    if not axes:
        return (), _say_nothing(model, "no column is known that could tell one part of the rows from another")
    loss = gap**2
    found = folds_of(gap.size, 2, case.rng("departures")) == 0
    search = search_slices(axes, loss, found, least=least, other_least=least, most=MOST_TESTED)
    tested = confirm_slices(axes, loss, found, search.chosen, Loss("squared gap", loss))
    tested.sort(key=lambda item: (item.p_adjusted, item.p))
    departures = tuple(_write(model, axes, item, gap, found) for item in tested)
    return departures, _measure(model, axes, tested, loss, found)


def _say_nothing(model: str, why: str) -> tuple[Measurement, ...]:
    return tuple(
        Measurement(metric=f"fidelity.{name}", estimate=undefined(why), model=model)
        for name in ("confirmed_departures", "worst_departure_ratio")
    )


def _halves(axes: Sequence[Axis], item: ComparedSlice, found: Flags) -> tuple[Flags, Flags]:
    """Return the rows of a part and all others, on the half where it was not looked for."""
    inside = rows_of(axes, item.candidate.conditions)
    return inside & ~found, ~inside & ~found


def _write(model: str, axes: Sequence[Axis], item: ComparedSlice, gap: Floats, found: Flags) -> Departure:
    inside, outside = _halves(axes, item, found)
    return Departure(
        name=name_slice(axes, item.candidate.conditions),
        features=tuple(axes[condition.axis].feature for condition in item.candidate.conditions),
        model=model,
        gap=_mean_gap(gap[inside]),
        rmse=root_mean_square(gap[inside]),
        rest=root_mean_square(gap[outside]),
        p_adjusted=item.p_adjusted,
        holds=item.holds,
    )


def _mean_gap(gap: Floats) -> Estimate:
    n, mean, method = gap.size, float(gap.mean()), "mean, Student"
    low, high = mean_interval(mean, float(gap.var(ddof=1)), n, LEVEL)
    if math.isnan(low):
        note = "all gaps alike: no interval can be given"
        return Estimate(value=mean, n=n, method=method, note=note, assessable=False)
    return Estimate(value=mean, low=low, high=high, n=n, method=method)


def _measure(
    model: str, axes: Sequence[Axis], tested: Sequence[ComparedSlice], loss: Floats, found: Flags
) -> tuple[Measurement, ...]:
    confirmed = sum(item.holds for item in tested)
    count = Estimate(
        value=float(confirmed),
        n=len(tested),
        count=confirmed,
        method=f"Benjamini-Hochberg at {FALSE_DISCOVERIES:.0%} over {len(tested)} one-sided tests",
    )
    pairs = [tuple(sample_of(loss[rows]) for rows in _halves(axes, item, found)) for item in tested]
    ratio = _worst_ratio([(first, second) for first, second in pairs], int((~found).sum()))
    return (
        Measurement(metric="fidelity.confirmed_departures", estimate=count, model=model),
        Measurement(metric="fidelity.worst_departure_ratio", estimate=ratio, model=model),
    )


def _worst_ratio(pairs: Sequence[tuple[Sample, Sample]], rows: int) -> Estimate:
    """Return the largest ratio of root mean squares; its interval is the envelope of intervals that hold together."""
    each = normal_quantile(pair_level(LEVEL, len(pairs)))
    ends = []
    for inside, outside in pairs:
        half = 0.5 * each * math.hypot(inside.log_error, outside.log_error)
        if math.isfinite(half):
            centre = 0.5 * math.log(inside.mean / outside.mean)
            ends.append((centre, centre - half, centre + half))
    if not ends:
        return undefined("no part of the rows stood out where parts were looked for", n=rows)
    value, low, high = (math.exp(max(item)) for item in zip(*ends, strict=True))
    over = f", simultaneous over {len(pairs)} parts" if len(pairs) > 1 else ""
    method = f"envelope of delta-method intervals on the logarithm{over}"
    return Estimate(value=value, low=low, high=high, n=rows, method=method)
