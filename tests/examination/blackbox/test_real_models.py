"""The four real models in every format that they are stored in, against their stored predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit.errors import IntakeRefused
from audit.examination.blackbox.intake import take_in
from audit.examination.blackbox.score import score_rows

STORE = Path(__file__).resolve().parents[3].parent / "shared" / "data"
MODELS = {
    "adult_mlp": ("adult", "logit", "score >= 0.5"),
    "compas_resnet": ("compas", "logit", "score < 0.5"),
    "german_softmax": ("german_credit", {"scale": "logits", "classes": [0, 1], "positive": 1}, "score >= 0.5"),
    "acs_income_mlp": ("acs_income", "logit", "score >= 0.5"),
}
FILES = {"pt2": "model.pt2", "torchscript": "model.ts.pt", "state_dict": "state_dict.pt", "safetensors": ""}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not STORE.exists(), reason="the real data sets are not beside the checkout"),
]


def blocks_of(folder):
    """Write the inputs block from preprocess.json."""
    card = json.loads((folder / "preprocess.json").read_text())
    numeric = {
        "kind": "numeric",
        "columns": card["numeric"],
        "missing": [card["median"][name] for name in card["numeric"]],
    }
    levels = {name: sorted(codes, key=codes.get) for name, codes in card["maps"].items()}
    if card["style"] == "pair":
        for key, stored in (("mean", "mean"), ("scale", "std")):
            numeric[key] = [card[stored][name] for name in card["numeric"]]
        codes = {
            "kind": "codes",
            "columns": card["categorical"],
            "levels": levels,
            "unknown": 0,
            "missing": 0,
            "offset": 1,
        }
        return {"x_num": [numeric], "x_cat": [codes]}
    return {"x": [numeric, {"kind": "one_hot", "columns": card["categorical"], "levels": levels}]}


def source_of(folder, name, tmp_path):
    if name in ("pt2", "torchscript"):
        return {"path": str(folder / FILES[name])}
    built = json.loads((folder / "model.json").read_text())["formats"]["state_dict"]
    path = folder / FILES[name]
    if name == "safetensors":
        import torch
        from safetensors.torch import save_file

        path = tmp_path / "model.safetensors"
        state = torch.load(folder / FILES["state_dict"], weights_only=True)
        save_file({key: value.contiguous() for key, value in state.items()}, str(path))
    return {
        "path": str(path),
        "factory": f"{folder / built['module']}:{built['cls']}",
        "factory_args": built["kwargs"],
        "trust_code": True,
    }


@pytest.fixture(scope="module")
def table():
    """Return a reader of typed rows that reads each file once."""
    read: dict[str, pd.DataFrame] = {}

    def get(name):
        if name not in read:
            frame = pd.read_parquet(STORE / "data" / f"{name}.parquet")
            for column in frame:  # as the data room types them
                kind = frame[column].dtype.kind
                frame[column] = frame[column].astype(float if kind in "iuf" else object)
            read[name] = frame
        return read[name]

    return get


@pytest.mark.parametrize("format", FILES)
@pytest.mark.parametrize("model", MODELS)
def test_scores_equal_the_stored_predictions(tools, table, tmp_path, model, format):
    data, output, decision = MODELS[model]
    folder, rows = STORE / "models" / model, tools.Rows(table(data), size=65_536)
    stored = pd.read_parquet(folder / "predictions.parquet")["score"].to_numpy(float)
    config = tools.configure(
        inputs=blocks_of(folder),
        output=output,
        decision={"favourable": decision},
        label=None,
        **source_of(folder, format, tmp_path),
    )
    blackbox, intake = take_in(config, rows)
    scores = score_rows(blackbox, rows, config)
    assert np.abs(scores.score - stored).max() <= 1e-6
    np.testing.assert_array_equal(scores.favourable, stored < 0.5 if "<" in decision else stored >= 0.5)
    np.testing.assert_array_equal(scores.predicted_positive, stored >= 0.5)
    assert intake.format == format
    assert {check.status for check in intake.checks} == {"pass"}


def test_expected_score_finds_wrong_preprocessing(tools, table):
    """Forgetting to scale is the commonest mistake; the declared scores tell."""
    folder = STORE / "models" / "adult_mlp"
    stored = pd.read_parquet(folder / "predictions.parquet")["score"].astype(float)
    rows = tools.Rows(table("adult").assign(known=stored), size=65_536)
    right = blocks_of(folder)
    wrong = {**right, "x_num": [{**right["x_num"][0], "mean": None, "scale": None}]}
    for inputs, status in ((right, "pass"), (wrong, "fail")):
        config = tools.configure(inputs=inputs, output="logit", path=str(folder / "model.pt2"), expected_score="known")
        _, intake = take_in(config, rows)
        assert intake.checks[-1].id == "expected_score"
        assert intake.checks[-1].status == status


def test_wrong_declarations_of_a_real_model(tools, table):
    folder, rows = STORE / "models" / "german_softmax", tools.Rows(table("german_credit"))
    inputs = blocks_of(folder)
    for output, words in (("logit", "returns 2 columns"), ("probabilities", "scale: logits")):
        with pytest.raises(IntakeRefused, match=words):
            take_in(tools.configure(inputs=inputs, output=output, path=str(folder / "model.pt2")), rows)
    narrow = {"x": [inputs["x"][0]]}
    with pytest.raises(IntakeRefused, match="has 55 columns, but the blocks give 7"):
        take_in(tools.configure(inputs=narrow, output="logits", path=str(folder / "model.pt2")), rows)
