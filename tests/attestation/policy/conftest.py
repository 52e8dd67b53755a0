"""Small evidence, packs written as text, and their judgement."""

from __future__ import annotations

from datetime import date

import pytest

from audit.attestation.policy.judge import judge_with
from audit.attestation.policy.select import read_packs
from audit.attestation.policy.staging import MetricEntry, Stage, stage_evidence
from audit.evidence import Papers

TODAY = date(2026, 11, 21)
HEAD = """\
schema: policy/1
pack: own
title: Rules of a test
version: 1.0.0
law: {citation: none, jurisdiction: any, status: internal, verified_on: 2026-11-01, review_by: 2027-11-01}
"""


@pytest.fixture
def head():
    return HEAD


@pytest.fixture
def stage():
    """Return a function from counts, rates and metrics to evidence."""

    def make(counts=None, metrics=(), *, rates=None, features=(), small_count=1, **changes):
        blocks = [
            (
                names if isinstance(names, tuple) else (names,),
                [
                    {
                        **dict(
                            zip(
                                names if isinstance(names, tuple) else (names,),
                                key if isinstance(key, tuple) else (key,),
                                strict=True,
                            )
                        ),
                        "selected": k,
                        "total": n,
                    }
                    for key, (k, n) in groups.items()
                ],
            )
            for names, groups in (counts or {}).items()
        ]
        entries = [entry if isinstance(entry, MetricEntry) else MetricEntry(**entry) for entry in metrics]
        evidence = stage_evidence(Stage(blocks, rates or {}, entries, tuple(features), small_count))
        return evidence.model_copy(update=changes) if changes else evidence

    return make


@pytest.fixture
def write_pack(tmp_path):
    """Return a function from rules (YAML text, or a whole file) to a file."""

    def write(text, name="own.yaml"):
        path = tmp_path / name
        path.write_text(text if text.startswith("schema:") else HEAD + text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def judge_text(write_pack):
    """Return a function that judges evidence by rules written as text."""

    def run(text, evidence, *, papers=None, waivers=(), as_of=TODAY, strict=False, **how):
        packs = read_packs([str(write_pack(text))])
        return judge_with(
            evidence,
            packs,
            papers or Papers(),
            waivers,
            as_of=as_of,
            evidence_signed="test",
            strict_names=strict,
            **how,
        )

    return run


@pytest.fixture
def verdict(judge_text):
    """Return a function from one measuring rule and evidence to ``scope words -> verdict``."""

    def run(rule, evidence, **how):
        judgement = judge_text(
            f"rules:\n  - {{id: r, title: A rule under test, severity: high, {rule}}}\n", evidence, **how
        )
        return {v.scope.partition("[")[2].removesuffix("]"): v for v in judgement.findings[0].verdicts}

    return run
