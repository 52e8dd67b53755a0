"""Pickles: nothing runs without trust and a pin; with both, the scores are those of the net, and the report says so."""

from __future__ import annotations

import hashlib
import pickle

import numpy as np
import pytest

from audit.errors import ConfigError, IntakeRefused
from audit.examination.blackbox.intake import take_in


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def hand_in(tools, people):
    def run(path, **model):
        model = {"format": "pickle", "trust_code": True, "sha256": digest(path), "inputs": tools.BLOCKS, **model}
        return take_in(tools.configure(path=str(path), output="logit", **model), tools.Rows(people))

    return run


@pytest.mark.parametrize("plain", [False, True])
def test_scores_equal_the_net(hand_in, studio, people, truth, tmp_path, plain):
    path = studio.files["pickle"]
    if plain:
        path = tmp_path / "net.pkl"
        path.write_bytes(pickle.dumps(studio.net.train()))
        studio.net.eval()
    model, intake = hand_in(path)
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert intake.format == "pickle"
    assert "ran code of the file" in intake.trust
    assert model.has_gradients


def test_trust_and_pin_come_first(hand_in, tools, tmp_path):
    marker, path = tmp_path / "ran", tmp_path / "model.pkl"
    path.write_bytes(tools.pickle_evil(marker))
    with pytest.raises(IntakeRefused, match="runs whatever code is in it") as caught:
        hand_in(path, trust_code=False)
    assert digest(path) in caught.value.hint
    with pytest.raises(ConfigError, match="must be pinned"):
        hand_in(path, sha256=None)
    with pytest.raises(IntakeRefused, match="not the pinned file"):
        hand_in(path, sha256="0" * 64)
    assert not marker.exists()
    with pytest.raises(IntakeRefused, match="instead of a torch.nn.Module"):
        hand_in(path)
    assert marker.exists(), "a trusted pickle was not loaded, so the refusals above prove nothing"


def test_torch_file_needs_the_word_too(hand_in, tools, studio, tmp_path):
    import torch

    marker, path = tmp_path / "ran", tmp_path / "model.pt"
    torch.save({"net": studio.net, "extra": tools.Evil(marker)}, path)
    for broken in ({"trust_code": False}, {"sha256": None}, {"format": "auto"}):
        with pytest.raises((IntakeRefused, ConfigError)):
            hand_in(path, **broken)
    assert not marker.exists()
    hand_in(path)
    assert marker.exists()


def test_tensors_alone_run_nothing(hand_in, studio, people, truth):
    """Weights-only loading is tried first: a state declared as a pickle is read as tensors."""
    with pytest.raises(ConfigError, match="tensors alone"):
        hand_in(studio.files["state_dict"])
    model, intake = hand_in(studio.files["state_dict"], factory=f"{studio.module}:Net")
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)
    assert "weights only" in intake.trust


def test_class_of_a_script_is_found_by_name(hand_in, studio, people, truth, tmp_path):
    """The commonest mistake: a net pickled in the script that defined it."""
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(studio.net, protocol=2).replace(b"studio_module", b"gone_module_x"))
    with pytest.raises(IntakeRefused, match="looks for the module gone_module") as caught:
        hand_in(path)
    assert "factory" in caught.value.hint
    model, _ = hand_in(path, factory=f"{studio.module}:Net")
    np.testing.assert_allclose(model.link(people), truth, atol=1e-6)


def test_what_a_pickle_raises_stays_inside(hand_in, tmp_path):
    class Loud:
        def __reduce__(self):
            return (eval, ("open('/home/joe/SECRET-MARKER')",))

    path = tmp_path / "loud.pkl"
    path.write_bytes(pickle.dumps(Loud()))
    with pytest.raises(IntakeRefused, match="cannot be loaded") as caught:
        hand_in(path)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
