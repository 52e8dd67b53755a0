"""A case opened on a small frame, without glass boxes: for measures that ask the model and the rows alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audit.config.load import config_from
from audit.evidence import NotDone
from audit.examination.blackbox.intake import take_in, take_in_callable
from audit.examination.data.read import read_dataset
from audit.examination.engine.engine import open_engine
from audit.examination.engine.progress import SilentProgress
from audit.examination.measures.beside import open_beside
from audit.examination.measures.case import Case, describe_subject, list_intersections
from audit.examination.sweep.find import read_rows
from audit.examination.sweep.people import gather_people


def open_small_case(folder: Path, frame, predict=None, **over: Any) -> Case:
    """Return a case of `frame`, written to `folder`, asked of `predict` or of the model that `over` names."""
    frame.to_csv(folder / "rows.csv", index=False)
    settings = {"data": str(folder / "rows.csv"), "groups": ["sex"], "label": "repaid", "intersections": "none"}
    rows = read_rows(config_from({**settings, **over}), None, ())
    config, dataset = rows.config, rows.dataset
    blackbox, intake = take_in_callable(predict, config, dataset) if predict else take_in(config, dataset)
    with open_engine("local", None) as engine:
        people = gather_people(rows, blackbox, intake, engine, list_intersections(config), SilentProgress())
    subject = describe_subject(config, dataset, intake.columns, people.scores, has_model=blackbox is not None)
    return Case(
        config=config,
        subject=subject,
        dataset=dataset,
        frame=people.frame,
        label=people.label,
        weights=people.weights,
        groups=people.groups,
        scores=people.scores,
        tally=people.tally,
        roll=people.roll,
        sampled=people.sampled,
        blackbox=blackbox,
        intake=intake,
        fits=NotDone(not_done="no glass boxes in this test"),
        training=read_dataset(config, role="train") if config.data.train else None,
        beside=open_beside(config, subject, dataset, blackbox),
    )


def pick_number(section, metric, *, outcome=None, feature=None, attribute=None, **group):
    """Return the one estimate of that name and scope."""
    (item,) = [
        one
        for one in section.measurements
        if one.metric == metric
        and one.outcome == outcome
        and one.feature == feature
        and one.attribute == attribute
        and one.group == group
    ]
    return item.estimate
