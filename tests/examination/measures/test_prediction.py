"""Numbers of the black box over everybody: counted rows are the rows, binned scores stay within what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from glass_material import make_case, make_truth
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from audit.evidence import NotDone
from audit.examination.glassbox.fit import Fits
from audit.examination.measures.calibration import (
    calibration_error,
    calibration_slope,
    cut_bins,
    measure_calibration,
    null_error,
)
from audit.examination.measures.ordered import say_bound, squared_errors
from audit.examination.measures.performance import measure_performance
from audit.examination.measures.prediction import (
    Labelled,
    Predictions,
    label_rows,
    mean_estimate_of,
    measure_class,
    predict_everybody,
    root_mean_square,
)
from audit.examination.tally.condense import condense_roll

entries = st.lists(
    st.tuples(st.integers(1, 19), st.booleans(), st.booleans(), st.integers(1, 6)), min_size=3, max_size=25
)


def get(section, metric, model="black_box"):
    (found,) = [m for m in section.measurements if (m.metric.partition(".")[2], m.model) == (metric, model)]
    return found.estimate


@settings(max_examples=80)
@given(entries)
def test_counted_rows_are_the_rows(rows):
    score, label, positive, count = (np.array(column) for column in zip(*rows, strict=True))
    score, label = score / 20, label.astype(float)
    counted = measure_class(Predictions("m", score, positive), Labelled(label, count))
    every = [np.repeat(column, count) for column in (score, label, positive)]
    apart = measure_class(Predictions("m", every[0], every[2]), label_rows(every[1]))
    for one, two in zip(counted, apart, strict=True):
        a, b = one.estimate, two.estimate
        assert (a.n, a.count, a.note, a.method) == (b.n, b.count, b.note, b.method)
        for first, second in ((a.value, b.value), (a.low, b.low), (a.high, b.high)):
            assert first == (second if second is None else pytest.approx(second, abs=1e-12))


@settings(max_examples=60)
@given(entries, st.integers(0, 999))
def test_counted_rows_are_calibrated_as_the_rows(rows, seed):
    score, label, _, count = (np.array(column) for column in zip(*rows, strict=True))
    score, label = score / 20, label.astype(float)
    every, theirs = np.repeat(score, count), np.repeat(label, count)
    bins, apart = cut_bins(score, count), cut_bins(every)
    assert np.repeat(bins, count).tolist() == apart.tolist()
    assert calibration_error(score, label, bins, count) == pytest.approx(
        calibration_error(every, theirs, apart), abs=1e-12
    )
    assert 0 <= null_error(score, bins, np.random.default_rng(seed), count) <= 1
    one, two = calibration_slope(score, label, count), calibration_slope(every, theirs)
    assert one.note == two.note
    if one.value is not None:
        assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high), rel=1e-6, abs=1e-8)


def test_chance_of_counted_rows_is_that_of_the_rows():
    rng = np.random.default_rng(0)
    score, count = np.sort(rng.beta(2, 3, 400)), rng.integers(1, 4, 400)
    bins = cut_bins(score, count)
    every = np.repeat(score, count)
    ours = null_error(score, bins, np.random.default_rng(1), count)
    assert ours == pytest.approx(null_error(every, cut_bins(every), np.random.default_rng(2)), rel=0.07)
    assert null_error(score, bins, np.random.default_rng(1), count, chunks=8) == pytest.approx(ours, rel=0.07)


@pytest.fixture(scope="module")
def cases():
    frame, link, label = make_truth(3000, seed=6)
    label[::30] = np.nan
    fits = Fits(out_of_fold={"net_label": 0.8 * link})
    case = make_case(frame, link=link, label=label, fits=fits)
    return case, replace(case, roll=condense_roll(case.roll))


def test_binned_scores_stay_within_what_they_promise(cases):
    exact, binned = (measure_performance(case) for case in cases)
    assert exact.rows == binned.rows == 2900
    assert exact.notes == binned.notes
    for metric in ("accuracy", "balanced_accuracy"):
        assert get(binned, metric) == get(exact, metric)
    assert get(binned, "brier").value == pytest.approx(get(exact, "brier").value, abs=1e-12)
    assert get(binned, "log_loss").value == pytest.approx(get(exact, "log_loss").value, abs=1e-3)
    assert get(binned, "average_precision").value == pytest.approx(get(exact, "average_precision").value, abs=2e-3)
    auc = get(binned, "auc")
    bound = float(auc.method.split("at most ")[1].split(" ")[0])
    assert 0 < abs(auc.value - get(exact, "auc").value) <= bound < 1e-3
    assert auc.low < get(exact, "auc").low
    assert auc.high > get(exact, "auc").high
    for metric in ("auc", "accuracy_gap", "auc_gap"):
        assert get(binned, metric, "net_label") == get(exact, metric, "net_label")


def test_binned_scores_are_calibrated_alike(cases):
    exact, binned = (measure_calibration(case) for case in cases)
    assert [item.observed.n for item in binned.bins] == pytest.approx([item.observed.n for item in exact.bins], abs=25)
    assert sum(item.observed.n for item in binned.bins) == 2900
    assert get(binned, "error").value == pytest.approx(get(exact, "error").value, abs=5e-3)
    assert get(binned, "slope").value == pytest.approx(get(exact, "slope").value, rel=1e-3)
    assert get(binned, "mean_gap").value == pytest.approx(get(exact, "mean_gap").value, abs=1e-12)
    assert any("bins" in note for note in binned.notes)


def test_everybody_counts_where_the_rows_are_a_sample(cases):
    """The roll holds three thousand people, the rows only five hundred of them."""
    case, _ = cases
    some = np.arange(500)
    fits = Fits(out_of_fold={"net_label": case.fits.out_of_fold["net_label"][some]})
    sample = replace(
        case,
        frame=case.frame.iloc[some],
        label=case.label[some],
        scores=replace(
            case.scores,
            score=case.scores.score[some],
            link=case.scores.link[some],
            favourable=case.scores.favourable[some],
            predicted_positive=case.scores.predicted_positive[some],
        ),
        fits=fits,
        sampled="500 of 3,000 rows",
    )
    section, whole = measure_performance(sample), measure_performance(case)
    known = np.isfinite(case.label)
    score = case.scores.score[known]
    assert get(section, "auc").value == pytest.approx(metrics.roc_auc_score(case.label[known], score), abs=1e-12)
    for metric in ("accuracy", "auc", "brier", "log_loss"):
        assert get(section, metric) == get(whole, metric)
    assert section.rows == 2900
    assert get(section, "auc", "net_label").n == int(np.isfinite(case.label[some]).sum())
    assert any("500 of 3,000 rows" in note for note in section.notes)
    assert get(measure_calibration(sample), "error").n == 2900
    assert any("500 of 3,000" in note for note in measure_calibration(sample).notes)


def test_values_that_were_put_together_are_measured_on_the_rows():
    frame, link, _ = make_truth(800, seed=3)
    label = link + np.random.default_rng(0).normal(size=800)
    case = make_case(frame, link=link, label=label, task="regression")
    roll = condense_roll(replace(case.roll, valued=True))
    together = replace(case, roll=roll, sampled="800 of 800 rows")
    assert predict_everybody(together) is None
    section = measure_performance(together)
    assert get(section, "rmse").value == pytest.approx(metrics.root_mean_squared_error(label, link))
    assert get(section, "rmse") == get(measure_performance(case), "rmse")


@pytest.mark.parametrize("low", [True, False])
def test_who_is_predicted_positive_is_read_from_the_rows(low):
    frame, link, label = make_truth(400, seed=1)
    case = make_case(frame, link=link, label=label)
    positive = case.scores.score >= 0.5
    favourable = ~positive if low else positive
    case = replace(
        case,
        scores=replace(case.scores, favourable=favourable, predicted_positive=positive),
        roll=replace(case.roll, favourable=favourable),
    )
    black, rows = predict_everybody(case)
    assert (black.positive == positive).all()
    assert rows.rows == 400
    mixed = replace(case, scores=replace(case.scores, predicted_positive=np.arange(400) % 2 == 0))
    assert predict_everybody(mixed)[0].positive is None


def test_nobody_with_both_a_score_and_a_label():
    frame, link, label = make_truth(60)
    case = make_case(frame, link=link, label=label)
    nobody = replace(case, roll=replace(case.roll, label=np.full(60, np.nan)))
    assert predict_everybody(nobody) is None
    assert isinstance(measure_calibration(nobody), NotDone)


def test_what_does_not_vary_has_no_interval():
    values, count = np.full(9, 0.3), np.full(9, 7)
    for estimate in (
        mean_estimate_of(values, count, "m"),
        root_mean_square(values, count),
        root_mean_square(np.zeros(3)),
    ):
        assert not estimate.has_interval
        assert not estimate.assessable
    assert mean_estimate_of(values, count, "m").value == pytest.approx(0.3)
    assert root_mean_square(np.empty(0)).value is None


def test_squared_errors_of_bins_are_exact():
    rng = np.random.default_rng(0)
    score, positive = rng.random(50), rng.random() < 0.5
    inside = np.full(1, score.mean()), np.array([positive]), np.array([(score**2).mean()])
    assert squared_errors(*inside)[0] == pytest.approx(((score - positive) ** 2).mean(), abs=1e-14)
    assert (squared_errors(np.ones(2), np.ones(2, bool), np.ones(2)) == 0).all()


@given(st.floats(1e-9, 1.0))
def test_a_printed_bound_still_holds(error):
    assert float(say_bound(error)) >= error * (1 - 1e-9)
    assert float(say_bound(error)) <= error * 1.11
