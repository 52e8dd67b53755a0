"""What the numbers of bands, classes and values are, for readers of the evidence."""

from __future__ import annotations

from audit.evidence import Definition

_ALL_PAIRS = "The best group is picked after the fact; the interval holds for all pairs of groups at once."
_BEST = (
    "The best share is the highest, and where other bands or classes were declared favourable the lowest, of any group "
    "that is neither small nor unknown. " + _ALL_PAIRS
)
_REST = "The interval holds for all groups of the attribute at once. Above 0: the group's is the higher one"
_SOKOLOVA = "Sokolova and Lapalme (2009), A systematic analysis of performance measures for classification tasks"
_HARDT = "Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.outcome_rate",
        title="Share with this band or class",
        formula="people of the group who get the band or are predicted to be in the class / people of the group",
        source="descriptive; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.outcome_rate_ratio",
        title="Ratio of shares with this band or class",
        formula=f"share of the group / best share. {_BEST}",
        better="nearer_one",
        source="interval: Miettinen and Nurminen (1985)",
    ),
    Definition(
        id="fairness.outcome_rate_difference",
        title="Difference of shares with this band or class",
        formula=f"how far the group's share lies behind the best share. {_BEST}",
        better="lower",
        source="interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.outcome_true_positive_rate",
        title="True positive rate of the class",
        formula="people predicted to be in the class / people truly in the class; the class against the rest",
        better="higher",
        source=f"{_HARDT}; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.outcome_true_positive_rate_difference",
        title="Difference of true positive rates of the class",
        formula=f"highest true positive rate of the class - that of the group. {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.outcome_false_positive_rate",
        title="False positive rate of the class",
        formula="people predicted to be in the class who are not / people not in the class; the class against the rest",
        source=f"{_HARDT}; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.outcome_precision",
        title="Precision of the class",
        formula="people truly in the class / people predicted to be in it whose label is known",
        better="higher",
        source="Chouldechova (2017), Fair Prediction with Disparate Impact; interval: Wilson (1927)",
    ),
    Definition(
        id="fairness.macro_true_positive_rate",
        title="Balanced accuracy over the classes",
        formula="mean over the classes of their true positive rates; undefined where nobody is truly of one of them",
        better="higher",
        source=f"{_SOKOLOVA}; interval: square-and-add of Wilson's, Zou and Donner (2008)",
    ),
    Definition(
        id="fairness.macro_precision",
        title="Mean precision over the classes",
        formula="mean over the classes of their precision; undefined where nobody is predicted to be of one of them",
        better="higher",
        source=f"{_SOKOLOVA}; interval: square-and-add of Wilson's, Zou and Donner (2008)",
    ),
    Definition(
        id="fairness.macro_f1",
        title="Mean F1 over the classes",
        formula="mean over the classes of 2 x hits / (people truly of the class + people predicted to be of it)",
        better="higher",
        source=f"{_SOKOLOVA}; interval: delta method, Takahashi et al. (2022)",
    ),
    Definition(
        id="fairness.mean_prediction",
        title="Mean predicted value",
        formula="mean of the predicted value over the group's people",
        unit="label units",
        source="descriptive; Student's interval",
    ),
    Definition(
        id="fairness.mean_prediction_difference",
        title="Mean predicted value against everybody else",
        formula=f"mean predicted value of the group - that of the people of all other known groups. {_REST}",
        unit="label units",
        better="nearer_zero",
        source="demographic parity of values; interval: Welch (1947), Bonferroni",
    ),
    Definition(
        id="fairness.worst_mean_prediction_difference",
        title="Largest difference of mean predicted values",
        formula="largest difference of the mean predicted values of any two groups large enough to judge; the interval "
        "is the envelope of the simultaneous intervals of all pairs, cut at 0",
        unit="label units",
        better="lower",
        source="interval: Student's, joined by Zou and Donner (2008), Bonferroni",
    ),
    Definition(
        id="fairness.mean_residual",
        title="Mean error (signed)",
        formula="mean of (prediction - label) over the group's people; above 0 where the model promises too much",
        unit="label units",
        better="nearer_zero",
        source="calibration in the large of values; Student's interval",
    ),
    Definition(
        id="fairness.mean_residual_difference",
        title="Signed error against everybody else",
        formula=f"mean error of the group - that of the people of all other known groups. {_REST}",
        unit="label units",
        better="nearer_zero",
        source="Calders et al. (2013), Controlling Attribute Effect in Linear Regression; interval: Welch (1947), "
        "Bonferroni",
    ),
    Definition(
        id="fairness.worst_mean_residual_difference",
        title="Largest difference of mean errors",
        formula="largest difference of the mean errors of any two groups large enough to judge; the interval is the "
        "envelope of the simultaneous intervals of all pairs, cut at 0",
        unit="label units",
        better="lower",
        source="interval: Student's, joined by Zou and Donner (2008), Bonferroni",
    ),
    Definition(
        id="fairness.mae",
        title="Mean absolute error",
        formula="mean of |prediction - label| over the group's people",
        unit="label units",
        better="lower",
        source="elementary; Student's interval",
    ),
    Definition(
        id="fairness.mae_ratio",
        title="Mean absolute error over that of the best group",
        formula=f"mean absolute error of the group / lowest of any group neither small nor unknown. {_ALL_PAIRS}",
        better="lower",
        source="interval: delta method on the logarithm, Bonferroni over all pairs",
    ),
    Definition(
        id="fairness.worst_mae_ratio",
        title="Largest ratio of mean absolute errors",
        formula="highest / lowest mean absolute error over the groups large enough to judge; the interval is the "
        "envelope of the simultaneous intervals of all pairs, cut at 1",
        better="lower",
        source="interval: delta method on the logarithm, Bonferroni over all pairs",
    ),
    Definition(
        id="fairness.rmse",
        title="Root mean squared error",
        formula="square root of the mean of (prediction - label)^2 over the group's people",
        unit="label units",
        better="lower",
        source="elementary; interval: delta method on the logarithm",
    ),
    Definition(
        id="fairness.rmse_ratio",
        title="Root mean squared error over that of the best group",
        formula=f"root mean squared error of the group / lowest of any group neither small nor unknown. {_ALL_PAIRS}",
        better="lower",
        source="interval: delta method on the logarithm, Bonferroni over all pairs",
    ),
    Definition(
        id="fairness.worst_rmse_ratio",
        title="Largest ratio of root mean squared errors",
        formula="highest / lowest root mean squared error over the groups large enough to judge; the interval is the "
        "envelope of the simultaneous intervals of all pairs, cut at 1",
        better="lower",
        source="interval: delta method on the logarithm, Bonferroni over all pairs",
    ),
    Definition(
        id="fairness.r2",
        title="Variance explained in the group",
        formula="1 - mean of (prediction - label)^2 / variance of the label, both within the group: it depends on how "
        "much the labels of the group vary and is not to be compared between groups",
        better="higher",
        source="elementary; interval: delta method on the logarithm of the unexplained share",
    ),
)
"""One row per metric of bands, classes and values."""
