"""The four real models through every form they are stored in: the scores are the stored predictions."""

from __future__ import annotations

import numpy as np
import pytest
from real_models import MODELS, shared_data, write_real_config

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(shared_data() is None, reason="the real data sets are not beside this checkout"),
]


@pytest.mark.parametrize("form", ["pt2", "torchscript", "state_dict", "safetensors"])
@pytest.mark.parametrize("name", MODELS)
def test_scores_equal_stored_predictions(name, form, tmp_path):
    import pandas as pd

    from audit.config.load import load_config
    from audit.examination.blackbox.intake import take_in
    from audit.examination.blackbox.score import score_rows
    from audit.examination.data.read import read_dataset

    config = load_config(write_real_config(name, tmp_path, form=form))
    dataset = read_dataset(config)
    blackbox, intake = take_in(config, dataset)
    scores = score_rows(blackbox, dataset, config)
    stored = pd.read_parquet(shared_data() / "models" / MODELS[name]["folder"] / "predictions.parquet").sort_values(
        "row"
    )
    assert len(stored) == dataset.rows
    assert np.abs(scores.score - stored["score"].to_numpy()).max() < 1e-6
    assert not [check for check in intake.checks if check.status == "fail"], intake.checks


@pytest.mark.parametrize("name", ["compas", "german"])
def test_real_model_is_audited_to_the_end(name, tmp_path, run_cli):
    config = write_real_config(name, tmp_path, effort="fast")
    code, _, err = run_cli("run", config, "--out", tmp_path / "report")
    assert code in (0, 1, 5), err
    assert run_cli("verify", tmp_path / "report")[0] == 0
