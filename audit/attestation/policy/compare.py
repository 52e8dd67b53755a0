"""Rules on a change: no number may get worse by more than its margin, against whatever it is held.

Comes in: a rule, and the changes on the bench. Goes out: one ruling per scope, judged on the loss (above 0 is worse).
``proven`` is the test of non-inferiority: the whole interval of the loss must lie within the margin. That no group got
worse needs no adjustment for many groups, since all of them must hold; that one of them did is claimed only where it
holds for the whole family at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from audit.evidence import Change, Estimate, Measurement, Move, VerdictWord
from audit.statistics.paired import stretch_interval

from .bench import UNKNOWN, Bench
from .benchmark import hold_against_glass_box
from .catalogue import BLACK_BOX, METRICS
from .groups import AttributeSet, list_attributes
from .operators import OPERATOR_WORDS, OPERATORS, Reading, choose_operator
from .pack import CompareRule
from .phrase import Limit, read_number
from .ruling import Ruling, Scope, say_interval, say_number
from .scopes import list_features, list_models
from .select import LoadedPack, LoadedRule

Parameters = Mapping[str, Fraction]
RELATIVE = " of previous"
FIRST_AUDIT = "system.is_first_audit"


@dataclass(frozen=True, slots=True)
class Margin:
    """What a rule allows.

    Parameters
    ----------
    amount : fractions.Fraction
        The number, or the share where it is relative.
    relative : bool
        Whether it is a share of the earlier number.
    """

    amount: Fraction
    relative: bool = False

    def limit(self, before: float | None = None) -> Limit:
        """Return the limit on the loss; a relative margin needs the earlier number."""
        if not self.relative:
            return Limit("range", f"worse by at most {say_margin(self.amount)}", high=self.amount)
        if before is None:
            return Limit("range", f"worse by at most {say_margin(self.amount * 100)} % of the earlier number")
        high = self.amount * abs(read_number(before))
        return Limit(
            "range",
            f"worse by at most {say_margin(self.amount * 100)} % of {say_number(before)}, that is {say_number(high)}",
            high=high,
        )


def say_margin(value: Fraction) -> str:
    """Return a margin as it is written."""
    return f"{float(value):.6g}"


def read_margin(order: CompareRule, parameters: Parameters) -> Margin:
    """Return what a rule allows, its parameter filled in.

    Parameters
    ----------
    order : CompareRule
        The rule; checked before.
    parameters : mapping
        The pack's parameters.
    """
    text = str(order.may_worsen_by).strip()
    relative, text = text.endswith(RELATIVE), text.removesuffix(RELATIVE).strip()
    amount = parameters[text[1:]] if text.startswith("$") else read_number(text)
    return Margin(amount, relative)


def judge_compare(rule: LoadedRule, bench: Bench, parameters: Parameters) -> list[Ruling]:
    """Judge every scope of a rule on a change.

    Parameters
    ----------
    rule : LoadedRule
        The rule.
    bench : Bench
        The evidence with its changes.
    parameters : mapping
        The pack's parameters.
    """
    order = rule.rule
    if not isinstance(order, CompareRule):
        raise TypeError(f"{rule.name} is no comparison")
    margin = read_margin(order, parameters)
    return [
        found if isinstance(found, Ruling) else _judge_move(order, found, margin, bench)
        for found in find_moves(order, bench, parameters)
    ]


def find_moves(order: CompareRule, bench: Bench, parameters: Parameters) -> list[Move | Ruling]:
    """Return the moves that a rule is about, or rulings where there is none to judge."""
    if order.with_ == "glass_box":
        return [hold_against_glass_box(METRICS[order.compare], bench)]
    change = find_change(order.with_, bench)
    if change is None:
        return [say_no_change(order.with_, bench)]
    features: Sequence[str | None] = (None,)
    if order.for_features:
        features, problem = list_features(order.for_features, bench, parameters)
        if problem or not features:
            return [problem or Ruling(Scope(), "inconclusive", "the model reads none of these features")]
    models = list_models(order.of_model, METRICS[order.compare])
    items: list[AttributeSet | None] = [*list_attributes(order.for_each, bench)] if order.for_each else [None]
    moves = list(change.find_moves(order.compare))
    return [
        found
        for item in items
        for model in models
        for feature in features
        for found in _on_scope(order, moves, item, model, feature)
    ]


def find_change(against: str, bench: Bench) -> Change | None:
    """Return the change that a rule speaks of; None where nothing was compared."""
    return next((change for change in bench.changes if change.against == against), None)


def say_no_change(against: str, bench: Bench) -> Ruling:
    """Say that there is nothing to compare with; a first audit says so itself."""
    if against == "previous_audit" and bench.facts.get(FIRST_AUDIT) is True:
        because = f"it applies from the second audit on; {FIRST_AUDIT} is true"
        return Ruling(Scope(), "not_applicable", because)
    if against == "champion":
        cure = "name a model under compare.champion"
        return Ruling(Scope(), "inconclusive", "no champion was supplied", would_decide=cure)
    cure = f"name it under compare.previous; if this is the first audit, say {FIRST_AUDIT}: true"
    return Ruling(Scope(), "inconclusive", "no previous audit was supplied", would_decide=cure)


def _on_scope(
    order: CompareRule, moves: Sequence[Move], item: AttributeSet | None, model: str | None, feature: str | None
) -> Iterator[Move | Ruling]:
    if item is not None and item.problem:
        yield item.problem
        return
    names = frozenset(item.names) if item else frozenset()
    found = [
        move
        for move in moves
        if frozenset(move.group) == names - ({move.attribute} if move.attribute else set())
        and (move.attribute is None or (item is not None and move.attribute == item.words))
        and move.feature == feature
        and move.model in (model, None if model == BLACK_BOX else model)
        and UNKNOWN not in move.group.values()
    ]
    if not found and item is not None and len(item.names) > 1:
        found = [m for m in moves if m.attribute == item.words and not m.group and m.model in (model, None)]
    scope = Scope(about=item.words if item else "", feature=feature, model=model)
    if not found:
        yield Ruling(scope, "inconclusive", f"neither side holds {order.compare} here")
    yield from found


def _judge_move(order: CompareRule, move: Move, margin: Margin, bench: Bench) -> Ruling:
    limit = margin.limit(move.before.value if move.before else None)
    scope = _scope_of(move)
    trace = _trace(move)
    base = Ruling(scope, "inconclusive", "", move.loss, trace)
    loss = move.loss
    if loss.value is None:
        return replace(base, because=f"no loss is known: {loss.note}")
    literal = (
        f"the loss alone, {say_number(loss.value)}, {'meets' if _holds(limit, loss) else 'misses'} '{limit.words}'"
    )
    base = replace(base, literal=literal)
    if problem := _refuse(order, move, bench):
        return replace(base, because=problem)
    name = choose_operator(order.judged_on, limit, loss)
    status, because = _decide(name, move, limit)
    line = (
        f"loss {say_number(loss.value)}, {say_interval(loss)}; allowed: {limit.words}; {OPERATOR_WORDS[name]}: {status}"
    )
    cure = "more people, or the same people on both sides" if status == "inconclusive" else ""
    return replace(base, status=status, because=because, trace=(*trace, line), would_decide=cure)


def _holds(limit: Limit, loss: Estimate) -> bool:
    return loss.value is not None and limit.holds(read_number(loss.value))


def _decide(name: str, move: Move, limit: Limit) -> tuple[VerdictWord, str]:
    reading = Reading(move.loss, read_number(move.loss.value or 0.0), None, move.p_adjusted)
    if name == "court":
        return _judge_court(move, reading, limit)
    status, because = OPERATORS[name](reading, limit)
    if status == "fail" and name == "interval" and move.family > 1 and not _misses_for_all(move, limit):
        return (
            "inconclusive",
            f"{because}, but not once the interval is to hold for all {move.family} members of its family at once",
        )
    return status, because


def _judge_court(move: Move, reading: Reading, limit: Limit) -> tuple[VerdictWord, str]:
    """Fail where the point is beyond the margin and no change is rejected over the family."""
    status, because = OPERATORS["interval"](reading, limit)
    if status == "pass" or limit.holds(reading.point):
        return ("pass", because) if status == "pass" else ("inconclusive", because)
    p = move.p_adjusted
    if p is None or p > 1 - move.loss.level:
        return (
            "inconclusive",
            f"beyond the margin, but that nothing changed is not excluded (p = {_say_p(p)} after Holm)",
        )
    return "fail", f"beyond the margin, and that nothing changed is rejected (p = {_say_p(p)} after Holm)"


def _say_p(p: float | None) -> str:
    return "unknown" if p is None else f"{p:.4g}"


def _misses_for_all(move: Move, limit: Limit) -> bool:
    loss = move.loss
    if loss.value is None or loss.low is None or loss.high is None:
        return False
    low, high = stretch_interval(loss.value, loss.low, loss.high, loss.level, 1 - (1 - loss.level) / move.family)
    return limit.misses(read_number(low), read_number(high))


def _refuse(order: CompareRule, move: Move, bench: Bench) -> str:
    """Return why no verdict may rest on a move; empty where one may."""
    if not move.loss.assessable:
        return move.loss.note or "marked as not assessable"
    least, n = order.min_samples, move.difference.n
    if least.total and (n or 0) < least.total and not move.group:
        return f"{n or 0:,} people are fewer than the {least.total:,} that a verdict needs"
    size = bench.size_of(move.group) if move.group else None
    if size is not None and size < max(least.per_group, bench.evidence.subject.small_count):
        return f"{size:,} people in the group are too few for a verdict"
    return ""


def _scope_of(move: Move) -> Scope:
    row = Measurement(
        metric=move.metric,
        estimate=move.loss,
        group=move.group,
        attribute=move.attribute,
        feature=move.feature,
        model=move.model,
        outcome=move.outcome,
        reference=move.reference,
    )
    model = None if move.model == BLACK_BOX else move.model
    return Scope(move.group, move.attribute or "", move.feature, model, row, outcome=move.outcome)


def _trace(move: Move) -> tuple[str, ...]:
    lines = [
        f"{words}: {say_number(item.value)}, {say_interval(item)}"
        for words, item in (("before", move.before), ("after", move.after))
        if item is not None and item.value is not None
    ]
    if move.difference.value is not None:
        value, interval = say_number(move.difference.value), say_interval(move.difference)
        lines.append(f"difference {value}, {interval}; {move.difference.method}")
    if move.p_adjusted is not None:
        lines.append(f"no change: p = {_say_p(move.p)}; after Holm over {move.family} p = {_say_p(move.p_adjusted)}")
    return tuple(lines)


def declare_margins(packs: Sequence[LoadedPack], bench: Bench) -> dict[tuple[str, int], tuple[float, str]]:
    """Return the margin that a rule declares for each move, by what the change is against and the move's place.

    Parameters
    ----------
    packs : sequence of LoadedPack
        Packs in force.
    bench : Bench
        The evidence with its changes.

    Notes
    -----
    Where several rules declare one, the smallest margin counts.
    """
    declared: dict[tuple[str, int], tuple[float, str]] = {}
    for own, rule in [(pack, rule) for pack in packs for rule in pack.rules]:
        order = rule.rule
        if not isinstance(order, CompareRule) or rule.disabled or order.with_ == "glass_box":
            continue
        change, margin = find_change(order.with_, bench), read_margin(order, own.parameters)
        meant = {id(move) for move in find_moves(order, bench, own.parameters) if isinstance(move, Move)}
        for place, move in enumerate(change.moves if change else ()):
            if id(move) not in meant:
                continue
            high = margin.limit(move.before.value if move.before else None).high
            known = declared.get((order.with_, place))
            if high is not None and (known is None or float(high) < known[0]):
                declared[order.with_, place] = (float(high), rule.name)
    return declared
