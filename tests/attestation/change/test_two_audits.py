"""Two audits compared: what is paired, what gets worse for whom, what the rules say, what is refused."""

from __future__ import annotations

import shutil
import stat

import pytest
from change_material import write_config

from audit.errors import ConfigError, EvidenceError, SealError
from audit.evidence import Change, Dossier
from audit.workflow import compare_audits


@pytest.fixture(scope="module")
def report(two_reports):
    return compare_audits(*two_reports)


def find(change: Change, metric: str, **group: str):
    return next(m for m in change.moves if m.metric == metric and m.group == group and m.model in (None, "black_box"))


def test_a_better_model_that_one_group_pays_for(report):
    """Overall AUC up by .08 while one group's accuracy drops by six points: the case that an overall number hides."""
    auc, small = find(report.change, "performance.auc"), find(report.change, "fairness.accuracy", group="small")
    large = find(report.change, "fairness.accuracy", group="large")
    assert auc.difference.value == pytest.approx(0.08, abs=0.01) and auc.reading == "better"
    assert small.difference.value == pytest.approx(-0.06, abs=0.01) and small.reading == "worse" and small.material
    assert large.reading == "better"
    verdicts = {v.scope: v.status for f in report.findings for v in f.verdicts}
    assert verdicts["model-change-review/auc"] == "pass"
    assert verdicts["model-change-review/group-accuracy[group=small]"] == "fail"
    assert verdicts["model-change-review/group-accuracy[group=large]"] == "pass"
    assert report.exit_code == 1


def test_people_are_paired_and_their_numbers_are_the_printed_ones(report):
    change = report.change
    assert change.pairing.by == "rows" and change.pairing.rows_paired == 6000
    assert find(change, "fairness.selection_rate_ratio", group="small").paired
    for move in change.moves:
        if move.paired:
            assert move.difference.value == pytest.approx(move.after.value - move.before.value, abs=1e-5)
            if move.difference.assessable:
                assert move.difference.low <= move.difference.value <= move.difference.high


def test_decisions_add_up_both_ways(report):
    for item in report.change.decisions:
        assert item.favourable_after - item.favourable_before == item.gained - item.lost
        assert item.flip_rate.count == item.gained + item.lost
    everybody, *groups = report.change.decisions
    assert everybody.group == {} and everybody.n == 6000 and everybody.lost_wrongly is not None
    assert sum(item.lost for item in groups if set(item.group) == {"sex"}) == everybody.lost


def test_the_report_says_what_noise_is_not(report):
    assert any("retraining noise is not measured" in note for note in report.change.notes)


def test_a_loss_is_the_difference_turned_towards_worse(report):
    brier, auc = find(report.change, "performance.brier"), find(report.change, "performance.auc")
    assert brier.loss.value == brier.difference.value < 0
    assert auc.loss.value == -auc.difference.value and auc.loss.low == -auc.difference.high
    assert find(report.change, "fairness.selection_rate", group="small").loss.value is None


def test_two_configurations_give_the_same_as_their_folders(change_job, report):
    direct = compare_audits(change_job / "old.yaml", change_job / "new.yaml").change
    assert direct.pairing == report.change.pairing
    assert [(m.metric, m.difference.value, m.reading) for m in direct.moves] == [
        (m.metric, m.difference.value, m.reading) for m in report.change.moves
    ]


def test_without_the_private_files_nobody_is_paired_and_the_intervals_are_wider(two_reports, tmp_path, report):
    copies = [shutil.copytree(folder, tmp_path / folder.name) for folder in two_reports]
    change = compare_audits(*copies).change
    assert change.pairing.by == "none" and "unpaired" in change.pairing.note and not change.decisions
    assert any("Nobody was paired" in note for note in change.notes)
    mine, theirs = (find(one, "performance.auc").difference for one in (change, report.change))
    assert mine.value == pytest.approx(theirs.value) and mine.high - mine.low > theirs.high - theirs.low
    with pytest.raises(ConfigError, match="person by person"):
        compare_audits(*copies, must_pair=True)


def test_the_private_file_is_for_its_owner_and_bound_by_digest(two_reports, tmp_path):
    folder = two_reports[0]
    sidecar = folder.with_name(folder.name + ".scores.parquet")
    assert stat.S_IMODE(sidecar.stat().st_mode) == 0o600
    assert not list(folder.glob("**/*.parquet")) or sidecar not in folder.glob("**/*")
    copy = shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy.scores.parquet").write_bytes(sidecar.read_bytes() + b" ")
    with pytest.raises(SealError, match="not the private file"):
        compare_audits(copy, two_reports[1])


def test_a_sealed_report_of_the_change_is_linked_to_both(two_reports, tmp_path):
    from audit.attestation.verify import verify_report
    from audit.config.schema import AttestConfig

    order = AttestConfig.model_validate(
        {
            "policies": ["model-change-review"],
            "report": {"formats": ["markdown"]},
            "signing": {"key": "development"},
            "ledger": {"path": str(tmp_path / "log")},
        }
    )
    report = compare_audits(*two_reports, out=tmp_path / "change", order=order)
    assert verify_report(tmp_path / "change").word == "INTACT"
    dossier = Dossier.parse((tmp_path / "change" / "audit.json").read_bytes())
    assert dossier.kind == "change"
    sides = dossier.changes[0].before, dossier.changes[0].after
    for side, folder in zip(sides, two_reports, strict=True):
        assert side.dossier_digest == Dossier.parse((folder / "audit.json").read_bytes()).digest()
    assert "What changes" in (tmp_path / "change" / "report.md").read_text(encoding="utf-8")
    assert report.exit_code == 1


def test_other_systems_other_labels_and_tampering_are_refused(two_reports, change_job, tmp_path):
    write_config(tmp_path, "new", system="{name: lending}", ledger=f"{{path: {tmp_path / 'log'}}}")
    shutil.copy(change_job / "people.csv", tmp_path)
    with pytest.raises(ConfigError, match="different systems: hiring and lending"):
        compare_audits(change_job / "old.yaml", tmp_path / "new.yaml")
    with pytest.raises(ConfigError, match="not of one kind"):
        compare_audits(two_reports[0], change_job / "new.yaml")
    copy = shutil.copytree(two_reports[0], tmp_path / "tampered")
    data = (copy / "audit.json").read_bytes()
    (copy / "audit.json").write_bytes(data.replace(b'"hiring"', b'"hirinG"', 1))
    with pytest.raises(SealError, match="tampered"):
        compare_audits(copy, two_reports[1])


def test_other_rows_are_refused_for_two_configurations(change_job, tmp_path):
    import pandas as pd

    table = pd.read_csv(change_job / "people.csv")
    table.assign(person="q" + table.person).to_csv(tmp_path / "people.csv", index=False)
    write_config(tmp_path, "new")
    with pytest.raises(ConfigError, match="no row id of one audit occurs in the other"):
        compare_audits(change_job / "old.yaml", tmp_path / "new.yaml")


def test_an_older_form_is_named(two_reports):
    from audit.attestation.comparison import _parse

    data = (two_reports[0] / "audit.json").read_bytes().replace(b'"dossier/1"', b'"dossier/0"', 1)
    with pytest.raises(EvidenceError, match="dossier/0"):
        _parse(data, two_reports[0])


def test_the_first_run_has_no_previous_audit_and_does_not_fail(change_job, tmp_path):
    from audit.config.load import load_config
    from audit.workflow import run_audit

    shutil.copy(change_job / "people.csv", tmp_path)
    for name in ("old", "new"):
        write_config(tmp_path, name, compare="{previous: last}")
    first = run_audit(load_config(tmp_path / "old.yaml"), out=tmp_path / "first")
    assert first.dossier.changes == () and any("first audit of hiring" in note for note in first.notes)
    second = run_audit(load_config(tmp_path / "new.yaml"), out=tmp_path / "second")
    (change,) = second.dossier.changes
    assert change.against == "previous_audit" and change.pairing.rows_paired == 6000
    assert change.before.dossier_digest == first.dossier.digest()


def test_a_champion_is_examined_on_the_same_rows(change_job, tmp_path):
    from audit.config.load import load_config
    from audit.workflow import run_audit

    shutil.copy(change_job / "people.csv", tmp_path)
    write_config(tmp_path, "new", compare="{champion: {scores: old, scale: probability}}", keep="{scores: false}")
    outcome = run_audit(load_config(tmp_path / "new.yaml"), out=tmp_path / "report")
    (change,) = outcome.dossier.changes
    assert change.against == "champion" and change.pairing.by == "rows"
    assert not (tmp_path / "report.scores.parquet").exists() and outcome.dossier.scores is None
