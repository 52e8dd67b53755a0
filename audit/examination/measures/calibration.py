"""Whether a score means what it says: of the rows scored 0.7, seven in ten should have the positive label.

Comes in: the case. Goes out: `Calibration`: the reliability curve of the black box with intervals, and for every model
the calibration error beside what a perfectly calibrated model would show by chance, the slope and the mean gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from audit.evidence import Calibration, CalibrationBin, Definition, Estimate, Measurement, NotDone, undefined
from audit.examination.glassbox.fit import Fits
from audit.statistics.intervals import mean_interval, normal_quantile

from .labels import doubt_measurements, find_selective
from .performance import GLASS, share_estimate

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]

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
    known = np.isfinite(case.label)
    score, label = case.scores.score[known], np.asarray(case.label[known], dtype=np.float64)
    if score.size < 2 * LEAST_PER_BIN:
        return NotDone(not_done=f"only {score.size} rows have a label; a reliability curve needs {2 * LEAST_PER_BIN}")
    if score.min() < 0 or score.max() > 1:
        return NotDone(not_done="the scores are no probabilities")
    bins = cut_bins(score)
    null = null_error(score, bins, case.rng("calibration null"))
    models, selective = {"black_box": score}, find_selective(case)
    if isinstance(case.fits, Fits):
        models |= {name: expit(case.fits.out_of_fold[name][known]) for name in GLASS if name in case.fits.out_of_fold}
    return Calibration(
        bins=tuple(_describe_bin(score[bins == k], label[bins == k]) for k in range(int(bins.max()) + 1)),
        expected_error_null=null,
        measurements=doubt_measurements(
            (
                measurement
                for name, values in models.items()
                for measurement in _measure_model(name, values, label, null if name == "black_box" else None)
            ),
            selective,
        ),
        notes=(f"{selective}; no verdict rests on these numbers",) if selective else (),
    )


def cut_bins(score: Floats) -> NDArray[np.intp]:
    """Return the bin of each row: up to ten bins of about equal rows, equal scores never apart.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities.
    """
    wanted = int(np.clip(score.size // LEAST_PER_BIN, 1, BINS))
    ordered = np.sort(score)
    # a cut falls on a score, never between equal ones; a bin that this leaves empty is dropped
    cuts = np.unique(ordered[(np.arange(1, wanted) * score.size) // wanted])
    bins = np.searchsorted(cuts, score, side="right")
    _, dense = np.unique(bins, return_inverse=True)
    return np.asarray(dense, dtype=np.intp)


def _describe_bin(score: Floats, label: Floats) -> CalibrationBin:
    return CalibrationBin(mean_score=float(score.mean()), observed=share_estimate(int((label == 1).sum()), label.size))


def calibration_error(score: Floats, label: Floats, bins: NDArray[np.intp]) -> float:
    """Return the mean over rows of the gap between mean score and observed share in their bin."""
    gaps = np.bincount(bins, score) - np.bincount(bins, label)
    return float(np.abs(gaps).sum() / score.size)


def null_error(score: Floats, bins: NDArray[np.intp], rng: np.random.Generator) -> float:
    """Return the 95 % quantile of the error that a perfectly calibrated model with these scores shows by chance.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities.
    bins : ndarray of int, shape [m]
        Bin of each row.
    rng : numpy.random.Generator
        Source of chance.

    Notes
    -----
    Labels are drawn from the scores. Neighbouring rows of a bin are drawn together as a binomial with their mean score:
    exact up to 640 rows, beyond that too wide by the spread of scores within a sixty-fourth of a bin.
    """
    order = np.lexsort((score, bins))
    place = np.concatenate([np.arange(c) * min(CHUNKS, c) // c for c in np.bincount(bins)])
    _, chunk = np.unique(bins[order] * CHUNKS + place, return_inverse=True)
    sizes = np.bincount(chunk)
    means = np.clip(np.bincount(chunk, score[order]) / sizes, 0.0, 1.0)
    owner = np.zeros(sizes.size, dtype=np.intp)
    owner[chunk] = bins[order]
    gaps = rng.binomial(sizes, means, (DRAWS, sizes.size)) - sizes * means
    by_bin = np.zeros((DRAWS, int(bins.max()) + 1))
    for k in range(by_bin.shape[1]):
        by_bin[:, k] = gaps[:, owner == k].sum(axis=1)
    return float(np.quantile(np.abs(by_bin).sum(axis=1) / score.size, LEVEL))


def _measure_model(model: str, score: Floats, label: Floats, null: float | None) -> list[Measurement]:
    note = "no interval: it cannot be 0 by chance"
    if null is not None:
        note += f"; a perfectly calibrated model stays below {null:.3g} in 95 % of samples"
    error = Estimate(
        value=calibration_error(score, label, cut_bins(score)), n=score.size, method="bins of equal rows", note=note
    )
    numbers = {"error": error, "slope": calibration_slope(score, label), "mean_gap": _mean_gap(score, label)}
    return [Measurement(metric=f"calibration.{k}", estimate=v, model=model) for k, v in numbers.items()]


def _mean_gap(score: Floats, label: Floats) -> Estimate:
    gap = score - label
    low, high = mean_interval(float(gap.mean()), float(gap.var(ddof=1)), gap.size, LEVEL)
    if not np.isfinite(low):
        return Estimate(value=float(gap.mean()), n=gap.size, note="no interval: the rows do not vary", assessable=False)
    return Estimate(value=float(gap.mean()), low=low, high=high, n=gap.size, method="mean, Student's interval")


def calibration_slope(score: Floats, label: Floats) -> Estimate:
    """Return the slope of the label's log-odds on the score's.

    Parameters
    ----------
    score : ndarray of float64, shape [m]
        Probabilities, held within 1e-12.
    label : ndarray of float64, shape [m]
        1 or 0.
    """
    method = "logistic regression, Wald interval"
    x = logit(np.clip(score, 1e-12, 1 - 1e-12))
    if np.ptp(x) < 1e-9:
        return undefined("every row has the same score", n=x.size, method=method)
    if label.min() == label.max():
        return undefined("only one class is among the labels", n=x.size, method=method)
    ones, zeros = x[label == 1], x[label == 0]
    if ones.min() >= zeros.max() or zeros.min() >= ones.max():
        return undefined("the score separates the labels completely", n=x.size, method=method)
    centre, scale = float(x.mean()), float(x.std())
    design = np.column_stack([np.ones(x.size), (x - centre) / scale])
    beta, information = np.zeros(2), np.eye(2)
    for _ in range(50):
        mean = expit(design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        step = np.linalg.solve(information, design.T @ (label - mean))
        beta = beta + np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-10:
            break
    else:
        return undefined("the logistic regression did not come to rest", n=x.size, method=method)
    value, se = float(beta[1]) / scale, float(np.sqrt(np.linalg.inv(information)[1, 1])) / scale
    half = normal_quantile(LEVEL) * se
    return Estimate(value=value, low=value - half, high=value + half, n=x.size, method=method)
