"""A model in a process of its own: the same scores and gradients, no network, no writing, no environment."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from audit.config.model import ModelSource
from audit.errors import ConfigError, IntakeRefused, TryAgain
from audit.examination.blackbox import worker
from audit.examination.blackbox.frames import (
    Message,
    pack_arrays,
    pack_frame,
    pack_numbers,
    read_message,
    unpack_arrays,
    unpack_frame,
    unpack_numbers,
    write_message,
)
from audit.examination.blackbox.intake import take_in
from audit.examination.blackbox.isolation import IsolatedFunction, describe_isolation, isolate_file

LEAVES = "import sys; from audit.examination.blackbox.worker import leave_network; sys.exit(not leave_network())"


@pytest.fixture(scope="module")
def allowed():
    """Whether this platform lets a process leave the network."""
    return subprocess.run([sys.executable, "-c", LEAVES], check=False).returncode == 0


def test_scores_and_gradients_equal_those_here(tools, studio, people, truth, allowed):
    import torch

    path = studio.files["torchscript"]
    settings = {"path": str(path), "inputs": tools.BLOCKS, "output": "logit"}
    here, _ = take_in(tools.configure(**settings), tools.Rows(people))
    there, intake = take_in(tools.configure(**settings, isolation="subprocess"), tools.Rows(people))
    np.testing.assert_allclose(there.link(people), truth, atol=1e-6)
    np.testing.assert_array_equal(there.raw(people), here.raw(people))
    assert there.has_gradients
    for one, other in zip(here.gradients(people), there.gradients(people), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other, atol=1e-7)
    assert "process of its own" in intake.isolation
    assert ("without network" in intake.isolation) == allowed
    assert {check.status for check in intake.checks} == {"pass"}
    with pytest.raises(RuntimeError, match="mat1 and mat2"):  # torch's own words, which the network explains
        there._loaded.call(torch.ones(2, 2), torch.ones(2, 2, dtype=torch.int64))


SPY = """
import os, socket

def _try(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "done"

def _write():
    with open({file!r}, "w") as file:
        file.write("x" * 100)

SEEN = [
    float(_try(lambda: socket.create_connection(("127.0.0.1", {port}), 2)) == "done"),
    float(_try(_write) == "done"),
    float("AUDIT_SECRET" in os.environ),
]

def predict(frame):
    print("noise on standard output")
    if (frame["age"] < 0).any():
        os._exit(7)
    if (frame["age"] > 900).any():
        while True:
            pass
    if frame["job"].isna().sum() != 1 or type(frame["job"].iloc[0]) is not str:
        raise ValueError("SECRET-MARKER /home/joe")
    return [SEEN] * len(frame)
"""


@pytest.fixture(scope="module")
def spy(tmp_path_factory):
    """A trusted function that tells what it could reach, in its process; and the port that listens."""
    folder = tmp_path_factory.mktemp("spy")
    code = folder / "spy.py"
    with socket.create_server(("127.0.0.1", 0)) as server:
        code.write_text(SPY.format(file=str(folder / "written"), port=server.getsockname()[1]))
        yield ModelSource.model_validate(
            {
                "format": "python",
                "factory": f"{code}:predict",
                "trust_code": True,
                "sha256": hashlib.sha256(code.read_bytes()).hexdigest(),
                "isolation": "subprocess",
                "time_limit": 20,
            }
        )


def test_what_the_process_can_reach(spy, monkeypatch, allowed):
    monkeypatch.setenv("AUDIT_SECRET", "x")
    frame = pd.DataFrame({"age": [1.0, 2.0], "job": pd.Series(["clerk", None], dtype=object)})
    function = IsolatedFunction(spy)
    network, wrote, secret = function(frame)[0]
    assert network == (0.0 if allowed else 1.0)
    assert (wrote, secret) == (0.0, 0.0)
    with pytest.raises(IntakeRefused, match="the model function failed"):
        function(frame.iloc[:1])
    with pytest.raises(IntakeRefused, match="ended with code 7 instead of answering"):
        function(frame.assign(age=-1.0))


def test_an_answer_that_never_comes(spy):
    function = IsolatedFunction(spy.model_copy(update={"time_limit": 2.5}))
    with pytest.raises(TryAgain, match="no answer within 2.5 seconds"):
        function(pd.DataFrame({"age": [1000.0], "job": pd.Series([None], dtype=object)}))


def test_required_where_it_is_refused(studio, monkeypatch, tmp_path):
    """A platform without such a call: the file is not loaded, or the report says that the network stayed."""
    blind = tmp_path / "sitecustomize.py"
    blind.write_text(
        "import ctypes\n_whole = ctypes.CDLL\n"
        "def _blind(name=None, *rest, **named):\n"
        "    if name is None:\n        raise OSError\n"
        "    return _whole(name, *rest, **named)\n"
        "ctypes.CDLL = _blind\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    source = ModelSource.model_validate({"isolation": "required", "path": "x"})
    data = studio.files["torchscript"].read_bytes()
    with pytest.raises(IntakeRefused, match="does not let a process give up its network"):
        isolate_file(data, "torchscript", source)


def test_refusals_come_back_as_they_are(tools, studio, tmp_path):
    source = ModelSource.model_validate({"isolation": "subprocess", "path": "x"})
    with pytest.raises(ConfigError, match="a factory must build the net") as caught:
        isolate_file(studio.files["state_dict"].read_bytes(), "state_dict", source)
    assert caught.value.place == "model.factory"


def test_words():
    assert describe_isolation(network=False, writing=False).endswith("without network, unable to write files")
    assert "refused to take it away" in describe_isolation(network=True, writing=False)


def test_frames_keep_their_types():
    frame = pd.DataFrame(
        {
            "a": [1.0, np.nan, 3.0],
            "b": pd.Series(["x", None, "z"], dtype=object),
            "c": [1, 2, 3],
            "d": [True, False, True],
            "e": pd.Series([True, None, False], dtype=object),
        }
    ).set_axis([7, 8, 9])
    found = unpack_frame(pack_frame(frame))
    assert list(found.dtypes) == list(frame.dtypes)
    assert found["b"].tolist() == ["x", None, "z"]
    assert found["e"].tolist() == [True, None, False]
    pd.testing.assert_frame_equal(found[["a", "c", "d"]], frame[["a", "c", "d"]].reset_index(drop=True))


def test_tensors_and_numbers_keep_their_shapes():
    arrays = [np.arange(6.0).reshape(2, 3), np.array([1, 2]), np.zeros((0, 4), np.float32)]
    for one, other in zip(arrays, unpack_arrays(pack_arrays(arrays), 3), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    back = unpack_numbers(pack_numbers([arrays[0], None, arrays[1]]))
    assert back[1] is None
    np.testing.assert_array_equal(back[0], arrays[0])


@pytest.mark.parametrize(
    "told",
    [
        {"dtype": "object", "shape": [1]},
        {"dtype": "float64", "shape": [-1]},
        {"dtype": "float64", "shape": [10**9]},
        {"dtype": "float64", "shape": [1]},
    ],
)
def test_answers_that_lie(told):
    with pytest.raises(ValueError):
        unpack_numbers(Message({"arrays": [told]}, bytes(16)))


def test_messages():
    pipe = io.BytesIO()
    write_message(pipe, Message({"op": "x"}, b"body"))
    pipe.seek(0)
    assert read_message(pipe, 4) == Message({"op": "x"}, b"body")
    with pytest.raises(EOFError):
        read_message(pipe)
    pipe.seek(0)
    with pytest.raises(ValueError, match="longer"):
        read_message(pipe, 3)


def test_the_worker_answers_in_process(studio, monkeypatch, tools):
    """The same code without a process, so that what it does is seen by the tools that watch this one."""
    import torch

    monkeypatch.setattr(worker, "leave_network", lambda: True)
    monkeypatch.setattr(worker, "forbid_writing", lambda: True)
    ask, answers = io.BytesIO(), io.BytesIO()
    source = ModelSource.model_validate({"path": "x"}).model_dump_json()
    data = studio.files["torchscript"].read_bytes()
    write_message(ask, Message({"op": "load", "format": "torchscript", "source": source}, data))
    arrays = [np.ones((2, 3), np.float32), np.ones((2, 2), np.int64)]
    kinds = ["float32", "int64"]
    write_message(ask, Message({"op": "call", "names": ["", "x_cat"], "kinds": kinds}, pack_arrays(arrays)))
    body = pack_arrays([*arrays, np.ones((2, 1), np.float32)])
    write_message(ask, Message({"op": "gradient", "names": ["", ""], "kinds": [*kinds, "float32"]}, body))
    write_message(ask, Message({"op": "call", "names": [""], "kinds": ["float32"]}, pack_arrays(arrays[:1])))
    ask.seek(0)
    worker.serve(ask, answers)
    answers.seek(0)
    assert read_message(answers).head == {"network": False, "writing": False}
    assert read_message(answers).head["float_type"] == "float32"
    with torch.no_grad():
        right = studio.net(torch.ones(2, 3), torch.ones(2, 2, dtype=torch.int64)).numpy()
    np.testing.assert_allclose(unpack_numbers(read_message(answers))[0][:, 0], right, atol=1e-6)
    grads = unpack_numbers(read_message(answers))
    assert grads[0].shape == (2, 3)
    assert grads[1] is None
    assert "failed" in read_message(answers).head
