"""The product of every glass box: lookup tables, one per feature, and a sum.

Comes in: knots or cuts with a value each. Goes out: a `TableBox` whose prediction is look-ups and a sum, O(features)
per row, the same for the additive net, for EBM, and for a table read back from a file. Nothing here fits anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .encoder import Encoder, Floats, LevelCode, NumberCode

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["linear", "step", "level"]
Link = Literal["logit", "softmax", "identity"]


@dataclass(frozen=True, slots=True)
class Term:
    """One feature's table, centred over the rows it was fitted on.

    Parameters
    ----------
    feature : str
        Feature.
    form : {"linear", "step", "level"}
        Straight between knots and flat beyond; constant between cuts; one value per level.
    at : ndarray of float64, shape [K]
        Knots (``linear``, K values) or cuts (``step``, K + 1 values; a value equal to a cut lies above it); empty for
        levels.
    levels : tuple of str
        Levels (``level``).
    y : ndarray of float64
        Contribution on the link scale.
    missing : float
        Contribution where the feature is missing.
    unknown : float
        Contribution of a level without a slot.
    low, high : ndarray of float64, same shape as `y`, or None
        Band.
    """

    feature: str
    form: Form
    at: Floats
    levels: tuple[str, ...]
    y: Floats
    missing: float = 0.0
    unknown: float = 0.0
    low: Floats | None = None
    high: Floats | None = None

    def look_up(self, x: Floats, table: Floats | None = None) -> Floats:
        """Return the contribution of each encoded value.

        Parameters
        ----------
        x : ndarray of float64, shape [n]
            Encoded column: number or position of the level, NaN missing, -1 unknown level.
        table : ndarray of float64, optional
            Another table over the same positions (an edge of the band) instead of `y`.
        """
        y = self.y if table is None else table
        if self.form == "linear":
            known = np.interp(x, self.at, y) if self.at.size else np.zeros(x.shape)
        elif self.form == "step":
            known = y[np.searchsorted(self.at, x, side="right")]
        else:
            known = np.append(y, self.unknown)[np.where(np.isnan(x), -1, x).astype(np.intp)]
        return np.where(np.isnan(x), self.missing, known)


def mix_rows(x: Floats, knots: Floats, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Return the two rows of a pair's table around each value, and the share of the second.

    Parameters
    ----------
    x : ndarray of float64, shape [n]
        Encoded column.
    knots : ndarray of float64, shape [K]
        Knots, which stand in rows 1 to K; empty for a category.
    rows : ndarray of int
        For a category: row for each level, then for a level without a slot; missing stands in row 0.
    """
    missing = np.isnan(x)
    if rows.size:
        row = np.where(missing, 0, rows[np.where(missing, -1, x).astype(np.intp)])
        return row, row, np.zeros(x.size)
    held = np.clip(np.where(missing, knots[0], x), knots[0], knots[-1])
    left = np.minimum(np.searchsorted(knots, held, side="right") - 1, knots.size - 2)
    share = np.where(missing, 0.0, (held - knots[left]) / (knots[left + 1] - knots[left]))
    return np.where(missing, 0, left + 1), np.where(missing, 0, left + 2), share


@dataclass(frozen=True, slots=True)
class PairTerm:
    """The table of two features together, purified: its means along both features are zero over the fitted rows.

    A row looks up its cell (``step``), or a mixture of the four knots around it (``linear``: bilinear, flat beyond).

    Parameters
    ----------
    features : tuple of two str
        The two features.
    columns : tuple of two int
        Their positions in the encoded matrix.
    cuts : tuple of two ndarrays
        Cuts (``step``) or knots (``linear``) of each feature; empty for a category.
    rows : tuple of two ndarrays of int
        For a category: row of the table for each level, then for a level without a slot; empty for a number.
    y : ndarray of float64, shape [A, B]
        Contributions; the first row and column stand for missing.
    form : {"step", "linear"}
        How numbers are looked up.
    """

    features: tuple[str, str]
    columns: tuple[int, int]
    cuts: tuple[Floats, Floats]
    rows: tuple[np.ndarray, np.ndarray]
    y: Floats
    form: Literal["step", "linear"] = "step"

    def look_up(self, encoded: Floats) -> Floats:
        """Return the contribution of each encoded row, shape [n]."""
        if self.form == "step":
            first, second = (self._index(encoded[:, self.columns[k]], k) for k in (0, 1))
            found: Floats = self.y[first, second]
            return found
        (a, b, right), (c, d, upper) = (
            mix_rows(encoded[:, self.columns[k]], self.cuts[k], self.rows[k]) for k in (0, 1)
        )
        low = (1 - right) * self.y[a, c] + right * self.y[b, c]
        high = (1 - right) * self.y[a, d] + right * self.y[b, d]
        return np.asarray((1 - upper) * low + upper * high)

    def _index(self, x: Floats, side: int) -> np.ndarray:
        missing = np.isnan(x)
        if self.rows[side].size:
            known = self.rows[side][np.where(missing, -1, x).astype(np.intp)]
        else:
            known = np.searchsorted(self.cuts[side], x, side="right") + 1
        return np.where(missing, 0, known)


@dataclass(frozen=True, slots=True)
class TableBox:
    """A glass box as tables.

    Parameters
    ----------
    name : str
        ``ebm_label``, ``net_label``, ``ebm_surrogate`` or ``net_surrogate``.
    link_name : str
        ``logit``, ``softmax`` or ``identity``: what the sum of contributions is.
    encoder : Encoder
        How columns become numbers.
    intercept : float
        Constant, link scale.
    terms : tuple of Term
        One per feature, in order.
    pairs : tuple of PairTerm
        Interactions.
    method : str
        What drew the curves, e.g. ``EBM term``.
    band : str
        What the bands are; empty where there are none.
    band_is_interval : bool
        Whether they are confidence bands.
    rows : int
        Rows it was fitted on.
    notes : tuple of str
        What a reader must know about this fit.
    output : str
        The class whose score this is, of several; empty where there is one output.
    """

    name: str
    link_name: Link
    encoder: Encoder
    intercept: float
    terms: tuple[Term, ...]
    pairs: tuple[PairTerm, ...] = ()
    method: str = ""
    band: str = ""
    band_is_interval: bool = False
    rows: int = 0
    notes: tuple[str, ...] = ()
    output: str = ""

    def link(self, frame: pd.DataFrame) -> Floats:
        """Return the score of each row on the link scale, shape [n]."""
        return self.link_encoded(self.encoder.encode(frame))

    def link_encoded(self, encoded: Floats) -> Floats:
        """Return the score on the link scale from an encoded matrix.

        Parameters
        ----------
        encoded : ndarray of float64, shape [n, features]
            As `Encoder.encode` gives it.
        """
        total = np.full(encoded.shape[0], self.intercept)
        for j, term in enumerate(self.terms):
            total += term.look_up(encoded[:, j])
        for pair in self.pairs:
            total += pair.look_up(encoded)
        return total


def empty_term(code: NumberCode | LevelCode) -> Term:
    """Return a table of zeros for a feature."""
    if isinstance(code, NumberCode):
        return Term(code.name, "linear", code.knots, (), np.zeros(code.knots.size))
    return Term(code.name, "level", np.empty(0), code.levels, np.zeros(len(code.levels)))
