"""What the numbers about explanations are."""

from __future__ import annotations

from audit.evidence import Definition

_SD = "in standard deviations of the scores"
_KRISHNA = "Krishna and others (2022), The Disagreement Problem in Explainable Machine Learning; Student's interval"
_ADEBAYO = "Adebayo and others (2018), Sanity Checks for Saliency Maps; Student's interval"
_ORDER = (
    "features take the values of other people one after the other, those first that speak most for the side of the row"
)
_AREA = f"mean over the steps of the score's distance from that of the other people, {_SD}; {_ORDER}"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="explanations.completeness_error",
        title="Distance of the sum from the score",
        formula=f"mean of |reference + sum of attributions - score|, {_SD} on the link scale",
        unit="sd",
        better="lower",
        source="completeness: Sundararajan, Taly and Yan (2017); efficiency: Shapley (1953); Student's interval",
    ),
    Definition(
        id="explanations.incomplete_share",
        title="Explanations that do not add up",
        formula="rows whose attributions miss the score by more than 1 % of the standard deviation of the scores / "
        "rows",
        unit="share",
        better="lower",
        source="Sundararajan, Taly and Yan (2017); interval: Wilson (1927)",
    ),
    Definition(
        id="explanations.deletion_area",
        title="Area of deletion",
        formula=_AREA,
        unit="sd",
        better="lower",
        source="Petsiuk, Das and Saenko (2018); Samek and others (2017); Student's interval",
    ),
    Definition(
        id="explanations.insertion_area",
        title="Area of insertion",
        formula=f"as deletion, with the features put back into another person's row in the same order; {_SD}",
        unit="sd",
        better="higher",
        source="Petsiuk, Das and Saenko (2018); Student's interval",
    ),
    Definition(
        id="explanations.deletion_gain",
        title="Deletion: better than a random order",
        formula=f"area of deletion of a random order - that of the explanation, paired by row, {_SD}",
        unit="sd",
        better="higher",
        source="Petsiuk, Das and Saenko (2018); Student's interval",
    ),
    Definition(
        id="explanations.insertion_gain",
        title="Insertion: better than a random order",
        formula=f"area of insertion of the explanation - that of a random order, paired by row, {_SD}",
        unit="sd",
        better="higher",
        source="Petsiuk, Das and Saenko (2018); Student's interval",
    ),
    Definition(
        id="explanations.seed_correlation",
        title="Stability over seeds: rank correlation",
        formula="Spearman's correlation of the sizes of attributions from two independent halves, mean over rows",
        better="higher",
        source="Spearman (1904); Student's interval",
    ),
    Definition(
        id="explanations.seed_overlap",
        title="Stability over seeds: same three largest",
        formula="features that are among the three largest in both of two independent halves / 3, mean over rows",
        unit="share",
        better="higher",
        source=_KRISHNA,
    ),
    Definition(
        id="explanations.sensitivity",
        title="Largest change under small noise",
        formula=f"largest change of any attribution under Gaussian noise on the numbers, {_SD}, per standard deviation "
        "of noise, mean over rows",
        unit="sd per sd",
        better="lower",
        source="after Yeh and others (2019), On the (In)fidelity and Sensitivity of Explanations; Student's interval",
    ),
    Definition(
        id="explanations.agreement_correlation",
        title="Agreement: rank correlation",
        formula="Spearman's correlation of the sizes of the attributions of two methods, mean over rows",
        better="higher",
        source=_KRISHNA,
    ),
    Definition(
        id="explanations.agreement_overlap",
        title="Agreement: same three largest",
        formula="features that are among the three largest by both methods / 3, mean over rows",
        unit="share",
        better="higher",
        source=_KRISHNA,
    ),
    Definition(
        id="explanations.agreement_sign",
        title="Agreement: same sign",
        formula="of the three largest features of either method, those to which the other gives the same sign / 3, "
        "mean over rows",
        unit="share",
        better="higher",
        source=_KRISHNA,
    ),
    Definition(
        id="explanations.randomisation_correlation",
        title="Explanation left after the weights were shuffled",
        formula="Spearman's correlation of the sizes of attributions with the model's weights and with shuffled ones, "
        "mean over rows",
        better="lower",
        source=_ADEBAYO,
    ),
    Definition(
        id="explanations.randomisation_floor",
        title="What the distance from the reference alone explains",
        formula="Spearman's correlation of the sizes of attributions with |value - reference| in standard deviations, "
        "which no weight enters, mean over rows",
        better="none",
        source=_ADEBAYO,
    ),
    Definition(
        id="explanations.randomisation_excess",
        title="Explanation left beyond the floor",
        formula="correlation with shuffled weights - that with the distance from the reference alone, paired by row; "
        "at or below 0 nothing but the distance is left",
        better="lower",
        source=_ADEBAYO,
    ),
    Definition(
        id="explanations.expected_share",
        title="Attributions in the expected direction",
        formula="rows whose value lies above (below) the reference and whose attribution has the sign that the "
        "declared direction asks for / rows away from the reference",
        unit="share",
        better="higher",
        source="elementary; interval: Wilson (1927)",
    ),
)
