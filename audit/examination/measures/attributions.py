"""The section on attributions: what each column adds to single scores, by several methods on the same rows.

Comes in: the case. Goes out: `Attributions`. Integrated gradients where the format has gradients, column Shapley values
and permutation importance for every format, and what captum offers as far as it can run on this model. A method that
cannot run is listed with its reason and takes no other with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from audit.errors import AuditError
from audit.evidence import (
    Attributions,
    ColumnImportance,
    Definition,
    Estimate,
    Explainer,
    Measurement,
    NotDone,
    ReferenceValue,
)

from .attribution import captum_methods as borrowed
from .attribution.attribution import Attribution, spread_of
from .attribution.gradients import TOLERANCE, expect_gradients, integrate_gradients
from .attribution.importance import keep_finite, measure_completeness, rank_columns, share_columns
from .attribution.layers import measure_layers
from .attribution.mixing import open_mixer
from .attribution.permutation import VARIANCE, measure_permutation
from .attribution.sample import DRAWS, Plan, plan_rows
from .attribution.shapley import sample_shapley
from .deadline import Deadline
from .effects.reasons import say_value
from .labels import doubt_measurements, find_selective

if TYPE_CHECKING:
    from audit.examination.glassbox.glassbox import GlassBox
    from audit.examination.measures.case import Case

NO_GRADIENTS = "the format gives no gradients; Shapley values need none"
METHODS: dict[str, tuple[str, ...]] = {
    "fast": ("integrated_gradients", "shapley", "permutation"),
    "standard": ("integrated_gradients", "shapley", "permutation", "feature_ablation", "deep_lift"),
    "thorough": (
        "integrated_gradients",
        "shapley",
        "permutation",
        "feature_ablation",
        "deep_lift",
        "gradient_shap",
        "lrp",
        "saliency",
    ),
}
"""Methods by effort, in the order of the report."""
MAIN = ("integrated_gradients", "shapley", "permutation")
"""Methods whose importances a rule may name."""
BORROWED = ("feature_ablation", "deep_lift", "lrp", "saliency")
"""Methods that captum computes."""

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="attributions.importance",
        title="Share of all attributions",
        formula="mean absolute Shapley value of the column / sum of it over all columns",
        unit="share",
        better="none",
        source="Strumbelj and Kononenko (2014); interval over rows: delta method",
    ),
    Definition(
        id="attributions.integrated_gradients",
        title="Mean absolute attribution, integrated gradients",
        formula="mean over the explained rows of |integral of the gradient along the straight line from the reference "
        "row, times the column's difference from it|",
        unit="link scale",
        better="none",
        source="Sundararajan, Taly and Yan (2017); Student's interval over rows",
    ),
    Definition(
        id="attributions.shapley",
        title="Mean absolute attribution, Shapley values",
        formula="mean over the explained rows of |mean change of the link when the column takes the row's value in "
        "place of a background row's, over all orders of the columns|",
        unit="link scale",
        better="none",
        source="Shapley (1953); Strumbelj and Kononenko (2014); Student's interval over rows",
    ),
    Definition(
        id="attributions.permutation",
        title="Permutation importance",
        formula="AUC lost (a value: root mean squared error gained; without labels: share of the variance of the link) "
        "when the column's values are dealt out anew among the rows",
        better="none",
        source="Breiman (2001); Fisher, Rudin and Dominici (2019); without labels Jansen (1999)",
    ),
    Definition(
        id="attributions.completeness_error",
        title="Completeness error of integrated gradients",
        formula="mean over the explained rows of |reference score + sum of attributions - score| / standard deviation "
        "of the scores, link scale",
        unit="sd",
        better="lower",
        source="axiom of completeness, Sundararajan, Taly and Yan (2017); Student's interval over rows",
    ),
    Definition(
        id="attributions.standard_error",
        title="Mean standard error of a Shapley value",
        formula="mean over rows and columns of the standard error of a Shapley value by sampling / standard deviation "
        "of the scores, link scale",
        unit="sd",
        better="lower",
        source="spread over antithetic pairs of permutations; Mitchell and others (2022)",
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one method.

    Parameters
    ----------
    explainer : Explainer
        For the report.
    found : Attribution or None
        Values row by row, where it has any.
    """

    explainer: Explainer
    found: Attribution | None = None


def measure_attributions(case: Case) -> Attributions | NotDone:
    """Measure what each column adds to single scores.

    Parameters
    ----------
    case : Case
        The case.

    Returns
    -------
    Attributions or NotDone
        Not done without a model: stored scores cannot be asked again.
    """
    if case.blackbox is None:
        return NotDone(not_done="there is no model that could be asked again, only stored scores or decisions")
    begun, deadline = perf_counter(), Deadline(case.config.effort)
    plan = plan_rows(case)
    if not len(plan.rows):
        return NotDone(not_done="the model gave no score for any row")
    control, named = find_control(case, plan)
    told = [_run(name, case, plan, control, deadline) for name in METHODS[case.config.effort]]
    explainers = [item.explainer for item in told]
    if all(item.not_done for item in explainers):
        return NotDone(not_done="; ".join(dict.fromkeys(item.not_done for item in explainers)))
    return Attributions(
        scale=_name_scale(case),
        rows=len(plan.rows),
        rows_of=len(case.frame),
        drawn=plan.drawn,
        background=len(plan.background),
        permutations=plan.budget.permutations,
        control=named,
        reference=tuple(_say_reference(plan)),
        tolerance=TOLERANCE,
        evaluations=sum(item.evaluations for item in explainers),
        methods=tuple(explainers),
        layers=measure_layers(case, plan),
        measurements=tuple(_measure(told, find_selective(case))),
        notes=tuple(_list_notes(explainers)),
        seconds=round(perf_counter() - begun, 3),
    )


def _run(name: str, case: Case, plan: Plan, control: GlassBox | None, deadline: Deadline) -> Told:
    """Run one method; what stops it is its reason, and takes no other method with it."""
    begun = perf_counter()
    if late := deadline.reason:
        return Told(_refuse(name, NotDone(not_done=late)))
    try:
        if name == "permutation":
            told = Told(_permute(case, plan))
        else:
            found = explain(name, case, plan, control)
            told = Told(_refuse(name, found)) if isinstance(found, NotDone) else _describe(found)
    except AuditError as error:
        told = Told(_refuse(name, NotDone(not_done=f"the model refuses rows that this method makes: {error}")))
    known = {"software": "captum" if name in BORROWED else ""}
    seconds = {} if told.explainer.not_done else {"seconds": round(perf_counter() - begun, 1)}
    return replace(told, explainer=told.explainer.model_copy(update=known | seconds))


def _refuse(name: str, why: NotDone) -> Explainer:
    return Explainer(method=name, not_done=why.not_done)


def explain(name: str, case: Case, plan: Plan, control: GlassBox | None) -> Attribution | NotDone:
    """Run one method that explains single rows.

    Parameters
    ----------
    name : str
        Its id.
    case, plan, control
        The case, the rows, and the glass box that steadies Shapley values.
    """
    box, people, reference = case.blackbox, plan.people, plan.reference
    assert box is not None
    rng = case.rng(f"attributions {name}")
    ways: dict[str, Callable[[], Attribution | NotDone | None]] = {
        "integrated_gradients": lambda: _doubt(integrate_gradients(box, people, reference)),
        "shapley": lambda: sample_shapley(
            box.link, people, plan.background, permutations=plan.budget.permutations, rng=rng, control=control
        ),
        "gradient_shap": lambda: expect_gradients(box, people, plan.background, draws=DRAWS, rng=rng),
        "feature_ablation": lambda: borrowed.attribute_ablation(box, people, reference),
        "deep_lift": lambda: borrowed.attribute_deep_lift(box, people, reference),
        "lrp": lambda: borrowed.attribute_relevance(box, people, reference),
        "saliency": lambda: borrowed.attribute_saliency(box, people, reference),
    }
    return ways[name]() or NotDone(not_done=NO_GRADIENTS)


def _doubt(found: Attribution | None) -> Attribution | NotDone | None:
    """Keep sums that reach their tolerance; the others say so and leave the field to Shapley values."""
    if found is None or found.holds:
        return found
    return NotDone(
        not_done=f"its sums miss the scores of {found.unfinished:,} of {len(found.link):,} rows: something that the "
        "model reads does not move with the gradient, such as codes inside a scripted program or choices by rank or "
        "threshold; Shapley values stand in its place"
    )


def _permute(case: Case, plan: Plan) -> Explainer:
    assert case.blackbox is not None
    rng = case.rng("attributions permutation")
    known = np.arange(len(case.frame)) if case.scores.link is None else np.flatnonzero(np.isfinite(case.scores.link))
    rows = np.sort(rng.choice(known, min(plan.budget.shuffled, known.size), replace=False))
    people = case.frame[list(plan.columns)].iloc[rows].reset_index(drop=True)
    label = None if case.label is None else np.asarray(case.label[rows], dtype=np.float64)
    mixer = open_mixer(case.blackbox.link, people, people)
    estimates, unit, asked = measure_permutation(mixer, label, case.subject.task, repeats=plan.budget.repeats, rng=rng)
    return Explainer(
        method="permutation",
        rows=len(rows),
        evaluations=asked,
        unit=unit,
        importance=_order(plan.columns, estimates),
    )


def _describe(found: Attribution) -> Told:
    """Turn values into importances; rows that got no finite value are left out."""
    kept = keep_finite(found)
    if not len(kept.link):
        return Told(_refuse(found.method, NotDone(not_done="it gives no finite value for any of the rows")))
    unit = spread_of(kept.link, kept.base)
    explainer = Explainer(
        method=kept.method,
        rows=len(kept.link),
        evaluations=kept.evaluations,
        completeness=measure_completeness(kept, unit) if kept.sums and unit > 0 else None,
        unfinished=kept.unfinished,
        standard_error=float(kept.se.mean()) / unit if kept.se is not None and unit > 0 else None,
        unit="link scale" if kept.sums else "a scale of its own",
        importance=_order(kept.columns, rank_columns(kept)),
    )
    return Told(explainer, kept)


def _order(columns: Sequence[str], estimates: Sequence[Estimate]) -> tuple[ColumnImportance, ...]:
    made = [ColumnImportance(feature=name, estimate=item) for name, item in zip(columns, estimates, strict=True)]
    return tuple(sorted(made, key=lambda item: -(item.estimate.value or 0.0)))


def _measure(told: Sequence[Told], selective: str) -> Iterator[Measurement]:
    done = {item.explainer.method: item.explainer for item in told if not item.explainer.not_done}
    values = next((item.found for item in told if item.explainer.method == "shapley"), None)
    if values is not None:
        for name, share in zip(values.columns, share_columns(values) or (), strict=False):
            yield Measurement(metric="attributions.importance", estimate=share, feature=name, model="black_box")
    for name in (name for name in MAIN if name in done):
        made = [
            Measurement(metric=f"attributions.{name}", estimate=item.estimate, feature=item.feature, model="black_box")
            for item in done[name].importance
        ]
        rests_on_labels = name == "permutation" and done[name].unit != VARIANCE
        yield from doubt_measurements(made, selective if rests_on_labels else "")
    if (own := done.get("integrated_gradients")) and own.completeness is not None:
        yield Measurement(metric="attributions.completeness_error", estimate=own.completeness, model="black_box")
    if (shapley := done.get("shapley")) and shapley.standard_error is not None:
        estimate = Estimate(
            value=shapley.standard_error, n=shapley.rows, method="mean over rows and columns; describes these rows"
        )
        yield Measurement(metric="attributions.standard_error", estimate=estimate, model="black_box")


def find_control(case: Case, plan: Plan) -> tuple[GlassBox | None, str]:
    """Return the surrogate that follows the black box most closely out of its folds, and its name; None without one."""
    from audit.examination.glassbox.fit import Fits

    if not isinstance(case.fits, Fits) or case.scores.link is None:
        return None, ""
    link, found = case.scores.link, []
    for name in ("ebm_surrogate", "net_surrogate"):
        box, other = case.fits.models.get(name), case.fits.out_of_fold.get(name)
        if box is not None and other is not None and set(box.encoder.names) <= set(plan.columns):
            found.append((float(np.nanmean((other - link) ** 2)), name, box))
    best = min(found, key=lambda item: item[0], default=None)
    return (None, "") if best is None else (best[2], best[1])


def _say_reference(plan: Plan) -> Iterator[ReferenceValue]:
    for name in plan.columns:
        yield ReferenceValue(feature=name, value=say_value(plan.reference[name].iloc[0]))


def _name_scale(case: Case) -> str:
    if case.subject.task == "regression":
        return "value of the score"
    return f"log-odds of {case.subject.label} = {case.subject.positive}" if case.subject.label else "log-odds"


def _list_notes(explainers: Sequence[Explainer]) -> Iterator[str]:
    by_name = {item.method: item for item in explainers}
    own = by_name["integrated_gradients"]
    if own.not_done:
        yield f"integrated gradients: {own.not_done}"
    elif own.unfinished:
        yield f"integrated gradients: {own.unfinished:,} of {own.rows:,} rows did not reach the tolerance"
    if (shapley := by_name["shapley"]).not_done:
        yield f"Shapley values: {shapley.not_done}"
