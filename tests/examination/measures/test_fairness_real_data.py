"""Real data with the stored scores of real models, counted by the product's own tally."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from audit.config.schema import ExamineConfig
from audit.evidence import AttributeUsed, Decision, Fairness, Subject
from audit.examination.measures.fairness.measure import measure_fairness
from audit.examination.tally.roll import roll_of
from audit.examination.tally.tally import build_tally

SHARED = Path(__file__).resolve().parents[3] / "../shared/data"
JOBS = {
    "compas": ("compas_resnet", "two_year_recid", ("race", "sex"), False),
    "adult": ("adult_mlp", "income", ("race", "sex"), True),
    "german_credit": ("german_softmax", "good_credit", ("sex",), True),
}

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not here")]


def read_job(name):
    model, _, attributes, good = JOBS[name]
    frame = pd.read_parquet(SHARED / "data" / f"{name}.parquet")
    scored = pd.read_parquet(SHARED / "models" / model / "predictions.parquet").set_index("row")
    frame = frame.loc[scored.index]
    groups = {name: frame[name].fillna("unknown").astype(str).to_numpy(object) for name in attributes}
    return groups, scored["y"].to_numpy(float), scored["score"].to_numpy(float), good


@pytest.mark.parametrize("name", JOBS)
def test_every_number_agrees_with_fairlearn(name):
    groups, label, score, good = read_job(name)
    favourable = score >= 0.5 if good else score < 0.5
    names = tuple(groups)
    pairs = (names,) if len(names) > 1 else ()
    case = SimpleNamespace(
        subject=Subject(
            title=name,
            system=name,
            version="",
            decision=Decision(
                favourable="score >= 0.5" if good else "score < 0.5",
                threshold=0.5,
                favourable_is_high=good,
                positive_is_favourable=good,
            ),
            attributes=tuple(AttributeUsed(name=item, column=item) for item in names),
            intersections=pairs,
        ),
        groups=groups,
        label=label,
        weights=None,
        scores=SimpleNamespace(score=score, favourable=favourable),
        tally=build_tally(groups, label, favourable, score, intersections=pairs),
        roll=roll_of(groups, label, score, favourable),
        rng=lambda name: np.random.default_rng(0),
        config=ExamineConfig.model_validate({"data": "rows.csv"}),
        blackbox=None,
        sampled="",
    )
    fairness = measure_fairness(case)
    assert isinstance(fairness, Fairness)
    assert fairness.cross_check.largest_difference == 0.0
    assert fairness.cross_check.rows == len(score)
    assert sum(cell.n for cell in fairness.tables[0].cells) == len(score)
    for item in fairness.measurements:
        assert item.estimate.value is not None or item.estimate.note
    assert fairness.seconds < 30
