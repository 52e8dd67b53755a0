"""The closed list of numbers that a rule may name.

Comes in: nothing. Goes out: `METRICS`, from which the semantic check, the suggestions for misspelled names and the JSON
Schema of rule packs are made. The examination defines the same ids with their formulas; a test ties the two together,
because the two wings may not import each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["all", "group", "attribute", "feature", "model"]
Better = Literal["higher", "lower", "nearer_one", "nearer_zero", "none"]

BLACK_BOX = "black_box"
LABEL_FITS = ("ebm_label", "net_label")
SURROGATES = ("ebm_surrogate", "net_surrogate")
GLASS_BOXES = ("ebm_label", "ebm_surrogate", "net_label", "net_surrogate")
MODELS = (BLACK_BOX, *GLASS_BOXES)
"""Models that a scope can name."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number that a rule may name.

    Parameters
    ----------
    id : str
        ``section.name``.
    title : str
        Name for readers.
    better : str
        Direction that is better for people.
    scopes : tuple of str
        What one number can be about: ``all`` (the audit), a group, a whole attribute, a feature, a model.
    models : tuple of str
        Models it is computed for; empty where it knows no model.
    compares : {"", "ratio", "difference", "gap", "test"}
        How it compares a group with another one; empty where it does not.
    base : str
        For a ratio or difference of rates: the rate by group that it compares.
    lowest_is_best : bool
        For a ratio or difference of rates: whether the group with the lowest rate is the best one.
    clean_training : bool
        Whether it favours the black box where the rows that it was trained on are unknown.
    counts_everybody : bool
        For a number about a whole attribute: whether the smallest groups are in it like all others.
    """

    id: str
    title: str
    better: Better
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] = ()
    compares: Literal["", "ratio", "difference", "gap", "test"] = ""
    base: str = ""
    lowest_is_best: bool = False
    clean_training: bool = False
    counts_everybody: bool = False

    @property
    def section(self) -> str:
        """The section of the evidence it stands in."""
        return self.id.partition(".")[0]


_ALL: tuple[Scope, ...] = ("all",)
_MODEL: tuple[Scope, ...] = ("model",)
_GROUP: tuple[Scope, ...] = ("group",)
_ATTRIBUTE: tuple[Scope, ...] = ("attribute",)
_PREDICTS = (BLACK_BOX, *LABEL_FITS)


def _performance(name: str, title: str, better: Better) -> Metric:
    return Metric(f"performance.{name}", title, better, ("model",), _PREDICTS)


def _gap(name: str, title: str) -> Metric:
    return Metric(f"performance.{name}", title, "none", ("model",), LABEL_FITS, clean_training=True)


def _fidelity(name: str, title: str, better: Better) -> Metric:
    return Metric(f"fidelity.{name}", title, better, ("all", "group", "model"), SURROGATES)


def _rate(name: str, title: str, better: Better = "none") -> Metric:
    return Metric(f"fairness.{name}", title, better, ("all", "group"))


def _ratio(name: str, title: str, base: str, better: Better = "higher") -> Metric:
    return Metric(
        f"fairness.{name}", title, better, _GROUP, compares="ratio", base=base, lowest_is_best=better == "lower"
    )


def _difference(name: str, title: str, *, lowest_is_best: bool = False) -> Metric:
    base = f"fairness.{name.removesuffix('_difference')}"
    return Metric(
        f"fairness.{name}", title, "lower", _GROUP, compares="difference", base=base, lowest_is_best=lowest_is_best
    )


_TABLE: tuple[Metric, ...] = (
    Metric("data.rows", "Rows", "higher", ("all", "group")),
    Metric("data.missing_rate", "Missing values", "lower", ("feature",)),
    Metric(
        "data.label_rate_ratio",
        "Ratio of base rates to the highest",
        "nearer_one",
        _GROUP,
        compares="ratio",
        base="fairness.base_rate",
    ),
    Metric("data.split_overlap", "Rows in both training and audit data", "lower", _ALL),
    Metric("data.representation_ratio", "Share in the data over share in the population", "nearer_one", _GROUP),
    _performance("accuracy", "Accuracy", "higher"),
    _performance("balanced_accuracy", "Balanced accuracy", "higher"),
    _performance("auc", "Area under the ROC curve", "higher"),
    _performance("average_precision", "Average precision", "higher"),
    _performance("brier", "Brier score", "lower"),
    _performance("log_loss", "Log loss", "lower"),
    _performance("rmse", "Root mean squared error", "lower"),
    _performance("mae", "Mean absolute error", "lower"),
    _gap("accuracy_gap", "Accuracy of the black box minus that of the glass box"),
    _gap("auc_gap", "AUC of the black box minus that of the glass box"),
    _gap("rmse_gap", "Root mean squared error of the black box minus that of the glass box"),
    Metric("calibration.error", "Expected calibration error", "lower", _MODEL, _PREDICTS),
    Metric("calibration.slope", "Calibration slope", "nearer_one", _MODEL, _PREDICTS),
    Metric("calibration.mean_gap", "Mean score minus observed rate", "nearer_zero", _MODEL, _PREDICTS),
    _rate("selection_rate", "Selection rate"),
    _rate("scoring_rate", "Scoring rate (share above the sample median)"),
    _rate("base_rate", "Base rate"),
    _rate("true_positive_rate", "True positive rate"),
    _rate("false_positive_rate", "False positive rate"),
    _rate("precision", "Precision", "higher"),
    _rate("accuracy", "Accuracy", "higher"),
    _rate("error_rate", "Error rate", "lower"),
    _rate("auc", "Area under the ROC curve", "higher"),
    _rate("mean_score", "Mean score"),
    _rate("calibration_in_group", "Mean score minus base rate in the group", "nearer_zero"),
    _ratio("selection_rate_ratio", "Impact ratio", "fairness.selection_rate"),
    _ratio("scoring_rate_ratio", "Impact ratio of scoring rates", "fairness.scoring_rate"),
    _difference("selection_rate_difference", "Difference of selection rates"),
    _difference("true_positive_rate_difference", "Equal-opportunity difference"),
    _difference("false_positive_rate_difference", "Difference of false positive rates", lowest_is_best=True),
    _difference("precision_difference", "Difference of precision"),
    _difference("accuracy_difference", "Difference of accuracy"),
    _ratio("error_rate_ratio", "Error rate over that of the best group", "fairness.error_rate", "lower"),
    Metric("fairness.equalized_odds_difference", "Equalized-odds difference", "lower", _ATTRIBUTE),
    Metric("fairness.auc_gap", "AUC gap to the best group", "lower", _GROUP, compares="gap"),
    Metric("fairness.calibration_gap", "Calibration gap between groups", "lower", _ATTRIBUTE),
    Metric("fairness.worst_selection_rate_ratio", "Lowest impact ratio", "higher", _ATTRIBUTE),
    Metric("fairness.worst_selection_rate_difference", "Largest difference of selection rates", "lower", _ATTRIBUTE),
    Metric(
        "fairness.adverse_impact_z", "Distance from parity in standard deviations", "lower", _GROUP, compares="test"
    ),
    Metric("fairness.adverse_impact_p", "P-value of parity", "higher", _GROUP, compares="test"),
    Metric("fairness.adverse_impact_shortfall", "Selections short of parity", "lower", _GROUP, compares="test"),
    Metric("fairness.minimum_detectable_ratio", "Smallest disparity that these rows could show", "none", _GROUP),
    Metric(
        "fairness.unknown_group_share",
        "Share of people whose group is unknown",
        "lower",
        _ATTRIBUTE,
        counts_everybody=True,
    ),
    _fidelity("r2", "Variance of the black box's score explained", "higher"),
    _fidelity("decision_agreement", "Same decision as the black box", "higher"),
    _fidelity("rmse", "Root mean squared gap to the black box's score", "lower"),
    _fidelity("rank_correlation", "Rank correlation with the black box's score", "higher"),
    Metric("effects.importance", "Importance", "none", ("feature", "model"), MODELS),
    Metric("effects.importance_share", "Share of all importance", "none", ("feature", "model"), MODELS),
    Metric(
        "effects.proxy_strength", "How well the feature tells the attribute (AUC)", "lower", ("feature", "attribute")
    ),
    Metric(
        "effects.disagreement",
        "Largest gap to the black box's effect beyond both bands",
        "lower",
        ("feature", "model"),
        SURROGATES,
    ),
    Metric("effects.reversal", "Largest move against the expected direction", "lower", ("feature", "model"), MODELS),
)

METRICS: dict[str, Metric] = {metric.id: metric for metric in _TABLE}
"""Metric id to metric."""
