"""Claims: inside, worse or better by the direction of the metric, open where nothing can be decided."""

from __future__ import annotations

import pytest

from audit.attestation.policy.claims import check_claims, warn_of_claims
from audit.config.schema import Claim
from audit.evidence import Estimate, Measurement


class Measured:
    def __init__(self, *measurements):
        self._all = measurements

    def measurements(self):
        return iter(self._all)


def held(metric, value, low, high, claimed, **more):
    model = "black_box" if metric.startswith(("performance", "calibration")) else None
    estimate = Estimate(value=value, low=low, high=high, **more)
    found = Measured(Measurement(metric=metric, estimate=estimate, model=model))
    (checked,) = check_claims((Claim(metric=metric, value=claimed, by="vendor"),), found)
    return checked


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "claimed", "status"),
    [
        ("performance.auc", 0.85, 0.83, 0.87, 0.86, "inside"),
        ("performance.auc", 0.85, 0.83, 0.87, 0.87, "inside"),
        ("performance.auc", 0.85, 0.83, 0.87, 0.91, "worse"),
        ("performance.auc", 0.85, 0.83, 0.87, 0.80, "better"),
        ("performance.brier", 0.15, 0.14, 0.16, 0.10, "worse"),
        ("performance.brier", 0.15, 0.14, 0.16, 0.20, "better"),
        ("calibration.slope", 0.7, 0.6, 0.8, 1.0, "worse"),
        ("calibration.slope", 1.3, 1.2, 1.4, 1.0, "worse"),
        ("calibration.slope", 1.0, 0.95, 1.05, 1.5, "better"),
        ("calibration.slope", 1.0, 0.7, 1.1, 1.2, "differs"),
        ("calibration.mean_gap", -0.05, -0.06, -0.04, 0.0, "worse"),
        ("fairness.consistency", 0.5, 0.4, 0.6, 0.9, "differs"),
    ],
)
def test_the_direction_of_the_metric_decides(metric, value, low, high, claimed, status):
    assert held(metric, value, low, high, claimed).status == status


def test_only_a_claim_that_is_not_borne_out_warns():
    checked = [held("performance.auc", 0.85, 0.83, 0.87, x) for x in (0.91, 0.86, 0.8)]
    (warning,) = warn_of_claims(checked)
    assert warning.startswith("claim of vendor, Area under the ROC curve 0.91: measured is worse than claimed")


def test_what_can_decide_nothing_is_open():
    assert held("performance.auc", 0.85, 0.83, 0.87, 0.91, assessable=False, note="selective labels").status == "open"
    assert held("calibration.error", 0.01, None, None, 0.02, note="no interval").status == "open"
    assert held("performance.auc", None, None, None, 0.91, note="one class").status == "not_measured"
    assert held("performance.auc", 0.85, 0.83, None, 0.8).status == "better"


def test_the_black_box_and_everybody_are_meant():
    glass = Measurement(metric="performance.auc", estimate=Estimate(value=0.9, low=0.8, high=1.0), model="ebm_label")
    part = Measurement(metric="fairness.auc", estimate=Estimate(value=0.9, low=0.8, high=1.0), group={"sex": "F"})
    claims = tuple(Claim(metric=m, value=0.9, by="v") for m in ("performance.auc", "fairness.auc"))
    assert [c.status for c in check_claims(claims, Measured(glass, part))] == ["not_measured"] * 2


def test_a_misspelled_metric_gets_a_suggestion():
    (checked,) = check_claims((Claim(metric="performance.acuracy", value=0.9, by="v"),), Measured())
    assert checked.status == "not_measured"
    assert "performance.accuracy" in checked.because
