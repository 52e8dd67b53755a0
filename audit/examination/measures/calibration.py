"""Whether a score means what it says: of the rows scored 0.7, seven in ten should have the positive label.

Comes in: the case. Goes out: `Calibration`: the reliability curve of the black box with intervals, and for every model
the calibration error beside what a perfectly calibrated model would show by chance, the slope and the mean gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from audit.evidence import Calibration, CalibrationBin, Definition, Estimate, Measurement, NotDone, undefined
from audit.examination.glassbox.fit import Fits
from audit.statistics.intervals import normal_quantile

from .labels import doubt_measurements, find_selective
from .performance import GLASS
from .prediction import Labelled, label_rows, mean_estimate_of, predict_everybody, share_estimate

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

BINS = 10
LEAST_PER_BIN = 10
DRAWS = 1_000
CHUNKS = 64
LEVEL = 0.95

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="calibration.error",
        title="Expected calibration error",
        formula="mean over rows of |mean score of the bin - share of positives in the bin|, bins of equal rows; "
        "to be read beside its 95 % quantile under perfect calibration",
        better="lower",
        source="Naeini, Cooper and Hauskrecht 2015",
    ),
    Definition(
        id="calibration.slope",
        title="Calibration slope",
        formula="coefficient of the score's log-odds in a logistic regression of the label; below 1: too extreme",
        better="nearer_one",
        source="Cox 1958",
    ),
    Definition(
        id="calibration.mean_gap",
        title="Mean gap",
        formula="mean score - share of positives",
        better="nearer_zero",
        source="elementary; interval: Student's t of the rows' gaps",
    ),
)


def measure_calibration(case: Case) -> Calibration | NotDone:
    """Measure whether probabilities hold.

    Parameters
    ----------
    case : Case
        The case.
    """
    if case.subject.task == "regression":
        return NotDone(not_done="calibration of probabilities does not apply to a regression")
    if case.label is None:
        return NotDone(not_done="no label was given")
    if case.scores.score is None:
        return NotDone(not_done="only decisions were supplied, no scores")
    everybody = predict_everybody(case)
    if everybody is None or everybody[0].score is None:
        return NotDone(not_done="no row has both a score and a label")
    score, rows = everybody[0].score, everybody[1]
    if rows.rows < 2 * LEAST_PER_BIN:
        return NotDone(not_done=f"only {rows.rows} rows have a label; a reliability curve needs {2 * LEAST_PER_BIN}")
    if score.min() < 0 or score.max() > 1:
        return NotDone(not_done="the scores are no probabilities")
    models, selective = {"black_box": (score, rows)} | _list_glass(case), find_selective(case)
    bins, rng = cut_bins(score, rows.count), case.rng("calibration null")
    chance = {
        name: null_error(values, cut_bins(values, of.count), rng, of.count) for name, (values, of) in models.items()
    }
    return Calibration(
        bins=tuple(_describe_bin(score, rows, bins == k) for k in range(int(bins.max()) + 1)),
        expected_error_null=chance["black_box"],
        measurements=doubt_measurements(
            (
                measurement
                for name, (values, of) in models.items()
                for measurement in _measure_model(name, values, of, chance[name])
            ),
            selective,
        ),
        notes=tuple(_list_notes(case, rows, selective)),
    )


def _list_glass(case: Case) -> dict[str, tuple[Floats, Labelled]]:
    """Return scores and labels of the glass boxes, on the rows of the case."""
    if not isinstance(case.fits, Fits) or case.label is None:
        return {}
    known = np.isfinite(case.label)
    rows = label_rows(np.asarray(case.label[known], dtype=np.float64))
    links = case.fits.out_of_fold
    return {name: (expit(links[name][known]), rows) for name in GLASS if name in links} if rows.rows else {}


def _list_notes(case: Case, rows: Labelled, selective: str) -> Iterator[str]:
    if selective:
        yield f"{selective}; no verdict rests on these numbers"
    if rows.width:
        yield f"scores of the black box are means of bins {rows.width:.2g} wide; no score is further from its own"
    if case.sampled and isinstance(case.fits, Fits):
        yield f"glass boxes: {case.sampled}"


def cut_bins(score: Floats, count: Whole | None = None) -> NDArray[np.intp]:
    """Return the bin of each row: up to ten bins of about equal rows, equal scores never apart.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities.
    count : ndarray of int64, shape [m], optional
        Rows behind each; one where not given.
    """
    order = np.argsort(score, kind="stable")
    ordered, reached = score[order], np.cumsum(_ones(score) if count is None else count[order])
    total = int(reached[-1])
    wanted = int(np.clip(total // LEAST_PER_BIN, 1, BINS))
    # a cut falls on a score, never between equal ones; a bin that this leaves empty is dropped
    cuts = np.unique(ordered[np.searchsorted(reached, (np.arange(1, wanted) * total) // wanted, side="right")])
    bins = np.searchsorted(cuts, score, side="right")
    _, dense = np.unique(bins, return_inverse=True)
    return np.asarray(dense, dtype=np.intp)


def _ones(score: Floats) -> Whole:
    return np.ones(score.size, dtype=np.int64)


def _describe_bin(score: Floats, rows: Labelled, inside: NDArray[np.bool_]) -> CalibrationBin:
    n = rows.count_where(inside)
    return CalibrationBin(
        mean_score=float(score[inside] @ rows.count[inside] / n),
        observed=share_estimate(rows.count_where(inside & rows.truth), n),
    )


def calibration_error(score: Floats, label: Floats, bins: NDArray[np.intp], count: Whole | None = None) -> float:
    """Return the mean over rows of the gap between mean score and observed share in their bin."""
    count = _ones(score) if count is None else count
    gaps = np.bincount(bins, score * count) - np.bincount(bins, label * count)
    return float(np.abs(gaps).sum() / count.sum())


def null_error(
    score: Floats,
    bins: NDArray[np.intp],
    rng: np.random.Generator,
    count: Whole | None = None,
    *,
    chunks: int = CHUNKS,
) -> float:
    """Return the 95 % quantile of the error that a perfectly calibrated model with these scores shows by chance.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities.
    bins : ndarray of int, shape [m]
        Bin of each row.
    rng : numpy.random.Generator
        Source of chance.
    count : ndarray of int64, shape [m], optional
        Rows behind each entry; one where not given.
    chunks : int
        Parts of a bin that are drawn apart.

    Notes
    -----
    Labels are drawn from the scores. Neighbouring rows of a bin are drawn together as a binomial with their mean score:
    exact up to 640 rows, beyond that too wide by the spread of scores within a sixty-fourth of a bin.
    """
    order = np.lexsort((score, bins))
    owners, rows = bins[order], (_ones(score) if count is None else count)[order]
    size = np.bincount(owners, rows).astype(np.int64)
    start = np.cumsum(rows) - rows - (np.cumsum(size) - size)[owners]
    place = start * np.minimum(chunks, size)[owners] // size[owners]
    _, chunk = np.unique(owners * chunks + place, return_inverse=True)
    sizes = np.bincount(chunk, rows).astype(np.int64)
    means = np.clip(np.bincount(chunk, score[order] * rows) / sizes, 0.0, 1.0)
    owner = np.zeros(sizes.size, dtype=np.intp)
    owner[chunk] = bins[order]
    gaps = rng.binomial(sizes, means, (DRAWS, sizes.size)) - sizes * means
    by_bin = np.zeros((DRAWS, int(bins.max()) + 1))
    for k in range(by_bin.shape[1]):
        by_bin[:, k] = gaps[:, owner == k].sum(axis=1)
    return float(np.quantile(np.abs(by_bin).sum(axis=1) / size.sum(), LEVEL))


def _measure_model(model: str, score: Floats, rows: Labelled, chance: float) -> list[Measurement]:
    error = Estimate(
        value=calibration_error(score, rows.label, cut_bins(score, rows.count), rows.count),
        n=rows.rows,
        method="bins of equal rows",
        note=f"no interval: it is above 0 by chance; a perfectly calibrated model stays below {chance:.3g} in 95 % of "
        "samples",
        chance=chance,
    )
    numbers = {
        "error": error,
        "slope": calibration_slope(score, rows.label, rows.count),
        "mean_gap": mean_estimate_of(score - rows.label, rows.count, "mean, Student's interval", least=None),
    }
    return [Measurement(metric=f"calibration.{k}", estimate=v, model=model) for k, v in numbers.items()]


def calibration_slope(score: Floats, label: Floats, count: Whole | None = None) -> Estimate:
    """Return the slope of the label's log-odds on the score's.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities, held within 1e-12.
    label : ndarray of float64, shape [m]
        1 or 0.
    count : ndarray of int64, shape [m], optional
        Rows behind each entry; one where not given.
    """
    method = "logistic regression, Wald interval"
    x, weight = logit(np.clip(score, 1e-12, 1 - 1e-12)), _ones(score) if count is None else count
    n = int(weight.sum())
    if np.ptp(x) < 1e-9:
        return undefined("every row has the same score", n=n, method=method)
    if label.min() == label.max():
        return undefined("only one class is among the labels", n=n, method=method)
    ones, zeros = x[label == 1], x[label == 0]
    if ones.min() >= zeros.max() or zeros.min() >= ones.max():
        return undefined("the score separates the labels completely", n=n, method=method)
    centre = float(np.average(x, weights=weight))
    scale = float(np.sqrt(np.average((x - centre) ** 2, weights=weight)))
    design = np.column_stack([np.ones(x.size), (x - centre) / scale])
    beta, information = np.zeros(2), np.eye(2)
    for _ in range(50):
        mean = expit(design @ beta)
        information = design.T @ (design * (weight * mean * (1 - mean))[:, None])
        step = np.linalg.solve(information, design.T @ (weight * (label - mean)))
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-10:
            break
    else:
        return undefined("the logistic regression did not come to rest", n=n, method=method)
    value, se = float(beta[1]) / scale, float(np.sqrt(np.linalg.inv(information)[1, 1])) / scale
    half = normal_quantile(LEVEL) * se
    return Estimate(value=value, low=value - half, high=value + half, n=n, method=method)
