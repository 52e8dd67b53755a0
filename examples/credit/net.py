"""The example's black box: a small multilayer perceptron. Also the factory that a safetensors file needs."""

from __future__ import annotations

import torch
from torch import nn


class CreditNet(nn.Module):
    """Two hidden layers with dropout; one logit per row.

    Parameters
    ----------
    inputs : int
        Width of the encoded row.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, 32), nn.SiLU(), nn.Dropout(0.1), nn.Linear(32, 16), nn.SiLU(), nn.Linear(16, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits, shape ``[n]``, for encoded rows, shape ``[n, inputs]``."""
        return self.layers(x).squeeze(-1)


def build(inputs: int = 19) -> CreditNet:
    """Return an untrained net; named as ``factory: net.py:build`` in an audit.yaml."""
    return CreditNet(inputs)
