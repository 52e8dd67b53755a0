"""The four real data sets: every row read, typed as their cards say, base rates as published there."""

import json
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.config.schema import ExamineConfig
from audit.examination.data.columns import groups_of, label_of
from audit.examination.data.read import read_dataset
from audit.examination.tally.tally import build_tally, merge_tallies

DATA = (Path(__file__).resolve().parents[3] / "../shared/data/data").resolve()
NAMES = ("adult", "compas", "german_credit", "acs_income")

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not DATA.is_dir(), reason="no real data beside the checkout")]


def open_real(name, **keys):
    card = json.loads((DATA / f"{name}.json").read_text())
    texts = [column for column, kind in card["column_types"].items() if kind == "str"]
    attributes = {column: column for column in card["sensitive"]}
    if "age" in attributes:
        attributes["age"] = {"column": "age", "bins": [25, 40, 60]}
    features = [
        column for column in card["column_types"] if column not in (card["label"], *card.get("suggested_drop", []))
    ]
    inputs = [{"columns": [name for name in features if name not in texts]}]
    inputs += [{"kind": "one_hot", "columns": [name], "levels": {name: ["?"]}} for name in features if name in texts]
    config = ExamineConfig.model_validate(
        {
            "data": str(DATA / f"{name}.parquet"),
            "label": card["label"],
            "groups": attributes,
            "model": {"path": "m.pt2", "inputs": inputs},
            **keys,
        }
    )
    return card, config, read_dataset(config)


@pytest.mark.parametrize("name", NAMES)
def test_rows_digest_and_base_rates(name):
    card, config, dataset = open_real(name)
    frame = dataset.frame()
    assert dataset.rows == len(frame) == card["rows"]
    assert dataset.files[0].sha256 == f"sha256:{card['sha256']}"
    label = label_of(frame, config)
    assert label.mean() == pytest.approx(card["base_rate"], abs=1e-12)
    groups = groups_of(frame, config)
    for attribute, rates in card["base_rate_by"].items():
        for group, (rate, rows) in rates.items():
            if attribute in groups and group in set(groups[attribute]):
                inside = groups[attribute] == group
                assert inside.sum() == rows
                assert label[inside].mean() == pytest.approx(rate, abs=1e-6)
    missing = {column.name: column.missing for column in dataset.described if column.missing}
    assert missing == card.get("missing", {})


@pytest.mark.parametrize("name", NAMES)
def test_values_agree_with_pandas(name):
    _, _, dataset = open_real(name)
    ours, theirs = dataset.frame(), pd.read_parquet(DATA / f"{name}.parquet")
    for column in dataset.columns:
        if dataset.kinds[column] == "number":
            np.testing.assert_array_equal(ours[column], theirs[column].astype(float))
        else:
            expected = [None if value is None or value != value else str(value) for value in theirs[column].tolist()]
            assert ours[column].tolist() == expected


@pytest.mark.parametrize("name", ["adult", "compas", "german_credit"])
def test_the_same_rows_as_csv(name, tmp_path):
    _, config, dataset = open_real(name)
    theirs = pd.read_parquet(DATA / f"{name}.parquet")
    theirs.to_csv(tmp_path / "rows.csv", index=False, sep=";", decimal=",", encoding="cp1252")
    other = config.model_copy(update={"data": config.data.model_copy(update={"audit": str(tmp_path / "rows.csv")})})
    if name == "german_credit":
        # the data calls a level "none"; the default markers do not, and "None" must not either
        assert "none" in set(dataset.frame()["other_debtors"])
    pd.testing.assert_frame_equal(read_dataset(other).frame(), dataset.frame())


def test_codes_read_as_categories_stay_whole():
    codes = {"kind": "codes", "columns": ["occupation"], "levels": {"occupation": ["10"]}, "unknown": 0}
    _, _, dataset = open_real("acs_income", model={"path": "m.pt2", "inputs": [codes]})
    assert dataset.kinds["occupation"] == "category"
    assert set(dataset.frame()["occupation"].str.fullmatch(r"\d+")) == {True}


def test_pieces_of_real_data_add_up():
    _, config, dataset = open_real("acs_income")
    rng = np.random.default_rng(0)
    good = rng.random(dataset.rows) > 0.5

    def tally_of(frame):
        return build_tally(groups_of(frame, config), label_of(frame, config), good[frame.index])

    whole = tally_of(dataset.frame())
    pieces = merge_tallies(tally_of(batch) for batch in dataset.batches(50_000))
    assert whole.rows == 332_900
    assert whole.table(list(config.groups.attributes)) == pieces.table(list(config.groups.attributes))


def test_a_large_table_is_read_in_seconds():
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, _, dataset = open_real("acs_income")
    dataset.frame()
    assert time.perf_counter() - begun < 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 800
