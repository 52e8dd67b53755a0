"""What other cuts on the score would give every group: all thresholds at once, from cumulative counts.

Comes in: everybody's scores in order. Goes out: a `ThresholdSweep` for each single attribute. They are point
estimates for exploring, and no verdict rests on them: the best of a hundred cuts is partly the luckiest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Decision, ThresholdCurve, ThresholdSweep
from audit.examination.measures.ordered import OrderedScores, order_scores, split_groups
from audit.examination.tally.scale import edge_of, place_scores

from .groups import Grouping
from .parts import Found, Scene

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

THRESHOLDS = 99
"""Cuts beside the one in use."""
_DIGITS = 6
_CONDITION = re.compile(r"^\s*score\s*(>=|<=|>|<)")


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which side of a cut is favourable, and on which side a score that equals the cut is."""

    high: bool
    equal_is_high: bool
    today: float | None


@dataclass(frozen=True, slots=True)
class _Tail:
    """People on the high side of each threshold, and all people; by label where it is known."""

    above: Whole
    total: int
    positives_above: Whole
    positives: int
    negatives_above: Whole
    negatives: int


def sweep_thresholds(scene: Scene) -> Found:
    """Try other cuts on the score for every single attribute.

    Parameters
    ----------
    scene : Scene
        What there is to look at.
    """
    roll, decision = scene.case.roll, scene.case.subject.decision
    ordered = order_scores(roll)
    if why := _explain_no_sweep(scene, ordered):
        return Found(notes=(f"Other thresholds were not tried: {why}.",))
    if ordered is None:
        raise TypeError("scores that can be cut are there")
    rule = _read_rule(decision)
    cuts = choose_thresholds(ordered, rule.today)
    sweeps = tuple(_sweep(grouping, scene, ordered, rule, cuts) for grouping in scene.singles)
    return Found(records={"sweeps": sweeps}, notes=tuple(_list_notes(scene, decision)))


def _explain_no_sweep(scene: Scene, ordered: OrderedScores | None) -> str:
    """Return why there is no single cut on the score to vary; empty where there is one."""
    decision, roll = scene.case.subject.decision, scene.case.roll
    if ordered is None:
        return "there are no scores, only decisions"
    if decision is not None and decision.segments:
        return "the cut differs from segment to segment"
    if roll.outcomes or (decision is not None and decision.bands):
        return "the decision has more than two sides"
    if decision is None and scene.case.subject.task == "regression":
        return "no decision was declared, so it is not known which side of a cut is good for people"
    return ""


def _read_rule(decision: Decision | None) -> _Rule:
    """Return how the decision in use cuts; without one, scores at or above the cut are selected."""
    if decision is None:
        return _Rule(high=True, equal_is_high=True, today=None)
    match = _CONDITION.match(decision.favourable)
    operator = match.group(1) if match else ">="
    return _Rule(decision.favourable_is_high, operator in (">=", "<"), decision.threshold)


def _list_notes(scene: Scene, decision: Decision | None) -> list[str]:
    notes = ["Other thresholds are point estimates, for exploring: the best of many cuts is partly the luckiest."]
    if decision is None:
        notes.append("No decision was declared: other thresholds take scores at or above the cut as the selected side.")
    elif decision.threshold is None:
        notes.append("Decisions were stored: other thresholds show what a single cut on the score would do instead.")
    if scene.reading.selective:
        notes.append("Other thresholds show no rates that rest on labels: labels are missing by decision.")
    return notes


def choose_thresholds(ordered: OrderedScores, today: float | None) -> Floats:
    """Return cuts at even shares of all people, and the one in use; ascending, shape ``[t]``.

    Parameters
    ----------
    ordered : OrderedScores
        Everybody's scores. Of binned ones only edges of bins are cuts, because there the counts are exact.
    today : float or None
        The cut in use.
    """
    reached = np.cumsum(ordered.count)
    ranks = np.arange(1, THRESHOLDS + 1) * ordered.rows // (THRESHOLDS + 1)
    cuts = ordered.score[np.searchsorted(reached, ranks, side="right")]
    if ordered.width:
        cuts = edge_of(place_scores(cuts) >> ordered.roll.halvings << ordered.roll.halvings)
    else:
        # a reader's cut has few digits; rounding it up keeps the people who have just this score on its low side
        step = 10.0 ** np.floor(np.log10(max(float(np.ptp(ordered.score)), 1e-300))) / 10**3
        cuts = np.round(np.ceil(cuts / step) * step, 12)
    return np.unique(cuts if today is None else np.append(cuts, today))


def _sweep(grouping: Grouping, scene: Scene, ordered: OrderedScores, rule: _Rule, cuts: Floats) -> ThresholdSweep:
    """Return the sweep of one attribute."""
    labels = not (scene.reading.no_label or scene.reading.selective) and ordered.label is not None
    everybody = np.arange(len(ordered.score))
    entries = split_groups(ordered.find_cells(grouping.table), len(grouping.groups))
    shown = [place for place, yes in enumerate(grouping.assessable) if yes and ordered.count[entries[place]].any()]
    tails = {place: _count_above(ordered, entries[place], cuts, rule) for place in shown}
    rates = [_selected(tails[place], rule) / tails[place].total for place in shown]
    # as in the literal sentence: a group of a small share is drawn, but neither compared nor the reference
    compared = [rate for place, rate in zip(shown, rates, strict=True) if grouping.candidates[place]]
    whole = _count_above(ordered, everybody, cuts, rule)
    return ThresholdSweep(
        attribute=grouping.name,
        thresholds=tuple(cuts.tolist()),
        today=rule.today,
        curves=tuple(
            ThresholdCurve(
                values=grouping.groups[place].values,
                selection_rate=_plain(rate),
                true_positive_rate=_share(tails[place].positives_above, tails[place].positives) if labels else (),
                false_positive_rate=_share(tails[place].negatives_above, tails[place].negatives) if labels else (),
            )
            for place, rate in zip(shown, rates, strict=True)
        ),
        impact_ratio=_worst_ratios(compared, len(cuts)),
        selection_rate=_plain(_selected(whole, rule) / whole.total),
        accuracy=_share(
            whole.positives_above + whole.negatives - whole.negatives_above, whole.positives + whole.negatives
        )
        if labels
        else (),
        error=_bin_error(ordered, entries, shown, rule),
    )


def _count_above(ordered: OrderedScores, entries: Whole, cuts: Floats, rule: _Rule) -> _Tail:
    """Count the people of some entries on the high side of every cut."""
    score, count = ordered.score[entries], ordered.count[entries]
    first = np.searchsorted(score, cuts, side="left" if rule.equal_is_high else "right")
    label = np.full(len(entries), np.nan) if ordered.label is None else ordered.label[entries]
    columns = (count, np.where(label == 1, count, 0), np.where(label == 0, count, 0))
    parts = []
    for column in columns:
        below = np.concatenate([[0], np.cumsum(column)])
        parts += [below[-1] - below[first], int(below[-1])]
    return _Tail(*parts)


def _selected(tail: _Tail, rule: _Rule) -> Whole:
    return tail.above if rule.high else tail.total - tail.above


def _plain(rates: Floats) -> tuple[float, ...]:
    return tuple(np.round(rates, _DIGITS).tolist())


def _share(part: Whole, whole: int) -> tuple[float | None, ...]:
    return tuple([None] * len(part)) if whole == 0 else _plain(part / whole)


def _worst_ratios(rates: list[Floats], size: int) -> tuple[float | None, ...]:
    """Return the lowest rate over the highest at every cut; None where nobody is selected or one group is shown."""
    if len(rates) < 2:
        return (None,) * size
    low, high = np.min(rates, axis=0), np.max(rates, axis=0)
    return tuple(round(a / b, _DIGITS) if b > 0 else None for a, b in zip(low.tolist(), high.tolist(), strict=True))


def _bin_error(ordered: OrderedScores, entries: list[Whole], shown: list[int], rule: _Rule) -> float:
    """Return the largest share of a group that shares a bin with the cut in use; other cuts are edges of bins."""
    if not ordered.width or rule.today is None or not shown:
        return 0.0
    halvings = ordered.roll.halvings
    bin_of_cut = place_scores(np.array([rule.today]))[0] >> halvings
    if edge_of(np.array([bin_of_cut << halvings]))[0] == rule.today:
        return 0.0
    inside = place_scores(ordered.score) >> halvings == bin_of_cut
    shares = [ordered.count[entries[p]][inside[entries[p]]].sum() / ordered.count[entries[p]].sum() for p in shown]
    return float(max(shares))
