"""Selection rates of small groups, drawn towards the others: a description beside the plain rates.

Comes in: the groupings of single attributes. Goes out: for each known group the mean of its posterior under a prior
fitted to all groups. No verdict may rest on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from audit.evidence import Definition, Estimate, Measurement, undefined
from audit.statistics.bayes import BetaPrior, fit_beta_binomial

from .groups import Grouping
from .parts import Found, Scene
from .rates import LEVEL, Reading, count_by_group

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="fairness.selection_rate_shrunk",
        title="Selection rate, shrunk",
        formula="(people selected + mean x strength) / (people + strength), where mean and strength describe a beta "
        "distribution of the selection rates of all known groups, fitted by marginal likelihood; description only",
        source="Efron and Morris (1975), JASA 70:311; beta-binomial empirical Bayes",
    ),
)
"""One row per metric of this module."""

_ONLY = "description only, no verdict rests on it"
_METHOD = "beta-binomial empirical Bayes; interval of the posterior"


def measure_shrunk(scene: Scene) -> Found:
    """Describe the selection rates of every single attribute by empirical Bayes.

    Parameters
    ----------
    scene : Scene
        The case.
    """
    if scene.case.subject.decision is None:
        return Found()
    return Found(tuple(item for grouping in scene.singles for item in _of_attribute(grouping, scene.reading)))


def _of_attribute(grouping: Grouping, reading: Reading) -> Iterator[Measurement]:
    counts = count_by_group(grouping, "selection_rate", reading)
    places = [place for place, known in enumerate(grouping.known) if known]
    prior = fit_beta_binomial([counts[place] for place in places])
    for place in places:
        yield Measurement(
            metric="fairness.selection_rate_shrunk",
            estimate=_estimate(prior, *counts[place]),
            group=grouping.groups[place].scope,
        )


def _estimate(prior: BetaPrior | None, k: int, n: int) -> Estimate:
    """Return a group's posterior mean; without interval where all groups are drawn to one rate."""
    if prior is None:
        return undefined(
            "fewer than three groups, or nobody or everybody selected: the spread of the groups cannot be learned", n=n
        )
    mean, low, high = prior.posterior(k, n, LEVEL)
    alike = math.isnan(low)
    spread = (
        "the groups differ no more than chance makes them, so all are given the pooled rate"
        if alike
        else f"the prior counts for {prior.strength:.3g} people at {prior.mean:.1%}"
    )
    return Estimate(
        value=mean,
        low=None if alike else low,
        high=None if alike else high,
        level=LEVEL,
        n=n,
        method=_METHOD,
        note=f"{_ONLY}; {spread}",
        assessable=False,
    )
