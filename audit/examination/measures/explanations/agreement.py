"""How far methods agree with each other and with the glass boxes, and with what people expect.

Comes in: a panel. Goes out: for every pair of methods rank correlation, common largest features and common signs; for
every feature with a declared direction how often attributions point that way.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement

from .numbers import mean_over_rows, share_of_rows
from .panel import GRADIENTS, Panel
from .ranks import FEW, correlate_ranks, share_signs, share_top
from .stability import ALL_EQUAL

Floats = NDArray[np.float64]

NEAR = 0.1
"""Distance from the reference, in standard deviations, below which the sign of an attribution says nothing."""


def name_pair(first: str, second: str) -> str:
    """Return the name under which the agreement of two methods stands."""
    return f"{first} and {second}"


def measure_agreement(panel: Panel) -> Iterator[Measurement]:
    """Yield rank correlation, overlap and signs of every pair of methods.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    width = len(panel.columns)
    for (first, mine), (second, other) in combinations(panel.methods.items(), 2):
        pair = name_pair(first, second)
        ranks = correlate_ranks(np.abs(mine), np.abs(other))
        yield Measurement(
            metric="explanations.agreement_correlation",
            estimate=mean_over_rows(ranks, least=-1, most=1, without=ALL_EQUAL),
            outcome=pair,
        )
        if width <= FEW:
            continue
        chance = f"two orders at random would share {FEW / width:.2f}"
        yield Measurement(
            metric="explanations.agreement_overlap",
            estimate=mean_over_rows(share_top(mine, other), least=0, most=1, note=chance),
            outcome=pair,
        )
        signs = (share_signs(mine, other) + share_signs(other, mine)) / 2
        yield Measurement(
            metric="explanations.agreement_sign", estimate=mean_over_rows(signs, least=0, most=1), outcome=pair
        )


def measure_expected(panel: Panel) -> Iterator[Measurement]:
    """Yield, for every feature with a declared direction, how often attributions point that way.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.

    Notes
    -----
    A value above the reference should add to the score where `increasing` was declared, and take from it below. The
    reference of gradients is the typical row, of all others the background's mean.
    """
    for feature in panel.case.subject.features:
        if not feature.expected or feature.kind != "number" or feature.name not in panel.columns:
            continue
        at, sign = panel.columns.index(feature.name), 1.0 if feature.expected == "increasing" else -1.0
        x = panel.people[feature.name].to_numpy(dtype=np.float64)
        usual = panel.background[feature.name].to_numpy(dtype=np.float64)
        unit = float(np.nanstd(usual))
        for method, values in panel.methods.items():
            centre = panel.typical[feature.name].iloc[0] if method == GRADIENTS else np.nanmean(usual)
            far = np.abs(x - float(centre)) > NEAR * unit  # False where the value is missing
            told = far & (np.abs(values[:, at]) > 1e-9 * panel.deviation)
            same = sign * (x - float(centre)) * values[:, at] > 0
            note = f"{int((~told).sum()):,} rows near the reference, or without any attribution, are left out"
            yield Measurement(
                metric="explanations.expected_share",
                estimate=share_of_rows(same[told], note),
                feature=feature.name,
                outcome=method,
            )
