"""Tests of explanations: known orders, known agreement, a model that is put back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from explain_material import COLUMNS, WEIGHTS, open_small, pick, write_linear
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.evidence import Explanations, NotDone
from audit.examination.blackbox.shuffle import find_weights, shuffle_weights
from audit.examination.data.split import draw_evenly
from audit.examination.measures.explanations.definitions import DEFINITIONS
from audit.examination.measures.explanations.faithfulness import areas_of
from audit.examination.measures.explanations.graft import Graft
from audit.examination.measures.explanations.measure import measure_explanations
from audit.examination.measures.explanations.numbers import mean_over_rows
from audit.examination.measures.explanations.panel import GRADIENTS, SHAPLEY, draw_panel
from audit.examination.measures.explanations.ranks import correlate_ranks, share_signs, share_top

DECLARED = "features: {income: {expected: increasing}, debts: {expected: increasing}}\n"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return open_small(write_linear(tmp_path_factory.mktemp("explained"), DECLARED))


@pytest.fixture(scope="module")
def section(case):
    found = measure_explanations(case)
    assert isinstance(found, Explanations)
    return found


def test_rank_correlation_is_scipys_also_with_ties():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 4, (40, 6)).astype(float), rng.integers(0, 4, (40, 6)).astype(float)
    wanted = [stats.spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]
    assert np.allclose(correlate_ranks(first, second), wanted, equal_nan=True)


def test_rows_without_an_order_have_no_correlation():
    assert np.isnan(correlate_ranks(np.ones((1, 4)), np.arange(4.0)[None])[0])
    estimate = mean_over_rows(np.array([np.nan, 0.5, 0.7]), without="are flat")
    assert estimate.n == 2
    assert "1 rows are flat" in estimate.note


def test_largest_features_and_signs_in_common():
    first, second = np.array([[5.0, -4.0, 3.0, 0.1]]), np.array([[5.0, 4.0, 0.1, 3.0]])
    assert share_top(first, second)[0] == pytest.approx(2 / 3)
    assert share_signs(first, second)[0] == pytest.approx(2 / 3)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.data())
def test_drawn_rows_keep_every_share_to_within_one(sizes, data):
    strata = np.repeat(np.arange(len(sizes)), sizes)
    size = data.draw(st.integers(1, len(strata)))
    drawn = draw_evenly(size, np.random.default_rng(0), strata)
    assert len(set(drawn.tolist())) == size
    counts = np.bincount(strata[drawn], minlength=len(sizes))
    assert np.abs(counts - np.array(sizes) * size / len(strata)).max() < 1 + 1e-9


def test_replaced_columns_have_their_closed_form(case):
    frame = case.frame[list(COLUMNS)]
    people, others = frame.iloc[:5].reset_index(drop=True), frame.iloc[50:70].reset_index(drop=True)
    graft = Graft(case.blackbox.link, people, others)
    replaced = np.zeros((5, 2, 3), dtype=bool)
    replaced[:, 1, 0] = True
    found = graft.score(replaced)
    own = case.blackbox.link(people)
    moved = own + WEIGHTS[0] * (others["income"].mean() - people["income"].to_numpy())
    assert np.allclose(found[:, 0], own, atol=1e-4)
    assert np.allclose(found[:, 1], moved, atol=1e-4)


def test_the_true_order_has_the_smallest_area_of_deletion(case):
    frame = case.frame[list(COLUMNS)].reset_index(drop=True)
    people, others = frame.iloc[:40], frame.iloc[100:116]
    graft = Graft(case.blackbox.link, people, others)
    link = case.blackbox.link(people)
    side = np.where(link >= graft.away, 1.0, -1.0)
    true = WEIGHTS * (people.to_numpy() - others.mean().to_numpy()) * side[:, None]
    best = areas_of(graft, true, side, 1.0)
    worst = areas_of(graft, -true, side, 1.0)
    for seed in range(5):
        other = areas_of(graft, np.random.default_rng(seed).random(true.shape), side, 1.0)
        assert (best[0] <= other[0] + 1e-4).all()
        assert (best[1] >= other[1] - 1e-4).all()
        assert (worst[0] >= other[0] - 1e-4).all()


def test_sums_add_up_and_beat_a_random_order(section):
    for method in (GRADIENTS, SHAPLEY):
        assert pick(section, "explanations.completeness_error", outcome=method).value < 1e-3
        assert pick(section, "explanations.incomplete_share", outcome=method).count == 0
        for metric in ("deletion_gain", "insertion_gain"):
            assert pick(section, f"explanations.{metric}", outcome=method).low > 0


def test_on_a_linear_score_methods_differ_by_their_reference_alone(section, case):
    panel = draw_panel(case)
    values = panel.methods
    shift = panel.background.mean().to_numpy() - panel.typical.iloc[0].to_numpy(dtype=float)
    # each row draws other background rows, so that rows scatter around the difference of the references
    gap = values[GRADIENTS] - values[SHAPLEY] - WEIGHTS * shift
    assert (np.abs(gap.mean(axis=0)) < 4.5 * gap.std(axis=0) / np.sqrt(len(gap)) + 1e-3).all()
    slope = np.polyfit(panel.people["income"], values[SHAPLEY][:, 0], 1)[0]
    assert slope == pytest.approx(WEIGHTS[0], rel=0.1)


def test_sensitivity_of_a_linear_score_is_bounded_by_its_slopes(section, case):
    """A linear score has attributions that move by weight times noise."""
    panel = draw_panel(case)
    spread = case.frame[list(COLUMNS)].std().to_numpy()
    most = (np.abs(WEIGHTS) * spread).max() / panel.deviation
    found = pick(section, "explanations.sensitivity", outcome=GRADIENTS).value
    assert 0 < found < 4 * most


def test_expected_directions_are_held_against_signs(section):
    right = pick(section, "explanations.expected_share", feature="income", outcome=GRADIENTS)
    wrong = pick(section, "explanations.expected_share", feature="debts", outcome=GRADIENTS)
    assert right.value == 1
    assert wrong.value == 0


def test_shuffled_weights_are_put_back_whatever_happens(case):
    frame = case.frame[list(COLUMNS)]
    before = case.blackbox.link(frame)
    weights = find_weights(case.blackbox)
    with pytest.raises(RuntimeError), shuffle_weights(weights, np.random.default_rng(0)):
        assert not np.allclose(case.blackbox.link(frame), before)
        raise RuntimeError
    assert np.array_equal(case.blackbox.link(frame), before)


def test_randomisation_stands_beside_its_floor(section):
    parts = {
        name: pick(section, f"explanations.randomisation_{name}", outcome=GRADIENTS)
        for name in ("correlation", "floor", "excess")
    }
    gap = parts["correlation"].value - parts["floor"].value
    assert parts["excess"].value == pytest.approx(gap, abs=1e-9)


def test_the_same_seed_gives_the_same_numbers(section, case):
    again = measure_explanations(case)
    assert again.measurements == section.measurements


def test_every_number_is_defined(section):
    assert {m.metric for m in section.measurements} <= {d.id for d in DEFINITIONS}
    assert section.broken_parts == ()


def test_a_constant_score_cannot_be_explained(tmp_path):
    found = measure_explanations(open_small(write_linear(tmp_path, weights=np.zeros(3))))
    assert isinstance(found, NotDone)
    assert not found.broke
    assert "same score" in found.not_done
