"""Verdicts as SARIF 2.1.0, for code scanning.

Comes in: a dossier. Goes out: one result per scope that did not pass, at the rule's line of the policy file; the id of
the verdict is the fingerprint, so that a ticket follows the finding from run to run.
"""

from __future__ import annotations

import json
from typing import Any

from audit.evidence import Dossier, RuleFinding, Severity, Verdict

from . import words
from .findings import verdict_sentence
from .glyphs import clean_text

_LEVELS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
_KINDS = {
    "error": "fail",
    "fail": "fail",
    "inconclusive": "open",
    "manual": "review",
    "warn": "fail",
    "waived": "fail",
    "pass": "pass",
    "not_applicable": "notApplicable",
}


def render_sarif(dossier: Dossier) -> bytes:
    """Return the verdicts as SARIF 2.1.0 (JSON, sorted keys)."""
    findings = dossier.judgement.findings
    tool, _, version = dossier.evidence.provenance.tool.partition(" ")
    driver: dict[str, Any] = {
        "name": tool or "glassbox-audit",
        "version": version or "0",
        "rules": [_rule(finding) for finding in findings],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "results": [_result(f, index, v) for index, f in enumerate(findings) for v in f.verdicts],
        "invocations": [_invocation(dossier)],
        "properties": {
            "audience": dossier.presentation.audience,
            "evidence": dossier.judgement.evidence_digest,
            "outcome": dossier.judgement.outcome,
        },
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8", errors="replace")


def _rule(finding: RuleFinding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": clean_text(finding.title)},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "severity": finding.severity,
            "cite": clean_text(finding.cite),
            "limit": clean_text(finding.limit),
        },
    }
    if finding.why:
        rule["fullDescription"] = {"text": clean_text(finding.why)}
    if finding.fix:
        rule["help"] = {"text": clean_text(finding.fix)}
    return rule


def _result(finding: RuleFinding, index: int, verdict: Verdict) -> dict[str, Any]:
    kind = _KINDS[verdict.status]
    level = "warning" if verdict.status == "warn" else _LEVELS[finding.severity]
    word = words.VERDICTS[verdict.status].word
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "kind": kind,
        "level": level if kind == "fail" else "none",
        "message": {"text": clean_text(f"{word}: {finding.title}. {verdict.because}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(finding.path)},
                    "region": {"startLine": max(1, finding.line)},
                },
                "logicalLocations": [{"fullyQualifiedName": clean_text(verdict.scope)}],
            }
        ],
        "partialFingerprints": {"verdict/v1": verdict.id},
    }
    task = {key: clean_text(getattr(verdict, key)) for key in ("owner", "due", "first_seen", "note")}
    told: dict[str, Any] = {key: value for key, value in task.items() if value}
    if verdict.trace and kind not in ("pass", "notApplicable"):
        told["trace"] = [clean_text(line) for line in verdict.trace]
    if told:
        result["properties"] = told
    if verdict.waiver:
        result["suppressions"] = [{"kind": "external", "justification": clean_text(f"waiver {verdict.waiver}")}]
    return result


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _invocation(dossier: Dossier) -> dict[str, Any]:
    broken = dossier.evidence.broken
    notes: list[dict[str, Any]] = [
        {"level": "error", "message": {"text": f"{words.SECTIONS[name]} was not carried out: it broke."}}
        for name in broken
    ]
    if not any(finding.status != "not_applicable" for finding in dossier.judgement.findings):
        notes.append({"level": "warning", "message": {"text": verdict_sentence(dossier.judgement, ())}})
    return {"executionSuccessful": not broken, "toolExecutionNotifications": notes}
