"""People decided against, and those decided for, with whom they are compared.

Comes in: the case. Goes out: `Denied`: places of both, a background of the favoured, their typical row, which side of
the score is the good one, and a way to ask the model for decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.evidence import NotDone
from audit.examination.blackbox.decision import plan_decision
from audit.examination.data.split import draw_evenly, stratified_sample
from audit.examination.measures.effects.worked import make_typical
from audit.examination.measures.explanations.pace import strata_of
from audit.examination.measures.robustness.probe import Asker

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

BACKGROUND = 100
FEWEST = 10
"""With fewer people decided favourably there is nobody to be compared with."""


@dataclass(slots=True)
class Denied:
    """Who was decided against.

    Parameters
    ----------
    case : Case
        Where they come from.
    columns : tuple of str
        Columns that the model reads.
    places : ndarray of int64
        Places of the people decided against among the rows of the case.
    favoured : ndarray of int64
        Places of the people decided for.
    background : pandas.DataFrame, shape [b, columns]
        A sample of the favoured.
    typical : pandas.DataFrame, shape [1, columns]
        Medians and most frequent levels of all favoured.
    sign : float
        1 where a high score is the good one, else -1.
    ask : Asker
        From rows to scores and decisions.
    follows : bool
        Whether decisions follow from the score, so that changed rows can be decided.
    not_done : dict of str to str
        Part that could not be carried out, to the reason.
    """

    case: Case
    columns: tuple[str, ...]
    places: NDArray[np.int64]
    favoured: NDArray[np.int64]
    background: pd.DataFrame
    typical: pd.DataFrame
    sign: float
    ask: Asker
    follows: bool
    not_done: dict[str, str] = field(default_factory=dict)

    def take(self, places: NDArray[np.int64]) -> pd.DataFrame:
        """Return these rows of the case, all columns, numbered anew."""
        return self.case.frame.iloc[places].reset_index(drop=True)

    def sample(self, size: int, use: str) -> NDArray[np.int64]:
        """Return a sample of the people decided against, the shares of groups kept."""
        strata = strata_of(self.case, decided=False)[self.places]
        chosen: NDArray[np.int64] = self.places[draw_evenly(size, self.case.rng(use), strata)]
        return chosen


def find_denied(case: Case) -> Denied | NotDone:
    """Tell people decided against from those decided for.

    Parameters
    ----------
    case : Case
        Rows, model and decisions.

    Returns
    -------
    Denied or NotDone
        Not done without a model, without decisions, or where nearly everybody was decided alike.
    """
    decision, favourable = case.subject.decision, case.scores.favourable
    if case.blackbox is None:
        return NotDone(not_done="there is no model whose score could be explained, only stored scores or decisions")
    if decision is None or favourable is None:
        return NotDone(not_done="nothing is decided on the rows: there is no decision to give reasons for")
    places, favoured = np.flatnonzero(~favourable), np.flatnonzero(favourable)
    if not places.size:
        return NotDone(not_done="nobody was decided against")
    if favoured.size < FEWEST:
        return NotDone(
            not_done=f"only {favoured.size} people were decided favourably: there is nobody to be compared with"
        )
    columns = tuple(case.blackbox.columns)
    drawn = favoured[stratified_sample(len(favoured), BACKGROUND, case.rng("background of reasons"))]
    features = [item for item in case.subject.features if item.name in columns]
    plan = plan_decision(case.config, case.dataset)
    return Denied(
        case,
        columns,
        places,
        favoured,
        case.frame[list(columns)].iloc[drawn].reset_index(drop=True),
        make_typical(case.frame.iloc[favoured], features)[list(columns)],
        1.0 if decision.favourable_is_high else -1.0,
        Asker(case.blackbox, plan),
        plan.rule is not None and plan.rule.column is None,
    )
