"""Additive net beside EBM, in one run on the same splits: error, CPU seconds, shapes, bands, fidelity, speed.

    OMP_NUM_THREADS=1 python tests/benchmarks/glassboxes.py [accuracy shapes fidelity predict large] [--seeds 5]
        [--first-seed 100] [--sets compas adult ...] [--quick]

Every fit uses one thread; ratios hold on any machine, seconds do not. The reference line is a plain neural additive
model, one little network per feature in a loop, trained row by row. Where a figure is a goal of this project it is
printed beside what was measured. Data sets that are not there are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from audit.examination.glassbox.additive import NetOrder, fit_additive
from audit.examination.glassbox.binned import bin_rows
from audit.examination.glassbox.ebm import SETTINGS, VALUE_SETTINGS, EbmOrder, fit_ebm
from audit.examination.glassbox.encoder import fit_encoder

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TABLES = {
    "compas": ("two_year_recid", "compas_resnet"),
    "german_credit": ("good_credit", "german_softmax"),
    "adult": ("income", "adult_mlp"),
    "acs_income": ("income_over_50k", "acs_income_mlp"),
}
SHAPES = (
    lambda x: np.sin(2 * x),
    lambda x: 0.5 * x**2,
    lambda x: 0.8 * x,
    lambda x: np.tanh(3 * x),
    lambda x: 0 * x,
    lambda x: 1.0 * (x > 0.5),
)
CUBIC = (lambda x: 3 * x, lambda x: 2 * x**2, lambda x: x**3)
MOST_ROWS = 40_000

# interpret's own defaults, with nothing of ours: for the comparison alone
SETTINGS["default"], VALUE_SETTINGS["default"] = {}, {}


def timed(fit):
    begun = time.process_time()
    found = fit()
    return found, time.process_time() - begun


def net(encoder, encoded, target, family, pairs=0):
    """At most so many pairs: how many it keeps it chooses itself, and that is part of its time."""
    order = NetOrder("net", family, pairs=pairs)
    return timed(lambda: fit_additive(encoder, encoded, target, order, rng=np.random.default_rng(0))[0])


def ebm(encoder, encoded, target, family, effort, pairs, seed=0):
    order = EbmOrder("ebm", family, effort, seed, pairs=pairs)
    return timed(lambda: fit_ebm(encoder, encoded, target, order))


def read_table(name):
    label, model = TABLES[name]
    path = SHARED / "data" / f"{name}.parquet"
    if not path.exists():
        return None
    frame = pd.read_parquet(path)
    card = json.loads((SHARED / "models" / model / "model.json").read_text())
    score = pd.read_parquet(SHARED / "models" / model / "predictions.parquet")["score"].to_numpy(float)
    kinds = {}
    for column in card["features"]:
        number = frame[column].dtype.kind in "iuf"
        frame[column] = frame[column].astype(float if number else object)
        kinds[column] = "number" if number else "category"
    return frame, kinds, frame[label].to_numpy(float), "binary", np.log(score / (1 - score))


def make_wide(features, rows=10_000, binary=True):
    rng = np.random.default_rng(features)
    x = rng.normal(size=(rows, features)) @ (0.3 * rng.normal(size=(features, features)) + np.eye(features))
    x /= x.std(axis=0)
    eta = sum((0.3 * x[:, j] if j % 5 == 0 else 0.3 * SHAPES[j % 5](x[:, j])) for j in range(features))
    eta = eta + 0.3 * x[:, 0] * x[:, 1]
    eta = eta - eta.mean()
    y = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float) if binary else eta + rng.normal(size=rows)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(features)])
    return frame, dict.fromkeys(frame, "number"), y, "binary" if binary else "regression", eta


def make_friedman():
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(20_000, n_features=8, noise=1.0, random_state=0)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(8)])
    return frame, dict.fromkeys(frame, "number"), y, "regression", y


def make_rentals(rows=17_000):
    """Counts by the hour, as a hire scheme's: two rush hours on working days, one hump on others, weather, a trend."""
    rng = np.random.default_rng(7)
    hour, day, month = rng.integers(0, 24, rows), rng.integers(0, 7, rows), rng.integers(1, 13, rows)
    warm = 12 - 11 * np.cos(2 * np.pi * (month - 1) / 12) + 4 * np.sin(np.pi * (hour - 6) / 12) + rng.normal(0, 3, rows)
    wet = np.clip(rng.beta(5, 3, rows) - 0.01 * warm, 0, 1)
    wind = rng.choice(np.round(np.arange(0, 50, 1.8), 1), rows)
    sky = rng.choice(["clear", "mist", "light rain", "heavy rain"], rows, p=[0.65, 0.26, 0.08, 0.01])
    work = day < 5
    rush = 260 * (np.exp(-((hour - 8) ** 2) / 2) + 1.3 * np.exp(-((hour - 17.5) ** 2) / 5))
    hump = 200 * np.exp(-((hour - 14) ** 2) / 18)
    cloud = pd.Series(sky).map({"clear": 0.0, "mist": -15.0, "light rain": -80.0, "heavy rain": -120.0}).to_numpy()
    trend = np.arange(rows) / rows
    eta = 60 + np.where(work, rush, hump) + 5 * np.clip(warm, -5, 27) - 90 * wet**2 - wind / 2 + cloud + 70 * trend
    y = np.maximum(0, eta + rng.normal(0, 45, rows) * (0.4 + np.abs(eta) / 300))
    frame = pd.DataFrame({"hour": hour, "day": day, "month": month, "warm": warm, "wet": wet, "wind": wind})
    frame = frame.assign(trend=trend, sky=sky, work=np.where(work, "yes", "no"))
    kinds = {name: "category" if name in ("sky", "work") else "number" for name in frame}
    return frame, kinds, y, "regression", y


def read_california():
    from sklearn.datasets import fetch_california_housing

    try:
        found = fetch_california_housing(as_frame=True, download_if_missing=False)
    except OSError:
        return None
    return found.data, dict.fromkeys(found.data, "number"), found.target.to_numpy(float), "regression", None


SETS = {name: (lambda name=name: read_table(name)) for name in TABLES} | {
    "california": read_california,
    "friedman": make_friedman,
    "rentals": make_rentals,
    "wide 23": lambda: make_wide(23),
    "wide 40": lambda: make_wide(40),
    "wide 23 value": lambda: make_wide(23, binary=False),
}
QUICK = ("compas", "german_credit", "wide 23")


def judge(family, target, score):
    """Return an error that is better when smaller: one minus AUC, or RMSE."""
    if family == "regression":
        return float(np.sqrt(np.mean((target - score) ** 2)))
    from sklearn.metrics import roc_auc_score

    return 1 - float(roc_auc_score(target, score))


def split(frame, kinds, rows, seed):
    order = np.random.default_rng(seed).permutation(rows)[:MOST_ROWS]
    train, test = order[: int(0.8 * order.size)], order[int(0.8 * order.size) :]
    encoder = fit_encoder(frame.iloc[train], kinds, knots=128 if train.size >= 20_000 else 64)
    return encoder, encoder.encode(frame), train, test


def list_runs(encoder, rows, target, family, seed):
    return {
        "net": partial(net, encoder, rows, target, family),
        "EBM fast": partial(ebm, encoder, rows, target, family, "fast", 0, seed),
        "net + 10": partial(net, encoder, rows, target, family, 10),
        "EBM fast + 10": partial(ebm, encoder, rows, target, family, "fast", 10, seed),
    }


def accuracy(name, seeds, default):
    found = SETS[name]()
    if found is None:
        print(f"\n{name}: not here")
        return
    frame, kinds, y, family, _ = found
    errors, seconds = {}, {}
    for seed in seeds:
        encoder, encoded, train, test = split(frame, kinds, len(y), seed)
        rows, target = encoded[train], y[train]
        runs = list_runs(encoder, rows, target, family, seed)
        if default and len(train) <= default:
            runs["EBM default"] = partial(ebm, encoder, rows, target, family, "default", 0, seed)
        if seed == seeds[0]:
            runs["NAM loop"] = partial(timed, partial(NamLoop, rows, target, family))
        for run, fit in runs.items():
            box, cpu = fit()
            errors.setdefault(run, []).append(judge(family, y[test], box.link_encoded(encoded[test])))
            seconds.setdefault(run, []).append(cpu)
    measure = "RMSE" if family == "regression" else "1 - AUC"
    print(f"\n{name}: {len(train):,} rows, {len(kinds)} features, {len(seeds)} seeds, {measure}")
    for run in errors:
        print(f"  {run:14s} {np.mean(errors[run]):.4f}  CPU {np.mean(seconds[run]):7.3f} s")
    compare(errors, seconds, "net", "EBM default", family, "CPU at most .050")
    compare(errors, seconds, "net", "EBM fast", family, "CPU at most 1")
    compare(errors, seconds, "net + 10", "EBM fast + 10", family, "CPU at most 1")
    print_row(name, len(train), len(kinds), family, errors, seconds)


def print_row(name, rows, features, family, errors, seconds):
    """One line of a Markdown table: scores as people know them, AUC or RMSE."""
    cells = [name, f"{rows:,}", str(features), "RMSE" if family == "regression" else "AUC"]
    for run in ("EBM default", "EBM fast", "net", "EBM fast + 10", "net + 10"):
        if run in errors:
            score = np.mean(errors[run])
            cells.append(f"{score if family == 'regression' else 1 - score:.4f}")
        else:
            cells.append("-")
    for ours, theirs in (("net", "EBM default"), ("net", "EBM fast"), ("net + 10", "EBM fast + 10")):
        cells.append(f"1/{np.mean(seconds[theirs]) / np.mean(seconds[ours]):.1f}" if theirs in errors else "-")
    print("| " + " | ".join(cells) + " |", flush=True)


def compare(errors, seconds, ours, theirs, family, goal):
    if theirs not in errors:
        return
    gaps = np.array(errors[ours]) - np.array(errors[theirs])
    error = gaps.std(ddof=1) / np.sqrt(gaps.size) if gaps.size > 1 else np.nan
    allowed = 0.005 * np.mean(errors[theirs]) if family == "regression" else 0.001
    good = gaps.mean() <= max(allowed, 2 * error if np.isfinite(error) else 0)
    ratio = np.mean(seconds[ours]) / np.mean(seconds[theirs])
    words = "held" if good else "MISSED"
    print(
        f"    {ours} - {theirs}: {gaps.mean():+.4f} (s.e. {error:.4f}) accuracy {words}; CPU ratio {ratio:.3f}, {goal}"
    )


class NamLoop:
    """A neural additive model as most write it: one network per feature, in a loop, row by row."""

    def __init__(self, rows, target, family, epochs=12):
        torch.manual_seed(0)
        known = np.nan_to_num(rows)
        self.mean, self.sd = known.mean(axis=0), known.std(axis=0) + 1e-9
        x = torch.from_numpy((known - self.mean) / self.sd).float()
        self.shift, self.scale = (target.mean(), target.std()) if family == "regression" else (0.0, 1.0)
        y = torch.from_numpy((target - self.shift) / self.scale).float()
        layers = lambda: torch.nn.Sequential(  # noqa: E731
            torch.nn.Linear(1, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(),
            torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1),
        )  # fmt: skip
        self.nets = torch.nn.ModuleList(layers() for _ in range(x.shape[1]))
        loss = torch.nn.MSELoss() if family == "regression" else torch.nn.BCEWithLogitsLoss()
        adam = torch.optim.Adam(self.nets.parameters(), lr=2e-3)
        for _ in range(epochs):
            for part in torch.randperm(len(x)).split(1024):
                adam.zero_grad()
                loss(self.forward(x[part]), y[part]).backward()
                adam.step()

    def forward(self, x):
        return sum(net(x[:, j : j + 1])[:, 0] for j, net in enumerate(self.nets))

    def link_encoded(self, encoded):
        x = torch.from_numpy((np.nan_to_num(encoded) - self.mean) / self.sd).float()
        with torch.no_grad():
            return self.forward(x).numpy() * self.scale + self.shift


def shapes(title, functions, binary, n, rho, seeds):
    errors, covered, seconds = {}, {}, {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        size = len(functions)
        x = np.sqrt(1 - rho) * rng.normal(size=(n, size)) + np.sqrt(rho) * rng.normal(size=(n, 1))
        eta = sum(shape(x[:, j]) for j, shape in enumerate(functions))
        eta = eta - eta.mean()
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float) if binary else eta + rng.normal(size=n)
        frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(size)])
        encoder = fit_encoder(frame, dict.fromkeys(frame, "number"), knots=64)
        encoded, family = encoder.encode(frame), "binary" if binary else "regression"
        runs = {"net": net(encoder, encoded, y, family), "EBM fast": ebm(encoder, encoded, y, family, "fast", 0)}
        runs["EBM default"] = ebm(encoder, encoded, y, family, "default", 0)
        for name, (box, cpu) in runs.items():
            seconds.setdefault(name, []).append(cpu)
            for j, shape in enumerate(functions):
                truth = shape(x[:, j]) - shape(x[:, j]).mean()
                term = box.terms[j]
                errors.setdefault(name, []).append(np.sqrt(np.mean((term.look_up(x[:, j]) - truth) ** 2)))
                low, high = term.look_up(x[:, j], term.low), term.look_up(x[:, j], term.high)
                covered.setdefault(name, []).append(np.mean((low <= truth) & (truth <= high)))
    print(f"\n{title}, {n:,} rows, correlation {rho}, {len(seeds)} seeds")
    for name in errors:
        ratio = np.mean(errors["net"]) / np.mean(errors[name])
        print(
            f"  {name:12s} shape error {np.mean(errors[name]):.3f}  inside the band {np.mean(covered[name]):.3f}  "
            f"CPU {np.mean(seconds[name]):.2f} s  net's error / this {ratio:.2f}"
        )
    print("  goals: net's error at most .75 of EBM's; .93 to .98 inside the net's band")


def fidelity(name, seeds):
    found = SETS[name]()
    if found is None:
        return
    frame, kinds, _, _, link = found
    gains = {}
    for seed in seeds:
        encoder, encoded, train, test = split(frame, kinds, len(link), seed)
        rows, target = encoded[train], link[train]
        for run, fit in list_runs(encoder, rows, target, "regression", seed).items():
            box, cpu = fit()
            r2 = 1 - np.mean((box.link_encoded(encoded[test]) - link[test]) ** 2) / np.var(link[test])
            gains.setdefault(run, []).append((r2, cpu))
    print(f"\n{name}: R2 on the black box's score, rows neither saw")
    for run, pairs in gains.items():
        print(f"  {run:14s} {np.mean([p[0] for p in pairs]):.4f}  CPU {np.mean([p[1] for p in pairs]):.3f} s")


def predict(rows=200_000):
    """Nanoseconds per row of eight features: tables, pre-binned rows, interpret's own, the network."""
    from interpret.glassbox import ExplainableBoostingRegressor

    frame, kinds, y, _, _ = make_friedman()
    encoder = fit_encoder(frame, kinds, knots=64)
    encoded = encoder.encode(frame)
    box, _ = net(encoder, encoded, y, "regression")
    machine = ExplainableBoostingRegressor(interactions=0, max_rounds=200, outer_bags=2, n_jobs=1).fit(encoded, y)
    loop = NamLoop(encoded, y, "regression", epochs=1)
    print("\npredict, ns per row of 8 features (goals: pre-binned at least 10 times EBM, 200 times the network)")
    for words, many in (("256 values a feature", encoded.round(2)), ("20,000 values a feature", encoded)):
        many = np.asfortranarray(np.tile(many, (rows // len(many), 1)))
        bins = bin_rows(many)
        runs = {
            "tables": lambda many=many: box.link_encoded(many),
            "pre-binned": lambda bins=bins: bins.score(box),
            "EBM": lambda many=many: machine.predict(many),
            "network": lambda many=many: loop.link_encoded(many),
        }
        found = {}
        for run, ask in runs.items():
            ask()
            found[run] = min(timed(ask)[1] for _ in range(3)) / len(many) * 1e9
        ratios = found["EBM"] / found["pre-binned"], found["network"] / found["pre-binned"]
        line = "  ".join(f"{run} {value:.1f}" for run, value in found.items())
        print(f"  {words}: {line}; EBM / pre-binned {ratios[0]:.1f}, network / pre-binned {ratios[1]:.0f}")


def large(rows=300_000):
    found = read_table("acs_income")
    if found is not None:
        frame, kinds, y, family, _ = found
        begun = time.perf_counter()
        encoder = fit_encoder(frame, kinds, knots=128)
        encoded = encoder.encode(frame)
        ready = time.perf_counter() - begun
        for pairs in (0, 10):
            begun = time.perf_counter()
            _, cpu = net(encoder, encoded, y, family, pairs)
            wall = time.perf_counter() - begun
            words = f"ACS income, {len(y):,} rows, {len(kinds)} features, at most {pairs} pairs"
            print(
                f"\n{words}: CPU {cpu:.1f} s, wall {wall:.1f} s, besides {ready:.1f} s encoding (goal 10)", flush=True
            )
    for binary in (True, False):
        frame, kinds, y, family, _ = make_wide(12, rows, binary=binary)
        encoder = fit_encoder(frame, kinds, knots=128)
        encoded = encoder.encode(frame)
        begun = time.perf_counter()
        _, cpu = net(encoder, encoded, y, family)
        wall = time.perf_counter() - begun
        print(f"\n{rows:,} rows, 12 features, {family}: CPU {cpu:.1f} s, wall {wall:.1f} s (goal 10)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["accuracy", "shapes", "fidelity", "predict", "large"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=100, help="tuning used other seeds")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--default-rows", type=int, default=40_000, help="most rows for a fit by EBM's defaults")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    # what is imported on first use is no part of a fit
    frame, kinds, y, family, _ = make_wide(4, 500)
    encoder = fit_encoder(frame, kinds, knots=16)
    for fit in list_runs(encoder, encoder.encode(frame), y, family, 0).values():
        fit()
    count = min(asked.seeds, 2) if asked.quick else asked.seeds
    seeds = range(asked.first_seed, asked.first_seed + count)
    names = asked.sets or (QUICK if asked.quick else tuple(SETS))
    if "accuracy" in asked.parts:
        for name in names:
            accuracy(name, seeds, asked.default_rows)
    if "shapes" in asked.parts:
        shapes("y = 3 x1 + 2 x2^2 + x3^3", CUBIC, binary=False, n=2000, rho=0.0, seeds=seeds)
        shapes("six shapes, regression", SHAPES, binary=False, n=2000, rho=0.0, seeds=seeds)
        shapes("six shapes, logistic", SHAPES, binary=True, n=4000, rho=0.5, seeds=seeds)
    if "fidelity" in asked.parts:
        for name in (name for name in names if name in TABLES):
            fidelity(name, seeds)
    if "predict" in asked.parts:
        predict()
    if "large" in asked.parts:
        large()


if __name__ == "__main__":
    main()
