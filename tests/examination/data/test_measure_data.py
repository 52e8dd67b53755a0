"""The data section: counts and shares against plain pandas, and no row in it."""

import numpy as np
import pandas as pd
import pytest

from audit.config.load import load_config
from audit.config.schema import ExamineConfig
from audit.errors import ConfigError
from audit.evidence import Data, Intake, NotDone
from audit.examination.blackbox.score import Scores
from audit.examination.data.columns import groups_of, label_of, weights_of
from audit.examination.data.read import read_dataset
from audit.examination.measures.case import Case, describe_subject
from audit.examination.measures.data import DEFINITIONS, QUANTILES, _quantiles, measure_data
from audit.statistics.intervals import score_ratio, wilson

MODEL = {
    "path": "m.pt2",
    "inputs": [
        {"columns": ["income", "age"]},
        {"kind": "one_hot", "columns": ["zip"], "levels": {"zip": ["01", "02"]}},
    ],
}


_NO_SCORES = Scores(None, None, np.zeros(0, bool), None)


def open_case(config, *, has_model=True):
    dataset = read_dataset(config)
    frame = dataset.frame()
    return Case(
        config=config,
        subject=describe_subject(config, dataset, dataset.features, _NO_SCORES, has_model=has_model),
        dataset=dataset,
        frame=frame,
        label=label_of(frame, config),
        weights=weights_of(frame, config),
        groups=groups_of(frame, config),
        scores=None,
        tally=None,
        roll=None,
        blackbox=None,
        intake=Intake(format="pt2", file="m", sha256="s", trust="t"),
        fits=NotDone(not_done="x"),
    )


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(3)
    n = 400
    frame = pd.DataFrame(
        {
            "id": [f"p{i:04d}" for i in range(n)],
            "income": rng.normal(50, 10, n).round(1),
            "age": rng.integers(18, 80, n),
            "zip": rng.choice(["01", "02"], n),
            "sex": rng.choice(["F", "M"], n, p=[0.4, 0.6]),
            "repaid": rng.choice([0.0, 1.0], n),
            "note": [f"secret {i}" for i in range(n)],
            "w": rng.random(n),
        }
    )
    frame.loc[:19, "income"] = np.nan
    frame.loc[:9, "sex"] = None
    frame.loc[390:, "repaid"] = np.nan
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return frame


def make_config(tmp_path, **keys):
    data = {"audit": str(tmp_path / "rows.csv"), "id": "id", **keys.pop("data", {})}
    return ExamineConfig.model_validate(
        {
            "data": data,
            "label": "repaid",
            "model": MODEL,
            "exclude": ["note"],
            "groups": {"sex": {"column": "sex", "population": {"F": 0.5, "M": 0.49, "X": 0.01}}},
            **keys,
        }
    )


def pick(data, metric, **scope):
    (found,) = [
        item
        for item in data.measurements
        if item.metric == metric and item.group == scope.get("group", {}) and item.feature == scope.get("feature")
    ]
    return found.estimate


def test_counts_agree_with_pandas(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    assert (data.rows, data.label_known, data.label_positive) == (400, 390, int(table["repaid"].sum()))
    assert pick(data, "data.rows").value == 400
    for sex in ("F", "M"):
        assert pick(data, "data.rows", group={"sex": sex}).count == (table["sex"] == sex).sum()
    assert pick(data, "data.rows", group={"sex": "unknown"}).count == 10
    assert pick(data, "data.rows", group={"sex": "X"}).count == 0
    missing = pick(data, "data.missing_rate", feature="income")
    assert (missing.value, missing.count) == (0.05, 20)
    assert (missing.low, missing.high) == wilson(20, 400)
    assert pick(data, "data.missing_rate", feature="age").value == 0
    assert [group.values for group in data.groups] == [("F",), ("M",), ("X",), ("unknown",)]
    assert data.groups[2].small
    assert Data.parse(data.canonical()) == data


def test_label_rates_are_compared_with_the_highest(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    rates = table.groupby("sex")["repaid"].agg(["sum", "count"])
    best = (rates["sum"] / rates["count"]).idxmax()
    other = "F" if best == "M" else "M"
    found = pick(data, "data.label_rate_ratio", group={"sex": other})
    counts = (*rates.loc[other], *rates.loc[best])
    assert found.value == pytest.approx(counts[0] / counts[1] / (counts[2] / counts[3]))
    assert (found.low, found.high) == pytest.approx(score_ratio(*map(int, counts)))
    empty = pick(data, "data.label_rate_ratio", group={"sex": "X"})
    assert empty.value is None
    assert "no person" in empty.note


def test_representation_against_the_population(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    known = table["sex"].notna().sum()
    share = (table["sex"] == "F").sum() / known
    found = pick(data, "data.representation_ratio", group={"sex": "F"})
    assert found.value == pytest.approx(share / 0.5)
    assert found.low < found.value < found.high
    assert pick(data, "data.representation_ratio", group={"sex": "X"}).value == 0
    assert not [
        item
        for item in data.measurements
        if item.metric == "data.representation_ratio" and item.group == {"sex": "unknown"}
    ]


def test_shares_have_wilsons_interval_and_absent_groups_are_shown(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    known = int(table["sex"].notna().sum())
    for sex, declared in (("F", 0.5), ("M", 0.49), ("X", 0.01)):
        rows = int((table["sex"] == sex).sum())
        share = pick(data, "data.group_share", group={"sex": sex})
        ratio = pick(data, "data.representation_ratio", group={"sex": sex})
        assert (share.value, share.count, share.n) == (rows / known, rows, known)
        assert (share.low, share.high) == wilson(rows, known)
        assert (ratio.low * declared, ratio.high * declared) == pytest.approx((share.low, share.high))
    assert 0 < pick(data, "data.group_share", group={"sex": "X"}).high < 0.02
    assert "sex: the declared population names X, and no row is of it" in data.notes


def test_a_population_that_names_other_groups_is_said(tmp_path, table):
    groups = {"sex": {"column": "sex", "population": {"F": 0.5, "Male": 0.5}}}
    notes = measure_data(open_case(make_config(tmp_path, groups=groups))).notes
    assert any("names Male, and no row is of it, but there are M, of which it says nothing" in note for note in notes)


@pytest.mark.parametrize("name", ["femal", "Female", "femalee"])
def test_a_group_of_the_population_that_is_almost_one_of_the_data_is_a_mistake(tmp_path, name):
    rows = tmp_path / "people.csv"
    rows.write_text("sex,s\n" + "female,0.4\nmale,0.6\n" * 40)
    path = tmp_path / "audit.yaml"
    path.write_text(
        "data: people.csv\nmodel: {scores: s, scale: probability}\ngroups:\n"
        f"  sex: {{column: sex, population: {{{name}: 0.5, male: 0.5}}}}\n"
    )
    with pytest.raises(ConfigError, match=f"'{name}' is no group of the attribute 'sex'") as caught:
        read_dataset(load_config(path))
    assert caught.value.mistakes[0].place.startswith(f"{path}:4:")
    assert caught.value.mistakes[0].hint == "did you mean 'female'?"


def test_strata_are_read_and_stay_features(tmp_path, table):
    case = open_case(make_config(tmp_path, strata=["zip", "note"]))
    columns = {column.name: column.used_as for column in measure_data(case).columns}
    assert columns["zip"] == "feature, stratum"
    assert columns["note"] == "stratum"
    assert "note" in case.frame


def test_a_group_without_a_declared_share(tmp_path, table):
    groups = {"sex": {"column": "sex", "population": {"F": 1.0}}}
    found = pick(
        measure_data(open_case(make_config(tmp_path, groups=groups))), "data.representation_ratio", group={"sex": "M"}
    )
    assert found.value is None
    assert "no share" in found.note


def test_columns_are_described_without_a_row(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    columns = {column.name: column for column in data.columns}
    assert list(columns) == list(table.columns)
    income = table["income"].dropna().sort_values().to_numpy()
    assert columns["income"].quantiles == pytest.approx(
        [income[4], *np.quantile(income, [0.25, 0.5, 0.75]), income[-5]]  # the ends are held at the fifth person
    )
    assert (columns["income"].missing, columns["income"].used_as) == (20, "feature")
    assert columns["zip"].top == table["zip"].value_counts().to_dict()
    assert columns["sex"].used_as == "group"
    assert (columns["id"].distinct, columns["id"].top, columns["id"].used_as) == (400, {}, "id")
    assert (columns["note"].used_as, columns["note"].top) == ("unused", {})
    written = data.canonical()
    assert b"p0001" not in written
    assert b"secret" not in written
    assert data.exclusions == ("column note: excluded by the configuration",)


def test_rare_levels_are_not_listed(tmp_path, table):
    table.assign(sex=["rare"] * 4 + ["few"] * 5 + ["M"] * 391).to_csv(tmp_path / "rows.csv", index=False)
    data = measure_data(open_case(make_config(tmp_path, groups={"sex": {"column": "sex"}})))
    assert {column.name: column.top for column in data.columns}["sex"] == {"M": 391, "few": 5}


def test_notes_tell_what_to_mind(tmp_path, table):
    twice = pd.concat([table, table.head(3)])
    twice.to_csv(tmp_path / "rows.csv", index=False)
    table.head(7).to_csv(tmp_path / "train.csv", index=False)
    config = make_config(tmp_path, data={"weight": "w", "train": str(tmp_path / "train.csv")})
    notes = " | ".join(measure_data(open_case(config)).notes)
    assert "10 of 403 rows (2.5%) have no label" in notes
    assert "3 rows repeat an id" in notes
    assert "sex is unknown for 13 of 403 rows" in notes
    assert "10 judged rows are also among the rows of data.train" in notes
    effective = int(twice["w"].sum() ** 2 / (twice["w"] ** 2).sum())
    assert f"worth {effective:,} equal rows" in notes


@pytest.mark.parametrize(
    ("model_train", "keys", "count", "words"),
    [
        ("unknown", {}, None, "unknown"),
        ("none of these", {}, None, "declared"),
        ("train", {}, 7, "7 of 400 judged rows"),
        ("file", {}, 7, "7 of 400 judged rows"),
        ("other", {}, 0, "no judged row"),
        ("nameless", {}, None, "not known"),
        ("file", {"id": None}, None, "not known"),
    ],
)
def test_split_overlap(tmp_path, table, model_train, keys, count, words):
    table.head(7).to_csv(tmp_path / "file.csv", index=False)
    table.head(7).assign(id=range(7)).to_csv(tmp_path / "other.csv", index=False)
    table[["income"]].to_csv(tmp_path / "nameless.csv", index=False)
    path = str(tmp_path / f"{model_train}.csv") if model_train in ("file", "other", "nameless") else model_train
    config = make_config(tmp_path, data={"train": str(tmp_path / "file.csv"), "model_train": path, **keys})
    data = measure_data(open_case(config))
    found = pick(data, "data.split_overlap")
    assert found.count == count
    assert found.assessable == (count is not None)
    assert words in data.training
    assert str(tmp_path) not in data.training + found.note


def test_without_model_label_or_groups(tmp_path):
    (tmp_path / "rows.csv").write_text("outcome\nyes\nno\nyes\n")
    config = ExamineConfig.model_validate(
        {"data": str(tmp_path / "rows.csv"), "decision": {"column": "outcome", "favourable": "yes"}}
    )
    data = measure_data(open_case(config, has_model=False))
    assert (data.rows, data.label_known, data.groups, data.training) == (3, 0, (), "")
    assert {item.metric for item in data.measurements} == {"data.rows", "data.split_overlap"}


def test_every_measurement_is_defined(tmp_path, table):
    data = measure_data(open_case(make_config(tmp_path)))
    assert {item.metric for item in data.measurements} <= {definition.id for definition in DEFINITIONS}


@pytest.mark.parametrize("rows", [3, 9, 10, 40, 400])
def test_no_quantile_is_the_value_of_one_of_the_outermost_people(rows):
    values = np.random.default_rng(rows).lognormal(3, 2, rows)
    held = _quantiles(values)
    if rows < 10:
        assert held == ()
        return
    assert (values <= held[0]).sum() >= 5
    assert (values >= held[-1]).sum() >= 5
    assert list(held) == sorted(held)


def test_quantiles_of_many_rows_are_the_plain_ones():
    values = np.append(np.random.default_rng(1).lognormal(3, 2, 1000), [np.nan] * 7)
    assert _quantiles(values) == tuple(np.quantile(values[:1000], QUANTILES))
