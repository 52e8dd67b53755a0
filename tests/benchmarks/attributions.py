"""Speed and exactness of attributions beside captum and shap: one run, both sides in turn, best of several, CPU time.

    OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/attributions.py

One thread. captum comes with the extra `explain`; shap is used nowhere else and is left out where it is not installed.
A line gives what was measured, the ratio, and the goal. The wider a net, the more of the time is spent in the same
matrix products on both sides, and the smaller the ratio; three widths are shown.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from attribution_material import frame_of, make_mixed_net, make_number_net, open_net  # noqa: E402

from audit.examination.glassbox.fit import fit_glassboxes  # noqa: E402
from audit.examination.measures.attribution.gradients import integrate_gradients  # noqa: E402
from audit.examination.measures.attribution.shapley import sample_shapley  # noqa: E402

REPEATS = 3


def alternate(*calls):
    """Return the best time and the last result of each call, taken in turn."""
    best, results = [float("inf")] * len(calls), [None] * len(calls)
    for _ in range(REPEATS):
        for at, call in enumerate(calls):
            begun = time.process_time()
            results[at] = call()
            best[at] = min(best[at], time.process_time() - begun)
    return best, results


def compare_numbers(hidden: int, rows: int = 4_000, nodes: int = 50) -> None:
    """Integrated gradients of numbers at equal nodes."""
    from captum.attr import IntegratedGradients

    net = make_number_net(20, hidden=hidden, seed=0)
    box, frame = open_net(net, numbers=20), frame_of(rows, numbers=20, seed=1)
    x, start = torch.tensor(frame.to_numpy(np.float32)), torch.zeros(1, 20)
    theirs = IntegratedGradients(lambda given: net(given)[:, 0])
    (own, default, batched), (mine, other, _) = alternate(
        lambda: integrate_gradients(box, frame, frame.iloc[:1] * 0, nodes=nodes),
        lambda: theirs.attribute(x, start, n_steps=nodes),
        lambda: theirs.attribute(x, start, n_steps=nodes, internal_batch_size=4096),
    )
    gap = float(np.abs(mine.values - other.numpy()).max())
    print(
        f"IG, 20-{hidden}-{hidden}-1, {rows:,} rows, {nodes} nodes: own {own:.2f} s, "
        f"captum {default:.2f} s ({default / own:.1f}x),"
    )
    print(
        f"    captum in batches of 4,096 {batched:.2f} s ({batched / own:.1f}x); goal 10x; largest difference {gap:.1e}"
    )


def compare_embedded(rows: int = 400, nodes: int = 50) -> None:
    """Integrated gradients of numbers and codes: captum needs two calls on two lines."""
    from captum.attr import IntegratedGradients, LayerIntegratedGradients

    net = make_mixed_net(numbers=12, codes=8, seed=0)
    box, frame = open_net(net, numbers=12, codes=8), frame_of(rows, numbers=12, codes=8, seed=1)
    start = frame_of(1, numbers=12, codes=8, seed=2)
    number, code = box.to_tensors(box.encode(frame))
    number_0, code_0 = box.to_tensors(box.encode(start))

    def captum():
        one = IntegratedGradients(lambda x, c: net(x, c)).attribute(
            number, number_0, additional_forward_args=(code,), n_steps=nodes
        )
        layers = LayerIntegratedGradients(lambda c, x: net(x, c), list(net.tables))
        many = layers.attribute(code, code_0, additional_forward_args=(number,), n_steps=nodes)
        return one.sum(1) + sum(part.flatten(1).sum(1) for part in many)

    (own, theirs), (mine, sums) = alternate(lambda: integrate_gradients(box, frame, start, nodes=nodes), captum)
    wanted, spread = mine.link - mine.base, mine.link.std()
    missed = float(np.abs(sums.detach().numpy() - wanted).mean() / spread)
    print(
        f"IG, 12 numbers and 8 embedded codes, {rows} rows, {nodes} nodes: own {own:.2f} s, captum {theirs:.2f} s "
        f"({theirs / own:.1f}x, goal 2x); sums miss by {mine.completeness.mean() / spread:.4f} sd, "
        f"captum's by {missed:.4f} sd"
    )


def compare_shapley(rows: int = 40) -> None:
    """Shapley values at equal error, with a glass box as control variate, beside shap's permutation explainer."""
    if importlib.util.find_spec("shap") is None:
        print("Shapley beside shap: shap is not installed, this line is left out")
        return
    import shap

    net = make_number_net(12, hidden=64, seed=3)
    box, frame = open_net(net, numbers=12), frame_of(4000, numbers=12, seed=4)
    people, background = frame.iloc[:rows], frame.iloc[1000:1100]
    truth = sample_shapley(box.link, people, background, permutations=6000, rng=np.random.default_rng(9)).values
    control = make_control(box, frame)
    scale = truth.std()
    explainer = shap.PermutationExplainer(
        lambda given: box.link(pd.DataFrame(given, columns=frame.columns)), background.to_numpy(), seed=0
    )
    begun = time.process_time()
    theirs = explainer(people.to_numpy(), max_evals=10 * (2 * 12 + 1), silent=True).values
    taken, error = time.process_time() - begun, rmse(theirs, truth) / scale
    for pairs in (4, 8, 16, 32, 64, 100, 200, 400):
        best = float("inf")
        for _ in range(REPEATS):
            begun = time.process_time()
            mine = sample_shapley(
                box.link, people, background, permutations=2 * pairs, rng=np.random.default_rng(0), control=control
            )
            best = min(best, time.process_time() - begun)
        reached = rmse(mine.values, truth) / scale
        if reached <= error:
            break
    print(
        f"Shapley, 12 columns, {rows} rows, background 100: shap {taken:.2f} s, error {error:.3f}; own {best:.3f} s "
        f"with {pairs} pairs, error {reached:.3f}: {taken / best:.0f}x at equal error or better (goal 50x); the fit "
        "of the glass box, which an audit makes anyway, is not counted"
    )


def make_control(box, frame):
    from audit.evidence import FeatureUsed

    features = tuple(FeatureUsed(name=str(name), kind="number") for name in frame.columns)
    fits = fit_glassboxes(frame, features, link=box.link(frame), effort="fast", seed=0, n_jobs=1)
    return fits.models["net_surrogate"]


def rmse(one, other) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if importlib.util.find_spec("captum") is None:
        print("beside captum: captum is not installed, these lines are left out")
    else:
        for hidden in (32, 64, 128):
            compare_numbers(hidden)
        compare_embedded()
    compare_shapley()


if __name__ == "__main__":
    main()
