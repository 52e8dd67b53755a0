"""The drift section: the judged rows against a baseline, and a later period against the judged rows.

Comes in: the case; its configuration names ``data.baseline`` (else ``data.train`` is taken) and ``data.out_of_time``.
Goes out: `Drift`; NotDone where no such table is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from audit.evidence import Definition, Drift, Measurement, NotDone, Unseen
from audit.examination.blackbox.decision import DecisionPlan, plan_decision
from audit.examination.measures.beside import Beside, read_beside, take_rows
from audit.examination.measures.labels import doubt_measurements, find_selective
from audit.examination.measures.robustness.probe import Asker

from .columns import list_unseen, measure_feature, measure_missing_change
from .distance import DRAWS
from .scores import Side, measure_later, measure_scores, side_of

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

_CHANCE = "to be read beside its 95 % quantile where rows are dealt out at random between the two"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="drift.feature_psi",
        title="Population stability index",
        formula="sum over bins of (p - q) log(p / q), p and q the shares of baseline and judged rows; bins of a tenth "
        f"of the baseline each, or levels; missing has a bin; half a row is added to each. {_CHANCE}",
        better="lower",
        source="Siddiqi (2006); Jeffreys (1946); chance: permutation",
    ),
    Definition(
        id="drift.feature_ks",
        title="Kolmogorov-Smirnov distance",
        formula=f"largest difference of the two distribution functions. {_CHANCE}",
        better="lower",
        source="Smirnov (1948); permutation where few values are distinct",
    ),
    Definition(
        id="drift.feature_wasserstein",
        title="Wasserstein distance",
        formula=f"area between the two distribution functions / standard deviation of the baseline. {_CHANCE}",
        unit="sd",
        better="lower",
        source="Vallender (1974); chance: permutation",
    ),
    Definition(
        id="drift.unseen_share",
        title="Values that the baseline does not hold",
        formula="judged rows whose level does not occur in the baseline, or whose number lies outside its range / "
        "judged rows with a value",
        unit="share",
        better="lower",
        source="count; interval: Wilson (1927)",
    ),
    Definition(
        id="drift.missing_change",
        title="Change of missing values",
        formula="share of judged rows without a value - share of baseline rows without one",
        unit="share",
        better="nearer_zero",
        source="Newcombe (1998)",
    ),
    Definition(
        id="drift.group_share_change",
        title="Change of the group's share",
        formula="share of the group among judged rows - its share in the baseline",
        unit="share",
        better="none",
        source="Newcombe (1998)",
    ),
    Definition(
        id="drift.score_psi",
        title="Population stability index of the score",
        formula="as for a feature, over bins of a tenth of the baseline's scores each; the black box scores both. "
        f"{_CHANCE}",
        better="lower",
        source="Siddiqi (2006); Jeffreys (1946); chance: permutation",
    ),
    Definition(
        id="drift.selection_rate_change",
        title="Change of the selection rate",
        formula="share decided favourably among judged rows - that in the baseline; the same rule decides both",
        unit="share",
        better="nearer_zero",
        source="Newcombe (1998)",
    ),
    Definition(
        id="drift.label_rate_change",
        title="Change of the base rate",
        formula="share of positive labels (mean of a value) among judged rows - that in the baseline",
        better="nearer_zero",
        source="Newcombe (1998); Welch (1947) for a value",
    ),
    Definition(
        id="drift.performance_drop",
        title="Performance lost in the later period",
        formula="AUC on the judged rows - AUC on the later rows; for a value root mean squared error later - now",
        better="lower",
        source="DeLong and others (1988), independent rows; delta method for a value",
    ),
)


@dataclass(slots=True)
class Gathered:
    """What was found so far."""

    measurements: list[Measurement] = field(default_factory=list)
    not_done: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unseen: tuple[Unseen, ...] = ()


def measure_drift(case: Case) -> Drift | NotDone:
    """Measure how the judged rows differ from those before them, and how the model does on those after them.

    Parameters
    ----------
    case : Case
        The case.
    """
    begun, found, data = perf_counter(), Gathered(), case.config.data
    if data.baseline is None and data.out_of_time is None and case.training is None:
        return NotDone(not_done="no rows to compare with are named (data.baseline, data.train or data.out_of_time)")
    baseline = find_baseline(case)
    later = read_beside(case, "out_of_time") if data.out_of_time is not None else None
    if baseline is not None:
        _compare_baseline(case, baseline, found)
    else:
        found.not_done["Drift against a baseline"] = "no baseline is named (data.baseline)"
    if later is not None:
        _compare_later(case, later, found)
    return Drift(
        baseline=baseline.name if baseline else "",
        baseline_rows=baseline.rows if baseline else 0,
        rows=len(case.frame),
        later=later.name if later else "",
        later_rows=later.rows if later else 0,
        draws=DRAWS if baseline else 0,
        unseen=found.unseen,
        parts_not_done=found.not_done,
        measurements=tuple(found.measurements),
        notes=(*found.notes, *((f"judged rows: {case.sampled}",) if case.sampled else ())),
        seconds=round(perf_counter() - begun, 3),
    )


def find_baseline(case: Case) -> Beside | None:
    """Return the baseline: ``data.baseline``, else the rows of ``data.train``; None where neither is named."""
    if case.config.data.baseline is not None:
        return read_beside(case, "baseline")
    if case.training is None:
        return None
    names = ", ".join(file.name for file in case.training.files[:2])
    return take_rows(case, case.training, f"data.train ({names})")


def _compare_baseline(case: Case, baseline: Beside, found: Gathered) -> None:
    found.notes += [baseline.note] if baseline.note else []
    features = tuple(item for item in case.subject.features if item.name in baseline.frame.columns)
    before = ask_side(case, baseline.frame, found, baseline.name)
    after = side_of_judged(case)
    for feature in features:
        rng = case.rng(f"drift of {feature.name}")
        found.measurements += measure_feature(feature, baseline.frame, case.frame, rng)
        found.measurements += measure_missing_change(
            feature.name, baseline.frame, case.frame, (before.groups, after.groups), case.subject.small_count
        )
    found.unseen = list_unseen(features, baseline.frame, case.frame)
    if not features:
        found.not_done["Drift of features"] = "the audit knows no features"
    if before.label is None and case.label is not None:
        found.not_done["Drift of labels"] = f"{baseline.name} has no label"
    found.measurements += measure_scores(case, before, after)


def _compare_later(case: Case, later: Beside, found: Gathered) -> None:
    found.notes += [later.note] if later.note else []
    side = ask_side(case, later.frame, found, later.name)
    if side.score is None or side.label is None or case.label is None:
        found.not_done["Performance later"] = "it needs the model, and labels on both sides"
        return
    found.measurements += doubt_measurements(measure_later(case, side_of_judged(case), side), find_selective(case))


def side_of_judged(case: Case) -> Side:
    """Return the judged rows as a side."""
    return Side(case.groups, case.label, case.scores.score, case.scores.favourable)


def plan_beside(case: Case, frame: pd.DataFrame) -> DecisionPlan:
    """Return how rows beside the judged ones are decided: without a label, or not at all without their segment."""
    plan = plan_decision(case.config, case.dataset)
    label, segment = case.config.label, plan.rule.segment if plan.rule is not None else None
    if label is None or label.column not in frame.columns:
        plan = replace(plan, kind="")
    return replace(plan, rule=None) if segment is not None and segment not in frame.columns else plan


def ask_side(case: Case, frame: pd.DataFrame, found: Gathered, name: str) -> Side:
    """Score and decide rows beside the judged ones, where there is a model."""
    if case.blackbox is None:
        found.not_done["Drift of scores"] = "there is no model that could score other rows, only stored scores"
        return side_of(case, frame, None, None)
    answer = Asker(case.blackbox, plan_beside(case, frame))(frame)
    lost = int((~answer.known).sum())
    if lost:
        found.notes.append(f"{lost:,} of {len(frame):,} rows of {name} got no score and are left out of score drift")
    return side_of(case, frame, answer.score, answer.favourable)
