"""How faithfully each surrogate follows the black box, over all rows and group by group, and where it does not.

Comes in: the case with out-of-fold scores of the surrogates. Goes out: `Fidelity`. A shape of a surrogate says
something about the black box only as far as these numbers are high, for every group. Groups are compared by decisions
and by root mean squared differences; R2 by group depends on how much the group's scores vary and is only shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import rankdata

from audit.evidence import Definition, Estimate, Fidelity, Measurement, NotDone, undefined
from audit.examination.blackbox.decision import follow_rule, plan_decision
from audit.examination.data.groups import UNKNOWN
from audit.statistics import pair_level, widest_gap, worst_difference
from audit.statistics.bounds import Envelope
from audit.statistics.intervals import normal_quantile
from audit.statistics.residuals import log_bounds, sample_of

from .departures import find_departures
from .explained import CONSTANT, explained_share
from .multiclass import compare_classes
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
    Definition(
        id="fidelity.decision_agreement_gap",
        title="Same decision: largest gap between groups",
        formula="largest difference of any two groups' shares of rows that surrogate and black box decide alike",
        better="lower",
        source="envelope of Newcombe's intervals (1998) of all pairs, Bonferroni",
    ),
    Definition(
        id="fidelity.rmse_ratio",
        title="Root mean squared difference of scores: largest ratio of two groups",
        formula="largest ratio of any two groups' root mean squared differences of the surrogate's and the black box's "
        "score, link scale",
        better="lower",
        source="envelope of delta-method intervals on the logarithm of all pairs, Bonferroni",
    ),
    Definition(
        id="fidelity.confirmed_departures",
        title="Parts of the rows where the black box departs from its additive account",
        formula="parts told by one or two conditions, found on one half of the rows, whose squared differences of "
        "scores are larger than elsewhere on the other half with a false discovery rate of 5 %; for the surrogate that "
        "follows the black box most closely",
        unit="parts",
        better="lower",
        source="sample splitting (Cox 1975, Biometrika 62:441); Benjamini and Hochberg (1995)",
    ),
    Definition(
        id="fidelity.worst_departure_ratio",
        title="Largest departure: difference of scores in a part over that elsewhere",
        formula="largest ratio of root mean squared differences of scores, part / all other rows, over the parts "
        "tested, on the half in which none was looked for; the interval holds for all parts tested at once",
        better="lower",
        source="delta method on the logarithm, Bonferroni; sample splitting (Cox 1975, Biometrika 62:441)",
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
        measurements += _measure_model(case, name, fits.out_of_fold[name], case.scores.link)
    account = _find_account(names, measurements)
    departures, told = find_departures(case, account, fits.out_of_fold[account], case.scores.link)
    return Fidelity(
        rows=len(case.frame),
        protocol=f"{fits.protocol} Target: the black box's score on the {_name_scale(case)} scale.".strip(),
        account=account,
        departures=departures,
        measurements=(*measurements, *told),
        notes=(
            *(f"{name}: {reason}" for name, reason in fits.not_done.items() if name in SURROGATES),
            *((DEPARTURE_NOTE,) if departures else ()),
            *((f"all numbers: {case.sampled}",) if case.sampled else ()),
        ),
        broken_parts=fits.list_broken(SURROGATES),
    )


def _measure_model(case: Case, name: str, surrogate: Floats, black: Floats) -> list[Measurement]:
    """Return all numbers of one surrogate, of all rows, by group, and by attribute."""
    same_class, same = compare_classes(case, name)
    if same is None:
        same = _same_decision(surrogate, case)
    measurements = _measure_rows(name, surrogate, black, same, {})
    measurements += _measure_class(name, same_class, {})
    for attribute, groups in case.groups.items():
        members = {str(value): groups == value for value in np.unique(groups.astype(str))}
        for value, rows in members.items():
            here = None if same is None else same[rows]
            measurements += _measure_rows(name, surrogate[rows], black[rows], here, {attribute: value})
            measurements += _measure_class(name, None if same_class is None else same_class[rows], {attribute: value})
        least = max(2, case.subject.small_count)
        judged = {value: rows for value, rows in members.items() if value != UNKNOWN and rows.sum() >= least}
        gaps = {
            "decision_agreement_gap": _compare_agreement(judged, same),
            "rmse_ratio": _compare_rmse(judged, surrogate - black),
        }
        measurements += [
            Measurement(metric=f"fidelity.{k}", estimate=v, model=name, attribute=attribute) for k, v in gaps.items()
        ]
    return measurements


def _find_account(names: Sequence[str], measurements: Sequence[Measurement]) -> str:
    """Return the surrogate with the smallest difference of scores over all rows."""
    rmse = {
        item.model: item.estimate.value
        for item in measurements
        if item.metric == "fidelity.rmse" and not item.group and item.model
    }
    return min(reversed(names), key=lambda name: rmse[name] or 0.0)


DEPARTURE_NOTE = (
    "Departures were looked for on one half of the rows and tested on the other, which was not looked at; they are "
    "from the surrogate that follows the black box most closely, its interactions included."
)
_TOO_FEW = "fewer than two groups are large enough to be compared"


def _compare_agreement(judged: dict[str, Flags], same: Flags | None) -> Estimate:
    """Return the largest difference of two groups' shares of equal decisions."""
    if same is None:
        return undefined("there is no decision on the score")
    counts = [(int(same[rows].sum()), int(rows.sum())) for rows in judged.values()]
    n = sum(rows for _, rows in counts)
    if len(counts) < 2:
        return undefined(_TOO_FEW, n=n)
    return _envelope(worst_difference(counts, LEVEL), "Newcombe", list(judged), n)


def _compare_rmse(judged: dict[str, Flags], gap: Floats) -> Estimate:
    """Return the largest ratio of two groups' root mean squared gaps."""
    samples = {value: sample_of(gap[rows] ** 2) for value, rows in judged.items()}
    usable = {value: sample for value, sample in samples.items() if math.isfinite(sample.log_error)}
    n = sum(sample.n for sample in usable.values())
    if len(usable) < 2:
        return undefined(_TOO_FEW if len(samples) < 2 else "the gaps of fewer than two groups vary", n=n)
    pairs = len(usable) * (len(usable) - 1) // 2
    bounds = [log_bounds(sample, 0.5, pair_level(LEVEL, pairs)) for sample in usable.values()]
    found = widest_gap([0.5 * math.log(sample.mean) for sample in usable.values()], bounds, pairs)
    # in a gap the lower value stands first; of differences of scores the higher one is the worse off
    ratio = Envelope(math.exp(found.value), math.exp(found.low), math.exp(found.high), pairs, found.worst[::-1])
    estimate = _envelope(ratio, "log-ratio", list(usable), n)
    if lost := [value for value in samples if value not in usable]:
        note = f"{estimate.note}; {', '.join(lost)}: gaps that do not vary"
        return estimate.model_copy(update={"note": note, "assessable": False})
    return estimate


def _envelope(envelope: Envelope, how: str, names: Sequence[str], n: int) -> Estimate:
    over = f", simultaneous over {envelope.pairs} pairs" if envelope.pairs > 1 else ""
    behind, ahead = (names[place] for place in envelope.worst)
    return Estimate(
        value=envelope.value,
        low=min(envelope.low, envelope.value),
        high=max(envelope.high, envelope.value),
        n=n,
        method=f"envelope of {how} intervals{over}",
        note=f"{behind} against {ahead}",
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


def _measure_class(model: str, same: Flags | None, group: dict[str, str]) -> list[Measurement]:
    if same is None:
        return []
    agreement = share_estimate(int(same.sum()), same.size)
    return [Measurement(metric="fidelity.class_agreement", estimate=agreement, model=model, group=group)]


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
    error, spread = (surrogate - black) ** 2, (black - black.mean()) ** 2 if black.size else black
    if black.size and float(spread.mean()) <= CONSTANT * max(1.0, float(np.mean(black**2))):
        spread = np.zeros(black.size)
    return explained_share(error, spread, alike="the black box gives all of these rows the same score")


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
