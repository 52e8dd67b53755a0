"""What a model does when it is tried: columns it ignores, rows it fails on, the time it takes, the device it wants."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
import pytest

from audit.errors import IntakeRefused, TryAgain
from audit.examination.blackbox.failing import describe_failing, find_failing, most_unscored
from audit.examination.blackbox.function import FunctionModel
from audit.examination.blackbox.intake import sample_rows, take_in, take_in_callable
from audit.examination.blackbox.output import OutputReading
from audit.examination.blackbox.pace import Pace, check_time, count_pace, measure_pace, round_down, say_duration
from audit.examination.blackbox.score import score_rows
from audit.examination.blackbox.usage import find_unused


def wrap(predict, *columns):
    return FunctionModel(predict, columns, OutputReading("probability"))


def honest(frame):
    return 1 / (1 + np.exp(-(frame["income"].to_numpy() - 30) / 10))


class TestUsage:
    def test_ignored_and_constant_columns(self, people):
        rows = people.assign(country="here")
        found = find_unused(wrap(honest, "income", "age", "country", "job"), rows)
        assert found.unused == ("age", "job")
        assert found.constant == ("country",)

    def test_a_column_used_by_few_rows(self, people):
        """One row in ninety is looked at: moving its value moves a score."""
        rows = people.assign(flag=[1.0] + [0.0] * 89)
        found = find_unused(wrap(lambda frame: 0.2 + 0.5 * frame["flag"].to_numpy(), "flag", "age"), rows)
        assert found.unused == ("age",)

    def test_a_value_that_is_refused_counts_as_used(self, people):
        def predict(frame):
            if (frame["age"].diff().iloc[1:] < 0).any():
                raise ValueError("not in order")
            return np.full(len(frame), 0.5)

        rows = people.sort_values("age").reset_index(drop=True)
        assert find_unused(wrap(predict, "age"), rows).unused == ()


class TestFailing:
    def fails_on(self, ages):
        def predict(frame):
            if frame["age"].isin(ages).any():
                raise ValueError("SECRET-MARKER /home/joe")
            return np.full(len(frame), 0.5) + frame["age"].to_numpy() / 1e6

        return wrap(predict, "age")

    @pytest.mark.parametrize("bad", [[], [0], [999], [3, 4, 511, 512, 998]])
    def test_halving_finds_each_row(self, bad):
        rows = pd.DataFrame({"age": np.arange(1000.0)})
        found = find_failing(self.fails_on([float(at) for at in bad]), rows, 10)
        assert np.flatnonzero(found).tolist() == bad

    def test_more_than_a_few_is_a_refusal(self):
        rows = pd.DataFrame({"age": np.arange(1000.0)})
        with pytest.raises(IntakeRefused, match="on 1000 rows"):
            find_failing(self.fails_on(np.arange(0, 1000, 10.0)), rows, most_unscored(1000))

    def test_limits(self):
        assert [most_unscored(rows) for rows in (50, 1000, 99_999, 10**7)] == [0, 10, 999, 1000]

    def test_rows_without_a_score_are_counted_by_group(self, tools):
        rng = np.random.default_rng(2)
        frame = pd.DataFrame({"age": np.arange(1000.0), "sex": rng.choice(["f", "m"], 1000).astype(object)})
        frame["repaid"] = rng.integers(0, 2, 1000).astype(float)
        bad = [10.0, 20.0, 999.0]
        config = tools.configure(inputs=["age"], output="probability", groups=["sex"], decision=None)

        class Whole(tools.Rows):
            def some_rows(self, frame):
                return Whole(frame)

        scores = score_rows(self.fails_on(bad), Whole(frame), config)
        assert np.flatnonzero(~scores.kept).tolist() == [10, 20, 999]
        assert len(scores.score) == 997
        np.testing.assert_allclose(scores.score, 0.5 + frame["age"].drop([10, 20, 999]) / 1e6)
        note = scores.notes[0]
        female = int((frame["sex"].iloc[[10, 20, 999]] == "f").sum())
        assert "3 of 1,000 rows" in note
        assert f"f {female} of {int((frame['sex'] == 'f').sum())}" in note
        assert "SECRET" not in " ".join(scores.notes)

    def test_rows_of_the_sample_that_fail(self, tools):
        frame = pd.DataFrame({"age": np.arange(1000.0)})
        config = tools.configure(inputs=["age"], output="probability")
        bad = sample_rows(tools.Rows(frame), config.seed)["age"].iloc[[0, 100]].tolist()
        model, intake = take_in_callable(self.fails_on(bad)._predict, config, tools.Rows(frame))
        assert any("raises an error on 2 of 512 rows" in one for one in intake.notes)
        with pytest.raises(IntakeRefused, match="ValueError") as caught:
            model.score(frame)
        assert "SECRET" not in str(caught.value), "what a model raises after its intake may reach the report"

    def test_words(self):
        text = describe_failing(np.array([True, False, False]), {"sex": np.array(["f", "f", "m"])})
        assert "sex: f 1 of 2, m 0 of 1" in text


class TestPace:
    @pytest.mark.parametrize(
        ("rate", "rough"), [(0.01, 1), (9.9, 1), (10, 10), (999, 100), (1000, 1000), (5e4, 10_000), (3e7, 100_000)]
    )
    def test_classes(self, rate, rough):
        assert Pace(rate).rough == rough

    def test_a_model_that_sleeps(self):
        rows = pd.DataFrame({"age": np.arange(40.0)})

        def predict(frame):
            time.sleep(0.3)
            return np.full(len(frame), 0.5)

        assert measure_pace(wrap(predict, "age"), rows).rough == 100
        with pytest.raises(TryAgain, match="about 1.7 minutes|about 2 minutes") as caught:
            check_time(Pace(10.0), 1000, 60)
        assert "time_limit" in caught.value.hint
        check_time(Pace(10.0), 1000, None)
        assert say_duration(7200) == "2.0 hours"

    def test_what_torch_computes_is_counted_and_the_clock_plays_no_part(self, tools, studio, people):
        config = tools.configure(path=str(studio.files["pt2"]), inputs=tools.BLOCKS, output="logit")
        model, intake = take_in(config, tools.Rows(people))
        paces = {count_pace(model, people.iloc[:rows]) for rows in (1, 7, 90)}
        assert len(paces) == 1  # not even the rows that it is tried on do
        (pace,) = paces
        assert Pace(pace / 5, pace).basis == "counted"
        assert Pace(pace / 5, pace).rough == Pace(pace * 40, pace).rough == min(round_down(pace), 100_000)
        assert intake.pace_basis == "counted"

    def test_a_wider_net_and_smaller_calls_are_slower(self, tools, studio, people):
        from attribution_material import frame_of, make_number_net, open_net

        paces = [
            count_pace(open_net(make_number_net(20, hidden=hidden, seed=0), numbers=20), frame_of(70, numbers=20))
            for hidden in (16, 256, 2048)
        ]
        assert paces[0] > paces[1] > paces[2]
        assert 0.8 < paces[2] / (3e10 / (2 * (20 * 2048 + 2048**2 + 2048))) < 1
        boxes = [
            take_in(
                tools.configure(path=str(studio.files[name]), inputs=tools.BLOCKS, output="logit"), tools.Rows(people)
            )
            for name in ("pt2", "static")
        ]
        assert count_pace(boxes[0][0], people) > 3 * count_pace(boxes[1][0], people)

    def test_a_net_that_waits_is_believed_the_clock(self):
        assert Pace(100.0, 1e5).basis == "measured"
        assert Pace(100.0, 1e5).rough == 100

    def test_no_operations_of_torch_are_no_count_and_a_declared_pace_wins(self, tools, people):
        assert count_pace(wrap(honest, "income"), people) is None
        assert Pace(5e4, None).basis == "measured"
        config = tools.configure(inputs=["income"], output="probability", pace=700)
        _, intake = take_in_callable(honest, config, tools.Rows(people))
        assert (intake.pace, intake.pace_basis) == (700, "declared")

    def test_limit_stops_before_scoring(self, tools, people):
        config = tools.configure(inputs=["income"], output="probability", time_limit=1e-9)
        with pytest.raises(TryAgain, match="scoring 90 rows would take") as caught:
            take_in_callable(honest, config, tools.Rows(people))
        assert caught.value.exit_code == 6


def script(tmp_path, module):
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(str(tmp_path / "net.pt"))
    return str(tmp_path / "net.pt")


def make_nets():
    import torch
    from torch.nn import functional

    class Device(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum(1) + torch.zeros(1, device="cuda")

    class Dropout(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.dropout(x, 0.5, True).sum(1)

    class Batch(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.batch_norm(x, None, None, None, None, True).sum(1)

    class Hook(torch.nn.Module):
        @torch.jit.export
        def __getstate__(self):
            return (self.training,)

        @torch.jit.export
        def __setstate__(self, state: tuple[bool]):
            print("ran while loading")
            self.training = state[0]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum(1)

    class Reads(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum(1) + torch.from_file("/etc/passwd", False, 1)

    class Prints(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            print("SECRET-MARKER")
            return x.sum(1)

    return {"device": Device, "dropout": Dropout, "hook": Hook, "reads": Reads, "prints": Prints, "batch": Batch}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("device", "asks for a device that is not here"),
        ("dropout", "two equal calls gave outputs"),
        ("hook", "a hook that would run while it is loaded"),
        ("reads", "torch.from_file, which touches files"),
        ("prints", "operator prim::Print"),
    ],
)
def test_torchscript_that_is_refused(tools, people, tmp_path, capfd, name, words):
    config = tools.configure(path=script(tmp_path, make_nets()[name]()), inputs=["income", "age"], output="logit")
    capfd.readouterr()
    with pytest.raises(IntakeRefused, match=words) as caught:
        take_in(config, tools.Rows(people))
    assert caught.value.hint
    assert "passwd" not in str(caught.value)
    assert "SECRET" not in "".join(capfd.readouterr())
    assert "ran while loading" not in "".join(capfd.readouterr())


def test_batch_normalisation_over_the_batch(tools, people, tmp_path):
    config = tools.configure(path=script(tmp_path, make_nets()["batch"]()), inputs=["income", "age"], output="logit")
    _, intake = take_in(config, tools.Rows(people))
    check = {one.id: one for one in intake.checks}["row_independent"]
    assert check.status == "fail"
    assert check.advice


def test_python_call_in_a_torchscript(tools, studio, tmp_path):
    """What a file of functions that TorchScript ignores would hold: ^name(...)(...)."""
    from audit.examination.blackbox.module import load_torchscript

    def change(members):
        name = next(name for name in members if name.startswith("code/") and name.endswith(".py"))
        members[name] = members[name] + b"\n  y = ^run()(x)\n"

    path = tools.change_zip(studio.files["torchscript"], tmp_path / "evil.pt", change)
    with pytest.raises(IntakeRefused, match="calls a Python function"):
        load_torchscript(path.read_bytes(), tools.configure(path=str(path)).model)
