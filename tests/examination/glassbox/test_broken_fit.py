"""A glass box that breaks takes no other with it, and the report says INCOMPLETE."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.evidence import FeatureUsed
from audit.examination.glassbox import single as fitting
from audit.examination.glassbox.fit import fit_glassboxes


def test_report_is_incomplete_where_a_glass_box_broke(small_job, tmp_path, run_cli, monkeypatch):
    def broken(*_, **__):
        raise np.linalg.LinAlgError("on purpose")

    monkeypatch.setattr(fitting, "fit_outputs", broken)
    code, out, err = run_cli("run", small_job / "audit.yaml", "--out", tmp_path / "report")
    assert code == 3, err
    assert "net_label" in out and "on purpose" in out
    page = (tmp_path / "report" / "report.html").read_text()
    assert "INCOMPLETE" in page or "Incomplete" in page
    assert "on purpose" in page
    assert run_cli("verify", tmp_path / "report")[0] == 0


@pytest.mark.parametrize("shape", ["line", "flat", "steps"])
@pytest.mark.parametrize("seed", range(4))
def test_targets_without_noise_and_with_missing_values_are_fitted(shape, seed):
    rng = np.random.default_rng(seed)
    rows = 700
    frame = pd.DataFrame({"a": rng.gamma(4, 8, rows).round(2), "b": rng.gamma(2, 3, rows).round(2)})
    frame.loc[::17, "a"] = np.nan
    filled = frame["a"].fillna(30.0).to_numpy()
    link = {
        "line": 0.02 * filled - 0.01 * frame["b"].to_numpy(),
        "flat": np.full(rows, 0.3),
        "steps": np.where(filled > 30, 1.0, -1.0),
    }[shape]
    features = [FeatureUsed(name=name, kind="number") for name in ("a", "b")]
    fits = fit_glassboxes(frame, features, link=link, effort="fast", seed=seed, n_jobs=1)
    assert fits.broken == {}
    if shape == "line":
        # the last few rows lie beyond the outermost knots of their fold, where every shape is flat
        assert np.quantile(np.abs(fits.out_of_fold["net_surrogate"] - link), 0.97) < 0.05
