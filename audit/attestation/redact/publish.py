"""The public edition of a report: the same dossier, less what would tell of a few people, of files and of persons.

Comes in: the internal dossier. Goes out: a dossier that says that it is public, how much it withholds, and the digest
of the evidence behind it. That digest tells nothing of what is withheld: it covers the times that every step took,
which stay internal and which nobody can guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audit.errors import ConfigError, EvidenceError
from audit.evidence import Dossier, Estimate, Evidence, FileDigest, PublicEdition
from audit.evidence.base import Record

from .cells import SMALLEST, is_small
from .judged import redact_judgement
from .numbers import is_withheld
from .sections import redact_section
from .texts import redact_sentences
from .views import Views, decide_views

PEOPLE = frozenset(
    {
        "n", "count", "rows", "rows_of", "label_known", "label_positive", "missing", "differing", "background_rows",
        "searched", "attacked_rows", "baseline_rows", "later_rows", "calibrated_on", "judged_on", "unfinished", "named",
        "named_missing", "positive_favourable", "positive_unfavourable", "negative_favourable", "negative_unfavourable",
        "unlabelled_favourable", "unlabelled_unfavourable", "positive_undecided", "negative_undecided",
        "unlabelled_undecided", "found_rows", "found_on", "tested_on", "rows_paired", "only_before", "only_after",
        "gained", "lost", "favourable_before", "favourable_after", "lost_wrongly", "gained_wrongly",
    }
)  # fmt: skip
"""Fields of the evidence that count people."""
_NOT_PEOPLE = frozenset({"slices.confirmed", "fidelity.confirmed_departures"})
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
    ConfigError
        A comparison of two audits has no public edition.
    EvidenceError
        Something in it would still count a few people; nothing is published then.
    """
    if dossier.kind != "audit":
        raise ConfigError("a comparison has no public edition", place="report.audience", hint="publish the two audits")
    views = decide_views(dossier.evidence)
    files = _file_names(dossier.evidence)
    evidence = _redact_evidence(dossier.evidence, views, files)
    told = {
        (one.metric, frozenset(one.group.items()), one.estimate.digest())
        for one in evidence.measurements()
        if not is_withheld(one.estimate)
    }
    judgement = redact_judgement(
        dossier.judgement,
        lambda metric, group, one: (metric, frozenset(group.items()), _told_as(one, files).digest()) in told,
        evidence_digest=evidence.digest(),
        whole=views.nothing_withheld,
        files=files,
    )
    made = Dossier(
        evidence=evidence,
        judgement=judgement,
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
    if found := find_small_counts(made):
        raise EvidenceError(
            f"no public edition can be made: {found[0]} would count fewer than {SMALLEST} people",
            hint="report.audience: internal",
        )
    return made


def find_small_counts(record: Record) -> tuple[str, ...]:
    """Return the places of a document at which 1 to 4 people are counted; what is published has none.

    Parameters
    ----------
    record : Record
        A dossier or evidence.
    """
    return tuple(_walk(record.model_dump(mode="python"), ""))


def _walk(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("metric") in _NOT_PEOPLE:
            return
        for key, item in value.items():
            if key in PEOPLE and isinstance(item, int) and not isinstance(item, bool) and is_small(item):
                yield f"{place}.{key}".lstrip(".")
            elif not (place.endswith("papers") and key == "facts"):
                yield from _walk(item, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _walk(item, f"{place}[{index}]")


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
    subject = evidence.subject.model_copy(update={"about": {}, "intersections": crossed})
    made = evidence.model_copy(update={"provenance": provenance, "subject": subject, **sections})
    plain = made.model_dump(mode="python")
    return Evidence.model_validate({**plain, **{name: redact_sentences(plain[name], files) for name in sections}})


def _told_as(estimate: Estimate, files: tuple[str, ...]) -> Estimate:
    """Return an estimate as the evidence tells it, sentences redacted."""
    return Estimate.model_validate(redact_sentences(estimate.model_dump(mode="python"), files))


def _mask_file(one: FileDigest) -> FileDigest:
    return one.model_copy(update={"name": _MASKED_FILE.get(one.role, one.role), "note": ""})


def _file_names(evidence: Evidence) -> tuple[str, ...]:
    names = {one.name for one in evidence.provenance.files}
    return tuple(sorted((name for name in names if len(name) > 3), key=len, reverse=True))


def _count_numbers(evidence: Evidence) -> int:
    """Return how many numbers with an interval or count are told, and how many cells of count tables."""
    measured = sum(one.estimate.value is not None for one in evidence.measurements())
    return measured + sum(len(table.cells) for table in getattr(evidence.fairness, "tables", ()))
