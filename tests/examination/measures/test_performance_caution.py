"""Where the black box may have seen the judged rows, the comparison says so, and its rules stay undecided."""

from __future__ import annotations

from material import make_table


def test_overlap_with_training_rows_is_a_caution(tmp_path):
    make_table(300).iloc[:40].to_csv(tmp_path / "train.csv", index=False)
    frame_data = {"audit": "<object>", "id": "applicant", "model_train": str(tmp_path / "train.csv")}
    from audit.config.load import config_from
    from audit.workflow import run_audit

    config = config_from(
        {
            "data": frame_data,
            "label": "repaid",
            "groups": ["sex"],
            "effort": "fast",
            "model": {"format": "python", "inputs": ["income", "debts"]},
            "report": {"formats": ["html"]},
            "ledger": {"path": str(tmp_path / "log")},
        }
    )
    outcome = run_audit(
        config,
        out=tmp_path / "report",
        frame=make_table(300),
        predict=lambda rows: 1 / (1 + 2.718 ** -(0.08 * (rows["income"] - 32) - 0.25 * (rows["debts"] - 6))),
    )
    assert "40 of the judged rows" in outcome.dossier.evidence.performance.caution
    gain = next(f for f in outcome.findings if f.rule == "baseline-fairness/black-box-earns-its-keep")
    assert gain.status == "inconclusive"
