"""Policy tests: small cases with the verdicts they must end in, written by whoever writes rules.

Comes in: a ``*.test.yaml`` file. Goes out: for every case what came out otherwise than expected. A case is turned into
evidence by the same statistics that an audit uses and judged by the same judge; nothing here knows a rule by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from audit.errors import Mistake, PolicyError, suggest_name
from audit.evidence import Answer, Approval, Judgement, Papers, SuppliedText, VerdictWord, digest_bytes
from audit.yamlfile import read_yaml

from .catalogue import METRICS
from .documents import AnswerEntry
from .judge import judge_with
from .pack import Day, Part
from .reading import read_typed
from .select import LoadedPack, list_shipped, read_packs
from .staged_change import ChangeEntry, MoveEntry, stage_changes
from .staging import MetricEntry, Stage, as_measurement, stage_evidence
from .vocabulary import FACTS
from .waivers import load_waivers


def _as_blocks(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class CountBlock(Part):
    """Counts of one attribute or combination."""

    attributes: tuple[str, ...]
    """Attribute names."""
    rows: tuple[dict[str, str | int], ...]
    """Per group: its values, `selected` and `total`."""


class TestCase(Part):
    """One case."""

    __test__ = False  # not a pytest class

    name: str
    """What it shows."""
    today: Day | None = None
    """Day of judgement."""
    facts: dict[str, bool | int | float | str | tuple[str, ...]] = Field(default={})
    """Facts."""
    counts: Annotated[tuple[CountBlock, ...], BeforeValidator(_as_blocks)] = ()
    """Selected of total, by group."""
    rates: dict[str, dict[str, tuple[int, float]]] = Field(default={})
    """Attribute to group to people and scoring rate as printed; whole people are recovered from both."""
    metrics: tuple[MetricEntry, ...] = ()
    """Numbers as measured; those about the change itself (``change.*``) too."""
    changes: Annotated[tuple[ChangeEntry, ...], BeforeValidator(_as_blocks)] = ()
    """What changed since an earlier audit, or beside a champion."""
    features: tuple[str, ...] = ()
    """Columns that the model reads."""
    small_count: int = 1
    """Groups below this many people are not judged."""
    answers: dict[str, AnswerEntry] = Field(default={})
    """Rule of this pack to answer."""
    texts: dict[str, str] = Field(default={})
    """Field to text."""
    accepted: tuple[str, ...] = ()
    """Fields whose text a named person accepted."""
    waivers: str = ""
    """Waivers file, relative to this one."""
    expect: dict[str, VerdictWord] = Field(default={})
    """``rule`` or ``rule[scope]`` to verdict."""
    expect_values: dict[str, dict[str, float]] = Field(default={})
    """Metric to scope to value, rounded to two decimals as laws print them."""


class TestFile(Part):
    """A policy test."""

    __test__ = False  # not a pytest class

    schema_: Literal["policy-test/1"] = Field(alias="schema")
    """Version of this file's form."""
    pack: str
    """Shipped pack, or file relative to this one."""
    today: Day
    """Day of judgement."""
    cases: tuple[TestCase, ...]
    """The cases."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of a case.

    Parameters
    ----------
    name : str
        Its name.
    problems : tuple of str
        What came out otherwise; empty where all is as expected.
    """

    name: str
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.problems


def run_policy_tests(path: Path) -> list[CaseResult]:
    """Run every case of a test file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    PolicyError
        The file is no test, or its pack is none.
    """
    tree = read_yaml(path)
    parsed, mistakes = read_typed(tree, TestFile)
    if parsed is None:
        raise PolicyError(mistakes=mistakes)
    for number, case in enumerate(parsed.cases):
        mistakes += [
            Mistake(f"unknown fact '{name}'", tree.place(("cases", number, "facts", name)), suggest_name(name, FACTS))
            for name in case.facts
            if name not in FACTS
        ]
        mistakes += [
            Mistake(f"unknown metric '{entry.metric}'", tree.place(("cases", number, *at, "metric")), hint)
            for at, entry in _list_entries(case)
            if entry.metric not in METRICS
            for hint in [suggest_name(entry.metric, METRICS)]
        ]
        if not case.expect and not case.expect_values:
            mistakes.append(Mistake(f"case '{case.name}' expects nothing", tree.place(("cases", number))))
    if mistakes:
        raise PolicyError(mistakes=mistakes)
    packs = read_packs([parsed.pack], base=None if parsed.pack in list_shipped() else path.parent)
    return [_run_case(case, packs, parsed, path) for case in parsed.cases]


def _list_entries(case: TestCase) -> Iterable[tuple[tuple[str | int, ...], MetricEntry | MoveEntry]]:
    """Yield every number that a case brings, with where it stands."""
    yield from ((("metrics", place), entry) for place, entry in enumerate(case.metrics))
    for number, change in enumerate(case.changes):
        yield from ((("changes", number, "moves", place), entry) for place, entry in enumerate(change.moves))


def _run_case(case: TestCase, packs: Sequence[LoadedPack], parsed: TestFile, path: Path) -> CaseResult:
    own = next(pack for pack in packs if pack.name == parsed.pack or pack is packs[-1])
    evidence = stage_evidence(
        Stage(
            counts=tuple((block.attributes, block.rows) for block in case.counts),
            rates=case.rates,
            metrics=case.metrics,
            features=case.features,
            small_count=case.small_count,
        )
    )
    today: date = case.today or parsed.today
    judgement = judge_with(
        evidence,
        packs,
        _papers_of(case, own.name, today),
        load_waivers(path.parent / case.waivers if case.waivers else None, packs),
        as_of=today,
        evidence_signed="a policy test",
        strict_names=False,
        changes=stage_changes(
            case.changes, evidence, [as_measurement(item) for item in case.metrics if item.metric.startswith("change.")]
        ),
    )
    problems = [*_check_expected(case, own.name, judgement), *_check_values(case, judgement)]
    return CaseResult(case.name, tuple(problems))


def _papers_of(case: TestCase, pack: str, today: date) -> Papers:
    facts = {
        name: (value,) if FACTS[name].kind == "list" and isinstance(value, str) else value
        for name, value in case.facts.items()
    }
    texts = tuple(
        SuppliedText(
            field=field, text=text, sha256=digest_bytes(text.encode()), words=len(text.split()), on=today.isoformat()
        )
        for field, text in case.texts.items()
    )
    approvals = tuple(
        Approval(field=text.field, sha256=text.sha256, by="a person", role="reviewer", on=today.isoformat())
        for text in texts
        if text.field in case.accepted
    )
    answers = tuple(
        Answer(
            rule=rule if "/" in rule else f"{pack}/{rule}",
            answer=str(entry.answer),
            by=entry.by,
            role=entry.role,
            on=entry.on.isoformat(),
        )
        for rule, entry in case.answers.items()
    )
    return Papers(facts=facts, texts=texts, answers=answers, approvals=approvals)


def _check_expected(case: TestCase, pack: str, judgement: Judgement) -> Iterable[str]:
    found: dict[str, VerdictWord] = {}
    because: dict[str, str] = {}
    for finding in judgement.findings:
        found[finding.rule] = finding.status
        because[finding.rule] = finding.verdicts[0].because
        for verdict in finding.verdicts:
            if verdict.scope not in found:
                found[verdict.scope], because[verdict.scope] = verdict.status, verdict.because
    for written, wanted in case.expect.items():
        name = written if "/" in written.partition("[")[0] else f"{pack}/{written}"
        if name not in found:
            yield f"no finding '{written}'; {suggest_name(name, found) or 'see audit policy explain'}"
        elif found[name] != wanted:
            yield f"{written}: expected {wanted}, came out {found[name]} ({because[name]})"


def _check_values(case: TestCase, judgement: Judgement) -> Iterable[str]:
    values = {
        (verdict.metric, verdict.scope.partition("[")[2].removesuffix("]")): verdict.observed.value
        for finding in judgement.findings
        for verdict in finding.verdicts
        if verdict.observed and verdict.metric and verdict.status not in ("not_applicable", "inconclusive")
    }
    for metric, scopes in case.expect_values.items():
        for scope, wanted in scopes.items():
            value = values.get((metric, scope))
            if value is None:
                yield f"{metric}[{scope}]: no such value was judged"
            elif round(value + 1e-12, 2) != round(wanted, 2):
                yield f"{metric}[{scope}]: expected {wanted:.2f}, came out {value:.4f}"
