"""``audit policy``: list, check, test and explain rules; no evidence and no model is needed.

Comes in: names of packs and files. Goes out: lines on stdout, an exit code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from audit.errors import ConfigError, Mistake, PolicyError

from . import console
from .digest import print_digests
from .rules import diff_policies, explain_rule, lock_policies

Switch = Annotated[bool, Parameter(negative=())]
app = App(name="policy", help="List, check, test, explain, compare and lock rules.")
app.command(explain_rule, name="explain")
app.command(diff_policies, name="diff")
app.command(lock_policies, name="lock")
app.command(print_digests, name="digest")


@app.command(name="list")
def list_policies(*packs: str, metrics: Switch = False, facts: Switch = False, fields: Switch = False) -> int:
    """List the shipped packs, the rules of the packs named, or the names that rules may use.

    Parameters
    ----------
    packs
        Packs or files whose rules are to be listed.
    metrics
        List every metric instead: what it is, how it is computed, its unit, which direction is better, its source.
    facts
        List every fact instead, with the values that it may have.
    fields
        List every document that a rule may ask for instead.
    """
    if metrics or facts or fields:
        _list_names(metrics=metrics, facts=facts, fields=fields)
        return 0
    from audit.attestation.policy.select import list_shipped, read_packs

    for pack in read_packs(packs or list_shipped()):
        law = pack.pack.law
        about = f"{len(pack.rules)} rules ({pack.pack.maturity}; law read {law.verified_on})"
        console.tell(f"{pack.name} {pack.pack.version}, {about}")
        console.tell(f"  {pack.pack.title}")
        for rule in pack.rules if packs else ():
            console.tell(f"  {rule.severity:<8}  {rule.name}: {rule.rule.title}")
    if not packs:
        console.tell("audit policy list PACK shows its rules; --metrics, --facts and --fields what rules may name.")
    return 0


def _list_names(*, metrics: bool, facts: bool, fields: bool) -> None:
    from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS, SEAL_FACTS

    if metrics:
        _list_metrics()
    if facts:
        console.tell("Facts (fact:, applies_when:, documents.yaml facts:)")
        for fact in FACTS.values():
            values = f" [{' | '.join(fact.values)}]" if fact.values else f" [{fact.kind}]"
            console.tell(f"  {fact.name:<42} {fact.title}{values}")
        console.tell("Facts that the audit finds itself (fact:, applies_when:)")
        for name, (title, _) in COMPUTED_FACTS.items():
            console.tell(f"  {name:<42} {title} [flag]")
        console.tell("Facts about the seal (fact:), decided by audit verify --policy")
        for fact in SEAL_FACTS.values():
            console.tell(f"  {fact.name:<42} {fact.title} [{fact.kind}]")
    if fields:
        console.tell("Documents (document:, documents.yaml texts:)")
        for name, title in FIELDS.items():
            console.tell(f"  {name:<42} {title}")


def _list_metrics() -> None:
    from audit.attestation.policy.catalogue import METRICS
    from audit.examination.measures.roster import DEFINITIONS

    known = {definition.id: definition for definition in DEFINITIONS}
    console.tell("Metrics (measure:, compare:)")
    for metric in METRICS.values():
        console.tell(f"  {metric.id:<42} {metric.title} [by {', '.join(metric.scopes)}]")
        if (own := known.get(metric.id)) is not None:
            better = own.better.replace("_", " ")
            console.tell(f"    = {own.formula} [{own.unit or 'no unit'}; better: {better}; source: {own.source}]")


@app.command(name="check")
def check_policies(*files: str) -> int:
    """Check packs and policy files: every name, every limit, every number's source.

    Parameters
    ----------
    files
        Files, or names of shipped packs; all shipped packs where none is named.
    """
    from audit.attestation.policy.select import list_shipped, read_packs

    mistakes: list[Mistake] = []
    for name in files or tuple(list_shipped()):
        try:
            packs = read_packs([name])
            console.tell(f"{name}: {sum(len(pack.rules) for pack in packs)} rules, no mistake")
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise PolicyError(mistakes=mistakes)
    return 0


@app.command(name="test")
def test_policies(*files: Path) -> int:
    """Run policy tests: small cases with the verdicts that they must end in.

    Parameters
    ----------
    files
        ``*.test.yaml`` files; those of the shipped packs where none is named.
    """
    from audit.attestation.policy.testing import run_policy_tests
    from audit.shipped import shipped_folder

    failed = total = 0
    for path in files or tuple(sorted((shipped_folder("policies") / "tests").glob("*.test.yaml"))):
        for result in run_policy_tests(path):
            total += 1
            failed += not result.passed
            console.tell(f"{'ok  ' if result.passed else 'FAIL'} {path.name}: {result.name}")
            for problem in result.problems:
                console.tell(f"       {problem}")
    console.tell(f"{total - failed} of {total} cases as expected")
    return 1 if failed else 0


test_policies.__test__ = False  # type: ignore[attr-defined]  # a command, not a test of pytest's
