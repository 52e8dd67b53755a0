"""Court practice over all pairs: a rule fails where some pair of groups is beyond the limit and unequal.

Comes in: a scope with the groups that are ahead of its own, and its ruling against the best group. Goes out: the same
ruling, or a fail by another pair. The best group may be so small that nothing can be shown against it; a larger group
just behind it may show what it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from audit.statistics.adjust import holm

from .bench import Bench
from .catalogue import METRICS, Metric
from .pack import MeasureRule
from .ruling import Ahead, Ruling, Scope, say_number
from .select import LoadedRule


def adjust_pairs(scopes: Sequence[Scope | Ruling]) -> list[Scope | Ruling]:
    """Return the scopes with the p-values of their pairs adjusted by Holm over the pairs of all attributes together.

    Parameters
    ----------
    scopes : sequence of Scope or Ruling
        All scopes of a rule with `adjust_for_many`.
    """
    places = [
        (number, place)
        for number, scope in enumerate(scopes)
        if isinstance(scope, Scope)
        for place in range(len(scope.ahead))
    ]
    families = {
        (frozenset(scope.group), scope.outcome): scope.ahead[0].pairs
        for scope in scopes
        if isinstance(scope, Scope) and scope.ahead
    }
    tests = [_ahead_of(scopes[number])[place].p for number, place in places]
    tied = [1.0] * max(sum(families.values()) - len(tests), 0)  # groups with equal rates are in the family too
    adjusted = dict(zip(places, holm([*tests, *tied]).tolist()[: len(places)], strict=True))
    return [
        replace(
            scope,
            ahead=tuple(
                replace(other, p_adjusted=max(adjusted[number, place], other.p_adjusted))
                for place, other in enumerate(scope.ahead)
            ),
        )
        if isinstance(scope, Scope)
        else scope
        for number, scope in enumerate(scopes)
    ]


def _ahead_of(scope: Scope | Ruling) -> tuple[Ahead, ...]:
    return scope.ahead if isinstance(scope, Scope) else ()


def judge_pairs(rule: LoadedRule, scope: Scope, ruling: Ruling, bench: Bench) -> Ruling:
    """Return the ruling, or a fail where another pair than that with the best group is beyond the limit and unequal.

    Parameters
    ----------
    rule : LoadedRule
        The rule, its limit filled in.
    scope : Scope
        The group, with all groups that are ahead of it.
    ruling : Ruling
        What the comparison with the best group gave.
    bench : Bench
        The evidence.
    """
    order, limit = rule.rule, rule.limit
    if not isinstance(order, MeasureRule) or order.judged_on != "court" or limit is None:
        return ruling
    if ruling.status in ("fail", "error") or not scope.ahead:
        return ruling
    metric = METRICS[order.measure]
    own = bench.count_of(metric.base, scope.group)
    if not _enough(order, scope.group, bench):
        return ruling
    alpha = 1 - (order.confidence or 0.95)
    unequal = [
        other
        for other in scope.ahead
        if other.p_adjusted <= alpha
        and _enough(order, other.group, bench)
        and _favourable(own, other) >= order.min_samples.favourable
        and (point := _point(metric, own, other)) is not None
        and not limit.holds(point)
    ]
    if not unequal:
        return ruling
    return _fail(ruling, own, min(unequal, key=lambda other: other.p_adjusted), metric, limit.words)


def _enough(order: MeasureRule, group: Mapping[str, str], bench: Bench) -> bool:
    """Return whether a group, and everybody together, are as many as the rule asks."""
    groups = bench.groups.get(frozenset(group), [])
    total = sum(bench.size_of(other) or 0 for other in groups)
    return total >= order.min_samples.total and (bench.size_of(dict(group)) or 0) >= order.min_samples.per_group


def _favourable(own: tuple[int, int] | None, other: Ahead) -> int:
    return sum(counts[0] for counts in (own, other.counts) if counts)


def _point(metric: Metric, own: tuple[int, int] | None, other: Ahead) -> Fraction | None:
    """Return the comparison of two rates in whole people; None for a ratio to 0. A gap is there already."""
    if own is None or other.counts is None or not own[1] or not other.counts[1]:
        return other.gap
    mine, theirs = Fraction(*own), Fraction(*other.counts)
    if metric.compares == "ratio":
        return mine / theirs if theirs else None
    return mine - theirs if metric.lowest_is_best else theirs - mine


def _fail(ruling: Ruling, own: tuple[int, int] | None, other: Ahead, metric: Metric, words: str) -> Ruling:
    point = _point(metric, own, other)
    name = ", ".join(f"{key}={value}" for key, value in other.group.items())
    counted = own is not None and other.counts is not None
    people = " beside ".join(f"{k:,} of {n:,}" for k, n in (own or (0, 0), other.counts or (0, 0)))
    line = (
        f"against {name}: {f'{people} gives' if counted else 'a gap of'} "
        f"{say_number(point or Fraction(0))}; p = {other.p:.4g}, after Holm over all pairs p = {other.p_adjusted:.4g}"
    )
    because = (
        f"{say_number(point or Fraction(0))} against {name} misses '{words}' and parity is rejected "
        f"(p = {other.p_adjusted:.4g} after Holm): beyond the limit and unequal"
    )
    return replace(ruling, status="fail", because=because, trace=(*ruling.trace, line), would_decide="")
