"""Performance against scikit-learn, intervals against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from glass_material import Formula, make_case, make_features, make_truth, true_link
from sklearn import metrics

from audit.evidence import NotDone
from audit.examination.blackbox.score import Scores
from audit.examination.glassbox.fit import Fits, fit_glassboxes
from audit.examination.measures.paired import paired_auc_gap, paired_rmse_gap, paired_share_gap
from audit.examination.measures.performance import DEFINITIONS, measure_performance


@pytest.fixture(scope="module")
def case():
    frame, link, label = make_truth(1200, seed=2)
    label[::50] = np.nan
    fits = fit_glassboxes(frame, make_features(), label=label, link=link, effort="fast", n_jobs=1)
    return make_case(frame, link=link, label=label, blackbox=Formula(true_link), fits=fits)


@pytest.fixture(scope="module")
def section(case):
    return measure_performance(case)


def get(section, metric, model):
    (found,) = [m for m in section.measurements if (m.metric, m.model) == (f"performance.{metric}", model)]
    return found.estimate


def scores_of(case, model):
    known = np.isfinite(case.label)
    link = case.scores.link if model == "black_box" else case.fits.out_of_fold[model]
    return case.label[known], 1 / (1 + np.exp(-link[known]))


ORACLES = {
    "accuracy": lambda y, p: metrics.accuracy_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: metrics.balanced_accuracy_score(y, p >= 0.5),
    "auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
}


@pytest.mark.parametrize("model", ["black_box", "ebm_label", "net_label"])
@pytest.mark.parametrize("metric", ORACLES)
def test_numbers_are_scikit_learns(case, section, metric, model):
    label, score = scores_of(case, model)
    estimate = get(section, metric, model)
    assert estimate.value == pytest.approx(ORACLES[metric](label, score), abs=1e-12)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.n == label.size


@pytest.mark.parametrize("metric", ORACLES)
def test_intervals_are_as_wide_as_a_bootstrap_says(case, section, metric):
    label, score = scores_of(case, "black_box")
    rng = np.random.default_rng(0)
    values = []
    for _ in range(300):
        rows = rng.integers(0, label.size, label.size)
        values.append(ORACLES[metric](label[rows], score[rows]))
    estimate = get(section, metric, "black_box")
    ratio = (estimate.high - estimate.low) / (2 * 1.96 * np.std(values))
    # average precision: the interval on the positives alone is known to be wider
    assert 0.85 < ratio < (1.6 if metric == "average_precision" else 1.2)


def test_gaps_are_black_box_minus_glass_box(section):
    for model in ("ebm_label", "net_label"):
        for gap, metric in (("accuracy_gap", "accuracy"), ("auc_gap", "auc")):
            estimate = get(section, gap, model)
            expected = get(section, metric, "black_box").value - get(section, metric, model).value
            assert estimate.value == pytest.approx(expected, abs=1e-12)
            assert estimate.low <= estimate.value <= estimate.high


def test_pairing_narrows_the_gap(section):
    alone = get(section, "auc", "black_box")
    gap = get(section, "auc_gap", "net_label")
    assert gap.high - gap.low < 0.7 * (alone.high - alone.low)


def test_the_paired_intervals_hold_their_level():
    rng = np.random.default_rng(0)
    hits = {"share": 0, "auc": 0, "rmse": 0}
    draws, n = 300, 150
    big = rng.normal(size=200_000)
    label_big = (rng.random(200_000) < 1 / (1 + np.exp(-big))).astype(float)
    noisy_big = big + rng.normal(size=200_000)
    true_auc = metrics.roc_auc_score(label_big, big) - metrics.roc_auc_score(label_big, noisy_big)
    for _ in range(draws):
        x = rng.normal(size=n)
        y = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(float)
        z = x + rng.normal(size=n)
        gap = paired_auc_gap(x, z, y)
        hits["auc"] += gap.low <= true_auc <= gap.high
        first = rng.random(n) < 0.8
        second = np.where(rng.random(n) < 0.7, first, rng.random(n) < 0.8)
        share = paired_share_gap(first, second)
        hits["share"] += share.low <= 0 <= share.high
        a = rng.normal(size=n)
        b = 0.8 * a + 0.6 * rng.normal(size=n)
        rmse = paired_rmse_gap(a, b)
        hits["rmse"] += rmse.low <= 0 <= rmse.high
    for name, count in hits.items():
        assert 0.91 <= count / draws <= 0.99, name


def test_equal_models_have_no_gap():
    hit = np.array([True, False] * 50)
    gap = paired_share_gap(hit, hit)
    assert gap.value == 0
    assert gap.low < 0 < gap.high
    score, label = np.arange(100.0), np.tile([0.0, 1.0], 50)
    same = paired_auc_gap(score, score, label)
    assert same.value == 0
    assert not same.assessable


def test_the_caution_stands_where_training_rows_are_unknown(case, section):
    assert "may favour the black box" in section.caution
    known = make_case(
        case.frame,
        link=case.scores.link,
        label=case.label,
        blackbox=case.blackbox,
        fits=case.fits,
        config={"data": {"audit": "rows.csv", "model_train": "none of these"}},
    )
    assert measure_performance(known).caution == ""


def test_unlabelled_rows_are_counted_and_left_out(section):
    assert section.rows == 1200 - 24
    assert any("24 rows have no label" in note for note in section.notes)


def test_a_low_score_that_is_good_predicts_the_high_side(case):
    """COMPAS: `score < 0.5` is favourable, the positive class is still the high side."""
    low = make_case(
        case.frame,
        link=case.scores.link,
        label=case.label,
        fits=case.fits,
        config={"decision": {"favourable": "score < 0.5"}},
    )
    high = measure_performance(make_case(case.frame, link=case.scores.link, label=case.label, fits=case.fits))
    assert measure_performance(low).measurements == high.measurements


def test_decisions_alone_have_accuracy_but_no_auc(case):
    positive = case.scores.score >= 0.4
    scores = Scores(None, None, positive, positive)
    section = measure_performance(
        make_case(
            case.frame,
            label=case.label,
            scores=scores,
            fits=Fits(),
            config={"decision": {"column": "d", "favourable": "yes"}},
        )
    )
    assert {m.metric for m in section.measurements} == {"performance.accuracy", "performance.balanced_accuracy"}


def test_stored_decisions_are_matched_by_their_number(case):
    positive = case.scores.score >= 0.3
    scores = Scores(case.scores.score, case.scores.link, positive, positive)
    section = measure_performance(
        make_case(
            case.frame,
            label=case.label,
            scores=scores,
            fits=case.fits,
            config={"decision": {"column": "d", "favourable": "yes"}},
        )
    )
    assert get(section, "accuracy", "net_label").value is not None


def test_bands_predict_no_class(case):
    scores = Scores(case.scores.score, case.scores.link, case.scores.score > 0.5, None)
    section = measure_performance(make_case(case.frame, label=case.label, scores=scores, fits=case.fits))
    assert get(section, "accuracy", "black_box").value is None
    assert get(section, "accuracy", "net_label").value is None
    assert get(section, "auc", "black_box").value is not None


def test_scores_that_are_no_probabilities_have_no_brier_score(case):
    points = np.round(10 * case.scores.score)
    scores = Scores(points, points, points > 5, points > 5)
    section = measure_performance(make_case(case.frame, label=case.label, scores=scores))
    assert get(section, "brier", "black_box").value is None
    assert get(section, "auc", "black_box").value is not None


def test_perfect_separation_has_no_interval_of_zero_width(case):
    label = (case.scores.score > 0.5).astype(float)
    estimate = get(measure_performance(make_case(case.frame, link=case.scores.link, label=label)), "auc", "black_box")
    assert estimate.value == 1
    assert estimate.low is None
    assert not estimate.assessable


def test_one_class_is_undefined_never_zero(case):
    section = measure_performance(make_case(case.frame, link=case.scores.link, label=np.ones(1200)))
    for metric in ("auc", "average_precision", "balanced_accuracy"):
        assert get(section, metric, "black_box").value is None
        assert get(section, metric, "black_box").note


def test_a_value_is_judged_by_its_errors(case):
    frame, link, _ = make_truth(800, seed=4)
    label = link + np.random.default_rng(0).normal(size=800)
    fits = fit_glassboxes(frame, make_features(), label=label, kind="regression", effort="fast", n_jobs=1)
    section = measure_performance(make_case(frame, link=link, label=label, fits=fits, task="regression"))
    rmse, mae = get(section, "rmse", "black_box"), get(section, "mae", "black_box")
    assert rmse.value == pytest.approx(metrics.root_mean_squared_error(label, link))
    assert mae.value == pytest.approx(metrics.mean_absolute_error(label, link))
    assert rmse.low < 1 < rmse.high
    gap = get(section, "rmse_gap", "net_label")
    assert gap.value == pytest.approx(rmse.value - get(section, "rmse", "net_label").value)


def test_no_label_is_not_done(case):
    for label in (None, np.full(1200, np.nan)):
        assert isinstance(measure_performance(make_case(case.frame, link=case.scores.link, label=label)), NotDone)
    assert isinstance(
        measure_performance(make_case(case.frame, label=np.ones(1200), scores=Scores(None, None, np.ones(1200), None))),
        NotDone,
    )


def test_every_metric_is_defined(section):
    assert {m.metric for m in section.measurements} <= {definition.id for definition in DEFINITIONS}
