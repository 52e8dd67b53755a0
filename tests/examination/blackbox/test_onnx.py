"""ONNX: scores equal to the arithmetic, every crafted file refused before the runtime sees it."""

from __future__ import annotations

import sys

import numpy as np
import onnx_material as pb
import pytest

from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.intake import take_in
from audit.examination.blackbox.onnxgraph import is_onnx, vet_onnx
from audit.examination.blackbox.onnxmodel import read_maps
from audit.examination.blackbox.protobuf import read_fields, read_numbers

RNG = np.random.default_rng(5)
JOB = RNG.normal(size=(4, 2)).astype(np.float32)
WEIGHT = RNG.normal(size=(5, 1)).astype(np.float32)
BIAS = np.array([0.25], dtype=np.float32)
INPUTS = {
    "x_num": [{"kind": "numeric", "columns": ["age", "income", "debts"], "mean": 30.0, "scale": 20.0, "missing": 0.0}],
    "x_cat": [
        {
            "kind": "codes",
            "columns": ["job"],
            "levels": {"job": ["clerk", "driver", "nurse"]},
            "unknown": 0,
            "missing": 0,
            "offset": 1,
        }
    ],
}


def build(rows="batch", *, extra_nodes=(), extra_held=(), outputs=None, extra=b"", domains=()):
    nodes = [
        pb.node("Gather", ["job", "x_cat"], ["picked"]),
        pb.node("Squeeze", ["picked", "one"], ["embedded"]),
        pb.node("Concat", ["x_num", "embedded"], ["joined"], axis=1),
        pb.node("Gemm", ["joined", "weight", "bias"], ["score"]),
        *extra_nodes,
    ]
    held = [
        pb.tensor("job", JOB),
        pb.tensor("one", np.array([1])),
        pb.tensor("weight", WEIGHT),
        pb.tensor("bias", BIAS),
        *extra_held,
    ]
    inputs = [pb.value("x_num", pb.FLOAT, [rows, 3]), pb.value("x_cat", pb.INT64, [rows, 1])]
    outputs = outputs or [pb.value("score", pb.FLOAT, [rows, 1])]
    return pb.model(pb.graph(nodes, held, inputs, outputs), extra=extra, domains=domains)


def by_hand(people):
    num = np.stack([(people[name].fillna(0.0) - 30) / 20 for name in ("age", "income", "debts")], axis=1)
    codes = people["job"].map({"clerk": 1, "driver": 2, "nurse": 3}).fillna(0).astype(int)
    return np.concatenate([num, JOB[codes]], axis=1) @ WEIGHT[:, 0].astype(np.float64) + BIAS[0]


@pytest.fixture
def hand_in(tools, people, tmp_path):
    pytest.importorskip("onnxruntime")

    def run(data, **model):
        path = tmp_path / "net.onnx"
        path.write_bytes(data)
        config = tools.configure(**{"path": str(path), "inputs": INPUTS, "output": "logit", **model})
        return take_in(config, tools.Rows(people))

    return run


@pytest.mark.parametrize("rows", ["batch", 7, 1])
def test_scores_equal_the_arithmetic(hand_in, people, rows):
    """A free batch, one that the export fixed and is filled up, and one row at a time."""
    model, intake = hand_in(build(rows))
    np.testing.assert_allclose(model.link(people), by_hand(people), atol=2e-6)
    assert intake.format == "onnx"
    assert intake.parameters == JOB.size + WEIGHT.size + BIAS.size
    checks = {check.id: check.status for check in intake.checks}
    assert checks.pop("gradients") == "not_done"
    assert set(checks.values()) == {"pass"}
    assert not model.has_gradients
    assert any("7 at a time" in line for line in intake.vetted) == (rows == 7)


def test_inputs_are_held_against_the_file(hand_in, people):
    with pytest.raises(ConfigError, match="did you mean 'x_num'"):
        hand_in(build(), inputs={"x_nun": INPUTS["x_num"], "x_cat": INPUTS["x_cat"]})
    with pytest.raises(IntakeRefused, match="has 3 columns, but the blocks give 2"):
        hand_in(build(), inputs={**INPUTS, "x_num": [{"columns": ["age", "income"]}]})
    with pytest.raises(IntakeRefused, match="x_cat takes codes"):
        hand_in(build(), inputs={**INPUTS, "x_cat": [{"columns": ["age"]}]})
    with pytest.raises(ConfigError, match="also takes x_cat"):
        hand_in(build(), inputs={"x_num": INPUTS["x_num"]})


def test_several_outputs_are_named(hand_in, people):
    data = build(
        extra_nodes=[pb.node("Neg", ["score"], ["turned"])],
        outputs=[pb.value("score", pb.FLOAT, ["batch", 1]), pb.value("turned", pb.FLOAT, ["batch", 1])],
    )
    with pytest.raises(ConfigError, match="2 outputs: score, turned"):
        hand_in(data)
    with pytest.raises(ConfigError, match="did you mean 'turned'"):
        hand_in(data, output={"scale": "logit", "name": "turnd"})
    model, intake = hand_in(data, output={"scale": "logit", "name": "turned"})
    np.testing.assert_allclose(model.link(people), -by_hand(people), atol=2e-6)
    assert any("other outputs left aside: 1" in line for line in intake.vetted)


def classifier(*, zipmap):
    """Write what scikit-learn's converter writes for a logistic regression of the classes 0 and 1."""
    coefficients = [-1.0, -0.5, -0.25, 1.0, 0.5, 0.25]
    nodes = [
        pb.node(
            "LinearClassifier",
            ["x"],
            ["label", "raw"],
            domain="ai.onnx.ml",
            classlabels_ints=[0, 1],
            coefficients=coefficients,
            intercepts=[0.1, -0.1],
            multi_class=1,
            post_transform="SOFTMAX",
        )
    ]
    if zipmap:
        nodes.append(pb.node("ZipMap", ["raw"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1]))
    last = pb.maps("probabilities") if zipmap else pb.value("raw", pb.FLOAT, ["n", 2])
    outputs = [pb.value("label", pb.INT64, ["n"]), last]
    return pb.model(pb.graph(nodes, [], [pb.value("x", pb.FLOAT, ["n", 3])], outputs), domains=["ai.onnx.ml"])


@pytest.mark.parametrize(("zipmap", "classes"), [(False, [0, 1]), (True, [0, 1]), (True, [1, 0])])
def test_classifier_with_labels_and_probabilities(hand_in, people, zipmap, classes):
    inputs = [{"columns": ["age", "income", "debts"], "mean": 30.0, "scale": 20.0, "missing": 0.0}]
    output = {"scale": "probabilities", "classes": classes, "positive": 1}
    model, _ = hand_in(classifier(zipmap=zipmap), inputs=inputs, output=output)
    x = np.stack([(people[name].fillna(0.0) - 30) / 20 for name in ("age", "income", "debts")], axis=1)
    margin = 2 * (x @ np.array([1.0, 0.5, 0.25])) - 0.2
    np.testing.assert_allclose(model.score(people), 1 / (1 + np.exp(-margin)), atol=1e-6)


def test_maps_of_other_classes():
    with pytest.raises(ConfigError, match="classes are 0, 1, not the declared"):
        read_maps([{0: 0.5, 1: 0.5}], ("deny", "grant"))
    assert read_maps([{"a": 0.1, "b": 0.9}], ()).tolist() == [[0.1, 0.9]]
    with pytest.raises(IntakeRefused, match="other classes for some rows"):
        read_maps([{"a": 0.1, "b": 0.9}, {"a": 1.0}], ())


def outside(path):
    """Write a tensor whose numbers stand in another file."""
    entry = pb.block(13, pb.block(1, "location") + pb.block(2, path))
    return pb.number(1, 1) + pb.number(2, pb.FLOAT) + pb.block(8, "stolen") + entry + pb.number(14, 1)


EVIL = {
    "parent": (build(extra_held=[outside("../../etc/passwd")]), "outside of itself"),
    "absolute": (build(extra_held=[outside("/etc/passwd")]), "outside of itself"),
    "beside": (build(extra_held=[outside("weights.bin")]), "outside of itself"),
    "in a node": (
        build(
            extra_nodes=[
                pb.block(2, "c")
                + pb.block(4, "Constant")
                + pb.block(5, pb.block(1, "value") + pb.block(5, outside("../../etc/passwd")) + pb.number(20, 4))
            ]
        ),
        "outside of itself",
    ),
    "in a branch": (
        build(
            extra_nodes=[
                pb.node(
                    "If",
                    ["x"],
                    ["y"],
                    then_branch=pb.graph([], [outside("../../etc/passwd")], [], [pb.value("y", pb.FLOAT, [1])]),
                )
            ]
        ),
        "outside of itself",
    ),
    "python": (
        build(extra_nodes=[pb.node("PyOp", ["x_num"], ["y"], domain="ai.onnx.contrib")], domains=["ai.onnx.contrib"]),
        "operators of 'ai.onnx.contrib'",
    ),
    "engine": (
        build(extra_nodes=[pb.node("EPContext", [], ["y"], domain="com.microsoft", ep_cache_context="../x.so")]),
        "operators of 'com.microsoft'",
    ),
    "domain that is a path": (build(extra_nodes=[pb.node("X", [], ["y"], domain="/home/joe/x")]), "a foreign domain"),
    "in a function": (
        build(
            extra=pb.block(
                25,
                pb.block(1, "f") + pb.block(10, "mine") + pb.block(7, pb.node("PyOp", [], [], domain="evil.ops")),
            )
        ),
        "operators of 'evil.ops'",
    ),
    "memory": (build(extra_held=[pb.tensor("big", np.zeros(4, np.float32), dims=[10**12])]), "more numbers"),
    "negative": (build(extra_held=[pb.tensor("odd", np.zeros(4, np.float32), dims=[-4])]), "more numbers"),
    "runtime": (build(extra=pb.block(14, pb.block(1, "ort_config") + pb.block(2, "{}"))), "settings for the runtime"),
    "training": (build(extra=pb.block(20, b"")), "training loop"),
    "texts": (
        pb.model(pb.graph([], [], [pb.value("t", pb.STRING, ["n", 1])], [pb.value("y", pb.FLOAT, ["n", 1])])),
        "takes texts",
    ),
    "image": (
        pb.model(pb.graph([], [], [pb.value("t", pb.FLOAT, ["n", 3, 8])], [pb.value("y", pb.FLOAT, ["n", 1])])),
        "not a table",
    ),
    "label alone": (
        pb.model(pb.graph([], [], [pb.value("t", pb.FLOAT, ["n", 3])], [pb.value("y", pb.INT64, ["n"])])),
        "no table of floating-point scores",
    ),
    "no graph": (pb.model(b""), "no graph with inputs"),
}


@pytest.mark.parametrize("name", EVIL)
def test_crafted_files(tools, people, tmp_path, name):
    data, words = EVIL[name]
    path = tmp_path / "evil.onnx"
    path.write_bytes(data)
    with pytest.raises(IntakeRefused, match=words) as caught:
        take_in(tools.configure(path=str(path), inputs=INPUTS), tools.Rows(people))
    text = str(caught.value)
    for secret in ("joe", "passwd", "x.so", str(tmp_path)):
        assert secret not in text
    assert caught.value.hint
    assert caught.value.__cause__ is None


def test_functions_of_the_file_itself_are_its_own(people):
    """A node of a domain that the file defines is looked into, not refused."""
    inner = pb.block(1, "f") + pb.block(10, "mine") + pb.block(7, pb.node("Neg", ["a"], ["b"]))
    found = vet_onnx(build(extra_nodes=[pb.node("f", ["score"], ["y"], domain="mine")], extra=pb.block(25, inner)))
    assert "Neg" in found.operators


def test_nested_too_deep():
    inner = pb.graph([], [], [], [])
    for _ in range(40):
        inner = pb.graph([pb.node("If", ["x"], ["y"], then_branch=inner)], [], [], [])
    with pytest.raises(IntakeRefused, match="nested too deeply"):
        vet_onnx(pb.model(inner))


def test_damaged_files_never_escape(hand_in):
    """Truncated or changed, a file is refused or loads; no other error leaves the door."""
    data = build()
    rng = np.random.default_rng(1)
    for at in range(60):
        broken = bytearray(data if at % 2 else data[: int(rng.integers(1, len(data)))])
        for place in rng.integers(0, len(broken), 2):
            broken[place] ^= int(rng.integers(1, 256))
        try:
            hand_in(bytes(broken))
        except (IntakeRefused, ConfigError) as error:
            assert "Traceback" not in str(error)


def test_a_runtime_that_is_not_installed(tools, people, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = tmp_path / "net.onnx"
    path.write_bytes(build())
    with pytest.raises(ConfigError, match=r"glassbox-audit\[onnx\]"):
        take_in(tools.configure(path=str(path), inputs=INPUTS), tools.Rows(people))


def test_wire_format():
    """The examples of https://protobuf.dev/programming-guides/encoding/."""
    fields = list(read_fields(memoryview(bytes.fromhex("089601120774657374696e67"))))
    assert [(one.number, one.value, one.text) for one in fields] == [(1, 150, ""), (2, 0, "testing")]
    packed = next(read_fields(memoryview(bytes.fromhex("3206038e029ea705"))))
    assert (packed.number, read_numbers(packed)) == (6, [3, 270, 86942])
    minus = next(read_fields(memoryview(bytes.fromhex("08feffffffffffffffff01"))))
    assert minus.signed == -2


@pytest.mark.parametrize("data", ["08", "0a05", "0b", "00", "08" + "ff" * 11, "0aff01"])
def test_wire_format_that_ends_too_early(data):
    with pytest.raises(IntakeRefused, match="truncated or damaged"):
        list(read_fields(memoryview(bytes.fromhex(data))))
    assert not is_onnx(bytes.fromhex(data))
