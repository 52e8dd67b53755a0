"""The rules held against the evidence.

Comes in: evidence, packs, papers, the day of judgement. Goes out: a `Judgement`: for every rule its scopes with
verdict, arithmetic and reason, and the outcome of the run. Nobody here asks the clock or opens a socket, so that the
same input gives the same judgement years later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from audit.config.schema import AttestConfig
from audit.errors import suggest_name
from audit.evidence import (
    Change,
    Evidence,
    Judgement,
    Papers,
    PolicyText,
    RuleFinding,
    Severity,
    Verdict,
    VerdictWord,
    worst_verdict,
)

from .applies import Applicability, ask_facts, ask_law
from .bench import Bench, lay_out
from .claims import check_claims, warn_of_claims
from .compare import judge_compare, read_margin
from .measured import judge_measure
from .pack import AskRule, CompareRule, DocumentRule, FactRule, MeasureRule, ShapeRule
from .ruling import Ruling, Scope, gravest, say_number, write_verdict
from .scopes import check_names
from .select import LoadedPack, LoadedRule
from .shapes import judge_shape
from .shown import warn_of_facts
from .supplied import judge_ask, judge_document, judge_fact
from .tasks import assign_owners, warn_of_tasks
from .waivers import Waiver, apply_waivers, load_waivers

_LOG = logging.getLogger(__name__)
Parameters = Mapping[str, Fraction]

JUDGES: dict[type, Callable[[LoadedRule, Bench, Parameters], list[Ruling]]] = {
    MeasureRule: judge_measure,
    ShapeRule: judge_shape,
    FactRule: lambda rule, bench, _: judge_fact(rule, bench),
    DocumentRule: lambda rule, bench, _: judge_document(rule, bench),
    AskRule: lambda rule, bench, _: judge_ask(rule, bench),
    CompareRule: judge_compare,
}
"""Kind of rule to its judge."""

_KIND_NAMES: dict[type, str] = {
    MeasureRule: "measure",
    ShapeRule: "shape_of",
    FactRule: "fact",
    DocumentRule: "document",
    AskRule: "ask",
    CompareRule: "compare",
}


def judge(
    evidence: Evidence,
    packs: Sequence[LoadedPack],
    papers: Papers,
    order: AttestConfig,
    *,
    as_of: date,
    evidence_signed: str,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    changes: tuple[Change, ...] = (),
) -> Judgement:
    """Hold rules against evidence.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    packs : sequence of LoadedPack
        The rules in force.
    papers : Papers
        What people supplied.
    order : AttestConfig
        For its waivers and claims.
    as_of : datetime.date
        The day of judgement (UTC); all expiries use it.
    evidence_signed : str
        What is known of the evidence's signature, in words.
    fail_on : str
        Severity from which a rule decides the outcome.
    allow : frozenset of {"inconclusive", "manual"}
        Verdicts that do not leave the run undecided.
    changes : tuple of Change
        What differs from an earlier audit or a champion, for rules that compare.

    Raises
    ------
    PolicyError
        A rule names an attribute or feature that this audit does not know, or a waiver is none.
    """
    judgement = judge_with(
        evidence,
        packs,
        papers,
        load_waivers(order.waivers, packs),
        as_of=as_of,
        evidence_signed=evidence_signed,
        fail_on=fail_on,
        allow=allow,
        changes=changes,
    )
    claims = check_claims(order.claims, evidence)
    warnings = (*judgement.warnings, *warn_of_claims(claims))
    return judgement.model_copy(update={"claims": claims, "warnings": warnings})


def judge_with(
    evidence: Evidence,
    packs: Sequence[LoadedPack],
    papers: Papers,
    waivers: Sequence[Waiver],
    *,
    as_of: date,
    evidence_signed: str,
    fail_on: Severity = "high",
    allow: frozenset[str] = frozenset(),
    strict_names: bool = True,
    changes: tuple[Change, ...] = (),
) -> Judgement:
    """Hold rules against evidence, with waivers that were read already.

    Parameters
    ----------
    waivers : sequence of Waiver
        Waivers in force.
    strict_names : bool
        Refuse names that the audit does not know; policy tests bring only a part of an audit and switch this off.

    Raises
    ------
    PolicyError
        See `judge`.
    """
    bench = lay_out(evidence, papers, as_of, changes)
    if strict_names:
        check_names(packs, bench)
    findings: list[RuleFinding] = []
    policies: list[PolicyText] = []
    for pack in packs:
        applies = find_applicability(pack, bench)
        policies.append(_describe_policy(pack, applies))
        findings += [_judge_rule(rule, pack, applies, bench) for rule in pack.rules]
    waived, lapsed = apply_waivers(findings, waivers, evidence.subject, as_of)
    judged = assign_owners(waived, papers)
    return Judgement(
        evidence_digest=evidence.digest(),
        evidence_signed=evidence_signed,
        as_of=as_of.isoformat(),
        policies=tuple(policies),
        findings=judged,
        papers=papers,
        fail_on=fail_on,
        parameters={
            f"{pack.name}.{name}": say_number(value) for pack in packs for name, value in pack.parameters.items()
        },
        warnings=(
            *_warn_of_packs(packs, policies, as_of),
            *_warn_of_papers(packs, papers),
            *warn_of_facts(papers, evidence, changes),
            *lapsed,
            *warn_of_tasks(judged, papers, as_of),
        ),
        outcome=find_outcome(judged, broken=bool(evidence.broken), fail_on=fail_on, allow=allow, asked=bool(packs)),
    )


def find_outcome(
    findings: Iterable[RuleFinding],
    *,
    broken: bool,
    fail_on: Severity,
    allow: frozenset[str] = frozenset(),
    asked: bool = True,
) -> str:
    """Return the run's outcome.

    Parameters
    ----------
    findings : iterable of RuleFinding
        The rules.
    broken : bool
        Whether a part of the examination failed.
    fail_on : str
        Severity from which a rule decides.
    allow : frozenset of {"inconclusive", "manual"}
        Verdicts that leave nothing open.
    asked : bool
        Whether any policy was asked for; without one the run measures and judges nothing.

    Returns
    -------
    str
        ``incomplete``, ``measured``, ``failed``, ``undecided`` or ``passed``; the first that holds. A run in which no
        rule applied is undecided: nothing was held against it, so nothing passed.
    """
    findings = list(findings)
    deciding = {finding.status for finding in findings if gravest(finding.severity, fail_on)}
    if broken or any(finding.status == "error" for finding in findings):
        return "incomplete"
    if not asked:
        return "measured"
    if "fail" in deciding:
        return "failed"
    if all(finding.status == "not_applicable" for finding in findings):
        return "undecided"
    return "undecided" if deciding & ({"inconclusive", "manual"} - allow) else "passed"


def find_applicability(pack: LoadedPack, bench: Bench) -> Applicability:
    """Return whether a pack applies: its facts first, then its dates."""
    facts = ask_facts(pack.pack.applies_when, bench.facts)
    if facts.word != "yes":
        return facts
    return ask_law(pack.pack.law, bench.as_of)


def _judge_rule(rule: LoadedRule, pack: LoadedPack, applies: Applicability, bench: Bench) -> RuleFinding:
    applies = _date_rule(rule, pack, applies, bench.as_of)
    rulings = _rule_on(rule, pack, applies, bench)
    limit, metric = rule.limit, rule.rule.measure if isinstance(rule.rule, MeasureRule) else None
    if isinstance(rule.rule, CompareRule):
        limit, metric = read_margin(rule.rule, pack.parameters).limit(), rule.rule.compare
    verdicts = [
        write_verdict(ruling, system=bench.evidence.subject.system, rule=rule.name, metric=metric, limit=limit)
        for ruling in rulings
    ]
    if applies.word == "not_yet":
        verdicts = [_would(verdict, applies) for verdict in verdicts]
    own = rule.rule
    basis, warn_basis = _find_bases(rule, pack)
    return RuleFinding(
        rule=rule.name,
        pack=pack.name,
        title=own.title,
        severity=rule.severity,
        kind=_KIND_NAMES[type(own)],
        cite=own.cite,
        why=" ".join(part for part in (own.why, rule.changed) if part),
        fix=own.fix,
        basis=basis,
        judged_on=_find_judged_on(rule),
        question=getattr(own, "ask", ""),
        asked_of=_find_asked(rule),
        limit=limit.words if limit else "",
        warn_limit=f"{rule.warn.words} ({warn_basis})" if rule.warn else "",
        status=worst_verdict([verdict.status for verdict in verdicts]),
        verdicts=tuple(verdicts),
        path=pack.file,
        line=rule.line,
    )


def _rule_on(rule: LoadedRule, pack: LoadedPack, applies: Applicability, bench: Bench) -> list[Ruling]:
    if rule.disabled:
        return [Ruling(Scope(), "not_applicable", rule.disabled)]
    for answer in (applies, ask_facts(rule.rule.applies_when, bench.facts)):
        if answer.word in ("no", "unknown"):
            status: VerdictWord = "not_applicable" if answer.word == "no" else "inconclusive"
            return [Ruling(Scope(), status, answer.because)]
    try:
        rulings = JUDGES[type(rule.rule)](rule, bench, pack.parameters)
        return rulings or [Ruling(Scope(), "inconclusive", "there is nothing that this rule could be held against")]
    except Exception as error:  # one rule that breaks is a verdict of its own; the others are judged all the same
        _LOG.exception("the rule %s broke", rule.name)
        return [Ruling(Scope(), "error", f"this rule could not be judged: {type(error).__name__}: {error}")]


def _date_rule(rule: LoadedRule, pack: LoadedPack, applies: Applicability, as_of: date) -> Applicability:
    """Return whether a rule applies: as its pack does, save where its clause has a day of its own."""
    own = rule.rule.applies_from
    if own is None or applies.word not in ("yes", "not_yet"):
        return applies
    answer = ask_law(pack.pack.law.model_copy(update={"applies_from": own}), as_of)
    return replace(answer, because=answer.because.replace("the law applies", "this clause applies"))


def _would(verdict: Verdict, applies: Applicability) -> Verdict:
    """Turn a verdict under a law that does not apply yet into what it would be; it never decides a run."""
    if verdict.status in ("error", "not_applicable"):
        return verdict
    because = f"would be '{verdict.status.replace('_', ' ')}', but {applies.because}: {verdict.because}"
    return verdict.model_copy(update={"status": "not_applicable", "original": verdict.status, "because": because})


def _find_judged_on(rule: LoadedRule) -> str:
    own = rule.rule
    if isinstance(own, MeasureRule):
        exact = rule.limit is not None and (rule.limit.kind == "reported" or rule.limit.low == rule.limit.high)
        return "estimate" if exact else own.judged_on or "interval"
    return (own.judged_on or "") if isinstance(own, CompareRule) else ""


def _find_asked(rule: LoadedRule) -> str:
    """Return the role that must answer or accept; empty where the rule asks for no person, or for any."""
    own = rule.rule
    if isinstance(own, AskRule):
        return own.asked_of
    return own.must_have.approved_by_role if isinstance(own, DocumentRule) else ""


def _find_bases(rule: LoadedRule, pack: LoadedPack) -> tuple[str, str]:
    """Return who set the number of the limit, and of the level of attention."""
    own = rule.rule
    basis = getattr(own, "threshold_basis", None) or ""
    if not isinstance(own, MeasureRule) or rule.warn is None:
        return basis, ""
    names = rule.warn.parameters
    return basis, own.warn_basis or (pack.pack.parameters[names[0]].basis if names else "organisation")


def _describe_policy(pack: LoadedPack, applies: Applicability) -> PolicyText:
    law = pack.pack.law
    return PolicyText(
        pack=pack.name,
        title=pack.pack.title,
        version=pack.pack.version,
        maturity=pack.pack.maturity,
        summary=pack.pack.summary,
        citation=law.citation,
        jurisdiction=law.jurisdiction,
        status=law.status.replace("_", " "),
        reviewed_by=pack.pack.reviewed_by,
        verified_on=law.verified_on.isoformat(),
        review_by=law.review_by.isoformat(),
        sources=tuple(
            " ".join(part for part in (source.title, source.url, source.note and f"({source.note})") if part)
            for source in law.sources
        ),
        unverified=law.unverified,
        pending=law.pending,
        applies=applies.word,
        applies_because=applies.because,
        path=pack.file,
        sha256=pack.sha256,
        text=pack.tree.text,
    )


def _warn_of_packs(packs: Sequence[LoadedPack], policies: Sequence[PolicyText], as_of: date) -> Iterable[str]:
    for pack, policy in zip(packs, policies, strict=True):
        if pack.left_out:
            taken = f"{len(pack.rules)} of its {len(pack.rules) + len(pack.left_out)} rules are in force"
            yield f"{pack.name}: {taken}; left out by whoever uses it: {', '.join(pack.left_out)}"
        if pack.pack.law.review_by < as_of:
            yield f"{pack.name}: its law was to be read again by {policy.review_by}; that day has passed"
        if policy.applies == "unknown":
            yield f"{pack.name}: {policy.applies_because}"
        if policy.applies == "not_yet":
            early = [r for r in pack.rules if r.rule.applies_from and r.rule.applies_from <= as_of]
            save = f", save those of {len(early)} rules whose clauses apply already" if early else ""
            yield f"{pack.name}: {policy.applies_because}; its verdicts only say what they would be{save}"


def _warn_of_papers(packs: Sequence[LoadedPack], papers: Papers) -> Iterable[str]:
    """Tell of answers that no rule asks for, which a misspelled rule name makes of them."""
    in_force = {pack.name for pack in packs}
    rules = [rule.name for pack in packs for rule in pack.rules if isinstance(rule.rule, AskRule)]
    for answer in papers.answers:
        if answer.rule not in rules and answer.rule.partition("/")[0] in in_force:
            hint = suggest_name(answer.rule, rules)
            yield f"documents: no question '{answer.rule}' is in force" + (f"; {hint}" if hint else "")
