"""The judgement as everybody may read it: every verdict as it stands, with the numbers and reasons that may be told.

Comes in: the judgement on the whole evidence, and the numbers of it that are told. Goes out: the same verdicts. They
are never judged anew: the public edition says what the audit found, and less of why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from audit.evidence import Answer, Approval, Estimate, Judgement, LockSeen, Papers, RuleFinding, SuppliedText, Verdict

from .texts import TEXT_WITHHELD, redact_text

ON_PAPERS = "Decided on documents and answers that are not part of the public edition."
FEW_PEOPLE = "The number behind this verdict is withheld in the public edition, so that nobody can be recognised."
SOMEBODY = "a named person"
PUBLISHED = "publication."
"""Fields of the officer's file whose texts are made to be published."""
Told = Callable[[str | None, Mapping[str, str], Estimate], bool]
"""Whether the number of a metric, of a group or of everybody, is told."""


def redact_judgement(
    judgement: Judgement, told: Told, *, evidence_digest: str, whole: bool, files: tuple[str, ...]
) -> Judgement:
    """Return the judgement for everybody.

    Parameters
    ----------
    judgement : Judgement
        As judged.
    told : callable
        Whether the number of a metric is told.
    evidence_digest : str
        Digest of the evidence as it is told.
    whole : bool
        Whether no group at all is withheld, so that the arithmetic may stay.
    files : tuple of str
        File names that are not told.
    """
    claims = tuple(
        one
        if one.observed is None or told(one.metric, {}, one.observed)
        else one.model_copy(update={"observed": None, "because": FEW_PEOPLE})
        for one in judgement.claims
    )
    return judgement.model_copy(
        update={
            "evidence_digest": evidence_digest,
            "findings": tuple(_redact_finding(one, told, whole, files) for one in judgement.findings),
            "papers": _redact_papers(judgement.papers),
            "claims": claims,
            "lock": _redact_lock(judgement.lock, files),
            "warnings": tuple(redact_text(one, files) for one in judgement.warnings),
        }
    )


def _redact_finding(finding: RuleFinding, told: Told, whole: bool, files: tuple[str, ...]) -> RuleFinding:
    on_papers = finding.kind in ("fact", "document", "ask")
    verdicts = tuple(_redact_verdict(one, told, whole, on_papers, files) for one in finding.verdicts)
    return finding.model_copy(update={"verdicts": verdicts})


def _redact_verdict(one: Verdict, told: Told, whole: bool, on_papers: bool, files: tuple[str, ...]) -> Verdict:
    observed = one.observed if one.observed is not None and told(one.metric, one.group, one.observed) else None
    hidden = one.observed is not None and observed is None
    because = ON_PAPERS if on_papers else FEW_PEOPLE if hidden else redact_text(one.because, files)
    keep = whole and not hidden and not on_papers
    return one.model_copy(
        update={
            "observed": observed,
            "because": because,
            "trace": tuple(redact_text(line, files) for line in one.trace) if keep else (),
            "literal": redact_text(one.literal, files) if keep else "",
            "would_decide": redact_text(one.would_decide, files) if keep else "",
            "owner": "",
            "due": "",
            "note": "",
        }
    )


def _redact_papers(papers: Papers) -> Papers:
    return Papers(
        facts=papers.facts,
        texts=tuple(_redact_supplied(one) for one in papers.texts),
        answers=tuple(
            Answer(rule=one.rule, answer=TEXT_WITHHELD, by=SOMEBODY, role=one.role, on=one.on) for one in papers.answers
        ),
        approvals=tuple(
            Approval(field=one.field, sha256=one.sha256, by=SOMEBODY, role=one.role, on=one.on)
            for one in papers.approvals
        ),
    )


def _redact_supplied(one: SuppliedText) -> SuppliedText:
    by = SOMEBODY if one.by else ""
    if one.field.startswith(PUBLISHED):
        return one.model_copy(update={"by": by})
    return one.model_copy(update={"text": TEXT_WITHHELD, "file": "", "by": by})


def _redact_lock(lock: LockSeen | None, files: tuple[str, ...]) -> LockSeen | None:
    if lock is None:
        return None
    return lock.model_copy(update={"file": "the lock", "because": redact_text(lock.because, (*files, lock.file))})
