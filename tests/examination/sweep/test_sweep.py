"""One pass over the rows in pieces gives what holding them all gives."""

import numpy as np
import pytest

from audit.errors import ConfigError, DataError
from audit.examination.data.stream import Piece
from audit.examination.sweep.sample import EACH_STRATUM, hash_positions, share_to_keep
from audit.examination.sweep.shards import cut_shards, deal_pieces, number_rows
from audit.examination.sweep.sweep import add_sweeps, merge_sweeps

SUMS = ("score", "score_square", "weight", "weight_square")


def rows_of(roll):
    """Every person as a tuple, sorted: the order of people does not count."""
    names = [np.array(roll.levels[name], dtype=object)[codes] for name, codes in roll.codes.items()]
    label = np.where(np.isnan(roll.label), -1.0, roll.label)
    return sorted(zip(*names, label, roll.score, roll.favourable, roll.weight, strict=True))


def test_shards_give_the_people_that_the_whole_frame_gives(table, few, tools):
    whole = tools.gather(table.config)
    assert whole.sampled == ""
    few()
    swept = tools.gather(table.config)
    assert swept.roll.exact
    assert swept.roll.levels == whole.roll.levels
    for mine, theirs in zip(rows_of(swept.roll), rows_of(whole.roll), strict=True):
        assert mine[:4] == theirs[:4]
        assert mine[4] == pytest.approx(theirs[4], abs=1e-7)
        assert mine[5:] == theirs[5:]
    for sets in [("sex",), ("region",), ("age",), *tools.pairs]:
        assert swept.tally.table(sets) == whole.tally.table(sets)
        for name in SUMS:
            np.testing.assert_allclose(swept.tally.sums(name, sets), whole.tally.sums(name, sets), rtol=1e-7)
    assert swept.sampled.startswith("a sample of ")
    assert "seed 0" in swept.sampled
    assert len(swept.frame) == len(swept.scores.score) == len(swept.label) < 3_000


@pytest.mark.parametrize("most", [5_000_000, 200])
def test_neither_shards_nor_files_nor_row_groups_change_a_count(table, few, tools, model, tmp_path, most):
    few(most=most, shard=500)
    one = tools.sweep_all(table.config)
    assert one.roll.exact == (most > 200)
    few(most=most, shard=10_000)
    other = tools.sweep_all(table.config)
    regrouped = tools.write_parts(table.frame, tmp_path / "again", files=3, group=70)
    third = tools.sweep_all(tools.settings(regrouped, model))
    for again in (other, third):
        assert again.rows == one.rows == 3_000
        assert again.roll.levels == one.roll.levels
        assert (again.roll.width, again.roll.halvings) == (one.roll.width, one.roll.halvings)
        np.testing.assert_array_equal(again.tally.counts(["sex", "age"]), one.tally.counts(["sex", "age"]))
        for name in SUMS:
            np.testing.assert_allclose(again.tally.sums(name, ["sex"]), one.tally.sums(name, ["sex"]), rtol=1e-7)
        np.testing.assert_array_equal(again.sample.position, one.sample.position)
        assert again.sample.frame().equals(one.sample.frame())
    if most == 200:
        np.testing.assert_array_equal(other.roll.count, one.roll.count)
        np.testing.assert_allclose(other.roll.score, one.roll.score, rtol=1e-12)


def test_condensed_people_count_the_same_and_bound_what_scores_can_be(table, few, tools):
    exact = tools.gather(table.config)
    few(most=1_000)
    small = tools.gather(table.config)
    assert 0 < len(small.roll.count) <= 1_000 < exact.roll.rows == small.roll.rows
    assert small.tally.table(("sex", "region")) == exact.tally.table(("sex", "region"))
    mean = float(np.dot(small.roll.score, small.roll.count) / small.roll.rows)
    assert mean == pytest.approx(float(exact.roll.score.mean()), abs=1e-9)
    order, known = np.argsort(small.roll.score), np.sort(exact.roll.score)
    spread = np.repeat(small.roll.score[order], small.roll.count[order])
    assert np.abs(spread - known).max() <= small.roll.width


def test_sample_holds_every_stratum_and_the_smallest_hashes(table, few, tools):
    few(sample=300)
    whole = tools.sweep_all(table.config)
    sample, everyone = whole.sample, whole.tally.counts(["region"])
    assert 300 <= len(sample) < 3_000
    marks = np.sort(hash_positions(_positions(table), 0))[:300]
    assert set(marks.tolist()) <= set(sample.mark.tolist())
    for region, counts in zip(whole.roll.levels["region"], everyone, strict=True):
        for at, label in enumerate("pn?"):
            for side, decision in enumerate("fu"):
                held = int((sample.strata["region"] == f"{region} {label}{decision}").sum())
                assert held >= min(EACH_STRATUM, int(counts[at, side]))


def _positions(table):
    sizes = [1_000, 1_000, 1_000]
    return np.concatenate([np.arange(rows, dtype=np.uint64) + np.uint64(at << 40) for at, rows in enumerate(sizes)])


def test_another_seed_draws_other_rows(table, few, tools, monkeypatch):
    few(sample=300)
    monkeypatch.setattr("audit.examination.sweep.sample.EACH_STRATUM", 2)
    one = tools.sweep_all(table.config).sample.position
    other = tools.sweep_all(table.config.model_copy(update={"seed": 1})).sample.position
    assert len(set(one.tolist()) & set(other.tolist())) < 0.5 * len(one)


def test_hashes_are_even_and_the_share_is_enough():
    mark = hash_positions(np.arange(200_000, dtype=np.uint64), 3)
    assert len(np.unique(mark)) == 200_000
    assert np.abs(np.histogram(mark.astype(float) / 2**64, bins=20, range=(0, 1))[0] / 10_000 - 1).max() < 0.05
    for size in (50, 1_000, 50_000):
        assert (mark < share_to_keep(size, 200_000)).sum() >= size
    assert share_to_keep(10, 5) == share_to_keep(10, -1) == np.uint64(2**64 - 1)


def test_sums_of_sweeps_in_any_order(table, few, tools):
    from audit.examination.blackbox.intake import take_in
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.order import sweep_pieces, write_order

    few(most=300)
    rows = read_rows(table.config)
    blackbox, intake = take_in(rows.config, rows.dataset)
    order = write_order(rows.config, rows.dataset, blackbox, intake.sha256, rows=rows.dataset.rows)
    parts = [sweep_pieces(order, shard, blackbox) for shard in cut_shards(rows.dataset.source.pieces, 500)]
    assert len(parts) == 6
    left = (parts[0] + parts[1]) + (parts[2] + (parts[3] + parts[4])) + parts[5]
    right = merge_sweeps(reversed(parts))
    np.testing.assert_array_equal(left.roll.count, right.roll.count)
    np.testing.assert_allclose(left.roll.score, right.roll.score, rtol=1e-12)
    assert left.sample.frame().equals(right.sample.frame())
    with pytest.raises(DataError, match="counted twice"):
        add_sweeps([parts[0], parts[1], parts[0]])
    other = write_order(
        rows.config.model_copy(update={"seed": 5}), rows.dataset, blackbox, intake.sha256, rows=rows.dataset.rows
    )
    strange = sweep_pieces(other, rows.dataset.source.pieces[-1:], blackbox)
    with pytest.raises(DataError, match="different configurations"):
        parts[0] + strange
    with pytest.raises(DataError, match="no sweep to add"):
        merge_sweeps([])


@pytest.mark.parametrize(
    "more",
    [
        {"model": {"scores": "stored"}},
        {"decision": {"column": "said", "favourable": "yes"}},
        {"decision": {"column": "said", "favourable": "no"}, "model": {"scores": "stored"}},
        {"model": {"scores": "stored"}, "decision": {"bands": {"good": "score >= 0.7", "bad": "otherwise"}}},
        {"model": {"scores": "stored"}, "decision": "none"},
        {"model": {"scores": "stored", "output": {"task": "regression", "scale": "value"}},
         "label": "income", "decision": "score >= 0.5"},
        {"groups": {"age": "age", "sex": "sex"}, "model": {"scores": "stored"}},
        {"groups": [], "model": {"scores": "stored"}},
    ],
    ids=["scores", "decisions", "both", "bands", "undecided", "values", "quartiles", "no groups"],
)  # fmt: skip
def test_every_kind_of_decision_is_swept_as_it_is_held(table, few, tools, more):
    config = tools.settings(table.folder, None, **more)
    whole = tools.gather(config)
    few(shard=600)
    swept = tools.gather(config)
    assert swept.roll.levels == whole.roll.levels
    assert swept.roll.outcomes == whole.roll.outcomes
    sets = [(name,) for name in whole.roll.levels] or [()]
    for names in sets:
        np.testing.assert_array_equal(swept.tally.counts(names), whole.tally.counts(names))
    if whole.roll.outcome is not None:
        np.testing.assert_array_equal(np.bincount(swept.roll.outcome), np.bincount(whole.roll.outcome))
    if whole.scores.predicted_positive is not None:
        same = whole.scores.predicted_positive == whole.scores.favourable
        assert (swept.scores.predicted_positive == swept.scores.favourable).all() == same.all()
    if whole.roll.label is not None:
        assert np.nansum(swept.roll.label) == pytest.approx(np.nansum(whole.roll.label))
    few(shard=600, most=100)
    small = tools.gather(config)
    for names in sets:
        np.testing.assert_array_equal(small.tally.counts(names), whole.tally.counts(names))


def test_csv_is_swept_too(table, few, tools, model, tmp_path):
    folder = tmp_path / "csv"
    folder.mkdir()
    table.frame.iloc[:1_700].to_csv(folder / "a.csv", index=False)
    table.frame.iloc[1_700:].to_csv(folder / "b.csv", index=False)
    config = tools.settings(folder, model)
    whole = tools.gather(config)
    few(most=500)
    swept = tools.gather(config)
    assert swept.tally.table(("sex", "age")) == whole.tally.table(("sex", "age"))
    assert set(swept.frame["applicant"]) <= set(table.frame["applicant"])
    assert swept.frame["applicant"].is_unique


def test_groups_from_another_file_are_swept(table, few, tools, model, tmp_path):
    table.frame[["applicant", "sex", "region"]].iloc[:2_900].to_csv(tmp_path / "who.csv", index=False)
    groups = {"file": str(tmp_path / "who.csv"), "key": "applicant", "columns": ["sex", "region"]}
    config = tools.settings(table.folder, model, groups=groups)
    whole = tools.gather(config)
    few()
    swept = tools.gather(config)
    assert swept.tally.table(("sex", "region")) == whole.tally.table(("sex", "region"))


def test_a_frame_is_swept_in_this_process(table, few, tools):
    from audit.examination.blackbox.intake import take_in_callable
    from audit.examination.engine.progress import SilentProgress
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.people import gather_people

    config = tools.settings(table.folder, None, model={"format": "python", "inputs": ["income", "age"]})
    rows = read_rows(config, table.frame)
    blackbox, intake = take_in_callable(lambda frame: frame["income"] / 200, rows.config, rows.dataset)
    gathered = [gather_people(rows, blackbox, intake, tools.local, tools.pairs, SilentProgress())]
    few()
    gathered.append(gather_people(rows, blackbox, intake, tools.local, tools.pairs, SilentProgress()))
    assert gathered[0].tally.table(("sex", "age")) == gathered[1].tally.table(("sex", "age"))
    assert gathered[1].sampled


def test_files_that_change_in_between_are_refused(table, few, tools, model, tmp_path):
    from audit.examination.blackbox.intake import take_in
    from audit.examination.engine.progress import SilentProgress
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.people import gather_people

    few()
    folder = tools.write_parts(table.frame, tmp_path / "moving", files=1, group=5_000)
    rows = read_rows(tools.settings(folder, model))
    blackbox, intake = take_in(rows.config, rows.dataset)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    changed = table.frame.iloc[:2_000].assign(region="east")
    tools.write_parts(changed, folder, files=1, group=5_000)
    with pytest.raises(DataError, match="not there before"):
        gather_people(rows, blackbox, intake, tools.local, tools.pairs, SilentProgress())
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    tools.write_parts(table.frame.iloc[:2_000], folder, files=1, group=5_000)
    with pytest.raises(DataError, match=r"3,000 rows .* 2,000"):
        gather_people(rows, blackbox, intake, tools.local, tools.pairs, SilentProgress())


def test_cutting_and_dealing_pieces():
    pieces = [Piece(at // 4, at % 4, 0, 100) for at in range(12)]
    shards = cut_shards(pieces, 250)
    assert [piece for shard in shards for piece in shard] == pieces
    assert {len(shard) for shard in shards} <= {2, 3}
    for count in (1, 2, 5, 12):
        dealt = [deal_pieces(pieces, at + 1, count) for at in range(count)]
        assert [piece for shard in dealt for piece in shard] == pieces
    with pytest.raises(ConfigError, match="no rows: the table has 12 pieces"):
        [deal_pieces(pieces, at + 1, 40) for at in range(40)]
    with pytest.raises(ConfigError, match="no shard 4 of 3"):
        deal_pieces(pieces, 4, 3)
    unknown = [Piece(at) for at in range(3)]
    assert cut_shards(unknown, 10) == tuple((piece,) for piece in unknown)


def test_rows_are_numbered_by_file_and_place():
    pieces = [Piece(2, 0, 0, 5), Piece(2, 3, 30, 4)]
    found = list(number_rows(pieces, iter([3, 6])))
    assert [values.tolist() for values in found] == [
        [(2 << 40) + at for at in (0, 1, 2)],
        [(2 << 40) + at for at in (3, 4, 30, 31, 32, 33)],
    ]


def test_a_process_pool_makes_the_same_sweep(table, few, tools):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from audit.examination.engine.engine import open_engine

    few()
    here = tools.sweep_all(table.config)
    # forked, as the limits that these tests lower are
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool, open_engine(executor=pool) as engine:
        there = tools.sweep_all(table.config, engine)
    np.testing.assert_array_equal(here.roll.score, there.roll.score)
    np.testing.assert_array_equal(here.roll.count, there.roll.count)
    assert here.sample.frame().equals(there.sample.frame())


def test_a_large_training_file_is_sampled(table, few, tools, monkeypatch):
    from audit.examination.data.read import read_dataset
    from audit.examination.sweep.sample import sample_table

    dataset = read_dataset(table.config)
    frame = sample_table(dataset, 500, 7)
    assert len(frame) == 500
    assert frame["applicant"].is_unique
    assert set(frame["applicant"]) == set(table.frame["applicant"].to_numpy()[_chosen(table, 500, 7)])
    assert len(sample_table(dataset, 10_000, 7)) == 3_000


def _chosen(table, size, seed):
    return np.sort(np.argsort(hash_positions(_positions(table), seed))[:size])
