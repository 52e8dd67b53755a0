"""Cases for the measures without files: a black box that is a formula, rows with a known truth."""

from __future__ import annotations

import numpy as np

from audit.config.schema import ExamineConfig
from audit.evidence import AttributeUsed, Decision, FeatureUsed, Intake, NotDone, Subject
from audit.examination.blackbox.score import Scores
from audit.examination.measures.case import Case
from audit.examination.tally.roll import roll_of


def make_truth(rows: int = 2500, seed: int = 0):
    """Return rows and the true log-odds: a bend, a saturation, levels, a feature without effect, values missing."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows).astype(float)
    income = rng.lognormal(3.4, 0.5, rows).round(2)
    idle = rng.normal(size=rows).round(3)
    job = rng.choice(["none", "manual", "office", "own"], rows, p=[0.1, 0.4, 0.4, 0.1]).astype(object)
    owns = rng.choice(np.array([True, False], dtype=object), rows)
    sex = np.where(rng.random(rows) < 0.5, "F", "M").astype(object)
    frame = pd.DataFrame({"age": age, "income": income, "idle": idle, "job": job, "owns": owns})
    frame["sex"] = sex
    truth = true_link(frame)
    label = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(float)
    return frame, truth, label


JOB = {"none": -0.8, "manual": -0.1, "office": 0.2, "own": 0.4}


def true_link(frame):
    """Return the true log-odds, additive in the features."""
    age = frame["age"].to_numpy(dtype=float)
    income = frame["income"].to_numpy(dtype=float)
    job = np.array([JOB[str(value)] for value in frame["job"]])
    owns = np.array([value is True for value in frame["owns"]], dtype=float)
    return -0.003 * (age - 48) ** 2 / 1.5 + 1.2 * np.tanh((income - 30) / 15) + job + 0.5 * owns + 0.3


KINDS = {"age": "number", "income": "number", "idle": "number", "job": "category", "owns": "boolean"}


class Formula:
    """A black box that is a function of the frame."""

    format = "python"
    scale = "logit"
    has_gradients = False

    def __init__(self, link, columns=tuple(KINDS)):
        self.columns = tuple(columns)
        self._link = link
        self.asked = 0

    def link(self, frame):
        assert list(frame.columns) == list(self.columns)
        self.asked += len(frame)
        return np.asarray(self._link(frame), dtype=float)

    def score(self, frame):
        return 1 / (1 + np.exp(-self.link(frame)))


def make_features(**declared):
    """Return features; `declared` maps a name to extra fields."""
    return tuple(FeatureUsed(name=name, kind=kind, **declared.get(name, {})) for name, kind in KINDS.items())


def make_case(
    frame, *, link=None, label=None, blackbox=None, fits=None, groups=None, features=None, config=None, **over
):
    """Return a case around a frame; scores come from `link` and the cut one half."""
    values = {"data": "rows.csv", "label": "y", "effort": "standard", "model": {"format": "python"}, **(config or {})}
    settings = ExamineConfig.model_validate(values)
    groups = {"sex": frame["sex"].to_numpy().astype(str)} if groups is None else groups
    task = over.pop("task", "binary")
    score = None if link is None else (link if task == "regression" else 1 / (1 + np.exp(-link)))
    positive = None if score is None else score >= 0.5
    subject = Subject(
        title="t",
        system="s",
        version="",
        task=task,
        label="y",
        positive="1",
        decision=Decision(favourable="score >= 0.5", threshold=0.5),
        attributes=tuple(AttributeUsed(name=name, column=name) for name in groups),
        features=make_features() if features is None else features,
        has_model=blackbox is not None,
    )
    scores = over.pop("scores", None) or Scores(
        score, link, np.ones(len(frame), bool) if positive is None else positive, positive
    )
    return Case(
        config=settings,
        subject=subject,
        dataset=None,
        frame=frame,
        label=label,
        weights=over.pop("weights", None),
        groups=groups,
        scores=scores,
        tally=None,
        roll=roll_of(groups, label, scores.score, scores.favourable, rows=len(frame)),
        blackbox=blackbox,
        intake=Intake(format="python", file="", sha256="model not identified", trust="made by a test"),
        fits=NotDone(not_done="no glass boxes here") if fits is None else fits,
    )
