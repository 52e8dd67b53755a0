"""Fairness numbers of real people with the stored scores of real models, computed again by other people's code.

Census incomes with their survey weights, and German credits. The rows are read from the files as they lie there, and
fairlearn, scikit-learn, statsmodels and SciPy compute what the audit printed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from real_models import shared_data

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(shared_data() is None, reason="the real data sets are not beside this checkout"),
]

JOBS = {
    "adult": ("adult_mlp", ("sex", "race"), "fnlwgt"),
    "german_credit": ("german_softmax", ("sex", "age_25"), None),
}
"""Table to model, attributes and weights."""
EXACT = 1e-12
FEW = 30


@dataclass(repr=False)
class Audited:
    """What was measured, and the rows."""

    numbers: dict[Any, Any]
    rows: pd.DataFrame
    attributes: tuple[str, ...]

    def pick(self, metric, *, attribute=None, **group):
        return self.numbers[f"fairness.{metric}", tuple(sorted(group.items())), attribute]

    def groups(self):
        for name in self.attributes:
            for value, part in self.rows.groupby(name):
                yield name, value, part

    def judged(self, name):
        sizes = self.rows.groupby(name)["y"].transform("size")
        return self.rows[sizes >= FEW]


@pytest.fixture(scope="module", params=JOBS)
def audited(request, tmp_path_factory):
    import audit

    model, attributes, weight = JOBS[request.param]
    folder, data = tmp_path_factory.mktemp(request.param), shared_data()
    table = pd.read_parquet(data / "data" / f"{request.param}.parquet").reset_index(drop=True)
    stored = pd.read_parquet(data / "models" / model / "predictions.parquet").sort_values("row").reset_index(drop=True)
    table = table.loc[stored["row"]].reset_index(drop=True)
    rows = pd.DataFrame({name: table[name].astype(str) for name in attributes})
    rows["y"], rows["s"] = stored["y"].astype(int), stored["score"].astype(float)
    rows["w"] = 1.0 if weight is None else table[weight].astype(float)
    rows = rows.sample(min(len(rows), 12_000), random_state=1).reset_index(drop=True)
    rows.to_parquet(folder / "rows.parquet")
    config = {
        "data": {"audit": "rows.parquet", **({"weight": "w"} if weight else {})},
        "label": "y",
        "groups": {name: name for name in attributes},
        "intersections": "none",
        "model": {"scores": "s", "output": {"scale": "probability"}},
        "decision": {"favourable": "score >= 0.5"},
        "exclude": ["w"],
    }
    (folder / "audit.yaml").write_text(json.dumps(config), encoding="utf-8")
    evidence = audit.examine(folder / "audit.yaml")
    assert not evidence.broken
    found = evidence.fairness.measurements
    numbers = {(item.metric, tuple(sorted(item.group.items())), item.attribute): item for item in found}
    rows["p"] = (rows["s"] >= 0.5).astype(int)
    return Audited(numbers, rows, attributes)


def rates_of(part):
    """Numerator and denominator of each rate, read off scikit-learn's confusion matrix."""
    from sklearn.metrics import confusion_matrix

    tn, fp, fn, tp = confusion_matrix(part["y"], part["p"], labels=[0, 1]).ravel().tolist()
    return {
        "selection_rate": (tp + fp, len(part)),
        "base_rate": (tp + fn, len(part)),
        "true_positive_rate": (tp, tp + fn),
        "false_negative_rate": (fn, tp + fn),
        "false_positive_rate": (fp, fp + tn),
        "true_negative_rate": (tn, fp + tn),
        "precision": (tp, tp + fp),
        "false_discovery_rate": (fp, tp + fp),
        "negative_predictive_value": (tn, tn + fn),
        "false_omission_rate": (fn, tn + fn),
        "accuracy": (tp + tn, len(part)),
        "error_rate": (fp + fn, len(part)),
    }


def test_every_rate_is_that_of_the_confusion_matrix(audited):
    from statsmodels.stats.proportion import proportion_confint

    for name, value, part in audited.groups():
        for metric, (k, n) in rates_of(part).items():
            found = audited.pick(metric, **{name: value}).estimate
            assert (found.count, found.n) == (k, n), metric
            assert found.value == pytest.approx(k / n, abs=EXACT)
            assert (found.low, found.high) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-9)


COMPARED = {
    "true_positive_rate_difference": ("true_positive_rate", "difference", "highest"),
    "false_positive_rate_difference": ("false_positive_rate", "difference", "lowest"),
    "false_negative_rate_difference": ("false_negative_rate", "difference", "lowest"),
    "precision_difference": ("precision", "difference", "highest"),
    "true_positive_rate_ratio": ("true_positive_rate", "ratio", "highest"),
    "false_positive_rate_ratio": ("false_positive_rate", "ratio", "lowest"),
    "false_negative_rate_ratio": ("false_negative_rate", "ratio", "lowest"),
}


@pytest.mark.parametrize("metric", COMPARED)
def test_comparisons_are_those_of_statsmodels(audited, metric):
    from statsmodels.stats.proportion import confint_proportions_2indep

    rate, kind, best = COMPARED[metric]
    sign = 1 if best == "highest" else -1
    for name in audited.attributes:
        counts = {value: rates_of(part)[rate] for value, part in audited.judged(name).groupby(name)}
        pairs = len(list(combinations(counts, 2)))
        for value, (k, n) in counts.items():
            found = audited.pick(metric, **{name: value})
            top = found.reference.partition("=")[2]
            a, b = counts[top]
            if value == top:
                continue
            if (audited.rows[name] == value).mean() >= 0.02:  # a smaller group is never the reference
                assert sign * a / b >= sign * k / n - EXACT
            if kind == "ratio":
                expected = (k / n) / (a / b)
                ends = confint_proportions_2indep(
                    k, n, a, b, compare="ratio", method="score", alpha=0.05 / pairs, correction=True
                )
            else:
                expected = sign * (a / b - k / n)
                first, second = ((a, b), (k, n)) if sign == 1 else ((k, n), (a, b))
                ends = confint_proportions_2indep(*first, *second, compare="diff", method="newcomb", alpha=0.05 / pairs)
            assert found.estimate.value == pytest.approx(expected, abs=EXACT)
            assert (found.estimate.low, found.estimate.high) == pytest.approx(ends, abs=2e-6)


def test_numbers_of_a_whole_attribute_are_those_of_fairlearn(audited):
    import fairlearn.metrics as fair

    for name in audited.attributes:
        rows = audited.judged(name)
        given = {"y_true": rows["y"], "y_pred": rows["p"], "sensitive_features": rows[name]}
        for metric, value in {
            "worst_selection_rate_ratio": fair.demographic_parity_ratio(**given),
            "worst_selection_rate_difference": fair.demographic_parity_difference(**given),
            "equalized_odds_difference": fair.equalized_odds_difference(**given),
        }.items():
            found = audited.pick(metric, attribute=name).estimate
            assert found.value == pytest.approx(value, abs=EXACT), metric
            assert found.low <= value <= found.high
        gaps = [
            audited.pick("true_positive_rate_difference", **{name: value}).estimate.value for value in set(rows[name])
        ]
        if (rows.groupby(name).size() >= 0.02 * len(audited.rows)).all():  # the best is then one of all
            assert max(gaps) == pytest.approx(fair.equal_opportunity_difference(**given), abs=EXACT)


WEIGHTED = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")


def test_weighted_rates_are_those_of_fairlearn_with_sample_weights(audited):
    import fairlearn.metrics as fair
    from sklearn.metrics import accuracy_score, precision_score
    from statsmodels.stats.proportion import proportion_confint

    if (audited.rows["w"] == 1).all():
        assert not [key for key in audited.numbers if key[0].startswith("fairness.weighted")]
        return
    functions = {
        "selection_rate": fair.selection_rate,
        "true_positive_rate": fair.true_positive_rate,
        "false_positive_rate": fair.false_positive_rate,
        "precision": precision_score,
        "accuracy": accuracy_score,
    }
    rows = audited.rows
    for name in audited.attributes:
        frame = fair.MetricFrame(
            metrics=functions,
            y_true=rows["y"],
            y_pred=rows["p"],
            sensitive_features=rows[name],
            sample_params={metric: {"sample_weight": rows["w"]} for metric in functions},
        )
        seen = 0
        for metric in functions:
            for value, part in rows.groupby(name):
                found = audited.numbers.get((f"fairness.weighted_{metric}", ((name, value),), None))
                if found is None:
                    continue
                seen += 1
                assert found.estimate.value == pytest.approx(frame.by_group.loc[value, metric], rel=1e-10)
                asked = {
                    "true_positive_rate": part["y"] == 1,
                    "false_positive_rate": part["y"] == 0,
                    "precision": part["p"] == 1,
                }.get(metric, part["y"] >= 0)
                weights = part.loc[asked, "w"]
                size = weights.sum() ** 2 / (weights**2).sum()
                ends = proportion_confint(found.estimate.value * size, size, method="wilson")
                assert (found.estimate.low, found.estimate.high) == pytest.approx(ends, abs=1e-9)
        assert seen >= 3 * rows[name].nunique()


def test_aucs_are_those_of_sklearn(audited):
    from sklearn.metrics import roc_auc_score

    for name, value, part in audited.groups():
        found = audited.pick("auc", **{name: value}).estimate
        assert found.value == pytest.approx(roc_auc_score(part["y"], part["s"]), abs=EXACT)
        assert found.low < found.value < found.high


def test_adverse_impact_is_that_of_scipy_and_statsmodels(audited):
    from scipy.stats import fisher_exact
    from statsmodels.stats.proportion import proportions_ztest

    for name, value, part in audited.groups():
        found = audited.pick("adverse_impact_z", **{name: value})
        best = audited.rows[audited.rows[name] == found.reference.partition("=")[2]]
        if len(part) == len(best):
            continue
        k, n, a, b = part["p"].sum(), len(part), best["p"].sum(), len(best)
        assert found.estimate.value == pytest.approx(proportions_ztest([a, k], [b, n])[0], rel=1e-9)
        exact = audited.pick("adverse_impact_p", **{name: value}).estimate
        assert exact.value == pytest.approx(fisher_exact([[k, n - k], [a, b - a]])[1], rel=1e-6, abs=1e-250)
        short = audited.pick("adverse_impact_shortfall", **{name: value}).estimate
        assert short.value == pytest.approx(n * (k + a) / (n + b) - k, abs=1e-9)


def test_calibration_and_means_are_those_of_pandas(audited):
    for name, value, part in audited.groups():
        gap = (part["s"] - part["y"]).mean()
        assert audited.pick("calibration_in_group", **{name: value}).estimate.value == pytest.approx(gap, abs=EXACT)
        mean = audited.pick("mean_score", **{name: value}).estimate
        assert mean.value == pytest.approx(part["s"].mean(), abs=EXACT)
        brier = audited.pick("brier", **{name: value}).estimate
        assert brier.value == pytest.approx(np.mean((part["s"] - part["y"]) ** 2), abs=EXACT)
