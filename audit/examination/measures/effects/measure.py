"""Effects of the features: shapes of the glass boxes beside the black box's own, and where they part.

Comes in: the case. Goes out: the section `Effects`: curves on common axes, rugs, interactions as surfaces, one worked
sum, disagreements, and every number about features and models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audit.evidence import Curve, Effects, FeatureUsed, Measurement, NotDone, Pair, PairSurface, WorkedSum
from audit.examination.data.split import folds_of
from audit.examination.glassbox.encoder import Floats
from audit.examination.glassbox.fit import Fits
from audit.examination.glassbox.glassbox import GlassBox

from .ale import OwnEffect, Sample, measure_own_effect
from .axis import Axis, draw_rug, lay_axis
from .definitions import DEFINITIONS
from .drawn import MODEL_ORDER, PARTIAL_DEPENDENCE, Shape, draw_curve, shape_of_black_box, shape_of_box
from .extrapolation import measure_extrapolation
from .model_numbers import even_rows, measure_black_box, measure_box
from .pdp import measure_partial_dependence
from .proxy import measure_proxies, weigh_proxies
from .redundancy import FOLDS, MOST_ROWS, measure_redundancy
from .shape_numbers import (
    list_disagreements,
    measure_disagreement,
    measure_importance,
    measure_moves,
    share_importance,
)
from .surfaces import choose_pairs, draw_glass_surface, draw_own_surface, planes_of
from .worked import make_typical, work_sum

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

__all__ = ["DEFINITIONS", "measure_effects"]

ASKED_ROWS = {"fast": 2_000, "standard": 4_000, "thorough": 4_000}
ASKED_MISSING = 500
GLASS_NOTES = (
    "bands are pointwise; they cover neither the choice of smoothing and of pairs nor what a glass box cannot express",
    "beyond the outermost positions every shape of a glass box is flat",
    "of features that nearly repeat each other one may take the effect of all: read proxies of a group together, and "
    "look at their concurvity",
)
MOST_QUESTIONS = {"fast": 20_000, "standard": 60_000, "thorough": 200_000}
"""Questions per feature with levels."""
PDP_QUESTIONS = {"fast": 5_000, "standard": 20_000, "thorough": 60_000}
"""Questions per number for its partial dependence."""
PAIR_QUESTIONS = {"fast": 6_000, "standard": 12_000, "thorough": 40_000}
"""Questions per surface."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is drawn from.

    Parameters
    ----------
    axes : dict of str to Axis
        Feature to its axis.
    weights : ndarray of float64, shape [n]
        Row weights, sum one.
    boxes : tuple of GlassBox
        Glass boxes with one output, in the order of the models.
    encoded : ndarray of float64, shape [n, features]
        Audited rows in their code.
    sample : Sample or None
        Rows that the black box is asked about; None without a model.
    shapes : tuple of Shape
        Every model's effects, by feature.
    dependence : dict of str to Shape
        Feature to the black box's partial dependence.
    order : tuple of str
        Features, the most important first.
    """

    axes: dict[str, Axis]
    weights: Floats
    boxes: tuple[GlassBox, ...]
    encoded: Floats
    sample: Sample | None
    shapes: tuple[Shape, ...] = ()
    dependence: dict[str, Shape] | None = None
    order: tuple[str, ...] = ()

    @property
    def asked(self) -> int:
        """Rows that the black box was asked about."""
        return max((shape.rows for shape in self.shapes if shape.model == "black_box"), default=0)


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
    gathered = _draw_shapes(case, _gather(case, fits))
    scale, order = _name_scale(case), gathered.order
    disagreements = list_disagreements(gathered.shapes, order, scale)
    pairs, surfaces = _draw_pairs(case, gathered)
    return Effects(
        scale=scale,
        rows=gathered.asked or len(case.frame),
        curves=tuple(curve for name in order for curve in _list_curves(gathered, name)),
        rugs=tuple(draw_rug(gathered.axes[name]) for name in order),
        disagreements=disagreements,
        pairs=pairs,
        surfaces=surfaces,
        worked=_work_sums(case, fits),
        measurements=(
            *measure_importance(gathered.shapes, order),
            *measure_disagreement(gathered.shapes, disagreements, order),
            *_measure_proxies(case, gathered),
            *measure_moves(features, gathered.shapes, order),
            *_measure_models(case, gathered),
            *_measure_redundancy(case, gathered),
            *_measure_extrapolation(case, fits),
        ),
        notes=(*fits.notes, *_list_notes(case, fits, gathered)),
        broken_parts=fits.list_broken(fits.broken),
    )


def _gather(case: Case, fits: Fits) -> Gathered:
    weights = np.ones(len(case.frame)) if case.weights is None else np.asarray(case.weights, dtype=np.float64)
    even: Floats = weights / weights.sum()
    boxes = tuple(fits.models[name] for name in MODEL_ORDER if name in fits.models)
    return Gathered(
        axes={feature.name: lay_axis(case.frame[feature.name], feature, even) for feature in case.subject.features},
        weights=even,
        boxes=boxes,
        encoded=boxes[0].encoder.encode(case.frame) if boxes else np.empty((len(case.frame), 0)),
        sample=None if case.blackbox is None else _draw_sample(case),
    )


def _name_scale(case: Case) -> str:
    if case.subject.task == "regression":
        return "value of the score"
    return f"log-odds of {case.subject.label} = {case.subject.positive}" if case.subject.label else "log-odds"


def _draw_shapes(case: Case, gathered: Gathered) -> Gathered:
    """Return the same with all shapes, by feature, then in the order of the models."""
    shapes: list[Shape] = []
    dependence: dict[str, Shape] = {}
    for name, axis in gathered.axes.items():
        own = _ask_own(case, gathered, axis)
        if own is not None:
            shapes.append(shape_of_black_box(own, axis))
            partial = _ask_partial(case, gathered, axis, own)
            if partial is not None:
                dependence[name] = shape_of_black_box(partial, axis, PARTIAL_DEPENDENCE)
        for box in gathered.boxes:
            j = box.encoder.names.index(name)
            shapes.append(shape_of_box(box, j, gathered.encoded[:, j], axis))
    order = _order_features(case.subject.features, shapes)
    return replace(gathered, shapes=tuple(shapes), dependence=dependence, order=tuple(order))


def _ask_own(case: Case, gathered: Gathered, axis: Axis) -> OwnEffect | None:
    if case.blackbox is None or gathered.sample is None or axis.feature not in case.blackbox.columns:
        return None
    return measure_own_effect(case.blackbox.link, axis, gathered.sample)


def _ask_partial(case: Case, gathered: Gathered, axis: Axis, own: OwnEffect) -> OwnEffect | None:
    assert case.blackbox is not None
    assert gathered.sample is not None
    most = PDP_QUESTIONS[case.config.effort]
    return measure_partial_dependence(case.blackbox.link, axis, gathered.sample, own, most)


def _list_curves(gathered: Gathered, feature: str) -> list[Curve]:
    """Return the curves of a feature; what is only shown stands before what is compared."""
    partial = (gathered.dependence or {}).get(feature)
    shapes = ([] if partial is None else [partial]) + [s for s in gathered.shapes if s.axis.feature == feature]
    return [draw_curve(shape) for shape in shapes]


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


def _draw_pairs(case: Case, gathered: Gathered) -> tuple[tuple[Pair, ...], tuple[PairSurface, ...]]:
    """Return all interactions, the strongest first, and the surfaces of the first few."""
    pairs, terms = [], {}
    for box in gathered.boxes:
        for term in box.pairs:
            parts = term.look_up(gathered.encoded)
            centre = float(gathered.weights @ parts)
            importance = float(gathered.weights @ np.abs(parts - centre))
            pairs.append(Pair(features=term.features, model=box.name, importance=importance))
            terms[frozenset(term.features), box.name] = (term, box, centre, importance)
    pairs.sort(key=lambda pair: -pair.importance)
    surfaces: list[PairSurface] = []
    for features, plane in planes_of(choose_pairs(pairs), gathered.axes).items():
        for name in MODEL_ORDER:
            if (found := terms.get((frozenset(features), name))) is not None:
                term, box, centre, importance = found
                surfaces.append(draw_glass_surface(term, name, box.encoder, plane, centre, importance))
        if case.blackbox is not None and gathered.sample is not None and set(features) <= set(case.blackbox.columns):
            most = PAIR_QUESTIONS[case.config.effort]
            surfaces.append(draw_own_surface(case.blackbox.link, plane, gathered.sample, most))
            pairs.append(Pair(features=features, model="black_box", importance=surfaces[-1].importance))
    return tuple(pairs), tuple(surfaces)


def _work_sums(case: Case, fits: Fits) -> tuple[WorkedSum, ...]:
    """Return one prediction added up from the net's tables: of the surrogate, else of the fit on the labels."""
    name = next((name for name in ("net_surrogate", "net_label") if name in fits.models), None)
    if name is None:
        return ()
    typical = make_typical(case.frame, case.subject.features)
    value = case.subject.task == "regression"
    return (work_sum(fits.models[name], typical, case.blackbox, is_value=value),)


def _measure_proxies(case: Case, gathered: Gathered) -> list[Measurement]:
    proxies = measure_proxies(case, gathered.axes, gathered.order)
    return [*proxies, *weigh_proxies(proxies, share_importance(gathered.shapes), len(case.frame))]


def _measure_models(case: Case, gathered: Gathered) -> list[Measurement]:
    own = [shape for shape in gathered.shapes if shape.model == "black_box"]
    found: list[Measurement] = []
    if case.scores.link is not None:
        found += measure_black_box(own, case.scores.link, gathered.weights, gathered.order)
    for box in gathered.boxes:
        found += measure_box(box, gathered.encoded, gathered.weights, gathered.order)
    return found


def _measure_redundancy(case: Case, gathered: Gathered) -> list[Measurement]:
    rows = even_rows(len(case.frame), MOST_ROWS)
    folds = folds_of(rows.size, FOLDS, case.rng("effects redundancy"))
    found = measure_redundancy([gathered.axes[name] for name in gathered.order], rows, folds)
    return [
        Measurement(metric="effects.redundancy", estimate=estimate, feature=name)
        for name, estimate in zip(gathered.order, found, strict=True)
    ]


def _measure_extrapolation(case: Case, fits: Fits) -> list[Measurement]:
    if not fits.models:
        return []
    training = None if case.training is None else case.training.frame()
    return measure_extrapolation(case.subject.features, case.frame, training)


def _list_notes(case: Case, fits: Fits, gathered: Gathered) -> list[str]:
    asked = gathered.asked
    notes = [f"all effects: {case.sampled}"] if case.sampled else []
    notes += [note for box in fits.models.values() for note in box.notes]
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
    if fits.by_class:
        names = ", ".join(fits.by_class)
        notes.append(
            f"the curves are those of the class {case.subject.positive} against the rest; {names}: one table per class "
            "stands with the report besides"
        )
    notes += [
        f"{axis.feature}: the {axis.shown} most frequent of {len(axis.levels)} levels are shown"
        for axis in gathered.axes.values()
        if axis.kind == "category" and axis.shown < len(axis.levels)
    ]
    return notes
