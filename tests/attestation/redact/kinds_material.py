"""Small audits of every kind of decision, in each of which some groups, levels and cells hold 1 to 4 people."""

from __future__ import annotations

import numpy as np
import pandas as pd

import audit
from audit.config.load import config_from

CLASSES = ["approve", "refer", "decline"]
TOWNS = {"north": 260, "south": 200, "west": 90, "hamlet": 7, "islet": 3}
RARE = ("islet", "astronaut")
"""Names of fewer than five people."""


def make_people(seed: int = 3) -> pd.DataFrame:
    """Return people of five towns, three sexes and four jobs, with everything that may be decided on or predicted."""
    rng = np.random.default_rng(seed)
    town = rng.permutation(np.repeat(list(TOWNS), list(TOWNS.values())))
    rows = town.size
    sex = rng.choice(["F", "M", "X"], rows, p=[0.48, 0.505, 0.015])
    x, z = rng.normal(size=(2, rows)).round(3)
    job = rng.choice(["clerk", "nurse", "smith"], rows)
    job[rng.choice(rows, 3, replace=False)] = "astronaut"
    chances = np.exp(np.stack([x + 0.3 * (sex == "M"), 0.5 * z - 1, -x], axis=1))
    chances /= chances.sum(axis=1, keepdims=True)
    place = (rng.random(rows)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    order = (-x).argsort().argsort()
    z[rng.choice(rows, 3, replace=False)] = np.nan
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "job": job,
            "sex": sex,
            "town": town,
            "grade": np.array(CLASSES)[place],
            "given": np.array(CLASSES)[np.stack([x + 0.2, 0.4 * np.nan_to_num(z) - 0.6, -x], axis=1).argmax(axis=1)],
            "income": (30 + 5 * x + rng.normal(size=rows) * (2 + 1.5 * (sex == "F"))).round(2),
            "good": (x + rng.normal(size=rows) > 0).astype(int),
            "weight": rng.integers(1, 5, rows),
            "branch": rng.choice(["A", "B", "C"], rows, p=[0.6, 0.37, 0.03]),
            "shortlist": np.where(order < 40, "yes", "no"),
            "granted": np.where(x + rng.normal(size=rows) > 0, "yes", "no"),
            "tier": np.select([order < 12, order < 60, order < 200], ["gold", "silver", "bronze"], "none"),
        }
    )


PEOPLE = make_people()
PEOPLE_WITH_GAPS = PEOPLE.assign(good=PEOPLE["good"].where(PEOPLE.index != 5).where(PEOPLE.index % 211 != 0))


def say_value(frame: pd.DataFrame) -> pd.Series:
    """Return what the regression says."""
    return 29.5 + 5 * frame["x"] + frame["z"].fillna(0)


def say_probability(frame: pd.DataFrame) -> pd.Series:
    """Return what the binary black box says."""
    return 1 / (1 + np.exp(-1.5 * frame["x"] - 0.1 * frame["z"].fillna(0)))


KINDS = {
    "top-k": {"label": "good", "decision": {"column": "shortlist", "favourable": "yes"}},
    "bands": {"label": "good", "decision": {"column": "tier", "favourable": ["gold", "silver"]}},
    "classes": {"label": "grade", "decision": {"column": "given", "favourable": "approve"}},
    "several good classes": {"label": "grade", "decision": {"column": "given", "favourable": ["approve", "refer"]}},
    "strata": {
        "label": "good",
        "decision": {"column": "granted", "favourable": "yes"},
        "strata": ["branch"],
        "intersections": "pairs",
    },
    "labels missing": {
        "frame": PEOPLE_WITH_GAPS,
        "label": "good",
        "decision": {"column": "shortlist", "favourable": "yes"},
    },
    "regression": {"label": "income", "predict": say_value, "model": {"output": "value"}},
    "binary": {
        "label": "good",
        "predict": say_probability,
        "model": {"output": "probability", "format": "python"},
        "data": {"audit": "people.csv", "id": "applicant", "weight": "weight"},
        "explain": {"rows": ["P0003", "P0004"]},
        "features": {"x": {"mutable": True}},
    },
}


def run_kind(kind: str, folder, **changed):
    """Audit one kind; return the outcome of the internal report."""
    settings = {"intersections": "none", **KINDS[kind], **changed}
    frame, predict = settings.pop("frame", PEOPLE), settings.pop("predict", None)
    used = {"x", "z", "job", "sex", "town", "weight", "branch", settings["label"]}
    used |= {settings["decision"]["column"]} if "decision" in settings else set()
    kept = frame[[name for name in frame.columns if name in used]]
    about = {
        "groups": ["sex", "town"],
        "effort": "fast",
        "policies": ["baseline-fairness"],
        "signing": {"key": "development"},
        "ledger": {"path": str(folder / "log")},
        "report": {"formats": ["junit"]},
        **settings,
    }
    if "data" not in about:
        return audit.run(data=kept, predict=predict, out=folder / "report", exclude=["weight", "branch"], **about)
    path = folder / about["data"]["audit"]
    kept.assign(applicant=[f"P{n:04d}" for n in range(len(kept))]).to_csv(path, index=False)
    about["data"] = {**about["data"], "audit": str(path)}
    return audit.run(config_from(about), predict=predict, out=folder / "report")
