"""Who has no label: counts by group and decision, in rows and in entries that stand for many."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.missing_labels import DEFINITIONS, measure_missing_labels
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.measures.labels import find_selective
from audit.examination.tally.roll import roll_of
from audit.examination.tally.tally import build_tally
from audit.statistics import newcombe_difference, wilson


def make_scene(sex, label, favourable):
    groups = {"sex": np.asarray(sex, object)}
    roll = roll_of(groups, label, None, favourable, rows=len(sex))
    single = lay_out(build_tally(groups, label, favourable).table(("sex",)), 30, 0.02)
    return Scene(SimpleNamespace(roll=roll), (single,), (), Reading(True))


def make_rows(n=2000, shares=(0.3, 0.05), seed=0):
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n).astype(object)
    label = rng.integers(0, 2, n).astype(float)
    label[rng.random(n) < np.where(sex == "F", *shares)] = np.nan
    return sex, label, rng.random(n) < 0.5


def pick(found, name, **group):
    (item,) = [one for one in found.measurements if one.metric == f"fairness.{name}" and one.group == group]
    return item


def test_counts_by_group_and_decision():
    sex, label, favourable = make_rows()
    found = measure_missing_labels(make_scene(sex, label, favourable))
    missing = np.isnan(label)
    for group, inside in ((dict(sex="F"), sex == "F"), (dict(sex="M"), sex == "M"), ({}, np.ones(2000, bool))):
        for name, side in (("", np.ones(2000, bool)), ("_favourable", favourable), ("_unfavourable", ~favourable)):
            estimate = pick(found, f"label_missing_rate{name}", **group).estimate
            k, n = int((missing & inside & side).sum()), int((inside & side).sum())
            assert (estimate.count, estimate.n) == (k, n)
            assert (estimate.low, estimate.high) == wilson(k, n)
    assert {item.metric for item in found.measurements} == {definition.id for definition in DEFINITIONS}


def test_the_difference_is_to_the_group_with_fewest_missing():
    sex, label, favourable = make_rows()
    found = measure_missing_labels(make_scene(sex, label, favourable))
    item, counts = pick(found, "label_missing_rate_difference", sex="F"), {}
    for name in "FM":
        counts[name] = int(np.isnan(label[sex == name]).sum()), int((sex == name).sum())
    assert item.reference == "sex=M"
    assert item.estimate.value == pytest.approx(counts["F"][0] / counts["F"][1] - counts["M"][0] / counts["M"][1])
    assert (item.estimate.low, item.estimate.high) == newcombe_difference(*counts["F"], *counts["M"])
    assert item.parity.p_adjusted < 1e-6


def test_labels_missing_by_group_are_said_and_doubt_nothing():
    sex, label, favourable = make_rows()
    scene = make_scene(sex, label, favourable)
    (note,) = measure_missing_labels(scene).notes
    assert note.startswith("Labels are missing by group: for sex=F ")
    assert "for sex=M" in note
    assert find_selective(scene.case) == ""
    assert pick(measure_missing_labels(scene), "label_missing_rate", sex="F").estimate.assessable


def test_labels_missing_alike_need_no_note():
    assert measure_missing_labels(make_scene(*make_rows(shares=(0.2, 0.2)))).notes == ()


def test_labels_missing_by_decision_are_found_in_the_roll():
    sex, label, favourable = make_rows(shares=(0.0, 0.0))
    label[~favourable] = np.nan
    scene = make_scene(sex, label, favourable)
    assert "selective labels: unknown for 0 of" in find_selective(scene.case)
    assert pick(measure_missing_labels(scene), "label_missing_rate_unfavourable").estimate.value == 1.0
    assert pick(measure_missing_labels(scene), "label_missing_rate_favourable", sex="F").estimate.value == 0.0


def test_entries_that_stand_for_many_rows_count_as_many():
    sex, label, favourable = make_rows(400)
    scene = make_scene(sex, label, favourable)
    count = np.random.default_rng(1).integers(1, 9, 400)
    scene.case.roll = replace(scene.case.roll, count=count, width=0.01)
    spread = make_scene(*(np.repeat(item, count) for item in (sex, label, favourable)))
    assert measure_missing_labels(scene).measurements == measure_missing_labels(spread).measurements
    label[~favourable] = np.nan
    scene.case.roll = replace(scene.case.roll, label=label)
    people = int(count[~favourable].sum())
    assert f"{people} of {people} decided unfavourably" in find_selective(scene.case)


def test_whole_labels_show_zero_and_no_split():
    found = measure_missing_labels(make_scene(*make_rows(shares=(0.0, 0.0))))
    assert pick(found, "label_missing_rate", sex="F").estimate.value == 0.0
    assert pick(found, "label_missing_rate", sex="F").estimate.high > 0
    assert not [item for item in found.measurements if item.metric.endswith("favourable")]


def test_no_label_at_all_is_undefined():
    sex, _, favourable = make_rows(100)
    estimate = pick(measure_missing_labels(make_scene(sex, None, favourable)), "label_missing_rate", sex="F").estimate
    assert (estimate.value, estimate.note) == (None, "no label was given")
