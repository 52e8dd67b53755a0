"""The same rates a second time, by fairlearn's MetricFrame on the same rows.

Comes in: groupings, decisions and labels. Goes out: a `CrossCheck` with the largest difference. A number that is
undefined here is skipped and listed, because fairlearn gives 0 for it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import CountTable, CrossCheck
from audit.examination.tally.tally import build_tally

from .points import counts_of, measure_points

MOST_ROWS = 1_000_000
"""Above this many rows the check runs on a sample: telling rows that are alike takes seconds per grouping there."""
SAMPLE_ROWS = 20_000
_LABELLED = ("true_positive_rate", "false_positive_rate", "precision", "accuracy")


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows to be checked, each of shape [n]."""

    columns: dict[str, NDArray[Any]]
    """Value of each attribute."""
    favourable: NDArray[np.bool_]
    """Decision."""
    label: NDArray[np.float64] | None
    """1, 0, NaN; None without labels."""


@dataclass(slots=True)
class _Findings:
    """What the comparison has found so far."""

    largest: float = 0.0
    compared: int = 0
    skipped: list[str] | None = None


def check_with_fairlearn(
    tables: Sequence[CountTable],
    rows: CheckedRows,
    *,
    positive_is_favourable: bool,
    rng: np.random.Generator,
    most_rows: int = MOST_ROWS,
) -> CrossCheck:
    """Compute every rate of every table with fairlearn and compare.

    Parameters
    ----------
    tables : sequence of CountTable
        The tables as the report shows them.
    rows : CheckedRows
        The rows behind them.
    positive_is_favourable : bool
        Whether deciding the positive class is the favourable decision.
    rng : numpy.random.Generator
        Draws the sample where there are more rows than `most_rows`.

    Returns
    -------
    CrossCheck
        On a sample, both sides are computed from the sample.
    """
    import fairlearn

    total = len(rows.favourable)
    if total > most_rows:
        chosen = np.sort(rng.choice(total, min(SAMPLE_ROWS, most_rows), replace=False))
        rows = _take(rows, chosen)
        sets = [table.attributes for table in tables]
        tally = build_tally(rows.columns, rows.label, rows.favourable, intersections=sets)
        tables = [tally.table(attributes) for attributes in sets]
    findings = _Findings(skipped=[])
    for table in tables:
        _check_table(table, rows, findings, positive_is_favourable)
    names = ("selection_rate", *(_LABELLED if rows.label is not None else ()))
    return CrossCheck(
        software=f"fairlearn {fairlearn.__version__}",
        metrics=tuple(f"fairness.{name}" for name in names),
        rows=len(rows.favourable),
        largest_difference=findings.largest,
        compared=findings.compared,
        skipped=tuple(findings.skipped or ()),
    )


def _take(rows: CheckedRows, chosen: NDArray[np.int64]) -> CheckedRows:
    columns = {name: column[chosen] for name, column in rows.columns.items()}
    return CheckedRows(columns, rows.favourable[chosen], None if rows.label is None else rows.label[chosen])


def _check_table(table: CountTable, rows: CheckedRows, findings: _Findings, positive_is_favourable: bool) -> None:
    """Compare every rate of one table."""
    theirs = _rates_by_fairlearn(table, rows, positive_is_favourable)
    ours = measure_points(counts_of(table), positive_is_favourable=positive_is_favourable)
    for name, values in theirs.items():
        for cell, value in zip(table.cells, ours[name].tolist(), strict=True):
            if math.isnan(value):
                _skip(findings, f"{name} of {table.name} = {' * '.join(cell.values)}: undefined here")
                continue
            difference = abs(values[cell.values] - value)
            findings.compared += 1
            # a rate that is here and undefined there differs by as much as rates can
            findings.largest = max(findings.largest, 1.0 if math.isnan(difference) else difference)


def _skip(findings: _Findings, line: str) -> None:
    if findings.skipped is not None:
        findings.skipped.append(line)


def _rates_by_fairlearn(
    table: CountTable, rows: CheckedRows, positive_is_favourable: bool
) -> dict[str, dict[tuple[str, ...], float]]:
    """Return metric name to group to value, as fairlearn has it."""
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score, precision_score

    decided = rows.favourable.astype(np.int8)
    columns = {name: rows.columns[name] for name in table.attributes}
    out = _by_group({"selection_rate": selection_rate}, decided, decided, columns)
    if rows.label is None or not (labelled := ~np.isnan(rows.label)).any():
        return out

    def precision(y_true: Any, y_pred: Any, sample_weight: Any) -> float:
        return float(precision_score(y_true, y_pred, pos_label=1, sample_weight=sample_weight, zero_division=0))

    metrics = {
        "true_positive_rate": partial(true_positive_rate, pos_label=1),
        "false_positive_rate": partial(false_positive_rate, pos_label=1),
        "precision": precision,
        "accuracy": accuracy_score,
    }
    predicted = decided if positive_is_favourable else 1 - decided
    part = {name: column[labelled] for name, column in columns.items()}
    return out | _by_group(metrics, rows.label[labelled].astype(np.int8), predicted[labelled], part)


def _by_group(
    metrics: dict[str, Callable[..., Any]], true: Any, predicted: Any, columns: dict[str, NDArray[Any]]
) -> dict[str, dict[tuple[str, ...], float]]:
    """Run one MetricFrame; its warnings about undefined rates are known, such cells are skipped.

    Rows that are alike are handed over once, with their number as weight: it walks over rows one by one.
    """
    import pandas as pd
    from fairlearn.metrics import MetricFrame

    frame = pd.DataFrame({i: column.astype(str) for i, column in enumerate(columns.values())})
    keys = [*frame.columns, "true", "predicted"]
    alike = frame.assign(true=true, predicted=predicted).groupby(keys, sort=False).size().reset_index(name="people")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        by_group = MetricFrame(
            metrics=metrics,
            y_true=alike["true"],
            y_pred=alike["predicted"],
            sensitive_features=alike[frame.columns].set_axis(list(columns), axis=1),
            sample_params={name: {"sample_weight": alike["people"]} for name in metrics},
        ).by_group
    places = [key if isinstance(key, tuple) else (key,) for key in by_group.index]
    return {name: dict(zip(places, by_group[name].astype(float), strict=True)) for name in metrics}
