"""The parts of a comparison, each on material made by hand."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from audit.attestation.change.differences import compare_verdicts
from audit.attestation.change.kept import KeptPeople, pair_people, read_kept
from audit.attestation.change.loss import turn_loss
from audit.attestation.change.moves import Compared, _parse, read_families
from audit.attestation.change.shapes import CurvePair, compare_shapes, read_curve
from audit.errors import DataError
from audit.evidence import Curve, Estimate, Measurement, Verdict


def number(value, low=None, high=None, **more):
    return Measurement(metric="m.x", estimate=Estimate(value=value, low=low, high=high, **more))


def differ(value, low, high):
    return Estimate(value=value, low=low, high=high, method="given")


@pytest.mark.parametrize(
    ("better", "before", "after", "expected"),
    [
        ("higher", 0.8, 0.7, (0.1, 0.05, 0.15)),
        ("lower", 0.8, 0.7, (-0.1, -0.15, -0.05)),
        ("nearer_one", 0.8, 0.7, (0.1, 0.05, 0.15)),
        ("nearer_zero", 0.8, 0.7, (-0.1, -0.15, -0.05)),
        ("none", 0.8, 0.7, (None, None, None)),
    ],
)
def test_above_zero_is_worse(better, before, after, expected):
    sides = number(before, before - 0.01, before + 0.01), number(after, after - 0.01, after + 0.01)
    loss = turn_loss(*sides, differ(after - before, -0.15, -0.05), better)
    assert (loss.value, loss.low, loss.high) == pytest.approx(expected)


def test_a_number_that_crosses_its_target_is_judged_by_its_distance():
    loss = turn_loss(number(1.04, 1.0, 1.08), number(0.93, 0.89, 0.97), differ(-0.11, -0.17, -0.05), "nearer_one")
    assert loss.value == pytest.approx(0.03) and loss.low < 0.03 < loss.high and "MOVER" in loss.method


def test_a_family_is_adjusted_together_and_apart_from_others():
    def compared(group, p):
        m = Measurement(metric="m.x", estimate=Estimate(value=1.0), group=group)
        return Compared(m, m, differ(0.1, 0.01, 0.19), differ(0.1, 0.01, 0.19), paired=True, p=p)

    moves = read_families([compared({"g": "a"}, 0.04), compared({"g": "b"}, 0.5), compared({"h": "c"}, 0.04)])
    assert [move.p_adjusted for move in moves] == pytest.approx([0.08, 0.5, 0.04])
    assert [move.reading for move in moves] == ["noise", "noise", "worse"]
    assert moves[0].family == 2 and moves[0].low_simultaneous < 0.01
    assert moves[2].low_simultaneous == pytest.approx(0.01)


def test_a_reference_is_read_whatever_its_values_hold():
    group = {"region": "x", "sex": "F"}
    assert _parse("sex=M, region=a, b=c", group) == {"sex": "M", "region": "a, b=c"}
    assert _parse("everyone else", group) is None and _parse(None, group) is None


def people(ids, label=None, group=None, **more):
    n = len(ids)
    nothing = np.full(n, np.nan)
    given = KeptPeople(
        np.array(list(ids), dtype=str),
        np.zeros(n) if label is None else np.array(label, float),
        np.linspace(0, 1, n),
        np.zeros(n),
        nothing,
        {"g": np.array(group or ["a"] * n)},
        {},
        "id",
        "sha256:0",
        "",
    )
    return dataclasses.replace(given, **more)


def test_people_are_found_again_in_any_order():
    paired = pair_people(people("abc"), people("cxa"), same_data=False)
    assert paired.before.ids.tolist() == paired.after.ids.tolist() == ["c", "a"]
    assert (paired.only_before, paired.only_after, paired.whole) == (1, 1, False)


def test_who_has_another_label_or_group_is_no_pair():
    paired = pair_people(people("abc", [0, 1, np.nan]), people("abc", [0, 0, np.nan]), same_data=True)
    assert paired.before.ids.tolist() == ["a", "c"] and paired.redescribed == 1
    moved = pair_people(people("ab"), people("ab", group=["a", "b"]), same_data=True)
    assert moved.before.ids.tolist() == ["a"]


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (people("ab"), people("cd"), "nobody stands on both sides"),
        (people("aa"), people("ab"), "repeat"),
        (people("ab", by="place"), people("ab", by="place"), "files differ"),
        (people("ab", [0, 0]), people("ab", [1, 1]), "another label or group"),
    ],
)
def test_where_nobody_can_be_paired_the_reason_is_told(before, after, why):
    assert why in pair_people(before, after, same_data=False)


@pytest.mark.parametrize("data", [b"", b"PAR1 no parquet at all"])
def test_what_is_no_file_of_scores_is_refused(data):
    with pytest.raises(DataError):
        read_kept(data)


def curve(y, low=(), high=()):
    return Curve(
        feature="f",
        model="black_box",
        kind="numeric",
        method="ALE",
        x=(0.0, 1.0, 2.0),
        y=y,
        low=low,
        high=high,
        band_is_interval=bool(low),
        rows=10,
    )


def test_a_shape_moves_by_a_share_of_its_range():
    before, after = curve((0.0, 1.0, 2.0)), curve((0.0, 0.0, 0.0))
    weight = np.full(3, 1 / 3)
    pair = CurvePair(before, after, (0.0, 1.0, 2.0), weight, np.array([-1.0, 0, 1]), np.zeros(3))
    (moved,) = compare_shapes({("f", "black_box"): pair})
    assert moved.distance.value == pytest.approx(2 / 3 / 2) and moved.beyond_bands is None
    assert (abs(moved.largest), moved.at) == (1.0, "0")


def test_a_curve_is_read_between_its_points_and_where_nothing_is_known():
    line = curve((0.0, 1.0, 4.0)).model_copy(update={"missing": -3.0})
    assert read_curve(line, np.array([0.5, 1.5, 9.0, np.nan])).tolist() == [0.5, 2.5, 4.0, -3.0]


def test_a_verdict_moves_with_the_number_of_its_own_attribute():
    """Numbers of two attributes, and of both together, differ in nothing but the attribute."""

    def move(attribute, p):
        m = Measurement(metric="m.x", estimate=Estimate(value=1.0), attribute=attribute)
        return Compared(m, m, differ(0.1, 0.01, 0.19), differ(0.1, 0.01, 0.19), paired=True, p=p)

    moves = read_families([move("sex", 0.5), move("region", 0.001), move("sex * region", 0.6)])
    judged = [
        SimpleNamespace(
            findings=[
                SimpleNamespace(
                    rule="p/r",
                    title="t",
                    severity="high",
                    verdicts=[
                        Verdict(id="i", rule="p/r", scope=f"p/r[{name}]", status=status, metric="m.x", because="b")
                        for name in ("sex", "region", "sex * region")
                    ],
                )
            ]
        )
        for status in ("pass", "fail")
    ]
    told = {one.scope: one.beyond_noise for one in compare_verdicts(*judged, moves)}
    assert told == {"p/r[sex]": False, "p/r[region]": True, "p/r[sex * region]": False}
