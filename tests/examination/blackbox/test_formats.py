"""Every format gives the scores of the net that it was made from."""

from __future__ import annotations

import io
import pickle
import warnings

import numpy as np
import pytest

from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.intake import digest_net, take_in, take_in_callable
from audit.examination.blackbox.load import detect_format, read_model
from audit.examination.blackbox.score import score_rows

WITH_FACTORY = ("state_dict", "safetensors")


def source(tools, studio, name, **extra):
    if name in WITH_FACTORY:
        extra = {"factory": f"{studio.module}:Net", "trust_code": True, **extra}
    return tools.configure(path=str(studio.files[name]), inputs=tools.BLOCKS, output="logit", **extra)


@pytest.mark.parametrize("name", ["pt2", "torchscript", "trainscript", "state_dict", "safetensors"])
def test_scores_equal_the_net(tools, studio, people, truth, name):
    config = source(tools, studio, name)
    rows = tools.Rows(people)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch's deprecation of TorchScript is silenced inside, not by the test
        model, intake = take_in(config, rows)
        scores = score_rows(model, rows, config)
    np.testing.assert_allclose(scores.link, truth, atol=1e-6)
    np.testing.assert_allclose(scores.score, 1 / (1 + np.exp(-truth)), atol=1e-6)
    assert intake.format == ("torchscript" if name == "trainscript" else name)
    assert intake.parameters == sum(parameter.numel() for parameter in studio.net.parameters())
    assert {check.status for check in intake.checks} == {"pass"}
    assert model.has_gradients
    assert model.columns == ("age", "income", "debts", "job", "region")
    assert any("debts" in note and "4 of 90" in note for note in intake.notes)


def test_fixed_batch_gives_the_same_scores_and_gradients(tools, studio, people, truth):
    """90 rows are no multiple of the 4 that the file was exported for; the last call is filled up."""
    free, _ = take_in(source(tools, studio, "pt2"), tools.Rows(people))
    model, intake = take_in(source(tools, studio, "static"), tools.Rows(people))
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    for rows in (0, 1, 3, 4, 5, 90):
        np.testing.assert_allclose(model.link(people.iloc[:rows]), truth[:rows], atol=1e-6)
    np.testing.assert_allclose(model.gradients(people)[0], free.gradients(people)[0], atol=1e-6)
    assert {check.status for check in intake.checks} == {"pass"}
    assert model.has_gradients
    assert any("exported for 4 rows at once" in line for line in intake.vetted)


def test_fixed_batch_is_explained_as_a_free_one(tools, studio, people):
    from audit.evidence import NotDone
    from audit.examination.measures.attribution.captum_methods import attribute_saliency
    from audit.examination.measures.attribution.gradients import expect_gradients, integrate_gradients

    free, _ = take_in(source(tools, studio, "pt2"), tools.Rows(people))
    model, _ = take_in(source(tools, studio, "static"), tools.Rows(people))
    one, other = (integrate_gradients(box, people, people.iloc[:1]) for box in (free, model))
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)
    one, other = (
        expect_gradients(box, people, people.iloc[:9], draws=3, rng=np.random.default_rng(0)) for box in (free, model)
    )
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)
    assert isinstance(attribute_saliency(model, people, people.iloc[:1]), NotDone)


def test_one_row_and_no_row(tools, studio, people, truth):
    model, _ = take_in(source(tools, studio, "pt2"), tools.Rows(people))
    assert model.score(people.iloc[:0]).shape == (0,)
    np.testing.assert_allclose(model.link(people.iloc[[5]]), truth[5:6], atol=1e-6)


def test_gradients_equal_autograd(tools, studio, people, truth):
    """Central differences on the raw column, divided by its scale, are the gradient on the encoded one."""
    model, _ = take_in(source(tools, studio, "pt2"), tools.Rows(people))
    found = model.gradients(people)
    assert found[1] is None
    up, down = people.copy(), people.copy()
    up["income"] += 0.01
    down["income"] -= 0.01
    slope = (model.link(up) - model.link(down)) / 0.02 * 15
    np.testing.assert_allclose(np.median(np.abs(found[0][:, 1] - slope)), 0, atol=2e-3)


def test_training_checkpoint_and_prefix(tools, studio, people, truth, tmp_path):
    import torch

    path = tmp_path / "epoch.ckpt"
    state = {f"net.{name}": value for name, value in studio.net.state_dict().items()}
    torch.save({"state_dict": {**state, "loss.weight": torch.ones(1)}, "epoch": 3}, path)
    config = tools.configure(
        path=str(path),
        inputs=tools.BLOCKS,
        output="logit",
        factory=f"{studio.module}:build",
        factory_args={"hidden": 8},
        trust_code=True,
        prefix="net.",
    )
    model, _ = take_in(config, tools.Rows(people))
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    bare = config.model_copy(update={"model": config.model.model_copy(update={"prefix": ""})})
    with pytest.raises(IntakeRefused, match="prefix: 'net.'"):
        take_in(bare, tools.Rows(people))


def test_net_as_object(tools, studio, people, truth):
    config = tools.configure(format="python", inputs=tools.BLOCKS, output="logit")
    model, intake = take_in_callable(studio.net, config, tools.Rows(people))
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert intake.sha256 == digest_net(studio.net)
    assert intake.file == ""


def test_inputs_in_any_order_by_name(tools, studio, people, truth):
    turned = dict(reversed(list(tools.BLOCKS.items())))
    for name in ("pt2", "torchscript", "state_dict"):
        config = source(tools, studio, name).model_copy(update={})
        config = tools.configure(**{**config.model.model_dump(exclude_unset=True), "inputs": turned})
        model, _ = take_in(config, tools.Rows(people))
        np.testing.assert_allclose(model.link(people), truth, atol=1e-6)


def test_input_that_is_not_there(tools, studio, people):
    config = tools.configure(
        path=str(studio.files["pt2"]), inputs={"x_nun": tools.BLOCKS["x_num"], "x_cat": tools.BLOCKS["x_cat"]}
    )
    with pytest.raises(ConfigError, match="did you mean 'x_num'"):
        take_in(config, tools.Rows(people))
    config = tools.configure(path=str(studio.files["pt2"]), inputs={"x_num": tools.BLOCKS["x_num"]})
    with pytest.raises(ConfigError, match="also takes x_cat"):
        take_in(config, tools.Rows(people))
    config = tools.configure(path=str(studio.files["pt2"]), inputs=tools.NUMERIC)
    with pytest.raises(ConfigError, match="takes 2 inputs: x_num, x_cat"):
        take_in(config, tools.Rows(people))


@pytest.mark.parametrize("name", ["pt2", "torchscript", "state_dict"])
def test_wrong_width_names_expected_and_got(tools, studio, people, name):
    narrow = {**tools.BLOCKS, "x_num": [{"columns": ["age", "income"]}]}
    config = source(tools, studio, name)
    config = tools.configure(**{**config.model.model_dump(exclude_unset=True), "inputs": narrow})
    with pytest.raises(IntakeRefused) as caught:
        take_in(config, tools.Rows(people))
    message = str(caught.value)
    assert ("3 columns" in message and "give 2" in message) or ("expects 8" in message and "gets 7" in message)
    assert "mat1" not in message
    assert "/" not in message.replace("w/", "")


def test_codes_where_numbers_are_wanted(tools, studio, people):
    turned = {
        "x_num": [
            {
                **tools.BLOCKS["x_cat"][0],
                "columns": ["job", "region", "sex"],
                "levels": {"job": tools.JOBS, "region": [1, 2], "sex": ["f", "m"]},
            }
        ],
        "x_cat": tools.BLOCKS["x_cat"],
    }
    with pytest.raises(IntakeRefused, match="x_num takes numbers"):
        take_in(tools.configure(path=str(studio.files["pt2"]), inputs=turned), tools.Rows(people))


def test_code_beyond_the_embedding(tools, studio, people):
    far = {**tools.BLOCKS, "x_cat": [{**tools.BLOCKS["x_cat"][0], "offset": 9}]}
    with pytest.raises(IntakeRefused, match="larger than the model's table"):
        take_in(tools.configure(path=str(studio.files["pt2"]), inputs=far), tools.Rows(people))


def test_pinned_digest(tools, studio, people):
    import hashlib

    right = hashlib.sha256(studio.files["pt2"].read_bytes()).hexdigest()
    _, intake = take_in(source(tools, studio, "pt2", sha256=f"sha256:{right.upper()}"), tools.Rows(people))
    assert intake.sha256 == f"sha256:{right}"
    with pytest.raises(IntakeRefused, match="not the pinned file"):
        take_in(source(tools, studio, "pt2", sha256="0" * 64), tools.Rows(people))
    with pytest.raises(ConfigError, match="64 hexadecimal"):
        take_in(source(tools, studio, "pt2", sha256="abc"), tools.Rows(people))


def test_factory_needs_trust(tools, studio, people, tmp_path):
    marker = tmp_path / "ran"
    code = tmp_path / "code.py"
    code.write_text(f"open({str(marker)!r}, 'w').close()\nfrom module import Net\n")
    config = tools.configure(path=str(studio.files["state_dict"]), inputs=tools.BLOCKS, factory=f"{code}:Net")
    with pytest.raises(ConfigError, match="trust_code: true"):
        take_in(config, tools.Rows(people))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("factory", "error", "words"),
    [
        (None, ConfigError, "no architecture"),
        ("{module}:Nett", ConfigError, "did you mean 'Net'"),
        ("{module}:not_a_net", IntakeRefused, "instead of a torch.nn.Module"),
        ("{folder}/absent.py:Net", ConfigError, "no file absent.py"),
        ("no_such_package.nets:Net", ConfigError, "no module no_such_package.nets"),
        ("Net", ConfigError, "module.py:Name"),
    ],
)
def test_factory_mistakes(tools, studio, people, factory, error, words):
    named = factory and factory.format(module=studio.module, folder=studio.folder)
    config = tools.configure(path=str(studio.files["safetensors"]), inputs=tools.BLOCKS, factory=named, trust_code=True)
    with pytest.raises(error, match=words):
        take_in(config, tools.Rows(people))


def test_factory_of_an_installed_package(tools, people, tmp_path):
    import torch

    path = tmp_path / "linear.pt"
    torch.save(torch.nn.Linear(3, 1).state_dict(), path)
    config = tools.configure(
        path=str(path),
        inputs=[*tools.NUMERIC[:2], "age"],
        output="logit",
        trust_code=True,
        factory="torch.nn.modules.linear:Linear",
        factory_args={"in_features": 3, "out_features": 1},
    )
    model, intake = take_in(config, tools.Rows(people))
    assert model.score(people).shape == (90,)
    assert "torch.nn.modules.linear:Linear" in intake.trust


def test_weights_of_another_size(tools, studio, people):
    with pytest.raises(IntakeRefused, match=r"has shape \[8, 8\], the net wants \[4, 8\]"):
        take_in(source(tools, studio, "state_dict", factory_args={"hidden": 4}), tools.Rows(people))


def test_bad_factory_arguments(tools, studio, people):
    with pytest.raises(IntakeRefused, match="TypeError"):
        take_in(source(tools, studio, "state_dict", factory_args={"wide": 4}), tools.Rows(people))


def test_pickle_is_refused_with_advice(tools, studio, people):
    config = tools.configure(
        path=str(studio.files["pickle"]), inputs=tools.BLOCKS, factory=f"{studio.module}:Net", trust_code=True
    )
    with pytest.raises(IntakeRefused, match="pickle") as caught:
        take_in(config, tools.Rows(people))
    assert "torch.export.save" in caught.value.hint
    assert caught.value.exit_code == 3


def test_plain_pickle_runs_nothing(tools, people, tmp_path):
    marker, path = tmp_path / "ran", tmp_path / "model.pt"
    path.write_bytes(tools.pickle_evil(marker))
    for format in ("auto", "pickle"):
        with pytest.raises(IntakeRefused, match="pickle runs whatever code"):
            take_in(tools.configure(path=str(path), inputs=tools.BLOCKS, format=format), tools.Rows(people))
    assert not marker.exists()
    pickle.loads(path.read_bytes())
    assert marker.exists(), "the pickle of this test is harmless, so the test proves nothing"


def test_checkpoint_that_runs_code(tools, studio, people, tmp_path):
    import torch

    marker, path = tmp_path / "ran", tmp_path / "evil.pt"
    torch.save({"state_dict": studio.net.state_dict(), "extra": tools.Evil(marker)}, path)
    config = tools.configure(path=str(path), inputs=tools.BLOCKS, factory=f"{studio.module}:Net", trust_code=True)
    with pytest.raises(IntakeRefused, match="pickle of objects"):
        take_in(config, tools.Rows(people))
    assert not marker.exists()
    torch.load(io.BytesIO(path.read_bytes()), weights_only=False)
    assert marker.exists(), "the checkpoint of this test is harmless, so the test proves nothing"


def test_numpy_in_a_checkpoint(tools, studio, people, tmp_path):
    import torch

    path = tmp_path / "mixed.pt"
    torch.save({"state_dict": studio.net.state_dict(), "mean": np.ones(3)}, path)
    config = tools.configure(path=str(path), inputs=tools.BLOCKS, factory=f"{studio.module}:Net", trust_code=True)
    with pytest.raises(IntakeRefused, match="NumPy arrays"):
        take_in(config, tools.Rows(people))


@pytest.mark.parametrize("name", ["pt2", "torchscript", "state_dict", "safetensors"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.97])
def test_truncated(tools, studio, people, tmp_path, name, part):
    data = studio.files[name].read_bytes()
    path = tmp_path / studio.files[name].name
    path.write_bytes(data[: int(len(data) * part)])
    config = tools.configure(path=str(path), inputs=tools.BLOCKS, factory=f"{studio.module}:Net", trust_code=True)
    with pytest.raises(IntakeRefused, match="truncated|damaged|not a model file"):
        take_in(config, tools.Rows(people))


def test_empty_absent_folder_and_text(tools, people, tmp_path):
    rows = tools.Rows(people)
    (tmp_path / "empty.pt2").touch()
    (tmp_path / "notes.pt2").write_text("this is no model")
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow" / "MLmodel").write_text("flavors: {}")
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07\x12\x07pytorch")
    for name, error, words in [
        ("empty.pt2", IntakeRefused, "is empty"),
        ("notes.pt2", IntakeRefused, "not a model file"),
        ("absent.pt2", ConfigError, "no model file absent.pt2"),
        (".", ConfigError, "is a folder"),
        ("mlflow", IntakeRefused, "MLflow"),
        ("net.onnx", IntakeRefused, "ONNX"),
    ]:
        with pytest.raises(error, match=words):
            take_in(tools.configure(path=str(tmp_path / name), inputs=tools.BLOCKS), rows)


@pytest.mark.parametrize("declared", ["torchscript", "safetensors", "onnx"])
def test_declared_as_something_else(tools, studio, people, declared):
    with pytest.raises((ConfigError, IntakeRefused), match="pt2|not supported"):
        take_in(
            tools.configure(path=str(studio.files["pt2"]), inputs=tools.BLOCKS, format=declared), tools.Rows(people)
        )


def test_content_counts_not_the_name(studio, tmp_path):
    for name in ("pt2", "torchscript", "state_dict", "safetensors"):
        assert detect_format(studio.files[name].read_bytes(), "something.bin") == name


def test_file_is_read_once(tools, studio):
    file = read_model(source(tools, studio, "pt2").model)
    assert file.name == "pt2.pt2"
    assert len(file.data) == studio.files["pt2"].stat().st_size


def test_features_unknown_to_the_data(tools, studio, people):
    inputs = {**tools.BLOCKS, "x_num": [{**tools.BLOCKS["x_num"][0], "columns": ["agee", "incom", "debts"]}]}
    with pytest.raises(ConfigError) as caught:
        take_in(tools.configure(path=str(studio.files["pt2"]), inputs=inputs), tools.Rows(people))
    assert "did you mean 'age'" in str(caught.value)
    assert "did you mean 'income'" in str(caught.value)


def test_no_inputs(tools, studio, people):
    with pytest.raises(ConfigError, match="no inputs"):
        take_in(tools.configure(path=str(studio.files["pt2"])), tools.Rows(people))
