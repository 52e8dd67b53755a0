"""Rules that measure: each scope's number held against the limit, with its arithmetic written out.

Comes in: a rule with its limits and the evidence on the bench. Goes out: one ruling per scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from audit.evidence import Calibration, Data, Estimate, Measurement, VerdictWord
from audit.statistics.adjust import holm
from audit.statistics.bounds import pair_level, rows_to_decide
from audit.statistics.intervals import clopper_pearson, wilson

from .bench import UNKNOWN, Bench
from .catalogue import METRICS, Metric
from .compare import say_no_change
from .court import adjust_pairs, judge_pairs
from .groups import find_base_rate, find_reference
from .operators import OPERATOR_WORDS, OPERATORS, Reading, choose_operator
from .pack import MeasureRule
from .phrase import Limit, read_number
from .ruling import Ruling, Scope, say_interval, say_number
from .scopes import find_scopes
from .select import LoadedRule

_SAME = 1e-9
"""Whole people and the printed number are the same figure within this."""
_rows_to_decide = lru_cache(maxsize=4096)(rows_to_decide)  # several rules ask the same of the same groups


def judge_measure(rule: LoadedRule, bench: Bench, parameters: Mapping[str, Fraction]) -> list[Ruling]:
    """Judge every scope of a measuring rule.

    Parameters
    ----------
    rule : LoadedRule
        The rule, its limits filled in.
    bench : Bench
        The evidence.
    parameters : mapping
        The pack's parameters.
    """
    order = rule.rule
    if not isinstance(order, MeasureRule) or rule.limit is None:
        raise TypeError(f"{rule.name} is no measuring rule")
    if METRICS[order.measure].section == "change" and not bench.changes:
        return [say_no_change("previous_audit", bench)]
    scopes = find_scopes(order, bench, parameters)
    adjusted = _adjust_all(scopes) if order.adjust_for_many else {}
    if order.adjust_for_many:
        scopes = adjust_pairs(scopes)
    return [
        scope
        if isinstance(scope, Ruling)
        else _judge_here(rule, order, scope, bench.about(scope.outcome), adjusted.get(number))
        for number, scope in enumerate(scopes)
    ]


def _judge_here(rule: LoadedRule, order: MeasureRule, scope: Scope, bench: Bench, p_adjusted: float | None) -> Ruling:
    return judge_pairs(rule, scope, _judge_scope(rule, order, scope, bench, p_adjusted), bench)


def _adjust_all(scopes: list[Scope | Ruling]) -> dict[int, float]:
    """Return Holm's adjustment over all scopes of the rule, by place."""
    parities = {
        number: scope.measurement.parity
        for number, scope in enumerate(scopes)
        if isinstance(scope, Scope) and scope.measurement and scope.measurement.parity
    }
    adjusted = holm([parity.p for parity in parities.values()])
    return {
        number: max(float(p), parity.p_adjusted) for (number, parity), p in zip(parities.items(), adjusted, strict=True)
    }


def _judge_scope(rule: LoadedRule, order: MeasureRule, scope: Scope, bench: Bench, p_adjusted: float | None) -> Ruling:
    row = scope.measurement
    if row is None or rule.limit is None:
        raise TypeError("a scope without a number is a ruling already")
    metric = METRICS[order.measure]
    limit, point = rule.limit, _whole_point(row, metric, bench)
    trace = _trace_counts(row, metric, bench)
    literal = _say_literal(point, limit)
    base = Ruling(scope, "inconclusive", "", row.estimate, trace, literal)
    if problem := _refuse(order, row, metric, bench):
        if limit.kind == "reported" and row.estimate.value is not None and not problem.fatal:
            return _report_unjudged(base, rule, point, problem.words)
        return replace(base, because=problem.words, would_decide=problem.cure)
    estimate, why_not = _interval_for(order, row.estimate)
    if why_not or point is None:
        return replace(base, because=why_not or row.estimate.note)
    p = p_adjusted if p_adjusted is not None else (row.parity.p_adjusted if row.parity else None)
    reading = Reading(estimate, point, row.parity, p)
    status, because, how = _decide(order, limit, reading)
    missing = _find_missing(row, metric, bench) if status == "pass" and limit.kind != "reported" else None
    if missing:
        status, because = "inconclusive", f"{because}, but {missing.words}"
    if status == "pass" and row.group and find_reference(row, bench) == row.group:
        because = "the group that the others are compared with"
    if status == "pass" and rule.warn is not None and not rule.warn.holds(point):
        what = "which" if limit.kind == "reported" else f"but {say_number(point)}"
        status, because = "warn", f"{because}, {what} misses the level of attention '{rule.warn.words}'"
    lines = (
        *trace,
        *_trace_parity(row, p),
        *_trace_chance(reading, limit),
        f"{say_number(point)}, {say_interval(estimate)}; required {limit.words}; {how}: {status.replace('_', ' ')}",
    )
    cure = _would_decide(row, reading, limit, bench) if status == "inconclusive" else ""
    cure = missing.cure if missing else cure
    return Ruling(scope, status, because, estimate, lines, literal, cure)


def _decide(order: MeasureRule, limit: Limit, reading: Reading) -> tuple[VerdictWord, str, str]:
    if limit.kind == "reported":
        return "pass", f"reported: {say_number(reading.point)}", "asked to be reported"
    name = choose_operator(order.judged_on, limit, reading.estimate)
    status, because = OPERATORS[name](reading, limit)
    return status, because, OPERATOR_WORDS[name]


def _report_unjudged(base: Ruling, rule: LoadedRule, point: Fraction | None, why: str) -> Ruling:
    """Say of a number that only has to be there that it is there, and what may not rest on it."""
    value = say_number(point) if point is not None else ""
    if rule.warn is None:
        return replace(base, status="warn", because=f"reported: {value}, but no judgement may rest on it: {why}")
    return replace(
        base, status="warn", because=f"reported: {value}; whether it is {rule.warn.words} cannot be judged: {why}"
    )


class _Problem:
    """Why no verdict may rest on a number; `fatal` where it is not even there."""

    __slots__ = ("cure", "fatal", "words")

    def __init__(self, words: str, cure: str = "", *, fatal: bool = False) -> None:
        self.words, self.cure, self.fatal = words, cure, fatal


def _refuse(order: MeasureRule, row: Measurement, metric: Metric, bench: Bench) -> _Problem | None:
    estimate = row.estimate
    if estimate.value is None:
        return _Problem(f"undefined: {estimate.note}", fatal=True)
    if metric.clean_training and (caution := bench.training_caution):
        return _Problem(
            f"the comparison {caution}", "say under data.model_train which rows the model was trained on", fatal=True
        )
    if not estimate.assessable:
        return _Problem(estimate.note or "marked as not assessable", _say_more_of_group(row, bench))
    if (cure := _say_more_of_group(row, bench)) and metric.section != "data":
        least = bench.evidence.subject.small_count
        return _Problem(f"{bench.size_of(row.group):,} people, fewer than {least}: shown, not judged", cure)
    rate = find_base_rate(metric, row.group, bench) if metric.base and row.group else None
    if rate is not None and not rate.assessable:
        return _Problem(rate.note or "the rates that it compares are marked as not assessable")
    return _too_few(order, row, metric, bench)


def _say_more_of_group(row: Measurement, bench: Bench) -> str:
    size, least = bench.size_of(row.group), bench.evidence.subject.small_count
    if size is None or size >= least or not row.group:
        return ""
    return f"at least {least - size} more people in {_say(row.group)}"


def _too_few(order: MeasureRule, row: Measurement, metric: Metric, bench: Bench) -> _Problem | None:
    """Return which of the rule's `min_samples` is not reached."""
    least = order.min_samples
    reference = find_reference(row, bench)
    if least.total and (total := _total(row, bench)) < least.total:
        return _Problem(
            f"{total:,} people are fewer than the {least.total:,} that a verdict needs",
            f"{least.total - total:,} more people",
        )
    for group in _groups_behind(row, reference, bench) if least.per_group else ():
        size = bench.size_of(group) or 0
        if size < least.per_group:
            return _Problem(
                f"{size:,} people in {_say(group)} are fewer than the {least.per_group:,} that a verdict needs",
                f"{least.per_group - size:,} more people in {_say(group)}",
            )
    if least.favourable and row.group:
        counts = [bench.count_of(metric.base or metric.id, group) for group in (row.group, reference or row.group)]
        favourable = sum(count[0] for count in counts[: 1 if reference in (None, row.group) else 2] if count)
        if favourable < least.favourable:
            return _Problem(
                f"{favourable} favourable decisions are fewer than the {least.favourable} that a verdict needs",
                "more people",
            )
    return _too_few_in_bins(least.per_bin, bench)


def _total(row: Measurement, bench: Bench) -> int:
    if row.group or row.attribute:
        names = frozenset(row.group) or frozenset((row.attribute or "").split(" * "))
        return sum(bench.size_of(group) or 0 for group in bench.groups.get(names, []))
    data = bench.evidence.data
    return row.estimate.n or (data.rows if isinstance(data, Data) else 0)


def _groups_behind(row: Measurement, reference: dict[str, str] | None, bench: Bench) -> list[dict[str, str]]:
    if row.group:
        return [row.group, *([reference] if reference else [])]
    return [group for group in _known_groups(row, bench) if not _is_left_aside(group, bench)] or [{}]


def _known_groups(row: Measurement, bench: Bench) -> list[dict[str, str]]:
    groups = bench.groups.get(frozenset((row.attribute or "").split(" * ")), [])
    return [group for group in groups if UNKNOWN not in group.values()]


def _is_left_aside(group: dict[str, str], bench: Bench) -> bool:
    """Return whether a group is too small to enter a number about its whole attribute."""
    return (bench.size_of(group) or 0) < bench.evidence.subject.small_count


def _find_missing(row: Measurement, metric: Metric, bench: Bench) -> _Problem | None:
    """Return which group is not in a number about a whole attribute: it cannot pass, though it can fail without it."""
    if row.group or not row.attribute or metric.counts_everybody:
        return None
    least = bench.evidence.subject.small_count
    for group in _known_groups(row, bench):
        if _is_left_aside(group, bench):
            size = bench.size_of(group) or 0
            return _Problem(
                f"{size:,} people in {_say(group)} are fewer than {least} and not in this number",
                f"{least - size:,} more people in {_say(group)}",
            )
    return None


def _too_few_in_bins(least: int, bench: Bench) -> _Problem | None:
    section = bench.evidence.calibration
    if not least or not isinstance(section, Calibration):
        return None
    fewest = min((item.observed.n or 0 for item in section.bins), default=0)
    return (
        _Problem(f"a bin with {fewest} people is smaller than the {least} that a verdict needs", "more people")
        if fewest < least
        else None
    )


def _interval_for(order: MeasureRule, estimate: Estimate) -> tuple[Estimate, str]:
    """Return the estimate with the interval that the rule asks for, or why there is none."""
    level = order.confidence or estimate.level
    if order.interval is None and level == estimate.level:
        return estimate, ""
    if estimate.count is None or not estimate.n or not _is_rate(estimate):
        return estimate, f"the interval was computed at {100 * estimate.level:g} %, the rule asks for another one"
    exact = order.interval == "exact"
    low, high = (clopper_pearson if exact else wilson)(estimate.count, estimate.n, level)
    method = "Clopper-Pearson" if exact else "Wilson score"
    return estimate.model_copy(update={"low": low, "high": high, "level": level, "method": method}), ""


def _is_rate(estimate: Estimate) -> bool:
    """Return whether the value is its count over its rows; a share of a declared share is not."""
    if estimate.count is None or not estimate.n or estimate.value is None:
        return False
    return abs(estimate.count / estimate.n - estimate.value) <= _SAME


def _whole_point(row: Measurement, metric: Metric, bench: Bench) -> Fraction | None:
    """Return the value in whole people where they are known, else as its shortest decimal."""
    value, estimate = row.estimate.value, row.estimate
    if value is None:
        return None
    candidates = [Fraction(estimate.count, estimate.n)] if estimate.count is not None and estimate.n else []
    reference = find_reference(row, bench)
    counts = [bench.count_of(metric.base, group) for group in (row.group, reference) if group] if metric.base else []
    if len(counts) == 2 and counts[0] and counts[1] and counts[0][1] and counts[1][1]:
        own, other = Fraction(*counts[0]), Fraction(*counts[1])
        candidates += [own / other] if other else []
        candidates += [other - own, own - other]
    return next((exact for exact in candidates if abs(float(exact) - value) <= _SAME), read_number(value))


def _trace_counts(row: Measurement, metric: Metric, bench: Bench) -> tuple[str, ...]:
    """Return the counts behind a comparison or a rate, line by line."""
    estimate = row.estimate
    if not metric.base or not row.group:
        if estimate.count is not None and estimate.n and estimate.count != estimate.value:
            return (f"{estimate.count:,} of {estimate.n:,} = {say_number(estimate.count / estimate.n)}",)
        return (f"{estimate.n:,} rows",) if estimate.n else ()
    own = bench.count_of(metric.base, row.group)
    if own is None or not own[1]:
        return (f"{estimate.n:,} rows",) if estimate.n and metric.compares == "gap" else ()
    lines = [f"{_say(row.group)}: {own[0]:,} of {own[1]:,} = {say_number(own[0] / own[1])}"]
    reference = find_reference(row, bench)
    other = bench.count_of(metric.base, reference) if reference else None
    if reference == row.group:
        return (*lines, "this is the group that the others are compared with")
    if reference and other and other[1] and estimate.value is not None:
        a, b, result = (say_number(x) for x in (own[0] / own[1], other[0] / other[1], estimate.value))
        lines.append(f"compared with {_say(reference)}: {other[0]:,} of {other[1]:,} = {b}")
        first, second = (a, b) if metric.compares == "ratio" or metric.lowest_is_best else (b, a)
        lines.append(f"{first} {'/' if metric.compares == 'ratio' else '-'} {second} = {result}")
    elif row.reference:
        lines.append(f"compared with {row.reference}")
    return tuple(lines)


def _trace_parity(row: Measurement, p_adjusted: float | None) -> tuple[str, ...]:
    parity = row.parity
    if parity is None or p_adjusted is None:
        return ()
    statistic = f" {parity.statistic:.2f}" if parity.statistic is not None else ""
    return (
        f"parity: {parity.method}{statistic}, p = {parity.p:.4g}; after Holm over {parity.pairs} "
        f"{'pair' if parity.pairs == 1 else 'pairs'} p = {p_adjusted:.4g}",
    )


def _trace_chance(reading: Reading, limit: Limit) -> tuple[str, ...]:
    """Return the limit with what chance may add to it."""
    if not reading.is_distance(limit) or reading.estimate.chance is None or limit.high is None:
        return ()
    chance = read_number(reading.estimate.chance)
    return (
        f"limit {say_number(limit.high)} + {say_number(chance)} by chance (95 % quantile under no difference) = "
        f"{say_number(limit.high + chance)}",
    )


def _say_literal(point: Fraction | None, limit: Limit) -> str:
    if point is None:
        return "there is no figure"
    if limit.kind == "reported":
        return f"the figure is {say_number(point)}"
    return f"the figure alone, {say_number(point)}, {'meets' if limit.holds(point) else 'misses'} '{limit.words}'"


def _would_decide(row: Measurement, reading: Reading, limit: Limit, bench: Bench) -> str:
    """Say about how many more people would decide, were the rates to stay as they are."""
    if reading.is_distance(limit):
        return _rows_against_chance(reading, limit)
    edges = [edge for edge in (limit.low, limit.high) if edge is not None]
    if len(edges) != 1 or not reading.estimate.has_interval:
        return ""
    edge, base = float(edges[0]), METRICS[row.metric].base
    reference = find_reference(row, bench)
    own = bench.count_of(base, row.group) if base and row.group else None
    other = bench.count_of(base, reference) if base and reference else None
    if METRICS[row.metric].compares == "ratio" and own and other:
        level = pair_level(reading.estimate.level, row.parity.pairs if row.parity else 1)
        more = _rows_to_decide(own, other, edge, level)
        if more:
            return f"about {_round_up(more):,} more people in {_say(row.group)}, were the rates to stay as they are"
        return f"more people in {_say(row.group)} alone would not decide it" if more is None else ""
    return _scaled_rows(reading, edge)


def _rows_against_chance(reading: Reading, limit: Limit) -> str:
    """Say how many rows would bring chance below the distance to the limit (it shrinks with their root)."""
    estimate = reading.estimate
    beyond = float(reading.point - (limit.high or 0))
    if not estimate.n or estimate.chance is None or beyond <= 0:
        return ""
    needed = estimate.n * ((estimate.chance / beyond) ** 2 - 1)
    return f"about {_round_up(needed):,} more people, were the figure to stay as it is" if 0 < needed < 1e9 else ""


def _scaled_rows(reading: Reading, edge: float) -> str:
    """Say how many rows would shrink the interval until it no longer reaches the edge (it narrows with their root)."""
    estimate, value = reading.estimate, float(reading.point)
    arm = (
        (value - estimate.low)
        if value > edge and estimate.low is not None
        else (estimate.high - value if estimate.high is not None else None)
    )
    if arm is None or arm <= 0 or value == edge or not estimate.n:
        return ""
    needed = estimate.n * ((arm / abs(value - edge)) ** 2 - 1)
    return f"about {_round_up(needed):,} more people, were the figure to stay as it is" if 0 < needed < 1e9 else ""


def _round_up(rows: float) -> int:
    """Round up to two significant digits; more would promise too much."""
    digits = max(len(str(int(rows))) - 2, 0)
    step: int = 10**digits
    return int(-(-rows // step) * step)


def _say(group: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in group.items())
