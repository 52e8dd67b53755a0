"""Numbers of shapes: importance, disagreement, moves against what is expected, jumps.

Comes in: all shapes on their common axes. Goes out: measurements by feature and model, in the order of the report.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.evidence import Disagreement, Estimate, FeatureUsed, Measurement, undefined

from .drawn import Shape
from .gaps import find_disagreement, measure_jump, measure_reversal

BLACK_BOX = "black_box"


def share_importance(shapes: Sequence[Shape]) -> dict[str, dict[str, float]]:
    """Return model to feature to share of importance; a model that gives every row the same score has none."""
    total: dict[str, float] = {}
    for shape in shapes:
        total[shape.model] = total.get(shape.model, 0.0) + shape.importance
    shares: dict[str, dict[str, float]] = {model: {} for model in total}
    for shape in shapes:
        if total[shape.model] > 0:
            shares[shape.model][shape.axis.feature] = shape.importance / total[shape.model]
    return shares


def measure_importance(shapes: Sequence[Shape], order: Sequence[str]) -> list[Measurement]:
    """Return importance and its share, by feature and model."""
    method, shares = "mean over the audited rows; describes these rows, no interval", share_importance(shapes)
    found = []
    for name in order:
        for shape in (item for item in shapes if item.axis.feature == name):
            n, share = int(shape.axis.x.size), shares[shape.model].get(name)
            known = (
                undefined("the model gives every row the same score", n=n)
                if share is None
                else Estimate(value=share, n=n, method=method)
            )
            importance = Estimate(value=shape.importance, n=n, method=method)
            place = {"feature": name, "model": shape.model}
            found.append(Measurement(metric="effects.importance", estimate=importance, **place))
            found.append(Measurement(metric="effects.importance_share", estimate=known, **place))
    return found


def list_disagreements(shapes: Sequence[Shape], order: Sequence[str], scale: str) -> tuple[Disagreement, ...]:
    """Return where surrogates leave the black box's own effects, the largest first; one per feature and surrogate."""
    black = {shape.axis.feature: shape for shape in shapes if shape.model == BLACK_BOX}
    found = [
        find_disagreement(shape, black[shape.axis.feature], scale)
        for name in order
        for shape in shapes
        if shape.axis.feature == name and shape.model.endswith("_surrogate") and name in black
    ]
    kept = [item for item in found if item is not None]
    return tuple(sorted(kept, key=lambda item: (-item.beyond, -abs(item.gap))))


def measure_disagreement(
    shapes: Sequence[Shape], disagreements: Sequence[Disagreement], order: Sequence[str]
) -> list[Measurement]:
    """Return the largest gap beyond both bands, by feature and surrogate."""
    rows = {shape.axis.feature: shape.rows for shape in shapes if shape.model == BLACK_BOX}
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


def measure_moves(features: Sequence[FeatureUsed], shapes: Sequence[Shape], order: Sequence[str]) -> list[Measurement]:
    """Return moves against what is expected, where something is, and the largest jump of every number.

    Parameters
    ----------
    features : sequence of FeatureUsed
        What is expected of them, and what was imposed on the glass boxes.
    shapes : sequence of Shape
        All shapes.
    order : sequence of str
        Features in the order of the report.
    """
    declared = {feature.name: feature for feature in features}
    found = []
    for name in order:
        imposed = declared[name].monotone
        expected = declared[name].expected or imposed
        for shape in (item for item in shapes if item.axis.feature == name):
            place = {"feature": name, "model": shape.model}
            if expected:
                given = bool(imposed) and shape.model != BLACK_BOX
                estimate = measure_reversal(shape, expected, imposed=given)
                found.append(Measurement(metric="effects.reversal", estimate=estimate, **place))
            if shape.axis.kind == "numeric":
                found.append(Measurement(metric="effects.jump", estimate=measure_jump(shape), **place))
    return found
