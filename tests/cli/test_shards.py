"""`audit examine` shard by shard, as a job scheduler calls it, and what is said when it is called wrongly."""

import json

import pandas as pd
import pytest
from material import make_table


@pytest.fixture(scope="module")
def job(small_job, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    (folder / "rows").mkdir()
    frame = make_table(900, seed=5)
    for at in range(3):
        frame.iloc[at::3].to_parquet(folder / "rows" / f"{at}.parquet", index=False, row_group_size=100)
    text = (small_job / "audit.yaml").read_text(encoding="utf-8")
    text = text.replace("data: applicants.csv", "data: rows").replace("model.ts.pt", str(small_job / "model.ts.pt"))
    (folder / "audit.yaml").write_text(text, encoding="utf-8")
    return folder


def test_shards_and_then_the_whole(job, run_cli, tmp_path):
    for at in (1, 2, 3):
        out = tmp_path / f"part-{at}.sweep"
        code, told, _ = run_cli("examine", job / "audit.yaml", "--shard", f"{at}/3", "--out", out)
        assert (code, told.strip()) == (0, str(out))
    code, told, _ = run_cli(
        "examine", job / "audit.yaml", "--sweeps", f"{tmp_path}/part-*.sweep", "--out", tmp_path / "all"
    )
    assert code == 0, told
    evidence = json.loads((tmp_path / "all" / "evidence.json").read_text(encoding="utf-8"))
    assert evidence["data"]["rows"] == 900
    counts = pd.concat(pd.read_parquet(file) for file in (job / "rows").iterdir())["sex"].value_counts()
    found = {group["values"][0]: group["n"] for group in evidence["data"]["groups"] if group["attributes"] == ["sex"]}
    assert found == counts.to_dict()
    code, _, said = run_cli(
        "examine", job / "audit.yaml", "--sweeps", f"{tmp_path}/part-[12].sweep", "--out", tmp_path / "two"
    )
    assert code == 3
    assert "in none of these shards" in said
    code, _, said = run_cli(
        "examine", job / "audit.yaml", "--set", "seed=4", "--sweeps", f"{tmp_path}/part-*.sweep",
        "--out", tmp_path / "seed",
    )  # fmt: skip
    assert code == 3
    assert "another configuration than this one: seed was 0 and is 4" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--shard", "4/3"], "'4/3' is no shard"),
        (["--shard", "third"], "write 3/16 for the third of sixteen"),
        (["--shard", "1/90"], "has no rows: the table has 9 pieces"),
        (["--sweeps", "nothing-*.sweep"], "no file matches"),
        (["--shard", "1/2", "--sweeps", "a"], "another puts shards together"),
    ],
)
def test_flags_that_cannot_be(job, run_cli, tmp_path, flags, words):
    code, _, said = run_cli("examine", job / "audit.yaml", *flags, "--out", tmp_path / "out")
    assert code == 2
    assert words in said
    assert not (tmp_path / "out").exists()


def test_an_engine_without_its_scheduler(job, run_cli, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    code, _, said = run_cli(
        "examine", job / "audit.yaml", "--set", "engine=dask://127.0.0.1:9", "--out", tmp_path / "out"
    )
    assert code == 2
    assert "pip install 'glassbox-audit[dask]'" in said
