"""A whole examination of a table that is not held: its numbers about people are those of the table that is."""

import re

import pytest

from audit.examination.pipeline import examine

STARTED = "2026-01-01T00:00:00Z"


def numbers(evidence, section, *metrics):
    found = {}
    for item in getattr(evidence, section).each_measurement():
        if item.metric in metrics and item.estimate is not None:
            key = (item.metric, item.model, str(item.group), item.reference, item.attribute, item.feature)
            found[key] = item.estimate
    return found


@pytest.fixture(scope="module")
def whole(table):
    return examine(table.config, started=STARTED).evidence


@pytest.fixture
def swept(table, few):
    few(sample=1_500)
    return examine(table.config, started=STARTED).evidence


def test_people_are_the_same_whether_held_or_swept(whole, swept):
    assert swept.broken == whole.broken
    assert swept.fairness.tables == whole.fairness.tables
    assert swept.data.rows == whole.data.rows == 3_000
    assert swept.data.label_known == whole.data.label_known
    assert swept.data.label_positive == whole.data.label_positive
    assert swept.data.groups == whole.data.groups
    for section, names in (
        ("data", ("data.rows", "data.missing_rate", "data.label_rate_ratio", "data.group_share")),
        ("fairness", ("fairness.selection_rate", "fairness.impact_ratio", "fairness.mean_score", "fairness.auc")),
    ):
        mine, theirs = numbers(swept, section, *names), numbers(whole, section, *names)
        assert mine.keys() == theirs.keys()
        assert theirs
        for key, estimate in theirs.items():
            assert mine[key].value == pytest.approx(estimate.value, rel=1e-6), key
            assert mine[key].n == estimate.n, key
    mine, theirs = (
        {key: item for key, item in numbers(one, "performance", "performance.auc", "performance.accuracy").items()
         if key[1] == "black_box"} for one in (swept, whole)
    )  # fmt: skip
    assert mine.keys() == theirs.keys()
    assert theirs
    for key, estimate in theirs.items():
        assert mine[key].value == pytest.approx(estimate.value, rel=1e-6)
    columns = {column.name: column.missing for column in whole.data.columns}
    assert {column.name: column.missing for column in swept.data.columns} == columns


def test_what_rests_on_the_sample_says_so(swept):
    sentence = re.compile(r"a sample of 1,[0-9]{3} of 3,000 rows")
    assert any(sentence.search(note) and "seed 0" in note for note in swept.data.notes)
    for section in (swept.performance, swept.calibration, swept.fidelity, swept.effects):
        assert any(sentence.search(note) for note in section.notes), section
    assert swept.fidelity.rows < 3_000
    assert swept.fairness.cross_check.largest_difference < 1e-12
    assert 0 < swept.fairness.cross_check.rows < 3_000


def test_shards_that_were_swept_apart_make_the_same_report(table, whole):
    from audit.examination.sweep.apart import sweep_shard

    shards = [sweep_shard(table.config, at, 3) for at in (3, 1, 2)]
    evidence = examine(table.config, started=STARTED, sweeps=shards).evidence
    assert evidence.broken == whole.broken
    assert evidence.fairness.tables == whole.fairness.tables
    assert evidence.provenance.config_digest == whole.provenance.config_digest
    assert {file.sha256 for file in evidence.provenance.files} == {file.sha256 for file in whole.provenance.files}
    for section, name in (("fairness", "fairness.selection_rate"), ("performance", "performance.auc")):
        mine, theirs = numbers(evidence, section, name), numbers(whole, section, name)
        assert mine.keys() == theirs.keys()
        for key, estimate in theirs.items():
            if key[1] in (None, "", "black_box"):
                assert mine[key].value == pytest.approx(estimate.value, rel=1e-6), key
