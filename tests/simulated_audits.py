"""Audits of simulated people, judged by the real judge: many data sets at once, one protected attribute each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import LoadedPack, read_packs
from audit.attestation.policy.staging import Stage, stage_evidence
from audit.evidence import AttributeUsed, Cell, CountTable, Evidence, Fairness, Papers
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.rates import (
    Reading,
    measure_comparisons,
    measure_rates,
    measure_worst,
)

TODAY = date(2026, 11, 21)
HEAD = """\
schema: policy/1
pack: own
title: Rules of a simulation
version: 1.0.0
law: {citation: none, jurisdiction: any, status: internal, verified_on: 2026-11-01, review_by: 2027-11-01}
rules:
"""
RULES = {
    "court": "measure: fairness.selection_rate_ratio, must_be: at least 0.8, judged_on: court",
    "interval": "measure: fairness.selection_rate_ratio, must_be: at least 0.8, judged_on: interval",
    "literal": "measure: fairness.selection_rate_ratio, must_be: at least 0.8, judged_on: estimate",
    "difference": "measure: fairness.selection_rate_difference, must_be: at most 0.1, judged_on: interval",
    "odds": "measure: fairness.equalized_odds_difference, must_be: at most 0.1, judged_on: interval",
}
"""Name to a rule on every attribute."""

PLACES = (
    "positive_favourable",
    "positive_unfavourable",
    "negative_favourable",
    "negative_unfavourable",
    "unlabelled_favourable",
    "unlabelled_unfavourable",
)


def load_rules(folder: Path, names: Sequence[str]) -> list[LoadedPack]:
    """Return a pack of some rules, with the shipped baseline beside it."""
    path = folder / "own.yaml"
    lines = [
        f"  - {{id: {name}, title: A rule under test, severity: high, for_each: protected, threshold_basis: guidance, "
        f"{RULES[name]}}}\n"
        for name in names
    ]
    path.write_text(HEAD + "".join(lines), encoding="utf-8")
    return read_packs([str(path)])


def draw_tables(
    rng: np.random.Generator, runs: int, sizes: Sequence[int], rates: Sequence[float], base: float | None = None
) -> np.ndarray:
    """Return counts of simulated people, int64 of shape [runs, groups, 6], one place per field of a `Cell`.

    Parameters
    ----------
    sizes, rates : sequence
        People of each group, and the rate at which they are decided favourably.
    base : float, optional
        Rate of the positive label, independent of the decision; without it nobody has a label.
    """
    n, p = np.asarray(sizes), np.asarray(rates, float)
    out = np.zeros((runs, len(n), 6), np.int64)
    if base is None:
        out[..., 4] = rng.binomial(n, p, (runs, len(n)))
        out[..., 5] = n - out[..., 4]
        return out
    positive = rng.binomial(n, base, (runs, len(n)))
    for place, part in ((0, positive), (2, n - positive)):
        out[..., place] = rng.binomial(part, p)
        out[..., place + 1] = part - out[..., place]
    return out


def as_tables(counts: np.ndarray) -> list[CountTable]:
    """Return a count table for every run: attribute ``run0`` with groups ``A``, ``B``, ..."""
    return [
        CountTable(
            attributes=(f"run{run}",),
            cells=tuple(
                Cell(values=(chr(ord("A") + place),), **dict(zip(PLACES, row, strict=True)))
                for place, row in enumerate(rows)
            ),
        )
        for run, rows in enumerate(counts.tolist())
    ]


def measure_runs(counts: np.ndarray, *, small_count: int = 30) -> Evidence:
    """Measure every run as an attribute of one audit, by the functions that an audit uses."""
    groupings = [lay_out(table, small_count, 0.02) for table in as_tables(counts)]
    reading = Reading(positive_is_favourable=True, small_count=small_count)
    fairness = Fairness(
        groups=tuple(group for grouping in groupings for group in grouping.groups),
        tables=tuple(grouping.table for grouping in groupings),
        measurements=tuple(
            item
            for grouping in groupings
            for measure in (measure_rates, measure_comparisons, measure_worst)
            for item in measure(grouping, reading)
        ),
    )
    evidence = stage_evidence(Stage(small_count=small_count))
    attributes = tuple(AttributeUsed(name=one.name, column=one.name) for one in groupings)
    subject = evidence.subject.model_copy(update={"attributes": attributes, "small_share": 0.02})
    return evidence.model_copy(update={"fairness": fairness, "subject": subject})


def judge_runs(evidence: Evidence, packs: Sequence[LoadedPack]) -> dict[str, Counter[str]]:
    """Judge every run; return, by rule, how many runs ended in which word.

    A run fails where any of its groups fails, and passes where all of them pass.
    """
    judged = judge_with(evidence, packs, Papers(), (), as_of=TODAY, evidence_signed="test", strict_names=False)
    out = {}
    for finding in judged.findings:
        words: dict[str, set[str]] = {}
        for verdict in finding.verdicts:
            scope = verdict.scope.partition("[")[2].removesuffix("]").partition("=")[0]
            words.setdefault(scope, set()).add(verdict.status)
        assert len(words) == len(evidence.subject.attributes), finding.rule
        out[finding.rule.partition("/")[2]] = Counter(_whole(found) for found in words.values())
    return out


def _whole(words: set[str]) -> str:
    for word in ("error", "fail", "inconclusive"):
        if word in words:
            return word
    return "pass"
