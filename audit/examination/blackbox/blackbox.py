"""What every black box can do, whatever file it came from.

Comes in: nothing. Goes out: the protocol that glass boxes and measures rely on. A format without gradients is first
class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from .output import OutputReading, Scale


class BlackBox(Protocol):
    """A model that was let in."""

    @property
    def format(self) -> str:
        """Format of the file, or ``python``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it reads, in order, each once."""

    @property
    def scale(self) -> Scale:
        """Scale of what it returns; several logits count as ``logit``, several probabilities as ``probability``."""

    @property
    def reading(self) -> OutputReading:
        """How its outputs become scores."""

    @property
    def has_gradients(self) -> bool:
        """Whether gradients reach its float inputs."""

    def raw(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the outputs as they come, float64, shape ``[n, outputs]``."""

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the decision scale, float64, shape ``[n]``.

        The decision scale is the probability of the positive class, or the value of a regression.
        """

    def link(self, frame: pd.DataFrame) -> np.ndarray:
        """Return scores on the link scale, float64, shape ``[n]``: log-odds of the positive class, or the value."""
