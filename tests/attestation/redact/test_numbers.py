"""Rates and comparisons of random groups: what is told lets nobody compute a count of 1 to 4 people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from public_material import Attacker

from audit.attestation.redact.cells import close_withheld, find_small, is_small
from audit.attestation.redact.numbers import count_of, is_withheld, redact_measurements
from audit.attestation.redact.reads import is_comparison, stem_of
from audit.attestation.redact.views import VIEWS, Views
from audit.evidence import Estimate, Measurement

COUNT = st.one_of(st.sampled_from([0, 1, 2, 3, 4, 5, 6]), st.integers(0, 40))
METRICS = ("fairness.scoring_rate", "robustness.noise_flip_rate", "decisions.recourse_rate", "fidelity.class_agreement")


def show_all(groups):
    """Return views that tell the sizes of groups as they may, and all of a group whose size is told."""
    sizes = {frozenset({("sex", name)}): (n,) for name, n in groups.items()}
    withheld, whole = close_withheld(sizes, find_small(sizes)), sum(groups.values())
    return Views(
        withheld={view: set(withheld) for view in VIEWS},
        known={"sex": tuple(sizes)},
        judged=frozenset(sizes),
        everybody=(whole, whole),
        sizes={scope: (n, n) for scope, (n,) in sizes.items()},
    )


def rate(metric, n, count, group=None):
    estimate = Estimate(value=count / n, n=n, count=count) if n else Estimate(value=None, n=0, note="nobody")
    return Measurement(metric=metric, estimate=estimate, group={"sex": group} if group else {})


def compare(metric, kind, own, reference):
    """Return the ratio to, or difference with, another group."""
    a, b = own.estimate, reference.estimate
    defined = a.value is not None and b.value is not None and (b.value > 0 or kind == "difference")
    value = (a.value / b.value if kind == "ratio" else a.value - b.value) if defined else None
    estimate = Estimate(value=value, n=(a.n or 0) + (b.n or 0), note="" if defined else "undefined")
    name = metric.removesuffix("_rate") if metric.endswith("agreement") else metric
    return Measurement(
        metric=f"{name}_{kind}", estimate=estimate, group=own.group, reference=f"sex={reference.group['sex']}"
    )


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(COUNT, COUNT), min_size=2, max_size=5),
    st.sampled_from(METRICS),
    st.sampled_from(["ratio", "difference"]),
    st.integers(0, 4),
    st.booleans(),
)
def test_no_small_part_of_a_rate_is_pinned(people, metric, kind, best, total):
    """The attacker knows sizes, rates, everybody's rate and every comparison with one group."""
    groups = {f"g{k}": inside + outside for k, (inside, outside) in enumerate(people)}
    views, names = show_all(groups), list(groups)
    rates = [rate(metric, n, people[k][0], name) for k, (name, n) in enumerate(groups.items())]
    compared = [compare(metric, kind, one, rates[best % len(rates)]) for one in rates]
    whole = rate(metric, sum(groups.values()), sum(inside for inside, _ in people))
    given_all = (*rates, *compared, *((whole,) if total else ()))
    told = redact_measurements(given_all, views)
    attacker = Attacker(names, width=2)
    inside, everybody = np.array([1.0, 0]), np.ones(2)
    attacker.learn(sum(groups.values()), all=everybody)
    for place, name in enumerate(names):
        if views.shows([("sex", name)], "size"):
            attacker.learn(groups[name], **{f"_{place}": everybody})
    known = {}
    for one, true in zip(told, given_all, strict=True):
        if is_withheld(one.estimate) or one.estimate.value is None or one.reference:
            continue
        place = names.index(one.group["sex"]) if one.group else None
        key = "all" if place is None else f"_{place}"
        attacker.learn(true.estimate.n, **{key: everybody})
        attacker.learn(count_of(true.estimate), **{key: inside})
        known[place] = one.estimate
    for one in told:
        if one.reference and one.estimate.value is not None:
            own, other = names.index(one.group["sex"]), best % len(rates)
            for unknown, side in ((own, other), (other, own)):
                if side in known and unknown not in known:  # what follows from it stands in the rates as they were
                    attacker.learn(people[unknown][0], **{f"_{unknown}": inside})
                    attacker.learn(groups[names[unknown]], **{f"_{unknown}": everybody})
    for place, (count, rest) in enumerate(people):
        for part, held in ((inside, count), (everybody - inside, rest), (everybody, count + rest)):
            if is_small(held):
                low, high = attacker.bounds(place, part)
                assert low < high, (people, place, part, [one.estimate.value for one in told])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(COUNT, COUNT, COUNT), min_size=2, max_size=4))
def test_no_few_lie_between_two_sets_of_which_one_holds_the_other(people):
    """Gained and lost are the two halves of flipped; those whose class agrees are among those whose decision does."""
    groups = {f"g{k}": sum(parts) for k, parts in enumerate(people)}
    flips = []
    for name, (gained, lost, _) in zip(groups, people, strict=True):
        for metric, count in (("flip_rate", gained + lost), ("favourable_gain", gained), ("favourable_loss", lost)):
            flips.append(rate(f"fairness.counterfactual_{metric}", groups[name], count, name))
    views = show_all(groups)
    attacker = Attacker(list(groups), width=3)
    attacker.learn(sum(groups.values()), all=np.ones(3))
    masks = {"flip_rate": [1, 1, 0], "favourable_gain": [1, 0, 0], "favourable_loss": [0, 1, 0]}
    for place, name in enumerate(groups):
        if views.shows([("sex", name)], "size"):
            attacker.learn(groups[name], **{f"_{place}": np.ones(3)})
    for mask in masks.values():  # everybody's may be known from elsewhere, unless they are few themselves
        count = sum(np.array(parts) @ np.array(mask) for parts in people)
        if not is_small(int(count)) and not is_small(sum(groups.values()) - int(count)):
            attacker.learn(count, all=np.array(mask, float))
    for one in redact_measurements(tuple(flips), views):
        if one.estimate.value is not None:
            mask = masks[one.metric.removeprefix("fairness.counterfactual_")]
            attacker.learn(one.estimate.count, **{f"_{list(groups).index(one.group['sex'])}": np.array(mask, float)})
    totals = np.array(people).sum(axis=0)
    if any(is_small(int(part)) for part in totals):
        return  # what everybody's totals tell, they tell themselves
    for place, parts in enumerate(people):
        for k, held in enumerate(parts[:2]):
            if is_small(held):
                low, high = attacker.bounds(place, np.eye(3)[k])
                assert low < high, (people, place, k)


def test_rows_that_leave_a_few_of_everybody_are_withheld():
    """A number on 617 of 620 people tells that three are missing; one on 600 tells of nobody."""
    views = Views(everybody=(620, 620))
    for n, told in ((617, False), (600, True), (620, True), (3, False)):
        one = Measurement(metric="effects.redundancy", estimate=Estimate(value=0.123456, n=n), feature="debts")
        (seen,) = redact_measurements((one,), views)
        assert (seen.estimate.value is not None) == told, n


def test_a_share_without_a_count_is_one_all_the_same():
    assert count_of(Estimate(value=3 / 60, n=60)) == 3
    assert count_of(Estimate(value=0.123456, n=60)) is None
    assert count_of(Estimate(value=2.0, n=60)) is None
    share = Measurement(metric="explanations.incomplete_share", estimate=Estimate(value=3 / 60, n=60))
    assert is_withheld(redact_measurements((share,), Views(everybody=(900, 900)))[0].estimate)


@pytest.mark.parametrize(
    ("metric", "base"),
    [
        ("fairness.scoring_rate_ratio", "fairness.scoring_rate"),
        ("robustness.noise_flip_gap", "robustness.noise_flip_rate"),
        ("fairness.worst_mean_residual_difference", "fairness.mean_residual"),
        ("fidelity.decision_agreement_gap", "fidelity.decision_agreement"),
        ("decisions.recourse_rate_difference", "decisions.recourse_rate"),
    ],
)
def test_comparisons_are_found_by_what_they_compare(metric, base):
    assert is_comparison(metric)
    assert not is_comparison(base)
    assert stem_of(metric) == stem_of(base)
