"""What the numbers about individual decisions are."""

from __future__ import annotations

from audit.evidence import Definition

_WAY = (
    "A way is a change of at most three features declared mutable, each to an observed value and in the declared "
    "direction, verified by the model"
)
_COST = "sum of the changes in standard deviations of each feature, 1 for a change of level, mean over those with a way"

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="decisions.reason_validity",
        title="Reasons whose correction helps",
        formula="people whose score rises towards the good side when this reason alone is set to what is typical of "
        "those decided favourably / people who were given such a reason",
        unit="share",
        better="higher",
        source="elementary; interval: Wilson (1927); what is asked of reasons: 12 CFR 1002.9(b)(2)",
    ),
    Definition(
        id="decisions.reasons_suffice",
        title="All reasons corrected: decided otherwise",
        formula="people who would be decided favourably with every stated reason set to what is typical of those "
        "decided favourably / people",
        unit="share",
        better="higher",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="decisions.reason_stability",
        title="Stability of reasons",
        formula="reasons that two independent halves of the draws have in common / reasons, mean over people",
        unit="share",
        better="higher",
        source="elementary; Student's interval",
    ),
    Definition(
        id="decisions.first_reason_stability",
        title="Stability of the first reason",
        formula="people whose first reason is the same in two independent halves of the draws / people",
        unit="share",
        better="higher",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="decisions.protected_reason_rate",
        title="A protected or prohibited feature among the reasons",
        formula="people with a reason that is prohibited, of a special category or behind a protected attribute / "
        "people",
        unit="share",
        better="lower",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="decisions.reason_share",
        title="How often a feature is among the reasons",
        formula="people with the feature among their principal reasons / people decided against; counts below five are "
        "hidden",
        unit="share",
        better="none",
        source="elementary; interval: Wilson (1927)",
    ),
    Definition(
        id="decisions.recourse_rate",
        title="People with a way to the other decision",
        formula=f"people decided against for whom a way was found / people searched for. {_WAY}",
        unit="share",
        better="higher",
        source="Ustun, Spangher and Liu (2019); interval: Wilson (1927)",
    ),
    Definition(
        id="decisions.recourse_cost",
        title="Cost of the way",
        formula=f"{_COST}. {_WAY}",
        unit="sd",
        better="lower",
        source="Ustun, Spangher and Liu (2019); Student's interval",
    ),
    Definition(
        id="decisions.recourse_changes",
        title="Features to be changed",
        formula="number of features that the way changes, mean over those with a way",
        better="lower",
        source="elementary; Student's interval",
    ),
    Definition(
        id="decisions.recourse_rate_difference",
        title="Largest difference of having a way",
        formula="largest difference of the share of people with a way, over all pairs of groups",
        unit="share",
        better="lower",
        source="Newcombe (1998), simultaneous over all pairs",
    ),
    Definition(
        id="decisions.recourse_cost_difference",
        title="Largest difference of the cost of the way",
        formula="largest difference of the mean cost of the way, over all pairs of groups",
        unit="sd",
        better="lower",
        source="Gupta and others (2019), Equalizing Recourse across Groups; square-and-add, simultaneous over all "
        "pairs",
    ),
)
