"""Fitted scikit-learn preprocessing and a net, written as a .pt2 and a block, against scikit-learn itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.encode import Encoder
from audit.examination.blackbox.export import export_model
from audit.examination.blackbox.intake import take_in
from audit.examination.blackbox.score import score_rows
from audit.examination.blackbox.steps import write_blocks

NUM, CAT = ["age", "income", "debts"], ["job", "region"]


def encode(blocks, frame):
    plain = yaml.safe_load(yaml.safe_dump(blocks))  # a block must survive audit.yaml
    return Encoder(ModelSource.model_validate({"inputs": {"x": plain}}).inputs).encode(frame)[0]


def agree(transformer, frame):
    out = transformer.transform(frame[list(transformer.feature_names_in_)])
    wanted = np.asarray(out.toarray() if hasattr(out, "toarray") else out, dtype=float)
    np.testing.assert_allclose(encode(write_blocks(transformer), frame), wanted, atol=2e-6)


@pytest.fixture
def strings(people):
    """Return the rows with both categories as texts, gaps as NaN, as scikit-learn takes them."""
    region = people["region"].map({1.0: "north", 2.0: "south"}).astype(object)
    return people.assign(region=region, job=people["job"].astype(object).fillna(np.nan))


NUMERIC = {
    "median then standard": make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
    "mean then range": make_pipeline(SimpleImputer(), MinMaxScaler((-1, 3))),
    "constant then largest": make_pipeline(SimpleImputer(strategy="constant", fill_value=-7.0), MaxAbsScaler()),
    "frequent then robust": make_pipeline(SimpleImputer(strategy="most_frequent"), RobustScaler()),
    "standard then median": make_pipeline(StandardScaler(), SimpleImputer(strategy="median")),
    "standard, range, fill": make_pipeline(
        StandardScaler(), MinMaxScaler(), SimpleImputer(strategy="constant", fill_value=0.5)
    ),
    "no mean": make_pipeline(SimpleImputer(), StandardScaler(with_mean=False)),
    "no scale": make_pipeline(SimpleImputer(), StandardScaler(with_std=False)),
    "idle steps": make_pipeline(SimpleImputer(), FunctionTransformer(), "passthrough", StandardScaler()),
    "fill twice": make_pipeline(SimpleImputer(strategy="mean"), SimpleImputer(strategy="constant", fill_value=9.0)),
    "nested": make_pipeline(make_pipeline(SimpleImputer()), make_pipeline(StandardScaler(), MinMaxScaler())),
}


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_chains(people, name):
    agree(NUMERIC[name].fit(people[NUM]), people)


def test_indicator_for_every_column(people):
    agree(SimpleImputer(add_indicator=True).fit(people[["debts"]]), people)
    agree(SimpleImputer(add_indicator=True).fit(people[["age"]]), people)
    with pytest.raises(ConfigError, match="some of the columns"):
        write_blocks(SimpleImputer(add_indicator=True).fit(people[NUM]))
    with pytest.raises(ConfigError, match="scaler after an imputer"):
        write_blocks(make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()).fit(people[["debts"]]))


@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        OneHotEncoder(drop="first", handle_unknown="ignore"),
        OneHotEncoder(drop="if_binary", handle_unknown="error"),
        OrdinalEncoder(),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    ],
)
@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
def test_categories(strings, encoder, strategy):
    fill = {"fill_value": "none"} if strategy == "constant" else {}
    chain = make_pipeline(SimpleImputer(strategy=strategy, **fill), encoder)
    clean = strings[CAT]
    chain.fit(clean)
    agree(chain, clean)


def test_ordinal_with_coded_gaps(strings):
    clean = strings[CAT]
    agree(OrdinalEncoder(encoded_missing_value=-2).fit(clean), clean)
    with pytest.raises(ConfigError, match="no encoded_missing_value"):
        write_blocks(OrdinalEncoder().fit(clean))


def test_column_transformer_in_its_own_order(strings):
    mixed = ColumnTransformer(
        [
            (
                "c",
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
                ["job"],
            ),
            ("gone", "drop", ["repaid"]),
            ("n", make_pipeline(SimpleImputer(), StandardScaler()), [2, 1]),
            ("empty", StandardScaler(), []),
        ],
        remainder="passthrough",
    )
    frame = strings[["age", "income", "debts", "job", "repaid"]]
    agree(mixed.fit(frame), frame)


@pytest.mark.parametrize(
    "chosen",
    [["income"], [1], slice(0, 2), slice("age", "income"), [False, True, True], "income", lambda frame: ["debts"]],
)
def test_ways_to_choose_columns(people, chosen):
    inner = "passthrough" if isinstance(chosen, str) else SimpleImputer()
    if isinstance(chosen, str):
        chosen = [chosen]
    frame = people[NUM]
    agree(ColumnTransformer([("n", inner, chosen)]).fit(frame), frame)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda f: PCA(1).fit(f[["age", "income"]]), "step PCA"),
        (lambda f: ColumnTransformer([("b", KBinsDiscretizer(2), ["age"])]).fit(f[NUM]), "step KBinsDiscretizer"),
        (lambda f: FunctionTransformer(np.log1p).fit(f[["age"]]), "step FunctionTransformer"),
        (
            lambda f: make_pipeline(OneHotEncoder(sparse_output=False), StandardScaler()).fit(f[["sex"]]),
            "OneHotEncoder",
        ),
        (lambda f: OneHotEncoder(max_categories=2).fit(f[["sex"]]), "joins infrequent"),
        (lambda f: OneHotEncoder().fit(f[["job"]]), "counts missing values of job"),
        (lambda f: MinMaxScaler(clip=True).fit(f[["age"]]), "clip"),
        (lambda f: SimpleImputer(missing_values=-1).fit(f[["age"]]), "missing_values=-1"),
        (
            lambda f: make_pipeline(ColumnTransformer([("n", "passthrough", ["age"])]), StandardScaler()).fit(
                f[["age"]]
            ),
            "after a ColumnTransformer",
        ),
        (lambda f: StandardScaler().fit(f[["age"]].to_numpy()), "not on a DataFrame"),
        (lambda f: StandardScaler(), "not fitted"),
        (
            lambda f: ColumnTransformer([("n", "passthrough", ["age"])], transformer_weights={"n": 2}).fit(f[NUM]),
            "transformer_weights",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_no_block_expresses(people, make, words):
    with pytest.raises(ConfigError, match=words) as caught:
        write_blocks(make(people))
    assert caught.value.hint


@pytest.fixture
def pipeline(strings):
    return ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUM),
            (
                "c",
                Pipeline(
                    [
                        ("fill", SimpleImputer(strategy="constant", fill_value="none")),
                        ("hot", OneHotEncoder(handle_unknown="ignore")),
                    ]
                ),
                CAT,
            ),
        ]
    ).fit(strings)


def small_net(width, outputs=1):
    import torch

    torch.manual_seed(5)
    return torch.nn.Sequential(
        torch.nn.Linear(width, 6),
        torch.nn.BatchNorm1d(6),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(6, outputs),
    )


def test_export_round_trip(tools, strings, pipeline, tmp_path):
    """The mapping goes through YAML and the intake, and scores as pipeline and net do."""
    import torch

    clean = strings
    net = small_net(pipeline.transform(clean).shape[1]).train()
    block = export_model(net, preprocess=pipeline, example=clean.head(20), to=tmp_path / "deep" / "model.pt2")
    assert net.training, "the caller's net keeps its mode"
    assert block["output"] == {"scale": "logit"}
    config = tools.configure(**yaml.safe_load(yaml.safe_dump(block)))
    model, intake = take_in(config, tools.Rows(clean))
    scores = score_rows(model, tools.Rows(clean), config)
    net.eval()
    with torch.no_grad():
        wanted = net(torch.tensor(np.asarray(pipeline.transform(clean)), dtype=torch.float32))[:, 0].double().numpy()
    np.testing.assert_allclose(scores.link, wanted, atol=1e-6)
    assert intake.columns == (*NUM, *CAT)
    assert {check.status for check in intake.checks} <= {"pass", "warn"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model.pt2"]


def test_export_of_two_logits(strings, pipeline, tmp_path):
    clean = strings
    net = small_net(pipeline.transform(clean).shape[1], outputs=2)
    block = export_model(net, preprocess=pipeline, example=clean, to=tmp_path / "m.pt2")
    assert block["output"] == {"scale": "logits", "classes": [0, 1], "positive": 1}


def test_export_of_plain_columns(tools, people, tmp_path):
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    block = export_model(net, example=people[["income", "age"]].head(1), to=str(tmp_path / "m.pt2"))
    assert block["output"] == {"scale": "probability"}
    model, _ = take_in(tools.configure(**block), tools.Rows(people))
    with torch.no_grad():
        wanted = net(torch.tensor(people[["income", "age"]].to_numpy().copy(), dtype=torch.float32))[:, 0]
    np.testing.assert_allclose(model.score(people), wanted, atol=1e-6)


def test_export_of_several_inputs(tools, studio, strings, tmp_path):
    clean = strings
    parts = {
        "x_num": make_pipeline(SimpleImputer(), StandardScaler()).fit(clean[NUM]),
        "x_cat": make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()).fit(clean[CAT]),
    }
    block = export_model(studio.net, preprocess=parts, example=clean, to=tmp_path / "m.pt2")
    model, _ = take_in(tools.configure(**block), tools.Rows(clean))
    assert model.link(clean).shape == (90,)
    with pytest.raises(ConfigError, match="the net takes 2 inputs: x_num, x_cat"):
        export_model(studio.net, preprocess=parts["x_num"], example=clean, to=tmp_path / "n.pt2")


def test_export_refuses_what_it_cannot_trace(people, tmp_path):
    import torch

    class Asks(torch.nn.Module):
        def forward(self, x):
            return x[:, 0] if x.sum() > 0 else -x[:, 0]

    target = tmp_path / "m.pt2"
    with pytest.raises(IntakeRefused, match="cannot export"):
        export_model(Asks(), example=people[["age"]], to=target)
    assert not target.exists()


def test_export_refuses_a_net_that_is_another(people, tmp_path, monkeypatch):
    """What is read back must be what was given; the file is not written otherwise."""
    import torch

    from audit.examination.blackbox import export

    target = tmp_path / "m.pt2"
    monkeypatch.setattr(export, "_run_pipeline", lambda net, preprocess, example, encoder: np.zeros((len(example), 1)))
    with pytest.raises(IntakeRefused, match="differs from pipeline and net"):
        export_model(torch.nn.Linear(1, 1), example=people[["age"]], to=target)
    assert list(tmp_path.iterdir()) == []


def test_export_names_columns_that_are_not_there(people, tmp_path):
    import torch

    with pytest.raises(ConfigError, match="did you mean 'income'"):
        export_model(torch.nn.Linear(1, 1), example=people, columns=["incom"], to=tmp_path / "m.pt2")


def test_export_where_nothing_can_be_written(people, tmp_path):
    import torch

    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        export_model(torch.nn.Linear(1, 1), example=people[["age"]], to=tmp_path / "file" / "m.pt2")


def test_levels_that_pandas_made_numbers(people):
    frame = pd.DataFrame({"region": [1.0, 2.0, 2.0]})
    agree(OneHotEncoder(handle_unknown="ignore").fit(frame), frame)
