"""Principal reasons of decisions against people: what sets them apart from those who were decided for.

Comes in: people decided against. Goes out: `Reasons`: column Shapley values with the favoured as background, ordered as
a notice of adverse action orders them (most harmful first), and whether correcting one reason helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import AuditError
from audit.examination.measures.attribution.shapley import sample_shapley
from audit.examination.measures.explanations.panel import choose_control
from audit.examination.measures.explanations.ranks import top_places

from .denied import Denied

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

PERMUTATIONS = {"fast": 16, "standard": 32, "thorough": 64}
"""Orders of the features drawn for each half of the Shapley values, by effort."""
NOTHING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Reasons of some people.

    Parameters
    ----------
    people : pandas.DataFrame, shape [n, ...]
        The people.
    harm : ndarray of float64, shape [n, columns]
        What each column takes from the good side of the score, compared with the favoured, link scale.
    error : ndarray of float64, shape [n, columns]
        Standard errors.
    halves : tuple of two ndarrays, shape [n, columns]
        The same from two independent halves.
    given : ndarray of int64, shape [n, reasons]
        Columns given as reasons, the most harmful first; -1 where there are no more that harm.
    link : ndarray of float64, shape [n]
        Scores on the link scale.
    """

    people: pd.DataFrame
    harm: Floats
    error: Floats
    halves: tuple[Floats, Floats]
    given: Whole
    link: Floats

    def among(self, column: int) -> Flags:
        """Return for whom a column is among the reasons."""
        return np.asarray((self.given == column).any(axis=1))


def find_reasons(denied: Denied, people: pd.DataFrame, most: int, use: str) -> Reasons:
    """Return the principal reasons of some people.

    Parameters
    ----------
    denied : Denied
        Model, background and the good side of the score.
    people : pandas.DataFrame, shape [n, ...]
        Rows to explain.
    most : int
        Most reasons each.
    use : str
        What they are for; orders are drawn anew for another use.
    """
    box = denied.case.blackbox
    assert box is not None
    parts = [
        sample_shapley(
            box.link,
            people[list(denied.columns)],
            denied.background,
            permutations=PERMUTATIONS[denied.case.config.effort],
            rng=denied.case.rng(f"reasons, {use}, {half} half"),
            control=choose_control(denied.case),
        )
        for half in ("first", "second")
    ]
    denied.ask.asked += sum(part.evaluations for part in parts)
    first, second = (-denied.sign * part.values for part in parts)
    errors = [part.se if part.se is not None else np.zeros_like(first) for part in parts]
    harm = (first + second) / 2
    error = np.sqrt(errors[0] ** 2 + errors[1] ** 2) / 2
    return Reasons(people, harm, error, (first, second), choose_reasons(harm, most), parts[0].link)


def choose_reasons(harm: Floats, most: int) -> Whole:
    """Return the columns that harm most, the most harmful first, -1 where no more of them harm.

    Parameters
    ----------
    harm : ndarray of float64, shape [n, columns]
        Harm by column.
    most : int
        Most reasons.
    """
    places = top_places(harm, min(most, harm.shape[1]))
    size = np.take_along_axis(harm, places, axis=1)
    least = NOTHING * np.abs(harm).max(axis=1, keepdims=True, initial=0.0)
    return np.where(size > least, places, -1)


def try_corrections(denied: Denied, reasons: Reasons) -> Flags:
    """Return whether giving a person the typical value of the favoured raises the score, column by column.

    Parameters
    ----------
    denied : Denied
        Model and typical row.
    reasons : Reasons
        People and scores.

    Returns
    -------
    ndarray of bool, shape [n, columns]
        False where it changes nothing, and where the model takes no such row.
    """
    box = denied.case.blackbox
    assert box is not None
    helps = np.zeros(reasons.harm.shape, dtype=bool)
    people = reasons.people[list(denied.columns)]
    for place, name in enumerate(denied.columns):
        changed = people.assign(**{name: fill_column(people, denied.typical, name)})
        try:
            link = box.link(changed)
        except AuditError:
            continue
        denied.ask.asked += len(people)
        # less than rounding is no help
        helps[:, place] = denied.sign * (link - reasons.link) > 1e-6 * (1 + np.abs(reasons.link))
    return helps


def correct_all(denied: Denied, reasons: Reasons) -> pd.DataFrame:
    """Return the people with every stated reason set to the typical value of the favoured."""
    people = reasons.people
    for place, name in enumerate(denied.columns):
        stated = reasons.among(place)
        if stated.any():
            values = people[name].to_numpy().copy()
            values[stated] = fill_column(people, denied.typical, name)[stated]
            people = people.assign(**{name: values})
    return people


def fill_column(people: pd.DataFrame, typical: pd.DataFrame, name: str) -> NDArray[np.generic]:
    """Return a column of the typical value, in the type of the table."""
    values = np.empty(len(people), dtype=people[name].to_numpy().dtype)
    values[:] = typical[name].iloc[0]
    return values
