"""A full synthetic dossier about an invented credit model: what the renderers are looked at with."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np

from audit.evidence import (
    Answer,
    Approval,
    AttributeUsed,
    Calibration,
    CalibrationBin,
    Cell,
    ColumnSummary,
    ContractCheck,
    CountTable,
    CrossCheck,
    Curve,
    Data,
    Decision,
    Definition,
    Disagreement,
    Dossier,
    Effects,
    Estimate,
    Evidence,
    Fairness,
    FeatureRug,
    FeatureUsed,
    Fidelity,
    FileDigest,
    Group,
    Intake,
    Judgement,
    Measurement,
    NotDone,
    Pair,
    Papers,
    Parity,
    Performance,
    PolicyText,
    Presentation,
    Provenance,
    RuleFinding,
    SignerShown,
    Subject,
    SuppliedText,
    Verdict,
    digest_bytes,
    undefined,
    worst_verdict,
)

ROWS = 6000
Z = 1.959964
GROUPS = {
    "sex": {"F": (0.47, 0.585), "M": (0.5215, 0.655), "unknown": (0.0085, 0.61)},
    "ethnicity": {"A": (0.613, 0.665), "B": (0.28, 0.575), "C": (0.1, 0.451), "D": (0.007, 0.5)},
    "age": {
        "under 25": (0.12, 0.49),
        "25 to 40": (0.40, 0.615),
        "40 to 60": (0.36, 0.665),
        "60 and over": (0.12, 0.64),
    },
}
DEFINITIONS = (
    ("data.rows", "Rows", "number of rows judged", "rows", "higher", ""),
    ("data.missing_rate", "Missing values", "rows without a value / rows", "share", "lower", ""),
    ("performance.accuracy", "Accuracy", "(TP + TN) / n", "share", "higher", ""),
    ("performance.balanced_accuracy", "Balanced accuracy", "(TPR + TNR) / 2", "share", "higher", ""),
    (
        "performance.auc",
        "Area under the ROC curve",
        "P(score of a positive > score of a negative)",
        "",
        "higher",
        "DeLong, DeLong and Clarke-Pearson 1988",
    ),
    ("performance.log_loss", "Log loss", "mean of -log p(label)", "nat", "lower", ""),
    ("performance.brier", "Brier score", "mean of (p - label)^2", "", "lower", "Brier 1950"),
    ("performance.auc_gap", "AUC of the black box minus the glass box", "paired difference", "", "nearer_zero", ""),
    (
        "performance.accuracy_gap",
        "Accuracy of the black box minus the glass box",
        "paired difference",
        "",
        "nearer_zero",
        "",
    ),
    (
        "calibration.error",
        "Expected calibration error",
        "sum over bins of n_b / n |observed - mean score|",
        "",
        "lower",
        "Naeini et al. 2015",
    ),
    (
        "calibration.slope",
        "Calibration slope",
        "slope of the logistic regression of the label on the score's log-odds",
        "",
        "nearer_one",
        "Cox 1958",
    ),
    ("calibration.mean_gap", "Mean calibration gap", "mean score - base rate", "", "nearer_zero", ""),
    ("fairness.selection_rate", "Selection rate", "favourable decisions / rows of the group", "share", "none", ""),
    (
        "fairness.selection_rate_ratio",
        "Impact ratio",
        "selection rate / selection rate of the reference group",
        "",
        "nearer_one",
        "29 CFR 1607.4(D)",
    ),
    (
        "fairness.selection_rate_difference",
        "Selection-rate difference",
        "selection rate - that of the reference group",
        "",
        "nearer_zero",
        "",
    ),
    ("fairness.base_rate", "Base rate", "positive labels / labelled rows", "share", "none", ""),
    (
        "fairness.true_positive_rate",
        "True positive rate",
        "TP / (TP + FN), positive is the label's positive class",
        "share",
        "higher",
        "",
    ),
    ("fairness.false_positive_rate", "False positive rate", "FP / (FP + TN)", "share", "lower", ""),
    ("fairness.precision", "Precision", "TP / (TP + FP)", "share", "higher", ""),
    ("fairness.accuracy", "Accuracy", "(TP + TN) / labelled rows", "share", "higher", ""),
    (
        "fairness.auc",
        "Area under the ROC curve",
        "P(score of a positive > score of a negative), within the group",
        "",
        "higher",
        "",
    ),
    ("fairness.calibration_gap", "Calibration gap", "mean score - base rate, within the group", "", "nearer_zero", ""),
    (
        "fairness.equalized_odds_difference",
        "Equalized-odds difference",
        "largest gap of TPR or FPR between two groups",
        "",
        "lower",
        "Hardt et al. 2016",
    ),
    (
        "fairness.worst_selection_rate_ratio",
        "Worst impact ratio",
        "smallest ratio of two groups' selection rates",
        "",
        "higher",
        "",
    ),
    ("fairness.unknown_group_share", "Share with unknown group", "rows without a value / rows", "share", "lower", ""),
    (
        "fidelity.r2",
        "Variance explained",
        "1 - residual variance / variance of the black box's score",
        "",
        "higher",
        "",
    ),
    ("fidelity.decision_agreement", "Same decision", "rows with the same decision / rows", "share", "higher", ""),
    (
        "fidelity.rmse",
        "Root mean squared difference",
        "sqrt(mean (surrogate - black box)^2), link scale",
        "log-odds",
        "lower",
        "",
    ),
    ("effects.importance", "Importance", "mean absolute contribution, link scale", "log-odds", "none", ""),
    ("effects.importance_share", "Share of importance", "importance / sum of importances", "share", "none", ""),
    (
        "effects.disagreement",
        "Disagreement beyond both bands",
        "largest gap between surrogate and black box outside both bands",
        "log-odds",
        "lower",
        "",
    ),
    (
        "effects.proxy_strength",
        "Proxy strength",
        "cross-validated AUC of the attribute from the feature alone",
        "",
        "lower",
        "",
    ),
)
PERFORMANCE = {
    "black_box": (0.771, 0.842, 0.481, 0.156),
    "ebm_label": (0.768, 0.838, 0.486, 0.158),
    "net_label": (0.764, 0.835, 0.489, 0.159),
    "ebm_surrogate": (0.767, 0.837, 0.488, 0.158),
    "net_surrogate": (0.765, 0.835, 0.489, 0.159),
}


def share(k: int, n: int) -> Estimate:
    """Return a share with its Wilson interval, undefined for no rows."""
    if n == 0:
        return undefined("no rows with this label in the group", n=0, count=0)
    p, z2 = k / n, Z * Z
    mid, half = (p + z2 / (2 * n)) / (1 + z2 / n), Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Estimate(value=p, low=max(0.0, mid - half), high=min(1.0, mid + half), n=n, count=k, method="Wilson score")


def around(value: float, half: float, n: int = ROWS, method: str = "delta method") -> Estimate:
    """Return a number with a symmetric interval."""
    return Estimate(value=value, low=value - half, high=value + half, n=n, method=method)


def ratio(k1: int, n1: int, k2: int, n2: int) -> Estimate:
    """Return a ratio of two shares with a log interval."""
    value = (k1 / n1) / (k2 / n2)
    half = Z * math.sqrt(1 / k1 - 1 / n1 + 1 / k2 - 1 / n2)
    return Estimate(
        value=value,
        low=value * math.exp(-half),
        high=value * math.exp(half),
        n=n1 + n2,
        method="Miettinen-Nurminen score",
    )


def make_cell(values: tuple[str, ...], weight: float, rate: float) -> Cell:
    """Return the counts of one group of the synthetic data."""
    n = round(ROWS * weight)
    favourable = round(n * rate)
    right = round(favourable * 0.80)
    missed = round((n - favourable) * 0.29)
    return Cell(
        values=values,
        positive_favourable=right,
        negative_favourable=favourable - right,
        positive_unfavourable=missed,
        negative_unfavourable=n - favourable - missed,
    )


def make_tables() -> tuple[CountTable, ...]:
    """Return count tables of single attributes and pairs."""
    tables = [
        CountTable(attributes=(a,), cells=tuple(make_cell((v,), *wr) for v, wr in values.items()))
        for a, values in GROUPS.items()
    ]
    for a, b in combinations(GROUPS, 2):
        cells = [
            make_cell((va, vb), wa * wb, min(0.95, ra * rb / 0.62))
            for (va, (wa, ra)), (vb, (wb, rb)) in product(GROUPS[a].items(), GROUPS[b].items())
        ]
        tables.append(CountTable(attributes=(a, b), cells=tuple(cell for cell in cells if cell.n)))
    return tuple(tables)


def measure_table(table: CountTable) -> list[Measurement]:
    """Return all measurements by group of one table."""
    out: list[Measurement] = []
    best = max((c for c in table.cells if c.n >= 120), key=lambda c: c.favourable / c.n)
    reference = " * ".join(f"{a}={v}" for a, v in zip(table.attributes, best.values, strict=True))
    for cell in table.cells:
        group = dict(zip(table.attributes, cell.values, strict=True))
        tp, fn, fp = cell.positive_favourable, cell.positive_unfavourable, cell.negative_favourable
        tn = cell.negative_unfavourable
        numbers = {
            "selection_rate": share(cell.favourable, cell.n),
            "base_rate": share(tp + fn, cell.n),
            "true_positive_rate": share(tp, tp + fn),
            "false_positive_rate": share(fp, fp + tn),
            "precision": share(tp, tp + fp),
            "accuracy": share(tp + tn, cell.n),
            "auc": around(0.83, 1.3 / math.sqrt(cell.n), cell.n, "DeLong")
            if cell.n >= 30
            else undefined("fewer than 10 rows of a label", n=cell.n),
            "calibration_gap": around(0.012, 0.9 / math.sqrt(cell.n), cell.n),
        }
        out += [Measurement(metric=f"fairness.{name}", estimate=e, group=group) for name, e in numbers.items()]
        if cell is best or not cell.favourable:
            continue
        pair = ratio(cell.favourable, cell.n, best.favourable, best.n)
        z = (cell.favourable / cell.n - best.favourable / best.n) / math.sqrt(0.24 * (1 / cell.n + 1 / best.n))
        p = math.erfc(abs(z) / math.sqrt(2))
        parity = Parity(statistic=z, p=p, p_adjusted=min(1.0, p * 3), pairs=3, method="pooled z")
        difference = around(
            cell.favourable / cell.n - best.favourable / best.n,
            1.0 / math.sqrt(cell.n),
            cell.n + best.n,
            "Newcombe hybrid",
        )
        for name, e in (("selection_rate_ratio", pair), ("selection_rate_difference", difference)):
            out.append(
                Measurement(metric=f"fairness.{name}", estimate=e, group=group, reference=reference, parity=parity)
            )
    name = table.name
    out += [
        Measurement(
            metric="fairness.equalized_odds_difference",
            estimate=Estimate(value=0.081, low=0.0, high=0.132, n=ROWS, method="simultaneous envelope"),
            attribute=name,
        ),
        Measurement(
            metric="fairness.worst_selection_rate_ratio",
            estimate=Estimate(value=0.678, low=0.611, high=0.748, n=ROWS, method="simultaneous envelope"),
            attribute=name,
        ),
        Measurement(
            metric="fairness.unknown_group_share", estimate=share(51 if "sex" in name else 0, ROWS), attribute=name
        ),
    ]
    return out


def make_fairness() -> Fairness:
    """Return the fairness section."""
    tables = make_tables()
    groups = tuple(
        Group(attributes=t.attributes, values=c.values, n=c.n, small=c.n < 120) for t in tables for c in t.cells
    )
    return Fairness(
        groups=groups,
        tables=tables,
        measurements=tuple(m for t in tables for m in measure_table(t)),
        cross_check=CrossCheck(
            software="fairlearn 0.15.0",
            metrics=("fairness.selection_rate", "fairness.true_positive_rate", "fairness.accuracy"),
            rows=ROWS,
            largest_difference=0.0,
            compared=231,
            skipped=("2 rates that are undefined here and 0 there",),
        ),
        literal=(
            "sex: F is selected at 0.893 of the rate of M; the literal four-fifths rule is met.",
            "ethnicity: C is selected at 0.678 of the rate of A; the literal four-fifths rule is not met.",
            "age: under 25 is selected at 0.737 of the rate of 40 to 60; the literal four-fifths rule is not met.",
        ),
        notes=("Labels exist for every row, so no selective-label caution applies.",),
        seconds=0.42,
    )


SHAPES = {
    "income": (lambda t: 1.3 * np.tanh(2.2 * t), "number", (8000.0, 96000.0)),
    "debt_ratio": (lambda t: -0.9 * t, "number", (0.0, 0.92)),
    "postcode_band": (None, "category", ("1", "2", "3", "4", "5", "6")),
    "age": (lambda t: 0.7 - 1.1 * t * t, "number", (18.0, 79.0)),
    "employment_years": (lambda t: 0.55 * t, "number", (0.0, 38.0)),
    "credit_enquiries_12m": (lambda t: -0.4 * np.sqrt(np.abs(t + 1)), "number", (0.0, 11.0)),
    "housing": (None, "category", ("own", "rent", "family", "other")),
    "savings_balance": (lambda t: 0.25 * t + 0.1 * np.sin(6 * t), "number", (0.0, 41000.0)),
    "has_guarantor": (None, "category", ("no", "yes")),
}
MODELS = {
    "black_box": "ALE",
    "ebm_label": "EBM term",
    "ebm_surrogate": "EBM term",
    "net_label": "additive net term",
    "net_surrogate": "additive net term",
}


def make_curves(feature: str, index: int) -> list[Curve]:
    """Return the five curves of one feature."""
    shape, kind, span = SHAPES[feature]
    out = []
    for j, (model, method) in enumerate(MODELS.items()):
        if kind == "number":
            x = np.linspace(*span, 33)
            y = shape(np.linspace(-1, 1, 33)) * (1 - 0.05 * j) + 0.04 * j * np.sin(3 * np.linspace(-1, 1, 33) + j)
            if model == "ebm_surrogate":
                y = np.round(y * 9) / 9
            if model == "net_surrogate" and feature == "savings_balance":
                y = y + 0.45 * (x > 30000)
        else:
            y = np.linspace(0.75 - 0.06 * index, -0.8 + 0.06 * index, len(span)) * (1 - 0.06 * j) + 0.03 * np.cos(
                np.arange(len(span)) + j
            )
        y = y - y.mean()
        band = model != "ebm_label"
        width = 0.05 + 0.06 * np.abs(np.linspace(-1, 1, len(y)))
        out.append(
            Curve(
                feature=feature,
                model=model,
                kind="numeric" if kind == "number" else "category",
                method=method,
                x=tuple(x.tolist()) if kind == "number" else (),
                levels=() if kind == "number" else span,
                y=tuple(y.tolist()),
                low=tuple((y - width).tolist()) if band else (),
                high=tuple((y + width).tolist()) if band else (),
                band="pointwise 95 %, bootstrap"
                if model == "black_box"
                else ("spread of 8 bags, not an interval" if "ebm" in model else "pointwise 95 %, Laplace"),
                band_is_interval="ebm" not in model,
                missing=-0.12 if feature in ("income", "savings_balance") else None,
                rows=ROWS,
            )
        )
    return out


def make_rug(feature: str) -> FeatureRug:
    """Return a binned distribution."""
    _, kind, span = SHAPES[feature]
    if kind == "number":
        edges = np.linspace(*span, 25)
        t = np.linspace(-1.4, 2.2, 24)
        return FeatureRug(
            feature=feature, edges=tuple(edges.tolist()), counts=tuple(int(700 * math.exp(-v * v)) for v in t)
        )
    return FeatureRug(feature=feature, levels=span, counts=tuple(int(2200 * 0.7**i) for i in range(len(span))))


def make_effects() -> Effects:
    """Return the effects section."""
    numbers = []
    weights = {f: 0.62 * 0.78**i for i, f in enumerate(SHAPES)}
    total = sum(weights.values())
    for i, (feature, weight) in enumerate(weights.items()):
        for j, model in enumerate(MODELS):
            value = weight * (1 + 0.06 * (j - 2) * (-1) ** i)
            numbers.append(
                Measurement(
                    metric="effects.importance",
                    estimate=around(value, 0.012 + 0.03 * weight, method="bootstrap, 40 refits"),
                    feature=feature,
                    model=model,
                )
            )
            numbers.append(
                Measurement(
                    metric="effects.importance_share",
                    estimate=around(weight / total, 0.01),
                    feature=feature,
                    model=model,
                )
            )
        numbers.append(
            Measurement(
                metric="effects.proxy_strength",
                estimate=around(0.81 if feature == "postcode_band" else 0.53 + 0.01 * i, 0.015),
                feature=feature,
                attribute="ethnicity",
            )
        )
        numbers.append(
            Measurement(
                metric="effects.disagreement",
                estimate=Estimate(
                    value=0.29 if feature == "savings_balance" else 0.0,
                    n=ROWS,
                    method="largest gap beyond both bands",
                    note="a maximum; no interval",
                ),
                feature=feature,
                model="net_surrogate",
            )
        )
    return Effects(
        scale="log-odds of repaid = 1",
        rows=ROWS,
        curves=tuple(c for i, f in enumerate(SHAPES) for c in make_curves(f, i)),
        rugs=tuple(make_rug(f) for f in SHAPES),
        disagreements=(
            Disagreement(
                feature="savings_balance",
                model="net_surrogate",
                at="savings_balance near 37,200",
                gap=0.45,
                beyond=0.29,
                rows_share=0.021,
                words="Near 37,200 the additive net puts savings_balance 0.45 log-odds above the black box, "
                "0.29 beyond both bands; 2.1 % of rows lie there.",
            ),
            Disagreement(
                feature="income",
                model="net_surrogate",
                at="income near 12,400",
                gap=-0.11,
                beyond=0.0,
                rows_share=0.04,
                words="The largest gap for income is 0.11 log-odds near 12,400, inside both bands.",
            ),
        ),
        pairs=(
            Pair(features=("income", "debt_ratio"), model="ebm_surrogate", importance=0.083),
            Pair(features=("age", "employment_years"), model="ebm_surrogate", importance=0.031),
            Pair(features=("income", "debt_ratio"), model="net_surrogate", importance=0.079),
        ),
        measurements=tuple(numbers),
        seconds=1.9,
    )


def make_performance() -> Performance:
    """Return the performance section."""
    numbers = []
    for model, values in PERFORMANCE.items():
        for name, value, half in zip(
            ("accuracy", "auc", "log_loss", "brier"), values, (0.0107, 0.0099, 0.0131, 0.0052), strict=True
        ):
            e = (
                share(round(value * ROWS), ROWS)
                if name == "accuracy"
                else around(value, half, method="DeLong" if name == "auc" else "delta method")
            )
            numbers.append(Measurement(metric=f"performance.{name}", estimate=e, model=model))
        if model != "black_box":
            for name, at in (("accuracy_gap", 0), ("auc_gap", 1)):
                numbers.append(
                    Measurement(
                        metric=f"performance.{name}",
                        estimate=around(PERFORMANCE["black_box"][at] - values[at], 0.0042, method="paired"),
                        model=model,
                    )
                )
    return Performance(
        rows=ROWS,
        protocol="glass boxes cross-fitted on the audited rows, 5 folds, seed 0; "
        "every row is scored by glass boxes that did not see it",
        caution="may favour the black box: the rows it was trained on are unknown",
        models=tuple(PERFORMANCE),
        measurements=tuple(numbers),
        seconds=0.2,
    )


def make_fidelity() -> Fidelity:
    """Return the fidelity section."""
    numbers = []
    for model, r2, same, rmse in (("ebm_surrogate", 0.961, 0.953, 0.24), ("net_surrogate", 0.953, 0.948, 0.27)):
        numbers += [
            Measurement(metric="fidelity.r2", estimate=around(r2, 0.006), model=model),
            Measurement(metric="fidelity.decision_agreement", estimate=share(round(same * ROWS), ROWS), model=model),
            Measurement(metric="fidelity.rmse", estimate=around(rmse, 0.008), model=model),
        ]
        for attribute, values in GROUPS.items():
            for i, (value, (weight, _)) in enumerate(values.items()):
                n = round(ROWS * weight)
                numbers.append(
                    Measurement(
                        metric="fidelity.decision_agreement",
                        estimate=share(round((same - 0.01 * i) * n), n),
                        model=model,
                        group={attribute: value},
                    )
                )
                numbers.append(
                    Measurement(
                        metric="fidelity.rmse",
                        estimate=around(rmse + 0.01 * i, 0.5 / math.sqrt(n), n),
                        model=model,
                        group={attribute: value},
                    )
                )
    return Fidelity(
        rows=ROWS,
        protocol="out of fold on the audited rows; target is the black box's log-odds",
        measurements=tuple(numbers),
        seconds=0.3,
    )


def make_calibration() -> Calibration:
    """Return the calibration section."""
    bins = tuple(
        CalibrationBin(mean_score=s, observed=share(round(400 * (s * 0.94 + 0.025)), 400))
        for s in np.linspace(0.06, 0.97, 15).tolist()
    )
    return Calibration(
        bins=bins,
        expected_error_null=0.0171,
        measurements=(
            Measurement(
                metric="calibration.error",
                estimate=Estimate(
                    value=0.0149,
                    n=ROWS,
                    method="15 bins of equal rows",
                    note="judged against what chance alone shows, not by an interval",
                ),
                model="black_box",
            ),
            Measurement(metric="calibration.slope", estimate=around(0.962, 0.051), model="black_box"),
            Measurement(metric="calibration.mean_gap", estimate=around(0.0041, 0.0102), model="black_box"),
        ),
        seconds=0.05,
    )


def make_data() -> Data:
    """Return the data section."""
    columns = tuple(
        ColumnSummary(
            name=f,
            kind="boolean" if f == "has_guarantor" else kind,
            used_as="feature",
            missing=183 if f == "income" else 0,
            distinct=1000 if kind == "number" else len(span),
            quantiles=tuple(np.linspace(*span, 5).tolist()) if kind == "number" else (),
            top={} if kind == "number" else {v: int(2200 * 0.7**i) for i, v in enumerate(span)},
        )
        for f, (_, kind, span) in SHAPES.items()
    )
    extra = tuple(
        ColumnSummary(name=n, kind=k, used_as=u, missing=m, distinct=d)
        for n, k, u, m, d in (
            ("repaid", "boolean", "label", 0, 2),
            ("sex", "category", "group", 51, 2),
            ("ethnicity", "category", "group", 0, 4),
            ("applicant_id", "category", "id", 0, 1000),
        )
    )
    groups = tuple(g for g in make_fairness().groups if len(g.attributes) == 1)
    return Data(
        rows=ROWS,
        label_known=ROWS,
        label_positive=3702,
        columns=columns + extra,
        groups=groups,
        exclusions=("12 rows left out: the identifier occurs twice",),
        reading=("applicants.csv: separator ',', decimal '.', encoding utf-8, missing markers '', '?', NA",),
        training="unknown: nobody declared which rows the black box was trained on",
        measurements=(
            Measurement(metric="data.rows", estimate=Estimate(value=ROWS, n=ROWS)),
            *(
                Measurement(metric="data.missing_rate", estimate=share(c.missing, ROWS), feature=c.name)
                for c in columns
            ),
        ),
        seconds=0.31,
    )


def make_intake() -> Intake:
    """Return the intake section."""
    checks = (
        ContractCheck(
            id="deterministic",
            title="Same rows give the same scores",
            status="pass",
            detail="largest difference 0 on 512 rows",
        ),
        ContractCheck(id="finite", title="Every score is a finite number", status="pass", detail="6,000 of 6,000"),
        ContractCheck(
            id="row_independent",
            title="A row's score does not depend on its neighbours",
            status="pass",
            detail="largest difference 1.2e-07 on 512 rows",
        ),
        ContractCheck(
            id="scale",
            title="Scores look like the declared scale",
            status="warn",
            detail="logits between -3.1 and 3.4: also possible for a value",
            advice="check that the output is declared as the model gives it",
        ),
        ContractCheck(
            id="expected_score",
            title="Scores equal the known scores",
            status="not_done",
            detail="no column with known scores was given",
            advice="set model.expected_score",
        ),
    )
    return Intake(
        format="pt2",
        file="repaid.pt2",
        sha256=digest_bytes(b"model"),
        size=48213,
        parameters=5121,
        trust="vetted before loading: no code of the file was run",
        vetted=(
            "archive: 9 members, none executable",
            "graph: 14 operators, all on the list of pure tensor operators",
            "weights: 6 tensors, no pickle",
        ),
        inputs=(
            "x_num: income, debt_ratio, age, employment_years, credit_enquiries_12m, savings_balance (standardised)",
            "x_cat: postcode_band, housing, has_guarantor (one-hot)",
        ),
        output="binary, one logit; positive class: repaid = 1",
        columns=tuple(SHAPES),
        checks=checks,
        seconds=0.8,
    )


def make_verdict(rule: str, status: str, observed: Estimate | None = None, **more: object) -> Verdict:
    """Return one verdict."""
    scope = ",".join(
        f"{k}={v}"
        for k, v in {**more.get("group", {}), **{k: more[k] for k in ("feature", "model") if k in more}}.items()
    )
    name = f"{rule}[{scope}]" if scope else rule
    return Verdict(
        id=digest_bytes(name.encode())[7:23], rule=rule, scope=name, status=status, observed=observed, **more
    )


def make_finding(
    pack: str, name: str, title: str, severity: str, kind: str, verdicts: list[Verdict], line: int, **more: object
) -> RuleFinding:
    """Return one rule with the worst of its verdicts."""
    return RuleFinding(
        rule=f"{pack}/{name}",
        pack=pack,
        title=title,
        severity=severity,
        kind=kind,
        status=worst_verdict([v.status for v in verdicts]),
        verdicts=tuple(verdicts),
        path=f"{pack}.yaml",
        line=line,
        **more,
    )


def make_ratio_verdicts(rule: str, fairness: Fairness) -> list[Verdict]:
    """Judge the impact ratios of single attributes as the baseline pack does."""
    out = []
    for m in fairness.measurements:
        if m.metric != "fairness.selection_rate_ratio" or len(m.group) > 1:
            continue
        e = m.estimate
        text = ", ".join(f"{k}={v}" for k, v in m.group.items())
        small = (
            e.n is not None
            and min(
                c.n
                for t in fairness.tables
                for c in t.cells
                if dict(zip(t.attributes, c.values, strict=True)) == m.group
            )
            < 120
        )
        status = "inconclusive" if small or e.low < 0.8 <= e.high else ("pass" if e.low >= 0.8 else "fail")
        words = {
            "pass": "the whole 95 % interval lies at or above 0.80",
            "fail": "the ratio is below 0.80 and equality is rejected (p < 0.001 after Holm)",
            "inconclusive": "the 95 % interval contains the limit 0.80",
        }
        out.append(
            make_verdict(
                rule,
                status,
                e,
                group=m.group,
                metric=m.metric,
                limit="at least 0.80",
                limit_low=0.8,
                because=f"{text} is selected at {e.value:.3f} of the rate of {m.reference}: {words[status]}.",
                trace=(
                    f"selection rate of {text}",
                    f"selection rate of {m.reference}",
                    f"ratio {e.value:.3f} (95 % {e.low:.3f} to {e.high:.3f})",
                    "limit: at least 0.80",
                ),
                literal=f"point {e.value:.3f} is {'at or above' if e.value >= 0.8 else 'below'} 0.80",
                would_decide="about 420 more rows of this group" if status == "inconclusive" else "",
            )
        )
    return out


def make_findings(fairness: Fairness) -> tuple[RuleFinding, ...]:
    """Return the rules of two packs with their verdicts."""
    base, law = "baseline-fairness", "nyc-ll144"
    conv, org = {"basis": "industry_convention"}, {"basis": "organisation"}
    r = f"{base}/selection-ratio"
    fails = [
        make_finding(
            base,
            "selection-ratio",
            "Every group is selected at a rate close to the most selected group",
            "high",
            "measure",
            make_ratio_verdicts(r, fairness),
            40,
            limit="at least 0.80",
            warn_limit="at least 0.90",
            judged_on="court",
            fix="Look at the per-feature effects of the features that differ most between the groups, "
            "then at thresholds and at the training data.",
            why="A much lower rate for one group is the first sign of adverse impact.",
            **conv,
        ),
        make_finding(
            base,
            "equalized-odds",
            "Groups are treated alike among those with the same outcome",
            "high",
            "measure",
            [
                make_verdict(
                    f"{base}/equalized-odds",
                    "inconclusive",
                    Estimate(value=0.081, low=0.0, high=0.132, n=ROWS, method="simultaneous envelope"),
                    group={"ethnicity": "all"},
                    metric="fairness.equalized_odds_difference",
                    limit="at most 0.10",
                    limit_high=0.1,
                    because="the 95 % interval of the gap contains the limit 0.10.",
                    would_decide="about 2,300 more rows, most of them in ethnicity=C",
                ),
                make_verdict(
                    f"{base}/equalized-odds",
                    "pass",
                    Estimate(value=0.02, low=0.0, high=0.06, n=ROWS, method="simultaneous envelope"),
                    group={"sex": "all"},
                    metric="fairness.equalized_odds_difference",
                    limit="at most 0.10",
                    limit_high=0.1,
                    because="the whole interval lies at or below 0.10.",
                ),
            ],
            70,
            limit="at most 0.10",
            judged_on="interval",
            **conv,
        ),
        make_finding(
            base,
            "proxy-strength",
            "No important feature stands in for a protected attribute",
            "medium",
            "measure",
            [
                make_verdict(
                    f"{base}/proxy-strength",
                    "fail",
                    around(0.81, 0.015),
                    feature="postcode_band",
                    metric="effects.proxy_strength",
                    limit="at most 0.70",
                    limit_high=0.7,
                    because="postcode_band tells ethnicity with an AUC of 0.810 (95 % 0.795 to 0.825), above 0.70.",
                    trace=("AUC 0.810", "limit at most 0.70"),
                    literal="point 0.810 is above 0.70",
                )
            ],
            110,
            limit="at most 0.70",
            judged_on="interval",
            fix="Remove the feature or replace it by what it stands for.",
            **org,
        ),
        make_finding(
            base,
            "fidelity",
            "The glass box explains the black box well enough to stand in for it",
            "medium",
            "measure",
            [
                make_verdict(
                    f"{base}/fidelity",
                    "pass",
                    around(v, 0.006),
                    model=m,
                    metric="fidelity.r2",
                    limit="at least 0.90",
                    limit_low=0.9,
                    because="the whole interval lies at or above 0.90.",
                )
                for m, v in (("ebm_surrogate", 0.961), ("net_surrogate", 0.953))
            ],
            118,
            limit="at least 0.90",
            judged_on="proven",
            **org,
        ),
        make_finding(
            base,
            "declared-directions",
            "Features declared to raise the score never lower it",
            "high",
            "shape_of",
            [
                make_verdict(
                    f"{base}/declared-directions",
                    "waived",
                    Estimate(
                        value=0.03, n=ROWS, method="largest move against the direction", note="a maximum; no interval"
                    ),
                    feature="income",
                    model="net_surrogate",
                    metric="effects.reversal",
                    limit="increasing",
                    original="fail",
                    waiver="WAIVE-7",
                    because="income falls by 3 % of its range between 80,000 and 96,000.",
                )
            ],
            130,
            limit="increasing",
            **org,
        ),
        make_finding(
            base,
            "protected-not-used",
            "No protected attribute is a model input",
            "critical",
            "measure",
            [
                make_verdict(
                    f"{base}/protected-not-used",
                    "fail",
                    around(0.093, 0.01),
                    feature="age",
                    metric="effects.importance_share",
                    limit="exactly 0",
                    limit_low=0.0,
                    limit_high=0.0,
                    because="age is a protected attribute and carries 9.3 % of the importance.",
                    trace=("importance share of age 0.093", "limit exactly 0"),
                )
            ],
            100,
            limit="exactly 0",
            judged_on="estimate",
            **org,
        ),
        make_finding(
            base,
            "unknown-groups",
            "At most one person in five has an unknown protected attribute",
            "low",
            "measure",
            [
                make_verdict(
                    f"{base}/unknown-groups",
                    "pass",
                    share(51, ROWS),
                    group={"sex": "all"},
                    metric="fairness.unknown_group_share",
                    limit="at most 20 %",
                    limit_high=0.2,
                    because="51 of 6,000 rows (0.85 %).",
                )
            ],
            30,
            limit="at most 20 %",
            judged_on="interval",
            **org,
        ),
    ]
    law_rules = [
        make_finding(
            law,
            "independent-auditor",
            "The auditor neither built, sold nor uses the tool and has no stake in it",
            "critical",
            "ask",
            [
                make_verdict(
                    f"{law}/independent-auditor",
                    "manual",
                    because="no person has answered this question.",
                    would_decide="an answer under answers: nyc-ll144/independent-auditor in documents.yaml",
                )
            ],
            36,
            cite='6 RCNY 5-300, "independent auditor"',
            basis="regulation",
        ),
        make_finding(
            law,
            "selection-rate-sex",
            "Selection rate and impact ratio are calculated for each sex category",
            "critical",
            "measure",
            [
                make_verdict(
                    f"{law}/selection-rate-sex",
                    "warn",
                    fairness.measurements[8].estimate,
                    group={"sex": "F"},
                    metric="fairness.selection_rate_ratio",
                    limit="at least 0",
                    limit_low=0.0,
                    because="the ratio is calculated; it is below the attention limit 0.90.",
                )
            ],
            44,
            cite="6 RCNY 5-301(b)(1)-(3)",
            basis="regulation",
            limit="at least 0",
            warn_limit="at least 0.80",
            judged_on="estimate",
        ),
        make_finding(
            law,
            "published-summary",
            "A summary of the results is published",
            "high",
            "document",
            [
                make_verdict(
                    f"{law}/published-summary",
                    "pass",
                    because="publication.summary was supplied by A. Officer on 2026-11-02 and approved.",
                )
            ],
            80,
            cite="6 RCNY 5-303",
            basis="regulation",
        ),
        make_finding(
            law,
            "age-of-audit",
            "The bias audit is at most one year old on the day the tool is used",
            "critical",
            "fact",
            [make_verdict(f"{law}/age-of-audit", "not_applicable", because="system.stage is pre_release.")],
            30,
            cite="NYC Admin. Code 20-871(a)(1)",
            basis="regulation",
        ),
    ]
    return tuple(fails + law_rules)


def make_policies() -> tuple[PolicyText, ...]:
    """Return the two packs' texts."""
    text = "schema: policy/1\npack: baseline-fairness\n"
    return (
        PolicyText(
            pack="baseline-fairness",
            title="Baseline fairness, accuracy and explanation checks",
            version="2026.11.0",
            citation="Internal baseline, no legal source",
            jurisdiction="any",
            status="internal",
            verified_on="2026-11-21",
            review_by="2027-11-21",
            sources=("Four-fifths convention, 29 CFR 1607.4(D)",),
            path="baseline-fairness.yaml",
            sha256=digest_bytes(text.encode()),
            text=text,
        ),
        PolicyText(
            pack="nyc-ll144",
            title="New York City Local Law 144 bias audit of automated employment decision tools",
            version="2026.11.0",
            maturity="draft",
            citation="NYC Admin. Code 20-870 to 20-874; 6 RCNY 5-300 to 5-304",
            jurisdiction="US-NYC",
            status="in_force",
            verified_on="2026-11-21",
            review_by="2027-05-21",
            unverified=("six-month posting period of 5-303(c) and wording of 5-304, from memory",),
            applies="unknown",
            applies_because="system.jurisdictions is not stated in documents.yaml",
            path="nyc-ll144.yaml",
            sha256=digest_bytes(b"x"),
            text=text,
        ),
    )


def make_subject() -> Subject:
    """Return what is audited."""
    return Subject(
        title="Credit screening model 2.3",
        system="credit-screening",
        version="2.3",
        label="repaid",
        positive="1",
        decision=Decision(favourable="score >= 0.5", threshold=0.5),
        attributes=(
            AttributeUsed(name="sex", column="sex"),
            AttributeUsed(name="ethnicity", column="ethnicity", stands_for="race_ethnicity"),
            AttributeUsed(name="age", column="age", bins=(25, 40, 60)),
        ),
        intersections=tuple(combinations(GROUPS, 2)),
        features=tuple(
            FeatureUsed(
                name=f,
                kind="boolean" if f == "has_guarantor" else kind,
                expected="increasing" if f == "income" else "",
                mutable=f in ("income", "savings_balance"),
                protected=f == "age",
            )
            for f, (_, kind, _) in SHAPES.items()
        ),
        about={
            "period": "applications of January to June 2026",
            "source": "loan ledger, export of 2026-10-30",
            "sampling": "every third application",
        },
    )


def make_provenance() -> Provenance:
    """Return where it comes from."""
    files = (
        ("applicants.csv", "data.audit", 412332),
        ("repaid.pt2", "model", 48213),
        ("audit.yaml", "configuration", 811),
    )
    return Provenance(
        tool="glassbox-audit 0.1.0",
        versions={
            "python": "3.11.9",
            "torch": "2.13.0",
            "numpy": "2.4.0",
            "pandas": "3.1.0",
            "interpret-core": "0.7.8",
            "fairlearn": "0.15.0",
            "scipy": "1.17.0",
        },
        platform="Linux x86_64",
        config_digest=digest_bytes(b"config"),
        files=tuple(FileDigest(name=n, sha256=digest_bytes(n.encode()), size=s, role=r) for n, r, s in files),
        artifacts=tuple(
            FileDigest(name=f"glassboxes/{m}.json", sha256=digest_bytes(m.encode()), size=20211, role="artifact")
            for m in list(MODELS)[1:]
        ),
        seed=0,
        effort="standard",
        started="2026-11-21T09:14:05Z",
        seconds={"read data": 0.31, "take in model": 0.8, "score rows": 0.12, "fit glass boxes": 9.1, "measure": 2.9},
    )


def make_evidence() -> Evidence:
    """Return the evidence."""
    parts = {
        "intake": make_intake(),
        "data": make_data(),
        "performance": make_performance(),
        "calibration": make_calibration(),
        "fairness": make_fairness(),
        "fidelity": make_fidelity(),
        "effects": make_effects(),
        "slices": NotDone(not_done="the search for weak slices is not part of this version"),
        "attributions": NotDone(not_done="attributions of single scores are not part of this version"),
        "explanations": NotDone(not_done="tests of explanations are not part of this version"),
        "decisions": NotDone(not_done="reasons for single decisions are not part of this version"),
        "robustness": NotDone(not_done="robustness tests are not part of this version"),
        "drift": NotDone(not_done="no baseline rows were given"),
    }
    definitions = tuple(
        Definition(id=i, title=t, formula=f, unit=u, better=b, source=s) for i, t, f, u, b, s in DEFINITIONS
    )
    return Evidence(provenance=make_provenance(), subject=make_subject(), definitions=definitions, **parts)


def make_papers() -> Papers:
    """Return what people supplied."""
    purpose = "Ranks applications for a personal loan of up to 20,000; a person decides on every refusal."
    return Papers(
        facts={"system.use_case": "credit.underwriting", "system.stage": "pre_release"},
        texts=(
            SuppliedText(
                field="system.intended_purpose",
                text=purpose,
                sha256=digest_bytes(purpose.encode()),
                words=15,
                version="1",
                by="A. Officer",
                role="model owner",
                on="2026-11-02",
            ),
        ),
        answers=(
            Answer(rule="baseline-fairness/other", answer="yes", by="A. Officer", role="model owner", on="2026-11-02"),
        ),
        approvals=(
            Approval(
                field="system.intended_purpose",
                sha256=digest_bytes(purpose.encode()),
                by="B. Reviewer",
                role="risk",
                on="2026-11-03",
            ),
        ),
    )


def make_dossier(evidence: Evidence | None = None, **presentation: object) -> Dossier:
    """Return the whole dossier; `presentation` overrides fields of its presentation."""
    evidence = evidence or make_evidence()
    findings = (
        make_findings(evidence.fairness)
        if isinstance(evidence.fairness, Fairness) and evidence.fairness.measurements
        else ()
    )
    judgement = Judgement(
        evidence_digest=evidence.digest(),
        evidence_signed="signed by DEVELOPMENT KEY (not a trusted identity)",
        as_of="2026-11-21",
        policies=make_policies(),
        parameters={"baseline-fairness.min_impact_ratio": "0.80", "baseline-fairness.max_odds_gap": "0.10"},
        findings=findings,
        papers=make_papers(),
        warnings=("nyc-ll144 is a draft: it has not been reviewed by a lawyer",),
        outcome="failed" if findings else "undecided",
    )
    shown = {
        "created": "2026-11-21T09:15:00Z",
        "signer": SignerShown(
            name="DEVELOPMENT KEY - not a trusted identity", fingerprint=":".join(["A1", "5C"] * 16), development=True
        ),
        **presentation,
    }
    return Dossier(
        evidence=evidence,
        judgement=judgement,
        presentation=Presentation(**shown),
        earlier=("2026-10-02: failed (3 rules failed, 2 undecided)",),
    )
