"""People with groups, labels and scores, laid out for the parts of the fairness section."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from audit.evidence import AttributeUsed, Decision, Subject
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.tally.condense import condense_roll
from audit.examination.tally.roll import roll_of
from audit.examination.tally.tally import build_tally

HIGH = Decision(favourable="score >= 0.5", threshold=0.5)
LOW = Decision(favourable="score < 0.5", threshold=0.5, favourable_is_high=False, positive_is_favourable=False)


def draw_people(n=2000, seed=0, names=("A", "B", "C"), shift=0.1):
    """Return groups, labels and scores; scores are calibrated, the second group's are higher."""
    rng = np.random.default_rng(seed)
    race = rng.choice(np.array(names, object), n)
    score = np.clip(rng.beta(2, 3, n) + shift * (race == names[1]), 0, 1)
    return {"race": race}, (rng.random(n) < score).astype(float), score


def make_scene(groups, label, score, *, decision=HIGH, binned=False, halvings=0, weights=None, **over):
    """Return a scene of single attributes; `binned` puts rows of a score bin together."""
    cut = 0.5 if score is None else np.nan_to_num(score, nan=-1.0)
    high = decision is None or decision.favourable_is_high
    favourable = over.pop("favourable", cut >= 0.5 if high else cut < 0.5)
    roll = roll_of(groups, label, score, None if decision is None else favourable, weights)
    tally = build_tally(groups, label, favourable)
    subject = Subject(
        title="t",
        system="s",
        version="1",
        decision=decision,
        attributes=tuple(AttributeUsed(name=name, column=name) for name in groups),
        **over,
    )
    case = SimpleNamespace(
        subject=subject,
        roll=condense_roll(roll, halvings) if binned else roll,
        scores=SimpleNamespace(score=score, favourable=favourable, predicted_positive=None, outcome=None),
        frame=None,
        label=label,
        rng=lambda name: np.random.default_rng(sum(name.encode())),
    )
    singles = tuple(lay_out(tally.table((name,)), 30, 0.02) for name in groups)
    no_label = "" if label is not None and np.isin(label[np.isfinite(label)], (0, 1)).all() else "no label was given"
    return Scene(case, singles, (), Reading(not decision or decision.positive_is_favourable, no_label, "", 30))


def pick(found, metric, attribute=None, **group):
    """Return the one measurement of that name and scope."""
    (item,) = [
        item
        for item in found.measurements
        if (item.metric, item.group, item.attribute) == (f"fairness.{metric}", group, attribute)
    ]
    return item


def estimate_of(found, metric, attribute=None, **group):
    """Return its estimate."""
    return pick(found, metric, attribute, **group).estimate
