"""How long it takes to find a way for 1,000 people decided against, and what the ways cost. Run by hand.

``python tests/benchmarks/recourse.py [ROWS]``
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
import torch

from audit.examination.measures.decisions.levers import Lever
from audit.examination.measures.decisions.recourse import search_recourse
from audit.examination.measures.robustness.probe import Answer

MUTABLE = 5
FEATURES = 20


def main(rows: int = 1_000) -> None:
    """Search ways for people whom an untrained net of 128 by 128 units decides against; print time and cost."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    layers = (torch.nn.Linear(FEATURES, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU())
    net = torch.nn.Sequential(*layers, torch.nn.Linear(128, 1)).eval()
    rng = np.random.default_rng(0)
    names = [f"x{j}" for j in range(FEATURES)]
    everybody = pd.DataFrame(rng.standard_normal((20 * rows, FEATURES)), columns=names)
    with torch.no_grad():
        base = net(torch.tensor(everybody.to_numpy(np.float32)))[:, 0].double().numpy()
    cut = float(np.quantile(base, 0.6))
    asked = 0

    def ask(people: pd.DataFrame) -> Answer:
        nonlocal asked
        asked += len(people)
        with torch.no_grad():
            link = net(torch.tensor(people[names].to_numpy(np.float32)))[:, 0].double().numpy() - cut
        return Answer(1 / (1 + np.exp(-20 * link)), link >= 0)

    denied = everybody[base < cut].iloc[:rows].reset_index(drop=True)
    grid = [np.quantile(everybody[name], np.linspace(0.01, 0.99, 25)) for name in names]
    levers = [Lever(name, values, 1.0, whole=False) for name, values in zip(names[:MUTABLE], grid, strict=False)]
    begun, cpu = time.perf_counter(), time.process_time()
    found = search_recourse(ask, denied, levers, 1.0, is_value=False)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    changes = (found.order >= 0).sum(axis=1)[found.found]
    sys.stdout.write(
        f"{len(denied):,} people, {MUTABLE} of {FEATURES} features mutable: {seconds:.2f} s ({cpu:.2f} s of "
        f"processor), "
        f"{asked:,} rows asked; a way for {found.found.mean():.1%}, cost {np.nanmean(found.cost):.2f} sd, "
        f"{changes.mean():.2f} features\n"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
