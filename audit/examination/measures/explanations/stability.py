"""Whether an explanation stays what it is: with another seed, and for a person who differs by next to nothing.

Comes in: a panel. Goes out: agreement of two independent halves of the Shapley values, and the largest change of an
attribution under small noise, per standard deviation of noise (Yeh and others 2019, who call it max-sensitivity).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import Measurement

from .numbers import mean_over_rows
from .panel import GRADIENTS, SHAPLEY, Panel, explain_by_gradients, explain_by_shapley
from .ranks import FEW, correlate_ranks, share_top

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

NOISE = 0.05
"""Noise in standard deviations of each number."""
DRAWS = 3
MOST_ROWS = {"fast": 20, "standard": 40, "thorough": 100}
ALL_EQUAL = "have attributions that are all equal"


def measure_seeds(panel: Panel) -> Iterator[Measurement]:
    """Yield how far two independent halves of the Shapley values agree.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    if panel.halves is None:
        return
    first, second = (np.abs(half.values) for half in panel.halves)
    note = f"two halves of {panel.permutations} orders each; the values shown elsewhere rest on both and vary less"
    correlation = mean_over_rows(correlate_ranks(first, second), least=-1, most=1, without=ALL_EQUAL, note=note)
    yield Measurement(metric="explanations.seed_correlation", estimate=correlation, outcome=SHAPLEY)
    if len(panel.columns) > FEW:
        top = mean_over_rows(share_top(first, second), least=0, most=1, note=note)
        yield Measurement(metric="explanations.seed_overlap", estimate=top, outcome=SHAPLEY)


def measure_sensitivity(panel: Panel) -> Iterator[Measurement]:
    """Yield the largest change of any attribution under small noise, by method.

    Parameters
    ----------
    panel : Panel
        Rows and explanations.
    """
    numbers = _spread(panel)
    if not numbers:
        panel.not_done["Small changes of the input"] = "the model reads no number that varies"
        return
    n = min(len(panel.people), MOST_ROWS[panel.case.config.effort])
    people = panel.people.iloc[:n]
    rng = panel.case.rng("explanations: noise")
    moved = [_add_noise(people, numbers, rng) for _ in range(DRAWS)]
    for name in (GRADIENTS, SHAPLEY):
        own = _explain_again(panel, name, people)
        others = [_explain_again(panel, name, rows) for rows in moved]
        if own is None or any(item is None for item in others):
            continue
        change = np.stack([np.abs(item - own).max(axis=1) for item in others if item is not None]).max(axis=0)
        estimate = mean_over_rows(
            change / panel.deviation / NOISE,
            least=0.0,
            note=f"largest of {DRAWS} draws of noise of {NOISE} standard deviations; what was not drawn may be larger",
        )
        yield Measurement(metric="explanations.sensitivity", estimate=estimate, outcome=name)


def _spread(panel: Panel) -> dict[str, tuple[float, float, float]]:
    """Return standard deviation and range of each number that varies."""
    found = {}
    for feature in panel.case.subject.features:
        if feature.kind != "number" or feature.name not in panel.columns:
            continue
        values = panel.case.frame[feature.name].to_numpy(dtype=np.float64)
        values = values[np.isfinite(values)]
        if values.size > 1 and values.min() < values.max():
            found[feature.name] = (float(values.std(ddof=1)), float(values.min()), float(values.max()))
    return found


def _add_noise(
    people: pd.DataFrame, numbers: dict[str, tuple[float, float, float]], rng: np.random.Generator
) -> pd.DataFrame:
    return people.assign(
        **{
            name: np.clip(people[name].to_numpy(float) + NOISE * sd * rng.standard_normal(len(people)), low, high)
            for name, (sd, low, high) in numbers.items()
        }
    )


def _explain_again(panel: Panel, name: str, people: pd.DataFrame) -> Floats | None:
    """Explain other rows by the same method; Shapley values with the same orders, so that only the rows differ."""
    if name == GRADIENTS:
        found = explain_by_gradients(panel, people) if panel.gradients is not None else None
        return None if found is None else found.values
    return explain_by_shapley(panel, "noise", people).values
