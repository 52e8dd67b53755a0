"""Fidelity against scikit-learn and scipy, by group too."""

from __future__ import annotations

import numpy as np
import pytest
from glass_material import Formula, make_case, make_features, make_truth, true_link
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from audit.evidence import NotDone
from audit.examination.blackbox.score import Scores
from audit.examination.glassbox.fit import Fits, fit_glassboxes
from audit.examination.measures.fidelity import (
    DEFINITIONS,
    explained_variance,
    measure_fidelity,
    rank_correlation,
)


@pytest.fixture(scope="module")
def case():
    frame, link, _ = make_truth(1000, seed=5)
    link = link + 0.02 * (frame["income"].to_numpy() - 30) * (frame["owns"].to_numpy() == True)  # noqa: E712
    fits = fit_glassboxes(frame, make_features(), link=link, effort="fast", n_jobs=1)
    return make_case(frame, link=link, blackbox=Formula(true_link), fits=fits)


def get(section, metric, model, group=None):
    (found,) = [
        m for m in section.measurements if (m.metric, m.model, m.group) == (f"fidelity.{metric}", model, group or {})
    ]
    return found.estimate


@pytest.mark.parametrize("model", ["ebm_surrogate", "net_surrogate"])
@pytest.mark.parametrize("group", [None, {"sex": "F"}, {"sex": "M"}])
def test_numbers_are_other_peoples(case, model, group):
    section = measure_fidelity(case)
    rows = np.ones(1000, bool) if group is None else case.groups["sex"] == group["sex"]
    ours, black = case.fits.out_of_fold[model][rows], case.scores.link[rows]
    assert get(section, "r2", model, group).value == pytest.approx(r2_score(black, ours))
    assert get(section, "rmse", model, group).value == pytest.approx(np.sqrt(np.mean((ours - black) ** 2)))
    assert get(section, "rank_correlation", model, group).value == pytest.approx(spearmanr(ours, black).statistic)
    agreement = get(section, "decision_agreement", model, group)
    assert agreement.count == int(((ours >= 0) == (black >= 0)).sum())
    for metric in ("r2", "rmse", "rank_correlation", "decision_agreement"):
        estimate = get(section, metric, model, group)
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high
        assert estimate.n == rows.sum()


def test_the_interval_of_r2_holds_its_level():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        black = rng.normal(size=200) ** 2
        surrogate = black + 0.7 * rng.normal(size=200)
        estimate = explained_variance(surrogate, black)
        hits += estimate.low <= 1 - 0.49 / 2 <= estimate.high
    assert 0.88 <= hits / 300 <= 0.99


def test_the_interval_of_the_rank_correlation_holds_its_level():
    rng = np.random.default_rng(0)
    rho = 6 / np.pi * np.arcsin(0.8 / 2)
    hits = 0
    for _ in range(300):
        a = rng.normal(size=100)
        b = 0.8 * a + 0.6 * rng.normal(size=100)
        estimate = rank_correlation(a, b)
        hits += estimate.low <= rho <= estimate.high
    assert 0.91 <= hits / 300 <= 0.99


def test_a_perfect_surrogate_has_no_interval_of_zero_width(case):
    fits = Fits(out_of_fold={"net_surrogate": case.scores.link})
    section = measure_fidelity(make_case(case.frame, link=case.scores.link, fits=fits))
    r2 = get(section, "r2", "net_surrogate")
    assert r2.value == 1
    assert r2.low is None
    assert not r2.assessable
    assert get(section, "decision_agreement", "net_surrogate").low < 1


def test_a_group_of_one_and_a_group_of_equal_scores_are_undefined(case):
    groups = np.full(1000, "rest", dtype=object)
    groups[0] = "single"
    link = case.scores.link.copy()
    groups[1:30] = "equal"
    link[1:30] = 0.25
    fits = Fits(out_of_fold={"net_surrogate": case.fits.out_of_fold["net_surrogate"]})
    section = measure_fidelity(make_case(case.frame, link=link, fits=fits, groups={"g": groups}))
    for value in ("single", "equal"):
        estimate = get(section, "r2", "net_surrogate", {"g": value})
        assert estimate.value is None
        assert estimate.note
    assert get(section, "decision_agreement", "net_surrogate", {"g": "single"}).n == 1


def test_a_low_score_that_is_good_is_the_same_agreement(case):
    favourable = case.scores.score < 0.5
    scores = Scores(case.scores.score, case.scores.link, favourable, ~favourable)
    low = make_case(case.frame, scores=scores, fits=case.fits, config={"decision": {"favourable": "score < 0.5"}})
    a, b = measure_fidelity(low), measure_fidelity(case)
    assert get(a, "decision_agreement", "net_surrogate") == get(b, "decision_agreement", "net_surrogate")


def test_bands_and_stored_decisions_are_compared(case):
    score, link = case.scores.score, case.scores.link
    banded = make_case(
        case.frame,
        scores=Scores(score, link, score >= 0.7, None),
        fits=case.fits,
        config={"decision": {"bands": {"yes": "score >= 0.7", "no": "otherwise"}, "favourable": "yes"}},
    )
    ours = 1 / (1 + np.exp(-case.fits.out_of_fold["net_surrogate"]))
    expected = int(((ours >= 0.7) == (score >= 0.7)).sum())
    assert get(measure_fidelity(banded), "decision_agreement", "net_surrogate").count == expected
    for sign in (1, -1):
        chosen = sign * score >= sign * np.median(score)
        stored = make_case(
            case.frame,
            scores=Scores(score, link, chosen, score >= np.median(score)),
            fits=case.fits,
            config={"decision": {"column": "d", "favourable": "yes"}},
        )
        assert get(measure_fidelity(stored), "decision_agreement", "net_surrogate").value > 0.85


def test_no_surrogate_is_not_done(case):
    bare = measure_fidelity(make_case(case.frame, link=case.scores.link))
    assert isinstance(bare, NotDone)
    none = measure_fidelity(make_case(case.frame, fits=Fits(not_done={"net_surrogate": "no scores"})))
    assert isinstance(none, NotDone)
    assert "no scores" in none.not_done


def test_every_metric_is_defined_and_the_target_named(case):
    section = measure_fidelity(case)
    assert {m.metric for m in section.measurements} == {definition.id for definition in DEFINITIONS}
    assert "log-odds scale" in section.protocol
