"""Every kind of number of a real audit, computed a second time by other people's code from the stored rows.

The table and the predictions are read from the files as they lie there; of the examination only the out-of-fold scores
of the glass boxes are taken over, since nobody else can know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from real_models import shared_data, write_real_config
from scipy import stats
from scipy.special import expit, logit

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(shared_data() is None, reason="the real data sets are not beside this checkout"),
]

ATTRIBUTES = {"race": "race", "sex": "sex", "age_cat": "age_cat"}
SETS = [*[(name,) for name in ATTRIBUTES], *combinations(ATTRIBUTES, 2)]
FEW = 30
EXACT = 1e-12


@dataclass(repr=False)
class Audit:
    """What was measured, and the rows as anyone can read them."""

    sections: dict[str, Any]
    rows: pd.DataFrame
    out_of_fold: dict[str, np.ndarray]

    def pick(self, metric, *, group=None, attribute=None, feature=None, model=None):
        (found,) = [
            item
            for item in self.sections[metric.partition(".")[0]].measurements
            if (item.metric, item.group, item.attribute, item.feature, item.model)
            == (metric, group or {}, attribute, feature, model)
        ]
        return found

    def groups(self, names):
        for key, part in self.rows.groupby(list(names)):
            yield dict(zip(names, key, strict=True)), part


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    from audit.config.load import load_config
    from audit.examination.blackbox.intake import take_in
    from audit.examination.engine.engine import open_engine
    from audit.examination.engine.progress import SilentProgress
    from audit.examination.measures.case import describe_subject, list_intersections
    from audit.examination.measures.roster import MEASURES, measure_safely
    from audit.examination.measures.setting import open_case
    from audit.examination.sweep.find import read_rows
    from audit.examination.sweep.people import gather_people

    config = load_config(write_real_config("compas", tmp_path_factory.mktemp("real"), effort="fast"))
    rows = read_rows(config)
    config, dataset = rows.config, rows.dataset
    blackbox, intake = take_in(config, dataset)
    with open_engine() as engine:
        people = gather_people(rows, blackbox, intake, engine, list_intersections(config), SilentProgress())
    scores = people.scores
    subject = describe_subject(config, dataset, intake.columns, scores, has_model=True)
    case = open_case(config, subject, dataset, people, blackbox, intake, SilentProgress())
    sections = {name: measure_safely(name, case) for name in MEASURES}

    folder = shared_data()
    rows = pd.read_parquet(folder / "data" / "compas.parquet").reset_index(drop=True)
    stored = pd.read_parquet(folder / "models" / "compas_resnet" / "predictions.parquet").sort_values("row")
    rows["y"], rows["stored"] = rows["two_year_recid"].astype(int), stored["score"].to_numpy()
    rows["score"] = scores.score
    rows["positive"], rows["good"] = rows["stored"] >= 0.5, rows["stored"] < 0.5
    rows["right"] = rows["positive"] == (rows["y"] == 1)
    assert (stored["y"].to_numpy() == rows["y"]).all()
    assert np.abs(rows["score"] - rows["stored"]).max() < 1e-6
    return Audit(sections, rows, case.fits.out_of_fold)


RATES = {
    "selection_rate": lambda part: part["good"],
    "base_rate": lambda part: part["y"] == 1,
    "true_positive_rate": lambda part: part.loc[part["y"] == 1, "positive"],
    "false_positive_rate": lambda part: part.loc[part["y"] == 0, "positive"],
    "precision": lambda part: part.loc[part["positive"], "y"] == 1,
    "accuracy": lambda part: part["right"],
    "error_rate": lambda part: ~part["right"],
}
"""Selection follows the favourable decision (a low score), the others the label's positive class (it happened)."""


@pytest.mark.parametrize("name", RATES)
def test_rates_by_group_are_those_of_pandas(audit, name):
    from statsmodels.stats.proportion import proportion_confint

    seen = 0
    for names in SETS:
        for group, part in audit.groups(names):
            found, hits = audit.pick(f"fairness.{name}", group=group).estimate, RATES[name](part)
            if not len(hits):
                assert (found.value, found.assessable) == (None, False)
                assert found.note
                continue
            assert (found.count, found.n) == (hits.sum(), len(hits))
            assert found.value == pytest.approx(hits.mean(), abs=EXACT)
            expected = proportion_confint(hits.sum(), len(hits), method="wilson")
            assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)
            assert found.assessable == (len(part) >= FEW)
            seen += 1
    assert seen > 40


COMPARED = {
    "selection_rate_ratio": ("selection_rate", "ratio", "highest"),
    "selection_rate_difference": ("selection_rate", "difference", "highest"),
    "true_positive_rate_difference": ("true_positive_rate", "difference", "highest"),
    "false_positive_rate_difference": ("false_positive_rate", "difference", "lowest"),
    "accuracy_difference": ("accuracy", "difference", "highest"),
    "error_rate_ratio": ("error_rate", "ratio", "lowest"),
}


@pytest.mark.parametrize("name", COMPARED)
def test_comparisons_with_the_best_group(audit, name):
    from statsmodels.stats.proportion import confint_proportions_2indep

    rate, kind, best = COMPARED[name]
    sign = 1 if best == "highest" else -1
    for names in SETS:
        table = [(group, len(part), RATES[rate](part)) for group, part in audit.groups(names)]
        judged = [item for item in table if item[1] >= FEW]
        pairs = len(judged) * (len(judged) - 1) // 2
        fit = [item for item in judged if item[1] >= 0.02 * len(audit.rows)]
        top = max(fit, key=lambda item: sign * item[2].mean())
        for group, _, hits in judged:
            found = audit.pick(f"fairness.{name}", group=group)
            assert found.reference == ", ".join(f"{k}={v}" for k, v in top[0].items())
            if group == top[0]:
                assert found.estimate.value == (1 if kind == "ratio" else 0)
                continue
            k1, n1, k2, n2 = hits.sum(), len(hits), top[2].sum(), len(top[2])
            if kind == "ratio":
                value = (k1 / n1) / (k2 / n2)
                ends = confint_proportions_2indep(
                    k1, n1, k2, n2, compare="ratio", method="score", alpha=0.05 / pairs, correction=True
                )
            else:
                value = sign * (k2 / n2 - k1 / n1)
                first, second = ((k2, n2), (k1, n1)) if sign == 1 else ((k1, n1), (k2, n2))
                ends = confint_proportions_2indep(*first, *second, compare="diff", method="newcomb", alpha=0.05 / pairs)
            assert found.estimate.value == pytest.approx(value, abs=EXACT)
            assert (found.estimate.low, found.estimate.high) == pytest.approx(ends, abs=2e-6)
            assert found.estimate.assessable
            assert found.parity.pairs == pairs


def test_parity_is_tested_and_adjusted_as_statsmodels_does(audit):
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportions_ztest

    for names in SETS:
        table = [(group, part["good"]) for group, part in audit.groups(names) if len(part) >= FEW]
        p, by_pair = [], {}
        for (i, (_, a)), (j, (_, b)) in combinations(enumerate(table), 2):
            cells = np.array([[a.sum(), (~a).sum()], [b.sum(), (~b).sum()]])
            expected = cells.sum(1)[:, None] * cells.sum(0) / cells.sum()
            if expected.min() < 5:
                p.append(stats.fisher_exact(cells)[1])
            else:
                p.append(proportions_ztest([a.sum(), b.sum()], [len(a), len(b)])[1])
            by_pair[i, j] = by_pair[j, i] = len(p) - 1
        adjusted = multipletests(p, method="holm")[1]
        places = {tuple(group.values()): i for i, (group, _) in enumerate(table)}
        for group, _ in table:
            found = audit.pick("fairness.selection_rate_ratio", group=group)
            reference = tuple(part.partition("=")[2] for part in found.reference.split(", "))
            if reference == tuple(group.values()):
                assert found.parity is None
                continue
            at = by_pair[places[tuple(group.values())], places[reference]]
            assert found.parity.p == pytest.approx(p[at], rel=1e-7, abs=1e-300)
            assert found.parity.p_adjusted == pytest.approx(adjusted[at], rel=1e-7, abs=1e-300)


def test_equalized_odds_and_worst_ratios_are_those_of_fairlearn(audit):
    import fairlearn.metrics as fair

    for names in SETS:
        sizes = audit.rows.groupby(list(names))["y"].transform("size")
        rows = audit.rows[sizes >= FEW]
        people = rows[list(names)]
        attribute = " * ".join(names)
        pairs = {
            "equalized_odds_difference": fair.equalized_odds_difference(
                rows["y"], rows["positive"], sensitive_features=people
            ),
            "worst_selection_rate_ratio": fair.demographic_parity_ratio(
                rows["y"], rows["good"], sensitive_features=people
            ),
            "worst_selection_rate_difference": fair.demographic_parity_difference(
                rows["y"], rows["good"], sensitive_features=people
            ),
        }
        for name, value in pairs.items():
            found = audit.pick(f"fairness.{name}", attribute=attribute).estimate
            assert found.value == pytest.approx(value, abs=EXACT)
            assert found.low < found.value < found.high


def delong(score, truth):
    """AUC and the placements of both classes, from the kernel of all pairs."""
    kernel = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
    return kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)


def variance(over_positives, over_negatives):
    return over_positives.var(ddof=1) / len(over_positives) + over_negatives.var(ddof=1) / len(over_negatives)


def test_auc_by_group_with_delongs_interval(audit):
    from sklearn.metrics import roc_auc_score

    from audit.statistics.auc import FEW_OF_A_CLASS

    for names in SETS[:3]:
        for group, part in audit.groups(names):
            score, truth = part["score"].to_numpy(), part["y"].to_numpy() == 1
            value, *placements = delong(score, truth)
            half = stats.norm.ppf(0.975) * np.sqrt(variance(*placements)) / (value * (1 - value))
            found = audit.pick("fairness.auc", group=group).estimate
            assert found.value == pytest.approx(roc_auc_score(truth, score), abs=EXACT)
            if found.low is None:
                continue
            low, high = expit(logit(value) + np.array([-half, half]))
            if min(truth.sum(), (~truth).sum()) >= FEW_OF_A_CLASS:
                assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
            else:  # DeLong's alone covers too little there; the interval holds it and is wider
                assert found.low <= low + 1e-9
                assert found.high >= high - 1e-9


def test_scores_by_group(audit):
    middle = audit.rows["score"].median()
    for names in SETS[:3]:
        gaps = []
        for group, part in audit.groups(names):
            score, gap = part["score"], part["score"] - part["y"]
            mean = audit.pick("fairness.mean_score", group=group).estimate
            ends = stats.t.interval(0.95, len(part) - 1, score.mean(), stats.sem(score))
            assert (mean.value, mean.low, mean.high) == pytest.approx((score.mean(), *ends), abs=1e-9)
            rate = audit.pick("fairness.scoring_rate", group=group).estimate
            assert rate.count == (score < middle).sum()  # a low score is the good one
            found = audit.pick("fairness.calibration_in_group", group=group).estimate
            assert found.value == pytest.approx(gap.mean(), abs=1e-12)
            # another interval than the plain one of the residuals, and for many rows the same
            if len(part) > 500:
                half = 1.96 * stats.sem(gap)
                assert (found.low, found.high) == pytest.approx((gap.mean() - half, gap.mean() + half), abs=0.003)
            if len(part) >= FEW:
                gaps.append(gap.mean())
        worst = audit.pick("fairness.calibration_gap", attribute=names[0]).estimate
        assert worst.value == pytest.approx(max(gaps) - min(gaps), abs=1e-12)


def predictions(audit):
    yield "black_box", audit.rows["score"].to_numpy(), audit.rows["positive"].to_numpy()
    for name in ("ebm_label", "net_label"):
        score = expit(audit.out_of_fold[name])
        yield name, score, score >= 0.5


def test_performance_of_all_models_is_that_of_sklearn(audit):
    import sklearn.metrics as sk

    y = audit.rows["y"].to_numpy()
    for model, score, positive in predictions(audit):
        expected = {
            "accuracy": sk.accuracy_score(y, positive),
            "balanced_accuracy": sk.balanced_accuracy_score(y, positive),
            "auc": sk.roc_auc_score(y, score),
            "average_precision": sk.average_precision_score(y, score),
            "brier": sk.brier_score_loss(y, score),
            "log_loss": sk.log_loss(y, score),
        }
        for name, value in expected.items():
            found = audit.pick(f"performance.{name}", model=model).estimate
            assert found.value == pytest.approx(value, abs=1e-10), name
            assert found.low < value < found.high
            assert found.n == len(y)
        draws = [np.random.default_rng(i).integers(0, len(y), len(y)) for i in range(60)]
        for name, of in {
            "balanced_accuracy": lambda i, p=positive: sk.balanced_accuracy_score(y[i], p[i]),
            "brier": lambda i, s=score: np.mean((s[i] - y[i]) ** 2),
            "log_loss": lambda i, s=score: sk.log_loss(y[i], s[i]),
        }.items():
            found = audit.pick(f"performance.{name}", model=model).estimate
            spread = np.std([of(rows) for rows in draws], ddof=1)
            assert (found.high - found.low) / (2 * 1.96 * spread) == pytest.approx(1, abs=0.35), name


def test_differences_of_models_are_paired(audit):
    truth = audit.rows["y"].to_numpy() == 1
    (_, black, black_positive), *glasses = predictions(audit)
    first = delong(black, truth)
    for model, score, positive in glasses:
        second = delong(score, truth)
        gap, se = first[0] - second[0], np.sqrt(variance(first[1] - second[1], first[2] - second[2]))
        found = audit.pick("performance.auc_gap", model=model).estimate
        z = stats.norm.ppf(0.975)
        assert (found.value, found.low, found.high) == pytest.approx((gap, gap - z * se, gap + z * se), abs=1e-9)
        ours, theirs = (black_positive == truth).astype(float), (positive == truth).astype(float)
        found = audit.pick("performance.accuracy_gap", model=model).estimate
        assert found.value == pytest.approx((ours - theirs).mean(), abs=EXACT)
        half = z * stats.sem(ours - theirs)  # for many rows the plain paired interval is the same
        assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=2e-4)


def test_calibration(audit):
    import statsmodels.api as sm

    y, section = audit.rows["y"].to_numpy(), audit.sections["calibration"]
    for model, score, _ in predictions(audit):
        fit = sm.Logit(y, sm.add_constant(logit(score))).fit(disp=0)
        found = audit.pick("calibration.slope", model=model).estimate
        low, high = fit.conf_int()[1]
        assert (found.value, found.low, found.high) == pytest.approx((fit.params[1], low, high), abs=1e-6)
        found = audit.pick("calibration.mean_gap", model=model).estimate
        ends = stats.t.interval(0.95, len(y) - 1, (score - y).mean(), stats.sem(score - y))
        assert (found.value, found.low, found.high) == pytest.approx(((score - y).mean(), *ends), abs=1e-9)
        bins = pd.qcut(score, 10, duplicates="drop")
        parts = pd.DataFrame({"gap": score - y}).groupby(bins, observed=True)["gap"].sum()
        found = audit.pick("calibration.error", model=model).estimate
        assert found.value == pytest.approx(parts.abs().sum() / len(y), abs=2e-3)  # a row at a cut may change its bin
    score = audit.rows["score"].to_numpy()
    assert sum(item.observed.n for item in section.bins) == len(y)
    assert sum(item.observed.count for item in section.bins) == y.sum()
    assert sum(item.observed.n * item.mean_score for item in section.bins) == pytest.approx(score.sum())
    rng, bins = np.random.default_rng(1), pd.qcut(score, 10, labels=False, duplicates="drop")
    null = [np.abs(np.bincount(bins, score - (rng.random(len(y)) < score))).sum() / len(y) for _ in range(400)]
    assert section.expected_error_null == pytest.approx(np.quantile(null, 0.95), rel=0.1)


def test_fidelity_of_the_surrogates(audit):
    from sklearn.metrics import r2_score, root_mean_squared_error

    black = logit(audit.rows["score"].to_numpy())
    for model in ("ebm_surrogate", "net_surrogate"):
        glass = audit.out_of_fold[model]
        for group, rows in [({}, audit.rows), *((g, p) for names in SETS[:3] for g, p in audit.groups(names))]:
            a, b, at = glass[rows.index], black[rows.index], rows["good"].to_numpy()
            expected = {
                "r2": r2_score(b, a),
                "rmse": root_mean_squared_error(b, a),
                "rank_correlation": stats.spearmanr(a, b).statistic,
                "decision_agreement": ((expit(a) < 0.5) == at).mean(),
            }
            for name, value in expected.items():
                found = audit.pick(f"fidelity.{name}", model=model, group=group).estimate
                assert found.value == pytest.approx(value, abs=1e-6), name
                assert found.low <= found.value <= found.high


def test_adverse_impact(audit):
    best = audit.rows[audit.rows["sex"] == "Female"]["good"]
    other = audit.rows[audit.rows["sex"] == "Male"]["good"]
    cells = [[best.sum(), (~best).sum()], [other.sum(), (~other).sum()]]
    male = {"sex": "Male"}
    z = np.sqrt(stats.chi2_contingency(cells, correction=False).statistic)
    assert audit.pick("fairness.adverse_impact_z", group=male).estimate.value == pytest.approx(z, abs=1e-9)
    p = audit.pick("fairness.adverse_impact_p", group=male).estimate.value
    assert p == pytest.approx(stats.fisher_exact(cells)[1], rel=1e-6)
    short = audit.pick("fairness.adverse_impact_shortfall", group=male).estimate.value
    assert short == pytest.approx(audit.rows["good"].mean() * len(other) - other.sum(), abs=1e-9)


def test_the_data_section(audit):
    data, rows = audit.sections["data"], audit.rows
    assert (data.rows, data.label_known, data.label_positive) == (len(rows), len(rows), rows["y"].sum())
    for column in data.columns:
        values = rows[column.name]
        assert (column.missing, column.distinct) == (values.isna().sum(), min(values.nunique(), 1000))
        if column.quantiles:
            assert column.quantiles == pytest.approx(values.astype(float).quantile([0.01, 0.25, 0.5, 0.75, 0.99]))
            assert (values < column.quantiles[0]).sum() + (values == column.quantiles[0]).sum() >= 5
        for level, count in column.top.items():
            assert count == (values.astype(str) == level).sum() >= 5
    for feature in ("age", "jail_days", "c_charge_degree"):
        found = audit.pick("data.missing_rate", feature=feature).estimate
        assert (found.count, found.n) == (rows[feature].isna().sum(), len(rows))
    for name in ATTRIBUTES:
        sizes, rates = rows[name].value_counts(), rows.groupby(name)["y"].mean()
        top = max(rates[sizes >= 0.02 * len(rows)])
        for group, n in sizes.items():
            assert audit.pick("data.rows", group={name: group}).estimate.count == n
            found = audit.pick("data.label_rate_ratio", group={name: group}).estimate
            assert found.value == pytest.approx(rates[group] / top, abs=EXACT)
            assert found.assessable == (n >= FEW)


def test_no_number_is_more_certain_than_it_can_be(audit):
    for name, section in audit.sections.items():
        for item in getattr(section, "measurements", ()):
            estimate = item.estimate
            if estimate.value is None:
                assert (estimate.low, estimate.high, estimate.assessable) == (None, None, False), (name, item)
                continue
            assert np.isfinite(estimate.value)
            certain = "the reference itself" in estimate.note or estimate.method == "by construction"
            if estimate.low is not None and not certain:
                assert estimate.high is None or estimate.low < estimate.high, item
                assert estimate.low - EXACT <= estimate.value <= (estimate.high or np.inf) + EXACT, item
            if item.group and name == "fairness" and estimate.method != "by construction":
                few = sum(np.logical_and.reduce([audit.rows[k] == v for k, v in item.group.items()])) < FEW
                assert not (few and estimate.assessable), item
