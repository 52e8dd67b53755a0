"""How faithfully each surrogate follows the black box, over all rows and group by group.

Comes in: the case with out-of-fold scores of the surrogates. Goes out: `Fidelity`. A shape of a surrogate says
something about the black box only as far as these numbers are high, for every group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from audit.evidence import Definition, Estimate, Fidelity, Measurement, NotDone, undefined
from audit.examination.blackbox.decision import follow_rule, plan_decision
from audit.statistics.intervals import normal_quantile

from .performance import take_highest
from .prediction import root_mean_square, share_estimate

if TYPE_CHECKING:
    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SURROGATES = ("ebm_surrogate", "net_surrogate")
LEVEL = 0.95

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fidelity.r2",
        title="Variance of the score explained",
        formula="1 - mean of (surrogate - black box)^2 / variance of the black box's score, link scale; by group it "
        "depends on how much the scores of the group vary and is not to be compared between groups",
        better="higher",
        source="elementary; interval: delta method on the logarithm of the unexplained share",
    ),
    Definition(
        id="fidelity.rmse",
        title="Root mean squared difference of scores",
        formula="square root of the mean of (surrogate - black box)^2, on the link scale",
        unit="link scale",
        better="lower",
        source="elementary; interval: delta method on the logarithm",
    ),
    Definition(
        id="fidelity.rank_correlation",
        title="Rank correlation of scores",
        formula="Spearman's correlation of the surrogate's and the black box's scores",
        better="higher",
        source="interval: Bonett and Wright 2000",
    ),
    Definition(
        id="fidelity.decision_agreement",
        title="Same decision",
        formula="rows that surrogate and black box decide alike / rows",
        better="higher",
        source="elementary; interval: Wilson 1927",
    ),
)


def measure_fidelity(case: Case) -> Fidelity | NotDone:
    """Measure how faithfully the surrogates follow the black box.

    Parameters
    ----------
    case : Case
        The case.
    """
    if isinstance(case.fits, NotDone):
        return NotDone(not_done=case.fits.not_done, broke=case.fits.broke)
    fits = case.fits
    names = [name for name in SURROGATES if name in fits.out_of_fold]
    if not names or case.scores.link is None:
        reasons = {fits.not_done.get(name, "the black box gives no scores to follow") for name in SURROGATES}
        broke = bool(fits.list_broken(SURROGATES))
        return NotDone(not_done="no surrogate: " + "; ".join(sorted(reasons)), broke=broke)
    measurements: list[Measurement] = []
    for name in names:
        surrogate = fits.out_of_fold[name]
        same = _same_decision(surrogate, case)
        measurements += _measure_rows(name, surrogate, case.scores.link, same, {})
        for attribute, groups in case.groups.items():
            for value in np.unique(groups.astype(str)):
                rows = groups == value
                here = None if same is None else same[rows]
                scope = {attribute: str(value)}
                measurements += _measure_rows(name, surrogate[rows], case.scores.link[rows], here, scope)
    return Fidelity(
        rows=len(case.frame),
        protocol=f"{fits.protocol} Target: the black box's score on the {_name_scale(case)} scale.".strip(),
        measurements=tuple(measurements),
        notes=tuple(f"{name}: {reason}" for name, reason in fits.not_done.items() if name in SURROGATES),
        broken_parts=fits.list_broken(SURROGATES),
    )


def _name_scale(case: Case) -> str:
    return "value" if case.subject.task == "regression" else "log-odds"


def _measure_rows(
    model: str, surrogate: Floats, black: Floats, same: Flags | None, group: dict[str, str]
) -> list[Measurement]:
    numbers = {
        "r2": explained_variance(surrogate, black),
        "rmse": root_mean_square(surrogate - black),
        "rank_correlation": rank_correlation(surrogate, black),
        "decision_agreement": undefined("there is no decision on the score")
        if same is None
        else share_estimate(int(same.sum()), same.size),
    }
    return [Measurement(metric=f"fidelity.{k}", estimate=v, model=model, group=group) for k, v in numbers.items()]


def _same_decision(surrogate: Floats, case: Case) -> Flags | None:
    """Return whether surrogate and black box decide a row alike."""
    if case.subject.decision is None:
        return None
    score = surrogate if case.subject.task == "regression" else expit(surrogate)
    favourable = case.scores.favourable
    if favourable is None:
        return None
    chosen = follow_rule(plan_decision(case.config, case.dataset), case.frame, score)
    if chosen is None:
        # decisions that are no cut on the score: as many rows are favoured as the black box favours
        assert case.scores.score is not None
        high = (
            case.scores.score[favourable].mean() >= case.scores.score[~favourable].mean()
            if _mixed(favourable)
            else True
        )
        chosen = take_highest(score if high else -score, int(favourable.sum()))
    return np.asarray(chosen == favourable)


def _mixed(flags: Flags) -> bool:
    return bool(flags.any() and not flags.all())


def explained_variance(surrogate: Floats, black: Floats) -> Estimate:
    """Return R2 of a surrogate on rows it was not fitted on.

    Parameters
    ----------
    surrogate, black : ndarray of float64, shape [m]
        Scores, link scale.

    Notes
    -----
    Interval by the delta method: rows' influences on ``log(1 - R2)``, so that it stays below 1.
    """
    method = "delta method on log(1 - R2)"
    n = black.size
    if n < 3:
        return undefined("fewer than three rows", n=n, method=method)
    error, spread = (surrogate - black) ** 2, (black - black.mean()) ** 2
    mse, variance = float(error.mean()), float(spread.mean())
    if variance <= 1e-24 * max(1.0, float(np.mean(black**2))):
        return undefined("the black box gives all of these rows the same score", n=n, method=method)
    value = 1 - mse / variance
    if mse <= 0:
        return Estimate(value=1.0, n=n, method=method, note="no interval: no difference at all", assessable=False)
    influence = error / mse - spread / variance
    half = normal_quantile(LEVEL) * float(influence.std(ddof=1)) / float(np.sqrt(n))
    ratio = mse / variance
    low, high = 1 - ratio * float(np.exp(half)), 1 - ratio * float(np.exp(-half))
    return Estimate(value=value, low=low, high=high, n=n, method=method)


def rank_correlation(first: Floats, second: Floats) -> Estimate:
    """Return Spearman's rank correlation.

    Parameters
    ----------
    first, second : ndarray of float64, shape [m]
        Scores.

    Notes
    -----
    Fisher's z with the error ``sqrt((1 + r^2 / 2) / (n - 3))`` (Bonett and Wright 2000, Psychometrika 65:23).
    """
    method = "Spearman, Fisher's z with Bonett-Wright error"
    n = first.size
    if n < 4:
        return undefined("fewer than four rows", n=n, method=method)
    a, b = rankdata(first) - (n + 1) / 2, rankdata(second) - (n + 1) / 2
    scale = float(np.sqrt((a @ a) * (b @ b)))
    if scale == 0:
        return undefined("one of the scores is the same for all of these rows", n=n, method=method)
    value = float(np.clip((a @ b) / scale, -1.0, 1.0))
    if abs(value) > 1 - 1e-12:
        return Estimate(value=value, n=n, method=method, note="no interval: the ranks are the same", assessable=False)
    half = normal_quantile(LEVEL) * float(np.sqrt((1 + value**2 / 2) / (n - 3)))
    centre = float(np.arctanh(value))
    return Estimate(
        value=value, low=float(np.tanh(centre - half)), high=float(np.tanh(centre + half)), n=n, method=method
    )
