"""MLflow folders: the file in them is read, the signature counts, and no path leaves the folder."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest

from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.intake import take_in

TENSORS = [
    {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}, "name": "x_num"},
    {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 2]}, "name": "x_cat"},
]


@pytest.fixture
def folder(studio, tmp_path):
    """Return a function that lays out a folder as mlflow.pytorch.log_model of MLflow 3 does."""

    def run(*, flavors="  pytorch:\n    code: null\n    model_data: data", signature=TENSORS, file="pt2"):
        root = tmp_path / "logged"
        (root / "data").mkdir(parents=True, exist_ok=True)
        text = f"artifact_path: model\nflavors:\n{flavors}\nmlflow_version: 3.17.0\n"
        if signature is not None:
            text += f"signature:\n  inputs: '{json.dumps(signature)}'\n  outputs: null\n  params: null\n"
        (root / "MLmodel").write_text(text)
        if file:
            name = {"pt2": "model.pt2", "pickle": "model.pth", "torchscript": "model.pth"}[file]
            shutil.copyfile(studio.files[file], root / "data" / name)
        return root

    return run


@pytest.fixture
def hand_in(tools, people):
    def run(root, **model):
        model = {"inputs": tools.BLOCKS, "output": "logit", **model}
        return take_in(tools.configure(path=str(root), **model), tools.Rows(people))

    return run


@pytest.mark.parametrize("declared", ["auto", "mlflow"])
def test_scores_equal_the_net(folder, hand_in, studio, people, truth, declared):
    model, intake = hand_in(folder(), format=declared)
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert (intake.format, intake.file) == ("pt2", "logged/data/model.pt2")
    assert intake.sha256 == "sha256:" + hashlib.sha256(studio.files["pt2"].read_bytes()).hexdigest()
    assert any("signature" in line for line in intake.vetted)


def test_scripted_net_is_read_under_the_name_of_a_pickle(folder, hand_in, people, truth):
    model, intake = hand_in(folder(file="torchscript"))
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert intake.format == "torchscript"


def test_pickled_model_needs_trust_and_a_pin(folder, hand_in, studio, people, truth):
    root = folder(file="pickle")
    with pytest.raises(IntakeRefused, match="runs whatever code"):
        hand_in(root)
    pin = hashlib.sha256(studio.files["pickle"].read_bytes()).hexdigest()
    with pytest.raises(ConfigError, match="must be pinned"):
        hand_in(root, trust_code=True)
    model, intake = hand_in(root, trust_code=True, sha256=pin)
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert "ran code" in intake.trust


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ([TENSORS[0]], "1 tensors, but 2 inputs"),
        ([TENSORS[0], {**TENSORS[1], "tensor-spec": {"dtype": "int64", "shape": [-1, 5]}}], "x_cat 5 columns"),
        ([TENSORS[0], {**TENSORS[1], "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}], "x_cat takes numbers"),
        ([{"type": "double", "name": "age"}], "does not know income, debts, job, region"),
        (
            [{"type": "double", "name": name} for name in ("age", "income", "debts", "job", "region", "zip")],
            "also takes zip",
        ),
    ],
)
def test_signature_that_says_otherwise(folder, hand_in, signature, words):
    with pytest.raises(ConfigError, match=words):
        hand_in(folder(signature=signature))


def test_signature_gives_the_inputs(tools, people, tmp_path):
    import torch

    net = torch.nn.Linear(2, 1).eval()
    root = tmp_path / "logged"
    (root / "data").mkdir(parents=True)
    batch = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(net, (torch.ones(3, 2),), dynamic_shapes=batch), root / "data" / "model.pt2")
    columns = [{"type": "double", "name": name} for name in ("income", "age")]
    text = f"flavors:\n  pytorch:\n    model_data: data\nsignature:\n  inputs: '{json.dumps(columns)}'\n"
    (root / "MLmodel").write_text(text)
    model, intake = take_in(tools.configure(path=str(root), output="logit"), tools.Rows(people))
    assert intake.columns == ("income", "age")
    with torch.no_grad():
        right = net(torch.tensor(people[["income", "age"]].to_numpy().copy(), dtype=torch.float32)).numpy()[:, 0]
    np.testing.assert_allclose(model.link(people), right, atol=1e-5)
    turned = tools.configure(path=str(root), output="logit", inputs=["age", "income"])
    with pytest.raises(ConfigError, match="another order than in the model's signature"):
        take_in(turned, tools.Rows(people))


def test_no_inputs_and_no_columns(folder, hand_in):
    with pytest.raises(ConfigError, match="does not list columns of numbers"):
        hand_in(folder(), inputs=[])


@pytest.mark.parametrize(
    "flavors",
    [
        "  pytorch:\n    model_data: ../outside",
        "  pytorch:\n    model_data: /etc",
        "  onnx:\n    data: ../../etc/passwd",
    ],
)
def test_path_that_leaves_the_folder(folder, hand_in, flavors):
    with pytest.raises(IntakeRefused, match="path traversal") as caught:
        hand_in(folder(flavors=flavors))
    assert "etc" not in str(caught.value)


def test_link_that_leaves_the_folder(folder, hand_in, studio):
    root = folder(file="")
    (root / "data" / "model.pt2").symlink_to(studio.files["pt2"])
    with pytest.raises(IntakeRefused, match="path traversal"):
        hand_in(root)


@pytest.mark.parametrize(
    ("flavors", "words"),
    [
        ("  sklearn:\n    pickled_model: model.pkl", "no PyTorch and no ONNX model, but sklearn"),
        ("  pytorch:\n    model_data: data", "neither model.pt2 nor model.pth"),
    ],
)
def test_folder_without_a_net(folder, hand_in, flavors, words):
    with pytest.raises(IntakeRefused, match=words):
        hand_in(folder(flavors=flavors, file=""))


def test_damaged_signature_and_wrong_declaration(folder, hand_in, tmp_path):
    with pytest.raises(IntakeRefused, match="signature in the MLflow folder is damaged"):
        hand_in(folder(signature=[{"name": "x"}]))
    with pytest.raises(ConfigError, match="declared as pt2, but it is an MLflow folder"):
        hand_in(folder(), format="pt2")
    with pytest.raises(ConfigError, match="holds no MLmodel"):
        hand_in(tmp_path, format="mlflow")
