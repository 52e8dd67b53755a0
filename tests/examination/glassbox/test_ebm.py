"""Tables taken out of interpret's machine predict what the machine predicts."""

from __future__ import annotations

import numpy as np

from audit.examination.glassbox.ebm import EbmOrder, fit_ebm
from audit.examination.glassbox.encoder import fit_encoder


def test_tables_predict_what_the_machine_predicts(standard_ebm):
    box, machine, _, encoded, _ = standard_ebm
    rows = encoded.copy()
    rows[::7, 1] = np.nan
    rows[1::7, 3] = -1
    rows[2::7, 3] = np.nan
    rows[3, 0], rows[4, 0] = 1e9, -1e9
    np.testing.assert_allclose(box.link_encoded(rows), machine.predict(rows), atol=1e-9, rtol=0)


def test_terms_without_pairs_are_the_machines_own(truth):
    import interpret.glassbox

    frame, _, label = truth
    encoder = fit_encoder(frame, {"age": "number", "job": "category"}, knots=16)
    encoded = encoder.encode(frame)
    box = fit_ebm(encoder, encoded, label, EbmOrder("ebm_label", "binary", "fast", 0))
    machine = interpret.glassbox.ExplainableBoostingClassifier(
        feature_names=["age", "job"],
        feature_types=["continuous", "nominal"],
        random_state=0,
        n_jobs=1,
        interactions=0,
        max_bins=256,
        max_interaction_bins=32,
        outer_bags=4,
        learning_rate=0.1,
        max_rounds=600,
        smoothing_rounds=50,
        interaction_smoothing_rounds=25,
        early_stopping_rounds=30,
        early_stopping_tolerance=1e-4,
    ).fit(encoded, label.astype(int))
    parts = machine.eval_terms(encoded)
    for j, term in enumerate(box.terms):
        np.testing.assert_allclose(term.look_up(encoded[:, j]), parts[:, j], atol=1e-9)


def test_pairs_are_pure_and_the_true_one_is_found(standard_ebm):
    box, _, encoder, encoded, _ = standard_ebm
    assert 1 <= len(box.pairs) <= 5
    strength = [np.abs(pair.look_up(encoded)).mean() for pair in box.pairs]
    assert set(box.pairs[int(np.argmax(strength))].features) == {"age", "owns"}
    strongest = box.pairs[int(np.argmax(strength))]
    parts = strongest.look_up(encoded)
    # pure: nothing of it is left along either feature alone
    for level in (0.0, 1.0):
        assert abs(parts[encoded[:, encoder.names.index("owns")] == level].mean()) < 0.02 * np.abs(parts).max()
    for j, term in enumerate(box.terms):
        assert abs(term.look_up(encoded[:, j]).mean()) < 0.01


def test_the_spread_of_bags_is_not_called_an_interval(fits, standard_ebm):
    for box in (fits.models["ebm_label"], standard_ebm[0]):
        assert not box.band_is_interval
        assert "not an interval" in box.band
        for term in box.terms:
            assert (term.low <= term.y + 1e-12).all()
            assert (term.y <= term.high + 1e-12).all()
    assert "8 bags" in standard_ebm[0].band


def test_an_imposed_direction_holds(truth):
    frame, link, _ = truth
    encoder = fit_encoder(frame, {"age": "number", "job": "category"}, knots=16)
    order = EbmOrder("ebm_surrogate", "regression", "fast", 0, {"age": "decreasing", "job": "increasing"})
    box = fit_ebm(encoder, encoder.encode(frame), link, order)
    assert (np.diff(box.terms[0].y) <= 1e-12).all()


def test_a_feature_with_an_imposed_direction_stays_out_of_pairs(standard_ebm):
    _, _, encoder, encoded, target = standard_ebm
    order = EbmOrder("ebm_surrogate", "regression", "standard", 0, {"age": "decreasing"}, bags=2)
    box = fit_ebm(encoder, encoded, target, order)
    assert box.pairs
    assert not any("age" in pair.features for pair in box.pairs)
    assert (np.diff(box.terms[0].y) <= 1e-12).all()


def test_one_feature_has_no_pairs(truth):
    frame, link, _ = truth
    encoder = fit_encoder(frame, {"age": "number"}, knots=16)
    box = fit_ebm(encoder, encoder.encode(frame), link, EbmOrder("e", "regression", "standard", 0, bags=2))
    assert box.pairs == ()
