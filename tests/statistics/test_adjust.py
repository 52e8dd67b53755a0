"""Adjustments against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from audit.statistics import benjamini_hochberg, holm

FAMILIES = [[0.01], [0.04, 0.01, 0.03, 0.005], [0.5, 0.5, 0.5], [1.0, 0.0], list(np.linspace(0.001, 0.2, 17)[::-1])]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("ours", "theirs"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_equal_to_statsmodels(family, ours, theirs):
    np.testing.assert_allclose(ours(family), multipletests(family, method=theirs)[1], atol=1e-15)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_unknown_p_is_no_member(adjust):
    adjusted = adjust([0.01, float("nan"), 0.03])
    assert np.isnan(adjusted[1])
    np.testing.assert_allclose(adjusted[[0, 2]], adjust([0.01, 0.03]))
    assert adjust([]).shape == (0,)
