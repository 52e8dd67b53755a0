"""The black box against the best glass box of the same audit, as if the glass box were the model before.

Comes in: a number and the evidence. Goes out: a move from the glass box to the black box, or why there is none. Where
the audit holds the paired difference of the two on the same rows, that is what is judged.
"""

from __future__ import annotations

from audit.evidence import Estimate, Measurement, Move
from audit.statistics.paired import change_unpaired

from .bench import Bench
from .catalogue import BLACK_BOX, LABEL_FITS, Metric
from .ruling import Ruling, Scope

_GAPS = {
    "performance.accuracy": ("accuracy_gap", -1),
    "performance.auc": ("auc_gap", -1),
    "performance.rmse": ("rmse_gap", 1),
}
"""Number to the paired gap black box minus glass box that the audit holds of it, and its sign as a loss."""


def hold_against_glass_box(metric: Metric, bench: Bench) -> Move | Ruling:
    """Return the black box against the best of the glass boxes fitted on the labels, as a move.

    Parameters
    ----------
    metric : Metric
        The number.
    bench : Bench
        The evidence.
    """
    if caution := bench.training_caution:
        cure = "say under data.model_train which rows the model was trained on"
        return Ruling(Scope(), "inconclusive", f"the comparison {caution}", would_decide=cure)
    own = next(iter(bench.find(metric.id, model=BLACK_BOX)), None)
    found = [move for model in LABEL_FITS if own and (move := _beside(metric, own, model, bench)) is not None]
    known = [move for move in found if move.loss.value is not None]
    if not known:
        return Ruling(Scope(), "inconclusive", "no glass box fitted on the labels has this number to compare with")
    return max(known, key=lambda move: move.loss.value or 0.0)


def _beside(metric: Metric, own: Measurement, model: str, bench: Bench) -> Move | None:
    other = next(iter(bench.find(metric.id, model=model)), None)
    if other is None:
        return None
    gap, sign = _GAPS.get(metric.id, ("", 0))
    row = next(iter(bench.find(f"performance.{gap}", model=model)), None) if gap else None
    difference = row.estimate if row else _unpaired(other.estimate, own.estimate)
    loss = _signed(difference, sign or (-1 if metric.better == "higher" else 1))
    return Move(
        metric=metric.id,
        model=model,
        before=other.estimate,
        after=own.estimate,
        difference=difference,
        loss=loss,
        paired=row is not None,
        reading="not_compared",
    )


def _unpaired(before: Estimate, after: Estimate) -> Estimate:
    if before.value is None or after.value is None or None in (before.low, before.high, after.low, after.high):
        return Estimate(value=None, note="one side has no interval", assessable=False)
    low, high = change_unpaired(
        (before.value, before.low or 0.0, before.high or 0.0), (after.value, after.low or 0.0, after.high or 0.0)
    )
    return Estimate(value=after.value - before.value, low=low, high=high, n=after.n, method="unpaired (MOVER)")


def _signed(estimate: Estimate, sign: int) -> Estimate:
    if sign > 0 or estimate.value is None:
        return estimate
    low, high = estimate.low, estimate.high
    turned = {"low": None if high is None else -high, "high": None if low is None else -low}
    return estimate.model_copy(update={"value": -estimate.value + 0.0, **turned})
