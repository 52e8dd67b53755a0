"""The judgement as everybody may read it: every verdict as it stands, with the numbers and reasons that may be told.

Comes in: the judgement on the whole evidence, and the numbers of it that are told. Goes out: the same verdicts. They
are never judged anew: the public edition says what the audit found, and less of why.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping

from audit.evidence import (
    Answer,
    Approval,
    ClaimChecked,
    Estimate,
    Judgement,
    LockSeen,
    Papers,
    RuleFinding,
    SuppliedText,
    Verdict,
)

from .names import Masks
from .numbers import withhold
from .reads import view_of
from .texts import TEXT_WITHHELD, redact_text
from .views import Views

ON_PAPERS = "Decided on documents and answers that are not part of the public edition."
FEW_PEOPLE = "Suppressed: it tells of fewer than 5 people, or with others would let that be computed."
WAIVED = "Waived; by whom, why and until when is not part of the public edition."
WITHOUT_IT = " The verdict without it: "
"""What parts the reason of a waiver from the reason of the verdict that it covers."""
SOMEBODY = "a named person"
PUBLISHED = "publication."
"""Fields of the officer's file whose texts are made to be published."""
LOCK = "the lock"
_ABOUT_FACTS = re.compile(r"documents: [\w.]+ is not what the audit shows; .*")
Told = Callable[[str | None, Mapping[str, str], Estimate], bool]
"""Whether the number of a metric, of a group or of everybody, is told."""


def redact_judgement(
    judgement: Judgement, told: Told, *, evidence_digest: str, views: Views, files: tuple[str, ...]
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
    views : Views
        What may be told of whom; the arithmetic stays where no group at all is withheld.
    files : tuple of str
        File names that are not told.
    """
    claims = tuple(
        one
        if one.observed is None or told(one.metric, {}, one.observed)
        else one.model_copy(update={"observed": withhold(one.observed), "because": FEW_PEOPLE})
        for one in judgement.claims
    )
    return judgement.model_copy(
        update={
            "evidence_digest": evidence_digest,
            "findings": tuple(_redact_finding(one, told, views, files) for one in judgement.findings),
            "papers": _redact_papers(judgement.papers),
            "claims": claims,
            "lock": _redact_lock(judgement.lock, files),
            "warnings": tuple(redact_text(one, files, views.masks) for one in _list_warnings(judgement, claims)),
            "policies": tuple(one.model_copy(update={"path": name_policy(one.pack)}) for one in judgement.policies),
        }
    )


def name_policy(pack: str) -> str:
    """Return the name under which a policy's file is told: what its author called the file may tell of persons."""
    return f"{pack}.yaml"


def _list_warnings(judgement: Judgement, claims: tuple[ClaimChecked, ...]) -> Iterator[str]:
    """Yield the warnings about policies, stated facts, the lock, and the claims of which the number is told.

    Those about waivers, answers and open findings name persons and files, and numbers that a waiver was granted for.
    """
    told = [one.because for one in claims if one.because != FEW_PEOPLE]
    for one in judgement.warnings:
        about_policy = any(one.startswith(f"{policy.pack}: ") for policy in judgement.policies)
        about_claim = one.startswith("claim of ") and any(one.endswith(because) for because in told)
        if about_policy or about_claim or _ABOUT_FACTS.fullmatch(one):
            yield one
        elif judgement.lock is not None and (judgement.lock.file in one or one == judgement.lock.because):
            yield one.replace(judgement.lock.file, LOCK)


def _redact_finding(finding: RuleFinding, told: Told, views: Views, files: tuple[str, ...]) -> RuleFinding:
    on_papers = finding.kind in ("fact", "document", "ask")
    verdicts = tuple(_redact_verdict(one, told, views, on_papers, files) for one in finding.verdicts)
    return finding.model_copy(update={"verdicts": verdicts, "path": name_policy(finding.pack)})


def _redact_verdict(one: Verdict, told: Told, views: Views, on_papers: bool, files: tuple[str, ...]) -> Verdict:
    observed = one.observed if one.observed is not None and told(one.metric, one.group, one.observed) else None
    gone = one.observed is not None and observed is None and not _is_undefined_for_all(one)
    hidden = gone or not _may_count(one, observed is not None, views)
    because = ON_PAPERS if on_papers else FEW_PEOPLE if hidden else redact_text(_say_why(one), files, views.masks)
    keep = views.nothing_withheld and not hidden and not on_papers
    return mask_scope(one, views.masks).model_copy(
        update={
            "observed": withhold(one.observed) if one.observed is not None and gone else observed,
            "because": because,
            "trace": tuple(redact_text(line, files) for line in one.trace) if keep else (),
            "literal": redact_text(one.literal, files) if keep else "",
            "would_decide": redact_text(one.would_decide, files) if keep else "",
            "owner": "",
            "due": "",
            "note": "",
        }
    )


def _is_undefined_for_all(one: Verdict) -> bool:
    """Whether a verdict rests on a number that nobody has: that it was not measured tells of no group."""
    assert one.observed is not None
    of_people = one.group or (one.metric or "").startswith(("fairness.", "slices.", "decisions."))
    return one.observed.value is None and not of_people and not re.search(r"\d", one.because)


def _say_why(one: Verdict) -> str:
    """Return the reason of a verdict without the words of whoever waived it."""
    return f"{WAIVED}{WITHOUT_IT}{one.because.rpartition(WITHOUT_IT)[2]}" if one.waiver else one.because


def _may_count(one: Verdict, has_number: bool, views: Views) -> bool:
    """Whether the reason of a verdict may count people: why a number was not judged may say how many there are."""
    if has_number or not one.group or not re.search(r"\d", one.because):
        return True
    return views.shows(one.group.items(), "full" if one.metric is None else view_of(one.metric))


def mask_scope(one: Verdict, masks: Masks) -> Verdict:
    """Return a verdict under the names that are told; its id would else tell a guessed name from a wrong one."""
    if not masks.hides(one.group):
        return one
    group = masks.mask_group(one.group)
    scope = one.scope
    for attribute, value in one.group.items():
        scope = scope.replace(f"{attribute}={value}", f"{attribute}={group[attribute]}")
    number = hashlib.sha256(f"public\n{scope}".encode()).hexdigest()[: len(one.id)]
    return one.model_copy(update={"group": group, "scope": scope, "id": number})


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
    return lock.model_copy(update={"file": LOCK, "because": redact_text(lock.because, (*files, lock.file))})
