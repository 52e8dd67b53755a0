"""Every kind of decision from files or objects to the sealed report: classes, values, bands, segments, none, stored."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from material import SHARED
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    mean_absolute_error,
    precision_score,
    r2_score,
    recall_score,
    root_mean_squared_error,
)

import audit
from audit.evidence import Dossier, NotDone

CLASSES = ["approve", "refer", "decline"]
GROUP_WORDS = ("F", "M")


def make_people(rows: int = 500, seed: int = 3) -> pd.DataFrame:
    """Return people with a class, a value and a yes or no to predict, and two protected attributes."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, rows)).round(3)
    sex, region = rng.choice(["F", "M"], rows), rng.choice(["north", "south", "west"], rows)
    chances = softmax(np.stack([x + 0.3 * (sex == "M"), 0.5 * z, -x], axis=1))
    place = (rng.random(rows)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "sex": sex,
            "region": region,
            "grade": np.array(CLASSES)[place],
            "income": (30 + 5 * x + 2 * z + rng.normal(size=rows) * (2 + 1.5 * (sex == "F"))).round(2),
            "good": (x + rng.normal(size=rows) > 0).astype(int),
        }
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of logits, shape [n, classes]."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def say_logits(frame: pd.DataFrame) -> np.ndarray:
    """Return what the multiclass black box says."""
    return np.stack([frame["x"] + 0.2, 0.4 * frame["z"], -frame["x"]], axis=1)


def say_value(frame: pd.DataFrame) -> pd.Series:
    """Return what the regression says."""
    return 29.5 + 5 * frame["x"] + 2 * frame["z"]


def say_probability(frame: pd.DataFrame) -> pd.Series:
    """Return what the binary black box says."""
    return 1 / (1 + np.exp(-1.5 * frame["x"]))


PEOPLE = make_people()


def run(folder, predict=None, *, data=PEOPLE, output=None, **settings):
    """Audit in memory; return the outcome."""
    if predict is not None:
        settings["model"] = {"inputs": ["x", "z"], **({"output": output} if output else {})}
    return audit.run(
        data=data,
        predict=predict,
        groups=["sex", "region"],
        intersections="none",
        effort="fast",
        out=folder / "report",
        signing={"key": "development"},
        ledger={"path": str(folder / "log")},
        report={"formats": ["html"]},
        **settings,
    )


def check_whole(outcome) -> None:
    """Check that the report is there, nothing broke, and every undefined number has its reason."""
    evidence = outcome.dossier.evidence
    assert outcome.exit_code in (0, 1, 5)
    assert (outcome.folder / "report.html").stat().st_size > 10_000
    assert evidence.broken == ()
    assert not isinstance(evidence.fairness, NotDone), evidence.fairness
    for item in evidence.measurements():
        assert item.estimate.value is not None or item.estimate.note, item.metric


def pick(outcome_or_evidence, metric, *, outcome=None, model=None, attribute=None, **group):
    """Return one estimate."""
    evidence = getattr(outcome_or_evidence, "dossier", None)
    evidence = outcome_or_evidence if evidence is None else evidence.evidence
    (item,) = [
        item
        for item in evidence.measurements()
        if (item.metric, item.outcome, item.model, item.attribute, item.group)
        == (metric, outcome, model, attribute, group)
    ]
    return item.estimate


def metrics_of(outcome) -> set[str]:
    return {item.metric for item in outcome.dossier.evidence.measurements()}


def check_selection(outcome, favourable) -> None:
    """Check selection rates of the report against fairlearn."""
    theirs = MetricFrame(
        metrics=selection_rate,
        y_true=favourable.astype(int),
        y_pred=favourable.astype(int),
        sensitive_features=PEOPLE["sex"],
    ).by_group
    for group in GROUP_WORDS:
        assert pick(outcome, "fairness.selection_rate", sex=group).value == theirs[group]


@pytest.fixture(scope="module")
def softmax_model(tmp_path_factory):
    """A folder with people.csv and a TorchScript net of three logits."""
    import torch

    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([x[:, 0] + 0.2, 0.4 * x[:, 1], -x[:, 0]], dim=1)

    folder = tmp_path_factory.mktemp("classes")
    PEOPLE.to_csv(folder / "people.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Net().eval(), torch.zeros(2, 2)).save(str(folder / "net.ts.pt"))
    return folder


def test_several_classes_from_a_file(softmax_model, tmp_path, run_cli):
    (softmax_model / "audit.yaml").write_text(
        "data: people.csv\n"
        "label: grade\n"
        "groups: [sex, region]\n"
        "intersections: none\n"
        "model: {path: net.ts.pt, inputs: [x, z], output: {scale: logits, classes: [approve, refer, decline]}}\n"
        "decision: {favourable: [approve, refer]}\n"
        "effort: fast\n"
        "report: {formats: [html, markdown]}\n"
        "signing: {key: development}\n"
    )
    code, _, err = run_cli("run", softmax_model / "audit.yaml", "--out", tmp_path / "report")
    assert code in (0, 1, 5), err
    evidence = Dossier.parse((tmp_path / "report" / "audit.json").read_bytes()).evidence
    assert evidence.broken == ()
    assert (evidence.subject.task, evidence.subject.classes) == ("multiclass", tuple(CLASSES))
    assert evidence.subject.positive == "approve"
    assert evidence.subject.decision.favourable_outcomes == ("approve", "refer")
    predicted = np.array(CLASSES)[say_logits(PEOPLE).argmax(axis=1)]
    assert pick(evidence, "performance.balanced_accuracy", model="black_box").value == pytest.approx(
        balanced_accuracy_score(PEOPLE["grade"], predicted)
    )
    for group in GROUP_WORDS:
        here = PEOPLE["sex"] == group
        true, guessed = PEOPLE["grade"][here], predicted[here]
        for metric, wanted in (
            ("macro_true_positive_rate", balanced_accuracy_score(true, guessed)),
            ("macro_precision", precision_score(true, guessed, average="macro")),
            ("macro_f1", f1_score(true, guessed, average="macro")),
            ("accuracy", (true == guessed).mean()),
            ("selection_rate", np.isin(guessed, ["approve", "refer"]).mean()),
        ):
            assert pick(evidence, f"fairness.{metric}", sex=group).value == pytest.approx(wanted)
        recalls = recall_score(true, guessed, average=None, labels=CLASSES)
        for name, wanted in zip(CLASSES, recalls, strict=True):
            rate = pick(evidence, "fairness.outcome_true_positive_rate", outcome=name, sex=group)
            assert rate.value == pytest.approx(wanted)
    for model in ("ebm_label", "net_label"):
        assert pick(evidence, "performance.balanced_accuracy", model=model).value > 0.45
        assert abs(pick(evidence, "performance.accuracy_gap", model=model).value) < 0.06
    for model in ("ebm_surrogate", "net_surrogate"):
        assert pick(evidence, "fidelity.class_agreement", model=model).value > 0.95
        assert pick(evidence, "fidelity.decision_agreement", model=model, sex="F").value > 0.95
    files = {path.name for path in (tmp_path / "report" / "glassboxes").iterdir()}
    assert {"net_label.json", *(f"net_label_class{c}.json" for c in range(3))} <= files
    tables = {table.attributes: table for table in evidence.fairness.outcome_tables}
    assert tables["sex",].kind == "class"
    assert sum(cell.n for cell in tables["region",].cells) == len(PEOPLE)
    # two of three classes are favourable: the sides of the decision are no prediction of the first one
    assert "fairness.true_positive_rate" not in {item.metric for item in evidence.measurements()}


def test_one_favourable_class_keeps_its_two_sided_rates(tmp_path):
    outcome = run(tmp_path, say_logits, output={"classes": CLASSES}, label="grade", decision={"favourable": "approve"})
    check_whole(outcome)
    guessed = say_logits(PEOPLE).argmax(axis=1) == 0
    check_selection(outcome, guessed)
    for group in GROUP_WORDS:
        here = PEOPLE["sex"] == group
        wanted = recall_score(PEOPLE["grade"][here] == "approve", guessed[here])
        assert pick(outcome, "fairness.true_positive_rate", sex=group).value == pytest.approx(wanted)
    assert outcome.dossier.evidence.fairness.cross_check.largest_difference < 1e-12


def test_classes_without_a_decision(tmp_path):
    outcome = run(tmp_path, say_logits, output={"scale": "logits", "classes": CLASSES}, label="grade")
    check_whole(outcome)
    evidence = outcome.dossier.evidence
    assert evidence.subject.decision is None
    assert not {"fairness.selection_rate", "fairness.selection_rate_ratio"} & metrics_of(outcome)
    share = pick(outcome, "fairness.outcome_rate", outcome="refer", sex="F")
    here = PEOPLE["sex"] == "F"
    assert share.value == (say_logits(PEOPLE[here]).argmax(axis=1) == 1).mean()
    assert outcome.verdicts["baseline-fairness/selection-ratio"] == "inconclusive"


def test_values(tmp_path):
    outcome = run(tmp_path, say_value, output="value", label="income")
    check_whole(outcome)
    frame = MetricFrame(
        metrics={"mae": mean_absolute_error, "rmse": root_mean_squared_error, "r2": r2_score},
        y_true=PEOPLE["income"],
        y_pred=say_value(PEOPLE),
        sensitive_features=PEOPLE["sex"],
    )
    for group in GROUP_WORDS:
        for metric, value in frame.by_group.loc[group].items():
            assert pick(outcome, f"fairness.{metric}", sex=group).value == pytest.approx(value)
    for metric in ("mae", "rmse", "r2"):
        assert pick(outcome, f"performance.{metric}", model="black_box").value == pytest.approx(frame.overall[metric])
    worst = pick(outcome, "fairness.worst_mae_ratio", attribute="sex")
    assert worst.value == pytest.approx(frame.by_group["mae"].max() / frame.by_group["mae"].min())
    assert worst.low > 1, "women's incomes were made harder to predict"
    # swapping an attribute flips no decision where there is none, and that is said
    silent = [item for item in outcome.dossier.evidence.fairness.measurements if item.estimate.value is None]
    assert {item.metric for item in silent} <= {"fairness.counterfactual_flip_rate"}, "left out, not undefined"
    assert outcome.verdicts["baseline-fairness/equalized-odds"] == "inconclusive"


def test_values_with_a_cut(tmp_path):
    outcome = run(tmp_path, say_value, output="value", label="income", decision="score >= 30")
    check_whole(outcome)
    check_selection(outcome, say_value(PEOPLE) >= 30)
    assert "fairness.mae_ratio" in metrics_of(outcome)
    assert "fairness.true_positive_rate" not in metrics_of(outcome)


def test_bands(tmp_path):
    bands = {"approve": "score >= .7", "refer": "score >= .4", "decline": "otherwise"}
    decision = {"bands": bands, "favourable": "approve"}
    outcome = run(tmp_path, say_probability, output="probability", label="good", decision=decision)
    check_whole(outcome)
    score = say_probability(PEOPLE)
    check_selection(outcome, score >= 0.7)
    here = PEOPLE["sex"] == "M"
    refer = pick(outcome, "fairness.outcome_rate", outcome="refer", sex="M")
    assert refer.value == pytest.approx(((score >= 0.4) & (score < 0.7))[here].mean())
    recall = pick(outcome, "fairness.true_positive_rate", sex="M").value
    assert recall == pytest.approx(recall_score(PEOPLE["good"][here], score[here] >= 0.7))
    evidence = outcome.dossier.evidence
    assert (evidence.subject.decision.bands, evidence.subject.decision.threshold) == (bands, 0.7)
    assert evidence.fairness.outcome_tables[0].kind == "band"
    assert any("read as the prediction" in note for note in evidence.intake.notes)


def test_a_middle_band_predicts_nothing(tmp_path):
    bands = {"approve": "score >= .7", "refer": "score >= .4", "decline": "otherwise"}
    decision = {"bands": bands, "favourable": "refer"}
    outcome = run(tmp_path, say_probability, output="probability", label="good", decision=decision)
    check_whole(outcome)
    score = say_probability(PEOPLE)
    check_selection(outcome, (score >= 0.4) & (score < 0.7))
    assert not {"fairness.true_positive_rate", "fairness.equalized_odds_difference"} & metrics_of(outcome)
    assert {"fairness.base_rate", "fairness.auc"} <= metrics_of(outcome)
    assert outcome.verdicts["baseline-fairness/equalized-odds"] == "inconclusive"


def test_segments(tmp_path):
    decision = {"segment": "region", "segments": {"north": "score >= 0.6", "otherwise": "score >= 0.5"}}
    outcome = run(tmp_path, say_probability, output="probability", label="good", decision=decision)
    check_whole(outcome)
    cut = np.where(PEOPLE["region"] == "north", 0.6, 0.5)
    check_selection(outcome, say_probability(PEOPLE) >= cut)
    decided = outcome.dossier.evidence.subject.decision
    assert decided.threshold is None
    assert decided.segments == decision["segments"]
    assert decided.favourable == "region = north: score >= 0.6; otherwise score >= 0.5"
    agreement = pick(outcome, "fidelity.decision_agreement", model="ebm_surrogate")
    assert agreement.value > 0.95, "surrogates are cut by segment, too"


def test_scores_without_decisions(tmp_path):
    outcome = run(tmp_path, say_probability, output="probability", label="good", decision="none")
    check_whole(outcome)
    assert outcome.dossier.evidence.subject.decision is None
    assert outcome.dossier.evidence.fairness.literal == ()
    cells = outcome.dossier.evidence.fairness.tables[0].cells
    assert sum(cell.n for cell in cells) == len(PEOPLE)
    assert all(cell.decided == 0 for cell in cells)
    assert {"fairness.auc", "fairness.scoring_rate_ratio", "fairness.calibration_gap"} <= metrics_of(outcome)
    assert not {metric for metric in metrics_of(outcome) if "selection" in metric or "true_positive" in metric}
    base = pick(outcome, "fairness.base_rate", sex="F")
    assert base.value == PEOPLE["good"][PEOPLE["sex"] == "F"].mean()


def test_stored_decisions_of_several_values(tmp_path):
    decision = {"column": "grade", "favourable": ["approve", "refer"]}
    outcome = run(tmp_path, label="good", decision=decision)
    check_whole(outcome)
    check_selection(outcome, PEOPLE["grade"].isin(["approve", "refer"]))
    assert outcome.dossier.evidence.fairness.outcome_tables[0].kind == "band"
    share = pick(outcome, "fairness.outcome_rate", outcome="decline", region="west")
    assert share.value == (PEOPLE["grade"][PEOPLE["region"] == "west"] == "decline").mean()


def test_stored_decisions_that_are_the_labels_classes(tmp_path):
    people = PEOPLE.assign(given=np.array(CLASSES)[say_logits(PEOPLE).argmax(axis=1)])
    outcome = run(tmp_path, data=people, label="grade", decision={"column": "given", "favourable": "approve"})
    check_whole(outcome)
    assert outcome.dossier.evidence.fairness.outcome_tables[0].kind == "class"
    here = people["sex"] == "F"
    wanted = balanced_accuracy_score(people["grade"][here], people["given"][here])
    assert pick(outcome, "fairness.macro_true_positive_rate", sex="F").value == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("label", "output", "said"),
    [
        ("sex", {"classes": CLASSES}, "which are no class of the model: 'approve', 'refer', 'decline'"),
        ("grade", {"classes": ["approve", "refer", "reject"]}, "'decline', which is no class of the model"),
        ("grade", {"scale": "probabilities", "classes": CLASSES}, "declared as probabilities"),
        ("grade", {"classes": [*CLASSES, "other"]}, "the model returns 3 columns, but 4 classes are declared"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, label, output, said):
    with pytest.raises(audit.errors.AuditError) as error:
        run(tmp_path, say_logits, output=output, label=label)
    assert said in str(error.value)


COMPAS = SHARED / "data" / "data" / "compas.parquet"


@pytest.mark.shared
@pytest.mark.skipif(not COMPAS.exists(), reason="the real data sets are not beside the checkout")
def test_published_risk_bands(tmp_path):
    """ProPublica's table: 6,172 people, risk in three bands given by the vendor, 3,175 of them African-American."""
    outcome = audit.run(
        data=COMPAS,
        label={"column": "two_year_recid", "positive": 1},
        groups=["race"],
        decision={"column": "score_text", "favourable": "Low"},
        out=tmp_path / "report",
        signing={"key": "development"},
        ledger={"path": str(tmp_path / "log")},
        report={"formats": ["html"]},
    )
    check_whole(outcome)
    evidence = outcome.dossier.evidence
    assert set(evidence.subject.decision.outcomes) == {"Low", "Medium", "High"}
    black = pick(evidence, "fairness.outcome_rate", outcome="High", race="African-American")
    assert (black.count, black.n) == (845, 3175)
    white = pick(evidence, "fairness.outcome_rate", outcome="High", race="Caucasian")
    assert (white.count, white.n) == (223, 2103)
    ratio = pick(evidence, "fairness.outcome_rate_ratio", outcome="High", race="African-American")
    assert ratio.low > 1, "of a band that is bad for people the lowest share is the best"
