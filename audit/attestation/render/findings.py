"""Rules as a reader meets them: failed first, each with its arithmetic, and clause by clause in the annex.

Comes in: a judgement and the evidence's lexicon. Goes out: rows for the decision page, the policy table, the annexes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from audit.evidence import (
    SEVERITY_ORDER,
    VERDICT_ORDER,
    Judgement,
    PolicyText,
    RuleFinding,
    Verdict,
    VerdictWord,
)

from . import words
from .clause_words import WOULD
from .numbers import Shown, count_text, day_text, show
from .tables import Lexicon
from .tongue import tell, tell_many

_OPEN: tuple[VerdictWord, ...] = ("inconclusive", "manual")
_BAD: tuple[VerdictWord, ...] = ("error", "fail")
_OTHER: tuple[VerdictWord, ...] = ("warn", "waived", "not_applicable")
_ALONE = re.compile(r"the figure alone, (\S+), (.+)")
_WOULD_BE = re.compile(r"^would be '[a-z ]+', but [^:]*: ")


@dataclass(frozen=True, slots=True)
class ScopeShown:
    """One verdict: where it applies, what was observed, why."""

    verdict: Verdict
    sign: words.VerdictSign
    name: str
    observed: Shown | None
    waived_from: str
    reason: str
    """Why, without the words that a verdict of a law not yet in force begins with: its sign says them."""

    @property
    def literal(self) -> str:
        """The literal comparison with the limit; empty where there is no figure or the reason opens with it."""
        said = self.verdict.literal
        if said.startswith(("the figure is", "there is no figure")):
            return ""
        compared = _ALONE.match(said)
        return "" if compared and self.reason.startswith(" ".join(compared.groups())) else said


@dataclass(frozen=True, slots=True)
class RuleShown:
    """One rule with its scopes, worst first."""

    finding: RuleFinding
    sign: words.VerdictSign
    anchor: str
    scopes: tuple[ScopeShown, ...]
    severity: str
    rank: int
    basis: str
    metric: str
    page: str
    task: str
    """Who deals with it, until when, and since when it is open where an earlier audit saw it."""

    @property
    def worst(self) -> ScopeShown:
        """The worst verdict."""
        return self.scopes[0]

    @property
    def tally(self) -> str:
        """How many scopes share the rule's verdict, where there are several."""
        if len(self.scopes) < 2:
            return ""
        same = sum(scope.verdict.status == self.finding.status for scope in self.scopes)
        return tell("{number} of {all} scopes", number=count_text(same), all=count_text(len(self.scopes)))


@dataclass(frozen=True, slots=True)
class PackShown:
    """One policy with its rules in its own order."""

    policy: PolicyText
    letter: str
    anchor: str
    applies: str
    rules: tuple[RuleShown, ...]
    tally: str


@dataclass(frozen=True, slots=True)
class Count:
    """One number of the decision page."""

    number: int
    word: str
    tone: str
    sign: str


def show_rules(judgement: Judgement, lexicon: Lexicon) -> tuple[RuleShown, ...]:
    """Return all rules, worst verdict and gravest rule first."""
    rules = [_show_rule(finding, index, lexicon, judgement.as_of) for index, finding in enumerate(judgement.findings)]
    return tuple(sorted(rules, key=_gravity))


def _gravity(rule: RuleShown) -> tuple[int, int]:
    return VERDICT_ORDER.index(rule.finding.status), SEVERITY_ORDER.index(rule.finding.severity)


def _show_rule(finding: RuleFinding, index: int, lexicon: Lexicon, as_of: str) -> RuleShown:
    verdicts = sorted(finding.verdicts, key=_urgency)
    metric = next((verdict.metric for verdict in finding.verdicts if verdict.metric), "")
    return RuleShown(
        finding=finding,
        sign=sign_of(verdicts[0]) if verdicts else words.VERDICTS[finding.status],
        anchor=f"rule-{index + 1}",
        scopes=tuple(_show_scope(verdict, lexicon) for verdict in verdicts) or (_no_scope(finding),),
        severity=tell(words.SEVERITIES[finding.severity]),
        rank=VERDICT_ORDER.index(finding.status) * 10 + SEVERITY_ORDER.index(finding.severity),
        basis=tell(words.BASES.get(finding.basis, finding.basis.replace("_", " "))),
        metric=lexicon.title(metric) if metric else "",
        page=words.SECTION_PAGE.get(metric.partition(".")[0], "not-assessed") if metric else "",
        task=_say_task([verdict for verdict in verdicts if verdict.leaves_open], as_of),
    )


def _say_task(verdicts: list[Verdict], as_of: str) -> str:
    owners = ", ".join(dict.fromkeys(verdict.owner for verdict in verdicts if verdict.owner))
    due = min((verdict.due for verdict in verdicts if verdict.due), default="")
    since = min((verdict.first_seen for verdict in verdicts if verdict.first_seen), default="")
    parts = [tell("owner: {owner}", owner=owners)] if owners else []
    parts += [tell("due {day}", day=day_text(due))] if due else []
    parts += [tell("open since {day}", day=day_text(since))] if since and since < as_of else []
    return words.sentence("; ".join(parts)).rstrip(".")


def _urgency(verdict: Verdict) -> tuple[int, float, bool]:
    """Worst verdict first; among equals the value farthest beyond its limit, and a reference against itself last."""
    beyond = 0.0
    itself = verdict.observed is not None and verdict.observed.method == "by definition"
    if verdict.observed is not None and verdict.observed.value is not None:
        value = verdict.observed.value
        if verdict.limit_low is not None and value < verdict.limit_low:
            beyond = verdict.limit_low - value
        elif verdict.limit_high is not None and value > verdict.limit_high:
            beyond = value - verdict.limit_high
    return VERDICT_ORDER.index(verdict.standing), -beyond, itself


def sign_of(verdict: Verdict) -> words.VerdictSign:
    """Return how a verdict is shown; one that only would be, under a law that does not apply yet, says so."""
    would = verdict.status == "not_applicable" and verdict.original is not None
    return WOULD.get(verdict.standing, words.VERDICTS[verdict.status]) if would else words.VERDICTS[verdict.status]


def _show_scope(verdict: Verdict, lexicon: Lexicon) -> ScopeShown:
    observed = None
    if verdict.observed is not None:
        metric = verdict.metric or ""
        observed = show(verdict.observed, metric, lexicon.unit(metric))
    return ScopeShown(
        verdict=verdict,
        sign=sign_of(verdict),
        name=_scope_name(verdict),
        observed=observed,
        waived_from=_small_word(verdict.original) if verdict.original else "",
        reason=_WOULD_BE.sub("", verdict.because) if verdict.status == "not_applicable" else verdict.because,
    )


def _scope_name(verdict: Verdict) -> str:
    """Return the scope in words; an attribute as a whole stands in the scope's name alone."""
    inside = verdict.scope.partition("[")[2].rpartition("]")[0]
    whole = [part.strip() for part in inside.split(",") if part.strip() and "=" not in part]
    spoken = "" if verdict.group else ", ".join(words.prettify(part) for part in whole)
    rest = words.scope_words(verdict.group, verdict.feature, verdict.model, verdict.outcome)
    return ", ".join(part for part in (rest, spoken) if part)


def _no_scope(finding: RuleFinding) -> ScopeShown:
    empty = Verdict(id="", rule=finding.rule, scope=finding.rule, status=finding.status, because="no scope exists")
    return ScopeShown(empty, words.VERDICTS[finding.status], "", None, "", tell("no scope exists"))


def count_verdicts(judgement: Judgement) -> tuple[Count, ...]:
    """Return the counts of the decision page: failed, undecided, passed, and the rest that occurs."""
    failed = sum(judgement.count(word) for word in _BAD)
    undecided = sum(judgement.count(word) for word in _OPEN)
    rows = [
        Count(failed, tell("failed"), "bad", "✗"),
        Count(undecided, tell("undecided"), "open", "?"),
        Count(judgement.count("pass"), tell("passed"), "good", "✓"),
    ]
    for word in _OTHER:
        number = judgement.count(word)
        if number:
            name = tell_many("warning", "warnings", number) if word == "warn" else _small_word(word)
            rows.append(Count(number, name, "mute", words.VERDICTS[word].sign))
    return tuple(rows)


def verdict_sentence(judgement: Judgement, broken: tuple[str, ...]) -> str:
    """Return the verdict in one sentence."""
    total = len(judgement.findings)
    if not total:
        return tell("No rule was applied: this report measures and does not judge.")
    if judgement.count("not_applicable") == total:
        return tell_many(
            "The only rule does not apply to this system: nothing was judged.",
            "None of the {number} rules applies to this system: nothing was judged.",
            total,
        )
    failed = sum(judgement.count(word) for word in _BAD)
    undecided = sum(judgement.count(word) for word in _OPEN)
    spared = failed and judgement.outcome in ("undecided", "passed")  # what failed does not decide the outcome
    text = tell(
        "{failed}, {open} and {passed}",
        failed=_say_failed(failed, total, _grave(judgement) if spared else ""),
        open=tell("{amount} could not be decided", amount=_amount(undecided)),
        passed=tell("{amount} passed", amount=_amount(judgement.count("pass"))),
    )
    text = "; ".join(part for part in (text, ", ".join(_say_others(judgement))) if part) + "."
    if broken:
        names = ", ".join(words.lowered(tell(words.SECTIONS[name])) for name in broken)
        text += " " + tell("Parts of the examination broke ({names}), so the verdict is incomplete.", names=names)
    return text[:1].upper() + text[1:]


def _say_others(judgement: Judgement) -> list[str]:
    """Say how the other rules ended, so that all numbers of the sentence add up to the rules."""
    warned, waived, idle = (judgement.count(word) for word in _OTHER)
    said = (
        tell_many("{number} gave a warning", "{number} gave a warning", warned) if warned else "",
        tell_many("{number} was waived", "{number} were waived", waived) if waived else "",
        tell_many("{number} does not apply", "{number} do not apply", idle) if idle else "",
    )
    return [part for part in said if part]


def _grave(judgement: Judgement) -> str:
    """Return the severities that decide the outcome, in words."""
    word = tell(words.SEVERITIES[judgement.fail_on]).lower()
    return word if judgement.fail_on == SEVERITY_ORDER[0] else tell("{severity} or above", severity=word)


def _say_failed(number: int, total: int, spared: str) -> str:
    """Say how many rules failed; `spared` names the severities that none of them has."""
    amount = _amount(number)
    if spared:
        return tell_many(
            "{amount} of one rule failed (none of severity {severity})",
            "{amount} of {number} rules failed (none of severity {severity})",
            total,
            amount=amount,
            severity=spared,
        )
    return tell_many("{amount} of one rule failed", "{amount} of {number} rules failed", total, amount=amount)


def _amount(number: int) -> str:
    return tell("none") if number == 0 else str(number)


def top_findings(rules: tuple[RuleShown, ...], most: int = 3) -> tuple[RuleShown, ...]:
    """Return the findings that matter most: failed ones first, then undecided ones and warnings, gravest first."""
    weight = {"error": 0, "fail": 0, "inconclusive": 1, "warn": 2, "waived": 3}
    grave = [rule for rule in rules if rule.finding.status in weight]
    ranked = sorted(
        grave,
        key=lambda rule: (weight[rule.finding.status], SEVERITY_ORDER.index(rule.finding.severity)),
    )
    return tuple(ranked[:most])


def undecided_rules(rules: tuple[RuleShown, ...]) -> tuple[RuleShown, ...]:
    """Return rules that the data or people have left open."""
    return tuple(rule for rule in rules if rule.finding.status in _OPEN)


def show_packs(judgement: Judgement, rules: tuple[RuleShown, ...]) -> tuple[PackShown, ...]:
    """Return every policy with its rules in the policy's order."""
    order = {finding.rule: index for index, finding in enumerate(judgement.findings)}
    packs = []
    for index, policy in enumerate(judgement.policies):
        mine = sorted((rule for rule in rules if rule.finding.pack == policy.pack), key=lambda r: order[r.finding.rule])
        letter = chr(ord("A") + index % 26)
        applies = tell(words.APPLIES[policy.applies])
        packs.append(PackShown(policy, letter, f"pack-{index + 1}", applies, tuple(mine), _tally_words(mine)))
    return tuple(packs)


def _tally_words(rules: list[RuleShown]) -> str:
    counts = {word: sum(rule.finding.status == word for rule in rules) for word in VERDICT_ORDER}
    return say_counts({words.VERDICTS[word].word: number for word, number in counts.items()})


def say_counts(counts: Mapping[str, int]) -> str:
    """Return how many rules ended with each verdict: ``3 failed, 1 warning, 13 passed``.

    Parameters
    ----------
    counts : mapping
        The word of a verdict to its rules, in the order in which they are said; those without any are left out.
    """
    said = [f"{number} {_counted(word, number)}" for word, number in counts.items() if number]
    return ", ".join(said) or tell("no rule")


def _counted(word: str, number: int) -> str:
    if word == words.VERDICTS["warn"].word:
        return tell_many("warning", "warnings", number)
    small = word.lower()
    said = tell(small)
    return said if said != small else words.lowered(tell(word))


def _small_word(word: VerdictWord) -> str:
    return tell(words.VERDICTS[word].word.lower())
