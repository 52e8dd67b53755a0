"""Nets with numbers and with embedded codes, and rows for them, shared by tests and benchmarks of attributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import nn

from audit.config.model import ModelInput
from audit.examination.blackbox.encode import Encoder
from audit.examination.blackbox.module import wrap_net
from audit.examination.blackbox.network import Network
from audit.examination.blackbox.output import OutputReading

LEVELS = ["a", "b", "c", "d", "e"]


def make_number_net(numbers: int, *, hidden: int, seed: int) -> nn.Module:
    """Return a ReLU net of plain layers with weights large enough to bend."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(numbers, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
    )
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=(2 / layer.in_features) ** 0.5)
    return net.eval()


class MixedNet(nn.Module):
    """Numbers and one table per code, joined."""

    def __init__(self, numbers: int, codes: int, hidden: int = 64) -> None:
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(len(LEVELS) + 1, 4) for _ in range(codes)])
        self.body = nn.Sequential(
            nn.Linear(numbers + 4 * codes, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, num: torch.Tensor, cat: torch.Tensor) -> torch.Tensor:
        parts = [num, *(table(cat[:, i]) for i, table in enumerate(self.tables))]
        return self.body(torch.cat(parts, 1)).squeeze(-1)


def make_mixed_net(*, numbers: int, codes: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return MixedNet(numbers, codes).eval()


def frame_of(rows: int, *, numbers: int, codes: int = 0, seed: int = 0) -> pd.DataFrame:
    """Return independent standard normal numbers ``n0 ...`` and evenly spread levels ``c0 ...``."""
    rng = np.random.default_rng(seed)
    made = {f"n{i}": rng.normal(size=rows) for i in range(numbers)}
    made |= {f"c{i}": rng.choice(LEVELS, rows).astype(object) for i in range(codes)}
    return pd.DataFrame(made)


def open_net(net: nn.Module, *, numbers: int, codes: int = 0, scale: str = "logit", **reading: int) -> Network:
    """Return a net as a black box; codes stand in an argument of their own."""
    block = {"kind": "numeric", "columns": [f"n{i}" for i in range(numbers)]}
    names = [f"c{i}" for i in range(codes)]
    inputs = [{"name": "num" if codes else "", "blocks": [block]}]
    if codes:
        coded = {"kind": "codes", "columns": names, "levels": dict.fromkeys(names, LEVELS), "unknown": 0, "offset": 1}
        inputs.append({"name": "cat", "blocks": [coded]})
    encoder = Encoder([ModelInput.model_validate(item) for item in inputs])
    box = Network(wrap_net(net, trust="made by a test"), encoder, OutputReading(scale, **reading), "python")
    box.has_gradients = True
    return box
