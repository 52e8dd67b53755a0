"""How each feature of the judged rows differs from the baseline.

Comes in: two frames, typed alike. Goes out: distances by feature, the change of missing values (also by group where a
value is missing at all), and levels or ranges that the baseline does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Estimate, FeatureUsed, Measurement, Unseen, undefined
from audit.examination.data.values import value_text
from audit.examination.measures.data import FEWEST_SHOWN
from audit.examination.measures.prediction import share_estimate
from audit.statistics.intervals import newcombe_difference

from .distance import bin_levels, bin_numbers, distance_estimates, stability_estimate

if TYPE_CHECKING:
    import pandas as pd

MOST_NAMED = 8
Groups = Mapping[str, NDArray[Any]]


def measure_feature(
    feature: FeatureUsed, baseline: pd.DataFrame, judged: pd.DataFrame, rng: np.random.Generator
) -> Iterator[Measurement]:
    """Yield the distances of one feature.

    Parameters
    ----------
    feature : FeatureUsed
        Name and kind.
    baseline, judged : pandas.DataFrame
        Rows of either side.
    rng : numpy.random.Generator
        Source of chance.
    """
    before, after = baseline[feature.name].to_numpy(), judged[feature.name].to_numpy()
    found: dict[str, Estimate] = {}
    if feature.kind == "number":
        before, after = before.astype(np.float64), after.astype(np.float64)
        found["feature_psi"] = stability_estimate(bin_numbers(before, after), rng)
        found["feature_ks"], found["feature_wasserstein"] = distance_estimates(before, after, rng)
    else:
        found["feature_psi"] = stability_estimate(bin_levels(before, after), rng)
    found["unseen_share"] = unseen_share(feature.kind == "number", before, after)
    for name, estimate in found.items():
        yield Measurement(metric=f"drift.{name}", estimate=estimate, feature=feature.name)


def unseen_share(numbers: bool, before: NDArray[Any], after: NDArray[Any]) -> Estimate:
    """Return the share of known judged values that the baseline does not hold, or that lie outside its range.

    Parameters
    ----------
    numbers : bool
        Whether these are numbers.
    before, after : ndarray
        Values of baseline and judged rows.
    """
    if numbers:
        known, after = before[np.isfinite(before)], after[np.isfinite(after)]
        if not known.size:
            return undefined("the baseline has no known value", n=int(after.size))
        return share_estimate(int(((after < known.min()) | (after > known.max())).sum()), int(after.size))
    seen = {value for value in before.tolist() if value is not None}
    known_after = [value for value in after.tolist() if value is not None]
    return share_estimate(sum(value not in seen for value in known_after), len(known_after))


def list_unseen(features: tuple[FeatureUsed, ...], baseline: pd.DataFrame, judged: pd.DataFrame) -> tuple[Unseen, ...]:
    """Return the levels that the baseline does not hold; levels of a few people are counted and not named."""
    found = []
    for feature in (item for item in features if item.kind != "number"):
        seen = {value for value in baseline[feature.name].tolist() if value is not None}
        new = Counter(
            value_text(value) for value in judged[feature.name].tolist() if value is not None and value not in seen
        )
        if new:
            named = tuple(level for level, count in new.most_common(MOST_NAMED) if count >= FEWEST_SHOWN)
            found.append(Unseen(feature=feature.name, levels=named, count=len(new)))
    return tuple(found)


def measure_missing_change(
    feature: str, baseline: pd.DataFrame, judged: pd.DataFrame, groups: tuple[Groups, Groups], least: int
) -> Iterator[Measurement]:
    """Yield the change of the share of missing values, overall and, where any is missing, by group.

    Parameters
    ----------
    feature : str
        Name.
    baseline, judged : pandas.DataFrame
        Rows of either side.
    groups : tuple of mapping
        Group of each row by attribute, of either side; attributes that both know.
    least : int
        Groups with fewer rows on a side are shown, not judged.
    """
    before, after = baseline[feature].isna().to_numpy(), judged[feature].isna().to_numpy()
    metric = "drift.missing_change"
    yield Measurement(metric=metric, estimate=change_of_share(before, after), feature=feature)
    if not (before.any() or after.any()):
        return
    for attribute, name, inside_before, inside_after in pair_groups(groups):
        estimate = doubt_small(change_of_share(before[inside_before], after[inside_after]), inside_before, least)
        yield Measurement(metric=metric, estimate=estimate, feature=feature, group={attribute: name})


def pair_groups(groups: tuple[Groups, Groups]) -> Iterator[tuple[str, str, NDArray[Any], NDArray[Any]]]:
    """Yield attribute, group and its rows on either side, for groups that both sides hold."""
    from audit.examination.data.groups import order_groups

    before, after = groups
    for attribute in (name for name in after if name in before):
        first, second = before[attribute].astype(str), after[attribute].astype(str)
        for name in order_groups(set(first.tolist()) & set(second.tolist())):
            yield attribute, name, first == name, second == name


def change_of_share(before: NDArray[Any], after: NDArray[Any]) -> Estimate:
    """Return the share among judged rows minus that in the baseline, with Newcombe's interval.

    Parameters
    ----------
    before, after : ndarray of bool
        Rows of either side.
    """
    n, m = int(before.size), int(after.size)
    if not n or not m:
        return undefined("one of the two has no rows", n=m)
    first, second = int(before.sum()), int(after.sum())
    low, high = newcombe_difference(second, m, first, n)
    return Estimate(
        value=second / m - first / n, low=low, high=high, n=m, method="Newcombe hybrid score, independent rows"
    )


def doubt_small(estimate: Estimate, inside: NDArray[Any], least: int) -> Estimate:
    """Return the estimate, not assessable where either side has few rows."""
    n = min(int(inside.sum()), estimate.n or 0)
    if n >= least or estimate.value is None:
        return estimate
    note = f"{n} rows on a side, fewer than {least}: shown, not judged"
    return estimate.model_copy(update={"assessable": False, "note": "; ".join(filter(None, (note, estimate.note)))})
