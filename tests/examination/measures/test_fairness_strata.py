"""Conditional parity from rows: the Berkeley admissions, rates by stratum beside fairlearn, rare strata."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from material import make_table
from statsmodels.stats.contingency_tables import StratifiedTable as Theirs

from audit.config.schema import ExamineConfig
from audit.evidence import AttributeUsed, Decision, StratifiedTable, Subject
from audit.examination.measures.fairness.conditional import DEFINITIONS
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.measures.fairness.strata import MOST_STRATA, OTHER, lay_strata, measure_strata
from audit.examination.pipeline import examine
from audit.examination.tally.tally import build_tally
from audit.statistics import pair_level

BERKELEY = {  # Bickel, Hammel and O'Connell (1975): admitted and rejected men, admitted and rejected women
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}


def make_scene(frame, favourable, *, strata, attributes=("sex",), label=None, sampled="", **over):
    groups = {name: frame[name].to_numpy(object) for name in attributes}
    subject = Subject(
        title="t",
        system="s",
        version="1",
        decision=Decision(favourable="score >= 0.5"),
        attributes=tuple(AttributeUsed(name=name, column=name, **over) for name in attributes),
    )
    tally = build_tally(groups, label, favourable)
    case = SimpleNamespace(
        config=ExamineConfig.model_validate({"data": "rows.csv", "strata": list(strata)}),
        subject=subject,
        frame=frame,
        groups=groups,
        label=label,
        scores=SimpleNamespace(favourable=favourable),
        sampled=sampled,
        rng=lambda name: np.random.default_rng(0),
    )
    singles = tuple(lay_out(tally.table((name,)), 30, 0.02) for name in attributes)
    return Scene(case, singles, (), Reading(True))


def berkeley_rows():
    rows = [
        (department, sex, admitted)
        for department, (am, rm, aw, rw) in BERKELEY.items()
        for sex, admitted, count in (("M", True, am), ("M", False, rm), ("F", True, aw), ("F", False, rw))
        for _ in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["department", "sex", "admitted"]).astype({"department": object, "sex": object})
    return frame, frame["admitted"].to_numpy(bool)


def pick(found, name, **group):
    (item,) = [one for one in found.measurements if one.metric == f"fairness.{name}" and one.group == group]
    return item


@pytest.fixture(scope="module")
def berkeley():
    return measure_strata(make_scene(*berkeley_rows(), strata=["department"]))


def test_berkeley_is_statsmodels_and_turns_round(berkeley):
    theirs = Theirs([np.array([[aw, rw], [am, rm]]) for am, rm, aw, rw in BERKELEY.values()])
    odds = pick(berkeley, "conditional_odds_ratio", sex="F")
    assert odds.reference == "sex=M"
    assert odds.estimate.value == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    assert (odds.estimate.low, odds.estimate.high) == pytest.approx(theirs.oddsratio_pooled_confint(), rel=1e-9)
    ratio = pick(berkeley, "conditional_selection_rate_ratio", sex="F").estimate
    assert ratio.value == pytest.approx(theirs.riskratio_pooled, rel=1e-12)
    assert ratio.low < 1 < ratio.high
    assert pick(berkeley, "cmh_p", sex="F").estimate.value == pytest.approx(theirs.test_null_odds().pvalue, abs=1e-12)
    assert pick(berkeley, "cmh_p", sex="F").parity.p_adjusted == pytest.approx(theirs.test_null_odds().pvalue)
    homogeneous = pick(berkeley, "breslow_day_p", sex="F")
    assert homogeneous.estimate.value == pytest.approx(theirs.test_equal_odds(adjust=True).pvalue, rel=1e-6)
    assert homogeneous.parity is None
    assert pick(berkeley, "conditional_selection_rate_difference", sex="F").estimate.value < 0
    (note,) = [note for note in berkeley.notes if "Simpson" in note]
    assert "0.682 of that of sex=M" in note and "1.058" in note


def test_the_reference_is_one_by_definition_and_disparities_mirror(berkeley):
    assert pick(berkeley, "conditional_selection_rate_ratio", sex="M").estimate.value == 1.0
    assert pick(berkeley, "conditional_selection_rate_difference", sex="M").estimate.value == 0.0
    women, men = (pick(berkeley, "conditional_demographic_disparity", sex=sex).estimate for sex in "FM")
    assert women.value == pytest.approx(-men.value)
    assert women.low < women.value < women.high
    assert {item.metric for item in berkeley.measurements} == {definition.id for definition in DEFINITIONS}


def test_the_counts_of_each_stratum_are_fairlearns(berkeley):
    frame, admitted = berkeley_rows()
    by_both = MetricFrame(
        metrics=selection_rate,
        y_true=admitted,
        y_pred=admitted,
        sensitive_features=frame["sex"].astype(str),
        control_features=frame["department"].astype(str),
    ).by_group
    (table,) = berkeley.records["strata"]
    assert isinstance(table, StratifiedTable)
    assert (table.attribute, table.by, table.reference) == ("sex", ("department",), "M")
    for stratum in table.strata:
        for cell in stratum.cells:
            expected = by_both.loc[(stratum.name.removeprefix("department="), cell.values[0])]
            assert cell.favourable / cell.n == pytest.approx(expected, abs=1e-15)


def test_a_declared_reference_and_many_groups_are_corrected_for():
    rng = np.random.default_rng(2)
    n = 4000
    frame = pd.DataFrame(
        {"race": rng.choice(list("ABCD"), n, p=[0.4, 0.3, 0.2, 0.1]), "grade": rng.choice(list("xy"), n)}
    )
    frame = frame.astype(object)
    favourable = rng.random(n) < np.where(frame["race"] == "D", 0.25, 0.4)
    found = measure_strata(make_scene(frame, favourable, strata=["grade"], attributes=("race",), reference="B"))
    worse = pick(found, "conditional_odds_ratio", race="D")
    assert worse.reference == "race=B"
    assert worse.parity.pairs == 3
    assert worse.parity.p < worse.parity.p_adjusted < 0.01
    assert "simultaneous over 3 groups" in worse.estimate.method
    tables = [
        np.array(
            [
                [(favourable & here & (frame["race"] == g)).sum(), (~favourable & here & (frame["race"] == g)).sum()]
                for g in "DB"
            ]
        )
        for here in (frame["grade"] == "x", frame["grade"] == "y")
    ]
    low, high = Theirs(tables).oddsratio_pooled_confint(1 - pair_level(0.95, 3))
    assert (worse.estimate.low, worse.estimate.high) == pytest.approx((low, high), rel=1e-9)
    fair = pick(found, "conditional_odds_ratio", race="A").estimate
    assert fair.low < 1 < fair.high


def test_small_and_unknown_groups_are_shown_not_judged():
    rng = np.random.default_rng(4)
    n = 900
    sex = rng.choice(["F", "M"], n).astype(object)
    sex[:12], sex[12:40] = "X", "unknown"
    frame = pd.DataFrame({"sex": sex, "grade": rng.choice(["x", "y"], n).astype(object)})
    found = measure_strata(make_scene(frame, rng.random(n) < 0.5, strata=["grade"]))
    few = pick(found, "conditional_selection_rate_ratio", sex="X")
    assert "12 people" in few.estimate.note
    assert not few.estimate.assessable
    assert few.parity is None
    assert not [item for item in found.measurements if item.group == {"sex": "unknown"}]


def test_groups_that_never_meet_cannot_be_compared():
    frame = pd.DataFrame({"sex": ["F"] * 60 + ["M"] * 60, "ward": ["w"] * 60 + ["m"] * 60}, dtype=object)
    found = measure_strata(make_scene(frame, np.arange(120) % 2 == 0, strata=["ward"]))
    for name in ("conditional_selection_rate_ratio", "cmh_p", "breslow_day_p"):
        estimate = pick(found, name, sex="M").estimate
        assert estimate.value is None
        assert "no stratum holds people of both groups" in estimate.note


def test_no_strata_is_nothing():
    frame, admitted = berkeley_rows()
    assert measure_strata(make_scene(frame, admitted, strata=[])).measurements == ()


def test_a_sample_is_said():
    found = measure_strata(make_scene(*berkeley_rows(), strata=["department"], sampled="200,000 of 9,000,000 rows"))
    assert any("200,000 of 9,000,000 rows" in note for note in found.notes)


# strata


def test_strata_are_combinations_and_numbers_are_cut_at_quintiles():
    rng = np.random.default_rng(0)
    n = 5000
    income = rng.gamma(4, 800, n)
    income[:50] = np.nan
    frame = pd.DataFrame(
        {"grade": rng.choice(["a", "b"], n).astype(object), "income": income, "floor": rng.integers(0, 3, n)}
    )
    strata = lay_strata(frame, ["grade", "income"])
    assert len(strata.names) == 2 * 6
    assert strata.names[0].startswith("grade=a, income=under ")
    assert strata.names[5] == "grade=a, income=unknown"
    counts = np.bincount(strata.codes)
    assert counts.sum() == n
    assert np.all(np.abs(counts[[0, 1, 2, 3, 4]] - 495) < 80)
    assert "quintiles" in strata.notes[0]
    whole = lay_strata(frame, ["floor"])
    assert whole.names == ("floor=0", "floor=1", "floor=2")
    assert whole.notes == ()
    for place, name in enumerate(whole.names):
        assert ((whole.codes == place) == (frame["floor"].to_numpy() == int(name[-1]))).all()


def test_strata_of_a_few_people_are_taken_together():
    job = np.array(["clerk"] * 50 + ["cook"] * 20 + ["dean"] * 3 + ["diver"] * 1, object)
    strata = lay_strata(pd.DataFrame({"job": job}), ["job"])
    # four people would still be few, so that the next smallest stratum joins them
    assert strata.names == ("job=clerk", OTHER)
    assert np.bincount(strata.codes).tolist() == [50, 24]
    assert "24 people together" in strata.notes[0]
    plenty = lay_strata(pd.DataFrame({"job": np.append(job, ["dean", "diver"])}), ["job"])
    assert plenty.names == ("job=clerk", "job=cook", OTHER)


def test_there_are_never_more_strata_than_the_report_can_hold():
    zips = np.repeat([f"{i:05d}" for i in range(900)], 6).astype(object)
    zips[:40] = "00001"
    strata = lay_strata(pd.DataFrame({"zip": zips}), ["zip"])
    assert len(strata.names) == MOST_STRATA
    assert strata.names[-1] == OTHER
    assert "zip=00001" in strata.names
    counts = np.bincount(strata.codes)
    assert counts.sum() == len(zips)
    assert counts.min() >= 5


def test_a_whole_audit_holds_strata_flips_and_slices():
    frame = make_table(500)
    frame["grade"] = np.resize(np.array(["a", "b", "c"], object), 500)

    def score(rows):
        women = (rows["sex"] == "F").to_numpy(float)
        return 1 / (1 + np.exp(-(0.08 * (rows["income"] - 32) - 0.25 * (rows["debts"] - 6) - 0.8 * women)))

    config = ExamineConfig.model_validate(
        {
            "data": "<object>",
            "label": "repaid",
            "groups": ["sex", "region"],
            "features": {"sex": {}},
            "exclude": ["applicant"],
            "strata": ["grade", "age"],
            "effort": "fast",
            "model": {"format": "python"},
        }
    )
    evidence = examine(config, started="2026-01-01T00:00:00Z", frame=frame, predict=score).evidence
    assert evidence.fairness.broken_parts == ()
    assert [table.by for table in evidence.fairness.strata] == [("grade", "age")] * 2
    for table in evidence.fairness.strata:
        assert sum(cell.n for stratum in table.strata for cell in stratum.cells) == 500
    flips = {
        (one.group.get("sex"), one.model): one.estimate
        for one in evidence.fairness.measurements
        if one.metric == "fairness.counterfactual_flip_rate" and "sex" in one.group
    }
    assert {model for _, model in flips} == {"black_box", "ebm_surrogate", "net_surrogate"}
    assert flips["F", "black_box"].value > 0.1
    assert abs(flips["F", "ebm_surrogate"].value - flips["F", "black_box"].value) < 0.1
    assert evidence.slices.of == "error rate"
    assert evidence.slices.searched > 30
