"""Rows made of two: some columns of one row, the others of another; asked of a model as fast as its format allows.

Comes in: a function from rows to links, rows to explain, background rows. Goes out: a `Mixer`. A net is asked on rows
that were encoded once; anything else gets a table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from audit.examination.blackbox.network import Network

from .attribution import Floats

if TYPE_CHECKING:
    import pandas as pd

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Link = Callable[["pd.DataFrame"], Floats]


class Mixer(Protocol):
    """Answers to rows made of two."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are mixed."""

    def ask(self, rows: Whole, others: Whole, taken: Flags) -> Floats:
        """Return the link of mixed rows, shape [m].

        Parameters
        ----------
        rows, others : ndarray of int64, shape [m]
            Places among the rows to explain and among the background.
        taken : ndarray of bool, shape [m, columns]
            Columns that come from the row to explain.
        """

    def ask_rows(self) -> Floats:
        """Return the link of the rows to explain, shape [n]."""

    def ask_background(self) -> Floats:
        """Return the link of the background, shape [b]."""


class FrameMixer:
    """Mix tables.

    Parameters
    ----------
    link : callable
        From rows to links.
    frame, background : pandas.DataFrame
        Rows to explain and background, same columns.
    """

    def __init__(self, link: Link, frame: pd.DataFrame, background: pd.DataFrame) -> None:
        import pandas as pd

        self.columns = tuple(str(name) for name in frame.columns)
        self._link, self._frame, self._background = link, frame, background
        self._joined = pd.concat([frame, background[list(frame.columns)]], ignore_index=True)

    def ask(self, rows: Whole, others: Whole, taken: Flags) -> Floats:
        """Return the link of mixed rows."""
        import pandas as pd

        shift = len(self._frame)
        mixed = {
            name: self._joined[name].array.take(np.where(taken[:, j], rows, others + shift))
            for j, name in enumerate(self.columns)
        }
        return np.asarray(self._link(pd.DataFrame(mixed, copy=False)), dtype=np.float64)

    def ask_rows(self) -> Floats:
        """Return the link of the rows to explain."""
        return np.asarray(self._link(self._frame), dtype=np.float64)

    def ask_background(self) -> Floats:
        """Return the link of the background."""
        return np.asarray(self._link(self._background), dtype=np.float64)


class TensorMixer:
    """Mix encoded rows of a net: each column is encoded by itself, so that mixing and encoding may change places.

    Parameters
    ----------
    network : Network
        The net.
    frame, background : pandas.DataFrame
        Rows to explain and background.
    """

    def __init__(self, network: Network, frame: pd.DataFrame, background: pd.DataFrame) -> None:
        self.columns = network.columns
        self._network = network
        self._own, self._others = network.encode(frame), network.encode(background)
        self._places = [
            np.array([self.columns.index(name) for name in shape.columns]) for shape in network.input_shapes
        ]

    def ask(self, rows: Whole, others: Whole, taken: Flags) -> Floats:
        """Return the link of mixed rows."""
        arrays = [
            np.where(taken[:, places], own[rows], other[others])
            for own, other, places in zip(self._own, self._others, self._places, strict=True)
        ]
        return self._network.link_encoded(arrays)

    def ask_rows(self) -> Floats:
        """Return the link of the rows to explain."""
        return self._network.link_encoded(self._own)

    def ask_background(self) -> Floats:
        """Return the link of the background."""
        return self._network.link_encoded(self._others)


def open_mixer(link: Link, frame: pd.DataFrame, background: pd.DataFrame) -> Mixer:
    """Return the fastest mixer for a model's link; `link` may be the bound method of a model."""
    owner = getattr(link, "__self__", None)
    if isinstance(owner, Network):
        return TensorMixer(owner, frame, background)
    return FrameMixer(link, frame, background)
