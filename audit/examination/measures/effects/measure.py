"""Effects of the features: shapes of the glass boxes beside the black box's own, and where they part.

Comes in: the case. Goes out: the section `Effects`: curves on common axes, rugs, importances, disagreements, pairs,
proxy strengths and reversals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import (
    Definition,
    Disagreement,
    Effects,
    Estimate,
    FeatureUsed,
    Measurement,
    NotDone,
    Pair,
    undefined,
)
from audit.examination.data.split import folds_of
from audit.examination.glassbox.encoder import Floats
from audit.examination.glassbox.fit import Fits
from audit.statistics.intervals import logit_interval

from .ale import Sample, measure_own_effect
from .axis import Axis, draw_rug, lay_axis
from .drawn import MODEL_ORDER, Shape, draw_curve, shape_of_black_box, shape_of_box
from .gaps import find_disagreement, measure_reversal
from .proxy import FOLDS, LEAST_GROUP, ProxyAuc, measure_proxy

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

ASKED_ROWS = {"fast": 2_000, "standard": 4_000, "thorough": 4_000}
ASKED_MISSING = 500
GLASS_NOTES = (
    "bands are pointwise; they cover neither the choice of smoothing and of pairs nor what a glass box cannot express",
    "beyond the outermost positions every shape of a glass box is flat",
    "of features that nearly repeat each other one may take the effect of all: read proxies of a group together",
)
MOST_QUESTIONS = {"fast": 20_000, "standard": 60_000, "thorough": 200_000}

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="effects.importance",
        title="Importance",
        formula="mean over the audited rows of |effect of the feature|, the effect centred over these rows",
        unit="link scale",
        source="descriptive; of these rows, so it has no interval",
    ),
    Definition(
        id="effects.importance_share",
        title="Share of importance",
        formula="importance of the feature / sum of the importances of all features of the model",
        source="descriptive; of these rows, so it has no interval",
    ),
    Definition(
        id="effects.disagreement",
        title="Disagreement of effects",
        formula="largest part of |shape of the surrogate - black box's own effect| beyond both pointwise 95 % "
        "bands, over the positions with at least 5 rows and 0.5 % of the rows near; 0 where the bands overlap",
        unit="link scale",
        better="lower",
        source="black box's own effect: accumulated local effects, Apley and Zhu 2020",
    ),
    Definition(
        id="effects.proxy_strength",
        title="Proxy strength",
        formula="cross-validated area under the ROC curve of telling a protected group from the rest by this feature "
        "alone; by attribute: the largest over its groups of at least 30 rows",
        better="lower",
        source="interval: DeLong, DeLong and Clarke-Pearson 1988, mean of the folds",
    ),
    Definition(
        id="effects.reversal",
        title="Move against the expected direction",
        formula="largest move of the shape against the declared direction / range of the shape",
        better="lower",
        source="descriptive; interval: pointwise bands of the two ends",
    ),
)


def measure_effects(case: Case) -> Effects | NotDone:
    """Measure what each feature does, in the glass boxes and in the black box itself.

    Parameters
    ----------
    case : Case
        The case.
    """
    features = case.subject.features
    if not features:
        return NotDone(not_done="the model's features are not known")
    fits = case.fits if isinstance(case.fits, Fits) else Fits()
    if not fits.models and case.blackbox is None:
        return NotDone(not_done="there is neither a glass box nor a model that could be asked")
    weights = _even_weights(case)
    axes = {feature.name: lay_axis(case.frame[feature.name], feature, weights) for feature in features}
    shapes = _draw_shapes(case, fits, axes)
    order = _order_features(features, shapes)
    scale = _name_scale(case)
    disagreements = _list_disagreements(shapes, order, scale)
    asked = max((shape.rows for shape in shapes if shape.model == "black_box"), default=0)
    return Effects(
        scale=scale,
        rows=asked or len(case.frame),
        curves=tuple(draw_curve(shape) for name in order for shape in shapes if shape.axis.feature == name),
        rugs=tuple(draw_rug(axes[name]) for name in order),
        disagreements=disagreements,
        pairs=_list_pairs(case, fits),
        measurements=(
            *_measure_importance(shapes, order),
            *_measure_disagreement(shapes, disagreements, order),
            *_measure_proxies(case, axes, order),
            *_measure_reversals(features, shapes, order),
        ),
        notes=(*fits.notes, *_list_notes(case, fits, axes, asked)),
        broken_parts=fits.list_broken(fits.broken),
    )


def _even_weights(case: Case) -> Floats:
    """Return row weights that sum to one."""
    weights = np.ones(len(case.frame)) if case.weights is None else np.asarray(case.weights, dtype=np.float64)
    even: Floats = weights / weights.sum()
    return even


def _name_scale(case: Case) -> str:
    if case.subject.task == "regression":
        return "value of the score"
    return f"log-odds of {case.subject.label} = {case.subject.positive}" if case.subject.label else "log-odds"


def _draw_shapes(case: Case, fits: Fits, axes: dict[str, Axis]) -> list[Shape]:
    """Return all shapes, by feature, then in the order of the models."""
    shapes: list[Shape] = []
    sample = None if case.blackbox is None else _draw_sample(case)
    boxes = [fits.models[name] for name in MODEL_ORDER if name in fits.models]
    encoded = boxes[0].encoder.encode(case.frame) if boxes else np.empty((0, 0))
    for name, axis in axes.items():
        if case.blackbox is not None and sample is not None and name in case.blackbox.columns:
            own = measure_own_effect(case.blackbox.link, axis, sample)
            if own is not None:
                shapes.append(shape_of_black_box(own, axis))
        for box in boxes:
            j = box.encoder.names.index(name)
            shapes.append(shape_of_box(box, j, encoded[:, j], axis))
    return shapes


def _draw_sample(case: Case) -> Sample:
    assert case.blackbox is not None
    n = len(case.frame)
    rng = case.rng("effects sample")
    rows = np.sort(rng.choice(n, min(n, ASKED_ROWS[case.config.effort]), replace=False))
    columns = list(case.blackbox.columns)
    return Sample(
        frame=case.frame[columns].take(rows).reset_index(drop=True),
        rows=rows,
        without=_missing_rows(case, columns, case.rng("effects missing")),
        most_questions=MOST_QUESTIONS[case.config.effort],
    )


def _missing_rows(case: Case, columns: Sequence[str], rng: np.random.Generator) -> Callable[[str], pd.DataFrame]:
    """Return a function from a feature to rows where it is missing."""

    def find(feature: str) -> pd.DataFrame:
        rows = np.flatnonzero(case.frame[feature].isna().to_numpy())
        if rows.size > ASKED_MISSING:
            rows = np.sort(rng.choice(rows, ASKED_MISSING, replace=False))
        return case.frame[list(columns)].take(rows).reset_index(drop=True)

    return find


def _order_features(features: Sequence[FeatureUsed], shapes: Sequence[Shape]) -> list[str]:
    """Return features, the most important first: to the black box, else to the first model that has shapes."""
    names = [feature.name for feature in features]
    for model in ("black_box", "net_surrogate", "ebm_surrogate", "net_label", "ebm_label"):
        found = {shape.axis.feature: shape.importance for shape in shapes if shape.model == model}
        if found:
            return sorted(names, key=lambda name: (-found.get(name, 0.0), names.index(name)))
    return names


def _list_disagreements(shapes: Sequence[Shape], order: Sequence[str], scale: str) -> tuple[Disagreement, ...]:
    black = {shape.axis.feature: shape for shape in shapes if shape.model == "black_box"}
    found = [
        find_disagreement(shape, black[shape.axis.feature], scale)
        for name in order
        for shape in shapes
        if shape.axis.feature == name and shape.model.endswith("_surrogate") and name in black
    ]
    kept = [item for item in found if item is not None]
    return tuple(sorted(kept, key=lambda item: (-item.beyond, -abs(item.gap))))


def _list_pairs(case: Case, fits: Fits) -> tuple[Pair, ...]:
    weights = _even_weights(case)
    pairs = []
    for name in MODEL_ORDER:
        box = fits.models.get(name)
        if box is None or not box.pairs:
            continue
        encoded = box.encoder.encode(case.frame)
        for pair in box.pairs:
            parts = pair.look_up(encoded)
            pairs.append(Pair(features=pair.features, model=name, importance=float(weights @ np.abs(parts))))
    return tuple(sorted(pairs, key=lambda pair: -pair.importance))


def _measure_importance(shapes: Sequence[Shape], order: Sequence[str]) -> list[Measurement]:
    method = "mean over the audited rows; describes these rows, no interval"
    total: dict[str, float] = {}
    for shape in shapes:
        total[shape.model] = total.get(shape.model, 0.0) + shape.importance
    found = []
    for name in order:
        for shape in (item for item in shapes if item.axis.feature == name):
            value, n = shape.importance, int(shape.axis.x.size)
            share = (
                Estimate(value=value / total[shape.model], n=n, method=method)
                if total[shape.model] > 0
                else undefined("the model gives every row the same score", n=n)
            )
            place = {"feature": name, "model": shape.model}
            found.append(
                Measurement(metric="effects.importance", estimate=Estimate(value=value, n=n, method=method), **place)
            )
            found.append(Measurement(metric="effects.importance_share", estimate=share, **place))
    return found


def _measure_disagreement(
    shapes: Sequence[Shape], disagreements: Sequence[Disagreement], order: Sequence[str]
) -> list[Measurement]:
    rows = {shape.axis.feature: shape.rows for shape in shapes if shape.model == "black_box"}
    method = "largest gap beyond both pointwise 95 % bands"
    by_place = {(item.feature, item.model): item for item in disagreements}
    return [
        Measurement(
            metric="effects.disagreement",
            estimate=Estimate(value=item.beyond, n=rows[name], method=method, note=item.words),
            feature=name,
            model=model,
        )
        for name in order
        for model in ("ebm_surrogate", "net_surrogate")
        if (item := by_place.get((name, model))) is not None
    ]


def _measure_proxies(case: Case, axes: dict[str, Axis], order: Sequence[str]) -> list[Measurement]:
    n = len(case.frame)
    if not case.groups or n < 2 * LEAST_GROUP:
        return []
    folds = folds_of(n, FOLDS, case.rng("effects proxy folds"))
    columns = {attribute.name: attribute.column for attribute in case.subject.attributes}
    found = []
    for name in order:
        for attribute, groups in case.groups.items():
            aucs = measure_proxy(axes[name], groups, folds)
            note = "the feature is the column behind the attribute" if columns.get(attribute) == name else ""
            found += _proxy_measurements(name, attribute, aucs, note)
    return found


def _proxy_measurements(feature: str, attribute: str, aucs: Sequence[ProxyAuc], note: str) -> list[Measurement]:
    metric, method = "effects.proxy_strength", f"mean of {FOLDS} folds, logit interval on DeLong's error"
    found = []
    for item in aucs:
        estimate = _auc_estimate(item, 0.95, method, note)
        found.append(Measurement(metric=metric, estimate=estimate, feature=feature, group={attribute: item.group}))
    if not aucs:
        largest = undefined(f"no group of {attribute} has at least {LEAST_GROUP} rows", method=method)
    else:
        top = max(aucs, key=lambda item: item.auc)
        # the largest of several: each is given the part of the error that makes all of them hold at once
        words = f"best told: {attribute} = {top.group}" + (f"; {note}" if note else "")
        largest = _auc_estimate(top, 1 - 0.05 / len(aucs), f"{method}, simultaneous over {len(aucs)} groups", words)
    return [Measurement(metric=metric, estimate=largest, feature=feature, attribute=attribute), *found]


def _auc_estimate(item: ProxyAuc, level: float, method: str, note: str) -> Estimate:
    low, high = logit_interval(item.auc, item.se, level)
    if not np.isfinite(item.auc):
        return undefined("the group is missing from a fold", n=item.n, method=method)
    known = np.isfinite(low)
    return Estimate(
        value=item.auc, low=low if known else None, high=high if known else None, n=item.n, method=method, note=note
    )


def _measure_reversals(
    features: Sequence[FeatureUsed], shapes: Sequence[Shape], order: Sequence[str]
) -> list[Measurement]:
    expected = {feature.name: feature.expected for feature in features if feature.expected}
    return [
        Measurement(
            metric="effects.reversal",
            estimate=measure_reversal(shape, expected[name]),
            feature=name,
            model=shape.model,
        )
        for name in order
        if name in expected
        for shape in shapes
        if shape.axis.feature == name
    ]


def _list_notes(case: Case, fits: Fits, axes: dict[str, Axis], asked: int) -> list[str]:
    notes = [note for box in fits.models.values() for note in box.notes]
    notes += [f"{name}: {reason}" for name, reason in fits.not_done.items()]
    if isinstance(case.fits, NotDone):
        notes.append(f"no glass boxes: {case.fits.not_done}")
    if fits.models:
        notes += GLASS_NOTES
    if case.blackbox is None:
        notes.append(
            "only scores were supplied: the black box's own effects cannot be measured, its surrogates stand in"
        )
    elif asked and asked < len(case.frame):
        notes.append(f"the black box was asked on a sample of {asked:,} rows (seed {case.seed})")
    notes += [
        f"{axis.feature}: the {axis.shown} most frequent of {len(axis.levels)} levels are shown"
        for axis in axes.values()
        if axis.kind == "category" and axis.shown < len(axis.levels)
    ]
    return notes
