"""What differs between two audits besides numbers: data, features, groups, decision, model, method, policies, verdicts.

Comes in: two evidence documents and their judgements. Goes out: differences before and after, one line each, and the
verdicts that are other ones now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from audit.evidence import (
    VERDICT_ORDER,
    Data,
    Difference,
    Evidence,
    Intake,
    Judgement,
    Move,
    RuleFinding,
    Verdict,
    VerdictChange,
)

Area = Literal["data", "features", "groups", "decision", "model", "policy", "method"]
Told = Mapping[str, str]


def tell_differences(before: Evidence, after: Evidence) -> tuple[Difference, ...]:
    """Return what differs in data, features, groups, decision, model and method."""
    sides = (before, after)
    areas: tuple[tuple[Area, tuple[Told, Told]], ...] = (
        ("data", (_tell_data(sides[0]), _tell_data(sides[1]))),
        ("features", (_tell_features(sides[0]), _tell_features(sides[1]))),
        ("groups", (_tell_groups(sides[0]), _tell_groups(sides[1]))),
        ("decision", (_tell_decision(sides[0]), _tell_decision(sides[1]))),
        ("model", (_tell_model(sides[0]), _tell_model(sides[1]))),
        ("method", (_tell_method(sides[0]), _tell_method(sides[1]))),
    )
    return tuple(item for area, (old, new) in areas for item in _differ(area, old, new))


def _differ(area: Area, old: Told, new: Told) -> Iterator[Difference]:
    for name in dict.fromkeys([*old, *new]):
        first, second = old.get(name, ""), new.get(name, "")
        if first != second:
            yield Difference(area=area, name=name, before=first, after=second)


def digest_of(evidence: Evidence, role: str) -> str:
    """Return the digests of the files of a role, joined in order of their name; empty where there is none."""
    files = sorted((file.name, file.sha256) for file in evidence.provenance.files if file.role == role)
    return " ".join(sha256 for _, sha256 in files)


def _tell_data(evidence: Evidence) -> dict[str, str]:
    told = {"judged files": digest_of(evidence, "data.audit"), "training file": digest_of(evidence, "data.train")}
    if isinstance(evidence.data, Data):
        data = evidence.data
        told |= {"rows": f"{data.rows:,}", "rows with a label": f"{data.label_known:,}"}
        told |= {"rows with the positive label": f"{data.label_positive:,}", "label": evidence.subject.label}
        told |= {f"column {column.name}": f"{column.kind}, {column.used_as}" for column in data.columns}
        told |= {"training of the model": data.training}
    return told | {f"about: {name}": text for name, text in evidence.subject.about.items()}


def _tell_features(evidence: Evidence) -> dict[str, str]:
    def tell(feature: Any) -> str:
        parts = [
            feature.kind,
            feature.role and f"role {feature.role}",
            feature.expected and f"expected {feature.expected}",
            feature.monotone and f"imposed {feature.monotone}",
            feature.mutable and "mutable",
            feature.protected and "protected",
        ]
        return ", ".join(part for part in parts if part)

    return {feature.name: tell(feature) for feature in evidence.subject.features}


def _tell_groups(evidence: Evidence) -> dict[str, str]:
    told = {item.name: f"column {item.column}{_bins(item.bins)}" for item in evidence.subject.attributes}
    if isinstance(evidence.data, Data):
        for group in evidence.data.groups:
            told[", ".join(f"{name}={value}" for name, value in group.scope.items())] = f"{group.n:,} rows"
    return told


def _bins(bins: Iterable[float]) -> str:
    cuts = ", ".join(f"{cut:g}" for cut in bins)
    return f", cut at {cuts}" if cuts else ""


def _tell_decision(evidence: Evidence) -> dict[str, str]:
    decision = evidence.subject.decision
    if decision is None:
        return {"favourable": "no decision"}
    bands = "; ".join(f"{name}: {condition}" for name, condition in decision.bands.items())
    return {"favourable": decision.favourable, "bands": bands, "task": evidence.subject.task}


def _tell_model(evidence: Evidence) -> dict[str, str]:
    told = {"file": digest_of(evidence, "model"), "version": evidence.subject.version}
    if isinstance(evidence.intake, Intake):
        told["format"] = str(getattr(evidence.intake, "format", ""))
    return told


def _tell_method(evidence: Evidence) -> dict[str, str]:
    own = evidence.provenance
    told = {"tool": own.tool, "effort": own.effort, "seed": str(own.seed), "platform": own.platform}
    return told | {f"library {name}": version for name, version in own.versions.items()}


def tell_policies(before: Judgement | None, after: Judgement | None) -> tuple[Difference, ...]:
    """Return what differs in the policies: packs, versions, parameters, and each rule's limit, severity and basis."""
    if before is None or after is None:
        return ()
    return tuple(_differ("policy", _tell_rules(before), _tell_rules(after)))


def _tell_rules(judgement: Judgement) -> dict[str, str]:
    told = {f"pack {item.pack}": f"version {item.version}, text {item.sha256[7:19]}" for item in judgement.policies}
    told |= {f"parameter {name}": value for name, value in judgement.parameters.items()}
    return told | {f"rule {item.rule}": _tell_rule(item) for item in judgement.findings}


def _tell_rule(finding: RuleFinding) -> str:
    parts = (finding.title, finding.limit, finding.judged_on and f"judged on {finding.judged_on}", finding.severity)
    return "; ".join(part for part in parts if part)


def compare_verdicts(
    before: Judgement | None, after: Judgement | None, moves: Iterable[Move]
) -> tuple[VerdictChange, ...]:
    """Return the verdicts that are other ones now, the worst first.

    Parameters
    ----------
    before, after : Judgement or None
        The two judgements; nothing is told where one is missing.
    moves : iterable of Move
        What the numbers behind them did.
    """
    if before is None or after is None:
        return ()
    old, new = _by_scope(before), _by_scope(after)
    compared: dict[tuple[Any, ...], list[Move]] = {}
    for move in moves:
        if move.p is not None:
            compared.setdefault(_place(move), []).append(move)
    changed = []
    for scope in dict.fromkeys([*new, *old]):
        first, second = old.get(scope), new.get(scope)
        if first and second and first[1].status == second[1].status:
            continue
        finding, verdict = second or first or (None, None)
        if finding is None or verdict is None:
            continue
        changed.append(
            VerdictChange(
                rule=finding.rule,
                scope=scope,
                title=finding.title,
                severity=finding.severity,
                before=first[1].status if first else None,
                after=second[1].status if second else None,
                beyond_noise=_is_beyond_noise(scope, verdict, compared),
            )
        )
    return tuple(sorted(changed, key=lambda item: VERDICT_ORDER.index(item.after or "not_applicable")))


def _by_scope(judgement: Judgement) -> dict[str, tuple[RuleFinding, Verdict]]:
    return {verdict.scope: (finding, verdict) for finding in judgement.findings for verdict in finding.verdicts}


def _is_beyond_noise(scope: str, verdict: Verdict, compared: Mapping[tuple[Any, ...], list[Move]]) -> bool | None:
    """Whether the number behind a verdict moved by more than noise; None where none was compared."""
    found = compared.get(_about(verdict), [])
    if len(found) > 1:
        # numbers of several attributes differ in the attribute alone, which a verdict holds only in its scope's name
        named = scope.removeprefix(verdict.rule).removeprefix("[")
        found = [move for move in found if named.startswith((f"{move.attribute},", f"{move.attribute}]"))]
    return found[0].reading not in ("noise", "not_compared") if len(found) == 1 else None


def _place(move: Move) -> tuple[Any, ...]:
    return (move.metric, frozenset(move.group.items()), move.feature, move.model, move.outcome)


def _about(verdict: Verdict) -> tuple[Any, ...]:
    return (verdict.metric, frozenset(verdict.group.items()), verdict.feature, verdict.model, verdict.outcome)
