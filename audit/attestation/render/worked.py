"""One prediction added up by hand: the steps with a bar each, running totals, the score, and how to read it oneself.

Comes in: a worked sum. Goes out: lines for the template; what is printed adds up digit by digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from audit.evidence import Effects, WorkedStep, WorkedSum

from . import words
from .change_numbers import say_place
from .figures import draw_steps
from .glyphs import shorten
from .numbers import MINUS, number_text
from .surfaces import pair_title
from .tongue import tell

SCORE = 4
"""Decimals of a probability."""
MOST = 8
"""Lines of the sum on paper."""

Step = tuple[str, str, float]
"""Name of the part, value of the made-up person, what it adds."""


@dataclass(frozen=True, slots=True)
class WorkedLine:
    """One line of the sum, as text."""

    feature: str
    value: str
    contribution: str
    total: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class WorkedShown:
    """The sum as it is printed.

    Parameters
    ----------
    model : str
        Whose tables are read.
    start, total, score, black_box : str
        Numbers as text; `black_box` is empty where it could not be asked.
    odds : str
        The total put into the formula of the probability; empty for a value.
    gap : str
        How far the two scores are apart, in words.
    lines : tuple of WorkedLine
        Steps.
    brief : tuple of WorkedLine
        At most `MOST` lines, the last of which holds all smaller steps together.
    """

    model: str
    start: str
    total: str
    score: str
    black_box: str
    odds: str
    gap: str
    lines: tuple[WorkedLine, ...]
    brief: tuple[WorkedLine, ...]


def show_worked(effects: Effects) -> WorkedShown | None:
    """Return the first worked sum as it is printed; None where there is none."""
    return _show(effects.worked[0]) if effects.worked else None


def _show(worked: WorkedSum) -> WorkedShown:
    decimals = _decimals((worked.start, worked.total, *(step.contribution for step in worked.steps)))
    steps = [(_name(step.feature), shorten(_say_value(step), 60), step.contribution) for step in worked.steps]
    written = number_text(worked.total, decimals=decimals)
    is_value = math.isclose(worked.score, worked.total)
    places = decimals if is_value else SCORE
    return WorkedShown(
        model=words.model_name(worked.model),
        start=number_text(worked.start, decimals=decimals),
        total=written,
        score=number_text(worked.score, decimals=places),
        black_box="" if worked.black_box is None else number_text(worked.black_box, decimals=places),
        odds="" if is_value else f"1 / (1 + exp({number_text(-worked.total, decimals=decimals)}))",
        gap=_say_gap(worked, places),
        lines=_lines("sum", worked.start, steps, decimals),
        brief=_lines("brief", worked.start, _join_small(steps), decimals),
    )


def _join_small(steps: Sequence[Step]) -> list[Step]:
    """Return the largest steps in their order, then one for all others together where there are too many."""
    if len(steps) <= MOST:
        return list(steps)
    kept = sorted(range(len(steps)), key=lambda i: (-abs(steps[i][2]), i))[: MOST - 1]
    rest = [step for i, step in enumerate(steps) if i not in kept]
    together = float(sum(Decimal(str(step[2])) for step in rest))
    joined = (tell("{number} smaller parts together", number=len(rest)), "", together)
    return [*(steps[i] for i in sorted(kept)), joined]


def _lines(name: str, start: float, steps: Sequence[Step], decimals: int) -> tuple[WorkedLine, ...]:
    texts = [f"{feature}: {_signed(adds, decimals)}" for feature, _, adds in steps]
    bars = draw_steps(name, start, [adds for _, _, adds in steps], texts)
    lines, total = [], Decimal(str(start))
    for (feature, value, adds), bar in zip(steps, bars, strict=True):
        total += Decimal(str(adds))
        written = number_text(float(total), decimals=decimals)
        lines.append(WorkedLine(feature, value, _signed(adds, decimals), written, bar))
    return tuple(lines)


def _decimals(values: tuple[float, ...]) -> int:
    """Return how many decimals the sum was rounded to: those that its numbers need to be written whole."""
    exponents = [Decimal(str(value)).normalize().as_tuple().exponent for value in values]
    return min(6, max(0, *(-e for e in exponents if isinstance(e, int))))


def _signed(value: float, decimals: int) -> str:
    text = number_text(abs(value), decimals=decimals)
    return f"{MINUS if value < 0 else '+'}{text}"


def _say_value(step: WorkedStep) -> str:
    """Return the value of a step, of an interaction both, with the separators of the language."""
    first, joined, second = step.value.partition(" and ")
    if not (joined and " and " in step.feature):
        return say_place(step.value)
    return tell("{first} and {second}", first=say_place(first), second=say_place(second))


def _name(feature: str) -> str:
    first, joined, second = feature.partition(" and ")
    return pair_title((first, second)) if joined else words.prettify(feature)


def _say_gap(worked: WorkedSum, decimals: int) -> str:
    if worked.black_box is None:
        return tell("The black box could not be asked for this made-up person.")
    apart = abs(worked.black_box - worked.score)
    far = number_text(apart, decimals=decimals)
    if apart == 0:
        return tell("It is the same.")
    higher = "It is {gap} higher: what this glass box does not follow, for this one made-up person."
    lower = "It is {gap} lower: what this glass box does not follow, for this one made-up person."
    return tell(higher if worked.black_box > worked.score else lower, gap=far)
