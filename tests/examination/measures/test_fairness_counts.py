"""Numbers from whole counts beside the rates: worst groups, average odds, treatment, epsilon, inequality, unknown."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, true_positive_rate
from scipy import stats
from sklearn.metrics import accuracy_score, confusion_matrix

from audit.evidence import Cell, CountTable, Decision, Subject
from audit.examination.measures.fairness import bayes, differential, inequality, treatment, unknown, worst
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading, measure_comparisons, measure_rates, measure_worst
from audit.statistics import pair_level, rows_needed, wilson

PLACES = (
    "positive_favourable",
    "positive_unfavourable",
    "negative_favourable",
    "negative_unfavourable",
    "unlabelled_favourable",
    "unlabelled_unfavourable",
)
PARTS = (
    worst.measure_worst_groups,
    treatment.measure_treatment,
    differential.measure_differential,
    inequality.measure_inequality,
    unknown.measure_unknown,
    bayes.measure_shrunk,
)


def cell(value, *counts):
    values = value if isinstance(value, tuple) else (value,)
    return Cell(values=values, **dict(zip(PLACES, (*counts, 0, 0)[:6], strict=True)))


def scene_of(*cells, crossed=(), reading=None, attributes=("g",), decision=None):
    groupings = [lay_out(CountTable(attributes=attributes, cells=cells), 30, 0.02)]
    pairs = [lay_out(CountTable(attributes=("g", "h"), cells=crossed), 30, 0.02)] if crossed else []
    decision = decision or Decision(favourable="score >= 0.5", threshold=0.5)
    subject = Subject(title="t", system="s", version="1", decision=decision, attributes=())
    case = SimpleNamespace(subject=subject, rng=lambda name: np.random.default_rng(0))
    return Scene(case, tuple(groupings), tuple(pairs), reading or Reading(positive_is_favourable=True))


def measure_all(scene):
    found = [item for part in PARTS for item in part(scene).measurements]
    for grouping in scene.groupings:
        for measure in (measure_rates, measure_comparisons, measure_worst):
            found += measure(grouping, scene.reading)
    return found


def pick(found, metric, group=None, attribute=None):
    (item,) = [
        item
        for item in found
        if item.metric == f"fairness.{metric}"
        and (group is None or item.group == {"g": group})
        and (attribute is None or item.attribute == attribute)
    ]
    return item.estimate


A, B, C = cell("A", 60, 20, 30, 90), cell("B", 45, 30, 10, 80), cell("C", 50, 10, 40, 50, 7, 3)


@pytest.fixture(scope="module")
def three():
    return measure_all(scene_of(A, B, C))


def rows_of(*cells):
    """Group, label, decision row by row, for oracles that want rows; unlabelled people are left out."""
    out = []
    for one in cells:
        for (label, decided), place in zip([(1, 1), (1, 0), (0, 1), (0, 0)], PLACES, strict=False):
            out += [(one.values[0], label, decided)] * getattr(one, place)
    return pd.DataFrame(out, columns=["group", "label", "decided"])


def test_worst_groups_are_those_of_fairlearn(three):
    rows = rows_of(A, B, C)
    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, "tpr": true_positive_rate},
        y_true=rows["label"],
        y_pred=rows["decided"],
        sensitive_features=rows["group"],
    )
    accuracy, tpr = pick(three, "worst_group_accuracy"), pick(three, "worst_group_true_positive_rate")
    assert accuracy.value == frame.group_min()["accuracy"]
    assert tpr.value == frame.group_min()["tpr"]
    assert pick(three, "worst_group_error_rate").value == pytest.approx(1 - frame.group_min()["accuracy"])
    assert accuracy.note == f"g={frame.by_group['accuracy'].idxmin()}"
    each = pair_level(0.95, 3)
    ends = [wilson(k, n, each) for k, n in ((60, 80), (45, 75), (50, 60))]
    assert (tpr.low, tpr.high) == pytest.approx((min(low for low, _ in ends), min(high for _, high in ends)))


def test_average_odds_is_the_largest_over_pairs(three):
    rows = rows_of(A, B, C)
    frame = MetricFrame(
        metrics={"tpr": true_positive_rate, "fpr": false_positive_rate},
        y_true=rows["label"],
        y_pred=rows["decided"],
        sensitive_features=rows["group"],
    ).by_group
    # AI Fairness 360: ((fpr_g - fpr_h) + (tpr_g - tpr_h)) / 2
    gaps = [abs((frame.loc[g] - frame.loc[h]).sum() / 2) for g in "ABC" for h in "ABC"]
    odds = pick(three, "average_odds_difference")
    assert odds.value == pytest.approx(max(gaps))
    assert odds.low < odds.value < odds.high
    assert odds.note == "g=B against g=C"
    assert "over 3 comparisons" in odds.method


def test_average_odds_can_cancel_where_equalized_odds_does_not():
    # true positive rates differ by .3 one way, false positive rates by .3 the other way
    found = measure_all(scene_of(cell("A", 80, 20, 20, 80), cell("B", 50, 50, 50, 50)))
    assert pick(found, "average_odds_difference").value == pytest.approx(0)
    assert pick(found, "average_odds_difference").low == 0
    assert pick(found, "equalized_odds_difference").value == pytest.approx(0.3)


def test_treatment_equality_by_hand(three):
    found = pick(three, "treatment_equality", "A")
    assert found.value == pytest.approx(20 / 30)
    low, high = wilson(20, 50)
    assert (found.low, found.high) == pytest.approx((low / (1 - low), high / (1 - high)))
    assert (found.n, found.count) == (50, None)
    ratio = pick(three, "treatment_equality_ratio")
    assert ratio.value == pytest.approx((10 / 40) / (30 / 10))
    assert ratio.note == "g=C against g=B"
    assert ratio.low < ratio.value < ratio.high < 1
    turned = measure_all(scene_of(A, B, reading=Reading(positive_is_favourable=False)))
    # flagged people are predicted positive: A has 60 false negatives and 90 false positives
    assert pick(turned, "treatment_equality", "A").value == pytest.approx(60 / 90)


def test_epsilon_of_attribute_and_intersection():
    crossed = (cell(("A", "x"), 30, 10, 15, 45), cell(("A", "y"), 30, 10, 15, 45), cell(("B", "x"), 45, 30, 10, 80))
    found = measure_all(scene_of(A, B, crossed=crossed))
    rates = [(90 + 0.5) / 201, (55 + 0.5) / 166]
    expected = max(math.log(rates[0] / rates[1]), math.log((1 - rates[1]) / (1 - rates[0])))
    epsilon = pick(found, "differential_fairness", attribute="g")
    assert epsilon.value == pytest.approx(expected)
    assert "smoothed by 1/2 per outcome" in epsilon.method
    assert epsilon.low < epsilon.value < epsilon.high
    assert pick(found, "differential_fairness", attribute="g * h").value > 0
    labels = [(80 + 0.5) / 201, (75 + 0.5) / 166]
    of_labels = max(abs(math.log(f(labels[0]) / f(labels[1]))) for f in (lambda x: x, lambda x: 1 - x))
    added = pick(found, "bias_amplification", attribute="g")
    assert added.value == pytest.approx(expected - of_labels)
    assert added.low < 0 < added.high


def test_an_outcome_that_was_never_seen_has_no_upper_end():
    found = measure_all(scene_of(cell("A", 0, 40, 0, 60), cell("B", 40, 10, 20, 30)))
    epsilon = pick(found, "differential_fairness")
    assert epsilon.high is None
    assert epsilon.low > 1
    assert pick(found, "bias_amplification").high is None


def test_inequality_of_benefit_row_by_row(three):
    rows = rows_of(A, B, C)
    benefit = 1 + rows["decided"] - rows["label"]
    relative = benefit / benefit.mean()
    index = pick(three, "generalized_entropy_index")
    assert index.value == pytest.approx(((relative**2) - 1).mean() / 2)
    assert pick(three, "theil_index").value == pytest.approx(np.log(relative**relative).mean())
    by_group = benefit.groupby(rows["group"]).transform("mean") / benefit.mean()
    between = pick(three, "between_group_generalized_entropy_index", attribute="g")
    assert between.value == pytest.approx(((by_group**2) - 1).mean() / 2)
    for estimate in (index, between, pick(three, "theil_index")):
        assert 0 <= estimate.low <= estimate.value <= estimate.high
        assert estimate.n == len(rows)
    turned = measure_all(scene_of(A, B, C, reading=Reading(positive_is_favourable=False)))
    other = 1 + rows["decided"] - (1 - rows["label"])  # the negative label deserves the favourable decision
    assert pick(turned, "generalized_entropy_index").value == pytest.approx(
        ((other / other.mean()) ** 2 - 1).mean() / 2
    )


def test_few_mistakes_are_too_few_to_resample():
    found = measure_all(scene_of(cell("A", 100, 1, 0, 100), cell("B", 100, 0, 0, 100)))
    index = pick(found, "generalized_entropy_index")
    assert index.value > 0
    assert not index.assessable
    assert "1 people are decided wrongly" in index.note
    perfect = pick(measure_all(scene_of(cell("A", 100, 0, 0, 100), cell("B", 100, 0, 0, 100))), "theil_index")
    assert perfect.value == 0
    assert not perfect.has_interval
    assert not perfect.assessable


def test_unknown_people_bound_every_ratio():
    labels = Reading(positive_is_favourable=True, no_label="no label was given")
    cells = [cell("A", 0, 0, 0, 0, 260, 340), cell("B", 0, 0, 0, 0, 300, 300), cell("unknown", 0, 0, 0, 0, 40, 60)]
    found = measure_all(scene_of(*cells, reading=labels))
    bounds = pick(found, "selection_rate_ratio_bounds", "A")
    assert bounds.value == pytest.approx(0.867, abs=5e-4)
    assert (round(bounds.low, 3), bounds.high) == (0.742, 1.0)
    assert bounds.level == 1.0
    assert "no sampling error" in bounds.method
    best = pick(found, "selection_rate_ratio_bounds", "B")
    assert (best.value, best.high) == (1.0, 1.0)
    assert best.low == pytest.approx((300 / 660) / (300 / 640))
    nobody_unknown = measure_all(scene_of(*cells[:2], reading=labels))
    assert not [item for item in nobody_unknown if item.metric == "fairness.selection_rate_ratio_bounds"]


def test_shrunk_rates_are_a_description_only(three):
    k, n = np.array([90, 55, 97]), np.array([200, 165, 160])
    shrunk = [pick(three, "selection_rate_shrunk", name) for name in "ABC"]
    mean = k.sum() / n.sum()
    for estimate, rate in zip(shrunk, k / n, strict=True):
        assert min(rate, mean) < estimate.value < max(rate, mean)
        assert not estimate.assessable
        assert estimate.note.startswith("description only")
    strength = float(shrunk[0].note.rpartition(" people")[0].rpartition(" ")[2])
    at = [-stats.betabinom.logpmf(k, n, s * 0.46, s * 0.54).sum() for s in (strength / 3, strength, strength * 3)]
    assert at[1] < min(at[0], at[2])


@pytest.mark.parametrize("kinds", [2, 3])
def test_rows_needed_pays_for_all_pairs(kinds):
    found = pick(measure_all(scene_of(*[A, B, C][:kinds])), "rows_needed")
    best = 90 / 200 if kinds == 2 else 97 / 160
    assert found.value == rows_needed(best, 0.8, level=pair_level(0.95, kinds * (kinds - 1) // 2))
    assert f"{best:.1%}" in found.note


def test_further_rates_equal_the_confusion_matrix(three):
    for one in (A, B, C):
        rows = rows_of(one)
        tn, fp, fn, tp = confusion_matrix(rows["label"], rows["decided"]).ravel()
        name = one.values[0]
        for metric, k, n in (
            ("true_negative_rate", tn, tn + fp),
            ("false_negative_rate", fn, fn + tp),
            ("negative_predictive_value", tn, tn + fn),
            ("false_discovery_rate", fp, fp + tp),
            ("false_omission_rate", fn, fn + tn),
        ):
            estimate = pick(three, metric, name)
            assert (estimate.count, estimate.n, estimate.value) == (k, n, k / n)
            assert (estimate.low, estimate.high) == pytest.approx(
                stats.binomtest(int(k), int(n)).proportion_ci(method="wilson")
            )
    ratio = pick(three, "false_omission_rate_ratio", "B")
    assert ratio.value == pytest.approx((30 / 110) / (10 / 60))
    assert pick(three, "negative_predictive_value_difference", "B").value == pytest.approx(50 / 60 - 80 / 110)


def test_intersections_keep_to_the_main_numbers():
    crossed = (cell(("A", "x"), 30, 10, 15, 45), cell(("B", "x"), 45, 30, 10, 80))
    found = measure_all(scene_of(A, B, crossed=crossed))
    single = {item.metric for item in found if set(item.group) == {"g"} or item.attribute == "g"}
    both = {item.metric for item in found if set(item.group) == {"g", "h"} or item.attribute == "g * h"}
    assert {
        f"fairness.{name}" for name in ("false_omission_rate", "worst_group_accuracy", "rows_needed")
    } <= single - both
    assert {
        f"fairness.{name}" for name in ("selection_rate_ratio", "error_rate_ratio", "differential_fairness")
    } <= both


ODD = {
    "no positives": (cell("A", 0, 0, 40, 60), B),
    "no negatives": (cell("A", 40, 60, 0, 0), B),
    "one person": (cell("A", 1, 0, 0, 0), B),
    "one class everywhere": (cell("A", 40, 60, 0, 0), cell("B", 30, 50, 0, 0)),
    "nobody selected": (cell("A", 0, 40, 0, 60), cell("B", 0, 30, 0, 70)),
    "everybody selected": (cell("A", 40, 0, 60, 0), cell("B", 30, 0, 70, 0)),
    "no labels": (cell("A", 0, 0, 0, 0, 40, 60), cell("B", 0, 0, 0, 0, 30, 70)),
    "no label in one group": (cell("A", 0, 0, 0, 0, 40, 60), B, C),
    "one group": (A,),
    "nobody known": (cell("unknown", 60, 20, 30, 90),),
    "all wrong": (cell("A", 0, 40, 60, 0), cell("B", 0, 50, 50, 0)),
    "all right": (cell("A", 40, 0, 0, 60), cell("B", 50, 0, 0, 50)),
    "only denied": (cell("A", 0, 100, 0, 0), cell("B", 0, 90, 0, 0)),
    "tiny and unknown": (A, B, cell("C", 1, 0, 0, 1), cell("unknown", 3, 1, 2, 1)),
}


@pytest.mark.parametrize("favourable", [True, False])
@pytest.mark.parametrize("cells", ODD.values(), ids=ODD.keys())
def test_odd_groups_have_a_number_or_a_reason(cells, favourable):
    found = measure_all(scene_of(*cells, reading=Reading(positive_is_favourable=favourable)))
    assert found
    for item in found:
        estimate = item.estimate
        if estimate.value is None:
            assert estimate.note
            assert not estimate.assessable
            assert not estimate.has_interval
            continue
        assert math.isfinite(estimate.value)
        assert estimate.low is None or estimate.low <= estimate.value
        assert estimate.high is None or estimate.value <= estimate.high
        if (
            estimate.low is not None
            and estimate.low == estimate.high
            and item.metric != "fairness.selection_rate_ratio_bounds"
        ):
            assert estimate.method == "by definition"


def test_undefined_is_never_zero():
    none = measure_all(scene_of(*ODD["no positives"]))
    for metric in ("true_positive_rate", "false_negative_rate"):
        assert pick(none, metric, "A").value is None
    assert pick(none, "average_odds_difference").value is None
    assert pick(none, "worst_group_true_positive_rate").value == 45 / 75
    assert not pick(none, "worst_group_true_positive_rate").assessable
    assert pick(none, "treatment_equality", "A").value == 0.0  # forty false positives and no false negative
    right = measure_all(scene_of(*ODD["all right"]))
    assert pick(right, "treatment_equality", "A").value is None
    assert pick(right, "treatment_equality_ratio").value is None
    nobody = measure_all(scene_of(*ODD["nobody selected"]))
    assert pick(nobody, "precision", "A").value is None
    assert pick(nobody, "selection_rate_ratio", "A").value is None
    assert pick(nobody, "rows_needed").value is None
    denied = measure_all(scene_of(*ODD["only denied"]))
    assert pick(denied, "generalized_entropy_index").value is None
    unlabelled = measure_all(scene_of(*ODD["no label in one group"]))
    assert not pick(unlabelled, "bias_amplification").assessable
    assert not pick(unlabelled, "between_group_generalized_entropy_index").assessable


def test_without_decision_or_prediction_nothing_is_made_up():
    scene = scene_of(A, B, decision=Decision(favourable="x", predicts=False))
    metrics = {item.metric for part in PARTS for item in part(scene).measurements}
    assert metrics == {"fairness.rows_needed", "fairness.differential_fairness", "fairness.selection_rate_shrunk"}
    scene.case.subject = scene.case.subject.model_copy(update={"decision": None})
    assert not [item for part in PARTS for item in part(scene).measurements]


def test_selective_labels_are_shown_not_judged():
    found = measure_all(
        scene_of(A, B, C, reading=Reading(positive_is_favourable=True, selective="selective labels: half"))
    )
    for metric in (
        "average_odds_difference",
        "worst_group_accuracy",
        "treatment_equality_ratio",
        "bias_amplification",
        "theil_index",
        "between_group_generalized_entropy_index",
    ):
        estimate = pick(found, metric)
        assert estimate.value is not None
        assert not estimate.assessable
        assert "selective" in estimate.note
    assert pick(found, "differential_fairness").assessable
