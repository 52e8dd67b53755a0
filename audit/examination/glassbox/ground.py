"""What stands still while a net is fitted: rows as slots, which slots weigh what, and the basis over them.

Comes in: encoded rows with weights. Goes out: a `Ground`, on which a `Problem` is posed for any target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from .basis import Basis, Block, build_basis
from .constraint import Chain
from .curvature import RowMap
from .design import SlotBlock, build_design, lay_out
from .encoder import Encoder, Floats, LevelCode, NumberCode
from .pairs import PairPlan, build_pair_design, draft_pairs
from .penalty import centre_weights
from .solver import Problem


@dataclass(frozen=True, slots=True)
class Ground:
    """Rows of a fit.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    slots : tuple of SlotBlock
        Where each feature's table stands.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    weights : ndarray of float64, shape [n]
        Row weights with mean one.
    design : scipy.sparse.csr_matrix, shape [n, slots + 1]
        Which slots each row looks up: features, pairs, intercept.
    mass : ndarray of float64, shape [slots + 1]
        Weight of the rows that touch each slot.
    directions : mapping of int to int
        Feature to 1 or -1 where a direction is imposed.
    plans : tuple of PairPlan
        Pairs.
    rows : RowMap or None
        Rows through the basis.
    """

    encoder: Encoder
    slots: tuple[SlotBlock, ...]
    encoded: Floats
    weights: Floats
    design: Any
    mass: Floats
    directions: Mapping[int, int]
    plans: tuple[PairPlan, ...] = ()
    rows: RowMap | None = None

    @property
    def own(self) -> int:
        """Slots of single features, before those of pairs."""
        return self.slots[-1].all.stop if self.slots else 0

    def with_full(self, full: Iterable[int]) -> Ground:
        """Return the ground with a basis in which these features have a coefficient per knot."""
        extra = draft_pairs(self.plans, self.encoded, self.mass[self.own : -1], self.own) if self.plans else ()
        basis = build_basis(
            self.encoder,
            self.slots,
            self.encoded,
            self.mass,
            full=frozenset(full),
            whole=frozenset(self.directions),
            extra=extra,
        )
        return replace(self, rows=RowMap(self.design, basis))

    def with_basis(self, like: Basis) -> Ground:
        """Return the ground with a basis as full as another."""
        return self.with_full(like.full)

    def with_plans(self, plans: Sequence[PairPlan]) -> Ground:
        """Return the ground with these pairs; a basis has to be given to it again."""
        if not plans:
            return self
        pairs = build_pair_design(plans, self.encoded)
        design = sp.hstack([self.design[:, :-1], pairs, self.design[:, -1:]], format="csr")
        mass = np.asarray(design.T @ self.weights)
        return replace(self, design=design, mass=mass, plans=tuple(plans), rows=None)

    def pose(self, target: Floats, *, logistic: bool) -> Problem:
        """Return the problem of one target, shape [n]."""
        assert self.rows is not None
        return Problem(
            rows=self.rows,
            target=target,
            weights=self.weights,
            logistic=logistic,
            centre=centre_weights(self.slots, self.mass),
            chains=tuple(self._list_chains(self.rows.basis)),
        )

    def curves(self) -> Iterator[tuple[Block, int]]:
        """Yield the blocks of numbers that have fewer coefficients than knots, with their features."""
        assert self.rows is not None
        by_start = {block.slots.start: block for block in self.rows.basis.dense}
        for j, (code, place) in enumerate(zip(self.encoder.codes, self.slots, strict=True)):
            block = by_start.get(place.start)
            if isinstance(code, NumberCode) and block is not None and 0 < block.size < code.knots.size - 1:
                yield block, j

    def centred(self, tables: Floats) -> Floats:
        """Move what is left of every table's weighted mean to the intercept.

        A missing value or a level that no row carries is left at zero, the average.
        """
        centred = tables.copy()
        shares = centre_weights(self.slots, self.mass)
        for block in self.slots:
            mean = float(shares[block.all] @ tables[block.all])
            centred[block.all] -= mean
            centred[-1] += mean
            for slot in (block.missing, block.unknown):
                if slot >= 0 and self.mass[slot] <= 0:
                    centred[slot] = 0.0
        return centred

    def pair_parts(self, tables: Floats) -> tuple[Floats, Floats]:
        """Return the pairs' slots of stacked tables, and their mass."""
        return tables[self.own : -1], self.mass[self.own : -1]

    def _list_chains(self, basis: Basis) -> Iterator[Chain]:
        """Yield the imposed orders among the coefficients."""
        by_start = {block.slots.start: block for block in basis.sparse}
        for j, direction in self.directions.items():
            place = self.slots[j]
            begin = by_start[place.start].columns.start
            yield Chain(begin, begin + place.size, direction)


def lay_ground(encoder: Encoder, encoded: Floats, weights: Floats, monotone: Mapping[str, str]) -> Ground:
    """Lay out rows.

    Parameters
    ----------
    encoder : Encoder
        The codes.
    encoded : ndarray of float64, shape [n, features]
        Rows.
    weights : ndarray of float64, shape [n]
        Row weights with mean one.
    monotone : mapping of str to str
        Feature to an imposed direction; a category has none, a boolean goes from False to True.
    """
    slots = lay_out(encoder)
    design = build_design(encoder, slots, encoded)
    directions = {}
    for j, (code, block) in enumerate(zip(encoder.codes, slots, strict=True)):
        direction = monotone.get(code.name, "")
        ordered = not isinstance(code, LevelCode) or code.levels == ("False", "True")
        if direction and ordered and block.size >= 2:
            directions[j] = 1 if direction == "increasing" else -1
    return Ground(encoder, slots, encoded, weights, design, np.asarray(design.T @ weights), directions)
