"""The model asked again with a protected attribute swapped, against answers written down by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from audit.config.schema import ExamineConfig
from audit.evidence import AttributeUsed, Decision, NotDone, Subject
from audit.examination.blackbox.output import OutputReading
from audit.examination.data.columns import groups_of
from audit.examination.measures.fairness.flip import draw_by_group, measure_flip
from audit.examination.measures.fairness.groups import lay_out
from audit.examination.measures.fairness.parts import Scene
from audit.examination.measures.fairness.rates import Reading
from audit.examination.tally.tally import build_tally
from audit.statistics import wilson


class Formula:
    """A black box that is a function of the frame; it counts what it is asked."""

    reading = OutputReading("probability")

    def __init__(self, score, columns):
        self.columns, self._score, self.asked = columns, score, 0

    def raw(self, frame):
        self.asked += len(frame)
        return np.asarray(self._score(frame), float)[:, None]


def make_scene(frame, score, columns, *, groups=None, fits=None, effort="standard", blackbox=True, **config):
    groups = groups or {"sex": "sex"}
    settings = ExamineConfig.model_validate(
        {"data": "rows.csv", "groups": groups, "effort": effort, "model": {"format": "python"}, **config}
    )
    model = Formula(score, columns)
    values = groups_of(frame, settings)
    favourable = model.raw(frame)[:, 0] >= 0.5
    model.asked = 0
    case = SimpleNamespace(
        config=settings,
        subject=Subject(
            title="t",
            system="s",
            version="1",
            decision=Decision(favourable="score >= 0.5"),
            attributes=tuple(
                AttributeUsed(name=name, column=item.column) for name, item in settings.groups.attributes.items()
            ),
        ),
        frame=frame,
        dataset=SimpleNamespace(described=()),
        groups=values,
        scores=SimpleNamespace(favourable=favourable),
        blackbox=model if blackbox else None,
        fits=fits or NotDone(not_done="none here"),
        sampled="",
        rng=lambda name: np.random.default_rng(0),
    )
    tally = build_tally(values, None, favourable)
    return Scene(case, tuple(lay_out(tally.table((name,)), 30, 0.02) for name in values), (), Reading(True))


def make_frame(n=600, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sex": rng.choice(["F", "M"], n).astype(object),
            "income": rng.random(n),
            "age": rng.integers(18, 80, n).astype(float),
        }
    )


def pick(found, name, model="black_box", **group):
    (item,) = [
        one
        for one in found.measurements
        if one.metric == f"fairness.counterfactual_{name}" and one.group == group and one.model == model
    ]
    return item.estimate


def lift(frame):
    """Men get a tenth more than women of the same income."""
    return np.clip(frame["income"] * 0.8 + 0.1 * (frame["sex"] == "M"), 0, 1)


def test_known_answers_by_group():
    frame = make_frame()
    found = measure_flip(make_scene(frame, lift, ("income", "sex")))
    # a woman gains where 0.8 income lies in [0.4, 0.5), a man loses there
    between = (frame["income"] * 0.8 >= 0.4) & (frame["income"] * 0.8 < 0.5)
    for sex, gains in (("F", True), ("M", False)):
        inside = frame["sex"] == sex
        k, n = int((between & inside).sum()), int(inside.sum())
        flip, gain, loss = (pick(found, name, sex=sex) for name in ("flip_rate", "favourable_gain", "favourable_loss"))
        assert (flip.count, flip.n) == (k, n)
        assert (flip.low, flip.high) == wilson(k, n)
        assert (gain.count, loss.count) == ((k, 0) if gains else (0, k))
        assert pick(found, "score_change", sex=sex).value == pytest.approx(0.1)
    assert any("says nothing about causes" in note for note in found.notes)


def test_an_input_that_all_but_tells_the_attribute_is_named_and_nothing_is_judged():
    frame = make_frame()
    frame["band"] = np.where(frame["age"] < 40, "young", "old").astype(object)
    frame["home"] = np.where(np.arange(len(frame)) % 7, "rent", None).astype(object)
    frame.loc[3, "age"] = np.nan

    def score(rows):
        return np.where(rows["age"] < 40, 0.2, 0.8)

    found = measure_flip(make_scene(frame, score, ("home", "income", "age"), groups={"band": "band", "sex": "sex"}))
    for band in ("young", "old"):
        estimate = pick(found, "flip_rate", band=band)
        assert not estimate.assessable
        assert "but it reads age" in estimate.note
    assert pick(found, "flip_rate", sex="F").assessable


def test_an_attribute_that_is_no_input_changes_nothing_by_construction():
    scene = make_scene(make_frame(), lambda rows: rows["income"], ("income",))
    found = measure_flip(scene)
    for sex in "FM":
        estimate = pick(found, "flip_rate", sex=sex)
        assert (estimate.value, estimate.low, estimate.high, estimate.method) == (0.0, 0.0, 0.0, "by construction")
        assert "can still carry it" in estimate.note
        assert estimate.n == (scene.case.frame["sex"] == sex).sum()
    assert scene.case.blackbox.asked == 0


def test_without_a_model_it_is_undefined():
    found = measure_flip(make_scene(make_frame(), lift, ("income", "sex"), blackbox=False))
    assert pick(found, "flip_rate", sex="F").value is None
    assert "no model" in pick(found, "flip_rate", sex="F").note


def test_bins_move_to_the_medians_of_other_bins():
    frame = make_frame()
    asked = []

    def score(rows):
        asked.append(set(rows["age"].unique()))
        return np.where(rows["age"] < 40, 0.2, 0.8)

    found = measure_flip(
        make_scene(frame, score, ("home", "income", "age"), groups={"age": {"column": "age", "bins": [40]}})
    )
    young, old = frame["age"][frame["age"] < 40], frame["age"][frame["age"] >= 40]
    medians = {float(np.quantile(part, 0.5, method="lower")) for part in (young, old)}
    assert {next(iter(values)) for values in asked[-2:]} == medians
    assert pick(found, "favourable_gain", age="under 40").value == 1.0
    assert pick(found, "favourable_loss", age="40 and over").value == 1.0
    change = pick(found, "score_change", age="under 40")
    assert change.value == pytest.approx(0.6)
    assert "no interval" in change.note


def test_any_other_value_counts_and_the_change_is_a_mean_over_them():
    frame = make_frame(900)
    frame["sex"] = np.resize(np.array(["a", "b", "c"], object), 900)
    points = {"a": 0.2, "b": 0.4, "c": 0.9}
    found = measure_flip(make_scene(frame, lambda rows: rows["sex"].map(points).to_numpy(float), ("sex",)))
    assert pick(found, "flip_rate", sex="a").value == 1.0
    assert pick(found, "score_change", sex="a").value == pytest.approx((0.2 + 0.7) / 2)
    assert pick(found, "favourable_loss", sex="c").value == 1.0
    assert pick(found, "score_change", sex="c").value == pytest.approx((0.7 + 0.5) / 2)


def test_people_of_unknown_value_are_asked_with_every_value():
    frame = make_frame()
    frame.loc[:49, "sex"] = None
    found = measure_flip(make_scene(frame, lift, ("income", "sex")))
    estimate = pick(found, "favourable_gain", sex="unknown")
    between = frame["income"][:50] * 0.8
    assert (estimate.count, estimate.n) == (int(((between >= 0.4) & (between < 0.5)).sum()), 50)


def test_stored_decisions_do_not_follow_but_scores_do():
    frame = make_frame()
    frame["said"] = np.where(frame["income"] > 0.5, "yes", "no").astype(object)
    scene = make_scene(frame, lift, ("income", "sex"), decision={"column": "said", "favourable": "yes"})
    found = measure_flip(scene)
    assert pick(found, "flip_rate", sex="F").value is None
    assert pick(found, "score_change", sex="F").value == pytest.approx(0.1)


def test_surrogates_are_asked_too():
    class Box:
        def link(self, rows):
            return np.where(rows["sex"] == "M", 1.0, -1.0)

    fits = SimpleNamespace(models={"ebm_surrogate": Box(), "ebm_label": Box()})
    found = measure_flip(make_scene(make_frame(), lift, ("income", "sex"), fits=fits))
    assert pick(found, "flip_rate", "ebm_surrogate", sex="F").value == 1.0
    assert {item.model for item in found.measurements} == {"black_box", "ebm_surrogate"}


def test_a_sample_is_even_over_groups_and_the_same_every_time():
    frame = make_frame(9000)
    frame["sex"] = np.where(np.arange(9000) < 300, "F", "M").astype(object)
    scene = make_scene(frame, lift, ("income", "sex"), effort="fast")
    found = measure_flip(scene)
    assert pick(found, "flip_rate", sex="F").n == 300
    assert pick(found, "flip_rate", sex="M").n == 4700
    assert "5,000 of 9,000 people" in found.notes[0]
    assert measure_flip(scene) == found


def test_even_draws():
    place = np.array([0] * 100 + [1] * 5 + [2] * 30 + [-1] * 20)
    rows = draw_by_group(place, 45, np.random.default_rng(0))
    assert np.bincount(place[rows]).tolist() == [20, 5, 20]
    assert (np.diff(rows) > 0).all()
    assert len(draw_by_group(place, 500, np.random.default_rng(0))) == 135
