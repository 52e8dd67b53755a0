"""The section of effects as a whole: curves on common axes, what is named, what is hidden."""

from __future__ import annotations

import numpy as np
import pytest
from glass_material import KINDS, Formula, make_case, make_features, make_truth, true_link

from audit.evidence import Effects, NotDone
from audit.examination.glassbox.fit import fit_glassboxes
from audit.examination.measures.effects.axis import draw_rug, lay_axis
from audit.examination.measures.effects.drawn import Shape
from audit.examination.measures.effects.gaps import find_disagreement, measure_reversal
from audit.examination.measures.effects.measure import DEFINITIONS, measure_effects


@pytest.fixture(scope="module")
def job():
    frame, _, label = make_truth(1500, seed=3)
    # steeper than any additive shape can follow: income matters twice as much to those who own
    box = Formula(lambda f: true_link(f) + 0.03 * (f["income"].to_numpy() - 30) * (f["owns"].to_numpy() == True))  # noqa: E712
    link = box.link(frame[list(KINDS)])
    features = make_features(age={"expected": "increasing"}, income={"expected": "increasing"})
    fits = fit_glassboxes(frame, features, label=label, link=link, effort="fast", n_jobs=1)
    return make_case(frame, link=link, label=label, blackbox=box, fits=fits, features=features)


@pytest.fixture(scope="module")
def effects(job):
    section = measure_effects(job)
    assert isinstance(section, Effects)
    return section


def get(section, metric, **scope):
    found = [
        m
        for m in section.measurements
        if m.metric == f"effects.{metric}" and all(getattr(m, key) == value for key, value in scope.items())
    ]
    assert len(found) == 1, (metric, scope, len(found))
    return found[0].estimate


def test_five_models_are_drawn_on_one_axis(effects):
    for name in KINDS:
        every = [curve for curve in effects.curves if curve.feature == name]
        curves = [curve for curve in every if curve.method != "PDP"]
        assert [c.model for c in curves] == ["black_box", "ebm_label", "net_label", "ebm_surrogate", "net_surrogate"]
        # partial dependence stands first, and only of a number
        assert every[: len(every) - len(curves)] == [c for c in every if c.method == "PDP"]
        assert len(every) - len(curves) == (KINDS[name] == "number")
        assert len({(c.x, c.levels) for c in every}) == 1
        assert all(len(c.y) <= 48 for c in curves)
        assert [c.band_is_interval for c in curves] == [True, False, True, False, True]


def test_shapes_are_centred_over_the_audited_rows(job, effects):
    frame = job.frame
    for curve in effects.curves:
        if curve.kind == "numeric":
            values = np.interp(frame[curve.feature], curve.x, curve.y)
        else:
            values = np.array([dict(zip(curve.levels, curve.y, strict=True))[str(v)] for v in frame[curve.feature]])
        # the drawn polyline has fewer points than a step function has steps
        assert abs(values.mean()) < 0.05 * (np.ptp(curve.y) + 0.02)


def test_importance_orders_the_features_and_shares_sum_to_one(effects):
    order = list(dict.fromkeys(curve.feature for curve in effects.curves))
    own = [get(effects, "importance", feature=name, model="black_box").value for name in order]
    assert own == sorted(own, reverse=True)
    assert order[-1] == "idle"
    for model in ("black_box", "ebm_surrogate", "net_label"):
        shares = [get(effects, "importance_share", feature=name, model=model).value for name in order]
        assert sum(shares) == pytest.approx(1)


def test_importance_of_the_net_is_its_mean_absolute_effect(job, effects):
    box = job.fits.models["net_surrogate"]
    encoded = box.encoder.encode(job.frame)
    parts = box.terms[0].look_up(encoded[:, 0])
    expected = np.abs(parts - parts.mean()).mean()
    assert get(effects, "importance", feature="age", model="net_surrogate").value == pytest.approx(expected)


def test_every_metric_is_defined_and_every_number_finite(effects):
    known = {definition.id for definition in DEFINITIONS}
    assert {m.metric for m in effects.measurements} == known
    effects.canonical()


def test_expected_directions_are_checked(effects):
    assert get(effects, "reversal", feature="age", model="black_box").value > 0.9
    income = get(effects, "reversal", feature="income", model="black_box")
    assert income.value < 0.02
    assert get(effects, "reversal", feature="income", model="ebm_label").low is None


def test_a_proxy_is_measured_by_group_and_by_attribute(effects):
    by_attribute = get(effects, "proxy_strength", feature="age", attribute="sex")
    assert by_attribute.low < 0.5 < by_attribute.high
    female = get(effects, "proxy_strength", feature="age", group={"sex": "F"})
    assert by_attribute.value >= female.value


def test_disagreements_are_named_in_a_sentence(effects):
    assert effects.disagreements
    assert all(item.model == "net_surrogate" for item in effects.disagreements)
    beyond = [item.beyond for item in effects.disagreements]
    assert beyond == sorted(beyond, reverse=True)
    for item in effects.disagreements:
        assert item.feature in item.words
        assert item.words.endswith(".")
        assert get(effects, "disagreement", feature=item.feature, model=item.model).value == item.beyond


def make_shape(y, half, model, x=None, interval=True):
    import pandas as pd

    from audit.evidence import FeatureUsed

    x = np.arange(len(y), dtype=float) if x is None else x
    column = pd.Series(np.repeat(x, 20))
    axis = lay_axis(column.rename("x"), FeatureUsed(name="x", kind="number"), np.full(column.size, 1 / column.size))
    y = np.asarray(y, dtype=float)
    half = np.asarray(half, dtype=float)
    return Shape(axis, model, "m", y, y - half, y + half, "b", interval, None, 0.0, 100)


def test_the_largest_gap_beyond_both_bands_is_found():
    surrogate = make_shape([0, 1.0, 5.0, 2.0], [0.1, 0.1, 3.0, 0.1], "net_surrogate")
    black = make_shape([0, 0.5, 2.0, 2.0], [0.1, 0.1, 1.0, 0.1], "black_box")
    item = find_disagreement(surrogate, black, "log-odds")
    # at 2 the gap is larger, but the bands overlap there
    assert item.at == "x = 1"
    assert item.gap == pytest.approx(0.5)
    assert item.beyond == pytest.approx(0.3)
    assert item.rows_share == pytest.approx(0.25)
    assert "0.5 above" in item.words


def test_bands_that_overlap_everywhere_agree():
    surrogate = make_shape([0, 1.0], [1, 1], "net_surrogate")
    black = make_shape([0, 0.5], [1, 1], "black_box")
    item = find_disagreement(surrogate, black, "log-odds")
    assert item.beyond == 0
    assert "agree within their bands" in item.words
    assert find_disagreement(make_shape([0, 9], [0, 0], "ebm_surrogate", interval=False), black, "s") is None


@pytest.mark.parametrize(
    ("y", "expected", "value"),
    [([0, 1, 2], "increasing", 0.0), ([0, 1, 2], "decreasing", 1.0), ([0, 2, 1, 4], "increasing", 0.25)],
)
def test_reversal_is_the_largest_fall_over_the_range(y, expected, value):
    estimate = measure_reversal(make_shape(y, np.zeros(len(y)), "black_box"), expected)
    assert estimate.value == pytest.approx(value)
    assert estimate.low == estimate.high == estimate.value
    wide = measure_reversal(make_shape(y, np.full(len(y), 0.3), "black_box"), expected)
    assert wide.low <= value <= wide.high


def test_a_flat_shape_has_no_direction():
    assert measure_reversal(make_shape([0, 0], [1, 1], "black_box"), "increasing").value is None


def test_a_rug_shows_no_person(job):
    weights = np.full(len(job.frame), 1 / len(job.frame))
    frame = job.frame.copy()
    frame.loc[0, "income"] = 1e9
    for feature in job.subject.features:
        rug = draw_rug(lay_axis(frame[feature.name], feature, weights))
        assert all(count == 0 or count >= 5 for count in rug.counts)
        if rug.edges:
            low, high = np.quantile(frame[feature.name], [0.01, 0.99])
            assert rug.edges[0] == pytest.approx(low, rel=1e-4)
            assert rug.edges[-1] == pytest.approx(high, rel=1e-4)
            assert sum(rug.counts) <= len(frame)


def test_scores_alone_have_no_effect_of_their_own(job):
    alone = make_case(job.frame, link=job.scores.link, label=job.label, fits=job.fits, features=job.subject.features)
    section = measure_effects(alone)
    assert {curve.model for curve in section.curves} == {"ebm_label", "net_label", "ebm_surrogate", "net_surrogate"}
    assert section.disagreements == ()
    assert any("only scores were supplied" in note for note in section.notes)


def test_without_glass_boxes_the_black_box_speaks_for_itself(job):
    bare = make_case(job.frame, link=job.scores.link, blackbox=job.blackbox, features=job.subject.features)
    section = measure_effects(bare)
    assert {curve.model for curve in section.curves} == {"black_box"}
    assert any("no glass boxes" in note for note in section.notes)


def test_nothing_to_show_is_said():
    frame, _, _ = make_truth(60)
    assert isinstance(measure_effects(make_case(frame)), NotDone)
    assert isinstance(measure_effects(make_case(frame, features=())), NotDone)


def test_the_same_case_gives_the_same_section(job, effects):
    assert measure_effects(job).canonical() == effects.canonical()


def test_weights_move_the_centre(job):
    weights = np.where(job.frame["age"] > 60, 4.0, 1.0)
    heavy = make_case(
        job.frame,
        link=job.scores.link,
        blackbox=job.blackbox,
        fits=job.fits,
        features=job.subject.features,
        weights=weights,
    )
    curve = next(c for c in measure_effects(heavy).curves if (c.feature, c.method) == ("age", "ALE"))
    values = np.interp(job.frame["age"], curve.x, curve.y)
    assert abs(np.average(values, weights=weights)) < 1e-3
    assert abs(values.mean()) > 0.05
