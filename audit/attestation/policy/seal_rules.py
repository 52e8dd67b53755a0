"""Rules about the seal of a report, which can be decided only when it is sealed: by whoever verifies it.

Comes in: what verifying found, packs, the papers that the report holds, the day. Goes out: one finding per rule on a
``seal.*`` fact. A development key satisfies none of them: it proves no identity, whatever else holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from audit.errors import PolicyError
from audit.evidence import Papers, Severity, VerdictWord
from audit.evidence.papers import FactValue

from .applies import ask_facts, ask_law
from .loaded import LoadedPack, LoadedRule
from .pack import FactRule
from .ruling import Ruling, Scope, gravest
from .supplied import hold_fact
from .vocabulary import SEAL_FACTS

ABOUT_KEY = ("seal.intact", "seal.development_key")
"""Facts that mean the same whoever signed."""


@dataclass(frozen=True, slots=True)
class SealFinding:
    """A rule about the seal, decided.

    Parameters
    ----------
    rule : str
        ``pack/rule``.
    title : str
        The rule as one plain sentence.
    severity : str
        How grave a failure is.
    status : str
        The verdict.
    because : str
        Why, in one sentence.
    place : str
        File and line of the rule.
    """

    rule: str
    title: str
    severity: Severity
    status: VerdictWord
    because: str
    place: str


def judge_seal(
    facts: Mapping[str, FactValue], packs: Sequence[LoadedPack], papers: Papers, as_of: date
) -> tuple[SealFinding, ...]:
    """Decide every rule about the seal.

    Parameters
    ----------
    facts : mapping
        ``seal.*`` facts that verifying found; one that is not known is left out.
    packs : sequence of LoadedPack
        The packs asked for.
    papers : Papers
        What people supplied with the audit: its facts decide which packs and rules apply.
    as_of : datetime.date
        The day of verifying (UTC).

    Raises
    ------
    PolicyError
        No pack holds a rule about the seal, so that nothing would be checked.
    """
    seal = {name: value for name, value in facts.items() if name in SEAL_FACTS}
    supplied = {name: value for name, value in papers.facts.items() if name not in SEAL_FACTS}
    found = [(pack, rule) for pack in packs for rule in pack.rules if is_about_seal(rule)]
    if not found:
        names = ", ".join(pack.name for pack in packs)
        raise PolicyError(f"no rule about the seal in {names}", place="--policy", hint="such rules name a fact seal.*")
    return tuple(_write(pack, rule, _decide(pack, rule, seal, supplied, as_of)) for pack, rule in found)


def is_about_seal(rule: LoadedRule) -> bool:
    """Return whether a rule is one for `audit verify`."""
    return isinstance(rule.rule, FactRule) and rule.rule.fact in SEAL_FACTS


def decide_exit(findings: Iterable[SealFinding], fail_on: Severity = "high") -> int:
    """Return the exit code of rules about the seal: 1 where one failed, 5 where one is open, else 0.

    Parameters
    ----------
    findings : iterable of SealFinding
        The rules.
    fail_on : str
        Severity from which a rule decides.
    """
    words = {finding.status for finding in findings if gravest(finding.severity, fail_on)}
    if words & {"fail", "error"}:
        return 1
    return 5 if words & {"inconclusive", "manual"} else 0


def _decide(
    pack: LoadedPack,
    rule: LoadedRule,
    seal: Mapping[str, FactValue],
    supplied: Mapping[str, FactValue],
    as_of: date,
) -> Ruling:
    if rule.disabled:
        return Ruling(Scope(), "not_applicable", rule.disabled)
    law = pack.pack.law
    if rule.rule.applies_from is not None:
        law = law.model_copy(update={"applies_from": rule.rule.applies_from})
    for answer in (ask_facts(pack.pack.applies_when, supplied), ask_facts(rule.rule.applies_when, supplied)):
        if answer.word != "yes":
            return Ruling(Scope(), "not_applicable" if answer.word == "no" else "inconclusive", answer.because)
    in_time = ask_law(law, as_of)
    ruling = _refuse_worthless(rule, hold_fact(rule, seal)[0], seal)
    if in_time.word == "yes":
        return ruling
    return replace(ruling, status="not_applicable", because=f"{in_time.because}; it would be '{ruling.status}'")


def _refuse_worthless(rule: LoadedRule, ruling: Ruling, seal: Mapping[str, FactValue]) -> Ruling:
    fact = getattr(rule.rule, "fact", "")
    if ruling.status not in ("pass", "warn") or fact == "seal.intact":
        return ruling
    if seal.get("seal.intact") is not True:
        return replace(ruling, status="fail", because=f"{ruling.because}; but the report is not as it was sealed")
    if fact in ABOUT_KEY or seal.get("seal.development_key") is False:
        return ruling
    if seal.get("seal.development_key") is True:
        return replace(ruling, status="fail", because=f"{ruling.because}; but a development key proves no identity")
    because = f"{ruling.because}; but whether a development key made the signature is not known"
    return replace(ruling, status="inconclusive", because=because)


def _write(pack: LoadedPack, rule: LoadedRule, ruling: Ruling) -> SealFinding:
    place = f"{pack.file}:{rule.line}"
    return SealFinding(rule.name, rule.rule.title, rule.severity, ruling.status, ruling.because, place)
