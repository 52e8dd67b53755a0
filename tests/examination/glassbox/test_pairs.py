"""Interactions of the additive net: found, chosen, pure, and the same in every form."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.binned import bin_rows
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.files import flatten_tables, read_tables, write_tables
from audit.examination.glassbox.net import AdditiveNet

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples"))
KINDS = {"a": "number", "b": "number", "c": "category", "d": "number"}


def draw(n, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    frame["c"] = rng.choice(["u", "v", "w"], n).astype(object)
    frame["d"] = rng.normal(size=n)
    sign = frame["c"].map({"u": 1.0, "v": -1.0, "w": 0.0}).to_numpy(float)
    plain = np.sin(frame["a"].to_numpy()) + 0.5 * frame["d"].to_numpy()
    crossed = frame["a"].to_numpy() * frame["b"].to_numpy() + 0.7 * sign * frame["d"].to_numpy()
    return frame, plain, crossed, rng.normal(size=n)


@pytest.fixture(scope="module")
def paired():
    frame, plain, crossed, noise = draw(3000)
    frame.loc[::31, "a"] = np.nan
    frame.loc[::37, "c"] = None
    target = np.where(np.isnan(frame["a"]), 0.3, plain + crossed) + 0.3 * noise
    encoder = fit_encoder(frame, KINDS, knots=48)
    box, _ = fit_additive(
        encoder, encoder.encode(frame), target, NetOrder("net", "regression", pairs=6), rng=np.random.default_rng(0)
    )
    return box, frame, target


def hostile(frame):
    frame = frame.copy()
    frame.loc[frame.index[:9], "c"] = "never seen"
    frame.loc[frame.index[9:15], ["a", "b"]] = np.nan
    frame.loc[frame.index[15:20], "b"] = 1e12
    frame.loc[frame.index[20:25], "a"] = -np.inf
    return frame


def test_true_pairs_are_found_and_no_others_are_kept(paired):
    box, _, _ = paired
    assert {frozenset(pair.features) for pair in box.pairs} == {frozenset("ab"), frozenset("cd")}


def test_pairs_bring_the_fit_to_the_noise():
    frame, plain, crossed, noise = draw(6000, 1)
    encoder = fit_encoder(frame, KINDS, knots=48)
    encoded, target = encoder.encode(frame), plain + crossed + 0.3 * noise
    order = NetOrder("net", "regression", "none", pairs=6)
    box, _ = fit_additive(encoder, encoded[:4000], target[:4000], order, rng=np.random.default_rng(0))
    error = np.sqrt(np.mean((box.link_encoded(encoded[4000:]) - (plain + crossed)[4000:]) ** 2))
    assert error < 0.25 * np.std(crossed)


@pytest.mark.parametrize("family", ["binary", "regression"])
def test_a_target_without_interaction_keeps_none(family):
    frame, plain, _, noise = draw(3000, 2)
    link = 2 * plain
    y = (np.random.default_rng(3).random(3000) < 1 / (1 + np.exp(-link))).astype(float)
    target = y if family == "binary" else link + noise
    encoder = fit_encoder(frame, KINDS, knots=32)
    order = NetOrder("net", family, pairs=6)
    box, _ = fit_additive(encoder, encoder.encode(frame), target, order, rng=np.random.default_rng(0))
    assert box.pairs == ()


def test_pairs_are_pure_over_the_rows(paired):
    """Means of a pair's table along either side, weighted by the rows at each knot, are zero; purify agrees."""
    from interpret.utils import purify

    box, frame, _ = paired
    encoded = box.encoder.encode(frame)
    for pair in box.pairs:
        mass = np.zeros(pair.y.shape)
        from audit.examination.glassbox.shapes import mix_rows

        (a, b, s), (c, d, t) = (mix_rows(encoded[:, j], pair.cuts[k], pair.rows[k]) for k, j in enumerate(pair.columns))
        for rows, left in ((a, 1 - s), (b, s)):
            for columns, up in ((c, 1 - t), (d, t)):
                np.add.at(mass, (rows, columns), left * up)
        scale = np.abs(pair.y).max()
        assert np.abs((mass * pair.y).sum(axis=0)).max() / mass.sum() < 1e-6 * scale
        assert np.abs((mass * pair.y).sum(axis=1)).max() / mass.sum() < 1e-6 * scale
        again, _, constant = purify(pair.y.copy(), np.maximum(mass, 1e-9), is_randomized=False)
        np.testing.assert_allclose(again, pair.y, atol=1e-4 * scale)
        assert abs(float(np.ravel(constant)[0])) < 1e-6
    for j, term in enumerate(box.terms):
        assert abs(term.look_up(encoded[:, j]).mean()) < 1e-8


def test_every_form_of_the_net_gives_the_same_scores(paired):
    """Tables, binned rows, torch module, JSON read back, and the reader of numpy alone."""
    import read_tables as example

    box, frame, _ = paired
    frame = hostile(frame)
    encoded = box.encoder.encode(frame)
    scores = box.link_encoded(encoded)
    np.testing.assert_allclose(bin_rows(encoded).score(box), scores, atol=1e-12)
    with torch.no_grad():
        np.testing.assert_allclose(AdditiveNet(box)(torch.from_numpy(encoded)).numpy(), scores, atol=1e-9)
    np.testing.assert_allclose(read_tables(write_tables(box)).link(frame), scores, atol=1e-12)
    columns = {name: [None if v != v else v for v in frame[name].tolist()] for name in frame}
    np.testing.assert_allclose(example.predict(json.loads(write_tables(box)), columns), scores, atol=1e-9)


def test_the_network_in_single_precision_is_its_tables(paired):
    box, frame, _ = paired
    encoded = box.encoder.encode(frame)
    net = AdditiveNet(box).float()
    with torch.no_grad():
        got = net(torch.from_numpy(encoded).float()).numpy()
    # the rounding of the input alone moves a score by slope times half a digit: judge beside the tables at that input
    expected = box.link_encoded(encoded.astype(np.float32).astype(np.float64))
    assert np.abs(got - expected).max() < 1e-6 * max(8.0, np.abs(expected).max())


def test_the_reader_reads_ebm_tables_with_pairs_too(standard_ebm, truth):
    import read_tables as example

    box = standard_ebm[0]
    frame = truth[0]
    assert box.pairs
    columns = {name: [None if v != v else v for v in frame[name].tolist()] for name in box.encoder.names}
    got = example.predict(json.loads(write_tables(box)), columns)
    np.testing.assert_allclose(got, box.link(frame), atol=1e-9)


def test_the_reader_runs_from_a_shell(paired, tmp_path):
    import subprocess

    box, frame, _ = paired
    (tmp_path / "net.json").write_bytes(write_tables(box))
    frame.head(40).to_csv(tmp_path / "rows.csv", index=False)
    script = Path(__file__).resolve().parents[3] / "examples" / "read_tables.py"
    done = subprocess.run(
        [sys.executable, script, tmp_path / "net.json", tmp_path / "rows.csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_allclose([float(line) for line in done.stdout.split()], box.link(frame.head(40)), atol=1e-9)


def test_the_parquet_file_holds_the_pairs(paired):
    box, _, _ = paired
    table = pq.read_table(io.BytesIO(flatten_tables(box))).to_pandas()
    cells = table[table["form"] == "pair"]
    assert len(cells) == sum(pair.y.size for pair in box.pairs)
    first = cells[cells["feature"] == " x ".join(box.pairs[0].features)]
    np.testing.assert_array_equal(first["y"].to_numpy(), box.pairs[0].y.ravel())


def test_a_feature_with_an_imposed_direction_stays_out_of_pairs():
    frame, plain, crossed, noise = draw(2000, 4)
    encoder = fit_encoder(frame, KINDS, knots=24)
    order = NetOrder("net", "regression", "none", {"a": "increasing"}, pairs=6)
    box, _ = fit_additive(
        encoder, encoder.encode(frame), plain + crossed + 0.3 * noise, order, rng=np.random.default_rng(0)
    )
    assert not any("a" in pair.features for pair in box.pairs)
    assert (np.diff(box.terms[0].y) >= 0).all()


def test_an_interaction_of_spikes_gets_a_grid_as_fine_as_it_needs(monkeypatch):
    """Rush hours on working days: a few smooth directions cannot follow them, and are seen to be used up."""
    from audit.examination.glassbox import choice

    rng = np.random.default_rng(0)
    hour, work = rng.integers(0, 24, 5000), rng.choice(["yes", "no"], 5000)
    rush = np.exp(-((hour - 8) ** 2) / 2) + 1.3 * np.exp(-((hour - 17.5) ** 2) / 3)
    truth = np.where(work == "yes", rush, np.exp(-((hour - 14) ** 2) / 18))
    frame = pd.DataFrame({"hour": hour.astype(float), "work": work.astype(object)})
    encoder = fit_encoder(frame, {"hour": "number", "work": "category"}, knots=48)
    encoded, target = encoder.encode(frame), truth + 0.3 * rng.normal(size=5000)
    errors = []
    for used_up in (choice.USED_UP, np.inf):
        monkeypatch.setattr(choice, "USED_UP", used_up)
        order = NetOrder("net", "regression", "none", pairs=3)
        box, _ = fit_additive(encoder, encoded, target, order, rng=np.random.default_rng(0))
        errors.append(np.sqrt(np.mean((box.link_encoded(encoded) - truth) ** 2)))
    assert errors[0] < 0.05
    assert errors[1] > 2 * errors[0]
