"""``audit policy``: list, check, test and explain rules; no evidence and no model is needed.

Comes in: names of packs and files. Goes out: lines on stdout, an exit code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from audit.errors import AuditError, ConfigError, Mistake, PolicyError, suggest_name

from . import console

if TYPE_CHECKING:
    from audit.attestation.policy.applies import Applicability
    from audit.attestation.policy.select import LoadedPack, LoadedRule

app = App(name="policy", help="List, check, test and explain rules.")


@app.command(name="list")
def list_policies(*, metrics: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the shipped packs with their rules, or the names that rules may use.

    Parameters
    ----------
    metrics
        List every metric, fact and document field instead.
    """
    if metrics:
        return _list_names()
    from audit.attestation.policy.select import list_shipped, read_packs

    for pack in read_packs(list_shipped()):
        law = pack.pack.law
        console.tell(f"{pack.name} {pack.pack.version} ({pack.pack.maturity}; law read {law.verified_on})")
        console.tell(f"  {pack.pack.title}")
        for rule in pack.rules:
            console.tell(f"  {rule.severity:<8}  {rule.name}: {rule.rule.title}")
        console.tell()
    return 0


def _list_names() -> int:
    from audit.attestation.policy.catalogue import METRICS
    from audit.attestation.policy.vocabulary import COMPUTED_FACTS, FACTS, FIELDS

    console.tell("Metrics (measure:)")
    for metric in METRICS.values():
        console.tell(f"  {metric.id:<42} {metric.title} [by {', '.join(metric.scopes)}]")
    console.tell("\nFacts (fact:, applies_when:, documents.yaml facts:)")
    for fact in FACTS.values():
        values = f" [{' | '.join(fact.values)}]" if fact.values else f" [{fact.kind}]"
        console.tell(f"  {fact.name:<42} {fact.title}{values}")
    for name, (title, _) in COMPUTED_FACTS.items():
        console.tell(f"  {name:<42} {title} [computed]")
    console.tell("\nDocuments (document:, documents.yaml texts:)")
    for name, title in FIELDS.items():
        console.tell(f"  {name:<42} {title}")
    return 0


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


@app.command(name="explain")
def explain_rule(rule: str, *, policies: list[str] | None = None, documents: Path | None = None) -> int:
    """Explain a rule: what it asks, whose number it is, and whether and why it applies.

    Parameters
    ----------
    rule
        ``pack/rule``.
    policies
        Packs or files to look in; the shipped packs where none is named.
    documents
        documents.yaml with the facts that decide whether the rule applies.
    """
    from audit.attestation.policy.applies import ask_facts
    from audit.attestation.policy.papers import load_papers
    from audit.attestation.policy.select import list_shipped, read_packs

    packs = read_packs(policies or list_shipped())
    found = {own.name: (pack, own) for pack in packs for own in pack.rules}
    if rule not in found:
        raise PolicyError(f"no rule '{rule}'", hint=suggest_name(rule, found) or "see audit policy list")
    pack, own = found[rule]
    facts = load_papers(documents).facts
    for line in _explain(pack, own):
        console.tell(line)
    for about, conditions in (("the pack", pack.pack.applies_when), ("the rule", own.rule.applies_when)):
        console.tell(_say_applies(about, ask_facts(conditions, facts), bool(conditions)))
    return 0


def _explain(pack: LoadedPack, own: LoadedRule) -> list[str]:
    rule, law = own.rule, pack.pack.law
    lines = [f"{own.name} ({own.severity})", f"  {rule.title}.", f"  written in {pack.file}, line {own.line}"]
    lines.append(f"  law: {rule.cite or law.citation} ({law.status.replace('_', ' ')}, read {law.verified_on})")
    for key in (
        "measure",
        "fact",
        "shape_of",
        "compare",
        "document",
        "ask",
        "for_each",
        "of_model",
        "for_features",
        "compared_to",
        "judged_on",
        "tolerance",
    ):
        value = getattr(rule, key, None)
        if value not in (None, ()):
            lines.append(f"  {key}: {', '.join(value) if isinstance(value, tuple) else value}")
    if own.limit:
        basis = getattr(rule, "threshold_basis", None)
        lines.append(f"  must be: {own.limit.words}" + (f" (number set by: {basis})" if basis else ""))
    if own.warn:
        lines.append(f"  warns unless: {own.warn.words}")
    for name in (*(own.limit.parameters if own.limit else ()), *(own.warn.parameters if own.warn else ())):
        parameter = pack.pack.parameters[name]
        lines.append(
            f"  ${name} = {float(pack.parameters[name]):g}: {parameter.title}, between {parameter.minimum:g} and "
            f"{parameter.maximum:g}, set by: {parameter.basis}"
        )
    lines += [f"  {key}: {text}" for key, text in (("why", rule.why), ("fix", rule.fix)) if text]
    return [*lines, *([f"  {own.changed}"] if own.changed else []), *([f"  {own.disabled}"] if own.disabled else [])]


def _say_applies(about: str, answer: Applicability, conditional: bool) -> str:
    if not conditional:
        return f"  {about} applies always"
    return f"  {about} applies" if answer.word == "yes" else f"  {about}: {answer.because}"


@app.command(name="diff")
def diff_policies(old: str, new: str) -> int:
    """Compare two packs (not part of this version).

    Parameters
    ----------
    old
        A pack or file.
    new
        Another one.
    """
    raise AuditError("the comparison of two packs is not part of this version", hint=f"use diff on {old} and {new}")


@app.command(name="lock")
def lock_policies(config: Path) -> int:
    """Write the digest of the rules in force with a time stamp (not part of this version).

    Parameters
    ----------
    config
        An audit.yaml.
    """
    raise AuditError(
        "locking policies is not part of this version",
        hint=f"every report holds the full text and digest of the policies that {config} names",
    )
