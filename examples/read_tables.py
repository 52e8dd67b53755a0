"""Predict from a glass box's table file with numpy alone: ``python read_tables.py net_label.json rows.csv``."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def place(term: dict[str, Any], values: list[Any]) -> np.ndarray:
    """Return a number or level position per value, NaN where missing, -1 where the level has no slot."""
    if term["form"] != "level":
        return np.array([np.nan if v in (None, "") else float(v) for v in values])
    slot = {level: i for i, level in enumerate(term["levels"])}
    return np.array([np.nan if v is None or v == "" or v != v else slot.get(str(v), -1) for v in values])


def side(x: np.ndarray, cuts: list[float], rows: list[int], form: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two rows of a pair's table around each value, and the share of the second."""
    gap = np.isnan(x)
    if rows or form == "step":
        at = np.array(rows)[np.where(gap, -1, x).astype(int)] if rows else np.searchsorted(cuts, x, side="right") + 1
        return np.where(gap, 0, at), np.where(gap, 0, at), np.zeros(x.size)
    at = np.interp(np.where(gap, cuts[0], x), cuts, np.arange(1.0, len(cuts) + 1))
    return np.where(gap, 0, at // 1).astype(int), np.where(gap, 0, -(-at // 1)).astype(int), np.where(gap, 0, at % 1)


def predict(box: dict[str, Any], columns: dict[str, list[Any]]) -> np.ndarray:
    """Return the score of each row; `columns` maps a feature to its values."""
    places = {term["feature"]: place(term, columns[term["feature"]]) for term in box["features"]}
    total = box["intercept"]
    for term in box["features"]:
        x, y = places[term["feature"]], np.array(term["y"])
        if term["form"] == "linear":
            known = np.interp(x, term["at"], y) if len(y) else 0 * x
        elif term["form"] == "step":
            known = y[np.searchsorted(term["at"], x, side="right")]
        else:
            known = np.append(y, term["unknown"])[np.where(np.isnan(x), -1, x).astype(int)]
        total = total + np.where(np.isnan(x), term["missing"], known)
    for pair in box["pairs"]:
        sides = zip(pair["features"], pair["cuts"], pair["rows"], strict=True)
        (a, b, right), (c, d, up) = (side(places[f], cuts, rows, pair["form"]) for f, cuts, rows in sides)
        y = np.array(pair["y"])
        low, high = (1 - right) * y[a, c] + right * y[b, c], (1 - right) * y[a, d] + right * y[b, d]
        total = total + (1 - up) * low + up * high
    return total


if __name__ == "__main__":
    with Path(sys.argv[2]).open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    found = predict(json.loads(Path(sys.argv[1]).read_text()), {name: [row[name] for row in rows] for name in rows[0]})
    print(*found, sep="\n")
