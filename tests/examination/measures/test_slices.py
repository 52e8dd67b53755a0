"""Weak slices: a planted one is found and confirmed, chance alone hardly ever is, and counts are those of pandas."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact, ttest_ind

from audit.evidence import AttributeUsed, FeatureUsed, NotDone, Slices, Subject
from audit.examination.blackbox.score import Scores
from audit.examination.measures.slice_search import (
    COARSE,
    FINE,
    cut_levels,
    cut_number,
    even_cuts,
    name_slice,
    rows_of,
    search_slices,
)
from audit.examination.measures.slices import MOST_TESTED, Loss, confirm_slices, measure_slices
from audit.statistics import newcombe_difference


def make_case(frame, *, wrong=None, label=None, score=None, favourable=None, task="binary", groups=None, seed=0):
    n = len(frame)
    if wrong is not None:
        label = np.random.default_rng(99).integers(0, 2, n).astype(float)
    predicted = None if wrong is None else (label == 1) != wrong
    groups = groups or {"sex": np.resize(np.array(["F", "M"], object), n)}
    kinds = {name: "number" if frame[name].dtype.kind == "f" else "category" for name in frame}
    return SimpleNamespace(
        subject=Subject(
            title="t",
            system="s",
            version="1",
            task=task,
            attributes=tuple(AttributeUsed(name=name, column=name) for name in groups),
            features=tuple(FeatureUsed(name=name, kind=kind) for name, kind in kinds.items()),
        ),
        frame=frame,
        label=label,
        scores=Scores(score, score, favourable, predicted),
        groups=groups,
        roll=None,
        sampled="",
        rng=lambda name: np.random.default_rng(seed),
    )


def make_frame(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "income": rng.gamma(4, 500, n),
            "age": rng.integers(18, 80, n).astype(float),
            "job": rng.choice(["none", "office", "own"], n).astype(object),
            "zip": rng.choice([f"{i:02d}" for i in range(12)], n).astype(object),
        }
    )


def number(slices, metric):
    (item,) = [one for one in slices.measurements if one.metric == f"slices.{metric}"]
    return item.estimate


def planted(frame, rng, bad=0.45, usual=0.1):
    inside = (frame["job"] == "own") & (frame["age"] < 33)
    return inside.to_numpy(), rng.random(len(frame)) < np.where(inside, bad, usual)


def test_a_planted_slice_is_found_and_confirmed():
    frame = make_frame()
    inside, wrong = planted(frame, np.random.default_rng(1))
    found = measure_slices(make_case(frame, wrong=wrong))
    assert isinstance(found, Slices)
    assert Slices.parse(found.canonical()) == found
    first = found.slices[0]
    assert set(first.features) == {"age", "job"}
    assert "job = own" in first.name and "age under 3" in first.name
    assert first.holds
    assert first.excess.low > 0.15
    assert first.p_adjusted < 1e-6
    assert number(found, "confirmed").value >= 1
    worst = number(found, "worst_excess")
    assert worst.value == max(item.excess.value for item in found.slices)
    assert 0 < worst.low < worst.value < worst.high
    assert found.tested == len(found.slices) <= MOST_TESTED
    assert found.found_on + found.tested_on == len(frame)
    assert first.found_rows == pytest.approx(inside.sum() / 2, rel=0.25)
    assert set(first.groups["sex"]) == {"F", "M"}
    assert sum(first.groups["sex"].values()) == pytest.approx(1)


def test_numbers_of_a_slice_are_those_of_pandas_and_scipy():
    frame = make_frame()
    _, wrong = planted(frame, np.random.default_rng(1))
    frame = frame[["job"]]
    found = measure_slices(make_case(frame, wrong=wrong))
    item = next(one for one in found.slices if one.name == "job = own")
    k, n, k_rest, n_rest = item.rate.count, item.rate.n, item.rest.count, item.rest.n
    assert n + n_rest == found.tested_on
    assert n + item.found_rows == (frame["job"] == "own").sum()
    assert item.excess.value == pytest.approx(k / n - k_rest / n_rest)
    assert (item.excess.low, item.excess.high) == newcombe_difference(k, n, k_rest, n_rest)
    table = [[k, n - k], [k_rest, n_rest - k_rest]]
    assert item.p == pytest.approx(fisher_exact(table, alternative="greater")[1], rel=1e-8)


def test_absolute_errors_are_compared_by_welch():
    rng, frame = np.random.default_rng(2), make_frame()
    value = rng.normal(50, 10, len(frame))
    noise = rng.normal(0, np.where(frame["job"] == "none", 9.0, 3.0))
    case = make_case(frame[["job"]], label=value, score=value + noise, task="regression")
    found = measure_slices(case)
    assert found.of == "absolute error"
    first = found.slices[0]
    assert first.name == "job = none"
    assert first.holds
    inside, loss = (frame["job"] == "none").to_numpy(), np.abs(noise)
    assert first.rate.value == pytest.approx(loss[inside].mean(), abs=0.5)
    assert first.excess.low < loss[inside].mean() - loss[~inside].mean() < first.excess.high


def test_welch_on_the_other_half_is_scipys():
    rng, frame = np.random.default_rng(6), make_frame(800)
    loss, half = rng.gamma(2, 1, 800) + 0.2 * (frame["job"] == "own").to_numpy(), np.arange(800) % 2 == 0
    axes = cut_levels("job", frame["job"].to_numpy(), 30)
    search = search_slices(axes, loss, half, least=30, other_least=30, most=5)
    for item in confirm_slices(axes, loss, half, search.chosen, Loss("absolute error", loss)):
        inside = rows_of(axes, item.candidate.conditions)
        theirs = ttest_ind(loss[inside & ~half], loss[~inside & ~half], equal_var=False, alternative="greater")
        assert item.p == pytest.approx(theirs.pvalue, rel=1e-9)
        both = ttest_ind(loss[inside & ~half], loss[~inside & ~half], equal_var=False).confidence_interval(0.95)
        assert (item.excess.low, item.excess.high) == pytest.approx((both.low, both.high), rel=1e-9)


def test_without_labels_a_slice_is_weak_where_more_are_refused():
    frame = make_frame()
    rng = np.random.default_rng(3)
    refused = rng.random(len(frame)) < np.where(frame["zip"] == "07", 0.8, 0.3)
    found = measure_slices(make_case(frame, favourable=~refused))
    assert found.of == "share decided unfavourably"
    assert found.slices[0].name.startswith("zip = 07")
    assert any("no error" in note for note in found.notes)


def test_selective_labels_decide_nothing():
    frame = make_frame()
    _, wrong = planted(frame, np.random.default_rng(1))
    case = make_case(frame, wrong=wrong)
    case.scores = Scores(None, None, case.scores.predicted_positive, case.scores.predicted_positive)
    case.label = np.where(case.scores.favourable, case.label, np.nan)
    found = measure_slices(case)
    assert not any(item.estimate.assessable for item in found.measurements)
    assert not any(item.excess.assessable for item in found.slices)
    assert any("selective labels" in note for note in found.notes)


def test_nothing_to_compare_or_too_few_rows_is_said():
    assert "no label" in measure_slices(make_case(make_frame(400))).not_done
    few = make_case(make_frame(90), wrong=np.arange(90) % 3 == 0)
    assert isinstance(measure_slices(few), NotDone)
    assert "too few" in measure_slices(few).not_done


def test_perfect_predictions_have_no_weak_slice():
    found = measure_slices(make_case(make_frame(), wrong=np.zeros(4000, bool)))
    assert found.slices == ()
    assert number(found, "confirmed").value == 0.0
    assert number(found, "worst_excess").value is None


def test_chance_confirms_hardly_ever():
    """Where every row is wrong with the same chance, at most about one run in twenty may confirm anything."""
    rng, runs, frame = np.random.default_rng(8), 200, make_frame(700)
    cases = (make_case(frame, wrong=rng.random(700) < 0.25, seed=run) for run in range(runs))
    alarms = sum(number(measure_slices(case), "confirmed").value > 0 for case in cases)
    assert alarms <= 0.09 * runs


def test_the_same_seed_gives_the_same_slices():
    frame = make_frame()
    _, wrong = planted(frame, np.random.default_rng(1))
    first, again = (measure_slices(make_case(frame, wrong=wrong)) for _ in range(2))
    assert first.slices == again.slices
    assert measure_slices(make_case(frame, wrong=wrong, seed=5)).slices != first.slices


def test_groups_of_a_few_people_are_not_told():
    frame = make_frame()
    _, wrong = planted(frame, np.random.default_rng(1))
    sex = np.resize(np.array(["F", "M"], object), len(frame))
    sex[:3] = "X"
    found = measure_slices(make_case(frame, wrong=wrong, groups={"sex": sex}))
    assert not [item for item in found.slices if "X" in item.groups["sex"]]


# the search


def test_every_candidate_agrees_with_a_plain_loop():
    """The vectorised table against pandas groupby: sizes, excess, and the number looked at."""
    frame, rng = make_frame(1500), np.random.default_rng(4)
    loss, found = (rng.random(1500) < 0.3).astype(float), rng.random(1500) < 0.5
    axes = cut_number("income", frame["income"].to_numpy(), 30) + cut_levels("job", frame["job"].to_numpy(), 30)
    search = search_slices(axes, loss, found, least=30, other_least=30, most=10_000)
    fine, coarse, job = (pd.Series(axis.codes) for axis in axes)
    looked_at, best = 0, {}
    for keys in ([fine], [coarse], [job], [coarse, job]):
        for part, rows in pd.Series(np.arange(1500)).groupby(keys):
            inside = np.isin(np.arange(1500), rows)
            if (inside & found).sum() >= 30 and (inside & ~found).sum() >= 30:
                looked_at += 1
                best[part] = loss[inside & found].mean() - loss[~inside & found].mean()
    assert search.looked_at == looked_at
    for item in search.chosen:
        inside = rows_of(axes, item.conditions) & found
        assert item.rows == inside.sum()
        assert item.excess == pytest.approx(loss[inside].mean() - loss[~inside & found].mean())
        assert item.excess == pytest.approx(next(v for v in best.values() if v == pytest.approx(item.excess)))
    assert [item.z for item in search.chosen] == sorted((item.z for item in search.chosen), reverse=True)


def test_chosen_slices_are_no_parts_of_each_other():
    frame = make_frame()
    _, wrong = planted(frame, np.random.default_rng(1))
    axes = [
        *cut_number("age", frame["age"].to_numpy(), 60),
        *cut_levels("job", frame["job"].to_numpy(), 60),
        *cut_levels("zip", frame["zip"].to_numpy(), 60),
    ]
    found = np.arange(len(frame)) % 2 == 0
    search = search_slices(axes, wrong.astype(float), found, least=30, other_least=30, most=20)
    masks = [rows_of(axes, item.conditions) & found for item in search.chosen]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert (first & second).sum() <= 0.5 * min(first.sum(), second.sum())
    assert len(masks) == 20
    assert "and" in name_slice(axes, search.chosen[0].conditions)


def test_numbers_are_cut_evenly_and_missing_is_a_part():
    values = np.append(np.random.default_rng(0).normal(1000, 200, 4000), np.full(200, np.nan))
    fine, coarse = cut_number("pay", values, 30)
    assert (len(fine.names), len(coarse.names)) == (FINE + 1, COARSE + 1)
    assert fine.names[-1] == "pay missing"
    assert (fine.codes[-200:] == FINE).all()
    assert np.bincount(coarse.codes)[:COARSE] == pytest.approx(np.full(COARSE, 1000), rel=0.02)
    assert not fine.crossed and coarse.crossed
    low = float(fine.names[0].removeprefix("pay under "))
    assert ((fine.codes == 0) == (values < low)).all()


def test_few_values_make_few_parts_and_rare_levels_none():
    assert cut_number("flag", np.zeros(100), 10)[0].names == ("flag",)
    two = cut_number("flag", np.resize([0.0, 1.0], 100), 10)[0]
    assert len(two.names) == 2
    assert cut_number("none", np.full(5, np.nan), 1) == []
    (axis,) = cut_levels("job", np.array(["a"] * 50 + ["b"] * 3 + [None] * 40, object), 10)
    assert axis.names == ("job = a", "job missing")
    assert (axis.codes[50:53] == -1).all()


def test_cut_points_are_no_ones_own_value():
    values = np.random.default_rng(0).lognormal(8, 1, 3000)
    assert not np.isin(even_cuts(values, 10), values).any()
    assert even_cuts(np.full(9, 3.0), 4).size == 0
