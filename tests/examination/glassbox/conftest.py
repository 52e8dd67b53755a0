"""Glass boxes fitted once for all tests of the room."""

from __future__ import annotations

import pytest
from glass_material import make_features, make_truth, true_link


@pytest.fixture(scope="session")
def truth():
    """Rows with missing incomes, true log-odds, labels."""
    import numpy as np

    frame, _, label = make_truth(1500, seed=3)
    frame.loc[::23, "income"] = np.nan
    known = frame.assign(income=frame["income"].fillna(20.0))
    return frame, true_link(known) - 0.6 * frame["income"].isna().to_numpy(), label


@pytest.fixture(scope="session")
def fits(truth):
    """All four glass boxes, fast effort."""
    from audit.examination.glassbox.fit import fit_glassboxes

    frame, link, label = truth
    return fit_glassboxes(frame, make_features(), label=label, link=link, effort="fast", n_jobs=1)


@pytest.fixture(scope="session")
def standard_ebm(truth):
    """A surrogate with pairs of a black box that has one, and the machine it was taken from."""
    import interpret.glassbox
    import numpy as np

    from audit.examination.glassbox import ebm
    from audit.examination.glassbox.encoder import fit_encoder

    frame, link, _ = truth
    encoder = fit_encoder(frame, {f.name: f.kind for f in make_features()}, knots=32)
    encoded = encoder.encode(frame)
    target = link + np.where(frame["owns"].to_numpy() == True, 0.05, -0.05) * (frame["age"].to_numpy() - 48)  # noqa: E712
    kept = []

    class Kept(interpret.glassbox.ExplainableBoostingRegressor):
        def fit(self, *arguments, **named):
            kept.append(self)
            return super().fit(*arguments, **named)

    original = interpret.glassbox.ExplainableBoostingRegressor
    interpret.glassbox.ExplainableBoostingRegressor = Kept
    try:
        box = ebm.fit_ebm(encoder, encoded, target, ebm.EbmOrder("ebm_surrogate", "regression", "standard", 0))
    finally:
        interpret.glassbox.ExplainableBoostingRegressor = original
    return box, kept[0], encoder, encoded, target
