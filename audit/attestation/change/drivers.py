"""The features behind decisions that changed.

Comes in: who gained and who lost, their values, and each feature's effect before and after. Goes out: how far each
feature's effect moved these people towards the favourable side. It is the audits' own account of the black box that is
read (a surrogate glass box, or the black box's effects), not the black box itself; interactions are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Driver, Estimate, Evidence
from audit.statistics.intervals import mean_interval

from .decisions import list_groups, members_of
from .kept import PairedPeople
from .shapes import PREFERRED, CurvePair, read_curve

Floats = NDArray[np.float64]
Direction = Literal["gained", "lost"]
LEVEL = 0.95
LEAST = 10
"""People below whom no mean is told."""
REST = ""
"""Name of what no single feature's effect tells: a shift of everybody alike, and interactions."""
_FLOOR = 1e-12


def find_drivers(
    paired: PairedPeople, pairs: Mapping[tuple[str, str], CurvePair], evidence: Evidence
) -> tuple[Driver, ...]:
    """Return what drove the changed decisions of everybody and of each single attribute's groups, strongest first.

    Parameters
    ----------
    paired : PairedPeople
        The people.
    pairs : mapping
        Both sides' curves by feature and model.
    evidence : Evidence
        The later audit.
    """
    model = choose_model(pairs)
    decision = evidence.subject.decision
    if model is None or decision is None:
        return ()
    sign = 1.0 if decision.favourable_is_high else -1.0
    moves = {
        feature: sign * (_effect(pair, paired, later=True) - _effect(pair, paired, later=False))
        for (feature, of), pair in pairs.items()
        if of == model and feature in paired.after.features
    }
    moves[REST] = sign * _link_moves(paired, evidence) - np.sum([*moves.values()], axis=0)
    scopes = [{}, *(group.scope for group in list_groups(evidence) if len(group.attributes) == 1)]
    old, new = paired.before.favourable, paired.after.favourable
    sides: tuple[tuple[Direction, NDArray[np.bool_]], ...] = (
        ("lost", (old == 1) & (new == 0)),
        ("gained", (old == 0) & (new == 1)),
    )
    return tuple(
        driver
        for scope in scopes
        for direction, who in sides
        for driver in _rank(moves, who & members_of(paired, scope), direction, scope, model)
    )


def choose_model(pairs: Mapping[tuple[str, str], CurvePair]) -> str | None:
    """Return whose curves are read: the first of the preferred that has a curve of every feature on both sides."""
    features = {feature for feature, _ in pairs}
    return next((model for model in PREFERRED if features and all((f, model) in pairs for f in features)), None)


def _link_moves(paired: PairedPeople, evidence: Evidence) -> Floats:
    """Return how far each person's score moved, on the scale of the curves."""
    if evidence.subject.task == "regression":
        return paired.after.score - paired.before.score
    odds = []
    for side in (paired.before, paired.after):
        held = np.clip(side.score, _FLOOR, 1 - _FLOOR)
        odds.append(np.log(held / (1 - held)))
    return np.asarray(odds[1] - odds[0], dtype=np.float64)


def _effect(pair: CurvePair, paired: PairedPeople, *, later: bool) -> Floats:
    """Return the effect of the feature on everybody, centred as the curves are compared."""
    side, curve = (paired.after, pair.after) if later else (paired.before, pair.before)
    at = read_curve(curve, np.array(pair.places, dtype=object))
    return read_curve(curve, side.features[curve.feature]) - float(pair.weight @ at)


def _rank(
    moves: Mapping[str, Floats], who: NDArray[np.bool_], direction: Direction, scope: dict[str, str], model: str
) -> Iterator[Driver]:
    if who.sum() < LEAST:
        return
    means = {feature: values[who & ~np.isnan(values)] for feature, values in moves.items()}
    means = {feature: values for feature, values in means.items() if values.size >= LEAST}
    whole = sum(abs(float(values.mean())) for values in means.values())
    for feature, values in sorted(means.items(), key=lambda item: -abs(float(item[1].mean()))):
        yield Driver(
            feature=feature,
            direction=direction,
            group=scope,
            model=model,
            move=_mean(values),
            share=abs(float(values.mean())) / whole if whole > 0 else None,
        )


def _mean(values: Floats) -> Estimate:
    mean, n = float(values.mean()), values.size
    method = "mean over the people, Student's interval; the curves themselves are taken as given"
    low, high = mean_interval(mean, float(values.var(ddof=1)), n, LEVEL)
    if not np.isfinite(low):
        return Estimate(value=mean, n=n, method=method, note="no interval: the people do not vary", assessable=False)
    return Estimate(value=mean, low=low, high=high, n=n, method=method)
