"""What the subject says of the model's inputs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from audit.config.schema import ExamineConfig
from audit.examination.blackbox.score import Scores
from audit.examination.measures.case import describe_subject, list_intersections


@pytest.mark.parametrize("groups", [["sex"], {"file": "people.csv", "key": "id", "columns": ["sex"]}])
def test_an_input_that_bears_the_attributes_name_is_protected_wherever_the_groups_come_from(groups):
    config = ExamineConfig.model_validate({"data": "rows.csv", "model": {"path": "m.pt2"}, "groups": groups})
    dataset = SimpleNamespace(kinds={"income": "number", "sex": "category"})
    scores = Scores(None, None, np.zeros(0, bool), None)
    subject = describe_subject(config, dataset, ("income", "sex"), scores, has_model=True)
    assert [(feature.name, feature.protected) for feature in subject.features] == [("income", False), ("sex", True)]


@pytest.mark.parametrize(
    ("asked", "measured"),
    [
        ("pairs", [("sex", "race"), ("sex", "age"), ("race", "age")]),
        ("none", []),
        ([["age", "sex"], ["race", "sex"], ["sex", "race"]], [("sex", "age"), ("sex", "race")]),
        ([["age", "race", "sex"]], [("sex", "race", "age")]),
    ],
)
def test_an_intersection_names_its_attributes_in_their_order_and_is_measured_once(asked, measured):
    config = ExamineConfig.model_validate(
        {"data": "d.csv", "model": {"path": "m.pt2"}, "groups": ["sex", "race", "age"], "intersections": asked}
    )
    assert list(list_intersections(config)) == measured
