"""Everything awkward that data about people can be: each case ends in a clear result or in a clear error.

Whole audits of stored scores on small tables. Whatever the case, an undefined number is never 0, has a reason, and
passes no rule; a case that cannot be audited is refused with the exit code of its kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

import audit
from audit.config.load import config_from
from audit.errors import AuditError, ConfigError, DataError, IntakeRefused

SETTINGS = {
    "label": "y",
    "groups": ["g"],
    "model": {"scores": "s", "output": {"scale": "probability"}},
    "decision": {"favourable": "score >= 0.5"},
    "policies": ["baseline-fairness"],
    "report": {"formats": ["html"]},
}
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy", "error_rate")


def make_people(rows: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = rng.random(rows).round(3)
    return pd.DataFrame(
        {"g": rng.choice(["A", "B"], rows), "y": (rng.random(rows) < score).astype(int), "s": score, "w": 1.0}
    )


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function from rows and changed settings to the outcome of an audit; its ledger lies apart."""
    monkeypatch.chdir(tmp_path)

    def start(people: pd.DataFrame, **changes: Any) -> audit.Outcome:
        settings = {**SETTINGS, **changes}
        if "data" not in settings:
            return audit.run(data=people, out=tmp_path / "report", **settings)
        people.to_parquet(tmp_path / "people.parquet")  # only a file has more to it than its rows
        settings["data"] = {"audit": str(tmp_path / "people.parquet"), **settings["data"]}
        return audit.run(config_from(settings), out=tmp_path / "report")

    return start


def list_numbers(outcome) -> list[Any]:
    evidence = outcome.dossier.evidence
    sections = (evidence.data, evidence.performance, evidence.calibration, evidence.fairness)
    return [item for section in sections for item in getattr(section, "measurements", ())]


def pick(outcome, metric, *, attribute=None, **group):
    found = [
        item.estimate
        for item in list_numbers(outcome)
        if (item.metric, item.group, item.attribute) == (f"fairness.{metric}", group, attribute)
    ]
    assert len(found) == 1, (metric, group)
    return found[0]


def check_honesty(outcome) -> None:
    """Undefined has a reason, is not judged, and passes nothing; every part of the section held."""
    for item in list_numbers(outcome):
        estimate = item.estimate
        if estimate.value is None:
            assert estimate.note, item.metric
            assert not estimate.assessable, item.metric
            assert not estimate.has_interval, item.metric
        else:
            assert math.isfinite(estimate.value), item.metric
    for finding in outcome.dossier.judgement.findings:
        for verdict in finding.verdicts:
            assert verdict.status != "error", (finding.rule, verdict.because)
            if finding.kind == "measure" and verdict.status in ("pass", "warn", "fail"):
                assert verdict.observed is not None, finding.rule
                assert verdict.observed.value is not None, finding.rule
    evidence = outcome.dossier.evidence
    assert not evidence.broken
    assert not getattr(evidence.fairness, "broken_parts", ())


def is_undefined(estimate, *words: str) -> bool:
    return estimate.value is None and bool(estimate.note) and all(word in estimate.note for word in words)


def no_positives_in_b(people):
    return people.assign(y=people["y"].where(people["g"] == "A", 0))


def check_no_positives(outcome):
    for name in ("true_positive_rate", "false_negative_rate", "true_positive_rate_difference"):
        assert is_undefined(pick(outcome, name, g="B"), "positive label")
    assert is_undefined(pick(outcome, "auc", g="B"))
    assert pick(outcome, "equalized_odds_difference", attribute="g").value is None
    assert pick(outcome, "false_positive_rate", g="B").value > 0


def no_negatives_in_b(people):
    return people.assign(y=people["y"].where(people["g"] == "A", 1))


def check_no_negatives(outcome):
    for name in ("false_positive_rate", "true_negative_rate", "false_positive_rate_difference"):
        assert is_undefined(pick(outcome, name, g="B"), "negative label")
    assert pick(outcome, "equalized_odds_difference", attribute="g").value is None
    assert pick(outcome, "true_positive_rate", g="B").value > 0


def one_person(people):
    return people.assign(g=["Z", *people["g"][1:]])


def check_one_person(outcome):
    alone = pick(outcome, "selection_rate", g="Z")
    assert (alone.n, alone.assessable) == (1, False)
    assert alone.high - alone.low > 0.5  # one person is no certainty
    assert not pick(outcome, "selection_rate_ratio", g="Z").assessable
    assert is_undefined(pick(outcome, "mean_score", g="Z"))


def nobody_selected(people):
    return people.assign(s=people["s"] * 0.4)


def check_nobody_selected(outcome):
    assert pick(outcome, "selection_rate", g="A").value == 0.0  # a rate of 0 is defined
    for group in ("A", "B"):
        assert is_undefined(pick(outcome, "selection_rate_ratio", g=group))
        assert is_undefined(pick(outcome, "precision", g=group))
    assert is_undefined(pick(outcome, "worst_selection_rate_ratio", attribute="g"), "favourably")
    assert not outcome.passed


def everybody_selected(people):
    return people.assign(s=0.5 + people["s"] * 0.5)


def check_everybody_selected(outcome):
    for group in ("A", "B"):
        assert pick(outcome, "selection_rate", g=group).value == 1.0
        assert pick(outcome, "selection_rate_ratio", g=group).value == 1.0
    assert pick(outcome, "selection_rate", g="A").low < 1.0


def some_labels_missing(people):
    return people.assign(y=people["y"].where(people.index % 4 > 0))


def check_some_labels(outcome):
    known = [pick(outcome, "true_positive_rate", g=group).n for group in ("A", "B")]
    assert sum(known) < 300
    assert sum(pick(outcome, "selection_rate", g=group).n for group in ("A", "B")) == 400


def labels_of_the_selected_alone(people):
    return people.assign(y=people["y"].where(people["s"] >= 0.5))


def check_selective_labels(outcome):
    for group in ("A", "B"):
        assert not pick(outcome, "true_positive_rate", g=group).assessable
    assert not pick(outcome, "equalized_odds_difference", attribute="g").assessable


def many_groups(groups):
    return make_people(3 * groups).assign(g=[f"g{place % groups}" for place in range(3 * groups)])


def check_many_groups(outcome):
    fairness = outcome.dossier.evidence.fairness
    assert len(fairness.groups) == 60
    assert not any(
        item.estimate.assessable
        for item in fairness.measurements
        if item.metric.removeprefix("fairness.") in RATES and item.group
    )
    assert is_undefined(pick(outcome, "worst_selection_rate_ratio", attribute="g"), "large enough")


def one_group(people):
    return people.assign(g="A")


def check_one_group(outcome):
    assert is_undefined(pick(outcome, "worst_selection_rate_ratio", attribute="g"), "fewer than two groups")
    assert not pick(outcome, "selection_rate_ratio", g="A").assessable
    assert pick(outcome, "selection_rate", g="A").assessable


def all_unknown(people):
    return people.assign(g=pd.Series([None] * len(people), dtype=object))


def check_all_unknown(outcome):
    assert pick(outcome, "unknown_group_share", attribute="g").value == 1.0
    assert is_undefined(pick(outcome, "worst_selection_rate_ratio", attribute="g"))
    assert not outcome.passed


def constant_scores(people):
    return people.assign(s=0.7)


def check_constant(outcome):
    for group in ("A", "B"):
        assert pick(outcome, "auc", g=group).value == 0.5
        assert not pick(outcome, "auc", g=group).assessable
        assert not pick(outcome, "mean_score", g=group).assessable


def few_people(people):
    return people.iloc[:6]


def check_few(outcome):
    judged = [item.metric for item in list_numbers(outcome) if item.group and item.estimate.assessable]
    assert not [name for name in judged if not name.startswith("data.")]  # how many they are is no estimate
    assert not outcome.passed


def odd_names(people):
    return people.assign(g=people["g"].map({"A": "a, b=c", "B": "<b>&'\""}))


def check_odd_names(outcome):
    assert pick(outcome, "selection_rate", g="a, b=c").value > 0
    assert "<b>&" not in (outcome.folder / "report.html").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Result:
    """A case that is audited."""

    change: Callable[[pd.DataFrame], pd.DataFrame]
    check: Callable[[Any], None]
    settings: dict[str, Any] = field(default_factory=dict)


RESULTS = {
    "a group without positives": Result(no_positives_in_b, check_no_positives),
    "a group without negatives": Result(no_negatives_in_b, check_no_negatives),
    "a group of one person": Result(one_person, check_one_person),
    "nobody selected": Result(nobody_selected, check_nobody_selected),
    "everybody selected": Result(everybody_selected, check_everybody_selected),
    "labels missing": Result(some_labels_missing, check_some_labels),
    "labels of the selected alone": Result(labels_of_the_selected_alone, check_selective_labels),
    "sixty groups of three people": Result(lambda _: many_groups(60), check_many_groups),
    "one group only": Result(one_group, check_one_group),
    "all groups unknown": Result(all_unknown, check_all_unknown),
    "scores all alike": Result(constant_scores, check_constant),
    "six people": Result(few_people, check_few),
    "names of groups that are no names": Result(odd_names, check_odd_names),
}


@pytest.mark.parametrize("name", RESULTS)
def test_ends_in_a_clear_result(run, name):
    case = RESULTS[name]
    outcome = run(case.change(make_people()), **case.settings)
    check_honesty(outcome)
    case.check(outcome)


@dataclass(frozen=True)
class Refusal:
    """A case that is refused."""

    change: Callable[[pd.DataFrame], pd.DataFrame]
    error: type[AuditError]
    words: str
    settings: dict[str, Any] = field(default_factory=dict)


WEIGHTED = {"data": {"weight": "w"}}

REFUSALS = {
    "a negative weight": Refusal(lambda t: t.assign(w=[-1.0, *t["w"][1:]]), DataError, "weight", WEIGHTED),
    "weights of nothing": Refusal(lambda t: t.assign(w=0.0), DataError, "weight", WEIGHTED),
    "a weight that is missing": Refusal(lambda t: t.assign(w=[np.nan, *t["w"][1:]]), DataError, "weight", WEIGHTED),
    "an infinite weight": Refusal(lambda t: t.assign(w=[np.inf, *t["w"][1:]]), DataError, "infinite", WEIGHTED),
    "probabilities above one": Refusal(lambda t: t.assign(s=t["s"] * 3), IntakeRefused, "probabilit"),
    "probabilities below zero": Refusal(lambda t: t.assign(s=t["s"] - 0.2), IntakeRefused, "probabilit"),
    "an infinite score": Refusal(lambda t: t.assign(s=[np.inf, *t["s"][1:]]), DataError, "infinite"),
    "a score that is missing": Refusal(lambda t: t.assign(s=[np.nan, *t["s"][1:]]), DataError, "have no score"),
    "three labels where two are asked for": Refusal(lambda t: t.assign(y=np.arange(len(t)) % 3), AuditError, "y"),
    "all of one class": Refusal(lambda t: t.assign(y=1), DataError, "one class"),
    "a thousand groups": Refusal(lambda t: many_groups(1000), DataError, "1,000 or more different values"),
    "no such group": Refusal(lambda t: t, ConfigError, "did you mean", {"groups": ["gg"]}),
    "nobody": Refusal(lambda t: t.iloc[:0], AuditError, "rows"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_ends_in_a_clear_error(run, tmp_path, name):
    case = REFUSALS[name]
    with pytest.raises(case.error, match=case.words) as raised:
        run(case.change(make_people()), **case.settings)
    assert raised.value.exit_code in (2, 3)
    assert not (tmp_path / "report").exists()
