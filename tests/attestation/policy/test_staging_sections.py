"""A policy test can bring a number of every section, and what changed since an earlier audit."""

import pytest

from audit.attestation.policy.catalogue import METRICS
from audit.attestation.policy.staged_change import ChangeEntry, MoveEntry, stage_changes
from audit.attestation.policy.testing import run_policy_tests
from audit.errors import PolicyError
from audit.evidence import NotDone

SECTIONS = sorted({metric.section for metric in METRICS.values()} - {"change"})


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_can_be_staged(stage, section):
    metric = next(metric for metric in METRICS.values() if metric.section == section)
    evidence = stage(metrics=[{"metric": metric.id, "value": 0.5, "n": 100}])
    assert not isinstance(getattr(evidence, section), NotDone)
    assert [item.metric for item in evidence.measurements()] == [metric.id]
    assert type(evidence).parse(evidence.canonical()) == evidence


@pytest.mark.parametrize(
    ("metric", "before", "after", "low", "high", "loss", "reading"),
    [
        ("performance.auc", 0.8, 0.75, -0.07, -0.03, (0.05, 0.03, 0.07), "worse"),
        ("performance.auc", 0.75, 0.8, 0.03, 0.07, (-0.05, -0.07, -0.03), "better"),
        ("performance.brier", 0.1, 0.15, 0.03, 0.07, (0.05, 0.03, 0.07), "worse"),
        ("performance.brier", 0.1, 0.1, -0.01, 0.01, (0.0, -0.01, 0.01), "noise"),
        ("calibration.slope", 0.9, 0.8, -0.15, -0.05, (0.1, 0.05, 0.15), "worse"),
        ("calibration.slope", 1.2, 1.1, -0.15, -0.05, (-0.1, -0.15, -0.05), "better"),
    ],
)
def test_a_loss_is_turned_so_that_above_0_is_worse(stage, metric, before, after, low, high, loss, reading):
    move = MoveEntry(metric=metric, before=before, after=after, low=low, high=high, n=100)
    (change,) = stage_changes([ChangeEntry(moves=(move,))], stage())
    made = change.moves[0]
    assert (made.loss.value, made.loss.low, made.loss.high) == pytest.approx(loss)
    assert made.reading == reading
    assert type(change).parse(change.canonical()) == change


def test_past_the_best_value_only_the_point_is_turned(stage):
    move = MoveEntry(metric="calibration.slope", before=0.8, after=1.1, low=0.2, high=0.4)
    made = stage_changes([ChangeEntry(moves=(move,))], stage())[0].moves[0]
    assert made.loss.value == pytest.approx(-0.1)
    assert made.loss.low is None


def test_neither_side_is_better(stage):
    move = MoveEntry(metric="fairness.selection_rate", before=0.4, after=0.5, low=0.05, high=0.15)
    made = stage_changes([ChangeEntry(moves=(move,))], stage())[0].moves[0]
    assert made.loss.value is None
    assert made.reading == "moved"


def test_compare_rules_have_tests_of_their_own(write_pack, tmp_path):
    write_pack(
        "rules:\n  - {id: r, title: A rule under test, severity: high, compare: performance.auc, with: previous_audit, "
        "may_worsen_by: 0.02, judged_on: interval, threshold_basis: organisation}\n"
    )
    path = tmp_path / "own.test.yaml"
    text = (
        "schema: policy-test/1\npack: own.yaml\ntoday: 2026-11-21\ncases:\n"
        "  - name: worse\n    changes: {moves: [{metric: performance.auc, model: black_box, before: 0.8, after: 0.7, "
        "low: -0.12, high: -0.08, n: 5000}]}\n    expect: {r: fail}\n"
        "  - name: as good\n    changes: {moves: [{metric: performance.auc, model: black_box, before: 0.8, after: 0.8, "
        "low: -0.01, high: 0.01, n: 5000}]}\n    expect: {r: pass}\n"
        "  - name: nothing to compare\n    expect: {r: inconclusive}\n"
    )
    path.write_text(text)
    assert {result.name: result.problems for result in run_policy_tests(path)} == {
        "worse": (), "as good": (), "nothing to compare": (),
    }  # fmt: skip
    path.write_text(text.replace("{metric: performance.auc", "{metric: performance.acu", 1))
    with pytest.raises(PolicyError, match="did you mean 'performance.auc'") as caught:
        run_policy_tests(path)
    assert ":6:" in caught.value.mistakes[0].place
