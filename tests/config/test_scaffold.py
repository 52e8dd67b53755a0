"""A first audit.yaml: what is guessed, that it is marked, and that it loads whatever the table is called."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.config.load import load_config
from audit.config.scaffold import guess_columns, write_first_config
from audit.errors import ConfigError, DataError
from audit.yamlfile import parse_yaml

TABLE = pd.DataFrame(
    {
        "applicant_id": ["007", "008", "009", "010"],
        "sex": ["f", "m", "f", "m"],
        "Age": [20, 30, 40, 50],
        "race": ["x", "y", "x", "y"],
        "income": [1.5, 2.5, 3.5, math.nan],
        "housing": ["own", "rent", "no", "own"],
        "signed_on": pd.to_datetime(["2026-01-01"] * 4),
        "repaid": [0, 1, 1, 1],
    }
)


def load_text(folder, text):
    (folder / "audit.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "audit.yaml", files="none")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.feather"])
def test_first_config_with_a_model(tmp_path, name):
    writers = {"csv": TABLE.to_csv, "parquet": TABLE.to_parquet, "feather": TABLE.to_feather}
    writers[name.split(".")[1]](tmp_path / name, **({"index": False} if name == "t.csv" else {}))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.pt2").write_bytes(b"looked at by the audit, not here")
    text = write_first_config(tmp_path / name, tmp_path / "models" / "m.pt2", tmp_path)
    config = load_text(tmp_path, text)
    assert config.data.audit == str(tmp_path / name)
    assert config.data.id == "applicant_id"
    assert (config.label.column, config.label.positive) == ("repaid", 1)
    assert list(config.groups.attributes) == ["sex", "Age", "race"]
    assert config.groups.attributes["Age"].bins == (25, 40, 60)
    assert config.groups.attributes["race"].stands_for == "race_ethnicity"
    assert config.model.path == str(tmp_path / "models" / "m.pt2")
    assert [block.columns for block in config.model.inputs[0].blocks] == [("income",), ("housing",)]
    assert config.model.inputs[0].blocks[1].levels == {"housing": ("no", "own", "rent")}
    assert not {"sex", "race", "repaid", "applicant_id", "signed_on"} & set(config.features)
    guessed = [line for line in text.splitlines() if line.startswith(("label", "decision", "  sex", "  - {"))]
    assert len(guessed) == 5
    assert all("# guess" in line for line in guessed)


def test_first_config_of_decisions(tmp_path):
    (tmp_path / "t.csv").write_text("id;outcome_approved;gender\n1;yes;f\n2;no;m\n3;yes;f\n", encoding="utf-8")
    config = load_text(tmp_path, write_first_config(tmp_path / "t.csv", None, tmp_path))
    assert (config.decision.column, config.decision.favourable) == ("outcome_approved", "yes")
    assert list(config.groups.attributes) == ["gender"]
    assert config.model.format == "none"


def test_first_config_of_scores(tmp_path):
    (tmp_path / "t.csv").write_text("score,y\n0.5,1\n0.25,0\n0.125,1\n", encoding="utf-8")
    config = load_text(tmp_path, write_first_config(tmp_path / "t.csv"))
    assert (config.model.scores, config.model.output.scale, config.label.column) == ("score", "probability", "y")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5, unique=True), st.text(max_size=6))
def test_any_name_and_any_level_can_be_read_back(tmp_path_factory, names, level):
    folder = tmp_path_factory.mktemp("scaffold")
    try:
        pd.DataFrame({name: [level, "b", "c"] for name in names}).to_parquet(folder / "t.parquet")
    except (UnicodeEncodeError, ValueError):
        return
    (folder / "m.pt2").write_bytes(b"")
    config = load_text(folder, write_first_config(folder / "t.parquet", folder / "m.pt2"))
    found = set(config.features) | set(config.groups.attributes) | {config.label.column if config.label else None}
    assert found - {None} | ({config.data.id} - {None}) | set(config.exclude) == set(names)


def test_what_is_no_table_is_said_so(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        write_first_config(tmp_path / "missing.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "head.csv").write_text("a,b\n", encoding="utf-8")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    for name in ("empty.csv", "head.csv", "broken.parquet"):
        with pytest.raises(DataError):
            write_first_config(tmp_path / name)


def test_latin_1_and_decimal_comma(tmp_path):
    (tmp_path / "t.csv").write_bytes("größe;y\n1,5;0\n2,5;1\n3,5;1\n".encode("cp1252"))
    guesses = {guess.name: guess.kind for guess in guess_columns(tmp_path / "t.csv")}
    assert guesses == {"größe": "number", "y": "number"}


def test_policies_are_those_that_were_chosen(tmp_path):
    (tmp_path / "t.csv").write_text("sex,outcome\nf,1\nm,0\n")
    (tmp_path / "rules").mkdir()
    chosen = ["nyc-ll144", str(tmp_path / "rules" / "ours.yaml")]
    text = write_first_config(tmp_path / "t.csv", None, tmp_path, chosen)
    assert parse_yaml(text).value["policies"] == ["nyc-ll144", "rules/ours.yaml"]


def test_codes_stay_codes_and_names_of_rows_are_no_features(tmp_path):
    (tmp_path / "t.csv").write_text("applicant,zip,income,repaid\na1,01067,5,0\na2,80331,6,1\na3,80331,6,1\n")
    config = load_text(tmp_path, write_first_config(tmp_path / "t.csv"))
    assert config.features["zip"].kind == "category"
    assert config.data.id == "applicant"
    assert "applicant" not in config.features


@pytest.mark.parametrize("table", ["parts", "parts/*.csv"])
def test_a_folder_and_a_glob_are_tables_too(tmp_path, table):
    (tmp_path / "parts").mkdir()
    for number in (1, 2):
        TABLE.to_csv(tmp_path / "parts" / f"p{number}.csv", index=False)
    config = load_text(tmp_path, write_first_config(tmp_path / table, None, tmp_path))
    assert config.data.audit == str(tmp_path / table)
    assert config.label.column == "repaid"


def test_a_model_that_is_not_there_is_named_at_once(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "model.pt2").write_bytes(b"")
    with pytest.raises(ConfigError, match="did you mean 'model.pt2'"):
        write_first_config(tmp_path / "t.csv", tmp_path / "model.pt", tmp_path)
