"""Glass boxes written down predict the same when read back."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from audit.errors import EvidenceError
from audit.evidence import NotDone
from audit.examination.glassbox.files import flatten_tables, read_tables, write_tables
from audit.examination.glassbox.fit import tables_of
from audit.examination.glassbox.net import AdditiveNet


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
