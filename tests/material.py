"""Small tables and nets that tests share; no fixture lives here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def make_table(rows: int = 600, seed: int = 7):
    """Return applicants with a known truth: income and debts matter, age bends, the group `B` is smaller."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    income = rng.gamma(4.0, 8.0, rows)
    debts = rng.gamma(2.0, 3.0, rows)
    age = rng.integers(18, 80, rows).astype(float)
    sex = rng.choice(["F", "M"], rows)
    region = rng.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2])
    truth = 0.08 * (income - 32) - 0.25 * (debts - 6) - 0.001 * (age - 45) ** 2 + 0.9
    repaid = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(int)
    return pd.DataFrame(
        {
            "applicant": [f"a{i:05d}" for i in range(rows)],
            "income": income.round(2),
            "debts": debts.round(2),
            "age": age,
            "sex": sex,
            "region": region,
            "repaid": repaid,
        }
    )


def make_net():
    """Return a tiny net whose logit follows the truth of `make_table` closely; no training."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = torch.nn.Linear(3, 3)
            self.out = torch.nn.Linear(3, 1)
            with torch.no_grad():
                self.hidden.weight.copy_(torch.tensor([[0.08, -0.25, 0.0], [0.0, 0.0, 0.03], [0.0, 0.0, -0.03]]))
                self.hidden.bias.copy_(torch.tensor([5.0, -1.35, 1.35]))
                self.out.weight.copy_(torch.tensor([[1.0, -1.0, -1.0]]))
                self.out.bias.copy_(torch.tensor([-5.0]))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(torch.relu(self.hidden(x))).squeeze(-1)

    return Net().eval()
