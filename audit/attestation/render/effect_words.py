"""Words of the chapter about glass boxes that are no part of a sentence: headings, and how numbers are to be read.

Comes in: a topic or a metric. Goes out: its words.
"""

from __future__ import annotations

PRICE_TITLES = {
    "auc_gap": "AUC: black box minus glass box",
    "accuracy_gap": "Accuracy: black box minus glass box",
    "rmse_gap": "Error: black box minus glass box",
}
"""Paired difference to the title of its panel."""

EFFECT_TOPICS: dict[str, tuple[str, str]] = {
    "proxies": (
        "Proxies of protected attributes",
        "A feature stands in for a protected attribute as far as it alone tells the attribute: cross-validated AUC, "
        "0.5 is chance and 1 is certainty. Together: importance that lies in features that tell the attribute.",
    ),
    "concurvity": (
        "Features that repeat each other",
        "R\u00b2 of a feature's contribution on those of all others: near 1, which of them has the effect is the fit's "
        "choice and no finding. In the second table, below 0: the others tell the feature worse than its mean does.",
    ),
    "directions": (
        "Expected directions",
        "Largest move against the declared direction, as a share of the shape's range. What was imposed on a glass box "
        "is evidence of nothing.",
    ),
    "jumps": (
        "Jumps",
        "Largest step between neighbouring positions, as a share of the shape's range: near 1 a small change of the "
        "value decides almost everything that the feature can.",
    ),
    "extrapolation": (
        "Extrapolation",
        "Beyond the range of its training rows every shape is flat, whatever the black box does there.",
    ),
    "interactions": (
        "Share of interactions",
        "Share of importance that no sum of single effects accounts for.",
    ),
    "importance": ("Importance in numbers", "Mean absolute effect of each feature, and its share of all."),
    "disagreement": ("Disagreement in numbers", "Largest gap between glass box and black box beyond both bands."),
    "further": ("Further numbers", ""),
}
"""Topic to its heading and how its numbers are to be read."""
