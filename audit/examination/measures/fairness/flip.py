"""What changes where nothing but a protected attribute is another one: the model is asked again with it swapped.

Comes in: the black box, its surrogates and a sample of people. Goes out: by group, the share of people whose decision
changes, and how far scores move. A swapped input is no statement about causes: whatever goes along with the attribute
keeps its own value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Definition, Estimate, Measurement, NotDone, undefined
from audit.examination.blackbox.decision import DecisionPlan, decide_rows, follow_rule, plan_decision
from audit.examination.blackbox.output import sigmoid
from audit.examination.blackbox.score import score_batch
from audit.examination.data.groups import UNKNOWN, name_groups
from audit.examination.measures.data import FEWEST_SHOWN
from audit.statistics import mean_interval

from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, rate_estimate, small_note
from .twin import find_twin

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_ROWS = {"fast": 5_000, "standard": 20_000, "thorough": 20_000}
"""Most people that are asked about, by effort."""
MOST_SCORED = {"fast": 50_000, "standard": 400_000, "thorough": 1_000_000}
"""Most swapped rows that one model scores for one attribute; where there are many values, fewer people are asked."""
MOST_VALUES = 20
"""Most values that are put in; where there are more, the most frequent ones."""

BLACK_BOX = "black_box"
_FLIP_RATE = "fairness.counterfactual_flip_rate"
SURROGATES = ("ebm_surrogate", "net_surrogate")

_SAME = 1e-12
_NO_RULE = "there is no decision that follows from this model's score"
_SWAP = "The attribute's value is swapped on the model's input, to every other value that occurs; all else stays."

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.counterfactual_flip_rate",
        title="Decision changes with the attribute",
        formula=f"people whose decision changes for at least one other value of the attribute / people asked. {_SWAP} "
        "0 by construction where the model does not read the attribute's column. No statement about causes.",
        better="lower",
        source="input swap on the model itself; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.counterfactual_favourable_gain",
        title="Would be decided favourably with another value",
        formula="people decided unfavourably who would be decided favourably with at least one other value / people "
        f"asked. {_SWAP}",
        better="lower",
        source="input swap on the model itself; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.counterfactual_favourable_loss",
        title="Would be decided unfavourably with another value",
        formula="people decided favourably who would be decided unfavourably with at least one other value / people "
        f"asked. {_SWAP}",
        better="lower",
        source="input swap on the model itself; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.counterfactual_score_change",
        title="Score change with the attribute",
        formula=f"mean over people of the mean absolute change of their score over all other values. {_SWAP}",
        unit="score",
        better="lower",
        source="input swap on the model itself; interval: Student",
    ),
)

Ask = Callable[["pd.DataFrame"], tuple[Floats, Flags | None]]
"""Rows to score and decision; the decision is None where it does not follow from the score."""


@dataclass(frozen=True, slots=True)
class Swap:
    """One attribute about to be swapped on a sample of people.

    Parameters
    ----------
    column : str
        Column of the model's input.
    people : pandas.DataFrame, shape [m, ...]
        The people asked about.
    place : ndarray of int64, shape [m]
        Place of each person's group in the grouping.
    own : ndarray of str, shape [m]
        Each person's own value, as a group of the column.
    values : dict of str to Any
        Group to the value that is put in for it: the level, or the median of a bin.
    """

    column: str
    people: pd.DataFrame
    place: NDArray[np.int64]
    own: NDArray[Any]
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Swapped:
    """What one model said, each of shape [m]."""

    gain: Flags | None
    """Unfavourable as the person is, favourable with at least one other value; None without decisions."""
    loss: Flags | None
    """The reverse."""
    change: Floats
    """Mean absolute change of the score over the other values."""


def measure_flip(scene: Scene) -> Found:
    """Swap every protected attribute that the model reads, and say what changes.

    Parameters
    ----------
    scene : Scene
        The case and its single attributes.
    """
    case, measurements = scene.case, list[Measurement]()
    if case.blackbox is None:
        why = "there is no model that could be asked again, only stored scores or decisions"
        return Found(tuple(item for grouping in scene.singles for item in _tell_undefined(grouping, why)))
    plan = plan_decision(case.config, case.dataset)
    notes = []
    for grouping in scene.singles:
        column = case.config.groups.attributes[grouping.name].column
        segment = plan.rule.segment if plan.rule is not None else None
        if column not in case.blackbox.columns and column != segment:
            undecided = plan.rule is None
            twin = "" if undecided else find_twin(case, grouping.name)
            measurements += _tell_undefined(grouping, _NO_RULE) if undecided else _tell_unread(grouping, column, twin)
            continue
        swap = prepare_swap(case, grouping, column)
        if len(swap.values) < 2:
            measurements += _tell_undefined(grouping, "one value of the attribute alone occurs, there is no other one")
            continue
        notes.append(_describe_swap(grouping, swap, len(case.frame)))
        for model, ask in list_models(case, plan).items():
            measurements += _measure_model(scene, grouping, swap, model, ask_swapped(swap, ask))
    return Found(tuple(measurements), notes=tuple(notes))


def prepare_swap(case: Case, grouping: Grouping, column: str) -> Swap:
    """Choose the people to ask about and the values to put in.

    Parameters
    ----------
    case : Case
        Rows, groups, effort and seed.
    grouping : Grouping
        The attribute.
    column : str
        Its column among the model's inputs.
    """
    attribute, values = case.config.groups.attributes[grouping.name], case.frame[column].to_numpy()
    own = name_groups(values.astype(np.float64) if values.dtype.kind in "iuf" else values, attribute.bins)
    known = [name for name in _by_frequency(own) if name != UNKNOWN][:MOST_VALUES]
    put_in = {name: _typical(values[own == name]) for name in known}
    effort = case.config.effort
    limit = min(MOST_ROWS[effort], MOST_SCORED[effort] // max(1, len(put_in) - 1))
    places = {group.values[0]: place for place, group in enumerate(grouping.groups)}
    place = np.array([places.get(str(value), -1) for value in case.groups[grouping.name].tolist()], dtype=np.int64)
    rows = draw_by_group(place, limit, case.rng(f"fairness.flip {grouping.name}"))
    return Swap(column, case.frame.iloc[rows], place[rows], own[rows], put_in)


def _by_frequency(names: NDArray[Any]) -> list[str]:
    found, counts = np.unique(names.astype(str), return_counts=True)
    return [str(found[i]) for i in np.argsort(-counts, kind="stable")]


def _typical(values: NDArray[Any]) -> Any:
    """Return the value that stands for a group: the median of numbers, else the most frequent one."""
    if values.dtype.kind in "iuf":
        return float(np.quantile(values, 0.5, method="lower"))
    return Counter(values.tolist()).most_common(1)[0][0]


def draw_by_group(place: NDArray[np.int64], limit: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw at most `limit` rows, as evenly over the groups as they have rows; ascending.

    Parameters
    ----------
    place : ndarray of int64, shape [n]
        Group of each row; -1 is left out.
    limit : int
        Most rows.
    rng : numpy.random.Generator
        Source of chance.
    """
    rows = np.flatnonzero(place >= 0)
    if len(rows) <= limit:
        return rows
    counts = np.bincount(place[rows])
    rest, left, cap = limit, int((counts > 0).sum()), 0
    for count in np.sort(counts[counts > 0]).tolist():
        cap = rest // left
        rest, left = rest - min(count, cap), left - 1
    order = rng.permutation(rows)
    order = order[np.argsort(place[order], kind="stable")]
    within = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[within < cap])


def list_models(case: Case, plan: DecisionPlan) -> dict[str, Ask]:
    """Return the black box and its surrogates as functions from rows to score and decision.

    Parameters
    ----------
    case : Case
        Its model and glass boxes.
    plan : DecisionPlan
        How rows are decided.
    """
    blackbox = case.blackbox
    assert blackbox is not None
    follows = plan.rule is not None and plan.rule.column is None

    def ask_blackbox(rows: pd.DataFrame) -> tuple[Floats, Flags | None]:
        score, _, probabilities = score_batch(blackbox, rows)
        return score, decide_rows(plan, rows, score, probabilities).favourable if follows else None

    models: dict[str, Ask] = {BLACK_BOX: ask_blackbox}
    for name in SURROGATES:
        if not isinstance(case.fits, NotDone) and name in case.fits.models:
            models[name] = _ask_surrogate(case, plan, name)
    return models


def _ask_surrogate(case: Case, plan: DecisionPlan, name: str) -> Ask:
    assert not isinstance(case.fits, NotDone)
    box, is_value = case.fits.models[name], case.subject.task == "regression"

    def ask(rows: pd.DataFrame) -> tuple[Floats, Flags | None]:
        link = box.link(rows)
        score = link if is_value else sigmoid(link)
        return score, follow_rule(plan, rows, score)

    return ask


def ask_swapped(swap: Swap, ask: Ask) -> Swapped:
    """Ask one model about the people as they are and with every other value.

    Parameters
    ----------
    swap : Swap
        People and values.
    ask : callable
        The model.
    """
    score, favourable = ask(swap.people)
    change, asked = np.zeros(len(score)), np.zeros(len(score))
    other = np.zeros(len(score), dtype=bool)
    for name, value in swap.values.items():
        rows = np.flatnonzero(swap.own != name)
        if not len(rows):
            continue
        moved, decided = ask(_put_in(swap.people.iloc[rows], swap.column, value))
        change[rows] += np.abs(moved - score[rows])
        asked[rows] += 1
        if favourable is not None and decided is not None:
            other[rows] |= decided != favourable[rows]
    change = change / np.maximum(asked, 1)
    if favourable is None:
        return Swapped(None, None, change)
    return Swapped(other & ~favourable, other & favourable, change)


def _put_in(people: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    """Return the rows with one value in a column, its type kept."""
    import pandas as pd

    same = pd.Series([value] * len(people), index=people.index, dtype=people[column].dtype)
    return people.assign(**{column: same})


def _measure_model(scene: Scene, grouping: Grouping, swap: Swap, model: str, swapped: Swapped) -> Iterator[Measurement]:
    """Yield every number of one model by group; people of unknown value are asked with every value."""
    drawn = scene.case.sampled and f"drawn from a sample of the rows: {scene.case.sampled}"
    for place, group in enumerate(grouping.groups):
        inside = swap.place == place
        small = small_note(grouping, place, scene.reading)
        note = "; ".join(filter(None, (small, drawn)))
        for name, estimate in _numbers(swapped, inside, note, judged=not small).items():
            yield Measurement(metric=f"fairness.{name}", estimate=estimate, group=group.scope, model=model)


def _numbers(swapped: Swapped, inside: Flags, note: str, *, judged: bool) -> dict[str, Estimate]:
    n = int(inside.sum())
    names = ("counterfactual_flip_rate", "counterfactual_favourable_gain", "counterfactual_favourable_loss")
    if n == 0:
        why = "nobody in this group has a known value of the column that the model reads"
        return {name: undefined(why, n=0) for name in (*names, "counterfactual_score_change")}
    done = {"counterfactual_score_change": _mean_change(swapped.change[inside], note, judged=judged)}
    if swapped.gain is None or swapped.loss is None:
        return {name: undefined(_NO_RULE, n=n) for name in names} | done
    counts = int((swapped.gain | swapped.loss)[inside].sum()), int(swapped.gain[inside].sum())
    for name, k in zip(names, (*counts, counts[0] - counts[1]), strict=True):
        done[name] = rate_estimate(k, n).model_copy(update={"note": note, "assessable": judged})
    return {name: done[name] for name in (*names, "counterfactual_score_change")}


def _mean_change(change: Floats, note: str, *, judged: bool) -> Estimate:
    n = len(change)
    if n < FEWEST_SHOWN:
        return undefined(f"fewer than {FEWEST_SHOWN} people: their mean could be read as one person's", n=n)
    mean = float(change.mean())
    alike = float(np.ptp(change)) <= _SAME
    low, high = mean_interval(mean, 0.0 if alike else float(change.var(ddof=1)), n, LEVEL)
    if math.isnan(low):
        note = "; ".join(filter(None, ("the same change for everybody: no interval can be given", note)))
        return Estimate(value=mean, n=n, method="mean", note=note, assessable=False)
    return Estimate(value=mean, low=max(low, 0.0), high=high, n=n, method="mean, Student", note=note, assessable=judged)


# what is not swapped


def _tell_unread(grouping: Grouping, column: str, twin: str) -> Iterator[Measurement]:
    """Yield a rate of 0 for every group: the model does not read the column; not to be judged where it reads a twin."""
    note = f"the model does not read {column}; what goes along with the attribute can still carry it into the score"
    if twin:
        note = f"the model does not read {column}, but it reads {twin}, which all but tells it: shown, not judged"
    for group in grouping.groups:
        zero = Estimate(
            value=0.0, low=0.0, high=0.0, n=group.n, count=0, method="by construction", note=note, assessable=not twin
        )
        yield Measurement(metric=_FLIP_RATE, estimate=zero, group=group.scope, model=BLACK_BOX)


def _tell_undefined(grouping: Grouping, why: str) -> Iterator[Measurement]:
    """Yield the flip rate of every group as undefined."""
    for group in grouping.groups:
        estimate = undefined(why, n=group.n)
        yield Measurement(metric=_FLIP_RATE, estimate=estimate, group=group.scope, model=BLACK_BOX)


def _describe_swap(grouping: Grouping, swap: Swap, rows: int) -> str:
    """Say who was asked and what was put in."""
    shown = [f"{name} ({value:g})" if isinstance(value, float) else name for name, value in swap.values.items()]
    drawn = f"{len(swap.people):,} of {rows:,} people, drawn evenly over the groups" if len(swap.people) < rows else ""
    return (
        f"{grouping.name} is swapped on the model's input alone, to {', '.join(shown)}"
        f"{f', for {drawn}' if drawn else ''}: an input swap says nothing about causes, and what goes along with the "
        "attribute keeps its own value."
    )
