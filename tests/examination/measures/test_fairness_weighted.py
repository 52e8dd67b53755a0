"""Weighted rates, beside fairlearn with sample weights."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score, precision_score

from audit.errors import DataError
from audit.evidence import Decision, Subject
from audit.examination.data.check import check_weight
from audit.examination.data.kinds import ColumnFacts
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.measures.fairness.weighted import measure_weighted
from audit.examination.tally.roll import roll_of
from audit.examination.tally.tally import build_tally
from audit.statistics import newcombe_difference, pair_level, score_ratio, wilson
from audit.statistics.weighted import EffectiveCount, compare_effective, effective_count

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def make_rows(n=3000, seed=0, groups="ABC"):
    rng = np.random.default_rng(seed)
    group = rng.choice(np.array(list(groups), object), n)
    score = np.clip(rng.beta(2, 2, n) + 0.1 * (group == "B"), 0, 1)
    label = (rng.random(n) < score).astype(float)
    return group, label, score >= 0.5, rng.gamma(2.0, 3.0, n)


def measure(group, label, favourable, weights, *, positive_is_favourable=True, **reading):
    groups = {"g": group}
    tally = build_tally(groups, label, favourable, None, weights)
    decision = Decision(favourable="x", positive_is_favourable=positive_is_favourable)
    case = SimpleNamespace(
        subject=Subject(title="t", system="s", version="1", decision=decision, attributes=()),
        tally=tally,
        roll=roll_of(groups, label, None, favourable, weights),
    )
    grouping = lay_out(tally.table(("g",)), 30, 0.02)
    return measure_weighted(Scene(case, (grouping,), (), Reading(positive_is_favourable, **reading)))


def pick(found, metric, group):
    (item,) = [
        item
        for item in found.measurements
        if item.metric == f"fairness.weighted_{metric}" and item.group == {"g": group}
    ]
    return item


@pytest.mark.parametrize("favourable_is_positive", [True, False])
def test_rates_equal_fairlearn_with_sample_weights(favourable_is_positive):
    group, label, favourable, weights = make_rows()
    found = measure(group, label, favourable, weights, positive_is_favourable=favourable_is_positive)
    predicted = (favourable if favourable_is_positive else ~favourable).astype(int)
    metrics = {
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    }
    frame = MetricFrame(
        metrics=metrics,
        y_true=label.astype(int),
        y_pred=predicted,
        sensitive_features=group,
        sample_params={name: {"sample_weight": weights} for name in metrics},
    ).by_group
    chosen = MetricFrame(
        metrics=selection_rate,
        y_true=label.astype(int),
        y_pred=favourable.astype(int),
        sensitive_features=group,
        sample_params={"sample_weight": weights},
    ).by_group
    for name in "ABC":
        for metric in metrics:
            assert pick(found, metric, name).estimate.value == pytest.approx(frame.loc[name, metric], abs=1e-12)
        assert pick(found, "selection_rate", name).estimate.value == pytest.approx(chosen[name], abs=1e-12)
        rows = group == name
        base = pick(found, "base_rate", name).estimate
        assert base.value == pytest.approx(np.average(label[rows], weights=weights[rows]), abs=1e-12)
        assert base.n == rows.sum()
        assert base.count is None


def test_interval_is_wilson_on_the_effective_number_of_people():
    group, label, favourable, weights = make_rows()
    found = measure(group, label, favourable, weights)
    rows = (group == "A") & (label == 1)
    n = weights[rows].sum() ** 2 / (weights[rows] ** 2).sum()
    rate = np.average(favourable[rows], weights=weights[rows])
    estimate = pick(found, "true_positive_rate", "A").estimate
    assert (estimate.low, estimate.high) == pytest.approx(wilson(rate * n, n))
    everybody = weights[group == "A"]
    effective = pick(found, "effective_people", "A").estimate
    assert effective.value == pytest.approx(everybody.sum() ** 2 / (everybody**2).sum())
    assert effective.value < effective.n


def test_comparisons_hold_for_all_pairs():
    group, label, favourable, weights = make_rows()
    found = measure(group, label, favourable, weights)
    counts = {}
    for name in "ABC":
        w, yes = weights[group == name], favourable[group == name]
        n = w.sum() ** 2 / (w**2).sum()
        counts[name] = (np.average(yes, weights=w) * n, n)
    best = max(counts, key=lambda name: counts[name][0] / counts[name][1])
    each = pair_level(0.95, 3)
    for name in set("ABC") - {best}:
        ratio, gap = (pick(found, f"selection_rate_{kind}", name) for kind in ("ratio", "difference"))
        assert ratio.reference == f"g={best}"
        assert (ratio.estimate.low, ratio.estimate.high) == pytest.approx(
            score_ratio(*counts[name], *counts[best], each)
        )
        assert (gap.estimate.low, gap.estimate.high) == pytest.approx(
            newcombe_difference(*counts[best], *counts[name], each)
        )
        assert ratio.parity.pairs == 3
        assert ratio.parity.method == "pooled z of effective counts"
        assert ratio.parity.p <= ratio.parity.p_adjusted
        assert ratio.estimate.n == ((group == name) | (group == best)).sum()
    assert pick(found, "selection_rate_ratio", best).estimate.value == 1.0
    lowest = pick(found, "false_positive_rate_difference", "A")
    assert lowest.estimate.value >= 0


def test_equal_weights_are_people():
    group, label, favourable, _ = make_rows()
    one, two = (measure(group, label, favourable, np.full(len(label), w)) for w in (1.0, 7.5))
    for name in "ABC":
        rows = group == name
        for found in (one, two):
            estimate = pick(found, "selection_rate", name).estimate
            assert estimate.value == pytest.approx(favourable[rows].mean(), abs=1e-12)
            assert (estimate.low, estimate.high) == pytest.approx(wilson(favourable[rows].sum(), rows.sum()))
            assert pick(found, "effective_people", name).estimate.value == pytest.approx(rows.sum())


def test_a_weight_of_two_is_a_better_rate_but_not_two_people():
    """Doubling a row moves the rate as much as doubling its weight; only the people make the interval narrower."""
    group, label, favourable, _ = make_rows()
    weights = np.where(favourable, 2.0, 1.0)
    twice = np.repeat(np.arange(len(label)), weights.astype(int))
    heavy = measure(group, label, favourable, weights)
    many = measure(group[twice], label[twice], favourable[twice], np.ones(len(twice)))
    for name in "ABC":
        a, b = (pick(found, "selection_rate", name).estimate for found in (heavy, many))
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert a.high - a.low > b.high - b.low


def test_without_weights_there_is_nothing_and_with_them_it_is_said():
    group, label, favourable, weights = make_rows(300)
    assert measure(group, label, favourable, None).measurements == ()
    (note,) = measure(group, label, favourable, weights).notes
    assert "count every person once" in note


def test_weights_of_nought_are_undefined_and_heavy_ones_not_judged():
    group, label, favourable, weights = make_rows(600)
    weights = np.where(group == "A", 0.0, weights)
    weights[np.flatnonzero(group == "B")[0]] = 1e6
    found = measure(group, label, favourable, weights)
    for metric in ("selection_rate", "true_positive_rate", "selection_rate_ratio", "effective_people"):
        estimate = pick(found, metric, "A").estimate
        assert estimate.value is None
        assert estimate.note
    heavy = pick(found, "selection_rate", "B").estimate
    assert heavy.value is not None
    assert not heavy.assessable
    assert "worth 1.0 people of equal weight" in heavy.note
    ratio = pick(found, "selection_rate_ratio", "B")
    assert not ratio.estimate.assessable
    assert ratio.parity is None
    assert ratio.reference == "g=C"


def test_labels_may_be_missing_or_not_there():
    group, label, favourable, weights = make_rows(900)
    label[::3] = np.nan
    found = measure(group, label, favourable, weights)
    rows = (group == "A") & (label == 1)
    assert pick(found, "true_positive_rate", "A").estimate.n == rows.sum()
    none = measure(group, None, favourable, weights, no_label="no label was given")
    assert pick(none, "accuracy", "A").estimate.note == "no label was given"
    assert pick(none, "true_positive_rate_difference", "A").estimate.value is None
    assert pick(none, "selection_rate_ratio", "A").estimate.value is not None
    shown = measure(group, label, favourable, weights, selective="selective labels: half")
    assert not pick(shown, "true_positive_rate_difference", "A").estimate.assessable
    assert pick(shown, "true_positive_rate_difference", "A").estimate.value is not None
    assert pick(shown, "selection_rate_ratio", "A").estimate.assessable


def test_unknown_people_are_shown_never_compared():
    group, label, favourable, weights = make_rows(900)
    group[::5] = "unknown"
    found = measure(group, label, favourable, weights)
    assert pick(found, "selection_rate", "unknown").estimate.value is not None
    compared = {item.group["g"] for item in found.measurements if item.reference}
    assert compared == {"A", "B", "C"}


def test_effective_counts():
    assert effective_count(3.0, 10.0, 20.0) == (1.5, 5.0)
    assert effective_count(0.0, 0.0, 0.0) == (0.0, 0.0)
    assert np.isnan(EffectiveCount(0.0, 0.0).rate)
    a, b = compare_effective([EffectiveCount(4.5, 10.5), EffectiveCount(0.0, 0.0)], ["A", "B"])
    assert a.is_reference
    assert b.ratio.value is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"missing": 2}, "2 rows have no weight"),
        ({"infinite": 1}, "infinite in 1 rows"),
        ({"low": -0.5, "high": 2.0}, "negative in some rows, -0.5"),
        ({"low": 0.0, "high": 0.0}, "0 in every row"),
    ],
)
def test_weights_that_cannot_be_are_refused_at_the_door(facts, words):
    with pytest.raises(DataError, match=words):
        check_weight(ColumnFacts("w", "number", **{"low": 1.0, "high": 2.0, **facts}))


def test_infinite_weights_are_refused_in_a_table(tmp_path):
    from audit.config.schema import ExamineConfig
    from audit.examination.data.read import read_dataset

    rows = pd.DataFrame({"g": list("ab") * 4, "w": [1.0, np.inf] * 4, "d": [0, 1] * 4})
    rows.to_parquet(tmp_path / "rows.parquet")
    config = ExamineConfig.model_validate(
        {
            "data": {"audit": str(tmp_path / "rows.parquet"), "weight": "w"},
            "groups": ["g"],
            "decision": {"column": "d", "favourable": 1},
        }
    )
    with pytest.raises(DataError, match="infinite"):
        read_dataset(config)
