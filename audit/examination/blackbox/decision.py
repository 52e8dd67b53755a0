"""What is decided on a row: a cut, bands, a cut per segment, the predicted class, or what stands in the data.

Comes in: the configuration, settled once into a `DecisionPlan`, and batches of rows with their scores. Goes out: the
`Decisions` of a batch. Nothing here needs more than the batch, so that rows may be decided in pieces, anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from audit.config.schema import DecisionRule, ExamineConfig
from audit.config.settings import Level
from audit.errors import ConfigError, suggest_name
from audit.examination.data.classes import class_names, index_of_class, positive_place, truth_of
from audit.examination.data.groups import order_groups
from audit.examination.data.values import match_key

from .conditions import (
    OTHERWISE,
    Side,
    apply_condition,
    favourable_side,
    is_condition,
    list_favoured,
    list_levels,
    place_bands,
)
from .levels import LevelIndex
from .stored import decisions_of

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.data.dataset import Dataset

MOST_OUTCOMES = 20
"""A stored column with more different decisions is no list of outcomes."""

Kind = Literal["", "band", "class"]


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """How rows are decided.

    Parameters
    ----------
    config : ExamineConfig
        Where the rule, the label and the classes stand.
    rule : DecisionRule or None
        The rule, a default one included; None where nothing is decided.
    outcomes : tuple of str
        Bands, classes or stored decisions, where there are more than two sides.
    kind : {"", "band", "class"}
        What the outcomes are: classes are values of the label, too.
    favoured : tuple of str
        Those of the outcomes that are good for the person.
    side : {"", "high", "low"}
        Side of the score that is favourable; empty where it is neither, or the score does not decide.
    predicts : bool
        Whether the two sides of the decision are a prediction of the label's positive class and of the rest.
    positive : int or None
        Place of the positive class among the classes, where a model has several.
    notes : tuple of str
        What a reader should know of it.
    """

    config: ExamineConfig
    rule: DecisionRule | None
    outcomes: tuple[str, ...] = ()
    kind: Kind = ""
    favoured: tuple[str, ...] = ()
    side: Side = ""
    predicts: bool = False
    positive: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is decided on the rows of a batch.

    Parameters
    ----------
    favourable : ndarray of bool, shape [n], or None
        Whether the decision is good for the person; None where nothing is decided.
    predicted_positive : ndarray of bool, shape [n], or None
        Whether the label's positive class is predicted. Stored decisions do not say: see `read_side`.
    outcome : ndarray of int32, shape [n], or None
        Place of the band or class among the plan's outcomes.
    truth : ndarray of int32, shape [n], or None
        Place of the true class, -1 where unknown; None for bands and without labels.
    """

    favourable: np.ndarray | None
    predicted_positive: np.ndarray | None = None
    outcome: np.ndarray | None = None
    truth: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Outcomes of a plan in the making."""

    names: tuple[str, ...] = ()
    kind: Kind = ""
    favoured: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def plan_decision(config: ExamineConfig, dataset: Dataset | None) -> DecisionPlan:
    """Settle how rows are decided, before the first of them is.

    Parameters
    ----------
    config : ExamineConfig
        The configuration, its classes settled.
    dataset : Dataset or None
        For the values of a column of stored decisions; None where it is enough to know which are favourable.

    Raises
    ------
    ConfigError
        Conditions that point different ways, or a favourable value that is no band or class.
    """
    task, classes = config.model.output.task, class_names(config)
    rule = config.decision if config.decision is not None else DecisionRule(made=task == "binary")
    if not rule.made:
        kind: Kind = "class" if classes else ""
        return DecisionPlan(config, None, classes, kind, positive=positive_place(config))
    if rule.column is not None:
        outcomes = _stored_outcomes(rule, dataset, classes)
    elif rule.bands:
        outcomes = _Outcomes(tuple(rule.bands), "band", list_favoured(rule))
    elif classes:
        cut = is_condition(rule.favourable)
        outcomes = _Outcomes(classes, "class", () if cut else _match_classes(rule.favourable, classes))
    else:
        outcomes = _Outcomes()
    by_class = bool(outcomes.kind == "class" and outcomes.favoured)
    side: Side = "" if by_class or rule.column is not None else favourable_side(rule)
    predicts = task != "regression" and _says_class(rule, outcomes, side, config)
    notes = (*outcomes.notes, *_describe_bands(rule, side, predicts=predicts))
    return DecisionPlan(
        config, rule, outcomes.names, outcomes.kind, outcomes.favoured, side, predicts, positive_place(config), notes
    )


def decide_rows(
    plan: DecisionPlan, frame: pd.DataFrame, score: np.ndarray | None, probabilities: np.ndarray | None = None
) -> Decisions:
    """Decide the rows of a batch.

    Parameters
    ----------
    plan : DecisionPlan
        How.
    frame : pandas.DataFrame, shape [n, ...]
        The rows.
    score : ndarray of float64, shape [n], or None
        Probability of the positive class, or value.
    probabilities : ndarray of float, shape [n, classes], or None
        Probability of each class, where there are several.

    Raises
    ------
    ConfigError
        A row falls into no band or belongs to a segment without a condition.
    DataError
        A stored decision is missing.
    """
    outcome = _outcome_of(plan, frame, score, probabilities)
    truth = truth_of(frame, plan.config, plan.outcomes) if plan.kind == "class" else None
    favourable = _favourable_of(plan, frame, score, outcome)
    return Decisions(favourable, _predict(plan, favourable, outcome), outcome, truth)


def follow_rule(plan: DecisionPlan, frame: pd.DataFrame, score: np.ndarray) -> np.ndarray | None:
    """Return what the same rule decides on another score of the same rows, bool, shape ``[n]``.

    Parameters
    ----------
    plan : DecisionPlan
        How the black box's rows are decided.
    frame : pandas.DataFrame, shape [n, ...]
        The rows.
    score : ndarray of float64, shape [n]
        Score of another model, on the same scale.

    Returns
    -------
    ndarray or None
        None where the rule is no cut on the score: nothing decided, stored decisions, the most probable class.
    """
    if plan.rule is None or plan.rule.column is not None or (plan.kind == "class" and plan.favoured):
        return None
    return _favourable_of(plan, frame, score, _outcome_of(plan, frame, score, None))


def read_side(favourable: np.ndarray, score: np.ndarray | None) -> tuple[np.ndarray, str]:
    """Return whether stored decisions predict the label's positive class, bool of shape ``[n]``, and a note.

    Parameters
    ----------
    favourable : ndarray of bool, shape [n]
        Stored decisions of all rows.
    score : ndarray of float64, shape [n], or None
        Scores, if there are any: the side with the higher mean is the predicted positive one.
    """
    both = score is not None and favourable.any() and not favourable.all()
    if score is not None and both and score[favourable].mean() < score[~favourable].mean():
        note = (
            "rows decided unfavourably have the higher mean score; the unfavourable decision is taken as the "
            "prediction of the label's positive class"
        )
        return ~favourable, note
    return favourable, "the favourable decision is taken as the prediction of the label's positive class"


def _match_classes(wanted: Level | tuple[Level, ...], classes: Sequence[str]) -> tuple[str, ...]:
    keys = {match_key(name): name for name in classes}
    named = []
    for level in list_levels(wanted):
        if match_key(level) not in keys:
            raise ConfigError(
                f"the favourable class '{level}' is not among the classes {', '.join(classes)}",
                place="decision.favourable",
                hint=suggest_name(str(level), classes) or "name one of them, or a list",
            )
        named.append(keys[match_key(level)])
    return tuple(name for name in classes if name in named)


def _stored_outcomes(rule: DecisionRule, dataset: Dataset | None, classes: tuple[str, ...]) -> _Outcomes:
    """Return the values of a stored column as outcomes where there are more than two of them."""
    described = () if dataset is None else dataset.described
    levels = next((facts.levels for facts in described if facts.name == rule.column), ())
    keys = {match_key(level) for level in levels}
    if classes and keys <= {match_key(name) for name in classes}:
        return _Outcomes(classes, "class", _match_classes(rule.favourable, classes))
    if len(keys) <= 2:
        return _Outcomes()
    if len(keys) > MOST_OUTCOMES:
        note = (
            f"column {rule.column} has {len(keys):,} different decisions, more than {MOST_OUTCOMES}: they are read as "
            "favourable or not, and not counted one by one"
        )
        return _Outcomes(notes=(note,))
    names = order_groups(dict.fromkeys(levels))
    wanted = {match_key(level) for level in list_levels(rule.favourable)}
    return _Outcomes(names, "band", tuple(name for name in names if match_key(name) in wanted))


def _says_class(rule: DecisionRule, outcomes: _Outcomes, side: Side, config: ExamineConfig) -> bool:
    """Return whether favourable or not means the positive class or the rest."""
    if outcomes.kind == "class" and outcomes.favoured:
        positive = outcomes.names[index_of_class(config, outcomes.names)]
        rest = tuple(name for name in outcomes.names if name != positive)
        return outcomes.favoured in ((positive,), rest)
    return rule.column is not None or bool(side)


def _describe_bands(rule: DecisionRule, side: Side, *, predicts: bool) -> tuple[str, ...]:
    if not rule.bands:
        return ()
    favoured = ", ".join(list_favoured(rule)) or str(rule.favourable)
    if predicts:
        says = "positive" if side == "high" else "negative"
        return (f"favourable bands ({favoured}) are read as the prediction of the label's {says} class",)
    return (
        f"the favourable bands ({favoured}) are no one side of the score: they predict no class, and rates that need a "
        "prediction are not measured",
    )


def _outcome_of(
    plan: DecisionPlan, frame: pd.DataFrame, score: np.ndarray | None, probabilities: np.ndarray | None
) -> np.ndarray | None:
    rule = plan.rule
    if not plan.outcomes:
        return None
    if rule is not None and rule.column is not None:
        return LevelIndex(plan.outcomes).positions(frame[rule.column]).astype(np.int32)
    if rule is not None and rule.bands:
        return None if score is None else place_bands(rule.bands, score)
    return None if probabilities is None else probabilities.argmax(axis=1).astype(np.int32)


def _favourable_of(
    plan: DecisionPlan, frame: pd.DataFrame, score: np.ndarray | None, outcome: np.ndarray | None
) -> np.ndarray | None:
    rule = plan.rule
    if rule is None:
        return None
    if rule.column is not None:
        return decisions_of(rule, frame)
    if outcome is not None and plan.favoured:
        return np.isin(outcome, [plan.outcomes.index(name) for name in plan.favoured])
    if score is None:
        raise ConfigError(
            "there are no scores to decide on and no column of decisions",
            place="decision",
            hint="decision: {column: COLUMN, favourable: VALUE}",
        )
    if rule.segments:
        return _decide_segments(rule, frame, score)
    return apply_condition(str(rule.favourable), score)


def _decide_segments(rule: DecisionRule, frame: pd.DataFrame, score: np.ndarray) -> np.ndarray:
    """Decide each row by the condition of its segment."""
    named = [name for name in rule.segments if name != OTHERWISE]
    places = LevelIndex(named).positions(frame[str(rule.segment)])
    favourable = np.zeros(len(score), dtype=bool)
    for place, name in enumerate(named):
        here = places == place
        favourable[here] = apply_condition(rule.segments[name], score[here])
    free = places < 0
    if free.any() and OTHERWISE not in rule.segments:
        values = sorted({str(value) for value in frame[str(rule.segment)][free].fillna("missing").unique()})
        raise ConfigError(
            f"{int(free.sum()):,} rows have a {rule.segment} that no segment names: {', '.join(values[:8])}",
            place="decision.segments",
            hint=f"add a condition for each, or `otherwise: {next(iter(rule.segments.values()))}`",
        )
    if free.any():
        favourable[free] = apply_condition(rule.segments[OTHERWISE], score[free])
    return favourable


def _predict(plan: DecisionPlan, favourable: np.ndarray | None, outcome: np.ndarray | None) -> np.ndarray | None:
    """Return whether the positive class is predicted; None where that is not known, or not known from one batch."""
    if plan.kind == "class" and outcome is not None and plan.positive is not None:
        return np.asarray(outcome == plan.positive)
    if favourable is None or not plan.predicts or not plan.side:
        return None
    return favourable if plan.side == "high" else ~favourable
