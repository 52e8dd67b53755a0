"""The second half on one page: from evidence to a judged, rendered, sealed and recorded report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audit.config.schema import AttestConfig, ReportOrder
from audit.evidence import Change, Dossier, Evidence, Papers, Presentation, RuleFinding, Severity, digest_bytes

from .folder import name_sidecar, refuse_existing, remove_folder, write_folder
from .ledger.store import Ledger, hold_ledger
from .policy.judge import judge
from .policy.lock import see_lock
from .policy.material import mark_material
from .policy.papers import load_papers
from .policy.select import load_packs
from .policy.tasks import date_findings
from .redact.publish import publish_dossier
from .render.brand import read_brand
from .render.editions import check_edition
from .render.formats import FORMATS
from .render.individual import render_individuals
from .render.lending import lend_fonts
from .render.publication_page import render_publications
from .render.stamp import render_stamp
from .seal.keys import Signer, notes_of, signer_for
from .seal.sign import sign_folder
from .seal.timestamp import read_stamp

if TYPE_CHECKING:
    from audit.evidence import VerdictWord

EXIT_CODES = {"passed": 0, "failed": 1, "undecided": 5, "incomplete": 3, "measured": 0}
"""Outcome of a judgement to the exit code of a run."""
PATIENCE = 120.0
"""Seconds to wait for others to seal and record, which takes each of them a second or two."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished report.

    Parameters
    ----------
    dossier : Dossier
        The document behind every file.
    folder : pathlib.Path
        The report folder.
    files : tuple of str
        Names of its files.
    notes : tuple of str
        What a person should hear about sealing and recording, e.g. a time stamp server that did not answer.
    """

    dossier: Dossier
    folder: Path
    files: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = field(default=())

    @property
    def findings(self) -> tuple[RuleFinding, ...]:
        """The rules with their verdicts."""
        return self.dossier.judgement.findings

    @property
    def verdicts(self) -> dict[str, VerdictWord]:
        """Rule to verdict."""
        return {finding.rule: finding.status for finding in self.findings}

    @property
    def passed(self) -> bool:
        """Whether the audit was decided, and passed."""
        return self.dossier.judgement.outcome == "passed"

    @property
    def exit_code(self) -> int:
        """Exit code of the run: 0 passed or measured only, 1 failed, 3 incomplete, 5 undecided."""
        return EXIT_CODES[self.dossier.judgement.outcome]

    @property
    def shapes(self) -> Shapes:
        """The shapes of the most important features; a notebook draws them."""
        return Shapes(self.dossier.evidence)

    def _repr_html_(self) -> str:
        from .render.notebook import render_outcome_cell

        return render_outcome_cell(self.dossier, self.folder)


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the black box and its glass boxes make of each feature, for a notebook cell.

    Parameters
    ----------
    evidence : Evidence
        What was measured; the curves are in its effects.
    """

    evidence: Evidence

    def _repr_html_(self) -> str:
        from .render.notebook import render_shapes_cell

        return render_shapes_cell(self.evidence)


def keep_silent(stage: str) -> None:
    """Hear of a stage and say nothing."""


def attest(
    evidence: Evidence,
    order: AttestConfig,
    *,
    out: Path,
    now: datetime,
    artifacts: dict[str, bytes] | None = None,
    individuals: dict[str, bytes] | None = None,
    evidence_signed: str = "made in the same run",
    as_of: date | None = None,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    interactive: bool = False,
    changes: tuple[Change, ...] = (),
    kind: Literal["audit", "change"] = "audit",
    papers: Papers | None = None,
    scores: bytes | None = None,
    tell: Callable[[str], None] = keep_silent,
) -> Outcome:
    """Judge evidence, render it, seal it, record it.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    order : AttestConfig
        Policies, papers, formats, signing, ledger.
    out : pathlib.Path
        The report folder; must not exist.
    now : datetime
        UTC time of the report.
    artifacts : dict of str to bytes, optional
        Files that belong to the evidence.
    individuals : dict of str to bytes, optional
        What is told to single people; written beside the report, outside of its list of files.
    evidence_signed : str
        What is known of the evidence's own signature, in words.
    as_of : date, optional
        Day of judgement; default the day of `now`.
    fail_on : {"critical", "high", "medium", "low", "info"}
        Severity from which a failed or undecided rule decides the outcome.
    allow : frozenset of {"inconclusive", "manual"}
        Verdicts that do not leave the run undecided.
    interactive : bool
        Whether a development key may be made unasked.
    changes : tuple of Change
        What differs from an earlier audit or a champion.
    kind : {"audit", "change"}
        An audit, or the report of a comparison.
    papers : Papers, optional
        What people supplied, where it was read before; default what ``documents`` names.
    scores : bytes, optional
        The private file of scores; written beside the folder, readable by its owner alone.
    tell : callable
        Hears the name of each stage as it begins; it may raise to stop the work, and then nothing is left.

    Raises
    ------
    PolicyError
        A policy that is not one.
    SealError
        A signature that is required and cannot be made.
    """
    tell("judge")
    packs, papers = load_packs(order), papers or load_papers(order.documents)
    day = as_of or now.astimezone(UTC).date()
    check_edition(order.report.edition, [pack.name for pack in packs])
    judgement = judge(
        evidence, packs, papers, order, as_of=day, evidence_signed=evidence_signed, fail_on=fail_on, allow=allow,
        changes=changes,
    )  # fmt: skip
    judgement = see_lock(judgement, order, packs, evidence, read_stamp)
    signer = signer_for(order.signing, interactive=interactive)
    public = order.report.audience == "public"
    told = {} if public else render_individuals(individuals or {}, order.report.language)
    scores, artifacts = (None, {}) if public else (scores, artifacts or {})
    seen_at, recorded = now.astimezone(UTC), False
    while not recorded:  # drawing takes long, so that the history is not held meanwhile; it is asked again afterwards
        with hold_ledger(order.ledger) as ledger:
            known = _ask_history(ledger, evidence, kind if public else None)
        dossier = Dossier(
            kind=kind,
            evidence=evidence,
            changes=mark_material(changes, packs, evidence, papers, day),
            judgement=date_findings(judgement, known.first_seen, seen_at.date().isoformat()),
            presentation=_present(order.report, seen_at, signer),
            previous=known.previous,
            earlier=known.earlier,
            individuals=tuple(sorted(map(digest_bytes, told.values()))),
            scores=digest_bytes(scores) if scores is not None else None,
        )
        dossier = publish_dossier(dossier, internal=known.internal) if public else dossier
        dossier = lend_fonts(dossier, order.report.fonts)
        dossier = Dossier.parse(dossier.canonical())  # drawn as read back: the order of names is that of audit.json
        rendered = _draw(dossier, tell)
        with hold_ledger(order.ledger, timeout=PATIENCE) as ledger:
            if _ask_history(ledger, evidence, kind if public else None) != known:
                continue
            tell("seal and record")
            files = {"audit.json": dossier.canonical(), **artifacts, **rendered}
            stamp = partial(render_stamp, language=order.report.language)
            sealed = sign_folder(files, dossier, signer, previous=ledger.head, stamp=stamp)
            with ledger.announce(out, dossier, beside=name_sidecar(out)):
                write_folder({**sealed, **told}, out, beside=scores)
                try:
                    ledger.append(dossier, sealed, signer)
                except BaseException:
                    remove_folder(out)  # a report that the history does not know would stand in the next try's way
                    raise
            notes, recorded = (*notes_of(signer), *ledger.notes), True
    return Outcome(dossier, out, tuple(sorted(sealed)), notes)


def attest_editions(evidence: Evidence, order: AttestConfig, *, out: Path, **about: Any) -> Outcome:
    """Attest, and where a public edition is asked for, make it of the same evidence and beside the internal report.

    Parameters
    ----------
    evidence, order, out, **about
        See `attest`.

    Returns
    -------
    Outcome
        Of the internal report.
    """
    if order.report.audience == "internal":
        return attest(evidence, order, out=out, **about)
    beside = out.with_name(f"{out.name}-public")
    refuse_existing(beside)
    whole = order.model_copy(update={"report": order.report.model_copy(update={"audience": "internal"})})
    internal = attest(evidence, whole, out=out, **about)
    public = attest(evidence, order, out=beside, **about)
    notes = (f"the public edition lies in {public.folder}", *internal.notes, *public.notes)
    return replace(internal, notes=tuple(dict.fromkeys(notes)))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the history says about a system before its next audit."""

    previous: str | None
    earlier: tuple[str, ...]
    first_seen: dict[str, str]
    internal: str | None
    """Digest of the internal report of the same evidence, for its public edition."""


def _ask_history(ledger: Ledger, evidence: Evidence, edition_of: str | None) -> _Known:
    """Return what the history says; for a public edition, `edition_of` is the kind of report that it is made of."""
    system = evidence.subject.system
    # the report that an edition is made of is no earlier one
    own = ledger.find_internal(evidence.digest(), edition_of) if edition_of else None
    earlier, before = ledger.tell_earlier(evidence, but=own), ledger.previous_of(system, but=own)
    return _Known(before, earlier, ledger.first_seen(system), own.dossier_digest if own else None)


def _draw(dossier: Dossier, tell: Callable[[str], None]) -> dict[str, bytes]:
    dossier = Dossier.parse(dossier.canonical())  # as it is written: whoever draws audit.json again gets the same bytes
    rendered = {}
    for name in dossier.presentation.formats:
        tell(f"render {name}")
        rendered[FORMATS[name].file] = FORMATS[name].render(dossier)
    return {**rendered, **render_publications(dossier)}


def _present(report: ReportOrder, moment: datetime, signer: Signer | None) -> Presentation:
    return Presentation(
        formats=report.formats,
        edition=report.edition,
        audience=report.audience,
        language=report.language,
        created=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        signer=signer.shown() if signer else None,
        brand=read_brand(report),
    )
