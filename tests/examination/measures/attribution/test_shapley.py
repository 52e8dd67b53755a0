"""Column Shapley values: closed forms, exact sums, honest standard errors, and a control that only takes out chance."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from attribution_material import frame_of, make_mixed_net, make_number_net, open_net
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.examination.glassbox.encoder import Encoder, NumberCode
from audit.examination.glassbox.shapes import PairTerm, TableBox, Term
from audit.examination.measures.attribution.control import center_control, explain_box
from audit.examination.measures.attribution.shapley import count_evaluations, deal_background, sample_shapley


def rng(seed=0):
    return np.random.default_rng(seed)


def exact_shapley(link, frame, background):
    """Shapley values by all orders of the columns and all background rows."""
    columns = list(frame.columns)
    values = np.zeros(frame.shape)
    orders = list(permutations(range(len(columns))))
    for order in orders:
        mixed = pd.concat([background.assign(row=i) for i in range(len(frame))], ignore_index=True)
        row = mixed.pop("row").to_numpy()
        before = link(mixed)
        for j in order:
            mixed[columns[j]] = frame[columns[j]].to_numpy()[row]
            after = link(mixed)
            values[:, j] += np.bincount(row, after - before) / len(background) / len(orders)
            before = after
    return values


def bent(frame):
    x = frame.to_numpy(dtype=float)
    return np.tanh(x[:, 0]) + x[:, 1] * x[:, 2] + np.maximum(x[:, 0] * x[:, 1] * x[:, 3], 0)


def test_linear_scores_have_their_closed_form():
    weights = np.array([2.0, -1.0, 0.0])
    frame, background = frame_of(30, numbers=3), frame_of(40, numbers=3, seed=1)
    found = sample_shapley(lambda f: f.to_numpy() @ weights, frame, background, permutations=80, rng=rng())
    np.testing.assert_allclose(found.values, (frame - background.mean()).to_numpy() * weights, atol=1e-12)


def test_a_product_of_two_is_shared_as_theory_says():
    frame, background = frame_of(20, numbers=2), frame_of(50, numbers=2, seed=1)
    found = sample_shapley(
        lambda f: (f["n0"] * f["n1"]).to_numpy(), frame, background, permutations=100, rng=rng()
    )  # every background row once
    (x, y), (a, b) = frame.to_numpy().T, background.to_numpy().T
    first = ((x[:, None] - a) * (b + y[:, None])).mean(axis=1) / 2
    np.testing.assert_allclose(found.values[:, 0], first, atol=1e-12)


def test_values_lie_within_their_errors_of_the_exact_ones():
    frame, background = frame_of(40, numbers=4), frame_of(12, numbers=4, seed=1)
    truth = exact_shapley(bent, frame, background)
    found = sample_shapley(bent, frame, background, permutations=40, rng=rng())
    z = (found.values - truth) / found.se
    assert np.mean(np.abs(z) < 2.2) > 0.93
    assert np.abs(z).max() < 8
    better = sample_shapley(bent, frame, background, permutations=1000, rng=rng())
    assert np.abs(better.values - truth).mean() < np.abs(found.values - truth).mean() / 3


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 12), st.integers(0, 99))
def test_sums_are_exact_whatever_the_sizes(players, others, orders, seed):
    frame, background = frame_of(3, numbers=players, seed=seed), frame_of(others, numbers=players, seed=seed + 1)
    found = sample_shapley(
        lambda f: np.cos(f.to_numpy().sum(axis=1)) + f["n0"].to_numpy() ** 2,
        frame,
        background,
        permutations=orders,
        rng=rng(seed),
    )
    assert found.completeness.max() < 1e-9
    assert np.isfinite(found.se).all()


def test_a_column_without_effect_gets_nothing_and_equal_columns_get_the_same():
    frame, background = frame_of(15, numbers=3), frame_of(30, numbers=3, seed=1)
    frame["n1"], background["n1"] = frame["n0"], background["n0"]
    found = sample_shapley(lambda f: (f["n0"] * f["n1"]).to_numpy(), frame, background, permutations=60, rng=rng())
    np.testing.assert_allclose(found.values[:, 2], 0, atol=1e-12)
    np.testing.assert_allclose(found.values[:, 0], found.values[:, 1], atol=1e-9)


def test_a_net_asked_on_tensors_says_the_same_as_on_tables():
    box = open_net(make_mixed_net(numbers=2, codes=2, seed=0), numbers=2, codes=2)
    frame, background = frame_of(12, numbers=2, codes=2), frame_of(9, numbers=2, codes=2, seed=1)
    fast = sample_shapley(box.link, frame, background, permutations=20, rng=rng())
    slow = sample_shapley(lambda f: box.link(f), frame, background, permutations=20, rng=rng())
    np.testing.assert_allclose(fast.values, slow.values, atol=1e-6)
    assert fast.evaluations == slow.evaluations == 12 * count_evaluations(4, 20) + 9


def test_evaluations_are_counted_as_they_are_made():
    asked = []

    def link(frame):
        asked.append(len(frame))
        return frame.to_numpy().sum(axis=1)

    found = sample_shapley(link, frame_of(5, numbers=3), frame_of(4, numbers=3, seed=1), permutations=10, rng=rng())
    assert sum(asked) == found.evaluations


def test_background_rows_are_used_evenly():
    picks = deal_background(6, 5, 13, rng())
    counts = np.array([np.bincount(row, minlength=5) for row in picks])
    assert picks.shape == (6, 13)
    assert set(counts.ravel()) <= {2, 3}


def make_box():
    """Two bent terms and a product of two, as tables."""
    knots = np.linspace(-4, 4, 9)
    codes = tuple(NumberCode(f"n{j}", knots) for j in range(3))
    terms = tuple(Term(f"n{j}", "linear", knots, (), np.tanh((j + 1) * knots)) for j in range(3))
    table = np.zeros((10, 10))
    table[1:, 1:] = np.outer(knots, knots)
    none = np.empty(0, dtype=np.int64)
    pair = PairTerm(("n0", "n2"), (0, 2), (knots, knots), (none, none), table, "linear")
    return TableBox("net_surrogate", "logit", Encoder(codes), 0.3, terms, (pair,))


def test_a_glass_box_has_exact_values():
    box, frame, background = make_box(), frame_of(6, numbers=3), frame_of(8, numbers=3, seed=1)
    values, base = explain_box(box, frame, background, ("n0", "n1", "n2"))
    np.testing.assert_allclose(values, exact_shapley(box.link, frame, background), atol=1e-12)
    np.testing.assert_allclose(base + values.sum(axis=1), box.link(frame), atol=1e-12)


def test_the_control_has_mean_zero_over_the_background():
    frame, background = frame_of(5, numbers=3), frame_of(11, numbers=3, seed=1)
    picks = np.tile(np.arange(11), (5, 1))
    control = center_control(make_box(), frame, background, ("n0", "n1", "n2"), picks)
    np.testing.assert_allclose(control.mean(axis=1), 0, atol=1e-12)
    assert np.abs(control).max() > 0.1


def test_a_good_control_takes_out_chance_and_a_useless_one_does_no_harm():
    box, frame, background = make_box(), frame_of(60, numbers=3), frame_of(200, numbers=3, seed=1)

    def link(people):
        return box.link(people) + 0.2 * np.sin(people.to_numpy().prod(axis=1))

    truth = sample_shapley(link, frame, background, permutations=2000, rng=rng(5), control=box).values
    plain, steadied = (
        sample_shapley(link, frame, background, permutations=24, rng=rng(1), control=control) for control in (None, box)
    )
    assert steadied.se.mean() < plain.se.mean() / 3
    assert np.abs(steadied.values - truth).mean() < np.abs(plain.values - truth).mean() / 2
    other = sample_shapley(bent_alone, frame, background, permutations=24, rng=rng(1), control=box)
    alone = sample_shapley(bent_alone, frame, background, permutations=24, rng=rng(1))
    assert other.se.mean() < 1.1 * alone.se.mean()
    assert other.completeness.max() < 1e-9


def bent_alone(people):
    return np.cos(3 * people["n1"].to_numpy() + people["n0"].to_numpy())


def test_same_seed_same_values():
    box = open_net(make_number_net(4, hidden=8, seed=0), numbers=4)
    frame, background = frame_of(10, numbers=4), frame_of(20, numbers=4, seed=1)
    one, two = (sample_shapley(box.link, frame, background, permutations=8, rng=rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.values, two.values)


def test_no_background_is_refused():
    with pytest.raises(ValueError, match="background"):
        sample_shapley(bent, frame_of(2, numbers=4), frame_of(0, numbers=4), permutations=4, rng=rng())
