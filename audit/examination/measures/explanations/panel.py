"""The rows whose explanations are tested, and the explanations: one array of attributions per method.

Comes in: the case. Goes out: a `Panel`: a printed, seeded, stratified sample with its background and typical row, and
what integrated gradients, Shapley values and the two surrogates say of it. All stand on the link scale and are measured
from a reference, so that they compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audit.errors import AuditError
from audit.evidence import NotDone
from audit.examination.data.split import draw_evenly, stratified_sample
from audit.examination.glassbox.fit import Fits
from audit.examination.glassbox.glassbox import GlassBox
from audit.examination.measures.attribution.attribution import Attribution
from audit.examination.measures.attribution.control import explain_box
from audit.examination.measures.attribution.gradients import integrate_gradients
from audit.examination.measures.attribution.mixing import Link
from audit.examination.measures.attribution.shapley import count_evaluations, sample_shapley
from audit.examination.measures.effects.worked import make_typical

from .pace import choose_rows, strata_of

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Floats = NDArray[np.float64]

GRADIENTS = "integrated gradients"
SHAPLEY = "Shapley values"
SURROGATES = {"net_surrogate": "additive net (surrogate)", "ebm_surrogate": "EBM (surrogate)"}
"""Glass box to the name of its explanation."""

MOST_ROWS = {"fast": 60, "standard": 150, "thorough": 400}
PERMUTATIONS = {"fast": 16, "standard": 32, "thorough": 64}
"""Orders of the features drawn for each half of the Shapley values, by effort."""
BACKGROUND = 100
"""Rows that stand for everybody."""


@dataclass(slots=True)
class Panel:
    """Rows and their explanations.

    Parameters
    ----------
    case : Case
        Where they come from.
    columns : tuple of str
        Columns that the model reads.
    rows : ndarray of int64, shape [n]
        Places among the rows of the case.
    people : pandas.DataFrame, shape [n, columns]
        The rows.
    background : pandas.DataFrame, shape [m, columns]
        Rows that stand for everybody.
    typical : pandas.DataFrame, shape [1, columns]
        The baseline of gradients.
    link : ndarray of float64, shape [n]
        Scores on the link scale.
    deviation : float
        Standard deviation of `link`.
    ask : callable
        From rows to scores on the link scale.
    drawn : str
        How the rows were drawn.
    gradients : Attribution or None
        Integrated gradients; None where the model gives none.
    halves : tuple of two Attribution
        Shapley values from two independent sets of orders.
    surrogates : dict of str to ndarray, shape [n, columns]
        Exact Shapley values of the surrogates themselves, over the same background.
    not_done : dict of str to str
        Method that could not be used, to the reason.
    """

    case: Case
    columns: tuple[str, ...]
    rows: NDArray[np.int64]
    people: pd.DataFrame
    background: pd.DataFrame
    typical: pd.DataFrame
    link: Floats
    deviation: float
    ask: Link
    drawn: str
    gradients: Attribution | None = None
    halves: tuple[Attribution, Attribution] | None = None
    surrogates: dict[str, Floats] = field(default_factory=dict)
    not_done: dict[str, str] = field(default_factory=dict)

    @property
    def permutations(self) -> int:
        """Orders in each half of the Shapley values."""
        return PERMUTATIONS[self.case.config.effort]

    @property
    def methods(self) -> dict[str, Floats]:
        """Method to attributions, shape ``[n, columns]``; Shapley values are the mean of their halves."""
        found = dict[str, Floats]()
        if self.gradients is not None:
            found[GRADIENTS] = self.gradients.values
        if self.halves is not None:
            found[SHAPLEY] = (self.halves[0].values + self.halves[1].values) / 2
        return found | self.surrogates


def draw_panel(case: Case) -> Panel | NotDone:
    """Draw the rows and explain them by every method that can.

    Parameters
    ----------
    case : Case
        Rows, model, glass boxes, effort and seed.

    Returns
    -------
    Panel or NotDone
        Not done without a model, with fewer than two columns, or where the score never differs.
    """
    box = case.blackbox
    if box is None:
        return NotDone(not_done="there is no model that could be explained, only stored scores or decisions")
    if len(box.columns) < 2:
        return NotDone(not_done="the model reads one column: there is nothing to share its score between")
    frame = case.frame[list(box.columns)]
    each = 3 * count_evaluations(len(box.columns), PERMUTATIONS[case.config.effort])
    size, drawn = choose_rows(case, MOST_ROWS, each)
    rows = draw_evenly(size, case.rng("explained rows"), strata_of(case))
    others = stratified_sample(len(frame), BACKGROUND, case.rng("background of explanations"))
    people = frame.iloc[rows].reset_index(drop=True)
    link = np.asarray(box.link(people), dtype=np.float64)
    deviation = float(link.std(ddof=1)) if len(link) > 1 else 0.0
    if not np.isfinite(deviation) or deviation <= 1e-12 * max(1.0, float(np.abs(link).max(initial=0.0))):
        return NotDone(not_done="the model gives every row that was looked at the same score")
    typical = make_typical(case.frame, [item for item in case.subject.features if item.name in box.columns])
    panel = Panel(
        case,
        tuple(box.columns),
        rows,
        people,
        frame.iloc[others].reset_index(drop=True),
        typical[list(box.columns)],
        link,
        deviation,
        box.link,
        drawn,
    )
    _explain(panel)
    return panel


def _explain(panel: Panel) -> None:
    panel.gradients = explain_by_gradients(panel, panel.people)
    if panel.gradients is None:
        panel.not_done["Integrated gradients"] = "the model gives no gradients that reach all of its columns"
    panel.halves = (explain_by_shapley(panel, "first half"), explain_by_shapley(panel, "second half"))
    _add_surrogates(panel)


def explain_by_gradients(panel: Panel, people: pd.DataFrame) -> Attribution | None:
    """Return integrated gradients of some rows from the typical row; None where the model gives none."""
    if panel.case.blackbox is None or not panel.case.blackbox.has_gradients:
        return None
    try:
        found = integrate_gradients(panel.case.blackbox, people, panel.typical)
    except AuditError:
        return None
    return None if found is None else align(found, panel.columns)


def explain_by_shapley(
    panel: Panel, use: str, people: pd.DataFrame | None = None, *, follows: bool = True
) -> Attribution:
    """Return Shapley values of the panel's rows, or of others, over the background.

    Parameters
    ----------
    panel : Panel
        Model, background and number of orders.
    use : str
        What they are for: the same orders are drawn for the same use.
    people : pandas.DataFrame, optional
        Other rows.
    follows : bool
        Whether the surrogate follows the model, so that it may take chance out of the values.
    """
    rows = panel.people if people is None else people
    rng = panel.case.rng(f"explanations: Shapley values, {use}")
    control = choose_control(panel.case) if follows else None
    found = sample_shapley(panel.ask, rows, panel.background, permutations=panel.permutations, rng=rng, control=control)
    return align(found, panel.columns)


def choose_control(case: Case) -> GlassBox | None:
    """Return the surrogate that takes chance out of Shapley values; None where none was fitted."""
    if not isinstance(case.fits, Fits):
        return None
    return case.fits.models.get("ebm_surrogate") or case.fits.models.get("net_surrogate")


def align(found: Attribution, columns: tuple[str, ...]) -> Attribution:
    """Return attributions with their columns in this order; one that is not there has none."""
    if found.columns == columns:
        return found
    values = np.zeros((len(found.values), len(columns)))
    for place, name in enumerate(columns):
        if name in found.columns:
            values[:, place] = found.values[:, found.columns.index(name)]
    return replace(found, columns=columns, values=values, se=None)


def _add_surrogates(panel: Panel) -> None:
    fits = panel.case.fits
    if not isinstance(fits, Fits):
        panel.not_done["Surrogates"] = fits.not_done
        return
    for name, title in SURROGATES.items():
        if name in fits.models:
            panel.surrogates[title] = explain_box(fits.models[name], panel.people, panel.background, panel.columns)[0]
