"""Reasons and recourse on scores whose answer is known in closed form; what is told to single people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from explain_material import BIAS, COLUMNS, WEIGHTS, open_small, pick, write_linear

from audit.evidence import Individual, IndividualDecisions, NotDone
from audit.examination.measures.decisions.by_group import hide_small
from audit.examination.measures.decisions.definitions import DEFINITIONS
from audit.examination.measures.decisions.denied import find_denied
from audit.examination.measures.decisions.individuals import name_files, write_individuals
from audit.examination.measures.decisions.levers import Lever, find_levers
from audit.examination.measures.decisions.measure import measure_decisions
from audit.examination.measures.decisions.reasons import choose_reasons, find_reasons, try_corrections
from audit.examination.measures.decisions.recourse import search_recourse
from audit.examination.measures.robustness.probe import Answer

MUTABLE = (
    "features:\n  income: {mutable: true, reason: Income too low}\n"
    "  debts: {mutable: true}\n  age: {role: prohibited}\n"
)
NAMED = "explain: {rows: [a00001, a00002, a00003, a00007, nobody], reasons: 2}\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return open_small(write_linear(tmp_path_factory.mktemp("decided"), MUTABLE + NAMED))


@pytest.fixture(scope="module")
def section(case):
    found = measure_decisions(case)
    assert isinstance(found, IndividualDecisions)
    return found


def linear(weights, cut=0.0, *, task="probability"):
    """Return a model that is linear in two numbers and a level, decided favourably above a cut on the link."""

    def ask(people):
        link = people["a"].to_numpy(float) * weights[0] + people["b"].to_numpy(float) * weights[1]
        if "c" in people:
            link = link + np.where(people["c"].to_numpy() == "good", 1.5, 0.0)
        score = 1 / (1 + np.exp(-link)) if task == "probability" else link
        return Answer(score, link >= cut)

    return ask


GRID = np.linspace(-5, 5, 25)


def levers(*units):
    return tuple(Lever(name, GRID, unit, whole=False) for name, unit in zip("ab", units, strict=False))


def test_one_lever_costs_the_deficit_over_the_slope():
    people = pd.DataFrame({"a": np.linspace(-4, -0.2, 50), "b": 0.0})
    found = search_recourse(linear((2.0, 0.0)), people, levers(0.5), 1.0, is_value=False)
    assert found.found.all()
    exact = (0 - people["a"].to_numpy()) / 0.5
    assert (found.cost >= exact - 1e-9).all()
    assert np.allclose(found.cost, exact, atol=2 * (10 / 24) / 2**6 / 0.5)


def test_a_number_that_can_go_one_way_alone_goes_no_other():
    """`a` would have to fall: with the way up alone, `b` has to do it; with neither there is no way."""
    people = pd.DataFrame({"a": np.linspace(0.5, 4, 20), "b": np.linspace(-2, 2, 20)})
    ask = linear((-2.0, 1.0), cut=1.0)
    denied = ~ask(people).favourable
    people = people[denied].reset_index(drop=True)
    up_b = Lever("b", GRID * 4, 1.0, False, "increase")
    for direction, moves in (("", True), ("decrease", True), ("increase", False)):
        found = search_recourse(ask, people, (Lever("a", GRID, 0.5, False, direction), up_b), 1.0, is_value=False)
        assert found.found.all()
        change = found.people["a"].to_numpy() - people["a"].to_numpy()
        assert (change < 0).any() == moves
        assert (change <= 0).all()
        assert (found.people["b"].to_numpy() >= people["b"].to_numpy()).all()
    stuck = (Lever("a", GRID, 0.5, False, "increase"), Lever("b", GRID, 1.0, False, "decrease"))
    assert not search_recourse(ask, people, stuck, 1.0, is_value=False).found.any()


def test_one_way_features_of_a_configuration(tmp_path):
    declared = "features:\n  income: {mutable: increase}\n  debts: {mutable: decrease}\n"
    case = open_small(write_linear(tmp_path, declared))
    assert {lever.name: lever.one_way for lever in find_levers(case)} == {"income": "increase", "debts": "decrease"}
    free = open_small(write_linear(tmp_path, declared.replace("increase", "true").replace("decrease", "true")))
    found = [measure_decisions(item) for item in (case, free)]
    one, other = (pick(item, "decisions.recourse_rate", group={}, attribute=None) for item in found)
    assert one.value == other.value  # the one way of each is the one that helps under these weights


def test_a_level_has_no_direction(case):
    from types import SimpleNamespace

    from audit.config.schema import FeatureDeclaration
    from audit.errors import ConfigError
    from audit.examination.measures.case import _describe_feature

    config = case.config.model_copy(update={"features": {"job": FeatureDeclaration(mutable="increase")}})
    with pytest.raises(ConfigError, match="job is no number") as caught:
        _describe_feature(config, SimpleNamespace(kinds={"job": "category"}), "job")
    assert caught.value.place == "features.job.mutable"


def test_two_levers_take_the_better_one_to_its_end_first():
    """A linear score is a fractional knapsack: the lever with the larger slope per cost goes as far as it can."""
    people = pd.DataFrame({"a": [-5.0], "b": [-5.0]})
    # needs 2a + b >= 12 from -15: a alone gives 20 of the 27, b the other 7
    found = search_recourse(linear((2.0, 1.0), cut=12.0), people, levers(1.0, 1.0), 1.0, is_value=False)
    assert found.found[0]
    assert found.cost[0] == pytest.approx(10 + 7, abs=0.02)
    assert found.people["a"].iloc[0] == pytest.approx(5)


def test_the_search_finds_the_same_where_a_low_score_is_good():
    people = pd.DataFrame({"a": np.linspace(0.2, 4, 30), "b": 0.0})

    def ask(rows):
        score = linear((2.0, 0.0))(rows).score
        return Answer(score, score < 0.5)

    found = search_recourse(ask, people, levers(1.0), -1.0, is_value=False)
    assert np.allclose(found.cost, people["a"], atol=0.02)


def test_values_of_a_regression_are_searched_as_they_are():
    people = pd.DataFrame({"a": [-4.0], "b": [0.0]})
    found = search_recourse(linear((2.0, 0.0), task="value"), people, levers(1.0), 1.0, is_value=True)
    assert found.cost[0] == pytest.approx(4, abs=0.02)


def test_a_level_is_changed_where_that_is_cheaper():
    people = pd.DataFrame({"a": [-1.0], "b": [0.0], "c": np.array(["bad"], dtype=object)})
    level = Lever("c", np.array(["bad", "good"], dtype=object), 0.0, whole=False)
    found = search_recourse(linear((1.0, 0.0)), people, (*levers(0.5), level), 1.0, is_value=False)
    assert found.cost[0] == 1
    assert found.people["c"].iloc[0] == "good"
    assert found.people["a"].iloc[0] == -1


def test_where_there_is_no_way_nothing_is_changed():
    people = pd.DataFrame({"a": [-4.0, 1.0], "b": [0.0, 0.0]})
    found = search_recourse(linear((2.0, 0.0), cut=100.0), people, levers(1.0), 1.0, is_value=False)
    assert not found.found.any()
    assert np.isnan(found.cost).all()
    assert found.people.equals(people)


def test_whole_numbers_stay_whole_and_missing_ones_are_not_moved():
    people = pd.DataFrame({"a": [-3.0, np.nan], "b": [0.0, 0.0]})
    whole = (Lever("a", np.arange(-5.0, 6.0), 1.0, whole=True),)
    ask = linear((1.0, 0.0), cut=0.4)

    def patient(rows):
        return ask(rows.fillna({"a": -5.0}))

    found = search_recourse(patient, people, whole, 1.0, is_value=False)
    assert found.people["a"].iloc[0] == 1
    assert found.found.tolist() == [True, False]


def test_every_way_turns_the_real_decision(case):
    denied = find_denied(case)
    people = denied.take(denied.places)
    before = people.copy()
    found = search_recourse(denied.ask, people, find_levers(case), denied.sign, is_value=False)
    changed = found.people[found.found]
    assert (case.blackbox.score(changed[list(COLUMNS)]) >= 0.5).all()
    assert people.equals(before)
    untouched = found.people.drop(columns=["income", "debts"])
    assert untouched.equals(people.drop(columns=["income", "debts"]))


def test_reasons_of_a_linear_score_are_weight_times_distance(case):
    denied = find_denied(case)
    people = denied.take(denied.places[:30])
    found = find_reasons(denied, people, 2, "test")
    usual = denied.background.mean().to_numpy()
    exact = -WEIGHTS * (people[list(COLUMNS)].to_numpy() - usual)
    assert np.allclose(found.harm.sum(axis=1), exact.sum(axis=1), atol=1e-4)
    assert (np.abs(found.harm - exact) < 5 * found.error + 0.02).mean() > 0.95
    assert (BIAS + people[list(COLUMNS)].to_numpy() @ WEIGHTS < 0).all()


def test_only_what_harms_is_a_reason():
    given = choose_reasons(np.array([[3.0, -1.0, 0.5], [-1.0, -2.0, -3.0]]), 2)
    assert given.tolist() == [[0, 2], [-1, -1]]


def test_a_correction_helps_exactly_where_the_own_value_is_worse(case):
    denied = find_denied(case)
    found = find_reasons(denied, denied.take(denied.places[:40]), 2, "test")
    helps = try_corrections(denied, found)
    typical = denied.typical.iloc[0].to_numpy(dtype=float)
    own = found.people[list(COLUMNS)].to_numpy(dtype=float)
    gain = WEIGHTS * (typical - own)
    clear = np.abs(gain) > 1e-4
    assert (helps[clear] == (gain > 0)[clear]).all()


def test_numbers_of_the_section(section):
    assert pick(section, "decisions.recourse_rate", group={}).value == 1
    assert pick(section, "decisions.reason_validity", outcome="reason 1").value > 0.95
    assert section.flagged in ((), ("age",))
    assert {m.metric for m in section.measurements} <= {d.id for d in DEFINITIONS}
    gap = pick(section, "decisions.recourse_cost_difference", attribute="sex")
    sides = [pick(section, "decisions.recourse_cost", group={"sex": s}).value for s in "FM"]
    assert gap.value == pytest.approx(abs(sides[0] - sides[1]))
    assert gap.low <= gap.value <= gap.high


def test_a_prohibited_feature_is_told_loudly(tmp_path):
    path = write_linear(tmp_path, MUTABLE, weights=np.array([0.02, -0.05, 0.3]))
    path.write_text(path.read_text() + "decision: {favourable: score >= 0.9999}\n")
    found = measure_decisions(open_small(path))
    assert found.flagged == ("age",)
    assert pick(found, "decisions.protected_reason_rate").value > 0.5
    assert any("prohibited" in note for note in found.notes)


def test_files_of_people_match_the_digests_and_the_decision(case, section):
    files = write_individuals(case, section)
    people = {name: Individual.parse(data) for name, data in files.items()}
    assert sorted(person.digest() for person in people.values()) == list(section.individuals)
    assert (section.named, section.named_missing) == (4, 1)
    for person in people.values():
        row = case.frame[case.frame["applicant"] == person.row]
        assert person.score == pytest.approx(float(case.blackbox.score(row)[0]), rel=1e-5)
        assert person.favourable == (person.score >= 0.5)
        assert bool(person.reasons) == (not person.favourable)
        if person.changes:
            changed = row.assign(**{change.feature: float(change.then) for change in person.changes})
            assert case.blackbox.score(changed)[0] >= 0.5


def test_what_is_printed_of_a_change_still_turns_the_decision(case):
    """A person who reads six digits must be able to rely on them."""
    denied = find_denied(case)
    found = search_recourse(denied.ask, denied.take(denied.places), find_levers(case), 1.0, is_value=False)
    printed = found.people[found.found].copy()
    for name in ("income", "debts"):
        printed[name] = [float(f"{value:.6g}") for value in printed[name]]
    assert (case.blackbox.score(printed) >= 0.5).all()


def test_salts_differ_and_need_the_rows(case, section, tmp_path):
    files = [Individual.parse(data) for data in write_individuals(case, section).values()]
    assert len({person.salt for person in files}) == len(files)
    other = open_small(write_linear(tmp_path, MUTABLE + NAMED, rows=401))
    again = write_individuals(other, measure_decisions(other))
    assert not {person.salt for person in files} & {Individual.parse(data).salt for data in again.values()}


def test_no_row_id_is_in_the_evidence(section):
    assert "a0000" not in section.model_dump_json()


def test_reasons_without_mutable_features(tmp_path):
    found = measure_decisions(open_small(write_linear(tmp_path)))
    assert "mutable" in found.parts_not_done["What would change the decision"]
    assert pick(found, "decisions.reason_validity", outcome="reason 1").value is not None
    assert not [m for m in found.measurements if "recourse" in m.metric]


def test_nobody_decided_against_is_not_done(tmp_path):
    path = write_linear(tmp_path, "decision: {favourable: score >= 0}\n")
    found = measure_decisions(open_small(path))
    assert isinstance(found, NotDone)
    assert not found.broke


def test_small_counts_take_a_second_one_with_them():
    assert hide_small([3, 20, 7, 0]) == [True, False, True, False]
    assert hide_small([3, 2, 9]) == [True, True, False]
    assert hide_small([5, 9, 0]) == [False, False, False]


def test_file_names_are_safe_and_all_different():
    names = name_files(["a17", "../../etc/passwd", "A17", "x" * 200, "", "ä", "ä "])
    assert len({name.lower() for name in names}) == len(names)
    assert all(name and not set(name) & set("/\\. ") for name in names)


def test_a_value_of_which_a_low_one_is_good(tmp_path):
    path = write_linear(tmp_path, MUTABLE, weights=np.array([1.0, -1.0, 0.0]))
    text = path.read_text().replace("output: logit", "output: value").replace("label: repaid", "label: income")
    path.write_text(text + "decision: {favourable: score < 15}\n")
    case = open_small(path)
    found = measure_decisions(case)
    assert pick(found, "decisions.recourse_rate", group={}).value == 1
    # one unit of either feature moves the value by one: the feature with the larger deviation is the cheaper way
    score = case.scores.score[~case.scores.favourable]
    spread = max(case.frame["income"].std(), case.frame["debts"].std())
    exact = float(np.mean((score - 15) / spread))
    assert pick(found, "decisions.recourse_cost", group={}).value == pytest.approx(exact, rel=0.05)
    assert pick(found, "decisions.reason_share", feature="income", group={}).value > 0.9
