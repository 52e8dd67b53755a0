"""Words about explainers of single scores: what each method is called, what it answers, and what to mind.

Comes in: the id of a method. Goes out: the words that a reader sees.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MethodWords:
    """How one method is told.

    Parameters
    ----------
    title, short : str
        Its name, and its name in a figure.
    answers : str
        The question it answers.
    mind : str
        What a reader must keep in mind.
    lesser : bool
        Whether its numbers stand in the annex.
    """

    title: str
    short: str
    answers: str
    mind: str
    lesser: bool = False


METHODS: dict[str, MethodWords] = {
    "integrated_gradients": MethodWords(
        "Integrated gradients",
        "Integrated gradients",
        "How does the score build up on the straight way from one reference row to this row?",
        "It depends on the reference row, which is printed here; rows on the way need not be like anybody.",
    ),
    "shapley": MethodWords(
        "Shapley values of columns",
        "Shapley values",
        "How far does each column move the score away from that of other rows, on average over all orders?",
        "Columns are exchanged one by one, also where they belong together, so that some mixed rows are unlikely.",
    ),
    "permutation": MethodWords(
        "Permutation importance",
        "Permutation",
        "What is lost for all rows together when a column no longer says anything?",
        "A column that others repeat loses little; it says nothing about single rows.",
    ),
    "feature_ablation": MethodWords(
        "Feature ablation",
        "Feature ablation",
        "How much does the score change when this column alone gets its reference value?",
        "It sees one column at a time: what two do only together counts twice or not at all, and sums do not add up.",
        lesser=True,
    ),
    "deep_lift": MethodWords(
        "DeepLift",
        "DeepLift",
        "How do differences from the reference row pass through the layers?",
        "It follows the layers, not the function: another net with the same scores can get other values.",
        lesser=True,
    ),
    "gradient_shap": MethodWords(
        "GradientShap (expected gradients)",
        "GradientShap",
        "As integrated gradients, with many rows as references in turn.",
        "It is sampled: sums add up on average only, within the standard error.",
        lesser=True,
    ),
    "lrp": MethodWords(
        "Layer-wise relevance propagation",
        "LRP",
        "How does the score itself, not its difference from a reference, pass back through the layers?",
        "Constants of the layers keep a part of it, and nothing says with what a row is compared.",
        lesser=True,
    ),
    "saliency": MethodWords(
        "Saliency",
        "Saliency",
        "How steep is the score at this very row?",
        "On tables its ranking of contributions is no better than chance: it says where the score is steep, not what "
        "it was made of. It is listed because people ask for it.",
        lesser=True,
    ),
}
"""Method id to its words, in the order of the report."""

FIGURE_TITLE = "What moves the score, by every method"
FIGURE_UNIT = "Share of all importance, each method by itself"
FIGURE_NOTE = (
    "Each method's importances are divided by their sum, so that methods with different units can be compared. "
    "Whiskers: 95% intervals over rows."
)
GLASS = {"ebm_surrogate": "EBM, surrogate", "net_surrogate": "Net, surrogate"}
COMPARE_CORNER = "Method"
COMPARE_HEADS = ("Rows", "Evaluations", "Seconds", "Sums miss the score by (sd)", "Standard error (sd)")
NUMBERS_CORNER = "Feature"
SUMS_FREE = "not meant to add up"
EXACT = "exact"
NOT_SAMPLED = "not sampled"
AGREE = "All methods find {first} most important."
DIFFER = "The methods differ about the most important feature: {parts}."
ONE = "By {method}, {first} is most important."
