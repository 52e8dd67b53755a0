"""One small network per feature and replica, all in one batched product, asked only about the knots.

Comes in: the grids of a `Ground`. Goes out: `SubNets`, whose forward pass gives every replica's stacked tables, centred
over the rows. Blocks never mix; a pair has a block of its own over the cells of its grid.

The input of a knot is its rank and its value, with eight learned frequencies (the periodic embedding of Gorishniy et
al. 2022, On embeddings for numerical features); then two hidden layers of 16 and a linear path around them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .encoder import Floats, LevelCode, NumberCode
from .ground import Ground
from .pairs import Side
from .penalty import centre_weights, rank_positions, unit_positions

FREQUENCIES = 8
SIGMA = 1.2
HIDDEN = 16
LEVEL_INPUTS = 4


class BlockStack(nn.Module):
    """Networks of equal size side by side.

    Parameters
    ----------
    inputs : Tensor, shape [blocks, points, coordinates]
        What each block is asked.
    replicas, outputs : int
        Replicas of each block, outputs of each.
    draw : torch.Generator
        Draws the first weights.
    """

    inputs: Tensor

    def __init__(self, inputs: Tensor, replicas: int, outputs: int, draw: torch.Generator) -> None:
        super().__init__()
        blocks, _, coordinates = inputs.shape
        batch = blocks * replicas
        self.replicas, self.outputs = replicas, outputs
        self.register_buffer("inputs", inputs.repeat_interleave(replicas, dim=0))
        wide = coordinates * (1 + 2 * FREQUENCIES)

        def normal(*shape: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape, generator=draw) * scale)

        self.frequencies = normal(batch, 1, coordinates, FREQUENCIES, scale=SIGMA)
        self.first = normal(batch, wide, HIDDEN, scale=wide**-0.5)
        self.second = normal(batch, HIDDEN, HIDDEN, scale=HIDDEN**-0.5)
        self.last = normal(batch, HIDDEN, outputs, scale=0.1 * HIDDEN**-0.5)
        self.skip = nn.Parameter(torch.zeros(batch, coordinates, outputs))
        self.biases = nn.ParameterList([torch.zeros(batch, 1, HIDDEN), torch.zeros(batch, 1, HIDDEN)])

    def forward(self) -> Tensor:
        """Return values, shape [blocks, replicas, points, outputs]."""
        x = self.inputs
        turns = (2 * torch.pi * x[..., None] * self.frequencies).flatten(-2)
        hidden = torch.cat([x, turns.sin(), turns.cos()], dim=-1)
        hidden = nn.functional.silu(torch.baddbmm(self.biases[0], hidden, self.first))
        hidden = nn.functional.silu(torch.baddbmm(self.biases[1], hidden, self.second))
        values = torch.baddbmm(torch.bmm(hidden, self.last), x, self.skip)
        return values.reshape(-1, self.replicas, *values.shape[1:])


class SubNets(nn.Module):
    """All blocks of all replicas.

    Parameters
    ----------
    ground : Ground
        Grids, row shares, imposed directions, pairs.
    replicas, outputs : int
        Replicas, and outputs of each.
    draw : torch.Generator
        Draws the first weights.
    """

    shares: Tensor
    place: Tensor

    def __init__(self, ground: Ground, replicas: int, outputs: int, draw: torch.Generator) -> None:
        super().__init__()
        slots = ground.mass.size
        self.shape = (replicas, slots, outputs)
        self.slots = ground.slots
        self.numbers = [
            (j, place, ground.directions.get(j, 0))
            for j, (code, place) in enumerate(zip(ground.encoder.codes, ground.slots, strict=True))
            if isinstance(code, NumberCode) and place.size >= 2
        ]
        self.curves = BlockStack(self._curve_inputs(ground), replicas, outputs, draw) if self.numbers else None
        self.plans = ground.plans
        self.planes = nn.ModuleList(
            BlockStack(_plane_inputs(ground, plan.sides, draw)[None], replicas, outputs, draw) for plan in ground.plans
        )
        self.free = nn.Parameter(torch.zeros(replicas, slots, outputs))
        self.register_buffer("shares", torch.from_numpy(centre_weights(ground.slots, ground.mass)).float())
        free = np.zeros(slots, dtype=np.float32)
        for code, block in zip(ground.encoder.codes, ground.slots, strict=True):
            free[block.all if isinstance(code, LevelCode) else block.missing] = 1.0
        free[(ground.mass <= 0)] = 0.0
        free[-1] = 1.0
        self.register_buffer("place", torch.from_numpy(free))
        self.ordered_levels = [
            (ground.slots[j], sign)
            for j, sign in ground.directions.items()
            if isinstance(ground.encoder.codes[j], LevelCode)
        ]

    def set_intercept(self, values: Floats) -> None:
        """Begin at these intercepts, shape [outputs]."""
        with torch.no_grad():
            self.free[:, -1] = torch.from_numpy(np.asarray(values)).to(self.free)

    def forward(self) -> Tensor:
        """Return every replica's tables, shape [replicas, slots + 1, outputs], centred over the rows."""
        tables = self.free * self.place[:, None]
        if self.curves is not None:
            values = self.curves()
            for k, (_, block, sign) in enumerate(self.numbers):
                curve = values[k, :, : block.size]
                tables = tables.index_copy(1, _range(block.main, tables), _directed(curve, sign))
        for block, sign in self.ordered_levels:
            tables = tables.index_copy(1, _range(block.main, tables), _directed(tables[:, block.main], sign))
        tables = tables - self._means(tables)
        start = self.slots[-1].all.stop if self.slots else 0
        for plan, plane in zip(self.plans, self.planes, strict=True):
            cells = slice(start, start + plan.size)
            tables = tables.index_copy(1, _range(cells, tables), plane()[0])
            start += plan.size
        return tables

    def _means(self, tables: Tensor) -> Tensor:
        means = torch.zeros_like(tables)
        for block in self.slots:
            mean = torch.einsum("s,rso->ro", self.shares[block.all], tables[:, block.all])
            size = block.all.stop - block.all.start
            means = means.index_copy(1, _range(block.all, tables), mean[:, None].expand(-1, size, -1).contiguous())
        return means

    def _curve_inputs(self, ground: Ground) -> Tensor:
        longest = max(block.size for _, block, _ in self.numbers)
        inputs = np.zeros((len(self.numbers), longest, 2), dtype=np.float32)
        for k, (j, block, _) in enumerate(self.numbers):
            code = ground.encoder.codes[j]
            assert isinstance(code, NumberCode)
            inputs[k, : block.size] = _coordinates(code.knots, ground.encoded[:, j])
        return torch.from_numpy(inputs)


def _directed(curve: Tensor, sign: int) -> Tensor:
    """Return a curve that rises or falls where that is imposed: sums of steps that cannot turn back."""
    if not sign:
        return curve
    steps = nn.functional.softplus(curve[:, 1:] - 3.0)
    return sign * torch.cat([torch.zeros_like(curve[:, :1]), steps.cumsum(dim=1)], dim=1)


def _coordinates(knots: Floats, x: Floats) -> Floats:
    return np.stack([rank_positions(knots, np.sort(x[np.isfinite(x)])), unit_positions(knots)], axis=1)


def _plane_inputs(ground: Ground, sides: tuple[Side, Side], draw: torch.Generator) -> Tensor:
    """Return the coordinates of every cell; a level has a few random ones, missing has zeros."""
    parts = []
    for side in sides:
        if side.rows.size:
            rows = torch.randn(side.size, LEVEL_INPUTS, generator=draw)
            rows[0] = 0
        else:
            own = _coordinates(side.knots, ground.encoded[:, side.column]).astype(np.float32)
            rows = torch.cat([torch.zeros(1, 2), torch.from_numpy(own)])
        parts.append(rows)
    first, second = parts
    return torch.cat([first.repeat_interleave(second.shape[0], dim=0), second.repeat(first.shape[0], 1)], dim=1)


def _range(slots: slice, like: Tensor) -> Tensor:
    return torch.arange(slots.start, slots.stop, device=like.device)
