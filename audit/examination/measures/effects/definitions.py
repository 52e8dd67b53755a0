"""What every number about effects is.

Comes in: nothing. Goes out: the definitions, with formula and source.
"""

from __future__ import annotations

from audit.evidence import Definition

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
    Definition(
        id="effects.jump",
        title="Largest jump",
        formula="largest step of the shape between neighbouring positions (at most 48) / range of the shape; numbers "
        "with at least three positions",
        better="lower",
        source="descriptive; interval: pointwise bands of the two ends",
    ),
    Definition(
        id="effects.concurvity",
        title="Concurvity",
        formula="R2 of the feature's contribution to the score on the contributions of all other features, weighted "
        "least squares over at most 20,000 audited rows; near 1 the fit alone says which of them an effect belongs to",
        better="lower",
        source="Ramsay, Burnett and Krewski (2003), Epidemiology 14:18; interval: delta method",
    ),
    Definition(
        id="effects.redundancy",
        title="Told by the other features",
        formula="cross-validated R2 of the feature on all other features, additive ridge fit; numbers by their ranks, "
        "of a category the share of all levels' variance (Goodman and Kruskal's tau)",
        better="none",
        source="Goodman and Kruskal (1954), JASA 49:732; interval: delta method",
    ),
    Definition(
        id="effects.interaction_share",
        title="Share of importance held by interactions",
        formula="mean |sum of all interactions| / (sum of the features' importances + the same mean); of the black "
        "box: what the sum of its own effects of single features leaves of its score",
        better="none",
        source="descriptive; of these rows, so it has no interval",
    ),
    Definition(
        id="effects.proxy_importance",
        title="Importance of proxies together",
        formula="sum over the features of (share of importance) x max(0, 2 x proxy strength - 1): 0 where no feature "
        "of any importance tells the attribute, 1 where all importance lies in features that tell it without error",
        better="lower",
        source="descriptive; Gini coefficient of the proxy's ROC curve as weight",
    ),
    Definition(
        id="effects.extrapolation_share",
        title="Rows outside what the glass boxes were fitted on",
        formula="audited rows with a value beyond the range, or with a level or a gap, that no row of the training "
        "file has / audited rows; over all features, and by feature",
        better="lower",
        source="elementary; interval: Wilson 1927",
    ),
)
