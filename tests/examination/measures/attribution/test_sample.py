"""Who is explained: counts that depend on effort and on nothing that differs between two runs of a usual model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from glass_material import KINDS, Formula, make_case, make_truth, true_link

from audit.examination.measures.attribution.sample import (
    EVALUATIONS,
    find_reference,
    plan_budget,
    plan_rows,
)
from audit.examination.measures.attribution.shapley import count_evaluations


@pytest.mark.parametrize("players", [1, 2, 10, 60, 400])
@pytest.mark.parametrize("effort", ["fast", "standard", "thorough"])
def test_budgets_are_kept(players, effort):
    budget = plan_budget(players, 50_000, effort, 0)
    asked = budget.rows * count_evaluations(players, budget.permutations)
    least = 20 * count_evaluations(players, 8)
    assert asked <= max(EVALUATIONS[effort] + budget.rows, least)
    assert budget.permutations >= 8


def test_a_slow_model_explains_fewer_rows():
    quick, slow = plan_budget(10, 50_000, "standard", 0), plan_budget(10, 50_000, "standard", 300)
    assert slow.rows < quick.rows
    assert slow.shuffled * slow.repeats * 10 < quick.shuffled * quick.repeats * 10


def test_the_reference_is_made_of_medians_and_most_frequent_levels():
    frame = pd.DataFrame(
        {"x": [1.0, 5.0, np.nan, 9.0], "c": np.array(["b", "a", "b", None], dtype=object), "e": [np.nan] * 4}
    )
    found = find_reference(frame, {"x", "e"})
    assert found["x"].iloc[0] == 5.0
    assert found["c"].iloc[0] == "b"
    assert np.isnan(found["e"].iloc[0])
    assert list(found.columns) == ["x", "c", "e"]


def test_rows_keep_the_shares_of_groups_and_decisions():
    frame, truth, _ = make_truth(2000)
    case = make_case(frame, link=truth, blackbox=Formula(true_link))
    plan = plan_rows(case)
    assert len(plan.rows) == 300
    assert list(plan.people.columns) == list(KINDS)
    all_of_them = pd.crosstab(case.groups["sex"], case.scores.favourable, normalize=True)
    drawn = pd.crosstab(case.groups["sex"][plan.rows], case.scores.favourable[plan.rows], normalize=True)
    assert np.abs(all_of_them - drawn).to_numpy().max() < 0.01
    assert "seed 0" in plan.drawn
    assert "300 of 2,000" in plan.drawn
    np.testing.assert_array_equal(plan.rows, plan_rows(case).rows)


def test_the_pace_of_the_intake_decides_and_no_clock():
    frame, truth, _ = make_truth(2000)
    case = make_case(frame, link=truth, blackbox=Formula(true_link))
    slow = replace(case, intake=case.intake.model_copy(update={"pace": 300}))
    assert plan_rows(case).budget.pace == 0
    plan = plan_rows(slow)
    assert plan.budget == plan_budget(len(slow.blackbox.columns), 2000, slow.config.effort, 300)
    assert "about 300 rows a second" in plan.drawn
    assert len(plan.rows) < 300


def test_a_tiny_group_is_drawn_no_more_often_than_others():
    """Forty groups of one row and one of 1,960: a tenth is drawn of each kind, on average over seeds."""
    from audit.examination.data.split import draw_evenly

    strata = np.concatenate([np.arange(1, 41), np.zeros(1960, dtype=int)])
    tiny = [int((draw_evenly(200, np.random.default_rng(seed), strata) < 40).sum()) for seed in range(60)]
    assert 3 <= np.mean(tiny) <= 5
