"""The additive net as a torch module: a hinge layer with fixed knots, then a linear output, block by block.

Comes in: the tables of a solved net. Goes out: an `nn.Module` whose forward pass gives the same scores, for whoever
wants to continue in torch: gradients, export, further training. Features never mix, so every term can be read alone.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from audit.errors import AuditError

from .shapes import PairTerm, TableBox, Term


class HingeLayer(nn.Module):
    """One saturating hinge per gap between knots, and one unit that says "missing".

    Parameters
    ----------
    knots : Tensor, shape [features, K]
        Ascending; short rows are padded with infinity.

    Notes
    -----
    ``relu(u) - relu(u - 1)`` with ``u = (x - t_k) / (t_{k+1} - t_k)``: the difference of two ReLU hinges, computed as
    one clamp because the difference itself loses digits far from the knot.
    """

    knots: Tensor
    widths: Tensor

    def __init__(self, knots: Tensor) -> None:
        super().__init__()
        widths = knots[:, 1:] - knots[:, :-1]
        self.register_buffer("knots", torch.where(torch.isfinite(knots[:, :-1]), knots[:, :-1], torch.inf))
        self.register_buffer("widths", torch.where(torch.isfinite(widths), widths, torch.ones_like(widths)))

    def forward(self, x: Tensor) -> Tensor:
        """Return hidden units, shape ``[n, features, K]``: K - 1 hinges, then the missing unit.

        Parameters
        ----------
        x : Tensor, shape [n, features]
            NaN where missing.
        """
        missing = torch.isnan(x)
        edge = torch.finfo(x.dtype)
        held = torch.nan_to_num(x, nan=edge.min, posinf=edge.max, neginf=edge.min)
        hinges = torch.clamp((held.unsqueeze(-1) - self.knots) / self.widths, 0.0, 1.0)
        return torch.cat([hinges, missing.unsqueeze(-1).to(x.dtype)], dim=-1)


class BlockLinear(nn.Module):
    """One linear map per feature, never across features.

    Parameters
    ----------
    weight : Tensor, shape [features, units]
        Output weights.
    bias : Tensor, shape [features]
        Value at the first knot.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return each feature's contribution, shape ``[n, features]``."""
        return (hidden * self.weight).sum(dim=-1) + self.bias


class AdditiveNet(nn.Module):
    """Hinge layer, block-linear output, sum.

    Parameters
    ----------
    box : TableBox
        Tables of a solved net; numbers by knots, categories by levels.

    Raises
    ------
    AuditError
        The glass box holds step functions, which no net of hinges can be.
    """

    def __init__(self, box: TableBox) -> None:
        super().__init__()
        if "step" in {*(term.form for term in box.terms), *(pair.form for pair in box.pairs)}:
            raise AuditError("only an additive box with straight pieces can be written as a hinge net")
        places = [_places(term) for term in box.terms]
        width = max((p.size for p, _, _ in places), default=1)
        knots = np.full((len(places), width + 1), np.inf)
        weight = np.zeros((len(places), width + 1))
        bias = np.zeros(len(places))
        for j, (at, values, missing) in enumerate(places):
            knots[j, : at.size] = at
            weight[j, : at.size - 1] = np.diff(values)
            weight[j, -1] = missing - values[0]
            bias[j] = values[0]
        self.hinges = HingeLayer(torch.from_numpy(knots))
        self.output = BlockLinear(torch.from_numpy(weight), torch.from_numpy(bias))
        self.pairs = nn.ModuleList(PairBlock(pair) for pair in box.pairs)
        self.intercept = nn.Parameter(torch.tensor(box.intercept, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return the score on the link scale, shape ``[n]``.

        Parameters
        ----------
        x : Tensor of float64, shape [n, features]
            Encoded rows: numbers, positions of levels, NaN missing, -1 for a level without a slot.
        """
        total: Tensor = self.contributions(x).sum(dim=-1) + self.intercept
        for pair in self.pairs:
            total = total + pair(x)
        return total

    def contributions(self, x: Tensor) -> Tensor:
        """Return each feature's part of the score, shape ``[n, features]``."""
        terms: Tensor = self.output(self.hinges(x))
        return terms


class PairBlock(nn.Module):
    """The block of two features: hinges on either side, then one weight per cell of their grid.

    Parameters
    ----------
    pair : PairTerm
        A bilinear table.
    """

    def __init__(self, pair: PairTerm) -> None:
        super().__init__()
        self.columns = pair.columns
        sides = [
            torch.from_numpy(np.array(knots if knots.size else np.arange(-1.0, rows.size - 1), dtype=np.float64))
            for knots, rows in zip(pair.cuts, pair.rows, strict=True)
        ]
        self.hinges = nn.ModuleList(HingeLayer(knots[None]) for knots in sides)
        # a level's code finds its row of the table; a category's code -1 is the level without a slot
        first, second = (
            np.concatenate([[0], np.roll(rows, 1)]) if rows.size else np.arange(pair.y.shape[k])
            for k, rows in enumerate(pair.rows)
        )
        self.cells = nn.Parameter(torch.from_numpy(pair.y[np.ix_(first, second)].copy()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the pair's contribution, shape ``[n]``."""
        a, b = (_shares(hinges(x[:, j : j + 1])[:, 0]) for hinges, j in zip(self.hinges, self.columns, strict=True))
        return ((a @ self.cells) * b).sum(dim=-1)


def _shares(hidden: Tensor) -> Tensor:
    """Return the share of missing and of each knot in a value, from its hinges: they sum to one."""
    hinges, missing = hidden[:, :-1], hidden[:, -1:]
    ones = torch.ones_like(missing)
    falling = torch.cat([ones, hinges], dim=1) - torch.cat([hinges, torch.zeros_like(missing)], dim=1)
    return torch.cat([missing, falling * (1.0 - missing)], dim=1)


def _places(term: Term) -> tuple[np.ndarray, np.ndarray, float]:
    """Return positions, values and the missing value of a table; a category's unknown level stands at -1."""
    if term.form == "level":
        return np.arange(-1.0, len(term.levels)), np.concatenate([[term.unknown], term.y]), term.missing
    if not term.at.size:
        return np.zeros(1), np.zeros(1), term.missing
    return term.at, term.y, term.missing
