"""What every fairness metric is, for readers of the evidence."""

from __future__ import annotations

from audit.evidence import Definition

_HARDT = "Hardt, Price and Srebro (2016), Equality of Opportunity in Supervised Learning"
_CHOULDECHOVA = "Chouldechova (2017), Fair Prediction with Disparate Impact"
_BERK = "Berk et al. (2021), Fairness in Criminal Justice Risk Assessments"
_RATIO = "interval: Miettinen and Nurminen (1985)"
_GAP = "interval: Newcombe (1998)"
_LOWEST = "of any group that is neither small nor unknown"
_GUIDELINES = "Uniform Guidelines, 29 CFR 1607.4(D)"
_LL144 = "6 RCNY 5-300 and 5-301"
_ALL_PAIRS = "The best group is picked after the fact; the interval holds for all pairs of groups at once."
_CLASS = "Positive means the label's positive class, whichever decision is favourable."

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.base_rate",
        title="Base rate",
        formula="people with the positive label / people with a label",
        source="descriptive",
    ),
    Definition(
        id="fairness.selection_rate",
        title="Selection rate",
        formula="people decided favourably / people. Favourable is the side that the configuration calls good for the "
        "person.",
        source=f"{_GUIDELINES}; {_LL144}",
    ),
    Definition(
        id="fairness.selection_rate_ratio",
        title="Impact ratio",
        formula="selection rate of the group / highest selection rate of any group that is neither small nor unknown. "
        + _ALL_PAIRS,
        better="higher",
        source=f"{_GUIDELINES} (four-fifths rule of thumb); {_LL144}; interval: Miettinen and Nurminen (1985)",
    ),
    Definition(
        id="fairness.selection_rate_difference",
        title="Selection-rate difference",
        formula="highest selection rate of any group that is neither small nor unknown - selection rate of the group. "
        + _ALL_PAIRS,
        better="lower",
        source="Demographic parity: Dwork et al. (2012), Fairness Through Awareness; interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.worst_selection_rate_ratio",
        title="Lowest impact ratio of any two groups",
        formula="lowest selection rate / highest selection rate over the groups large enough to judge; the interval is "
        "the envelope of the simultaneous intervals of all pairs, cut at 1",
        better="higher",
        source=f"{_GUIDELINES}; interval: Miettinen and Nurminen (1985), Bonferroni",
    ),
    Definition(
        id="fairness.worst_selection_rate_difference",
        title="Largest selection-rate difference of any two groups",
        formula="highest selection rate - lowest selection rate over the groups large enough to judge; the interval is "
        "the envelope of the simultaneous intervals of all pairs, cut at 0",
        better="lower",
        source="Demographic parity difference; interval: Newcombe (1998), Bonferroni",
    ),
    Definition(
        id="fairness.adverse_impact_z",
        title="Two-proportion z statistic",
        formula="(selection rate of the best group - selection rate of the group) / pooled standard error of the "
        "difference; positive where the group is selected less",
        unit="standard deviations",
        better="lower",
        source="Hazelwood School District v. United States, 433 U.S. 299 (1977); court practice, no part of 1607.4(D)",
    ),
    Definition(
        id="fairness.adverse_impact_p",
        title="Fisher exact p-value",
        formula="probability, were group and best group selected alike, of a table no more likely than the observed "
        "one; two-sided, of this pair alone (the adjusted value stands beside it)",
        better="higher",
        source="Fisher (1935); court practice, no part of 1607.4(D)",
    ),
    Definition(
        id="fairness.adverse_impact_shortfall",
        title="Selections short of parity",
        formula="people of the group x common selection rate of the group and the best group - people of the group "
        "selected",
        unit="people",
        better="lower",
        source="numerator of the two-proportion z statistic; the total of selections stays the same",
    ),
    Definition(
        id="fairness.minimum_detectable_ratio",
        title="Smallest disparity that these rows could show",
        formula="impact ratio nearest to 1 that a two-sided test at 5 % would find with 80 % probability, given the "
        "rows of the group and of the best group and the best group's rate",
        better="higher",
        source="Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 4.3",
    ),
    Definition(
        id="fairness.scoring_rate",
        title="Scoring rate",
        formula="people whose score lies on the favourable side of the median score of all audited people (strictly: "
        "above it, or below it where a low score is favourable) / people with a score",
        source=f"{_LL144}, definition of scoring rate",
    ),
    Definition(
        id="fairness.scoring_rate_ratio",
        title="Scoring-rate impact ratio",
        formula="scoring rate of the group / highest scoring rate of any group that is neither small nor unknown. "
        + _ALL_PAIRS,
        better="higher",
        source=f"{_LL144}; interval: Miettinen and Nurminen (1985)",
    ),
    Definition(
        id="fairness.true_positive_rate",
        title="True positive rate",
        formula=f"people predicted positive / people with the positive label. {_CLASS}",
        source=_HARDT,
    ),
    Definition(
        id="fairness.true_positive_rate_difference",
        title="Equal-opportunity difference",
        formula=f"highest true positive rate - true positive rate of the group. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.false_positive_rate",
        title="False positive rate",
        formula=f"people predicted positive / people with the negative label. {_CLASS}",
        source=_HARDT,
    ),
    Definition(
        id="fairness.false_positive_rate_difference",
        title="False-positive-rate difference",
        formula=f"false positive rate of the group - lowest false positive rate. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.equalized_odds_difference",
        title="Equalized-odds difference",
        formula="the larger of: largest difference of true positive rates, largest difference of false positive rates, "
        f"over all pairs of groups large enough to judge. {_CLASS} The interval is the envelope over twice the pairs",
        better="lower",
        source=f"{_HARDT}; interval: Newcombe (1998), Bonferroni",
    ),
    Definition(
        id="fairness.precision",
        better="higher",
        title="Precision (positive predictive value)",
        formula=f"people with the positive label / people predicted positive whose label is known. {_CLASS}",
        source=_CHOULDECHOVA,
    ),
    Definition(
        id="fairness.precision_difference",
        title="Predictive-parity difference",
        formula=f"highest precision - precision of the group. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_CHOULDECHOVA}; {_GAP}",
    ),
    Definition(
        id="fairness.accuracy",
        title="Accuracy",
        formula="people whose prediction equals their label / people with a label",
        better="higher",
        source="descriptive",
    ),
    Definition(
        id="fairness.accuracy_difference",
        title="Accuracy difference",
        formula="highest accuracy - accuracy of the group. " + _ALL_PAIRS,
        better="lower",
        source="Overall accuracy equality: Berk et al. (2021); interval: Newcombe (1998)",
    ),
    Definition(
        id="fairness.error_rate",
        title="Error rate",
        formula="people whose prediction differs from their label / people with a label",
        better="lower",
        source="descriptive",
    ),
    Definition(
        id="fairness.error_rate_ratio",
        title="Error-rate ratio to the best group",
        formula="error rate of the group / lowest error rate of any group that is neither small nor unknown. "
        + _ALL_PAIRS,
        better="lower",
        source="interval: Miettinen and Nurminen (1985)",
    ),
    Definition(
        id="fairness.true_positive_rate_ratio",
        title="Equal-opportunity ratio",
        formula=f"true positive rate of the group / highest true positive rate {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="higher",
        source=f"{_HARDT}; {_RATIO}",
    ),
    Definition(
        id="fairness.false_positive_rate_ratio",
        title="False-positive-rate ratio",
        formula=f"false positive rate of the group / lowest false positive rate {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; {_RATIO}",
    ),
    Definition(
        id="fairness.true_negative_rate",
        title="True negative rate",
        formula=f"people predicted negative / people with the negative label. {_CLASS}",
        source=_HARDT,
    ),
    Definition(
        id="fairness.true_negative_rate_difference",
        title="True-negative-rate difference",
        formula=f"highest true negative rate - true negative rate of the group. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; {_GAP}",
    ),
    Definition(
        id="fairness.false_negative_rate",
        title="False negative rate",
        formula=f"people predicted negative / people with the positive label. {_CLASS}",
        source=_HARDT,
    ),
    Definition(
        id="fairness.false_negative_rate_difference",
        title="False-negative-rate difference",
        formula=f"false negative rate of the group - lowest false negative rate. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; {_GAP}",
    ),
    Definition(
        id="fairness.false_negative_rate_ratio",
        title="False-negative-rate ratio",
        formula=f"false negative rate of the group / lowest false negative rate {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_HARDT}; {_RATIO}",
    ),
    Definition(
        id="fairness.precision_ratio",
        title="Predictive-parity ratio",
        formula=f"precision of the group / highest precision {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="higher",
        source=f"{_CHOULDECHOVA}; {_RATIO}",
    ),
    Definition(
        id="fairness.negative_predictive_value",
        title="Negative predictive value",
        formula=f"people with the negative label / people predicted negative whose label is known. {_CLASS}",
        better="higher",
        source=_CHOULDECHOVA,
    ),
    Definition(
        id="fairness.negative_predictive_value_difference",
        title="Difference of negative predictive values",
        formula=f"highest negative predictive value - negative predictive value of the group. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"Conditional use accuracy equality: {_BERK}; {_GAP}",
    ),
    Definition(
        id="fairness.false_discovery_rate",
        title="False discovery rate",
        formula=f"people with the negative label / people predicted positive whose label is known. {_CLASS}",
        better="lower",
        source=_CHOULDECHOVA,
    ),
    Definition(
        id="fairness.false_discovery_rate_ratio",
        title="False-discovery-rate ratio",
        formula=f"false discovery rate of the group / lowest false discovery rate {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_CHOULDECHOVA}; {_RATIO}",
    ),
    Definition(
        id="fairness.false_omission_rate",
        title="False omission rate",
        formula=f"people with the positive label / people predicted negative whose label is known. {_CLASS}",
        better="lower",
        source=_CHOULDECHOVA,
    ),
    Definition(
        id="fairness.false_omission_rate_difference",
        title="False-omission-rate difference",
        formula=f"false omission rate of the group - lowest false omission rate. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_CHOULDECHOVA}; {_GAP}",
    ),
    Definition(
        id="fairness.false_omission_rate_ratio",
        title="False-omission-rate ratio",
        formula=f"false omission rate of the group / lowest false omission rate {_LOWEST}. {_CLASS} {_ALL_PAIRS}",
        better="lower",
        source=f"{_CHOULDECHOVA}; {_RATIO}",
    ),
    Definition(
        id="fairness.accuracy_ratio",
        title="Accuracy ratio to the best group",
        formula=f"accuracy of the group / highest accuracy {_LOWEST}. {_ALL_PAIRS}",
        better="higher",
        source=f"Overall accuracy equality: {_BERK}; {_RATIO}",
    ),
    Definition(
        id="fairness.error_rate_difference",
        title="Error-rate difference",
        formula=f"error rate of the group - lowest error rate. {_ALL_PAIRS}",
        better="lower",
        source=f"Overall accuracy equality: {_BERK}; {_GAP}",
    ),
    Definition(
        id="fairness.auc",
        title="AUC",
        formula="probability that a random person with the positive label scores higher than a random person of the "
        "same group with the negative label; ties count half",
        better="higher",
        source="DeLong, DeLong and Clarke-Pearson (1988); interval on the log-odds scale",
    ),
    Definition(
        id="fairness.auc_gap",
        title="AUC gap to the best group",
        formula="highest AUC of any group that is neither small nor unknown - AUC of the group. " + _ALL_PAIRS,
        better="lower",
        source="DeLong, DeLong and Clarke-Pearson (1988); interval: Zou and Donner (2008)",
    ),
    Definition(
        id="fairness.mean_score",
        title="Mean score",
        formula="mean of the score over the group's people",
        source="descriptive; Student's interval",
    ),
    Definition(
        id="fairness.calibration_in_group",
        title="Calibration in the group",
        formula="mean score - base rate, over the group's people with score and label; above 0 where the score "
        "promises more positives than there are",
        better="nearer_zero",
        source="Kleinberg, Mullainathan and Raghavan (2017), Inherent Trade-Offs; interval: Zou and Donner (2008)",
    ),
    Definition(
        id="fairness.calibration_gap",
        title="Calibration gap between groups",
        formula="largest difference of (mean score - base rate) between any two groups large enough to judge; the "
        "interval is the envelope of the simultaneous intervals of all pairs, cut at 0",
        better="lower",
        source="Kleinberg, Mullainathan and Raghavan (2017); interval: Zou and Donner (2008), Bonferroni",
    ),
    Definition(
        id="fairness.unknown_group_share",
        title="People whose group is unknown",
        formula="people without a value of the attribute / people",
        better="lower",
        source=f"{_LL144}: the number of people in an unknown category is stated",
    ),
)
"""One row per metric of this section."""
