"""Figures of a change: differences by group with their margin, gains and losses, shapes and importances then and now.

Comes in: a change beside its verdicts, and the later audit. Goes out: SVG with a message and a text alternative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audit.evidence import Curve, DecisionsChanged, Effects, Evidence, FeatureRug, Move, ShapeMoved

from . import words
from .change_numbers import Reader, say_margin, say_place, sign_shown, turn
from .change_page import GroupLine
from .change_tables import DecisionLine
from .figures import ForestPanel, ForestPoint, ForestRow, draw_dots, draw_feature, draw_forest
from .figures.balance import BalanceRow, BalanceWords, draw_balance
from .figures.curves import domain
from .figures.looks import AFTER, BEFORE, effect_range
from .glyphs import shorten
from .importance import SURROGATES
from .numbers import TINY, number_text, share_text
from .tongue import tell

MOST_ROWS = 24
"""Groups in one figure."""
MOST_BARS = 16
"""Groups whose gains and losses are drawn: those of single attributes, then those of several that lose most."""
MOST_FEATURES = 10
STATUS = {"bad": "fail", "open": "inconclusive", "good": "pass"}
"""Tone of a sign to the mark of a forest plot."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its message."""

    title: str
    note: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class ShapeShown:
    """One feature's effect then and now."""

    title: str
    message: str
    drawing: Markup


def draw_groups_moved(reader: Reader, lines: Sequence[GroupLine], prefix: str) -> Figure | None:
    """Return the gains and losses of each group's numbers on one axis, with the margin; None without a group.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    lines : sequence of GroupLine
        Groups as the first page shows them.
    prefix : str
        What the names of figures begin with.
    """
    shown = list(lines)[:MOST_ROWS]
    columns = [[line.quality.move if line.quality else None for line in shown]]
    columns.append([line.standing.move if line.standing else None for line in shown])
    columns = [column for column in columns if any(move is not None for move in column[1:])]
    if len(shown) < 2 or not columns:
        return None
    panels = [_panel(reader, [move for move in column if move is not None]) for column in columns]
    rows = [
        ForestRow(line.name, line.n, tuple(_point(reader, column[place]) for column in columns), muted=line.small)
        for place, line in enumerate(shown)
    ]
    worse = [row.label for row in rows if any(point.status == "fail" for point in row.points)]
    title = _say_groups(worse)
    told = "; ".join(f"{row.label}: {', '.join(point.text for point in row.points)}" for row in rows)
    return Figure(title, tell("Right is better, left is worse. The shaded ground lies beyond the margin of a rule."),
                  draw_forest(f"{prefix}groups", title, told, panels, rows))  # fmt: skip


def _say_groups(worse: Sequence[str]) -> str:
    if not worse:
        return tell("No group is shown to be worse beyond a margin")
    return tell("Worse beyond a margin: {names}", names=", ".join(shorten(name, 40) for name in worse[:4]))


def _panel(reader: Reader, moves: Sequence[Move]) -> ForestPanel:
    metric = moves[-1].metric
    gains = [turn(move.loss) for move in moves]
    ends = [end for gain in gains for end in (gain.value, gain.low, gain.high) if end is not None] + [0.0]
    margin = next((move.margin for move in moves if move.margin is not None and move.metric == metric), None)
    ends += [-1.5 * margin] if margin else []
    room = max(max(ends) - min(ends), 1e-3) * 0.08
    share = reader.lexicon.is_share(metric)
    unit = tell("points") if share else ""
    title = tell("{title}: gain", title=reader.lexicon.head(metric)) + (f" ({unit})" if unit else "")
    low, high = min(ends) - room, max(ends) + room
    said = tell("margin {size}", size=say_margin(margin, metric, reader.lexicon)) if margin else ""
    return ForestPanel(title, low, high, -margin if margin else None, neutral=0.0, percent=share, said=said)


def _point(reader: Reader, move: Move | None) -> ForestPoint:
    if move is None:
        return ForestPoint(None, None, None, tell("not compared"))
    gain = turn(move.loss)
    if gain.value is None:
        return ForestPoint(None, None, None, tell("not compared"))
    if max(abs(end) for end in (gain.value, gain.low or 0.0, gain.high or 0.0)) < TINY:
        return ForestPoint(None, None, None, tell("unchanged"))
    shown = sign_shown(gain, move.metric, reader.lexicon)
    interval = f" ({shown.interval})".replace("\u00a0", " ") if shown.interval else ""
    text = shown.value.partition(" ")[0] + interval
    return ForestPoint(gain.value, gain.low, gain.high, text, STATUS.get(_tone(reader, move), ""))


def _tone(reader: Reader, move: Move) -> str:
    """Return the tone of a verdict on a move; none where no rule is about it."""
    return reader.sign(move).tone if reader.ruled(move) else ""


def draw_gains(reader: Reader, lines: Sequence[DecisionLine], prefix: str) -> Figure | None:
    """Return who gained and who lost a favourable decision, by group; None where nobody was paired.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    lines : sequence of DecisionLine
        The same decisions as text.
    prefix : str
        What the names of figures begin with.
    """
    shown = _choose(list(zip(reader.change.decisions, lines, strict=True)))
    if not shown:
        return None
    rows = [
        BalanceRow(
            line.name,
            f"n = {line.n}",
            100 * item.lost / item.n,
            100 * item.gained / item.n,
            None if item.lost_wrongly is None else 100 * item.lost_wrongly / item.n,
            (line.lost, f"{line.gained}  ({tell('net')} {line.net})"),
            muted=not item.flip_rate.assessable,
        )
        for item, line in shown
    ]
    whole = shown[0][0]
    changed = share_text((whole.gained + whole.lost) / whole.n, decimals=1)
    title = tell("{changed} of the decisions changed: {gained} people gained, {lost} lost",
                 changed=changed, gained=lines[0].gained, lost=lines[0].lost)  # fmt: skip
    told = "; ".join(f"{row.label}: {row.texts[0]} / {row.texts[1]}" for row in rows)
    spoken = BalanceWords(tell("lost"), tell("gained"), tell("lost, and the label says wrongly"), tell("people of 100"))
    return Figure(title, "", draw_balance(f"{prefix}balance", title, told, rows, spoken))


def _choose(items: list[tuple[DecisionsChanged, DecisionLine]]) -> list[tuple[DecisionsChanged, DecisionLine]]:
    """Return the groups that are drawn, in their own order."""

    def weight(place: int) -> tuple[bool, bool, float]:
        item = items[place][0]
        several = len(item.group) > 1
        return several, not item.flip_rate.assessable, -item.lost / item.n if several else 0.0

    chosen = sorted(range(len(items)), key=weight)[:MOST_BARS]
    return [items[place] for place in sorted(chosen)]


def draw_shapes(reader: Reader, evidence: Evidence, most: int, prefix: str) -> tuple[ShapeShown, ...]:
    """Return the shapes that moved most, each with its earlier curve on the same axis.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    evidence : Evidence
        The later audit, for its curves.
    most : int
        Features shown.
    prefix : str
        What the names of figures begin with.
    """
    if not isinstance(evidence.effects, Effects):
        return ()
    later = {(c.feature, c.model): c for c in evidence.effects.curves if c.method != "PDP"}
    rugs = {rug.feature: rug for rug in evidence.effects.rugs}
    moved = [item for item in reader.change.shapes if item.earlier is not None and (item.feature, item.model) in later]
    return tuple(
        _shape(item, item.earlier, later[item.feature, item.model], rugs.get(item.feature), f"{prefix}shape-{place}")
        for place, item in enumerate(moved[:most], start=1)
        if item.earlier is not None
    )


def _shape(item: ShapeMoved, earlier: Curve, later: Curve, rug: FeatureRug | None, name: str) -> ShapeShown:
    title, message = words.prettify(item.feature), _say_shape(item)
    curves = [later.model_copy(update={"model": AFTER}), earlier.model_copy(update={"model": BEFORE})]
    drawn = domain(curves, rug) if later.kind == "numeric" else None
    span = effect_range(curves, drawn)
    return ShapeShown(title, message, draw_feature(name, title, message, curves, rug, span, title))


def _say_shape(item: ShapeMoved) -> str:
    """Return how far a shape moved, where most, and whether more than its bands."""
    distance = item.distance.value
    far = tell("The earlier effect was flat.") if distance is None else tell(
        "Moved by {share} of its earlier range.", share=share_text(distance, decimals=0)
    )  # fmt: skip
    size, at = number_text(abs(item.largest), 2), shorten(say_place(item.at), 40)
    most = (
        tell("Most at {at}: {size} higher.", at=at, size=size)
        if item.largest > 0
        else tell("Most at {at}: {size} lower.", at=at, size=size)
    )
    bands = {True: tell("Beyond both bands."), False: tell("Within both bands."), None: ""}[item.beyond_bands]
    return " ".join(part for part in (far, most, bands) if part)


def draw_importance_shift(reader: Reader, prefix: str) -> Figure | None:
    """Return each feature's share of importance before and after; None where either side has none.

    Parameters
    ----------
    reader : Reader
        The change beside its verdicts.
    prefix : str
        What the names of figures begin with.
    """
    moves = [move for move in reader.change.find_moves("effects.importance_share") if move.feature]
    model = next((m for m in SURROGATES if any(x.model == m and x.before for x in moves)), None)
    chosen = [move for move in moves if move.model == model and _known(move)]
    if len(chosen) < 2:
        return None
    chosen.sort(key=lambda move: -max(_value(move, later=True), _value(move, later=False)))
    rows = [
        (words.prettify(m.feature or ""), {BEFORE: _dot(m, later=False), AFTER: _dot(m, later=True)})
        for m in chosen[:MOST_FEATURES]
    ]
    most = max(chosen, key=lambda move: abs(_value(move, later=True) - _value(move, later=False)))
    first, last = (share_text(_value(most, later=later), decimals=0) for later in (False, True))
    title = tell("{feature}: from {before} to {after} of what moves the score",
                 feature=words.prettify(most.feature or ""), before=first, after=last)  # fmt: skip
    unit = tell("Share of importance, {model}", model=words.model_name(model))
    told = "; ".join(f"{label}: {number_text(dots[BEFORE][0])}, {number_text(dots[AFTER][0])}" for label, dots in rows)
    names = {BEFORE: tell("Before"), AFTER: tell("After")}
    return Figure(title, "", draw_dots(f"{prefix}importance", title, told, rows, names, unit))


def _known(move: Move) -> bool:
    return any(side is not None and side.value is not None for side in (move.before, move.after))


def _value(move: Move, *, later: bool) -> float:
    """Return the share on one side; a feature that a side does not read moves nothing there."""
    side = move.after if later else move.before
    return 0.0 if side is None or side.value is None else side.value


def _dot(move: Move, *, later: bool) -> tuple[float, float | None, float | None]:
    side = move.after if later else move.before
    return _value(move, later=later), side.low if side else None, side.high if side else None
