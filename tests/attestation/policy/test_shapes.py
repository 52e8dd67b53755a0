import pytest

from audit.evidence import Curve, Effects, FeatureUsed

RULE = (
    "rules: [{id: r, title: A rule under test, severity: medium, shape_of: %s, of_model: %s, must_be: %s, "
    "tolerance: 5%%, threshold_basis: organisation, min_samples: {total: 100}}]"
)


def curve(y, *, model="net_surrogate", low=None, high=None, interval=True, rows=500, feature="income", kind="numeric"):
    x = tuple(float(i) for i in range(len(y)))
    return Curve(
        feature=feature,
        model=model,
        kind=kind,
        method="test",
        x=x if kind == "numeric" else (),
        levels=tuple(map(str, x)) if kind == "category" else (),
        y=tuple(y),
        low=tuple(low or ()),
        high=tuple(high or ()),
        band="a spread of 8 bags",
        band_is_interval=interval,
        rows=rows,
    )


@pytest.fixture
def shape(stage, judge_text):
    def run(*curves, must_be="increasing", model="net_surrogate", of="income", **declared):
        feature = FeatureUsed(name="income", kind="number", **declared)
        evidence = stage(effects=Effects(scale="log-odds", rows=500, curves=curves, rugs=()), features=["income"])
        subject = evidence.subject.model_copy(update={"features": (feature,)})
        judgement = judge_text(RULE % (of, model, must_be), evidence.model_copy(update={"subject": subject}))
        return {v.model or "": v for v in judgement.findings[0].verdicts}

    return run


def band(y, width):
    return {"low": [v - width for v in y], "high": [v + width for v in y]}


@pytest.mark.parametrize(
    ("y", "must_be", "status"),
    [
        ([0, 1, 2, 3], "increasing", "pass"),
        ([0, 1, 0.9, 3], "increasing", "pass"),  # 3 % of the range, within the tolerance
        ([0, 1, 0.2, 3], "increasing", "fail"),
        ([3, 2, 1, 0], "increasing", "fail"),
        ([3, 2, 1, 0], "decreasing", "pass"),
        ([0, 1, 0.2, 3], "decreasing", "fail"),
        ([3, 2, 1, 0], "monotone", "pass"),
        ([0, 3, 0], "monotone", "fail"),
        ([1, 1, 1], "increasing", "pass"),
        ([1, 1, 1], "flat", "pass"),
        ([0, 3], "flat", "fail"),
        ([0, 1, 2, 3], "smooth", "fail"),
    ],
)
def test_shapes(shape, y, must_be, status):
    assert shape(curve(y, **band(y, 0.01)), must_be=must_be)["net_surrogate"].status == status


def test_it_fails_only_where_the_bands_lie_apart(shape):
    y = [0, 1, 0.2, 3]
    assert shape(curve(y, **band(y, 0.5)))["net_surrogate"].status == "inconclusive"
    assert shape(curve(y))["net_surrogate"].status == "inconclusive"
    failed = shape(curve(y, **band(y, 0.3)))["net_surrogate"]
    assert failed.status == "fail"
    assert "from 1 to 2" in failed.because
    assert failed.observed.value == pytest.approx(0.8 / 3)


def test_a_spread_is_no_interval_and_warns_at_most(shape):
    y = [3, 2, 1, 0]
    found = shape(curve(y, model="ebm_surrogate", interval=False, **band(y, 0.01)), model="ebm_surrogate")
    assert found["ebm_surrogate"].status == "warn"


def test_an_imposed_direction_is_no_evidence(shape):
    y = [0, 1, 2]
    alone = shape(curve(y, **band(y, 0.1)), monotone="increasing")
    assert alone["net_surrogate"].status == "inconclusive"
    black = curve(y, model="black_box", **band(y, 0.1))
    both = shape(curve(y, **band(y, 0.1)), black, monotone="increasing", model="[black_box, net_surrogate]")
    assert {k: v.status for k, v in both.items()} == {"black_box": "pass", "net_surrogate": "not_applicable"}


def test_directions_come_from_what_is_expected(shape):
    y = [0, 1, 2]
    assert (
        shape(curve(y, **band(y, 0.1)), of="role:increasing", expected="increasing")["net_surrogate"].status == "pass"
    )
    assert shape(curve(y, **band(y, 0.1)), of="role:increasing")[""].status == "not_applicable"


def test_what_cannot_be_judged(shape, stage, judge_text):
    y = [0, 1, 2]
    assert shape(curve(y, rows=50, **band(y, 0.1)))["net_surrogate"].status == "inconclusive"
    assert shape(curve(y, kind="category", **band(y, 0.1)))["net_surrogate"].status == "inconclusive"
    assert shape()["net_surrogate"].status == "inconclusive"
    nothing = judge_text(RULE % ("role:increasing", "net_surrogate", "increasing"), stage())
    assert nothing.findings[0].status == "inconclusive"
