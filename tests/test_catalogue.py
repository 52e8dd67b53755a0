"""What a rule may name is what the audit computes, and what it computes has a definition."""

from __future__ import annotations

from audit.attestation.change import definitions as change
from audit.attestation.policy.catalogue import METRICS
from audit.examination.measures import multiclass
from audit.examination.measures.drift import measure as drift
from audit.examination.measures.fairness import conditional, several, unknown, weighted
from audit.examination.measures.roster import DEFINITIONS, MEASURES

_OF_A_READ_ATTRIBUTE = ("favourable_gain", "favourable_loss", "score_change")


def catalogued() -> dict:
    return METRICS if isinstance(METRICS, dict) else {metric.id: metric for metric in METRICS}


def test_rules_can_name_what_is_computed_and_nothing_else():
    computed = {definition.id for definition in (*DEFINITIONS, *change.DEFINITIONS)}
    assert set(catalogued()) == computed


def test_better_is_the_same_on_both_sides():
    known = catalogued()
    defined = (*DEFINITIONS, *change.DEFINITIONS)
    differ = [(d.id, d.better, known[d.id].better) for d in defined if d.better != known[d.id].better]
    assert differ == []


def test_every_definition_is_whole():
    defined = (*DEFINITIONS, *change.DEFINITIONS)
    assert not [d.id for d in defined if not (d.title and d.formula and d.source)]
    assert len({d.id for d in DEFINITIONS}) == len(DEFINITIONS)


def test_every_metric_belongs_to_a_section_that_is_measured():
    assert {d.id.partition(".")[0] for d in DEFINITIONS} <= set(MEASURES)


_OF_MANY_FEATURES = ("agreement_overlap", "agreement_sign", "expected_share", "seed_overlap")
_OF_DECLARED_FEATURES = (
    "reason_stability",
    "protected_reason_rate",
    "recourse_rate",
    "recourse_cost",
    "recourse_rate_difference",
    "recourse_cost_difference",
)


def test_every_computed_metric_is_in_a_real_audit(small_report):
    """A metric that no audit of a binary model ever holds would make its rules inconclusive for ever."""
    found = {measurement.metric for measurement in small_report.dossier.evidence.measurements()}
    other_tasks = {"performance.rmse", "performance.mae", "performance.r2", "performance.rmse_gap"}
    needs_more = {"data.split_overlap", "data.representation_ratio", "effects.reversal"}
    needs_more |= {f"fairness.label_missing_rate_{side}" for side in ("favourable", "unfavourable")}  # labels missing
    needs_more |= {definition.id for definition in conditional.DEFINITIONS}  # strata
    needs_more |= {f"fairness.counterfactual_{what}" for what in _OF_A_READ_ATTRIBUTE}
    other_tasks |= {definition.id for definition in (*several.DEFINITIONS, *multiclass.DEFINITIONS)}
    needs_more |= {definition.id for definition in (*weighted.DEFINITIONS, *unknown.DEFINITIONS)}  # weights, unknown
    needs_more |= {definition.id for definition in drift.DEFINITIONS}  # rows to compare with
    needs_more |= {f"robustness.missing_{what}" for what in ("flip_rate", "drop")}  # a model that takes gaps
    needs_more |= {f"explanations.{what}" for what in ("seed_overlap", "agreement_overlap", "agreement_sign")}
    needs_more |= {"explanations.expected_share", "decisions.reason_stability", "decisions.protected_reason_rate"}
    # features declared mutable
    needs_more |= {f"decisions.recourse_{what}" for what in ("rate", "cost", "changes")}
    needs_more |= {f"decisions.recourse_{what}_difference" for what in ("rate", "cost")}
    needs_more |= {definition.id for definition in change.DEFINITIONS}  # an audit to compare with
    # more features than two, declared directions, declared mutable features, a protected input
    needs_more |= {f"explanations.{what}" for what in _OF_MANY_FEATURES}
    needs_more |= {f"decisions.{what}" for what in _OF_DECLARED_FEATURES}
    assert set(catalogued()) - found <= other_tasks | needs_more
