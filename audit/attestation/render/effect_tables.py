"""The curves and surfaces of a report as tables that any spreadsheet or statistics program reads.

Comes in: a dossier. Goes out: CSV files (RFC 4180, UTF-8), functions of the dossier alone, so that whoever has the
dossier can make them again and compare byte by byte. Numbers are written so that reading them gives the same number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from audit.evidence import Curve, Dossier, Effects, PairSurface

CURVES_FILE = "effects.csv"
SURFACES_FILE = "interactions.csv"
CURVE_COLUMNS = (
    "feature", "model", "method", "kind", "position", "effect", "low", "high", "band", "band_is_interval", "rows"
)  # fmt: skip
SURFACE_COLUMNS = ("feature_across", "feature_down", "model", "across", "down", "effect")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""

Cell = str | float | int | bool | None


def write_sources(dossier: Dossier) -> dict[str, bytes]:
    """Return all files that a PDF holds beside the dossier: the text of every policy, and the effect tables.

    Parameters
    ----------
    dossier : Dossier
        What is reported.
    """
    policies = {
        f"{policy.pack}.policy.txt": policy.text.encode("utf-8", errors="replace")
        for policy in dossier.judgement.policies
    }
    return {**policies, **write_effect_tables(dossier)}


def write_effect_tables(dossier: Dossier) -> dict[str, bytes]:
    """Return the effect tables of a dossier: file name to content; empty where no effects were measured.

    Parameters
    ----------
    dossier : Dossier
        What is reported.

    Returns
    -------
    dict of str to bytes
        ``effects.csv``, a row per position of each curve (and one of kind ``missing`` for the effect of a missing
        value), on the scale that the evidence states; ``interactions.csv``, a row per cell of each surface. Names
        and levels that a spreadsheet would run as a formula begin with an apostrophe.
    """
    effects = dossier.evidence.effects
    if not isinstance(effects, Effects):
        return {}
    files = {CURVES_FILE: _write(CURVE_COLUMNS, (row for curve in effects.curves for row in _curve_rows(curve)))}
    if effects.surfaces:
        rows = (row for surface in effects.surfaces for row in _surface_rows(surface))
        files[SURFACES_FILE] = _write(SURFACE_COLUMNS, rows)
    return files


def _curve_rows(curve: Curve) -> Iterable[tuple[Cell, ...]]:
    named = (curve.feature, curve.model, curve.method)
    about = (curve.band, curve.band_is_interval, curve.rows)
    positions: Sequence[float | str] = curve.x or curve.levels
    for place, position in enumerate(positions):
        band = (curve.low[place], curve.high[place]) if curve.low else (None, None)
        yield (*named, curve.kind, position, curve.y[place], *band, *about)
    if curve.missing is not None:
        yield (*named, "missing", None, curve.missing, None, None, *about)


def _surface_rows(surface: PairSurface) -> Iterable[tuple[Cell, ...]]:
    right: Sequence[float | str] = surface.across
    below: Sequence[float | str] = surface.down
    for row, down in zip(surface.values, below, strict=True):
        for value, across in zip(row, right, strict=True):
            yield (*surface.features, surface.model, across, down, value)


def _write(columns: Sequence[str], rows: Iterable[tuple[Cell, ...]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", errors="replace")


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return repr(value + 0)  # no minus before a zero: JSON, from which others make this table again, knows none
