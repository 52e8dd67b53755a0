"""Glass boxes written down and read back: a table per feature from which every prediction can be computed again.

Comes in: `TableBox` objects. Goes out: one JSON document (exact, complete) and one Parquet table (for spreadsheets and
data frames) per glass box, and from the JSON a `TableBox` again: ``read_tables(write_tables(box))`` predicts the same.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from audit.errors import EvidenceError

from .encoder import Encoder, LevelCode, NumberCode
from .glassbox import GlassBox
from .shapes import PairTerm, TableBox, Term

FORM = "glassbox/2"
READABLE = ("glassbox/1", FORM)

_HOW = (
    "score = intercept + sum of one value per feature (+ one per pair). linear: straight lines between the knots "
    "`at`, flat beyond; step: value k where exactly k of the cuts `at` are <= x; level: value of the level, `unknown` "
    "for any other; `missing` where the feature is missing. A pair's table has row and column 0 for missing; a number "
    "finds its row by `cuts` (step: 1 + how many are <= x; linear: knots in rows 1, 2, ..., bilinear in between), a "
    "level by `rows` in the order of the feature's levels, any other level by the last of `rows`. link logit: "
    "probability = 1 / (1 + exp(-score)); softmax: one such file per class (`output`), probabilities = softmax of "
    "their scores."
)


def write_tables(box: GlassBox) -> bytes:
    """Return a glass box as JSON, UTF-8.

    Parameters
    ----------
    box : GlassBox
        The glass box.
    """
    document = {
        "form": FORM,
        "how": _HOW,
        "name": box.name,
        "link": box.link_name,
        "output": box.output,
        "intercept": box.intercept,
        "method": box.method,
        "band": box.band,
        "band_is_interval": box.band_is_interval,
        "rows": box.rows,
        "notes": list(box.notes),
        "features": [_write_term(term) for term in box.terms],
        "pairs": [_write_pair(pair) for pair in box.pairs],
    }
    return (_dump(document) + "\n").encode()


def _dump(document: dict[str, Any]) -> str:
    """Return JSON with one line per entry, and one per feature and pair: readable, and a tenth of the lines."""
    lines = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n  " + ",\n  ".join(_plain(item) for item in value) + "\n ]"
        else:
            text = _plain(value)
        lines.append(f" {_plain(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _write_term(term: Term) -> dict[str, Any]:
    entry: dict[str, Any] = {"feature": term.feature, "form": term.form}
    entry |= {"levels": list(term.levels)} if term.form == "level" else {"at": term.at.tolist()}
    entry |= {"y": term.y.tolist(), "missing": term.missing, "unknown": term.unknown}
    if term.low is not None and term.high is not None:
        entry |= {"low": term.low.tolist(), "high": term.high.tolist()}
    return entry


def _write_pair(pair: PairTerm) -> dict[str, Any]:
    return {
        "features": list(pair.features),
        "form": pair.form,
        "cuts": [side.tolist() for side in pair.cuts],
        "rows": [side.tolist() for side in pair.rows],
        "y": pair.y.tolist(),
    }


def read_tables(data: bytes) -> TableBox:
    """Read a glass box back from its JSON.

    Parameters
    ----------
    data : bytes
        As `write_tables` gives it.

    Raises
    ------
    EvidenceError
        It is no such document.
    """
    try:
        document = json.loads(data)
        if document["form"] not in READABLE:
            raise EvidenceError(f"these tables have the form {document['form']!r}, this version reads {FORM!r}")
        terms = tuple(_read_term(entry) for entry in document["features"])
        names = [term.feature for term in terms]
        return TableBox(
            name=document["name"],
            link_name=document["link"],
            encoder=Encoder(tuple(_code_of(term) for term in terms)),
            intercept=float(document["intercept"]),
            terms=terms,
            pairs=tuple(_read_pair(entry, names) for entry in document["pairs"]),
            method=document["method"],
            band=document["band"],
            band_is_interval=document["band_is_interval"],
            rows=document["rows"],
            notes=tuple(document["notes"]),
            output=document.get("output", ""),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceError(f"this is not a glass box's table: {type(error).__name__}: {error}") from None


def _read_term(entry: dict[str, Any]) -> Term:
    low, high = entry.get("low"), entry.get("high")
    return Term(
        feature=entry["feature"],
        form=entry["form"],
        at=np.array(entry.get("at", []), dtype=np.float64),
        levels=tuple(entry.get("levels", ())),
        y=np.array(entry["y"], dtype=np.float64),
        missing=float(entry["missing"]),
        unknown=float(entry["unknown"]),
        low=None if low is None else np.array(low, dtype=np.float64),
        high=None if high is None else np.array(high, dtype=np.float64),
    )


def _code_of(term: Term) -> NumberCode | LevelCode:
    return LevelCode(term.feature, term.levels) if term.form == "level" else NumberCode(term.feature, term.at)


def _read_pair(entry: dict[str, Any], names: list[str]) -> PairTerm:
    first, second = entry["features"]
    cuts = [np.array(side, dtype=np.float64) for side in entry["cuts"]]
    rows = [np.array(side, dtype=np.intp) for side in entry["rows"]]
    return PairTerm(
        features=(first, second),
        columns=(names.index(first), names.index(second)),
        cuts=(cuts[0], cuts[1]),
        rows=(rows[0], rows[1]),
        y=np.array(entry["y"], dtype=np.float64),
        form=entry.get("form", "step"),
    )


def flatten_tables(box: GlassBox) -> bytes:
    """Return the tables as Parquet, one line per position, or per cell of a pair.

    Parameters
    ----------
    box : GlassBox
        The glass box.

    Notes
    -----
    Columns: feature, form, at (knot, or the cut at which a step begins; empty for the first), level, y, low, high. The
    rows whose level reads ``(missing)`` and ``(unknown)`` hold those slots; ``(intercept)`` is a feature of its own. A
    pair is the feature ``a x b`` with the form ``pair``; its cells carry `row` and `column` of the table, in which the
    first row and column stand for missing, and numbers of both sides where those are knots or cuts.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines: list[tuple[Any, ...]] = [("(intercept)", "constant", None, None, box.intercept, *(None,) * 6)]
    for term in box.terms:
        lines += [(*line, None, None, None, None) for line in _term_lines(term)]
    for pair in box.pairs:
        lines += _pair_lines(pair)
    columns = list(zip(*lines, strict=True))
    text, number = pa.string(), pa.float64()
    names = ("feature", "form", "at", "level", "y", "low", "high", "row", "column", "row_at", "column_at")
    kinds = (text, text, number, text, number, number, number, pa.int32(), pa.int32(), number, number)
    arrays = [pa.array(column, type=kind) for column, kind in zip(columns, kinds, strict=True)]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), out, compression="zstd")
    return out.getvalue()


def _term_lines(term: Term) -> list[tuple[Any, ...]]:
    at: list[float | None] = [None] * term.y.size
    if term.form == "linear":
        at = [float(x) for x in term.at]
    elif term.form == "step":
        at = [None, *(float(x) for x in term.at)]
    levels = term.levels if term.form == "level" else (None,) * term.y.size
    low = [None] * term.y.size if term.low is None else term.low.tolist()
    high = [None] * term.y.size if term.high is None else term.high.tolist()
    lines: list[tuple[Any, ...]] = [
        (term.feature, term.form, a, level, y, lo, hi)
        for a, level, y, lo, hi in zip(at, levels, term.y.tolist(), low, high, strict=True)
    ]
    lines.append((term.feature, term.form, None, "(missing)", term.missing, None, None))
    if term.form == "level":
        lines.append((term.feature, term.form, None, "(unknown)", term.unknown, None, None))
    return lines


def _pair_lines(pair: PairTerm) -> list[tuple[Any, ...]]:
    name = " x ".join(pair.features)
    # row 0 is missing; a step's first piece has no cut below it; a last row may stand for what was never seen
    shift = 2 if pair.form == "step" else 1
    at: list[list[float | None]] = [
        ([None] * size if not cuts.size else [*[None] * shift, *cuts.tolist(), *[None] * size])[:size]
        for cuts, size in zip(pair.cuts, pair.y.shape, strict=True)
    ]
    return [
        (name, "pair", None, None, float(pair.y[a, b]), None, None, a, b, at[0][a], at[1][b])
        for a in range(pair.y.shape[0])
        for b in range(pair.y.shape[1])
    ]
