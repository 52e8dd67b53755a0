"""Groups compared with a reference."""

import dataclasses

import pytest
from statsmodels.stats.multitest import multipletests

from audit.evidence import Estimate, Parity
from audit.statistics import (
    Figure,
    ParityTest,
    compare_proportions,
    compare_to_best,
    newcombe_difference,
    pair_level,
    score_ratio,
)

NAMES = ["A", "B", "C"]
COUNTS = [(327, 965), (199, 994), (150, 500)]


def test_fields_are_those_of_the_evidence():
    distances_alone = {"chance"}  # no comparison of rates has it
    assert {field.name for field in dataclasses.fields(Figure)} == set(Estimate.model_fields) - distances_alone
    assert {field.name for field in dataclasses.fields(ParityTest)} == set(Parity.model_fields)
    for comparison in compare_to_best(COUNTS, NAMES):
        assert Estimate(**comparison.ratio.fields()).value == comparison.ratio.value
        assert comparison.parity is None or Parity(**comparison.parity.fields()).p == comparison.parity.p


def test_best_pays_for_all_pairs():
    a, b, c = compare_to_best(COUNTS, NAMES)
    assert a.is_reference
    assert (a.ratio.value, a.difference.value, a.parity) == (1.0, 0.0, None)
    assert b.reference == c.reference == "A"
    each = pair_level(0.95, 3)
    assert (b.ratio.low, b.ratio.high) == pytest.approx(score_ratio(199, 994, 327, 965, each))
    assert (b.difference.low, b.difference.high) == pytest.approx(newcombe_difference(327, 965, 199, 994, each))
    p = [compare_proportions(*COUNTS[i], *COUNTS[j]).p for i, j in ((0, 1), (0, 2), (1, 2))]
    adjusted = multipletests(p, method="holm")[1]
    assert b.parity.p_adjusted == pytest.approx(adjusted[0])
    assert c.parity.p_adjusted == pytest.approx(adjusted[1])
    assert b.parity.pairs == 3
    assert b.parity.statistic < 0  # its rate is the smaller
    assert b.difference.value == pytest.approx(327 / 965 - 199 / 994)
    assert (b.group_counts, b.reference_counts) == ((199, 994), (327, 965))


def test_named_and_largest_reference_pay_for_their_own_comparisons():
    for reference in ("B", "largest"):
        a, b, c = compare_to_best(COUNTS, NAMES, reference=reference)
        assert b.is_reference
        assert a.parity.pairs == c.parity.pairs == 2
        assert (a.ratio.low, a.ratio.high) == pytest.approx(score_ratio(327, 965, 199, 994, pair_level(0.95, 2)))
        assert a.ratio.value > 1
        assert a.difference.value < 0


def test_rest_is_everybody_else():
    a, _, c = compare_to_best(COUNTS, NAMES, reference="rest")
    assert a.reference == "rest"
    assert a.reference_counts == (199 + 150, 994 + 500)
    assert (c.ratio.low, c.ratio.high) == pytest.approx(score_ratio(150, 500, 526, 1959, pair_level(0.95, 3)))
    assert not a.is_reference


def test_overall_follows_from_rest():
    rest = compare_to_best(COUNTS, NAMES, reference="rest")
    overall = compare_to_best(COUNTS, NAMES, reference="overall")
    total = (676, 2459)
    for (k, n), one, all_ in zip(COUNTS, rest, overall, strict=True):
        assert all_.ratio.value == pytest.approx((k / n) / (total[0] / total[1]))
        assert all_.difference.value == pytest.approx(total[0] / total[1] - k / n)
        assert all_.reference_counts == total
        # the same statement about parity on both scales
        assert (all_.ratio.low > 1) == (one.ratio.low > 1)
        assert (all_.ratio.high < 1) == (one.ratio.high < 1)
        assert all_.ratio.low < all_.ratio.value < all_.ratio.high
        assert all_.parity.p == one.parity.p


def test_overall_where_only_one_group_is_selected():
    (a, b) = compare_to_best([(30, 100), (0, 100)], ["A", "B"], reference="overall")
    assert a.ratio.value == pytest.approx(2.0)
    assert a.ratio.high is None or a.ratio.high <= 2.0
    assert b.ratio.value == 0.0


def test_a_best_group_of_few_people_hides_no_unequal_pair():
    counts = [(2000, 5000), (480, 2000), (20, 30)]
    a, b, tiny = compare_to_best(counts, NAMES)
    assert tiny.is_reference
    assert tiny.behind == ()
    assert {other.name for other in b.behind} == {"A", "C"}
    found = b.find_unequal(0.8)
    assert found.name == "A"
    assert found.counts == (2000, 5000)
    assert found.parity.p_adjusted < 1e-10
    assert a.find_unequal(0.8).name == "C"
    assert b.find_unequal(0.5) is None or b.find_unequal(0.5).name == "C"
    assert compare_to_best([(30, 100), (31, 100)], ["A", "B"])[0].find_unequal(0.8) is None


def test_small_groups_are_shown_not_judged_and_no_part_of_the_family():
    counts = [*COUNTS, (5, 5)]
    four = compare_to_best(counts, [*NAMES, "D"], assessable=[True, True, True, False])
    assert [item.reference for item in four] == ["A", "A", "A", "A"]
    assert four[1].parity == compare_to_best(COUNTS, NAMES)[1].parity
    tiny = four[3]
    assert tiny.ratio.value == pytest.approx(1 / (327 / 965))
    assert not tiny.ratio.assessable
    assert tiny.ratio.note
    assert tiny.parity is None
    assert not tiny.is_reference


def test_candidates_may_be_fewer_than_the_judged():
    a, b, _ = compare_to_best(COUNTS, NAMES, candidates=[False, True, True])
    assert b.reference == "C"
    assert a.ratio.value > 1
    assert a.parity.pairs == 3
    nobody = compare_to_best(COUNTS, NAMES, candidates=[False] * 3)
    assert nobody[0].is_reference


def test_lowest_is_best_for_errors():
    a, b, c = compare_to_best(COUNTS, NAMES, best="lowest")
    assert b.is_reference
    assert a.difference.value == pytest.approx(327 / 965 - 199 / 994)
    assert a.ratio.value == pytest.approx((327 / 965) / (199 / 994))
    assert a.difference.low < a.difference.value < a.difference.high
    assert c.reference == "B"


def test_undefined_has_a_reason_and_is_never_zero():
    a, b, empty = compare_to_best([(0, 50), (0, 60), (0, 0)], NAMES)
    assert b.is_reference  # the larger of two equal ones
    assert a.ratio.value is None
    assert "undefined" in a.ratio.note
    assert b.ratio.value is None  # nothing over nothing is not 1
    assert b.difference.value == 0.0
    assert not a.ratio.assessable
    assert a.difference.value == 0.0
    assert empty.ratio.value is None
    assert empty.difference.value is None
    assert empty.ratio.note
    assert all(item.ratio.value is None for item in compare_to_best([(0, 0), (0, 0)], ["A", "B"]))


def test_a_single_group_has_nothing_to_be_compared_with():
    (only,) = compare_to_best([(5, 50)], ["A"])
    assert only.is_reference
    assert not only.ratio.assessable
    assert "no other group" in only.ratio.note
    (only,) = compare_to_best([(5, 50)], ["A"], reference="rest")
    assert only.ratio.value is None


def test_four_fifths_in_whole_people():
    a, b = compare_to_best([(28, 50), (35, 50)], ["A", "B"])
    assert a.ratio.value == pytest.approx(0.8)
    assert a.reaches()
    assert a.reaches(0.8)
    assert not a.reaches(0.81)
    assert b.reaches(1.0)
    assert compare_to_best([(0, 5), (0, 6)], ["A", "B"])[0].reaches() is None


@pytest.mark.parametrize(
    ("counts", "names", "reference"),
    [
        ([(1, 2)], ["A", "B"], "best"),
        ([(1, 2), (1, 2)], ["A", "A"], "best"),
        ([(3, 2), (1, 2)], ["A", "B"], "best"),
        ([(1, 2), (1, 2)], ["A", "B"], "C"),
    ],
)
def test_what_is_no_table_is_refused(counts, names, reference):
    with pytest.raises(ValueError):
        compare_to_best(counts, names, reference=reference)


def test_local_law_144_example():
    """Whole counts that give the rates printed in 6 RCNY 5-301, and the printed ratios."""
    male, female = compare_to_best([(50, 92), (34, 76)], ["Male", "Female"])
    assert f"{50 / 92:.1%} {34 / 76:.1%}" == "54.3% 44.7%"
    assert (round(male.ratio.value, 2), round(female.ratio.value, 2)) == (1.0, 0.82)
    counts = {"Hispanic": (18, 28), "White": (15, 40), "Black": (16, 32), "NHPI": (5, 8), "Asian": (10, 24)}
    ratios = [round(item.ratio.value, 2) for item in compare_to_best(list(counts.values()), list(counts))]
    assert ratios == [1.0, 0.58, 0.78, 0.97, 0.65]
