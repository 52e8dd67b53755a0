"""The report before it has a form: everything the templates print, in the order they print it.

Comes in: a dossier. Goes out: a `View` with chapters, decisions, tables and figures; the templates hold words and
structure, and decide nothing about numbers. It is a pure function: no clock, no file, no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.evidence import (
    Attributions,
    Dossier,
    Drift,
    Effects,
    Evidence,
    Explanations,
    IndividualDecisions,
    NotDone,
    Robustness,
    Section,
    Slices,
    SuppliedText,
)

from . import (
    attributions,
    beside,
    change_view,
    claims,
    clauses,
    drift,
    explained,
    fairness,
    fidelity,
    findings,
    panels,
    publication,
    robustness,
    weak,
    words,
)
from .glyphs import missing_signs, name_signs
from .naming import speak_of
from .tables import Grid, Lexicon
from .tongue import echo, tell

NOTICE = (
    "This report states measurements and how they compare with the limits of the policies named in it. "
    "It is not legal advice, and it does not certify that a system is lawful."
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: number, anchor, title."""

    number: str
    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """One part that was not carried out, or that a public edition leaves out."""

    title: str
    reason: str
    broke: bool
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one step."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class View:
    """Everything a template prints."""

    dossier: Dossier
    chapters: tuple[Chapter, ...]
    outcome: tuple[str, str, str]
    sentence: str
    incomplete: bool
    counts: tuple[findings.Count, ...]
    rules: tuple[findings.RuleShown, ...]
    top: tuple[findings.RuleShown, ...]
    undecided: tuple[findings.RuleShown, ...]
    undecided_else: tuple[findings.RuleShown, ...]
    undecided_shown: int
    passed: tuple[findings.RuleShown, ...]
    packs: tuple[findings.PackShown, ...]
    annexes: tuple[clauses.AnnexShown, ...]
    unasked: tuple[SuppliedText, ...]
    not_assessed: tuple[NotAssessed, ...]
    fairness: fairness.FairnessShown | None
    weak: weak.WeakBlock | None
    data_checks: tuple[Grid, ...]
    performance: panels.Panels | None
    calibration: panels.Panels | None
    fidelity: fidelity.FidelityShown | None
    beside: beside.BesideShown | None
    tested: explained.ExplainedBlock | None
    decided: explained.DecidedBlock | None
    timings: tuple[Timing, ...]
    unshown: str
    attributions: attributions.AttributionsShown | None
    robustness: robustness.RobustnessShown | None
    drift: drift.DriftShown | None
    claims: tuple[claims.ClaimShown, ...]
    publications: dict[str, tuple[str, ...]]
    changes: tuple[change_view.ChangeShown, ...]
    lexicon: Lexicon

    def chapter(self, anchor: str) -> Chapter:
        """Return the chapter with this anchor; the one of what was not assessed where it is not there."""
        found = {chapter.anchor: chapter for chapter in self.chapters}
        return found[anchor if anchor in found else NOWHERE]


NOWHERE = "not-assessed"
CHAPTERS: tuple[tuple[str, str], ...] = (
    ("decision", "Decision page"),
    ("data", "Scope and data"),
    ("model", "The model and how it was taken in"),
    ("performance", "Performance and the price of transparency"),
    ("calibration", "Calibration"),
    ("fairness", "Fairness"),
    ("slices", "Weak slices"),
    ("glassbox", "Glass box beside black box"),
    ("attributions", "What moves single scores"),
    ("explanations", "Quality of explanations"),
    ("decisions", "Individual decisions and reasons"),
    ("robustness", "Robustness"),
    ("drift", "Drift"),
    ("not-assessed", "What was not assessed"),
    ("policies", "Policy results"),
    ("changes", "Changes since the last audit"),
    ("signoff", "Sign-off"),
    ("methods", "Methods, definitions and limits"),
    ("reproduction", "Reproduction"),
)
"""Chapters in the order of the report."""
OPTIONAL: dict[str, type[Section]] = {
    "slices": Slices,
    "attributions": Attributions,
    "explanations": Explanations,
    "decisions": IndividualDecisions,
    "robustness": Robustness,
    "drift": Drift,
}
"""Chapters that are left out where their section was not carried out."""
CHANGE_CHAPTERS: tuple[tuple[str, str], ...] = (
    ("limits", "What got worse, what got better"),
    ("people", "Who gains, who loses"),
    ("shapes", "What the model does differently"),
    ("besides", "Data, model, rules and verdicts"),
    ("signoff", "Sign-off"),
    ("methods", "How it was compared, and what is not covered"),
    ("reproduction", "Digests and reproduction"),
)
"""Chapters of the report of a comparison; its first page stands before them."""
ANNEXES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("glassbox-annex", "Further numbers about glass boxes", ("effects",)),
    ("explained-annex", "Further numbers about explanations", ("attributions", "explanations", "decisions")),
    ("robustness-annex", "Further numbers about robustness", ("robustness",)),
)
"""Annexes that hold what the chapters leave out, and the sections of which any must have been carried out."""


def build_view(dossier: Dossier) -> View:
    """Return the view of a dossier.

    Parameters
    ----------
    dossier : Dossier
        Evidence, judgement, presentation.
    """
    with speak_of(dossier):
        return _build(dossier)


def _build(dossier: Dossier) -> View:
    evidence, judgement = dossier.evidence, dossier.judgement
    lexicon = Lexicon(evidence)
    every = findings.show_rules(judgement, lexicon)
    packs = findings.show_packs(judgement, every)
    rules = clauses.fold_rules(every, packs)
    top, undecided = findings.top_findings(rules), findings.undecided_rules(rules)
    groups = fairness.show_fairness(evidence, judgement, lexicon)
    annexes = clauses.show_annexes(packs, judgement.papers, _parts(groups))
    return View(
        dossier=dossier,
        chapters=_chapters(packs, dossier, annexed=groups is not None and groups.annexed),
        outcome=_outcome("incomplete" if evidence.broken else judgement.outcome),
        sentence=findings.verdict_sentence(judgement, evidence.broken),
        incomplete=bool(evidence.broken),
        counts=findings.count_verdicts(judgement),
        rules=rules,
        top=top,
        undecided=undecided,
        undecided_else=tuple(rule for rule in undecided if rule not in top),
        undecided_shown=min(3, 4 - sum(rule in top for rule in undecided)),
        passed=tuple(rule for rule in rules if rule.finding.status == "pass"),
        packs=packs,
        annexes=annexes,
        unasked=clauses.find_unasked(annexes, judgement.papers),
        not_assessed=_not_assessed(evidence),
        fairness=groups,
        weak=weak.show_slices(evidence, lexicon),
        data_checks=panels.show_data_checks(evidence, lexicon),
        performance=panels.show_performance(evidence, lexicon),
        calibration=panels.show_calibration(evidence, lexicon),
        fidelity=fidelity.show_fidelity(evidence, lexicon),
        beside=beside.show_beside(evidence, judgement, lexicon),
        tested=explained.show_explanations(evidence, lexicon),
        decided=explained.show_decisions(evidence, lexicon),
        timings=_timings(evidence),
        unshown=_unshown(dossier),
        attributions=attributions.show_attributions(evidence, lexicon),
        robustness=robustness.show_robustness(evidence, lexicon),
        drift=drift.show_drift(evidence, lexicon),
        claims=claims.show_claims(judgement, lexicon),
        publications=publication.list_publications(dossier),
        changes=change_view.show_changes(dossier),
        lexicon=lexicon,
    )


def _outcome(word: str) -> tuple[str, str, str]:
    name, tone, sign = words.OUTCOMES[word]
    return tell(name), tone, sign


def _unshown(dossier: Dossier) -> str:
    """Return the code points that no font of this report holds; the full text of a policy is not printed."""
    text = dossier.model_dump_json(exclude={"judgement": {"policies": {"__all__": {"text"}}}})
    held = "".join(font.characters for font in dossier.presentation.brand.fonts)
    return name_signs(tuple(sign for sign in missing_signs(text) if sign not in held))


def _parts(groups: fairness.FairnessShown | None) -> dict[str, str]:
    """Return each protected attribute with the anchor of its part of the fairness chapter."""
    return {block.name: block.anchor for block in groups.attributes} if groups else {}


def _chapters(packs: tuple[findings.PackShown, ...], dossier: Dossier, *, annexed: bool) -> tuple[Chapter, ...]:
    """Return the chapters and annexes; a section of `OPTIONAL` has none where it was not carried out."""
    evidence = dossier.evidence
    if dossier.kind == "change":
        return _number(CHANGE_CHAPTERS)
    shown = [item for item in CHAPTERS if isinstance(getattr(evidence, item[0], None), OPTIONAL.get(item[0], object))]
    main = _number([item for item in shown if item[0] != "changes" or dossier.changes])
    annexes = [(pack.anchor, echo(pack.policy.title)) for pack in packs]
    annexes += [("fairness-annex", tell("Further fairness numbers"))] if annexed else []
    annexes += [(anchor, tell(title)) for anchor, title, sections in ANNEXES if _any_done(evidence, sections)]
    annexes += [("sources", tell("Data, parameters and files")), ("definitions", tell("Definitions"))]
    lettered = [(chr(ord("A") + index % 26), *annex) for index, annex in enumerate(annexes)]
    return (*main, *(Chapter(letter, anchor, _name_annex(letter, title)) for letter, anchor, title in lettered))


def _number(chapters: Sequence[tuple[str, str]]) -> tuple[Chapter, ...]:
    return tuple(Chapter(str(index), anchor, tell(title)) for index, (anchor, title) in enumerate(chapters, start=1))


def _name_annex(letter: str, title: str) -> str:
    return tell("Annex {letter}: {title}", letter=letter, title=title)


def _any_done(evidence: Evidence, sections: tuple[str, ...]) -> bool:
    return any(isinstance(getattr(evidence, name), OPTIONAL.get(name, Effects)) for name in sections)


def _not_assessed(evidence: Evidence) -> tuple[NotAssessed, ...]:
    parts = [
        NotAssessed(tell(words.SECTIONS[name]), echo(part.not_done), part.broke, part.left_out)
        for name, part in evidence.sections()
        if isinstance(part, NotDone)
    ] + [
        NotAssessed(tell("{section}, in part", section=tell(words.SECTIONS[name])), echo(why), True)
        for name, why in evidence.why_broken().items()
        if not isinstance(getattr(evidence, name), NotDone)
    ]
    return tuple(sorted(parts, key=lambda part: (not part.broke, part.left_out)))


def _timings(evidence: Evidence) -> tuple[Timing, ...]:
    steps = evidence.provenance.seconds
    timed = [Timing(tell(words.prettify(name)), seconds) for name, seconds in steps.items()]
    timed += [
        Timing(tell("Section: {section}", section=tell(words.SECTIONS[name])), part.seconds)
        for name, part in evidence.sections()
        if isinstance(part, Section) and part.seconds is not None and f"measure {name}" not in steps
    ]
    return tuple(timed)
