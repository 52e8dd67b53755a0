"""Bands and classes by group beside scikit-learn and the two-sided rates."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    precision_score,
)

from audit.evidence import AttributeUsed, Decision, Subject
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.outcomes import count_outcomes, measure_outcomes
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading, measure_comparisons
from audit.examination.measures.fairness.several import DEFINITIONS
from audit.examination.tally.roll import Roll, roll_of
from audit.examination.tally.tally import build_tally

NAMES = ("approve", "refer", "decline")


def make_rows(n=1500, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    sex = rng.choice(np.array(["F", "M", "unknown"], object), n, p=[0.45, 0.5, 0.05])
    truth = rng.choice(3, n, p=[0.5, 0.2, 0.3])
    outcome = np.where(rng.random(n) < np.where(sex == "F", 0.55, 0.7), truth, rng.choice(3, n))
    truth = np.where(rng.random(n) < missing, -1, truth)
    return sex, truth, outcome


def make_scene(sex, truth, outcome, *, favoured=(), classes=NAMES, small_count=30, roll=None, **reading):
    favourable = np.isin(outcome, [NAMES.index(name) for name in favoured]) if favoured else None
    label = None if truth is None else np.where(truth < 0, np.nan, (truth == 0).astype(float))
    tally = build_tally({"sex": sex}, label, favourable)
    decision = Decision(favourable="x", outcomes=NAMES, favourable_outcomes=tuple(favoured)) if favoured else None
    subject = Subject(
        title="t",
        system="s",
        version="1",
        task="multiclass" if classes else "binary",
        classes=classes,
        decision=decision,
        attributes=(AttributeUsed(name="sex", column="sex"),),
    )
    roll = roll or roll_of({"sex": sex}, label, None, favourable, outcomes=NAMES, outcome=outcome, truth=truth)
    case = SimpleNamespace(subject=subject, roll=roll)
    grouping = lay_out(tally.table(("sex",)), small_count, 0.02)
    return Scene(case, (grouping,), (), Reading(True, "" if truth is not None else "no label was given", **reading))


def pick(found, metric, outcome=None, **group):
    (item,) = [
        item
        for item in found.measurements
        if item.metric == f"fairness.{metric}" and item.group == group and item.outcome == outcome
    ]
    return item


@pytest.fixture(scope="module")
def rows():
    return make_rows()


@pytest.fixture(scope="module")
def found(rows):
    return measure_outcomes(make_scene(*rows))


def test_the_table_is_the_confusion_matrix(rows, found):
    sex, truth, outcome = rows
    (table,) = found.records["outcome_tables"]
    assert (table.kind, table.outcomes) == ("class", NAMES)
    for group in ("F", "M", "unknown"):
        here = sex == group
        counted = np.zeros((3, 3), int)
        for cell in table.cells:
            if cell.values == (group,):
                counted[NAMES.index(cell.truth), NAMES.index(cell.outcome)] = cell.n
        np.testing.assert_array_equal(counted, confusion_matrix(truth[here], outcome[here]))


def test_every_number_equals_sklearn(rows, found):
    sex, truth, outcome = rows
    for group in ("F", "M", "unknown"):
        true, predicted = truth[sex == group], outcome[sex == group]
        report = classification_report(true, predicted, target_names=NAMES, output_dict=True)
        for place, name in enumerate(NAMES):
            assert pick(found, "outcome_rate", name, sex=group).estimate.value == (predicted == place).mean()
            rate = pick(found, "outcome_true_positive_rate", name, sex=group).estimate
            assert rate.value == pytest.approx(report[name]["recall"], abs=1e-15)
            assert rate.n == report[name]["support"]
            precision = pick(found, "outcome_precision", name, sex=group).estimate.value
            assert precision == pytest.approx(report[name]["precision"], abs=1e-15)
            false = pick(found, "outcome_false_positive_rate", name, sex=group).estimate.value
            assert false == pytest.approx((predicted[true != place] == place).mean(), abs=1e-15)
        for metric, wanted in (
            ("accuracy", accuracy_score(true, predicted)),
            ("error_rate", 1 - accuracy_score(true, predicted)),
            ("macro_true_positive_rate", balanced_accuracy_score(true, predicted)),
            ("macro_precision", precision_score(true, predicted, average="macro")),
            ("macro_f1", f1_score(true, predicted, average="macro")),
        ):
            estimate = pick(found, metric, sex=group).estimate
            assert estimate.value == pytest.approx(wanted, abs=1e-14)
            assert estimate.low < estimate.value < estimate.high


def test_a_favourable_outcome_is_compared_as_a_selection(rows):
    """Ratio, difference and test of a favourable band are those of its selection rate, to the last digit."""
    sex, _, outcome = rows
    scene = make_scene(sex, None, outcome, favoured=["approve"], classes=())
    found = measure_outcomes(scene)
    selected = [item for item in measure_comparisons(scene.singles[0], scene.reading) if "selection" in item.metric]
    assert selected
    for item in selected:
        mine = pick(
            found, item.metric.removeprefix("fairness.").replace("selection", "outcome"), "approve", **item.group
        )
        assert (mine.estimate.value, mine.estimate.low, mine.estimate.high) == (
            item.estimate.value,
            item.estimate.low,
            item.estimate.high,
        )
        assert (mine.parity, mine.reference) == (item.parity, item.reference)


def test_the_best_share_of_an_unfavourable_band_is_the_lowest(rows):
    sex, _, outcome = rows
    shares = {group: (outcome[sex == group] == 2).mean() for group in ("F", "M")}
    for favoured, best in ((["approve"], min), (["decline"], max), ((), max)):
        found = measure_outcomes(make_scene(sex, None, outcome, favoured=favoured, classes=()))
        reference = best(shares, key=shares.get)
        for group, share in shares.items():
            item = pick(found, "outcome_rate_difference", "decline", sex=group)
            assert item.reference == f"sex={reference}"
            gap = share - shares[reference] if best is min else shares[reference] - share
            assert item.estimate.value == pytest.approx(gap)
            assert item.estimate.value >= 0
    assert found.notes == (
        "None of the bands was declared good for people: each group is compared with the highest share.",
    )


def test_bands_have_no_truth(rows):
    sex, _, outcome = rows
    found = measure_outcomes(make_scene(sex, None, outcome, favoured=["approve"], classes=()))
    (table,) = found.records["outcome_tables"]
    assert table.kind == "band"
    assert {cell.truth for cell in table.cells} == {None}
    assert {item.metric for item in found.measurements} == {
        f"fairness.outcome_rate{tail}" for tail in ("", "_ratio", "_difference")
    }


def test_people_without_a_label_count_where_no_label_is_needed():
    sex, truth, outcome = make_rows(missing=0.3)
    found = measure_outcomes(make_scene(sex, truth, outcome))
    here = sex == "F"
    assert pick(found, "outcome_rate", "refer", sex="F").estimate.n == here.sum()
    known = here & (truth >= 0)
    accuracy = pick(found, "accuracy", sex="F").estimate
    assert (accuracy.n, accuracy.value) == (known.sum(), accuracy_score(truth[known], outcome[known]))
    (table,) = found.records["outcome_tables"]
    assert sum(cell.n for cell in table.cells if cell.truth is None) == (truth < 0).sum()


def test_without_any_label_only_shares_are_measured(rows):
    sex, _, outcome = rows
    found = measure_outcomes(make_scene(sex, None, outcome))
    assert found.records["outcome_tables"][0].kind == "class"
    assert {item.metric for item in found.measurements} == {
        f"fairness.outcome_rate{tail}" for tail in ("", "_ratio", "_difference")
    }


def test_what_a_group_does_not_have_is_undefined():
    sex = np.array(["F"] * 60 + ["M"] * 60, object)
    truth = np.r_[np.tile([0, 1], 30), np.tile([0, 1, 2], 20)]
    outcome = np.r_[np.tile([0, 1], 30), np.tile([0, 1, 1], 20)]
    found = measure_outcomes(make_scene(sex, truth, outcome))
    for metric, outcome_name, why in (
        ("outcome_true_positive_rate", "decline", "nobody in this group is truly decline"),
        ("outcome_true_positive_rate_difference", "decline", "nobody in this group is truly decline"),
        ("outcome_precision", "decline", "nobody in this group is predicted to be decline"),
        ("macro_true_positive_rate", None, "nobody is truly of the class decline"),
        ("macro_precision", None, "nobody is predicted to be of the class decline"),
        ("macro_f1", None, "of the class decline"),
    ):
        estimate = pick(found, metric, outcome_name, sex="F").estimate
        assert estimate.value is None
        assert why in estimate.note
        assert not estimate.assessable
    assert pick(found, "macro_true_positive_rate", sex="M").estimate.value == pytest.approx(2 / 3)


def test_small_groups_and_selective_labels_are_shown_and_not_judged(rows):
    sex, truth, outcome = rows
    found = measure_outcomes(make_scene(sex, truth, outcome, small_count=700, selective="labels are selective"))
    share = pick(found, "outcome_rate", "approve", sex="F").estimate
    assert "shown, not judged" in share.note
    for metric in ("accuracy", "macro_f1", "macro_true_positive_rate"):
        estimate = pick(found, metric, sex="M").estimate
        assert "labels are selective" in estimate.note
        assert estimate.value is not None
        assert not estimate.assessable


def test_entries_of_many_rows_count_as_many(rows):
    sex, truth, outcome = rows
    keys, first, count = np.unique(
        np.array([f"{a}{b}{c}" for a, b, c in zip(sex, truth, outcome, strict=True)]),
        return_index=True,
        return_counts=True,
    )
    full = roll_of({"sex": sex}, None, None, None, outcomes=NAMES, outcome=outcome, truth=truth)
    short = Roll(
        levels=full.levels,
        codes={"sex": full.codes["sex"][first]},
        label=None,
        score=None,
        favourable=None,
        count=count,
        outcomes=NAMES,
        outcome=outcome[first],
        truth=truth[first],
        width=0.1,
    )
    assert len(keys) < 40
    scene = make_scene(sex, truth, outcome)
    np.testing.assert_array_equal(count_outcomes(scene.singles[0], short), count_outcomes(scene.singles[0], full))
    assert measure_outcomes(make_scene(sex, truth, outcome, roll=short)) == measure_outcomes(scene)


def test_two_sides_have_no_outcomes(rows):
    sex, truth, _ = rows
    scene = make_scene(sex, truth, truth, roll=roll_of({"sex": sex}, None, None, None))
    assert measure_outcomes(scene).measurements == ()


def test_everything_is_defined(found):
    known = {definition.id for definition in DEFINITIONS} | {
        f"fairness.{name}" for name in ("accuracy", "accuracy_difference", "error_rate", "error_rate_ratio")
    }
    assert {item.metric for item in found.measurements} <= known
