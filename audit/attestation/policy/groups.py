"""Which groups a rule is about, and their comparison computed anew where the rule asks for another one than printed.

Comes in: the attributes that a rule names and the evidence on the bench. Goes out: scopes with their numbers. A group
leaves a comparison only through `leave_out_groups_below`, and then it stays visible with its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Literal

from audit.evidence import Estimate, Measurement, Parity, undefined
from audit.statistics.compare import Comparison, compare_to_best

from .bench import UNKNOWN, Bench
from .catalogue import Metric
from .check import split_pair
from .gaps import list_gaps_ahead
from .needs import say_need
from .pack import MeasureRule
from .ruling import Ahead, Ruling, Scope, say_number

ALL_TOGETHER = ("rest", "overall")


@dataclass(frozen=True, slots=True)
class AttributeSet:
    """One attribute, or several together.

    Parameters
    ----------
    names : tuple of str
        Attributes by the report's names; empty where there is a problem.
    words : str
        ``sex`` or ``sex * ethnicity``.
    problem : Ruling or None
        Why no group can be looked at.
    """

    names: tuple[str, ...]
    words: str
    problem: Ruling | None = None


def list_attributes(for_each: tuple[str, ...], bench: Bench) -> list[AttributeSet]:
    """Return the attributes that a rule's `for_each` means, each once.

    Parameters
    ----------
    for_each : tuple of str
        As the rule says.
    bench : Bench
        The evidence.
    """
    found: dict[str, AttributeSet] = {}
    for name in for_each:
        for item in _WIDE[name](bench) if name in _WIDE else [_named(name, bench)]:
            found.setdefault(item.words, item)
    return list(found.values())


def _protected(bench: Bench) -> list[AttributeSet]:
    names = [attribute.name for attribute in bench.evidence.subject.attributes]
    if not names:
        because = "no protected attribute is declared under groups, so nothing could be compared"
        return [AttributeSet((), "protected", Ruling(Scope(), "inconclusive", because))]
    return [AttributeSet((name,), name) for name in names]


def _protected_pairs(bench: Bench) -> list[AttributeSet]:
    names = [attribute.name for attribute in bench.evidence.subject.attributes]
    if len(names) < 2:
        single = Ruling(Scope(), "not_applicable", "it applies to two or more protected attributes; there is one")
        return [AttributeSet((), "protected pairs", single)] if names else _protected(bench)
    measured = {frozenset(pair) for pair in bench.evidence.subject.intersections if len(pair) == 2}
    pairs = []
    for pair in combinations(names, 2):
        words = " * ".join(pair)
        problem = (
            None
            if frozenset(pair) in measured
            else Ruling(
                Scope(about=words),
                "inconclusive",
                f"the intersection {words} was not measured",
                would_decide="add it under intersections",
            )
        )
        pairs.append(AttributeSet(pair, words, problem))
    return pairs


_WIDE = {"protected": _protected, "protected pairs": _protected_pairs}


def _named(name: str, bench: Bench) -> AttributeSet:
    parts = split_pair(name)
    missing = [part for part in parts if part not in bench.attributes]
    if missing:
        because = f"this audit measures no attribute '{missing[0]}'"
        how = f"add it under groups, or write 'stands_for: {missing[0]}' at the attribute that is meant"
        return AttributeSet((), name, Ruling(Scope(about=name), "inconclusive", because, would_decide=how))
    order = [attribute.name for attribute in bench.evidence.subject.attributes]
    names = tuple(sorted({bench.attributes[part] for part in parts}, key=order.index))
    return AttributeSet(names, " * ".join(names))


def find_groups(
    rule: MeasureRule, metric: Metric, item: AttributeSet, bench: Bench, feature: str | None, model: str | None
) -> list[Scope | Ruling]:
    """Return one scope per group with its number, or a ruling where there is none to judge.

    Parameters
    ----------
    rule : MeasureRule
        The rule.
    metric : Metric
        Its metric.
    item : AttributeSet
        The attributes.
    bench : Bench
        The evidence.
    feature, model : str or None
        Feature and model of the scopes.
    """
    if item.problem:
        return [item.problem]
    rows = bench.find(metric.id, item.names, feature, model)
    whole = [row for row in rows if not row.group]
    if whole and ("group" not in metric.scopes or len(whole) == len(rows)):
        return [Scope(about=item.words, feature=feature, model=model, measurement=row) for row in whole]
    by_group = {frozenset(row.group.items()): row for row in rows if row.group}
    groups = bench.groups.get(frozenset(item.names), [])
    groups = [*groups, *(dict(row.group) for key, row in by_group.items() if dict(key) not in groups)]
    if not by_group or "group" not in metric.scopes:
        scope = Scope(about=item.words, feature=feature, model=model)
        return [Ruling(scope, "inconclusive", bench.reason(metric.id), would_decide=say_need(metric.id))]
    left_out = _left_out(rule, groups, bench)
    if metric.compares in ("ratio", "difference") and _needs_another(rule, by_group, left_out):
        return _compare_anew(rule, metric, item, groups, left_out, bench)
    scopes = [
        _scope_of(
            Scope(group, feature=feature, model=model, measurement=by_group.get(frozenset(group.items()))),
            rule,
            metric,
            bench,
        )
        for group in groups
    ]
    return _tell_ahead(scopes, metric, groups, bench) if rule.judged_on == "court" and metric.base else scopes


def _tell_ahead(
    scopes: list[Scope | Ruling], metric: Metric, groups: list[dict[str, str]], bench: Bench
) -> list[Scope | Ruling]:
    """Tell every scope of all groups that are ahead of its own: the best one may be too few to show anything."""
    known = [group for group in groups if UNKNOWN not in group.values()]
    if metric.compares == "gap":
        judged = [group for group in known if _is_judged(metric, group, bench)]
        ahead = list_gaps_ahead(judged, lambda group: find_base_rate(metric, group, bench))
    else:
        counts = [_count_of(metric, group, bench) for group in known]
        if None in counts:
            return scopes
        compared = _compare(metric, known, [count for count in counts if count], bench)
        ahead = {frozenset(g.items()): _list_ahead(found, known) for g, found in zip(known, compared, strict=True)}
    return [
        replace(scope, ahead=ahead.get(frozenset(scope.group.items()), ())) if isinstance(scope, Scope) else scope
        for scope in scopes
    ]


def _list_ahead(found: Comparison, groups: list[dict[str, str]]) -> tuple[Ahead, ...]:
    by_name = {_say_group(group): group for group in groups}
    return tuple(
        Ahead(by_name[other.name], other.counts, other.parity.p, other.parity.p_adjusted, other.parity.pairs)
        for other in found.behind
    )


def _count_of(metric: Metric, group: dict[str, str], bench: Bench) -> tuple[int, int] | None:
    """Return whole people behind the compared rate; (0, 0) where it was measured on nobody."""
    count = bench.count_of(metric.base, group)
    if count is not None:
        return count
    rate = find_base_rate(metric, group, bench)
    return (0, 0) if rate is not None and rate.n == 0 else None


def find_base_rate(metric: Metric, group: dict[str, str], bench: Bench) -> Estimate | None:
    """Return the compared rate of a group as it was measured."""
    rows = bench.find(metric.base, group)
    return next((row.estimate for row in rows if row.group == group), None)


def _is_judged(metric: Metric, group: dict[str, str], bench: Bench) -> bool:
    """Return whether a verdict may rest on a group: enough people, and a rate that nothing speaks against."""
    rate = find_base_rate(metric, group, bench)
    enough = (bench.size_of(group) or 0) >= bench.evidence.subject.small_count
    return enough and (rate is None or rate.assessable)


def _compare(
    metric: Metric,
    groups: list[dict[str, str]],
    counts: list[tuple[int, int]],
    bench: Bench,
    *,
    level: float = 0.95,
    reference: str = "best",
) -> list[Comparison]:
    judged = tuple(_is_judged(metric, group, bench) for group in groups)
    return _compare_once(
        tuple(counts),
        tuple(_say_group(group) for group in groups),
        level,
        reference,
        "lowest" if metric.lowest_is_best else "highest",
        judged,
        tuple(yes and frozenset(group.items()) not in bench.small for yes, group in zip(judged, groups, strict=True)),
    )


@lru_cache(maxsize=1024)
def _compare_once(
    counts: tuple[tuple[int, int], ...],
    names: tuple[str, ...],
    level: float,
    reference: str,
    best: Literal["highest", "lowest"],
    assessable: tuple[bool, ...],
    candidates: tuple[bool, ...],
) -> list[Comparison]:
    """Compare counts once; several rules ask the same of the same groups."""
    return compare_to_best(counts, names, level, reference, best=best, assessable=assessable, candidates=candidates)


def _scope_of(scope: Scope, rule: MeasureRule, metric: Metric, bench: Bench) -> Scope | Ruling:
    """Return the scope, or why there is none: people of unknown group are reported, never judged as a group."""
    if UNKNOWN in scope.group.values() and (metric.compares or scope.measurement is None or not _only_reports(rule)):
        return _not_a_group(scope, bench)
    if scope.measurement is None and _is_what_others_are_held_to(scope, metric, bench):
        return Ruling(scope, "not_applicable", "the group that the others are compared with")
    if scope.measurement is None:
        return Ruling(scope, "inconclusive", bench.reason(metric.id), would_decide=say_need(metric.id))
    return scope


def _is_what_others_are_held_to(scope: Scope, metric: Metric, bench: Bench) -> bool:
    """Return whether every number of the metric compares with this very group, which then has none itself."""
    rows = bench.find(metric.id, scope.group, scope.feature, scope.model)
    return bool(rows) and all(find_reference(row, bench) == scope.group for row in rows)


def _only_reports(rule: MeasureRule) -> bool:
    return rule.must_be == "reported"


def _not_a_group(scope: Scope, bench: Bench) -> Ruling:
    size = bench.size_of(scope.group)
    people = f"{size:,} people" if size is not None else "people"
    missing = " and ".join(name for name, value in scope.group.items() if value == UNKNOWN)
    because = f"{people} whose {missing} is unknown are counted, but are no group to compare"
    observed = scope.measurement.estimate if scope.measurement else None
    return Ruling(scope, "not_applicable", because, observed)


def _left_out(rule: MeasureRule, groups: list[dict[str, str]], bench: Bench) -> list[dict[str, str]]:
    """Return the groups below the share that the rule leaves out."""
    if rule.leave_out_groups_below is None:
        return []
    total = sum(bench.size_of(group) or 0 for group in groups)
    return [
        group
        for group in groups
        if UNKNOWN not in group.values() and (bench.size_of(group) or 0) < rule.leave_out_groups_below * total
    ]


def _needs_another(
    rule: MeasureRule, by_group: dict[frozenset[tuple[str, str]], Measurement], left_out: list[dict[str, str]]
) -> bool:
    levels = {row.estimate.level for row in by_group.values()}
    unknown_is_best = any(f"={UNKNOWN}" in (row.reference or "") for row in by_group.values())
    other_level = rule.confidence is not None and levels != {rule.confidence}
    return bool(left_out) or rule.compared_to != "best" or unknown_is_best or other_level


def _compare_anew(
    rule: MeasureRule,
    metric: Metric,
    item: AttributeSet,
    groups: list[dict[str, str]],
    left_out: list[dict[str, str]],
    bench: Bench,
) -> list[Scope | Ruling]:
    """Compare the groups that remain, from whole people."""
    known = [group for group in groups if UNKNOWN not in group.values()]
    inside = [group for group in known if group not in left_out]
    counts = [_count_of(metric, group, bench) for group in inside]
    done: list[Scope | Ruling] = [_tell_left_out(group, rule, metric, groups, bench) for group in left_out]
    done += [_not_a_group(Scope(group), bench) for group in groups if UNKNOWN in group.values()]
    if not inside:
        because = f"no group of {item.words} is left to compare"
        return [Ruling(Scope(about=item.words), "inconclusive", because), *done]
    reference, problem = _reference_of(rule, item, inside, bench)
    if not problem and None in counts:
        problem = "the comparison that this rule asks for cannot be computed: the evidence has no whole people for it"
    if problem:
        return [*(Ruling(Scope(group), "inconclusive", problem) for group in inside), *done]
    known_counts = [count for count in counts if count]
    compared = _compare(metric, inside, known_counts, bench, level=rule.confidence or 0.95, reference=reference)
    return [
        *(
            Scope(
                group,
                measurement=_as_measurement(metric, group, found, bench),
                ahead=_list_ahead(found, inside) if rule.compared_to == "best" else (),
            )
            for group, found in zip(inside, compared, strict=True)
        ),
        *done,
    ]


def _reference_of(rule: MeasureRule, item: AttributeSet, inside: list[dict[str, str]], bench: Bench) -> tuple[str, str]:
    """Return whom to compare with, and why that is not possible."""
    if rule.compared_to != "reference":
        return rule.compared_to, ""
    declared = {a.name: a.reference for a in bench.evidence.subject.attributes}
    wanted = {name: declared.get(name, "") for name in item.names}
    if not all(wanted.values()):
        missing = next(name for name, value in wanted.items() if not value)
        return "", f"no reference group of {missing} is declared under groups"
    if wanted not in inside:
        return "", f"the declared reference group {_say_group(wanted)} is not among the groups that are compared"
    return _say_group(wanted), ""


def _tell_left_out(
    group: dict[str, str], rule: MeasureRule, metric: Metric, groups: list[dict[str, str]], bench: Bench
) -> Ruling:
    size, total = bench.size_of(group) or 0, sum(bench.size_of(other) or 0 for other in groups)
    share = 100 * (rule.leave_out_groups_below or 0)
    because = (
        f"left out of the comparison: {size:,} of {total:,} people, {100 * size / total:.2f} %, are below {share:g} %"
    )
    count = bench.count_of(metric.base, group)
    trace = (
        (
            f"{_say_group(group)}: {count[0]:,} of {count[1]:,}"
            + (f" = {say_number(count[0] / count[1])}" if count[1] else ""),
        )
        if count
        else ()
    )
    return Ruling(Scope(group), "not_applicable", because, trace=trace)


def _as_measurement(metric: Metric, group: dict[str, str], found: Comparison, bench: Bench) -> Measurement:
    figure = found.ratio if metric.compares == "ratio" else found.difference
    fields = figure.fields()
    rate = find_base_rate(metric, group, bench)
    if rate is not None and not rate.assessable and fields["value"] is not None:
        fields |= {"note": rate.note or fields["note"], "assessable": False}
    estimate = Estimate(**fields) if fields["value"] is not None else undefined(fields["note"], n=fields["n"])
    parity = Parity(**found.parity.fields()) if found.parity else None
    return Measurement(metric=metric.id, estimate=estimate, group=group, reference=found.reference, parity=parity)


def _say_group(group: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in group.items())


def find_reference(measurement: Measurement, bench: Bench) -> dict[str, str] | None:
    """Return the group that a measurement is compared with; None where it is no single group."""
    wanted = (measurement.reference or "").replace(", ", ",")
    candidates = bench.groups.get(frozenset(measurement.group), [])
    return next((group for group in candidates if _say_group(group).replace(", ", ",") == wanted), None)
