"""Everything a measure may look at, laid out once.

Comes in: configuration, data, model, scores, glass boxes. Goes out: one frozen `Case` that every measure reads and none
changes; seeds come from it, so that the order of the measures changes no number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audit.config.schema import DecisionRule, ExamineConfig
from audit.errors import ConfigError
from audit.evidence import AttributeUsed, Decision, FeatureUsed, Intake, NotDone, Subject
from audit.examination.blackbox.conditions import OTHERWISE, cut_of, list_levels
from audit.examination.blackbox.decision import DecisionPlan, plan_decision
from audit.examination.data.classes import class_names

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.blackbox.blackbox import BlackBox
    from audit.examination.blackbox.score import Scores
    from audit.examination.data.dataset import Dataset
    from audit.examination.data.read import Role
    from audit.examination.glassbox.fit import Fits
    from audit.examination.tally.roll import Roll
    from audit.examination.tally.tally import Tally


@dataclass(frozen=True, slots=True)
class Case:
    """One examination in the making.

    Parameters
    ----------
    config : ExamineConfig
        What was asked.
    subject : Subject
        What is audited, for the report.
    dataset : Dataset
        The rows as read.
    frame : pandas.DataFrame
        All audited rows, typed, shape ``[n, columns]``.
    label : ndarray of float64, shape [n], or None
        1, 0, or NaN where unknown; None where no label was given.
    weights : ndarray of float64, shape [n], or None
        Row weights.
    groups : dict of str to ndarray of str, shape [n]
        Value of each protected attribute per row, ``unknown`` where missing.
    scores : Scores
        Score, link and decision per row.
    tally : Tally
        Counts of all rows by attribute, label and decision.
    roll : Roll
        All rows as groups, label, score and decision: what every number about people rests on. `frame`, `label`,
        `weights`, `groups` and `scores` are the same rows, or a sample of them where there are too many.
    blackbox : BlackBox or None
        The model; None for stored scores or decisions.
    intake : Intake
        How it was taken in.
    fits : Fits or NotDone
        The glass boxes, or why there are none.
    training : Dataset or None
        Rows of the separate training file of the glass boxes, if one was named.
    sampled : str
        What the sample is, for a reader; empty where `frame` holds all rows.
    beside : mapping of str to Dataset
        Tables of ``data.baseline`` and ``data.out_of_time``, where they are named.
    """

    config: ExamineConfig
    subject: Subject
    dataset: Dataset
    frame: pd.DataFrame
    label: np.ndarray | None
    weights: np.ndarray | None
    groups: dict[str, np.ndarray]
    scores: Scores
    tally: Tally
    roll: Roll
    blackbox: BlackBox | None
    intake: Intake
    fits: Fits | NotDone
    training: Dataset | None = None
    sampled: str = ""
    beside: Mapping[Role, Dataset] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        """The one seed."""
        return self.config.seed

    def rng(self, name: str) -> np.random.Generator:
        """Return a generator that depends on the seed and on `name` alone."""
        return seeded_generator(self.seed, name)


def seeded_generator(seed: int, name: str) -> np.random.Generator:
    """Return a NumPy generator (PCG64) derived from the one seed and the name of its use."""
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, word])))


def describe_subject(
    config: ExamineConfig, dataset: Dataset, columns: tuple[str, ...], scores: Scores, *, has_model: bool
) -> Subject:
    """Say what is audited.

    Parameters
    ----------
    config : ExamineConfig
        The configuration.
    dataset : Dataset
        The rows as read, for the kinds of columns.
    columns : tuple of str
        Columns that the model reads, in its order.
    scores : Scores
        Which side of the decision goes with the positive class.
    has_model : bool
        False for stored scores or decisions alone.
    """
    return Subject(
        title=config.title or f"Audit of {config.system.name}",
        system=config.system.name,
        version=config.system.version,
        task=config.model.output.task,
        label=config.label.column if config.label else "",
        positive=str(config.label.positive) if config.label else "",
        classes=class_names(config),
        decision=_describe_decision(plan_decision(config, dataset), scores),
        attributes=tuple(
            AttributeUsed(
                name=name,
                column=attribute.column,
                stands_for=attribute.stands_for or "",
                bins=attribute.bins,
                reference=attribute.reference or "",
                population=attribute.population,
            )
            for name, attribute in config.groups.attributes.items()
        ),
        intersections=list_intersections(config),
        features=tuple(_describe_feature(config, dataset, name) for name in columns),
        has_model=has_model,
        small_count=config.small_group.count,
        small_share=config.small_group.share,
        about=config.data.about,
    )


def list_intersections(config: ExamineConfig) -> tuple[tuple[str, ...], ...]:
    """Return the intersections to measure, in configuration order; each names its attributes in their order, once."""
    names = tuple(config.groups.attributes)
    if config.intersections == "none":
        return ()
    if config.intersections == "pairs":
        return tuple((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    return tuple(dict.fromkeys(tuple(sorted(set(item), key=names.index)) for item in config.intersections))


def _describe_decision(plan: DecisionPlan, scores: Scores) -> Decision | None:
    rule = plan.rule
    if rule is None:
        return None
    positive = None if plan.positive is None or plan.kind != "class" else plan.outcomes[plan.positive]
    high = plan.side != "low" if positive is None or not plan.favoured else positive in plan.favoured
    same = high
    if plan.predicts and not plan.side and scores.predicted_positive is not None and scores.favourable is not None:
        same = high = bool(np.mean(scores.predicted_positive == scores.favourable) >= 0.5)
    return Decision(
        favourable=_say_favourable(plan, rule),
        threshold=cut_of(rule),
        favourable_is_high=high,
        positive_is_favourable=same,
        predicts=plan.predicts,
        bands=rule.bands,
        segment=rule.segment or "",
        segments=rule.segments,
        outcomes=plan.outcomes,
        favourable_outcomes=plan.favoured,
    )


def _say_favourable(plan: DecisionPlan, rule: DecisionRule) -> str:
    """Return the favourable side as it was written, with the conditions behind names."""
    if rule.column is not None:
        return f"{rule.column} = {' or '.join(str(level) for level in list_levels(rule.favourable))}"
    if rule.segments:
        return "; ".join(
            f"otherwise {condition}" if name == OTHERWISE else f"{rule.segment} = {name}: {condition}"
            for name, condition in rule.segments.items()
        )
    if rule.bands and plan.favoured:
        return " or ".join(f"{name} ({rule.bands[name]})" for name in plan.favoured)
    if plan.favoured:
        return f"predicted class = {' or '.join(plan.favoured)}"
    return str(rule.favourable)


def _describe_feature(config: ExamineConfig, dataset: Dataset, name: str) -> FeatureUsed:
    declared = config.features.get(name)
    mutable = declared.mutable if declared else False
    if isinstance(mutable, str) and dataset.kinds[name] != "number":
        raise ConfigError(
            f"{name} is no number: nothing about it can {mutable}",
            place=f"features.{name}.mutable",
            hint="say `true`, or declare `kind: number`",
        )
    behind = {attribute.column for attribute in config.groups.attributes.values()}
    return FeatureUsed(
        name=name,
        kind=dataset.kinds[name],
        role=(declared.role if declared else None) or "",
        expected=(declared.expected if declared else None) or "",
        monotone=(declared.monotone if declared else None) or "",
        mutable=bool(mutable),
        one_way=mutable if isinstance(mutable, str) else "",
        protected=name in behind,  # also where the groups come from another table: a column of that name is the same
    )
