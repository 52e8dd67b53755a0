"""Numbers of a change as a reader meets them: what moved, by how much, in which direction, and how that is read.

Comes in: moves of a change and the verdicts of the rules on it. Goes out: texts and signs. A difference is after minus
before; a gain is the same turned so that above 0 is better. A share moves by points (percentage points).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from audit.evidence import VERDICT_ORDER, Change, Definition, Estimate, Judgement, Move, RuleFinding, Verdict

from . import change_report_words as said
from . import words
from .numbers import MINUS, NBSP, TINY, Shown, decimals_for, is_share, number_text, share_text, show
from .tables import Lexicon
from .tongue import echo, mark_points, tell

OWN = (None, "black_box")
"""Models whose numbers are those of the audited model itself."""
_TWO = 2
"""Digits of a difference in a sentence."""
_NAMED_BY_US = ("explanations.", "robustness.", "decisions.reason")
"""Beginnings of metrics whose outcome is no class and no band of the audited system: a method, a size of noise."""
_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(\.\d+)?(e[-+]\d+)?")
Place = tuple[str, frozenset[tuple[str, str]], str | None, str | None, str | None, str | None]


class ChangeLexicon(Lexicon):
    """What both audits say about their metrics.

    Parameters
    ----------
    known : iterable of Definition
        Definitions of the later audit.
    change : Change
        For numbers that only the earlier audit holds, and those about the change.
    """

    def __init__(self, known: Iterable[Definition], change: Change) -> None:
        self._definitions: dict[str, Definition] = {item.id: item for item in (*change.definitions, *known)}

    def is_share(self, metric: str) -> bool:
        """Whether a number is a share, which moves by points."""
        return is_share(metric, self.unit(metric))

    def better(self, metric: str) -> str:
        """Return which direction is better."""
        found = self._definitions.get(metric)
        return found.better if found else "none"


@dataclass(frozen=True, slots=True)
class MoveSign:
    """How one move is shown."""

    word: str
    tone: str
    sign: str
    rank: int
    """0 is the worst."""


@dataclass(frozen=True, slots=True)
class MoveShown:
    """One number before and after."""

    move: Move
    title: str
    name: str
    before: Shown | None
    after: Shown | None
    difference: Shown
    sign: MoveSign
    margin: str
    chance: str
    """p after adjustment for its family."""


class Reader:
    """Reads the moves of one change beside the verdicts on it.

    Parameters
    ----------
    change : Change
        The comparison.
    judgement : Judgement
        What the rules say.
    lexicon : ChangeLexicon
        Titles and units.
    """

    def __init__(self, change: Change, judgement: Judgement, lexicon: ChangeLexicon) -> None:
        self.change, self.lexicon = change, lexicon
        self.rules = rules_on_change(judgement)
        ours = {move.margin_by for move in change.moves if move.margin_by}
        self._ruled: dict[Place, tuple[RuleFinding, Verdict]] = {}
        for finding in self.rules:
            if finding.rule in ours:
                self._take(finding)

    def _take(self, finding: RuleFinding) -> None:
        for verdict in finding.verdicts:
            place = _place_of(verdict)
            known = self._ruled.get(place)
            if known is None or VERDICT_ORDER.index(verdict.status) < VERDICT_ORDER.index(known[1].status):
                self._ruled[place] = (finding, verdict)

    def ruled(self, move: Move) -> tuple[RuleFinding, Verdict] | None:
        """Return the worst verdict on a move, with its rule; None where no rule is about it."""
        attribute = move.attribute if not move.group else None
        model = None if move.model in OWN else move.model
        group = frozenset(move.group.items())
        return self._ruled.get((move.metric, group, attribute, move.feature, model, move.outcome))

    def sign(self, move: Move) -> MoveSign:
        """Return how a move is read: by the rule on it, else against noise alone."""
        ruled = self.ruled(move)
        word: str = ruled[1].status if ruled else ""
        if word == "pass" and move.reading == "better":
            word = "better"
        found = said.RULED.get(word) or said.READ[move.reading]
        return MoveSign(tell(found[0]), found[1], found[2], found[3])

    def show(self, move: Move) -> MoveShown:
        """Return a move with all that is printed of it."""
        metric, unit = move.metric, self.lexicon.unit(move.metric)
        return MoveShown(
            move=move,
            title=self.lexicon.title(metric),
            name=name_of(move),
            before=show(move.before, metric, unit) if move.before else None,
            after=show(move.after, metric, unit) if move.after else None,
            difference=self.difference(move),
            sign=self.sign(move),
            margin=self.margin(move),
            chance="" if move.p_adjusted is None else number_text(move.p_adjusted, 2),
        )

    def difference(self, move: Move) -> Shown:
        """Return after minus before, with its sign and, for a share, in points."""
        return sign_shown(move.difference, move.metric, self.lexicon)

    def margin(self, move: Move) -> str:
        """Return the margin that a rule declares; empty where none does."""
        spared = move.margin is None or (self.sign(move).tone == "good" and move.reading == "better")
        return "" if spared else say_margin(move.margin or 0.0, move.metric, self.lexicon)

    def about_model(self) -> tuple[Move, ...]:
        """Return the moves of the audited model's own numbers, without those of glass boxes."""
        return tuple(move for move in self.change.moves if move.model in OWN)


def rules_on_change(judgement: Judgement) -> tuple[RuleFinding, ...]:
    """Return the rules about what changed; what is asked of papers and people is not among them."""
    return tuple(
        finding
        for finding in judgement.findings
        if finding.kind == "compare"
        or any((verdict.metric or "").startswith("change.") for verdict in finding.verdicts)
    )


def _place_of(verdict: Verdict) -> Place:
    """Return what a verdict is about, as a move says it; a whole attribute stands in the scope's name alone."""
    inside = verdict.scope.partition("[")[2].rpartition("]")[0]
    whole = None if verdict.group else next((p.strip() for p in inside.split(",") if p.strip() and "=" not in p), None)
    group = frozenset(verdict.group.items())
    return (verdict.metric or "", group, whole, verdict.feature, verdict.model, verdict.outcome)


def name_of(move: Move) -> str:
    """Return what a move is about, in words; ``Everybody`` for the whole audit."""
    model = None if move.model in OWN else move.model
    outcome = echo(move.outcome or "") if move.metric.startswith(_NAMED_BY_US) else move.outcome
    named = words.scope_words(dict(sorted(move.group.items())), move.feature, model, outcome)
    whole = words.prettify(move.attribute) if move.attribute and move.attribute not in move.group else ""
    return ", ".join(part for part in (named, whole) if part) or tell(said.EVERYBODY_NAME)


def name_group(group: dict[str, str]) -> str:
    """Return a group in words; ``Everybody`` for no group."""
    return words.scope_words(dict(sorted(group.items()))) or tell(said.EVERYBODY_NAME)


def say_size(size: float, metric: str, lexicon: ChangeLexicon) -> str:
    """Return the size of a difference in words: ``6.0 points`` for a share, ``0.081`` for a number."""
    if not lexicon.is_share(metric):
        return number_text(abs(size), _TWO)
    return tell("{number} points", number=number_text(abs(size) * 100, _TWO))


def say_margin(margin: float, metric: str, lexicon: ChangeLexicon) -> str:
    """Return a margin as somebody wrote it: ``2 points``, ``0.03``."""
    if not lexicon.is_share(metric):
        return mark_points(f"{margin:.4g}")
    return tell("{number} points", number=mark_points(f"{margin * 100:.4g}"))


def say_place(at: str) -> str:
    """Return a value of a feature as text: a number with the signs of the language, a level as it is.

    Examples
    --------
    >>> say_place("-1,234,567.5"), say_place("-clerk")
    ('−1,234,567.5', '-clerk')
    """
    if not _NUMBER.fullmatch(at):
        return at
    return MINUS * at.startswith("-") + mark_points(at.removeprefix("-"))


def say_value(estimate: Estimate | None, metric: str, lexicon: ChangeLexicon) -> str:
    """Return a number as a sentence says it."""
    if estimate is None or estimate.value is None:
        return tell("not measured")
    return share_text(estimate.value) if lexicon.is_share(metric) else number_text(estimate.value)


def sign_shown(estimate: Estimate, metric: str, lexicon: ChangeLexicon) -> Shown:
    """Return a difference as text: with its sign, and in points where it is one of shares.

    Parameters
    ----------
    estimate : Estimate
        A difference.
    metric : str
        Metric id of the two numbers.
    lexicon : ChangeLexicon
        Titles and units.
    """
    shown = show(estimate, "change", "")
    if estimate.value is None:
        return shown
    scale, ending = (100.0, f" {tell(said.POINTS)}") if lexicon.is_share(metric) else (1.0, "")
    ends = [end * scale for end in (estimate.low, estimate.high) if end is not None]
    widest = max(abs(end) for end in (estimate.value * scale, *ends))
    if widest < TINY:
        return replace(shown, value="0" + ending, interval="")
    decimals = decimals_for(widest, _TWO)
    value, *told = (number_text(end, decimals=decimals) for end in (estimate.value * scale, *ends))
    value = f"+{value}" if estimate.value > 0 else value
    interval = f"{told[0]}{NBSP}{tell('to')}{NBSP}{told[1]}" if len(told) == 2 else ""
    return replace(shown, value=value + ending, interval=interval)


def turn(estimate: Estimate) -> Estimate:
    """Return a loss as a gain: above 0 is better."""
    if estimate.value is None:
        return estimate
    low = None if estimate.high is None else -estimate.high
    high = None if estimate.low is None else -estimate.low
    return estimate.model_copy(update={"value": -estimate.value, "low": low, "high": high})


def first_metric(moves: Iterable[Move], wanted: Iterable[str], lexicon: ChangeLexicon) -> str | None:
    """Return the first of the metrics of which some group's difference is known and of which one side is better."""
    known = {move.metric for move in moves if move.difference.value is not None}
    return next((name for name in wanted if name in known and lexicon.better(name) != "none"), None)
