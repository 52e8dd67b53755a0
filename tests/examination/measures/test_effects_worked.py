"""One prediction added up by hand, and reasons for a score: digit by digit, and by hand."""

from __future__ import annotations

import importlib.util
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from glass_material import KINDS, Formula, make_case, make_features, make_truth, true_link
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence import FeatureUsed
from audit.examination.glassbox.encoder import Encoder, LevelCode, NumberCode
from audit.examination.glassbox.files import write_tables
from audit.examination.glassbox.fit import fit_glassboxes
from audit.examination.glassbox.shapes import PairTerm, TableBox, Term
from audit.examination.measures.effects.measure import measure_effects
from audit.examination.measures.effects.reasons import average_contributions, rank_reasons, split_contributions
from audit.examination.measures.effects.worked import MOST_LINES, make_typical, round_to_sum, work_sum

READER = Path(__file__).resolve().parents[3] / "examples" / "read_tables.py"


@pytest.fixture(scope="module")
def job():
    rows, _, label = make_truth(1200, seed=8)
    box = Formula(lambda f: true_link(f) + 0.03 * (f["income"].to_numpy() - 30) * (f["owns"].to_numpy() == True))  # noqa: E712
    link = box.link(rows[list(KINDS)])
    fits = fit_glassboxes(rows, make_features(), label=label, link=link, effort="fast", n_jobs=1)
    return make_case(rows, link=link, label=label, blackbox=box, fits=fits)


def exact(value):
    return Decimal(repr(value))


def test_printed_numbers_add_up_digit_by_digit(job):
    (worked,) = measure_effects(job).worked
    assert worked.model == "net_surrogate"
    assert exact(worked.start) + sum(exact(step.contribution) for step in worked.steps) == exact(worked.total)
    sizes = [abs(step.contribution) for step in worked.steps]
    assert all(a >= b - 2e-4 for a, b in pairwise(sizes))
    assert worked.score == pytest.approx(1 / (1 + np.exp(-worked.total)), abs=6e-5)


def test_anybody_gets_the_same_from_the_exported_table(job):
    """The numpy reader of the examples, which knows nothing of this package."""
    spec = importlib.util.spec_from_file_location("reader", READER)
    reader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reader)
    (worked,) = measure_effects(job).worked
    table = json.loads(write_tables(job.fits.models["net_surrogate"]))
    values = {step.feature: step.value for step in worked.steps if step.feature in KINDS}
    assert set(values) == set(KINDS)
    found = reader.predict(table, {name: [value] for name, value in values.items()})[0]
    assert found == pytest.approx(worked.total, abs=1e-3)


def test_the_black_box_is_asked_for_the_same_person(job):
    (worked,) = measure_effects(job).worked
    values = {step.feature: step.value for step in worked.steps}
    person = pd.DataFrame(
        {"age": [float(values["age"])], "income": [float(values["income"])], "idle": [float(values["idle"])]}
    )
    person["job"] = np.array([values["job"]], dtype=object)
    person["owns"] = np.array([values["owns"] == "True"], dtype=object)
    assert worked.black_box == pytest.approx(job.blackbox.score(person)[0], abs=6e-5)
    alone = make_case(job.frame, link=job.scores.link, label=job.label, fits=job.fits)
    assert measure_effects(alone).worked[0].black_box is None


def test_the_person_is_no_row_of_the_data():
    """Each column is read by itself: shuffled apart, the columns give the same person."""
    rng = np.random.default_rng(0)
    rows, _, _ = make_truth(301)
    shuffled = pd.DataFrame({name: rows[name].to_numpy()[rng.permutation(301)] for name in KINDS})
    for name in KINDS:
        shuffled[name] = shuffled[name].astype(rows[name].dtype)
    pd.testing.assert_frame_equal(make_typical(rows, make_features()), make_typical(shuffled, make_features()))


def test_typical_values_are_medians_and_frequent_levels():
    rows = pd.DataFrame({"whole": [1.0, 2.0, 4.0, 5.0], "part": [1.23456, 1.3, 1.4, np.nan]})
    rows["level"] = np.array(["b", "a", None, "c"], dtype=object)
    rows["gone"] = [np.nan, np.nan, 1.0, np.nan]
    rows["flag"] = np.array([True, False, True, None], dtype=object)
    kinds = {"whole": "number", "part": "number", "level": "category", "gone": "number", "flag": "boolean"}
    found = make_typical(rows, tuple(FeatureUsed(name=n, kind=k) for n, k in kinds.items())).iloc[0]
    assert found["whole"] == 3.0
    assert found["part"] == 1.3
    assert found["level"] == "a"
    assert np.isnan(found["gone"])
    assert found["flag"] is True


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 7)), min_size=1, max_size=30))
def test_rounding_to_a_sum_is_off_by_less_than_a_unit(values):
    total, parts = round_to_sum(values)
    assert sum(map(exact, parts)) == exact(total)
    largest = max(abs(v) for v in (*values, sum(values)))
    unit = 10.0 ** (np.floor(np.log10(largest)) - 4) if largest > 0 else 1.0
    assert abs(total - sum(values)) <= unit * 0.5001
    for value, part in zip(values, parts, strict=True):
        assert abs(value - part) <= unit * 1.0001


def test_scales_of_any_size_add_up():
    for scale in (1e-12, 1e12):
        total, parts = round_to_sum([1.23456789 * scale, -0.3333333 * scale, 0.1 * scale])
        assert sum(parts) == pytest.approx(total, rel=1e-12)
        assert total == pytest.approx(1.0012346 * scale, rel=1e-4)


def make_box(pairs=()):
    codes = (NumberCode("x", np.array([0.0, 10.0])), LevelCode("c", ("a", "b")))
    terms = (
        Term("x", "linear", np.array([0.0, 10.0]), (), np.array([-1.0, 1.0]), missing=0.25),
        Term("c", "level", np.empty(0), ("a", "b"), np.array([0.4, -0.6]), unknown=0.1),
    )
    return TableBox("net_label", "logit", Encoder(codes), 0.5, terms, pairs)


def rows_of(x, c):
    return pd.DataFrame({"x": np.asarray(x, float), "c": np.asarray(c, dtype=object)})


def test_reasons_by_hand():
    box = make_box()
    reference = average_contributions(box, rows_of([10, 5], ["a", "a"]))
    np.testing.assert_allclose(reference, [0.5, 0.4])
    # x = 2.5 adds -0.5, which is 1.0 less than those approved; b adds -0.6, which is also 1.0 less
    first, second = rank_reasons(box, rows_of([0.0], ["b"]), reference)
    assert (first.feature, first.value, first.contribution, first.reference) == ("x", "0", -1.0, 0.5)
    assert first.gap == pytest.approx(-1.5)
    assert (second.feature, second.value) == ("c", "b")
    assert second.gap == pytest.approx(-1.0)
    turned = rank_reasons(box, rows_of([0.0], ["b"]), reference, favourable_is_high=False)
    assert [reason.feature for reason in turned] == ["c", "x"]
    assert rank_reasons(box, rows_of([np.nan], [None]), reference)[0].value == "missing"


def test_an_interaction_is_shared_out_evenly():
    table = np.zeros((3, 4))
    table[1:, 1:3] = [[0.2, -0.2], [-0.4, 0.4]]
    pair = PairTerm(
        ("x", "c"),
        (0, 1),
        (np.array([0.0, 10.0]), np.empty(0)),
        (np.empty(0, int), np.array([1, 2, 3])),
        table,
        "linear",
    )
    box = make_box((pair,))
    parts = split_contributions(box, box.encoder.encode(rows_of([10.0], ["b"])))
    np.testing.assert_allclose(parts, [[1.0 + 0.2, -0.6 + 0.2]])


def test_reasons_of_a_row_add_up_to_its_distance(job):
    box = job.fits.models["net_surrogate"]
    approved = job.frame[job.scores.favourable]
    reference = average_contributions(box, approved)
    row = job.frame[~job.scores.favourable].iloc[[0]]
    reasons = rank_reasons(box, row, reference)
    assert sum(r.gap for r in reasons) == pytest.approx(box.link(row)[0] - box.link(approved).mean(), abs=1e-9)
    gaps = [r.gap for r in reasons]
    assert gaps == sorted(gaps)
    with pytest.raises(ValueError, match="one row"):
        rank_reasons(box, approved.iloc[:2], reference)


def test_very_many_features_end_in_one_line():
    names = [f"x{j}" for j in range(50)]
    encoder = Encoder(tuple(NumberCode(name, np.array([0.0, 1.0])) for name in names))
    terms = tuple(
        Term(name, "linear", np.array([0.0, 1.0]), (), np.array([0.0, (j + 1) / 100])) for j, name in enumerate(names)
    )
    box = TableBox("net_surrogate", "identity", encoder, -3.0, terms)
    worked = work_sum(box, pd.DataFrame({name: [1.0] for name in names}), None)
    assert len(worked.steps) == MOST_LINES
    assert worked.steps[-1].feature == "21 smaller ones"
    assert worked.total == pytest.approx(-3 + sum(range(1, 51)) / 100)
    assert exact(worked.start) + sum(exact(step.contribution) for step in worked.steps) == exact(worked.total)
