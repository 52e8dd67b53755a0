"""Each group's scores beside everyone else's, against scipy on the rows."""

import numpy as np
import pytest
from scipy import stats
from score_material import draw_people, estimate_of, make_scene, pick
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from audit.examination.measures.fairness.distributions import DEFINITIONS, measure_distributions

METRICS = [item.id.partition(".")[2] for item in DEFINITIONS]
MEANS, DISTANCES = METRICS[:2], METRICS[2:]


@pytest.fixture(scope="module")
def people():
    return draw_people(1500, seed=2)


@pytest.fixture(scope="module")
def found(people):
    return measure_distributions(make_scene(*people))


def sides_of(people, name):
    inside = people[0]["race"] == name
    return people[2][inside], people[2][~inside]


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_numbers_are_scipys(people, found, name):
    here, rest = sides_of(people, name)
    gap = pick(found, "mean_score_difference", race=name)
    assert gap.estimate.value == pytest.approx(here.mean() - rest.mean(), abs=1e-12)
    theirs = CompareMeans(DescrStatsW(here), DescrStatsW(rest)).tconfint_diff(0.05 / 3, usevar="unequal")
    assert (gap.estimate.low, gap.estimate.high) == pytest.approx(theirs, abs=1e-12)
    assert gap.parity.p == pytest.approx(stats.ttest_ind(here, rest, equal_var=False).pvalue, rel=1e-9)
    assert gap.parity.p_adjusted >= gap.parity.p
    assert gap.reference == "everyone else"
    pooled = np.sqrt(
        ((len(here) - 1) * here.var(ddof=1) + (len(rest) - 1) * rest.var(ddof=1)) / (len(here) + len(rest) - 2)
    )
    assert estimate_of(found, "score_standardized_mean_difference", race=name).value == pytest.approx(
        (here.mean() - rest.mean()) / pooled, abs=1e-12
    )
    assert estimate_of(found, "score_ks_distance", race=name).value == pytest.approx(
        stats.ks_2samp(here, rest).statistic, abs=1e-12
    )
    assert estimate_of(found, "score_wasserstein_distance", race=name).value == pytest.approx(
        stats.wasserstein_distance(here, rest), abs=1e-12
    )


def test_only_the_group_that_differs_is_beyond_chance(found):
    for metric in DISTANCES:
        estimates = {name: estimate_of(found, metric, race=name) for name in "ABC"}
        assert all(not item.has_interval and item.assessable for item in estimates.values())
        assert estimates["B"].value > estimates["B"].chance
    for metric in MEANS:
        estimate = estimate_of(found, metric, race="B")
        assert 0 < estimate.low < estimate.high


def test_chance_is_what_permutations_show(people):
    groups, label, score = people
    rng = np.random.default_rng(0)
    found = measure_distributions(make_scene(groups, label, score))
    size = int((groups["race"] == "C").sum())
    distances = []
    for _ in range(300):
        chosen = np.zeros(len(score), bool)
        chosen[rng.choice(len(score), size, replace=False)] = True
        distances.append(
            (
                stats.ks_2samp(score[chosen], score[~chosen], method="asymp").statistic,
                stats.wasserstein_distance(score[chosen], score[~chosen]),
            )
        )
    ks, wasserstein = np.quantile(distances, 0.95, axis=0)
    assert estimate_of(found, "score_ks_distance", race="C").chance == pytest.approx(ks, rel=0.12)
    assert estimate_of(found, "score_wasserstein_distance", race="C").chance == pytest.approx(wasserstein, rel=0.15)


def test_two_groups_are_one_comparison_seen_from_both_sides():
    people = draw_people(600, names=("A", "B"))
    found = measure_distributions(make_scene(*people))
    one, two = (pick(found, "mean_score_difference", race=name) for name in "AB")
    assert one.estimate.value == pytest.approx(-two.estimate.value)
    assert (one.estimate.low, one.estimate.high) == pytest.approx((-two.estimate.high, -two.estimate.low))
    assert one.parity.p_adjusted == one.parity.p == pytest.approx(two.parity.p)
    assert one.estimate.method == "Welch"
    for metric in ("score_ks_distance", "score_wasserstein_distance"):
        assert estimate_of(found, metric, race="A").value == pytest.approx(estimate_of(found, metric, race="B").value)


def test_people_of_unknown_group_are_nobodys_everyone_else():
    groups, label, score = draw_people(900, names=("A", "B", "unknown"))
    found = measure_distributions(make_scene(groups, label, score))
    a, b = (score[groups["race"] == name] for name in "AB")
    assert estimate_of(found, "mean_score_difference", race="A").value == pytest.approx(a.mean() - b.mean())
    assert not [item for item in found.measurements if "unknown" in item.group.values()]


def test_a_handful_is_not_shown_and_few_are_not_judged():
    groups, label, score = draw_people(400, names=("A", "B"))
    groups["race"][:3] = "X"
    groups["race"][3:20] = "Y"
    found = measure_distributions(make_scene(groups, label, score))
    for metric in METRICS:
        assert estimate_of(found, metric, race="X").value is None
        small = estimate_of(found, metric, race="Y")
        assert small.value is not None
        assert not small.assessable
        assert "fewer than 30" in small.note
    alone = measure_distributions(make_scene({"race": np.array(["A"] * 380 + ["Y"] * 20, object)}, label, score))
    assert "outside the group" in estimate_of(alone, "score_ks_distance", race="A").note
    assert not estimate_of(alone, "score_ks_distance", race="A").assessable


def test_one_group_has_nobody_to_differ_from():
    score = np.linspace(0, 1, 100)
    found = measure_distributions(make_scene({"race": np.full(100, "A", object)}, None, score))
    assert {item.estimate.value for item in found.measurements} == {None}


def test_scores_that_are_all_alike_do_not_differ():
    groups, label, _ = draw_people(200)
    found = measure_distributions(make_scene(groups, label, np.full(200, 0.25)))
    assert {item.estimate.note for item in found.measurements} == {"all scores are alike"}


def test_without_scores_each_number_says_so():
    groups, label, score = draw_people(200)
    found = measure_distributions(make_scene(groups, label, None, favourable=score > 0.4))
    assert {item.estimate.note for item in found.measurements} == {"there are no scores, only decisions"}
    assert {item.metric for item in found.measurements} == {item.id for item in DEFINITIONS}


def test_the_same_twice(people):
    assert (
        measure_distributions(make_scene(*people)).measurements
        == measure_distributions(make_scene(*people)).measurements
    )


@pytest.mark.parametrize("halvings", [0, 3])
def test_rows_put_together_say_the_same_within_what_they_promise(people, found, halvings):
    binned = measure_distributions(make_scene(*people, binned=True, halvings=halvings))
    for a, b in zip(found.measurements, binned.measurements, strict=True):
        assert (a.metric, a.group, a.estimate.n) == (b.metric, b.group, b.estimate.n)
        if "at most " in b.estimate.method:
            bound = float(b.estimate.method.split("at most ")[1].split(" ")[0])
            assert abs(a.estimate.value - b.estimate.value) <= bound + 1e-12
        if a.estimate.chance:
            assert b.estimate.chance == pytest.approx(a.estimate.chance, rel=0.2)
        if a.metric == "fairness.mean_score_difference":
            assert b.estimate.value == pytest.approx(a.estimate.value, abs=1e-12)
