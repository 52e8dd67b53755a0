"""Stored scores beside a model: its own, rounded, stale, of few rows, of another group."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from audit.evidence import Intake
from audit.examination.measures.intake import compare_stored, measure_intake

SCORE = np.linspace(0.05, 0.95, 100)
SEX = np.array(["f", "m"] * 50)


def case_of(stored, *, score=SCORE, scale="probability", column="known", sampled=""):
    intake = Intake(format="pt2", file="net.pt2", sha256="x", trust="vetted", notes=("first",))
    return SimpleNamespace(
        config=SimpleNamespace(model=SimpleNamespace(expected_score=column)),
        blackbox=SimpleNamespace(scale=scale),
        scores=SimpleNamespace(score=score),
        frame=pd.DataFrame({"known": stored}),
        groups={"sex": SEX},
        intake=intake,
        sampled=sampled,
    )


def test_own_scores_and_rounded_ones_are_the_models():
    for stored in (SCORE, SCORE.round(3)):
        section = measure_intake(case_of(stored))
        assert (section.stored.rows, section.stored.differing, section.stored.by_group) == (100, 0, ())
        assert section.notes == ("first",)


def test_stale_scores_are_counted_by_group():
    stored = SCORE.copy()
    stored[[0, 2, 4, 1]] += 0.2
    stored[50] = np.nan
    section = measure_intake(case_of(stored))
    found = section.stored
    assert (found.rows, found.missing, found.differing) == (99, 1, 4)
    assert found.largest == pytest.approx(0.2)
    assert found.mean == pytest.approx(0.2)
    assert [(one.group, one.rows, one.differing) for one in found.by_group] == [("f", 49, 3), ("m", 50, 1)]
    assert "4 of 99 scores stored in known are not those of this model" in section.notes[0]


def test_values_are_compared_relatively():
    value = SCORE * 1e6
    assert compare_stored(case_of(value * 1.0005, score=value, scale="value"), "known").differing == 0
    assert compare_stored(case_of(value * 1.01, score=value, scale="value"), "known").differing == 100


def test_no_column_and_an_empty_one():
    assert measure_intake(case_of(SCORE, column=None)).stored is None
    empty = compare_stored(case_of(np.full(100, np.nan), sampled="a sample"), "known")
    assert (empty.rows, empty.largest, empty.mean, empty.sampled) == (0, None, None, "a sample")
