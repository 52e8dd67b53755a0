"""What a metric is computed from: as much is told by it as by the counts behind it.

Comes in: the id of a metric. Goes out: the view of a group that it reads, what else it rests on, and which other
metrics tell of it. A number that is no count is exact to sixteen digits: with whole people behind it, it can be solved
for them, so that it is told only where the table behind it is.
"""

from __future__ import annotations

from .views import View

SIZE = frozenset({"data.rows", "data.group_share", "data.representation_ratio", "fairness.unknown_group_share"})
DECISION = frozenset(
    f"fairness.{name}"
    for name in (
        "selection_rate", "selection_rate_ratio", "selection_rate_difference", "adverse_impact_z", "adverse_impact_p",
        "adverse_impact_shortfall", "minimum_detectable_ratio", "worst_selection_rate_ratio",
        "worst_selection_rate_difference", "rows_needed",
    )
)  # fmt: skip
OF_JUDGED = frozenset(
    f"fairness.{name}"
    for name in (
        "worst_selection_rate_ratio", "worst_selection_rate_difference", "equalized_odds_difference", "rows_needed",
        "worst_group_accuracy", "worst_group_true_positive_rate", "worst_group_error_rate", "average_odds_difference",
    )
)  # fmt: skip
"""Metrics of an attribute that rest on its known groups above the small size alone."""
NOT_PEOPLE = frozenset({"slices.confirmed", "fidelity.confirmed_departures"})
"""Metrics whose counts are no people."""
NESTED = frozenset({"robustness.near_cut_share", "robustness.attack_flip_rate"})
"""Metrics whose outcomes hold each other: two of them would tell of the people between. The last one is told."""
INSIDE = {
    "fidelity.class_agreement": "fidelity.decision_agreement",
    "fairness.counterfactual_favourable_gain": "fairness.counterfactual_flip_rate",
    "fairness.counterfactual_favourable_loss": "fairness.counterfactual_flip_rate",
    "fairness.scoring_rate": "fairness.selection_rate",
}
"""Metric to the one whose people hold all of its own, or are held: the two together tell of those between."""
OF_CONTINGENCY = frozenset({"performance.accuracy", "performance.balanced_accuracy", "performance.accuracy_gap"})
"""Metrics of everybody that rest on the black box's table of label by decision."""
SOLVABLE = frozenset({"performance.balanced_accuracy", "performance.macro_f1"})
"""Numbers of a model that tell, with its accuracy, of single cells of its table of errors."""
_STRATA = ("fairness.conditional_", "fairness.cmh_", "fairness.breslow_day_")
_CLASSES = ("accuracy", "error_rate", "macro_", "worst_group_accuracy", "worst_group_error_rate")
_COMPARED = ("_gap", "_ratio", "_difference")
_ENDS = ("_rate", "_share", *_COMPARED)


def view_of(metric: str) -> View:
    """Return the view that a metric of a group reads: the finest, where nothing is known of it."""
    return "size" if metric in SIZE else "decision" if metric in DECISION else "full"


def reads_strata(metric: str) -> bool:
    """Whether a metric is computed from counts within strata."""
    return metric.startswith(_STRATA)


def reads_classes(metric: str) -> bool:
    """Whether a metric of a group is, of several classes, computed from their table by true class."""
    section, _, name = metric.partition(".")
    return section == "fairness" and name.startswith(_CLASSES)


def is_comparison(metric: str) -> bool:
    """Whether a metric holds two groups against each other."""
    return metric.endswith(_COMPARED) or metric.partition(".")[2].startswith("worst_")


def stem_of(metric: str) -> str:
    """Return what a metric has in common with the rate, ratio, difference and gap of the same thing.

    Examples
    --------
    >>> stem_of("fairness.scoring_rate"), stem_of("fairness.scoring_rate_ratio"), stem_of("robustness.noise_flip_gap")
    ('fairness.scoring', 'fairness.scoring', 'robustness.noise_flip')
    """
    section, _, name = metric.partition(".")
    name = name.removeprefix("worst_").removeprefix("group_")
    shorter = True
    while shorter:
        shorter = False
        for end in _ENDS:
            if name.endswith(end):
                name, shorter = name.removesuffix(end), True
    return f"{section}.{name}"
