"""Numbers about people recomputed on the same people before and after, so that their difference can be paired.

Comes in: the paired people and what the audit says of labels and decisions. Goes out: for a metric and a group the
change with its standard error; None for what is no number of these columns. A number that does not come out as both
audits printed it is not paired: another definition stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Decision, Subject
from audit.statistics.paired import (
    NAN,
    Influence,
    PairedChange,
    Whole,
    auc_influence,
    change_of,
    change_of_comparison,
    explained_influence,
    joint_cells,
    mean_influence,
    root_influence,
    slope_influence,
)

from .kept import KeptPeople, PairedPeople
from .rates import NEGATIVE, POSITIVE, UNLABELLED, find_rate, split_comparison

Floats = NDArray[np.float64]
Scope = Mapping[str, str]
_FLOOR = 1e-12


def _held(score: Floats) -> Floats:
    return np.clip(score, _FLOOR, 1 - _FLOOR)


def _brier(score: Floats, label: Floats) -> Influence:
    return mean_influence((score - label) ** 2)


def _log_loss(score: Floats, label: Floats) -> Influence:
    held = _held(score)
    return mean_influence(-np.log(np.where(label == 1, held, 1 - held)))


def _gap(score: Floats, label: Floats) -> Influence:
    return mean_influence(score - label)


def _absolute(score: Floats, label: Floats) -> Influence:
    return mean_influence(np.abs(score - label))


def _root(score: Floats, label: Floats) -> Influence:
    return root_influence(_brier(score, label))


def _explained(score: Floats, label: Floats) -> Influence:
    return explained_influence(score - label, label)


def _mean(score: Floats, _: Floats) -> Influence:
    return mean_influence(score)


OF_SCORES: dict[str, Callable[[Floats, Floats], Influence]] = {
    "performance.auc": auc_influence,
    "performance.brier": _brier,
    "performance.log_loss": _log_loss,
    "performance.rmse": _root,
    "performance.mae": _absolute,
    "performance.r2": _explained,
    "calibration.slope": slope_influence,
    "calibration.mean_gap": _gap,
    "fairness.auc": auc_influence,
    "fairness.brier": _brier,
    "fairness.log_loss": _log_loss,
    "fairness.calibration_slope": slope_influence,
    "fairness.calibration_in_group": _gap,
    "fairness.rmse": _root,
    "fairness.mae": _absolute,
    "fairness.r2": _explained,
    "fairness.mean_residual": _gap,
}
"""Number to its influences, from score and label of the people who have both."""
OF_SCORES_ALONE = ("fairness.mean_score", "fairness.mean_prediction")
"""Numbers that need no label."""


@dataclass(slots=True)
class PeopleNumbers:
    """Numbers about the same people on both sides.

    Parameters
    ----------
    paired : PairedPeople
        The people.
    positive_is_favourable : bool
        Whether deciding the positive class is the favourable decision.
    cells : dict
        Counted cells by attribute set, filled as they are asked for.
    """

    paired: PairedPeople
    positive_is_favourable: bool
    cells: dict[tuple[str, ...], tuple[dict[tuple[str, ...], int], Whole]] = field(default_factory=dict)

    def change(self, metric: str, group: Scope, before: Scope | None, after: Scope | None) -> PairedChange | None:
        """Return the change of a number; None where it is none of these columns.

        Parameters
        ----------
        metric : str
            Metric id.
        group : mapping of str to str
            Attribute to value; empty for everybody.
        before, after : mapping or None
            The group that it is compared with on either side.
        """
        section, _, name = metric.partition(".")
        if metric in OF_SCORES or metric in OF_SCORES_ALONE:
            return self._of_scores(metric, group)
        if metric == "fairness.auc_gap" and before and after:
            return self._auc_gap(group, before, after)
        if metric == "performance.balanced_accuracy":
            return self._balanced()
        if section == "fairness" or metric == "performance.accuracy":
            return self._of_decisions(name, group, before, after)
        return None

    def _of_scores(self, metric: str, group: Scope) -> PairedChange | None:
        old, new = self.paired.before, self.paired.after
        known = self._members(group) & ~np.isnan(old.score) & ~np.isnan(new.score)
        if metric in OF_SCORES_ALONE:
            return change_of(_mean(old.score[known], old.label), _mean(new.score[known], new.label))
        known &= ~np.isnan(old.label)
        label, number = old.label[known], OF_SCORES[metric]
        if not label.size:
            return None
        return change_of(number(old.score[known], label), number(new.score[known], label))

    def _auc_gap(self, group: Scope, before: Scope, after: Scope) -> PairedChange | None:
        sides = []
        for people, reference in ((self.paired.before, before), (self.paired.after, after)):
            own, other = self._spread_auc(people, group), self._spread_auc(people, reference)
            sides.append(Influence(other.value - own.value, other.each - own.each))
        return change_of(*sides)

    def _spread_auc(self, people: KeptPeople, group: Scope) -> Influence:
        """Return a group's AUC with its influences among everybody: those outside of the group add nothing."""
        chosen = np.flatnonzero(self._members(group) & ~np.isnan(people.score) & ~np.isnan(people.label))
        own, each = auc_influence(people.score[chosen], people.label[chosen]), np.zeros(people.size)
        each[chosen] = own.each * (people.size / max(chosen.size, 1))
        return Influence(own.value, each)

    def _balanced(self) -> PairedChange | None:
        parts = [self._of_decisions(name, {}, None, None) for name in ("true_positive_rate", "true_negative_rate")]
        if parts[0] is None or parts[1] is None:
            return None
        one, two = parts[0], parts[1]
        return PairedChange(
            (one.before + two.before) / 2,
            (one.after + two.after) / 2,
            (one.centre + two.centre) / 2,
            float(np.hypot(one.se, two.se)) / 2,
            one.n + two.n,
        )

    def _of_decisions(self, name: str, group: Scope, before: Scope | None, after: Scope | None) -> PairedChange | None:
        rate_name, how = split_comparison(name)
        rate = find_rate(rate_name, positive_is_favourable=self.positive_is_favourable)
        if rate is None or (how and (before is None or after is None)):
            return None
        places, cells = self._count(tuple(group))
        wanted = [group, *(side for side in (before, after) if how and side is not None)]
        found = [places.get(tuple(side.get(attribute, "") for attribute in group)) for side in wanted]
        if any(place is None for place in found):
            return None
        chosen = [place for place in found if place is not None]
        joint = list(dict.fromkeys(chosen))
        orders = [(joint.index(place), how) for place in chosen[1:]] if how else [None, None]
        return change_of_comparison([cells[place] for place in joint], rate, orders[0], orders[1])

    def _count(self, names: tuple[str, ...]) -> tuple[dict[tuple[str, ...], int], Whole]:
        """Return the place of each group, and people by group, label, prediction before and after."""
        if names not in self.cells:
            old, new = self.paired.before, self.paired.after
            decided = ~np.isnan(old.favourable) & ~np.isnan(new.favourable)
            values = [old.groups[name][decided] for name in names if name in old.groups]
            levels, codes = _code(values, int(decided.sum())) if len(values) == len(names) else ({}, None)
            if codes is None:
                return {}, np.zeros((0, 3, 2, 2), dtype=np.int64)
            label = old.label[decided]
            known = np.where(label == 1, POSITIVE, NEGATIVE)
            said = [self._predicted(side.favourable[decided]) for side in (old, new)]
            table = joint_cells((codes, np.where(np.isnan(label), UNLABELLED, known), *said), len(levels))
            self.cells[names] = (levels, table)
        return self.cells[names]

    def _predicted(self, favourable: Floats) -> NDArray[np.int64]:
        return np.asarray(favourable == float(self.positive_is_favourable), dtype=np.int64)

    def _members(self, group: Scope) -> NDArray[np.bool_]:
        inside = np.ones(self.paired.size, dtype=bool)
        for name, value in group.items():
            inside &= np.asarray(self.paired.before.groups.get(name, np.array([""])) == value, dtype=bool)
        return inside


def count_people(paired: PairedPeople, subject: Subject) -> PeopleNumbers:
    """Return what can be recomputed on the same people.

    Parameters
    ----------
    paired : PairedPeople
        The people.
    subject : Subject
        Of the later audit, for its decision.
    """
    decision = subject.decision or Decision(favourable="")
    return PeopleNumbers(paired, decision.positive_is_favourable)


def alone(people: KeptPeople) -> PairedPeople:
    """Return one side paired with itself: its numbers, to be held against the printed ones."""
    return PairedPeople(people, people, people, people, 0, 0, 0, "")


def _code(values: list[NDArray[Any]], size: int) -> tuple[dict[tuple[str, ...], int], NDArray[np.int64]]:
    """Return the place of each group of some attributes together, and everybody's place."""
    codes = np.zeros(size, dtype=np.int64)
    levels: list[tuple[str, ...]] = [()]
    for column in values:
        names, own = np.unique(column, return_inverse=True)
        codes = codes * len(names) + own
        levels = [(*before, str(name)) for before in levels for name in names]
    return {level: place for place, level in enumerate(levels)}, codes


__all__ = ["NAN", "OF_SCORES", "PeopleNumbers", "alone", "count_people"]
