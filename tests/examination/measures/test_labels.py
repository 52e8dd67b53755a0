"""Labels known only for those who were granted: numbers are shown, and no verdict rests on them."""

from __future__ import annotations

import numpy as np
from material import make_table

from audit.config.load import config_from
from audit.workflow import run_audit


def run(frame, folder):
    config = config_from(
        {
            "data": "<object>",
            "label": "repaid",
            "groups": ["sex"],
            "effort": "fast",
            "model": {"format": "python", "inputs": ["income", "debts"]},
            "report": {"formats": ["html"]},
            "ledger": {"path": str(folder / "log")},
        }
    )
    return run_audit(config, out=folder / "report", frame=frame, predict=score)


def score(rows):
    return 1 / (1 + np.exp(-(0.08 * (rows["income"] - 32) - 0.25 * (rows["debts"] - 6))))


def test_selective_labels_decide_nothing(tmp_path):
    frame = make_table(500)
    frame["repaid"] = frame["repaid"].where(score(frame) >= 0.5)
    evidence = (outcome := run(frame, tmp_path)).dossier.evidence
    for section in (evidence.performance, evidence.calibration):
        assert "selective labels" in " ".join(section.notes)
        assert not any(one.estimate.assessable for one in section.measurements)
    verdicts = {finding.rule.partition("/")[2]: finding.status for finding in outcome.findings}
    assert verdicts["better-than-guessing"] == "inconclusive"


def test_labels_missing_at_random_are_no_doubt(tmp_path):
    frame = make_table(500)
    frame["repaid"] = frame["repaid"].where(np.arange(500) % 7 > 0)
    evidence = run(frame, tmp_path).dossier.evidence
    assert all(one.estimate.assessable for one in evidence.performance.measurements if one.metric.endswith(".auc"))
