"""Other libraries on the same rows: MAPIE's conformal sets, PyALE's curves. They are installed for tests alone."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from glass_material import Formula

from audit.evidence import FeatureUsed
from audit.examination.measures.conformal import conformal_threshold
from audit.examination.measures.effects.ale import Sample, measure_own_effect
from audit.examination.measures.effects.axis import lay_axis


@pytest.mark.parametrize("promised", [0.8, 0.9])
def test_conformal_sets_are_those_of_mapie(promised):
    pytest.importorskip("mapie")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 3))
    y = (x.sum(axis=1) + rng.logistic(size=900) > 0).astype(int)
    model = LogisticRegression().fit(x[:300], y[:300])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mapie.classification import SplitConformalClassifier

        theirs = SplitConformalClassifier(model, confidence_level=promised, prefit=True, conformity_score="lac")
        theirs.conformalize(x[300:600], y[300:600])
        _, sets = theirs.predict_set(x[600:])
    chance = model.predict_proba(x)
    limit = conformal_threshold(1 - chance[np.arange(300, 600), y[300:600]], promised)
    np.testing.assert_array_equal(1 - chance[600:] <= limit + 1e-12, sets[:, :, 0])


def test_the_curve_is_that_of_pyale():
    """Each library cuts the numbers at places of its own; the curve of a smooth score is the same."""
    pytest.importorskip("PyALE")
    rng = np.random.default_rng(1)
    first = rng.normal(size=4_000)
    frame = pd.DataFrame({"a": first, "b": 0.8 * first + 0.6 * rng.normal(size=4_000)})
    box = Formula(lambda f: np.sin(f["a"]) + 0.5 * f["a"] * f["b"], ("a", "b"))
    axis = lay_axis(frame["a"], FeatureUsed(name="a", kind="number"), np.full(4_000, 1 / 4_000))
    own = measure_own_effect(box.link, axis, Sample(frame, np.arange(4_000), lambda name: frame.iloc[:0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from PyALE import ale

        class Model:
            def predict(self, rows):
                return box.link(rows)

        theirs = ale(X=frame, model=Model(), feature=["a"], grid_size=50, plot=False, include_CI=False)
    low, high = np.quantile(frame["a"], [0.02, 0.98])
    places = axis.grid[(axis.grid > low) & (axis.grid < high)]
    curve = np.interp(places, theirs.index.to_numpy(dtype=float), theirs["eff"].to_numpy())
    mine = own.y[(axis.grid > low) & (axis.grid < high)]
    gap = (mine - mine.mean()) - (curve - curve.mean())
    assert np.abs(gap).max() < 0.03 * (mine.max() - mine.min())
    assert np.corrcoef(mine, curve)[0, 1] > 0.999
