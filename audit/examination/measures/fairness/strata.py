"""Groups compared among people who are alike in what may lawfully decide, such as grade or region.

Comes in: the columns of ``strata`` and the decision of every row. Goes out: what `conditional` measures within the
strata, and the counts of each stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence import CountTable, Measurement, StratifiedTable, Stratum
from audit.examination.data.groups import bin_labels, name_groups, needs_bins, order_groups
from audit.examination.measures.data import FEWEST_SHOWN
from audit.examination.measures.slice_search import even_cuts
from audit.examination.tally.tally import build_tally

from .conditional import StratumCells, choose_reference, measure_conditional, note_reversals
from .groups import Grouping
from .parts import Found, Scene

if TYPE_CHECKING:
    import pandas as pd

    from audit.examination.measures.case import Case

Whole = NDArray[np.int64]

MOST_STRATA = 200
"""Strata beyond this number are the rarest ones and are taken together."""
OTHER = "all other"
"""Name of the stratum that rare combinations share."""
QUINTILES = 5
_STRATUM = "\0stratum"


@dataclass(frozen=True, slots=True)
class Strata:
    """People who are alike in the declared columns.

    Parameters
    ----------
    names : tuple of str
        What the people of each stratum have in common.
    codes : ndarray of int64, shape [n]
        Stratum of each row.
    notes : tuple of str
        What was cut or taken together.
    """

    names: tuple[str, ...]
    codes: Whole
    notes: tuple[str, ...] = ()


def measure_strata(scene: Scene) -> Found:
    """Compare groups within the strata of the configuration; nothing where it declares none, or nothing is decided.

    Parameters
    ----------
    scene : Scene
        The case and its single attributes.
    """
    columns = scene.case.config.strata
    if not columns or scene.case.scores.favourable is None:
        return Found()
    strata = lay_strata(scene.case.frame, columns)
    counted = count_strata(scene.case, strata, scene.singles)
    measurements: list[Measurement] = []
    tables: list[StratifiedTable] = []
    notes = [*strata.notes]
    if scene.case.sampled:
        notes.append(f"Strata are counted on a sample of the rows: {scene.case.sampled}")
    for grouping, table in zip(scene.singles, counted, strict=True):
        reference = choose_reference(scene, grouping)
        tables.append(_stratified_table(grouping, table, columns, strata, reference))
        cells = _cells_of(grouping, table, len(strata.names))
        compared = measure_conditional(scene, grouping, cells, reference)
        measurements += compared
        notes += note_reversals(grouping, compared)
    return Found(tuple(measurements), {"strata": tuple(tables)}, tuple(notes))


def lay_strata(frame: pd.DataFrame, columns: Sequence[str]) -> Strata:
    """Say in which stratum each row lies.

    Parameters
    ----------
    frame : pandas.DataFrame, shape [n, ...]
        Typed rows.
    columns : sequence of str
        Categories, or numbers; a number with many values is cut at its quintiles.

    Notes
    -----
    Combinations with fewer than five people are taken together, so that no stratum shows one person, and so are the
    rarest beyond `MOST_STRATA`.
    """
    codes = np.zeros(len(frame), dtype=np.int64)
    names: list[str] = [""]
    notes = []
    for column in columns:
        values = frame[column].to_numpy()
        values = values.astype(np.float64) if values.dtype.kind in "iuf" else values.astype(object)
        cuts = tuple(even_cuts(values[~np.isnan(values)], QUINTILES).tolist()) if needs_bins(values) else ()
        if cuts:
            notes.append(f"{column} is cut at its quintiles to make strata: {', '.join(bin_labels(cuts))}.")
        texts = name_groups(values, cuts)
        levels = order_groups(texts.tolist())
        place = {level: i for i, level in enumerate(levels)}
        here = np.fromiter((place[text] for text in texts.tolist()), dtype=np.int64, count=len(texts))
        found, codes = np.unique(codes * len(levels) + here, return_inverse=True)
        names = [
            f"{names[pair // len(levels)]}, {column}={levels[pair % len(levels)]}".removeprefix(", ")
            for pair in found.tolist()
        ]
    return _pool_rare(names, codes.astype(np.int64), notes)


def _pool_rare(names: list[str], codes: Whole, notes: list[str]) -> Strata:
    """Take strata of a few people, and the rarest of too many, together."""
    counts = np.bincount(codes, minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    kept = [place for place in order.tolist() if counts[place] >= FEWEST_SHOWN]
    if len(kept) > MOST_STRATA or len(kept) < len(names):
        kept = kept[: MOST_STRATA - 1]
    pooled = len(codes) - int(counts[kept].sum())
    while kept and 0 < pooled < FEWEST_SHOWN:
        pooled += int(counts[kept.pop()])
    kept.sort()
    if len(kept) == len(names):
        return Strata(tuple(names), codes, tuple(notes))
    moved = np.full(len(names), len(kept), dtype=np.int64)
    moved[kept] = np.arange(len(kept))
    notes.append(
        f"{len(names) - len(kept)} rare combinations of the strata columns, {pooled} people together, are one stratum "
        f"'{OTHER}': combinations of fewer than {FEWEST_SHOWN} people, and all beyond the {MOST_STRATA - 1} largest."
    )
    return Strata((*(names[place] for place in kept), OTHER), moved[codes], tuple(notes))


def count_strata(case: Case, strata: Strata, singles: Sequence[Grouping]) -> list[CountTable]:
    """Count every attribute within strata.

    Parameters
    ----------
    case : Case
        Groups, labels and decisions row by row.
    strata : Strata
        Stratum of each row.
    singles : sequence of Grouping
        The attributes.

    Returns
    -------
    list of CountTable
        One per attribute; each cell's values are the stratum's place as text and the group.
    """
    texts = np.array([str(place) for place in range(len(strata.names))], dtype=object)[strata.codes]
    attributes = [grouping.table.attributes[0] for grouping in singles]
    tally = build_tally(
        {_STRATUM: texts} | {name: case.groups[name] for name in attributes},
        None if case.subject.task == "regression" else case.label,
        case.scores.favourable,
        intersections=[(_STRATUM, name) for name in attributes],
        most_cells=0,
    )
    return [tally.table((_STRATUM, name)) for name in attributes]


def _cells_of(grouping: Grouping, table: CountTable, strata: int) -> StratumCells:
    """Return the counts in the order of the grouping's groups."""
    places = {group.values[0]: place for place, group in enumerate(grouping.groups)}
    cells = StratumCells(*(np.zeros((strata, len(places)), dtype=np.int64) for _ in range(2)))
    for cell in table.cells:
        stratum, group = cell.values
        cells.favourable[int(stratum), places[group]] = cell.favourable
        cells.people[int(stratum), places[group]] = cell.n
    return cells


def _stratified_table(
    grouping: Grouping, table: CountTable, columns: Sequence[str], strata: Strata, reference: int | None
) -> StratifiedTable:
    """Return the counts as they stand in the evidence."""
    by_stratum: dict[int, list[Any]] = {place: [] for place in range(len(strata.names))}
    for cell in table.cells:
        by_stratum[int(cell.values[0])].append(cell.model_copy(update={"values": cell.values[1:]}))
    return StratifiedTable(
        attribute=grouping.name,
        by=tuple(columns),
        reference="" if reference is None else grouping.groups[reference].values[0],
        strata=tuple(Stratum(name=strata.names[place], cells=tuple(cells)) for place, cells in by_stratum.items()),
    )
