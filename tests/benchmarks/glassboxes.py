"""Additive net beside EBM, both in this run: error on rows neither saw, error of known shapes, coverage, CPU seconds.

    OMP_NUM_THREADS=1 python tests/benchmarks/glassboxes.py

Every fit uses one thread; ratios hold on any machine, seconds do not.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.ebm import EbmOrder, fit_ebm
from audit.examination.glassbox.encoder import fit_encoder

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
SHAPES = (
    lambda x: np.sin(2 * x),
    lambda x: 0.5 * x**2,
    lambda x: 0.8 * x,
    lambda x: np.tanh(3 * x),
    lambda x: 0 * x,
    lambda x: 1.0 * (x > 0.5),
)


def timed(fit):
    begun = time.process_time()
    box = fit()
    return (box[0] if isinstance(box, tuple) else box), time.process_time() - begun


def fit_both(encoder, encoded, target, family, effort):
    net = timed(lambda: fit_additive(encoder, encoded, target, NetOrder("net", family), rng=np.random.default_rng(0)))
    ebm = timed(lambda: fit_ebm(encoder, encoded, target, EbmOrder("ebm", family, effort, 0)))
    return {"net": net, f"EBM {effort}": ebm}


def known_shapes(binary: bool, n: int, rho: float) -> None:
    import pandas as pd

    errors, covered, seconds = {}, {}, {}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = np.sqrt(1 - rho) * rng.normal(size=(n, 6)) + np.sqrt(rho) * rng.normal(size=(n, 1))
        eta = sum(shape(x[:, j]) for j, shape in enumerate(SHAPES))
        eta = eta - eta.mean()
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if binary else eta + rng.normal(size=n)
        frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(6)])
        encoder = fit_encoder(frame, dict.fromkeys(frame, "number"), knots=64)
        encoded = encoder.encode(frame)
        for name, (box, cpu) in fit_both(encoder, encoded, y, "binary" if binary else "regression", "fast").items():
            seconds.setdefault(name, []).append(cpu)
            for j, shape in enumerate(SHAPES):
                truth = shape(x[:, j]) - shape(x[:, j]).mean()
                term = box.terms[j]
                errors.setdefault(name, []).append(np.sqrt(np.mean((term.look_up(x[:, j]) - truth) ** 2)))
                low, high = term.look_up(x[:, j], term.low), term.look_up(x[:, j], term.high)
                covered.setdefault(name, []).append(np.mean((low <= truth) & (truth <= high)))
    print(f"\nknown shapes, {'logistic' if binary else 'regression'}, {n:,} rows, correlation {rho}")
    for name in errors:
        print(
            f"  {name:10s} shape error {np.mean(errors[name]):.3f}  inside the band {np.mean(covered[name]):.2f}  "
            f"CPU {np.mean(seconds[name]):.2f} s"
        )
    net, ebm = list(errors)
    print(f"  ratio      error {np.mean(errors[net]) / np.mean(errors[ebm]):.2f}", end="")
    print(f"  CPU {np.mean(seconds[net]) / np.mean(seconds[ebm]):.2f}")


def real_table(table: str, label: str, numbers: list[str], levels: list[str]) -> None:
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    frame = pd.read_parquet(SHARED / "data" / f"{table}.parquet")
    frame[numbers] = frame[numbers].astype(float)
    kinds = {**dict.fromkeys(numbers, "number"), **dict.fromkeys(levels, "category")}
    y = frame[label].to_numpy(float)
    rows = np.random.default_rng(0).permutation(len(y))[:25_000]
    train, test = rows[: int(0.8 * rows.size)], rows[int(0.8 * rows.size) :]
    encoder = fit_encoder(frame.iloc[train], kinds, knots=128 if train.size >= 20_000 else 64)
    encoded = encoder.encode(frame)
    print(f"\n{table}, {train.size:,} rows to fit, {test.size:,} to judge")
    for effort in ("fast", "standard"):
        for name, (box, cpu) in fit_both(encoder, encoded[train], y[train], "binary", effort).items():
            auc = roc_auc_score(y[test], box.link_encoded(encoded[test]))
            print(f"  {name:12s} AUC {auc:.4f}  CPU {cpu:.2f} s  pairs {len(box.pairs)}")


def main() -> None:
    known_shapes(binary=False, n=2000, rho=0.0)
    known_shapes(binary=True, n=4000, rho=0.5)
    if SHARED.is_dir():
        real_table(
            "compas",
            "two_year_recid",
            ["age", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count", "jail_days"],
            ["sex", "c_charge_degree"],
        )
        real_table(
            "adult",
            "income",
            ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"],
            ["workclass", "marital_status", "occupation", "relationship", "native_country"],
        )


if __name__ == "__main__":
    main()
