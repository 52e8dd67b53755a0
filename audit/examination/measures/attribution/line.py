"""The straight line from a reference to each row, through everything in a net that is continuous.

Comes in: a net, rows, one reference row. Goes out: a `Line`: gradients at any place of it, added up by column. Numbers
and looked-up embeddings move together, on one line, so that one integral explains both.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import AuditError
from audit.examination.blackbox.network import Network

from .attribution import Floats, sum_pieces

if TYPE_CHECKING:
    import pandas as pd
    import torch

CHUNK = 1024
"""Rows whose gradients are taken at once: activations and their gradients then stay in the processor's cache."""


class Line:
    """Rows on their way from the reference.

    Parameters
    ----------
    network : Network
        The net.
    frame : pandas.DataFrame, shape [n, ...]
        Rows.
    baseline : pandas.DataFrame, shape [1, ...] or [n, ...]
        The reference, one for all rows or one for each.

    Raises
    ------
    ValueError
        A look-up that no one column is behind.
    """

    def __init__(self, network: Network, frame: pd.DataFrame, baseline: pd.DataFrame) -> None:
        self.network, self.columns = network, network.columns
        self.rows = len(frame)
        self._own = network.encode(frame)
        self._start = [
            array if len(array) == self.rows else np.repeat(array, self.rows, axis=0)
            for array in network.encode(baseline)
        ]
        self._names = tuple(shape.columns for shape in network.input_shapes)
        low, most = network.batch
        self.step = max(low, min(CHUNK, most))
        self._owner = self._find_owners()
        self.link, self.base = network.link_encoded(self._own), network.link_encoded(self._start)

    def _find_owners(self) -> list[np.ndarray]:
        from .embedded import map_lookups

        some = self.network.to_tensors([array[: self.step] for array in self._own])
        found = map_lookups(self.network.torch_link, some, map(self._swap, self.columns))
        if found is None:
            raise ValueError("a look-up of the net follows several columns at once")
        return found

    def _swap(self, column: str) -> tuple[list[torch.Tensor], list[torch.Tensor]] | None:
        """Return the first rows that differ from their reference in a column, with and without the difference."""
        mine = [np.array([item == column for item in names]) for names in self._names]
        differs = np.zeros(self.rows, dtype=bool)
        for own, start, here in zip(self._own, self._start, mine, strict=True):
            differs |= (own[:, here] != start[:, here]).any(axis=1)
        rows = np.flatnonzero(differs)[: self.step]
        if not rows.size:
            return None
        before = [own[rows] for own in self._own]
        after = [
            np.where(here[None, :], start[rows], own)
            for own, start, here in zip(before, self._start, mine, strict=True)
        ]
        return self.network.to_tensors(before), self.network.to_tensors(after)

    def integrate(self, rows: NDArray[np.int64], places: Floats, weights: Floats) -> Floats:
        """Return ``sum of weight * gradient * (row - reference)`` by column, shape [m, columns].

        Parameters
        ----------
        rows : ndarray of int64, shape [m]
            Which rows.
        places, weights : ndarray of float64, shape [k] or [m, k]
            Places on the line, 0 at the reference, and their weights; per row where two-dimensional.
        """
        step = self.step
        parts = [
            self._integrate_chunk(
                rows[at : at + step],
                places if places.ndim == 1 else places[at : at + step],
                weights if weights.ndim == 1 else weights[at : at + step],
            )
            for at in range(0, len(rows), step)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.columns)))

    def _integrate_chunk(self, rows: NDArray[np.int64], places: Floats, weights: Floats) -> Floats:
        import torch

        moving = self.move(rows)
        totals, together = [torch.zeros_like(step) for step in moving.steps], moving.together
        for k in range(0, places.shape[-1], together):
            here = slice(k, k + together)
            grads = moving.gradients(_per_row(places[..., here], moving.length))
            weight = _per_row(weights[..., here], moving.length)
            for total, grad in zip(totals, grads, strict=True):
                if isinstance(weight, float):
                    total.add_(grad, alpha=weight)
                else:
                    total.add_((grad.reshape(-1, *total.shape) * _like(weight, total)).sum(dim=0))
        return moving.add_up([total * step for total, step in zip(totals, moving.steps, strict=True)])

    def move(self, rows: NDArray[np.int64]) -> Moving:
        """Return some of the rows with everything of them that moves."""
        own = self.network.to_tensors([array[rows] for array in self._own])
        start = self.network.to_tensors([array[rows] for array in self._start])
        return Moving(self, own, start, len(rows))

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Column behind each position of each forward argument."""
        return self._names

    @property
    def owners(self) -> list[np.ndarray]:
        """Column behind each position of each look-up."""
        return self._owner


class Moving:
    """One chunk of rows, and what of it moves: float arguments first, then look-ups.

    Parameters
    ----------
    line : Line
        The line.
    own, start : list of torch.Tensor
        Arguments of the net at the rows and at the reference.
    rows : int
        Rows that are asked for; the tensors may hold more.
    """

    def __init__(self, line: Line, own: list[torch.Tensor], start: list[torch.Tensor], rows: int) -> None:
        from .embedded import listen

        self._line, self._own, self._rows = line, own, rows
        call = line.network.torch_link
        self._floats = [at for at, tensor in enumerate(own) if tensor.is_floating_point()]
        here = [found for _, found in listen(call, own)] if line.owners else []
        there = [found for _, found in listen(call, start)] if line.owners else []
        if [item.shape for item in here] != [item.shape for item in there] or len(here) != len(line.owners):
            raise ValueError("the net looks up other tables for other rows")
        self.stop = [own[at] for at in self._floats] + here
        self.start = [start[at] for at in self._floats] + there
        self.steps = [mine - other for mine, other in zip(self.stop, self.start, strict=True)]

    @property
    def net(self) -> Any:
        """What is called with tensors."""
        return self._line.network.net

    @property
    def length(self) -> int:
        """Rows of the tensors, which some nets want to be at least two."""
        return len(self._own[0])

    def link(self, leaves: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the link where these tensors stand in place of float arguments and look-ups, shape [n].

        Parameters
        ----------
        leaves : sequence of torch.Tensor
            As `stop` and `start`; several times as long where several batches are asked at once.
        """
        from .embedded import Replacer

        floats = len(self._floats)
        times = len(leaves[0]) // len(self._own[0]) if leaves else 1
        tensors = [own if times == 1 else own.repeat(times, *([1] * (own.ndim - 1))) for own in self._own]
        for at, leaf in zip(self._floats, leaves, strict=False):
            tensors[at] = leaf
        with Replacer(leaves[floats:]) if leaves[floats:] else nullcontext():
            return self._line.network.torch_link(tensors)

    @property
    def together(self) -> int:
        """Places of the line that are asked for in one call: several where rows are few and none is held fixed."""
        own = all((owner >= 0).any() for owner in self._line.owners)  # else it may be a table of positions
        return max(1, self._line.step // self.length) if own and not self._line.network.is_fixed else 1

    def gradients(self, place: Any) -> list[torch.Tensor]:
        """Return the gradient of the link per moving tensor.

        Parameters
        ----------
        place : float or torch.Tensor, shape [k, rows]
            One place of the line, or `k` of them for each row, whose gradients then follow each other.
        """
        import torch

        leaves = [
            torch.add(start, step, alpha=place)
            if isinstance(place, float)
            else (start + _like(place, step) * step).flatten(0, 1)
            for start, step in zip(self.start, self.steps, strict=True)
        ]
        for leaf in leaves:
            leaf.requires_grad_(True)
        with torch.enable_grad():
            link = self.link(leaves)
            if not link.requires_grad:
                return [torch.zeros_like(leaf) for leaf in leaves]
            found = torch.autograd.grad(link.sum(), leaves, allow_unused=True)
        return [torch.zeros_like(leaf) if grad is None else grad for leaf, grad in zip(leaves, found, strict=True)]

    def add_up(self, parts: list[torch.Tensor]) -> Floats:
        """Return contributions by column, shape [rows, columns]; where both ends are missing nothing moves."""
        columns = self._line.columns
        total = np.zeros((self._rows, len(columns)))
        floats = len(self._floats)
        for at, part in zip(self._floats, parts[:floats], strict=True):
            pieces = np.nan_to_num(part.double().numpy()[: self._rows]).reshape(self._rows, -1)
            total += sum_pieces(pieces, self._line.names[at], columns)
        for owner, part in zip(self._line.owners, parts[floats:], strict=True):
            moved = owner >= 0
            if moved.any():
                pieces = part.double().sum(dim=-1).numpy()[: self._rows].reshape(self._rows, -1)
                names = tuple(columns[place] for place in owner[moved])
                total += sum_pieces(pieces[:, moved], names, columns)
        return total


def _per_row(values: Floats, rows: int) -> Any:
    """Return one number for all rows as it is, else a tensor of shape [k, rows], as long as the net's input."""
    import torch

    if values.shape == (1,):
        return float(values[0])
    if values.ndim == 1:
        return torch.from_numpy(np.repeat(values[:, None], rows, axis=1))
    lacking = np.repeat(values[-1:], rows - len(values), axis=0)
    return torch.from_numpy(np.concatenate([values, lacking]).T.copy())


def _like(place: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """Return numbers of shape [k, rows] in a form that multiplies `tensor` row by row."""
    return place.to(tensor.dtype).reshape(*place.shape, *([1] * (tensor.ndim - 1)))


def open_line(blackbox: object, frame: pd.DataFrame, baseline: pd.DataFrame) -> Line | None:
    """Return the line through a model, or None where it has no gradients or its look-ups cannot be told apart."""
    if not isinstance(blackbox, Network):
        return None
    try:
        line = Line(blackbox, frame, baseline)
        found = line.integrate(np.arange(min(2, line.rows)), np.array([0.5]), np.array([1.0]))
    except (AuditError, RuntimeError, ValueError, IndexError):
        return None
    return line if np.isfinite(found).all() else None
