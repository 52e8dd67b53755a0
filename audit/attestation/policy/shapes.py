"""Rules on the shape of an effect: does it ever move the other way, and is that more than noise.

Comes in: a rule and the curves of the evidence. Goes out: one ruling per feature and model. A shape fails only where
the reverse move exceeds the tolerance and the two bands lie apart; a spread of bags is no interval, so it warns at
most; a direction that was imposed on a glass box is evidence of nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from audit.evidence import Curve, Data, Effects, Estimate, VerdictWord

from .bench import Bench
from .catalogue import BLACK_BOX
from .check import COLUMN_QUANTILES
from .pack import ShapeRule
from .ruling import Ruling, Scope, say_number
from .scopes import list_features, list_models
from .select import LoadedRule

PARTIAL_DEPENDENCE = "PDP"
"""Method of the black box's second curve, which mixes features that move together: nothing is judged on it."""


@dataclass(frozen=True, slots=True)
class Move:
    """The largest move of a curve against what is expected.

    Parameters
    ----------
    share : float
        Its size as a share of the curve's range.
    start, end : int
        Positions between which it happens.
    apart : bool
        Whether the bands at the two positions lie apart.
    """

    share: float
    start: int
    end: int
    apart: bool


def judge_shape(rule: LoadedRule, bench: Bench, parameters: Mapping[str, Fraction]) -> list[Ruling]:
    """Judge every feature and model of a rule on shapes.

    Parameters
    ----------
    rule : LoadedRule
        The rule.
    bench : Bench
        The evidence.
    parameters : mapping
        The pack's parameters, for `role:important`.
    """
    order = rule.rule
    if not isinstance(order, ShapeRule):
        raise TypeError(f"{rule.name} is no rule on shapes")
    features, problem = list_features(order.shape_of, bench, parameters)
    if problem:
        return [problem if problem.because else Ruling(Scope(), "not_applicable", "the model reads no such column")]
    models = [model for model in list_models(order.of_model, None) if model]
    rulings = []
    for feature in features:
        imposed = bench.features[feature].monotone if feature in bench.features else ""
        for model in models:
            scope = Scope(feature=feature, model=model)
            rulings.append(
                _judge_imposed(scope, imposed, models)
                if imposed and model != BLACK_BOX
                else _judge_curve(order, scope, bench)
            )
    return rulings


def _judge_imposed(scope: Scope, imposed: str, models: list[str]) -> Ruling:
    because = f"'{imposed}' was imposed on this glass box, which makes it no evidence"
    status: VerdictWord = "not_applicable" if BLACK_BOX in models else "inconclusive"
    return Ruling(scope, status, because, would_decide="" if BLACK_BOX in models else "ask the black box too: of_model")


def _judge_curve(order: ShapeRule, scope: Scope, bench: Bench) -> Ruling:
    section, about = bench.evidence.effects, (scope.feature, scope.model)
    curve = (
        next((c for c in section.curves if (c.feature, c.model) == about and c.method != PARTIAL_DEPENDENCE), None)
        if isinstance(section, Effects)
        else None
    )
    if curve is None:
        return Ruling(scope, "inconclusive", bench.reason("effects.importance").replace("number", "curve"))
    if curve.kind == "category":
        return Ruling(scope, "inconclusive", "a category has no order in which its effect could rise or fall")
    if curve.rows < order.min_samples.total:
        because = f"{curve.rows:,} rows are fewer than the {order.min_samples.total:,} that a verdict needs"
        return Ruling(
            scope, "inconclusive", because, would_decide=f"{order.min_samples.total - curve.rows:,} more rows"
        )
    places = _places_within(order, scope.feature or "", curve, bench)
    if len(places) < 2:
        return Ruling(scope, "inconclusive", "the curve has fewer than two positions there")
    move = _find_move(order.must_be, curve, places)
    return _rule_on(order, scope, curve, move)


def _rule_on(order: ShapeRule, scope: Scope, curve: Curve, move: Move) -> Ruling:
    observed = Estimate(value=move.share, n=curve.rows, method="largest reverse move, share of the effect's range")
    at = f"from {say_number(curve.x[move.start])} to {say_number(curve.x[move.end])}"
    trace = (
        f"effect at {say_number(curve.x[move.start])}: {curve.y[move.start]:.4f}; "
        f"at {say_number(curve.x[move.end])}: {curve.y[move.end]:.4f}",
        f"largest move against '{order.must_be}': {100 * move.share:.2f} % of the effect's range; "
        f"tolerance {100 * order.tolerance:g} %",
    )
    literal = f"the curve alone {'is' if move.share <= order.tolerance else 'is not'} {order.must_be}"
    if move.share <= order.tolerance:
        because = f"it never moves against '{order.must_be}' by more than {100 * order.tolerance:g} % of its range"
        return Ruling(scope, "pass", because, observed, trace, literal)
    moved = f"{at} it moves against '{order.must_be}' by {100 * move.share:.1f} % of its range"
    if curve.low and not curve.band_is_interval:
        because = f"{moved}; its band is a {curve.band or 'spread'}, so this is no more than a warning"
        return Ruling(scope, "warn", because, observed, trace, literal)
    if not curve.low:
        return Ruling(
            scope,
            "inconclusive",
            f"{moved}; without a band it is not known whether that is noise",
            observed,
            trace,
            literal,
        )
    if move.apart:
        return Ruling(scope, "fail", f"{moved}, and the bands there lie apart", observed, trace, literal)
    return Ruling(
        scope,
        "inconclusive",
        f"{moved}, but the bands there overlap",
        observed,
        trace,
        literal,
        "more rows in that part of the feature",
    )


def _places_within(order: ShapeRule, feature: str, curve: Curve, bench: Bench) -> list[int]:
    """Return the positions of a curve between the asked quantiles of the feature."""
    data = bench.evidence.data
    column = next((c for c in data.columns if c.name == feature), None) if isinstance(data, Data) else None
    if order.within_quantiles is None or column is None or len(column.quantiles) != len(COLUMN_QUANTILES):
        return list(range(len(curve.x)))
    known = dict(zip(COLUMN_QUANTILES, column.quantiles, strict=True))
    low, high = (known[q] for q in order.within_quantiles)
    return [place for place, x in enumerate(curve.x) if low <= x <= high]


def _find_move(expected: str, curve: Curve, places: list[int]) -> Move:
    """Return the largest move of `curve` against what is expected."""
    y = [curve.y[place] for place in places]
    span = max(y) - min(y)
    if span == 0:
        return Move(0.0, places[0], places[-1], False)
    if expected == "monotone":
        return min((_find_move(way, curve, places) for way in ("increasing", "decreasing")), key=lambda m: m.share)
    if expected == "flat":
        ends = sorted((y.index(min(y)), y.index(max(y))))
        whole = max(curve.y) - min(curve.y) or 1.0
        return _move(curve, places[ends[0]], places[ends[1]], span / max(whole, span))
    if expected == "smooth":
        first = max(range(len(y) - 1), key=lambda i: abs(y[i + 1] - y[i]))
        return _move(curve, places[first], places[first + 1], abs(y[first + 1] - y[first]) / span)
    sign = 1.0 if expected == "increasing" else -1.0
    top, best, ends_at = 0, 0.0, (0, 0)
    for place in range(1, len(y)):
        if sign * y[place] > sign * y[top]:
            top = place
        elif sign * (y[top] - y[place]) > best:
            best, ends_at = sign * (y[top] - y[place]), (top, place)
    return _move(curve, places[ends_at[0]], places[ends_at[1]], best / span)


def _move(curve: Curve, start: int, end: int, share: float) -> Move:
    apart = bool(curve.low) and (curve.low[start] > curve.high[end] or curve.low[end] > curve.high[start])
    return Move(share, start, end, apart)
