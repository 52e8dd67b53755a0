"""The public edition of a report: the same dossier, less what would tell of a few people, of files and of persons.

Comes in: the internal dossier. Goes out: a dossier that says that it is public, how much it withholds, and the digest
of the evidence behind it. That digest tells nothing of what is withheld: it covers the times that every step took,
which stay internal and which nobody can guess.
"""

from __future__ import annotations

from collections.abc import Iterator

from audit.errors import EvidenceError
from audit.evidence import (
    AttributeUsed,
    Change,
    Data,
    Dossier,
    Drift,
    Estimate,
    Evidence,
    FileDigest,
    PublicEdition,
)

from .cells import SMALLEST
from .changed import redact_change
from .counted import find_small_counts
from .judged import mask_scope, redact_judgement
from .names import Masks
from .numbers import is_withheld
from .sections import redact_section
from .texts import files_beside, redact_sentences
from .views import Views, decide_views

Told = tuple[str | None, frozenset[tuple[str, str]], str]
_MASKED_FILE = {"model": "model", "data.audit": "judged rows"}


def publish_dossier(dossier: Dossier, *, internal: str | None = None) -> Dossier:
    """Return the public edition of a dossier.

    Parameters
    ----------
    dossier : Dossier
        The internal one.
    internal : str, optional
        Digest of the internal report's dossier, where one was sealed.

    Raises
    ------
    EvidenceError
        Something in it would still count a few people; nothing is published then.
    """
    views = decide_views(dossier.evidence)
    files = _file_names(dossier.evidence)
    evidence = _redact_evidence(dossier.evidence, views, files)
    scopes = {
        one.scope: mask_scope(one, views.masks).scope for item in dossier.judgement.findings for one in item.verdicts
    }
    places = {
        (one.metric, one.feature, one.model)
        for one in evidence.measurements()
        if not one.group and not one.attribute and not is_withheld(one.estimate)
    }
    changes = tuple(redact_change(one, views, scopes, places, files) for one in dossier.changes)
    told = set(_list_told(evidence, changes))
    judgement = redact_judgement(
        dossier.judgement,
        lambda metric, group, one: (metric, frozenset(group.items()), _told_as(one, files, views).digest()) in told,
        evidence_digest=evidence.digest(),
        views=views,
        files=files,
    )
    made = Dossier(
        kind=dossier.kind,
        evidence=evidence,
        judgement=judgement,
        changes=changes,
        presentation=dossier.presentation.model_copy(update={"audience": "public"}),
        previous=dossier.previous,
        earlier=dossier.earlier,
        public=PublicEdition(
            evidence_digest=dossier.judgement.evidence_digest,
            dossier_digest=internal,
            smallest=SMALLEST,
            withheld=_count_numbers(dossier.evidence) - _count_numbers(evidence),
        ),
    )
    if found := find_small_counts(made, next(iter(views.everybody), None)):
        raise EvidenceError(
            f"no public edition can be made: {found[0]} would count fewer than {SMALLEST} people",
            hint="report.audience: internal",
        )
    return made


def _list_told(evidence: Evidence, changes: tuple[Change, ...]) -> Iterator[Told]:
    """Yield every number that is told: metric, group, digest of the estimate."""
    for one in evidence.measurements():
        if not is_withheld(one.estimate):
            yield (one.metric, frozenset(one.group.items()), one.estimate.digest())
    for change in changes:
        for item in change.measurements:
            yield (item.metric, frozenset(item.group.items()), item.estimate.digest())
        for move in change.moves:
            for estimate in (move.difference, move.loss):
                yield (move.metric, frozenset(move.group.items()), estimate.digest())


def _redact_evidence(evidence: Evidence, views: Views, files: tuple[str, ...]) -> Evidence:
    sections = {name: redact_section(name, part, evidence, views) for name, part in evidence.sections()}
    provenance = evidence.provenance.model_copy(
        update={
            "files": tuple(_mask_file(one) for one in evidence.provenance.files),
            "artifacts": (),
            "seconds": {},
        }
    )
    crossed = tuple(pair for pair in evidence.subject.intersections if views.shows_all(" * ".join(pair), "size"))
    used = tuple(_mask_attribute(one, views.masks) for one in evidence.subject.attributes)
    subject = evidence.subject.model_copy(update={"about": {}, "intersections": crossed, "attributes": used})
    made = evidence.model_copy(update={"provenance": provenance, "subject": subject, **sections})
    plain = made.model_dump(mode="python")
    return Evidence.model_validate(
        {**plain, **{name: redact_sentences(plain[name], files, views.masks) for name in sections}}
    )


def _told_as(estimate: Estimate, files: tuple[str, ...], views: Views) -> Estimate:
    """Return an estimate as the evidence tells it, sentences redacted."""
    return Estimate.model_validate(redact_sentences(estimate.model_dump(mode="python"), files, views.masks))


def _mask_attribute(one: AttributeUsed, masks: Masks) -> AttributeUsed:
    return one.model_copy(
        update={
            "reference": masks.mask_value(one.name, one.reference),
            "population": masks.mask_names(one.name, one.population),
        }
    )


def _mask_file(one: FileDigest) -> FileDigest:
    return one.model_copy(update={"name": _MASKED_FILE.get(one.role, one.role), "note": ""})


def _file_names(evidence: Evidence) -> tuple[str, ...]:
    names = {one.name for one in evidence.provenance.files}
    beside = [evidence.drift.baseline, evidence.drift.later] if isinstance(evidence.drift, Drift) else []
    beside += [evidence.data.training] if isinstance(evidence.data, Data) else []
    names |= {name for text in beside for name in files_beside(text)}
    return tuple(sorted((name for name in names if len(name) > 3), key=len, reverse=True))


def _count_numbers(evidence: Evidence) -> int:
    """Return how many numbers with an interval or count are told, and how many cells of count tables."""
    measured = sum(one.estimate.value is not None for one in evidence.measurements())
    return measured + sum(len(table.cells) for table in getattr(evidence.fairness, "tables", ()))
