"""The embedded example is what its documentation says it is."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
CREDIT = ROOT / "examples" / "credit"


@pytest.fixture(scope="module")
def generate():
    sys.path.insert(0, str(CREDIT))
    try:
        import generate

        yield generate
    finally:
        sys.path.remove(str(CREDIT))


@pytest.fixture(scope="module")
def many(generate):
    """So many applicants that a share is known to about 0.002."""
    return generate.generate_applicants(seed=7, count=300_000)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The example as `quickstart` makes it, in a folder of its own, in a process of its own."""
    out = tmp_path_factory.mktemp("credit")
    for script in ("generate.py", "train.py"):
        subprocess.run([sys.executable, str(CREDIT / script), "--out", str(out)], check=True, timeout=120)
    return out


def ratio(table, column):
    rates = table.groupby("ethnicity")[column].mean()
    return rates["birch"] / rates["alder"]


def test_labels_have_the_impact_ratios_that_are_promised(many, made):
    assert ratio(many, "repaid") == pytest.approx(0.95, abs=0.01)
    assert ratio(many, "legacy_decision") == pytest.approx(0.69, abs=0.01)
    audited = pd.read_csv(made / "applicants.csv")
    assert ratio(audited, "repaid") == pytest.approx(0.95, abs=0.015)
    assert ratio(audited, "legacy_decision") == pytest.approx(0.69, abs=0.02)


def test_postcode_is_an_eighty_per_cent_proxy(many):
    upper = many["postcode_band"].isin(["D", "E", "F"])
    assert (upper == (many["ethnicity"] != "alder")).mean() == pytest.approx(0.8, abs=0.004)


def test_postcode_matters_for_the_legacy_label_alone(many, generate):
    """At equal log-odds of repaying, the band moves past decisions and does not move repayment."""
    complete = many.dropna()
    repays = generate.repayment_logit(complete)
    upper = complete["postcode_band"].isin(["D", "E", "F"]).to_numpy()
    bins = np.digitize(repays, np.quantile(repays, np.linspace(0.05, 0.95, 19)))
    gaps = {
        label: np.mean(
            [
                complete[label][(bins == b) & upper].mean() - complete[label][(bins == b) & ~upper].mean()
                for b in range(20)
            ]
        )
        for label in ("repaid", "legacy_decision")
    }
    assert abs(gaps["repaid"]) < 0.01
    assert gaps["legacy_decision"] < -0.15


def test_shapes_and_the_interaction_are_true(generate):
    row = {"age": 46.0, "income": 40.0, "debts": 10.0, "years_employed": 8.0, "loan_amount": 10.0, "housing": "rent"}

    def logit(**changes):
        return generate.repayment_logit(pd.DataFrame([{**row, **changes}]))[0]

    assert logit(age=20) < logit(age=35) < logit(age=46) > logit(age=60) > logit(age=75)
    gains = [logit(income=20 + 20 * k) - logit(income=20 * k) for k in range(5)]
    assert all(first > second > 0 for first, second in itertools.pairwise(gains))
    settled = logit(debts=20) - logit(debts=0)
    new = logit(debts=20, years_employed=0.5) - logit(debts=0, years_employed=0.5)
    assert new < 2.5 * settled < 0


def test_one_group_is_small_and_values_are_missing(made):
    audited = pd.read_csv(made / "applicants.csv", dtype={"applicant_id": str})
    assert len(audited) == 6000
    assert 30 < (audited["ethnicity"] == "cedar").sum() < 0.02 * len(audited)
    assert {"income", "years_employed", "housing"} == set(audited.columns[audited.isna().any()])
    assert audited["applicant_id"].is_unique
    assert audited["applicant_id"].str.len().eq(6).all()
    train = pd.read_csv(made / "train.csv", dtype={"applicant_id": str})
    assert not set(train["applicant_id"]) & set(audited["applicant_id"])


def test_same_seed_same_table(generate):
    first, second = generate.generate_applicants(3, 500), generate.generate_applicants(3, 500)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(generate.generate_applicants(4, 500))


def test_selection_is_fair_for_one_net_and_unfair_for_the_other(made):
    audited = pd.read_csv(made / "applicants.csv")
    audited["granted_repaid"] = audited["score_repaid"] >= 0.6
    audited["granted_legacy"] = audited["score_legacy"] >= 0.5
    assert ratio(audited, "granted_repaid") > 0.9
    assert ratio(audited, "granted_legacy") < 0.65


def test_nets_have_learned(made):
    from sklearn.metrics import roc_auc_score

    audited = pd.read_csv(made / "applicants.csv")
    assert roc_auc_score(audited["repaid"], audited["score_repaid"]) > 0.68
    assert roc_auc_score(audited["legacy_decision"], audited["score_legacy"]) > 0.74


@pytest.mark.parametrize("name", ["repaid", "legacy"])
def test_files_hold_no_applicant(made, name):
    """An exported program keeps its example rows; a view once took the whole table with it."""
    import torch

    assert (made / f"{name}.pt2").stat().st_size < 60_000
    program = torch.export.load(made / f"{name}.pt2")
    arguments, _ = program.example_inputs
    assert all(torch.count_nonzero(argument) == 0 for argument in arguments)


@pytest.mark.parametrize("name", ["repaid", "legacy"])
@pytest.mark.parametrize("form", ["pt2", "safetensors"])
def test_both_formats_give_the_scores_of_training(made, name, form):
    """Through the audit's own intake, with the `inputs` block of the committed configuration."""
    from audit.config.load import load_config
    from audit.examination.blackbox.intake import take_in
    from audit.examination.data.read import read_dataset

    overrides = [f"data.audit={made}/applicants.csv", f"model.path={made}/{name}.{form}"]
    if form == "safetensors":
        overrides += [f"model.factory={CREDIT}/net.py:build", "model.trust_code=true"]
    config = load_config(CREDIT / f"audit-{name}.yaml", overrides=overrides, files="none")
    dataset = read_dataset(config)
    model, intake = take_in(config, dataset)
    frame = dataset.frame()
    assert np.abs(model.score(frame) - frame[f"score_{name}"].to_numpy(float)).max() < 1e-6
    assert set(model.columns) == set(config.features)
    assert intake.sha256


def test_check_tells_right_from_wrong(tmp_path):
    sys.path.insert(0, str(CREDIT))
    try:
        from check import find_faults
    finally:
        sys.path.remove(str(CREDIT))

    def folder(name, *failures):
        (tmp_path / name).mkdir()
        verdicts = [{"status": "fail", "metric": m, "group": g, "scope": "s"} for m, g in failures]
        dossier = {"judgement": {"findings": [{"verdicts": verdicts}, {"verdicts": []}]}}
        (tmp_path / name / "audit.json").write_text(json.dumps(dossier), encoding="utf-8")
        return tmp_path / name

    ratio_of = ("fairness.selection_rate_ratio", {"ethnicity": "birch"})
    fair, unfair = folder("fair", ("glassbox.fidelity_r2", {})), folder("unfair", ratio_of)
    assert find_faults(fair, 5, unfair, 1) == []
    assert find_faults(fair, 0, unfair, 1) == []
    assert len(find_faults(unfair, 1, unfair, 1)) == 2
    assert len(find_faults(fair, 5, fair, 5)) == 2
    assert len(find_faults(fair, 3, unfair, 3)) == 2
