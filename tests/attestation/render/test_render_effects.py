"""The chapter of glass box beside black box: figures that keep their promises, words that keep to the numbers."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from dossier_fixture import make_dossier, make_evidence
from hypothesis import given
from hypothesis import strategies as st
from test_render_html import check

from audit.attestation.render import shapes, surfaces, topics, worked
from audit.attestation.render.beside import show_beside
from audit.attestation.render.figures import SurfacePanel, draw_feature, draw_surface
from audit.attestation.render.figures.looks import effect_range
from audit.attestation.render.figures.style import SIDE_STEPS
from audit.attestation.render.figures.surface import COLOURS, reach_of, step_of
from audit.attestation.render.html import render_html
from audit.attestation.render.numbers import Shown
from audit.attestation.render.tables import Lexicon
from audit.evidence import (
    Curve,
    Definition,
    Disagreement,
    Effects,
    Estimate,
    FeatureRug,
    Measurement,
    PairSurface,
    Verdict,
    WorkedStep,
    WorkedSum,
)

X = (0.0, 1.0, 2.0, 3.0)
WITH = Estimate(value=0.31, low=0.22, high=0.4, n=600, method="delta method")


def curve(model="black_box", method="ALE", **changes):
    given_ = {
        "feature": "load",
        "model": model,
        "kind": "numeric",
        "method": method,
        "x": X,
        "y": (-0.5, -0.1, 0.2, 0.4),
        "rows": 600,
    }
    return Curve(**(given_ | changes))


BAND = {"low": (-0.7, -0.3, 0.0, 0.2), "high": (-0.3, 0.1, 0.4, 0.6)}
SPREAD = {**BAND, "band": "spread of 8 bags, not an interval"}
INTERVAL = {**BAND, "band": "pointwise 95 %, Laplace", "band_is_interval": True}
RUG = FeatureRug(feature="load", edges=(0.0, 1.0, 2.0, 3.0), counts=(90, 0, 30), empty=((1.0, 2.0),), missing=40)


def draw(*curves, rug=None):
    return str(draw_feature("f", "t", "d", curves, rug, (-1.0, 1.0), "Load"))


def make_effects(names=("load",), **changes):
    numbers = [
        Measurement(
            metric="effects.importance",
            estimate=Estimate(value=1.0 / (i + 1), n=600, method="mean"),
            feature=name,
            model="black_box",
        )
        for i, name in enumerate(names)
    ]
    curves = [
        curve(model, method, feature=name)
        for name in names
        for model, method in (("black_box", "PDP"), ("black_box", "ALE"), ("net_surrogate", "additive net term"))
    ]
    given_ = {
        "scale": "log-odds",
        "rows": 600,
        "curves": tuple(curves),
        "rugs": tuple(FeatureRug(feature=n) for n in names),
        "measurements": tuple(numbers),
    }
    return Effects(**(given_ | changes))


def make_page(effects):
    evidence = make_evidence().model_copy(update={"effects": effects})
    return render_html(make_dossier(evidence)).decode()


@pytest.mark.parametrize("kind", ["numeric", "category"])
def test_the_spread_of_bags_is_not_drawn_and_an_interval_is(kind):
    form = {"kind": kind} if kind == "numeric" else {"kind": kind, "x": (), "levels": ("a", "b", "c", "d")}
    bare = draw(curve("ebm_surrogate", **form))
    assert draw(curve("ebm_surrogate", **form, **SPREAD)) == bare
    assert draw(curve("ebm_surrogate", **form, **INTERVAL)) != bare


def test_no_word_calls_a_spread_an_interval():
    effects = make_effects(
        curves=(curve(**INTERVAL), curve("ebm_surrogate", "EBM term", **SPREAD), curve("net_label", **INTERVAL))
    )
    block = shapes.show_features(effects, ())[0]
    told = dict(zip(block.heads, block.whats, strict=True))
    assert told == {
        "Black box": "95% band",
        "EBM, surrogate": "no interval: spread of the bags",
        "Net, labels": "95% band",
    }
    text = check(make_page(effects).encode()).text
    assert "no interval: spread of the bags" in text
    for around in re.findall(r"[^.;(]*spread of[^.;)]*", text):
        assert re.search(r"not an interval|no interval", around), around


def test_partial_dependence_is_dotted_and_stands_on_the_models_side_alone():
    block = shapes.show_features(make_effects(), ())[0]
    assert ">PDP<" in block.model_figure
    assert 'stroke-dasharray="1.4 2.4"' in block.model_figure
    assert block.label_figure is None
    labelled = make_effects(curves=(*make_effects().curves, curve("net_label", "additive net term")))
    assert ">PDP<" not in shapes.show_features(labelled, ())[0].label_figure


def test_lines_differ_without_colour():
    figure = draw(curve(), curve(method="PDP"), curve("ebm_surrogate"), curve("net_surrogate"))
    lines = re.findall(
        r'<path d="[^"]*" fill="none" stroke="#\w+" stroke-width="([\d.]+)"[^>]*?( stroke-dash\w+="[^"]*")?/>', figure
    )
    assert len(lines) == 4
    assert len(set(lines)) == 4


def test_stretches_without_rows_are_hatched_and_told():
    plain = RUG.model_copy(update={"empty": ()})
    assert ">no rows<" in draw(curve(), rug=RUG)
    assert ">no rows<" not in draw(curve(), rug=plain)
    effects = make_effects(rugs=(RUG,))
    assert "next to no rows from 1.00 to 2.00" in shapes.show_features(effects, ())[0].model_figure


def test_a_missing_value_has_a_place_of_its_own():
    assert ">missing<" in draw(curve(missing=-0.2), rug=RUG)
    assert ">missing<" not in draw(curve(), rug=RUG)
    levels = {"kind": "category", "x": (), "levels": ("a", "b", "c", "d")}
    assert ">missing<" in draw(curve(missing=-0.2, **levels))
    effects = make_effects(curves=(curve(missing=-0.2),))
    assert shapes.show_features(effects, ())[0].points[-1] == shapes.PointRow("missing", ("−0.200",))


def test_levels_with_next_to_no_rows_are_hatched():
    levels = {"kind": "category", "x": (), "levels": ("a", "b", "c", "d")}
    full = FeatureRug(feature="load", levels=("a", "b", "c", "d"), counts=(9, 9, 9, 9))
    few = full.model_copy(update={"counts": (9, 9, 9, 0)})
    assert draw(curve(**levels), rug=few).count('class="s-none') == 1
    assert draw(curve(**levels), rug=full).count('class="s-none') == 0


def test_what_lies_beyond_the_axis_needs_no_room():
    far = curve(x=(0.0, 1.0, 2.0, 50.0), y=(0.0, 0.1, 0.2, 9.0))
    assert effect_range([far])[1] > 9
    low, high = effect_range([far], (0.0, 2.0))
    assert high < 0.3
    assert low < 0


@given(st.integers(1, 30))
def test_no_feature_is_dropped(count):
    names = tuple(f"x{i}" for i in range(count))
    effects = make_effects(names)
    blocks = [block.name for block in shapes.show_features(effects, ())]
    figure, small = shapes.show_small(effects)
    assert (*blocks, *small) == names
    assert len(blocks) == min(count, shapes.DETAIL)
    assert (figure is None) == (count <= shapes.DETAIL)
    assert all(f">X{i}<" in figure for i in range(shapes.DETAIL, count))


def test_the_enlargement_of_each_axis_is_told():
    small = tuple(curve(feature="b", y=(-0.05, -0.01, 0.02, 0.04)) for _ in range(1))
    effects = make_effects(("a", "b"), curves=(curve(feature="a"), *small))
    first, second = shapes.show_features(effects, ())
    assert first.scale == ""
    assert second.scale == "height enlarged 10 times against A"


def parted(**changes):
    given_ = {
        "feature": "load",
        "model": "net_surrogate",
        "at": "load = 2",
        "gap": -0.3,
        "beyond": 0.1,
        "rows_share": 0.05,
        "words": "",
    }
    return Disagreement(**(given_ | changes))


def test_a_disagreement_is_told_with_gap_bands_and_people():
    effects = make_effects(disagreements=(parted(),))
    message = shapes.show_features(effects, ())[0].message
    assert message.startswith(
        "At 2 the additive net, fitted on the black box lies 0.300 below the black box's own effect"
    )
    assert "0.100 more than both bands explain" in message
    assert "5.0% of the rows, about 30 people" in message
    inside = make_effects(disagreements=(parted(beyond=0.0),))
    assert "agree within their bands" in shapes.show_features(inside, ())[0].message


def test_an_imposed_direction_is_printed_as_imposed():
    declared = make_evidence().subject.features[0].model_copy(update={"name": "load", "monotone": "increasing"})
    moved = Measurement(metric="effects.reversal", estimate=WITH, feature="load", model="black_box")
    effects = make_effects(measurements=(*make_effects().measurements, moved))
    remarks = " ".join(shapes.show_features(effects, (declared,))[0].remarks)
    assert "Imposed on the glass boxes: increasing. Their direction is evidence of nothing" in remarks
    assert "the black box moves by 0.310 of its range against it (95% 0.220" in remarks


VALUES = st.lists(st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=4, max_size=4), min_size=1, max_size=6)


@given(st.floats(-3, 3), st.floats(0.01, 3))
def test_the_scale_of_a_surface_is_even_about_nothing(value, reach):
    assert step_of(-value, reach) == -step_of(value, reach)
    assert abs(step_of(value, reach)) <= SIDE_STEPS
    assert step_of(0.0, reach) == 0


@given(VALUES)
def test_every_field_of_a_surface_is_painted_once(values):
    rows = tuple(map(tuple, values))
    panel = SurfacePanel("m", ("1", "2", "3", "4"), tuple(str(i) for i in range(len(rows))), rows, upward=True)
    figure = str(draw_surface("s", "t", "d", [panel], ("a", "b"), ("effect", "few")))
    wide = 0.0
    for colour in (*COLOURS, "band"):
        for way in re.findall(rf'<path d="([^"]*z)" fill="#\w+" class="f-{colour}"/>', figure):
            wide += sum(float(w) for w in re.findall(r"h([\d.]+)v", way))
    assert wide == pytest.approx(240.0 * len(rows), rel=0.01)
    hatched = figure.split("few<")[0].count('class="s-none')
    runs = sum(row[i] is None and (i == 0 or row[i - 1] is not None) for row in rows for i in range(4))
    assert hatched == runs


def test_one_corner_leaves_the_rest_its_colours():
    calm = tuple(tuple(0.1 for _ in range(10)) for _ in range(10))
    wild = (*calm[:9], (*calm[9][:9], 9.0))
    make = lambda values: SurfacePanel("m", ("1",) * 10, ("1",) * 10, values, upward=False)  # noqa: E731
    assert reach_of([make(calm)]) == (0.1, False)
    assert reach_of([make(wild)]) == (0.1, True)
    assert reach_of([make(((None,),))]) == (1.0, False)


def test_surfaces_stand_side_by_side_with_their_numbers_behind():
    across, down = (1.0, 2.0), ("low", "high")
    found = tuple(
        PairSurface(
            features=("load", "mode"),
            model=model,
            across=across,
            down=down,
            values=((0.25, None), (-0.125, 0.0)),
            importance=0.1,
        )
        for model in ("ebm_label", "ebm_surrogate", "net_surrogate", "black_box")
    )
    effects = make_effects(surfaces=found)
    (block,) = surfaces.show_surfaces(effects)
    assert [table.model for table in block.tables] == [
        "Black box",
        "Boosting machine, fitted on the black box",
        "Additive net, fitted on the black box",
    ]
    assert block.tables[0].rows == (("low", ("0.250", "")), ("high", ("−0.125", "0.000")))
    assert "+0.250 at load 1.00 with mode low" in block.message
    page = make_page(effects)
    assert 'id="pair-1"' in page
    assert "fewer than 5 rows" in page


@given(st.integers(-30_000, 30_000), st.lists(st.integers(-9_999, 9_999), min_size=1, max_size=24))
def test_the_printed_sum_adds_up_digit_by_digit(start, units):
    total = start + sum(units)
    steps = tuple(WorkedStep(feature=f"x{i}", value="1", contribution=u / 1000) for i, u in enumerate(units))
    given_ = WorkedSum(model="net_surrogate", start=start / 1000, steps=steps, total=total / 1000, score=0.5)
    shown = worked.show_worked(make_effects(worked=(given_,)))
    for lines in (shown.lines, shown.brief):
        read = [
            Decimal(text.replace("−", "-").replace(",", ""))
            for text in [shown.start, *(x.contribution for x in lines)]
        ]
        assert sum(read) == Decimal(shown.total.replace("−", "-").replace(",", "")) == Decimal(total) / 1000
        assert lines[-1].total == shown.total
    assert len(shown.brief) == min(len(units), worked.MOST)
    kept = [x.contribution for x in shown.brief[:-1]]
    assert kept == [x.contribution for x in shown.lines if x.feature in {b.feature for b in shown.brief[:-1]}]


def test_the_worked_page_says_that_the_person_is_made_up():
    steps = (WorkedStep(feature="load and mode", value="3 and low", contribution=0.3),)
    given_ = WorkedSum(model="net_surrogate", start=0.1, steps=steps, total=0.4, score=0.5987, black_box=0.61)
    text = check(make_page(make_effects(worked=(given_,))).encode()).text
    assert "A made-up person of typical values" in text
    assert "no row of the data is shown" in text
    assert "1 / (1 + exp(−0.4)) = 0.5987" in text
    assert "gives the same made-up person 0.6100" in text
    assert "It is 0.0113 higher" in text
    assert "Load and mode" in text


TOPICS = {
    "effects.proxy_strength": {"feature": "load", "attribute": "sex"},
    "effects.proxy_importance": {"attribute": "sex", "model": "black_box"},
    "effects.concurvity": {"feature": "load", "model": "net_surrogate"},
    "effects.redundancy": {"feature": "load"},
    "effects.reversal": {"feature": "load", "model": "black_box"},
    "effects.jump": {"feature": "load", "model": "black_box"},
    "effects.extrapolation_share": {},
    "effects.interaction_share": {"model": "black_box"},
    "effects.importance_share": {"feature": "load", "model": "black_box"},
    "effects.something_new": {"feature": "load"},
}


def topical(metrics=tuple(TOPICS), **changes):
    numbers = tuple(
        Measurement(
            metric=m, estimate=WITH.model_copy(update={"value": 0.1 + i / 100, "low": 0.05, "high": 0.9}), **TOPICS[m]
        )
        for i, m in enumerate(metrics)
    )
    return make_effects(measurements=(*make_effects().measurements, *numbers), **changes)


def test_every_number_about_effects_stands_in_a_table():
    effects = topical()
    found = topics.show_topics(effects, make_dossier().judgement, Lexicon(make_evidence()))
    shown = [c.value for t in found for _, g in t.grids for row in g.rows for c in row.cells if isinstance(c, Shown)]
    assert len(shown) == len(effects.measurements)
    assert len({t.anchor for t in found}) == len(found)
    page = make_page(effects)
    assert all(f'id="{t.anchor}"' in page for t in found)


def test_a_proxy_that_a_rule_holds_is_flagged_and_chance_is_not():
    told = Estimate(value=0.8, low=0.78, high=0.82, n=600, method="DeLong")
    number = Measurement(metric="effects.proxy_strength", estimate=told, feature="load", attribute="sex")
    effects = make_effects(measurements=(*make_effects().measurements, number))
    judgement = make_dossier().judgement
    verdict = Verdict(
        id="1", rule="p/r", scope="p/r[feature=load]", feature="load", status="warn", metric=number.metric, because="x"
    )
    finding = judgement.findings[0].model_copy(update={"verdicts": (verdict,)})
    held = judgement.model_copy(update={"findings": (finding,)})
    lexicon = Lexicon(make_evidence())
    flagged = topics.show_topics(effects, held, lexicon)[0]
    assert "Load tells sex best, AUC 0.800" in flagged.finding
    assert "judged by a rule: ! warning" in flagged.finding
    assert flagged.grids[0][1].rows[0].remark == "! warning"
    free = topics.show_topics(effects, judgement.model_copy(update={"findings": ()}), lexicon)[0]
    assert free.grids[0][1].rows[0].remark == ""
    weak = told.model_copy(update={"value": 0.51, "low": 0.49, "high": 0.53})
    none = make_effects(measurements=(*make_effects().measurements, number.model_copy(update={"estimate": weak})))
    assert "No feature alone tells" in topics.show_topics(none, held, lexicon)[0].finding


def test_without_effects_there_is_no_chapter_and_with_little_there_is_one():
    evidence = make_evidence()
    shown = show_beside(evidence, make_dossier().judgement, Lexicon(evidence))
    assert shown is not None
    assert len(shown.features) == 9
    bare = Effects(scale="log-odds", rows=0, curves=(), rugs=())
    checker = check(make_page(bare).encode())
    assert not checker.faults
    assert "No importance was measured." in checker.text


def test_definitions_of_topics_need_no_entry_of_their_own():
    evidence = make_evidence()
    extra = Definition(id="effects.jump", title="Largest jump", formula="x")
    evidence = evidence.model_copy(update={"definitions": (*evidence.definitions, extra), "effects": topical()})
    assert not check(render_html(make_dossier(evidence))).faults
