"""Deliberate changes within a small box around each row: the worst that was found, which bounds the worst from below.

Comes in: a probe. Goes out: flip rates per size of the box. Where the model gives gradients the search is projected
gradient ascent (Madry and others 2018), each feature in units of its own spread, within the range of the data; its
first step is the whole way along the sign of the gradient, which for a linear score is the worst case itself. Without
gradients as many corners of the box are tried at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement

from .gradient import Gradient, find_gradient
from .noise import SIZES, mean_change, name_size
from .probe import Answer, Bounds, Probe, put_numbers
from .rates import Flips, measure_flips

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEPS = 8
"""Steps of the search in each direction; twice as many random corners without gradients."""
STEP_SHARE = 0.3
"""Length of each step after the first, as a share of the box's half width."""

Values = Callable[[Floats, NDArray[np.int64]], Answer]
"""Numbers of some rows (by place among all) to the model's answer."""


@dataclass(frozen=True, slots=True)
class Attack:
    """What the search found at one size.

    Parameters
    ----------
    flipped : ndarray of bool, shape [m]
        Rows whose decision some change within the box turns.
    score : ndarray of float64, shape [m]
        Score at the change that moved it furthest.
    """

    flipped: Flags
    score: Floats


def choose_attacked(probe: Probe) -> Bounds:
    """Return the numbers that may be changed: those declared mutable if any feature is, else all of them."""
    mutable = {feature.name for feature in probe.case.subject.features if feature.mutable}
    names = probe.bounds.names
    return probe.bounds.only(tuple(name for name in names if name in mutable) if mutable else names)


def measure_attack(probe: Probe, bounds: Bounds) -> tuple[list[Measurement], Literal["gradients", "random directions"]]:
    """Search for changes that turn decisions, at every size.

    Parameters
    ----------
    probe : Probe
        The rows.
    bounds : Bounds
        The numbers that may be changed.

    Returns
    -------
    list of Measurement
        Flip rates and changes of the score.
    str
        ``gradients`` or ``random directions``.
    """
    gradient = find_gradient(probe.case, bounds.names)
    start = probe.numbers(bounds)

    def ask(values: Floats, rows: NDArray[np.int64]) -> Answer:
        return probe.ask(put_numbers(probe.people.iloc[rows], bounds.names, values))

    found, before = list[Measurement](), np.zeros(len(start), dtype=bool)
    for size in SIZES:
        reach = Reach(start, size * bounds.deviation, bounds)
        attack = (
            follow_gradient(probe, reach, ask, gradient, before)
            if gradient is not None
            else try_corners(probe, reach, ask, before)
        )
        before = attack.flipped  # a wider box holds every change of a narrower one
        found += _describe(probe, attack, name_size(size))
    return found, "gradients" if gradient is not None else "random directions"


def _describe(probe: Probe, attack: Attack, size: str) -> Iterator[Measurement]:
    everybody = np.ones(len(attack.score), dtype=bool)
    if probe.decides:
        flips = Flips(attack.flipped, everybody)
        yield from measure_flips(probe, flips, "robustness.attack_flip_rate", "robustness.attack_flip_gap", size)
    moved = mean_change(probe, Answer(attack.score, None))
    yield Measurement(metric="robustness.attack_score_change", estimate=moved, outcome=size)


@dataclass(frozen=True, slots=True)
class Reach:
    """The box around each row.

    Parameters
    ----------
    start : ndarray of float64, shape [m, k]
        The rows as they are; missing values are not moved.
    half : ndarray of float64, shape [k]
        Half width.
    bounds : Bounds
        Range that no value leaves.
    """

    start: Floats
    half: Floats
    bounds: Bounds

    def hold(self, values: Floats, rows: NDArray[np.int64]) -> Floats:
        """Return values held within box and range."""
        here = self.start[rows]
        return self.bounds.hold(np.clip(values, here - self.half, here + self.half))


def list_directions(probe: Probe) -> list[Floats]:
    """Return which way each row's score is pushed, +1 or -1, shape ``[m]``; both ways where either may turn it."""
    m, base = len(probe.people), probe.base.favourable
    if base is not None and probe.plan.side:
        up = base != (probe.plan.side == "high")
        return [np.where(up, 1.0, -1.0)]
    return [np.ones(m), -np.ones(m)]


def follow_gradient(probe: Probe, reach: Reach, ask: Values, gradient: Gradient, before: Flags) -> Attack:
    """Climb along the sign of the gradient.

    Parameters
    ----------
    probe : Probe
        The rows as they are.
    reach : Reach
        The box.
    ask : callable
        The model.
    gradient : callable
        Of the link along the features that may be changed.
    before : ndarray of bool, shape [m]
        Rows that a narrower box turned already.
    """
    best = Best(probe, before)
    names = reach.bounds.names
    for direction in list_directions(probe):
        rows, values = np.arange(len(reach.start)), reach.start
        for step in range(STEPS):
            slope = gradient(put_numbers(probe.people.iloc[rows], names, values))
            length = 1.0 if step == 0 else STEP_SHARE
            values = reach.hold(values + length * reach.half * np.sign(slope) * direction[rows, None], rows)
            best.take(ask(values, rows), rows)
            left = ~best.flipped[rows] if probe.decides else np.ones(rows.size, dtype=bool)
            rows, values = rows[left], values[left]
            if not rows.size:
                break
    return best.result()


def try_corners(probe: Probe, reach: Reach, ask: Values, before: Flags) -> Attack:
    """Try corners of the box at random, as many as the search along gradients would ask about."""
    best, rng = Best(probe, before), probe.case.rng("robustness corners")
    rows = np.arange(len(reach.start))
    for _ in range(2 * STEPS):
        signs = rng.choice(np.array([-1.0, 1.0]), size=reach.start.shape)[rows]
        best.take(ask(reach.hold(reach.start[rows] + reach.half * signs, rows), rows), rows)
        rows = rows[~best.flipped[rows]] if probe.decides else rows
        if not rows.size:
            break
    return best.result()


class Best:
    """The furthest that each row was moved so far.

    Parameters
    ----------
    probe : Probe
        The rows as they are.
    before : ndarray of bool, shape [m]
        Rows turned already.
    """

    def __init__(self, probe: Probe, before: Flags) -> None:
        self.flipped = before.copy()
        self._base = probe.base
        self._score = probe.base.score.copy()

    def take(self, answer: Answer, rows: NDArray[np.int64]) -> None:
        """Note the answer to changed rows; rows without a score are no find."""
        further = answer.known & (
            np.abs(answer.score - self._base.score[rows]) > np.abs(self._score[rows] - self._base.score[rows])
        )
        self._score[rows[further]] = answer.score[further]
        if answer.favourable is not None and self._base.favourable is not None:
            self.flipped[rows] |= answer.known & (answer.favourable != self._base.favourable[rows])

    def result(self) -> Attack:
        """Return what was found."""
        return Attack(self.flipped, self._score)
