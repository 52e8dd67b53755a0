"""Waivers: a finding that two people decided to live with for a while. They are applied in one function.

Comes in: a waivers file, and the verdicts. Goes out: verdicts in which a covered finding is `waived`, with the original
verdict, the numbers and the waiver's id kept. A waiver names one rule, has two different people, ends on a day, and
lapses when the number leaves the range it was granted for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from audit.errors import Mistake, PolicyError, suggest_name
from audit.evidence import RuleFinding, Subject, Verdict, worst_verdict
from audit.yamlfile import YamlTree, read_yaml

from .pack import Day, Part, Phrase
from .phrase import Limit, PhraseError, parse_phrase, read_number
from .reading import read_typed
from .select import LoadedPack, LoadedRule

MOST_DAYS = 366
_COVERED = ("fail", "warn", "inconclusive", "manual")


def _read_one_rule(value: Any) -> Any:
    if isinstance(value, list | tuple) or (isinstance(value, str) and len(re.split(r"[,;\s]+", value.strip())) > 1):
        raise ValueError("a waiver names exactly one rule; write one waiver for each")
    return value


class Waiver(Part):
    """One waiver for one rule."""

    id: str = Field(min_length=2)
    """Its number."""
    rule: Annotated[str, BeforeValidator(_read_one_rule)]
    """``pack/rule``, exactly one."""
    scope: dict[str, str] = Field(default={})
    """Part of the rule it covers: attribute to value, `feature`, `model`, `outcome`; all of it where empty."""
    reason: str = Field(min_length=20)
    """Why."""
    compensating_control: str = ""
    """What is done instead."""
    requested_by: str = Field(min_length=2)
    """Who asked for it."""
    approved_by: str = Field(min_length=2)
    """Who granted it; another person."""
    approver_role: str = Field(min_length=2)
    """In which role."""
    approved_on: Day
    """When."""
    expires: Day
    """Last day on which it holds, at most 366 days later."""
    only_while: Phrase | None = None
    """Range in which the number must stay."""
    model_version: str | None = None
    """Version of the model it was granted for."""
    ticket: str = ""
    """Where it is tracked."""
    _place: str = PrivateAttr(default="")

    @property
    def place(self) -> str:
        """``file:line`` where it stands; empty where it was read from no file."""
        return self._place

    def at(self, place: str) -> Waiver:
        """Return the same waiver, knowing where it stands."""
        placed = self.model_copy()
        placed._place = place
        return placed


class WaiversFile(Part):
    """A waivers file."""

    schema_: Literal["waivers/1"] = Field(alias="schema")
    """Version of this file's form."""
    waivers: tuple[Waiver, ...]
    """The waivers."""


def load_waivers(path: Path | str | None, packs: Sequence[LoadedPack]) -> tuple[Waiver, ...]:
    """Read a waivers file and hold it against the rules in force.

    Parameters
    ----------
    path : path or None
        The file; None for no waivers.
    packs : sequence of LoadedPack
        The packs in force.

    Raises
    ------
    PolicyError
        All its mistakes: a rule that is not in force or cannot be waived, one person in both roles, too long a time.
    """
    if path is None:
        return ()
    tree = read_yaml(path)
    parsed, mistakes = read_typed(tree, WaiversFile)
    if parsed is not None:
        mistakes = list(_check_waivers(parsed, tree, packs))
    if parsed is None or mistakes:
        raise PolicyError(mistakes=mistakes)
    name = Path(path).name
    return tuple(
        waiver.at(f"{name}:{tree.position(('waivers', number))[0]}") for number, waiver in enumerate(parsed.waivers)
    )


def _check_waivers(parsed: WaiversFile, tree: YamlTree, packs: Sequence[LoadedPack]) -> Iterable[Mistake]:
    rules = {rule.name: rule for pack in packs for rule in pack.rules}
    ids = [waiver.id for waiver in parsed.waivers]
    for number, waiver in enumerate(parsed.waivers):
        found = list(_check_waiver(waiver, rules))
        if waiver.id in ids[:number]:
            found.append(("id", "this id stands twice", "one waiver, one id"))
        for key, what, hint in found:
            yield Mistake(f"waiver {waiver.id}: {what}", tree.place(("waivers", number, key)), hint)


def _check_waiver(waiver: Waiver, rules: Mapping[str, LoadedRule]) -> Iterable[tuple[str, str, str]]:
    if waiver.rule not in rules:
        yield "rule", f"no rule '{waiver.rule}' is in force", suggest_name(waiver.rule, rules)
    elif not rules[waiver.rule].rule.waivable:
        yield "rule", f"'{waiver.rule}' cannot be waived", "mend what it found; its pack allows no exception"
    if _same_person(waiver.approved_by, waiver.requested_by):
        yield (
            "approved_by",
            "the person who grants it must be another one than the one who asks",
            "name somebody else who may grant it",
        )
    if not timedelta(0) <= waiver.expires - waiver.approved_on <= timedelta(days=MOST_DAYS):
        last = (waiver.approved_on + timedelta(days=MOST_DAYS)).isoformat()
        yield (
            "expires",
            f"it must end within {MOST_DAYS} days of {waiver.approved_on.isoformat()}",
            f"at the latest on {last}; grant it again after that",
        )
    if waiver.only_while is None:
        return
    try:
        if parse_phrase(waiver.only_while, {}).kind != "range":
            yield "only_while", f"'{waiver.only_while}' is no range of numbers", ""
    except PhraseError as error:
        yield "only_while", error.what, error.hint


def _same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's, however they are spelt: case, spaces, look-alike signs."""
    first, second = (" ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other))
    return first == second


def apply_waivers(
    findings: Sequence[RuleFinding], waivers: Sequence[Waiver], subject: Subject, as_of: date
) -> tuple[tuple[RuleFinding, ...], tuple[str, ...]]:
    """Apply waivers to verdicts; the only place where a waiver is read.

    Parameters
    ----------
    findings : sequence of RuleFinding
        As judged.
    waivers : sequence of Waiver
        As granted.
    subject : Subject
        For the model's version.
    as_of : datetime.date
        The day of judgement.

    Returns
    -------
    tuple
        The findings, and a warning for every waiver that covered nothing, with the reason.
    """
    if not waivers:
        return tuple(findings), ()
    used: set[str] = set()
    reasons: dict[str, str] = {}
    done = []
    for finding in findings:
        own = [waiver for waiver in waivers if waiver.rule == finding.rule]
        verdicts = tuple(_waive(verdict, own, subject, as_of, used, reasons) for verdict in finding.verdicts)
        done.append(
            finding.model_copy(
                update={"verdicts": verdicts, "status": worst_verdict([verdict.status for verdict in verdicts])}
            )
        )
    left = [
        _tell_unused(waiver, reasons.get(waiver.id, "") or _misses_scope(waiver, findings), as_of)
        for waiver in waivers
        if waiver.id not in used
    ]
    return tuple(done), tuple(left)


def _misses_scope(waiver: Waiver, findings: Sequence[RuleFinding]) -> str:
    """Return what in a waiver's scope no scope of its rule has, e.g. a misspelt name; empty where all is known."""
    abouts = [_about(verdict) for finding in findings if finding.rule == waiver.rule for verdict in finding.verdicts]
    for key, value in waiver.scope.items():
        values = {about[key] for about in abouts if key in about}
        wrong, known = (value, values) if values else (key, {name for about in abouts for name in about})
        if wrong not in known and known:
            hint = suggest_name(wrong, sorted(known))
            return f"its scope says {key}: {value}, and no scope of the rule has '{wrong}'" + (hint and f"; {hint}")
    return ""


def _tell_unused(waiver: Waiver, reason: str, as_of: date) -> str:
    """Return why a waiver covers nothing, where it stands, and what to do about it."""
    reason = reason or _out_of_time(waiver, as_of) or "no finding of its scope needs it"
    advice = "remove it, or have a new one approved" if as_of > waiver.expires else ""
    place = f" ({waiver.place})" if waiver.place else ""
    return f"waiver {waiver.id}{place} covers nothing: {reason}" + (f"; {advice}" if advice else "")


def _waive(
    verdict: Verdict, waivers: Sequence[Waiver], subject: Subject, as_of: date, used: set[str], reasons: dict[str, str]
) -> Verdict:
    for waiver in waivers if verdict.status in _COVERED else ():
        if not _covers(waiver, verdict):
            continue
        if problem := _lapsed(waiver, verdict, subject, as_of):
            reasons[waiver.id] = problem
            continue
        used.add(waiver.id)
        because = (
            f"waived by {waiver.approved_by} ({waiver.approver_role}) until {waiver.expires.isoformat()}: "
            f"{waiver.reason} The verdict without it: {verdict.status}, {verdict.because}"
        )
        return verdict.model_copy(
            update={"status": "waived", "original": verdict.status, "waiver": waiver.id, "because": because}
        )
    return verdict


def _about(verdict: Verdict) -> dict[str, str]:
    return {
        **verdict.group,
        **({"feature": verdict.feature} if verdict.feature else {}),
        **({"model": verdict.model} if verdict.model else {}),
        **({"outcome": verdict.outcome} if verdict.outcome else {}),
    }


def _covers(waiver: Waiver, verdict: Verdict) -> bool:
    about = _about(verdict)
    return all(about.get(key) == value for key, value in waiver.scope.items())


def _lapsed(waiver: Waiver, verdict: Verdict, subject: Subject, as_of: date) -> str:
    """Return why a waiver does not hold today; empty where it does."""
    if problem := _out_of_time(waiver, as_of):
        return problem
    if waiver.model_version is not None and waiver.model_version != subject.version:
        return f"it was granted for version {waiver.model_version}, this is {subject.version or 'no version'}"
    if waiver.only_while is None:
        return ""
    limit: Limit = parse_phrase(waiver.only_while, {})
    value = verdict.observed.value if verdict.observed else None
    if value is None or not limit.holds(read_number(value)):
        return f"it lapsed: the number is {'undefined' if value is None else f'{value:.4f}'}, not {waiver.only_while}"
    return ""


def _out_of_time(waiver: Waiver, as_of: date) -> str:
    if as_of > waiver.expires:
        return f"it expired on {waiver.expires.isoformat()}"
    return f"it begins on {waiver.approved_on.isoformat()}" if as_of < waiver.approved_on else ""
