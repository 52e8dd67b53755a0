"""The closed list of numbers that a rule may name.

Comes in: nothing. Goes out: `METRICS`, from which the semantic check, the suggestions for misspelled names and the JSON
Schema of rule packs are made. The examination defines the same ids with their formulas; a test ties the two together,
because the two wings may not import each other.
"""

from __future__ import annotations

from typing import Literal

from .metric import BLACK_BOX, GLASS_BOXES, LABEL_FITS, MODELS, SURROGATES, Better, Metric, Scope

__all__ = [
    "BLACK_BOX",
    "GLASS_BOXES",
    "LABEL_FITS",
    "METRICS",
    "MODELS",
    "SURROGATES",
    "Better",
    "Metric",
    "Scope",
]

_ALL: tuple[Scope, ...] = ("all",)
_MODEL: tuple[Scope, ...] = ("model",)
_GROUP: tuple[Scope, ...] = ("group",)
_ATTRIBUTE: tuple[Scope, ...] = ("attribute",)
_OUTCOME: tuple[Scope, ...] = ("outcome",)
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


def _conditional(name: str, title: str, better: Better) -> Metric:
    return Metric(f"fairness.{name}", title, better, _GROUP, compares="test")


def _flip(name: str, title: str) -> Metric:
    return Metric(f"fairness.{name}", title, "lower", ("group", "model"), (BLACK_BOX, *SURROGATES))


def _outcome(name: str, title: str, better: Better, compares: Literal["", "test"] = "") -> Metric:
    return Metric(f"fairness.{name}", title, better, ("group", "outcome"), compares=compares)


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
    Metric("data.single_feature_auc", "How well the feature alone tells the label (AUC)", "none", ("feature",)),
    Metric("data.duplicate_share", "Judged rows that equal a training row", "lower", _ALL),
    Metric("data.group_share", "Share of the people of known group", "none", _GROUP),
    Metric("data.representation_ratio", "Share in the data over share in the population", "nearer_one", _GROUP),
    _performance("accuracy", "Accuracy", "higher"),
    _performance("balanced_accuracy", "Balanced accuracy", "higher"),
    _performance("auc", "Area under the ROC curve", "higher"),
    _performance("average_precision", "Average precision", "higher"),
    _performance("brier", "Brier score", "lower"),
    _performance("log_loss", "Log loss", "lower"),
    _performance("macro_f1", "Mean F1 over the classes", "higher"),
    _performance("macro_auc", "Mean area under the classes' ROC curves", "higher"),
    _performance("r2", "Variance explained", "higher"),
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
    _rate("true_negative_rate", "True negative rate"),
    _rate("false_negative_rate", "False negative rate"),
    _rate("negative_predictive_value", "Negative predictive value", "higher"),
    _rate("false_discovery_rate", "False discovery rate", "lower"),
    _rate("false_omission_rate", "False omission rate", "lower"),
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
    _ratio("true_positive_rate_ratio", "Equal-opportunity ratio", "fairness.true_positive_rate"),
    _ratio("false_positive_rate_ratio", "Ratio of false positive rates", "fairness.false_positive_rate", "lower"),
    _ratio("false_negative_rate_ratio", "Ratio of false negative rates", "fairness.false_negative_rate", "lower"),
    _ratio("precision_ratio", "Ratio of precision", "fairness.precision"),
    _ratio("false_discovery_rate_ratio", "Ratio of false discovery rates", "fairness.false_discovery_rate", "lower"),
    _ratio("false_omission_rate_ratio", "Ratio of false omission rates", "fairness.false_omission_rate", "lower"),
    _ratio("accuracy_ratio", "Ratio of accuracy", "fairness.accuracy"),
    _difference("false_negative_rate_difference", "Difference of false negative rates", lowest_is_best=True),
    _difference("true_negative_rate_difference", "Difference of true negative rates"),
    _difference("negative_predictive_value_difference", "Difference of negative predictive values"),
    _difference("false_omission_rate_difference", "Difference of false omission rates", lowest_is_best=True),
    _difference("error_rate_difference", "Difference of error rates", lowest_is_best=True),
    _ratio("error_rate_ratio", "Error rate over that of the best group", "fairness.error_rate", "lower"),
    Metric("fairness.equalized_odds_difference", "Equalized-odds difference", "lower", _ATTRIBUTE),
    Metric("fairness.auc_gap", "AUC gap to the best group", "lower", _GROUP, compares="gap", base="fairness.auc"),
    Metric("fairness.worst_auc_gap", "Largest AUC gap of any two groups", "lower", _ATTRIBUTE),
    Metric("fairness.calibration_gap", "Calibration gap between groups", "lower", _ATTRIBUTE),
    _rate("brier", "Brier score", "lower"),
    _rate("log_loss", "Log loss", "lower"),
    _rate("calibration_error", "Expected calibration error in the group", "lower"),
    _rate("calibration_slope", "Calibration slope in the group", "nearer_one"),
    Metric("fairness.mean_score_difference", "Difference of mean scores", "nearer_zero", _GROUP),
    Metric(
        "fairness.score_standardized_mean_difference", "Standardized mean difference of scores", "nearer_zero", _GROUP
    ),
    Metric("fairness.score_ks_distance", "Kolmogorov-Smirnov distance of scores", "lower", _GROUP),
    Metric("fairness.score_wasserstein_distance", "Wasserstein distance of scores", "lower", _GROUP),
    Metric("fairness.score_js_distance", "Jensen-Shannon distance of scores", "lower", _GROUP),
    Metric("fairness.xauc", "Cross-group AUC", "higher", _GROUP),
    Metric("fairness.xauc_difference", "Difference of cross-group AUCs", "nearer_zero", _GROUP),
    Metric("fairness.abroca", "Area between ROC curves", "lower", _GROUP),
    Metric("fairness.consistency", "Consistency among similar people", "none", _ALL),
    Metric("fairness.average_odds_difference", "Average-odds difference", "lower", _ATTRIBUTE),
    Metric("fairness.worst_group_accuracy", "Accuracy of the worst group", "higher", _ATTRIBUTE),
    Metric("fairness.worst_group_true_positive_rate", "True positive rate of the worst group", "higher", _ATTRIBUTE),
    Metric("fairness.worst_group_error_rate", "Error rate of the worst group", "lower", _ATTRIBUTE),
    Metric("fairness.treatment_equality", "False negatives per false positive", "none", _GROUP),
    Metric("fairness.treatment_equality_ratio", "Treatment-equality ratio", "higher", _ATTRIBUTE),
    Metric("fairness.differential_fairness", "Differential fairness (epsilon)", "lower", _ATTRIBUTE),
    Metric("fairness.bias_amplification", "Bias amplification", "lower", _ATTRIBUTE),
    Metric("fairness.generalized_entropy_index", "Generalized entropy of benefit", "lower", _ALL),
    Metric("fairness.theil_index", "Theil index of benefit", "lower", _ALL),
    Metric(
        "fairness.between_group_generalized_entropy_index",
        "Generalized entropy of benefit between groups",
        "lower",
        _ATTRIBUTE,
    ),
    Metric("fairness.weighted_effective_people", "Effective number of people", "higher", _GROUP),
    Metric("fairness.weighted_base_rate", "Base rate, weighted", "none", _GROUP),
    Metric("fairness.weighted_selection_rate", "Selection rate, weighted", "none", _GROUP),
    Metric("fairness.weighted_true_positive_rate", "True positive rate, weighted", "none", _GROUP),
    Metric("fairness.weighted_false_positive_rate", "False positive rate, weighted", "none", _GROUP),
    Metric("fairness.weighted_precision", "Precision, weighted", "higher", _GROUP),
    Metric("fairness.weighted_accuracy", "Accuracy, weighted", "higher", _GROUP),
    Metric("fairness.weighted_selection_rate_ratio", "Impact ratio, weighted", "higher", _GROUP, compares="gap"),
    Metric(
        "fairness.weighted_selection_rate_difference",
        "Difference of selection rates, weighted",
        "lower",
        _GROUP,
        compares="gap",
    ),
    Metric(
        "fairness.weighted_true_positive_rate_difference",
        "Equal-opportunity difference, weighted",
        "lower",
        _GROUP,
        compares="gap",
    ),
    Metric(
        "fairness.weighted_false_positive_rate_difference",
        "Difference of false positive rates, weighted",
        "lower",
        _GROUP,
        compares="gap",
    ),
    Metric(
        "fairness.selection_rate_ratio_bounds",
        "Impact ratio, whoever the unknown are",
        "higher",
        _GROUP,
        compares="gap",
    ),
    Metric("fairness.selection_rate_shrunk", "Selection rate, shrunk", "none", _GROUP),
    Metric("fairness.rows_needed", "People per group to show four fifths", "none", _ATTRIBUTE),
    Metric("fairness.worst_selection_rate_ratio", "Lowest impact ratio", "higher", _ATTRIBUTE),
    Metric("fairness.worst_selection_rate_difference", "Largest difference of selection rates", "lower", _ATTRIBUTE),
    Metric(
        "fairness.adverse_impact_z", "Distance from parity in standard deviations", "lower", _GROUP, compares="test"
    ),
    Metric("fairness.adverse_impact_p", "P-value of parity", "higher", _GROUP, compares="test"),
    Metric("fairness.adverse_impact_shortfall", "Selections short of parity", "lower", _GROUP, compares="test"),
    Metric("fairness.minimum_detectable_ratio", "Smallest disparity that these rows could show", "higher", _GROUP),
    Metric(
        "fairness.unknown_group_share",
        "Share of people whose group is unknown",
        "lower",
        _ATTRIBUTE,
        counts_everybody=True,
    ),
    _rate("label_missing_rate", "Share of people without a label", "lower"),
    _rate("label_missing_rate_favourable", "Share without a label of those decided favourably", "lower"),
    _rate("label_missing_rate_unfavourable", "Share without a label of those decided unfavourably", "lower"),
    _difference("label_missing_rate_difference", "Difference of shares without a label", lowest_is_best=True),
    _conditional("conditional_selection_rate_ratio", "Impact ratio among people alike", "higher"),
    _conditional("conditional_odds_ratio", "Odds ratio among people alike", "higher"),
    _conditional("conditional_selection_rate_difference", "Difference of selection rates among people alike", "lower"),
    _conditional("cmh_p", "P-value of parity among people alike", "higher"),
    _conditional("breslow_day_p", "P-value of the same odds ratio in all strata", "none"),
    _conditional("conditional_demographic_disparity", "Conditional demographic disparity", "lower"),
    _flip("counterfactual_flip_rate", "Decision changes with the attribute"),
    _flip("counterfactual_favourable_gain", "Would be decided favourably with another value"),
    _flip("counterfactual_favourable_loss", "Would be decided unfavourably with another value"),
    _flip("counterfactual_score_change", "Score change with the attribute"),
    Metric("slices.worst_excess", "Largest excess of a weak slice", "lower", _ALL),
    Metric("slices.confirmed", "Weak slices confirmed", "lower", _ALL),
    _outcome("outcome_rate", "Share with the band or class", "none"),
    _outcome("outcome_rate_ratio", "Ratio of shares with the band or class", "nearer_one", "test"),
    _outcome("outcome_rate_difference", "Difference of shares with the band or class", "lower", "test"),
    _outcome("outcome_true_positive_rate", "True positive rate of the class", "higher"),
    _outcome("outcome_true_positive_rate_difference", "Difference of the class's true positive rates", "lower", "test"),
    _outcome("outcome_false_positive_rate", "False positive rate of the class", "none"),
    _outcome("outcome_precision", "Precision of the class", "higher"),
    _rate("macro_true_positive_rate", "Balanced accuracy over the classes", "higher"),
    _rate("macro_precision", "Mean precision over the classes", "higher"),
    _rate("macro_f1", "Mean F1 over the classes", "higher"),
    _rate("mean_prediction", "Mean predicted value"),
    _conditional("mean_prediction_difference", "Mean predicted value against everybody else", "nearer_zero"),
    Metric("fairness.worst_mean_prediction_difference", "Largest difference of mean values", "lower", _ATTRIBUTE),
    _rate("mean_residual", "Mean error (signed)", "nearer_zero"),
    _conditional("mean_residual_difference", "Signed error against everybody else", "nearer_zero"),
    Metric("fairness.worst_mean_residual_difference", "Largest difference of mean errors", "lower", _ATTRIBUTE),
    _rate("mae", "Mean absolute error", "lower"),
    _conditional("mae_ratio", "Mean absolute error over that of the best group", "lower"),
    Metric("fairness.worst_mae_ratio", "Largest ratio of mean absolute errors", "lower", _ATTRIBUTE),
    _rate("rmse", "Root mean squared error", "lower"),
    _conditional("rmse_ratio", "Root mean squared error over that of the best group", "lower"),
    Metric("fairness.worst_rmse_ratio", "Largest ratio of root mean squared errors", "lower", _ATTRIBUTE),
    _rate("r2", "Variance explained in the group", "higher"),
    _fidelity("r2", "Variance of the black box's score explained", "higher"),
    _fidelity("decision_agreement", "Same decision as the black box", "higher"),
    _fidelity("class_agreement", "Same class as the black box", "higher"),
    _fidelity("rmse", "Root mean squared gap to the black box's score", "lower"),
    _fidelity("rank_correlation", "Rank correlation with the black box's score", "higher"),
    Metric(
        "fidelity.decision_agreement_gap",
        "Largest gap of two groups in equal decisions",
        "lower",
        ("attribute", "model"),
        SURROGATES,
    ),
    Metric(
        "fidelity.rmse_ratio",
        "Largest ratio of two groups' gaps of scores",
        "lower",
        ("attribute", "model"),
        SURROGATES,
    ),
    Metric("fidelity.confirmed_departures", "Departures from the additive account", "lower", _MODEL, SURROGATES),
    Metric("fidelity.worst_departure_ratio", "Largest departure, over elsewhere", "lower", _MODEL, SURROGATES),
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
    Metric("effects.jump", "Largest jump, share of the range", "lower", ("feature", "model"), MODELS),
    Metric("effects.concurvity", "Contribution told by the other contributions", "lower", ("feature", "model"), MODELS),
    Metric("effects.redundancy", "Feature told by the other features", "none", ("feature",)),
    Metric("effects.interaction_share", "Share of importance held by interactions", "none", _MODEL, MODELS),
    Metric(
        "effects.proxy_importance", "Importance of proxies, by their strength", "lower", ("attribute", "model"), MODELS
    ),
    Metric("effects.extrapolation_share", "Rows outside what was fitted", "lower", ("all", "feature")),
    Metric("attributions.importance", "Share of all attributions", "none", ("feature", "model"), (BLACK_BOX,)),
    Metric(
        "attributions.integrated_gradients",
        "Mean absolute attribution, integrated gradients",
        "none",
        ("feature", "model"),
        (BLACK_BOX,),
    ),
    Metric(
        "attributions.shapley", "Mean absolute attribution, Shapley values", "none", ("feature", "model"), (BLACK_BOX,)
    ),
    Metric("attributions.permutation", "Permutation importance", "none", ("feature", "model"), (BLACK_BOX,)),
    Metric(
        "attributions.completeness_error", "Completeness error of integrated gradients", "lower", _MODEL, (BLACK_BOX,)
    ),
    Metric("attributions.standard_error", "Standard error of a Shapley value", "lower", _MODEL, (BLACK_BOX,)),
    Metric("explanations.completeness_error", "Distance of the sum from the score", "lower", _OUTCOME),
    Metric("explanations.incomplete_share", "Explanations that do not add up", "lower", _OUTCOME),
    Metric("explanations.deletion_area", "Area of deletion", "lower", _OUTCOME),
    Metric("explanations.insertion_area", "Area of insertion", "higher", _OUTCOME),
    Metric("explanations.deletion_gain", "Deletion: better than a random order", "higher", _OUTCOME),
    Metric("explanations.insertion_gain", "Insertion: better than a random order", "higher", _OUTCOME),
    Metric("explanations.seed_correlation", "Stability over seeds: rank correlation", "higher", _OUTCOME),
    Metric("explanations.seed_overlap", "Stability over seeds: same three largest", "higher", _OUTCOME),
    Metric("explanations.sensitivity", "Largest change under small noise", "lower", _OUTCOME),
    Metric("explanations.agreement_correlation", "Agreement: rank correlation", "higher", _OUTCOME),
    Metric("explanations.agreement_overlap", "Agreement: same three largest", "higher", _OUTCOME),
    Metric("explanations.agreement_sign", "Agreement: same sign", "higher", _OUTCOME),
    Metric("explanations.randomisation_correlation", "Explanation left after shuffling", "lower", _OUTCOME),
    Metric("explanations.randomisation_floor", "What the distance alone explains", "none", _OUTCOME),
    Metric("explanations.randomisation_excess", "Explanation left beyond the floor", "lower", _OUTCOME),
    Metric("explanations.expected_share", "Attributions as expected", "higher", ("feature", "outcome")),
    Metric("decisions.reason_validity", "Reasons whose correction helps", "higher", _OUTCOME),
    Metric("decisions.reasons_suffice", "All reasons corrected: decided otherwise", "higher", _ALL),
    Metric("decisions.reason_stability", "Stability of reasons", "higher", _ALL),
    Metric("decisions.first_reason_stability", "Stability of the first reason", "higher", _ALL),
    Metric("decisions.protected_reason_rate", "Protected feature among the reasons", "lower", _ALL),
    Metric("decisions.reason_share", "Feature among the reasons", "none", ("feature", "group")),
    Metric("decisions.recourse_rate", "People with a way to the other decision", "higher", ("all", "group")),
    Metric("decisions.recourse_cost", "Cost of the way", "lower", ("all", "group")),
    Metric("decisions.recourse_changes", "Features to be changed", "lower", _ALL),
    Metric("decisions.recourse_rate_difference", "Difference of having a way", "lower", _ATTRIBUTE),
    Metric("decisions.recourse_cost_difference", "Difference of the cost of the way", "lower", _ATTRIBUTE),
    Metric("robustness.noise_flip_rate", "Decisions that noise flips", "lower", ("all", "group", "outcome")),
    Metric("robustness.noise_flip_gap", "Difference of flips by noise", "lower", ("attribute", "outcome")),
    Metric("robustness.noise_drop", "Performance lost to noise", "lower", ("all", "outcome")),
    Metric("robustness.noise_score_change", "Change of the score by noise", "lower", ("all", "outcome")),
    Metric("robustness.missing_flip_rate", "Decisions that a missing value flips", "lower", ("feature",)),
    Metric("robustness.missing_drop", "Performance lost to a missing value", "lower", ("feature",)),
    Metric("robustness.attack_flip_rate", "Decisions that a small change flips", "lower", ("all", "group", "outcome")),
    Metric("robustness.attack_flip_gap", "Difference of deliberate flips", "lower", ("attribute", "outcome")),
    Metric("robustness.attack_score_change", "Change of the score by deliberate change", "lower", ("all", "outcome")),
    Metric("robustness.near_cut_share", "People near the cut", "none", ("all", "group", "outcome")),
    Metric("robustness.conformal_coverage", "Coverage of conformal sets", "higher", ("all", "group")),
    Metric("robustness.conformal_shared_coverage", "Coverage under everybody's threshold", "higher", _GROUP),
    Metric("robustness.conformal_set_size", "Size of conformal sets", "lower", ("all", "group")),
    Metric("drift.feature_psi", "Population stability index", "lower", ("feature",)),
    Metric("drift.feature_ks", "Kolmogorov-Smirnov distance to the baseline", "lower", ("feature",)),
    Metric("drift.feature_wasserstein", "Wasserstein distance to the baseline", "lower", ("feature",)),
    Metric("drift.unseen_share", "Values that the baseline does not hold", "lower", ("feature",)),
    Metric("drift.missing_change", "Change of missing values", "nearer_zero", ("feature", "group")),
    Metric("drift.group_share_change", "Change of the group's share", "none", _GROUP),
    Metric("drift.score_psi", "Population stability index of the score", "lower", ("all", "group")),
    Metric("drift.selection_rate_change", "Change of the selection rate", "nearer_zero", ("all", "group")),
    Metric("drift.label_rate_change", "Change of the base rate", "nearer_zero", ("all", "group")),
    Metric("drift.performance_drop", "Performance lost in the later period", "lower", ("all", "group")),
    Metric("change.decision_flip_rate", "Decisions that changed", "lower", ("all", "group")),
    Metric("change.decision_gain_rate", "Decisions that turned favourable", "none", ("all", "group")),
    Metric("change.decision_loss_rate", "Decisions that turned unfavourable", "lower", ("all", "group")),
    Metric("change.score_shift", "Mean change of the score", "none", ("all", "group")),
    Metric("change.score_distance", "Mean size of the score's change", "lower", ("all", "group")),
    Metric("change.shape_distance", "How far a feature's effect moved", "lower", ("feature", "model"), MODELS),
)

METRICS: dict[str, Metric] = {metric.id: metric for metric in _TABLE}
"""Metric id to metric."""
