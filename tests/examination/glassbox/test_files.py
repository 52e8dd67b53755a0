"""Glass boxes written down predict the same when read back."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from audit.errors import EvidenceError
from audit.evidence import NotDone
from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.ebm import EbmOrder, fit_ebm
from audit.examination.glassbox.encoder import fit_encoder
from audit.examination.glassbox.files import flatten_tables, read_tables, write_tables
from audit.examination.glassbox.fit import tables_of
from audit.examination.glassbox.net import AdditiveNet

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples"))
PAIRED = {"a": "number", "b": "number", "c": "category", "d": "category"}


def test_every_box_reads_back_to_the_same_predictions(fits, truth, standard_ebm):
    frame = truth[0].copy()
    frame.loc[frame.index[:5], "job"] = "never seen"
    frame.loc[frame.index[5:9], "job"] = None
    for box in (*fits.models.values(), standard_ebm[0]):
        again = read_tables(write_tables(box))
        np.testing.assert_allclose(again.link(frame), box.link(frame), atol=1e-12, rtol=0)
        assert write_tables(again) == write_tables(box)


def test_the_file_of_the_net_is_the_net(fits, truth):
    import torch

    box = fits.models["net_surrogate"]
    again = read_tables(tables_of(fits)["glassboxes/net_surrogate.json"])
    encoded = torch.from_numpy(box.encoder.encode(truth[0]))
    with torch.no_grad():
        module = AdditiveNet(box)(encoded).numpy()
    np.testing.assert_allclose(again.link(truth[0]), module, atol=1e-6, rtol=0)


def test_a_reader_of_nothing_but_json_can_recompute(fits, truth):
    """What the file says of itself is enough: twenty lines, no line of ours."""
    document = json.loads(tables_of(fits)["glassboxes/ebm_label.json"])
    frame = truth[0].iloc[:200]
    total = np.full(len(frame), document["intercept"])
    for term in document["features"]:
        for i, value in enumerate(frame[term["feature"]].tolist()):
            if value is None or value != value:
                total[i] += term["missing"]
            elif term["form"] == "level":
                names = term["levels"]
                total[i] += term["y"][names.index(str(value))] if str(value) in names else term["unknown"]
            elif term["form"] == "step":
                total[i] += term["y"][sum(cut <= value for cut in term["at"])]
    np.testing.assert_allclose(total, fits.models["ebm_label"].link(frame), atol=1e-12)


def test_the_parquet_table_holds_every_position(fits):
    for box in fits.models.values():
        table = pq.read_table(io.BytesIO(flatten_tables(box))).to_pandas()
        for term in box.terms:
            part = table[(table["feature"] == term.feature) & ~table["level"].isin(["(missing)", "(unknown)"])]
            np.testing.assert_array_equal(part["y"].to_numpy(), term.y)
        assert table.loc[table["feature"] == "(intercept)", "y"].item() == box.intercept


def test_no_fits_no_files():
    assert tables_of(NotDone(not_done="none")) == {}


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"form": "glassbox/9"}', b'{"form": "glassbox/1"}', b"\xff\xfe", b"null"]
)
def test_a_foreign_file_is_refused(data):
    with pytest.raises(EvidenceError):
        read_tables(data)


@pytest.fixture(scope="module", params=["ebm", "net"])
def crossed(request):
    """A box with interactions of numbers, of categories, and of one with the other; values are missing."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"a": rng.normal(size=1500).round(2), "b": rng.normal(size=1500).round(2)})
    frame["c"] = rng.choice(["u", "v", "w"], 1500).astype(object)
    frame["d"] = rng.choice(["x", "y"], 1500).astype(object)
    sign, flip = frame["c"].map({"u": 1.0, "v": -1.0, "w": 0.0}), np.where(frame["d"] == "x", 1.0, -1.0)
    target = (frame["a"] * frame["b"] + sign * frame["a"] + sign * flip).to_numpy(float)
    frame.loc[::41, "a"] = np.nan
    frame.loc[::43, "c"] = None
    target = np.where(frame["a"].isna() | frame["c"].isna(), 0.2, target) + 0.1 * rng.normal(size=1500)
    encoder = fit_encoder(frame, PAIRED, knots=32)
    encoded = encoder.encode(frame)
    if request.param == "net":
        order = NetOrder("net", "regression", "none", pairs=6, all_pairs=True)
        box, _ = fit_additive(encoder, encoded, target, order, rng=np.random.default_rng(0))
    else:
        box = fit_ebm(encoder, encoded, target, EbmOrder("ebm", "regression", "fast", 0, pairs=6))
    kinds = {tuple(sorted(PAIRED[name] for name in pair.features)) for pair in box.pairs}
    assert kinds == {("number", "number"), ("category", "number"), ("category", "category")}
    return box, hostile(frame)


def hostile(frame):
    """Return rows with values that were never seen, missing ones, and numbers beyond both ends."""
    frame = frame.copy()
    frame.loc[frame.index[:9], "c"] = "never seen"
    frame.loc[frame.index[9:12], "d"] = None
    frame.loc[frame.index[12:16], ["a", "b"]] = np.nan
    frame.loc[frame.index[16:20], "b"] = 1e12
    frame.loc[frame.index[20:24], "a"] = -1e12
    return frame


def test_the_reader_adds_pairs_of_every_kind(crossed):
    import read_tables as example

    box, frame = crossed
    columns = {name: [None if v != v else v for v in frame[name].tolist()] for name in frame}
    got = example.predict(json.loads(write_tables(box)), columns)
    np.testing.assert_allclose(got, box.link(frame), atol=1e-9)
    np.testing.assert_allclose(read_tables(write_tables(box)).link(frame), box.link(frame), atol=1e-12)


def test_a_pair_can_be_looked_up_in_the_parquet_table(crossed):
    """Each row finds its cell by what stands beside the cells alone; in between knots, the cell at a knot."""
    box, frame = crossed
    table = pq.read_table(io.BytesIO(flatten_tables(box))).to_pandas()
    for pair in box.pairs:
        cells = table[(table["form"] == "pair") & (table["feature"] == " x ".join(pair.features))]
        assert len(cells) == pair.y.size
        grid = cells.pivot(index="row", columns="column", values="y").to_numpy()
        np.testing.assert_array_equal(grid, pair.y)
        probe, places = frame.copy(), []
        for name, side, cuts in zip(pair.features, ("row", "column"), pair.cuts, strict=True):
            at = cells.drop_duplicates(side).set_index(side)[f"{side}_at"].sort_index()
            if not cuts.size:
                assert at.isna().all()
                places.append(None)
                continue
            known = at.dropna()
            np.testing.assert_array_equal(known, cuts)
            if pair.form == "linear":
                # on a knot the cell is the knot's own
                probe[name] = np.where(frame[name].isna(), np.nan, np.resize(known, len(frame)))
                places.append(
                    probe[name].map(dict(zip(known, known.index, strict=True))).fillna(0).astype(int).to_numpy()
                )
            else:
                # at the last cut that is not above the value; below all cuts it is the row before the first
                below = (known.to_numpy()[None, :] <= frame[name].to_numpy(float)[:, None]).sum(axis=1)
                place = np.append(known.index[0] - 1, known.index.to_numpy())[below]
                places.append(np.where(frame[name].isna(), 0, place).astype(int))
        if all(place is not None for place in places):
            np.testing.assert_allclose(pair.look_up(box.encoder.encode(probe)), grid[places[0], places[1]], atol=1e-9)


def test_the_last_row_of_a_boosted_pair_is_for_levels_never_seen_alone(crossed):
    box, _ = crossed
    for pair in (pair for pair in box.pairs if pair.form == "step"):
        for k, (rows, cuts) in enumerate(zip(pair.rows, pair.cuts, strict=True)):
            if cuts.size:
                # missing, one row per piece, and one that no number can reach
                assert pair.y.shape[k] == cuts.size + 3
                assert pair._index(np.array([-1e300, 1e300, np.nan]), k).tolist() == [1, cuts.size + 1, 0]
            else:
                assert rows[-1] == pair.y.shape[k] - 1
                assert (rows[:-1] < rows[-1]).all()
