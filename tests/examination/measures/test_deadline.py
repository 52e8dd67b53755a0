"""A section whose time is spent keeps what it has, begins nothing more, and says so."""

from __future__ import annotations

from time import perf_counter

import pytest
from explain_material import open_small, write_linear

from audit.examination.measures import deadline as clock
from audit.examination.measures.attributions import METHODS, measure_attributions
from audit.examination.measures.deadline import LIMITS, Deadline
from audit.examination.measures.decisions.measure import measure_decisions
from audit.examination.measures.explanations.measure import PARTS, measure_explanations
from audit.examination.measures.robustness.measure import measure_robustness


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return open_small(write_linear(tmp_path_factory.mktemp("late"), "features:\n  income: {mutable: true}\n"))


def test_there_is_a_reason_only_when_the_time_is_spent():
    assert Deadline("fast").reason == ""
    late = Deadline("fast", perf_counter() - LIMITS["fast"] - 1).reason
    assert "partial result" in late
    assert "60 seconds" in late


def test_parts_that_came_too_late_are_not_done(case, monkeypatch):
    monkeypatch.setitem(clock.LIMITS, "fast", -1.0)
    explained = measure_explanations(case)
    assert set(PARTS) <= set(explained.parts_not_done)
    assert not explained.measurements
    robust = measure_robustness(case)
    assert {"Deliberate changes", "Missing inputs"} <= set(robust.parts_not_done)
    assert any(item.metric == "robustness.noise_flip_rate" for item in robust.measurements)
    decided = measure_decisions(case)
    assert "partial result" in decided.parts_not_done["What would change the decision"]
    assert any(item.metric == "decisions.reason_validity" for item in decided.measurements)
    assert "partial result" in measure_attributions(case).not_done


def test_attributions_keep_what_was_done_in_time(case, monkeypatch):
    asked = []

    def reason(self):
        asked.append(self)
        return "" if len(asked) <= 2 else "a partial result: late"

    monkeypatch.setattr(Deadline, "reason", property(reason))
    told = measure_attributions(case).methods
    assert [bool(item.not_done) for item in told] == [False, False, True]
    assert len(told) == len(METHODS["fast"])
