"""How unequally a benefit is shared: generalized entropy, of all people and between groups.

Comes in: counts of people by benefit, where a benefit is 0, 1 or 2. Goes out: indices, for one table or for many
resampled ones at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
BENEFITS = np.array([0.0, 1.0, 2.0])
"""Benefit of a person: 1 + decided favourably - deserved it; Speicher et al. (2018), section 3.2."""


def generalized_entropy(counts: NDArray[Any]) -> Floats:
    """Return half the squared coefficient of variation of the benefit (generalized entropy with exponent 2).

    Parameters
    ----------
    counts : array, shape [..., 3]
        People with benefit 0, 1 and 2.

    Returns
    -------
    array, shape [...]
        NaN where nobody has any benefit.

    Notes
    -----
    ``1/(2n) sum((b/m)^2 - 1)``; Shorrocks (1980), Econometrica 48:613.
    """
    share, mean = _shares(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(((share * BENEFITS**2).sum(axis=-1) / mean**2 - 1) / 2)


def theil_index(counts: NDArray[Any]) -> Floats:
    """Return Theil's index of the benefit (generalized entropy with exponent 1), in natural logarithms.

    Parameters
    ----------
    counts : array, shape [..., 3]
        People with benefit 0, 1 and 2.

    Notes
    -----
    ``1/n sum((b/m) log(b/m))``, with ``0 log 0 = 0``.
    """
    share, mean = _shares(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = BENEFITS / mean[..., None]
        return np.asarray((share * special.xlogy(relative, relative)).sum(axis=-1))


def between_group_entropy(counts: NDArray[Any]) -> Floats:
    """Return what of the generalized entropy (exponent 2) would remain if everybody had the mean benefit of the group.

    Parameters
    ----------
    counts : array, shape [..., groups, 3]
        People of each group with benefit 0, 1 and 2; groups of nobody add nothing.

    Notes
    -----
    ``1/2 sum(n_g/n ((m_g/m)^2 - 1))``; Speicher et al. (2018), Proposition 3.
    """
    return np.asarray((group_deviations(counts) ** 2).sum(axis=-1) / 2)


def group_deviations(counts: NDArray[Any]) -> Floats:
    """Return how far the mean benefit of each group lies from that of all.

    The vector's squared length is twice the entropy between groups.

    Parameters
    ----------
    counts : array, shape [..., groups, 3]
        People of each group with benefit 0, 1 and 2.

    Returns
    -------
    array, shape [..., groups]
        ``sqrt(n_g/n) (m_g/m - 1)``, 0 for a group of nobody; NaN where nobody has any benefit.
    """
    counts = np.asarray(counts, float)
    size, held = counts.sum(axis=-1), (counts * BENEFITS).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.sqrt(size / size.sum(axis=-1, keepdims=True))
        mean = held.sum(axis=-1, keepdims=True) / size.sum(axis=-1, keepdims=True)
        relative = np.where(size > 0, held / size, mean) / np.where(mean > 0, mean, np.nan)
        return np.asarray(weight * (relative - 1))


def _shares(counts: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the share of people by benefit, and the mean benefit, NaN where it is 0."""
    counts = np.asarray(counts, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counts / counts.sum(axis=-1, keepdims=True)
    mean = (share * BENEFITS).sum(axis=-1)
    return share, np.where(mean > 0, mean, np.nan)
