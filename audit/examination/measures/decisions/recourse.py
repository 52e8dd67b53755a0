"""What would change a decision: the cheapest change of few features that was found, verified by the model itself.

Comes in: people decided against, what they can change, the model. Goes out: `Recourse`: whether a way was found, its
cost and the changed rows. All people are searched at once: every value of every lever first, then a second and a third
lever on top of the most promising one. A search on a grid can miss a way; it cannot invent one, because each is asked
for again. Idea: Ustun, Spangher and Liu (2019), Actionable Recourse in Linear Classification.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.examination.measures.robustness.probe import Answer

from .levers import Lever

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Ask = Callable[["pd.DataFrame"], Answer]

MOST_CHANGES = 3
HALVINGS = 10
"""Times the way from the own value is halved to find a smaller change."""
DIGITS = 4
"""Digits of a changed number: nobody can aim at more."""
TINY = 1e-12


@dataclass(slots=True, eq=False)
class Recourse:
    """Ways found.

    Parameters
    ----------
    people : pandas.DataFrame, shape [n, ...]
        Rows as they would be; as they are where no way was found.
    found : ndarray of bool, shape [n]
        Whether a way was found.
    order : ndarray of int64, shape [n, levers]
        When each lever was pulled, from 0; -1 where it was not.
    cost : ndarray of float64, shape [n]
        Sum of the changes; NaN where no way was found.
    """

    people: pd.DataFrame
    found: Flags
    order: Whole
    cost: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Offers:
    """What every lever offers each row.

    Parameters
    ----------
    turn_cost, turn_value : ndarray, shape [n, levers]
        Cheapest change that turns the decision (infinite where none does), and its place among the lever's values.
    gain, gain_cost, gain_value : ndarray, shape [n, levers]
        Largest gain of the score, what it costs more, and its place among the values.
    """

    turn_cost: Floats
    turn_value: Whole
    gain: Floats
    gain_cost: Floats
    gain_value: Whole


def search_recourse(
    ask: Ask, people: pd.DataFrame, levers: Sequence[Lever], sign: float, *, is_value: bool
) -> Recourse:
    """Search the cheapest change that turns each decision.

    Parameters
    ----------
    ask : callable
        From rows to scores and decisions.
    people : pandas.DataFrame, shape [n, ...]
        Rows that are decided unfavourably.
    levers : sequence of Lever
        What can be changed.
    sign : float
        1 where a high score is the good one, else -1.
    is_value : bool
        Whether the score is a value and no probability.

    Notes
    -----
    Two searches run for each row that no single change turns: the lever with the largest gain per cost goes first in
    one (optimal for a linear score), the one with the largest gain in the other; the cheaper way counts.
    """
    search = _Search(ask, people, levers, sign, is_value)
    start = search.survey(search.begin(), np.arange(len(people)))
    ways = [search.run(start, per_cost=per_cost) for per_cost in (True, False)]
    better = np.nan_to_num(ways[1].cost, nan=np.inf) < np.nan_to_num(ways[0].cost, nan=np.inf)
    best = ways[0]
    for lever in levers:
        own, other = (way.people[lever.name].to_numpy().copy() for way in ways)
        own[better] = other[better]
        best.people = best.people.assign(**{lever.name: own})
    best.order[better], best.cost[better] = ways[1].order[better], ways[1].cost[better]
    answer = ask(best.people)
    best.found = np.isfinite(best.cost) & answer.known & _decided(answer)
    best.cost[~best.found] = np.nan
    return best


def _decided(answer: Answer) -> Flags:
    if answer.favourable is None:
        raise ValueError("no decision follows from the score")
    return answer.favourable


class _Search:
    """One search of all rows at once.

    Parameters
    ----------
    ask, people, levers, sign, is_value
        As for `search_recourse`.
    """

    def __init__(self, ask: Ask, people: pd.DataFrame, levers: Sequence[Lever], sign: float, is_value: bool) -> None:
        self.ask, self.people, self.levers = ask, people, levers
        self.sign, self.is_value = sign, is_value
        self.own = [people[lever.name].to_numpy() for lever in levers]

    def begin(self) -> list[NDArray[Any]]:
        """Return the values of all levers as they are, to be changed."""
        return [values.copy() for values in self.own]

    def goodness(self, answer: Answer) -> Floats:
        """Return the score on a scale without ends, larger is better for the person."""
        score = answer.score
        if not self.is_value:
            held = np.clip(score, TINY, 1 - TINY)
            score = np.log(held) - np.log1p(-held)
        return np.where(answer.known, self.sign * score, -np.inf)

    def rows_with(self, state: list[NDArray[Any]], rows: Whole) -> pd.DataFrame:
        """Return the people at `rows` with the values of `state`."""
        taken = self.people.iloc[rows]
        return taken.assign(**{lever.name: values[rows] for lever, values in zip(self.levers, state, strict=True)})

    def paid(self, state: list[NDArray[Any]], rows: Whole) -> Floats:
        """Return what each lever has cost so far, shape ``[rows, levers]``; 0 where it was not pulled."""
        cost = [lever.cost(self.own[j][rows], state[j][rows]) for j, lever in enumerate(self.levers)]
        return np.where(np.isfinite(cost), cost, 0.0).T

    def survey(self, state: list[NDArray[Any]], rows: Whole) -> Offers:
        """Ask about every value of every lever on top of `state`."""
        here = self.goodness(self.ask(self.rows_with(state, rows)))
        parts = [self._survey_lever(state, rows, j, here) for j in range(len(self.levers))]
        return Offers(*(np.stack(item, axis=1) for item in zip(*parts, strict=True)))

    def _survey_lever(self, state: list[NDArray[Any]], rows: Whole, j: int, here: Floats) -> tuple[Any, ...]:
        lever = self.levers[j]
        m = len(lever.values)
        tried = self.rows_with(state, np.repeat(rows, m))
        values = np.tile(lever.values, len(rows)).astype(self.own[j].dtype)
        answer = self.ask(tried.assign(**{lever.name: values}))
        cost = lever.cost(np.repeat(self.own[j][rows], m), values).reshape(-1, m)
        turned = (_decided(answer) & answer.known).reshape(-1, m) & np.isfinite(cost)
        gain = np.where(np.isfinite(cost), self.goodness(answer).reshape(-1, m) - here[:, None], -np.inf)
        price = np.where(turned, cost, np.inf)
        cheapest = price.argmin(axis=1)
        # of values that gain the same, the cheapest
        equal = gain >= gain.max(axis=1, keepdims=True) - 1e-9
        most = np.where(equal, cost, np.inf).argmin(axis=1)
        at = np.arange(len(rows))
        return price[at, cheapest], cheapest, gain[at, most], cost[at, most], most

    def run(self, start: Offers, *, per_cost: bool) -> Recourse:
        """Pull one lever after the other until the decision turns."""
        n = len(self.people)
        state, order = self.begin(), np.full((n, len(self.levers)), -1)
        found, todo, offers = np.zeros(n, dtype=bool), np.arange(n), start
        for step in range(min(MOST_CHANGES, len(self.levers))):
            pulled = order[todo] >= 0
            others = self.paid(state, todo)
            price = np.where(pulled, np.inf, offers.turn_cost + others.sum(axis=1, keepdims=True))
            lever = price.argmin(axis=1)
            at = np.arange(len(todo))
            turns = np.isfinite(price[at, lever])
            self._pull(state, order, todo[turns], lever[turns], offers.turn_value[at, lever][turns], step)
            found[todo[turns]] = True
            gain = np.where(pulled, -np.inf, offers.gain)
            cost = np.maximum(offers.gain_cost, TINY) if per_cost else np.ones_like(gain)
            unit = np.where(gain > 0, cost, 1.0)
            lever = np.where(gain > 0, gain / unit, -np.inf).argmax(axis=1)
            goes_on = ~turns & (gain[at, lever] > 0)
            self._pull(state, order, todo[goes_on], lever[goes_on], offers.gain_value[at, lever][goes_on], step)
            todo = todo[goes_on]
            if not todo.size or step == MOST_CHANGES - 1:
                break
            offers = self.survey(state, todo)
        self._take_back(state, order, ~found)
        self.tighten(state, order, found)
        everybody = np.arange(n)
        cost = np.where(found, self.paid(state, everybody).sum(axis=1), np.nan)
        return Recourse(self.rows_with(state, everybody), found, order, cost)

    def _pull(
        self, state: list[NDArray[Any]], order: Whole, rows: Whole, lever: Whole, value: Whole, step: int
    ) -> None:
        for j, item in enumerate(self.levers):
            mine = lever == j
            state[j][rows[mine]] = item.values[value[mine]]
            order[rows[mine], j] = step

    def _take_back(self, state: list[NDArray[Any]], order: Whole, rows: Flags) -> None:
        for j in range(len(self.levers)):
            state[j][rows] = self.own[j][rows]
        order[rows] = -1

    def tighten(self, state: list[NDArray[Any]], order: Whole, found: Flags) -> None:
        """Take changes back as far as the decision stays turned, the last one first.

        Parameters
        ----------
        state : list of ndarray, each of shape [n]
            Values of the levers; changed in place.
        order : ndarray of int64, shape [n, levers]
            When each was pulled; a change that was not needed becomes -1.
        found : ndarray of bool, shape [n]
            Rows whose decision is turned.
        """
        for step in reversed(range(MOST_CHANGES)):
            for j, lever in enumerate(self.levers):
                rows = np.flatnonzero(found & (order[:, j] == step))
                if not rows.size:
                    continue
                far, near = state[j][rows].copy(), self.own[j][rows]
                free = self._still_turned(state, rows, j, near)
                order[rows[free], j] = -1
                if lever.is_number:
                    far = self._halve(state, rows, j, np.where(free, near, far), ~free)
                else:
                    far[free] = near[free]
                state[j][rows] = far

    def _halve(self, state: list[NDArray[Any]], rows: Whole, j: int, far: Floats, moves: Flags) -> Floats:
        """Return the value nearest to the own one, on the way to `far`, at which the decision is still turned."""
        low = self.own[j][rows].astype(np.float64)
        for _ in range(HALVINGS):
            middle = (low + far) / 2
            if self.levers[j].whole:
                middle = np.where(far > low, np.ceil(middle), np.floor(middle))
            moves = moves & (middle != far) & (middle != low)
            if not moves.any():
                break
            turned = np.zeros(len(rows), dtype=bool)
            turned[moves] = self._still_turned(state, rows[moves], j, middle[moves])
            far = np.where(moves & turned, middle, far)
            low = np.where(moves & ~turned, middle, low)
        return self._round(state, rows, j, far)

    def _round(self, state: list[NDArray[Any]], rows: Whole, j: int, far: Floats) -> Floats:
        """Return values of few digits, rounded away from the own one, where the decision is still turned."""
        own, tried = self.own[j][rows].astype(np.float64), self.levers[j].values.astype(np.float64)
        with np.errstate(divide="ignore"):
            step = 10.0 ** np.nan_to_num(np.floor(np.log10(np.abs(far))) - DIGITS + 1, neginf=0.0)
        plain = np.where(far > own, np.ceil(far / step), np.floor(far / step)) * step
        inside = (far != own) & (plain != far) & (plain >= tried.min()) & (plain <= tried.max())
        inside[inside] = self._still_turned(state, rows[inside], j, plain[inside])
        return np.where(inside, plain, far)

    def _still_turned(self, state: list[NDArray[Any]], rows: Whole, j: int, values: NDArray[Any]) -> Flags:
        tried = self.rows_with(state, rows).assign(**{self.levers[j].name: values})
        answer = self.ask(tried)
        return _decided(answer) & answer.known
