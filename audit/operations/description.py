"""An outcome as a JSON value: the command line prints it, workers hand it over, logs and pages read it."""

from __future__ import annotations

from typing import Any

from audit.attestation.pipeline import Outcome
from audit.evidence import SEVERITY_ORDER, VERDICT_ORDER, RuleFinding, Verdict

_OPEN = frozenset({"error", "fail", "inconclusive", "manual", "warn", "waived"})


def describe_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a JSON value.

    Parameters
    ----------
    outcome : Outcome
        A finished report.
    """
    judgement, evidence = outcome.dossier.judgement, outcome.dossier.evidence
    return {
        "system": evidence.subject.system,
        "outcome": judgement.outcome,
        "exit_code": outcome.exit_code,
        "folder": str(outcome.folder),
        "dossier": outcome.dossier.digest(),
        "evidence": judgement.evidence_digest,
        "broken": evidence.why_broken(),
        "counts": {word: judgement.count(word) for word in VERDICT_ORDER},
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "status": finding.status,
                "because": say_because(finding),
                "ids": [verdict.id for verdict in finding.verdicts if verdict.status == finding.status],
                "path": finding.path,
                "line": finding.line,
                "verdicts": [_describe_verdict(verdict) for verdict in finding.verdicts if verdict.status in _OPEN],
            }
            for finding in sort_findings(judgement.findings)
        ],
    }


def _describe_verdict(verdict: Verdict) -> dict[str, Any]:
    """Return what whoever deals with a finding needs: its stable id, its arithmetic, whose it is and since when."""
    task = {key: getattr(verdict, key) for key in ("owner", "due", "first_seen", "waiver") if getattr(verdict, key)}
    return {
        "id": verdict.id,
        "scope": verdict.scope,
        "status": verdict.status,
        "because": verdict.because,
        "trace": list(verdict.trace),
        **task,
    }


def sort_findings(findings: tuple[RuleFinding, ...]) -> list[RuleFinding]:
    """Return findings worst and gravest first."""
    return sorted(findings, key=lambda f: (VERDICT_ORDER.index(f.status), SEVERITY_ORDER.index(f.severity)))


def say_because(finding: RuleFinding) -> str:
    """Return the reason of a rule's verdict, in one sentence."""
    same = [verdict for verdict in finding.verdicts if verdict.status == finding.status]
    # a reference compared with itself passes by definition and tells a reader nothing
    telling = [verdict for verdict in same if verdict.observed is None or verdict.observed.method != "by definition"]
    return next((verdict.because for verdict in telling or same), "")
